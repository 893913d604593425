//! HTML or text as plain text, without a tree: for the summaries of feeds, which are
//! short and many. One pass, no allocation but the result.

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

use super::text;

/// Longest name of a character reference, in bytes ("CounterClockwiseContourIntegral;").
const MAX_ENTITY_BYTES: usize = 33;

/// HTML or text as plain text: tags out, entities decoded once, white space folded,
/// paragraphs separated by a blank line.
#[must_use]
pub fn plain_text(html: &str) -> String {
    let mut to = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text::push_folded(&mut to, &rest[..at]);
        rest = &rest[at..];
        let length = if rest.starts_with('&') {
            push_reference(&mut to, rest)
        } else {
            push_tag(&mut to, rest)
        };
        rest = &rest[length..];
    }
    text::push_folded(&mut to, rest);
    tidy_breaks(&mut to);
    to
}

/// Text with its character references decoded once; tags stay as they are.
pub(super) fn decode_references(text: &str) -> String {
    let mut to = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        to.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(rest) {
            Some((first, second, length)) => {
                to.extend(first);
                to.extend(second);
                rest = &rest[length..];
            }
            None => {
                to.push('&');
                rest = &rest[1..];
            }
        }
    }
    to.push_str(rest);
    to
}

/// Appends what the character reference at the start of `rest` stands for, or the
/// ampersand itself. Returns the bytes read.
fn push_reference(to: &mut String, rest: &str) -> usize {
    let Some((first, second, length)) = reference(rest) else {
        to.push('&');
        return 1;
    };
    for c in first.into_iter().chain(second) {
        let mut bytes = [0; 4];
        text::push_folded(to, c.encode_utf8(&mut bytes));
    }
    length
}

/// The character reference at the start of a text (WHATWG HTML, "Named character
/// references" and "Numeric character reference end state"), and its length.
fn reference(rest: &str) -> Option<(Option<char>, Option<char>, usize)> {
    let bytes = rest.as_bytes();
    if bytes.get(1) == Some(&b'#') {
        return numeric_reference(bytes).map(|(c, length)| (Some(c), None, length));
    }
    let end = bytes
        .iter()
        .skip(1)
        .take(MAX_ENTITY_BYTES)
        .position(|byte| !byte.is_ascii_alphanumeric())
        .map_or(bytes.len().min(MAX_ENTITY_BYTES), |at| at + 1);
    if bytes.get(end) != Some(&b';') {
        return None;
    }
    match NAMED_ENTITIES.get(&rest[1..=end]) {
        Some(&(first, second)) if first != 0 => {
            let second = Some(second).filter(|&second| second != 0);
            Some((
                char::from_u32(first),
                second.and_then(char::from_u32),
                end + 1,
            ))
        }
        _ => None,
    }
}

fn numeric_reference(bytes: &[u8]) -> Option<(char, usize)> {
    let (radix, start) = match bytes.get(2) {
        Some(b'x' | b'X') => (16, 3),
        _ => (10, 2),
    };
    let mut number = 0u32;
    let mut end = start;
    while let Some(digit) = bytes.get(end).and_then(|&b| char::from(b).to_digit(radix)) {
        number = number.saturating_mul(radix).saturating_add(digit);
        end += 1;
    }
    if end == start {
        return None;
    }
    let length = end + usize::from(bytes.get(end) == Some(&b';'));
    let c = match number {
        0x80..=0x9f => C1_REPLACEMENTS[(number - 0x80) as usize],
        0 => None,
        _ => char::from_u32(number),
    };
    Some((c.unwrap_or('\u{fffd}'), length))
}

/// Passes over the tag or comment at the start of `rest`, leaving a break where it stands
/// for one. Returns the bytes read; a `<` that opens nothing is text.
fn push_tag(to: &mut String, rest: &str) -> usize {
    if rest.starts_with("<!--") {
        return rest.find("-->").map_or(rest.len(), |end| end + 3);
    }
    if let Some(content) = rest.strip_prefix("<![CDATA[") {
        let end = content.find("]]>").unwrap_or(content.len());
        text::push_folded(to, &content[..end]);
        return (9 + end + 3).min(rest.len());
    }
    let bytes = rest.as_bytes();
    let is_close = bytes.get(1) == Some(&b'/');
    let start = if is_close { 2 } else { 1 };
    let named = bytes.get(start).is_some_and(u8::is_ascii_alphabetic);
    if !named && !matches!(bytes.get(1), Some(b'!' | b'?')) {
        to.push('<');
        return 1;
    }
    let n_name = bytes[start..]
        .iter()
        .take(16)
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    let name = rest[start..start + n_name].to_ascii_lowercase();
    let end = tag_end(bytes);
    if !is_close && matches!(name.as_str(), "script" | "style" | "template" | "iframe") {
        return end + raw_end(&bytes[end..], &name);
    }
    push_break(to, &name);
    end
}

/// Bytes of a tag, its quoted values included; all that is left when it never ends.
fn tag_end(bytes: &[u8]) -> usize {
    let mut quote = None;
    for (at, &byte) in bytes.iter().enumerate().skip(1) {
        match quote {
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None if byte == b'>' => return at + 1,
            None if matches!(byte, b'"' | b'\'') && bytes[at - 1] == b'=' => quote = Some(byte),
            None => {}
        }
    }
    bytes.len()
}

/// Bytes up to and with the end tag of a raw text element.
fn raw_end(bytes: &[u8], name: &str) -> usize {
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|&byte| byte == b'<') {
        at += found;
        let close = bytes.get(at + 2..at + 2 + name.len());
        if bytes.get(at + 1) == Some(&b'/')
            && close.is_some_and(|close| close.eq_ignore_ascii_case(name.as_bytes()))
        {
            return at + tag_end(&bytes[at..]);
        }
        at += 1;
    }
    bytes.len()
}

fn push_break(to: &mut String, name: &str) {
    match name {
        "br" => to.push('\n'),
        "td" | "th" | "img" => to.push(' '),
        "p" | "div" | "li" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "tr"
        | "table" | "blockquote" | "section" | "article" | "figure" | "figcaption" | "pre"
        | "hr" | "dl" | "dt" | "dd" | "header" | "footer" => to.push_str("\n\n"),
        _ => {}
    }
}

/// One line break stays a space; two or more part paragraphs. Spaces around them go.
fn tidy_breaks(text: &mut String) {
    let mut tidy = String::with_capacity(text.len());
    let mut n_breaks = 0;
    let mut space = false;
    for c in text.chars() {
        match c {
            '\n' => n_breaks += 1,
            ' ' => space = true,
            _ => {
                if !tidy.is_empty() {
                    match (n_breaks, space) {
                        (2.., _) => tidy.push_str("\n\n"),
                        (1, _) | (_, true) => tidy.push(' '),
                        _ => {}
                    }
                }
                (n_breaks, space) = (0, false);
                tidy.push(c);
            }
        }
    }
    *text = tidy;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_summary_loses_its_tags_and_keeps_its_paragraphs() {
        let summary = "<p>One <b>bold</b>\n word.</p><p>Two<br>lines &amp; &quot;more&quot;.</p>";

        assert_eq!(
            plain_text(summary),
            "One bold word.\n\nTwo lines & \"more\"."
        );
    }

    #[test]
    fn references_are_decoded_once_and_only_once() {
        assert_eq!(
            plain_text("&amp;lt;b&amp;gt; &#8217;&#x2019;&nbsp;x"),
            "&lt;b&gt; ’’ x"
        );
        assert_eq!(
            plain_text("AT&T &unknown; &#; & <3 a<b"),
            "AT&T &unknown; &#; & <3 a"
        );
        assert_eq!(plain_text("&#150; &#0; &#99999999;"), "– \u{fffd} \u{fffd}");
    }

    #[test]
    fn scripts_styles_and_comments_are_not_text() {
        let html = "a<script>if (1 < 2) x('</p>')</SCRIPT>b<!-- <p> c --><style>p{}</style>d";

        assert_eq!(plain_text(html), "abd");
    }

    #[test]
    fn a_quoted_angle_bracket_does_not_end_a_tag() {
        assert_eq!(plain_text("<img alt=\"a > b\">text"), "text");
    }

    #[test]
    fn plain_text_passes_unchanged() {
        assert_eq!(plain_text("Prices rose by 3 %."), "Prices rose by 3 %.");
    }

    proptest! {
        #[test]
        fn any_text_gives_tidy_text(html in "\\PC*|[<>&;#a-z/!\" \\n-]*") {
            let text = plain_text(&html);

            prop_assert!(!text.contains("  ") && !text.contains("\n\n\n"));
            prop_assert_eq!(text.trim(), &text);
        }
    }
}

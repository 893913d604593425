//! Text as people read it: titles without markup, names of persons without addresses.

use std::borrow::Cow;

use super::references::{decode_html, escape};
use super::tokens::{Token, Tokens, local};

/// Longest title that is kept, in bytes.
const MAX_TITLE_BYTES: usize = 64 << 10;

/// How a text is to be understood (RFC 4287 §3.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TextKind {
    /// Characters that stand for themselves.
    Text,
    /// HTML, escaped or in a CDATA section.
    Html,
    /// Elements in the document itself.
    Xhtml,
    /// Nobody said: HTML if it looks like it.
    #[default]
    Unknown,
}

/// A title as text, from what the feed's markup gave.
///
/// RSS does not say whether its titles are HTML, so they are where they hold a tag that
/// HTML knows or a reference; anything else in brackets is kept.
pub(super) fn title(value: &str, kind: TextKind) -> Option<String> {
    let text = match kind {
        TextKind::Text => Cow::Borrowed(value),
        TextKind::Html | TextKind::Xhtml => html_to_text(value, AnyTag),
        TextKind::Unknown => html_to_text(value, is_html_element),
    };
    let text = one_line(cut(&text, MAX_TITLE_BYTES));
    (!text.is_empty()).then_some(text)
}

/// A summary or content as HTML: what is plain text is escaped, so that it stays itself.
pub(super) fn to_html(value: String, kind: TextKind) -> Option<String> {
    if value.trim().is_empty() {
        return None;
    }
    match kind {
        TextKind::Text => match escape(&value) {
            Cow::Borrowed(_) => Some(value),
            Cow::Owned(escaped) => Some(escaped),
        },
        _ => Some(value),
    }
}

/// The words of HTML, without its markup.
pub(super) fn visible_text(html: &str) -> String {
    one_line(&html_to_text(html, AnyTag))
}

/// Whether a text that nobody declared to be HTML is HTML: it holds a tag that HTML knows.
pub(super) fn looks_like_html(value: &str) -> bool {
    value.contains('<')
        && Tokens::new(value).any(|token| match token {
            Token::Start(tag) => is_html_element(tag.name),
            Token::End(name) => is_html_element(name),
            _ => false,
        })
}

/// White space runs as one space, as HTML shows them; none around the text.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() && c != '\u{a0}') {
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    line.truncate(line.trim_end_matches('\u{a0}').len());
    line.trim_start_matches('\u{a0}').to_owned()
}

/// At most `max` bytes of a text, whole characters.
pub(super) fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// The name in `Name <mail>`, `mail (Name)`, `Name (mail)` and the like (RSS 2.0 `author`);
/// the address when there is no name.
pub(super) fn person(text: &str) -> Option<String> {
    let text = title(text, TextKind::Unknown)?;
    let text = text.replace('\u{ff08}', "(").replace('\u{ff09}', ")");
    let text = text.trim();
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    if let Some((before, inside)) = text.strip_suffix(')').and_then(|t| t.split_once('(')) {
        let (before, inside) = (before.trim(), inside.trim());
        return match (is_mail(before), is_mail(inside)) {
            (true, false) if !inside.is_empty() => Some(inside.to_owned()),
            (false, true) if !before.is_empty() => Some(before.to_owned()),
            (true, _) => Some(before.to_owned()),
            _ => Some(text.to_owned()),
        };
    }
    let bracketed = text.strip_suffix('>').and_then(|t| t.split_once('<'));
    if let Some((name, mail)) = bracketed.filter(|(_, inside)| !inside.contains(['<', '>'])) {
        let name = name.trim().trim_matches('"').trim();
        return Some(if name.is_empty() { mail.trim() } else { name }.to_owned());
    }
    let mut words = text.split(' ');
    let without_mail: Vec<&str> = words.by_ref().filter(|word| !is_mail(word)).collect();
    if without_mail.is_empty() {
        return Some(text.to_owned());
    }
    Some(without_mail.join(" "))
}

fn is_mail(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !text.contains([' ', '('])
    })
}

trait KnowsTags {
    fn knows(&self, name: &str) -> bool;
}

struct AnyTag;

impl KnowsTags for AnyTag {
    fn knows(&self, _: &str) -> bool {
        true
    }
}

impl<F: Fn(&str) -> bool> KnowsTags for F {
    fn knows(&self, name: &str) -> bool {
        self(name)
    }
}

/// Text of HTML: known tags out, references decoded once.
fn html_to_text(html: &str, tags: impl KnowsTags) -> Cow<'_, str> {
    if !html.contains('<') {
        return decode_html(html);
    }
    let mut text = String::with_capacity(html.len());
    let mut tokens = Tokens::new(html);
    while let Some(token) = tokens.next() {
        match token {
            Token::Start(tag) if tags.knows(tag.name) => {
                if is_break(tag.name) {
                    text.push(' ');
                }
                // An emoji, or a headline that is a picture: its words are in `alt`.
                if let Some(alt) = tag.attribute("alt").filter(|_| is_picture(tag.name)) {
                    text.push_str(&decode_html(alt));
                }
                if !tag.empty && is_hidden(tag.name) {
                    skip_to_end(&mut tokens, tag.name);
                }
            }
            Token::End(name) if tags.knows(name) => {}
            Token::Text(part) => text.push_str(&decode_html(part)),
            Token::Cdata(part) => text.push_str(part),
            _ => text.push_str(&decode_html(&html[tokens.start()..tokens.position()])),
        }
    }
    Cow::Owned(text)
}

fn is_picture(name: &str) -> bool {
    name.eq_ignore_ascii_case("img")
}

/// Whether what stands within an element is not for people.
fn is_hidden(name: &str) -> bool {
    ["script", "style"]
        .iter()
        .any(|n| name.eq_ignore_ascii_case(n))
}

fn skip_to_end(tokens: &mut Tokens<'_>, name: &str) {
    for token in tokens {
        if matches!(token, Token::End(end) if end.eq_ignore_ascii_case(name)) {
            return;
        }
    }
}

fn is_break(name: &str) -> bool {
    ["br", "p", "div", "li", "tr"]
        .iter()
        .any(|n| name.eq_ignore_ascii_case(n))
}

/// Elements of HTML that are used in running text. Those that titles speak about
/// (`<script>`, `<title>`, `<video>`) are left out on purpose.
fn is_html_element(name: &str) -> bool {
    const ELEMENTS: &[&str] = &[
        "a",
        "abbr",
        "acronym",
        "article",
        "aside",
        "b",
        "bdi",
        "bdo",
        "big",
        "blockquote",
        "br",
        "center",
        "cite",
        "code",
        "dd",
        "del",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "font",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "iframe",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "nobr",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "section",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "wbr",
    ];
    let name = super::names::LowerName::new(local(name));
    ELEMENTS.binary_search(&name.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_text_decoded_once() {
        let check = |value, kind, want: &str| assert_eq!(title(value, kind).as_deref(), Some(want));

        check(
            "AT&amp;T &#8211; a <b>bold</b> step",
            TextKind::Html,
            "AT&T – a bold step",
        );
        check("a < b & c", TextKind::Unknown, "a < b & c");
        check(
            "How to use <script> and <b>bold</b>",
            TextKind::Unknown,
            "How to use <script> and bold",
        );
        check("&lt;b&gt; in HTML", TextKind::Unknown, "<b> in HTML");
        check("&amp; is an entity", TextKind::Text, "&amp; is an entity");
        check(
            "safe<script>location.href='/'</script> title",
            TextKind::Html,
            "safe title",
        );
        check(
            "Hello <img class='emoji' alt='&#128512;' src='x'/> there",
            TextKind::Html,
            "Hello 😀 there",
        );
        check(" one\n  two<br/>three ", TextKind::Html, "one two three");
    }

    #[test]
    fn an_empty_title_is_none() {
        assert_eq!(title(" \n ", TextKind::Unknown), None);
        assert_eq!(title("<p></p>", TextKind::Html), None);
    }

    #[test]
    fn persons_are_their_names() {
        for text in [
            "Ann Lee",
            "Ann Lee <ann@news.example>",
            "ann@news.example (Ann Lee)",
            "Ann Lee (ann@news.example)",
            "ann@news.example Ann Lee",
        ] {
            assert_eq!(person(text).as_deref(), Some("Ann Lee"), "{text}");
        }
        assert_eq!(
            person("ann@news.example").as_deref(),
            Some("ann@news.example")
        );
        assert_eq!(
            person("李 ann@news.example\u{ff08}x").as_deref(),
            Some("李 ann@news.example(x")
        );
        assert_eq!(
            person("ann@news.example\u{ff08}李\u{ff09}").as_deref(),
            Some("李")
        );
    }

    #[test]
    fn the_list_of_elements_is_sorted_for_the_search() {
        assert!(is_html_element("A") && is_html_element("wbr") && is_html_element("x:p"));
        assert!(!is_html_element("script") && !is_html_element("item"));
    }
}

//! A page without what the article cannot need: the insides of scripts and styles,
//! comments, drawings, and absurdly long attributes. Real pages shrink to a third, and the
//! parser's work with them.
//!
//! One pass over the bytes, by the tokenizer's rules (WHATWG HTML, "Tokenization"), so that
//! what is cut is cut where the parser would end it.

/// Most attributes of one tag; the parser compares each with each.
const MAX_ATTRIBUTES: usize = 512;

/// Longest value of an attribute whose name does not say that it may be longer, in bytes.
const MAX_VALUE_BYTES: usize = 512;

/// Longest value of any attribute, in bytes.
const MAX_LONG_VALUE_BYTES: usize = 16 * 1024;

/// Shortest script that may hold the text of an article, in bytes.
const MIN_SCRIPT_BYTES: usize = 400;

/// Longest JSON-LD script that stays, in bytes.
const MAX_JSON_LD_BYTES: usize = 2 << 20;

/// Most of a page that is left, in bytes; the rest of it is not read. Real pages leave some
/// hundred kilobytes.
const MAX_REDUCED_BYTES: usize = 8 << 20;

/// A page, reduced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reduced<'h> {
    /// What is left of the markup. JSON-LD scripts stay.
    pub(super) html: String,
    /// The insides of the longer scripts that were cut, as they stand.
    pub(super) scripts: Vec<&'h str>,
}

/// Reduces a page. It ends before the first tag with more than [`MAX_ATTRIBUTES`], and at
/// [`MAX_REDUCED_BYTES`].
pub(super) fn reduce(html: &str) -> Reduced<'_> {
    let mut reducer = Reducer::new(html);
    reducer.run();
    reducer.reduced
}

struct Reducer<'h> {
    html: &'h str,
    bytes: &'h [u8],
    /// What lies before is in the result or cut.
    done: usize,
    /// No drawing ends behind the place where one was looked for in vain.
    no_drawing_ends: bool,
    reduced: Reduced<'h>,
}

/// A tag that was read.
struct ReadTag<'h> {
    name: &'h [u8],
    end: usize,
    /// Length of the result, and what was done, before its attributes were read.
    before: (usize, usize),
}

/// A tag with too many attributes.
struct Absurd;

impl<'h> Reducer<'h> {
    fn new(html: &'h str) -> Self {
        Self {
            html,
            bytes: html.as_bytes(),
            done: 0,
            no_drawing_ends: false,
            reduced: Reduced {
                html: String::with_capacity(html.len().min(MAX_REDUCED_BYTES) / 2),
                scripts: Vec::new(),
            },
        }
    }

    fn run(&mut self) {
        let mut at = 0;
        while let Some(open) = find_byte(self.bytes, at, b'<') {
            if self.reduced.html.len() + (open - self.done) > MAX_REDUCED_BYTES {
                return self.stop(open);
            }
            at = match self.bytes.get(open + 1) {
                Some(b'!') if self.bytes[open..].starts_with(b"<!--") => {
                    let end = comment_end(self.bytes, open);
                    self.cut(open, end);
                    end
                }
                Some(b'/') if is_letter(self.bytes, open + 2) => {
                    match self.read_tag(open, open + 2) {
                        Ok(tag) => tag.end,
                        Err(Absurd) => return self.stop(open),
                    }
                }
                Some(byte) if byte.is_ascii_alphabetic() => match self.read_tag(open, open + 1) {
                    Ok(tag) => self.behind(open, &tag),
                    Err(Absurd) => return self.stop(open),
                },
                _ => open + 1,
            };
        }
        self.stop(self.bytes.len());
    }

    fn stop(&mut self, end: usize) {
        self.cut(end, self.bytes.len());
    }

    /// Leaves out what lies between two positions.
    fn cut(&mut self, from: usize, to: usize) {
        if self.done < from {
            self.reduced.html.push_str(&self.html[self.done..from]);
        }
        self.done = self.done.max(to);
    }

    /// Where to go on behind a start tag: elements whose inside is not markup are passed.
    fn behind(&mut self, open: usize, tag: &ReadTag<'h>) -> usize {
        let is = |name: &[u8]| tag.name.eq_ignore_ascii_case(name);
        if is(b"script") {
            let close = script_end(self.bytes, tag.end);
            let inside = &self.html[tag.end..close];
            let is_kept = is_json_ld(&self.bytes[open..tag.end]);
            if !is_kept || inside.len() > MAX_JSON_LD_BYTES {
                if inside.len() >= MIN_SCRIPT_BYTES {
                    self.reduced.scripts.push(inside);
                }
                self.cut(tag.end, close);
            }
            return close;
        }
        if is(b"title") || is(b"xmp") {
            return raw_end(self.bytes, tag.end, tag.name);
        }
        let is_raw = [
            &b"style"[..],
            b"noscript",
            b"iframe",
            b"textarea",
            b"noframes",
        ];
        if is_raw.iter().any(|name| is(name)) {
            let close = raw_end(self.bytes, tag.end, tag.name);
            self.cut(tag.end, close);
            return close;
        }
        if is(b"svg")
            && !self.no_drawing_ends
            && let Some(close) = self.drawing_end(tag.end)
        {
            let (length, done) = tag.before;
            self.reduced.html.truncate(length);
            self.done = done;
            self.cut(open, close);
            return close;
        }
        tag.end
    }

    /// Where a drawing ends that holds nothing but the parts of one; `None` when it holds
    /// other elements, which the parser may put outside of it.
    fn drawing_end(&mut self, start: usize) -> Option<usize> {
        let mut at = start;
        while let Some(open) = find_byte(self.bytes, at, b'<') {
            let is_close = self.bytes.get(open + 1) == Some(&b'/');
            let name = name_at(self.bytes, open + 1 + usize::from(is_close));
            if is_close && name.eq_ignore_ascii_case(b"svg") {
                let end = find_byte(self.bytes, open, b'>')?;
                return Some(end + 1);
            }
            if is_letter(self.bytes, open + 1) && !is_part_of_drawing(name) {
                return None;
            }
            at = open + 1;
        }
        self.no_drawing_ends = true;
        None
    }

    /// Reads a tag whose name starts at `start`, cutting attributes that are too long.
    fn read_tag(&mut self, open: usize, start: usize) -> Result<ReadTag<'h>, Absurd> {
        let bytes = self.bytes;
        let mut at = start;
        while !matches!(bytes.get(at), None | Some(b'>' | b'/')) && !is_space(bytes, at) {
            at += 1;
        }
        let name = &bytes[start..at];
        let before = (self.reduced.html.len(), self.done);
        let mut n_attributes = 0;
        loop {
            while is_space(bytes, at) || bytes.get(at) == Some(&b'/') {
                at += 1;
            }
            match bytes.get(at) {
                None => break,
                Some(b'>') => {
                    at += 1;
                    break;
                }
                Some(_) => {
                    n_attributes += 1;
                    if n_attributes > MAX_ATTRIBUTES {
                        return Err(Absurd);
                    }
                    at = self.read_attribute(at);
                }
            }
        }
        debug_assert!(at > open);
        Ok(ReadTag {
            name,
            end: at,
            before,
        })
    }

    /// Reads an attribute; returns the position behind it.
    fn read_attribute(&mut self, start: usize) -> usize {
        let bytes = self.bytes;
        let mut at = start + 1;
        while !matches!(bytes.get(at), None | Some(b'>' | b'/' | b'=')) && !is_space(bytes, at) {
            at += 1;
        }
        let name = &bytes[start..at];
        let mut behind = at;
        while is_space(bytes, behind) {
            behind += 1;
        }
        if bytes.get(behind) != Some(&b'=') {
            return at;
        }
        at = behind + 1;
        while is_space(bytes, at) {
            at += 1;
        }
        let value = match bytes.get(at) {
            Some(&quote @ (b'"' | b'\'')) => {
                let from = at + 1;
                let close = find_byte(bytes, from, quote).unwrap_or(bytes.len());
                at = (close + 1).min(bytes.len());
                &bytes[from..close]
            }
            _ => {
                let from = at;
                while !matches!(bytes.get(at), None | Some(b'>')) && !is_space(bytes, at) {
                    at += 1;
                }
                &bytes[from..at]
            }
        };
        if is_unwanted(name, value) {
            self.cut(start, at);
        }
        at
    }
}

/// Attributes that say nothing about the article: event handlers, styles that hide nothing,
/// and long values where no long value is expected.
fn is_unwanted(name: &[u8], value: &[u8]) -> bool {
    let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
    if name.len() > 2 && name[..2].eq_ignore_ascii_case(b"on") {
        return true;
    }
    if is(b"style") {
        return !contains(value, b"none") && !contains(value, b"hidden");
    }
    if value.len() <= MAX_VALUE_BYTES {
        return false;
    }
    let may_be_long = [
        &b"content"[..],
        b"href",
        b"src",
        b"srcset",
        b"class",
        b"alt",
        b"title",
        b"data-src",
        b"data-srcset",
    ];
    value.len() > MAX_LONG_VALUE_BYTES
        || !may_be_long.iter().any(|other| is(other))
        || value.starts_with(b"data:")
}

/// Whether a value holds a lower-case word.
fn contains(value: &[u8], word: &[u8]) -> bool {
    value
        .windows(word.len())
        .take(MAX_LONG_VALUE_BYTES)
        .any(|found| found.eq_ignore_ascii_case(word))
}

fn is_json_ld(tag: &[u8]) -> bool {
    contains(tag, b"ld+json")
}

fn is_part_of_drawing(name: &[u8]) -> bool {
    const PARTS: &[&[u8]] = &[
        b"path",
        b"g",
        b"use",
        b"rect",
        b"circle",
        b"polygon",
        b"polyline",
        b"line",
        b"ellipse",
        b"defs",
        b"symbol",
        b"title",
        b"desc",
        b"clippath",
        b"mask",
        b"lineargradient",
        b"radialgradient",
        b"stop",
        b"filter",
        b"style",
        b"text",
        b"tspan",
        b"image",
        b"animate",
        b"animatetransform",
        b"pattern",
    ];
    PARTS.iter().any(|part| part.eq_ignore_ascii_case(name))
        || name
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"fe"))
}

/// Where a comment ends (WHATWG HTML, "Comment start state" to "Comment end bang state").
fn comment_end(bytes: &[u8], open: usize) -> usize {
    let start = open + 4;
    if bytes[start..].starts_with(b">") {
        return start + 1;
    }
    if bytes[start..].starts_with(b"->") {
        return start + 2;
    }
    let mut at = start;
    while let Some(dash) = find_byte(bytes, at, b'-') {
        if bytes[dash..].starts_with(b"-->") {
            return dash + 3;
        }
        if bytes[dash..].starts_with(b"--!>") {
            return dash + 4;
        }
        at = dash + 1;
    }
    bytes.len()
}

/// Where the end tag of a raw text element stands, or the end of the page.
fn raw_end(bytes: &[u8], start: usize, name: &[u8]) -> usize {
    let mut at = start;
    while let Some(open) = find_byte(bytes, at, b'<') {
        if bytes.get(open + 1) == Some(&b'/') && name_at(bytes, open + 2).eq_ignore_ascii_case(name)
        {
            return open;
        }
        at = open + 1;
    }
    bytes.len()
}

/// Where the end tag of a script stands: a script that is written inside a comment of
/// another does not end it ("Script data double escaped state").
fn script_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    let (mut is_escaped, mut is_double) = (false, false);
    while let Some(open) = find_byte(bytes, at, b'<') {
        if is_escaped && find_arrow(&bytes[at..open]) {
            (is_escaped, is_double) = (false, false);
        }
        at = open + 1;
        if bytes[open..].starts_with(b"<!--") {
            is_escaped = true;
            // "<!-->" opens and ends at once.
            at = open + 2;
        } else if bytes.get(at) == Some(&b'/') {
            if name_at(bytes, at + 1).eq_ignore_ascii_case(b"script") {
                if !is_double {
                    return open;
                }
                is_double = false;
            }
        } else if is_escaped && name_at(bytes, at).eq_ignore_ascii_case(b"script") {
            is_double = true;
        }
    }
    bytes.len()
}

fn find_arrow(bytes: &[u8]) -> bool {
    bytes.windows(3).any(|window| window == b"-->")
}

/// The name of a tag at a position: letters and digits, and then white space, `/` or `>`.
fn name_at(bytes: &[u8], at: usize) -> &[u8] {
    let rest = bytes.get(at..).unwrap_or_default();
    let length = rest
        .iter()
        .take(32)
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    let is_whole = is_space(rest, length) || matches!(rest.get(length), Some(b'/' | b'>'));
    if is_whole { &rest[..length] } else { &[] }
}

fn is_letter(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(u8::is_ascii_alphabetic)
}

fn is_space(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r' | b'\x0c'))
}

/// The next position of a byte.
fn find_byte(bytes: &[u8], from: usize, byte: u8) -> Option<usize> {
    const STEP: usize = 32;
    let mut at = from;
    while let Some(chunk) = bytes.get(at..at + STEP) {
        // Without an early end in the loop the compiler compares all of a step at once.
        if chunk
            .iter()
            .fold(false, |found, &other| found | (other == byte))
        {
            break;
        }
        at += STEP;
    }
    let rest = bytes.get(at..)?;
    let found = rest.iter().position(|&other| other == byte)?;
    Some(at + found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(page: &str, expected: &str) {
        assert_eq!(reduce(page).html, expected, "{page}");
    }

    #[test]
    fn scripts_styles_comments_and_drawings_are_emptied() {
        check(
            "a<script>if (1<2) x('<p>')</script>b",
            "a<script></script>b",
        );
        check("a<STYLE>p{}</style >b", "a<STYLE></style >b");
        check("a<!-- <p> -->b<!-->c<!--->d<!-- e --!>f", "abcdf");
        check("a<svg style='x' width=1><path d=x /></svg>b", "ab");
        check(
            "<title>a <script> b</title>c",
            "<title>a <script> b</title>c",
        );
    }

    #[test]
    fn structured_data_stays_and_other_scripts_are_handed_out() {
        let state = format!("{{\"a\":\"{}\"}}", "x".repeat(MIN_SCRIPT_BYTES));
        let page = format!(
            "<script type='application/ld+json'>{{}}</script><script id=a>{state}</script>"
        );

        let reduced = reduce(&page);

        assert_eq!(
            reduced.html,
            "<script type='application/ld+json'>{}</script><script id=a></script>"
        );
        assert_eq!(reduced.scripts, [state]);
    }

    #[test]
    fn a_script_written_inside_a_comment_of_a_script_does_not_end_it() {
        check(
            "<script><!-- <script>a</script> --></script>b",
            "<script></script>b",
        );
        check("<script><!-- </script>b", "<script></script>b");
    }

    #[test]
    fn a_drawing_with_anything_else_inside_stays() {
        let page = "<svg><foreignObject><p>text</p></foreignObject></svg>";

        check(page, page);
        check("<svg><path>", "<svg><path>");
        check("<svg><p>text</p>", "<svg><p>text</p>");
    }

    #[test]
    fn long_attributes_are_cut_and_short_ones_stay() {
        let long = "x y ".repeat(1_000);

        check(
            &format!("<p class=a data-state=\"{long}\" id='b' onclick='x(\">\")'>text"),
            "<p class=a  id='b' >text",
        );
        check(
            "<p style=\"color:red\">a<p style=\"display:none\">b",
            "<p >a<p style=\"display:none\">b",
        );
        check(
            "<img src='data:image/gif;base64,AA' alt='a > b'>",
            "<img src='data:image/gif;base64,AA' alt='a > b'>",
        );
    }

    #[test]
    fn a_tag_with_thousands_of_attributes_ends_the_page() {
        for tag in ["div", "/div"] {
            let mut page = format!("<p>before</p><{tag}");
            for n in 0..10_000 {
                page.push_str(&format!(" a{n}"));
            }
            page.push_str("><p>after</p>");

            check(&page, "<p>before</p>");
        }
    }

    #[test]
    fn scripts_comments_and_long_values_do_not_look_like_absurd_tags() {
        let noise = "a < b <c ".repeat(1_000);
        let page = format!(
            "<script>{noise}</script><!-- {noise} --><img alt=\"{}\"><p>text",
            "x y ".repeat(1_000)
        );

        assert!(reduce(&page).html.ends_with("<p>text"));
    }

    #[test]
    fn what_never_ends_is_cut_to_the_end() {
        check("a<script>b", "a<script>");
        check("a<!-- b", "a");
        check("a<p class='b", "a<p class='b");
    }

    proptest! {
        #[test]
        fn markup_without_any_of_these_passes_unchanged(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "<p>", "</p>", "<div class='a b'>", "</div>", "<a href=/x>", "</a>", "text ",
                    "a < b", "&lt;", "<br/>", "<", ">", "\"", "<img alt='>'>", "é",
                ]),
                0..40,
            )
        ) {
            let page = pieces.concat();
            prop_assume!(!page.ends_with('<') && !page.contains("<<"));

            prop_assert_eq!(reduce(&page).html, page);
        }

        #[test]
        fn any_text_is_reduced(page in "(<(script|svg|p|/p|style|/script|!--|/svg|a b=['\"]?)>?|-->|[a-zé'\"=/<> -]{0,5}){0,30}") {
            let reduced = reduce(&page);

            prop_assert!(reduced.html.len() <= page.len());
        }
    }
}

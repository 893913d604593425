//! The guarded parse: the only place where a page becomes a tree.
//!
//! html5ever follows the HTML standard (WHATWG, "Parsing HTML documents") and has no
//! limits of its own: its work grows with the square of the nesting depth and of the
//! number of attributes of one tag. So a page is fed in small pieces and the tree looked
//! at after each, and a tag with absurdly many attributes ends the page.

use html5ever::driver;
use html5ever::tendril::TendrilSink;
use scraper::{Html, HtmlTreeSink};

/// Bytes that are parsed between two looks at the tree. Small enough that even a piece
/// made of nothing but `<p>` inside many formatting elements stays cheap.
const PIECE_BYTES: usize = 4096;

/// Most nodes that are kept of a page; the rest of it is not read. Of 946 pages that we
/// measured the median has 1,600 and the largest 25,500; 100,000 take some 50 MB and 0.2 s.
const MAX_NODES: usize = 100_000;

/// Most attributes of one tag; the parser compares each with each.
const MAX_ATTRIBUTES: usize = 512;

/// A page that is nested deeper than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooDeep;

/// Parses a page, refusing nesting beyond `max_depth` and stopping at [`MAX_NODES`].
pub(super) fn parse_guarded(html: &str, max_depth: usize) -> Result<Html, TooDeep> {
    let html = before_absurd_tag(html);
    let sink = HtmlTreeSink::new(Html::new_document());
    let mut parser = driver::parse_document(sink, driver::ParseOpts::default());
    let (mut at, mut n_seen) = (0, 0);
    while at < html.len() && n_seen < MAX_NODES {
        let mut end = (at + PIECE_BYTES).min(html.len());
        while !html.is_char_boundary(end) {
            end += 1;
        }
        parser.process(html[at..end].into());
        at = end;
        let document = parser.tokenizer.sink.sink.0.borrow();
        let n_nodes = document.tree.values().len();
        for node in document.tree.nodes().rev().take(n_nodes - n_seen) {
            if node.value().is_element() && node.ancestors().nth(max_depth).is_some() {
                return Err(TooDeep);
            }
        }
        n_seen = n_nodes;
    }
    Ok(parser.finish())
}

/// The page up to the first tag with more than [`MAX_ATTRIBUTES`]. Nearly always all of it.
pub(super) fn before_absurd_tag(html: &str) -> &str {
    let bytes = html.as_bytes();
    let mut at = 0;
    while let Some(found) = find(bytes, at, b"<") {
        at = if starts_with(bytes, found, b"<!--") {
            find(bytes, found + 4, b"-->").unwrap_or(bytes.len())
        } else if starts_with(bytes, found, b"<script") {
            skip_raw(bytes, found, b"</script")
        } else if starts_with(bytes, found, b"<style") {
            skip_raw(bytes, found, b"</style")
        } else if bytes.get(found + 1).is_some_and(u8::is_ascii_alphabetic) {
            match end_of_tag(bytes, found) {
                Some(end) => end,
                None => return &html[..found],
            }
        } else {
            found + 1
        };
    }
    html
}

/// Where a raw text element ends: the parser takes its tag's attributes apart as well.
fn skip_raw(bytes: &[u8], open: usize, close: &[u8]) -> usize {
    let after_tag = end_of_tag(bytes, open).unwrap_or(bytes.len());
    let mut at = after_tag;
    while let Some(found) = find(bytes, at, b"</") {
        if starts_with(bytes, found, close) {
            return found;
        }
        at = found + 2;
    }
    bytes.len()
}

/// Position after the tag that opens at `open`; `None` when it has too many attributes.
fn end_of_tag(bytes: &[u8], open: usize) -> Option<usize> {
    let mut n_attributes = 0;
    let mut at = open + 1;
    let mut before = Before::Name;
    while let Some(&byte) = bytes.get(at) {
        before = match byte {
            b'>' => return Some(at + 1),
            b'=' => Before::Value,
            // A quote opens a value only behind an equals sign; elsewhere it is part of a name.
            b'"' | b'\'' if before == Before::Value => {
                let close = bytes[at + 1..].iter().position(|&other| other == byte);
                let Some(length) = close else {
                    return Some(bytes.len());
                };
                at += length + 1;
                Before::Attribute
            }
            b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' if before == Before::Value => Before::Value,
            b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'/' => Before::Attribute,
            _ => {
                n_attributes += usize::from(before == Before::Attribute);
                Before::Name
            }
        };
        if n_attributes > MAX_ATTRIBUTES {
            return None;
        }
        at += 1;
    }
    Some(bytes.len())
}

/// What may begin at the next byte of a tag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing: a name or an unquoted value goes on.
    Name,
    /// An attribute.
    Attribute,
    /// A value.
    Value,
}

fn starts_with(bytes: &[u8], at: usize, prefix: &[u8]) -> bool {
    bytes
        .get(at..at + prefix.len())
        .is_some_and(|found| found.eq_ignore_ascii_case(prefix))
}

fn find(bytes: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let first = needle[0];
    let mut at = 0;
    while let Some(found) = rest[at..].iter().position(|&byte| byte == first) {
        if rest[at + found..].starts_with(needle) {
            return Some(from + at + found);
        }
        at += found + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_beyond_the_limit_is_refused_early() {
        let deep = "<div>".repeat(200_000);

        assert_eq!(parse_guarded(&deep, 512).err(), Some(TooDeep));
        assert!(parse_guarded(&"<div>".repeat(400), 512).is_ok());
    }

    #[test]
    fn depth_behind_the_end_of_the_body_counts_too() {
        let hidden = format!("<body></body><!-- -->{}", "<b><div>".repeat(2_000));

        assert_eq!(parse_guarded(&hidden, 512).err(), Some(TooDeep));
    }

    #[test]
    fn a_page_of_too_many_nodes_is_read_up_to_the_limit() {
        let page = "<p>x".repeat(400_000);

        let document = parse_guarded(&page, 512).unwrap();

        assert!(document.tree.values().len() < MAX_NODES + 2 * PIECE_BYTES);
    }

    #[test]
    fn a_tag_with_thousands_of_attributes_ends_the_page() {
        let mut page = String::from("<p>before</p><div");
        for n in 0..100_000 {
            page.push_str(&format!(" a{n}"));
        }
        page.push_str("><p>after</p>");

        assert_eq!(before_absurd_tag(&page), "<p>before</p>");
    }

    #[test]
    fn scripts_comments_and_long_values_do_not_look_like_absurd_tags() {
        let noise = "a < b <c ".repeat(1_000);
        let page = format!(
            "<script>{noise}</script><!-- {noise} --><img src=\"{}\"><p>text",
            "x y ".repeat(1_000)
        );

        assert_eq!(before_absurd_tag(&page), page);
    }
}

//! The inside of tags: where they end, and their attributes.

use super::{Tag, local};

/// The attributes of a tag, in order: name, and value with its references not yet decoded.
#[derive(Clone, Debug)]
pub(in crate::feed) struct Attributes<'a> {
    rest: &'a str,
}

impl<'a> Tag<'a> {
    pub(in crate::feed) fn attributes(&self) -> Attributes<'a> {
        Attributes {
            rest: self.attributes,
        }
    }

    /// The value of the first attribute with this local name, whatever its prefix and case;
    /// references are not yet decoded.
    pub(in crate::feed) fn attribute(&self, local_name: &str) -> Option<&'a str> {
        if self.attributes.is_empty() {
            return None;
        }
        self.attributes()
            .find(|(name, _)| {
                local(name).eq_ignore_ascii_case(local_name) && !name.starts_with("xmlns:")
            })
            .map(|(_, value)| value)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self
            .rest
            .trim_start_matches(|c: char| c.is_ascii_whitespace() || "/=\"'<".contains(c));
        if rest.is_empty() {
            return None;
        }
        let name_end = rest
            .find(|c: char| c.is_ascii_whitespace() || "=/\"'".contains(c))
            .unwrap_or(rest.len());
        let (name, rest) = rest.split_at(name_end);
        let after = rest.trim_start();
        let Some(value) = after.strip_prefix('=') else {
            self.rest = rest;
            return Some((name, ""));
        };
        let value = value.trim_start();
        let (value, rest) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => match value[1..].split_once(quote) {
                Some((value, rest)) => (value, rest),
                None => (value[1..].trim_end_matches(['/', ' ']), ""),
            },
            _ => value.split_at(
                value
                    .find(|c: char| c.is_ascii_whitespace())
                    .unwrap_or(value.len()),
            ),
        };
        self.rest = rest;
        Some((name, value))
    }
}

/// Where the tag at the start of `rest` ends: at its `>`, or before a `<` that begins the
/// next tag. Quoted values may hold both.
pub(super) fn tag_end(rest: &str, from: usize) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut at = from;
    let mut after_equals = false;
    while at < bytes.len() {
        match bytes[at] {
            b'>' => return Some(at),
            b'<' => return Some(at),
            b'=' => after_equals = true,
            quote @ (b'"' | b'\'') if after_equals => {
                after_equals = false;
                match quoted_end(bytes, at + 1, quote) {
                    Quoted::Closed(end) => at = end,
                    Quoted::Forgotten(end) => return Some(end),
                    Quoted::Cut => return None,
                }
            }
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => after_equals = false,
        }
        at += 1;
    }
    None
}

enum Quoted {
    /// The closing quote.
    Closed(usize),
    /// There is none: the value runs over the end of its tag, which is here.
    Forgotten(usize),
    /// The document ends first.
    Cut,
}

fn quoted_end(bytes: &[u8], from: usize, quote: u8) -> Quoted {
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b if b == quote => return Quoted::Closed(at),
            b'>' => {
                // A `>` within a value is allowed; followed by the next tag it is the end
                // of this one, whose closing quote was forgotten.
                let next = bytes[at + 1..].iter().find(|b| !b.is_ascii_whitespace());
                let value_ends_tag =
                    matches!(bytes.get(at.wrapping_sub(1)), Some(b'/' | b'\'' | b'"'));
                if next == Some(&b'<') && (value_ends_tag || bytes.get(at + 1) == Some(&b'\n')) {
                    return Quoted::Forgotten(at);
                }
            }
            _ => {}
        }
        at += 1;
    }
    Quoted::Cut
}

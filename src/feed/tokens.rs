//! Markup cut into tokens: tags, text, declarations. Tolerant, iterative, in one pass.
//!
//! Nothing is an error here: a `<` that begins no tag is text, a quote that is never
//! closed ends with its tag. The tokens borrow from the document.

mod sections;
mod tags;

use sections::Marks;
use tags::tag_end;

/// Most attributes that a tag may have.
pub(super) const MAX_ATTRIBUTES: usize = 256;

/// One piece of markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `<name attributes>`.
    Start(Tag<'a>),
    /// `</name>`.
    End(&'a str),
    /// Text with its references not yet decoded.
    Text(&'a str),
    /// The inside of a CDATA section.
    Cdata(&'a str),
    /// The inside of `<!DOCTYPE …>`.
    Doctype(&'a str),
    /// The document ends within a tag, comment or section.
    Cut,
}

/// A start tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// The name as written, prefix included.
    pub(super) name: &'a str,
    /// What stands between the name and the end of the tag.
    pub(super) attributes: &'a str,
    /// Whether the tag is its own end, `<br/>`.
    pub(super) empty: bool,
}

/// Cuts a document into tokens.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    start: usize,
    marks: Marks,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            start: 0,
            marks: Marks::default(),
        }
    }

    /// Where the last token began, in bytes.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Where the next token begins, in bytes.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    fn cut(&mut self) -> Token<'a> {
        self.at = self.text.len();
        Token::Cut
    }

    /// The text up to the next `<`; the first character counts as text whatever it is.
    fn text_token(&mut self) -> Token<'a> {
        let rest = &self.text[self.at..];
        let end = rest
            .char_indices()
            .nth(1)
            .and_then(|(second, _)| rest[second..].find('<').map(|at| second + at))
            .unwrap_or(rest.len());
        self.at += end;
        Token::Text(&rest[..end])
    }

    /// Steps over comments and processing instructions; `false` when one is cut off.
    fn skip_unread(&mut self) -> bool {
        loop {
            let rest = &self.text[self.at..];
            let (end, n_mark) = if let Some(comment) = rest.strip_prefix("<!--") {
                if comment.starts_with('>') || comment.starts_with("->") {
                    // Closed before it began, as HTML reads it (§13.2.5.43).
                    (comment.find('>').map(|end| 4 + end), 1)
                } else {
                    (comment.find("-->").map(|end| 4 + end), 3)
                }
            } else if rest.starts_with("<?") {
                // An XML declaration may lack its second question mark.
                (rest.find('>'), 1)
            } else {
                return true;
            };
            match end {
                Some(end) => self.at += end + n_mark,
                None => return false,
            }
        }
    }

    fn declaration(&mut self, rest: &'a str) -> Token<'a> {
        if starts_with_ignore_case(rest, "<![CDATA[") {
            return self.cdata(rest);
        }
        if starts_with_ignore_case(rest, "<!DOCTYPE") {
            let Some(end) = doctype_end(rest) else {
                return self.cut();
            };
            self.at += end + 1;
            return Token::Doctype(&rest[9..end]);
        }
        self.text_token()
    }

    fn end_tag(&mut self, rest: &'a str) -> Token<'a> {
        // `</ title>` has been seen.
        let n_space = rest[2..].len() - rest[2..].trim_start_matches([' ', '\t']).len();
        let name_start = 2 + n_space;
        let name_end = name_start + name_length(&rest[name_start..]);
        if name_end == name_start || !is_name_start(rest.as_bytes()[name_start]) {
            return self.text_token();
        }
        let name = &rest[name_start..name_end];
        // `</title <link>`: the next tag begins where this one forgot to end.
        match rest[name_end..].find(['>', '<']) {
            // `</rss` at the very end: the name is there, only its bracket is not.
            None if rest[name_end..].trim().is_empty() => {
                self.at = self.text.len();
                Token::End(name)
            }
            None => self.cut(),
            Some(end) => {
                let closed = rest.as_bytes()[name_end + end] == b'>';
                self.at += name_end + end + usize::from(closed);
                Token::End(name)
            }
        }
    }

    fn start_tag(&mut self, rest: &'a str) -> Token<'a> {
        let name_end = 1 + name_length(&rest[1..]);
        let after = rest[name_end..].bytes().next();
        if name_end == 1 || !matches!(after, None | Some(b'>' | b'/' | b'<') | Some(b'\t'..=b' ')) {
            return self.text_token();
        }
        let name = &rest[1..name_end];
        if after == Some(b'<') && !is_field(name) {
            return self.text_token();
        }
        let Some(end) = tag_end(rest, name_end) else {
            return self.cut();
        };
        if rest.as_bytes()[end] == b'<' && !rest[name_end..end].contains('=') && is_field(name) {
            // `<title One</title>`: the bracket was forgotten, and the text is no attribute.
            self.at += name_end;
            return Token::Start(Tag {
                name,
                attributes: "",
                empty: false,
            });
        }
        self.at += end + usize::from(rest.as_bytes()[end] == b'>');
        let inside = rest[name_end..end].trim_end();
        let attributes = inside.strip_suffix('/');
        Token::Start(Tag {
            name,
            attributes: attributes.unwrap_or(inside),
            empty: attributes.is_some(),
        })
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if !self.skip_unread() {
            return Some(self.cut());
        }
        self.start = self.at;
        let rest = &self.text[self.at..];
        match rest.as_bytes() {
            [] => None,
            [b'<', b'!', ..] => Some(self.declaration(rest)),
            [b'<', b'/', ..] => Some(self.end_tag(rest)),
            [b'<', next, ..] if is_name_start(*next) => Some(self.start_tag(rest)),
            _ => Some(self.text_token()),
        }
    }
}

/// The name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Where `<!DOCTYPE …>` ends; its internal subset in brackets holds `>` of its own.
fn doctype_end(rest: &str) -> Option<usize> {
    let mut in_subset = false;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'[' => in_subset = true,
            b']' => in_subset = false,
            b'>' if !in_subset => return Some(at),
            _ => {}
        }
    }
    None
}

fn name_length(text: &str) -> usize {
    text.bytes()
        .position(|b| {
            !(b.is_ascii_alphanumeric() || b >= 0x80 || matches!(b, b'_' | b'-' | b'.' | b':'))
        })
        .unwrap_or(text.len())
}

/// Whether a name is that of an element around text, in feeds: what follows it without a
/// bracket is that text.
fn is_field(name: &str) -> bool {
    [
        "item",
        "entry",
        "title",
        "link",
        "description",
        "guid",
        "pubdate",
        "author",
        "category",
        "content",
        "summary",
        "channel",
        "updated",
        "published",
    ]
    .iter()
    .any(|field| local(name).eq_ignore_ascii_case(field))
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn starts_with_ignore_case(text: &str, prefix: &str) -> bool {
    text.as_bytes()
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        Tokens::new(text).collect()
    }

    fn attributes(text: &str) -> Vec<(&str, &str)> {
        match tokens(text).as_slice() {
            [Token::Start(tag), ..] => tag.attributes().collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn markup_is_cut_into_its_pieces() {
        let tag = |name, empty| {
            Token::Start(Tag {
                name,
                attributes: "",
                empty,
            })
        };
        assert_eq!(
            tokens("<?xml version='1.0'?><!-- <x> --><a>t<b/><![CDATA[<c>]]></a>"),
            [
                tag("a", false),
                Token::Text("t"),
                tag("b", true),
                Token::Cdata("<c>"),
                Token::End("a")
            ]
        );
    }

    #[test]
    fn a_bracket_that_begins_no_tag_is_text() {
        assert_eq!(tokens("3 < 5"), [Token::Text("3 "), Token::Text("< 5")]);
        assert_eq!(tokens("<a@example.org>"), [Token::Text("<a@example.org>")]);
    }

    #[test]
    fn attributes_are_read_however_they_are_written() {
        assert_eq!(
            attributes("<a href = \"x?a=1&b=2\" b='>' c=d checked e=\"<\"/>"),
            [
                ("href", "x?a=1&b=2"),
                ("b", ">"),
                ("c", "d"),
                ("checked", ""),
                ("e", "<")
            ]
        );
    }

    #[test]
    fn a_forgotten_quote_costs_one_tag() {
        let text = "<link href=\"http://a/>\n<id class=\"x\">1</id>";

        assert_eq!(attributes(text), [("href", "http://a")]);
        assert_eq!(tokens(text).len(), 5);
    }

    #[test]
    fn what_is_cut_off_is_said_to_be() {
        for text in [
            "<a href=\"x",
            "<a",
            "</a x",
            "<!-- x",
            "<![CDATA[ x",
            "<!DOCTYPE x [",
            "<?xml",
        ] {
            assert_eq!(tokens(text).last(), Some(&Token::Cut), "{text}");
        }
    }
}

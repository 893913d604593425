//! Markup cut into tokens: tags, text, declarations. Tolerant, iterative, in one pass.
//!
//! Nothing is an error here: a `<` that begins no tag is text, a quote that is never
//! closed ends with its tag. The tokens borrow from the document.

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

/// Most end tags that are looked at for that of a field, within a CDATA section without end.
const MAX_ENDS_WITHIN: usize = 64;

/// Marks that are looked for far ahead.
#[derive(Clone, Copy, Debug)]
enum Mark {
    CdataEnd,
    ItemEnd,
    EntryEnd,
}

/// Where the marks were found last, so that each stretch of a document is searched once.
#[derive(Clone, Debug, Default)]
struct Marks([Option<usize>; 3]);

impl Marks {
    /// Where a mark stands next, from `from` on; the end of the text when it does not.
    fn next(&mut self, text: &str, mark: Mark, from: usize) -> usize {
        let known = &mut self.0[mark as usize];
        match *known {
            Some(at) if at >= from => at,
            _ => {
                let wanted = match mark {
                    Mark::CdataEnd => "]]>",
                    Mark::ItemEnd => "</item",
                    Mark::EntryEnd => "</entry",
                };
                let found = text[from..].find(wanted);
                *known.insert(found.map_or(text.len(), |at| from + at))
            }
        }
    }
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

    /// A CDATA section. One whose end was forgotten ends where its element does, as far as
    /// anybody can tell: at the end tag of a field, if its entry ends before the next section.
    fn cdata(&mut self, rest: &'a str) -> Token<'a> {
        const FIELDS: &[&str] = &[
            "</title",
            "</description",
            "</content",
            "</summary",
            "</link",
            "</guid",
            "</category",
            "</dc:creator",
            "</author",
        ];
        let start = self.at + 9;
        let end = self.marks.next(self.text, Mark::CdataEnd, start);
        let inside = &self.text[start..end];
        let next_section = inside.find("<![CDATA[");
        if end < self.text.len() && next_section.is_none() {
            self.at = end + 3;
            return Token::Cdata(inside);
        }
        let limit = start + next_section.unwrap_or(inside.len());
        let entry_end = self
            .marks
            .next(self.text, Mark::ItemEnd, start)
            .min(self.marks.next(self.text, Mark::EntryEnd, start));
        let forgotten = (entry_end < limit)
            .then(|| {
                let entry = &self.text[start..entry_end];
                let ends = entry.match_indices("</").map(|(at, _)| at);
                ends.take(MAX_ENDS_WITHIN).find(|at| {
                    let tag = &entry[*at..];
                    FIELDS
                        .iter()
                        .any(|field| starts_with_ignore_case(tag, field))
                })
            })
            .flatten();
        if let Some(end) = forgotten {
            self.at = start + end;
            return Token::Cdata(&rest[9..9 + end]);
        }
        if end == self.text.len() {
            return self.cut();
        }
        self.at = end + 3;
        Token::Cdata(inside)
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

/// The attributes of a tag, in order: name, and value with its references not yet decoded.
#[derive(Clone, Debug)]
pub(super) struct Attributes<'a> {
    rest: &'a str,
}

impl<'a> Tag<'a> {
    pub(super) fn attributes(&self) -> Attributes<'a> {
        Attributes {
            rest: self.attributes,
        }
    }

    /// The value of the first attribute with this local name, whatever its prefix and case;
    /// references are not yet decoded.
    pub(super) fn attribute(&self, local_name: &str) -> Option<&'a str> {
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

/// The name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Where the tag at the start of `rest` ends: at its `>`, or before a `<` that begins the
/// next tag. Quoted values may hold both.
fn tag_end(rest: &str, from: usize) -> Option<usize> {
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

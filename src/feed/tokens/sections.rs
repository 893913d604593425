//! CDATA sections, those without end too.

use super::{Token, Tokens, starts_with_ignore_case};

/// Most end tags that are looked at for that of a field, within a CDATA section without end.
const MAX_ENDS_WITHIN: usize = 64;

/// What ends are looked for far ahead.
#[derive(Clone, Copy, Debug)]
enum Mark {
    Cdata,
    Item,
    Entry,
}

/// Where the marks were found last, so that each stretch of a document is searched once.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks([Option<usize>; 3]);

impl Marks {
    /// Where a mark stands next, from `from` on; the end of the text when it does not.
    fn next(&mut self, text: &str, mark: Mark, from: usize) -> usize {
        let known = &mut self.0[mark as usize];
        match *known {
            Some(at) if at >= from => at,
            _ => {
                let wanted = match mark {
                    Mark::Cdata => "]]>",
                    Mark::Item => "</item",
                    Mark::Entry => "</entry",
                };
                let found = text[from..].find(wanted);
                *known.insert(found.map_or(text.len(), |at| from + at))
            }
        }
    }
}

impl<'a> Tokens<'a> {
    /// A CDATA section. One whose end was forgotten ends where its element does, as far as
    /// anybody can tell: at the end tag of a field, if its entry ends before the next section.
    pub(super) fn cdata(&mut self, rest: &'a str) -> Token<'a> {
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
        let end = self.marks.next(self.text, Mark::Cdata, start);
        let inside = &self.text[start..end];
        let next_section = inside.find("<![CDATA[");
        if end < self.text.len() && next_section.is_none() {
            self.at = end + 3;
            return Token::Cdata(inside);
        }
        let limit = start + next_section.unwrap_or(inside.len());
        let entry_end = self
            .marks
            .next(self.text, Mark::Item, start)
            .min(self.marks.next(self.text, Mark::Entry, start));
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
}

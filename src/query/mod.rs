//! One question, whoever asks. Pure.
//!
//! The language of searches is described in `docs/data-model.md` and read by `parse`. What a
//! search asks of an index is a [`Condition`], and what an index has of an article is
//! [`Indexed`]; each backend of the store renders both in its own terms.

mod parse;

mod condition;
mod document;
mod feeds;
mod keys;
mod rank;

use jiff::Timestamp;

use crate::model::{ArticleId, FeedId};

pub use condition::{Condition, Part, Sought};
pub use document::{Document, Indexed, MAX_TEXT_CHARS};
pub use feeds::{FeedCalled, FeedValue, FeedsMeant};
pub use keys::{EVERY, NONE};
pub use rank::{Frequency, RANKED, Ranking, Scored};

/// A question for articles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArticleQuery {
    /// Full-text condition; without it every article answers.
    pub search: Option<SearchExpr>,
    /// Only articles that this feed announced.
    pub feed: Option<FeedId>,
    /// Which answers come first.
    pub order: Order,
    /// Go on behind this place.
    pub cursor: Option<Cursor>,
    /// At most so many answers; 0 means [`ArticleQuery::DEFAULT_LIMIT`], and more than
    /// [`ArticleQuery::MAX_LIMIT`] come in several. Whole articles may come fewer at once,
    /// when they are large.
    pub limit: usize,
    /// How much of each article to read.
    pub parts: Parts,
}

impl ArticleQuery {
    /// Answers when nothing else is said.
    pub const DEFAULT_LIMIT: usize = 20;

    /// Most answers at once; more come by the cursor.
    pub const MAX_LIMIT: usize = 1000;
}

/// Which answers come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The newest, by publication (or first sight, if that was earlier or publication is
    /// unknown); of one millisecond the largest id.
    #[default]
    Newest,
    /// Those of the newest [`RANKED`] matches that answer the search best. Without a search
    /// the same as `Newest`.
    Rank,
}

/// How much of each article to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parts {
    /// Without text, Markdown, HTML: for lists.
    #[default]
    Head,
    /// Everything: for exports.
    Whole,
}

/// A place in a listing, opaque outside: the sort key and id of the last answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Sort key in Unix milliseconds.
    pub at_ms: i64,
    /// The article.
    pub id: ArticleId,
}

/// A parsed search.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchExpr {
    /// The condition.
    pub expr: Expr,
    /// Published (or first seen) at or after.
    pub after: Option<Timestamp>,
    /// Published (or first seen) before.
    pub before: Option<Timestamp>,
}

/// A condition on an article.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// Always true.
    All,
    /// One word, anywhere in title or text; `prefix` for `word*`.
    Word {
        /// As typed.
        text: String,
        /// Whether longer words count.
        prefix: bool,
    },
    /// Words one after another.
    Phrase(String),
    /// `field:value`.
    Field(Field, String),
    /// All of them.
    And(Vec<Expr>),
    /// At least one of them.
    Or(Vec<Expr>),
    /// Not that.
    Not(Box<Expr>),
}

/// The fields of the query language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Host of the page, with all below it: `site:bbc.co.uk`.
    Site,
    /// Feed by id, by URL, or by words of its title.
    Feed,
    /// Tag of the article or of its feed.
    Tag,
    /// Language, `lang:de`.
    Lang,
    /// Words of an author's name.
    Author,
    /// Words of the title.
    Title,
}

/// A search that cannot be read: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}\n  {query}\n  {caret}", caret = " ".repeat(*column) + "^")]
pub struct SearchError {
    /// The search as typed.
    pub query: String,
    /// Characters before the fault.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
}

impl SearchExpr {
    /// Reads a search. `now` is what `after:7d` counts from.
    ///
    /// # Errors
    /// [`SearchError`] with the place of the fault.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, SearchError> {
        parse::parse(text, now)
    }
}

impl Cursor {
    /// As text for people and programs to hand back.
    #[must_use]
    pub fn encode(&self) -> String {
        format!("{:x}.{:x}", self.at_ms, self.id.0)
    }

    /// From text; `None` when it is not a cursor.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let (at_ms, id) = text.trim().split_once('.')?;
        Some(Self {
            at_ms: from_hex(at_ms)?,
            id: ArticleId(from_hex(id)?),
        })
    }
}

/// Two's complement in lower-case hexadecimal digits, as `{:x}` writes it.
fn from_hex(digits: &str) -> Option<i64> {
    let is_hex = digits
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let value = u64::from_str_radix(digits, 16).ok()?;
    is_hex.then(|| value.cast_signed())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_survives_its_text(at_ms: i64, id: i64) {
            let cursor = Cursor { at_ms, id: ArticleId(id) };

            prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }

        #[test]
        fn any_text_is_a_cursor_or_none(text: String) {
            if let Some(cursor) = Cursor::decode(&text) {
                prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
            }
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", ".", "1", "g.1", "1.", "1.2.3", "+1.2"] {
            assert_eq!(Cursor::decode(text), None, "{text}");
        }
    }
}

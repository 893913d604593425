//! One question, whoever asks. Pure.

use jiff::Timestamp;

use crate::model::{ArticleId, FeedId};

/// A question for articles. Answers come newest first, by publication (or first sight, if
/// that was earlier or publication is unknown).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArticleQuery {
    /// Full-text condition; without it every article answers.
    pub search: Option<SearchExpr>,
    /// Only articles that this feed announced.
    pub feed: Option<FeedId>,
    /// Go on behind this place.
    pub cursor: Option<Cursor>,
    /// At most so many answers; 0 means [`ArticleQuery::DEFAULT_LIMIT`].
    pub limit: usize,
    /// How much of each article to read.
    pub parts: Parts,
}

impl ArticleQuery {
    /// Answers when nothing else is said.
    pub const DEFAULT_LIMIT: usize = 20;
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
        let _ = (text, now);
        unimplemented!()
    }
}

impl Cursor {
    /// As text for people and programs to hand back.
    #[must_use]
    pub fn encode(&self) -> String {
        unimplemented!()
    }

    /// From text; `None` when it is not a cursor.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let _ = text;
        unimplemented!()
    }
}

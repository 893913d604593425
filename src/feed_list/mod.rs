//! Lists of feeds: OPML, TOML and plain text, read and (OPML) written. Pure.

use crate::model::{FeedSettings, FeedUrl};

/// One feed, as a list names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFeed {
    /// Where to poll.
    pub url: FeedUrl,
    /// Title, if the list gives one.
    pub title: Option<String>,
    /// Tags: folder paths (`World/Europe`) and categories, each once.
    pub tags: Vec<String>,
    /// The site's page, if the list gives one.
    pub site: Option<String>,
    /// What the list wishes for this feed.
    pub settings: FeedSettings,
}

/// What was read from a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedList {
    /// The feeds, each URL once.
    pub feeds: Vec<ListedFeed>,
    /// What was left out, and why.
    pub skipped: Vec<Skipped>,
}

/// Something in a list that is not a feed for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Line in the file, 1 and up; 0 where unknown.
    pub line: usize,
    /// What stood there, cut at 200 characters.
    pub what: String,
    /// Why it was left out.
    pub why: String,
}

/// The forms of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFormat {
    /// OPML 1.0 and 2.0.
    Opml,
    /// `[[feed]]` tables.
    Toml,
    /// One URL a line; `#` begins a comment.
    Text,
}

/// Why a list could not be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// It does not follow its format.
    #[error("line {line}, column {column}: {reason}")]
    Syntax {
        /// Line, 1 and up.
        line: usize,
        /// Column, 1 and up.
        column: usize,
        /// What is wrong, and the nearest known key where that helps.
        reason: String,
    },
    /// It is larger or deeper than a list may be.
    #[error("{0}")]
    Limit(String),
}

impl ListFormat {
    /// The format by file name, then by the first bytes: `<` is OPML, `[[` is TOML.
    #[must_use]
    pub fn guess(file_name: &str, text: &str) -> Self {
        let _ = (file_name, text);
        unimplemented!()
    }
}

/// Reads a list.
///
/// # Errors
/// [`ListError`]; single faulty lines or outlines are `skipped` instead, except in TOML,
/// whose keys are checked like the configuration's.
pub fn read(text: &str, format: ListFormat) -> Result<FeedList, ListError> {
    let _ = (text, format);
    unimplemented!()
}

/// Writes OPML 2.0 with nested folders from the tags and `category` attributes.
#[must_use]
pub fn write_opml(title: &str, feeds: &[ListedFeed]) -> String {
    let _ = (title, feeds);
    unimplemented!()
}

//! Lists of feeds: OPML, TOML and plain text, read and (OPML) written. Pure.
//!
//! A list is read wholly or not at all: a file that breaks off, or does not follow its
//! format, is an error with its line, so that half a list never retires the other half.
//! What is well written but no feed for us is `skipped`, with the reason.

mod lines;
mod opml;
mod toml_list;

mod write;

mod collect;
mod decode;
mod duration;
mod nearest;
mod position;

pub use decode::decode;
pub(crate) use nearest::nearest;
pub use write::write_opml;

use collect::Collector;

use crate::model::{FeedSettings, FeedUrl};

/// One feed, as a list names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFeed {
    /// Where to poll.
    pub url: FeedUrl,
    /// The URL as the list or command writes it, without the white space around it:
    /// `http://example.org` for `http://example.org/`.
    pub given: String,
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

/// Largest list, in bytes.
const MAX_LIST_BYTES: usize = 16 << 20;

/// Most feeds in one list.
const MAX_FEEDS: usize = 10_000;

/// Deepest nesting of folders.
const MAX_FOLDERS: usize = 32;

/// The namespace of our own attributes in OPML.
const OPML_NAMESPACE: &str = "urn:wireroom:opml";

impl ListFormat {
    /// The format by file name, then by the first bytes: `<` is OPML, `[[` is TOML.
    #[must_use]
    pub fn guess(file_name: &str, text: &str) -> Self {
        let extension = file_name
            .rsplit_once('.')
            .map_or("", |(_, extension)| extension);
        match extension.to_ascii_lowercase().as_str() {
            "opml" | "xml" => return Self::Opml,
            "toml" => return Self::Toml,
            "txt" | "list" | "urls" => return Self::Text,
            _ => {}
        }
        let mut lines = text
            .trim_start_matches('\u{feff}')
            .lines()
            .map(str::trim_start);
        let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
        match first {
            Some(line) if line.starts_with('<') => Self::Opml,
            Some(line) if line.starts_with("[[") => Self::Toml,
            _ => Self::Text,
        }
    }
}

/// Reads a list.
///
/// A feed that is listed twice is one feed: it keeps its first title and settings, and the
/// tags of both.
///
/// # Errors
/// [`ListError`]; single faulty lines or outlines are `skipped` instead, except in TOML,
/// whose keys are checked like the configuration's. More than 16 MiB, 10,000 feeds or 32
/// folders within each other are too much.
pub fn read(text: &str, format: ListFormat) -> Result<FeedList, ListError> {
    let text = text.trim_start_matches('\u{feff}');
    if text.len() > MAX_LIST_BYTES {
        let limit = format!("the list is larger than {MAX_LIST_BYTES} bytes");
        return Err(ListError::Limit(limit));
    }
    let mut collector = Collector::default();
    match format {
        ListFormat::Opml => opml::read(text, &mut collector)?,
        ListFormat::Toml => toml_list::read(text, &mut collector)?,
        ListFormat::Text => lines::read(text, &mut collector)?,
    }
    Ok(collector.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_known_by_name_and_by_content() {
        assert_eq!(ListFormat::guess("feeds.OPML", ""), ListFormat::Opml);
        assert_eq!(ListFormat::guess("a/feeds.toml", "<"), ListFormat::Toml);
        assert_eq!(ListFormat::guess("feeds.txt", "<"), ListFormat::Text);
        assert_eq!(
            ListFormat::guess("feeds", "\u{feff}\n <?xml"),
            ListFormat::Opml
        );
        assert_eq!(
            ListFormat::guess("feeds", "# mine\n[[feed]]"),
            ListFormat::Toml
        );
        assert_eq!(
            ListFormat::guess("-", "https://news.example/rss"),
            ListFormat::Text
        );
    }

    #[test]
    fn a_list_that_is_too_large_is_refused() {
        let lines: String = (0..=MAX_FEEDS)
            .map(|n| format!("https://news.example/{n}\n"))
            .collect();

        assert!(matches!(
            read(&lines, ListFormat::Text),
            Err(ListError::Limit(_))
        ));
        let bytes = "#".repeat(MAX_LIST_BYTES + 1);
        assert!(matches!(
            read(&bytes, ListFormat::Text),
            Err(ListError::Limit(_))
        ));
    }
}

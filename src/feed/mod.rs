//! From the bytes of a feed document to entries. Pure, and the only module that knows feed-rs.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

/// What one feed document said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedFeed {
    /// Format of the document.
    pub format: Format,
    /// Title as text, decoded once.
    pub title: Option<String>,
    /// Subtitle or channel description, as text or HTML.
    pub description: Option<String>,
    /// The site's URL (`alternate` link), absolute.
    pub site: Option<String>,
    /// The feed's own URL (`self` link), absolute.
    pub self_url: Option<String>,
    /// Language tag as given.
    pub language: Option<String>,
    /// The feed's own id.
    pub id: Option<String>,
    /// When it was last changed, by its own word.
    pub updated: Option<Timestamp>,
    /// When it was published, by its own word.
    pub published: Option<Timestamp>,
    /// Authors' names.
    pub authors: Vec<String>,
    /// Categories' terms.
    pub categories: Vec<String>,
    /// All links, absolute.
    pub links: Vec<String>,
    /// Entries in document order, at most [`MAX_ENTRIES`].
    pub entries: Vec<Entry>,
    /// What the document says about when to ask again.
    pub hints: Hints,
    /// Blemishes that were read past, each one sentence.
    pub warnings: Vec<String>,
}

/// Formats of feed documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// RFC 4287, and Atom 0.3.
    Atom,
    /// RSS 0.9x and 2.0.
    #[default]
    Rss,
    /// RSS 0.90 and 1.0 (RDF).
    Rdf,
    /// JSON Feed 1.0 and 1.1.
    Json,
}

/// One announcement in a feed (RFC 4287 §4.1.2; RSS `item`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// Our identity of the entry within its feed: the same at every parse, and after an
    /// edit of the title. The guid, else the link, else a hash of what is stable.
    pub id: String,
    /// The guid or id as given, if any.
    pub guid: Option<String>,
    /// The page's URL, absolute: byte for byte as given where it was given absolute,
    /// otherwise resolved against `xml:base` and the feed's address.
    pub link: Option<String>,
    /// Title as text, decoded once.
    pub title: Option<String>,
    /// First publication.
    pub published: Option<Timestamp>,
    /// Last change.
    pub updated: Option<Timestamp>,
    /// Summary, as text or HTML, not sanitised.
    pub summary: Option<String>,
    /// Full content, as text or HTML, not sanitised.
    pub content: Option<String>,
    /// Authors' names.
    pub authors: Vec<String>,
    /// Categories' terms.
    pub categories: Vec<String>,
    /// Attached media.
    pub enclosures: Vec<Enclosure>,
    /// All links, absolute.
    pub links: Vec<String>,
}

/// Media attached to an entry (RSS `enclosure`, Atom `rel=enclosure`, JSON Feed attachment).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enclosure {
    /// Absolute URL.
    pub url: String,
    /// Media type as given.
    pub media_type: Option<String>,
    /// Length in bytes as given.
    pub length_bytes: Option<u64>,
}

/// When the document wishes to be asked for again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// RSS `ttl`, or `sy:updatePeriod` divided by `sy:updateFrequency`.
    pub interval: Option<Duration>,
    /// RSS `skipHours`, 0..=23 UTC.
    pub skip_hours: Vec<u8>,
    /// RSS `skipDays`, 0 = Monday ..= 6 = Sunday.
    pub skip_days: Vec<u8>,
    /// WebSub hubs, absolute URLs.
    pub hubs: Vec<String>,
}

/// Why a document gave no feed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No bytes but white space.
    #[error("the document is empty")]
    Empty,
    /// It is something else: an HTML page, other XML, other JSON.
    #[error("the document is not a feed: {found}")]
    NotAFeed {
        /// What it seems to be.
        found: String,
    },
    /// The bytes could not be made into text.
    #[error("the document is not text in any known encoding")]
    Encoding,
    /// It is a feed, but too broken.
    #[error("the feed cannot be read: {reason}")]
    Broken {
        /// The parser's word.
        reason: String,
    },
    /// A limit was passed: nesting, attributes.
    #[error("the feed passes a limit: {limit}")]
    Limit {
        /// Which.
        limit: String,
    },
}

/// Most entries that are read from one document; the rest is dropped with a warning.
pub const MAX_ENTRIES: usize = 5000;

/// Reads a feed document.
///
/// `content_type` is the HTTP header, whose charset is one witness among several.
/// `base` is the address that answered; links are resolved against it.
/// Never panics: the CPU-bound work runs under `catch_unwind`.
///
/// # Errors
/// [`ParseError`] when nothing could be read.
pub fn parse(
    document: &[u8],
    content_type: Option<&str>,
    base: Option<&Url>,
) -> Result<ParsedFeed, ParseError> {
    let _ = (document, content_type, base);
    unimplemented!()
}

/// A feed that a page names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedLink {
    /// Absolute URL.
    pub url: String,
    /// Title as given.
    pub title: Option<String>,
    /// Media type as given.
    pub media_type: Option<String>,
}

/// The feeds that an HTML page names, in document order, each once.
pub fn autodiscover(html: &str, base: &Url) -> Vec<FeedLink> {
    let _ = (html, base);
    unimplemented!()
}

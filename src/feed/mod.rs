//! From the bytes of a feed document to entries. Pure, and tolerant of all that feeds do.
//!
//! The way of a document: `decode` makes it text, `root` finds the feed in it, `tokens`
//! cuts it, and `reader` walks the tokens with the table of `elements`, capturing fields
//! (`capture`, `fields`) into drafts (`draft`); `references`, `text`, `links` and `dates` say what
//! the words of a field mean. `identity` gives each entry its id. JSON takes a road of
//! its own (`json_feed`).
//!
//! There is one reader for clean and for broken documents, so that a feed that breaks for
//! a day keeps the identity of its entries. Only what it gives up on is read once more, by
//! feed-rs (`second_reader`).

mod code_pages;
mod decode;
mod root;
mod tokens;

mod reader;

mod capture;
mod elements;
mod fields;
mod names;

mod draft;

mod dates;
mod links;
mod references;
mod text;

mod identity;
mod json_feed;
mod second_reader;

mod autodiscover;
mod customs;
mod platforms;
mod sitemap;

pub use autodiscover::{FeedLink, autodiscover};
pub use customs::{feeds_by_markup, usual_feeds, usual_news_sitemaps};
pub use dates::{ReadDate, parse_date, read_date};
pub use platforms::feeds_by_rule;
pub use sitemap::{sitemaps_of_index, sitemaps_of_robots};

use std::panic::{UnwindSafe, catch_unwind};
use std::time::Duration;

use jiff::Timestamp;
use reader::Reader;
use url::Url;

/// What one feed document said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedFeed {
    /// Format of the document.
    pub format: Format,
    /// Title as text, decoded once.
    pub title: Option<String>,
    /// Subtitle or channel description as HTML, not sanitised.
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
    /// The document ends before its feed does: entries may be missing, so the server's
    /// validators must not be kept.
    pub is_cut: bool,
    /// What was read past, each one sentence; all repairs are one, `repaired: 3 bare
    /// ampersands, declared iso-8859-1 but is UTF-8`.
    pub warnings: Vec<String>,
    /// What was repaired, each in a few words.
    pub repairs: Vec<String>,
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
    /// Channel Definition Format (1997), RSS's ancestor.
    Cdf,
    /// A news sitemap (sitemaps.org, with Google's extension for news): what sites without a
    /// feed publish for search engines. One that tells of no news is not a feed.
    Sitemap,
}

impl Format {
    /// The name in JSON and on the command line: `atom`, `rss`, `rdf`, `json`, `cdf`,
    /// `sitemap`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Atom => "atom",
            Self::Rss => "rss",
            Self::Rdf => "rdf",
            Self::Json => "json",
            Self::Cdf => "cdf",
            Self::Sitemap => "sitemap",
        }
    }
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
    /// The date that `published` was read from, as given, at most 128 bytes;
    /// [`read_date`] finds the offset in it. There where the date could not be read, too.
    pub published_text: Option<String>,
    /// The date that `updated` was read from, as given; like `published_text`.
    pub updated_text: Option<String>,
    /// Summary as HTML, not sanitised; links absolute. Plain text is escaped. Where there is
    /// none, a content of at most 1 KiB is taken for it.
    pub summary: Option<String>,
    /// Full content as HTML, not sanitised; links absolute. Plain text is escaped.
    pub content: Option<String>,
    /// Authors' names.
    pub authors: Vec<String>,
    /// Categories' terms.
    pub categories: Vec<String>,
    /// Attached media.
    pub enclosures: Vec<Enclosure>,
    /// All links, absolute.
    pub links: Vec<String>,
    /// A second key, for an entry whose link is no witness beside its guid, because it has
    /// none or the guid is the link: a hash of its title, text and date of publication. Some
    /// publishers make such guids anew at every poll; an entry with a new id and a known
    /// likeness is an old one. `None` where the link speaks for itself, where there is
    /// neither text nor date, or where another entry of the document has the same.
    pub likeness: Option<String>,
}

/// Media attached to an entry: RSS `enclosure`, Atom `rel=enclosure`, JSON Feed attachment,
/// Media RSS content and thumbnails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enclosure {
    /// Absolute URL.
    pub url: String,
    /// Media type as given; `image/*` and the like where only the medium is known.
    pub media_type: Option<String>,
    /// Length in bytes as given.
    pub length_bytes: Option<u64>,
}

/// When and how the document wishes to be asked for again, and where there is more of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// RSS `ttl`, or `sy:updatePeriod` divided by `sy:updateFrequency`.
    pub interval: Option<Duration>,
    /// `sy:updateBase`: a moment at which an interval begins.
    pub base: Option<Timestamp>,
    /// RSS `skipHours`, 0..=23 UTC.
    pub skip_hours: Vec<u8>,
    /// RSS `skipDays`, 0 = Monday ..= 6 = Sunday.
    pub skip_days: Vec<u8>,
    /// WebSub hubs, absolute URLs. Their topic is [`ParsedFeed::self_url`].
    pub hubs: Vec<String>,
    /// RSS `cloud`: whom to ask for a note when the feed changes.
    pub cloud: Option<Cloud>,
    /// Other documents of the same feed.
    pub pages: Pages,
    /// The document is the whole feed: what it does not list has been taken back
    /// (`fh:complete`, RFC 5005 §2).
    pub is_complete: bool,
    /// The document is an archive, which does not change (`fh:archive`, RFC 5005 §4).
    pub is_archive: bool,
    /// Nothing new will come (JSON Feed `expired`, `itunes:complete`).
    pub is_finished: bool,
    /// The feed has moved for good, by its own word (`itunes:new-feed-url`), absolute.
    pub moved_to: Option<String>,
}

/// The rssCloud interface that an RSS feed offers (RSS 2.0 §`cloud`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cloud {
    /// Host name.
    pub domain: String,
    /// Port; 80 where none is given.
    pub port: u16,
    /// Path on the host, or the name of the remote object.
    pub path: String,
    /// `http-post`, `xml-rpc` or `soap`, as given.
    pub protocol: String,
    /// The procedure to call, for the latter two.
    pub procedure: Option<String>,
}

/// Where the rest of a feed is (RFC 5005 §3 and §4; JSON Feed `next_url`). Absolute URLs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pages {
    /// Older entries: `rel=next` of a paged feed, `next_url`.
    pub next: Option<String>,
    /// Newer entries: `rel=previous`.
    pub previous: Option<String>,
    /// The newest entries: `rel=first`.
    pub first: Option<String>,
    /// The oldest entries: `rel=last`.
    pub last: Option<String>,
    /// The archive before this document: `rel=prev-archive`.
    pub previous_archive: Option<String>,
    /// The archive after this document: `rel=next-archive`.
    pub next_archive: Option<String>,
    /// The document that changes, of an archive: `rel=current`.
    pub current: Option<String>,
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

/// Largest document that is read, in bytes, before and after decoding.
const MAX_DOCUMENT_BYTES: usize = 10 << 20;

/// Reads a feed document.
///
/// `content_type` is the HTTP header, whose charset is one witness among several.
/// `base` is the address that answered; links are resolved against it.
/// Never panics: should a library do so, that is caught, and the document is broken.
///
/// # Errors
/// [`ParseError`] when nothing could be read.
pub fn parse(
    document: &[u8],
    content_type: Option<&str>,
    base: Option<&Url>,
) -> Result<ParsedFeed, ParseError> {
    guarded(|| read(document, content_type, base))
}

/// What `read` gives; a panic within it is a broken document.
fn guarded(
    read: impl FnOnce() -> Result<ParsedFeed, ParseError> + UnwindSafe,
) -> Result<ParsedFeed, ParseError> {
    catch_unwind(read).unwrap_or_else(|_| {
        Err(ParseError::Broken {
            reason: "the parser failed".to_owned(),
        })
    })
}

fn read(
    document: &[u8],
    content_type: Option<&str>,
    base: Option<&Url>,
) -> Result<ParsedFeed, ParseError> {
    check_size(document.len())?;
    let tld = base
        .and_then(Url::host_str)
        .and_then(|host| host.rsplit('.').next());
    let decoded = decode::decode(document, content_type, tld);
    let text = decoded.text.as_ref();
    check_size(text.len())?;
    let start =
        text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
    if start.is_empty() {
        return Err(ParseError::Empty);
    }
    let mut feed = if start.starts_with('{') {
        json_feed::read(start, base)?
    } else {
        match guarded(|| read_xml(text, base)) {
            Err(ParseError::Broken { reason }) => {
                second_reader::read(text, base, &reason).ok_or(ParseError::Broken { reason })?
            }
            read => read?,
        }
    };
    feed.warnings.extend(identity::identify(&mut feed.entries));
    feed.repairs.extend(decoded.repair);
    if !feed.repairs.is_empty() {
        let repaired = format!("repaired: {}", feed.repairs.join(", "));
        feed.warnings.insert(0, repaired);
    }
    Ok(feed)
}

fn read_xml(text: &str, base: Option<&Url>) -> Result<ParsedFeed, ParseError> {
    let (tag, root) = root::find_root(text).map_err(|error| {
        // Not a feed; is it text at all?
        if text.contains('\0') && !text.contains("</") {
            ParseError::Encoding
        } else {
            error
        }
    })?;
    let feed = Reader::new(text, root, base).read(tag)?;
    if feed.format == Format::Sitemap && feed.entries.is_empty() {
        return Err(ParseError::NotAFeed {
            found: "a sitemap without news".to_owned(),
        });
    }
    if !feed.entries.is_empty() {
        return Ok(feed);
    }
    let reason = if mentions_entries(text) {
        "it holds entries, but none could be read"
    } else if says_something(&feed) {
        return Ok(feed);
    } else if feed.is_cut {
        "it is cut off before it says anything"
    } else if text.len() > MAX_BLANK_BYTES {
        "nothing in it could be read"
    } else {
        return Ok(feed);
    };
    Err(ParseError::Broken {
        reason: reason.to_owned(),
    })
}

fn check_size(n_bytes: usize) -> Result<(), ParseError> {
    if n_bytes > MAX_DOCUMENT_BYTES {
        return Err(ParseError::Limit {
            limit: format!("{n_bytes} bytes, more than {MAX_DOCUMENT_BYTES}"),
        });
    }
    Ok(())
}

/// Longest document that may say nothing at all and still be a feed, in bytes.
const MAX_BLANK_BYTES: usize = 512;

/// Whether something in a document looks like an entry. Where none was read, an `ok` with
/// nothing in it would lose news silently.
fn mentions_entries(text: &str) -> bool {
    ["<item>", "<item ", "<entry>", "<entry "]
        .iter()
        .any(|tag| text.contains(tag))
}

/// Whether a feed without entries says at least what it is.
fn says_something(feed: &ParsedFeed) -> bool {
    feed.title.is_some()
        || feed.site.is_some()
        || feed.description.is_some()
        || feed.id.is_some()
        || feed.updated.is_some()
}

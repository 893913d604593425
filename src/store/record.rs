//! What goes into the store and what comes out of it.

use std::time::Duration;

use jiff::Timestamp;

use crate::canonical::CanonicalUrl;
use crate::dedup::ContentHash;
use crate::extract::{Image, Related};
use crate::feed::Enclosure;
use crate::feed_list::ListedFeed;
use crate::model::{
    ArticleId, ErrorKind, Failure, FeedId, FeedSettings, FeedUrl, HostKey, PageUrl, Shard,
    Validators,
};
use crate::query::Cursor;
use crate::schedule::PollState;

/// One file of feeds, as read.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceList {
    /// The file, as the configuration resolves it.
    pub file: String,
    /// Its feeds.
    pub feeds: Vec<ListedFeed>,
}

/// What [`sync_lists`](super::Store::sync_lists) changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// New feeds.
    pub added: usize,
    /// Feeds whose title, tags, settings or file changed.
    pub changed: usize,
    /// Feeds that no file names any more.
    pub retired: usize,
    /// Feeds that had been retired and are named again.
    pub revived: usize,
    /// Feeds that stayed as they were.
    pub kept: usize,
}

/// A feed to subscribe to.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFeed {
    /// What a list would say about it.
    pub listed: ListedFeed,
    /// The file that owns it; `None` for a command.
    pub file: Option<String>,
}

/// What became of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscribed {
    /// A new feed.
    New(FeedId),
    /// It was there already, unchanged.
    Known(FeedId),
    /// It had been retired and is polled again.
    Revived(FeedId),
}

/// Whether a feed rests by a person's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paused {
    /// It rests.
    Yes,
    /// It is polled.
    No,
}

/// The state of a feed, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedState {
    /// Never polled yet.
    Pending,
    /// The last poll was good.
    Ok,
    /// The last poll failed; it is asked again.
    Error,
    /// 410: the publisher asked us to stop.
    Gone,
    /// A person paused it.
    Paused,
    /// No list names it any more, or a person removed it.
    Retired,
}

impl FeedState {
    /// All states, in their order.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Ok,
        Self::Error,
        Self::Gone,
        Self::Paused,
        Self::Retired,
    ];

    /// The name used in JSON and in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Gone => "gone",
            Self::Paused => "paused",
            Self::Retired => "retired",
        }
    }
}

/// A feed as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// Its id.
    pub id: FeedId,
    /// Where it is polled now.
    pub url: FeedUrl,
    /// Where it was subscribed, byte for byte as the list or command gave it.
    pub subscribed_url: String,
    /// Title: the list's, else the feed's own.
    pub title: Option<String>,
    /// The site's page.
    pub site_url: Option<String>,
    /// Language as the feed gives it.
    pub language: Option<String>,
    /// Tags from the list or command.
    pub tags: Vec<String>,
    /// The file that owns it; `None` for a command.
    pub file: Option<String>,
    /// What the list wishes for it.
    pub settings: FeedSettings,
    /// Its state.
    pub state: FeedState,
    /// The last failure, while `state` is `Error` or `Gone`.
    pub failure: Option<Failure>,
    /// Failures in a row.
    pub failures: u32,
    /// Articles that it announced.
    pub article_count: u64,
    /// When it was added.
    pub added_at: Timestamp,
    /// When it was last polled.
    pub last_poll: Option<Timestamp>,
    /// When it last answered well.
    pub last_success: Option<Timestamp>,
    /// When it last brought a new article.
    pub last_new: Option<Timestamp>,
    /// When it is due next; `None` while paused, retired, or gone for good.
    pub next_poll: Option<Timestamp>,
    /// Warnings of the last good poll.
    pub warnings: Vec<String>,
}

/// One poll in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Poll {
    /// When.
    pub at: Timestamp,
    /// `not_modified`, `unchanged`, `fetched`, `gone`, `failed`.
    pub outcome: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// New articles.
    pub n_new: u64,
    /// Entries in the document.
    pub n_entries: u64,
    /// Bytes of the body, expanded.
    pub n_bytes: u64,
    /// How long it took.
    pub duration: Duration,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// A request for due work.
#[derive(Clone, Debug)]
pub struct Claim {
    /// What counts as due.
    pub now: Timestamp,
    /// At most so many.
    pub limit: usize,
    /// Hosts that cannot be asked now.
    pub busy: Vec<HostKey>,
}

/// The right to work on a shard's hosts: what is recorded under an old epoch is fenced off.
/// With SQLite one process owns all shards and the epoch never moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The shard.
    pub shard: Shard,
    /// Its epoch when the work was read.
    pub epoch: u64,
}

/// A feed to poll.
#[derive(Clone, Debug, PartialEq)]
pub struct DueFeed {
    /// The feed.
    pub feed: FeedId,
    /// The right to poll it.
    pub lease: Lease,
    /// Where.
    pub url: FeedUrl,
    /// Its host.
    pub host: HostKey,
    /// Since when it is due.
    pub due_at: Timestamp,
    /// What makes the request conditional.
    pub validators: Validators,
    /// Hash of the last good body.
    pub body_hash: Option<i64>,
    /// What the schedule remembers.
    pub state: PollState,
    /// What the list wishes for it.
    pub settings: FeedSettings,
    /// Redirects to foreign hosts that led here in this poll; `url` is then where the last
    /// of them led, not where the feed is subscribed.
    pub moves: u32,
    /// What its host asked for.
    pub manners: Manners,
}

/// A page to scrape.
#[derive(Clone, Debug, PartialEq)]
pub struct DuePage {
    /// Its article, already in the archive with what the feed said.
    pub article: ArticleId,
    /// The right to scrape it.
    pub lease: Lease,
    /// Where.
    pub url: PageUrl,
    /// Its host.
    pub host: HostKey,
    /// Since when it is due.
    pub due_at: Timestamp,
    /// Attempts before this one.
    pub attempts: u32,
    /// Settings of the feed that announced it first.
    pub settings: FeedSettings,
    /// Redirects to foreign hosts that led here; `url` is then where the last of them led,
    /// not where the page was announced.
    pub moves: u32,
    /// What its host asked for.
    pub manners: Manners,
}

/// What a host asked for, kept so that the next one to ask it knows as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manners {
    /// Not to be asked before then (`Retry-After`); `None`: nothing.
    pub resting_until: Option<Timestamp>,
    /// A pause between requests that is longer than the default (`Crawl-delay`); `None`: none.
    pub gap: Option<Duration>,
}

/// How much is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Feeds due now.
    pub due_feeds: u64,
    /// Pages due now.
    pub due_pages: u64,
    /// When the next thing that is not due yet will be.
    pub next_due: Option<Timestamp>,
}

/// What one exchange cost, for the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// HTTP status.
    pub status: Option<u16>,
    /// Bytes of the body, expanded.
    pub n_bytes: u64,
    /// How long it took.
    pub duration: Duration,
}

/// One poll, ready to be recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct PollReport {
    /// When it was made.
    pub at: Timestamp,
    /// When the feed is due next; `None` when only a person can ask again (gone for good).
    pub next_poll: Option<Timestamp>,
    /// What the schedule remembers.
    pub state: PollState,
    /// What it cost.
    pub cost: Cost,
    /// What the host asked for, as it is known now.
    pub manners: Manners,
    /// What came of it.
    pub result: PollResult,
}

/// What came of a poll.
#[derive(Clone, Debug, PartialEq)]
pub enum PollResult {
    /// 304; the merged validators.
    NotModified {
        /// To be kept.
        validators: Validators,
    },
    /// 200 with the bytes of last time.
    Unchanged {
        /// To be kept.
        validators: Validators,
    },
    /// 200 with a readable feed.
    Fetched(Box<FeedReading>),
    /// A redirect to the host of another worker: the poll goes on there.
    Moved(FeedUrl),
    /// 410.
    Gone(Failure),
    /// Anything else.
    Failed(Failure),
}

/// A readable feed document, planned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedReading {
    /// To be kept.
    pub validators: Validators,
    /// Hash of the body.
    pub body_hash: i64,
    /// The feed's own title.
    pub title: Option<String>,
    /// The site's page.
    pub site_url: Option<String>,
    /// Language.
    pub language: Option<String>,
    /// Its entries, in document order.
    pub announcements: Vec<Announcement>,
    /// Blemishes that were read past.
    pub warnings: Vec<String>,
}

/// One entry, ready to be recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Announcement {
    /// Identity within the feed.
    pub entry_id: String,
    /// The guid as given.
    pub guid: Option<String>,
    /// The original URL, byte for byte; `None` for an entry without a link.
    pub url: Option<String>,
    /// Where to fetch the page, and its normal form; `None` when the page is not to be fetched.
    pub page: Option<PageToFetch>,
    /// Normal form of the original URL.
    pub canonical: Option<CanonicalUrl>,
    /// Why the link that the feed gave cannot be followed, if there is one.
    pub skipped: Option<Failure>,
    /// Title as text.
    pub title: Option<String>,
    /// Summary as plain text.
    pub summary: Option<String>,
    /// Content as sanitised HTML.
    pub content_html: Option<String>,
    /// Content as plain text: what is searched and shown until the page has been scraped.
    pub content_text: Option<String>,
    /// First publication, believable.
    pub published: Option<Timestamp>,
    /// Last change.
    pub updated: Option<Timestamp>,
    /// Authors' names.
    pub authors: Vec<String>,
    /// Categories.
    pub tags: Vec<String>,
    /// Attached media.
    pub enclosures: Vec<Enclosure>,
    /// Hash over title, link, summary, content, dates: tells a changed entry.
    pub entry_hash: i64,
}

/// A page that an entry announces.
#[derive(Clone, Debug, PartialEq)]
pub struct PageToFetch {
    /// Where.
    pub url: PageUrl,
    /// Its host.
    pub host: HostKey,
}

/// What recording a poll changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PollRecorded {
    /// New articles.
    pub n_new: usize,
    /// Entries that were known.
    pub n_known: usize,
    /// Entries new to this feed whose article another feed had announced.
    pub n_shared: usize,
    /// Pages that became due.
    pub n_pages: usize,
}

/// One scrape, ready to be recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct ScrapeReport {
    /// When it was made.
    pub at: Timestamp,
    /// What it cost.
    pub cost: Cost,
    /// What the host asked for, as it is known now.
    pub manners: Manners,
    /// What came of it.
    pub result: ScrapeResult,
}

/// What came of a scrape.
#[derive(Clone, Debug, PartialEq)]
pub enum ScrapeResult {
    /// An article.
    Article(Box<ScrapedArticle>),
    /// A redirect to the host of another worker: the scrape goes on there.
    Moved(PageToFetch),
    /// A failure that may pass.
    Retry {
        /// Why.
        failure: Failure,
        /// When to try again.
        at: Timestamp,
    },
    /// A failure for good; metadata that the page gave all the same.
    Failed {
        /// Why.
        failure: Failure,
        /// What was found, if the page could be read.
        found: Option<Box<ScrapedArticle>>,
    },
}

impl ScrapeResult {
    /// Why there is no article, or not yet.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Article(_) | Self::Moved(_) => None,
            Self::Retry { failure, .. } | Self::Failed { failure, .. } => Some(failure),
        }
    }
}

/// What a page gave, ready to be recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScrapedArticle {
    /// The URL that answered.
    pub final_url: String,
    /// What the page declares as canonical, if believable.
    pub canonical_url: Option<String>,
    /// Normal forms that also mean this article: redirect target, canonical, each with its reason.
    pub aliases: Vec<Alias>,
    /// Headline.
    pub title: Option<String>,
    /// Authors.
    pub authors: Vec<String>,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// The same as RFC 3339, or a bare date where no more was said.
    pub published_text: Option<String>,
    /// Where the date was found: `json-ld`, `meta`, `time`, `url`, `text`.
    pub published_from: Option<String>,
    /// Language.
    pub language: Option<String>,
    /// Body as text.
    pub text: String,
    /// Body as Markdown.
    pub markdown: String,
    /// Body as safe HTML.
    pub html: String,
    /// Images.
    pub images: Vec<Image>,
    /// Related links.
    pub related: Vec<Related>,
    /// Keywords.
    pub tags: Vec<String>,
    /// Words in `text`.
    pub word_count: usize,
    /// Hash of `text`.
    pub content_hash: Option<ContentHash>,
}

/// Another URL of an article.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    /// As found.
    pub url: String,
    /// Its normal form.
    pub canonical: CanonicalUrl,
    /// Why it means this article.
    pub reason: AliasReason,
}

/// Why a URL means an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasReason {
    /// A feed announced it.
    Announced,
    /// The original URL redirects there.
    Redirect,
    /// The page declares it (`rel=canonical`), believably.
    Canonical,
}

impl AliasReason {
    /// The name used in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Redirect => "redirect",
            Self::Canonical => "canonical",
        }
    }
}

/// What recording a scrape changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// The article has its text.
    Article(ArticleId),
    /// The same article was there under another URL; this one was merged into it.
    Merged {
        /// The article that goes on.
        into: ArticleId,
    },
    /// A redirect led to a host of another worker: it goes on there.
    Moved,
    /// No text; it is tried again.
    Retry,
    /// No text, for good: what the feed said is kept.
    Failed(ErrorKind),
}

/// An article as the archive keeps it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Article {
    /// Its id.
    pub id: ArticleId,
    /// The original URL, byte for byte as the feed gave it; `None` for an entry without link.
    pub url: Option<String>,
    /// What the page declares as canonical, if believable.
    pub canonical_url: Option<String>,
    /// The URL that answered.
    pub final_url: Option<String>,
    /// URLs of the feeds that announced it, first sighting first.
    pub feed_urls: Vec<String>,
    /// The guid of its first sighting.
    pub guid: Option<String>,
    /// Headline: the page's, else the feed's.
    pub title: Option<String>,
    /// Authors: the page's, else the feed's.
    pub authors: Vec<String>,
    /// When it was published, as RFC 3339 or a bare date.
    pub published: Option<String>,
    /// Where that was found: `feed`, `json-ld`, `meta`, `time`, `url`, `text`.
    pub published_from: Option<String>,
    /// The instant behind `published`.
    pub published_at: Option<Timestamp>,
    /// When the archive first heard of it.
    pub first_seen: Option<Timestamp>,
    /// Its place in all lists: the earlier of `published_at` and `first_seen`.
    pub sort_at: Timestamp,
    /// Language: the page's, else the feed's.
    pub language: Option<String>,
    /// The feed's summary, plain text.
    pub summary: Option<String>,
    /// Body as text; the feed's content until the page has been scraped.
    pub text: String,
    /// Body as Markdown.
    pub markdown: String,
    /// Body as safe HTML.
    pub html: String,
    /// Images.
    pub images: Vec<Image>,
    /// Related links.
    pub related: Vec<Related>,
    /// Tags: the page's keywords, the feed's categories, the feeds' own tags; each once.
    pub tags: Vec<String>,
    /// Media that the feed attached.
    pub enclosures: Vec<Enclosure>,
    /// Words in `text`.
    pub word_count: u64,
    /// What became of its page.
    pub page_state: PageState,
    /// Why the page gave no text, or not yet.
    pub page_failure: Option<Failure>,
}

impl Article {
    /// The place in a listing behind this article.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor {
            at_ms: self.sort_at.as_millisecond(),
            id: self.id,
        }
    }
}

/// What became of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageState {
    /// Not fetched yet.
    #[default]
    Pending,
    /// Fetched, and the text is the page's.
    Scraped,
    /// Failed, and it is tried again.
    Retrying,
    /// Failed for good: the text is the feed's.
    Failed,
    /// Not to be fetched: no link, or the feed list says so.
    Skipped,
}

impl PageState {
    /// All states, in their order.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Scraped,
        Self::Retrying,
        Self::Failed,
        Self::Skipped,
    ];

    /// The name used in JSON and in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Scraped => "scraped",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// The state of everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// Feeds by state, in the order of [`FeedState`].
    pub feeds: Vec<(FeedState, u64)>,
    /// Articles by state of their page, in the order of [`PageState`].
    pub pages: Vec<(PageState, u64)>,
    /// Articles in all.
    pub n_articles: u64,
    /// What is due.
    pub backlog: Backlog,
    /// Feeds that fail, worst first, at most 100.
    pub failing: Vec<Feed>,
    /// Failures of pages by kind, most frequent first.
    pub page_failures: Vec<(ErrorKind, u64)>,
    /// Polls in the last 24 hours.
    pub polls_day: u64,
    /// Failed polls in the last 24 hours.
    pub failed_polls_day: u64,
    /// Articles first seen in the last 24 hours.
    pub articles_day: u64,
    /// Bytes of the store's file and its log.
    pub store_bytes: u64,
    /// Bytes of the search index.
    pub search_bytes: u64,
    /// Changes that the search index has not seen.
    pub index_lag: u64,
    /// Version of the schema.
    pub schema: u32,
}

/// What the server of a database says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its version.
    pub version: String,
    /// Its clock, at the moment of the answer.
    pub clock: Timestamp,
    /// Whether the connection to it is encrypted.
    pub is_encrypted: bool,
    /// Whether our user may do what a worker does.
    pub may_write: bool,
    /// Whether our user may make tables, as a new version needs it.
    pub may_migrate: bool,
    /// Whether it only follows another server, and takes no changes.
    pub is_standby: bool,
    /// Connections that it has, of all programs.
    pub n_connections: u64,
    /// Most connections that it takes.
    pub max_connections: u64,
    /// Our user there.
    pub user: String,
}

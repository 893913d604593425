//! The JSON of a feed and of its polls.

use serde::Serialize;

use crate::store::{Feed, Poll};

/// A feed as programs get it. Field names and meanings are stable; fields may be added.
/// Times are RFC 3339 in UTC.
#[derive(Debug, Serialize)]
pub struct FeedRecord<'a> {
    /// Id.
    pub id: i64,
    /// Where it is polled now.
    pub url: &'a str,
    /// Where it was subscribed, byte for byte.
    pub subscribed_url: &'a str,
    /// Title.
    pub title: Option<&'a str>,
    /// The site's page.
    pub site_url: Option<&'a str>,
    /// Language as the feed gives it.
    pub language: Option<&'a str>,
    /// Tags.
    pub tags: &'a [String],
    /// The file that owns it; `null` for a command.
    pub file: Option<&'a str>,
    /// `ok`, `error`, `gone`, `pending`, `paused`, `retired`.
    pub state: &'static str,
    /// Kind of the last failure, see `docs/errors.md`; `null` while all is well.
    pub error_kind: Option<&'static str>,
    /// The last failure for people.
    pub error: Option<&'a str>,
    /// What to do about it.
    pub remedy: Option<&'static str>,
    /// HTTP status of the last failure, if there was one.
    pub error_status: Option<u16>,
    /// Failures in a row.
    pub failures: u32,
    /// Articles that it announced.
    pub article_count: u64,
    /// Wished seconds between polls; `null` for the general setting.
    pub interval_s: Option<u64>,
    /// Whether its pages are fetched; `null` for the general setting.
    pub scrape: Option<bool>,
    /// When it was added.
    pub added_at: String,
    /// When it was last polled.
    pub last_poll: Option<String>,
    /// When it last answered well.
    pub last_success: Option<String>,
    /// When it last brought a new article.
    pub last_new: Option<String>,
    /// When it is due next.
    pub next_poll: Option<String>,
    /// Blemishes of the last good document.
    pub warnings: &'a [String],
    /// Its newest polls, newest first; only where one feed is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polls: Option<Vec<PollRecord<'a>>>,
}

/// One poll as programs get it.
#[derive(Debug, Serialize)]
pub struct PollRecord<'a> {
    /// When.
    pub at: String,
    /// `not_modified`, `unchanged`, `fetched`, `gone`, `failed`.
    pub outcome: &'a str,
    /// HTTP status.
    pub status: Option<u16>,
    /// New articles.
    pub n_new: u64,
    /// Entries in the document.
    pub n_entries: u64,
    /// Bytes of the body, expanded.
    pub n_bytes: u64,
    /// Milliseconds that it took.
    pub duration_ms: u64,
    /// Kind of the failure.
    pub error_kind: Option<&'static str>,
    /// The failure for people.
    pub error: Option<&'a str>,
}

impl<'a> From<&'a Feed> for FeedRecord<'a> {
    fn from(feed: &'a Feed) -> Self {
        let failure = feed.failure.as_ref();
        Self {
            id: feed.id.0,
            url: feed.url.as_str(),
            subscribed_url: &feed.subscribed_url,
            title: feed.title.as_deref(),
            site_url: feed.site_url.as_deref(),
            language: feed.language.as_deref(),
            tags: &feed.tags,
            file: feed.file.as_deref(),
            state: feed.state.name(),
            error_kind: failure.map(|failure| failure.kind.name()),
            error: failure.map(|failure| failure.detail.as_str()),
            remedy: failure.map(|failure| failure.kind.remedy()),
            error_status: failure.and_then(|failure| failure.status),
            failures: feed.failures,
            article_count: feed.article_count,
            interval_s: feed.settings.interval.map(|interval| interval.as_secs()),
            scrape: feed.settings.scrape,
            added_at: feed.added_at.to_string(),
            last_poll: feed.last_poll.map(|at| at.to_string()),
            last_success: feed.last_success.map(|at| at.to_string()),
            last_new: feed.last_new.map(|at| at.to_string()),
            next_poll: feed.next_poll.map(|at| at.to_string()),
            warnings: &feed.warnings,
            polls: None,
        }
    }
}

impl<'a> From<&'a Poll> for PollRecord<'a> {
    fn from(poll: &'a Poll) -> Self {
        let failure = poll.failure.as_ref();
        Self {
            at: poll.at.to_string(),
            outcome: &poll.outcome,
            status: poll.status,
            n_new: poll.n_new,
            n_entries: poll.n_entries,
            n_bytes: poll.n_bytes,
            duration_ms: u64::try_from(poll.duration.as_millis()).unwrap_or(u64::MAX),
            error_kind: failure.map(|failure| failure.kind.name()),
            error: failure.map(|failure| failure.detail.as_str()),
        }
    }
}

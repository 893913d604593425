//! Rows as the columns hold them: times in Unix milliseconds, lists as JSON.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::decide::{self, Likeness, Publication};
use super::super::packed::Packed;
use super::reports::Said;
use crate::canonical::CanonicalUrl;
use crate::dedup::ContentHash;
use crate::model::{ArticleId, Failure, FeedId, HostKey, Shard, Validators};
use crate::store::record::{AliasReason, PageState};

/// How a row in memory differs from the one in the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) enum Mark {
    /// Not at all.
    #[default]
    Kept,
    /// It is there, and says something else.
    Changed,
    /// It is not there yet.
    New,
}

impl Mark {
    /// A row that was there is changed; a new one stays new.
    pub(super) fn change(&mut self) {
        if *self == Self::Kept {
            *self = Self::Changed;
        }
    }
}

/// An article's row, and what hangs on it as far as recording needs it.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct ArticleRow {
    pub(in crate::store) id: ArticleId,
    /// Set for a new one only: what never changes afterwards.
    pub(in crate::store) born: Option<Born>,
    pub(in crate::store) canonical_url: Option<String>,
    pub(in crate::store) final_url: Option<String>,
    pub(in crate::store) title: Option<String>,
    /// JSON.
    pub(in crate::store) authors: String,
    pub(in crate::store) language: Option<String>,
    pub(in crate::store) summary: Option<String>,
    /// JSON.
    pub(in crate::store) keywords: String,
    pub(in crate::store) publication: Option<Publication>,
    pub(in crate::store) first_seen: Timestamp,
    pub(in crate::store) sort_at: i64,
    pub(in crate::store) word_count: i64,
    pub(in crate::store) content: Option<ContentHash>,
    pub(in crate::store) page_state: PageState,
    pub(in crate::store) scraped_at: Option<i64>,
    /// Why its page gave no text, or not yet.
    pub(in crate::store) error: PageError,
    /// Whether its body has any text.
    pub(in crate::store) has_text: bool,
    /// Its first sighting.
    pub(in crate::store) first: Option<First>,
    pub(in crate::store) mark: Mark,
    /// Whether `publication` and `sort_at` differ from the database's.
    pub(in crate::store) is_redated: bool,
    /// What replaces its body.
    pub(in crate::store) body: Option<Arc<Body>>,
}

/// A failure of a page, as three columns hold it; all empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct PageError {
    pub(in crate::store) kind: Option<String>,
    pub(in crate::store) detail: Option<String>,
    pub(in crate::store) status: Option<u16>,
}

impl From<&Failure> for PageError {
    fn from(failure: &Failure) -> Self {
        Self {
            kind: Some(failure.kind.name().to_owned()),
            detail: Some(failure.detail.clone()),
            status: failure.status,
        }
    }
}

/// What an article is born with.
#[derive(Clone, Debug)]
pub(in crate::store) struct Born {
    /// The feed that announced it first.
    pub(in crate::store) feed: FeedId,
    pub(in crate::store) url: Option<String>,
    pub(in crate::store) host: Option<String>,
}

/// The first sighting of an article: what it was announced with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct First {
    pub(in crate::store) seen_at: i64,
    pub(in crate::store) id: i64,
    pub(in crate::store) title: Option<String>,
}

impl ArticleRow {
    pub(super) fn is_scraped(&self) -> bool {
        self.page_state == PageState::Scraped
    }

    /// What decides who is the older of two.
    pub(super) fn age(&self) -> (Timestamp, ArticleId) {
        (self.first_seen, self.id)
    }

    pub(super) fn likeness(&self) -> Likeness<'_> {
        Likeness {
            title: self.title.as_deref(),
            announced: self.announced(),
            content: self.content,
        }
    }

    /// The headline that a feed announced.
    pub(super) fn announced(&self) -> Option<&str> {
        self.first.as_ref()?.title.as_deref()
    }

    /// Sets a column, and says that the row is changed if that changes it.
    pub(super) fn set<T: PartialEq>(&mut self, column: fn(&mut Self) -> &mut T, value: T) {
        let column = column(self);
        if *column != value {
            *column = value;
            self.mark.change();
        }
    }

    /// Another date, and with it another place in all lists.
    pub(super) fn redate(&mut self, publication: Option<Publication>) {
        let published_at = publication.as_ref().map(|published| published.at);
        self.sort_at = decide::sort_at(published_at, self.first_seen).as_millisecond();
        self.publication = publication;
        self.is_redated = true;
        self.mark.change();
    }

    pub(super) fn replace_body(&mut self, body: &Arc<Body>) {
        self.has_text = !body.text.is_empty();
        self.body = Some(Arc::clone(body));
    }
}

/// A body of an article.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store) struct Body {
    pub(in crate::store) text: String,
    /// The other renderings; `None` where it is plain text.
    pub(in crate::store) rendering: Option<Packed>,
}

/// A sighting's row, as far as it identifies its entry.
#[derive(Clone, Debug)]
pub(in crate::store) struct SightingRow {
    pub(in crate::store) id: i64,
    pub(in crate::store) feed: FeedId,
    pub(in crate::store) article: ArticleId,
    pub(in crate::store) entry_id: String,
    pub(in crate::store) entry_hash: i64,
    pub(in crate::store) url: Option<String>,
    pub(in crate::store) title: Option<String>,
    pub(in crate::store) seen_at: i64,
    pub(in crate::store) changed_at: Option<i64>,
    /// The guid, where it is new or another one.
    pub(in crate::store) renamed: Option<Option<String>>,
    /// All that its entry says, where it is new or says something else.
    pub(in crate::store) said: Option<Arc<Said>>,
    pub(in crate::store) mark: Mark,
}

/// The words of a sighting that is there: what is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Words {
    pub(in crate::store) title: Option<String>,
    pub(in crate::store) summary: Option<String>,
    pub(in crate::store) content: Option<Vec<u8>>,
    /// JSON.
    pub(in crate::store) authors: String,
    /// JSON.
    pub(in crate::store) tags: String,
}

/// A normal form with its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::store) struct Form {
    pub(in crate::store) key: i64,
    pub(in crate::store) form: CanonicalUrl,
}

impl Form {
    pub(in crate::store) fn new(form: CanonicalUrl) -> Self {
        Self {
            key: form.key(),
            form,
        }
    }
}

/// One article's claim on a normal form: a row of `alias`.
#[derive(Clone, Debug)]
pub(in crate::store) struct Claim {
    pub(in crate::store) form: Form,
    pub(in crate::store) article: ArticleId,
    /// As found; only of a new one.
    pub(in crate::store) url: String,
    pub(in crate::store) reason: AliasReason,
    pub(in crate::store) added_at: i64,
}

/// A reason by its name in the store.
pub(in crate::store) fn reason(name: &str) -> AliasReason {
    let all = [
        AliasReason::Announced,
        AliasReason::Redirect,
        AliasReason::Canonical,
    ];
    let named = all.into_iter().find(|reason| reason.name() == name);
    named.unwrap_or(AliasReason::Canonical)
}

/// A state of a page by its name in the store.
pub(in crate::store) fn page_state(name: &str) -> PageState {
    let mut all = PageState::ALL.into_iter();
    all.find(|state| state.name() == name).unwrap_or_default()
}

/// A page that waits to be scraped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct JobRow {
    pub(in crate::store) article: ArticleId,
    pub(in crate::store) shard: Shard,
    pub(in crate::store) host: HostKey,
    pub(in crate::store) url: String,
    pub(in crate::store) due_at: i64,
    pub(in crate::store) attempts: u32,
    pub(in crate::store) moves: u32,
    pub(in crate::store) feed: FeedId,
}

/// Whether an article is there, for the search index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Op {
    /// It was made or changed.
    Changed,
    /// It is gone.
    Removed,
}

impl Op {
    /// As the column `op` has it.
    pub(in crate::store) fn code(self) -> i16 {
        match self {
            Self::Changed => 1,
            Self::Removed => 0,
        }
    }
}

/// What one poll writes whatever its document says: the feed's state and a line of the log.
#[derive(Clone, Debug)]
pub(in crate::store) struct PollRow {
    pub(in crate::store) feed: FeedId,
    /// Where the feed's state is kept.
    pub(in crate::store) shard: Shard,
    pub(in crate::store) at: i64,
    /// When the feed is due next, unless it is paused or retired.
    pub(in crate::store) due_at: Option<i64>,
    pub(in crate::store) failures: u32,
    pub(in crate::store) gone: u32,
    pub(in crate::store) hinted_interval_ms: Option<i64>,
    pub(in crate::store) answer: Answer,
    /// Where the feed is polled from now on, if that is another place.
    pub(in crate::store) place: Option<Place>,
    /// Articles that the feed announced for the first time.
    pub(in crate::store) n_articles: i64,
    pub(in crate::store) log: Log,
}

/// What a feed answered.
#[derive(Clone, Debug)]
pub(in crate::store) enum Answer {
    /// Well; with a document that was read, if there was a new one.
    Good(Validators, Option<ReadingRow>),
    /// Badly.
    Failed(Failure),
    /// To ask somewhere else: nothing else is known of it yet.
    Moved,
}

/// What a feed document says about its feed.
#[derive(Clone, Debug)]
pub(in crate::store) struct ReadingRow {
    pub(in crate::store) body_hash: i64,
    pub(in crate::store) title: Option<String>,
    pub(in crate::store) site_url: Option<String>,
    pub(in crate::store) language: Option<String>,
    /// JSON.
    pub(in crate::store) warnings: String,
    /// Whether it brought a new article.
    pub(in crate::store) has_new: bool,
}

/// Where a feed is polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Place {
    pub(in crate::store) host: HostKey,
    /// `None`: at the feed's own URL.
    pub(in crate::store) moved_url: Option<String>,
    pub(in crate::store) moves: u32,
}

/// A line of the log of polls.
#[derive(Clone, Debug)]
pub(in crate::store) struct Log {
    pub(in crate::store) outcome: &'static str,
    pub(in crate::store) status: Option<u16>,
    pub(in crate::store) n_new: i64,
    pub(in crate::store) n_entries: i64,
    pub(in crate::store) n_bytes: i64,
    pub(in crate::store) duration_ms: i64,
    pub(in crate::store) error_kind: Option<&'static str>,
    pub(in crate::store) error: Option<String>,
}

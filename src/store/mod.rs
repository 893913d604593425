//! The archive and the queue: the only module with SQL.
//!
//! Every method is one transaction and a verb of our domain. Whatever is not recorded
//! will be done again; doing it twice changes nothing.

mod record;

mod column;
mod decide;
mod json;
mod listing;
mod lists;
mod packed;
mod recording;

mod migrate;

mod postgres;
mod sqlite;

mod fleet;

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{ArticleId, FeedId, FeedUrl};
use crate::ownership::{self, Ownership};
use crate::query::{ArticleQuery, Cursor};

pub use fleet::{Done, Fleet, FleetWorker, Role, WorkerState};
pub use migrate::{Moved as MovedArchive, Progress, Step};
pub use record::*;

/// Where the archive is. `[store]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settings {
    /// One file, for one daemon; the search index lies beside it as `NAME-search.db`.
    Sqlite(PathBuf),
    /// One database, for any number of workers.
    Postgres(PostgresSettings),
}

impl Settings {
    /// The file; `None` for a database.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

impl fmt::Display for Settings {
    /// As `[store] url` has it, without a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(settings) => f.write_str(&settings.url),
        }
    }
}

/// How to reach a PostgreSQL database.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    /// `postgres://user@host:port/database?sslmode=...`, without a password.
    pub url: String,
    /// From a file, the environment or a systemd credential; `None`: none is needed.
    pub password: Option<String>,
    /// File of CA certificates in PEM, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// How long a worker that says nothing keeps its shards. Default 30 s, and never less
    /// than one and a half times the longest exchange.
    pub lease: Duration,
    /// Longest time from the start of one exchange to its end, by `[fetch] timeout`.
    pub longest_exchange: Duration,
}

impl PostgresSettings {
    /// How to reach the database at `url`, in the form of libpq ("Connection URIs"), where a
    /// password may stand; all else as it is by default.
    ///
    /// # Errors
    /// What is wrong with the URL, in words that follow the name of a key, without the
    /// password.
    pub fn new(url: &str) -> Result<Self, String> {
        let (url, password) = postgres::read_url(url)?;
        Ok(Self {
            url,
            password,
            ca_file: None,
            lease: Duration::from_secs(48),
            longest_exchange: Duration::from_secs(30),
        })
    }

    /// The shortest lease within which an exchange that takes so long surely ends.
    #[must_use]
    pub fn shortest_lease(longest_exchange: Duration) -> Duration {
        ownership::shortest_lease(longest_exchange)
    }

    /// Whether the way to the database leads over a network, with nobody checking whose
    /// server answers.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        postgres::is_exposed(self)
    }
}

impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_| "...");
        f.debug_struct("PostgresSettings")
            .field("url", &self.url)
            .field("password", &password)
            .field("ca_file", &self.ca_file)
            .field("lease", &self.lease)
            .field("longest_exchange", &self.longest_exchange)
            .finish()
    }
}

/// Who opens the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A daemon (or `run --once`) that does everything: takes the lock of a file, creates and
    /// migrates; on a database a worker that owns its share of the hosts.
    Daemon,
    /// The same, and it leaves the search index to others.
    Ingest,
    /// A worker that keeps the search index, and owns no host.
    Serve,
    /// A command that changes something beside the daemon: creates and migrates if no daemon runs.
    Command,
    /// A question: never writes; the file must exist.
    Reader,
}

/// Why the store did not do what it was asked. `store` is the file, or the database as
/// `[store] url` names it, without a password.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another daemon holds the store.
    #[error(
        "another wireroom (process {pid}) is running on {store}; stop it first: one daemon runs on a store"
    )]
    Locked {
        /// The store.
        store: String,
        /// Its process, 0 if unknown.
        pid: u32,
    },
    /// There is no store, and this access creates none.
    #[error("there is no store at {store}; `wireroom run` makes one")]
    Missing {
        /// The store.
        store: String,
    },
    /// The store was written by a later version.
    #[error(
        "{store} has schema version {found}, and this wireroom knows {known} at most; use the newer wireroom"
    )]
    Newer {
        /// The store.
        store: String,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The store is damaged, or not a store at all.
    #[error(
        "{store} is damaged or not a wireroom store: {reason}; restore a backup, and keep what is damaged"
    )]
    Corrupt {
        /// The store.
        store: String,
        /// What the database said.
        reason: String,
    },
    /// The folder, file or database cannot be written.
    #[error("cannot write {store}: {reason}")]
    Unwritable {
        /// The store.
        store: String,
        /// What the system said.
        reason: String,
    },
    /// The disk is full.
    #[error("no space left for {store}; free some, nothing acknowledged is lost")]
    Full {
        /// The store.
        store: String,
    },
    /// The server of the database does not answer, or lets nobody in. It may pass.
    #[error("cannot reach {store}: {reason}")]
    Unreachable {
        /// The store.
        store: String,
        /// What the system or the server said, and the next step where it is known.
        reason: String,
    },
    /// A database is copied by its own tools.
    #[error("a database is not copied into a file of ours; use its own tool: {command}")]
    BackupElsewhere {
        /// What to run instead.
        command: String,
    },
    /// The work belongs to another worker by now; it is done again there.
    #[error("the shard belongs to another worker")]
    Fenced,
    /// Anything else that the database said.
    #[error("store: {0}")]
    Database(String),
}

/// The archive. A cheap clone; all clones share the writer thread and the readers. The
/// writer ends, committed, when the last clone is dropped or at [`Store::close`].
#[derive(Clone, Debug)]
pub struct Store {
    backend: Backend,
}

#[derive(Clone, Debug)]
enum Backend {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

/// The same on whichever backend there is.
macro_rules! on {
    ($store:ident, $backend:ident => $work:expr) => {
        match &$store.backend {
            Backend::Sqlite($backend) => $work,
            Backend::Postgres($backend) => $work,
        }
    };
}

impl Store {
    /// Opens the archive.
    ///
    /// # Errors
    /// [`StoreError`]: locked, missing, newer, corrupt, unwritable, unreachable.
    pub async fn open(settings: &Settings, access: Access) -> Result<Self, StoreError> {
        let backend = match settings {
            Settings::Sqlite(path) => Backend::Sqlite(sqlite::Sqlite::open(path, access).await?),
            Settings::Postgres(settings) => {
                Backend::Postgres(postgres::Postgres::open(settings, access).await?)
            }
        };
        let store = Self { backend };
        if access != Access::Reader && store.note(migrate::MOVE_MARK).await?.is_some() {
            store.close().await?;
            return Err(StoreError::Database(format!(
                "an archive is being moved to {settings}; give the same `wireroom migrate` again to end that first"
            )));
        }
        Ok(store)
    }

    /// The process on this machine that holds the daemon's lock on this store, if one does;
    /// a database has no such lock, and any number of workers.
    #[must_use]
    pub fn daemon_process(settings: &Settings) -> Option<u32> {
        match settings {
            Settings::Sqlite(path) => sqlite::daemon_process(path),
            Settings::Postgres(_) => None,
        }
    }

    /// Moves a whole archive to another place, which is empty or holds a part of it that an
    /// earlier move left: the same rows with the same ids. Nobody else may use either of them
    /// meanwhile. `progress` is told after each batch of rows.
    ///
    /// # Errors
    /// [`StoreError`]: a daemon or worker uses one of them; the target holds something else;
    /// the two differ at the end.
    pub async fn move_archive(
        from: &Settings,
        to: &Settings,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<MovedArchive, StoreError> {
        migrate::move_archive(from, to, &mut progress).await
    }

    /// Commits what is under way and closes. Later calls fail.
    pub async fn close(self) -> Result<(), StoreError> {
        match self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close().await,
        }
    }

    /// Which hosts this process may ask, and for how long: all of them on a file; on a
    /// database those that it owns as a worker, which are none at first.
    #[must_use]
    pub fn ownership(&self) -> Ownership {
        match &self.backend {
            Backend::Sqlite(_) => Ownership::all(),
            Backend::Postgres(postgres) => postgres.ownership().clone(),
        }
    }

    // Feeds: what is polled.

    /// Makes the feeds of all files be what the lists say: adds, changes, and retires those
    /// that no file names any more. Feeds added by command are left alone; one that a file
    /// now names becomes that file's. New feeds are due at once.
    pub async fn sync_lists(
        &self,
        lists: Vec<SourceList>,
        now: Timestamp,
    ) -> Result<SyncReport, StoreError> {
        on!(self, backend => backend.sync_lists(lists, now).await)
    }

    /// Subscribes to a feed by command.
    pub async fn subscribe(&self, feed: NewFeed, now: Timestamp) -> Result<Subscribed, StoreError> {
        on!(self, backend => backend.subscribe(feed, now).await)
    }

    /// Stops polling a feed for good; its articles stay.
    pub async fn retire(&self, feed: FeedId, now: Timestamp) -> Result<(), StoreError> {
        on!(self, backend => backend.retire(feed, now).await)
    }

    /// Pauses or resumes a feed; resumed, it is due at once.
    pub async fn set_paused(
        &self,
        feed: FeedId,
        paused: Paused,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self, backend => backend.set_paused(feed, paused, now).await)
    }

    /// Makes a feed due now.
    pub async fn make_due(&self, feed: FeedId, now: Timestamp) -> Result<(), StoreError> {
        on!(self, backend => backend.make_due(feed, now).await)
    }

    /// All feeds, in the order of their ids.
    pub async fn feeds(&self) -> Result<Vec<Feed>, StoreError> {
        on!(self, backend => backend.feeds().await)
    }

    /// One feed by id, or by its present or subscribed URL.
    pub async fn feed(&self, name: &FeedName) -> Result<Option<Feed>, StoreError> {
        on!(self, backend => backend.feed(name).await)
    }

    /// The newest polls of a feed, newest first.
    pub async fn polls(&self, feed: FeedId, limit: usize) -> Result<Vec<Poll>, StoreError> {
        on!(self, backend => backend.polls(feed, limit).await)
    }

    // The queue: what is due.

    /// Feeds that are due, oldest first, at most one per host and none of a busy host.
    /// Nothing is written: a feed stays due until its poll is recorded.
    pub async fn due_feeds(&self, claim: &Claim) -> Result<Vec<DueFeed>, StoreError> {
        on!(self, backend => backend.due_feeds(claim).await)
    }

    /// One feed, if it is due, whatever else its host has to do.
    pub async fn due_feed(
        &self,
        feed: FeedId,
        now: Timestamp,
    ) -> Result<Option<DueFeed>, StoreError> {
        on!(self, backend => backend.due_feed(feed, now).await)
    }

    /// Places of the entries (identity and hash) that are in the archive just as they are:
    /// nothing about them needs to be recorded again.
    pub async fn known_entries(
        &self,
        feed: FeedId,
        entries: Vec<(String, i64)>,
    ) -> Result<HashSet<usize>, StoreError> {
        on!(self, backend => backend.known_entries(feed, entries).await)
    }

    /// Pages that are due, oldest first, at most one per host and none of a busy host.
    pub async fn due_pages(&self, claim: &Claim) -> Result<Vec<DuePage>, StoreError> {
        on!(self, backend => backend.due_pages(claim).await)
    }

    /// How much is due now, and when the next thing will be.
    pub async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError> {
        on!(self, backend => backend.backlog(now).await)
    }

    /// One poll's entries, validators, state and next due time, in one transaction.
    pub async fn record_poll(
        &self,
        due: &DueFeed,
        report: PollReport,
    ) -> Result<PollRecorded, StoreError> {
        on!(self, backend => backend.record_poll(due, report).await)
    }

    /// One scrape's article or failure, in one transaction.
    pub async fn record_scrape(
        &self,
        due: &DuePage,
        report: ScrapeReport,
    ) -> Result<Saved, StoreError> {
        on!(self, backend => backend.record_scrape(due, report).await)
    }

    // Questions.

    /// Articles that answer a query.
    pub async fn articles(&self, query: &ArticleQuery) -> Result<Listing, StoreError> {
        on!(self, backend => backend.articles(query).await)
    }

    /// One article by id, or by any URL that leads to it.
    pub async fn article(&self, name: &ArticleName) -> Result<Option<Article>, StoreError> {
        on!(self, backend => backend.article(name).await)
    }

    /// The state of everything.
    pub async fn status(&self, now: Timestamp) -> Result<Status, StoreError> {
        on!(self, backend => backend.status(now).await)
    }

    /// What the server of a database says of itself; `None` of a file.
    pub async fn server(&self) -> Result<Option<Server>, StoreError> {
        match &self.backend {
            Backend::Sqlite(_) => Ok(None),
            Backend::Postgres(postgres) => postgres.server().await.map(Some),
        }
    }

    // Upkeep.

    /// Brings the search index up to the newest change; returns how many articles it took.
    /// The index is derived: a missing or damaged one is made anew.
    pub async fn index(&self) -> Result<usize, StoreError> {
        on!(self, backend => backend.index().await)
    }

    /// Copies a consistent snapshot to `to`, which must not exist.
    ///
    /// # Errors
    /// [`StoreError::BackupElsewhere`] with the command for a database.
    pub async fn backup(&self, to: &Path) -> Result<u64, StoreError> {
        on!(self, backend => backend.backup(to).await)
    }

    /// Checks what must be true (a file's pages, what refers to what, sums against what they
    /// sum up); one line per finding.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        on!(self, backend => backend.check().await)
    }

    /// A note that outlives the process, such as the outcome of the last reload.
    pub async fn set_note(&self, name: &str, text: &str) -> Result<(), StoreError> {
        on!(self, backend => backend.set_note(name, text).await)
    }

    /// Reads a note.
    pub async fn note(&self, name: &str) -> Result<Option<String>, StoreError> {
        on!(self, backend => backend.note(name).await)
    }
}

/// The answers to a query, and where to go on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// The articles, in the order that was asked for.
    pub articles: Vec<Article>,
    /// Where to go on, if there is more.
    pub next: Option<Cursor>,
    /// Changes that the search index has not seen yet; 0 for queries without a search.
    pub index_lag: u64,
    /// How the answers were ranked; `None` when they come newest first.
    pub ranked: Option<Ranked>,
}

/// How the answers to a query were ranked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranked {
    /// Of each article of the listing: how well it answers. Larger is better; without a unit.
    pub scores: Vec<f64>,
    /// Matches that were ranked: the newest ones.
    pub n_ranked: usize,
    /// Whether these are all matches.
    pub is_all: bool,
}

/// How a person names a feed.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedName {
    /// By id.
    Id(FeedId),
    /// By its present or subscribed URL.
    Url(FeedUrl),
}

/// How a person names an article.
#[derive(Clone, Debug, PartialEq)]
pub enum ArticleName {
    /// By id.
    Id(ArticleId),
    /// By any URL: original, final, canonical.
    Url(String),
}

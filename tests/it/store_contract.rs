//! What the store promises, whichever database is behind it.
//!
//! Each promise is a function of a room with a store; `on_every_backend!` runs it.

#![allow(clippy::unwrap_used, reason = "in tests an unwrap is an assertion")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use url::Url;

use wireroom::canonical::canonicalize;
use wireroom::dedup::content_hash;
use wireroom::feed::Enclosure;
use wireroom::feed_list::ListedFeed;
use wireroom::model::{
    ArticleId, ErrorKind, Failure, FeedId, FeedSettings, FeedUrl, HostKey, PageUrl, Validators,
};
use wireroom::query::{ArticleQuery, Cursor, Parts};
use wireroom::schedule::PollState;
use wireroom::store::{
    Access, Alias, AliasReason, Announcement, Article, ArticleName, Claim, Cost, DueFeed, DuePage,
    FeedName, FeedReading, FeedState, Manners, NewFeed, PageState, PageToFetch, Paused,
    PollRecorded, PollReport, PollResult, PostgresSettings, Saved, ScrapeReport, ScrapeResult,
    ScrapedArticle, Settings, SourceList, Store, StoreError, Subscribed, SyncReport,
};

use crate::support::postgres::{self, Database};

// What the promises are told with.

/// A store in a folder or a database of its own, which goes with it.
pub(crate) struct Room {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    folder: TempDir,
    database: Option<Database<'static>>,
}

impl Room {
    /// A new SQLite store.
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::Sqlite(folder.path().join("news.db"));
        let store = Store::open(&settings, Access::Daemon).await.unwrap();
        Self {
            store,
            settings,
            folder,
            database: None,
        }
    }

    /// A new store on PostgreSQL; `None`, said loudly, where that is not installed.
    pub(crate) async fn postgres() -> Option<Self> {
        /// An archive without anything in it, which is faster to copy than to make.
        static EMPTY: OnceCell<Option<Database<'static>>> = OnceCell::const_new();
        let empty = EMPTY.get_or_init(|| async {
            let database = postgres::database()?;
            let settings = Settings::Postgres(postgres_at(&database.url()));
            let store = Store::open(&settings, Access::Command).await.unwrap();
            store.close().await.unwrap();
            // Connections that are being closed still count as somebody's.
            database.disconnect_all();
            Some(database)
        });
        let empty = empty.await.as_ref()?;
        let database = postgres::server()?.copy_of(empty.name());
        let settings = postgres_at(&database.url());
        Some(Self::of(database, settings).await)
    }

    /// A new store in a database, reached by `settings`.
    pub(crate) async fn of(database: Database<'static>, settings: PostgresSettings) -> Self {
        let settings = Settings::Postgres(settings);
        let store = Store::open(&settings, Access::Daemon).await.unwrap();
        Self {
            store,
            settings,
            folder: tempfile::tempdir().unwrap(),
            database: Some(database),
        }
    }

    async fn reopened(self) -> Self {
        self.store.close().await.unwrap();
        let store = Store::open(&self.settings, Access::Daemon).await.unwrap();
        Self { store, ..self }
    }

    /// The database of a PostgreSQL store.
    pub(crate) fn database(&self) -> &Database<'static> {
        self.database.as_ref().unwrap()
    }

    /// The one number that the SQL gives, asked as a person beside us would.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        match &self.database {
            Some(database) => database.number(sql),
            None => rusqlite::Connection::open(self.path())
                .unwrap()
                .query_row(sql, [], |row| row.get(0))
                .unwrap(),
        }
    }

    /// The file of an SQLite store.
    pub(crate) fn path(&self) -> &Path {
        self.settings.file().unwrap()
    }
}

/// How tests reach a database.
pub(crate) fn postgres_at(url: &str) -> PostgresSettings {
    PostgresSettings {
        longest_exchange: Duration::from_secs(5),
        ..PostgresSettings::new(url).unwrap()
    }
}

/// Runs promises, each a function of a room, on every backend. On PostgreSQL the runtime has
/// several threads: the store works beside the test, as it does in the daemon.
macro_rules! on_every_backend {
    ($($promise:ident,)*) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $promise() {
                    super::$promise($crate::store_contract::Room::sqlite().await).await;
                }
            )*
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    if let Some(room) = $crate::store_contract::Room::postgres().await {
                        super::$promise(room).await;
                    }
                }
            )*
        }
    };
}

#[allow(unused_imports, reason = "for promises that are told in other files")]
pub(crate) use on_every_backend;

mod database;
mod feeds;
mod file;
mod listings;
mod moves;
mod pages;
mod polls;
mod postgres_server;
mod queue;
mod together;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Noon, on which most stories here begin.
pub(crate) fn noon() -> Timestamp {
    at("2026-11-23T12:00:00Z")
}

pub(crate) fn later(minutes: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(minutes)
}

pub(crate) fn listed(url: &str) -> ListedFeed {
    ListedFeed {
        url: FeedUrl::parse(url).unwrap(),
        given: url.to_owned(),
        title: None,
        tags: Vec::new(),
        site: None,
        settings: FeedSettings::default(),
    }
}

pub(crate) async fn subscribe(store: &Store, feed: ListedFeed) -> FeedId {
    let feed = NewFeed {
        listed: feed,
        file: None,
    };
    match store.subscribe(feed, noon()).await.unwrap() {
        Subscribed::New(id) => id,
        other => panic!("a new feed, not {other:?}"),
    }
}

/// An entry that announces the page at `url`.
pub(crate) fn entry(url: &str) -> Announcement {
    let page = PageUrl::parse(url).unwrap();
    Announcement {
        entry_id: url.to_owned(),
        guid: Some(url.to_owned()),
        url: Some(url.to_owned()),
        canonical: Some(canonicalize(page.url())),
        page: Some(PageToFetch {
            host: HostKey::of(page.url()),
            url: page,
        }),
        entry_hash: 1,
        ..Announcement::default()
    }
}

pub(crate) fn reading(entries: Vec<Announcement>) -> PollResult {
    PollResult::Fetched(Box::new(FeedReading {
        announcements: entries,
        body_hash: 7,
        ..FeedReading::default()
    }))
}

pub(crate) fn report(result: PollResult) -> PollReport {
    PollReport {
        at: noon(),
        next_poll: Some(later(60)),
        state: PollState::default(),
        cost: Cost {
            status: Some(200),
            n_bytes: 1000,
            duration: Duration::from_millis(40),
        },
        manners: Manners::default(),
        result,
    }
}

pub(crate) fn everything_due() -> Claim {
    Claim {
        now: later(0),
        limit: 1000,
        busy: Vec::new(),
    }
}

async fn due_feed(store: &Store, feed: FeedId) -> DueFeed {
    store.make_due(feed, noon()).await.unwrap();
    let due = store.due_feeds(&everything_due()).await.unwrap();
    let due = due.into_iter().find(|due| due.feed == feed);
    due.expect("a feed that was made due is due, and the only one of its host")
}

pub(crate) async fn poll(store: &Store, feed: FeedId, entries: Vec<Announcement>) -> PollRecorded {
    let due = due_feed(store, feed).await;
    store
        .record_poll(&due, report(reading(entries)))
        .await
        .unwrap()
}

/// A poll that was made a minute before noon.
pub(crate) async fn poll_earlier(
    store: &Store,
    feed: FeedId,
    entries: Vec<Announcement>,
) -> PollRecorded {
    let due = due_feed(store, feed).await;
    let report = PollReport {
        at: later(-1),
        ..report(reading(entries))
    };
    store.record_poll(&due, report).await.unwrap()
}

async fn due_page(store: &Store, url: &str) -> DuePage {
    let due = store.due_pages(&everything_due()).await.unwrap();
    due.into_iter()
        .find(|due| due.url.as_str() == url)
        .expect("the page is due, and the first of its host")
}

pub(crate) fn words(n: usize, seed: &str) -> String {
    (0..n)
        .map(|i| format!("{seed}{i}"))
        .collect::<Vec<_>>()
        .join(" ")
}

pub(crate) fn scraped(url: &str, title: &str, text: &str) -> ScrapedArticle {
    ScrapedArticle {
        final_url: url.to_owned(),
        title: Some(title.to_owned()),
        text: text.to_owned(),
        markdown: text.to_owned(),
        html: format!("<p>{text}</p>"),
        word_count: text.split_whitespace().count(),
        content_hash: content_hash(text),
        ..ScrapedArticle::default()
    }
}

fn alias(url: &str, reason: AliasReason) -> Alias {
    Alias {
        url: url.to_owned(),
        canonical: canonicalize(&Url::parse(url).unwrap()),
        reason,
    }
}

pub(crate) async fn scrape(store: &Store, url: &str, article: ScrapedArticle) -> Saved {
    let due = due_page(store, url).await;
    let report = ScrapeReport {
        at: later(1),
        cost: Cost::default(),
        manners: Manners::default(),
        result: ScrapeResult::Article(Box::new(article)),
    };
    store.record_scrape(&due, report).await.unwrap()
}

pub(crate) async fn all(store: &Store) -> Vec<Article> {
    let query = ArticleQuery {
        limit: 100,
        parts: Parts::Whole,
        ..ArticleQuery::default()
    };
    store.articles(&query).await.unwrap().articles
}

async fn article(store: &Store, url: &str) -> Option<Article> {
    store
        .article(&ArticleName::Url(url.to_owned()))
        .await
        .unwrap()
}

async fn feed(store: &Store, id: FeedId) -> wireroom::store::Feed {
    store.feed(&FeedName::Id(id)).await.unwrap().unwrap()
}

/// `n` articles, of which some share their second of publication.
async fn fill(store: &Store, n: usize) -> FeedId {
    let id = subscribe(store, listed("https://example.org/feed")).await;
    let entries = (0..n)
        .map(|i| Announcement {
            published: Some(later(-((i / 3) as i64))),
            ..entry(&format!("https://example.org/{i}"))
        })
        .collect();
    poll(store, id, entries).await;
    id
}

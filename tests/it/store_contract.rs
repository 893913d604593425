//! What the store promises, whichever database is behind it.
//!
//! Each promise is a function of a store; `promise!` runs it on every backend.

#![allow(clippy::unwrap_used, reason = "in tests an unwrap is an assertion")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
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
    FeedName, FeedReading, FeedState, NewFeed, PageState, PageToFetch, Paused, PollRecorded,
    PollReport, PollResult, Saved, ScrapeReport, ScrapeResult, ScrapedArticle, Settings,
    SourceList, Store, StoreError, Subscribed, SyncReport,
};

// What the promises are told with.

/// A store in a folder of its own; the folder goes with it.
pub(crate) struct Room {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    folder: TempDir,
}

impl Room {
    /// A new SQLite store.
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            path: folder.path().join("news.db"),
        };
        let store = Store::open(&settings, Access::Daemon).await.unwrap();
        Self {
            store,
            settings,
            folder,
        }
    }

    async fn reopened(self) -> Self {
        self.store.close().await.unwrap();
        let store = Store::open(&self.settings, Access::Daemon).await.unwrap();
        Self { store, ..self }
    }

    fn path(&self) -> &Path {
        &self.settings.path
    }
}

macro_rules! promise {
    ($($(#[$doc:meta])* async fn $name:ident($room:ident: Room) $body:block)*) => {
        $(
            $(#[$doc])*
            #[tokio::test]
            async fn $name() {
                let $room = Room::sqlite().await;
                $body
            }
        )*
    };
}

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
        title: Some(format!("About {url}")),
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

// Feeds.

promise! {
    async fn a_subscribed_feed_is_pending_and_due_at_once(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed.xml")).await;

        let feed = feed(&room.store, id).await;

        assert_eq!(feed.state, FeedState::Pending);
        assert_eq!(feed.subscribed_url, "https://example.org/feed.xml");
        assert_eq!(feed.next_poll, Some(noon()));
        assert_eq!(room.store.due_feeds(&everything_due()).await.unwrap().len(), 1);
    }

    async fn subscribing_twice_changes_nothing(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed.xml")).await;

        let again = NewFeed { listed: listed("https://example.org/feed.xml"), file: None };
        let again = room.store.subscribe(again, later(5)).await.unwrap();

        assert_eq!(again, Subscribed::Known(id));
        assert_eq!(room.store.feeds().await.unwrap().len(), 1);
    }

    async fn lists_own_their_feeds_and_leave_others_alone(room: Room) {
        let own = subscribe(&room.store, listed("https://own.example/feed")).await;
        let list = |urls: &[&str]| vec![SourceList {
            file: "feeds.opml".into(),
            feeds: urls.iter().map(|url| listed(url)).collect(),
        }];

        let first = room.store.sync_lists(list(&["https://a.example/", "https://b.example/"]), noon()).await;
        let second = room.store.sync_lists(list(&["https://a.example/"]), noon()).await;
        let third = room.store.sync_lists(list(&["https://a.example/", "https://b.example/"]), later(9)).await;

        assert_eq!(first.unwrap(), SyncReport { added: 2, ..SyncReport::default() });
        assert_eq!(second.unwrap(), SyncReport { kept: 1, retired: 1, ..SyncReport::default() });
        assert_eq!(third.unwrap(), SyncReport { kept: 1, revived: 1, ..SyncReport::default() });
        assert_eq!(feed(&room.store, own).await.file, None);
        assert_eq!(feed(&room.store, own).await.state, FeedState::Pending);
    }

    async fn a_list_takes_over_a_feed_that_was_added_by_command(room: Room) {
        let id = subscribe(&room.store, listed("https://a.example/feed")).await;
        let named = ListedFeed {
            title: Some("A".into()),
            tags: vec!["World/Europe".into()],
            settings: FeedSettings { interval: Some(Duration::from_secs(900)), ..FeedSettings::default() },
            ..listed("https://a.example/feed")
        };
        let twice = ListedFeed { tags: vec!["Best".into()], ..listed("https://a.example/feed") };

        let report = room.store.sync_lists(vec![
            SourceList { file: "a.opml".into(), feeds: vec![named.clone()] },
            SourceList { file: "b.opml".into(), feeds: vec![twice] },
        ], noon()).await.unwrap();

        let feed = feed(&room.store, id).await;
        assert_eq!(report, SyncReport { changed: 1, ..SyncReport::default() });
        assert_eq!(feed.file.as_deref(), Some("a.opml"));
        assert_eq!(feed.title.as_deref(), Some("A"));
        assert_eq!(feed.tags, ["World/Europe", "Best"]);
        assert_eq!(feed.settings, named.settings);
    }

    async fn a_paused_feed_rests_until_it_is_resumed(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        let due = due_feed(&room.store, id).await;

        room.store.set_paused(id, Paused::Yes, noon()).await.unwrap();
        room.store.record_poll(&due, report(reading(vec![]))).await.unwrap();
        let paused = feed(&room.store, id).await;
        let due_while_paused = room.store.due_feeds(&everything_due()).await.unwrap();
        room.store.set_paused(id, Paused::No, noon()).await.unwrap();

        assert_eq!((paused.state, paused.next_poll), (FeedState::Paused, None));
        assert_eq!(due_while_paused, []);
        assert_eq!(feed(&room.store, id).await.state, FeedState::Ok);
        assert_eq!(feed(&room.store, id).await.next_poll, Some(noon()));
    }

    async fn a_retired_feed_keeps_its_articles(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        poll(&room.store, id, vec![entry("https://example.org/a")]).await;

        room.store.retire(id, noon()).await.unwrap();

        assert_eq!(feed(&room.store, id).await.state, FeedState::Retired);
        assert_eq!(feed(&room.store, id).await.next_poll, None);
        assert_eq!(all(&room.store).await.len(), 1);
        let again = NewFeed { listed: listed("https://example.org/feed"), file: None };
        assert_eq!(room.store.subscribe(again, noon()).await.unwrap(), Subscribed::Revived(id));
    }

    async fn a_feed_that_is_not_there_is_an_error_not_a_silence(room: Room) {
        assert!(room.store.retire(FeedId(99), noon()).await.is_err());
        assert!(room.store.make_due(FeedId(99), noon()).await.is_err());
        assert_eq!(room.store.feed(&FeedName::Id(FeedId(99))).await.unwrap(), None);
    }
}

// Polls.

promise! {
    async fn a_poll_is_recorded_whole(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        let due = due_feed(&room.store, id).await;
        let result = PollResult::Fetched(Box::new(FeedReading {
            validators: Validators { etag: Some(b"\"\xffv1\"".to_vec()), last_modified: Some(b"yesterday".to_vec()), ..Validators::default() },
            body_hash: -5,
            title: Some("Example".into()),
            site_url: Some("https://example.org/".into()),
            language: Some("en".into()),
            announcements: vec![entry("https://example.org/a"), entry("https://example.org/b")],
            warnings: vec!["a bare ampersand".into()],
        }));

        let recorded = room.store.record_poll(&due, report(result)).await.unwrap();
        let next = due_feed(&room.store, id).await;
        let feed = feed(&room.store, id).await;
        let polls = room.store.polls(id, 10).await.unwrap();

        assert_eq!(recorded, PollRecorded { n_new: 2, n_pages: 2, ..PollRecorded::default() });
        assert_eq!(next.validators.etag.as_deref(), Some(&b"\"\xffv1\""[..]));
        assert_eq!(next.validators.last_modified.as_deref(), Some(&b"yesterday"[..]));
        assert_eq!(next.body_hash, Some(-5));
        assert_eq!(feed.state, FeedState::Ok);
        assert_eq!(feed.title.as_deref(), Some("Example"));
        assert_eq!(feed.language.as_deref(), Some("en"));
        assert_eq!(feed.article_count, 2);
        assert_eq!(feed.warnings, ["a bare ampersand"]);
        assert_eq!(feed.last_new, Some(noon()));
        assert_eq!((polls.len(), polls[0].n_new, polls[0].n_entries), (1, 2, 2));
        assert_eq!(polls[0].outcome, "fetched");
    }

    async fn a_recorded_feed_is_not_due_before_its_time(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        poll(&room.store, id, vec![]).await;

        let before = Claim { now: later(59), ..everything_due() };
        let after = Claim { now: later(60), ..everything_due() };

        assert_eq!(room.store.due_feeds(&before).await.unwrap(), []);
        assert_eq!(room.store.due_feeds(&after).await.unwrap().len(), 1);
    }

    async fn a_failed_poll_keeps_validators_and_says_why(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        let due = due_feed(&room.store, id).await;
        let good = PollResult::NotModified {
            validators: Validators { etag: Some(b"\"v1\"".to_vec()), ..Validators::default() },
        };
        room.store.record_poll(&due, report(good)).await.unwrap();
        let failed = PollReport {
            state: PollState { failures: 3, gone: 0, hinted_interval: Some(Duration::from_secs(60)) },
            ..report(PollResult::Failed(Failure { status: Some(404), ..Failure::new(ErrorKind::NotFound, "nothing there") }))
        };

        room.store.record_poll(&due, failed).await.unwrap();

        let shown = feed(&room.store, id).await;
        let next = due_feed(&room.store, id).await;
        assert_eq!((shown.state, shown.failures), (FeedState::Error, 3));
        assert_eq!(shown.failure.unwrap().to_string(), "not_found: nothing there");
        assert_eq!(next.validators.etag.as_deref(), Some(&b"\"v1\""[..]));
        assert_eq!(next.state, PollState { failures: 3, gone: 0, hinted_interval: Some(Duration::from_secs(60)) });
        assert_eq!(room.store.polls(id, 1).await.unwrap()[0].failure.as_ref().unwrap().kind, ErrorKind::NotFound);
    }

    async fn a_feed_that_is_gone_for_good_waits_for_a_person(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        let due = due_feed(&room.store, id).await;
        let gone = PollReport { next_poll: None, ..report(PollResult::Gone(Failure::new(ErrorKind::Gone, "410"))) };

        room.store.record_poll(&due, gone).await.unwrap();

        let shown = feed(&room.store, id).await;
        assert_eq!((shown.state, shown.next_poll), (FeedState::Gone, None));
        assert_eq!(due_feed(&room.store, id).await.feed, id);
    }

    async fn known_entries_are_known_and_changed_ones_followed(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        let first = Announcement { content_text: Some("old words".into()), ..entry("https://example.org/a") };
        let changed = Announcement {
            title: Some("New title".into()),
            content_text: Some("new words here".into()),
            entry_hash: 2,
            ..first.clone()
        };
        poll(&room.store, id, vec![first]).await;

        let recorded = poll(&room.store, id, vec![changed]).await;

        let articles = all(&room.store).await;
        assert_eq!(recorded, PollRecorded { n_known: 1, ..PollRecorded::default() });
        assert_eq!(articles.len(), 1);
        assert_eq!(articles[0].title.as_deref(), Some("New title"));
        assert_eq!(articles[0].text, "new words here");
        assert_eq!(articles[0].word_count, 3);
    }

    async fn one_article_over_five_feeds_is_one_article(room: Room) {
        let mut feeds = Vec::new();
        for n in 0..5 {
            feeds.push(subscribe(&room.store, listed(&format!("https://host{n}.example/feed"))).await);
        }

        let mut recorded = Vec::new();
        for (n, feed) in feeds.iter().enumerate() {
            let entry = Announcement {
                guid: Some(format!("guid {n}")),
                tags: vec![format!("tag {n}"), "news".into()],
                ..entry("https://example.org/story?utm_source=rss")
            };
            recorded.push(poll(&room.store, *feed, vec![entry]).await);
        }

        let articles = all(&room.store).await;
        assert_eq!(recorded[0], PollRecorded { n_new: 1, n_pages: 1, ..PollRecorded::default() });
        assert!(recorded[1..].iter().all(|poll| *poll == PollRecorded { n_shared: 1, ..PollRecorded::default() }));
        assert_eq!(articles.len(), 1);
        assert_eq!(articles[0].url.as_deref(), Some("https://example.org/story?utm_source=rss"));
        assert_eq!(articles[0].feed_urls.len(), 5);
        assert_eq!(articles[0].feed_urls[0], "https://host0.example/feed");
        assert_eq!(articles[0].guid.as_deref(), Some("guid 0"));
        assert_eq!(articles[0].tags, ["tag 0", "news", "tag 1", "tag 2", "tag 3", "tag 4"]);
        for feed in feeds {
            let query = ArticleQuery { feed: Some(feed), ..ArticleQuery::default() };
            assert_eq!(room.store.articles(&query).await.unwrap().articles.len(), 1);
        }
    }

    async fn an_entry_without_a_page_is_kept_as_the_feed_told_it(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        let note = Announcement {
            entry_id: "note-1".into(),
            title: Some("A note".into()),
            summary: Some("Short".into()),
            content_html: Some("<p>Long <b>text</b></p>".into()),
            content_text: Some("Long text".into()),
            authors: vec!["Jane".into()],
            enclosures: vec![Enclosure { url: "https://example.org/a.mp3".into(), media_type: Some("audio/mpeg".into()), length_bytes: Some(7) }],
            published: Some(at("2026-11-20T08:00:00Z")),
            ..Announcement::default()
        };

        let recorded = poll(&room.store, id, vec![note.clone()]).await;

        let article = all(&room.store).await.remove(0);
        assert_eq!(recorded, PollRecorded { n_new: 1, ..PollRecorded::default() });
        assert_eq!(article.page_state, PageState::Skipped);
        assert_eq!(article.url, None);
        assert_eq!(article.text, "Long text");
        assert_eq!(article.html, "<p>Long <b>text</b></p>");
        assert_eq!(article.summary.as_deref(), Some("Short"));
        assert_eq!(article.authors, ["Jane"]);
        assert_eq!(article.enclosures, note.enclosures);
        assert_eq!(article.published.as_deref(), Some("2026-11-20T08:00:00Z"));
        assert_eq!(article.published_from.as_deref(), Some("feed"));
        assert_eq!(article.sort_at, at("2026-11-20T08:00:00Z"));
    }

    async fn absurd_dates_order_nothing(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        let dated = |url, date| Announcement { published: Some(at(date)), ..entry(url) };

        poll(&room.store, id, vec![
            dated("https://example.org/ancient", "1970-01-01T00:00:00Z"),
            dated("https://example.org/future", "2099-01-01T00:00:00Z"),
        ]).await;

        for article in all(&room.store).await {
            assert_eq!(article.published, None);
            assert_eq!(article.sort_at, noon());
        }
    }

    async fn entries_of_one_document_get_ids_from_the_oldest_on(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;

        poll(&room.store, id, vec![entry("https://example.org/new"), entry("https://example.org/old")]).await;

        let new = article(&room.store, "https://example.org/new").await.unwrap();
        let old = article(&room.store, "https://example.org/old").await.unwrap();
        assert!(old.id < new.id);
    }
}

// Pages.

promise! {
    async fn a_scraped_page_replaces_what_the_feed_said(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        let announced = Announcement {
            title: Some("Feed title".into()),
            summary: Some("Summary".into()),
            published: Some(at("2026-11-22T08:00:00Z")),
            ..entry("https://example.org/a?utm_medium=x")
        };
        poll(&room.store, id, vec![announced]).await;
        let page = ScrapedArticle {
            canonical_url: Some("https://example.org/a".into()),
            authors: vec!["Jane Doe".into()],
            published: Some(at("2026-11-22T07:30:00Z")),
            published_text: Some("2026-11-22T09:30:00+02:00".into()),
            published_from: Some("json-ld".into()),
            language: Some("de".into()),
            tags: vec!["storm".into()],
            ..scraped("https://example.org/a", "Page title", &words(80, "wort"))
        };

        let saved = scrape(&room.store, "https://example.org/a?utm_medium=x", page).await;

        let article = all(&room.store).await.remove(0);
        assert_eq!(saved, Saved::Article(article.id));
        assert_eq!(article.url.as_deref(), Some("https://example.org/a?utm_medium=x"));
        assert_eq!(article.final_url.as_deref(), Some("https://example.org/a"));
        assert_eq!(article.title.as_deref(), Some("Page title"));
        assert_eq!(article.summary.as_deref(), Some("Summary"));
        assert_eq!(article.published.as_deref(), Some("2026-11-22T09:30:00+02:00"));
        assert_eq!(article.published_from.as_deref(), Some("json-ld"));
        assert_eq!(article.sort_at, at("2026-11-22T07:30:00Z"));
        assert_eq!(article.text, words(80, "wort"));
        assert_eq!(article.word_count, 80);
        assert_eq!(article.page_state, PageState::Scraped);
        assert_eq!(article.tags, ["storm"]);
        assert_eq!(room.store.due_pages(&everything_due()).await.unwrap(), []);
    }

    async fn a_page_that_may_recover_is_due_again_later(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        poll(&room.store, id, vec![entry("https://example.org/a")]).await;
        let due = due_page(&room.store, "https://example.org/a").await;
        let retry = ScrapeReport {
            at: noon(),
            cost: Cost::default(),
            result: ScrapeResult::Retry { failure: Failure::new(ErrorKind::Timeout, "30 s"), at: later(30) },
        };

        let saved = room.store.record_scrape(&due, retry).await.unwrap();

        let article = all(&room.store).await.remove(0);
        assert_eq!(saved, Saved::Retry);
        assert_eq!(article.page_state, PageState::Retrying);
        assert_eq!(article.page_failure.unwrap().kind, ErrorKind::Timeout);
        assert_eq!(room.store.due_pages(&everything_due()).await.unwrap(), []);
        let again = room.store.due_pages(&Claim { now: later(30), ..everything_due() }).await.unwrap();
        assert_eq!(again[0].attempts, 1);
        assert_eq!(room.store.backlog(noon()).await.unwrap().next_due, Some(later(30)));
    }

    async fn a_page_that_failed_for_good_leaves_the_feed_s_word(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        poll(&room.store, id, vec![Announcement { summary: Some("The feed's word".into()), ..entry("https://example.org/a") }]).await;
        let due = due_page(&room.store, "https://example.org/a").await;
        let found = ScrapedArticle { authors: vec!["Jane".into()], language: Some("en".into()), ..scraped("https://example.org/a", "Not this", "") };
        let failed = ScrapeReport {
            at: noon(),
            cost: Cost::default(),
            result: ScrapeResult::Failed { failure: Failure::new(ErrorKind::NotHtml, "a PDF"), found: Some(Box::new(found)) },
        };

        let saved = room.store.record_scrape(&due, failed).await.unwrap();

        let article = all(&room.store).await.remove(0);
        assert_eq!(saved, Saved::Failed(ErrorKind::NotHtml));
        assert_eq!(article.page_state, PageState::Failed);
        assert_eq!(article.text, "The feed's word");
        assert_eq!(article.title.as_deref(), Some("About https://example.org/a"));
        assert_eq!(article.authors, ["Jane"]);
        assert_eq!(article.language.as_deref(), Some("en"));
        assert_eq!(room.store.due_pages(&everything_due()).await.unwrap(), []);
        let status = room.store.status(noon()).await.unwrap();
        assert_eq!(status.page_failures, [(ErrorKind::NotHtml, 1)]);
    }

    async fn recording_a_scrape_twice_changes_nothing(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        poll(&room.store, id, vec![entry("https://example.org/a")]).await;
        let due = due_page(&room.store, "https://example.org/a").await;
        let report = ScrapeReport {
            at: noon(),
            cost: Cost::default(),
            result: ScrapeResult::Article(Box::new(scraped("https://example.org/a", "A", &words(60, "a")))),
        };

        room.store.record_scrape(&due, report.clone()).await.unwrap();
        let once = all(&room.store).await;
        room.store.record_scrape(&due, report).await.unwrap();

        assert_eq!(all(&room.store).await, once);
        let status = room.store.status(noon()).await.unwrap();
        assert_eq!(status.pages.iter().map(|(_, n)| n).sum::<u64>(), 1);
    }

    async fn two_urls_of_one_page_become_one_article(room: Room) {
        let first = subscribe(&room.store, listed("https://one.example/feed")).await;
        let second = subscribe(&room.store, listed("https://two.example/feed")).await;
        let text = words(80, "word");
        poll_earlier(&room.store, first, vec![entry("https://example.org/story")]).await;
        poll(&room.store, second, vec![entry("https://short.example/x1")]).await;
        scrape(&room.store, "https://example.org/story", scraped("https://example.org/story", "A storm", &text)).await;
        let oldest = article(&room.store, "https://example.org/story").await.unwrap().id;

        let redirected = ScrapedArticle {
            aliases: vec![alias("https://example.org/story", AliasReason::Redirect)],
            ..scraped("https://example.org/story", "A storm", &text)
        };
        let saved = scrape(&room.store, "https://short.example/x1", redirected).await;

        let articles = all(&room.store).await;
        assert_eq!(saved, Saved::Merged { into: oldest });
        assert_eq!(articles.len(), 1);
        assert_eq!(articles[0].url.as_deref(), Some("https://example.org/story"));
        assert_eq!(articles[0].feed_urls, ["https://one.example/feed", "https://two.example/feed"]);
        assert_eq!(article(&room.store, "https://short.example/x1").await.unwrap().id, oldest);
        assert_eq!(feed(&room.store, second).await.article_count, 1);
        assert_eq!(room.store.status(noon()).await.unwrap().n_articles, 1);
        assert_eq!(room.store.check().await.unwrap().iter().filter(|line| !line.contains("search index")).count(), 0);
    }

    async fn the_older_article_stays_whichever_page_comes_first(room: Room) {
        let id = subscribe(&room.store, listed("https://example.net/feed")).await;
        let text = words(80, "word");
        poll_earlier(&room.store, id, vec![entry("https://example.org/story")]).await;
        poll(&room.store, id, vec![entry("https://short.example/x1")]).await;
        let oldest = article(&room.store, "https://example.org/story").await.unwrap().id;
        let redirected = || ScrapedArticle {
            aliases: vec![alias("https://example.org/story", AliasReason::Redirect)],
            ..scraped("https://example.org/story", "A storm", &text)
        };

        let younger = scrape(&room.store, "https://short.example/x1", redirected()).await;
        let older = scrape(&room.store, "https://example.org/story", scraped("https://example.org/story", "A storm", &text)).await;

        let articles = all(&room.store).await;
        assert!(matches!(younger, Saved::Article(_)));
        assert_eq!(older, Saved::Article(oldest));
        assert_eq!(articles.len(), 1);
        assert_eq!(articles[0].id, oldest);
        assert_eq!(feed(&room.store, id).await.article_count, 1);
    }

    async fn a_foreign_claim_alone_merges_nothing(room: Room) {
        let id = subscribe(&room.store, listed("https://example.net/feed")).await;
        poll(&room.store, id, vec![entry("https://example.org/victim")]).await;
        poll(&room.store, id, vec![entry("https://evil.example/x")]).await;
        scrape(&room.store, "https://example.org/victim", scraped("https://example.org/victim", "A storm", &words(80, "storm"))).await;

        let claim = ScrapedArticle {
            aliases: vec![alias("https://example.org/victim", AliasReason::Canonical)],
            ..scraped("https://evil.example/x", "Buy this", &words(80, "spam"))
        };
        let saved = scrape(&room.store, "https://evil.example/x", claim).await;

        assert!(matches!(saved, Saved::Article(_)));
        assert_eq!(all(&room.store).await.len(), 2);
        let owner = article(&room.store, "https://example.org/victim").await.unwrap();
        assert_eq!(owner.title.as_deref(), Some("A storm"));
    }

    async fn a_page_merged_while_it_was_fetched_says_where_it_went(room: Room) {
        let id = subscribe(&room.store, listed("https://example.net/feed")).await;
        let text = words(80, "word");
        poll_earlier(&room.store, id, vec![entry("https://example.org/story")]).await;
        poll(&room.store, id, vec![entry("https://short.example/x1")]).await;
        let oldest = article(&room.store, "https://example.org/story").await.unwrap().id;
        let due = due_page(&room.store, "https://short.example/x1").await;
        let result = ScrapedArticle {
            aliases: vec![alias("https://example.org/story", AliasReason::Redirect)],
            ..scraped("https://example.org/story", "A storm", &text)
        };
        let report = ScrapeReport { at: noon(), cost: Cost::default(), result: ScrapeResult::Article(Box::new(result)) };
        scrape(&room.store, "https://example.org/story", scraped("https://example.org/story", "A storm", &text)).await;

        let first = room.store.record_scrape(&due, report.clone()).await.unwrap();
        let again = room.store.record_scrape(&due, report).await.unwrap();

        assert_eq!(first, Saved::Merged { into: oldest });
        assert_eq!(again, Saved::Merged { into: oldest });
    }
}

// The queue.

promise! {
    async fn ten_thousand_pages_of_one_host_hide_no_other(room: Room) {
        let id = subscribe(&room.store, listed("https://big.example/feed")).await;
        for part in 0..5 {
            let many = (0..2000).map(|n| entry(&format!("https://big.example/{part}/{n}"))).collect();
            poll(&room.store, id, many).await;
        }
        poll(&room.store, id, vec![entry("https://small.example/a")]).await;

        let all_hosts = room.store.due_pages(&everything_due()).await.unwrap();
        let busy = Claim { busy: vec![HostKey::stored("big.example".into())], ..everything_due() };
        let others = room.store.due_pages(&busy).await.unwrap();

        let hosts = |due: &[DuePage]| due.iter().map(|due| due.host.to_string()).collect::<Vec<_>>();
        assert_eq!(hosts(&all_hosts), ["big.example", "small.example"]);
        assert_eq!(hosts(&others), ["small.example"]);
        assert_eq!(room.store.backlog(noon()).await.unwrap().due_pages, 10_001);
    }

    async fn due_feeds_come_oldest_first_and_one_per_host(room: Room) {
        for (url, minutes) in [
            ("https://b.example/1", 0),
            ("https://a.example/1", -5),
            ("https://a.example/2", -10),
            ("https://c.example/1", 5),
        ] {
            let feed = NewFeed { listed: listed(url), file: None };
            room.store.subscribe(feed, later(minutes)).await.unwrap();
        }

        let due = room.store.due_feeds(&everything_due()).await.unwrap();
        let one = room.store.due_feeds(&Claim { limit: 1, ..everything_due() }).await.unwrap();

        let urls = |due: &[DueFeed]| due.iter().map(|due| due.url.to_string()).collect::<Vec<_>>();
        assert_eq!(urls(&due), ["https://a.example/2", "https://b.example/1"]);
        assert_eq!(urls(&one), ["https://a.example/2"]);
        assert_eq!(room.store.backlog(noon()).await.unwrap().due_feeds, 3);
    }

    async fn work_under_an_old_epoch_is_fenced_off(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        let mut due = due_feed(&room.store, id).await;
        due.lease.epoch += 1;

        let late = room.store.record_poll(&due, report(reading(vec![entry("https://example.org/a")]))).await;

        assert!(matches!(late, Err(StoreError::Fenced)));
        assert_eq!(all(&room.store).await, []);
    }

    async fn a_poll_that_cannot_be_recorded_leaves_nothing(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        let mut due = due_feed(&room.store, id).await;
        due.feed = FeedId(99);

        let failed = room.store.record_poll(&due, report(reading(vec![entry("https://example.org/a")]))).await;

        assert!(failed.is_err());
        assert_eq!(all(&room.store).await, []);
        assert_eq!(room.store.due_pages(&everything_due()).await.unwrap(), []);
        assert_eq!(room.store.status(noon()).await.unwrap().n_articles, 0);
        assert_eq!(feed(&room.store, id).await.state, FeedState::Pending);
    }

    async fn a_restart_keeps_due_times_and_gives_no_id_twice(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        poll(&room.store, id, vec![entry("https://example.org/a")]).await;

        let room = room.reopened().await;

        assert_eq!(room.store.due_feeds(&everything_due()).await.unwrap(), []);
        assert_eq!(room.store.due_pages(&everything_due()).await.unwrap().len(), 1);
        poll(&room.store, id, vec![entry("https://example.org/b")]).await;
        let first = article(&room.store, "https://example.org/a").await.unwrap().id;
        let second = article(&room.store, "https://example.org/b").await.unwrap().id;
        assert!(first < second);
    }

    async fn many_writers_at_once_lose_nothing(room: Room) {
        let mut feeds = Vec::new();
        for n in 0..100 {
            feeds.push(subscribe(&room.store, listed(&format!("https://host{n}.example/feed"))).await);
        }
        let due = room.store.due_feeds(&everything_due()).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for due in due {
            let store = room.store.clone();
            tasks.spawn(async move {
                let own = format!("{}/own", due.url);
                let entries = vec![entry("https://shared.example/story"), entry(&own)];
                store.record_poll(&due, report(reading(entries))).await.unwrap()
            });
        }

        let recorded = tasks.join_all().await;

        assert_eq!(recorded.iter().map(|poll| poll.n_new).sum::<usize>(), 101);
        assert_eq!(recorded.iter().map(|poll| poll.n_shared).sum::<usize>(), 99);
        assert_eq!(room.store.status(noon()).await.unwrap().n_articles, 101);
    }
}

// Listings.

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

promise! {
    async fn paging_gives_each_article_once_newest_first(room: Room) {
        let id = fill(&room.store, 50).await;

        for feed in [None, Some(id)] {
            let mut seen = Vec::new();
            let mut cursor = None;
            loop {
                let query = ArticleQuery { limit: 7, cursor, feed, ..ArticleQuery::default() };
                let listing = room.store.articles(&query).await.unwrap();
                seen.extend(listing.articles.iter().map(|article| (article.sort_at, article.id)));
                cursor = listing.next.map(|next| Cursor::decode(&next.encode()).unwrap());
                if cursor.is_none() {
                    break;
                }
            }

            assert_eq!(seen.len(), 50);
            assert!(seen.windows(2).all(|pair| pair[0] > pair[1]));
        }
    }

    async fn a_head_carries_no_body(room: Room) {
        let id = subscribe(&room.store, listed("https://example.org/feed")).await;
        poll(&room.store, id, vec![Announcement { content_text: Some("body".into()), ..entry("https://example.org/a") }]).await;

        let head = room.store.articles(&ArticleQuery::default()).await.unwrap().articles.remove(0);

        assert_eq!((head.text.as_str(), head.markdown.as_str(), head.html.as_str()), ("", "", ""));
        assert_eq!(head.word_count, 1);
        assert_eq!(all(&room.store).await[0].text, "body");
    }

    async fn the_status_counts_what_is_there(room: Room) {
        let id = fill(&room.store, 3).await;
        scrape(&room.store, "https://example.org/2", scraped("https://example.org/2", "T", &words(60, "x"))).await;
        room.store.retire(id, noon()).await.unwrap();

        let status = room.store.status(later(1)).await.unwrap();

        assert_eq!(status.n_articles, 3);
        assert_eq!(status.pages[0], (PageState::Pending, 2));
        assert_eq!(status.pages[1], (PageState::Scraped, 1));
        assert_eq!(status.feeds[5], (FeedState::Retired, 1));
        assert_eq!((status.polls_day, status.failed_polls_day, status.articles_day), (1, 0, 3));
        assert!(status.store_bytes > 0);
        assert_eq!(status.index_lag, 3);
    }

    async fn a_note_outlives_the_process(room: Room) {
        room.store.set_note("reload", "2 feeds added").await.unwrap();
        room.store.set_note("reload", "3 feeds added").await.unwrap();

        let room = room.reopened().await;

        assert_eq!(room.store.note("reload").await.unwrap().as_deref(), Some("3 feeds added"));
        assert_eq!(room.store.note("other").await.unwrap(), None);
    }

    async fn a_closed_store_says_so(room: Room) {
        let clone = room.store.clone();
        room.store.close().await.unwrap();

        assert!(clone.feeds().await.is_err());
        assert!(clone.set_note("a", "b").await.is_err());
    }
}

// SQLite in particular: the file, its lock, its readers.

fn open_as_people_do(path: &Path) -> rusqlite::Connection {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    rusqlite::Connection::open_with_flags(path, flags).unwrap()
}

#[tokio::test]
async fn a_second_daemon_is_refused_by_the_first_one_s_process_id() {
    let room = Room::sqlite().await;
    let before = std::fs::read(room.path()).unwrap();

    let second = Store::open(&room.settings, Access::Daemon).await;

    assert!(
        matches!(second, Err(StoreError::Locked { pid, .. }) if pid == std::process::id()),
        "{second:?}"
    );
    assert_eq!(std::fs::read(room.path()).unwrap(), before);
    assert_eq!(
        Store::daemon_process(&room.settings),
        Some(std::process::id())
    );
    room.store.close().await.unwrap();
    assert_eq!(Store::daemon_process(&room.settings), None);
}

#[tokio::test]
async fn commands_and_readers_work_beside_the_daemon() {
    let room = Room::sqlite().await;
    let command = Store::open(&room.settings, Access::Command).await.unwrap();
    let reader = Store::open(&room.settings, Access::Reader).await.unwrap();

    let id = subscribe(&command, listed("https://example.org/feed")).await;
    poll(&room.store, id, vec![entry("https://example.org/a")]).await;
    poll(&command, id, vec![entry("https://example.org/b")]).await;
    poll(&room.store, id, vec![entry("https://example.org/c")]).await;

    let ids: Vec<ArticleId> = all(&reader)
        .await
        .iter()
        .map(|article| article.id)
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(matches!(
        reader.set_note("a", "b").await,
        Err(StoreError::Unwritable { .. })
    ));
}

#[tokio::test]
async fn a_command_makes_the_store_when_no_daemon_runs() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        path: folder.path().join("deep/er/news.db"),
    };

    let command = Store::open(&settings, Access::Command).await.unwrap();
    subscribe(&command, listed("https://example.org/feed")).await;
    let daemon = Store::open(&settings, Access::Daemon).await.unwrap();

    assert_eq!(daemon.feeds().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_reader_makes_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        path: folder.path().join("news.db"),
    };

    let opened = Store::open(&settings, Access::Reader).await;

    assert!(matches!(opened, Err(StoreError::Missing { .. })));
    assert!(!settings.path.exists());
}

#[tokio::test]
async fn a_later_version_s_store_is_refused() {
    let room = Room::sqlite().await;
    room.store.close().await.unwrap();
    rusqlite::Connection::open(&room.settings.path)
        .unwrap()
        .pragma_update(None, "user_version", 999)
        .unwrap();

    for access in [Access::Daemon, Access::Command, Access::Reader] {
        let opened = Store::open(&room.settings, access).await;

        assert!(
            matches!(opened, Err(StoreError::Newer { found: 999, .. })),
            "{opened:?}"
        );
    }
}

#[tokio::test]
async fn damaged_and_foreign_files_are_told_apart_from_stores() {
    let folder = tempfile::tempdir().unwrap();
    let settings = |name: &str| Settings {
        path: folder.path().join(name),
    };
    std::fs::write(settings("noise.db").path, "no database at all".repeat(1000)).unwrap();
    rusqlite::Connection::open(settings("foreign.db").path)
        .unwrap()
        .execute_batch("CREATE TABLE a (b)")
        .unwrap();

    for name in ["noise.db", "foreign.db"] {
        for access in [Access::Daemon, Access::Command, Access::Reader] {
            let opened = Store::open(&settings(name), access).await;

            assert!(
                matches!(opened, Err(StoreError::Corrupt { .. })),
                "{name}: {opened:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_folder_that_cannot_hold_a_store_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let settings = Settings {
        path: folder.path().join("file/news.db"),
    };

    let opened = Store::open(&settings, Access::Daemon).await;

    assert!(
        matches!(opened, Err(StoreError::Unwritable { .. })),
        "{opened:?}"
    );
}

#[tokio::test]
async fn people_read_the_views_while_the_daemon_writes() {
    let room = Room::sqlite().await;
    let id = fill(&room.store, 3).await;
    let people = open_as_people_do(room.path());
    let titles = |people: &rusqlite::Connection| -> i64 {
        people
            .query_row(
                "SELECT count(*) FROM articles WHERE first_seen = '2026-11-23T12:00:00Z'",
                [],
                |row| row.get(0),
            )
            .unwrap()
    };

    let before = titles(&people);
    poll(&room.store, id, vec![entry("https://example.org/more")]).await;
    let after = titles(&people);

    assert_eq!((before, after), (3, 4));
    for view in [
        "articles",
        "feeds",
        "polls",
        "sightings",
        "authors",
        "tags",
        "aliases",
        "page_queue",
    ] {
        let sql = format!("SELECT * FROM {view}");
        let mut statement = people.prepare(&sql).unwrap();
        let n = statement.query_map([], |_| Ok(())).unwrap().count();
        assert!(n > 0 || matches!(view, "authors" | "tags"), "{view}");
    }
}

#[tokio::test]
async fn a_backup_is_a_store_and_overwrites_nothing() {
    let room = Room::sqlite().await;
    fill(&room.store, 3).await;
    let copy: PathBuf = room.folder.path().join("copy.db");

    let size = room.store.backup(&copy).await.unwrap();
    let again = room.store.backup(&copy).await;

    assert_eq!(size, std::fs::metadata(&copy).unwrap().len());
    assert!(matches!(again, Err(StoreError::Unwritable { .. })));
    let restored = Store::open(&Settings { path: copy }, Access::Daemon)
        .await
        .unwrap();
    assert_eq!(all(&restored).await, all(&room.store).await);
    assert_eq!(
        restored.due_pages(&everything_due()).await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn a_sound_store_has_no_findings() {
    let room = Room::sqlite().await;
    fill(&room.store, 3).await;
    room.store.index().await.unwrap();

    assert_eq!(room.store.check().await.unwrap(), Vec::<String>::new());
}

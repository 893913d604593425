//! An archive moves between databases, and is the same there.

#![allow(clippy::unwrap_used, reason = "in tests an unwrap is an assertion")]

use std::path::Path;

use tokio::task::JoinSet;
use wireroom::export;
use wireroom::feed_list::ListedFeed;
use wireroom::model::{ErrorKind, Failure};
use wireroom::query::{ArticleQuery, Parts};
use wireroom::store::{
    Access, Announcement, ArticleName, Progress, ScrapeReport, ScrapeResult, ScrapedArticle,
    Settings, Status, Step, Store,
};

use crate::store_contract::{
    Room, entry, everything_due, later, listed, noon, poll, postgres_at, scrape, scraped,
    subscribe, words,
};
use crate::support::postgres::{Database, database};
use crate::support::room::{self, page, rss};
use crate::support::site::{Reply, Site};

/// Everything that a person can get out of an archive.
#[derive(Debug, PartialEq)]
struct Everything {
    jsonl: String,
    csv: String,
    markdown: Vec<(String, String)>,
    feeds: String,
    status: Status,
}

async fn everything(store: &Store) -> Everything {
    let exported = async |format| {
        let query = ArticleQuery {
            parts: Parts::Whole,
            limit: 0,
            ..ArticleQuery::default()
        };
        let mut text = Vec::new();
        export::write(store, query, format, &mut text)
            .await
            .unwrap();
        String::from_utf8(text).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let query = ArticleQuery {
        parts: Parts::Whole,
        ..ArticleQuery::default()
    };
    export::write_folder(store, query, folder.path())
        .await
        .unwrap();
    Everything {
        jsonl: exported(export::Format::Jsonl).await,
        csv: exported(export::Format::Csv).await,
        markdown: documents(folder.path()),
        feeds: format!("{:#?}", store.feeds().await.unwrap()),
        status: Status {
            // What differs by nature.
            store_bytes: 0,
            search_bytes: 0,
            index_lag: 0,
            ..store.status(later(2)).await.unwrap()
        },
    }
}

/// All documents below a folder, by their names.
fn documents(folder: &Path) -> Vec<(String, String)> {
    let mut documents = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => left.push(path),
                false => {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let name = path.file_name().unwrap().to_string_lossy().into_owned();
                    documents.push((name, text));
                }
            }
        }
    }
    documents.sort();
    documents
}

/// `n` articles of ten feeds, with all that an archive can hold of them.
async fn fill(store: &Store, n: usize) {
    let mut feeds = Vec::new();
    for place in 0..10 {
        let feed = ListedFeed {
            title: (place % 2 == 0).then(|| format!("Feed {place}")),
            tags: vec![format!("Tag/{place}")],
            ..listed(&format!("https://host{place}.example/feed"))
        };
        feeds.push(subscribe(store, feed).await);
    }
    for (place, feed) in feeds.iter().enumerate() {
        let entries = (0..n / 10).map(|i| Announcement {
            title: Some(format!("Story {i} of \u{1f389} \"{place}\"")),
            summary: (i % 3 == 0).then(|| "It's a summary\n\\".to_owned()),
            content_text: Some(words(40, "body")),
            content_html: Some(format!("<p>{}</p>", words(400, "body"))),
            authors: vec!["Jane Doe".into()],
            tags: vec!["World/Asia".into()],
            // Whole groups share a time.
            published: (i % 5 > 0).then(|| later(-(i as i64 / 7))),
            ..entry(&format!("https://host{place}.example/{i}"))
        });
        poll(store, *feed, entries.collect()).await;
    }
    store.retire(feeds[9], noon()).await.unwrap();
    store.set_note("reload", "ten feeds").await.unwrap();
    for place in 0..8 {
        // The oldest of each host is due first.
        let due = store.due_pages(&everything_due()).await.unwrap();
        let page = &due[place % due.len()];
        let url = page.url.as_str().to_owned();
        if place == 7 {
            let failed = ScrapeReport {
                at: later(1),
                cost: Default::default(),
                manners: Default::default(),
                result: ScrapeResult::Failed {
                    failure: Failure::new(ErrorKind::NotFound, "404"),
                    found: None,
                },
            };
            store.record_scrape(page, failed).await.unwrap();
        } else {
            let article = ScrapedArticle {
                language: Some("de-AT".into()),
                tags: vec!["keyword".into()],
                ..scraped(&url, &format!("Page {place}"), &words(300, "page"))
            };
            scrape(store, &url, article).await;
        }
    }
}

fn settings_of(database: &Database<'_>) -> Settings {
    Settings::Postgres(postgres_at(&database.url()))
}

/// Closed, so that nobody uses it.
async fn filled(n: usize) -> (Room, Everything) {
    let room = Room::sqlite().await;
    fill(&room.store, n).await;
    let before = everything(&room.store).await;
    room.store.clone().close().await.unwrap();
    (room, before)
}

async fn read(settings: &Settings) -> Everything {
    let store = Store::open(settings, Access::Reader).await.unwrap();
    everything(&store).await
}

async fn both_ways(n: usize) {
    let Some(database) = database() else {
        return;
    };
    let (room, before) = filled(n).await;
    let there = settings_of(&database);
    let folder = tempfile::tempdir().unwrap();
    let back = Settings::Sqlite(folder.path().join("back.db"));

    let moved = Store::move_archive(&room.settings, &there, |_| {})
        .await
        .unwrap();
    let on_postgres = read(&there).await;
    let returned = Store::move_archive(&there, &back, |_| {}).await.unwrap();
    let on_sqlite = read(&back).await;

    let n_articles = moved.tables.iter().find(|(table, _)| *table == "article");
    assert_eq!(n_articles, Some(&("article", n as u64)));
    assert_eq!(moved, returned);
    assert!(before.jsonl.lines().count() == n && before.markdown.len() == n);
    assert_eq!(on_postgres, before);
    assert_eq!(on_sqlite, before);
}

#[tokio::test]
async fn an_archive_is_the_same_there_and_back() {
    // Ten thousand were moved before a release: see docs/operations.md.
    let n = std::env::var("WIREROOM_TEST_MOVED").ok();
    both_ways(n.and_then(|n| n.parse().ok()).unwrap_or(300)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moved_archive_goes_on_where_it_was() {
    let Some(database) = database() else {
        return;
    };
    let (room, _) = filled(30).await;
    let there = settings_of(&database);
    Store::move_archive(&room.settings, &there, |_| {})
        .await
        .unwrap();

    let store = Store::open(&there, Access::Daemon).await.unwrap();
    let n_indexed = store.index().await.unwrap();
    let feed = subscribe(&store, listed("https://new.example/feed")).await;
    let known = poll(
        &store,
        wireroom::model::FeedId(1),
        vec![entry("https://host0.example/0")],
    );
    let known = known.await;
    let new = poll(&store, feed, vec![entry("https://new.example/a")]).await;

    let found = store
        .article(&ArticleName::Url("https://new.example/a".into()))
        .await
        .unwrap()
        .unwrap();
    let query = ArticleQuery {
        limit: 100,
        ..ArticleQuery::default()
    };
    let all = store.articles(&query).await.unwrap().articles;
    assert_eq!(n_indexed, 30);
    assert_eq!((known.n_known, known.n_new, new.n_new), (1, 0, 1));
    assert_eq!(all.len(), 31);
    assert!(all.iter().all(|article| article.id <= found.id));
}

#[tokio::test]
async fn a_move_that_was_broken_off_goes_on() {
    let Some(database) = database() else {
        return;
    };
    let (room, before) = filled(300).await;
    let there = settings_of(&database);

    for stop_at in [2, 5, 9] {
        let mut n_batches = 0;
        let broken = {
            let (from, to) = (room.settings.clone(), there.clone());
            let mut moving = JoinSet::new();
            moving.spawn(async move {
                Store::move_archive(&from, &to, |_| {
                    n_batches += 1;
                    assert!(n_batches < stop_at, "broken off");
                })
                .await
            });
            moving.join_next().await.unwrap()
        };
        assert!(broken.unwrap_err().is_panic());
    }
    let too_early = Store::open(&there, Access::Daemon).await.unwrap_err();
    assert!(
        too_early.to_string().contains("wireroom migrate"),
        "{too_early}"
    );
    let mut steps = Vec::new();
    let moved = Store::move_archive(&room.settings, &there, |progress: Progress| {
        steps.push(progress);
    });
    moved.await.unwrap();

    let last = steps.last().unwrap();
    assert_eq!(last.step, Step::Compare("poll_log"));
    assert_eq!(last.n_done, last.n_total);
    assert_eq!(read(&there).await, before);
    assert_eq!(
        database.number("SELECT count(*) FROM note WHERE name LIKE 'move%'"),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_moves_an_archive_which_then_goes_on() {
    let Some(database) = database() else {
        return;
    };
    let site = Site::start().await;
    let items = [
        ("Ferry", site.url("/a"), "g-1"),
        ("Harbour", site.url("/b"), "g-2"),
    ];
    site.serve(
        "/feed.xml",
        Reply::new("application/rss+xml", rss("Gazette", &items)),
    );
    site.serve("/a", Reply::html(&page("Ferry", "the ferry")));
    site.serve(
        "/b",
        Reply::html(&page("Harbour", "the harbour and the ferry")),
    );
    let room = room::Room::subscribed_to(&[site.url("/feed.xml")]);
    room.run_once();
    let there = |args: &[&str]| -> String {
        let mut command = room.command(args);
        let output = command.env("WIREROOM__STORE__URL", database.url()).output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    };

    let moved = room.ok(&["migrate", "--to", &database.url(), "--json"]);
    let again = room.fails(1, &["migrate", "--to", &database.url()]);

    let moved: serde_json::Value = serde_json::from_str(&moved).unwrap();
    assert_eq!(moved["rows"]["article"], 2);
    assert!(again.contains("holds an archive already"), "{again}");
    let same: [&[&str]; 5] = [
        &["export"],
        &["export", "--format", "csv"],
        &["export-opml"],
        &["list", "--json"],
        &["feed", "list", "--json"],
    ];
    for args in same {
        assert_eq!(there(args), room.ok(args), "{args:?}");
    }
    there(&["run", "--once"]);
    let ranked = there(&["search", "--rank", "--json", "ferry"]);
    let ranked: Vec<serde_json::Value> = room::lines(&ranked);
    let titles: Vec<&str> = ranked
        .iter()
        .filter_map(|found| found["title"].as_str())
        .collect();
    assert_eq!(titles, ["Ferry", "Harbour"]);
    assert!(ranked[0]["score"].as_f64() > ranked[1]["score"].as_f64());
    assert!(
        there(&["search", "--json", "ferry"])
            .find("\"score\"")
            .is_none()
    );
}

#[tokio::test]
async fn what_is_in_use_or_not_empty_is_left_alone() {
    let Some(database) = database() else {
        return;
    };
    let there = settings_of(&database);
    let (room, _) = filled(10).await;
    let other = Room::sqlite().await;
    let refused = async |from: &Settings, to: &Settings| -> String {
        let moved = Store::move_archive(from, to, |_| {}).await;
        moved.unwrap_err().to_string()
    };

    let same = refused(&room.settings, &room.settings).await;
    let locked = refused(&room.settings, &other.settings).await;
    let missing = Settings::Sqlite(room.path().with_file_name("nothing.db"));
    let missing = refused(&missing, &there).await;
    let worker = Store::open(&there, Access::Daemon).await.unwrap();
    subscribe(&worker, listed("https://example.org/feed")).await;
    let alive = refused(&room.settings, &there).await;
    worker.close().await.unwrap();
    let full = refused(&room.settings, &there).await;

    assert!(same.contains("already"), "{same}");
    assert!(locked.contains("stop it first"), "{locked}");
    assert!(missing.contains("there is no store"), "{missing}");
    assert!(alive.contains("stop them first"), "{alive}");
    assert!(full.contains("holds an archive already"), "{full}");
    assert_eq!(database.number("SELECT count(*) FROM article"), 0);
}

#[tokio::test]
async fn a_difference_at_the_end_is_found() {
    let Some(database) = database() else {
        return;
    };
    let (room, _) = filled(20).await;
    let there = settings_of(&database);
    let mut is_changed = false;

    let moved = Store::move_archive(&room.settings, &there, |progress| {
        if progress.step == Step::Compare("feed") && !is_changed {
            is_changed = true;
            database.ask(
                "UPDATE article SET title = 'changed' WHERE id = (SELECT max(id) FROM article)",
            );
        }
    });

    let error = moved.await.unwrap_err().to_string();
    assert!(
        error.contains("table article") && error.contains("begin again"),
        "{error}"
    );
}

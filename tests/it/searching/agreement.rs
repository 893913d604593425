//! The same archive in both databases gives the same answers in the same order.

use proptest::collection::vec;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::store_contract::postgres_at;
use crate::support::postgres::database;
use wireroom::store::Settings;

const WORDS: &[&str] = &[
    "new",
    "york",
    "news",
    "storm",
    "Storm,",
    "élan",
    "elan",
    "C++",
    "don't",
    "東京",
    "京",
    "都は",
    "🎉",
    "multi-agent",
    "agent",
    "a",
    "b",
];

/// Some words, with what stands between them.
fn text(n: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    vec(select(WORDS), n).prop_map(|words| words.join(" "))
}

/// One entry of one of three feeds, at one of a few times, so that many share theirs.
fn told() -> impl Strategy<Value = (usize, Announcement)> {
    (
        0_usize..3,
        text(0..4),
        text(0..12),
        vec(text(1..3), 0..3),
        vec(select(&["World/Asia", "World", "x"][..]), 0..2),
        0_i64..4,
    )
        .prop_map(|(feed, title, body, authors, tags, minutes)| {
            let announcement = Announcement {
                title: Some(title),
                content_text: Some(body),
                authors,
                tags: tags.into_iter().map(str::to_owned).collect(),
                published: Some(later(-minutes)),
                ..Announcement::default()
            };
            (feed, announcement)
        })
}

fn term() -> impl Strategy<Value = String> {
    let word = select(WORDS).prop_map(str::to_owned);
    let prefix =
        select(&["ne", "st", "e", "東", "multi-ag"][..]).prop_map(|word| format!("{word}*"));
    let phrase = text(2..4).prop_map(|words| format!("\"{words}\""));
    let fields = &[
        "title:",
        "author:",
        "site:example",
        "site:b.example",
        "tag:world",
        "tag:world/asia",
        "tag:many",
        "feed:2",
        "feed:\"third feed\"",
        "feed:none",
        "lang:de",
    ][..];
    let field = (select(fields), text(1..3)).prop_map(|(field, words)| match field {
        "title:" | "author:" => format!("{field}\"{words}\""),
        field => field.to_owned(),
    });
    prop_oneof![4 => word, 1 => prefix, 3 => phrase, 2 => field]
}

fn search() -> impl Strategy<Value = String> {
    let expression = term().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" "))),
            vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" OR "))),
            inner.prop_map(|part| format!("-({part})")),
        ]
    });
    let bound = select(
        &[
            "",
            " after:2026-11-23T11:58:00Z",
            " before:2026-11-23T11:59:00Z",
        ][..],
    );
    (expression, bound).prop_map(|(expression, bound)| format!("{expression}{bound}"))
}

/// All answers, a few at a time.
async fn ids(store: &Store, search: &SearchExpr, feed: Option<FeedId>) -> Vec<(i64, i64)> {
    let mut ids = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let query = ArticleQuery {
            search: Some(search.clone()),
            feed,
            cursor,
            limit: 7,
            ..ArticleQuery::default()
        };
        let listing = store.articles(&query).await.unwrap();
        assert_eq!(listing.index_lag, 0);
        let of =
            |article: wireroom::store::Article| (article.sort_at.as_millisecond(), article.id.0);
        ids.extend(listing.articles.into_iter().map(of));
        assert!(ids.len() < 1000, "a cursor that does not move");
        cursor = listing.next;
        if cursor.is_none() {
            return ids;
        }
    }
}

/// The best answers, a few at a time, with their scores.
async fn ranked(store: &Store, search: &SearchExpr, feed: Option<FeedId>) -> Vec<(i64, f64)> {
    let mut answers = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let query = ArticleQuery {
            search: Some(search.clone()),
            feed,
            cursor,
            order: Order::Rank,
            limit: 20,
            ..ArticleQuery::default()
        };
        let listing = store.articles(&query).await.unwrap();
        let scores = listing.ranked.map_or_else(Vec::new, |ranked| ranked.scores);
        let ids = listing.articles.iter().map(|article| article.id.0);
        answers.extend(ids.zip(scores));
        cursor = listing.next;
        if cursor.is_none() {
            return answers;
        }
    }
}

/// The same archive twice: on SQLite as it was recorded, on PostgreSQL as it was moved.
async fn recorded_and_moved(
    entries: Vec<(usize, Announcement)>,
    settings: &Settings,
) -> (Room, Store, Store) {
    let room = Room::sqlite().await;
    let mut feeds = Vec::new();
    for (url, title, tag) in [
        ("https://a.example/feed", None, "Many"),
        ("https://b.example/feed", None, "Many/Few"),
        ("https://c.test/feed", Some("The Third Feed"), "one"),
    ] {
        let feed = ListedFeed {
            title: title.map(str::to_owned),
            tags: vec![tag.to_owned()],
            ..listed(url)
        };
        feeds.push(subscribe(&room.store, feed).await);
    }
    let hosts = ["a.example", "www.b.example", "c.test"];
    for (place, feed) in feeds.iter().enumerate() {
        let entries = entries
            .iter()
            .enumerate()
            .filter(|(_, (of, _))| *of == place)
            .map(|(n, (_, told))| Announcement {
                title: told.title.clone(),
                content_text: told.content_text.clone(),
                authors: told.authors.clone(),
                tags: told.tags.clone(),
                published: told.published,
                ..entry(&format!("https://{}/{n}", hosts[place]))
            });
        poll(&room.store, *feed, entries.collect()).await;
    }
    room.store.index().await.unwrap();
    room.store.clone().close().await.unwrap();
    Store::move_archive(&room.settings, settings, |_| {})
        .await
        .unwrap();
    let moved = Store::open(settings, Access::Command).await.unwrap();
    moved.index().await.unwrap();
    let recorded = Store::open(&room.settings, Access::Reader).await.unwrap();
    (room, recorded, moved)
}

#[test]
fn both_databases_answer_alike() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut corpora = TestRunner::new(Config::with_cases(2));
    corpora
        .run(&vec(told(), 60..90), |entries| {
            let Some(database) = database() else {
                return Ok(());
            };
            let settings = Settings::Postgres(postgres_at(&database.url()));
            let (_room, recorded, moved) = runtime.block_on(recorded_and_moved(entries, &settings));
            let mut searches = TestRunner::new(Config::with_cases(150));
            let answer = searches.run(&(search(), prop::option::of(1_i64..4)), |(text, feed)| {
                let search = parse(&text);
                let feed = feed.map(FeedId);
                let (here, there) = runtime.block_on(async {
                    (
                        ids(&recorded, &search, feed).await,
                        ids(&moved, &search, feed).await,
                    )
                });
                prop_assert_eq!(here.len(), there.len(), "{}", text);
                prop_assert!(here.windows(2).all(|pair| pair[0] > pair[1]), "{}", text);
                prop_assert_eq!(here, there, "{}", text);
                let (here, there) = runtime.block_on(async {
                    (
                        ranked(&recorded, &search, feed).await,
                        ranked(&moved, &search, feed).await,
                    )
                });
                prop_assert_eq!(here, there, "{}", text);
                Ok(())
            });
            answer.map_err(|error| TestCaseError::fail(error.to_string()))
        })
        .unwrap();
}

//! Full-text search, through the store.

#![allow(clippy::unwrap_used, reason = "in tests an unwrap is an assertion")]

use jiff::Timestamp;
use proptest::prelude::*;
use wireroom::feed_list::ListedFeed;
use wireroom::model::FeedId;
use wireroom::query::{ArticleQuery, Cursor, Order, SearchExpr};
use wireroom::store::{Access, Announcement, Listing, ScrapedArticle, Store};

use crate::store_contract::{
    Room, at, entry, later, listed, noon, on_every_backend, poll, poll_earlier, scrape, scraped,
    subscribe, words,
};

mod agreement;

on_every_backend! {
    words_phrases_and_operators_find_what_they_say,
    fields_find_what_they_say,
    dates_bound_the_answers,
    the_language_of_the_page_is_found_with_its_kinds,
    odd_words_find_what_a_person_means,
    scripts_without_spaces_are_found_by_part,
    the_index_follows_changes_and_says_how_far_it_is_behind,
    a_search_never_shows_what_is_gone,
    paging_a_search_gives_each_article_once,
    a_tag_of_thousands_of_feeds_can_be_asked,
    a_category_of_an_article_lies_in_its_folders_too,
    the_best_answers_can_come_first,
    only_the_newest_matches_are_ranked,
}

/// Titles of the articles that answer, newest first.
async fn titles(store: &Store, search: &str) -> Vec<String> {
    let query = ArticleQuery {
        search: Some(parse(search)),
        limit: 100,
        ..ArticleQuery::default()
    };
    let listing = store.articles(&query).await.unwrap();
    listing
        .articles
        .into_iter()
        .map(|article| article.title.unwrap_or_default())
        .collect()
}

fn parse(search: &str) -> SearchExpr {
    SearchExpr::parse(search, noon()).unwrap()
}

async fn check_found(store: &Store, search: &str, expected: &[&str]) {
    assert_eq!(titles(store, search).await, expected, "{search}");
}

fn news(url: &str, title: &str, text: &str, published: &str) -> Announcement {
    Announcement {
        title: Some(title.to_owned()),
        content_text: Some(text.to_owned()),
        published: Some(at(published)),
        ..entry(url)
    }
}

/// A feed with one entry, indexed.
async fn told(store: &Store, title: &str, text: &str) -> FeedId {
    let feed = subscribe(store, listed("https://example.org/feed")).await;
    let entry = news("https://example.org/a", title, text, "2026-11-20T08:00:00Z");
    poll(store, feed, vec![entry]).await;
    store.index().await.unwrap();
    feed
}

async fn newsroom(room: Room) -> Room {
    let world = ListedFeed {
        title: Some("The World Today".into()),
        tags: vec!["World/Europe".into()],
        ..listed("https://world.example/feed")
    };
    let world = subscribe(&room.store, world).await;
    let local = subscribe(&room.store, listed("https://local.example/feed")).await;
    let storm = Announcement {
        authors: vec!["Jane Doe".into()],
        tags: vec!["Weather".into()],
        ..news(
            "https://www.bbc.co.uk/storm",
            "Storm in the north",
            "A heavy storm reached the coast.",
            "2026-11-20T08:00:00Z",
        )
    };
    let vote = news(
        "https://news.example/vote",
        "Election day",
        "People elected a council. Turnout reached the north.",
        "2026-11-21T08:00:00Z",
    );
    let fair = news(
        "https://local.example/fair",
        "Village fair",
        "Cakes and a storm of laughter.",
        "2026-10-01T08:00:00Z",
    );
    poll(&room.store, world, vec![storm, vote]).await;
    poll(&room.store, local, vec![fair]).await;
    room.store.index().await.unwrap();
    room
}

async fn words_phrases_and_operators_find_what_they_say(room: Room) {
    let store = newsroom(room).await;
    let store = &store.store;

    check_found(store, "storm", &["Storm in the north", "Village fair"]).await;
    check_found(store, "STORM coast", &["Storm in the north"]).await;
    check_found(
        store,
        "\"the north\"",
        &["Election day", "Storm in the north"],
    )
    .await;
    check_found(store, "\"north the\"", &[]).await;
    check_found(store, "storm -coast", &["Village fair"]).await;
    check_found(store, "-storm", &["Election day"]).await;
    check_found(store, "elect*", &["Election day"]).await;
    check_found(store, "elec", &[]).await;
    check_found(store, "cakes OR council", &["Election day", "Village fair"]).await;
    check_found(store, "north -(coast OR cakes)", &["Election day"]).await;
    check_found(store, "cakes OR -storm", &["Election day", "Village fair"]).await;
    check_found(
        store,
        "",
        &["Election day", "Storm in the north", "Village fair"],
    )
    .await;
}

async fn fields_find_what_they_say(room: Room) {
    let store = newsroom(room).await;
    let store = &store.store;

    check_found(store, "site:bbc.co.uk", &["Storm in the north"]).await;
    check_found(store, "site:co.uk", &["Storm in the north"]).await;
    for site in [
        "www.BBC.co.uk",
        "*.bbc.co.uk",
        "https://bbc.co.uk/news",
        "bbc.co.uk.",
    ] {
        check_found(store, &format!("site:{site}"), &["Storm in the north"]).await;
    }
    check_found(store, "site:c.co.uk", &[]).await;
    check_found(store, "-site:example", &["Storm in the north"]).await;
    check_found(store, "author:doe", &["Storm in the north"]).await;
    check_found(store, "author:\"Jane Doe\" storm", &["Storm in the north"]).await;
    check_found(store, "title:storm", &["Storm in the north"]).await;
    check_found(store, "tag:weather", &["Storm in the north"]).await;
    check_found(store, "tag:world", &["Election day", "Storm in the north"]).await;
    check_found(
        store,
        "tag:world/europe",
        &["Election day", "Storm in the north"],
    )
    .await;
    check_found(store, "tag:wor", &[]).await;
    check_found(store, "feed:2", &["Village fair"]).await;
    check_found(store, "feed:https://local.example/feed", &["Village fair"]).await;
    check_found(
        store,
        "feed:\"world today\"",
        &["Election day", "Storm in the north"],
    )
    .await;
    check_found(store, "feed:nobody", &[]).await;
    check_found(store, "-feed:nobody cakes", &["Village fair"]).await;
}

async fn dates_bound_the_answers(room: Room) {
    let store = newsroom(room).await;
    let store = &store.store;

    check_found(store, "after:2026-11-21", &["Election day"]).await;
    check_found(store, "storm after:2026-11", &["Storm in the north"]).await;
    check_found(store, "storm before:2026-11", &["Village fair"]).await;
    check_found(store, "storm after:7d", &["Storm in the north"]).await;
    check_found(
        store,
        "storm before:2026-11-20T08:00:00Z",
        &["Village fair"],
    )
    .await;
    check_found(
        store,
        "storm after:2026-11-20T08:00:00Z",
        &["Storm in the north"],
    )
    .await;
}

async fn the_language_of_the_page_is_found_with_its_kinds(room: Room) {
    told(&room.store, "Sturm", "Ein Sturm").await;
    let page = ScrapedArticle {
        language: Some("de-AT".into()),
        ..scraped("https://example.org/a", "Sturm", &words(60, "wort"))
    };
    scrape(&room.store, "https://example.org/a", page).await;
    room.store.index().await.unwrap();

    check_found(&room.store, "lang:de", &["Sturm"]).await;
    check_found(&room.store, "lang:de-at", &["Sturm"]).await;
    check_found(&room.store, "lang:en", &[]).await;
    check_found(&room.store, "wort7", &["Sturm"]).await;
    check_found(&room.store, "\"ein sturm\"", &[]).await;
}

async fn odd_words_find_what_a_person_means(room: Room) {
    told(
        &room.store,
        "C++ and café",
        "Don't run multi-agent code on 20.04 🎉 says O’Neill; see https://example.org/a?b=c",
    )
    .await;

    for search in [
        "C++",
        "don't",
        "don’t",
        "20.04",
        "multi-agent",
        "🎉",
        "cafe",
        "CAFÉ",
        "o'neill",
        "https://example.org/a?b=c",
        "\"run multi",
        "c++ ?!",
        "title:c++",
    ] {
        check_found(&room.store, search, &["C++ and café"]).await;
    }
    for search in ["C#", "20.10", "🎈", "?!", "agent-multi", "D++"] {
        check_found(&room.store, search, &[]).await;
    }
}

async fn scripts_without_spaces_are_found_by_part(room: Room) {
    told(
        &room.store,
        "東京都は晴れ",
        "ประเทศไทยมีฝนตก និង ប្រទេសកម្ពុជា. हिन्दी समाचार. Київ",
    )
    .await;

    for search in [
        "東京",
        "晴れ",
        "\"都は\"",
        "title:東京",
        "東京*",
        "ฝนตก",
        "ไทย",
        "កម្ពុជា",
        "हिन्दी",
        "київ",
    ] {
        check_found(&room.store, search, &["東京都は晴れ"]).await;
    }
    for search in ["京東", "ตกฝน", "हिन्द"] {
        check_found(&room.store, search, &[]).await;
    }
}

async fn the_index_follows_changes_and_says_how_far_it_is_behind(room: Room) {
    let feed = told(&room.store, "First", "old words").await;
    let second = news(
        "https://example.org/b",
        "Second",
        "other words",
        "2026-11-21T08:00:00Z",
    );
    poll(&room.store, feed, vec![second]).await;
    let query = ArticleQuery {
        search: Some(parse("words")),
        ..ArticleQuery::default()
    };

    let behind = room.store.articles(&query).await.unwrap();
    let n_indexed = room.store.index().await.unwrap();
    let n_again = room.store.index().await.unwrap();
    let caught_up = room.store.articles(&query).await.unwrap();

    assert_eq!((behind.articles.len(), behind.index_lag), (1, 1));
    assert_eq!((n_indexed, n_again), (1, 0));
    assert_eq!((caught_up.articles.len(), caught_up.index_lag), (2, 0));
}

async fn a_search_never_shows_what_is_gone(room: Room) {
    let feed = subscribe(&room.store, listed("https://example.org/feed")).await;
    let text = words(80, "word");
    poll_earlier(&room.store, feed, vec![entry("https://example.org/a")]).await;
    poll(&room.store, feed, vec![entry("https://other.example/b")]).await;
    scrape(
        &room.store,
        "https://example.org/a",
        scraped("https://example.org/a", "Same", &text),
    )
    .await;
    room.store.index().await.unwrap();
    let page = ScrapedArticle {
        aliases: vec![wireroom::store::Alias {
            url: "https://example.org/a".into(),
            canonical: entry("https://example.org/a").canonical.unwrap(),
            reason: wireroom::store::AliasReason::Redirect,
        }],
        ..scraped("https://example.org/a", "Same", &text)
    };

    scrape(&room.store, "https://other.example/b", page).await;

    let before_indexing = titles(&room.store, "site:other.example OR word7").await;
    room.store.index().await.unwrap();
    assert_eq!(before_indexing, ["Same"]);
    check_found(&room.store, "site:other.example OR word7", &["Same"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_was_emptied_or_is_outdated_is_made_anew_in_postgresql() {
    let Some(room) = Room::postgres().await else {
        return;
    };
    let room = newsroom(room).await;
    let storms = ["Storm in the north", "Village fair"];

    room.database().ask("DELETE FROM search_document");
    let n_remade = room.store.index().await.unwrap();
    check_found(&room.store, "storm", &storms).await;
    room.database()
        .ask("UPDATE search_document SET words = 'old'::TSVECTOR");
    room.database()
        .ask("UPDATE note SET text = 'old' WHERE name = 'search_index'");
    let n_renewed = room.store.index().await.unwrap();

    check_found(&room.store, "storm", &storms).await;
    check_found(&room.store, "old", &[]).await;
    assert_eq!((n_remade, n_renewed), (3, 3));
    assert_eq!(room.store.index().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_workers_share_the_work_of_indexing() {
    let Some(room) = Room::postgres().await else {
        return;
    };
    let other = Store::open(&room.settings, Access::Command).await.unwrap();
    let feed = subscribe(&room.store, listed("https://example.org/feed")).await;
    let entries = (0..500).map(|n| Announcement {
        content_text: Some("shared".into()),
        ..entry(&format!("https://example.org/{n}"))
    });
    poll(&room.store, feed, entries.collect()).await;

    let (here, there) = tokio::join!(room.store.index(), other.index());

    let query = ArticleQuery {
        search: Some(parse("shared")),
        limit: 1000,
        ..ArticleQuery::default()
    };
    let listing = other.articles(&query).await.unwrap();
    assert_eq!(here.unwrap() + there.unwrap(), 500);
    assert_eq!((listing.articles.len(), listing.index_lag), (500, 0));
}

#[tokio::test]
async fn a_deleted_or_damaged_index_comes_back() {
    let room = newsroom(Room::sqlite().await).await;
    let index = room.path().with_file_name("news-search.db");
    assert!(index.exists());

    std::fs::remove_file(&index).unwrap();
    let without = titles(&room.store, "storm").await;
    let n_rebuilt = room.store.index().await.unwrap();
    let rebuilt = titles(&room.store, "storm").await;
    let store = {
        room.store.close().await.unwrap();
        std::fs::write(&index, "damaged ".repeat(5000)).unwrap();
        Store::open(&room.settings, Access::Daemon).await.unwrap()
    };
    let damaged = titles(&store, "storm").await;
    let n_repaired = store.index().await.unwrap();

    assert_eq!((without.len(), n_rebuilt, rebuilt.len()), (0, 3, 2));
    assert_eq!((damaged.len(), n_repaired), (0, 3));
    check_found(&store, "storm", &["Storm in the north", "Village fair"]).await;
}

#[tokio::test]
async fn another_process_sees_the_index_that_was_made_anew() {
    let room = newsroom(Room::sqlite().await).await;
    let reader = Store::open(&room.settings, Access::Reader).await.unwrap();
    let before = titles(&reader, "storm").await.len();

    std::fs::remove_file(room.path().with_file_name("news-search.db")).unwrap();
    room.store.index().await.unwrap();

    assert_eq!(before, 2);
    assert_eq!(titles(&reader, "storm").await.len(), 2);
    assert!(reader.index().await.is_err());
}

async fn paging_a_search_gives_each_article_once(room: Room) {
    let feed = subscribe(&room.store, listed("https://example.org/feed")).await;
    let entries = (0..100)
        .map(|n| Announcement {
            // Whole groups share a second, as bare dates do.
            published: Some(later(-(n / 10))),
            content_text: Some("common words".into()),
            ..entry(&format!("https://example.org/{n}"))
        })
        .collect();
    poll(&room.store, feed, entries).await;
    room.store.index().await.unwrap();

    let mut seen: Vec<(Timestamp, i64)> = Vec::new();
    let mut cursor = None;
    loop {
        let query = ArticleQuery {
            search: Some(parse("common")),
            feed: Some(feed),
            cursor,
            limit: 7,
            ..ArticleQuery::default()
        };
        let listing = room.store.articles(&query).await.unwrap();
        seen.extend(
            listing
                .articles
                .iter()
                .map(|article| (article.sort_at, article.id.0)),
        );
        cursor = listing.next;
        if cursor.is_none() {
            break;
        }
    }

    let mut ids: Vec<i64> = seen.iter().map(|(_, id)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((seen.len(), ids.len()), (100, 100));
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]));
}

async fn ranked(store: &Store, search: &str, limit: usize, cursor: Option<Cursor>) -> Listing {
    let query = ArticleQuery {
        search: Some(parse(search)),
        order: Order::Rank,
        limit,
        cursor,
        ..ArticleQuery::default()
    };
    store.articles(&query).await.unwrap()
}

async fn the_best_answers_can_come_first(room: Room) {
    let feed = subscribe(&room.store, listed("https://example.org/feed")).await;
    let story = |name: &str, title: &str, text: &str, day: u32| {
        let url = format!("https://example.org/{name}");
        news(&url, title, text, &format!("2026-11-{day}T08:00:00Z"))
    };
    let entries = vec![
        story("a", "Harbour fire", "A fire in the harbour.", 10),
        story(
            "b",
            "Council meets",
            "On the harbour, and much else besides.",
            12,
        ),
        story("c", "Harbour", "Ships.", 11),
        story("d", "Nothing of that", "Words.", 13),
    ];
    poll(&room.store, feed, entries).await;
    room.store.index().await.unwrap();

    let all = ranked(&room.store, "harbour", 10, None).await;
    let first = ranked(&room.store, "harbour", 2, None).await;
    let second = ranked(&room.store, "harbour", 2, first.next).await;
    let either = ranked(&room.store, "fire OR council", 10, None).await;
    let unsought = ranked(&room.store, "site:example.org -words", 10, None).await;

    let titles = |listing: &Listing| -> Vec<String> {
        let titles = listing.articles.iter().map(|article| article.title.clone());
        titles.map(Option::unwrap_or_default).collect()
    };
    assert_eq!(titles(&all), ["Harbour", "Harbour fire", "Council meets"]);
    let shown = all.ranked.unwrap();
    assert!(
        shown.scores.windows(2).all(|pair| pair[0] > pair[1]),
        "{shown:?}"
    );
    assert!(shown.is_all && shown.n_ranked == 3 && all.next.is_none());
    assert_eq!(titles(&first), ["Harbour", "Harbour fire"]);
    assert_eq!(
        (titles(&second), second.next),
        (vec!["Council meets".to_owned()], None)
    );
    assert_eq!(either.articles.len(), 2);
    assert_eq!(
        titles(&unsought),
        ["Council meets", "Harbour", "Harbour fire"]
    );
}

async fn only_the_newest_matches_are_ranked(room: Room) {
    let feed = subscribe(&room.store, listed("https://example.org/feed")).await;
    let entries = (0..1010).map(|n| Announcement {
        published: Some(later(-n)),
        // The best answers are too old.
        content_text: Some(if n < 1000 { "one word" } else { "word" }.to_owned()),
        ..entry(&format!("https://example.org/{n}"))
    });
    poll(&room.store, feed, entries.collect()).await;
    room.store.index().await.unwrap();

    let listing = ranked(&room.store, "word", 1000, None).await;

    let shown = listing.ranked.unwrap();
    assert!(!shown.is_all && shown.n_ranked == 1000);
    assert_eq!((listing.articles.len(), listing.next), (1000, None));
    assert_eq!(listing.articles[0].sort_at, noon());
    assert_eq!(listing.articles[999].sort_at, later(-999));
}

async fn a_tag_of_thousands_of_feeds_can_be_asked(room: Room) {
    let feeds = (0..3000)
        .map(|n| ListedFeed {
            tags: vec!["Many".into()],
            ..listed(&format!("https://host{n}.example/feed"))
        })
        .collect();
    let lists = vec![wireroom::store::SourceList {
        file: "many.opml".into(),
        feeds,
    }];
    room.store.sync_lists(lists, noon()).await.unwrap();
    told(&room.store, "Alone", "words").await;

    check_found(&room.store, "tag:many", &[]).await;
    check_found(&room.store, "-tag:many", &["Alone"]).await;
}

async fn a_category_of_an_article_lies_in_its_folders_too(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let filed = |name: &str, tag: &str| Announcement {
        title: Some(name.into()),
        tags: vec![tag.into()],
        ..entry(&format!("https://example.org/{name}"))
    };
    let entries = vec![
        filed("Filed", "World/Asia/China"),
        filed("Loose", "worldly"),
    ];
    poll(&room.store, id, entries).await;
    room.store.index().await.unwrap();

    check_found(&room.store, "tag:world", &["Filed"]).await;
    check_found(&room.store, "tag:world/asia", &["Filed"]).await;
    check_found(&room.store, "tag:World/Asia/China", &["Filed"]).await;
    check_found(&room.store, "tag:asia", &[]).await;
    check_found(&room.store, "-tag:world", &["Loose"]).await;
}

#[test]
fn no_search_ends_in_an_error_of_the_database() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let room = runtime.block_on(async { newsroom(Room::sqlite().await).await });
    let mut runner = proptest::test_runner::TestRunner::default();
    let odd = prop_oneof![
        ".{0,60}",
        "( |\\(|\\)|-|\"|'|OR|NEAR|NOT|AND|a|storm|site:|title:|\\*|\\^|:|\\{|\\}|\\+|\0|東|ั|̈|🎉|𝔸){0,40}",
    ];

    runner
        .run(&odd, |text| {
            if let Ok(search) = SearchExpr::parse(&text, noon()) {
                let query = ArticleQuery {
                    search: Some(search),
                    ..ArticleQuery::default()
                };
                let answer = runtime.block_on(room.store.articles(&query));
                prop_assert!(answer.is_ok(), "{:?}", answer);
            }
            Ok(())
        })
        .unwrap();
}

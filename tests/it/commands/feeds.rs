//! Feeds by command: add, list, show, pause, remove, import, export.

use std::fs;

use serde_json::json;

use super::{FEED, all_feeds, empty_room, run, site};
use crate::support::room::Room;

#[test]
fn import_dry_run_changes_nothing() {
    let room = empty_room();
    fs::write(
        room.path("urls.txt"),
        "# mine\nhttps://example.org/feed.xml\nnot a url\n",
    )
    .unwrap();

    let answer = run(&room, 0, &["import", "urls.txt", "--dry-run"]);

    assert!(
        answer
            .stdout
            .contains("added\thttps://example.org/feed.xml"),
        "{}",
        answer.stdout
    );
    assert!(
        answer.stdout.contains("skipped\tline 3: not a url"),
        "{}",
        answer.stdout
    );
    assert!(
        answer.stderr.contains("would be added"),
        "{}",
        answer.stderr
    );
    assert!(!room.path("wireroom.db").exists());
}

#[test]
fn what_is_imported_is_listed_and_exported_again() {
    let room = empty_room();
    fs::write(
        room.path("list.opml"),
        "<opml version=\"2.0\"><body><outline text=\"World\">\
         <outline type=\"rss\" text=\"Harbour\" xmlUrl=\"https://example.org/feed.xml\"/>\
         </outline></body></opml>",
    )
    .unwrap();

    let first = run(&room, 0, &["import", "list.opml", "--json"]).json();
    let second = run(&room, 0, &["import", "list.opml", "--json"]).json();
    let feeds = all_feeds(&room);
    let opml = run(&room, 0, &["export-opml"]).stdout;

    assert_eq!(first[0]["result"], "added");
    assert_eq!(second[0]["result"], "known");
    assert_eq!(first[0]["id"], second[0]["id"]);
    assert_eq!(feeds.len(), 1);
    assert_eq!(feeds[0]["title"], "Harbour");
    assert_eq!(feeds[0]["tags"], json!(["World"]));
    assert_eq!(feeds[0]["state"], "pending");
    assert!(
        opml.contains("xmlUrl=\"https://example.org/feed.xml\""),
        "{opml}"
    );
}

#[test]
fn a_url_is_shown_as_it_was_given_and_as_it_is_polled() {
    let room = empty_room();
    room.write("list.txt", "http://example.org\n");
    run(&room, 0, &["import", "list.txt"]);
    run(
        &room,
        0,
        &["feed", "add", "HTTPS://two.example", "--no-check"],
    );
    run(&room, 0, &["feed", "add", "three.example", "--no-check"]);

    let feeds = all_feeds(&room);
    let opml = run(&room, 0, &["export-opml"]).stdout;

    for (feed, given, url) in [
        (&feeds[0], "http://example.org", "http://example.org/"),
        (&feeds[1], "HTTPS://two.example", "https://two.example/"),
        (
            &feeds[2],
            "https://three.example/",
            "https://three.example/",
        ),
    ] {
        assert_eq!(feed["subscribed_url"], given);
        assert_eq!(feed["url"], url);
        assert!(opml.contains(&format!("xmlUrl=\"{given}\"")), "{opml}");
    }
}

#[test]
fn a_feed_lives_from_add_to_remove() {
    let room = empty_room();
    // Nothing listens there: a poll fails at once, and says so.
    let url = "http://127.0.0.1:1/feed.xml";

    run(
        &room,
        0,
        &[
            "feed",
            "add",
            url,
            "--no-check",
            "--tag",
            "ports",
            "--interval",
            "30m",
        ],
    );
    let feed = &all_feeds(&room)[0];
    let id = feed["id"].to_string();
    run(&room, 0, &["feed", "pause", &id]);
    let paused = all_feeds(&room)[0]["state"].clone();
    run(&room, 1, &["feed", "poll", &id]);
    run(&room, 0, &["feed", "resume", url]);
    let resumed = all_feeds(&room)[0]["state"].clone();
    run(&room, 1, &["feed", "poll", url]);
    run(&room, 0, &["feed", "remove", &id]);
    let listed = run(&room, 0, &["feed", "list"]);
    let again = run(&room, 0, &["feed", "add", url, "--no-check", "--json"]);

    for name in [
        "id",
        "url",
        "subscribed_url",
        "state",
        "error_kind",
        "error",
        "article_count",
        "next_poll",
        "last_poll",
        "tags",
    ] {
        assert!(feed.get(name).is_some(), "{name} is missing: {feed}");
    }
    assert_eq!(feed["interval_s"], 1800);
    assert_eq!(paused, "paused");
    assert_eq!(resumed, "pending");
    assert_eq!(listed.stdout, "");
    assert_eq!(again.json()[0]["result"], "revived");
    assert_eq!(again.json()[0]["id"].to_string(), id);
}

#[test]
fn a_feed_of_a_list_file_is_not_removed_by_command() {
    // Nothing can be fetched there; the feed is subscribed all the same.
    let url = "http://127.0.0.1:1/feed.xml".to_owned();
    let room = Room::subscribed_to(std::slice::from_ref(&url));
    room.run_once();

    let answer = run(&room, 1, &["feed", "remove", &url]);

    assert!(answer.stderr.contains("feeds.txt"), "{}", answer.stderr);
    assert_eq!(all_feeds(&room)[0]["state"], "error");
}

#[test]
fn an_unknown_feed_is_told_and_the_others_are_done() {
    let room = empty_room();
    run(
        &room,
        0,
        &["feed", "add", "https://example.org/feed.xml", "--no-check"],
    );

    let answer = run(
        &room,
        1,
        &["feed", "pause", "99", "https://example.org/feed.xml"],
    );

    assert!(
        answer.stderr.contains("there is no feed 99"),
        "{}",
        answer.stderr
    );
    assert_eq!(all_feeds(&room)[0]["state"], "paused");
    run(&room, 1, &["feed", "show", "99"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_are_told_what_came_of_each_feed() {
    let site = site(&[("/feed.xml", "application/rss+xml", FEED)]).await;
    let room = empty_room();
    let (good, bad) = (site.url("/feed.xml"), site.url("/missing.xml"));
    for url in [&good, &bad] {
        run(&room, 0, &["feed", "add", url, "--no-check"]);
    }
    let rows = |code, words: &str, feeds: &[&str]| {
        let mut arguments = vec!["feed", words, "--json"];
        arguments.extend(feeds);
        let answer = run(&room, code, &arguments);
        assert_eq!(answer.stderr, "");
        answer.json()
    };

    let polled = rows(1, "poll", &["1", "2", "99"]);
    let paused = rows(0, "pause", &["1"]);
    let refused = rows(1, "poll", &["1"]);
    let resumed = rows(0, "resume", &[&good]);
    let removed = rows(0, "remove", &["1"]);

    assert_eq!(
        polled[0],
        json!({"asked": "1", "id": 1, "url": good, "result": "polled", "n_new": 1, "n_entries": 1})
    );
    assert_eq!(polled[1]["result"], "failed");
    assert_eq!(polled[1]["error_kind"], "not_found");
    assert!(polled[1]["error"].is_string());
    assert_eq!(polled[2]["result"], "failed");
    assert_eq!(polled[2]["id"], json!(null));
    assert_eq!(polled.len(), 3);
    assert_eq!(
        paused,
        [json!({"asked": "1", "id": 1, "url": good, "result": "paused"})]
    );
    assert!(refused[0]["error"].as_str().unwrap().contains("resume 1"));
    assert_eq!(resumed[0]["result"], "resumed");
    assert_eq!(removed[0]["result"], "removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_feed_is_told_with_its_own_title() {
    let site = site(&[("/feed.xml", "application/rss+xml", FEED)]).await;
    let room = empty_room();
    let url = site.url("/feed.xml");

    let added = run(&room, 0, &["feed", "add", &url, "--title", "Ports"]).stdout;
    let known = run(&room, 0, &["feed", "add", &url]).stdout;
    let json = run(&room, 0, &["feed", "add", &url, "--json"]).json();

    assert_eq!(added, format!("added\t1\t{url}\tPorts\n"));
    assert_eq!(known, format!("known\t1\t{url}\tPorts\n"));
    assert_eq!(json[0]["title"], "Ports");
}

#[test]
fn hostile_titles_are_shown_as_escapes_and_kept_in_json() {
    let room = empty_room();
    let title = "a\u{1b}]0;owned\u{7}\tb\u{202e}";
    run(
        &room,
        0,
        &[
            "feed",
            "add",
            "https://example.org/feed.xml",
            "--no-check",
            "--title",
            title,
        ],
    );

    let listed = run(&room, 0, &["feed", "list"]);
    let shown = run(&room, 0, &["feed", "show", "1"]);

    for text in [&listed.stdout, &shown.stdout] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
        assert!(text.contains("a\\u{1b}]0;owned"), "{text:?}");
    }
    assert_eq!(listed.stdout.lines().count(), 1);
    assert_eq!(listed.stdout.matches('\t').count(), 7);
    assert_eq!(all_feeds(&room)[0]["title"], title);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_subscribed_with_its_own_title() {
    let site = site(&[("/feed.xml", "application/rss+xml", FEED)]).await;
    let room = empty_room();

    let answer = run(&room, 0, &["feed", "add", &site.url("/feed.xml")]);

    assert!(answer.stdout.starts_with("added\t"), "{}", answer.stdout);
    let feed = &all_feeds(&room)[0];
    assert_eq!(feed["title"], "Harbour News");
    assert_eq!(feed["subscribed_url"], site.url("/feed.xml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_daemon_polls_what_commands_make_due() {
    let site = site(&[("/feed.xml", "application/rss+xml", FEED)]).await;
    let room = empty_room();
    let _daemon = room.start(&["run"]);
    room.wait_until("the daemon has a store", |room| {
        room.run(&["status"]).status.success()
    });
    let n_polls = || site.requests_for("/feed.xml").len();

    // The command asks once, and the daemon polls.
    run(&room, 0, &["feed", "add", &site.url("/feed.xml")]);
    room.wait_until("the new feed is polled", |_| n_polls() == 2);
    room.wait_until("the poll is recorded", |room| {
        all_feeds(room)[0]["state"] == "ok"
    });
    run(&room, 0, &["feed", "poll", "1"]);
    room.wait_until("the feed is polled again", |_| n_polls() == 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_with_one_feed_is_subscribed_to_it() {
    let site = site(&[
        (
            "/",
            "text/html",
            "<link rel=alternate type=application/rss+xml href=/feed.xml title=News>",
        ),
        ("/feed.xml", "application/rss+xml", FEED),
    ])
    .await;
    let room = empty_room();

    run(&room, 0, &["feed", "add", &site.url("/")]);

    assert_eq!(all_feeds(&room)[0]["url"], site.url("/feed.xml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_feeds_none_is_taken_without_a_choice() {
    let site = site(&[(
        "/",
        "text/html",
        "<link rel=alternate type=application/rss+xml href=/one.xml title=One>\
         <link rel=alternate type=application/atom+xml href=/two.xml title=Two>",
    )])
    .await;
    let room = empty_room();

    let listed = run(&room, 1, &["feed", "add", &site.url("/")]);
    let json = run(&room, 1, &["feed", "add", &site.url("/"), "--json"]).json();
    let none = all_feeds(&room);
    run(&room, 0, &["feed", "add", &site.url("/"), "--yes"]);

    assert_eq!(
        listed.stdout,
        format!(
            "{}\tOne\n{}\tTwo\n",
            site.url("/one.xml"),
            site.url("/two.xml")
        )
    );
    assert!(
        listed.stderr.contains("name one of these"),
        "{}",
        listed.stderr
    );
    assert_eq!(json[0]["result"], "choice");
    assert_eq!(json[0]["feeds"][1]["url"], site.url("/two.xml"));
    assert!(none.is_empty());
    assert_eq!(all_feeds(&room)[0]["url"], site.url("/one.xml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_a_feed_says_why_and_what_to_do() {
    let site = site(&[("/", "text/html", "<p>Nothing.</p>")]).await;
    let room = empty_room();

    let none = run(&room, 1, &["feed", "add", &site.url("/"), "--json"]).json();
    let gone = run(&room, 1, &["feed", "add", &site.url("/x"), "--json"]).json();

    assert_eq!(none[0]["error_kind"], "not_a_feed");
    assert_eq!(gone[0]["error_kind"], "not_found");
    assert!(all_feeds(&room).is_empty());
}

//! The commands, on the built binary: what they print, where, and with which exit code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::room::{Room, lines};
use crate::support::site::{Reply, Site};

/// What a command came to.
struct Answer {
    stdout: String,
    stderr: String,
}

impl Answer {
    /// Its JSON Lines.
    fn json(&self) -> Vec<Value> {
        lines(&self.stdout)
    }
}

/// A room without feeds.
fn empty_room() -> Room {
    Room::subscribed_to(&[])
}

/// Runs a command that must end with this exit code.
#[track_caller]
fn run(room: &Room, code: i32, arguments: &[&str]) -> Answer {
    let output = room.run(arguments);
    let answer = Answer {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    assert_eq!(
        output.status.code(),
        Some(code),
        "stdout: {}\nstderr: {}",
        answer.stdout,
        answer.stderr
    );
    answer
}

/// All feeds, the retired ones too.
#[track_caller]
fn all_feeds(room: &Room) -> Vec<Value> {
    run(room, 0, &["feed", "list", "--state", "all", "--json"]).json()
}

/// A site that serves these: path, content type, body; `BASE` in a body is the site's URL.
async fn site(pages: &[(&str, &str, &str)]) -> Site {
    let site = Site::start().await;
    for (path, content_type, body) in pages {
        let body = body.replace("BASE/", &site.url("/"));
        site.serve(path, Reply::new(content_type, body));
    }
    site
}

const FEED: &str = "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel>\
    <title>Harbour News</title><link>BASE/</link><description>d</description>\
    <item><title>Harbour closes</title><link>BASE/a?from=rss</link><guid>a</guid>\
    <pubDate>Fri, 24 Mar 2017 10:00:00 +0300</pubDate><description>Short.</description></item>\
    </channel></rss>";

const PAGE: &str = "<!doctype html><html lang=en><head><title>Harbour closes</title></head><body>\
    <article><h1>Harbour closes</h1>\
    <p>The old harbour of the city closes on Thursday after a hundred years of service, the \
    master of the port told reporters in a long and careful statement at noon.</p>\
    <p>Ships will be sent to the new harbour, which lies twenty kilometres further north and \
    has deeper water, better cranes, and a railway of its own since last summer.</p>\
    <p>The council said that it regrets nothing, and that the quays will become a park for \
    everyone who lives near them, with trees, benches, and a small museum.</p>\
    </article></body></html>";

/// All commands, found by asking for help.
fn commands(room: &Room) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut left = vec![Vec::new()];
    while let Some(path) = left.pop() {
        for name in subcommands(&help(room, &path)) {
            let mut below = path.clone();
            below.push(name);
            left.push(below.clone());
            found.push(below);
        }
    }
    found
}

fn help(room: &Room, path: &[String]) -> String {
    let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
    arguments.push("--help");
    run(room, 0, &arguments).stdout
}

fn subcommands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_help_ends_with_examples() {
    let room = empty_room();

    let mut commands = commands(&room);
    commands.push(Vec::new());

    assert!(commands.len() > 20, "{commands:?}");
    for command in commands {
        let help = help(&room, &command);
        let (_, examples) = help
            .rsplit_once("Examples:\n")
            .unwrap_or_else(|| panic!("{command:?} has no examples:\n{help}"));
        assert!(
            examples
                .lines()
                .any(|line| line.starts_with("  ") && line.contains("wireroom")),
            "{command:?}: {examples}"
        );
    }
}

#[test]
fn a_misspelt_command_names_the_nearest() {
    let answer = run(&empty_room(), 2, &["serach", "taliban"]);

    assert!(answer.stderr.contains("search"), "{}", answer.stderr);
    assert!(answer.stdout.is_empty());
}

#[test]
fn the_version_is_the_packages() {
    let answer = run(&empty_room(), 0, &["--version"]);

    let expected = format!("wireroom {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(answer.stdout, expected);
}

#[test]
fn a_wrong_configuration_is_exit_code_78() {
    let room = empty_room();
    fs::write(room.path("wireroom.toml"), "[fetch]\nhost_gab = 1\n").unwrap();

    let answer = run(&room, 78, &["status"]);

    assert!(answer.stderr.starts_with("wireroom: "), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("wireroom.toml:2:"),
        "{}",
        answer.stderr
    );
}

#[test]
fn without_a_store_a_question_says_how_to_get_one() {
    let answer = run(&empty_room(), 1, &["list"]);

    assert!(answer.stderr.contains("wireroom run"), "{}", answer.stderr);
}

#[test]
fn a_faulty_search_shows_the_place() {
    let answer = run(&empty_room(), 2, &["search", "harbour", "("]);

    assert!(
        answer.stderr.lines().any(|line| line.trim() == "^"),
        "{}",
        answer.stderr
    );
}

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
fn a_feed_lives_from_add_to_remove() {
    let room = empty_room();
    let url = "https://example.org/feed.xml";

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
    run(&room, 0, &["feed", "poll", url]);
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

#[test]
fn a_full_disk_is_an_error() {
    let room = empty_room();
    run(&room, 0, &["import", "feeds.txt"]);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();

    let output = room
        .command(&["export-opml"])
        .stdout(full)
        .output()
        .unwrap();

    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("cannot write to standard output"),
        "{stderr}"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let room = empty_room();
    let urls: String = (0..500)
        .map(|n| format!("https://example.org/{n}\n"))
        .collect();
    fs::write(room.path("urls.txt"), urls).unwrap();
    run(&room, 0, &["import", "urls.txt", "--quiet"]);

    let mut child = room
        .command(&["feed", "list", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();

    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
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

/// A room that has collected [`PAGE`] from a site.
async fn collected() -> (Room, Site) {
    let site = site(&[
        ("/feed.xml", "application/rss+xml", FEED),
        ("/a?from=rss", "text/html; charset=utf-8", PAGE),
    ])
    .await;
    let room = empty_room();
    run(&room, 0, &["feed", "add", &site.url("/feed.xml")]);
    run(&room, 0, &["run", "--once"]);
    (room, site)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_can_be_asked_for_in_every_form() {
    let (room, site) = collected().await;
    let url = site.url("/a?from=rss");

    let listed = run(&room, 0, &["list", "--json"]).json();
    let id = listed[0]["id"].to_string();
    let by_url = run(&room, 0, &["show", &url, "--json"]).json();
    let by_id = run(&room, 0, &["show", &id, "--json"]).json();
    let text = run(&room, 0, &["show", &id, "--text"]).stdout;
    let html = run(&room, 0, &["show", &id, "--html"]).stdout;
    let markdown = run(&room, 0, &["show", &id, "--markdown"]).stdout;
    let readable = run(&room, 0, &["show", &id]).stdout;

    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["url"], url);
    assert_eq!(listed[0]["title"], "Harbour closes");
    assert_eq!(listed[0]["page_state"], "scraped");
    assert_eq!(listed[0]["published"], "2017-03-24T07:00:00Z");
    assert_eq!(listed[0]["feed_urls"], json!([site.url("/feed.xml")]));
    assert_eq!(by_url, listed);
    assert_eq!(by_id, listed);
    assert!(text.contains("hundred years of service"), "{text}");
    assert!(html.contains("<p>"), "{html}");
    assert!(
        markdown.starts_with("# Harbour closes\n\nMarch 24, 2017\n\n"),
        "{markdown}"
    );
    assert!(
        markdown.ends_with(&format!("\n\nOriginal url:\n\n<{url}>\n")),
        "{markdown}"
    );
    assert!(readable.contains(&url), "{readable}");
    run(&room, 1, &["show", "https://example.org/other"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn words_find_an_article_and_exclusions_hide_it() {
    let (room, site) = collected().await;

    let found = run(&room, 0, &["search", "HARBOUR", "museum"]).stdout;
    let json = run(&room, 0, &["search", "railway", "-sport", "--json"]).json();
    let hidden = run(&room, 1, &["search", "harbour", "-museum"]);

    assert!(found.starts_with("Harbour closes\n"), "{found}");
    assert!(found.contains(&site.url("/a?from=rss")), "{found}");
    assert!(found.contains("2017-03-24"), "{found}");
    assert!(!found.contains('\u{1b}'), "{found:?}");
    assert_eq!(json.len(), 1);
    assert!(json[0]["text"].as_str().unwrap().contains("railway"));
    assert_eq!(hidden.stdout, "");
    assert!(hidden.stderr.contains("nothing found"), "{}", hidden.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_every_form() {
    let (room, site) = collected().await;

    let jsonl = run(&room, 0, &["export"]).json();
    let csv = run(&room, 0, &["export", "--format", "csv"]).stdout;
    run(
        &room,
        0,
        &["export", "--format", "markdown", "--output", "articles"],
    );
    run(&room, 0, &["export", "museum", "--output", "museum.jsonl"]);
    let none = run(&room, 0, &["export", "museum", "-harbour"]);

    assert_eq!(jsonl[0]["url"], site.url("/a?from=rss"));
    assert!(csv.starts_with("id,url,"), "{csv}");
    let files: Vec<PathBuf> = fs::read_dir(room.path("articles"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), 1);
    let name = files[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.ends_with(&format!("-{}.md", jsonl[0]["id"])), "{name}");
    let document = fs::read_to_string(&files[0]).unwrap();
    assert!(document.starts_with("# Harbour closes\n"), "{document}");
    let file = fs::read_to_string(room.path("museum.jsonl")).unwrap();
    assert_eq!(file.lines().count(), 1);
    assert_eq!(none.stdout, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_tells_what_there_is() {
    let (room, _site) = collected().await;

    let json = run(&room, 0, &["status", "--json"]).json();
    let words = run(&room, 0, &["status"]).stdout;

    assert_eq!(json[0]["articles"], 1);
    assert_eq!(json[0]["feeds"]["ok"], 1);
    assert_eq!(json[0]["pages"]["scraped"], 1);
    assert_eq!(json[0]["due_pages"], 0);
    assert!(json[0]["daemon_pid"].is_null());
    assert!(words.contains("not running"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_an_archive_and_overwrites_nothing() {
    let (room, _site) = collected().await;

    run(&room, 0, &["backup", "copy.db"]);
    run(&room, 1, &["backup", "copy.db"]);

    let config = "feeds = []\n[store]\nurl = \"sqlite:copy.db\"\n";
    fs::write(room.path("copy.toml"), config).unwrap();
    let listed = run(&room, 0, &["list", "--json", "--config", "copy.toml"]).json();
    assert_eq!(listed.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_answers_follow_each_other() {
    let items: String = (0..5)
        .map(|n| format!("<item><title>Story {n}</title><guid>{n}</guid></item>"))
        .collect();
    let feed = format!(
        "<rss version=\"2.0\"><channel><title>T</title><link>BASE/</link>\
         <description>d</description>{items}</channel></rss>"
    );
    let site = site(&[("/feed.xml", "application/rss+xml", &feed)]).await;
    let room = empty_room();
    run(&room, 0, &["feed", "add", &site.url("/feed.xml")]);
    run(&room, 0, &["run", "--once"]);

    let mut titles = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut arguments = vec!["list", "--limit", "2", "--json"];
        if let Some(cursor) = &cursor {
            arguments.extend(["--cursor", cursor]);
        }
        let answer = run(&room, 0, &arguments);
        titles.extend(answer.json().iter().map(|article| article["title"].clone()));
        match answer.stderr.split("--cursor ").nth(1) {
            Some(next) => cursor = Some(next.trim().to_owned()),
            None => break,
        }
        assert!(titles.len() <= 5, "the pages do not end: {titles:?}");
    }

    assert_eq!(titles.len(), 5);
    titles.sort_by_key(ToString::to_string);
    titles.dedup();
    assert_eq!(titles.len(), 5);
}

/// What stands in the first cells of the tables below a heading of `docs/commands.md`, as
/// code: one list per row.
fn documented(heading: &str) -> Vec<Vec<String>> {
    let document = include_str!("../../docs/commands.md");
    let (_, section) = document.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| {
            let cell = row.split(" | ").next().unwrap();
            let code = format!("`{cell}");
            code.split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect()
        })
        .collect()
}

/// The names of an object's fields, sorted.
fn fields(object: &Value) -> Vec<String> {
    let mut names: Vec<String> = object.as_object().unwrap().keys().cloned().collect();
    names.sort_unstable();
    names
}

fn documented_fields(heading: &str) -> Vec<String> {
    let mut names = documented(heading).concat();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_has_all_fields_and_no_others() {
    let (room, _site) = collected().await;

    let article = run(&room, 0, &["list", "--json"]).json().remove(0);
    let feed = run(&room, 0, &["feed", "show", "1", "--json"])
        .json()
        .remove(0);
    let status = run(&room, 0, &["status", "--json"]).json().remove(0);
    let csv = run(&room, 0, &["export", "--format", "csv"]).stdout;

    assert_eq!(
        fields(&article),
        documented_fields("The JSON of an article")
    );
    assert_eq!(fields(&feed), documented_fields("The JSON of a feed"));
    assert_eq!(fields(&status), documented_fields("status"));
    let columns = csv.lines().next().unwrap().replace(',', "`, `");
    assert!(include_str!("../../docs/commands.md").contains(&format!("`{columns}`")));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_search_can_be_read() {
    let (room, _site) = collected().await;

    let searches = documented("The search language").concat();

    assert!(searches.len() > 15, "{searches:?}");
    for search in searches {
        let output = room.run(&["search", &search]);
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 1)), "{search}: {output:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            code == Some(0) || stderr == "nothing found\n",
            "{search}: {stderr}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_of_a_search_finds_what_it_names() {
    let (room, site) = collected().await;
    let feed = site.url("/feed.xml");

    for (search, n_expected) in [
        ("harbour", 1),
        ("HARBOUR railway", 1),
        ("\"old harbour\"", 1),
        ("\"harbour old\"", 0),
        ("harb*", 1),
        ("nothing OR museum", 1),
        ("(nothing OR museum) -park", 0),
        ("site:127.0.0.1", 1),
        ("site:example.org", 0),
        ("-site:example.org", 1),
        ("feed:1", 1),
        ("feed:news", 1),
        (&format!("feed:{feed}"), 1),
        ("title:closes", 1),
        ("title:museum", 0),
        ("lang:en", 1),
        ("lang:de", 0),
        ("after:2017", 1),
        ("after:2017-03-25", 0),
        ("before:2017-04", 1),
        ("after:7d", 0),
    ] {
        let code = i32::from(n_expected == 0);
        let answer = run(&room, code, &["search", search, "--json"]);
        assert_eq!(answer.json().len(), n_expected, "{search}");
    }
}

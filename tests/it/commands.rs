//! The commands, on the built binary: what they print, where, and with which exit code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use serde_json::Value;
use tempfile::TempDir;

/// What a command came to.
struct Answer {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Answer {
    /// The answer, which must have this exit code.
    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Its JSON Lines.
    #[track_caller]
    fn json(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// A folder with a configuration, and the binary that runs in it.
struct Room {
    folder: TempDir,
}

impl Room {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = "feeds = []\n\
                      [store]\n\
                      url = \"sqlite:news.db\"\n\
                      [fetch]\n\
                      allow_private = [\"127.0.0.0/8\"]\n\
                      host_gap = \"0s\"\n";
        fs::write(folder.path().join("wireroom.toml"), config).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        command(self.folder.path(), arguments)
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        run(self.command(arguments))
    }

    /// The ids of the feeds, in order.
    fn feeds(&self) -> Vec<Value> {
        self.run(&["feed", "list", "--state", "all", "--json"])
            .exits(0)
            .json()
    }
}

/// The binary in a folder, seeing nothing of the machine's own configuration.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wireroom"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null());
    command
}

fn run(mut command: Command) -> Answer {
    let output = command.output().unwrap();
    Answer {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A web site on loopback; gone when it is dropped.
struct Site {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
}

impl Site {
    /// Serves what `pages` says: path, content type, body; `BASE` in a body is the site's URL.
    fn serve(pages: &[(&str, &str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let base = format!("http://{address}");
        let pages: HashMap<String, (String, String)> = pages
            .iter()
            .map(|(path, kind, body)| {
                let body = body.replace("BASE", &base);
                ((*path).to_owned(), ((*kind).to_owned(), body))
            })
            .collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let server = std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                // A client that goes away is no failure of the test.
                let _ = answer(stream, &pages);
            }
        });
        Self {
            address,
            stop,
            server: Some(server),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

fn answer(stream: TcpStream, pages: &HashMap<String, (String, String)>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let missing = ("text/plain".to_owned(), "nothing here".to_owned());
    let (status, (kind, body)) = match pages.get(path) {
        Some(page) => ("200 OK", page),
        None => ("404 Not Found", &missing),
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
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
    room.run(&arguments).exits(0).stdout
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
    let room = Room::new();

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
    let answer = Room::new().run(&["serach", "taliban"]).exits(2);

    assert!(answer.stderr.contains("search"), "{}", answer.stderr);
    assert!(answer.stdout.is_empty());
}

#[test]
fn the_version_is_the_packages() {
    let answer = Room::new().run(&["--version"]).exits(0);

    let expected = format!("wireroom {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(answer.stdout, expected);
}

#[test]
fn a_wrong_configuration_is_exit_code_78() {
    let room = Room::new();
    fs::write(room.path("wireroom.toml"), "[fetch]\nhost_gab = 1\n").unwrap();

    let answer = room.run(&["status"]).exits(78);

    assert!(answer.stderr.starts_with("wireroom: "), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("wireroom.toml:2:"),
        "{}",
        answer.stderr
    );
}

#[test]
fn without_a_store_a_question_says_how_to_get_one() {
    let answer = Room::new().run(&["list"]).exits(1);

    assert!(answer.stderr.contains("wireroom run"), "{}", answer.stderr);
}

#[test]
fn a_faulty_search_shows_the_place() {
    let answer = Room::new().run(&["search", "harbour", "("]).exits(2);

    assert!(
        answer.stderr.lines().any(|line| line.trim() == "^"),
        "{}",
        answer.stderr
    );
}

#[test]
fn import_dry_run_changes_nothing() {
    let room = Room::new();
    fs::write(
        room.path("urls.txt"),
        "# mine\nhttps://example.org/feed.xml\nnot a url\n",
    )
    .unwrap();

    let answer = room.run(&["import", "urls.txt", "--dry-run"]).exits(0);

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
    assert!(!room.path("news.db").exists());
}

#[test]
fn what_is_imported_is_listed_and_exported_again() {
    let room = Room::new();
    fs::write(
        room.path("list.opml"),
        "<opml version=\"2.0\"><body><outline text=\"World\">\
         <outline type=\"rss\" text=\"Harbour\" xmlUrl=\"https://example.org/feed.xml\"/>\
         </outline></body></opml>",
    )
    .unwrap();

    let first = room.run(&["import", "list.opml", "--json"]).exits(0).json();
    let second = room.run(&["import", "list.opml", "--json"]).exits(0).json();
    let feeds = room.feeds();
    let opml = room.run(&["export-opml"]).exits(0).stdout;

    assert_eq!(first[0]["result"], "added");
    assert_eq!(second[0]["result"], "known");
    assert_eq!(first[0]["id"], second[0]["id"]);
    assert_eq!(feeds.len(), 1);
    assert_eq!(feeds[0]["title"], "Harbour");
    assert_eq!(feeds[0]["tags"], serde_json::json!(["World"]));
    assert_eq!(feeds[0]["state"], "pending");
    assert!(
        opml.contains("xmlUrl=\"https://example.org/feed.xml\""),
        "{opml}"
    );
}

#[test]
fn a_feed_lives_from_add_to_remove() {
    let room = Room::new();
    let url = "https://example.org/feed.xml";

    room.run(&[
        "feed",
        "add",
        url,
        "--no-check",
        "--tag",
        "ports",
        "--interval",
        "30m",
    ])
    .exits(0);
    let feed = &room.feeds()[0];
    let id = feed["id"].to_string();
    room.run(&["feed", "pause", &id]).exits(0);
    let paused = room.feeds()[0]["state"].clone();
    room.run(&["feed", "poll", &id]).exits(1);
    room.run(&["feed", "resume", url]).exits(0);
    let resumed = room.feeds()[0]["state"].clone();
    room.run(&["feed", "poll", url]).exits(0);
    room.run(&["feed", "remove", &id]).exits(0);
    let listed = room.run(&["feed", "list"]).exits(0);
    let again = room
        .run(&["feed", "add", url, "--no-check", "--json"])
        .exits(0);

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
fn an_unknown_feed_is_told_and_the_others_are_done() {
    let room = Room::new();
    room.run(&["feed", "add", "https://example.org/feed.xml", "--no-check"])
        .exits(0);

    let answer = room
        .run(&["feed", "pause", "99", "https://example.org/feed.xml"])
        .exits(1);

    assert!(
        answer.stderr.contains("there is no feed 99"),
        "{}",
        answer.stderr
    );
    assert_eq!(room.feeds()[0]["state"], "paused");
    room.run(&["feed", "show", "99"]).exits(1);
}

#[test]
fn hostile_titles_are_shown_as_escapes_and_kept_in_json() {
    let room = Room::new();
    let title = "a\u{1b}]0;owned\u{7}\tb\u{202e}";
    room.run(&[
        "feed",
        "add",
        "https://example.org/feed.xml",
        "--no-check",
        "--title",
        title,
    ])
    .exits(0);

    let listed = room.run(&["feed", "list"]).exits(0);
    let shown = room.run(&["feed", "show", "1"]).exits(0);

    for text in [&listed.stdout, &shown.stdout] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
        assert!(text.contains("a\\u{1b}]0;owned"), "{text:?}");
    }
    assert_eq!(listed.stdout.lines().count(), 1);
    assert_eq!(listed.stdout.matches('\t').count(), 7);
    assert_eq!(room.feeds()[0]["title"], title);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let room = Room::new();
    let urls: String = (0..500)
        .map(|n| format!("https://example.org/{n}\n"))
        .collect();
    fs::write(room.path("urls.txt"), urls).unwrap();
    room.run(&["import", "urls.txt", "--quiet"]).exits(0);

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

#[test]
fn a_feed_is_subscribed_with_its_own_title() {
    let site = Site::serve(&[("/feed.xml", "application/rss+xml", FEED)]);
    let room = Room::new();

    let answer = room.run(&["feed", "add", &site.url("/feed.xml")]).exits(0);

    assert!(answer.stdout.starts_with("added\t"), "{}", answer.stdout);
    let feed = &room.feeds()[0];
    assert_eq!(feed["title"], "Harbour News");
    assert_eq!(feed["subscribed_url"], site.url("/feed.xml"));
}

#[test]
fn a_site_with_one_feed_is_subscribed_to_it() {
    let site = Site::serve(&[
        (
            "/",
            "text/html",
            "<link rel=alternate type=application/rss+xml href=/feed.xml title=News>",
        ),
        ("/feed.xml", "application/rss+xml", FEED),
    ]);
    let room = Room::new();

    room.run(&["feed", "add", &site.url("/")]).exits(0);

    assert_eq!(room.feeds()[0]["url"], site.url("/feed.xml"));
}

#[test]
fn of_several_feeds_none_is_taken_without_a_choice() {
    let site = Site::serve(&[(
        "/",
        "text/html",
        "<link rel=alternate type=application/rss+xml href=/one.xml title=One>\
         <link rel=alternate type=application/atom+xml href=/two.xml title=Two>",
    )]);
    let room = Room::new();

    let listed = room.run(&["feed", "add", &site.url("/")]).exits(1);
    let json = room
        .run(&["feed", "add", &site.url("/"), "--json"])
        .exits(1)
        .json();
    let none = room.feeds();
    room.run(&["feed", "add", &site.url("/"), "--yes"]).exits(0);

    assert_eq!(
        listed.stdout,
        format!(
            "{}  One\n{}  Two\n",
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
    assert_eq!(room.feeds()[0]["url"], site.url("/one.xml"));
}

#[test]
fn an_address_without_a_feed_says_why_and_what_to_do() {
    let site = Site::serve(&[("/", "text/html", "<p>Nothing.</p>")]);
    let room = Room::new();

    let none = room
        .run(&["feed", "add", &site.url("/"), "--json"])
        .exits(1)
        .json();
    let gone = room
        .run(&["feed", "add", &site.url("/x"), "--json"])
        .exits(1)
        .json();

    assert_eq!(none[0]["error_kind"], "not_a_feed");
    assert_eq!(gone[0]["error_kind"], "not_found");
    assert!(room.feeds().is_empty());
}

/// A room that has collected [`PAGE`] from a site.
fn collected() -> (Room, Site) {
    let site = Site::serve(&[
        ("/feed.xml", "application/rss+xml", FEED),
        ("/a?from=rss", "text/html; charset=utf-8", PAGE),
    ]);
    let room = Room::new();
    room.run(&["feed", "add", &site.url("/feed.xml")]).exits(0);
    room.run(&["run", "--once"]).exits(0);
    (room, site)
}

#[test]
fn an_article_can_be_asked_for_in_every_form() {
    let (room, site) = collected();
    let url = site.url("/a?from=rss");

    let listed = room.run(&["list", "--json"]).exits(0).json();
    let id = listed[0]["id"].to_string();
    let by_url = room.run(&["show", &url, "--json"]).exits(0).json();
    let by_id = room.run(&["show", &id, "--json"]).exits(0).json();
    let text = room.run(&["show", &id, "--text"]).exits(0).stdout;
    let html = room.run(&["show", &id, "--html"]).exits(0).stdout;
    let markdown = room.run(&["show", &id, "--markdown"]).exits(0).stdout;
    let readable = room.run(&["show", &id]).exits(0).stdout;

    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["url"], url);
    assert_eq!(listed[0]["title"], "Harbour closes");
    assert_eq!(listed[0]["page_state"], "scraped");
    assert_eq!(listed[0]["published"], "2017-03-24T07:00:00Z");
    assert_eq!(
        listed[0]["feed_urls"],
        serde_json::json!([site.url("/feed.xml")])
    );
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
    room.run(&["show", "https://example.org/other"]).exits(1);
}

#[test]
fn words_find_an_article_and_exclusions_hide_it() {
    let (room, site) = collected();

    let found = room.run(&["search", "HARBOUR", "museum"]).exits(0).stdout;
    let json = room
        .run(&["search", "railway", "-sport", "--json"])
        .exits(0)
        .json();
    let hidden = room.run(&["search", "harbour", "-museum"]).exits(1);

    assert!(found.starts_with("Harbour closes\n"), "{found}");
    assert!(found.contains(&site.url("/a?from=rss")), "{found}");
    assert!(found.contains("2017-03-24"), "{found}");
    assert!(!found.contains('\u{1b}'), "{found:?}");
    assert_eq!(json.len(), 1);
    assert!(json[0]["text"].as_str().unwrap().contains("railway"));
    assert_eq!(hidden.stdout, "");
    assert!(hidden.stderr.contains("nothing found"), "{}", hidden.stderr);
}

#[test]
fn an_export_has_every_form() {
    let (room, site) = collected();

    let jsonl = room.run(&["export"]).exits(0).json();
    let csv = room.run(&["export", "--format", "csv"]).exits(0).stdout;
    room.run(&["export", "--format", "markdown", "--output", "articles"])
        .exits(0);
    room.run(&["export", "museum", "--output", "museum.jsonl"])
        .exits(0);
    let none = room.run(&["export", "museum", "-harbour"]).exits(0);

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

#[test]
fn the_status_tells_what_there_is() {
    let (room, _site) = collected();

    let json = room.run(&["status", "--json"]).exits(0).json();
    let words = room.run(&["status"]).exits(0).stdout;

    assert_eq!(json[0]["articles"], 1);
    assert_eq!(json[0]["feeds"]["ok"], 1);
    assert_eq!(json[0]["pages"]["scraped"], 1);
    assert_eq!(json[0]["due_pages"], 0);
    assert!(json[0]["daemon_pid"].is_null());
    assert!(words.contains("not running"), "{words}");
}

#[test]
fn a_backup_is_an_archive_and_overwrites_nothing() {
    let (room, _site) = collected();

    room.run(&["backup", "copy.db"]).exits(0);
    room.run(&["backup", "copy.db"]).exits(1);

    let config = "feeds = []\n[store]\nurl = \"sqlite:copy.db\"\n";
    fs::write(room.path("copy.toml"), config).unwrap();
    let listed = room
        .run(&["list", "--json", "--config", "copy.toml"])
        .exits(0)
        .json();
    assert_eq!(listed.len(), 1);
}

#[test]
fn pages_of_answers_follow_each_other() {
    let items: String = (0..5)
        .map(|n| format!("<item><title>Story {n}</title><guid>{n}</guid></item>"))
        .collect();
    let feed = format!(
        "<rss version=\"2.0\"><channel><title>T</title><link>BASE/</link>\
         <description>d</description>{items}</channel></rss>"
    );
    let site = Site::serve(&[("/feed.xml", "application/rss+xml", &feed)]);
    let room = Room::new();
    room.run(&["feed", "add", &site.url("/feed.xml")]).exits(0);
    room.run(&["run", "--once"]).exits(0);

    let mut titles = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut arguments = vec!["list", "--limit", "2", "--json"];
        if let Some(cursor) = &cursor {
            arguments.extend(["--cursor", cursor]);
        }
        let answer = room.run(&arguments).exits(0);
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

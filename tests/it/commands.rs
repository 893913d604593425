//! The commands, on the built binary: what they print, where, and with which exit code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod articles;
mod documented;
mod feeds;
mod looking_inside;

use std::fs;
use std::process::Stdio;

use serde_json::Value;

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

/// Runs a command that reads `input` and must succeed.
#[track_caller]
fn with_input(room: &Room, input: &[u8], arguments: &[&str]) -> Answer {
    fs::write(room.path("input"), input).unwrap();
    let output = room
        .command(arguments)
        .stdin(fs::File::open(room.path("input")).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    Answer {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
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
                .all(|line| line.starts_with("  ") && line.contains("wireroom")),
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
fn an_empty_variable_names_no_configuration() {
    let room = empty_room();

    let output = room
        .command(&["import", "feeds.txt", "--dry-run"])
        .env("WIREROOM_CONFIG", "")
        .output()
        .unwrap();

    // The one in the working directory is found instead.
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn without_a_store_a_question_says_how_to_get_one() {
    let room = empty_room();

    let articles = run(&room, 1, &["list"]);
    let feeds = run(&room, 0, &["feed", "list"]);

    assert!(
        articles.stderr.contains("wireroom run"),
        "{}",
        articles.stderr
    );
    assert_eq!(feeds.stdout, "");
    assert!(feeds.stderr.contains("feed add"), "{}", feeds.stderr);
    assert!(!room.path("wireroom.db").exists());
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

    let told = run(&room, 0, &["backup", "copy.db", "--json"]).json();
    run(&room, 1, &["backup", "copy.db"]);

    let config = "feeds = []\n[store]\nurl = \"sqlite:copy.db\"\n";
    fs::write(room.path("copy.toml"), config).unwrap();
    let listed = run(&room, 0, &["list", "--json", "--config", "copy.toml"]).json();
    assert_eq!(listed.len(), 1);
    let n_bytes = fs::metadata(room.path("copy.db")).unwrap().len();
    assert_eq!(
        told,
        [serde_json::json!({"file": "copy.db", "bytes": n_bytes})]
    );
}

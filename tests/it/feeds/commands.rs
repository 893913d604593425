//! `wireroom parse` and `wireroom discover`, as people and programs run them.

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::rss;

fn wireroom(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wireroom"));
    command.args(arguments);
    command
}

fn file(folder: &TempDir, name: &str, content: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, content).expect("write a file in a temporary folder");
    path
}

/// The lines that a command answers to lines of JSON.
fn answers(arguments: &[&str], lines: &[String]) -> Vec<Value> {
    let output = wireroom(arguments)
        .write_stdin(lines.join("\n"))
        .assert()
        .success();
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    let parsed = text.lines().map(serde_json::from_str);
    parsed.collect::<Result<_, _>>().expect("each line is JSON")
}

#[test]
fn parse_answers_every_line_in_order_bad_ones_too() {
    let folder = TempDir::new().unwrap();
    let good = file(
        &folder,
        "a.xml",
        &rss("<item><title>One</title><link>1</link><guid>g</guid></item>"),
    );
    let page = file(&folder, "b.html", "<html></html>");

    let answers = answers(
        &["parse", "--jsonl"],
        &[
            json!({"id": "a", "path": good, "content_type": null, "base_url": "https://news.example/x/"}).to_string(),
            "{\"id\": 7, \"path\": 1}".into(),
            "nonsense".into(),
            json!({"id": "c", "path": folder.path().join("missing")}).to_string(),
            json!({"id": "d", "path": page}).to_string(),
        ],
    );

    let ids: Vec<&Value> = answers.iter().map(|answer| &answer["id"]).collect();
    assert_eq!(json!(ids), json!(["a", 7, null, "c", "d"]));
    let ok: Vec<&Value> = answers.iter().map(|answer| &answer["ok"]).collect();
    assert_eq!(json!(ok), json!([true, false, false, false, false]));
    assert_eq!(answers[0]["format"], "rss");
    assert_eq!(answers[0]["entries"][0]["link"], "https://news.example/x/1");
    assert!(
        answers[4]["error"]
            .as_str()
            .is_some_and(|error| error.contains("an HTML page"))
    );
}

#[test]
fn parse_shows_a_person_what_was_read_and_repaired() {
    let folder = TempDir::new().unwrap();
    let path = file(
        &folder,
        "a.xml",
        &rss("<item><title>Fish & chips \u{202e}</title><pubDate>2025-03-06</pubDate></item>"),
    );

    let output = wireroom(&["parse", path.to_str().unwrap()])
        .assert()
        .success();

    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(text.contains("format   rss"), "{text}");
    assert!(text.contains("repaired: 1 bare ampersand"), "{text}");
    assert!(
        text.contains("2025-03-06T00:00:00Z  Fish & chips"),
        "{text}"
    );
    assert!(!text.contains('\u{202e}'), "{text}");
}

#[test]
fn a_file_that_is_no_feed_fails_with_the_reason() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "a.html", "<!doctype html><title>Hello</title>");

    let output = wireroom(&["parse", path.to_str().unwrap()])
        .assert()
        .code(1);

    let text = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(text.contains("not a feed: an HTML page"), "{text}");
}

#[test]
fn discover_lists_the_feeds_of_a_page() {
    let folder = TempDir::new().unwrap();
    let page = file(
        &folder,
        "a.html",
        "<link rel=alternate type='application/rss+xml' title=News href=/rss>",
    );
    let base = "https://news.example/en/";

    let lines = answers(
        &["discover", "--jsonl"],
        &[json!({"id": 1, "path": page, "base_url": base}).to_string()],
    );
    let people = wireroom(&["discover", page.to_str().unwrap(), "--base", base])
        .assert()
        .success();
    let empty = file(&folder, "b.html", "<p>nothing");

    assert_eq!(
        lines,
        [json!({"id": 1, "feeds": ["https://news.example/rss"]})]
    );
    let text = String::from_utf8_lossy(&people.get_output().stdout).into_owned();
    assert_eq!(text, "https://news.example/rss\tNews\n");
    wireroom(&["discover", empty.to_str().unwrap()])
        .assert()
        .code(1);
}

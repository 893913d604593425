//! Articles by command: search, list, show, export.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::{collected, empty_room, run, site};
use crate::support::room::Room;
use crate::support::site::Site;

/// A room that knows so many articles, all without pages.
async fn announced(n_articles: usize) -> (Room, Site) {
    let items: String = (0..n_articles)
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
    (room, site)
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
fn a_name_that_is_neither_id_nor_url_is_wrong_usage() {
    let answer = run(&empty_room(), 2, &["show", "abc"]);

    assert!(answer.stderr.contains("neither"), "{}", answer.stderr);
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
async fn pages_of_answers_follow_each_other() {
    let (room, _site) = announced(5).await;

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

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_all_that_it_does_not_limit() {
    let (room, _site) = announced(130).await;

    let rows = run(&room, 0, &["list"]);
    let objects = run(&room, 0, &["search", "story", "--json"]);
    let limited = run(&room, 0, &["list", "--limit", "120"]);

    assert_eq!(rows.stdout.lines().count(), 130);
    assert_eq!(rows.stderr, "");
    assert_eq!(objects.json().len(), 130);
    assert_eq!(limited.stdout.lines().count(), 120);
    assert!(limited.stderr.contains("more: wireroom list --cursor "));
}

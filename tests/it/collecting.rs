//! From a feed to articles: what one run of the whole program keeps.

use serde_json::json;

use crate::support::room::{Room, page, page_with, rss};
use crate::support::site::{Reply, Site};

fn feed(document: &str) -> Reply {
    Reply::new("application/rss+xml", document.as_bytes())
}

/// Serves a feed with one entry, and its page.
async fn gazette() -> Site {
    let site = Site::start().await;
    site.serve(
        "/feed.xml",
        feed(&rss("Gazette", &[("Ferry", site.url("/a"), "g-1")])),
    );
    site.serve("/a", Reply::html(&page("Ferry", "the ferry")));
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn each_entry_becomes_an_article_with_its_original_url() {
    let site = Site::start().await;
    let link = format!("{}?utm_source=feed#top", site.url("/news/ferry"));
    site.serve(
        "/feed.xml",
        feed(&rss("Gazette", &[("Ferry", link.clone(), "g-1")])),
    );
    site.serve(
        "/news/ferry?utm_source=feed",
        Reply::html(&page("Ferry to run", "the ferry")),
    );
    let room = Room::subscribed_to(&[site.url("/feed.xml")]);

    room.run_once();

    let articles = room.articles();
    assert_eq!(articles.len(), 1);
    let article = &articles[0];
    assert_eq!(article["url"], link);
    assert_eq!(article["title"], "Ferry to run");
    assert_eq!(article["guid"], "g-1");
    assert_eq!(article["feed_urls"], json!([site.url("/feed.xml")]));
    assert_eq!(article["summary"], "In short: Ferry");
    assert_eq!(article["published"], "2026-11-23T08:00:00Z");
    assert_eq!(article["page_state"], "scraped");
    assert_eq!(article["page_error"], json!(null));
    assert_eq!(article["language"], "en");
    let text = article["text"].as_str().unwrap();
    assert!(
        text.starts_with("Paragraph 1 tells of the ferry."),
        "{text}"
    );
    assert!(
        !text.contains("Imprint") && !text.contains("Sport"),
        "{text}"
    );
    assert_eq!(text.split("\n\n").count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_asks_for_nothing_before_its_time() {
    let site = gazette().await;
    let room = Room::subscribed_to(&[site.url("/feed.xml")]);
    room.run_once();
    let asked = site.requests().len();

    room.run_once();

    assert_eq!(site.requests().len(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_feed_is_answered_from_its_validators() {
    let site = Site::start().await;
    let document = rss("Gazette", &[("Ferry", site.url("/a"), "g-1")]);
    let reply = feed(&document)
        .header("etag", "W/\"v 1\"")
        .header("last-modified", "Mon, 23 Nov 2026 08:00:00 GMT");
    site.serve("/feed.xml", reply);
    site.serve("/a", Reply::html(&page("Ferry", "the ferry")));
    let room = Room::subscribed_to(&[site.url("/feed.xml")]);
    room.run_once();
    let asked = site.requests().len();

    room.ok(&["feed", "poll", &site.url("/feed.xml")]);

    let requests = site.requests();
    assert_eq!(requests.len(), asked + 1);
    assert_eq!(requests[asked].header("if-none-match"), Some("W/\"v 1\""));
    assert_eq!(
        requests[asked].header("if-modified-since"),
        Some("Mon, 23 Nov 2026 08:00:00 GMT")
    );
    assert_eq!(room.feed(&site.url("/feed.xml"))["state"], "ok");
    assert_eq!(room.articles().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_article_announced_by_two_feeds_is_one_article() {
    let site = Site::start().await;
    let link = site.url("/a");
    site.serve(
        "/one.xml",
        feed(&rss(
            "One",
            &[("Ferry", format!("{link}?utm_source=one"), "1")],
        )),
    );
    site.serve(
        "/two.xml",
        feed(&rss(
            "Two",
            &[("Ferry!", format!("{link}?utm_source=two"), "2")],
        )),
    );
    site.serve(
        "/a?utm_source=one",
        Reply::html(&page("Ferry", "the ferry")),
    );
    site.serve(
        "/a?utm_source=two",
        Reply::html(&page("Ferry", "the ferry")),
    );
    let room = Room::subscribed_to(&[site.url("/one.xml"), site.url("/two.xml")]);

    room.run_once();

    let articles = room.articles();
    assert_eq!(articles.len(), 1, "{articles:#?}");
    assert_eq!(articles[0]["feed_urls"].as_array().unwrap().len(), 2);
    assert_eq!(room.feed(&site.url("/one.xml"))["article_count"], 1);
    assert_eq!(room.feed(&site.url("/two.xml"))["article_count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_addresses_with_one_canonical_url_and_text_are_one_article() {
    let site = Site::start().await;
    let canonical = format!(
        "<link rel=\"canonical\" href=\"{}\">",
        site.url("/news/ferry")
    );
    let document = page_with("Ferry", "the ferry", &canonical);
    site.serve(
        "/one.xml",
        feed(&rss("One", &[("Ferry", site.url("/a"), "1")])),
    );
    site.serve(
        "/two.xml",
        feed(&rss("Two", &[("Ferry", site.url("/go/a"), "2")])),
    );
    site.serve("/a", Reply::html(&document));
    site.serve("/go/a", Reply::redirect(302, &site.url("/b")));
    site.serve("/b", Reply::html(&document));
    let room = Room::subscribed_to(&[site.url("/one.xml"), site.url("/two.xml")]);

    room.run_once();

    let articles = room.articles();
    assert_eq!(articles.len(), 1, "{articles:#?}");
    assert_eq!(articles[0]["canonical_url"], site.url("/news/ferry"));
    assert_eq!(articles[0]["feed_urls"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_canonical_url_does_not_merge_different_texts() {
    let site = Site::start().await;
    let canonical = format!(
        "<link rel=\"canonical\" href=\"{}\">",
        site.url("/section/all")
    );
    let items = [
        ("Ferry", site.url("/a"), "1"),
        ("Lighthouse", site.url("/b"), "2"),
    ];
    site.serve("/feed.xml", feed(&rss("One", &items)));
    site.serve(
        "/a",
        Reply::html(&page_with("Ferry", "the ferry", &canonical)),
    );
    site.serve(
        "/b",
        Reply::html(&page_with(
            "Lighthouse",
            "the lighthouse and its clock",
            &canonical,
        )),
    );
    let room = Room::subscribed_to(&[site.url("/feed.xml")]);

    room.run_once();

    assert_eq!(room.articles().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_title_in_the_feed_is_not_a_new_article() {
    let site = gazette().await;
    let room = Room::subscribed_to(&[site.url("/feed.xml")]);
    room.run_once();

    site.serve(
        "/feed.xml",
        feed(&rss(
            "Gazette",
            &[("Ferry, corrected", site.url("/a"), "g-1")],
        )),
    );
    room.ok(&["feed", "poll", &site.url("/feed.xml")]);

    assert_eq!(room.articles().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_gives_no_article_is_kept_with_what_the_feed_said_and_why() {
    let site = Site::start().await;
    let names = ["gone", "missing", "pdf", "empty", "menu", "broken", "good"];
    let items: Vec<_> = names
        .iter()
        .map(|name| (*name, site.url(&format!("/{name}")), *name))
        .collect();
    site.serve("/feed.xml", feed(&rss("Gazette", &items)));
    site.serve("/gone", Reply::text("away").status(410));
    site.serve("/missing", Reply::text("not here").status(404));
    site.serve("/pdf", Reply::new("application/pdf", b"%PDF-1.7 a report"));
    site.serve("/empty", Reply::html(""));
    site.serve(
        "/menu",
        Reply::html("<html><body><nav><a href=/>Home</a></nav></body></html>"),
    );
    site.serve("/broken", Reply::html("oh").status(500));
    site.serve("/good", Reply::html(&page("Good news", "the ferry")));
    let room = Room::subscribed_to(&[site.url("/feed.xml")]);

    room.run_once();

    let articles = room.articles();
    let outcome = |name: &str| {
        let article = articles
            .iter()
            .find(|article| article["guid"] == name)
            .expect("an article for each entry");
        assert_eq!(article["summary"], format!("In short: {name}"));
        (
            article["page_state"].as_str().unwrap(),
            article["page_error"].as_str().unwrap_or("none"),
        )
    };
    assert_eq!(articles.len(), names.len());
    assert_eq!(outcome("good"), ("scraped", "none"));
    assert_eq!(outcome("gone"), ("failed", "gone"));
    assert_eq!(outcome("missing"), ("retrying", "not_found"));
    assert_eq!(outcome("pdf"), ("failed", "not_html"));
    assert_eq!(outcome("empty").1, "empty");
    assert_eq!(outcome("menu"), ("failed", "no_content"));
    assert_eq!(outcome("broken"), ("retrying", "http_status"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_cannot_be_followed_is_kept_with_the_reason() {
    let site = Site::start().await;
    let link = "ftp://example.org/Report%zz".to_owned();
    site.serve(
        "/feed.xml",
        feed(&rss("Gazette", &[("Report", link.clone(), "g-1")])),
    );
    let room = Room::subscribed_to(&[site.url("/feed.xml")]);

    room.run_once();

    let article = &room.articles()[0];
    assert_eq!(article["url"], link);
    assert_eq!(article["page_state"], "skipped");
    assert_eq!(article["page_error"], "scheme_blocked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_fails_says_why_and_harms_no_other() {
    let site = Site::start().await;
    let good = rss("Gazette", &[("Ferry", site.url("/a"), "g-1")]);
    site.serve("/good.xml", feed(&good));
    site.serve("/a", Reply::html(&page("Ferry", "the ferry")));
    site.serve("/page", Reply::html(&page("No feed", "nothing")));
    site.serve("/empty", feed(""));
    site.serve("/missing", Reply::text("").status(404));
    site.serve("/login", Reply::text("").status(401));
    // A 429 rests the whole host, so it comes from another one.
    let other = Site::start_on("127.0.0.2").await;
    other.serve(
        "/busy",
        Reply::text("").status(429).header("retry-after", "120"),
    );
    site.serve("/broken", feed("{\"version\": [broken"));
    let down = "http://127.0.0.1:1/feed.xml".to_owned();
    let private = "http://10.1.2.3/feed.xml".to_owned();
    let paths = [
        "/good.xml",
        "/page",
        "/empty",
        "/missing",
        "/login",
        "/broken",
    ];
    let mut urls: Vec<String> = paths.iter().map(|path| site.url(path)).collect();
    urls.extend([other.url("/busy"), down.clone(), private.clone()]);
    let room = Room::subscribed_to(&urls);

    room.run_once();

    let kind = |url: &str| {
        room.feed(url)["error_kind"]
            .as_str()
            .unwrap_or("none")
            .to_owned()
    };
    assert_eq!(kind(&site.url("/good.xml")), "none");
    assert_eq!(kind(&site.url("/page")), "not_a_feed");
    assert_eq!(kind(&site.url("/empty")), "empty");
    assert_eq!(kind(&site.url("/missing")), "not_found");
    assert_eq!(kind(&site.url("/login")), "auth");
    assert_eq!(kind(&other.url("/busy")), "rate_limited");
    assert!(["parse", "not_a_feed"].contains(&kind(&site.url("/broken")).as_str()));
    assert_eq!(kind(&private), "address_blocked");
    assert_ne!(kind(&down), "none");
    assert_eq!(room.articles().len(), 1);
    let failing = room.ok(&["status"]);
    assert!(failing.contains("rate_limited"), "{failing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overloaded_host_rests_as_long_as_it_asks_for() {
    let site = Site::start().await;
    site.serve(
        "/busy",
        Reply::text("").status(503).header("retry-after", "7200"),
    );
    let room = Room::subscribed_to(&[site.url("/busy")]);

    room.run_once();

    let feed = room.feed(&site.url("/busy"));
    let time = |name: &str| {
        feed[name]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    };
    assert!(
        time("next_poll")
            .duration_since(time("last_poll"))
            .as_secs()
            >= 7200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_does_not_wait_for_a_host_that_rests_for_hours() {
    let site = Site::start().await;
    site.serve(
        "/busy",
        Reply::text("").status(429).header("retry-after", "7200"),
    );
    let items = [("Ferry", site.url("/a"), "g-1")];
    site.serve("/feed.xml", feed(&rss("Gazette", &items)));
    let room = Room::subscribed_to(&[site.url("/busy"), site.url("/feed.xml")]);

    room.run_once();

    let other = room.feed(&site.url("/feed.xml"));
    assert_eq!(other["state"], "pending", "due, and left to a later run");
    assert_eq!(site.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn robots_txt_keeps_pages_unread_and_the_feed_speaks_for_them() {
    let site = Site::start().await;
    site.serve(
        "/robots.txt",
        Reply::text("User-agent: *\nDisallow: /private/\n"),
    );
    site.serve(
        "/feed.xml",
        feed(&rss(
            "Gazette",
            &[("Secret", site.url("/private/a"), "g-1")],
        )),
    );
    site.serve("/private/a", Reply::html(&page("Secret", "the secret")));
    let room = Room::subscribed_to(&[site.url("/feed.xml")]);

    room.run_once();

    let article = &room.articles()[0];
    assert_eq!(article["page_error"], "robots");
    assert_eq!(article["title"], "Secret");
    assert!(
        site.requests()
            .iter()
            .all(|request| request.path != "/private/a")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_is_found_at_once() {
    let site = Site::start().await;
    site.serve(
        "/feed.xml",
        feed(&rss("Gazette", &[("Ferry", site.url("/a"), "g-1")])),
    );
    site.serve("/a", Reply::html(&page("Ferry to run", "the überfähre")));
    let room = Room::subscribed_to(&[site.url("/feed.xml")]);
    room.run_once();

    for query in [
        "ferry",
        "UBERFAHRE",
        "\"council met\"",
        "title:ferry",
        "site:127.0.0.1",
        "lang:en after:2026-01-01",
    ] {
        assert_eq!(room.json(&["search", query, "--json"]).len(), 1, "{query}");
    }
    for query in ["submarine", "ferry -council", "before:2020-01-01 ferry"] {
        assert_eq!(
            room.run(&["search", query, "--json"]).status.code(),
            Some(1),
            "{query}"
        );
    }
    assert_eq!(
        room.json(&["show", &site.url("/a"), "--json"])[0]["title"],
        "Ferry to run"
    );
}

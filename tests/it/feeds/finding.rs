//! The feeds of sites that name none: by custom, and in their news sitemaps.

use crate::support::room::Room;
use crate::support::site::{Reply, Site};

use super::rss;

const PAGE: &str = "<!doctype html><title>The Harbour Gazette</title><p>No feed is named here.";

fn feed() -> String {
    rss("<item><title>One</title><link>https://news.example/1</link></item>")
}

fn news_sitemap(site: &Site) -> String {
    format!(
        "<?xml version='1.0'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'
          xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'><url><loc>{}</loc><news:news>
        <news:publication><news:name>The Harbour Gazette</news:name><news:language>en</news:language></news:publication>
        <news:publication_date>2025-03-06T09:05:00Z</news:publication_date><news:title>One</news:title></news:news></url></urlset>",
        site.url("/1")
    )
}

fn xml(document: &str) -> Reply {
    Reply::new("application/xml", document)
}

/// What `wireroom discover` prints for a site, after its exit code.
fn discovered(room: &Room, site: &Site) -> (Option<i32>, String) {
    let output = room.run(&["discover", &site.url("/")]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn usual_places_are_asked_until_one_answers_with_a_feed() {
    let site = Site::start().await;
    site.serve("/", Reply::html(PAGE));
    site.serve("/rss.xml", Reply::html(PAGE));
    site.serve("/feed.xml", xml(&feed()));
    site.serve("/atom.xml", xml(&feed()));
    let room = Room::subscribed_to(&[]);

    let found = discovered(&room, &site);

    assert_eq!(
        found,
        (Some(0), format!("{}\tNews\n", site.url("/feed.xml")))
    );
    assert!(site.requests_for("/atom.xml").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_without_a_feed_is_read_by_its_news_sitemap() {
    let site = Site::start().await;
    site.serve("/", Reply::html(PAGE));
    let robots = format!("User-agent: *\nSitemap: {}\n", site.url("/all.xml"));
    site.serve("/robots.txt", Reply::text(&robots));
    let index = format!(
        "<sitemapindex><sitemap><loc>{}</loc></sitemap><sitemap><loc>{}</loc></sitemap></sitemapindex>",
        site.url("/pages.xml"),
        site.url("/news.xml")
    );
    site.serve("/all.xml", xml(&index));
    site.serve("/news.xml", xml(&news_sitemap(&site)));
    let room = Room::subscribed_to(&[]);

    let found = discovered(&room, &site);
    room.ok(&["feed", "add", &site.url("/")]);
    room.run_once();

    let line = format!("{}\tThe Harbour Gazette\n", site.url("/news.xml"));
    assert_eq!(found, (Some(0), line));
    assert!(site.requests_for("/pages.xml").is_empty());
    assert_eq!(room.feed(&site.url("/news.xml"))["state"], "ok");
    assert_eq!(
        site.requests_for("/1").len(),
        1,
        "the page that it tells of is scraped"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_without_any_feed_is_not_asked_for_ever() {
    let site = Site::start().await;
    site.serve("/", Reply::html(PAGE));
    let room = Room::subscribed_to(&[]);

    let found = discovered(&room, &site);

    assert_eq!(found, (Some(1), String::new()));
    assert!(site.requests().len() <= 20, "{}", site.requests().len());
}

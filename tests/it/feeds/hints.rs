//! What a feed says about itself beside its entries, and dates as they were given.

use wireroom::feed::parse_date;

use super::{item, read, rss};

#[test]
fn where_the_rest_of_the_feed_is_and_who_tells_of_news_is_kept() {
    let feed = read(
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:fh='http://purl.org/syndication/history/1.0'>
        <title>News</title><fh:archive/><link rel='next' href='?p=2'/><link rel='previous' href='?p=0'/>
        <link rel='prev-archive' href='/2024'/><link rel='current' href='feed.xml'/><link rel='self' href='feed.xml'/>
        <link rel='hub' href='https://hub.example/'/><link rel='hub' href='https://hub.example/'/></feed>",
    );
    let clouded = read(&rss(
        "<cloud domain='rpc.example' port='5337' path='/pleaseNotify' registerProcedure='' protocol='http-post'/>\
         <fh:complete/><sy:updateBase>2025-03-06T12:00+00:00</sy:updateBase>\
         <itunes:new-feed-url>https://new.example/feed</itunes:new-feed-url><itunes:complete>Yes</itunes:complete>",
    ))
    .hints;
    let json = read(
        r#"{"version": "https://jsonfeed.org/version/1.1", "next_url": "?p=2", "expired": true,
        "hubs": [{"type": "WebSub", "url": "https://hub.example/"}], "items": []}"#,
    )
    .hints;

    let pages = feed.hints.pages;
    assert_eq!(
        pages.next.as_deref(),
        Some("https://news.example/en/feed.xml?p=2")
    );
    assert_eq!(
        pages.previous.as_deref(),
        Some("https://news.example/en/feed.xml?p=0")
    );
    assert_eq!(
        pages.previous_archive.as_deref(),
        Some("https://news.example/2024")
    );
    assert_eq!(pages.current, feed.self_url);
    assert!(feed.hints.is_archive && !feed.hints.is_complete);
    assert_eq!(feed.hints.hubs, ["https://hub.example/"]);
    let cloud = clouded.cloud.unwrap();
    assert_eq!(
        (
            cloud.domain.as_str(),
            cloud.port,
            cloud.path.as_str(),
            cloud.protocol.as_str(),
            cloud.procedure
        ),
        ("rpc.example", 5337, "/pleaseNotify", "http-post", None)
    );
    assert!(clouded.is_complete && clouded.is_finished);
    assert_eq!(clouded.base, parse_date("2025-03-06T12:00:00Z"));
    assert_eq!(
        clouded.moved_to.as_deref(),
        Some("https://new.example/feed")
    );
    assert_eq!(
        json.pages.next.as_deref(),
        Some("https://news.example/en/feed.xml?p=2")
    );
    assert!(json.is_finished && json.hubs == ["https://hub.example/"]);
}

#[test]
fn a_date_is_kept_as_it_was_given_even_one_that_nobody_can_read() {
    let read = item("<pubDate>Thu, 06 Mar 2025 09:05:00 +0530</pubDate>");
    let absurd = item("<pubDate>the day after tomorrow</pubDate>");
    let second = item("<pubDate>soon</pubDate><dc:date>2025-03-06</dc:date>");

    assert_eq!(read.published, parse_date("2025-03-06T03:35:00Z"));
    assert_eq!(
        read.published_text.as_deref(),
        Some("Thu, 06 Mar 2025 09:05:00 +0530")
    );
    assert_eq!(
        (absurd.published, absurd.published_text.as_deref()),
        (None, Some("the day after tomorrow"))
    );
    assert_eq!(second.published_text.as_deref(), Some("2025-03-06"));
}

#[test]
fn a_short_content_is_its_own_summary() {
    let of = |content: &str| {
        let document = format!("<content:encoded>{content}</content:encoded>");
        item(&document).summary
    };

    assert_eq!(of("A note.").as_deref(), Some("A note."));
    assert_eq!(of(&"A long article. ".repeat(100)), None);
    let both = item("<description>Short</description><content:encoded>Long</content:encoded>");
    assert_eq!(both.summary.as_deref(), Some("Short"));
}

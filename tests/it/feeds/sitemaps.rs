//! News sitemaps as feeds.

use wireroom::feed::{Format, ParseError, parse, parse_date};

use super::read;

#[test]
fn a_news_sitemap_is_a_feed_of_its_news() {
    let feed = read(
        "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'
          xmlns:image='http://www.google.com/schemas/sitemap-image/1.1' xmlns:xhtml='http://www.w3.org/1999/xhtml'>
        <url><loc>https://news.example/about</loc><lastmod>2025-03-01</lastmod></url>
        <url><loc>https://news.example/1?a=1&amp;b=2</loc><lastmod>2025-03-06T10:00:00Z</lastmod>
          <xhtml:link rel='alternate' hreflang='de' href='https://news.example/de/1'/>
          <news:news><news:publication><news:name>The Harbour Gazette</news:name><news:language>en</news:language></news:publication>
          <news:publication_date>2025-03-06T10:05+01:00</news:publication_date><news:title>Ferry &amp; harbour</news:title>
          <news:keywords>ferry, harbour</news:keywords></news:news>
          <image:image><image:loc>https://news.example/1.jpg</image:loc><image:title>not the entry's</image:title></image:image></url></urlset>",
    );

    assert_eq!((feed.format, feed.entries.len()), (Format::Sitemap, 1));
    assert_eq!(feed.title.as_deref(), Some("The Harbour Gazette"));
    assert_eq!(feed.language.as_deref(), Some("en"));
    let entry = &feed.entries[0];
    assert_eq!(
        entry.link.as_deref(),
        Some("https://news.example/1?a=1&b=2")
    );
    assert_eq!(entry.id, "https://news.example/1?a=1&b=2");
    assert_eq!(entry.title.as_deref(), Some("Ferry & harbour"));
    assert_eq!(entry.published, parse_date("2025-03-06T09:05:00Z"));
    assert_eq!(entry.updated, parse_date("2025-03-06T10:00:00Z"));
    assert_eq!(entry.categories, ["ferry", "harbour"]);
    assert_eq!(entry.enclosures[0].url, "https://news.example/1.jpg");
}

#[test]
fn a_sitemap_that_tells_of_no_news_is_no_feed() {
    for (document, found) in [
        (
            "<urlset><url><loc>https://news.example/</loc></url></urlset>",
            "a sitemap without news",
        ),
        (
            "<sitemapindex><sitemap><loc>/a.xml</loc></sitemap></sitemapindex>",
            "an index of sitemaps",
        ),
    ] {
        let error = parse(document.as_bytes(), None, None).unwrap_err();
        assert_eq!(
            error,
            ParseError::NotAFeed {
                found: found.to_owned()
            }
        );
    }
}

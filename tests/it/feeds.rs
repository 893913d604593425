//! What the feed parser promises, through its public face.

mod commands;
mod finding;
mod hints;
mod laws;
mod sitemaps;

use std::time::Duration;

use url::Url;
use wireroom::feed::{
    Entry, Format, MAX_ENTRIES, ParseError, ParsedFeed, autodiscover, parse, parse_date,
};

fn base() -> Url {
    Url::parse("https://news.example/en/feed.xml").expect("a constant URL")
}

fn read(document: &str) -> ParsedFeed {
    parse(document.as_bytes(), None, Some(&base())).expect(document)
}

fn rss(inside: &str) -> String {
    format!(
        "<rss version='2.0'><channel><title>News</title><link>https://news.example/</link>{inside}</channel></rss>"
    )
}

fn atom(inside: &str) -> String {
    format!(
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>News</title><id>urn:x</id>{inside}</feed>"
    )
}

/// The one entry of an RSS item.
fn item(inside: &str) -> Entry {
    read(&rss(&format!("<item>{inside}</item>")))
        .entries
        .remove(0)
}

fn titles(feed: &ParsedFeed) -> Vec<&str> {
    feed.entries
        .iter()
        .filter_map(|entry| entry.title.as_deref())
        .collect()
}

// ---- formats

#[test]
fn rss_says_everything_that_is_kept() {
    let feed = read(
        "<?xml version='1.0'?><rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'
          xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:atom='http://www.w3.org/2005/Atom'>
        <channel><title>News</title><link>https://news.example/</link><description>All of it</description>
        <language>en</language><atom:link rel='self' href='https://news.example/feed.xml'/>
        <lastBuildDate>Thu, 06 Mar 2025 10:00:00 GMT</lastBuildDate>
        <image><title>not the feed's</title><link>https://no.example/</link></image>
        <item><title>One &amp; two</title><link>https://news.example/1</link><guid isPermaLink='false'>id-1</guid>
        <pubDate>Thu, 06 Mar 2025 09:05:00 GMT</pubDate><dc:creator>Ann Lee</dc:creator><category>Asia</category>
        <description>Short</description><content:encoded><![CDATA[<p>Long</p>]]></content:encoded>
        <enclosure url='https://news.example/1.mp3' type='audio/mpeg' length='12'/></item></channel></rss>",
    );

    assert_eq!(feed.format, Format::Rss);
    assert_eq!(feed.title.as_deref(), Some("News"));
    assert_eq!(feed.site.as_deref(), Some("https://news.example/"));
    assert_eq!(
        feed.self_url.as_deref(),
        Some("https://news.example/feed.xml")
    );
    assert_eq!(feed.description.as_deref(), Some("All of it"));
    assert_eq!(feed.language.as_deref(), Some("en"));
    assert_eq!(feed.updated, parse_date("2025-03-06T10:00:00Z"));
    assert_eq!(feed.warnings, <[String; 0]>::default());
    let entry = &feed.entries[0];
    assert_eq!(
        (entry.id.as_str(), entry.guid.as_deref()),
        ("id-1", Some("id-1"))
    );
    assert_eq!(entry.link.as_deref(), Some("https://news.example/1"));
    assert_eq!(entry.title.as_deref(), Some("One & two"));
    assert_eq!(entry.published, parse_date("2025-03-06T09:05:00Z"));
    assert_eq!(entry.authors, ["Ann Lee"]);
    assert_eq!(entry.categories, ["Asia"]);
    assert_eq!(entry.summary.as_deref(), Some("Short"));
    assert_eq!(entry.content.as_deref(), Some("<p>Long</p>"));
    assert_eq!(entry.enclosures[0].url, "https://news.example/1.mp3");
    assert_eq!(entry.enclosures[0].length_bytes, Some(12));
}

#[test]
fn atom_of_both_versions_is_read() {
    for (namespace, published, updated) in [
        ("http://www.w3.org/2005/Atom", "published", "updated"),
        ("http://purl.org/atom/ns#", "issued", "modified"),
    ] {
        let feed = read(&format!(
            "<feed xmlns='{namespace}'><title>News</title><author><name>The Desk</name></author>
            <entry><title type='html'>One &amp;amp; &lt;b&gt;two&lt;/b&gt;</title><id>urn:1</id>
            <link rel='alternate' type='text/html' href='1.html'/><link rel='enclosure' href='1.mp3'/>
            <{published}>2025-03-06T09:05:00Z</{published}><{updated}>2025-03-06T10:00:00Z</{updated}>
            <content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>Long <a href='x'>x</a></p></div></content>
            </entry></feed>"
        ));

        let entry = &feed.entries[0];
        assert_eq!(feed.format, Format::Atom);
        assert_eq!(entry.title.as_deref(), Some("One & two"));
        assert_eq!(
            entry.link.as_deref(),
            Some("https://news.example/en/1.html")
        );
        assert_eq!(entry.published, parse_date("2025-03-06T09:05:00Z"));
        assert_eq!(entry.updated, parse_date("2025-03-06T10:00:00Z"));
        assert_eq!(
            entry.content.as_deref(),
            Some("<p>Long <a href=\"https://news.example/en/x\">x</a></p>")
        );
        assert_eq!(entry.enclosures[0].url, "https://news.example/en/1.mp3");
        assert_eq!(
            entry.authors,
            ["The Desk"],
            "the feed's author is its entries' (RFC 4287 §4.2.1)"
        );
    }
}

#[test]
fn rdf_puts_its_items_beside_the_channel() {
    let feed = read(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'
          xmlns:dc='http://purl.org/dc/elements/1.1/'><channel rdf:about='https://news.example/'><title>News</title>
        <items><rdf:Seq><rdf:li rdf:resource='https://news.example/1'/></rdf:Seq></items></channel>
        <item rdf:about='https://news.example/1'><title>One</title><dc:date>2025-03-06</dc:date></item></rdf:RDF>",
    );

    assert_eq!(feed.format, Format::Rdf);
    assert_eq!(feed.entries.len(), 1);
    assert_eq!(
        feed.entries[0].link.as_deref(),
        Some("https://news.example/1")
    );
    assert_eq!(feed.entries[0].published, parse_date("2025-03-06"));
}

#[test]
fn json_feeds_of_both_versions_are_read_tolerantly() {
    let feed = read(
        r#"{"version": "https://jsonfeed.org/version/1.1", "home_page_url": "/", "authors": [{"name": "The Desk"}],
        "items": [{"id": 7, "url": "1", "content_text": "1 < 2", "tags": ["a", 5], "date_published": "2025-03-06T09:05:00Z",
                   "attachments": [{"url": "1.mp3"}]},
                  {"id": "x", "title": "Two", "external_url": "https://other.example/", "author": {"name": "Ann"}}]} junk"#,
    );

    assert_eq!(feed.format, Format::Json);
    assert_eq!(feed.site.as_deref(), Some("https://news.example/"));
    let [one, two] = feed.entries.as_slice() else {
        panic!()
    };
    assert_eq!(
        (one.id.as_str(), one.link.as_deref()),
        ("7", Some("https://news.example/en/1"))
    );
    assert_eq!(
        one.content.as_deref(),
        Some("1 &lt; 2"),
        "plain text is escaped: contents are HTML"
    );
    assert_eq!(
        (one.categories.join(" "), one.authors.join(" ")),
        ("a 5".into(), "The Desk".into())
    );
    assert_eq!(
        (two.link.as_deref(), two.authors.join(" ")),
        (Some("https://other.example/"), "Ann".into())
    );
}

#[test]
fn cdf_is_read() {
    let feed = read(
        "<CHANNEL HREF='https://news.example/'><TITLE>News</TITLE><ITEM HREF='/1' LASTMOD='2025-03-06'><TITLE>One</TITLE></ITEM></CHANNEL>",
    );

    assert_eq!(feed.format, Format::Cdf);
    assert_eq!(
        feed.entries[0].link.as_deref(),
        Some("https://news.example/1")
    );
    assert_eq!(feed.entries[0].updated, parse_date("2025-03-06"));
}

#[test]
fn versions_and_namespaces_are_forgiven() {
    for root in [
        "rss",
        "rss version='0.94'",
        "rss version=' 2.0.1 '",
        "RSS xmlns='http://backend.userland.com/rss2'",
        "rss xmlns='urn:nobody'",
    ] {
        let name = root.split(' ').next().unwrap();
        let feed = read(&format!(
            "<{root}><channel><item><title>One</title><dc:creator>Ann</dc:creator></item></channel></{name}>"
        ));

        assert_eq!(titles(&feed), ["One"], "{root}");
        assert_eq!(feed.entries[0].authors, ["Ann"], "{root}");
    }
}

// ---- broken documents

#[test]
fn blemishes_are_read_past_and_reported() {
    let feed = read(&rss(
        "<item><title>Fish & chips&nbsp;&eacute; 3 < 5\u{1}</title><link>https://a.example/?a=1&b=2</link></item></b>",
    ));

    assert_eq!(titles(&feed), ["Fish & chips\u{a0}é 3 < 5"]);
    assert_eq!(
        feed.entries[0].link.as_deref(),
        Some("https://a.example/?a=1&b=2")
    );
    assert_eq!(
        feed.warnings,
        [
            "repaired: 2 bare ampersands, 2 references that XML does not know, \
             1 control character, 1 end tag without its element",
        ]
    );
}

#[test]
fn forgotten_end_tags_cost_nothing() {
    let feed = read(&rss(
        "<item><title>One<link>https://a.example/1</link><category>x<guid>1</guid>\
         <description>a<br>b<p>c</description></item>\
         <item><title>Two</TITLE><description>no end</item><item><title>Three</title>",
    ));

    assert_eq!(titles(&feed), ["One", "Two", "Three"]);
    assert_eq!(feed.entries[0].link.as_deref(), Some("https://a.example/1"));
    assert_eq!(feed.entries[0].categories, ["x"]);
    assert_eq!(feed.entries[0].guid.as_deref(), Some("1"));
    assert_eq!(feed.entries[0].summary.as_deref(), Some("a<br>b<p>c"));
    assert_eq!(feed.entries[1].summary.as_deref(), Some("no end"));
}

#[test]
fn a_cut_document_gives_its_complete_entries_and_says_so() {
    let feed = read(
        "<rss><channel><item><title>One</title></item><item><title>Two</title><link>https://a.exam",
    );

    assert_eq!(titles(&feed), ["One"]);
    assert_eq!(
        feed.warnings,
        ["the document is cut off; what was complete is kept"]
    );
}

#[test]
fn junk_before_and_after_the_root_is_read_past() {
    let feed = read(&format!(
        "\n\u{feff}<br />\n<b>Warning</b>: mysql <script>var x = '<rss>';</script>{}</rss>\0 junk <rss><item/></rss>",
        rss("<item><title>One</title></item>")
    ));

    assert_eq!(titles(&feed), ["One"]);
    assert!(
        feed.warnings
            .contains(&"repaired: text before the root element".to_owned()),
        "{:?}",
        feed.warnings
    );
}

#[test]
fn what_is_no_feed_is_refused_by_name() {
    let check = |document: &str, want: &str| {
        let error = parse(document.as_bytes(), None, None).unwrap_err();
        assert!(error.to_string().contains(want), "{document}: {error}");
    };

    check(
        "<!DOCTYPE html><html><body>hello</body></html>",
        "an HTML page",
    );
    check("<opml version='2.0'><body/></opml>", "root is <opml>");
    check(
        "{\"error\": \"not found\", \"items\": []}",
        "JSON of another kind",
    );
    check("404 Not Found", "not a feed");
    check(
        &rss("<item ><!-- unclosed <title>x</title></item>"),
        "cannot be read",
    );
    assert_eq!(parse(b" \n\0", None, None), Err(ParseError::Empty));
    assert_eq!(
        parse(b"\x89PNG\r\n\0\0\0\rIHDR\xff", None, None),
        Err(ParseError::Encoding)
    );
}

#[test]
fn an_empty_feed_is_a_feed() {
    assert_eq!(read(&rss("")).entries, []);
    assert_eq!(read(&atom("")).entries, []);
    let blank = read("<rss version='2.0'><channel></channel></rss>");
    assert_eq!((blank.title, blank.entries), (None, Vec::new()));
}

#[test]
fn a_document_that_is_cut_off_before_it_says_anything_is_broken() {
    for document in [
        "<rss version='2.0'>",
        "<rss version='2.0'><chan",
        "<rss version='2.0'><channel>",
        "<rss version='2.0'><channel><title>Ne",
        "<feed xmlns='http://www.w3.org/2005/Atom'><!-- ",
    ] {
        let error = parse(document.as_bytes(), None, Some(&base())).unwrap_err();

        assert_eq!(
            error.to_string(),
            "the feed cannot be read: it is cut off before it says anything",
            "{document}"
        );
    }
}

// ---- limits

#[test]
fn limits_hold_before_memory_is_spent() {
    let limit = |document: String| {
        matches!(
            parse(document.as_bytes(), None, None),
            Err(ParseError::Limit { .. })
        )
    };

    assert!(limit(rss(&"x".repeat(11 << 20))));
    assert!(limit(rss(&"<a>".repeat(200))));
    assert!(limit(rss(&format!("<a {}/>", "b='1' ".repeat(400)))));
}

#[test]
fn the_first_five_thousand_entries_are_read() {
    let items = |n: usize| rss(&"<item><title>x</title></item>".repeat(n));

    let full = read(&items(MAX_ENTRIES));
    let over = read(&items(MAX_ENTRIES + 1));

    assert_eq!((full.entries.len(), full.warnings.len()), (MAX_ENTRIES, 0));
    assert_eq!(over.entries.len(), MAX_ENTRIES);
    assert_eq!(
        over.warnings,
        ["has more than 5000 entries; the rest is not read"]
    );
}

#[test]
fn entities_are_neither_fetched_nor_blown_up() {
    let bomb = "<!DOCTYPE rss [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY x SYSTEM 'file:///etc/passwd'>]>";
    let feed = read(&format!(
        "{bomb}{}",
        rss("<item><title>&a; &b; &x;</title></item>")
    ));

    assert_eq!(titles(&feed), ["aaaaaaaaaa &b; &x;"]);
}

#[test]
fn deep_markup_in_content_keeps_its_text() {
    let deep = format!("{}x{}", "<b>".repeat(50_000), "</b>".repeat(50_000));
    let entry = item(&format!(
        "<title>t</title><description>{deep}</description>"
    ));

    let summary = entry.summary.unwrap();
    assert!(summary.contains('x') && summary.matches("<b>").count() <= 512);
}

// ---- fields

#[test]
fn links_are_resolved_and_absolute_ones_untouched() {
    assert_eq!(
        item("<link>/1?a=b</link>").link.as_deref(),
        Some("https://news.example/1?a=b")
    );
    assert_eq!(
        item("<link>HTTP://X.example:80/%7Ea ü</link>")
            .link
            .as_deref(),
        Some("HTTP://X.example:80/%7Ea ü")
    );
    assert_eq!(
        item("<guid>https://a.example/1</guid>").link.as_deref(),
        Some("https://a.example/1")
    );
    assert_eq!(item("<guid isPermaLink='false'>abc</guid>").link, None);
    assert_eq!(item("<guid>12345</guid>").link, None);
    assert_eq!(
        item("<guid isPermaLink='true'>1</guid>").link.as_deref(),
        Some("https://news.example/en/1")
    );
    let based = read(
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://b.example/x/'><entry xml:base='y/'><link href='1'/></entry></feed>",
    );
    assert_eq!(
        based.entries[0].link.as_deref(),
        Some("https://b.example/x/y/1")
    );
}

#[test]
fn a_document_without_an_address_resolves_against_its_site() {
    let document = rss("<item><link>/1</link></item>");

    let feed = parse(document.as_bytes(), None, None).unwrap();

    assert_eq!(
        feed.entries[0].link.as_deref(),
        Some("https://news.example/1")
    );
}

#[test]
fn pictures_of_media_rss_are_enclosures() {
    let entry = item(
        "<media:group><media:content url='/1.jpg' medium='image'/><media:thumbnail url='/2.jpg'/></media:group>",
    );

    let enclosures: Vec<_> = entry
        .enclosures
        .iter()
        .map(|e| (e.url.as_str(), e.media_type.as_deref()))
        .collect();
    assert_eq!(
        enclosures,
        [
            ("https://news.example/1.jpg", Some("image/*")),
            ("https://news.example/2.jpg", Some("image/*"))
        ]
    );
}

#[test]
fn what_the_feed_wishes_is_kept() {
    let hints = read(&rss(
        "<ttl>90</ttl><skipHours><hour>0</hour><hour>24</hour><hour>25</hour></skipHours><skipDays><day>Sunday</day></skipDays>\
         <atom:link rel='hub' href='https://hub.example/'/>",
    ))
    .hints;
    let periodic = read(&rss(
        "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>",
    ))
    .hints;

    assert_eq!(hints.interval, Some(Duration::from_secs(90 * 60)));
    assert_eq!((hints.skip_hours, hints.skip_days), (vec![0], vec![6]));
    assert_eq!(hints.hubs, ["https://hub.example/"]);
    assert_eq!(periodic.interval, Some(Duration::from_secs(6 * 3600)));
}

#[test]
fn encodings_are_found_out() {
    let cyrillic = |declaration: &str, content_type: Option<&str>| {
        let mut document = declaration.as_bytes().to_vec();
        document.extend_from_slice(b"<rss><channel><item><title>\xcf\xee\xf0\xf2\xee\xe2\xfb\xe9 \xe2\xe5\xf1\xf2\xed\xe8\xea \xf1\xee\xee\xe1\xf9\xe0\xe5\xf2</title></item></channel></rss>");
        let feed = parse(&document, content_type, None).unwrap();
        feed.entries[0].title.clone().unwrap()
    };

    for (declaration, content_type) in [
        (
            "<?xml version='1.0' encoding='windows-1251'?>",
            Some("text/xml; charset=utf-8"),
        ),
        ("", Some("text/xml; charset=windows-1251")),
        ("<?xml version='1.0' encoding='utf-8'?>", None),
    ] {
        assert_eq!(
            cyrillic(declaration, content_type),
            "Портовый вестник сообщает",
            "{declaration}"
        );
    }
}

// ---- autodiscovery

#[test]
fn a_page_names_its_feeds_once_each_in_order() {
    let feeds = autodiscover(
        "<html><head><base href='/en/'><link rel=alternate type='application/rss+xml' title='A &amp; B' href=rss>\
         <link rel=alternate type='application/atom+xml' href=atom><link rel=alternate type='application/rss+xml' href=rss>",
        &base(),
    );

    let found: Vec<_> = feeds
        .iter()
        .map(|feed| (feed.url.as_str(), feed.title.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            ("https://news.example/en/rss", Some("A & B")),
            ("https://news.example/en/atom", None)
        ]
    );
}

#[test]
fn relative_links_start_from_the_site_when_another_host_serves_the_feed() {
    let document =
        rss("<item><link>/1</link><description>&lt;a href='2'>x&lt;/a></description></item>");
    let served_by = |base: &str| {
        let base = Url::parse(base).unwrap();
        let feed = parse(document.as_bytes(), None, Some(&base)).unwrap();
        let entry = feed.entries.into_iter().next().unwrap();
        (entry.link.unwrap(), entry.summary.unwrap())
    };

    assert_eq!(
        served_by("https://feeds.example/news"),
        (
            "https://news.example/1".to_owned(),
            "<a href=\"https://news.example/2\">x</a>".to_owned()
        )
    );
    assert_eq!(
        served_by("https://news.example/en/rss").1,
        "<a href=\"https://news.example/en/2\">x</a>"
    );
}

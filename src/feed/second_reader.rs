//! A second reader, feed-rs, for documents that ours gives up on; only for those.
//!
//! Where ours reads, its word stands alone: two readers side by side would give the same
//! entry two ids, and news twice.

use std::panic::catch_unwind;
use std::time::Duration;

use feed_rs::model;
use feed_rs::parser::Builder;
use jiff::Timestamp;
use quick_xml::Reader;
use quick_xml::events::Event;
use url::Url;

use super::draft::{Draft, LinkSource};
use super::links::resolve_in_html;
use super::root::find_root;
use super::text::{TextKind, looks_like_html, one_line, title, to_html};
use super::{Enclosure, MAX_ENTRIES, ParsedFeed, parse_date};

/// Largest document that gets a second reading, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Most elements within each other: feed-rs reads nested categories by recursion.
const MAX_DEPTH: usize = 32;

/// Longest start tag, in bytes: feed-rs copies the base of its links for every element.
const MAX_TAG_BYTES: usize = 2 << 10;

/// Most namespace declarations: they are searched one by one.
const MAX_NAMESPACES: usize = 1024;

/// Reads an XML document that our reader gave up on, for `reason`.
///
/// `None` when this reader gives up as well, finds no entry, or panics. The entries have no
/// ids yet, so that these follow one rule. JSON gets no second reading: both readers stand on
/// the same JSON parser, and ours asks for less.
pub(super) fn read(text: &str, base: Option<&Url>, reason: &str) -> Option<ParsedFeed> {
    let (_, root) = find_root(text).ok()?;
    // From the root on: the text is UTF-8 now, whatever its declaration says.
    let document = &text[root.tokens.start()..];
    if !is_harmless(document) {
        return None;
    }
    let read = catch_unwind(|| {
        let parser = Builder::new()
            .base_uri(base)
            .sanitize_content(false)
            .id_generator(|_, _, _| String::new())
            // RFC 3339 is what the two libraries of time have in common.
            .timestamp_parser(|text| parse_date(text)?.to_string().parse().ok())
            .build();
        parser.parse(document.as_bytes()).ok()
    });
    let read = read
        .ok()
        .flatten()
        .filter(|feed| !feed.entries.is_empty())?;
    let mut feed = feed(read, base);
    feed.format = root.format;
    let warning = format!("our reader gave up ({reason}); read by a second reader");
    feed.warnings.push(warning);
    Some(feed)
}

/// Whether the second reader's work on a document has a bound. It cuts documents as
/// quick-xml does; one that quick-xml refuses it cannot read.
fn is_harmless(document: &str) -> bool {
    if document.len() > MAX_BYTES || document.matches("xmlns").count() > MAX_NAMESPACES {
        return false;
    }
    // A declaration behind the root that names an encoding makes quick-xml panic.
    if document.contains("<?xml") {
        return false;
    }
    let mut reader = Reader::from_str(document);
    let mut depth = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) if tag.len() > MAX_TAG_BYTES => return false,
            Ok(Event::Start(_)) if depth == MAX_DEPTH => return false,
            Ok(Event::Start(_)) => depth += 1,
            Ok(Event::End(_)) => depth -= 1,
            Ok(Event::Eof) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

fn feed(read: model::Feed, base: Option<&Url>) -> ParsedFeed {
    let mut draft = Draft::default();
    draft.title.offer(0, read.title.and_then(plain));
    draft.summary.offer(
        0,
        read.description
            .and_then(|text| html(text.content, text.content_type.as_str(), base)),
    );
    draft.id.offer(0, given(&read.id));
    draft
        .published
        .offer(0, read.published.and_then(|t| time(t.timestamp_millis())));
    draft
        .updated
        .offer(0, read.updated.and_then(|t| time(t.timestamp_millis())));
    draft.language = read.language;
    draft.ttl = read
        .ttl
        .map(|minutes| Duration::from_secs(60 * u64::from(minutes)));
    add_common(&mut draft, read.authors, read.categories, read.links);
    if read.feed_type == model::FeedType::Atom {
        draft.entry_authors.clone_from(&draft.authors);
    }
    let is_full = read.entries.len() > MAX_ENTRIES;
    let entries = read.entries.into_iter().take(MAX_ENTRIES);
    let mut feed = draft.into_feed(entries.map(|read| entry(read, base).into_entry()).collect());
    if is_full {
        let warning = format!("has more than {MAX_ENTRIES} entries; the rest is not read");
        feed.warnings.push(warning);
    }
    feed
}

fn entry(read: model::Entry, base: Option<&Url>) -> Draft {
    let mut draft = Draft::default();
    draft.id.offer(0, given(&read.id));
    draft.title.offer(0, read.title.and_then(plain));
    draft.summary.offer(
        0,
        read.summary
            .and_then(|text| html(text.content, text.content_type.as_str(), base)),
    );
    if let Some(content) = read.content {
        let body = content.body;
        let body = body.and_then(|body| html(body, content.content_type.as_str(), base));
        draft.content.offer(0, body);
    }
    draft
        .published
        .offer(0, read.published.and_then(|t| time(t.timestamp_millis())));
    draft
        .updated
        .offer(0, read.updated.and_then(|t| time(t.timestamp_millis())));
    add_common(&mut draft, read.authors, read.categories, read.links);
    for content in read.media.into_iter().flat_map(|media| media.content) {
        draft.add_enclosure(Enclosure {
            url: content.url.map_or_else(String::new, String::from),
            media_type: content.content_type.map(|kind| kind.to_string()),
            length_bytes: content.size,
        });
    }
    draft
}

/// What a feed and an entry both have.
fn add_common(
    draft: &mut Draft,
    authors: Vec<model::Person>,
    categories: Vec<model::Category>,
    links: Vec<model::Link>,
) {
    for author in authors {
        let name = author.name.or(author.email);
        draft.add_author(name.and_then(|name| title(&name, TextKind::Unknown)));
    }
    for category in categories {
        draft.add_category(given(&one_line(&category.term)));
    }
    for link in links {
        draft.add_link(Some(link.href.clone()));
        match link.rel.as_deref() {
            None => draft.offer_link(LinkSource::Own, Some(link.href)),
            Some("alternate") => draft.offer_link(LinkSource::Alternate, Some(link.href)),
            Some("self") => draft.self_url = Some(link.href),
            Some("hub") => draft.add_hub(Some(link.href)),
            Some("enclosure") => draft.add_enclosure(Enclosure {
                url: link.href,
                media_type: link.media_type,
                length_bytes: link.length,
            }),
            Some(_) => {}
        }
    }
}

/// Time, by way of the number that chrono gives.
fn time(milliseconds: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds).ok()
}

fn given(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

fn plain(text: model::Text) -> Option<String> {
    let is_html = text.content_type.as_str().contains("html");
    let kind = if is_html {
        TextKind::Html
    } else {
        TextKind::Unknown
    };
    title(&text.content, kind)
}

/// Text as HTML. `text/plain` is also what feed-rs says of RSS, where nobody said.
fn html(text: String, media_type: &str, base: Option<&Url>) -> Option<String> {
    let is_html = media_type.contains("html") || text.contains('&') || looks_like_html(&text);
    let kind = if is_html {
        TextKind::Html
    } else {
        TextKind::Text
    };
    Some(resolve_in_html(to_html(text, kind)?, base))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::parse;

    fn base() -> Url {
        Url::parse("https://news.example/en/feed.xml").unwrap()
    }

    /// An instruction that our reader takes for a doctype without an end.
    const STUMBLE: &str = "<?note 2 > 1 <!DOCTYPE x [ ?>";

    fn rss(inside: &str) -> String {
        format!(
            "<?xml version='1.0' encoding='windows-1251'?><rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'
            xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel>{inside}</channel></rss>"
        )
    }

    const CHANNEL: &str = "<title>News &amp; more</title><link>https://news.example/</link><description>All of it</description>
        <language>en</language><ttl>60</ttl><lastBuildDate>Thu, 06 Mar 2025 10:00 GMT</lastBuildDate>
        <item><title>Öne &amp; two</title><link>https://news.example/1</link><guid isPermaLink='false'>id-1</guid>
        <pubDate>2025-03-06 24:00</pubDate><dc:creator>Ann Lee</dc:creator><category>Asia</category>
        <description>1 &lt; 2</description><content:encoded><![CDATA[<p>Long <a href='x'>x</a></p>]]></content:encoded>
        <enclosure url='https://news.example/1.mp3' type='audio/mpeg' length='12'/></item>
        <item><title>Three</title></item>";

    #[test]
    fn what_our_reader_gives_up_on_is_read_once_more_and_said() {
        let document = rss(&format!("{STUMBLE}{CHANNEL}")).replace("<![CDATA[", "");
        // Nothing may look like the end of that doctype.
        let document = document.replace("]]>", "");

        let feed = parse(document.as_bytes(), None, Some(&base())).unwrap();

        let entry = &feed.entries[0];
        assert_eq!(feed.entries.len(), 2);
        assert_eq!(feed.title.as_deref(), Some("News & more"));
        assert_eq!(entry.id, "id-1");
        assert_eq!(entry.title.as_deref(), Some("Öne & two"));
        assert_eq!(entry.published, parse_date("2025-03-07T00:00:00Z"));
        assert_eq!(
            feed.warnings.last().unwrap(),
            "our reader gave up (it holds entries, but none could be read); read by a second reader"
        );
    }

    #[test]
    fn of_a_clean_feed_both_readers_say_the_same() {
        let atom = "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://news.example/a/'><title type='html'>&lt;b>News&lt;/b></title>
            <id>urn:x</id><link href='./'/><link rel='self' href='feed'/><link rel='hub' href='https://hub.example/'/>
            <author><name>The Desk</name></author><entry><id>urn:1</id><title>One</title><link href='1'/><category term='Asia'/>
            <link rel='enclosure' href='1.mp3' type='audio/mpeg' length='12'/><updated>2025-03-06T10:00:00Z</updated>
            <published>2025-03-06T09:00:00Z</published><summary>1 &lt; 2</summary>
            <content type='html'>&lt;p>Long&lt;/p></content></entry></feed>";
        for document in [&rss(CHANNEL), atom] {
            let mut ours = parse(document.as_bytes(), None, Some(&base())).unwrap();
            let mut theirs = read(document, Some(&base()), "why").unwrap();

            crate::feed::identity::identify(&mut theirs.entries);
            for feed in [&mut ours, &mut theirs] {
                // feed-rs keeps one date of an RSS item in both fields, and lists links otherwise.
                feed.links.sort();
                feed.warnings.clear();
                feed.repairs.clear();
                for entry in &mut feed.entries {
                    entry.updated = entry.updated.or(entry.published);
                    (entry.published_text, entry.updated_text) = (None, None);
                    entry.links.sort();
                    entry.summary = entry.summary.take().map(|text| text.replace("&lt;", "<"));
                    entry.content = entry.content.take().map(|html| html.replace('\'', "\""));
                }
            }
            assert_eq!(theirs, ours);
        }
    }

    #[test]
    fn what_neither_reads_keeps_the_first_error() {
        let error = parse(rss("<!-- <item> -->").as_bytes(), None, None).unwrap_err();

        assert_eq!(
            error.to_string(),
            "the feed cannot be read: it holds entries, but none could be read"
        );
    }

    #[test]
    fn documents_that_would_cost_too_much_are_not_read() {
        let item = "<item><title>One</title></item>";
        let nested = |n: usize| format!("{}{}", "<x>".repeat(n), "</x>".repeat(n));
        let long = |n: usize| format!("<x a='{}'/>", "x".repeat(n));
        let spaced = |n: usize| format!("<x xmlns:a='a' {}/>", "xmlns ".repeat(n));
        let filled = |n: usize| "x".repeat(n);
        let is_read = |inside: String| read(&rss(&format!("{item}{inside}")), None, "").is_some();

        assert!(is_read(nested(20)) && !is_read(nested(MAX_DEPTH)));
        assert!(is_read(long(200)) && !is_read(long(MAX_TAG_BYTES)));
        assert!(is_read(filled(200)) && !is_read(filled(MAX_BYTES)));
        assert!(!is_read(spaced(MAX_NAMESPACES)));
        assert!(!is_read(
            "<?xml version='1.0' encoding='euc-kr'?>".to_owned()
        ));
    }
}

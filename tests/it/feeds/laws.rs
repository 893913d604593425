//! What holds for every document, whole, cut or broken.

use proptest::prelude::*;
use wireroom::feed::{ParseError, ParsedFeed, autodiscover, parse, parse_date};

use super::{base, rss};

/// Pieces from which documents are put together, whole and broken.
const PIECES: &[&str] = &[
    "<rss version='2.0'>",
    "<channel>",
    "<item>",
    "</item>",
    "<title>",
    "</title>",
    "<link>",
    "</link>",
    "<guid>",
    "</guid>",
    "<description>",
    "</description>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?xml version='1.0'?>",
    "<feed xmlns='http://www.w3.org/2005/Atom'>",
    "<entry>",
    "</entry>",
    "<content type='xhtml'>",
    "</content>",
    "<link href='",
    "'/>",
    "&amp;",
    "&",
    "&#",
    "&#55357;",
    "<",
    ">",
    "</",
    "\"",
    "<pubDate>",
    "24:00",
    "2025-03-06",
    "</pubDate>",
    "<author>",
    "<name>",
    "</name>",
    "a@b.c (x)",
    "</author>",
    "<br>",
    "</rss>",
    "</feed>",
    "xml:base='../'",
    "é",
    "\0",
    "{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[",
    "{\"id\":1}",
    "]}",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>",
    "&a;",
    "<media:content url='x'>",
    "<category term='",
    "<dc:creator>",
    " ",
    "\n",
    "https://a.example/",
];

fn broken() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES), 0..60)
        .prop_map(|pieces| pieces.concat())
}

/// Entries of a clean feed: guid, link, title, text.
fn clean_entries() -> impl Strategy<Value = Vec<(u32, String, String)>> {
    let entry = (any::<u32>(), "T[A-Za-zа-яé ]{1,20}", "S[A-Za-zа-яé ]{1,20}");
    proptest::collection::vec(entry, 1..6)
}

fn clean_rss(entries: &[(u32, String, String)]) -> String {
    let mut items = String::new();
    for (n, (guid, title, text)) in entries.iter().enumerate() {
        items += &format!(
            "<item><title>{title}</title><link>https://news.example/{n}</link><guid isPermaLink='false'>{guid}-{n}</guid>\
             <description>{text}</description><pubDate>Thu, 06 Mar 2025 09:{:02}:00 GMT</pubDate></item>",
            guid % 60
        );
    }
    rss(&items)
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, content_type: Option<String>) {
        // `parse` catches panics of libraries; none may be ours.
        let result = parse(&bytes, content_type.as_deref(), Some(&base()));
        prop_assert!(!panicked(&result));
    }

    #[test]
    fn no_broken_document_makes_it_panic_and_reading_twice_gives_the_same(document in broken()) {
        let first = parse(document.as_bytes(), None, Some(&base()));

        prop_assert!(!panicked(&first), "{document}");
        prop_assert_eq!(parse(document.as_bytes(), None, Some(&base())), first);
    }

    #[test]
    fn no_date_makes_it_panic(text: String, near in "[0-9]{1,4}[-/ :.,T]{1,2}[A-Za-z0-9]{1,4}[-/ :.,T+]{1,2}[0-9:+-]{1,12}[A-Z +]{0,4}") {
        let _ = parse_date(&text);
        let _ = parse_date(&near);
    }

    #[test]
    fn no_page_makes_autodiscovery_panic(page: String, document in broken()) {
        let _ = autodiscover(&page, &base());
        let _ = autodiscover(&document, &base());
    }

    #[test]
    fn a_clean_feed_gives_no_warnings_and_another_reader_agrees(entries in clean_entries()) {
        let document = clean_rss(&entries);

        let ours = parse(document.as_bytes(), None, Some(&base())).unwrap();
        let theirs = feed_rs::parser::parse(document.as_bytes()).unwrap();

        prop_assert_eq!(&ours.warnings, &<[String; 0]>::default());
        prop_assert_eq!(ours.entries.len(), theirs.entries.len());
        for (ours, theirs) in ours.entries.iter().zip(&theirs.entries) {
            prop_assert_eq!(ours.guid.as_deref(), Some(theirs.id.as_str()));
            prop_assert_eq!(ours.link.as_deref(), theirs.links.first().map(|link| link.href.as_str()));
            let title = theirs.title.as_ref().map(|title| title.content.split_whitespace().collect::<Vec<_>>().join(" "));
            prop_assert_eq!(ours.title.as_ref(), title.as_ref());
            prop_assert_eq!(ours.published.map(|date| date.as_second()), theirs.published.map(|date| date.timestamp()));
        }
    }

    #[test]
    fn every_complete_entry_before_a_cut_survives_the_cut(entries in clean_entries(), cut in 0.0f64..1.0) {
        let document = clean_rss(&entries);
        let whole = parse(document.as_bytes(), None, Some(&base())).unwrap().entries;
        let end = document.floor_char_boundary((document.len() as f64 * cut) as usize);
        let n_complete = document[..end].matches("</item").count();

        let survivors = parse(&document.as_bytes()[..end], None, Some(&base()));

        if n_complete > 0 {
            let survivors = survivors.unwrap();
            prop_assert_eq!(&survivors.entries[..], &whole[..n_complete]);
            // Of `</rss>` only the bracket may be missing.
            prop_assert_eq!(survivors.is_cut, !document[..end].contains("</rss"));
        }
    }

    #[test]
    fn ids_survive_an_edit_of_every_title(entries in clean_entries(), keeps_guid: bool, keeps_link: bool) {
        let mut before = clean_rss(&entries);
        if !keeps_guid { before = before.replace("<guid isPermaLink='false'>", "<x>").replace("</guid>", "</x>"); }
        if !keeps_link { before = before.replace("<link>https://news.example/0", "<y>").replace("link>", "y>"); }
        let after = before.replace("<title>T", "<title>Edited: ");

        let ids = |document: &str| -> Vec<String> {
            let feed = parse(document.as_bytes(), None, Some(&base())).unwrap();
            feed.entries.into_iter().map(|entry| entry.id).collect()
        };

        prop_assert_eq!(ids(&before), ids(&after));
    }
}

fn panicked(result: &Result<ParsedFeed, ParseError>) -> bool {
    const REASON: &str = "the parser failed";
    match result {
        Ok(feed) => feed.warnings.iter().any(|warning| warning.contains(REASON)),
        Err(error) => matches!(error, ParseError::Broken { reason } if reason == REASON),
    }
}

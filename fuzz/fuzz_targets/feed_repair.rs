//! Documents put together from the pieces of feeds, broken in every way: complete entries
//! survive a cut, and what stands behind them cannot take them back.
//!
//! Each byte of the input chooses a piece; the entries before them are whole.

#![no_main]

use libfuzzer_sys::fuzz_target;
use url::Url;
use wireroom::feed;

const PIECES: &[&str] = &[
    "<item>",
    "</item>",
    "<entry>",
    "</entry>",
    "<title>",
    "</title>",
    "<title type='html'>",
    "<title type='xhtml'>",
    "<link>",
    "</link>",
    "<link href='/a'/>",
    "<link rel='next' href='",
    "<guid>",
    "</guid>",
    "<guid isPermaLink='false'>",
    "<description>",
    "</description>",
    "<content:encoded>",
    "</content:encoded>",
    "<content type='xhtml'>",
    "</content>",
    "<div xmlns='http://www.w3.org/1999/xhtml'>",
    "</div>",
    "<p>",
    "<br>",
    "</p>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?x",
    "?>",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>",
    "&a;",
    "&amp;",
    "&",
    "&nbsp;",
    "&#",
    "&#x",
    "55357;",
    "&#56832;",
    "<",
    ">",
    "</",
    "/>",
    "\"",
    "'",
    "=",
    " ",
    "\n",
    "\0",
    "\u{1}",
    "\u{fffd}",
    "\u{e9}",
    "<author>",
    "</author>",
    "<name>",
    "</name>",
    "a@b.c (x)",
    "<pubDate>",
    "</pubDate>",
    "2025-03-06",
    "24:00",
    "Thu, ",
    "<category>",
    "<category term='",
    "</category>",
    "<media:group>",
    "</media:group>",
    "<media:content url='x'>",
    "</media:content>",
    "<enclosure url='x'/>",
    "<itunes:author>",
    "</itunes:author>",
    "<source>",
    "</source>",
    "xml:base='../'",
    " xmlns='",
    "<channel>",
    "</channel>",
    "<x>",
    "</x>",
    "<ITEM>",
    "</ITEM>",
    "text",
    "https://a.example/",
    "<dc:date>",
    "</dc:date>",
    "<image>",
    "</image>",
];

fuzz_target!(|input: &[u8]| {
    let base = Url::parse("https://news.example/feed.xml").expect("a URL");
    let whole = "<rss version='2.0'><channel><title>News</title><item><title>One</title><guid>1</guid></item>\
                 <item><title>Two</title><guid>2</guid></item>";
    let broken: String = input
        .iter()
        .take(4096)
        .map(|byte| PIECES[usize::from(*byte) % PIECES.len()])
        .collect();
    let document = format!("{whole}{broken}");
    let read = |document: &str| feed::parse(document.as_bytes(), None, Some(&base));

    let before = read(whole).expect("a feed that is only cut off");
    // Limits of nesting and attributes refuse a document; everything else is read.
    let Ok(after) = read(&document) else { return };
    // An id that stands on several entries is no id; all else is as it was.
    let survive = |now: &feed::ParsedFeed| {
        let pairs = before.entries.iter().zip(&now.entries);
        let n_same = pairs
            .filter(|(before, now)| (&before.title, &before.guid) == (&now.title, &now.guid))
            .count();
        n_same == 2
    };
    assert!(survive(&after), "{document}");

    // Whatever is cut off costs no entry that was complete before the cut.
    let mut end = document.len() - broken.len() / 5;
    while !document.is_char_boundary(end) {
        end -= 1;
    }
    if let Ok(cut) = read(&document[..end]) {
        assert!(survive(&cut), "{document}");
    }
});

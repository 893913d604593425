//! Any document is read or refused, the same bytes give the same entries with the same ids,
//! and no library panics on the way.
//!
//! The first byte says under which `Content-Type` the rest was served.

#![no_main]

use libfuzzer_sys::fuzz_target;
use url::Url;
use wireroom::feed::{self, ParseError};

const CONTENT_TYPES: [Option<&str>; 6] = [
    None,
    Some("text/xml; charset=iso-8859-1"),
    Some("application/xml; charset=windows-1251"),
    Some("application/rss+xml; charset=\"Shift_JIS\""),
    Some("text/xml; charset=cp850"),
    Some("application/feed+json"),
];

fuzz_target!(|input: &[u8]| {
    let Some((first, document)) = input.split_first() else {
        return;
    };
    let content_type = CONTENT_TYPES[usize::from(*first) % CONTENT_TYPES.len()];
    let base = Url::parse("https://example.org/feed").expect("a URL");

    let once = feed::parse(document, content_type, Some(&base));
    let again = feed::parse(document, content_type, Some(&base));

    assert_eq!(once, again, "the same bytes were read in two ways");
    match once {
        Ok(feed) => assert!(feed.entries.len() <= feed::MAX_ENTRIES),
        Err(ParseError::Broken { reason }) => assert_ne!(reason, "the parser failed"),
        Err(_) => {}
    }
});

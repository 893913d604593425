//! Any document is read or refused, and the same bytes give the same entries.

#![no_main]

use libfuzzer_sys::fuzz_target;
use url::Url;
use wireroom::feed;

fuzz_target!(|document: &[u8]| {
    let base = Url::parse("https://example.org/feed").expect("a URL");

    let once = feed::parse(document, None, Some(&base));
    let again = feed::parse(document, None, Some(&base));

    match (once, again) {
        (Ok(once), Ok(again)) => assert_eq!(once.entries, again.entries),
        (Err(_), Err(_)) => {}
        _ => panic!("the same bytes were read once and refused once"),
    }
});

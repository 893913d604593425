//! Any text is a date or none, and a date that we write is read back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wireroom::feed::{parse_date, read_date};

fuzz_target!(|text: &str| {
    let Some(date) = read_date(text) else {
        assert_eq!(parse_date(text), None);
        return;
    };
    assert_eq!(parse_date(text), Some(date.at));
    let at = date.at.as_second();
    assert!(
        (-2_250_000_000..=7_400_000_000).contains(&at),
        "{text}: {}",
        date.at
    );
    // Milliseconds are only in Unix time.
    let written = date.at.to_string();
    assert_eq!(
        parse_date(&written).map(|again| again.as_second()),
        Some(at),
        "{text}"
    );
    let rfc_2822 = date.at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    assert_eq!(
        parse_date(&rfc_2822).map(|again| again.as_second()),
        Some(at),
        "{text}"
    );
});

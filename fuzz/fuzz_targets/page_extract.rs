//! Any page gives an article or a reason.

#![no_main]

use libfuzzer_sys::fuzz_target;
use url::Url;
use wireroom::extract::{self, Settings};

fuzz_target!(|page: &[u8]| {
    let url = Url::parse("https://example.org/news/1").expect("a URL");
    let html = extract::decode(page, None);

    let _ = extract::extract(&html, &url, &Settings::default());
    let _ = extract::plain_text(&html);
});

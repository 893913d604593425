//! A canonical URL is canonical, and stays at its host.

#![no_main]

use libfuzzer_sys::fuzz_target;
use url::Url;
use wireroom::canonical::{believable, canonicalize};
use wireroom::model::HostKey;

fuzz_target!(|text: &str| {
    let Ok(url) = Url::parse(text) else {
        return;
    };
    let _ = believable(&url, &url);
    let once = canonicalize(&url);

    if matches!(url.scheme(), "http" | "https") {
        let again = Url::parse(once.as_str()).expect("a canonical URL is a URL");
        assert_eq!(canonicalize(&again), once);
        assert_eq!(HostKey::of(&again), HostKey::of(&url));
    }
});

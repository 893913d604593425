//! Any page names feeds or none, all of them for the web, each once; and any address has a
//! rule or none.

#![no_main]

use libfuzzer_sys::fuzz_target;
use url::Url;
use wireroom::feed;

fuzz_target!(|input: &[u8]| {
    let page = String::from_utf8_lossy(input);
    let base = Url::parse("https://example.org/section/page").expect("a URL");

    let named = feed::autodiscover(&page, &base);
    let mut urls: Vec<&str> = named.iter().map(|link| link.url.as_str()).collect();
    assert!(
        urls.iter()
            .all(|url| url.starts_with("http:") || url.starts_with("https:"))
    );
    urls.sort_unstable();
    urls.dedup();
    assert_eq!(urls.len(), named.len());

    let _ = feed::sitemaps_of_robots(input, &base);
    let _ = feed::sitemaps_of_index(input, &base);
    let _ = feed::usual_feeds(&page, &base);
    for host in [
        "www.youtube.com",
        "github.com",
        "reddit.com",
        "soundcloud.com",
        "a.tumblr.com",
    ] {
        let Ok(url) = Url::parse(&format!("https://{host}/{page}")) else {
            continue;
        };
        for link in feed::feeds_by_rule(&url)
            .iter()
            .chain(&feed::feeds_by_markup(&page, &url))
        {
            assert!(
                Url::parse(&link.url).is_ok_and(|url| url.scheme() == "https"),
                "{link:?}"
            );
        }
    }
});

//! Any list is read or refused, and a list that we write is read back whole.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wireroom::feed_list::{self, ListFormat};

fuzz_target!(|text: &str| {
    for format in [ListFormat::Opml, ListFormat::Toml, ListFormat::Text] {
        let Ok(list) = feed_list::read(text, format) else {
            continue;
        };
        let opml = feed_list::write_opml("fuzzed", &list.feeds);
        let again = feed_list::read(&opml, ListFormat::Opml).expect("our own OPML is read");

        let urls = |list: &feed_list::FeedList| -> Vec<String> {
            list.feeds.iter().map(|feed| feed.url.to_string()).collect()
        };
        assert_eq!(urls(&again), urls(&list));
    }
});

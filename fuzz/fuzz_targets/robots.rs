//! Any robots.txt is read, any path is answered, and nothing is forbidden without a rule.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wireroom::fetch::robots::Robots;

fuzz_target!(|input: (&[u8], &str)| {
    let (file, path) = input;

    let robots = Robots::parse(file, "wireroom");

    if let Err(rule) = robots.allows(path) {
        assert!(!rule.allows && rule.line > 0 && !rule.pattern.is_empty());
    }
    assert!(robots.allows("/robots.txt").is_ok());
    assert!(
        robots
            .crawl_delay()
            .is_none_or(|delay| delay.as_secs() <= 60)
    );
});

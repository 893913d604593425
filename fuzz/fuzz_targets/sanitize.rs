//! Sanitised HTML holds no script, and sanitising it again changes no word.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wireroom::extract;

fuzz_target!(|html: &str| {
    let once = extract::sanitize(html, None);

    // A serialiser escapes `<` in text and in attributes, so that it only begins elements.
    let lower = once.to_ascii_lowercase();
    for forbidden in [
        "<script", "<iframe", "<style", "<svg", "<math", "<object", "<form",
    ] {
        assert!(!lower.contains(forbidden), "{forbidden} in {once}");
    }

    // The markup may settle: a heading in a heading, once what stood between them is gone,
    // is read as two.
    let words = |html: &str| -> String {
        let text = extract::plain_text(html);
        text.split_whitespace().collect()
    };
    assert_eq!(words(&extract::sanitize(&once, None)), words(&once));
});

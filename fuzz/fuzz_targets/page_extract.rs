//! Any page gives an article or a reason, whatever is known of it before; and what it
//! teaches is read back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use url::Url;
use wireroom::extract::{self, Context, Prior, Rejected, Settings, SiteMemory};

fuzz_target!(|input: (&[u8], &str)| {
    let (page, said) = input;
    let url = Url::parse("https://example.org/news/1").expect("a URL");
    let html = extract::decode(page, None);
    let prior = Prior {
        title: Some(said.to_owned()),
        summary: Some(said.to_owned()),
        content: Some(said.to_owned()),
        ..Prior::default()
    };
    let mut memory = SiteMemory::default();
    let context = Context {
        prior: Some(&prior),
        memory: Some(&memory),
    };

    let found = match extract::extract_with(&html, &url, &Settings::default(), &context) {
        Ok(found) => found,
        Err(Rejected::TooShort { found, .. } | Rejected::NoMainText { found }) => *found,
        Err(_) => return,
    };

    assert!((0.0..=1.0).contains(&found.confidence));
    memory.learn(&found.facts);
    assert_eq!(SiteMemory::from_bytes(&memory.to_bytes()), Some(memory));
    let _ = extract::plain_text(&html);
});

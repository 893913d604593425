//! Any query is parsed or refused.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use wireroom::query::{Cursor, SearchExpr};

fuzz_target!(|text: &str| {
    let _ = SearchExpr::parse(text, Timestamp::UNIX_EPOCH);
    if let Some(cursor) = Cursor::decode(text) {
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    }
});

//! A document says the same in every encoding that can hold it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wireroom::feed;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let text = format!("<rss><channel><item><title>{text}</title></item></channel></rss>");
    let utf_8 = feed::parse(text.as_bytes(), None, None);

    let units = |big: bool| -> Vec<u8> {
        let bytes = text.encode_utf16().flat_map(|unit| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        });
        bytes.collect()
    };
    let marked = |mark: &[u8], bytes: Vec<u8>| [mark, bytes.as_slice()].concat();
    let chars = |write: fn(u32) -> [u8; 4]| -> Vec<u8> {
        text.chars().flat_map(|c| write(u32::from(c))).collect()
    };
    for document in [
        marked(&[0xef, 0xbb, 0xbf], text.as_bytes().to_vec()),
        marked(&[0xfe, 0xff], units(true)),
        marked(&[0xff, 0xfe], units(false)),
        units(true),
        units(false),
        marked(&[0, 0, 0xfe, 0xff], chars(u32::to_be_bytes)),
        marked(&[0xff, 0xfe, 0, 0], chars(u32::to_le_bytes)),
    ] {
        // A document of ASCII with the escapes of ISO-2022-JP is in that; others are what they are.
        if text.is_ascii() && text.contains('\u{1b}') {
            return;
        }
        let other = feed::parse(&document, Some("text/xml; charset=koi8-r"), None);
        match (&utf_8, other) {
            (Ok(one), Ok(other)) => assert_eq!(one.entries, other.entries),
            (Err(one), Err(other)) => assert_eq!(*one, other),
            (one, other) => panic!("{one:?}\n{other:?}"),
        }
    }
});

//! Bytes of a page as text.

use std::str::Utf8Error;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

/// Bytes at the start of a page that are searched for `<meta charset>`; the standard asks
/// for 1,024, real pages need more.
const SNIFFED_BYTES: usize = 8 * 1024;

/// Bytes of a page as text: valid UTF-8 first, then BOM, HTTP charset, `<meta>`, detection.
#[must_use]
pub fn decode(bytes: &[u8], content_type: Option<&str>) -> String {
    if let Some((encoding, n_mark)) = Encoding::for_bom(bytes) {
        return encoding
            .decode_without_bom_handling(&bytes[n_mark..])
            .0
            .into_owned();
    }
    let declared = content_type
        .and_then(|value| after_charset(value.as_bytes()))
        .or_else(|| after_charset(&bytes[..bytes.len().min(SNIFFED_BYTES)]));
    let is_escaped = declared == Some(encoding_rs::ISO_2022_JP) && bytes.contains(&0x1b);
    match std::str::from_utf8(bytes) {
        // ISO-2022-JP is valid UTF-8 by its form; it is believed when declared.
        Ok(text) if !is_escaped => return text.to_owned(),
        Err(error) if is_nearly_utf8(bytes, error, declared) => {
            return String::from_utf8_lossy(bytes).into_owned();
        }
        _ => {}
    }
    let encoding = match declared {
        Some(declared) if declared != UTF_8 => declared,
        _ => detect(bytes),
    };
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// UTF-8 cut in the middle of a character, or declared and with a few broken bytes.
fn is_nearly_utf8(bytes: &[u8], error: Utf8Error, declared: Option<&'static Encoding>) -> bool {
    if error.error_len().is_none() {
        return true;
    }
    let n_broken = || {
        let chunks = bytes.utf8_chunks();
        chunks.filter(|chunk| !chunk.invalid().is_empty()).count()
    };
    declared == Some(UTF_8) && n_broken() <= 1 + bytes.len() / 1_000
}

fn detect(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Allow)
}

/// The encoding named behind the first `charset=` (WHATWG HTML, "Extracting a character
/// encoding from a meta element"), or behind `encoding=` of an XML declaration.
fn after_charset(bytes: &[u8]) -> Option<&'static Encoding> {
    for name in [b"charset".as_slice(), b"encoding".as_slice()] {
        let mut at = 0;
        while let Some(found) = bytes[at..]
            .windows(name.len())
            .position(|window| window.eq_ignore_ascii_case(name))
        {
            at += found + name.len();
            let rest = bytes[at..].trim_ascii_start();
            let Some(value) = rest.strip_prefix(b"=") else {
                continue;
            };
            let value = value.trim_ascii_start();
            let value = value
                .strip_prefix(b"\"")
                .or_else(|| value.strip_prefix(b"'"))
                .unwrap_or(value);
            let length = value
                .iter()
                .position(|byte| !byte.is_ascii_alphanumeric() && !b"-_:.".contains(byte))
                .unwrap_or(value.len());
            if let Some(encoding) = Encoding::for_label(&value[..length]) {
                // A declaration that we could read as ASCII cannot be UTF-16.
                let is_wide =
                    encoding == encoding_rs::UTF_16BE || encoding == encoding_rs::UTF_16LE;
                return Some(if is_wide { UTF_8 } else { encoding });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn valid_utf8_wins_over_what_is_declared() {
        let page = "<meta charset=iso-8859-1>Zürich";

        assert_eq!(
            decode(page.as_bytes(), Some("text/html; charset=latin1")),
            page
        );
    }

    #[test]
    fn the_header_then_the_page_say_what_else_it_is() {
        assert_eq!(
            decode(
                b"\xcf\xf0\xe8\xe2\xe5\xf2",
                Some("text/html; charset=windows-1251")
            ),
            "Привет"
        );
        assert!(decode(b"<meta charset='windows-1251'>\xcf\xf0\xe8", None).ends_with("При"));
        assert_eq!(decode(b"\xff\xfeh\0i\0", None), "hi");
    }

    #[test]
    fn undeclared_bytes_are_detected() {
        assert_eq!(
            decode(b"Z\xfcrich und M\xfcnchen sind sch\xf6n", None),
            "Zürich und München sind schön"
        );
    }

    #[test]
    fn a_page_cut_inside_a_character_stays_utf8() {
        assert!(decode(b"caf\xc3\xa9 caf\xc3", None).starts_with("café caf"));
    }

    #[test]
    fn an_escaping_encoding_is_believed_when_declared() {
        let bytes = b"\x1b$B5$>]D#\x1b(B";

        assert_eq!(
            decode(bytes, Some("text/html; charset=iso-2022-jp")),
            "気象庁"
        );
    }

    #[test]
    fn a_few_broken_bytes_do_not_change_the_declared_encoding() {
        let mut bytes = "<meta charset=utf-8>für alle ".repeat(10).into_bytes();
        bytes.push(0xff);
        bytes.extend("und über".bytes());

        assert!(decode(&bytes, None).ends_with("und über"));
    }

    proptest! {
        #[test]
        fn any_bytes_give_text(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes, None);
        }
    }
}

//! Bytes to text: which encoding a document really is in, whatever it claims.
//!
//! The order of witnesses: a byte order mark, the shape of the first bytes
//! (XML 1.0 appendix F), then valid UTF-8 before any claim — text that is valid
//! UTF-8 by accident is practically unknown — then the declaration, then the HTTP
//! charset (RFC 7303 §3 would have it first, but servers set it for all files
//! alike), and last a statistical guess.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// How far the XML declaration is looked for, in bytes.
const DECLARATION_BYTES: usize = 1024;

/// How much of a document the statistical guess reads, in bytes.
const GUESS_BYTES: usize = 1 << 20;

/// A document as text.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    /// The text, without byte order marks.
    pub(super) text: Cow<'a, str>,
    /// What was odd about its encoding.
    pub(super) warning: Option<String>,
}

/// Decodes `bytes`; `content_type` is the HTTP header, `tld` the top-level domain of the
/// server, which helps the guess. Never fails: what no encoding explains becomes U+FFFD.
pub(super) fn decode<'a>(
    bytes: &'a [u8],
    content_type: Option<&str>,
    tld: Option<&str>,
) -> Decoded<'a> {
    if let Some(text) = decode_by_first_bytes(bytes) {
        return Decoded::new(text, None);
    }
    let declared = declared_label(bytes);
    if has_iso_2022_jp_escape(bytes) {
        let (text, _) = encoding_rs::ISO_2022_JP.decode_without_bom_handling(bytes);
        return Decoded::new(text, None);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let lies = declared
            .as_deref()
            .filter(|label| !text.is_ascii() && for_label(label) != Some(UTF_8));
        let warning = lies.map(|label| format!("declares {label}, but is UTF-8"));
        return Decoded::new(Cow::Borrowed(text), warning);
    }
    decode_legacy(bytes, declared.as_deref(), charset_of(content_type), tld)
}

impl<'a> Decoded<'a> {
    fn new(text: Cow<'a, str>, warning: Option<String>) -> Self {
        let text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_start_matches('\u{feff}')),
            Cow::Owned(text) if text.starts_with('\u{feff}') => {
                Cow::Owned(text.trim_start_matches('\u{feff}').to_owned())
            }
            owned @ Cow::Owned(_) => owned,
        };
        Self { text, warning }
    }
}

fn decode_by_first_bytes(bytes: &[u8]) -> Option<Cow<'_, str>> {
    // UTF-32 first: its little-endian mark begins with that of UTF-16.
    match bytes {
        [0, 0, 0xfe, 0xff, rest @ ..] => return Some(decode_utf32(rest, u32::from_be_bytes)),
        [0xff, 0xfe, 0, 0, rest @ ..] => return Some(decode_utf32(rest, u32::from_le_bytes)),
        [0, 0, 0, b'<', ..] => return Some(decode_utf32(bytes, u32::from_be_bytes)),
        [b'<', 0, 0, 0, ..] => return Some(decode_utf32(bytes, u32::from_le_bytes)),
        [0xef, 0xbb, 0xbf, rest @ ..] => return std::str::from_utf8(rest).ok().map(Cow::Borrowed),
        _ => {}
    }
    let encoding = match bytes {
        [0xfe, 0xff, ..] | [0, b'<' | b'{', 0, _, ..] => UTF_16BE,
        [0xff, 0xfe, ..] | [b'<' | b'{', 0, _, 0, ..] => UTF_16LE,
        _ => return None,
    };
    Some(encoding.decode_with_bom_removal(bytes).0)
}

fn decode_utf32(bytes: &[u8], read: fn([u8; 4]) -> u32) -> Cow<'static, str> {
    let chars = bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|chunk| char::from_u32(read(*chunk)).unwrap_or('\u{fffd}'));
    Cow::Owned(chars.collect())
}

/// ISO-2022-JP is valid ASCII, and so valid UTF-8: only its escapes tell.
fn has_iso_2022_jp_escape(bytes: &[u8]) -> bool {
    bytes.is_ascii()
        && bytes
            .windows(3)
            .any(|w| matches!(w, [0x1b, b'$', b'B' | b'@'] | [0x1b, b'(', b'J']))
}

fn decode_legacy<'a>(
    bytes: &'a [u8],
    declared: Option<&str>,
    http: Option<String>,
    tld: Option<&str>,
) -> Decoded<'a> {
    if is_damaged_utf8(bytes) {
        let warning = "is UTF-8 with invalid bytes".to_owned();
        return Decoded::new(String::from_utf8_lossy(bytes), Some(warning));
    }
    let claims = [declared, http.as_deref()].into_iter().flatten();
    for encoding in claims.filter_map(for_label) {
        if encoding == UTF_8 || !encoding.is_ascii_compatible() {
            continue;
        }
        if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
            return Decoded::new(text, None);
        }
    }
    let guess = guess_encoding(bytes, tld);
    let (text, _) = guess.decode_without_bom_handling(bytes);
    let claim = declared.or(http.as_deref()).unwrap_or("no encoding");
    let warning = format!("declares {claim}, but seems to be {}", guess.name());
    Decoded::new(text, Some(warning))
}

/// Whether nearly all of the non-ASCII bytes are well-formed UTF-8: a few stray bytes,
/// or a character cut in two, and not another encoding.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let (mut n_bad, mut n_good) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        n_good += chunk.valid().bytes().filter(|b| *b >= 0xc0).count();
        n_bad += usize::from(!chunk.invalid().is_empty());
    }
    n_good > 3 * n_bad
}

fn guess_encoding(bytes: &[u8], tld: Option<&str>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes[..bytes.len().min(GUESS_BYTES)], true);
    let tld = tld.map(str::as_bytes).filter(|tld| {
        // The detector panics on anything else.
        tld.iter().all(u8::is_ascii_lowercase)
    });
    detector.guess(tld, Utf8Detection::Deny)
}

/// The label of the XML declaration, in lower case.
fn declared_label(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(DECLARATION_BYTES)];
    let head = String::from_utf8_lossy(head);
    let declaration = &head[head.find("<?xml")?..];
    let declaration = &declaration[..declaration.find('>')?];
    let value = declaration.split_once("encoding")?.1.trim_start();
    label(value.strip_prefix('=')?)
}

/// The charset parameter of a media type (RFC 9110 §8.3.2), in lower case.
fn charset_of(content_type: Option<&str>) -> Option<String> {
    let header = content_type?.to_ascii_lowercase();
    let value = header.split_once("charset")?.1.trim_start();
    label(value.strip_prefix('=')?)
}

fn label(text: &str) -> Option<String> {
    let text = text.trim_start().trim_start_matches(['"', '\'']);
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || "_-.:".contains(c)))
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_ascii_lowercase())
}

/// The encoding of a label: those of the WHATWG standard, and spellings that feeds use
/// for them (`cp-1251`, `win1251`, `windows1251`).
fn for_label(label: &str) -> Option<&'static Encoding> {
    if let Some(encoding) = Encoding::for_label_no_replacement(label.as_bytes()) {
        return Some(encoding);
    }
    let name: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
    let page = ["windows", "win", "cp", "ms"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))?;
    let known = match page {
        "932" => "shift_jis",
        "936" => "gbk",
        "949" => "euc-kr",
        "950" => "big5",
        "874" => "windows-874",
        "65001" => "utf-8",
        _ => return Encoding::for_label_no_replacement(format!("windows-{page}").as_bytes()),
    };
    Encoding::for_label(known.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], content_type: Option<&str>) -> String {
        decode(bytes, content_type, None).text.into_owned()
    }

    #[test]
    fn valid_utf8_wins_over_every_claim() {
        let document = "<?xml version='1.0' encoding='iso-8859-1'?><a>Zürich</a>";

        let decoded = decode(document.as_bytes(), Some("text/xml; charset=gb2312"), None);

        assert_eq!(decoded.text, document);
        let warning = decoded.warning.unwrap();
        assert_eq!(warning, "declares iso-8859-1, but is UTF-8");
    }

    #[test]
    fn a_declaration_is_believed_before_the_http_header() {
        let document = b"<?xml version='1.0' encoding='windows-1251'?><a>\xcf\xee\xf0\xf2</a>";

        assert!(text(document, Some("text/xml; charset=iso-8859-1")).contains("Порт"));
    }

    #[test]
    fn the_http_charset_helps_a_document_that_declares_nothing() {
        assert_eq!(
            text(
                b"<a>\xcf\xee\xf0\xf2</a>",
                Some("text/xml;charset=\"CP-1251\"")
            ),
            "<a>Порт</a>"
        );
    }

    #[test]
    fn wide_encodings_are_known_by_mark_and_by_shape() {
        let wide = |mark: &[u8], big: bool| -> Vec<u8> {
            let units = "<a>ж</a>".encode_utf16();
            let bytes = units.flat_map(|u| {
                if big {
                    u.to_be_bytes()
                } else {
                    u.to_le_bytes()
                }
            });
            mark.iter().copied().chain(bytes).collect()
        };
        for bytes in [
            wide(&[0xfe, 0xff], true),
            wide(&[0xff, 0xfe], false),
            wide(&[], true),
            wide(&[], false),
        ] {
            assert_eq!(text(&bytes, None), "<a>ж</a>");
        }
        let utf32: Vec<u8> = "<a>ж</a>"
            .chars()
            .flat_map(|c| u32::from(c).to_be_bytes())
            .collect();
        assert_eq!(text(&utf32, None), "<a>ж</a>");
    }

    #[test]
    fn a_stray_byte_costs_one_character() {
        let mut document = "<a>Паром вернулся на линию".as_bytes().to_vec();
        document.push(0xe9);
        document.extend_from_slice(b"</a>");

        assert_eq!(
            text(&document, None),
            "<a>Паром вернулся на линию\u{fffd}</a>"
        );
    }

    #[test]
    fn odd_labels_are_understood() {
        assert_eq!(
            for_label("win-1252").map(Encoding::name),
            Some("windows-1252")
        );
        assert_eq!(for_label("cp932").map(Encoding::name), Some("Shift_JIS"));
        assert_eq!(for_label("klingon"), None);
    }
}

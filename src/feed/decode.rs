//! Bytes to text: which encoding a document really is in, whatever it claims.
//!
//! The order of witnesses: a byte order mark, the shape of the first bytes
//! (XML 1.0 appendix F), then valid UTF-8 before any claim — text that is valid
//! UTF-8 by accident is practically unknown — then the declaration, then the HTTP
//! charset (RFC 7303 §3 would have it first, but servers set it for all files
//! alike), and last a statistical guess.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::code_pages;

/// How far the XML declaration is looked for, in bytes.
const DECLARATION_BYTES: usize = 1024;

/// How much of a document the statistical guess reads, in bytes.
const GUESS_BYTES: usize = 1 << 20;

/// A document as text.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    /// The text, without byte order marks.
    pub(super) text: Cow<'a, str>,
    /// What was repaired of its encoding, in a few words.
    pub(super) repair: Option<String>,
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
            .filter(|label| !text.is_ascii() && for_label(label) != Some(Charset::Standard(UTF_8)));
        let note = lies.map(|label| format!("declared {label} but is UTF-8"));
        return Decoded::new(Cow::Borrowed(text), note);
    }
    decode_legacy(bytes, declared.as_deref(), charset_of(content_type), tld)
}

impl<'a> Decoded<'a> {
    fn new(text: Cow<'a, str>, repair: Option<String>) -> Self {
        let text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_start_matches('\u{feff}')),
            Cow::Owned(text) if text.starts_with('\u{feff}') => {
                Cow::Owned(text.trim_start_matches('\u{feff}').to_owned())
            }
            owned @ Cow::Owned(_) => owned,
        };
        Self { text, repair }
    }
}

fn decode_by_first_bytes(bytes: &[u8]) -> Option<Cow<'_, str>> {
    // UTF-32 first: its little-endian mark begins with that of UTF-16.
    match bytes {
        [0, 0, 0xfe, 0xff, rest @ ..] => return Some(decode_utf32(rest, u32::from_be_bytes)),
        [0xff, 0xfe, 0, 0, rest @ ..] => return Some(decode_utf32(rest, u32::from_le_bytes)),
        // Two characters at least: some servers put NULs before a document.
        [0, 0, 0, b'<' | b'{', 0, 0, 0, _, ..] => {
            return Some(decode_utf32(bytes, u32::from_be_bytes));
        }
        [b'<' | b'{', 0, 0, 0, _, 0, 0, 0, ..] => {
            return Some(decode_utf32(bytes, u32::from_le_bytes));
        }
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
    if let Some(n_bad) = damaged_utf8(bytes) {
        let text = String::from_utf8_lossy(bytes);
        let note = match n_bad {
            1 => "1 invalid byte sequence".to_owned(),
            _ => format!("{n_bad} invalid byte sequences"),
        };
        return Decoded::new(text, Some(note));
    }
    let claims = [declared, http.as_deref()].into_iter().flatten();
    let is_western = is_western(bytes);
    for charset in claims.filter_map(for_label) {
        // Latin 1 is what many servers say of everything, and no byte contradicts it.
        if charset == Charset::Standard(WINDOWS_1252) && !is_western {
            continue;
        }
        if let Some(text) = charset.decode(bytes) {
            return Decoded::new(text, None);
        }
    }
    let guess = guess_encoding(bytes, tld);
    let (text, _) = guess.decode_without_bom_handling(bytes);
    let note = match declared.or(http.as_deref()) {
        Some(claim) => format!("declared {claim} but seems to be {}", guess.name()),
        None => format!("declared no encoding but seems to be {}", guess.name()),
    };
    Decoded::new(text, Some(note))
}

/// Whether the bytes beyond ASCII can be the accents of a language in Latin letters: those
/// stand alone among ASCII, while every other script is made of them.
fn is_western(bytes: &[u8]) -> bool {
    let n_high = bytes.iter().filter(|b| **b >= 0x80).count();
    let is_pair = |pair: &&[u8]| pair[0] >= 0x80 && pair[1] >= 0x80;
    let n_pairs = bytes.windows(2).filter(is_pair).count();
    2 * n_pairs < n_high
}

/// Whether nearly all of the non-ASCII bytes are well-formed UTF-8: a few stray bytes,
/// or a character cut in two, and not another encoding. How many there are, if so.
fn damaged_utf8(bytes: &[u8]) -> Option<usize> {
    let (mut n_bad, mut n_good) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        n_good += chunk.valid().bytes().filter(|b| *b >= 0xc0).count();
        n_bad += usize::from(!chunk.invalid().is_empty());
    }
    (n_good > 3 * n_bad).then_some(n_bad)
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

/// A character encoding that a label names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charset {
    /// One of the Encoding Standard.
    Standard(&'static Encoding),
    /// An older code page: its characters from 0x80 on.
    Page(&'static str),
}

impl Charset {
    /// The text, if these bytes can be meant so. UTF-8 and the wide encodings cannot: what is
    /// truly in one of them has been recognised before.
    fn decode<'a>(self, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
        match self {
            Self::Standard(encoding) if encoding == UTF_8 || !encoding.is_ascii_compatible() => {
                None
            }
            Self::Standard(encoding) => {
                encoding.decode_without_bom_handling_and_without_replacement(bytes)
            }
            Self::Page(page) => Some(Cow::Owned(code_pages::decode(bytes, page))),
        }
    }
}

/// The encoding of a label: those of the Encoding Standard, spellings that feeds use for
/// them (`cp-1251`, `win1251`, `latin-1`, `shiftjis`), and code pages of DOS and the Macintosh.
fn for_label(label: &str) -> Option<Charset> {
    let standard = |label: &str| Encoding::for_label_no_replacement(label.as_bytes());
    let name: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
    if let Some(encoding) = standard(label).or_else(|| standard(&name)) {
        return Some(Charset::Standard(encoding));
    }
    let known = match name.as_str() {
        "utf8mb3" | "utf8mb4" | "xutf8" => "utf-8",
        "isolatin1" | "ansi" | "windowslatin1" | "westerneuropean" => "windows-1252",
        "isolatin2" => "iso-8859-2",
        "shiftjis" | "xshiftjis" | "windows31j" => "shift_jis",
        "eucjp" | "xeucjp" | "ujis" => "euc-jp",
        "euckr" | "xeuckr" | "ksc5601" | "uhc" => "euc-kr",
        "euccn" | "xeuccn" | "gb2312" | "xgbk" | "cngb" => "gbk",
        "xbig5" | "big5eten" => "big5",
        "koi8r" | "xkoi8r" => "koi8-r",
        "koi8u" | "koi8ru" => "koi8-u",
        "tis620" | "iso885911" => "windows-874",
        "macroman" => "macintosh",
        "maccyrillic" | "macukrainian" => "x-mac-cyrillic",
        _ => match windows_page(&name) {
            Some(encoding) => return Some(Charset::Standard(encoding)),
            None => return code_pages::page_for(label).map(Charset::Page),
        },
    };
    standard(known).map(Charset::Standard)
}

/// A code page of Windows by its number.
fn windows_page(name: &str) -> Option<&'static Encoding> {
    let page = ["windows", "win", "cp", "ms", "xcp"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
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
        let repair = decoded.repair.unwrap();
        assert_eq!(repair, "declared iso-8859-1 but is UTF-8");
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
    fn latin_1_is_not_believed_of_another_script() {
        let document = b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xcf\xe0\xf0\xee\xec \xe2\xe5\xf0\xed\xf3\xeb\xf1\xff \xed\xe0 \xeb\xe8\xed\xe8\xfe</a>";

        assert!(text(document, None).ends_with("<a>Паром вернулся на линию</a>"));
        assert_eq!(
            text(
                b"<a>\xab\xa0\xc9t\xe9\xa0\xbb \xe0 No\xebl</a>",
                Some("text/xml; charset=iso-8859-1")
            ),
            "<a>«\u{a0}Été\u{a0}» à Noël</a>"
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
        for (label, name) in [
            ("win-1252", "windows-1252"),
            ("latin-1", "windows-1252"),
            ("cp932", "Shift_JIS"),
            ("shiftjis", "Shift_JIS"),
            ("koi8r", "KOI8-R"),
            ("iso_8859_15", "ISO-8859-15"),
            ("866", "IBM866"),
            ("x-mac-roman", "macintosh"),
        ] {
            let encoding = Encoding::for_label(name.as_bytes()).unwrap();
            assert_eq!(
                for_label(label),
                Some(Charset::Standard(encoding)),
                "{label}"
            );
        }
        assert_eq!(for_label("klingon"), None);
    }

    #[test]
    fn code_pages_of_dos_are_read_when_they_are_declared() {
        let document = b"<?xml version='1.0' encoding='ibm850'?><a>Z\x81rich</a>";

        assert!(text(document, None).ends_with("<a>Z\u{fc}rich</a>"));
        assert_eq!(
            text(b"<a>Z\x81rich</a>", Some("text/xml; charset=cp437")),
            "<a>Z\u{fc}rich</a>"
        );
    }

    #[test]
    fn what_was_repaired_is_said() {
        let repair = |bytes: &[u8]| decode(bytes, None, None).repair;
        let mut damaged = "<a>\u{41f}\u{430}\u{440}\u{43e}\u{43c}\u{430}"
            .as_bytes()
            .to_vec();
        damaged.push(0xe9);

        assert_eq!(repair(&damaged).as_deref(), Some("1 invalid byte sequence"));
        assert_eq!(
            repair(b"<?xml encoding='utf-8'?><a>caf\xe9 d\xe9j\xe0 \xe9t\xe9</a>").as_deref(),
            Some("declared utf-8 but seems to be windows-1252")
        );
        assert_eq!(repair(b"<a>plain</a>"), None);
    }
}

//! Character and entity references, decoded exactly once and never expanded without bound.

use std::borrow::Cow;
use std::collections::HashMap;

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// Longest replacement text of an entity that a document declares, in bytes.
const MAX_ENTITY_BYTES: usize = 1024;

/// Most entities that one document may declare.
const MAX_ENTITIES: usize = 256;

/// How much text the declared entities of one document may give, in bytes, all
/// references together. A bomb fizzles out here: what is over it stays a reference.
const MAX_EXPANDED_BYTES: usize = 256 << 10;

/// Longest name of a reference, in bytes (HTML's longest has 33).
const MAX_NAME_BYTES: usize = 64;

/// What was found wrong with the references of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Blemishes {
    /// `&` that begins no reference.
    pub(super) bare_ampersands: usize,
    /// HTML's names, which XML does not know.
    pub(super) html_entities: usize,
    /// References to nothing: unknown numbers, or entities over the limit.
    pub(super) bad_references: usize,
    /// Control characters, dropped.
    pub(super) control_characters: usize,
}

/// Decodes the references of one document, with the entities that it declares.
#[derive(Debug, Default)]
pub(super) struct References {
    declared: HashMap<String, String>,
    n_expanded_bytes: usize,
    /// What was read past.
    pub(super) blemishes: Blemishes,
}

impl References {
    /// Reads the internal entities of a document type declaration. External ones are
    /// never fetched, and a value that itself refers to an entity is not declared.
    pub(super) fn declare(&mut self, doctype: &str) {
        for declaration in doctype.split("<!ENTITY").skip(1).take(MAX_ENTITIES) {
            let Some((name, rest)) = declaration.trim_start().split_once(char::is_whitespace)
            else {
                continue;
            };
            let rest = rest.trim_start();
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
                continue;
            };
            let Some((value, _)) = rest[1..].split_once(quote) else {
                continue;
            };
            if name.len() <= MAX_NAME_BYTES && value.len() <= MAX_ENTITY_BYTES {
                let value = decode_html(value);
                if !value.contains('&') || value == "&" {
                    self.declared
                        .entry(name.to_owned())
                        .or_insert(value.into_owned());
                }
            }
        }
    }

    /// Text with its references decoded and its control characters dropped.
    pub(super) fn decode<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        let text = self.without_controls(text);
        if !text.contains('&') {
            return text;
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_ref();
        while let Some(at) = rest.find('&') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let n_read = self.decode_one(rest, &mut out);
            rest = &rest[n_read..];
        }
        out.push_str(rest);
        Cow::Owned(out)
    }

    /// Text without control characters that XML forbids (XML 1.0 §2.2), references as they
    /// are. C1 controls are characters of windows-1252 that lost their way.
    pub(super) fn without_controls<'a>(&mut self, text: &'a str) -> Cow<'a, str> {
        if !has_suspects(text) || !text.chars().any(|c| is_forbidden(c) || is_c1(c)) {
            return Cow::Borrowed(text);
        }
        self.blemishes.control_characters += text.chars().filter(|c| is_forbidden(*c)).count();
        let allowed = text.chars().filter(|c| !is_forbidden(*c));
        Cow::Owned(allowed.map(|c| from_c1(c as u32).unwrap_or(c)).collect())
    }

    /// Decodes the reference at the start of `rest`; says how many bytes it took.
    fn decode_one(&mut self, rest: &str, out: &mut String) -> usize {
        if let Some(declared) = self.declared_entity(rest, out) {
            return declared;
        }
        match reference_at(rest) {
            Some(reference) => {
                match reference.chars {
                    Chars::Nothing => self.blemishes.bad_references += 1,
                    Chars::Xml(c) => out.push(c),
                    Chars::Html(first, second) => {
                        self.blemishes.html_entities += 1;
                        out.push(first);
                        out.extend(second);
                    }
                }
                reference.n_bytes
            }
            None => {
                self.blemishes.bare_ampersands += 1;
                out.push('&');
                1
            }
        }
    }

    fn declared_entity(&mut self, rest: &str, out: &mut String) -> Option<usize> {
        if self.declared.is_empty() {
            return None;
        }
        let end = name_end(&rest[1..]);
        let name = &rest[1..=end];
        let value = self.declared.get(name)?;
        if !rest[1 + end..].starts_with(';') {
            return None;
        }
        if self.n_expanded_bytes + value.len() > MAX_EXPANDED_BYTES {
            self.blemishes.bad_references += 1;
            return Some(2 + end);
        }
        self.n_expanded_bytes += value.len();
        out.push_str(value);
        Some(2 + end)
    }
}

/// Decodes the references of HTML text once: what is left in a title after XML is through.
pub(super) fn decode_html(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    References::default().decode(text)
}

/// Escapes text so that it stands for itself in HTML.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    push_escaped(&mut out, text);
    Cow::Owned(out)
}

/// Appends text, escaped so that it stands for itself in HTML, in an attribute too.
pub(super) fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => "&quot;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

struct Reference {
    n_bytes: usize,
    chars: Chars,
}

enum Chars {
    Nothing,
    Xml(char),
    Html(char, Option<char>),
}

/// The reference at the start of `text`, which begins with `&`.
fn reference_at(text: &str) -> Option<Reference> {
    let body = &text[1..];
    if let Some(number) = body.strip_prefix('#') {
        return numeric(number);
    }
    let end = name_end(body);
    if end == 0 || end > MAX_NAME_BYTES {
        return None;
    }
    if body[end..].starts_with(';') {
        return named(&body[..=end]).map(|chars| Reference {
            n_bytes: end + 2,
            chars,
        });
    }
    // Without a semicolon HTML takes the old names only, and no prefix of a longer word,
    // so that the parameters of a URL survive.
    let old = !body[end..].starts_with('=')
        && matches!(&body[..end], "amp" | "lt" | "gt" | "quot" | "nbsp");
    old.then(|| named(&body[..end]))
        .flatten()
        .map(|chars| Reference {
            n_bytes: end + 1,
            chars,
        })
}

fn name_end(text: &str) -> usize {
    text.bytes()
        .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')))
        .unwrap_or(text.len())
}

fn named(name: &str) -> Option<Chars> {
    let xml = match name.trim_end_matches(';') {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let (first, second) = *NAMED_ENTITIES.get(name)?;
            let first = char::from_u32(first).filter(|c| *c != '\0')?;
            let second = char::from_u32(second).filter(|c| *c != '\0');
            return Some(Chars::Html(first, second));
        }
    };
    Some(Chars::Xml(xml))
}

/// A number: decimal or hexadecimal, with C1 controls read as windows-1252, as HTML does,
/// and a pair of surrogates as the character that it means.
fn numeric(text: &str) -> Option<Reference> {
    let (code, n_bytes) = number(text)?;
    let n_bytes = 2 + n_bytes;
    if (0xd800..0xdc00).contains(&code) {
        let low = text[n_bytes - 2..].strip_prefix("&#").and_then(number);
        if let Some((low, n_low)) = low.filter(|(low, _)| (0xdc00..0xe000).contains(low)) {
            let joined = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            let chars = char::from_u32(joined).map_or(Chars::Nothing, Chars::Xml);
            return Some(Reference {
                n_bytes: n_bytes + 2 + n_low,
                chars,
            });
        }
    }
    let chars = from_c1(code)
        .or_else(|| char::from_u32(code))
        .filter(|c| !is_forbidden(*c))
        .map_or(Chars::Nothing, Chars::Xml);
    Some(Reference { n_bytes, chars })
}

/// A number with its semicolon, if there is one: value and length.
fn number(text: &str) -> Option<(u32, usize)> {
    let (digits, radix, n_prefix) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16, 1),
        None => (text, 10, 0),
    };
    let end = digits
        .find(|c: char| !c.is_digit(radix))
        .unwrap_or(digits.len());
    if end == 0 {
        return None;
    }
    let code = u32::from_str_radix(&digits[..end], radix).unwrap_or(u32::MAX);
    let semicolon = usize::from(digits[end..].starts_with(';'));
    Some((code, n_prefix + end + semicolon))
}

/// The windows-1252 character of a C1 code.
fn from_c1(code: u32) -> Option<char> {
    let index = usize::try_from(code.checked_sub(0x80)?).ok()?;
    C1_REPLACEMENTS.get(index).copied().flatten()
}

fn is_c1(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{9f}')
}

/// Whether there is any such byte. In blocks without a way out, which the compiler turns
/// into vector instructions: nearly every text has none.
fn has_suspects(text: &str) -> bool {
    let mut blocks = text.as_bytes().chunks(64);
    blocks.any(|block| {
        block
            .iter()
            .fold(false, |found, byte| found | is_suspect(*byte))
    })
}

/// Whether a byte may begin a control character: a C0 control, or the lead byte of C1 and
/// of the non-characters.
fn is_suspect(byte: u8) -> bool {
    let is_white = (byte == b'\t') | (byte == b'\n') | (byte == b'\r');
    (byte == 0xc2) | (byte == 0xef) | ((byte < b' ') & !is_white)
}

fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> String {
        References::default().decode(text).into_owned()
    }

    #[test]
    fn references_are_decoded_exactly_once() {
        assert_eq!(decoded("a &amp;amp; b &lt;b&gt;"), "a &amp; b <b>");
        assert_eq!(decoded("&#233;&#xE9;&#XE9;&eacute;"), "éééé");
    }

    #[test]
    fn what_is_no_reference_stays_as_it_is() {
        assert_eq!(
            decoded("AT&T, a & b, ?x=1&copy=2&lt=3"),
            "AT&T, a & b, ?x=1&copy=2&lt=3"
        );
        assert_eq!(decoded("&unknown; &;&#;&#x;"), "&unknown; &;&#;&#x;");
    }

    #[test]
    fn numbers_mean_what_their_authors_meant() {
        assert_eq!(decoded("it&#146;s &#151; &#128;"), "it’s — €");
        assert_eq!(decoded("&#55357;&#56832;"), "😀");
        assert_eq!(decoded("a&#0;b&#x1F;c&#xD800;d&#99999999999;e"), "abcde");
    }

    #[test]
    fn declared_entities_are_expanded_within_bounds() {
        let mut references = References::default();
        references.declare("<!ENTITY name \"Gazette\"> <!ENTITY x SYSTEM \"file:///etc/passwd\"> <!ENTITY two '&name;&name;'>");

        assert_eq!(references.decode("&name; &x; &two;"), "Gazette &x; &two;");

        let mut bomb = References::default();
        bomb.declare(&format!("<!ENTITY a \"{}\">", "x".repeat(1000)));
        assert!(bomb.decode(&"&a;".repeat(10_000)).len() <= MAX_EXPANDED_BYTES);
    }

    #[test]
    fn control_characters_are_dropped_and_counted() {
        let mut references = References::default();

        assert_eq!(references.decode("a\x00b\x1bc\td"), "abc\td");
        assert_eq!(references.blemishes.control_characters, 2);
    }
}

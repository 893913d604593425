//! From the bytes of a list to its text.

use encoding_rs::Encoding;

/// How far an XML declaration is looked for, in bytes.
const DECLARATION_BYTES: usize = 200;

/// The text of a list: by its byte order mark, as UTF-8, or in the encoding that its XML
/// declaration names (XML 1.0 §4.3.3).
///
/// # Errors
/// The place of the first byte that is no text.
pub fn decode(bytes: &[u8]) -> Result<String, usize> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, had_errors) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return if had_errors {
            Err(mark)
        } else {
            Ok(text.into_owned())
        };
    }
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(text.to_owned()),
        Err(error) => error,
    };
    declared_encoding(bytes)
        .filter(|encoding| *encoding != encoding_rs::UTF_8 && encoding.is_ascii_compatible())
        .and_then(|encoding| encoding.decode_without_bom_handling_and_without_replacement(bytes))
        .map(std::borrow::Cow::into_owned)
        .ok_or(error.valid_up_to())
}

/// The `encoding` of the XML declaration with which a document begins.
fn declared_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(DECLARATION_BYTES)];
    let head = String::from_utf8_lossy(head);
    let (declaration, _) = head.trim_start().strip_prefix("<?xml")?.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (label, _) = value[1..].split_once(quote)?;
    Encoding::for_label_no_replacement(label.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_encodings_are_read_as_declared() {
        let latin = b"<?xml version=\"1.0\" encoding='ISO-8859-1'?><opml>caf\xe9</opml>";
        let cyrillic =
            b"\n<?xml version='1.0' encoding = \"windows-1251\" ?><opml>\xcc\xe8\xf0</opml>";
        let marked = b"\xff\xfeh\0i\0";

        assert!(decode(latin).unwrap().contains("caf\u{e9}"));
        assert!(decode(cyrillic).unwrap().contains("Мир"));
        assert_eq!(decode(marked).unwrap(), "hi");
        assert_eq!(decode(b"\xef\xbb\xbfhi").unwrap(), "hi");
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_place() {
        assert_eq!(decode(b"ab\xe9"), Err(2));
        assert_eq!(decode(b"<?xml encoding='utf-8'?>\xe9"), Err(24));
        assert_eq!(decode(b"<?xml encoding='utf-16'?>\xe9"), Err(25));
        assert_eq!(decode(b"<?xml encoding='EUC-JP'?>\xff"), Err(25));
        assert_eq!(decode(b"<?xml encoding='klingon'?>\xff"), Err(26));
    }
}

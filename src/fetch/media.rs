//! What kind of document an answer is: by its type, and by its first bytes. Pure.

use crate::model::{ErrorKind, Failure};

/// What `Content-Type` makes us expect of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// HTML.
    Html,
    /// No type, or one that says nothing; the first bytes decide.
    Anything,
}

/// What a page's `Content-Type` promises.
///
/// # Errors
/// `not_html` for images, films, PDF and the like; `unsupported_type` for the rest.
pub(super) fn expected_of_page(content_type: Option<&str>) -> Result<Expected, Failure> {
    let essence = content_type.unwrap_or_default();
    let essence = essence.split([';', ',']).next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/').unwrap_or((&essence, ""));
    match (kind, subtype) {
        ("text", "html") | ("application", "xhtml+xml" | "vnd.wap.xhtml+xml") => Ok(Expected::Html),
        ("" | "*" | "unknown" | "none", _)
        | ("application", "octet-stream" | "xml" | "unknown" | "x-unknown" | "x-httpd-php")
        | ("text", "plain" | "xml" | "") => Ok(Expected::Anything),
        ("image" | "video" | "audio" | "font" | "model", _)
        | (
            "application",
            "pdf" | "zip" | "gzip" | "epub+zip" | "msword" | "x-tar" | "postscript",
        ) => Err(not_html(&format!("it is {essence}"))),
        ("application", office) if office.starts_with("vnd.") => {
            Err(not_html(&format!("it is {essence}")))
        }
        _ => Err(unsupported(&format!("it is {essence}"))),
    }
}

/// Whether a page's first bytes bear out what was expected. Empty bodies are not judged here.
///
/// # Errors
/// `not_html`, `unsupported_type`, or `encoding_unsupported` for compressed bytes.
pub(super) fn check_page(expected: Expected, first: &[u8]) -> Result<(), Failure> {
    check_not_compressed(first)?;
    if let Some(format) = binary_format(first) {
        return Err(not_html(&format!("its bytes are {format}")));
    }
    if expected == Expected::Html || first.is_empty() || looks_like_html(first) {
        return Ok(());
    }
    if first.contains(&0) {
        return Err(not_html("its bytes are not text"));
    }
    Err(unsupported("it does not look like HTML"))
}

/// Whether the bytes are still compressed after all that `Content-Encoding` named was undone.
///
/// # Errors
/// `encoding_unsupported`.
pub(super) fn check_not_compressed(first: &[u8]) -> Result<(), Failure> {
    let is_compressed =
        first.starts_with(b"\x1f\x8b\x08") || first.starts_with(b"\x28\xb5\x2f\xfd");
    if is_compressed {
        let detail = "the body is compressed twice, or without saying so";
        return Err(Failure::new(ErrorKind::EncodingUnsupported, detail));
    }
    Ok(())
}

/// Formats known by how they begin (WHATWG MIME Sniffing, §6; PKWARE, Adobe).
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"%PDF-", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"RIFF", "RIFF"),
    (b"\0\0\x01\0", "an icon"),
    (b"PK\x03\x04", "ZIP"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"BZh", "bzip2"),
    (b"\xd0\xcf\x11\xe0", "an Office document"),
    (b"ID3", "MP3"),
    (b"OggS", "Ogg"),
    (b"fLaC", "FLAC"),
    (b"\x1a\x45\xdf\xa3", "Matroska"),
    (b"wOFF", "a font"),
    (b"wOF2", "a font"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
];

fn binary_format(first: &[u8]) -> Option<&'static str> {
    if first.get(4..8) == Some(b"ftyp") {
        return Some("MP4");
    }
    let known = SIGNATURES
        .iter()
        .find(|(bytes, _)| first.starts_with(bytes))?;
    Some(known.1)
}

/// By the beginnings that browsers look for, and a few that news sites use.
fn looks_like_html(first: &[u8]) -> bool {
    if first.starts_with(b"\xff\xfe") || first.starts_with(b"\xfe\xff") {
        return first.contains(&b'<');
    }
    let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    let text = String::from_utf8_lossy(&first[..first.len().min(1024)]).to_ascii_lowercase();
    let text = text.trim_start();
    if text.starts_with("<?xml") {
        return text.contains("<html") || text.contains("<!doctype html");
    }
    let Some(tag) = text.strip_prefix('<') else {
        return false;
    };
    let name = tag
        .split(|c: char| c.is_whitespace() || c == '>' || c == '/')
        .next();
    let name = name.unwrap_or_default();
    name.starts_with("!--")
        || matches!(
            name,
            "!doctype"
                | "html"
                | "head"
                | "body"
                | "script"
                | "style"
                | "title"
                | "meta"
                | "link"
                | "div"
                | "p"
                | "h1"
                | "h2"
                | "article"
                | "main"
                | "section"
                | "header"
                | "table"
                | "a"
                | "b"
                | "br"
                | "font"
                | "iframe"
                | "center"
                | "span"
                | "img"
                | "base"
        )
}

fn not_html(reason: &str) -> Failure {
    Failure::new(
        ErrorKind::NotHtml,
        format!("the page is not HTML: {reason}"),
    )
}

fn unsupported(reason: &str) -> Failure {
    Failure::new(
        ErrorKind::UnsupportedType,
        format!("the page cannot be read: {reason}"),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(content_type: Option<&str>, first: &[u8], expect: Option<ErrorKind>) {
        let kind = expected_of_page(content_type)
            .and_then(|expected| check_page(expected, first))
            .err()
            .map(|failure| failure.kind);
        assert_eq!(
            kind,
            expect,
            "{content_type:?} {}",
            String::from_utf8_lossy(first)
        );
    }

    #[test]
    fn html_by_its_type_is_read_whatever_it_looks_like() {
        check(Some("text/html"), b"Hello", None);
        check(Some(" Text/HTML ;charset=x"), b"Hello", None);
        check(
            Some("application/xhtml+xml"),
            b"<?xml version='1.0'?><x/>",
            None,
        );
    }

    #[test]
    fn without_a_type_the_first_bytes_decide() {
        for content_type in [
            None,
            Some("text/plain"),
            Some("application/octet-stream"),
            Some(""),
        ] {
            check(content_type, b"\n <!DOCTYPE html><p>x", None);
            check(content_type, b"\xef\xbb\xbf<html>", None);
            check(content_type, b"\xff\xfe<\0h\0t\0m\0l\0>\0", None);
            check(
                content_type,
                b"<?xml version='1.0'?>\n<html xmlns='x'>",
                None,
            );
            check(content_type, b"", None);
            check(content_type, b"just text", Some(ErrorKind::UnsupportedType));
            check(
                content_type,
                b"<?xml version='1.0'?><rss>",
                Some(ErrorKind::UnsupportedType),
            );
            check(content_type, b"\x01\0\x02", Some(ErrorKind::NotHtml));
        }
    }

    #[test]
    fn films_and_papers_are_not_html_by_type_or_by_bytes() {
        check(Some("application/pdf"), b"", Some(ErrorKind::NotHtml));
        check(Some("image/svg+xml"), b"<svg>", Some(ErrorKind::NotHtml));
        check(
            Some("application/vnd.ms-excel"),
            b"",
            Some(ErrorKind::NotHtml),
        );
        check(Some("text/html"), b"%PDF-1.7", Some(ErrorKind::NotHtml));
        check(None, b"\0\0\0\x18ftypmp42", Some(ErrorKind::NotHtml));
        check(Some("text/html"), b"PK\x03\x04", Some(ErrorKind::NotHtml));
        check(
            Some("application/json"),
            b"{}",
            Some(ErrorKind::UnsupportedType),
        );
        check(Some("text/css"), b"", Some(ErrorKind::UnsupportedType));
    }

    #[test]
    fn bytes_that_are_still_compressed_are_refused() {
        check(
            Some("text/html"),
            b"\x1f\x8b\x08\0",
            Some(ErrorKind::EncodingUnsupported),
        );
        check(
            None,
            b"\x28\xb5\x2f\xfd\0",
            Some(ErrorKind::EncodingUnsupported),
        );
    }

    proptest! {
        #[test]
        fn any_type_and_bytes_are_judged(
            content_type in prop::option::of("\\PC{0,20}"),
            first in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            if let Ok(expected) = expected_of_page(content_type.as_deref()) {
                let _ = check_page(expected, &first);
            }
        }
    }
}

//! Links: resolved against the document that holds them.

use std::borrow::Cow;

use url::Url;

use super::references::{decode_html, push_escaped};
use super::tokens::{Tag, Token, Tokens, local};

/// A link as an absolute URL: unchanged where it was given absolute, otherwise resolved
/// (RFC 3986 §5). Without a base, or when it cannot be resolved, it stays as given.
pub(super) fn resolve(link: &str, base: Option<&Url>) -> String {
    let link = trimmed(link);
    if link.is_empty() || has_scheme(&link) {
        return link.into_owned();
    }
    if let Some(url) = without_scheme(&link, base) {
        return url;
    }
    base.and_then(|base| base.join(&link).ok())
        .map_or_else(|| link.into_owned(), String::from)
}

/// A web address whose author left the scheme out: it begins with `www.` or with the host
/// that it is resolved against.
fn without_scheme(link: &str, base: Option<&Url>) -> Option<String> {
    let host_end = link.find(['/', '?', '#']).unwrap_or(link.len());
    let host = &link[..host_end];
    let is_www = host
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("www."));
    let is_base = host.contains('.')
        && host_end < link.len()
        && base
            .and_then(Url::host_str)
            .is_some_and(|base| base.eq_ignore_ascii_case(host));
    let is_host = host
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    let scheme = base.map_or("https", Url::scheme);
    (is_host && (is_base || (is_www && host[4..].contains('.'))))
        .then(|| format!("{scheme}://{link}"))
}

/// Whether a reference begins with a scheme (RFC 3986 §3.1).
pub(super) fn has_scheme(link: &str) -> bool {
    link.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    })
}

/// Whether a text is an absolute `http(s)` URL.
pub(super) fn is_web_url(text: &str) -> bool {
    let text = text.trim();
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
        && !rest.is_empty()
        && !text.contains(char::is_whitespace)
}

/// Without the white space around it and the line breaks within, which are never meant.
fn trimmed(link: &str) -> Cow<'_, str> {
    let link = link.trim();
    let link = ['"', '\'']
        .iter()
        .find_map(|quote| link.strip_prefix(*quote)?.strip_suffix(*quote))
        .map_or(link, str::trim);
    if link.contains(['\n', '\r', '\t']) {
        return Cow::Owned(link.replace(['\n', '\r', '\t'], ""));
    }
    Cow::Borrowed(link)
}

/// The address in the text of a link: with `&amp;` for `&` where it was escaped twice, and
/// that of the anchor where somebody put one there.
pub(super) fn link_text(value: &str) -> Cow<'_, str> {
    if value.contains('<') {
        let mut tags = Tokens::new(value).filter_map(|token| match token {
            Token::Start(tag) => tag.attribute("href"),
            _ => None,
        });
        if let Some(href) = tags.next() {
            return decode_html(href);
        }
    }
    if value.contains("&amp;") {
        return Cow::Owned(value.replace("&amp;", "&"));
    }
    Cow::Borrowed(value)
}

/// How much longer HTML may become when its links are resolved, in bytes; those behind that
/// stay as they are.
pub(super) const MAX_GROWTH_BYTES: usize = 1 << 20;

/// Longest base that relative links are resolved against, in bytes.
pub(super) const MAX_BASE_BYTES: usize = 2 << 10;

/// Most candidates of a `srcset` that are resolved.
const MAX_CANDIDATES: usize = 64;

/// Resolves the URLs in the attributes of HTML; everything else stays as it is.
pub(super) fn resolve_in_html(html: String, base: Option<&Url>) -> String {
    let Some(base) = base.filter(|base| base.as_str().len() <= MAX_BASE_BYTES) else {
        return html;
    };
    if !html.contains('<') {
        return html;
    }
    let mut out: Option<String> = None;
    let mut copied = 0;
    let mut tokens = Tokens::new(&html);
    while let Some(token) = tokens.next() {
        let Token::Start(tag) = token else { continue };
        if !has_relative_url(&tag) {
            continue;
        }
        let out = out.get_or_insert_with(|| String::with_capacity(html.len() + 256));
        out.push_str(&html[copied..tokens.start()]);
        push_tag(out, tag.name, &tag, Some(base));
        copied = tokens.position();
        if out.len() > copied + MAX_GROWTH_BYTES {
            break;
        }
    }
    match out {
        None => html,
        Some(mut out) => {
            out.push_str(&html[copied..]);
            out
        }
    }
}

/// Writes a start tag, its URLs resolved and its references decoded once and escaped again.
pub(super) fn push_tag(out: &mut String, name: &str, tag: &Tag<'_>, base: Option<&Url>) {
    out.push('<');
    out.push_str(name);
    for (attribute, value) in tag.attributes() {
        if attribute.starts_with("xmlns") || attribute.eq_ignore_ascii_case("xml:base") {
            continue;
        }
        out.push(' ');
        out.push_str(attribute);
        out.push_str("=\"");
        let value = decode_html(value);
        match base.filter(|_| is_url_attribute(tag.name, attribute)) {
            Some(base) if local(attribute) == "srcset" => {
                push_escaped(out, &resolve_srcset(&value, base));
            }
            Some(base) => push_escaped(out, &resolve(&value, Some(base))),
            None => push_escaped(out, &value),
        }
        out.push('"');
    }
    out.push_str(if tag.empty { "/>" } else { ">" });
}

fn has_relative_url(tag: &Tag<'_>) -> bool {
    tag.attributes().any(|(name, value)| {
        is_url_attribute(tag.name, name)
            && (!has_scheme(value.trim()) || name.eq_ignore_ascii_case("srcset"))
    })
}

/// The attributes whose value is a URL (HTML, index of attributes, and HTML 4.01).
fn is_url_attribute(element: &str, attribute: &str) -> bool {
    let is = |name: &str| attribute.eq_ignore_ascii_case(name);
    [
        "href",
        "src",
        "srcset",
        "cite",
        "action",
        "background",
        "longdesc",
        "profile",
        "usemap",
        "codebase",
        "poster",
        "formaction",
    ]
    .iter()
    .any(|name| is(name))
        || (element.eq_ignore_ascii_case("object") && (is("data") || is("classid")))
}

/// Resolves the candidates of a `srcset`; the commas within a URL have no space after them.
fn resolve_srcset(value: &str, base: &Url) -> String {
    if value.split(", ").nth(MAX_CANDIDATES).is_some() {
        return value.to_owned();
    }
    let candidates = value.split(", ").map(|candidate| {
        let candidate = candidate.trim();
        match candidate.split_once(char::is_whitespace) {
            Some((url, size)) => format!("{} {}", resolve(url, Some(base)), size.trim()),
            None => resolve(candidate, Some(base)),
        }
    });
    candidates.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        Url::parse("https://news.example/en/feed.xml").unwrap()
    }

    #[test]
    fn an_absolute_link_stays_byte_for_byte() {
        for link in ["HTTP://News.Example:80/ä?b=%7e#c", "mailto:x@news.example"] {
            assert_eq!(resolve(&format!(" {link}\n"), Some(&base())), link);
        }
    }

    #[test]
    fn relative_links_are_resolved() {
        let resolved = |link| resolve(link, Some(&base()));

        assert_eq!(resolved("1"), "https://news.example/en/1");
        assert_eq!(resolved("/1?a=b"), "https://news.example/1?a=b");
        assert_eq!(resolved("//cdn.example/1"), "https://cdn.example/1");
        assert_eq!(resolve("/1", None), "/1");
    }

    #[test]
    fn urls_in_html_are_resolved_and_the_rest_is_left_alone() {
        let html = "x &amp; <!-- <a href='/no'> --><a class=c href='/1?a=1&amp;b=2'>y</a><img srcset=\"/a.png 1x, b.png 2x\"/>";

        assert_eq!(
            resolve_in_html(html.to_owned(), Some(&base())),
            "x &amp; <!-- <a href='/no'> --><a class=\"c\" href=\"https://news.example/1?a=1&amp;b=2\">y</a>\
             <img srcset=\"https://news.example/a.png 1x, https://news.example/en/b.png 2x\"/>"
        );
        assert_eq!(
            resolve_in_html("<a href='#note'>".to_owned(), Some(&base())),
            "<a href=\"https://news.example/en/feed.xml#note\">"
        );
    }
}

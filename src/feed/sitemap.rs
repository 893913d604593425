//! Where a site keeps its sitemaps: the lines of robots.txt, and indexes of sitemaps.

use url::Url;

use super::decode::decode;
use super::references::decode_html;
use super::tokens::{Token, Tokens, local};

/// Most addresses taken from one file.
const MAX_SITEMAPS: usize = 1000;

/// How much of robots.txt is looked at, in bytes (RFC 9309 §2.5 asks for 500 KiB).
const MAX_ROBOTS_BYTES: usize = 500 << 10;

/// The sitemaps that a robots.txt names (`Sitemap:` lines, sitemaps.org), in its order,
/// resolved against `base`, its own address.
#[must_use]
pub fn sitemaps_of_robots(file: &[u8], base: &Url) -> Vec<Url> {
    let file = &file[..file.len().min(MAX_ROBOTS_BYTES)];
    let text = String::from_utf8_lossy(file);
    let named = text.lines().filter_map(|line| {
        let (key, value) = line.trim_start_matches('\u{feff}').split_once(':')?;
        key.trim().eq_ignore_ascii_case("sitemap").then_some(value)
    });
    addresses(named, base)
}

/// The sitemaps that an index of sitemaps lists (sitemaps.org, `sitemapindex`), in its order,
/// resolved against `base`; none when the document is something else.
#[must_use]
pub fn sitemaps_of_index(document: &[u8], base: &Url) -> Vec<Url> {
    let decoded = decode(document, None, None);
    let (mut is_index, mut in_location) = (false, false);
    let mut named = Vec::new();
    for token in Tokens::new(&decoded.text) {
        match token {
            Token::Start(tag) => {
                let name = local(tag.name);
                is_index |= name.eq_ignore_ascii_case("sitemapindex");
                if !is_index {
                    return Vec::new();
                }
                in_location = name.eq_ignore_ascii_case("loc");
            }
            Token::Text(text) if in_location => named.push(decode_html(text)),
            Token::Cdata(text) if in_location => named.push(text.into()),
            Token::End(_) => in_location = false,
            _ => {}
        }
        if named.len() >= MAX_SITEMAPS {
            break;
        }
    }
    addresses(named.iter().map(AsRef::as_ref), base)
}

fn addresses<'a>(given: impl Iterator<Item = &'a str>, base: &Url) -> Vec<Url> {
    let resolved = given.filter_map(|address| base.join(address.trim()).ok());
    resolved
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .take(MAX_SITEMAPS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        Url::parse("https://news.example/robots.txt").unwrap()
    }

    fn shown(urls: &[Url]) -> Vec<&str> {
        urls.iter().map(Url::as_str).collect()
    }

    #[test]
    fn robots_names_sitemaps_wherever_the_line_stands() {
        let file = b"\xef\xbb\xbfSitemap: https://news.example/a.xml\nUser-agent: *\nDisallow: /x\n sitemap :/news.xml\r\nSitemap: javascript:x";

        assert_eq!(
            shown(&sitemaps_of_robots(file, &base())),
            [
                "https://news.example/a.xml",
                "https://news.example/news.xml"
            ]
        );
    }

    #[test]
    fn an_index_lists_its_sitemaps_and_nothing_else_does() {
        let index = "<?xml version='1.0'?><sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><sitemap>\
            <loc> https://news.example/s?a=1&amp;b=2 </loc><lastmod>2025-03-06</lastmod></sitemap><sitemap><loc><![CDATA[/n.xml]]></loc></sitemap></sitemapindex>";

        assert_eq!(
            shown(&sitemaps_of_index(index.as_bytes(), &base())),
            [
                "https://news.example/s?a=1&b=2",
                "https://news.example/n.xml"
            ]
        );
        assert!(
            sitemaps_of_index(b"<urlset><url><loc>/a</loc></url></urlset>", &base()).is_empty()
        );
    }
}

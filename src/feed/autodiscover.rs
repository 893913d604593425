//! The feeds that an HTML page names, by a scan of its tags. No tree is built: the links
//! are wanted whatever the page's nesting.

use url::Url;

use super::references::decode_html;
use super::text::one_line;
use super::tokens::{Tag, Token, Tokens};

/// How much of a page is looked at, in bytes.
const MAX_PAGE_BYTES: usize = 2 << 20;

/// Most feeds taken from one page.
const MAX_FEEDS: usize = 100;

/// A feed that a page names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedLink {
    /// Absolute URL.
    pub url: String,
    /// Title as given.
    pub title: Option<String>,
    /// Media type as given.
    pub media_type: Option<String>,
}

/// The feeds that an HTML page names, in document order, each once.
///
/// First `<link>` elements: `rel` of `alternate` or `feed` with a feed's media type, any
/// `rel=feed`, and a feed's media type without any `rel`. Only when there is none, `<a>`
/// elements whose address or text says that they lead to a feed. Addresses are resolved
/// against the page's `<base>`, then against `base`. The first 2 MiB of a page count, and
/// its first 100 feeds.
#[must_use]
pub fn autodiscover(html: &str, base: &Url) -> Vec<FeedLink> {
    let html = super::text::cut(html, MAX_PAGE_BYTES);
    let mut page = Page {
        base: base.clone(),
        has_base: false,
        links: Vec::new(),
        anchors: Vec::new(),
    };
    page.scan(html);
    if page.links.is_empty() {
        page.anchors
    } else {
        page.links
    }
}

struct Page {
    base: Url,
    has_base: bool,
    links: Vec<FeedLink>,
    anchors: Vec<FeedLink>,
}

impl Page {
    fn scan(&mut self, html: &str) {
        // Raw text elements hold no tags, whatever it looks like (HTML §13.2.5).
        let mut raw: Option<&str> = None;
        let mut anchor: Option<(Tag<'_>, String)> = None;
        for token in Tokens::new(html) {
            match token {
                Token::End(name) => {
                    if raw.is_some_and(|raw| raw.eq_ignore_ascii_case(name)) {
                        raw = None;
                    }
                    if name.eq_ignore_ascii_case("a")
                        && let Some((tag, text)) = anchor.take()
                    {
                        self.take_anchor(&tag, &text);
                    }
                }
                _ if raw.is_some() => {}
                Token::Text(text) => {
                    if let Some((_, words)) = &mut anchor
                        && words.len() < 200
                    {
                        words.push_str(super::text::cut(text, 200));
                    }
                }
                Token::Start(tag) if is(&tag, "link") => self.take_link(&tag),
                Token::Start(tag) if is(&tag, "base") && !self.has_base => {
                    let href = attribute(&tag, "href").and_then(|href| self.base.join(&href).ok());
                    self.has_base = href.is_some();
                    self.base = href.unwrap_or_else(|| self.base.clone());
                }
                Token::Start(tag) if is(&tag, "a") => anchor = Some((tag, String::new())),
                Token::Start(tag) if !tag.empty && is_raw_text(&tag) => raw = Some(tag.name),
                _ => {}
            }
        }
    }

    fn take_link(&mut self, tag: &Tag<'_>) {
        let media_type = attribute(tag, "type");
        let is_feed_type = media_type.as_deref().is_some_and(is_feed_type);
        let rel = attribute(tag, "rel").map(|rel| rel.to_ascii_lowercase());
        let has = |word: &str| {
            rel.as_deref()
                .is_some_and(|rel| rel.split_ascii_whitespace().any(|w| w == word))
        };
        let is_alternate = has("alternate") || has("feed");
        let names_a_feed = match media_type.as_deref() {
            _ if has("stylesheet") || has("replies") => false,
            _ if is_feed_type => is_alternate || rel.is_none(),
            Some(xml) if is_xml_type(xml) => is_alternate && speaks_of_feed(tag),
            Some(other) => has("feed") && !other.contains("html"),
            None => has("feed"),
        };
        if names_a_feed {
            let link = self.feed_link(tag, media_type);
            add_once(&mut self.links, link);
        }
    }

    fn take_anchor(&mut self, tag: &Tag<'_>, text: &str) {
        let media_type = attribute(tag, "type");
        let Some(mut link) = self.feed_link(tag, media_type) else {
            return;
        };
        let Ok(url) = Url::parse(&link.url) else {
            return;
        };
        if link.media_type.as_deref().is_some_and(is_feed_type) || looks_like_feed(&url, text) {
            let text = one_line(&decode_html(text));
            link.title = link.title.or(Some(text).filter(|text| !text.is_empty()));
            add_once(&mut self.anchors, Some(link));
        }
    }

    fn feed_link(&self, tag: &Tag<'_>, media_type: Option<String>) -> Option<FeedLink> {
        let href = attribute(tag, "href")?;
        let href = href.strip_prefix("feed:").map_or(href.as_str(), |rest| {
            if rest.starts_with("//") {
                href.as_str()
            } else {
                rest
            }
        });
        let href = href
            .strip_prefix("feed://")
            .map_or(href.to_owned(), |rest| format!("http://{rest}"));
        let mut url = self.base.join(&href).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        url.set_fragment(None);
        Some(FeedLink {
            url: url.into(),
            title: attribute(tag, "title"),
            media_type,
        })
    }
}

fn add_once(feeds: &mut Vec<FeedLink>, link: Option<FeedLink>) {
    if let Some(link) = link
        && feeds.len() < MAX_FEEDS
        && !feeds.iter().any(|known| known.url == link.url)
    {
        feeds.push(link);
    }
}

fn is(tag: &Tag<'_>, name: &str) -> bool {
    tag.name.eq_ignore_ascii_case(name)
}

fn is_raw_text(tag: &Tag<'_>) -> bool {
    [
        "script", "style", "textarea", "title", "template", "xmp", "iframe",
    ]
    .iter()
    .any(|name| is(tag, name))
}

/// An attribute with its references decoded; `None` when it is blank.
fn attribute(tag: &Tag<'_>, name: &str) -> Option<String> {
    let value = decode_html(tag.attribute(name)?);
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// The media types of feeds. `application/json` is not among them: it is every API's.
fn is_feed_type(media_type: &str) -> bool {
    let media_type = media_type
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    matches!(
        media_type.as_str(),
        "application/rss+xml"
            | "application/atom+xml"
            | "application/feed+json"
            | "application/rdf+xml"
            | "application/x.atom+xml"
            | "application/x-atom+xml"
            | "application/x-rss+xml"
            | "application/rss"
            | "application/atom"
            | "text/rss+xml"
            | "text/atom+xml"
            | "text/rss"
            | "text/atom"
            | "text/rdf"
    )
}

/// XML of some kind: a feed, if the link says so.
fn is_xml_type(media_type: &str) -> bool {
    let media_type = media_type.split(';').next().unwrap_or("").trim();
    ["text/xml", "application/xml"]
        .iter()
        .any(|xml| media_type.eq_ignore_ascii_case(xml))
}

/// Whether a link's address or title has a feed's name in it, as a word.
fn speaks_of_feed(tag: &Tag<'_>) -> bool {
    let words = ["href", "title"]
        .iter()
        .filter_map(|name| tag.attribute(name));
    words
        .into_iter()
        .any(|text| has_feed_word(&text.to_ascii_lowercase()))
}

fn has_feed_word(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|word| matches!(word, "rss" | "atom" | "feed" | "feeds" | "rdf"))
}

/// Whether an address and its text are those of a feed. Wary: every guess costs a request.
fn looks_like_feed(url: &Url, text: &str) -> bool {
    let path = url.path().to_ascii_lowercase();
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or("");
    let is_address = matches!(
        last,
        "rss"
            | "atom"
            | "feed"
            | "rss.xml"
            | "atom.xml"
            | "feed.xml"
            | "feed.json"
            | "index.rdf"
            | "index.xml"
            | "rss2"
            | "feeds.xml"
    ) || [".rss", ".atom", ".rdf"]
        .iter()
        .any(|end| last.ends_with(end));
    let text = text.trim().to_ascii_lowercase();
    let is_xml = last.ends_with(".xml")
        || url
            .query()
            .is_some_and(|query| query.contains("feed=") || query.contains("format=rss"));
    let is_named = matches!(
        text.as_str(),
        "rss" | "atom" | "feed" | "rss feed" | "atom feed" | "rss-feed"
    );
    is_address || is_named || (is_xml && has_feed_word(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, want: &[&str]) {
        let base = Url::parse("https://news.example/section/page.html").unwrap();
        let urls: Vec<String> = autodiscover(html, &base)
            .into_iter()
            .map(|link| link.url)
            .collect();
        assert_eq!(urls, want, "{html}");
    }

    #[test]
    fn link_elements_name_feeds_however_they_are_written() {
        check(
            "<LINK REL=Alternate TYPE=application/RSS+XML HREF=/rss><link type='application/atom+xml' href=a>\
             <link rel='feed alternate' type='application/feed+json; charset=utf-8' href='//cdn.example/f?a&amp;b'>\
             <link rel=feed href='/feed/'><link rel=alternate type=application/rss+xml href='/rss'>",
            &[
                "https://news.example/rss",
                "https://news.example/section/a",
                "https://cdn.example/f?a&b",
                "https://news.example/feed/",
            ],
        );
    }

    #[test]
    fn other_alternates_are_no_feeds() {
        check(
            "<link rel='alternate stylesheet' type='text/css' href='/d.css'><link rel=alternate type='text/html' href='/amp'>\
             <link rel=alternate type='application/json' href='/wp-json/1'><link rel=alternate type='application/rss+xml'>\
             <link rel=alternate type='application/rss+xml' href='javascript:x'>",
            &[],
        );
    }

    #[test]
    fn xml_is_a_feed_when_the_link_says_so() {
        check(
            "<link rel=alternate type='text/xml' title='RSS 2.0' href='/index.php?x=1'>\
             <link rel=alternate type='application/xml' href='/sitemap.xml'>",
            &["https://news.example/index.php?x=1"],
        );
    }

    #[test]
    fn the_base_element_counts_and_script_text_does_not() {
        check(
            "<base href='/x/'><script>'<link rel=alternate type=application/rss+xml href=/no>'</script>\
             <!-- <link rel=feed href=/no> --><noscript><link rel=feed href=yes></noscript>",
            &["https://news.example/x/yes"],
        );
    }

    #[test]
    fn anchors_are_asked_only_when_no_link_names_a_feed() {
        let anchors = "<a href='/about'>About</a> <a href='/news.rss'>news</a> <a href='/all.xml'>RSS</a> <a href='/map.xml'>Map</a> <a href='/x'>RSS</a> <a href='#rss'>about RSS</a>";

        check(
            anchors,
            &[
                "https://news.example/news.rss",
                "https://news.example/all.xml",
                "https://news.example/x",
            ],
        );
        check(
            &format!("<link rel=feed href=/f>{anchors}"),
            &["https://news.example/f"],
        );
    }
}

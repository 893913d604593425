//! Finds the root element, past whatever a server put before it.

use super::names::LowerName;
use super::references::References;
use super::tokens::{Tag, Token, Tokens, local};
use super::{Format, ParseError};

/// How much may stand before the root, in bytes.
const MAX_JUNK_BYTES: usize = 64 << 10;

/// A document whose root has been found.
pub(super) struct Root<'a> {
    pub(super) format: Format,
    /// The tokens after the root's start tag.
    pub(super) tokens: Tokens<'a>,
    /// The entities that the document declares.
    pub(super) references: References,
    /// Whether something stands before the root that is no part of XML.
    pub(super) has_junk: bool,
}

/// Finds the start tag of the feed.
///
/// Scripts, error messages and text before it are read past; a page, a list or other XML
/// is refused by name.
pub(super) fn find_root<'a>(text: &'a str) -> Result<(Tag<'a>, Root<'a>), ParseError> {
    let mut tokens = Tokens::new(text);
    let mut references = References::default();
    let mut has_junk = false;
    let mut in_script = false;
    let mut is_html = false;
    while let Some(token) = tokens.next() {
        if tokens.start() > MAX_JUNK_BYTES {
            break;
        }
        match token {
            // A doctype proves nothing: some feeds carry that of their page template.
            Token::Doctype(doctype) => {
                is_html |= names_html(doctype);
                references.declare(doctype);
            }
            Token::Start(_) if in_script => {}
            Token::Start(tag) => {
                if let Some(format) = format_of(&tag) {
                    let root = Root {
                        format,
                        tokens,
                        references,
                        has_junk,
                    };
                    return Ok((tag, root));
                }
                check_junk(&tag)?;
                has_junk = true;
                in_script |= tag.name.eq_ignore_ascii_case("script") && !tag.empty;
            }
            Token::End(name) => in_script &= !name.eq_ignore_ascii_case("script"),
            Token::Text(text) | Token::Cdata(text) => has_junk |= text.chars().any(is_visible),
            Token::Cut => {}
        }
    }
    if is_html {
        return Err(not_a_feed("an HTML page"));
    }
    Err(not_a_feed("text without a feed's root element"))
}

fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && c != '\u{feff}'
}

fn names_html(doctype: &str) -> bool {
    doctype
        .split_whitespace()
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case("html"))
}

fn format_of(tag: &Tag<'_>) -> Option<Format> {
    let name = local(tag.name);
    match LowerName::new(name).as_str() {
        "rss" => Some(Format::Rss),
        "feed" | "entry" => Some(Format::Atom),
        "rdf" => Some(Format::Rdf),
        "channel" if tag.attributes.contains("purl.org/net/rss1.1") => Some(Format::Rdf),
        "channel" if name == "channel" && tag.attribute("href").is_none() => Some(Format::Rss),
        "channel" => Some(Format::Cdf),
        "urlset" => Some(Format::Sitemap),
        _ => None,
    }
}

/// What servers put before a feed by mistake: scripts, and error messages with their markup.
#[rustfmt::skip]
const JUNK: &[&str] = &[
    "a", "address", "article", "aside", "b", "big", "blockquote", "br", "center", "cite",
    "code", "dd", "div", "dl", "dt", "em", "embed", "figure", "font", "footer", "form", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "iframe", "img", "input", "kbd",
    "label", "li", "link", "main", "meta", "nav", "nobr", "noscript", "object", "ol", "p",
    "param", "pre", "s", "samp", "script", "section", "small", "span", "strong", "style",
    "sub", "sup", "table", "tbody", "td", "template", "th", "thead", "tr", "tt", "u", "ul",
];

/// Refuses what begins another document than a feed.
fn check_junk(tag: &Tag<'_>) -> Result<(), ParseError> {
    let name = LowerName::new(tag.name);
    match name.as_str() {
        "html" | "head" | "body" | "title" => Err(not_a_feed("an HTML page")),
        "sitemapindex" => Err(not_a_feed("an index of sitemaps")),
        name if JUNK.contains(&name) => Ok(()),
        _ => Err(not_a_feed(&format!(
            "XML whose root is <{}>",
            super::text::cut(tag.name, 64)
        ))),
    }
}

fn not_a_feed(found: &str) -> ParseError {
    ParseError::NotAFeed {
        found: found.to_owned(),
    }
}

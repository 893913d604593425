//! From a page to an article. Pure; imports nothing of ours.

use jiff::Timestamp;
use url::Url;

/// Limits and choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Deepest nesting of elements that is parsed; browsers stop at 512.
    pub max_depth: usize,
    /// Fewer words than this are not an article.
    pub min_words: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_depth: 512,
            min_words: 25,
        }
    }
}

/// What a page gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extracted {
    /// Headline, without the site's name.
    pub title: Option<String>,
    /// Authors, one name each.
    pub authors: Vec<String>,
    /// When it was published.
    pub published: Option<Published>,
    /// When it was last changed, by its own word.
    pub modified: Option<Published>,
    /// Language as a lower-case BCP 47 primary tag (`en`, `de`).
    pub language: Option<String>,
    /// What the page calls its canonical URL (RFC 6596), absolute, not judged.
    pub canonical_url: Option<Url>,
    /// The site's name.
    pub site_name: Option<String>,
    /// The page's own description.
    pub description: Option<String>,
    /// Body as text: paragraphs separated by a blank line. No related links, no captions.
    pub text: String,
    /// Body as Markdown: links, lists, quotes, subheads, captions; related links marked as such.
    pub markdown: String,
    /// Body as HTML from a closed list of elements and attributes: safe as it is.
    pub html: String,
    /// Images with caption and credit, the lead image first.
    pub images: Vec<Image>,
    /// Links to other articles, kept apart from the body.
    pub related: Vec<Related>,
    /// Keywords.
    pub tags: Vec<String>,
    /// Words in `text`.
    pub word_count: usize,
}

/// A date, and how much of it the page said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The instant; where the page gave only a date or no offset, read as UTC.
    pub at: Timestamp,
    /// As RFC 3339, or as a bare date (`2026-11-23`) where no time was given.
    pub text: String,
    /// Where it was found: `json-ld`, `meta`, `time`, `url`, `text`.
    pub source: &'static str,
}

/// An image of the article.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Absolute `http(s)` URL.
    pub url: String,
    /// Caption.
    pub caption: Option<String>,
    /// Photographer or agency.
    pub credit: Option<String>,
}

/// A link to another article.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Related {
    /// Its headline.
    pub title: String,
    /// Absolute `http(s)` URL.
    pub url: String,
}

/// Why a page gave no article. Ordinary: many pages are not articles.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Rejected {
    /// Nesting deeper than the limit.
    #[error("elements are nested deeper than {limit}")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// Text, but less than an article. The metadata is still good.
    #[error("only {n_words} words of text, fewer than {minimum}")]
    TooShort {
        /// Words found.
        n_words: usize,
        /// Words wanted.
        minimum: usize,
        /// What was found all the same.
        found: Box<Extracted>,
    },
    /// No text at all. The metadata is still good.
    #[error("no article text")]
    NoMainText {
        /// What was found all the same.
        found: Box<Extracted>,
    },
}

/// Cuts the article from a page. Links are resolved against `url`.
///
/// # Errors
/// [`Rejected`] when the page holds no article.
pub fn extract(html: &str, url: &Url, settings: &Settings) -> Result<Extracted, Rejected> {
    let _ = (html, url, settings);
    unimplemented!()
}

/// Bytes of a page as text: valid UTF-8 first, then BOM, HTTP charset, `<meta>`, detection.
#[must_use]
pub fn decode(bytes: &[u8], content_type: Option<&str>) -> String {
    let _ = (bytes, content_type);
    unimplemented!()
}

/// HTML from outside made safe to show: a closed list of elements and attributes, links
/// absolute against `base` and `http(s)` or `mailto` only.
#[must_use]
pub fn sanitize(html: &str, base: Option<&Url>) -> String {
    let _ = (html, base);
    unimplemented!()
}

/// HTML or text as plain text: tags out, entities decoded once, white space folded,
/// paragraphs separated by a blank line.
#[must_use]
pub fn plain_text(html: &str) -> String {
    let _ = html;
    unimplemented!()
}

//! From a page to an article. Pure; imports nothing of ours.
//!
//! The way, in the order in which to read the files: `decode` the bytes; `reduce` the page
//! to what can matter; `parse` it with limits on depth and size; list the tree as an
//! `outline` in document order, with `tag` and `hints` (by `vocabulary`) for each element;
//! read the `metadata` (`json_ld`, `title`, `authors`, `published`, `dates`); find the
//! `body`: gather the `clues` (also from the feed, `prior`, and the site, `memory`), find
//! the `content`, `compose` its `blocks`, with `prune` and `lines` (by `phrases`) deciding
//! what is furniture, `figure` reading pictures, `arrange` putting lines into blocks and
//! `edges` cutting what stands behind the text; say the `confidence`; `render`.
//! Nothing here recurses over the tree, so no page can exhaust the stack.

mod arrange;
mod authors;
mod blocks;
mod body;
mod clues;
mod compose;
mod confidence;
mod content;
mod dates;
mod decode;
mod edges;
mod figure;
mod hints;
mod json_ld;
mod language;
mod line;
mod lines;
mod memory;
mod metadata;
mod outline;
mod parse;
mod phrases;
mod plain_text;
mod prior;
mod prune;
mod published;
mod reduce;
mod render;
mod sanitize;
mod state;
mod tag;
mod text;
mod title;
mod vocabulary;

use jiff::Timestamp;
use url::Url;

use self::blocks::Block;
use self::body::Body;
use self::metadata::Metadata;
use self::outline::Outline;

pub use self::decode::decode;
pub use self::memory::{PageFacts, SiteMemory};
pub use self::plain_text::plain_text;
pub use self::prior::Prior;
pub use self::sanitize::sanitize;

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
    /// How sure we are of the body: the probability that it is right, 0..=1. A model over
    /// what was observed while finding it; 0 where there is no text.
    pub confidence: f64,
    /// What the page can teach a [`SiteMemory`]; empty when none was given.
    pub facts: PageFacts,
}

/// A date, and how much of it the page said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The instant; where the page gave only a date or no offset, read as UTC.
    pub at: Timestamp,
    /// As RFC 3339, or as a bare date (`2026-11-23`) where no time was given.
    pub text: String,
    /// Where it was found: `json-ld`, `meta`, `time`, `url`, `text`, `feed`.
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

/// What is known besides the page. Nothing of it is needed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'c> {
    /// What the feed said.
    pub prior: Option<&'c Prior>,
    /// What other pages of the site taught; with it, facts to learn come back.
    pub memory: Option<&'c SiteMemory>,
}

/// Cuts the article from a page. Links are resolved against `url`.
///
/// # Errors
/// [`Rejected`] when the page holds no article.
pub fn extract(html: &str, url: &Url, settings: &Settings) -> Result<Extracted, Rejected> {
    extract_with(html, url, settings, &Context::default())
}

/// Like [`extract`], with what is known besides the page.
///
/// # Errors
/// [`Rejected`] when the page holds no article.
pub fn extract_with(
    html: &str,
    url: &Url,
    settings: &Settings,
    context: &Context<'_>,
) -> Result<Extracted, Rejected> {
    let mut found = find_body(html, url, settings, context, |_, metadata, body| {
        assemble(body, metadata)
    })?;
    if let Some(prior) = context.prior {
        prior::fill(&mut found, prior);
    }
    judge(found, settings)
}

/// A part of a page that is not taken for text although it stands in its midst.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutPart {
    /// What decided: a name, an element, a share of links, a phrase.
    pub reason: &'static str,
    /// The beginning of its text, at most some hundred characters.
    pub text: String,
}

/// What [`extract_with`] cuts from inside the article's container, in document order: for
/// whoever asks why something is missing.
///
/// # Errors
/// [`Rejected::TooDeep`].
pub fn cut_parts(
    html: &str,
    url: &Url,
    settings: &Settings,
    context: &Context<'_>,
) -> Result<Vec<CutPart>, Rejected> {
    find_body(html, url, settings, context, |outline, _, body| {
        let cuts = body.cuts.iter();
        cuts.map(|cut| CutPart {
            reason: cut.why,
            text: outline.text_of(cut.index, 200),
        })
        .collect()
    })
}

/// Parses a page, reads its metadata and finds its body.
fn find_body<T>(
    html: &str,
    url: &Url,
    settings: &Settings,
    context: &Context<'_>,
    then: impl FnOnce(&Outline<'_>, Metadata, Body) -> T,
) -> Result<T, Rejected> {
    let page = reduce::reduce(html);
    let document =
        parse::parse_guarded(&page, settings.max_depth).map_err(|_| Rejected::TooDeep {
            limit: settings.max_depth,
        })?;
    let outline = Outline::of(&document);
    let base = base_url(&outline, url);
    let mut metadata = metadata::read(&outline, &base, url);
    if let Some(prior) = context.prior {
        prior::add_title(&mut metadata, prior);
    }
    let body = body::find(&outline, &metadata, context, &page.scripts, url, &base);
    Ok(then(&outline, metadata, body))
}

/// The URL against which links are resolved: `<base href>` if there is one (WHATWG HTML,
/// "The base element").
fn base_url(outline: &Outline<'_>, url: &Url) -> Url {
    outline
        .items()
        .iter()
        .enumerate()
        .find_map(|(index, item)| {
            let is_base = item.tag == tag::Tag::Base;
            metadata::http_url(url, outline.attribute(index, "href").filter(|_| is_base)?)
        })
        .unwrap_or_else(|| url.clone())
}

fn assemble(body: Body, metadata: Metadata) -> Extracted {
    let Body {
        blocks,
        text,
        facts,
        confidence,
        ..
    } = body;
    let confidence = if text.is_empty() { 0.0 } else { confidence };
    let mut images = metadata.images;
    let mut related: Vec<Related> = Vec::new();
    for block in &blocks {
        match block {
            Block::Figure(image) => add_image(&mut images, image),
            Block::Related(link) => related.push(link.clone()),
            _ => {}
        }
    }
    Extracted {
        title: metadata.title,
        authors: metadata.authors,
        published: metadata.published,
        modified: metadata.modified,
        language: language::choose(text::prefix(&text, MAX_DETECTED), metadata.language),
        canonical_url: metadata.canonical_url,
        site_name: metadata.site_name,
        description: metadata.description,
        word_count: text::count_words(&text),
        markdown: render::markdown(&blocks),
        html: render::html(&blocks),
        text,
        images,
        related,
        tags: metadata.tags,
        confidence,
        facts,
    }
}

/// Characters of the text by which its language is told: more make it no surer.
const MAX_DETECTED: usize = 1_500;

/// Adds a picture, or its caption and credit to the same picture named in the metadata.
fn add_image(images: &mut Vec<Image>, image: &Image) {
    let path = |url: &str| url.split(['?', '#']).next().unwrap_or_default().to_owned();
    match images
        .iter()
        .position(|known| path(&known.url) == path(&image.url))
    {
        Some(at) => {
            let known = &mut images[at];
            known.caption = image.caption.clone().or(known.caption.take());
            known.credit = image.credit.clone().or(known.credit.take());
        }
        None if images.len() < MAX_IMAGES => images.push(image.clone()),
        None => {}
    }
}

/// Most pictures that are listed.
const MAX_IMAGES: usize = 50;

fn judge(found: Extracted, settings: &Settings) -> Result<Extracted, Rejected> {
    if found.text.is_empty() {
        return Err(Rejected::NoMainText {
            found: Box::new(found),
        });
    }
    if found.word_count < settings.min_words {
        return Err(Rejected::TooShort {
            n_words: found.word_count,
            minimum: settings.min_words,
            found: Box::new(found),
        });
    }
    Ok(found)
}

//! The body of an article: found in the markup, or, where the page is drawn by a script,
//! in its data or in the feed.

use url::Url;

use super::blocks::{Block, Span};
use super::clues::{Anchor, Clues};
use super::compose::{self, Composed, Cut};
use super::confidence::Signals;
use super::content::{self, Content};
use super::memory::PageFacts;
use super::metadata::Metadata;
use super::outline::Outline;
use super::prior::{self, FeedText};
use super::{Context, edges, render, state, text};

/// Pages with this many words need no rescue from their scripts.
const MAX_WORDS_TO_RESCUE: usize = 80;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) blocks: Vec<Block>,
    /// The blocks as text.
    pub(super) text: String,
    /// What a site memory can learn.
    pub(super) facts: PageFacts,
    /// What was cut from between the blocks.
    pub(super) cuts: Vec<Cut>,
    /// The probability that it is right; 0..=1.
    pub(super) confidence: f64,
}

/// Finds the body of a page.
pub(super) fn find(
    outline: &Outline<'_>,
    metadata: &Metadata,
    context: &Context<'_>,
    scripts: &[&str],
    url: &Url,
    base: &Url,
) -> Body {
    let feed = context.prior.map(FeedText::of).unwrap_or_default();
    let clues = Clues::of(metadata, &feed, context.memory);
    let content = content::find(outline, metadata, &clues);
    let composed = compose::compose(outline, metadata, &content, &clues, base);
    let facts = if context.memory.is_some() {
        facts(outline, metadata, &content, &composed, url)
    } else {
        PageFacts::default()
    };
    let blocks = match &feed.content {
        Some(content) => prior::trim(composed.blocks, &Anchor::of(content)),
        None => composed.blocks,
    };
    let blocks = edges::trim(blocks);
    let text = render::text(&blocks);
    let signals = Signals::of(outline, metadata, &clues, &content, &blocks);
    match rescue(&blocks, &text, scripts, metadata, &feed) {
        Some(rescued) => {
            let text = render::text(&rescued);
            Body {
                confidence: signals.rescued(&text).confidence(),
                text,
                blocks: rescued,
                facts: PageFacts::default(),
                cuts: composed.cuts,
            }
        }
        None => Body {
            confidence: signals.confidence(),
            blocks,
            text,
            facts,
            cuts: composed.cuts,
        },
    }
}

fn facts(
    outline: &Outline<'_>,
    metadata: &Metadata,
    content: &Content,
    composed: &Composed,
    url: &Url,
) -> PageFacts {
    let mut facts = PageFacts::of(url.as_str(), metadata.title.as_deref());
    for &line in &composed.lines {
        facts.add_line(line);
    }
    if let Some(&first) = content.roots.first() {
        facts.set_container(outline, first);
    }
    facts
}

/// The text of the page's structured data, of its state or of the feed, where the markup
/// holds much less: the page is then drawn by a script, or shut.
fn rescue(
    blocks: &[Block],
    text: &str,
    scripts: &[&str],
    metadata: &Metadata,
    feed: &FeedText,
) -> Option<Vec<Block>> {
    let n_found = text::count_words(text);
    let is_much_more = |body: &String| {
        // No more words than half of its bytes: long texts need not be counted.
        body.len() / 2 > 3 * n_found && {
            let n_stated = text::count_words(body);
            n_stated >= 40 && n_stated > 3 * n_found
        }
    };
    let in_state = || {
        (n_found < MAX_WORDS_TO_RESCUE)
            .then(|| state::find(scripts, metadata))
            .flatten()
            .filter(|body| is_much_more(body))
    };
    let stated = metadata
        .body
        .as_ref()
        .filter(|&body| is_much_more(body))
        .cloned();
    let body = stated.or_else(in_state).or_else(|| {
        feed.content
            .as_ref()
            .filter(|&body| is_much_more(body))
            .cloned()
    })?;
    let figures = blocks
        .iter()
        .filter(|block| matches!(block, Block::Figure(_)))
        .cloned();
    let paragraphs = body.split("\n\n").map(|paragraph| {
        Block::Paragraph(vec![Span {
            text: paragraph.to_owned(),
            ..Span::default()
        }])
    });
    Some(figures.chain(paragraphs).collect())
}

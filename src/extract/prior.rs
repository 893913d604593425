//! What a feed said of an article before its page was read.

use jiff::Timestamp;

use super::blocks::{Block, line_text};
use super::clues::Anchor;
use super::metadata::Metadata;
use super::plain_text::plain_text;
use super::text;
use super::{Extracted, Published};

/// What is known of an article before its page is read: the feed's entry. All of it is
/// optional, and none of it is trusted where the page says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prior {
    /// The entry's title, as text.
    pub title: Option<String>,
    /// The entry's summary, text or HTML: where the page shows the same, the stand-first is.
    pub summary: Option<String>,
    /// The entry's content, text or HTML: where it is long, it shows which part of the page
    /// is the article, and stands in where the page shows much less.
    pub content: Option<String>,
    /// When the entry was published; taken where the page gives no date.
    pub published: Option<Timestamp>,
    /// The entry's authors; taken where the page names none.
    pub authors: Vec<String>,
}

/// Longest content of an entry that is looked at, in bytes.
const MAX_CONTENT_BYTES: usize = 1 << 20;

/// Fewer words in a feed's content are a teaser.
const MIN_CONTENT_WORDS: usize = 80;

/// A prior, read.
#[derive(Debug, Default)]
pub(super) struct FeedText {
    /// The summary as text.
    pub(super) summary: Option<String>,
    /// The content as text, where it is long.
    pub(super) content: Option<String>,
}

impl FeedText {
    /// Reads the texts of a prior.
    pub(super) fn of(prior: &Prior) -> Self {
        let content = prior
            .content
            .as_deref()
            .filter(|html| html.len() <= MAX_CONTENT_BYTES)
            .map(plain_text)
            .filter(|text| text::count_words(text) >= MIN_CONTENT_WORDS);
        Self {
            summary: prior.summary.as_deref().map(first_paragraph),
            content,
        }
    }
}

fn first_paragraph(html: &str) -> String {
    let text = plain_text(text::prefix(html, 4_000));
    text.split("\n\n").next().unwrap_or_default().to_owned()
}

/// Adds to what the page calls its title: the headline is then known by this form too.
pub(super) fn add_title(metadata: &mut Metadata, prior: &Prior) {
    let form = prior.title.as_deref().map(text::comparable);
    if let Some(form) = form.filter(|form| !form.is_empty() && !metadata.titles.contains(form)) {
        metadata.titles.push(form);
    }
}

/// Fills what the page left open.
pub(super) fn fill(found: &mut Extracted, prior: &Prior) {
    if found.title.is_none() {
        found.title = prior.title.as_deref().and_then(text::folded_or_none);
    }
    if found.authors.is_empty() {
        found.authors.clone_from(&prior.authors);
    }
    if found.published.is_none() {
        found.published = prior.published.map(|at| Published {
            at,
            text: at.to_string(),
            source: "feed",
        });
    }
}

/// The blocks without what stands before the first and behind the last that the feed's
/// text has as well, where the feed has nearly all of the article. Long paragraphs stay:
/// the page may be newer than the feed.
pub(super) fn trim(blocks: Vec<Block>, feed: &Anchor) -> Vec<Block> {
    let (mut first, mut last) = (None, 0);
    let (mut n_words, mut n_known) = (0, 0);
    for (at, block) in blocks.iter().enumerate() {
        let Some(shown) = paragraph(block) else {
            continue;
        };
        let n = text::count_words(&shown);
        n_words += n;
        if feed.holds(&shown) {
            n_known += n;
            first.get_or_insert(at);
            last = at;
        }
    }
    let Some(first) = first.filter(|_| n_known * 10 >= n_words * 7) else {
        return blocks;
    };
    let is_kept = |at: usize, block: &Block| {
        let is_long = || paragraph(block).is_some_and(|shown| text::weight(&shown) > 300);
        let is_standfirst = at < first && first <= 2;
        (first..=last).contains(&at)
            || is_standfirst
            || !matches!(block, Block::Paragraph(_) | Block::Heading(..))
            || is_long()
    };
    blocks
        .into_iter()
        .enumerate()
        .filter(|(at, block)| is_kept(*at, block))
        .map(|(_, block)| block)
        .collect()
}

fn paragraph(block: &Block) -> Option<String> {
    match block {
        Block::Paragraph(line) => Some(line_text(line)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::blocks::Span;
    use super::*;

    fn paragraph_of(text: &str) -> Block {
        Block::Paragraph(vec![Span {
            text: text.to_owned(),
            ..Span::default()
        }])
    }

    #[test]
    fn what_stands_behind_the_feeds_last_paragraph_is_cut() {
        let body = "The river rose by two metres during the night and the town closed its bridges";
        let more = "The mayor said on Monday that nobody had been hurt by the flood so far";
        let blocks = vec![
            paragraph_of(body),
            paragraph_of(more),
            paragraph_of("Write to us at the usual address"),
        ];

        let kept = trim(blocks.clone(), &Anchor::of(&format!("{body}\n\n{more}")));
        let untouched = trim(
            blocks,
            &Anchor::of("some other text that is not at all the same"),
        );

        assert_eq!(kept.len(), 2);
        assert_eq!(untouched.len(), 3);
    }

    #[test]
    fn a_short_content_is_a_teaser() {
        let prior = Prior {
            content: Some("<p>Only a few words.</p>".to_owned()),
            summary: Some("<b>First.</b><p>Second.".to_owned()),
            ..Prior::default()
        };

        let feed = FeedText::of(&prior);

        assert_eq!(feed.content, None);
        assert_eq!(feed.summary.as_deref(), Some("First."));
    }
}

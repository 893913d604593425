//! How sure we are of a body: a logistic model over what was observed while finding it.

use super::blocks::{Block, line_text};
use super::clues::Clues;
use super::content::Content;
use super::metadata::Metadata;
use super::outline::Outline;
use super::text;

/// What speaks for a body or against it; each 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Signals {
    /// How much text there is: 0 for none, 1 from a thousand words on.
    length: f64,
    /// Share of the page's prose that is in the container.
    share: f64,
    /// Share of the container's prose that was kept.
    kept: f64,
    /// Share of the text inside links.
    linked: f64,
    /// Share of short lines among the paragraphs.
    short: f64,
    /// An element around it is named as an article's text.
    named: f64,
    /// The page's description was found in it.
    described: f64,
    /// Share of its paragraphs that another source of the text has; a half without one.
    anchored: f64,
    /// The page shows a headline.
    headed: f64,
    /// The article is in one piece.
    whole: f64,
    /// It was not found in the markup.
    rescued: f64,
}

/// Weights in the order of the signals, and the constant, fitted on the development half of
/// the kit: a body counts as right when its page's F1 is 0.9 or better, or, where only
/// phrases are known, when all are right.
const WEIGHTS: [f64; 11] = [
    1.37, 0.54, 0.80, -0.99, -1.44, 0.55, 0.01, 0.70, -0.09, 0.09, -1.23,
];
const CONSTANT: f64 = -1.28;

impl Signals {
    /// Observes a body.
    pub(super) fn of(
        outline: &Outline<'_>,
        metadata: &Metadata,
        clues: &Clues<'_>,
        content: &Content,
        blocks: &[Block],
    ) -> Self {
        let prose = |index: usize| f64::from(outline.item(index).prose);
        let in_roots: f64 = content.roots.iter().map(|&root| prose(root)).sum();
        let on_page = if outline.len() == 0 { 0.0 } else { prose(0) };
        let is_named = content.roots.first().is_some_and(|&root| {
            let mut around = outline.ancestors(root);
            outline.item(root).hints.body || around.any(|at| outline.item(at).hints.body)
        });
        let lines = Lines::of(blocks, clues);
        Self {
            length: (lines.n_words.max(1.0).ln() / 1_000f64.ln()).min(1.0),
            share: ratio(in_roots, on_page),
            kept: ratio(lines.weight, in_roots),
            linked: ratio(lines.linked, lines.weight),
            short: ratio(lines.n_short, lines.n),
            named: f64::from(u8::from(is_named)),
            described: f64::from(u8::from(content.lead.is_some())),
            anchored: if clues.has_anchors() {
                ratio(lines.n_anchored, lines.n)
            } else {
                0.5
            },
            headed: f64::from(u8::from(metadata.headline.is_some())),
            whole: f64::from(u8::from(content.roots.len() == 1)),
            rescued: 0.0,
        }
    }

    /// Of a body that was found elsewhere than in the markup.
    pub(super) fn rescued(self, text: &str) -> Self {
        let n_words = text::count_words(text).max(1) as f64;
        Self {
            length: (n_words.ln() / 1_000f64.ln()).min(1.0),
            rescued: 1.0,
            ..self
        }
    }

    fn values(&self) -> [f64; 11] {
        [
            self.length,
            self.share,
            self.kept,
            self.linked,
            self.short,
            self.named,
            self.described,
            self.anchored,
            self.headed,
            self.whole,
            self.rescued,
        ]
    }

    /// The probability that the body is right; 0..=1.
    pub(super) fn confidence(&self) -> f64 {
        let values = self.values();
        let sum: f64 = values
            .iter()
            .zip(WEIGHTS)
            .map(|(value, weight)| value * weight)
            .sum();
        1.0 / (1.0 + (-(sum + CONSTANT)).exp())
    }
}

/// What the lines of a body add up to.
#[derive(Debug, Default)]
struct Lines {
    n: f64,
    n_short: f64,
    n_anchored: f64,
    n_words: f64,
    weight: f64,
    linked: f64,
}

impl Lines {
    fn of(blocks: &[Block], clues: &Clues<'_>) -> Self {
        let mut lines = Self::default();
        for block in blocks {
            match block {
                Block::Paragraph(line) => lines.add(line, clues),
                Block::Quote(quoted) => quoted.iter().for_each(|line| lines.add(line, clues)),
                Block::List(items) => {
                    items.iter().for_each(|item| lines.add(&item.line, clues));
                }
                _ => {}
            }
        }
        lines
    }

    fn add(&mut self, line: &[super::blocks::Span], clues: &Clues<'_>) {
        let shown = line_text(line);
        let weight = text::weight(&shown);
        let linked = line.iter().filter(|span| span.link.is_some());
        let linked: u32 = linked.map(|span| text::weight(&span.text)).sum();
        self.n += 1.0;
        self.n_short += f64::from(u8::from(weight < 60));
        self.weight += f64::from(weight);
        self.linked += f64::from(linked);
        // Six letters a word: nearer is not needed here.
        self.n_words += f64::from(weight) / 6.0;
        if clues.has_anchors() && clues.anchors(&shown) {
            self.n_anchored += 1.0;
        }
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (part / whole).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

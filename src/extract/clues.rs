//! What tells the article apart besides the page's markup: its description, its text as
//! structured data or a feed has it, and what was learned from other pages of the site.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::json_ld::begins_alike;
use super::memory::SiteMemory;
use super::metadata::Metadata;
use super::prior::FeedText;
use super::text::{comparable, prefix};
use super::title::similarity;

/// Least characters of a description that tells something.
const MIN_DESCRIPTION: usize = 25;

/// The clues to one page's article.
#[derive(Debug, Default)]
pub(super) struct Clues<'c> {
    descriptions: Vec<Description<'c>>,
    anchors: Vec<Anchor>,
    /// What the site's other pages taught.
    pub(super) memory: Option<&'c SiteMemory>,
}

/// A text that the stand-first may repeat.
#[derive(Debug)]
struct Description<'c> {
    text: &'c str,
    form: String,
    /// Comparable form of its beginning.
    beginning: String,
}

impl<'c> Clues<'c> {
    /// Collects the clues.
    pub(super) fn of(
        metadata: &'c Metadata,
        feed: &'c FeedText,
        memory: Option<&'c SiteMemory>,
    ) -> Self {
        let descriptions = [&metadata.description, &feed.summary]
            .into_iter()
            .flatten()
            .filter(|text| text.chars().count() >= MIN_DESCRIPTION)
            .map(|text| Description {
                text,
                form: comparable(text),
                beginning: comparable(prefix(text, 60)),
            })
            .collect();
        let texts = [&metadata.body, &feed.content];
        Self {
            descriptions,
            anchors: texts
                .into_iter()
                .flatten()
                .map(|text| Anchor::of(text))
                .collect(),
            memory,
        }
    }

    /// Whether there is a description.
    pub(super) fn has_description(&self) -> bool {
        !self.descriptions.is_empty()
    }

    /// Whether a text begins as a description does.
    pub(super) fn begins_as_described(&self, shown: &str) -> bool {
        let mut descriptions = self.descriptions.iter();
        descriptions.any(|description| begins_alike(shown, description.text))
    }

    /// Whether the beginning of an element's text is that of a description; `start` is in
    /// comparable form.
    pub(super) fn starts_as_described(&self, start: &str) -> bool {
        self.descriptions.iter().any(|description| {
            start.starts_with(&description.beginning)
                || (start.len() >= 20 && description.beginning.starts_with(start))
        })
    }

    /// Whether a text of this weight can be alike to a description.
    pub(super) fn can_be_alike(&self, weight: u32) -> bool {
        let weight = weight as usize;
        self.descriptions.iter().any(|description| {
            weight * 2 > description.form.len() && weight < description.form.len() * 2
        })
    }

    /// Whether a text in comparable form says what a description says.
    pub(super) fn says_the_same(&self, form: &str) -> bool {
        self.descriptions
            .iter()
            .any(|description| similarity(form, &description.form) >= 0.8)
    }

    /// Whether a paragraph begins with words that another source of the text has.
    pub(super) fn anchors(&self, paragraph: &str) -> bool {
        self.anchors.iter().any(|anchor| anchor.holds(paragraph))
    }

    /// Whether there is another source of the text.
    pub(super) fn has_anchors(&self) -> bool {
        !self.anchors.is_empty()
    }
}

/// A text, asked whether a paragraph is in it: by the hash of each run of some words, so
/// that asking takes no longer for long texts.
#[derive(Debug)]
pub(super) struct Anchor(HashSet<u64>);

impl Anchor {
    /// Words in a run.
    const N_WORDS: usize = 5;

    /// Reads a text.
    pub(super) fn of(body: &str) -> Self {
        let form = comparable(body);
        let words: Vec<&str> = form.split(' ').collect();
        Self(words.windows(Self::N_WORDS).map(hash).collect())
    }

    /// Whether the text has the first words of a paragraph.
    pub(super) fn holds(&self, paragraph: &str) -> bool {
        let form = comparable(prefix(paragraph, 200));
        let words: Vec<&str> = form.split(' ').take(Self::N_WORDS).collect();
        words.len() == Self::N_WORDS && self.0.contains(&hash(&words))
    }
}

fn hash(words: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish()
}

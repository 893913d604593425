//! Gathers the feeds of a list: each URL once, tags in one form, limits kept.

use std::collections::HashMap;

use super::{FeedList, ListError, ListedFeed, MAX_FEEDS, Skipped};

/// Most characters of what was skipped that are shown.
const MAX_SHOWN: usize = 200;

/// Most tags of one feed.
const MAX_TAGS: usize = 64;

/// A list on its way.
#[derive(Debug, Default)]
pub(super) struct Collector {
    list: FeedList,
    known: HashMap<String, usize>,
}

impl Collector {
    /// Takes a feed; `false` when its URL is known already, and only its tags were new.
    pub(super) fn add(&mut self, mut feed: ListedFeed) -> Result<bool, ListError> {
        let tags = std::mem::take(&mut feed.tags);
        let next = self.list.feeds.len();
        let at = *self
            .known
            .entry(feed.url.as_str().to_owned())
            .or_insert(next);
        if at == next {
            if next == MAX_FEEDS {
                let limit = format!("the list has more than {MAX_FEEDS} feeds");
                return Err(ListError::Limit(limit));
            }
            self.list.feeds.push(feed);
        }
        let listed = &mut self.list.feeds[at];
        for tag in tags.iter().filter_map(|tag| tidy_tag(tag)) {
            if listed.tags.len() < MAX_TAGS && !listed.tags.contains(&tag) {
                listed.tags.push(tag);
            }
        }
        Ok(at == next)
    }

    /// Notes what was left out.
    pub(super) fn skip(&mut self, line: usize, what: &str, why: impl Into<String>) {
        self.list.skipped.push(Skipped {
            line,
            what: what.chars().take(MAX_SHOWN).collect(),
            why: why.into(),
        });
    }

    pub(super) fn finish(self) -> FeedList {
        self.list
    }
}

/// A tag in its one form: path parts without the space around them, and none empty.
pub(super) fn tidy_tag(tag: &str) -> Option<String> {
    let parts = tag.split('/').map(one_line).filter(|part| !part.is_empty());
    let tag = parts.collect::<Vec<_>>().join("/");
    (!tag.is_empty()).then_some(tag)
}

/// Text on one line: runs of white space and control characters are one space.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

//! Gathers the feeds of a list: each URL once, tags in one form, limits kept.

use std::collections::HashMap;

use super::{FeedList, ListError, ListedFeed, MAX_FEEDS, Skipped};

/// Most characters of what was skipped that are shown.
const MAX_SHOWN: usize = 200;

/// Most tags of one feed.
const MAX_TAGS: usize = 64;

/// What a feed added to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// A feed.
    Feed,
    /// Tags of a known one that it repeats otherwise: a feed that lies in two folders.
    Tags,
    /// Nothing, or not all that it says: its URL is known already.
    Again,
}

/// A list on its way.
#[derive(Debug, Default)]
pub(super) struct Collector {
    list: FeedList,
    known: HashMap<String, usize>,
}

impl Collector {
    /// Takes a feed, or what a known one gains by being named again.
    pub(super) fn add(&mut self, mut feed: ListedFeed) -> Result<Added, ListError> {
        let tags = std::mem::take(&mut feed.tags);
        let next = self.list.feeds.len();
        let at = *self
            .known
            .entry(feed.url.as_str().to_owned())
            .or_insert(next);
        let is_new = at == next;
        let mut loses = false;
        if is_new {
            if next == MAX_FEEDS {
                let limit = format!("the list has more than {MAX_FEEDS} feeds");
                return Err(ListError::Limit(limit));
            }
            self.list.feeds.push(feed);
        } else {
            let listed = &self.list.feeds[at];
            loses = feed.title != listed.title
                || feed.site != listed.site
                || feed.settings != listed.settings;
        }
        let listed = &mut self.list.feeds[at];
        let n_tags = listed.tags.len();
        for tag in tags.iter().filter_map(|tag| tidy_tag(tag)) {
            if listed.tags.len() < MAX_TAGS && !listed.tags.contains(&tag) {
                listed.tags.push(tag);
            }
        }
        Ok(match (is_new, listed.tags.len() > n_tags) {
            (true, _) => Added::Feed,
            (false, true) if !loses => Added::Tags,
            (false, _) => Added::Again,
        })
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

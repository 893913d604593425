//! What a listing of articles is made of, apart from how it is read: the same on every
//! backend.

use std::collections::BTreeSet;
use std::time::Duration;

use super::json::{self, Rendering};
use super::record::{Article, PageState};
use super::{Listing, Ranked, StoreError, column, decide, packed};
use crate::feed::Enclosure;
use crate::model::FeedId;
use crate::query::{ArticleQuery, Cursor, RANKED, Scored};

/// Bodies that one answer holds, in bytes, before the rest is left to the next one. An
/// export of large articles is bounded in memory by this.
pub(super) const MAX_BODY_BYTES: usize = 8 << 20;

/// How many articles a query wants at once.
pub(super) fn limit(query: &ArticleQuery) -> usize {
    match query.limit {
        0 => ArticleQuery::DEFAULT_LIMIT,
        limit => limit.min(ArticleQuery::MAX_LIMIT),
    }
}

/// `after:` and `before:` of the search, in milliseconds.
pub(super) fn bounds(query: &ArticleQuery) -> (Option<i64>, Option<i64>) {
    let search = query.search.as_ref();
    let after = search.and_then(|search| search.after);
    let before = search.and_then(|search| search.before);
    (after.map(column::ms), before.map(column::ms))
}

/// The state of a page from its column.
pub(super) fn page_state(name: &str) -> PageState {
    PageState::ALL
        .into_iter()
        .find(|state| state.name() == name)
        .unwrap_or_default()
}

/// Articles that were read together.
#[derive(Default)]
pub(super) struct Batch {
    /// In the order in which they were asked for, without those that are not there.
    pub(super) articles: Vec<Article>,
    /// Whether the bodies grew too large, and the rest was left out.
    pub(super) is_cut: bool,
}

/// Where an index goes on behind a batch of what it found, wherever the articles have moved
/// to since; `None` when nothing was found.
pub(super) fn last_read(found: &[Cursor], batch: &Batch) -> Option<Cursor> {
    let last = batch.articles.last().filter(|_| batch.is_cut);
    match last {
        Some(last) => found.iter().find(|found| found.id == last.id).copied(),
        None => found.last().copied(),
    }
}

/// A question that takes longer is stopped. Each statement has a limit of its own.
pub(super) const DEADLINE: Duration = Duration::from_secs(2);

/// What is said of a question that took longer.
pub(super) fn too_long() -> StoreError {
    StoreError::Database("the question took too long and was stopped".to_owned())
}

/// The part of a ranking that a query wants, and whether there is more behind it.
pub(super) fn page_of(scored: Vec<Scored>, query: &ArticleQuery) -> (Vec<Scored>, bool) {
    let mut page = scored;
    if let Some(cursor) = query.cursor {
        let place = page.iter().position(|scored| scored.at.id == cursor.id);
        // A match that is ranked no more has nothing behind it.
        page.drain(..place.map_or(page.len(), |place| place + 1));
    }
    let limit = limit(query);
    let has_more = page.len() > limit;
    page.truncate(limit);
    (page, has_more)
}

/// A listing of ranked articles: `page` in its order, as far as `batch` has its articles.
pub(super) fn ranked(
    page: &[Scored],
    has_more: bool,
    batch: Batch,
    n_ranked: usize,
    index_lag: u64,
) -> Listing {
    let found: Vec<Cursor> = page.iter().map(|scored| scored.at).collect();
    let next = last_read(&found, &batch).filter(|_| has_more || batch.is_cut);
    let scores = batch.articles.iter().map(|article| {
        let scored = page.iter().find(|scored| scored.at.id == article.id);
        scored.map_or(0.0, |scored| scored.score)
    });
    Listing {
        ranked: Some(Ranked {
            scores: scores.collect(),
            n_ranked,
            is_all: n_ranked < RANKED,
        }),
        next,
        articles: batch.articles,
        index_lag,
    }
}

/// What one sighting says of its article.
pub(super) struct Sighting {
    pub(super) guid: Option<String>,
    pub(super) feed: FeedId,
    pub(super) feed_url: String,
    /// The entry's categories, as JSON.
    pub(super) tags: String,
    /// The feed's own tags, as JSON.
    pub(super) feed_tags: String,
    /// As JSON.
    pub(super) enclosures: String,
}

/// What the feeds said of one article, first sighting first.
#[derive(Default)]
pub(super) struct Sightings {
    guid: Option<Option<String>>,
    feeds: BTreeSet<FeedId>,
    feed_urls: Vec<String>,
    tags: Vec<String>,
    enclosures: Vec<Enclosure>,
}

impl Sightings {
    pub(super) fn add(&mut self, sighting: Sighting) {
        self.guid.get_or_insert(sighting.guid);
        if self.feeds.insert(sighting.feed) {
            self.feed_urls.push(sighting.feed_url);
        }
        self.tags.extend(json::read::<Vec<String>>(&sighting.tags));
        self.tags
            .extend(json::read::<Vec<String>>(&sighting.feed_tags));
        if self.enclosures.is_empty() {
            self.enclosures = json::read_enclosures(&sighting.enclosures);
        }
    }

    pub(super) fn add_to(self, article: &mut Article) {
        article.guid = self.guid.flatten();
        article.feed_urls = self.feed_urls;
        article.enclosures = self.enclosures;
        for tag in self.tags {
            if !article.tags.contains(&tag) {
                article.tags.push(tag);
            }
        }
    }
}

/// Gives an article its body: the text, and the columns `enc` and `data` of its other
/// renderings, if it has any; else they are made from the text.
pub(super) fn add_body(article: &mut Article, text: String, rendering: Option<(i64, &[u8])>) {
    article.text = text;
    let rendering = match rendering {
        Some((enc, data)) => Rendering::read(&packed::unpack(enc, data)),
        None => Rendering {
            markdown: decide::plain_as_markdown(&article.text),
            html: decide::plain_as_html(&article.text),
            ..Rendering::default()
        },
    };
    article.markdown = rendering.markdown;
    article.html = rendering.html;
    article.images = rendering.images;
    article.related = rendering.related;
}

/// Bytes of a body, all renderings together.
pub(super) fn body_bytes(article: &Article) -> usize {
    article.text.len() + article.markdown.len() + article.html.len()
}

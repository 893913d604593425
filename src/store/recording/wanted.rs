//! Which rows a unit of work has yet to be told of.

use std::collections::BTreeSet;

use super::entries::is_same;
use super::reports::{Entry, Outcome, Page, Poll, Report, Scrape};
use super::unit::Unit;
use crate::model::{ArticleId, FeedId};

/// Most sightings whose words are compared with one entry's. More say the same title at the
/// same URL only where somebody tries it.
const MAX_COMPARED: usize = 8;

/// What a unit wants to know, each once and in order. Whatever is not there is told by its
/// absence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Wanted {
    /// Sightings of a feed whose entry has this key.
    pub(in crate::store) entries: BTreeSet<(FeedId, i64)>,
    /// Sightings of a feed without a URL that have this hash.
    pub(in crate::store) notes: BTreeSet<(FeedId, i64)>,
    /// Sightings of an article by a feed.
    pub(in crate::store) alike: BTreeSet<(ArticleId, FeedId)>,
    /// The words of a sighting of this article.
    pub(in crate::store) words: BTreeSet<(ArticleId, i64)>,
    /// Claims on the normal forms with this key, each with the form.
    pub(in crate::store) forms: BTreeSet<super::Form>,
    /// Articles.
    pub(in crate::store) articles: BTreeSet<ArticleId>,
    /// Normal forms that an article claims.
    pub(in crate::store) aliases_of: BTreeSet<ArticleId>,
    /// Pages that wait.
    pub(in crate::store) jobs: BTreeSet<ArticleId>,
    /// The URLs of feeds that are polled somewhere else for the moment.
    pub(in crate::store) homes: BTreeSet<FeedId>,
}

impl Wanted {
    pub(in crate::store) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Unit {
    /// What must be known before `reports` are recorded. To be asked again after each
    /// answer; six times at most until nothing is wanted.
    pub(in crate::store) fn wanted<'a>(
        &self,
        reports: impl IntoIterator<Item = &'a Report>,
    ) -> Wanted {
        let mut wanted = Wanted::default();
        for report in reports {
            match report {
                Report::Poll(poll) => self.want_poll(poll, &mut wanted),
                Report::Scrape(scrape) => self.want_scrape(scrape, &mut wanted),
            }
        }
        wanted
    }

    fn want_poll(&self, poll: &Poll, wanted: &mut Wanted) {
        let feed = poll.due.feed;
        if poll.due.moves > 0 && !self.homes.contains_key(&feed) {
            wanted.homes.insert(feed);
        }
        for entry in &poll.entries {
            if !self.entries.contains_key(&(feed, entry.key)) {
                wanted.entries.insert((feed, entry.key));
            }
            if let Some(form) = &entry.form
                && !self.claims.contains_key(form)
            {
                wanted.forms.insert(form.clone());
            }
            let note = (feed, entry.said.entry_hash);
            if entry.said.url.is_none() && !self.notes.contains_key(&note) {
                wanted.notes.insert(note);
            }
            self.want_what_is_known(feed, entry, wanted);
        }
    }

    /// What an entry needs of the sightings and the articles that it may turn out to mean.
    ///
    /// More than the one that it means now: an earlier entry of the same document may take
    /// its sighting for its own, under another id.
    fn want_what_is_known(&self, feed: FeedId, entry: &Entry, wanted: &mut Wanted) {
        if let Some(known) = self.sighting_of(feed, entry) {
            let is_changed = known.entry_hash != entry.said.entry_hash;
            if is_changed && self.lacks_words(known.id) {
                wanted.words.insert((known.article, known.id));
            }
            if is_changed || entry.page.is_some() {
                self.want_article(known.article, wanted);
            }
        }
        if entry.said.url.is_none() {
            for note in self.notes_like(feed, entry) {
                self.want_article(note.article, wanted);
            }
        }
        if let Some(article) = self.known_url(entry) {
            self.want_article(article, wanted);
            self.want_alike(feed, article, entry, wanted);
        }
    }

    /// The sightings of an article by the feed, and the words of those that may be the
    /// entry's under another id.
    fn want_alike(&self, feed: FeedId, article: ArticleId, entry: &Entry, wanted: &mut Wanted) {
        if self.is_born_here(article) {
            return;
        }
        let Some(alike) = self.alike.get(&(article, feed)) else {
            wanted.alike.insert((article, feed));
            return;
        };
        if self.sighting_of(feed, entry).is_some() {
            return;
        }
        let changed = alike
            .iter()
            .filter_map(|id| self.sightings.get(id))
            .filter(|sighting| sighting.entry_hash != entry.said.entry_hash)
            .filter(|sighting| is_same(sighting, &entry.said))
            .filter(|sighting| self.lacks_words(sighting.id));
        wanted.words.extend(
            changed
                .take(MAX_COMPARED)
                .map(|sighting| (article, sighting.id)),
        );
    }

    fn want_scrape(&self, scrape: &Scrape, wanted: &mut Wanted) {
        let id = scrape.due.article;
        self.want_article(id, wanted);
        if self.articles.get(&id).is_some_and(Option::is_none) {
            // It was merged meanwhile: its URL says into which one.
            if !self.claims.contains_key(&scrape.form) {
                wanted.forms.insert(scrape.form.clone());
            }
            return;
        }
        self.want_job(id, wanted);
        if let Outcome::Article(page) = &scrape.outcome {
            self.want_twin(id, page, wanted);
        }
    }

    /// What tells whether another article claims one of the page's URLs.
    fn want_twin(&self, id: ArticleId, page: &Page, wanted: &mut Wanted) {
        for claim in &page.claims {
            if !self.claims.contains_key(&claim.form) {
                wanted.forms.insert(claim.form.clone());
            }
        }
        let Some(forms) = self.aliases_of.get(&id) else {
            if !self.is_born_here(id) {
                wanted.aliases_of.insert(id);
            }
            return;
        };
        for form in forms {
            if !self.claims.contains_key(form) {
                wanted.forms.insert(form.clone());
            }
        }
        let mut is_all_known = true;
        for other in self.rivals(id, page) {
            is_all_known &= self.articles.contains_key(&other);
            self.want_article(other, wanted);
        }
        if is_all_known && let Some(twin) = self.find_twin(id, page) {
            self.want_job(twin, wanted);
        }
    }

    fn want_article(&self, article: ArticleId, wanted: &mut Wanted) {
        if !self.articles.contains_key(&article) {
            wanted.articles.insert(article);
        }
    }

    fn want_job(&self, article: ArticleId, wanted: &mut Wanted) {
        if !self.jobs.contains_key(&article) {
            wanted.jobs.insert(article);
        }
    }
}

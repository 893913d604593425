//! Entries: what a feed document announces, and which articles that makes.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::column::ms;
use super::super::decide;
use super::super::record::{AliasReason, PageState, PollRecorded};
use super::reports::{Entry, Poll, Said};
use super::rows::{ArticleRow, Born, Claim, First, JobRow, Mark, PageError, SightingRow, Words};
use super::unit::{Ids, Job, Refusal, Unit};
use crate::model::{ArticleId, FeedId};

/// Most sightings of an article by one feed, and most notes of one content in one feed: as
/// many as the comments on an article that a feed may announce one by one. A new one takes
/// the place of the oldest.
const MAX_ALIKE: usize = 64;

/// What one entry turned out to be.
enum Kind {
    New,
    Known,
    Shared,
}

/// What is known of an entry.
enum Known {
    /// The entry itself.
    Sighted(i64),
    /// Its article only.
    Article(ArticleId),
    Nothing,
}

impl Unit {
    /// Records the entries of one document, oldest first, and counts the articles that the
    /// feed had not announced before.
    pub(super) fn record_entries(
        &mut self,
        poll: &Poll,
        ids: &mut impl Ids,
    ) -> Result<(PollRecorded, i64), Refusal> {
        let mut recorded = PollRecorded::default();
        let mut n_articles = 0;
        // The sightings that its entries have had so far: none stands for two of them.
        let mut seen = HashSet::new();
        for entry in &poll.entries {
            let (sighting, article, kind) = self.record_entry(poll, entry, &seen, ids)?;
            seen.insert(sighting);
            match kind {
                Kind::New => recorded.n_new += 1,
                Kind::Known => recorded.n_known += 1,
                Kind::Shared => recorded.n_shared += 1,
            }
            n_articles += i64::from(!matches!(kind, Kind::Known));
            recorded.n_pages += usize::from(self.want_page(poll, article, entry)?);
        }
        Ok((recorded, n_articles))
    }

    fn record_entry(
        &mut self,
        poll: &Poll,
        entry: &Entry,
        seen: &HashSet<i64>,
        ids: &mut impl Ids,
    ) -> Result<(i64, ArticleId, Kind), Refusal> {
        match self.find(poll.due.feed, entry, seen) {
            Known::Sighted(id) => {
                let article = self.follow(id, entry, poll.report.at)?;
                Ok((id, article, Kind::Known))
            }
            Known::Article(article) => {
                let (sighting, kind) = self.announce_again(poll, article, entry, ids)?;
                Ok((sighting, article, kind))
            }
            Known::Nothing => {
                let article = ids.article(poll.due.lease.shard, poll.report.at);
                let sighting = self.announce(poll, article, entry, ids);
                Ok((sighting, article, Kind::New))
            }
        }
    }

    /// Finds an entry by its id, else by what it is: some publishers give every entry a new
    /// guid whenever they are asked.
    fn find(&self, feed: FeedId, entry: &Entry, seen: &HashSet<i64>) -> Known {
        if let Some(known) = self.sighting_of(feed, entry) {
            return Known::Sighted(known.id);
        }
        let article = self.known_url(entry);
        let known = match article {
            Some(article) => self.renamed(feed, article, entry, seen),
            None if entry.said.url.is_none() => self.renamed_note(feed, entry, seen),
            None => None,
        };
        match (known, article) {
            (Some(known), _) => Known::Sighted(known),
            (None, Some(article)) => Known::Article(article),
            (None, None) => Known::Nothing,
        }
    }

    /// The sighting of the entry with this id.
    pub(super) fn sighting_of(&self, feed: FeedId, entry: &Entry) -> Option<&SightingRow> {
        self.filed(self.entries.get(&(feed, entry.key)))
            .find(|sighting| sighting.entry_id == entry.entry_id)
    }

    fn filed<'a>(&'a self, ids: Option<&'a Vec<i64>>) -> impl Iterator<Item = &'a SightingRow> {
        let ids = ids.map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| self.sightings.get(id))
    }

    /// The article that the entry's URL means already: the one that was announced under it,
    /// else the one whose page was found there. Where several pages led to one URL, as they
    /// do to a page of consent, it means none of them.
    pub(super) fn known_url(&self, entry: &Entry) -> Option<ArticleId> {
        let claims = self.claims.get(entry.form.as_ref()?)?;
        match &claims[..] {
            [first, ..] if is_announced(first) => Some(first.article),
            [only] => Some(only.article),
            _ => None,
        }
    }

    /// The sighting that an entry with a new id had under another id: one of the same article
    /// that says all the same, or has its link and its title. `seen` are those of other
    /// entries of the document.
    fn renamed(
        &self,
        feed: FeedId,
        article: ArticleId,
        entry: &Entry,
        seen: &HashSet<i64>,
    ) -> Option<i64> {
        let hash = entry.said.entry_hash;
        let mut alike: Vec<(&SightingRow, bool)> = self
            .filed(self.alike.get(&(article, feed)))
            .filter(|sighting| sighting.article == article)
            .map(|sighting| (sighting, is_same(sighting, &entry.said)))
            .collect();
        alike.sort_unstable_by_key(|(sighting, is_same)| {
            let last = sighting.changed_at.unwrap_or(sighting.seen_at);
            (sighting.entry_hash != hash, !is_same, last, sighting.id)
        });
        first_unseen(&alike, seen)
    }

    /// The sighting that an entry without link had under another id: one that says all the
    /// same.
    fn renamed_note(&self, feed: FeedId, entry: &Entry, seen: &HashSet<i64>) -> Option<i64> {
        let alike = self.notes_like(feed, entry).into_iter();
        let alike: Vec<(&SightingRow, bool)> = alike.map(|sighting| (sighting, true)).collect();
        first_unseen(&alike, seen)
    }

    /// Sightings without link that say all the same as an entry, first ones first; as many
    /// as are looked at.
    pub(super) fn notes_like(&self, feed: FeedId, entry: &Entry) -> Vec<&SightingRow> {
        let hash = entry.said.entry_hash;
        let mut alike: Vec<&SightingRow> = self
            .filed(self.notes.get(&(feed, hash)))
            .filter(|sighting| sighting.entry_hash == hash && sighting.url.is_none())
            .collect();
        alike.sort_unstable_by_key(|sighting| sighting.id);
        alike.truncate(MAX_ALIKE);
        alike
    }

    /// A new entry of a known article: another feed's, or a further one of the same feed.
    fn announce_again(
        &mut self,
        poll: &Poll,
        article: ArticleId,
        entry: &Entry,
        ids: &mut impl Ids,
    ) -> Result<(i64, Kind), Refusal> {
        let feed = poll.due.feed;
        let is_known_here = self
            .filed(self.alike.get(&(article, feed)))
            .any(|sighting| sighting.article == article);
        self.fill_from_feed(article, entry)?;
        let sighting = self.insert_sighting(poll, article, entry, ids);
        self.changed(article);
        let kind = if is_known_here {
            Kind::Known
        } else {
            Kind::Shared
        };
        Ok((sighting, kind))
    }

    /// A new article. Its page is not to be fetched until [`want_page`](Self::want_page)
    /// says so.
    fn announce(
        &mut self,
        poll: &Poll,
        article: ArticleId,
        entry: &Entry,
        ids: &mut impl Ids,
    ) -> i64 {
        let at = poll.report.at;
        let mut row = born(poll, article, entry);
        row.replace_body(&entry.body);
        let error_kind = row.error.kind.clone();
        self.articles.insert(article, Some(row));
        self.alike.insert((article, poll.due.feed), Vec::new());
        self.jobs.insert(article, Job::default());
        self.aliases_of.insert(article, Vec::new());
        if let (Some(form), Some(url)) = (&entry.form, &entry.said.url) {
            self.claim(Claim {
                form: form.clone(),
                article,
                url: url.clone(),
                reason: AliasReason::Announced,
                added_at: ms(at),
            });
        }
        let sighting = self.insert_sighting(poll, article, entry, ids);
        self.count("articles", 1);
        self.count_page(PageState::Skipped, error_kind.as_deref(), 1);
        self.changed(article);
        sighting
    }

    /// A first sighting of an entry.
    fn insert_sighting(
        &mut self,
        poll: &Poll,
        article: ArticleId,
        entry: &Entry,
        ids: &mut impl Ids,
    ) -> i64 {
        let seen_at = ms(poll.report.at);
        let sighting = SightingRow {
            id: ids.sighting(poll.due.lease.shard, poll.report.at),
            feed: poll.due.feed,
            article,
            entry_id: entry.entry_id.clone(),
            entry_hash: entry.said.entry_hash,
            url: entry.said.url.clone(),
            title: entry.said.title.clone(),
            seen_at,
            changed_at: None,
            renamed: None,
            said: Some(Arc::clone(&entry.said)),
            mark: Mark::New,
        };
        let id = sighting.id;
        self.see(article, seen_at, &sighting);
        self.index(&sighting);
        self.sightings.insert(id, sighting);
        id
    }

    /// Keeps the article's first sighting up to date.
    fn see(&mut self, article: ArticleId, seen_at: i64, sighting: &SightingRow) {
        let Some(Some(row)) = self.articles.get_mut(&article) else {
            return;
        };
        let is_first = row
            .first
            .as_ref()
            .is_none_or(|first| (seen_at, sighting.id) <= (first.seen_at, first.id));
        if is_first {
            row.first = Some(First {
                seen_at,
                id: sighting.id,
                title: sighting.title.clone(),
            });
        }
    }

    /// What the entry of a known sighting says now.
    fn follow(&mut self, id: i64, entry: &Entry, at: Timestamp) -> Result<ArticleId, Refusal> {
        let is_worded_alike = self.is_worded_alike(id, entry);
        let sighting = self.sightings.get_mut(&id).ok_or(Refusal::Torn)?;
        let article = sighting.article;
        let is_renamed = sighting.entry_id != entry.entry_id;
        let is_changed = sighting.entry_hash != entry.said.entry_hash;
        if is_renamed {
            // The same entry under a new id.
            sighting.entry_id.clone_from(&entry.entry_id);
        }
        if is_renamed || sighting.renamed.is_some() {
            sighting.renamed = Some(entry.said.guid.clone());
        }
        if is_changed {
            sighting.entry_hash = entry.said.entry_hash;
            sighting.url.clone_from(&entry.said.url);
            sighting.title.clone_from(&entry.said.title);
            sighting.changed_at = Some(ms(at));
            sighting.said = Some(Arc::clone(&entry.said));
        }
        if is_renamed || is_changed {
            sighting.mark.change();
            let sighting = sighting.clone();
            self.index(&sighting);
            if is_changed {
                self.follow_in_article(&sighting, entry, is_worded_alike)?;
            }
        }
        Ok(article)
    }

    /// A changed entry. Where the article is the feed's own word and this is its first
    /// sighting, the article follows.
    fn follow_in_article(
        &mut self,
        sighting: &SightingRow,
        entry: &Entry,
        is_worded_alike: bool,
    ) -> Result<(), Refusal> {
        let row = self.article_mut(sighting.article)?;
        let first = row.first.as_mut().filter(|first| first.id == sighting.id);
        let is_first = first.is_some();
        if let Some(first) = first {
            first.title.clone_from(&sighting.title);
        }
        if is_worded_alike {
            return Ok(());
        }
        if is_first {
            follow_feed(row, entry);
        }
        self.changed(sighting.article);
        Ok(())
    }

    /// Whether nothing that is searched changed: a new date alone is nothing for the index.
    fn is_worded_alike(&self, id: i64, entry: &Entry) -> bool {
        if entry.is_plain {
            return false;
        }
        let said = self.sightings.get(&id).and_then(|row| row.said.as_ref());
        match (said, self.words.get(&id)) {
            (Some(said), _) => Words::of(said) == Words::of(&entry.said),
            (None, Some(words)) => *words == Words::of(&entry.said),
            (None, None) => false,
        }
    }

    /// Whether the words of a sighting are not known yet.
    pub(super) fn lacks_words(&self, id: i64) -> bool {
        let said = self.sightings.get(&id).and_then(|row| row.said.as_ref());
        said.is_none() && !self.words.contains_key(&id)
    }

    /// A further entry announces an article: what no one has said so far is taken from it.
    fn fill_from_feed(&mut self, article: ArticleId, entry: &Entry) -> Result<(), Refusal> {
        let row = self.article_mut(article)?;
        if row.title.is_none() {
            row.set(|row| &mut row.title, entry.said.title.clone());
        }
        if row.summary.is_none() {
            row.set(|row| &mut row.summary, entry.said.summary.clone());
        }
        if row.authors == "[]" {
            row.set(|row| &mut row.authors, entry.said.authors.clone());
        }
        if !row.has_text && !entry.body.text.is_empty() {
            row.set(
                |row| &mut row.word_count,
                decide::word_count(&entry.body.text),
            );
            row.replace_body(&entry.body);
        }
        Ok(())
    }

    /// Makes the entry's page due, unless it is known what became of it. An article that was
    /// skipped is wanted as soon as one of its feeds is to be scraped.
    fn want_page(
        &mut self,
        poll: &Poll,
        article: ArticleId,
        entry: &Entry,
    ) -> Result<bool, Refusal> {
        let Some(page) = &entry.page else {
            return Ok(false);
        };
        let row = self.article_mut(article)?;
        if row.page_state != PageState::Skipped {
            return Ok(false);
        }
        row.page_state = PageState::Pending;
        row.mark.change();
        self.count_page(PageState::Skipped, None, -1);
        self.count_page(PageState::Pending, None, 1);
        self.jobs.entry(article).or_default().now = Some(JobRow {
            article,
            shard: page.host.shard(),
            host: page.host.clone(),
            url: page.url.as_str().to_owned(),
            due_at: ms(poll.report.at),
            attempts: 0,
            moves: 0,
            feed: poll.due.feed,
        });
        self.pages_of(&page.host);
        Ok(true)
    }
}

impl Words {
    pub(super) fn of(said: &Said) -> Self {
        Self {
            title: said.title.clone(),
            summary: said.summary.clone(),
            content: said.content.as_ref().map(|content| content.data.clone()),
            authors: said.authors.clone(),
            tags: said.tags.clone(),
        }
    }
}

/// Whether a sighting says all the same as an entry, or has its link and its title.
pub(super) fn is_same(sighting: &SightingRow, said: &Said) -> bool {
    let is_same_link = said.url.is_some() && sighting.url == said.url;
    sighting.entry_hash == said.entry_hash || (is_same_link && sighting.title == said.title)
}

fn is_announced(claim: &Claim) -> bool {
    claim.reason == AliasReason::Announced
}

/// The first of `alike` that is the same and not seen; where there are too many already,
/// the best of them anyway.
fn first_unseen(alike: &[(&SightingRow, bool)], seen: &HashSet<i64>) -> Option<i64> {
    let alike = &alike[..alike.len().min(MAX_ALIKE)];
    let is_full = alike.len() == MAX_ALIKE;
    let free = alike
        .iter()
        .position(|(sighting, is_same)| (*is_same || is_full) && !seen.contains(&sighting.id));
    let at = free.or(is_full.then_some(0))?;
    alike.get(at).map(|(sighting, _)| sighting.id)
}

fn born(poll: &Poll, article: ArticleId, entry: &Entry) -> ArticleRow {
    let at = poll.report.at;
    let said = &entry.said;
    let language = poll.reading().and_then(|reading| reading.language.as_ref());
    let published_at = entry.publication.as_ref().map(|published| published.at);
    ArticleRow {
        id: article,
        born: Some(Born {
            feed: poll.due.feed,
            url: said.url.clone(),
            host: said.url.as_deref().and_then(host_of),
        }),
        title: said.title.clone(),
        authors: said.authors.clone(),
        language: decide::said(language).map(str::to_owned),
        summary: said.summary.clone(),
        keywords: "[]".to_owned(),
        publication: entry.publication.clone(),
        first_seen: at,
        sort_at: ms(decide::sort_at(published_at, at)),
        word_count: decide::word_count(&entry.body.text),
        page_state: PageState::Skipped,
        error: entry.skipped.as_ref().map(skipped).unwrap_or_default(),
        mark: Mark::New,
        ..ArticleRow::default()
    }
}

/// Why a link cannot be followed: no server was asked, so there is no status.
fn skipped(failure: &crate::model::Failure) -> PageError {
    PageError {
        status: None,
        ..PageError::from(failure)
    }
}

fn host_of(url: &str) -> Option<String> {
    url::Url::parse(url).ok()?.host_str().map(str::to_owned)
}

/// The feed's own word changed: an article that has no other follows it.
fn follow_feed(row: &mut ArticleRow, entry: &Entry) {
    row.set(|row| &mut row.summary, entry.said.summary.clone());
    if row.is_scraped() {
        return;
    }
    if entry.said.title.is_some() {
        row.set(|row| &mut row.title, entry.said.title.clone());
    }
    if entry.said.authors != "[]" {
        row.set(|row| &mut row.authors, entry.said.authors.clone());
    }
    row.set(
        |row| &mut row.word_count,
        decide::word_count(&entry.body.text),
    );
    row.replace_body(&entry.body);
}

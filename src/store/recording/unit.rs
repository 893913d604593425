//! The unit of work: what is known of the database, and what will be different in it.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::super::record::{Manners, PollRecorded, Saved};
use super::reports::Report;
use super::rows::{
    ArticleRow, Claim, Form, JobRow, Mark, Op, PageError, PollRow, SightingRow, Words,
};
use super::wanted::Wanted;
use crate::model::{ArticleId, FeedId, HostKey, Shard};
use crate::store::record::{AliasReason, PageState};

/// Gives new rows their ids.
pub(in crate::store) trait Ids {
    /// The next article that is made by the owner of `shard`.
    fn article(&mut self, shard: Shard, at: Timestamp) -> ArticleId;
    /// The next sighting that is made by the owner of `shard`.
    fn sighting(&mut self, shard: Shard, at: Timestamp) -> i64;
}

/// What recording a report changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Recorded {
    /// A poll.
    Poll(PollRecorded),
    /// A scrape.
    Scrape(Saved),
}

/// Why a report was not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Refusal {
    /// The work is no longer there: it was done elsewhere. Nothing has been changed.
    Fenced,
    /// The rows do not fit together: they were read while somebody else changed them, or
    /// the database is damaged. The unit is not to be written.
    Torn,
}

/// Rows as they were found for a [`Wanted`].
#[derive(Debug, Default)]
pub(in crate::store) struct Found {
    /// For `entries`, `notes` and `alike`; one may be there twice. Of `alike`, the 512
    /// oldest of each.
    pub(in crate::store) sightings: Vec<SightingRow>,
    /// For `words`, by the sighting's id.
    pub(in crate::store) words: Vec<(i64, Words)>,
    /// For `forms`: the first [`CLAIMS_WANTED`](Unit::CLAIMS_WANTED) of each, announced
    /// ones first, then the earliest, then by article.
    pub(in crate::store) claims: Vec<Claim>,
    /// For `articles`.
    pub(in crate::store) articles: Vec<ArticleRow>,
    /// For `aliases_of`.
    pub(in crate::store) aliases: Vec<(ArticleId, Form)>,
    /// For `jobs`.
    pub(in crate::store) jobs: Vec<JobRow>,
    /// For `homes`.
    pub(in crate::store) homes: Vec<(FeedId, HostKey)>,
}

/// Two articles that turned out to be one. When all else has been written, the sightings,
/// the claims and the counts of the feeds of `gone` become those of `stays`, and its row and
/// its body go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Absorbed {
    pub(in crate::store) stays: ArticleId,
    pub(in crate::store) gone: ArticleId,
}

/// What is different about a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Touched {
    /// Feeds are due at other times.
    pub(in crate::store) feeds: bool,
    /// Pages are due at other times.
    pub(in crate::store) pages: bool,
    /// What it asks for; `None`: nothing was heard of it.
    pub(in crate::store) manners: Option<Manners>,
}

/// A page that waits, as it is in the database and as it will be.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Job {
    pub(in crate::store) stored: Option<JobRow>,
    pub(in crate::store) now: Option<JobRow>,
}

/// Some reports' rows. See [the module](super).
#[derive(Debug, Default)]
pub(in crate::store) struct Unit {
    // What is known. A key without a row was asked for and is not there.
    pub(super) articles: HashMap<ArticleId, Option<ArticleRow>>,
    pub(super) sightings: HashMap<i64, SightingRow>,
    pub(super) words: HashMap<i64, Words>,
    pub(super) entries: HashMap<(FeedId, i64), Vec<i64>>,
    pub(super) notes: HashMap<(FeedId, i64), Vec<i64>>,
    pub(super) alike: HashMap<(ArticleId, FeedId), Vec<i64>>,
    pub(super) claims: HashMap<Form, Vec<Claim>>,
    pub(super) aliases_of: HashMap<ArticleId, Vec<Form>>,
    pub(super) jobs: HashMap<ArticleId, Job>,
    pub(super) homes: HashMap<FeedId, Option<HostKey>>,
    // What will be different, beside the rows that are marked.
    pub(super) new_claims: Vec<Claim>,
    pub(super) polls: Vec<PollRow>,
    pub(super) counters: BTreeMap<String, i64>,
    pub(super) changes: BTreeMap<ArticleId, Op>,
    pub(super) hosts: BTreeMap<HostKey, Touched>,
    pub(super) absorbed: Option<Absorbed>,
}

impl Unit {
    /// Most claims on one form that are looked at.
    pub(in crate::store) const CLAIMS_WANTED: usize = super::scrapes::MAX_CLAIMS + 2;

    /// Most sightings of one article by one feed that are looked at.
    pub(in crate::store) const ALIKE_WANTED: usize = 512;

    /// Takes in what was found. What was wanted and is not among it is not there.
    pub(in crate::store) fn learn(&mut self, wanted: Wanted, found: Found) {
        self.learn_sightings(&wanted, found.sightings);
        self.words.extend(found.words);
        for form in wanted.forms {
            self.claims.entry(form).or_default();
        }
        for claim in found.claims {
            if let Some(claims) = self.claims.get_mut(&claim.form) {
                claims.push(claim);
            }
        }
        for id in wanted.articles {
            self.articles.entry(id).or_default();
        }
        for article in found.articles {
            self.articles.insert(article.id, Some(article));
        }
        for id in wanted.aliases_of {
            self.aliases_of.entry(id).or_default();
        }
        for (id, form) in found.aliases {
            self.aliases_of.entry(id).or_default().push(form);
        }
        for forms in self.aliases_of.values_mut() {
            forms.sort_unstable();
        }
        for id in wanted.jobs {
            self.jobs.entry(id).or_default();
        }
        for row in found.jobs {
            let job = self.jobs.entry(row.article).or_default();
            job.now = Some(row.clone());
            job.stored = Some(row);
        }
        for feed in wanted.homes {
            self.homes.entry(feed).or_default();
        }
        for (feed, host) in found.homes {
            self.homes.insert(feed, Some(host));
        }
    }

    fn learn_sightings(&mut self, wanted: &Wanted, sightings: Vec<SightingRow>) {
        for key in &wanted.entries {
            self.entries.entry(*key).or_default();
        }
        for key in &wanted.notes {
            self.notes.entry(*key).or_default();
        }
        for key in &wanted.alike {
            self.alike.entry(*key).or_default();
        }
        for sighting in sightings {
            self.index(&sighting);
            self.sightings.entry(sighting.id).or_insert(sighting);
        }
    }

    /// Files a sighting where it will be looked for. It stays where it once belonged: who
    /// looks there compares.
    pub(super) fn index(&mut self, sighting: &SightingRow) {
        let place = (sighting.article, sighting.feed);
        if self.is_born_here(sighting.article) {
            self.alike.entry(place).or_default();
        }
        let file = |ids: Option<&mut Vec<i64>>| {
            if let Some(ids) = ids
                && !ids.contains(&sighting.id)
            {
                ids.push(sighting.id);
            }
        };
        let feed = sighting.feed;
        let key = crate::store::decide::key(&sighting.entry_id);
        file(self.entries.get_mut(&(feed, key)));
        file(self.notes.get_mut(&(feed, sighting.entry_hash)));
        file(self.alike.get_mut(&place));
    }

    /// Whether `report` can be recorded with what is known, after those before it. If not,
    /// this unit is to be written, and another one begins with `report`.
    pub(in crate::store) fn takes(&self, report: &Report) -> bool {
        let is_second = match report {
            Report::Poll(poll) => self.polls.iter().any(|row| row.feed == poll.feed()),
            Report::Scrape(_) => false,
        };
        self.absorbed.is_none() && !is_second && self.wanted([report]).is_empty()
    }

    /// Changes the rows as `report` says. All that was [wanted](Self::wanted) for it must be
    /// known.
    pub(in crate::store) fn record(
        &mut self,
        report: &Report,
        ids: &mut impl Ids,
    ) -> Result<Recorded, Refusal> {
        match report {
            Report::Poll(poll) => self.record_poll(poll, ids).map(Recorded::Poll),
            Report::Scrape(scrape) => self.record_scrape(scrape).map(Recorded::Scrape),
        }
    }

    /// Whether there are new articles.
    pub(in crate::store) fn has_new_articles(&self) -> bool {
        let mut articles = self.articles.values().flatten();
        articles.any(|article| article.mark == Mark::New)
    }
}

/// What a backend writes, in this order; all of it in one transaction.
impl Unit {
    /// New claims. Where one is there already, it stays as it is.
    pub(in crate::store) fn claims(&self) -> &[Claim] {
        &self.new_claims
    }

    /// Articles, by id; their bodies hang on them.
    pub(in crate::store) fn articles(&self, mark: Mark) -> Vec<&ArticleRow> {
        let all = self.articles.values().flatten();
        let mut articles: Vec<&ArticleRow> = all.filter(|row| row.mark == mark).collect();
        articles.sort_unstable_by_key(|row| row.id);
        articles
    }

    /// Articles whose body is replaced, by id.
    pub(in crate::store) fn bodies(&self) -> Vec<&ArticleRow> {
        let all = self.articles.values().flatten();
        let mut articles: Vec<&ArticleRow> = all.filter(|row| row.body.is_some()).collect();
        articles.sort_unstable_by_key(|row| row.id);
        articles
    }

    /// Sightings, by id.
    pub(in crate::store) fn sightings(&self, mark: Mark) -> Vec<&SightingRow> {
        let all = self.sightings.values();
        let mut sightings: Vec<&SightingRow> = all.filter(|row| row.mark == mark).collect();
        sightings.sort_unstable_by_key(|row| row.id);
        sightings
    }

    /// An article that is known.
    pub(in crate::store) fn article(&self, id: ArticleId) -> Option<&ArticleRow> {
        self.articles.get(&id)?.as_ref()
    }

    /// Pages whose waiting changed, by article.
    pub(in crate::store) fn jobs(&self) -> Vec<&Job> {
        let changed = self.jobs.iter().filter(|(_, job)| job.stored != job.now);
        let mut jobs: Vec<(&ArticleId, &Job)> = changed.collect();
        jobs.sort_unstable_by_key(|(id, _)| **id);
        jobs.into_iter().map(|(_, job)| job).collect()
    }

    /// The polls, in their order; of each feed there is one.
    pub(in crate::store) fn polls(&self) -> &[PollRow] {
        &self.polls
    }

    /// What is added to the sums.
    pub(in crate::store) fn counters(&self) -> impl Iterator<Item = (&str, i64)> {
        let moved = self.counters.iter().filter(|(_, n)| **n != 0);
        moved.map(|(name, n)| (name.as_str(), *n))
    }

    /// What the search index is to follow.
    pub(in crate::store) fn changes(&self) -> &BTreeMap<ArticleId, Op> {
        &self.changes
    }

    /// Hosts whose queues or manners are different.
    pub(in crate::store) fn hosts(&self) -> &BTreeMap<HostKey, Touched> {
        &self.hosts
    }

    /// Two articles that are one; the last thing that a unit records.
    pub(in crate::store) fn absorbed(&self) -> Option<Absorbed> {
        self.absorbed
    }
}

/// Small steps that polls and scrapes share.
impl Unit {
    pub(super) fn article_mut(&mut self, id: ArticleId) -> Result<&mut ArticleRow, Refusal> {
        let row = self.articles.get_mut(&id).and_then(Option::as_mut);
        row.ok_or(Refusal::Torn)
    }

    /// Whether an article is new in this unit, so that all that hangs on it is known.
    pub(super) fn is_born_here(&self, id: ArticleId) -> bool {
        self.article(id).is_some_and(|row| row.mark == Mark::New)
    }

    pub(super) fn claim(&mut self, claim: Claim) {
        if let Some(forms) = self.aliases_of.get_mut(&claim.article)
            && let Err(place) = forms.binary_search(&claim.form)
        {
            forms.insert(place, claim.form.clone());
        }
        if let Some(claims) = self.claims.get_mut(&claim.form) {
            if claims.iter().any(|known| known.article == claim.article) {
                return;
            }
            let rank = |claim: &Claim| {
                let is_announced = claim.reason == AliasReason::Announced;
                (!is_announced, claim.added_at, claim.article)
            };
            let place = claims.partition_point(|known| rank(known) < rank(&claim));
            claims.insert(place, claim.clone());
        }
        self.new_claims.push(claim);
    }

    pub(super) fn count(&mut self, name: &str, n: i64) {
        *self.counters.entry(name.to_owned()).or_default() += n;
    }

    /// Counts an article under the state of its page, and under the failure behind it.
    pub(super) fn count_page(&mut self, state: PageState, error_kind: Option<&str>, n: i64) {
        self.count(&format!("page:{}", state.name()), n);
        if let Some(kind) = error_kind {
            self.count(&format!("page_error:{kind}"), n);
        }
    }

    pub(super) fn set_page_state(
        &mut self,
        id: ArticleId,
        state: PageState,
        error: PageError,
    ) -> Result<(), Refusal> {
        let row = self.article_mut(id)?;
        let (old_state, old_kind) = (row.page_state, row.error.kind.take());
        let new_kind = error.kind.clone();
        row.page_state = state;
        row.error = error;
        row.mark.change();
        self.count_page(old_state, old_kind.as_deref(), -1);
        self.count_page(state, new_kind.as_deref(), 1);
        Ok(())
    }

    pub(super) fn feeds_of(&mut self, host: &HostKey) {
        self.hosts.entry(host.clone()).or_default().feeds = true;
    }

    pub(super) fn pages_of(&mut self, host: &HostKey) {
        self.hosts.entry(host.clone()).or_default().pages = true;
    }

    pub(super) fn manners_of(&mut self, host: &HostKey, manners: Manners) {
        self.hosts.entry(host.clone()).or_default().manners = Some(manners);
    }

    pub(super) fn changed(&mut self, article: ArticleId) {
        self.changes.insert(article, Op::Changed);
    }
}

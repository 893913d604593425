//! The law of units: many reports in one unit of work leave the same rows as each in a unit
//! of its own. The rows are kept in memory here, as plainly as possible.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;

use super::rows::{ArticleRow, Claim, Form, JobRow, Mark, Op, SightingRow, Words};
use super::unit::{Found, Ids, Unit};
use super::{Absorbed, Poll, Report, Scrape, Wanted};
use crate::canonical::canonicalize;
use crate::dedup::ContentHash;
use crate::model::{
    ArticleId, ErrorKind, Failure, FeedId, FeedSettings, FeedUrl, HostKey, PageUrl, Shard,
    Validators,
};
use crate::schedule::PollState;
use crate::store::decide;
use crate::store::record::{
    Alias, AliasReason, Announcement, Cost, DueFeed, DuePage, FeedReading, Lease, Manners,
    PageToFetch, PollReport, PollResult, ScrapeReport, ScrapeResult, ScrapedArticle,
};

/// A database that is a few maps.
#[derive(Clone, Debug, Default)]
struct Rows {
    articles: BTreeMap<ArticleId, ArticleRow>,
    sightings: BTreeMap<i64, SightingRow>,
    claims: BTreeMap<(Form, ArticleId), Claim>,
    jobs: BTreeMap<ArticleId, JobRow>,
    feeds: BTreeMap<FeedId, i64>,
    counters: BTreeMap<String, i64>,
    changes: BTreeMap<ArticleId, Op>,
    log: Vec<String>,
}

#[derive(Debug, Default)]
struct Counted(i64);

impl Ids for Counted {
    fn article(&mut self, _: Shard, _: Timestamp) -> ArticleId {
        self.0 += 1;
        ArticleId(self.0)
    }

    fn sighting(&mut self, _: Shard, _: Timestamp) -> i64 {
        self.0 += 1;
        self.0
    }
}

impl Rows {
    fn find(&self, wanted: &Wanted) -> Found {
        let sightings = self.sightings.values().filter(|row| {
            let key = decide::key(&row.entry_id);
            wanted.entries.contains(&(row.feed, key))
                || (row.url.is_none() && wanted.notes.contains(&(row.feed, row.entry_hash)))
                || wanted.alike.contains(&(row.article, row.feed))
        });
        let words = wanted.words.iter().filter_map(|(_, id)| {
            let said = self.sightings.get(id)?.said.as_ref()?;
            Some((*id, Words::of(said)))
        });
        let mut claims: Vec<Claim> = Vec::new();
        for form in &wanted.forms {
            let mut of_form: Vec<&Claim> = self
                .claims
                .values()
                .filter(|claim| claim.form == *form)
                .collect();
            of_form.sort_by_key(|claim| {
                let is_announced = claim.reason == AliasReason::Announced;
                (!is_announced, claim.added_at, claim.article)
            });
            claims.extend(of_form.into_iter().take(Unit::CLAIMS_WANTED).cloned());
        }
        let aliases = self.claims.values().filter_map(|claim| {
            let is_wanted = wanted.aliases_of.contains(&claim.article);
            is_wanted.then(|| (claim.article, claim.form.clone()))
        });
        Found {
            sightings: sightings.map(bare).collect(),
            words: words.collect(),
            claims,
            articles: self.articles_among(&wanted.articles),
            aliases: aliases.collect(),
            jobs: wanted
                .jobs
                .iter()
                .filter_map(|id| self.jobs.get(id).cloned())
                .collect(),
            homes: Vec::new(),
        }
    }

    fn articles_among(&self, wanted: &BTreeSet<ArticleId>) -> Vec<ArticleRow> {
        wanted
            .iter()
            .filter_map(|id| self.articles.get(id).cloned())
            .map(|row| ArticleRow {
                born: None,
                first: self.first(row.id),
                has_text: row.body.as_ref().is_some_and(|body| !body.text.is_empty()),
                body: None,
                mark: Mark::Kept,
                is_redated: false,
                ..row
            })
            .collect()
    }

    fn first(&self, article: ArticleId) -> Option<super::First> {
        let of_article = self.sightings.values().filter(|row| row.article == article);
        let first = of_article.min_by_key(|row| (row.seen_at, row.id))?;
        Some(super::First {
            seen_at: first.seen_at,
            id: first.id,
            title: first.title.clone(),
        })
    }

    fn write(&mut self, unit: &Unit) {
        for row in [unit.articles(Mark::New), unit.articles(Mark::Changed)].concat() {
            let old = self.articles.get(&row.id);
            let body = row.body.clone().or(old.and_then(|old| old.body.clone()));
            let born = row.born.clone().or(old.and_then(|old| old.born.clone()));
            let row = ArticleRow {
                body,
                born,
                ..row.clone()
            };
            self.articles.insert(row.id, row);
        }
        for row in unit.bodies() {
            self.articles.get_mut(&row.id).unwrap().body = row.body.clone();
        }
        for claim in unit.claims() {
            let key = (claim.form.clone(), claim.article);
            self.claims.entry(key).or_insert_with(|| claim.clone());
        }
        for row in [unit.sightings(Mark::New), unit.sightings(Mark::Changed)].concat() {
            let said = self.sightings.get(&row.id).and_then(|old| old.said.clone());
            let said = row.said.clone().or(said);
            let row = SightingRow {
                said,
                ..row.clone()
            };
            self.sightings.insert(row.id, row);
        }
        for job in unit.jobs() {
            match (&job.now, &job.stored) {
                (Some(row), _) => drop(self.jobs.insert(row.article, row.clone())),
                (None, Some(row)) => drop(self.jobs.remove(&row.article)),
                (None, None) => {}
            }
        }
        for poll in unit.polls() {
            *self.feeds.entry(poll.feed).or_default() += poll.n_articles;
        }
        if let Some(absorbed) = unit.absorbed() {
            self.absorb(absorbed);
        }
        for (name, n) in unit.counters() {
            *self.counters.entry(name.to_owned()).or_default() += n;
        }
        self.changes.extend(unit.changes());
    }

    fn absorb(&mut self, Absorbed { stays, gone }: Absorbed) {
        let feeds = |rows: &Self, article| -> BTreeSet<FeedId> {
            let of_article = rows.sightings.values().filter(|row| row.article == article);
            of_article.map(|row| row.feed).collect()
        };
        for feed in feeds(self, gone).intersection(&feeds(self, stays)) {
            *self.feeds.entry(*feed).or_default() -= 1;
        }
        for row in self.sightings.values_mut() {
            if row.article == gone {
                row.article = stays;
            }
        }
        let (moved, kept) = std::mem::take(&mut self.claims)
            .into_values()
            .partition::<Vec<_>, _>(|claim| claim.article == gone);
        self.claims = kept.into_iter().map(|claim| (of(&claim), claim)).collect();
        for claim in moved {
            let claim = Claim {
                article: stays,
                ..claim
            };
            self.claims.entry(of(&claim)).or_insert(claim);
        }
        self.articles.remove(&gone);
    }

    /// Records reports in units of as many as they take, `most` at most.
    fn record(&mut self, reports: &[Report], most: usize, ids: &mut Counted) {
        let mut rest = reports;
        while !rest.is_empty() {
            let batch = &rest[..rest.len().min(most)];
            let mut unit = Unit::default();
            let mut n_questions = 0;
            loop {
                let wanted = unit.wanted(batch);
                if wanted.is_empty() {
                    break;
                }
                n_questions += 1;
                assert!(n_questions <= 6, "{wanted:?}");
                unit.learn(wanted.clone(), self.find(&wanted));
            }
            let mut n_recorded = 0;
            for report in batch {
                if !unit.takes(report) {
                    break;
                }
                let recorded = unit.record(report, ids);
                self.log.push(format!("{recorded:?}"));
                n_recorded += 1;
            }
            assert!(n_recorded > 0, "the first report of a unit is always taken");
            self.write(&unit);
            rest = &rest[n_recorded..];
        }
    }

    /// What is to be the same, in words.
    fn told(&self) -> String {
        let articles: Vec<String> = self
            .articles
            .values()
            .map(|row| {
                format!(
                    "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {} {:?} {:?}",
                    row.id,
                    row.title,
                    row.authors,
                    row.summary,
                    row.content,
                    row.publication,
                    row.page_state,
                    row.word_count,
                    row.error,
                    row.body.as_ref().map(|body| &body.text)
                )
            })
            .collect();
        let sightings: Vec<String> = self
            .sightings
            .values()
            .map(|row| {
                format!(
                    "{} {:?} {:?} {} {} {:?} {:?}",
                    row.id, row.feed, row.article, row.entry_id, row.entry_hash, row.url, row.said
                )
            })
            .collect();
        let claims: Vec<String> = self
            .claims
            .values()
            .map(|claim| format!("{:?} {:?} {:?}", claim.form, claim.article, claim.reason))
            .collect();
        let counters: BTreeMap<&String, &i64> =
            self.counters.iter().filter(|(_, n)| **n != 0).collect();
        format!(
            "{articles:#?}{sightings:#?}{claims:#?}{:#?}{:?}{counters:?}{:?}{:#?}",
            self.jobs, self.feeds, self.changes, self.log
        )
    }

    /// What must hold of all rows at any time.
    fn check(&self) {
        let n = |state: &str| {
            let in_state = |row: &&ArticleRow| row.page_state.name() == state;
            i64::try_from(self.articles.values().filter(in_state).count()).unwrap()
        };
        for state in ["pending", "scraped", "retrying", "failed", "skipped"] {
            let counted = self.counters.get(&format!("page:{state}")).copied();
            assert_eq!(counted.unwrap_or(0), n(state), "{state}");
        }
        let counted = self.counters.get("articles").copied().unwrap_or(0);
        assert_eq!(counted, i64::try_from(self.articles.len()).unwrap());
        for (feed, n) in &self.feeds {
            let rows = self.sightings.values().filter(|row| row.feed == *feed);
            let articles: BTreeSet<ArticleId> = rows.map(|row| row.article).collect();
            assert_eq!(*n, i64::try_from(articles.len()).unwrap(), "{feed:?}");
        }
        for id in self.jobs.keys() {
            let state = self.articles[id].page_state.name();
            assert!(matches!(state, "pending" | "retrying"), "{state}");
        }
        for row in self.sightings.values() {
            assert!(self.articles.contains_key(&row.article));
        }
    }
}

fn of(claim: &Claim) -> (Form, ArticleId) {
    (claim.form.clone(), claim.article)
}

/// A sighting as the database gives it: without its words.
fn bare(row: &SightingRow) -> SightingRow {
    SightingRow {
        renamed: None,
        said: None,
        mark: Mark::Kept,
        ..row.clone()
    }
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + 60 * minute).unwrap()
}

fn lease() -> Lease {
    Lease {
        shard: Shard(1),
        epoch: 0,
    }
}

/// An event of a small world, in which all meets all.
#[derive(Clone, Debug)]
enum Event {
    /// Feed; entries: id, page, title and words.
    Poll(i64, Vec<(u8, Option<u8>, u8)>),
    /// The article, by its place; where it led; what it says.
    Scrape(usize, u8, u8),
    Retry(usize),
    Fail(usize, Option<u8>),
}

fn event() -> impl Strategy<Value = Event> {
    let entry = (0u8..5, proptest::option::weighted(0.8, 0u8..4), 0u8..3);
    prop_oneof![
        (1i64..4, proptest::collection::vec(entry, 0..4))
            .prop_map(|(feed, entries)| Event::Poll(feed, entries)),
        (0usize..8, 0u8..4, 0u8..3).prop_map(|(n, url, says)| Event::Scrape(n, url, says)),
        (0usize..8).prop_map(Event::Retry),
        (0usize..8, proptest::option::of(0u8..4)).prop_map(|(n, url)| Event::Fail(n, url)),
    ]
}

fn page(n: u8) -> PageUrl {
    PageUrl::parse(&format!("https://site{}.example/{n}", n % 2)).unwrap()
}

fn report(event: &Event, minute: i64) -> Report {
    let result = match event {
        Event::Poll(feed, entries) => return poll(*feed, entries, minute),
        Event::Scrape(_, url, says) => ScrapeResult::Article(Box::new(scraped(*url, *says))),
        Event::Retry(_) => ScrapeResult::Retry {
            failure: Failure::new(ErrorKind::Timeout, "slow"),
            at: at(minute + 5),
        },
        Event::Fail(_, url) => ScrapeResult::Failed {
            failure: Failure::new(ErrorKind::NoContent, "nothing"),
            found: url.map(|url| Box::new(scraped(url, 0))),
        },
    };
    let (Event::Scrape(n, ..) | Event::Retry(n) | Event::Fail(n, _)) = event else {
        unreachable!("a poll was made above");
    };
    let article = ArticleId(i64::try_from(*n).unwrap() + 1);
    Report::Scrape(Scrape::new(
        DuePage {
            article,
            lease: lease(),
            url: page(0),
            host: HostKey::of(page(0).url()),
            due_at: at(minute),
            attempts: 0,
            settings: FeedSettings::default(),
            moves: 0,
            manners: Manners::default(),
        },
        ScrapeReport {
            at: at(minute),
            cost: Cost::default(),
            manners: Manners::default(),
            result,
        },
    ))
}

fn scraped(url: u8, says: u8) -> ScrapedArticle {
    let url = page(url);
    ScrapedArticle {
        final_url: url.as_str().to_owned(),
        title: Some(format!("A headline of {says}")),
        text: format!("text {says}"),
        content_hash: Some(ContentHash(says.into())),
        aliases: vec![Alias {
            url: url.as_str().to_owned(),
            canonical: canonicalize(url.url()),
            reason: AliasReason::Redirect,
        }],
        ..ScrapedArticle::default()
    }
}

fn poll(feed: i64, entries: &[(u8, Option<u8>, u8)], minute: i64) -> Report {
    let announcements = entries.iter().map(|(id, url, says)| {
        let url = url.map(page);
        Announcement {
            entry_id: format!("entry {id}"),
            url: url.as_ref().map(|url| url.as_str().to_owned()),
            canonical: url.as_ref().map(|url| canonicalize(url.url())),
            page: url.map(|url| PageToFetch {
                host: HostKey::of(url.url()),
                url,
            }),
            title: Some(format!("A headline of {says}")),
            summary: Some(format!("summary {says}")),
            entry_hash: i64::from(*says),
            ..Announcement::default()
        }
    });
    let url = FeedUrl::parse(&format!("https://feed{feed}.example/")).unwrap();
    Report::Poll(Poll::new(
        DueFeed {
            feed: FeedId(feed),
            lease: lease(),
            host: HostKey::of(url.url()),
            url,
            due_at: at(minute),
            validators: Validators::default(),
            body_hash: None,
            state: PollState::default(),
            settings: FeedSettings::default(),
            moves: 0,
            manners: Manners::default(),
        },
        PollReport {
            at: at(minute),
            next_poll: Some(at(minute + 60)),
            state: PollState::default(),
            cost: Cost::default(),
            manners: Manners::default(),
            result: PollResult::Fetched(Box::new(FeedReading {
                announcements: announcements.collect(),
                ..FeedReading::default()
            })),
        },
    ))
}

proptest! {
    #[test]
    fn many_reports_at_once_leave_what_one_after_the_other_leaves(
        events in proptest::collection::vec(event(), 1..24),
        most in 2usize..12,
    ) {
        let reports: Vec<Report> = (0..)
            .zip(&events)
            .map(|(minute, event)| report(event, minute))
            .collect();
        let (mut single, mut many) = (Rows::default(), Rows::default());

        single.record(&reports, 1, &mut Counted::default());
        many.record(&reports, most, &mut Counted::default());

        single.check();
        prop_assert_eq!(single.told(), many.told());
    }

    #[test]
    fn a_poll_recorded_twice_leaves_what_once_leaves(
        events in proptest::collection::vec(event(), 1..12),
    ) {
        let mut rows = Rows::default();
        let mut ids = Counted::default();
        for (minute, event) in (0..).zip(&events) {
            let reports = [report(event, minute)];
            rows.record(&reports, 1, &mut ids);
            rows.check();
            if matches!(event, Event::Poll(..)) {
                let once = rows.clone();

                rows.record(&reports, 1, &mut ids);

                prop_assert_eq!(once.articles.len(), rows.articles.len());
                prop_assert_eq!(once.sightings.len(), rows.sightings.len());
                prop_assert_eq!(once.jobs, rows.jobs.clone());
                rows.check();
            }
        }
    }
}

#[test]
fn a_poll_and_a_scrape_say_what_they_changed() {
    let mut rows = Rows::default();
    let reports = [
        report(&Event::Poll(1, vec![(0, Some(0), 0)]), 0),
        report(&Event::Scrape(0, 0, 0), 1),
    ];

    rows.record(&reports, 2, &mut Counted::default());

    assert!(matches!(&rows.log[..], [poll, scrape]
        if poll.contains("n_new: 1") && scrape.contains("Article(ArticleId(1))")));
}

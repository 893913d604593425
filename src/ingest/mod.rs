//! Polls one feed, scrapes the articles that it announces.
//!
//! The main path of the program: read [`Ingest::poll_feed`], then
//! [`Ingest::scrape_article`]. Decisions live in `plan`, which does no I/O; what is
//! started when is [`run`](Ingest::run)'s business.

mod cpu;
mod find;
mod plan;
mod run;

mod health;
mod note;
mod slots;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::fetch::{Asked, Errand, Exchange, FeedAnswer, Fetcher, PageDocument, RequestSettings};
use crate::model::{Failure, FeedId, FeedSettings, HostKey};
use crate::ownership::{Flight, Ownership};
use crate::store::{
    DueFeed, DuePage, Lease, Manners, PollRecorded, PollReport, Saved, ScrapeReport, Store,
    StoreError,
};
use crate::telemetry::Progress;
use crate::{extract, schedule};

use cpu::Cpu;
pub use find::find_feeds;
pub use plan::PollOutcome;
pub use run::{Run, RunError};

/// `[ingest]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Polls under way at once. Default 32.
    pub polls: usize,
    /// Scrapes under way at once. Default 32.
    pub scrapes: usize,
    /// Fewer words than this are not an article. Default 25.
    pub min_words: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            polls: 32,
            scrapes: 32,
            min_words: 25,
        }
    }
}

/// All that a poll or a scrape needs. Shared by the tasks; nothing in it changes.
#[derive(Debug)]
pub struct Ingest {
    store: Store,
    fetcher: Fetcher,
    /// Which hosts are ours; the same as the fetcher's.
    ownership: Ownership,
    settings: Settings,
    schedule: schedule::Settings,
    extract: extract::Settings,
    /// What has been done so far; written here, read by whoever shows it.
    progress: Arc<Progress>,
    /// Parsing and extraction, not fetching, set the peak of memory.
    cpu: Cpu,
}

/// What became of a poll, for the log.
#[derive(Clone, Debug)]
pub struct Polled {
    /// How it ended.
    pub outcome: PollOutcome,
    /// What it changed in the store.
    pub recorded: PollRecorded,
    /// How long the exchange took.
    pub duration: Duration,
}

/// What became of a scrape, for the log.
#[derive(Clone, Debug)]
pub struct Scraped {
    /// What it changed in the store.
    pub saved: Saved,
    /// Why there is no article, or not yet.
    pub failure: Option<Failure>,
}

impl Ingest {
    /// Puts the parts together. `fetcher` asks for the worker that `store` is.
    #[must_use]
    pub fn new(
        store: Store,
        fetcher: Fetcher,
        settings: Settings,
        schedule: schedule::Settings,
        progress: Arc<Progress>,
    ) -> Self {
        let extract = extract::Settings {
            min_words: settings.min_words,
            ..extract::Settings::default()
        };
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            ownership: store.ownership(),
            store,
            fetcher,
            settings,
            schedule,
            extract,
            progress,
            cpu: Cpu::start(cores),
        }
    }

    /// One poll, from the due feed to the recorded report; `None` when its host has gone to
    /// another worker before it was asked.
    ///
    /// # Errors
    /// [`StoreError`] only: whatever else goes wrong is part of the report.
    pub async fn poll_feed(self: Arc<Self>, due: DueFeed) -> Result<Option<Polled>, StoreError> {
        let Some(_flight) = self.begin(due.lease) else {
            return Ok(None);
        };
        self.heed(&due.host, &due.manners);
        let request = request_settings(&due.settings);
        let errand = errand(due.moves, &due.manners);
        let asked = self
            .fetcher
            .poll(&due.url, &due.validators, &request, errand)
            .await;
        let mut reading = match asked {
            Asked::Answered(exchange) => self.read(&due, exchange).await,
            Asked::Moved(exchange) => plan::Reading::moved(exchange),
            Asked::NotOurs => return Ok(None),
        };
        let known = self
            .store
            .known_entries(due.feed, reading.entry_hashes())
            .await?;
        reading.leave_out(known);
        let (report, outcome) = self.plan_poll(&due, reading).await;
        let duration = report.cost.duration;
        let recorded = self.store.record_poll(&due, report).await?;
        Ok(Some(Polled {
            outcome,
            recorded,
            duration,
        }))
    }

    /// Polls these feeds at once, one after another, whatever else is due. Each must have
    /// been made due; one that is paused or retired, or whose host is not ours, is left out.
    ///
    /// # Errors
    /// [`StoreError`] only, as in [`poll_feed`](Self::poll_feed).
    pub async fn poll_now(
        self: Arc<Self>,
        feeds: &[FeedId],
    ) -> Result<Vec<(FeedId, Polled)>, StoreError> {
        let mut done = Vec::new();
        for &feed in feeds {
            if let Some(due) = self.store.due_feed(feed, now()).await?
                && let Some(polled) = Arc::clone(&self).poll_feed(due).await?
            {
                done.push((feed, polled));
            }
        }
        Ok(done)
    }

    /// One scrape, from the due page to the saved article; `None` when its host has gone to
    /// another worker before it was asked.
    ///
    /// # Errors
    /// [`StoreError`] only: whatever else goes wrong is part of the report.
    pub async fn scrape_article(
        self: Arc<Self>,
        due: DuePage,
    ) -> Result<Option<Scraped>, StoreError> {
        let Some(_flight) = self.begin(due.lease) else {
            return Ok(None);
        };
        self.heed(&due.host, &due.manners);
        let request = request_settings(&due.settings);
        let errand = errand(due.moves, &due.manners);
        let report = match self.fetcher.scrape(&due.url, &request, errand).await {
            Asked::Answered(exchange) => self.plan_scrape(&due, exchange).await,
            Asked::Moved(exchange) => plan::moved_scrape(&due, exchange, now()),
            Asked::NotOurs => return Ok(None),
        };
        let failure = report.result.failure().cloned();
        let saved = self.store.record_scrape(&due, report).await?;
        Ok(Some(Scraped { saved, failure }))
    }

    /// The right to do what was read under `lease`, up to its recording.
    fn begin(&self, lease: Lease) -> Option<Flight> {
        self.ownership.begin(lease.shard, lease.epoch)
    }

    /// Lets a host rest that asked for it, maybe of another process; says whether it rests.
    fn heed(&self, host: &HostKey, manners: &Manners) -> bool {
        let rest = manners.resting_until.and_then(|until| {
            let rest = Duration::try_from(until.duration_since(now())).ok()?;
            (!rest.is_zero()).then_some(rest)
        });
        if let Some(rest) = rest {
            self.fetcher.rest(host, rest);
        }
        rest.is_some()
    }

    /// Parses what a feed answered, on a thread for CPU work.
    async fn read(&self, due: &DueFeed, exchange: Exchange<FeedAnswer>) -> plan::Reading {
        let last_hash = due.body_hash;
        let told = plan::Told::by(&exchange);
        self.cpu
            .run(move || plan::Reading::of(exchange, last_hash))
            .await
            .unwrap_or_else(|failure| plan::Reading::failed(told, failure))
    }

    /// Turns a reading into a report, on a thread for CPU work: it sanitises what is new.
    async fn plan_poll(&self, due: &DueFeed, reading: plan::Reading) -> (PollReport, PollOutcome) {
        let now = now();
        let (planned, schedule) = (due.clone(), self.schedule.clone());
        let told = reading.told();
        let plan = self
            .cpu
            .run(move || plan::poll(&planned, reading, now, &schedule))
            .await;
        plan.unwrap_or_else(|failure| {
            plan::poll(
                due,
                plan::Reading::failed(told, failure),
                now,
                &self.schedule,
            )
        })
    }

    /// Extracts the article from what a page answered, on a thread for CPU work.
    async fn plan_scrape(&self, due: &DuePage, exchange: Exchange<PageDocument>) -> ScrapeReport {
        let now = now();
        let (planned, extract) = (due.clone(), self.extract.clone());
        let told = plan::Told::by(&exchange);
        let plan = self
            .cpu
            .run(move || plan::scrape(&planned, exchange, now, &extract))
            .await;
        plan.unwrap_or_else(|failure| plan::failed_scrape(due.attempts, told, failure, now))
    }
}

fn errand(moves: u32, manners: &Manners) -> Errand {
    Errand {
        moves,
        gap: manners.gap,
    }
}

fn request_settings(settings: &FeedSettings) -> RequestSettings {
    RequestSettings {
        user_agent: settings.user_agent.clone(),
        headers: settings.headers.clone(),
    }
}

/// The wall clock. The only place that reads it for the pure modules.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}

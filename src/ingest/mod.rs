//! Polls one feed, scrapes the articles that it announces.
//!
//! The main path of the program: read [`Ingest::poll_feed`], then
//! [`Ingest::scrape_article`]. Decisions live in `plan`, which does no I/O; what is
//! started when is [`run`](Ingest::run)'s business.

mod cpu;
mod find;
mod plan;
mod run;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::fetch::{Exchange, FeedAnswer, Fetcher, PageDocument, RequestSettings};
use crate::model::{Failure, FeedId, FeedSettings};
use crate::store::{
    DueFeed, DuePage, PollRecorded, PollReport, Saved, ScrapeReport, Store, StoreError,
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
    /// Puts the parts together.
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
            store,
            fetcher,
            settings,
            schedule,
            extract,
            progress,
            cpu: Cpu::start(cores),
        }
    }

    /// One poll, from the due feed to the recorded report.
    ///
    /// # Errors
    /// [`StoreError`] only: whatever else goes wrong is part of the report.
    pub async fn poll_feed(self: Arc<Self>, due: DueFeed) -> Result<Polled, StoreError> {
        let request = request_settings(&due.settings);
        let exchange = self.fetcher.feed(&due.url, &due.validators, &request).await;
        let mut reading = self.read(&due, exchange).await;
        let known = self
            .store
            .known_entries(due.feed, reading.entry_hashes())
            .await?;
        reading.leave_out(known);
        let (report, outcome) = self.plan_poll(&due, reading).await;
        let duration = report.cost.duration;
        let recorded = self.store.record_poll(&due, report).await?;
        Ok(Polled {
            outcome,
            recorded,
            duration,
        })
    }

    /// Polls these feeds at once, one after another, whatever else is due. Each must have
    /// been made due; one that is paused or retired is left out.
    ///
    /// # Errors
    /// [`StoreError`] only, as in [`poll_feed`](Self::poll_feed).
    pub async fn poll_now(
        self: Arc<Self>,
        feeds: &[FeedId],
    ) -> Result<Vec<(FeedId, Polled)>, StoreError> {
        let mut done = Vec::new();
        for &feed in feeds {
            if let Some(due) = self.store.due_feed(feed, now()).await? {
                done.push((feed, Arc::clone(&self).poll_feed(due).await?));
            }
        }
        Ok(done)
    }

    /// One scrape, from the due page to the saved article.
    ///
    /// # Errors
    /// [`StoreError`] only: whatever else goes wrong is part of the report.
    pub async fn scrape_article(self: Arc<Self>, due: DuePage) -> Result<Scraped, StoreError> {
        let exchange = self
            .fetcher
            .page(&due.url, &request_settings(&due.settings))
            .await;
        let report = self.plan_scrape(&due, exchange).await;
        let failure = report.result.failure().cloned();
        let saved = self.store.record_scrape(&due, report).await?;
        Ok(Scraped { saved, failure })
    }

    /// Parses what a feed answered, on a thread for CPU work.
    async fn read(&self, due: &DueFeed, exchange: Exchange<FeedAnswer>) -> plan::Reading {
        let last_hash = due.body_hash;
        let cost = plan::cost(&exchange);
        self.cpu
            .run(move || plan::Reading::of(exchange, last_hash))
            .await
            .unwrap_or_else(|failure| plan::Reading::failed(cost, failure))
    }

    /// Turns a reading into a report, on a thread for CPU work: it sanitises what is new.
    async fn plan_poll(&self, due: &DueFeed, reading: plan::Reading) -> (PollReport, PollOutcome) {
        let now = now();
        let (planned, schedule) = (due.clone(), self.schedule.clone());
        let cost = reading.cost();
        let plan = self
            .cpu
            .run(move || plan::poll(&planned, reading, now, &schedule))
            .await;
        plan.unwrap_or_else(|failure| {
            plan::poll(
                due,
                plan::Reading::failed(cost, failure),
                now,
                &self.schedule,
            )
        })
    }

    /// Extracts the article from what a page answered, on a thread for CPU work.
    async fn plan_scrape(&self, due: &DuePage, exchange: Exchange<PageDocument>) -> ScrapeReport {
        let now = now();
        let (planned, extract) = (due.clone(), self.extract.clone());
        let cost = plan::cost(&exchange);
        let plan = self
            .cpu
            .run(move || plan::scrape(&planned, exchange, now, &extract))
            .await;
        plan.unwrap_or_else(|failure| plan::failed_scrape(due.attempts, cost, failure, now))
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

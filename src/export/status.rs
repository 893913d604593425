//! The JSON of the archive's state.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::store::{Fleet, Status};

use super::{FeedRecord, FleetRecord};

/// The state of everything, as programs get it. Fields may be added.
#[derive(Debug, Serialize)]
pub struct StatusRecord<'a> {
    /// Process that runs on this store; `null` when none does.
    pub daemon_pid: Option<u32>,
    /// The workers that share the database; `null` for a file, which has one daemon.
    pub fleet: Option<FleetRecord<'a>>,
    /// The store's file, or the database without its password.
    pub store: String,
    /// Version of its schema.
    pub schema: u32,
    /// Bytes of the store's file and its log.
    pub store_bytes: u64,
    /// Bytes of the search index.
    pub search_bytes: u64,
    /// Changes that the search index has not seen.
    pub index_lag: u64,
    /// Feeds by state.
    pub feeds: BTreeMap<&'static str, u64>,
    /// Articles in all.
    pub articles: u64,
    /// Articles by state of their page.
    pub pages: BTreeMap<&'static str, u64>,
    /// Failed pages by kind of failure.
    pub page_failures: BTreeMap<&'static str, u64>,
    /// Feeds due now.
    pub due_feeds: u64,
    /// Pages due now.
    pub due_pages: u64,
    /// When the next thing is due (RFC 3339, UTC).
    pub next_due: Option<String>,
    /// Polls in the last 24 hours.
    pub polls_day: u64,
    /// Failed polls in the last 24 hours.
    pub failed_polls_day: u64,
    /// Articles first seen in the last 24 hours.
    pub articles_day: u64,
    /// Feeds that fail, worst first, at most 100.
    pub failing: Vec<FeedRecord<'a>>,
}

impl<'a> StatusRecord<'a> {
    /// The record of `status` for the store at `store`, on which `daemon_pid` runs.
    #[must_use]
    pub fn new(
        status: &'a Status,
        store: String,
        daemon_pid: Option<u32>,
        fleet: Option<&'a Fleet>,
    ) -> Self {
        Self {
            daemon_pid,
            fleet: fleet.map(FleetRecord::from),
            store,
            schema: status.schema,
            store_bytes: status.store_bytes,
            search_bytes: status.search_bytes,
            index_lag: status.index_lag,
            feeds: status.feeds.iter().map(|(s, n)| (s.name(), *n)).collect(),
            articles: status.n_articles,
            pages: status.pages.iter().map(|(s, n)| (s.name(), *n)).collect(),
            page_failures: status
                .page_failures
                .iter()
                .map(|(kind, n)| (kind.name(), *n))
                .collect(),
            due_feeds: status.backlog.due_feeds,
            due_pages: status.backlog.due_pages,
            next_due: status.backlog.next_due.map(|at| at.to_string()),
            polls_day: status.polls_day,
            failed_polls_day: status.failed_polls_day,
            articles_day: status.articles_day,
            failing: status.failing.iter().map(FeedRecord::from).collect(),
        }
    }
}

//! The JSON of the workers that share a database.

use serde::Serialize;

use crate::store::{Done, Fleet, FleetWorker};

/// The workers of one archive, as programs get them. Fields may be added.
#[derive(Debug, Serialize)]
pub struct FleetRecord<'a> {
    /// Workers that live, and those that ended without a word within the last hour.
    pub workers: Vec<WorkerRecord<'a>>,
    /// Shards that a living worker owns, of 1,024.
    pub shards_owned: u64,
    /// Shards that nobody owns who lives.
    pub shards_free: u64,
    /// For how long the feed that waits longest has been due, in seconds; `null`: none is due.
    pub feed_lag_s: Option<f64>,
    /// The same of pages.
    pub page_lag_s: Option<f64>,
    /// Polls of all workers in the last minute.
    pub polls_minute: u64,
    /// Scrapes of all workers in the last minute.
    pub scrapes_minute: u64,
    /// Articles of all workers in the last minute.
    pub articles_minute: u64,
}

/// One worker, as programs get it. Fields may be added.
#[derive(Debug, Serialize)]
pub struct WorkerRecord<'a> {
    /// Its id, another one at every start.
    pub id: i64,
    /// `live`, `draining` or `lost`.
    pub state: &'static str,
    /// `all`, `ingest` or `serve`.
    pub role: &'static str,
    /// The name of its machine.
    pub machine: &'a str,
    /// Its process there.
    pub pid: u32,
    /// Its version of wireroom.
    pub version: &'a str,
    /// When it started (RFC 3339, UTC).
    pub started_at: String,
    /// Seconds since its last sign of life.
    pub silent_s: f64,
    /// Shards that it owns.
    pub shards: u64,
    /// Polls since its start.
    pub polls: u64,
    /// Scrapes since its start.
    pub scrapes: u64,
    /// Articles since its start.
    pub articles: u64,
    /// Polls in the last minute.
    pub polls_minute: u64,
    /// Scrapes in the last minute.
    pub scrapes_minute: u64,
    /// Articles in the last minute.
    pub articles_minute: u64,
}

impl<'a> From<&'a Fleet> for FleetRecord<'a> {
    fn from(fleet: &'a Fleet) -> Self {
        let Done {
            polls,
            scrapes,
            articles,
        } = fleet.minute();
        Self {
            workers: fleet.workers.iter().map(WorkerRecord::from).collect(),
            shards_owned: fleet.n_owned,
            shards_free: fleet.n_free,
            feed_lag_s: fleet.feed_lag.map(|lag| lag.as_secs_f64()),
            page_lag_s: fleet.page_lag.map(|lag| lag.as_secs_f64()),
            polls_minute: polls,
            scrapes_minute: scrapes,
            articles_minute: articles,
        }
    }
}

impl<'a> From<&'a FleetWorker> for WorkerRecord<'a> {
    fn from(worker: &'a FleetWorker) -> Self {
        Self {
            id: worker.id,
            state: worker.state.name(),
            role: worker.role.name(),
            machine: &worker.machine,
            pid: worker.pid,
            version: &worker.version,
            started_at: worker.started_at.to_string(),
            silent_s: worker.silent_for.as_secs_f64(),
            shards: worker.n_shards,
            polls: worker.done.polls,
            scrapes: worker.done.scrapes,
            articles: worker.done.articles,
            polls_minute: worker.minute.polls,
            scrapes_minute: worker.minute.scrapes,
            articles_minute: worker.minute.articles,
        }
    }
}

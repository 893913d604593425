//! The workers as people see them: who lives, who owns how much, and what waits.

use std::time::Duration;

use deadpool_postgres::Client;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::super::StoreError;
use super::super::column::{ms, time};
use super::super::fleet::{Done, Fleet, FleetWorker, WorkerState};
use super::fault::Fault;
use super::statement::{execute, get, row, rows};
use super::{Postgres, convert};

impl Postgres {
    pub(in super::super) async fn fleet(&self, now: Timestamp) -> Result<Fleet, StoreError> {
        asked!(self, client => fleet(&client, now))
    }

    pub(in super::super) async fn drain(
        &self,
        worker: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE worker SET draining_at = coalesce(draining_at, $2)
                   WHERE id = $1 AND until > now()";
        let at = ms(now);
        let n = in_transaction!(self, transaction => execute(&transaction, sql, &[&worker, &at]))?;
        Ok(n > 0)
    }

    pub(in super::super) async fn ended(&self) {
        let Some((worker, writer)) = self.worker().zip(self.shared.writer.as_ref()) else {
            return std::future::pending().await;
        };
        // Who can record nothing any more must not go on owning what others could do.
        tokio::select! {
            () = worker.ended() => {}
            () = writer.ended() => {}
        }
    }

    pub(in super::super) async fn drained(&self) {
        match self.worker() {
            Some(worker) => worker.drained().await,
            None => std::future::pending().await,
        }
    }

    pub(in super::super) fn tally(&self, done: Done) {
        if let Some(worker) = self.worker() {
            worker.tally().add(done);
        }
    }

    pub(in super::super) fn expect_exchanges(&self, longest: Duration) {
        if let Some(worker) = self.worker() {
            worker.expect_exchanges(longest);
        }
    }
}

async fn fleet(client: &Client, now: Timestamp) -> Result<Fleet, Fault> {
    let sql = "SELECT w.id, w.machine, w.pid, w.version, w.role, w.started_at,
                 w.until > now(), w.draining_at IS NOT NULL,
                 extract(epoch FROM now() - w.seen_at)::FLOAT8,
                 (SELECT count(*) FROM shard s WHERE s.owner = w.id),
                 w.polls, w.scrapes, w.articles,
                 w.minute_polls, w.minute_scrapes, w.minute_articles
               FROM worker w ORDER BY w.started_at, w.id";
    let workers = rows(client, sql, &[]).await?;
    let workers: Vec<FleetWorker> = workers.iter().map(worker).collect::<Result<_, _>>()?;
    let sql = "SELECT count(*) FROM shard s
               WHERE EXISTS (SELECT 1 FROM worker w WHERE w.id = s.owner AND w.until > now())";
    let n_owned = convert::count(&row(client, sql, &[]).await?, 0)?;
    // From the head of the index of each queue: it costs the same with millions of hosts.
    let sql = "SELECT
        (SELECT feed_due_at FROM host
         WHERE feed_due_at <= $1 AND coalesce(resting_until, 0) <= $1
         ORDER BY feed_due_at LIMIT 1),
        (SELECT page_due_at FROM host
         WHERE page_due_at <= $1 AND coalesce(resting_until, 0) <= $1
         ORDER BY page_due_at LIMIT 1)";
    let oldest = row(client, sql, &[&ms(now)]).await?;
    Ok(Fleet {
        workers,
        n_owned,
        n_free: u64::from(crate::model::N_SHARDS).saturating_sub(n_owned),
        feed_lag: lag(get(&oldest, 0)?, now),
        page_lag: lag(get(&oldest, 1)?, now),
    })
}

fn worker(row: &Row) -> Result<FleetWorker, Fault> {
    let (lives, is_draining): (bool, bool) = (get(row, 6)?, get(row, 7)?);
    let silent_s: f64 = get(row, 8)?;
    let role: String = get(row, 4)?;
    let pid: i32 = get(row, 2)?;
    Ok(FleetWorker {
        id: get(row, 0)?,
        machine: get(row, 1)?,
        pid: pid.cast_unsigned(),
        version: get(row, 3)?,
        role: role.parse().unwrap_or_default(),
        state: match (lives, is_draining) {
            (false, _) => WorkerState::Lost,
            (true, true) => WorkerState::Draining,
            (true, false) => WorkerState::Live,
        },
        started_at: time(get(row, 5)?),
        silent_for: Duration::try_from_secs_f64(silent_s).unwrap_or_default(),
        n_shards: match lives {
            true => convert::count(row, 9)?,
            false => 0,
        },
        done: done(row, 10)?,
        minute: done(row, 13)?,
    })
}

fn done(row: &Row, column: usize) -> Result<Done, Fault> {
    Ok(Done {
        polls: convert::count(row, column)?,
        scrapes: convert::count(row, column + 1)?,
        articles: convert::count(row, column + 2)?,
    })
}

fn lag(oldest: Option<i64>, now: Timestamp) -> Option<Duration> {
    Duration::try_from(now.duration_since(time(oldest?))).ok()
}

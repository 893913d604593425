//! One transaction of the writer: who may, what is known, what changes.

use std::collections::{BTreeSet, HashSet};

use deadpool_postgres::{Client, Transaction};

use super::super::StoreError;
use super::super::record::{Lease, PollRecorded};
use super::super::recording::{Poll, Recorded, Refusal, Report, Unit};
use super::apply::Place;
use super::claims::Turn;
use super::convert::{lease, shard_column, small_count};
use super::fault::Fault;
use super::ids::WorkerIds;
use super::queue::Hosts;
use super::statement::{get, rows};
use super::{apply, load};
use crate::model::{FeedId, Shard};

/// Times that a unit may ask for more rows. It asks four times at most; more would be a
/// mistake of ours, and must not hang the writer.
const MAX_QUESTIONS: usize = 8;

/// What became of one report.
type Answer = Result<Recorded, StoreError>;

/// Records reports in one transaction; answers them in their order.
pub(super) async fn record(
    client: &mut Client,
    ids: &mut WorkerIds,
    reports: &[Report],
) -> Result<Vec<Answer>, Fault> {
    let transaction = client.transaction().await?;
    let answers = in_transaction(&transaction, ids, reports).await?;
    transaction.commit().await?;
    Ok(answers)
}

async fn in_transaction(
    transaction: &Transaction<'_>,
    ids: &mut WorkerIds,
    reports: &[Report],
) -> Result<Vec<Answer>, Fault> {
    let standing = Standing::of(transaction, reports).await?;
    let mut answers: Vec<Answer> = reports
        .iter()
        .map(|report| standing.answer_without_work(report))
        .collect();
    let mut waiting: Vec<(usize, &Report)> = reports
        .iter()
        .enumerate()
        .filter(|(_, report)| standing.allows(report))
        .collect();
    let leases: Vec<Lease> = waiting.iter().map(|(_, report)| report.lease()).collect();
    let Some(home) = leases.iter().map(|lease| lease.shard).min() else {
        return Ok(answers);
    };
    let last = waiting.iter().map(|(_, report)| report.at()).max();
    let place = Place {
        shard: home,
        at: last.unwrap_or_default(),
    };
    ids.resume(transaction, &leases).await?;
    let allowed: Vec<&Report> = waiting.iter().map(|(_, report)| *report).collect();
    let turn = Turn::take(transaction, &allowed).await?;
    let mut hosts = Hosts::default();
    while !waiting.is_empty() {
        let mut unit = known(transaction, &waiting).await?;
        let mut n_recorded = 0;
        for (place, report) in &waiting {
            if !unit.takes(report) {
                break;
            }
            answers[*place] = match unit.record(report, ids) {
                Ok(recorded) => Ok(recorded),
                Err(Refusal::Fenced) => Err(StoreError::Fenced),
                Err(Refusal::Torn) => return Err(Fault::Torn),
            };
            n_recorded += 1;
        }
        if n_recorded == 0 {
            return Err(Fault::Torn);
        }
        apply::write(transaction, &unit, ids, place).await?;
        hosts.touch(unit.hosts());
        waiting.drain(..n_recorded);
    }
    ids.save(transaction).await?;
    hosts.write(transaction).await?;
    turn.end(transaction).await?;
    Ok(answers)
}

/// A unit that knows what the reports need.
async fn known(transaction: &Transaction<'_>, waiting: &[(usize, &Report)]) -> Result<Unit, Fault> {
    let mut unit = Unit::default();
    for _ in 0..MAX_QUESTIONS {
        let wanted = unit.wanted(waiting.iter().map(|(_, report)| *report));
        if wanted.is_empty() {
            return Ok(unit);
        }
        let found = load::find(transaction, &wanted).await?;
        unit.learn(wanted, found);
    }
    Err(Fault::Torn)
}

/// What may be recorded: work of shards that have not changed hands since it was read, and
/// feeds that are still polled where they were.
struct Standing {
    leases: HashSet<(Shard, u64)>,
    feeds: HashSet<FeedId>,
    /// Feeds that are polled somewhere else by now, because the very same poll was recorded
    /// before: its answer was lost.
    done: HashSet<FeedId>,
}

impl Standing {
    /// Holds the shards until the end of the transaction: nobody else can take them over
    /// before. An epoch is no one else's, so it says who the owner is.
    async fn of(transaction: &Transaction<'_>, reports: &[Report]) -> Result<Self, Fault> {
        let leases: BTreeSet<(Shard, u64)> = reports
            .iter()
            .map(|report| (report.lease().shard, report.lease().epoch))
            .collect();
        let (shards, epochs): (Vec<i16>, Vec<i64>) = leases
            .iter()
            .map(|(shard, epoch)| (shard_column(*shard), epoch.cast_signed()))
            .unzip();
        let sql = "SELECT s.id, s.epoch FROM shard s
                   JOIN unnest($1::smallint[], $2::bigint[]) AS w(id, epoch)
                     ON s.id = w.id AND s.epoch = w.epoch
                   WHERE s.owner IS NOT NULL
                   ORDER BY s.id FOR SHARE OF s";
        let found = rows(transaction, sql, &[&shards, &epochs]).await?;
        let leases = found.iter().map(|row| lease(row, 0));
        let leases: Result<HashSet<(Shard, u64)>, Fault> = leases
            .map(|lease| lease.map(|lease| (lease.shard, lease.epoch)))
            .collect();
        let polls: Vec<&Poll> = reports.iter().filter_map(Report::as_poll).collect();
        let feeds = feeds(transaction, &polls).await?;
        let mut elsewhere = polls;
        elsewhere.retain(|poll| !feeds.contains(&poll.feed()));
        Ok(Self {
            leases: leases?,
            feeds,
            done: done(transaction, &elsewhere).await?,
        })
    }

    fn allows(&self, report: &Report) -> bool {
        let is_there = report
            .as_poll()
            .is_none_or(|poll| self.feeds.contains(&poll.feed()));
        is_there && self.is_ours(report)
    }

    fn is_ours(&self, report: &Report) -> bool {
        let lease = report.lease();
        self.leases.contains(&(lease.shard, lease.epoch))
    }

    /// What is said of a report that is not recorded.
    fn answer_without_work(&self, report: &Report) -> Answer {
        let poll = report.as_poll().filter(|_| self.is_ours(report));
        match poll.is_some_and(|poll| self.done.contains(&poll.feed())) {
            true => Ok(Recorded::Poll(PollRecorded::default())),
            false => Err(StoreError::Fenced),
        }
    }
}

/// The feeds that are polled in the shard of their report. Their states are locked: who
/// pauses one of them at this moment is waited for, and what he wrote is read.
async fn feeds(transaction: &Transaction<'_>, polls: &[&Poll]) -> Result<HashSet<FeedId>, Fault> {
    if polls.is_empty() {
        return Ok(HashSet::new());
    }
    let (shards, feeds): (Vec<i16>, Vec<i64>) = polls
        .iter()
        .map(|poll| (shard_column(poll.lease().shard), poll.feed().0))
        .unzip();
    let sql = "SELECT s.feed_id FROM feed_state s
               JOIN unnest($1::smallint[], $2::bigint[]) AS w(shard, feed_id)
                 ON s.shard = w.shard AND s.feed_id = w.feed_id
               ORDER BY s.shard, s.feed_id FOR UPDATE OF s";
    let found = rows(transaction, sql, &[&shards, &feeds]).await?;
    found.iter().map(|row| Ok(FeedId(get(row, 0)?))).collect()
}

/// Of polls whose feeds are elsewhere, those that say why: they were recorded before.
async fn done(transaction: &Transaction<'_>, polls: &[&Poll]) -> Result<HashSet<FeedId>, Fault> {
    if polls.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = "SELECT feed_id, moved_url, moves, last_poll_at FROM feed_state
               WHERE feed_id = ANY($1)";
    let feeds: Vec<i64> = polls.iter().map(|poll| poll.feed().0).collect();
    let mut done = HashSet::new();
    for row in rows(transaction, sql, &[&feeds]).await? {
        let feed = FeedId(get(&row, 0)?);
        let moved_url: Option<String> = get(&row, 1)?;
        let (moves, last_poll_at) = (small_count(&row, 2)?, get(&row, 3)?);
        let mut polls = polls.iter().filter(|poll| poll.feed() == feed);
        if polls.any(|poll| poll.has_left(moved_url.as_deref(), moves, last_poll_at)) {
            done.insert(feed);
        }
    }
    Ok(done)
}

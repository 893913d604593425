//! Ids that a worker gives: unique over all workers, because each comes from a shard that
//! the worker owns, and a shard's next owner goes on behind the last one.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::Transaction;
use jiff::Timestamp;

use super::super::decide::{IdMaker, RowIdMaker};
use super::super::record::Lease;
use super::super::recording::Ids;
use super::convert::{shard, shard_column};
use super::fault::Fault;
use super::statement::{execute, get, rows};
use crate::model::{ArticleId, Shard};

/// The ids of all shards that this process has owned so far.
#[derive(Debug, Default)]
pub(super) struct WorkerIds {
    articles: IdMaker,
    rows: RowIdMaker,
    /// The epochs in which the shards' ids were read.
    epochs: HashMap<Shard, u64>,
    /// The newest ids that the database does not know of yet, by shard.
    unsaved: BTreeMap<Shard, i64>,
}

impl WorkerIds {
    /// Reads the newest ids of shards that have become ours since the last time.
    pub(super) async fn resume(
        &mut self,
        transaction: &Transaction<'_>,
        leases: &[Lease],
    ) -> Result<(), Fault> {
        // What a failed transaction left here is given up: its ids are not given again.
        self.unsaved.clear();
        let is_new = |lease: &&Lease| self.epochs.get(&lease.shard) != Some(&lease.epoch);
        let new: BTreeMap<Shard, u64> = leases
            .iter()
            .filter(is_new)
            .map(|lease| (lease.shard, lease.epoch))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let sql = "SELECT w.shard, GREATEST(
                     coalesce((SELECT c.n FROM counter c
                               WHERE c.shard = w.shard AND c.name = 'last_id'), 0),
                     coalesce((SELECT max(p.id) FROM poll_log p WHERE p.shard = w.shard), 0))
                   FROM unnest($1::smallint[]) AS w(shard)";
        let shards: Vec<i16> = new.keys().map(|shard| shard_column(*shard)).collect();
        for row in rows(transaction, sql, &[&shards]).await? {
            let (shard, largest) = (shard(&row, 0)?, get(&row, 1)?);
            self.articles.resume_shard(shard, largest);
            self.rows.resume_shard(shard, largest);
        }
        self.epochs.extend(new);
        Ok(())
    }

    /// The next line of the log of polls, or the next number of a change: the database need
    /// not be told. The log is looked through when a shard changes hands, and a change lives
    /// only until it has been indexed.
    pub(super) fn row(&mut self, shard: Shard, at: Timestamp) -> i64 {
        self.rows.next(shard, at)
    }

    /// Writes the newest ids of the shards that gave some to rows other than the log's.
    pub(super) async fn save(&mut self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        if self.unsaved.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO counter (shard, name, n)
                   SELECT shard, 'last_id', n FROM unnest($1::smallint[], $2::bigint[]) AS w(shard, n)
                   ON CONFLICT (shard, name) DO UPDATE
                     SET n = GREATEST(counter.n, excluded.n)";
        let unsaved = std::mem::take(&mut self.unsaved);
        let (shards, newest): (Vec<i16>, Vec<i64>) = unsaved
            .iter()
            .map(|(shard, newest)| (shard_column(*shard), *newest))
            .unzip();
        execute(transaction, sql, &[&shards, &newest]).await?;
        Ok(())
    }
}

impl WorkerIds {
    /// The database is to know that this one was given.
    fn gave(&mut self, shard: Shard, id: i64) {
        let newest = self.unsaved.entry(shard).or_default();
        *newest = id.max(*newest);
    }
}

impl Ids for WorkerIds {
    fn article(&mut self, shard: Shard, at: Timestamp) -> ArticleId {
        let id = self.articles.next(shard, at);
        self.gave(shard, id.0);
        id
    }

    fn sighting(&mut self, shard: Shard, at: Timestamp) -> i64 {
        let id = self.rows.next(shard, at);
        self.gave(shard, id);
        id
    }
}

//! When each host's first feed and first page are due, and what it asked for, after a batch.
//!
//! The hosts' rows are locked in the order of their keys, and only then, in a statement of
//! its own, the first times are read: so nothing that another worker added is lost. They are
//! the last rows that a batch locks.

use std::collections::BTreeMap;

use deadpool_postgres::Transaction;

use super::super::column::{int, ms};
use super::super::json;
use super::super::record::Manners;
use super::super::recording::Touched;
use super::convert::shard_column;
use super::fault::Fault;
use super::statement::execute;
use crate::model::HostKey;

/// What a batch changed about hosts.
#[derive(Debug, Default)]
pub(super) struct Hosts(BTreeMap<(i16, String), Touched>);

impl Hosts {
    /// Takes in what a unit of work changed; the later word counts.
    pub(super) fn touch(&mut self, hosts: &BTreeMap<HostKey, Touched>) {
        for (host, more) in hosts {
            let key = (shard_column(host.shard()), host.as_str().to_owned());
            let touched = self.0.entry(key).or_default();
            touched.feeds |= more.feeds;
            touched.pages |= more.pages;
            touched.manners = more.manners.or(touched.manners);
        }
    }

    pub(super) async fn write(&self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        if self.0.is_empty() {
            return Ok(());
        }
        let (shards, names): (Vec<i16>, Vec<&str>) = self
            .0
            .keys()
            .map(|(shard, name)| (*shard, name.as_str()))
            .unzip();
        let lock = "SELECT h.name FROM host h
                    JOIN unnest($1::smallint[], $2::text[]) AS n(shard, name)
                      ON h.shard = n.shard AND h.name = n.name
                    ORDER BY h.shard, h.name FOR UPDATE OF h";
        let n_known = execute(transaction, lock, &[&shards, &names]).await?;
        if n_known < self.0.len() as u64 {
            let add = "INSERT INTO host (shard, name)
                       SELECT shard, name FROM unnest($1::smallint[], $2::text[]) AS n(shard, name)
                       ORDER BY shard, name ON CONFLICT (shard, name) DO NOTHING";
            execute(transaction, add, &[&shards, &names]).await?;
            execute(transaction, lock, &[&shards, &names]).await?;
        }
        self.settle(transaction, &shards, &names).await
    }

    async fn settle(
        &self,
        transaction: &Transaction<'_>,
        shards: &[i16],
        names: &[&str],
    ) -> Result<(), Fault> {
        let sql = "UPDATE host h SET
              feed_due_at = CASE WHEN n.feeds THEN
                (SELECT min(s.due_at) FROM feed_state s
                 WHERE s.shard = n.shard AND s.host = n.name) ELSE h.feed_due_at END,
              page_due_at = CASE WHEN n.pages THEN
                (SELECT min(j.due_at) FROM page_job j
                 WHERE j.shard = n.shard AND j.host = n.name) ELSE h.page_due_at END,
              resting_until = CASE WHEN n.manners THEN n.resting_until ELSE h.resting_until END,
              gap_ms = CASE WHEN n.manners THEN n.gap_ms ELSE h.gap_ms END
            FROM unnest($1::smallint[], $2::text[], $3::boolean[], $4::boolean[], $5::boolean[],
              $6::bigint[], $7::bigint[])
              AS n(shard, name, feeds, pages, manners, resting_until, gap_ms)
            WHERE h.shard = n.shard AND h.name = n.name";
        let touched: Vec<&Touched> = self.0.values().collect();
        let manners: Vec<Manners> = touched
            .iter()
            .map(|host| host.manners.unwrap_or_default())
            .collect();
        let is = |what: fn(&Touched) -> bool| -> Vec<bool> {
            touched.iter().map(|host| what(host)).collect()
        };
        let resting: Vec<Option<i64>> = manners
            .iter()
            .map(|manners| manners.resting_until.map(ms))
            .collect();
        let gaps: Vec<Option<i64>> = manners
            .iter()
            .map(|manners| manners.gap.map(json::millis).map(int))
            .collect();
        execute(
            transaction,
            sql,
            &[
                &shards,
                &names,
                &is(|host| host.feeds),
                &is(|host| host.pages),
                &is(|host| host.manners.is_some()),
                &resting,
                &gaps,
            ],
        )
        .await?;
        Ok(())
    }
}

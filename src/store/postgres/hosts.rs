//! When each host's first feed and first page are due, kept beside the queues themselves.
//!
//! Several workers may write to one host's row: the owner of its shard, and whoever finds a
//! page of it. So an addition only ever makes the time earlier; and who removes or postpones
//! work locks the row first and then, in a statement of its own, reads the first time anew.
//! A statement sees what was committed before it began (READ COMMITTED): no addition is lost.

use std::collections::BTreeSet;

use deadpool_postgres::Transaction;

use super::fault::Fault;
use super::statement::execute;

/// Hosts by shard and name, in the order in which their rows are locked.
#[derive(Debug, Default)]
pub(super) struct Hosts(BTreeSet<(i16, String)>);

impl Hosts {
    pub(super) fn insert(&mut self, shard: i16, name: String) {
        self.0.insert((shard, name));
    }

    fn columns(&self) -> (Vec<i16>, Vec<&str>) {
        self.0
            .iter()
            .map(|(shard, name)| (*shard, name.as_str()))
            .unzip()
    }
}

/// Feeds of these hosts have become due at `due_ms`.
pub(super) async fn feeds_due(
    transaction: &Transaction<'_>,
    hosts: &Hosts,
    due_ms: i64,
) -> Result<(), Fault> {
    let sql = "INSERT INTO host (shard, name, feed_due_at)
               SELECT shard, name, $3
               FROM unnest($1::smallint[], $2::text[]) AS n(shard, name)
               ON CONFLICT (shard, name) DO UPDATE
                 SET feed_due_at = LEAST(host.feed_due_at, excluded.feed_due_at)";
    let (shards, names) = hosts.columns();
    execute(transaction, sql, &[&shards, &names, &due_ms]).await?;
    Ok(())
}

/// The times of feeds of these hosts have changed.
pub(super) async fn settle_feeds(
    transaction: &Transaction<'_>,
    hosts: &Hosts,
) -> Result<(), Fault> {
    let lock = "SELECT h.name FROM host h
                JOIN unnest($1::smallint[], $2::text[]) AS n(shard, name)
                  ON h.shard = n.shard AND h.name = n.name
                ORDER BY h.shard, h.name FOR UPDATE OF h";
    let settle = "UPDATE host h SET feed_due_at =
                    (SELECT min(s.due_at) FROM feed_state s
                     WHERE s.shard = h.shard AND s.host = h.name)
                  FROM unnest($1::smallint[], $2::text[]) AS n(shard, name)
                  WHERE h.shard = n.shard AND h.name = n.name";
    let (shards, names) = hosts.columns();
    execute(transaction, lock, &[&shards, &names]).await?;
    execute(transaction, settle, &[&shards, &names]).await?;
    Ok(())
}

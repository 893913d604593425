//! The rows of workers and shards: who lives, and who owns what.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use deadpool_postgres::Client;

use super::super::column::int;
use super::super::fleet::{self, Done, Role};
use super::convert::{self, held_columns};
use super::fault::Fault;
use super::statement::{Values, execute, get, maybe_row, row, rows};
use crate::model::{N_SHARDS, Shard};

/// What a look at the shards found.
pub(super) struct Look {
    /// Workers that live and take part in the work, this one included unless it is drained.
    pub(super) n_workers: usize,
    /// Shards that nobody owns who lives.
    pub(super) n_free: usize,
    /// Ours, in the order of their ids.
    pub(super) ours: Vec<(Shard, u64)>,
}

/// The share of each of so many workers, rounded up: shards are claimed up to it.
pub(super) fn share(n_workers: usize) -> usize {
    usize::from(N_SHARDS).div_ceil(n_workers.max(1))
}

/// The same rounded down: who has it can wish for no more than a rest.
pub(super) fn least_share(n_workers: usize) -> usize {
    usize::from(N_SHARDS) / n_workers.max(1)
}

/// An id for a worker that no other has: random, positive, and short enough to be typed.
pub(super) fn new_id() -> i64 {
    let random = RandomState::new().hash_one("worker");
    i64::from(u32::try_from(random >> 32).unwrap_or(u32::MAX)) + 1
}

/// Makes the row of this worker. Rows of those that died long ago go.
pub(super) async fn register(
    client: &Client,
    me: i64,
    role: Role,
    lease: Duration,
) -> Result<(), Fault> {
    let pid = std::process::id().cast_signed();
    let sql = "INSERT INTO worker (id, machine, pid, version, role, started_at, seen_at, until)
               VALUES ($1, $2, $3, $4, $5, (extract(epoch FROM now()) * 1000)::BIGINT, now(),
                 now() + $6::FLOAT8 * INTERVAL '1 second')";
    let (machine, version) = (fleet::machine(), env!("CARGO_PKG_VERSION"));
    let lease = lease.as_secs_f64();
    execute(
        client,
        sql,
        &[&me, &machine, &pid, &version, &role.name(), &lease],
    )
    .await?;
    let sql = "DELETE FROM worker WHERE until < now() - INTERVAL '1 hour'";
    execute(client, sql, &[]).await?;
    Ok(())
}

/// Prolongs the life of this worker, if it still has one; says whether it was asked to end.
pub(super) async fn beat(
    client: &Client,
    me: i64,
    lease: Duration,
    done: Done,
    minute: Done,
) -> Result<Option<bool>, Fault> {
    let sql = "UPDATE worker SET until = now() + $2::FLOAT8 * INTERVAL '1 second', seen_at = now(),
                 polls = $3, scrapes = $4, articles = $5,
                 minute_polls = $6, minute_scrapes = $7, minute_articles = $8
               WHERE id = $1 AND until > now()
               RETURNING draining_at IS NOT NULL";
    let [polls, scrapes, articles] = columns(done);
    let [minute_polls, minute_scrapes, minute_articles] = columns(minute);
    let values: Values<'_> = &[
        &me,
        &lease.as_secs_f64(),
        &polls,
        &scrapes,
        &articles,
        &minute_polls,
        &minute_scrapes,
        &minute_articles,
    ];
    let row = maybe_row(client, sql, values).await?;
    row.map(|row| get(&row, 0)).transpose()
}

fn columns(done: Done) -> [i64; 3] {
    [done.polls, done.scrapes, done.articles].map(int)
}

/// How many share the work, and what is ours of it.
pub(super) async fn look(client: &Client, me: i64) -> Result<Look, Fault> {
    let sql = "SELECT
                 (SELECT count(*) FROM worker
                  WHERE until > now() AND role <> 'serve' AND draining_at IS NULL),
                 (SELECT count(*) FROM shard s
                  WHERE s.owner IS NULL OR NOT EXISTS
                    (SELECT 1 FROM worker w WHERE w.id = s.owner AND w.until > now()))";
    let counts = row(client, sql, &[]).await?;
    let sql = "SELECT id, epoch FROM shard WHERE owner = $1 ORDER BY id";
    let ours = rows(client, sql, &[&me]).await?;
    Ok(Look {
        n_workers: usize::try_from(convert::count(&counts, 0)?).unwrap_or(usize::MAX),
        n_free: usize::try_from(convert::count(&counts, 1)?).unwrap_or(usize::MAX),
        ours: ours.iter().map(owned).collect::<Result<_, _>>()?,
    })
}

/// Takes up to `limit` shards of those that nobody owns who lives. Who wants the same at the
/// same time takes others.
pub(super) async fn claim(
    client: &Client,
    me: i64,
    limit: usize,
) -> Result<Vec<(Shard, u64)>, Fault> {
    // As an array, the inner query runs once; joined, it might run again and take more.
    let sql = "UPDATE shard SET owner = $1, epoch = epoch + 1
               WHERE id = ANY (ARRAY (
                   SELECT s.id FROM shard s
                   WHERE s.owner IS NULL OR NOT EXISTS
                     (SELECT 1 FROM worker w WHERE w.id = s.owner AND w.until > now())
                   ORDER BY s.id LIMIT $2 FOR UPDATE OF s SKIP LOCKED))
                 AND EXISTS (SELECT 1 FROM worker w WHERE w.id = $1 AND w.until > now())
               RETURNING id, epoch";
    let claimed = rows(client, sql, &[&me, &int(limit)]).await?;
    let mut claimed: Vec<(Shard, u64)> = claimed.iter().map(owned).collect::<Result<_, _>>()?;
    claimed.sort_unstable();
    Ok(claimed)
}

/// Gives shards back in which nothing is under way.
pub(super) async fn release(
    client: &Client,
    me: i64,
    shards: &[(Shard, u64)],
) -> Result<(), Fault> {
    let (ids, _) = held_columns(shards);
    let sql = "UPDATE shard SET owner = NULL, epoch = epoch + 1
               WHERE owner = $1 AND id = ANY ($2)";
    execute(client, sql, &[&me, &ids]).await?;
    Ok(())
}

/// Gives all shards back and removes the worker.
pub(super) async fn leave(client: &mut Client, me: i64) -> Result<(), Fault> {
    let transaction = client.transaction().await?;
    let sql = "UPDATE shard SET owner = NULL, epoch = epoch + 1 WHERE owner = $1";
    execute(&transaction, sql, &[&me]).await?;
    execute(&transaction, "DELETE FROM worker WHERE id = $1", &[&me]).await?;
    transaction.commit().await?;
    Ok(())
}

fn owned(row: &tokio_postgres::Row) -> Result<(Shard, u64), Fault> {
    Ok((convert::shard(row, 0)?, convert::count(row, 1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_all_workers_cover_all_shards() {
        for n_workers in 1..=2000 {
            let (most, least) = (share(n_workers), least_share(n_workers));
            assert!(most * n_workers >= 1024 && least * n_workers <= 1024);
            assert!(most - least <= 1);
        }
        assert_eq!((share(0), share(3), least_share(3)), (1024, 342, 341));
    }

    #[test]
    fn ids_are_positive_short_and_differ() {
        let ids: std::collections::HashSet<i64> = (0..100).map(|_| new_id()).collect();

        assert!(ids.len() > 95);
        assert!(ids.iter().all(|id| (1..=1 << 32).contains(id)));
    }
}

//! What is due: reading the queue. Nothing is written; work stays due until its result is
//! recorded.
//!
//! Hosts come first, oldest first, through an index over all shards: a worker that owns a
//! part of them passes over the hosts of others, which are as many as it has partners. The
//! first work of each host comes along in the same statement.

use std::time::Duration;

use deadpool_postgres::{Client, GenericClient};
use jiff::Timestamp;
use tokio_postgres::Row;

use super::super::column::{int, ms, natural, time};
use super::super::json;
use super::super::record::{Backlog, Claim, DueFeed, DuePage, Lease, Manners};
use super::convert::{count, held_columns, lease, shard_column, small_count};
use super::fault::Fault;
use super::statement::{get, maybe_row, row, rows};
use crate::model::{ArticleId, FeedId, FeedUrl, HostKey, N_SHARDS, PageUrl, Shard, Validators};
use crate::schedule::PollState;

/// The shards that work is read from, each with its epoch.
pub(super) type Held = [(Shard, u64)];

/// A worker whose queue is longer counts no further: it looks at it twice a second.
const COUNTED_AT_MOST: i64 = 20_000;

/// Columns of a due feed, behind its host's.
const FEED_COLUMNS: &str = "s.feed_id, coalesce(s.moved_url, f.url), s.due_at, s.etag,
    s.last_modified, s.validator_url, s.body_hash, s.failures, s.gone, s.hinted_interval_ms,
    f.settings, s.moves";

/// A feed that may be polled, whatever its due time says: a person may pause it while its
/// last poll is being recorded.
const IS_POLLED: &str = "f.paused_at IS NULL AND f.retired_at IS NULL";

/// Feeds that are due, oldest first, at most one per host and none of a busy host.
pub(super) async fn due_feeds(
    client: &Client,
    held: &Held,
    claim: &Claim,
) -> Result<Vec<DueFeed>, Fault> {
    let sql = format!(
        "WITH due AS (
           SELECT h.shard, h.name, h.feed_due_at, h.resting_until, h.gap_ms FROM host h
           WHERE h.feed_due_at <= $3 AND h.shard = ANY($1) AND h.name <> ALL($4)
           ORDER BY h.feed_due_at, h.name LIMIT $5)
         SELECT h.shard, m.epoch, h.name, h.resting_until, h.gap_ms, w.*
         FROM due h
         JOIN unnest($1::smallint[], $2::bigint[]) AS m(shard, epoch) ON m.shard = h.shard
         CROSS JOIN LATERAL (
           SELECT {FEED_COLUMNS}
           FROM feed_state s JOIN feed f ON f.id = s.feed_id
           WHERE s.shard = h.shard AND s.host = h.name AND s.due_at <= $3 AND {IS_POLLED}
           ORDER BY s.due_at, s.feed_id LIMIT 1) w
         ORDER BY h.feed_due_at, h.name"
    );
    first_of_each_host(client, &sql, held, claim, read_due_feed).await
}

/// Pages that are due, oldest first, at most one per host and none of a busy host.
pub(super) async fn due_pages(
    client: &Client,
    held: &Held,
    claim: &Claim,
) -> Result<Vec<DuePage>, Fault> {
    let sql = "WITH due AS (
           SELECT h.shard, h.name, h.page_due_at, h.resting_until, h.gap_ms FROM host h
           WHERE h.page_due_at <= $3 AND h.shard = ANY($1) AND h.name <> ALL($4)
           ORDER BY h.page_due_at, h.name LIMIT $5)
         SELECT h.shard, m.epoch, h.name, h.resting_until, h.gap_ms, w.*
         FROM due h
         JOIN unnest($1::smallint[], $2::bigint[]) AS m(shard, epoch) ON m.shard = h.shard
         CROSS JOIN LATERAL (
           SELECT j.article_id, j.url, j.due_at, j.attempts, f.settings, j.moves
           FROM page_job j JOIN feed f ON f.id = j.feed_id
           WHERE j.shard = h.shard AND j.host = h.name AND j.due_at <= $3
           ORDER BY j.due_at, j.article_id LIMIT 1) w
         ORDER BY h.page_due_at, h.name";
    first_of_each_host(client, sql, held, claim, read_due_page).await
}

async fn first_of_each_host<T>(
    client: &Client,
    sql: &str,
    held: &Held,
    claim: &Claim,
    read: fn(&Row) -> Result<Option<T>, Fault>,
) -> Result<Vec<T>, Fault> {
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let (shards, epochs) = held_columns(held);
    let busy: Vec<&str> = claim.busy.iter().map(HostKey::as_str).collect();
    let (now, limit) = (ms(claim.now), int(claim.limit));
    let found = rows(client, sql, &[&shards, &epochs, &now, &busy, &limit]).await?;
    let mut due = Vec::with_capacity(found.len());
    for row in &found {
        due.extend(read(row)?);
    }
    Ok(due)
}

/// One feed, if it is due and ours, whatever else its host has to do.
pub(super) async fn due_feed(
    client: &Client,
    held: &Held,
    feed: FeedId,
    now: Timestamp,
) -> Result<Option<DueFeed>, Fault> {
    let sql = format!(
        "SELECT h.shard, m.epoch, h.name, h.resting_until, h.gap_ms, {FEED_COLUMNS}
         FROM feed_state s
         JOIN feed f ON f.id = s.feed_id
         JOIN unnest($1::smallint[], $2::bigint[]) AS m(shard, epoch) ON m.shard = s.shard
         JOIN host h ON h.shard = s.shard AND h.name = s.host
         WHERE s.feed_id = $3 AND s.due_at <= $4 AND {IS_POLLED}"
    );
    let (shards, epochs) = held_columns(held);
    match maybe_row(client, &sql, &[&shards, &epochs, &feed.0, &ms(now)]).await? {
        Some(row) => read_due_feed(&row),
        None => Ok(None),
    }
}

/// What every kind of work has: its lease, its host, and what that host asked for.
struct Work {
    lease: Lease,
    host: HostKey,
    manners: Manners,
}

impl Work {
    fn read(row: &Row) -> Result<Self, Fault> {
        let resting: Option<i64> = get(row, 3)?;
        Ok(Self {
            lease: lease(row, 0)?,
            host: HostKey::stored(get(row, 2)?),
            manners: Manners {
                resting_until: resting.map(time),
                gap: span(get(row, 4)?),
            },
        })
    }
}

/// `None` for a URL that an older version accepted and this one does not.
fn read_due_feed(row: &Row) -> Result<Option<DueFeed>, Fault> {
    let Ok(url) = FeedUrl::parse(get(row, 6)?) else {
        return Ok(None);
    };
    let work = Work::read(row)?;
    Ok(Some(DueFeed {
        feed: FeedId(get(row, 5)?),
        lease: work.lease,
        url,
        host: work.host,
        due_at: time(get(row, 7)?),
        validators: Validators {
            etag: get(row, 8)?,
            last_modified: get(row, 9)?,
            url: get(row, 10)?,
        },
        body_hash: get(row, 11)?,
        state: PollState {
            failures: small_count(row, 12)?,
            gone: small_count(row, 13)?,
            hinted_interval: span(get(row, 14)?),
        },
        settings: json::read_settings(get(row, 15)?),
        moves: small_count(row, 16)?,
        manners: work.manners,
    }))
}

fn read_due_page(row: &Row) -> Result<Option<DuePage>, Fault> {
    let Ok(url) = PageUrl::parse(get(row, 6)?) else {
        return Ok(None);
    };
    let work = Work::read(row)?;
    Ok(Some(DuePage {
        article: ArticleId(get(row, 5)?),
        lease: work.lease,
        url,
        host: work.host,
        due_at: time(get(row, 7)?),
        attempts: small_count(row, 8)?,
        settings: json::read_settings(get(row, 9)?),
        moves: small_count(row, 10)?,
        manners: work.manners,
    }))
}

fn span(span_ms: Option<i64>) -> Option<Duration> {
    span_ms.map(|ms| Duration::from_millis(natural(ms)))
}

/// How much is due now, and when the next thing will be: in the shards of a worker, or in
/// all of them for who only asks. Each shard's index is read from its head on, so that what
/// is not due costs nothing; a worker counts no further than it needs to know.
pub(super) async fn backlog(
    client: &impl GenericClient,
    held: Option<&Held>,
    now: Timestamp,
) -> Result<Backlog, Fault> {
    let sql = "SELECT
        (SELECT count(*) FROM (
           SELECT 1 FROM unnest($2::smallint[]) AS m(shard)
           JOIN feed_state s ON s.shard = m.shard AND s.due_at <= $1 LIMIT $3) f),
        (SELECT count(*) FROM (
           SELECT 1 FROM unnest($2::smallint[]) AS m(shard)
           JOIN page_job j ON j.shard = m.shard AND j.due_at <= $1 LIMIT $3) p),
        (SELECT min(n.due_at) FROM unnest($2::smallint[]) AS m(shard)
         CROSS JOIN LATERAL (
           SELECT s.due_at FROM feed_state s WHERE s.shard = m.shard AND s.due_at > $1
           ORDER BY s.due_at LIMIT 1) n),
        (SELECT min(n.due_at) FROM unnest($2::smallint[]) AS m(shard)
         CROSS JOIN LATERAL (
           SELECT j.due_at FROM page_job j WHERE j.shard = m.shard AND j.due_at > $1
           ORDER BY j.due_at LIMIT 1) n)";
    let (shards, limit) = match held {
        Some(held) => (held_columns(held).0, COUNTED_AT_MOST),
        None => (
            (0..N_SHARDS).map(|n| shard_column(Shard(n))).collect(),
            i64::MAX,
        ),
    };
    let row = row(client, sql, &[&ms(now), &shards, &limit]).await?;
    let next_feed: Option<i64> = get(&row, 2)?;
    let next_page: Option<i64> = get(&row, 3)?;
    Ok(Backlog {
        due_feeds: count(&row, 0)?,
        due_pages: count(&row, 1)?,
        next_due: next_feed.into_iter().chain(next_page).min().map(time),
    })
}

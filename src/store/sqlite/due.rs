//! What is due: reading the queue. Nothing is written; work stays due until its result is
//! recorded.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::super::json;
use super::super::record::{Backlog, Claim, DueFeed, DuePage, Lease, Manners};
use super::fault::Fault;
use super::{count, int, ms, time};
use crate::model::{ArticleId, FeedId, FeedUrl, HostKey, PageUrl, Shard, Validators};
use crate::schedule::PollState;

/// One process owns all shards, so the epoch never moves.
const EPOCH: u64 = 0;

pub(super) fn due_feeds(connection: &Connection, claim: &Claim) -> Result<Vec<DueFeed>, Fault> {
    let hosts = "SELECT name FROM host
                 WHERE feed_due_at <= :now
                   AND name NOT IN (SELECT value FROM json_each(:busy))
                 ORDER BY feed_due_at, name LIMIT :limit";
    let first = "SELECT s.feed_id, s.shard, coalesce(s.moved_url, f.url), s.host, s.due_at, s.etag,
                   s.last_modified, s.validator_url, s.body_hash, s.failures, s.gone,
                   s.hinted_interval_ms, f.settings, s.moves, h.resting_until, h.gap_ms
                 FROM feed_state s JOIN feed f ON f.id = s.feed_id
                   LEFT JOIN host h ON h.name = s.host
                 WHERE s.host = :host AND s.due_at <= :now
                 ORDER BY s.due_at, s.feed_id LIMIT 1";
    first_of_each_host(connection, claim, hosts, first, read_due_feed)
}

pub(super) fn due_pages(connection: &Connection, claim: &Claim) -> Result<Vec<DuePage>, Fault> {
    let hosts = "SELECT name FROM host
                 WHERE page_due_at <= :now
                   AND name NOT IN (SELECT value FROM json_each(:busy))
                 ORDER BY page_due_at, name LIMIT :limit";
    let first = "SELECT j.article_id, j.shard, j.url, j.host, j.due_at, j.attempts, f.settings,
                   j.moves, h.resting_until, h.gap_ms
                 FROM page_job j JOIN feed f ON f.id = j.feed_id
                   LEFT JOIN host h ON h.name = j.host
                 WHERE j.host = :host AND j.due_at <= :now
                 ORDER BY j.due_at, j.article_id LIMIT 1";
    first_of_each_host(connection, claim, hosts, first, read_due_page)
}

/// One feed, if it is due, whatever else its host has to do.
pub(super) fn due_feed(
    connection: &Connection,
    feed: FeedId,
    now: Timestamp,
) -> Result<Option<DueFeed>, Fault> {
    let sql = "SELECT s.feed_id, s.shard, coalesce(s.moved_url, f.url), s.host, s.due_at, s.etag,
                 s.last_modified, s.validator_url, s.body_hash, s.failures, s.gone,
                 s.hinted_interval_ms, f.settings, s.moves, h.resting_until, h.gap_ms
               FROM feed_state s JOIN feed f ON f.id = s.feed_id
                 LEFT JOIN host h ON h.name = s.host
               WHERE s.feed_id = :feed AND s.due_at <= :now";
    let due = connection
        .prepare_cached(sql)?
        .query_row(
            named_params! {":feed": feed.0, ":now": ms(now)},
            read_due_feed,
        )
        .optional()?;
    Ok(due.flatten())
}

/// The hosts whose first work is due, oldest first, and that work of each.
fn first_of_each_host<T>(
    connection: &Connection,
    claim: &Claim,
    hosts: &str,
    first: &str,
    read: fn(&Row<'_>) -> rusqlite::Result<Option<T>>,
) -> Result<Vec<T>, Fault> {
    let busy: Vec<&str> = claim.busy.iter().map(HostKey::as_str).collect();
    let hosts: Vec<String> = connection
        .prepare_cached(hosts)?
        .query_map(
            named_params! {
                ":now": ms(claim.now),
                ":busy": json::write(&busy),
                ":limit": int(claim.limit),
            },
            |row| row.get(0),
        )?
        .collect::<Result<_, _>>()?;
    let mut first = connection.prepare_cached(first)?;
    let mut due = Vec::with_capacity(hosts.len());
    for host in hosts {
        let work = first
            .query_row(named_params! {":host": host, ":now": ms(claim.now)}, read)
            .optional()?;
        due.extend(work.flatten());
    }
    Ok(due)
}

/// `None` for a URL that an older version accepted and this one does not.
fn read_due_feed(row: &Row<'_>) -> rusqlite::Result<Option<DueFeed>> {
    let Ok(url) = FeedUrl::parse(&row.get::<_, String>(2)?) else {
        return Ok(None);
    };
    Ok(Some(DueFeed {
        feed: FeedId(row.get(0)?),
        lease: lease(row.get(1)?),
        url,
        host: HostKey::stored(row.get(3)?),
        due_at: time(row.get(4)?),
        validators: Validators {
            etag: row.get(5)?,
            last_modified: row.get(6)?,
            url: row.get(7)?,
        },
        body_hash: row.get(8)?,
        state: PollState {
            failures: row.get(9)?,
            gone: row.get(10)?,
            hinted_interval: row.get::<_, Option<i64>>(11)?.and_then(span),
        },
        settings: json::read_settings(&row.get::<_, String>(12)?),
        moves: row.get(13)?,
        manners: manners(row.get(14)?, row.get(15)?),
    }))
}

fn read_due_page(row: &Row<'_>) -> rusqlite::Result<Option<DuePage>> {
    let Ok(url) = PageUrl::parse(&row.get::<_, String>(2)?) else {
        return Ok(None);
    };
    Ok(Some(DuePage {
        article: ArticleId(row.get(0)?),
        lease: lease(row.get(1)?),
        url,
        host: HostKey::stored(row.get(3)?),
        due_at: time(row.get(4)?),
        attempts: row.get(5)?,
        settings: json::read_settings(&row.get::<_, String>(6)?),
        moves: row.get(7)?,
        manners: manners(row.get(8)?, row.get(9)?),
    }))
}

/// A span from a column; what is negative is none.
fn span(ms: i64) -> Option<Duration> {
    u64::try_from(ms).ok().map(Duration::from_millis)
}

fn manners(resting_until: Option<i64>, gap_ms: Option<i64>) -> Manners {
    Manners {
        resting_until: resting_until.map(time),
        gap: gap_ms.and_then(span),
    }
}

fn lease(shard: u16) -> Lease {
    Lease {
        shard: Shard(shard),
        epoch: EPOCH,
    }
}

/// Whether what was read under `lease` may still be recorded.
pub(super) fn is_current(lease: Lease) -> bool {
    lease.epoch == EPOCH
}

pub(super) fn backlog(connection: &Connection, now: Timestamp) -> Result<Backlog, Fault> {
    let sql = "SELECT
        (SELECT count(*) FROM feed_state WHERE due_at <= :now),
        (SELECT count(*) FROM page_job WHERE due_at <= :now),
        (SELECT min(due_at) FROM feed_state WHERE due_at > :now),
        (SELECT min(due_at) FROM page_job WHERE due_at > :now)";
    let backlog =
        connection
            .prepare_cached(sql)?
            .query_row(named_params! {":now": ms(now)}, |row| {
                let next_feed: Option<i64> = row.get(2)?;
                let next_page: Option<i64> = row.get(3)?;
                Ok(Backlog {
                    due_feeds: count(row, 0)?,
                    due_pages: count(row, 1)?,
                    next_due: next_feed.into_iter().chain(next_page).min().map(time),
                })
            })?;
    Ok(backlog)
}

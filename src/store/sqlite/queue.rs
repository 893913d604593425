//! When each host's first feed and first page are due. Kept beside the queues themselves,
//! in the same transaction, so that choosing due work costs the same however long one
//! host's queue is.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::super::json;
use super::super::record::Manners;
use super::super::recording;
use super::{int, ms};
use crate::model::HostKey;

/// Hosts whose queues a command has changed; written once, at its end.
#[derive(Debug, Default)]
pub(super) struct Touched {
    feeds: BTreeSet<HostKey>,
}

impl Touched {
    pub(super) fn feeds_of(&mut self, host: &HostKey) {
        self.feeds.insert(host.clone());
    }

    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        for host in self.feeds {
            write_feeds(connection, &host)?;
        }
        Ok(())
    }
}

/// Writes what a report changed about a host.
pub(super) fn write(
    connection: &Connection,
    host: &HostKey,
    touched: &recording::Touched,
) -> rusqlite::Result<()> {
    if touched.feeds {
        write_feeds(connection, host)?;
    }
    if touched.pages {
        write_pages(connection, host)?;
    }
    match &touched.manners {
        Some(manners) => write_manners(connection, host, manners),
        None => Ok(()),
    }
}

fn write_feeds(connection: &Connection, host: &HostKey) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO host (name, shard, feed_due_at)
             VALUES (?1, ?2, (SELECT min(due_at) FROM feed_state
                              WHERE host = ?1 AND due_at IS NOT NULL))
             ON CONFLICT (name) DO UPDATE SET feed_due_at = excluded.feed_due_at",
        )?
        .execute((host.as_str(), host.shard().0))?;
    Ok(())
}

fn write_pages(connection: &Connection, host: &HostKey) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO host (name, shard, page_due_at)
             VALUES (?1, ?2, (SELECT min(due_at) FROM page_job WHERE host = ?1))
             ON CONFLICT (name) DO UPDATE SET page_due_at = excluded.page_due_at",
        )?
        .execute((host.as_str(), host.shard().0))?;
    Ok(())
}

/// What a host asked for. Most ask for nothing, again and again.
fn write_manners(
    connection: &Connection,
    host: &HostKey,
    manners: &Manners,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE host SET resting_until = ?2, gap_ms = ?3
             WHERE name = ?1 AND (resting_until IS NOT ?2 OR gap_ms IS NOT ?3)",
        )?
        .execute((
            host.as_str(),
            manners.resting_until.map(ms),
            manners.gap.map(json::millis).map(int),
        ))?;
    Ok(())
}

//! When each host's first feed and first page are due. Kept beside the queues themselves,
//! in the same transaction, so that choosing due work costs the same however long one
//! host's queue is.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::model::HostKey;

/// Hosts whose queues a command has changed; written once, at its end.
#[derive(Debug, Default)]
pub(super) struct Touched {
    feeds: BTreeSet<HostKey>,
    pages: BTreeSet<HostKey>,
}

impl Touched {
    pub(super) fn feeds_of(&mut self, host: &HostKey) {
        self.feeds.insert(host.clone());
    }

    pub(super) fn pages_of(&mut self, host: &HostKey) {
        self.pages.insert(host.clone());
    }

    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        for host in self.feeds {
            connection
                .prepare_cached(
                    "INSERT INTO host (name, shard, feed_due_at)
                     VALUES (?1, ?2, (SELECT min(due_at) FROM feed_state
                                      WHERE host = ?1 AND due_at IS NOT NULL))
                     ON CONFLICT (name) DO UPDATE SET feed_due_at = excluded.feed_due_at",
                )?
                .execute((host.as_str(), host.shard().0))?;
        }
        for host in self.pages {
            connection
                .prepare_cached(
                    "INSERT INTO host (name, shard, page_due_at)
                     VALUES (?1, ?2, (SELECT min(due_at) FROM page_job WHERE host = ?1))
                     ON CONFLICT (name) DO UPDATE SET page_due_at = excluded.page_due_at",
                )?
                .execute((host.as_str(), host.shard().0))?;
        }
        Ok(())
    }
}

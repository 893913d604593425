//! Entries and URLs that are asked for by themselves.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension};

use super::super::column::storable;
use super::super::decide;
use super::fault::Fault;
use crate::canonical::CanonicalUrl;
use crate::model::{ArticleId, FeedId};

/// Places of the entries, each with its hash, that are there with the same hash.
pub(super) fn known_entries(
    connection: &Connection,
    feed: FeedId,
    entries: &[(String, i64)],
) -> Result<HashSet<usize>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT entry_hash FROM sighting
         WHERE feed_id = ?1 AND entry_key = ?2 AND entry_id = ?3",
    )?;
    let mut known = HashSet::new();
    for (place, (entry_id, entry_hash)) in entries.iter().enumerate() {
        let entry_id = storable(entry_id);
        let hash: Option<i64> = statement
            .query_row((feed.0, decide::key(&entry_id), &entry_id), |row| {
                row.get(0)
            })
            .optional()?;
        if hash == Some(*entry_hash) {
            known.insert(place);
        }
    }
    Ok(known)
}

/// The article that a normal form means to a person: the one announced under it, else the
/// first whose page was found there.
pub(super) fn article_of(
    connection: &Connection,
    canonical: &CanonicalUrl,
) -> rusqlite::Result<Option<ArticleId>> {
    connection
        .prepare_cached(
            "SELECT article_id FROM alias WHERE key = ?1 AND form = ?2
             ORDER BY reason = 'announced' DESC, added_at, article_id LIMIT 1",
        )?
        .query_row((canonical.key(), canonical.as_str()), |row| {
            row.get(0).map(ArticleId)
        })
        .optional()
}

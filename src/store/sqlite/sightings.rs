//! Sightings: what one entry of one feed said, and which article it announced.

use rusqlite::{Connection, named_params};

use super::super::decide;
use super::super::recording::{Said, SightingRow};

/// A first sighting of an entry, of an article that stands at `sort_at`.
pub(super) fn insert(
    connection: &Connection,
    sighting: &SightingRow,
    sort_at: i64,
) -> rusqlite::Result<()> {
    let Some(said) = &sighting.said else {
        return Ok(());
    };
    let guid = sighting.renamed.as_ref().unwrap_or(&said.guid);
    connection
        .prepare_cached(
            "INSERT INTO sighting (id, feed_id, entry_key, entry_id, article_id, sort_at, guid, url,
               title, summary, enc, content, published_at, updated_at, authors, tags, enclosures,
               entry_hash, seen_at, changed_at)
             VALUES (:id, :feed, :entry_key, :entry_id, :article, :sort_at, :guid, :url,
               :title, :summary, :enc, :content, :published, :updated, :authors, :tags, :enclosures,
               :entry_hash, :seen_at, :changed_at)",
        )?
        .execute(named_params! {
            ":id": sighting.id,
            ":feed": sighting.feed.0,
            ":entry_key": decide::key(&sighting.entry_id),
            ":entry_id": sighting.entry_id,
            ":article": sighting.article.0,
            ":sort_at": sort_at,
            ":guid": guid,
            ":url": said.url,
            ":title": said.title,
            ":summary": said.summary,
            ":enc": said.content.as_ref().map(|content| content.enc),
            ":content": said.content.as_ref().map(|content| &content.data),
            ":published": said.published_at,
            ":updated": said.updated_at,
            ":authors": said.authors,
            ":tags": said.tags,
            ":enclosures": said.enclosures,
            ":entry_hash": said.entry_hash,
            ":seen_at": sighting.seen_at,
            ":changed_at": sighting.changed_at,
        })?;
    Ok(())
}

/// The same entry under a new id, or with other words.
pub(super) fn update(connection: &Connection, sighting: &SightingRow) -> rusqlite::Result<()> {
    if let Some(guid) = &sighting.renamed {
        connection
            .prepare_cached(
                "UPDATE sighting SET entry_key = ?2, entry_id = ?3, guid = ?4 WHERE id = ?1",
            )?
            .execute((
                sighting.id,
                decide::key(&sighting.entry_id),
                &sighting.entry_id,
                guid,
            ))?;
    }
    match &sighting.said {
        Some(said) => say(connection, sighting, said),
        None => Ok(()),
    }
}

fn say(connection: &Connection, sighting: &SightingRow, said: &Said) -> rusqlite::Result<()> {
    let guid = sighting.renamed.as_ref().unwrap_or(&said.guid);
    connection
        .prepare_cached(
            "UPDATE sighting SET guid = :guid, url = :url, title = :title, summary = :summary,
               enc = :enc, content = :content, published_at = :published, updated_at = :updated,
               authors = :authors, tags = :tags, enclosures = :enclosures,
               entry_hash = :entry_hash, changed_at = :changed_at
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": sighting.id,
            ":guid": guid,
            ":url": said.url,
            ":title": said.title,
            ":summary": said.summary,
            ":enc": said.content.as_ref().map(|content| content.enc),
            ":content": said.content.as_ref().map(|content| &content.data),
            ":published": said.published_at,
            ":updated": said.updated_at,
            ":authors": said.authors,
            ":tags": said.tags,
            ":enclosures": said.enclosures,
            ":entry_hash": said.entry_hash,
            ":changed_at": sighting.changed_at,
        })?;
    Ok(())
}

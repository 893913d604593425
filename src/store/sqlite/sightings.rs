//! Sightings: what one entry of one feed said, and which article it announced.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::super::decide;
use super::super::json;
use super::super::record::Announcement;
use super::entries::follow_feed;
use super::fault::Fault;
use super::{int, ms, state};
use crate::model::{ArticleId, FeedId};

/// Most sightings of an article by one feed, and most notes of one content in one feed: as
/// many as the comments on an article that a feed may announce one by one. A new one takes
/// the place of the oldest.
const MAX_ALIKE: usize = 64;

/// A sighting that is there.
pub(super) struct Sighting {
    pub(super) id: i64,
    pub(super) article: ArticleId,
    pub(super) entry_hash: i64,
    /// The identity of its entry within the feed.
    entry_id: String,
}

fn read_sighting(row: &Row<'_>) -> rusqlite::Result<Sighting> {
    Ok(Sighting {
        id: row.get(0)?,
        article: ArticleId(row.get(1)?),
        entry_hash: row.get(2)?,
        entry_id: row.get(3)?,
    })
}

/// The sighting of the entry with this id.
pub(super) fn by_id(
    connection: &Connection,
    feed: FeedId,
    entry_id: &str,
) -> rusqlite::Result<Option<Sighting>> {
    connection
        .prepare_cached(
            "SELECT id, article_id, entry_hash, entry_id FROM sighting
             WHERE feed_id = ?1 AND entry_key = ?2 AND entry_id = ?3",
        )?
        .query_row((feed.0, decide::key(entry_id), entry_id), read_sighting)
        .optional()
}

/// The sighting that an entry with a new id had under another id: one of the same article
/// that says all the same, or has its link and its title. `seen` are those of other
/// entries of the document.
pub(super) fn renamed(
    connection: &Connection,
    feed: FeedId,
    article: ArticleId,
    announcement: &Announcement,
    seen: &HashSet<i64>,
) -> rusqlite::Result<Option<Sighting>> {
    let alike: Vec<(Sighting, bool)> = connection
        .prepare_cached(
            "SELECT id, article_id, entry_hash, entry_id,
               entry_hash = :entry_hash OR (url = :url AND title IS :title) AS is_same
             FROM sighting WHERE article_id = :article AND feed_id = :feed
             ORDER BY entry_hash = :entry_hash DESC, is_same DESC, coalesce(changed_at, seen_at), id
             LIMIT :limit",
        )?
        .query_map(
            named_params! {
                ":article": article.0,
                ":feed": feed.0,
                ":entry_hash": announcement.entry_hash,
                ":url": announcement.url,
                ":title": decide::said(announcement.title.as_ref()),
                ":limit": int(MAX_ALIKE),
            },
            |row| Ok((read_sighting(row)?, row.get(4)?)),
        )?
        .collect::<Result<_, _>>()?;
    Ok(first_unseen(alike, seen))
}

/// The sighting that an entry without link had under another id: one that says all the same.
pub(super) fn renamed_note(
    connection: &Connection,
    feed: FeedId,
    announcement: &Announcement,
    seen: &HashSet<i64>,
) -> rusqlite::Result<Option<Sighting>> {
    let alike: Vec<(Sighting, bool)> = connection
        .prepare_cached(
            "SELECT id, article_id, entry_hash, entry_id FROM sighting
             WHERE feed_id = ?1 AND entry_hash = ?2 AND url IS NULL ORDER BY id LIMIT ?3",
        )?
        .query_map((feed.0, announcement.entry_hash, int(MAX_ALIKE)), |row| {
            Ok((read_sighting(row)?, true))
        })?
        .collect::<Result<_, _>>()?;
    Ok(first_unseen(alike, seen))
}

/// The first of `alike` that is the same and not seen; where there are too many already,
/// the best of them anyway.
fn first_unseen(alike: Vec<(Sighting, bool)>, seen: &HashSet<i64>) -> Option<Sighting> {
    let is_full = alike.len() == MAX_ALIKE;
    let free = alike
        .iter()
        .position(|(sighting, is_same)| (*is_same || is_full) && !seen.contains(&sighting.id));
    let at = free.or(is_full.then_some(0))?;
    alike.into_iter().nth(at).map(|(sighting, _)| sighting)
}

pub(super) fn is_sighted(
    connection: &Connection,
    feed: FeedId,
    article: ArticleId,
) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM sighting WHERE article_id = ?2 AND feed_id = ?1")?
        .exists((feed.0, article.0))
}

/// A first sighting of an entry.
pub(super) fn insert(
    connection: &Connection,
    feed: FeedId,
    article: ArticleId,
    announcement: &Announcement,
    at: Timestamp,
) -> Result<Sighting, Fault> {
    let content = announcement.content_html.as_deref().map(state::pack);
    connection
        .prepare_cached(
            "INSERT INTO sighting (feed_id, entry_key, entry_id, article_id, sort_at, guid, url,
               title, summary, enc, content, published_at, updated_at, authors, tags, enclosures,
               entry_hash, seen_at)
             VALUES (:feed, :entry_key, :entry_id, :article,
               (SELECT sort_at FROM article WHERE id = :article), :guid, :url,
               :title, :summary, :enc, :content, :published, :updated, :authors, :tags, :enclosures,
               :entry_hash, :at)",
        )?
        .execute(named_params! {
            ":feed": feed.0,
            ":entry_key": decide::key(&announcement.entry_id),
            ":entry_id": announcement.entry_id,
            ":article": article.0,
            ":guid": announcement.guid,
            ":url": announcement.url,
            ":title": decide::said(announcement.title.as_ref()),
            ":summary": decide::said(announcement.summary.as_ref()),
            ":enc": content.as_ref().map(|(enc, _)| enc),
            ":content": content.as_ref().map(|(_, data)| data),
            ":published": announcement.published.map(ms),
            ":updated": announcement.updated.map(ms),
            ":authors": json::write(&announcement.authors),
            ":tags": json::write(&announcement.tags),
            ":enclosures": json::write_enclosures(&announcement.enclosures),
            ":entry_hash": announcement.entry_hash,
            ":at": ms(at),
        })?;
    Ok(Sighting {
        id: connection.last_insert_rowid(),
        article,
        entry_hash: announcement.entry_hash,
        entry_id: announcement.entry_id.clone(),
    })
}

/// What the entry of a known sighting says now.
pub(super) fn follow(
    connection: &Connection,
    known: &Sighting,
    announcement: &Announcement,
    at: Timestamp,
) -> Result<(), Fault> {
    if known.entry_id != announcement.entry_id {
        rename(connection, known, announcement)?;
    }
    if known.entry_hash != announcement.entry_hash {
        update(connection, known, announcement, at)?;
    }
    Ok(())
}

/// The same entry under a new id.
fn rename(
    connection: &Connection,
    known: &Sighting,
    announcement: &Announcement,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE sighting SET entry_key = ?2, entry_id = ?3, guid = ?4 WHERE id = ?1",
        )?
        .execute((
            known.id,
            decide::key(&announcement.entry_id),
            &announcement.entry_id,
            &announcement.guid,
        ))?;
    Ok(())
}

/// A changed entry: the sighting says what the feed says now. Where the article is the
/// feed's own word and this is its first sighting, the article follows.
fn update(
    connection: &Connection,
    known: &Sighting,
    announcement: &Announcement,
    at: Timestamp,
) -> Result<(), Fault> {
    let content = announcement.content_html.as_deref().map(state::pack);
    let is_worded_alike = is_worded_alike(connection, known, announcement, content.as_ref())?;
    connection
        .prepare_cached(
            "UPDATE sighting SET guid = :guid, url = :url, title = :title, summary = :summary,
               enc = :enc, content = :content, published_at = :published, updated_at = :updated,
               authors = :authors, tags = :tags, enclosures = :enclosures,
               entry_hash = :entry_hash, changed_at = :at
             WHERE id = :sighting",
        )?
        .execute(named_params! {
            ":sighting": known.id,
            ":guid": announcement.guid,
            ":url": announcement.url,
            ":title": decide::said(announcement.title.as_ref()),
            ":summary": decide::said(announcement.summary.as_ref()),
            ":enc": content.as_ref().map(|(enc, _)| enc),
            ":content": content.as_ref().map(|(_, data)| data),
            ":published": announcement.published.map(ms),
            ":updated": announcement.updated.map(ms),
            ":authors": json::write(&announcement.authors),
            ":tags": json::write(&announcement.tags),
            ":enclosures": json::write_enclosures(&announcement.enclosures),
            ":entry_hash": announcement.entry_hash,
            ":at": ms(at),
        })?;
    if is_worded_alike {
        return Ok(());
    }
    if first_sighting(connection, known.article)? == Some(known.id) {
        follow_feed(connection, known.article, announcement)?;
    }
    Ok(state::changed(connection, known.article)?)
}

/// Whether nothing that is searched changed: a new date alone is nothing for the index.
fn is_worded_alike(
    connection: &Connection,
    known: &Sighting,
    announcement: &Announcement,
    content: Option<&(i64, Vec<u8>)>,
) -> rusqlite::Result<bool> {
    if content.is_none() && announcement.content_text.is_some() {
        return Ok(false);
    }
    connection
        .prepare_cached(
            "SELECT title IS :title AND summary IS :summary AND content IS :content
               AND authors = :authors AND tags = :tags
             FROM sighting WHERE id = :sighting",
        )?
        .query_row(
            named_params! {
                ":sighting": known.id,
                ":title": decide::said(announcement.title.as_ref()),
                ":summary": decide::said(announcement.summary.as_ref()),
                ":content": content.map(|(_, data)| data),
                ":authors": json::write(&announcement.authors),
                ":tags": json::write(&announcement.tags),
            },
            |row| row.get(0),
        )
}

fn first_sighting(connection: &Connection, article: ArticleId) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached(
            "SELECT id FROM sighting WHERE article_id = ?1 ORDER BY seen_at, id LIMIT 1",
        )?
        .query_row([article.0], |row| row.get(0))
        .optional()
}

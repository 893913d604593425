//! The rows that a unit of work asks for.

use rusqlite::{Connection, OptionalExtension, Row};

use super::super::decide::Publication;
use super::super::recording::{
    ArticleRow, Claim, First, Form, Found, JobRow, Mark, PageError, SightingRow, Unit, Wanted,
    Words, page_state, reason,
};
use super::{int, time};
use crate::canonical::CanonicalUrl;
use crate::dedup::ContentHash;
use crate::model::{ArticleId, FeedId, FeedUrl, HostKey, Shard};

/// What is there of `wanted`.
pub(super) fn find(connection: &Connection, wanted: &Wanted) -> rusqlite::Result<Found> {
    let mut found = Found::default();
    for &(feed, key) in &wanted.entries {
        found.sightings.extend(entries(connection, feed, key)?);
    }
    for &(feed, hash) in &wanted.notes {
        found.sightings.extend(notes(connection, feed, hash)?);
    }
    for &(article, feed) in &wanted.alike {
        found.sightings.extend(alike(connection, article, feed)?);
    }
    for &(_, sighting) in &wanted.words {
        let words = words(connection, sighting)?;
        found.words.extend(words.map(|words| (sighting, words)));
    }
    for form in &wanted.forms {
        found.claims.extend(claims(connection, form)?);
    }
    for &id in &wanted.articles {
        found.articles.extend(article(connection, id)?);
    }
    for &id in &wanted.aliases_of {
        let forms = forms_of(connection, id)?;
        found
            .aliases
            .extend(forms.into_iter().map(|form| (id, form)));
    }
    for &id in &wanted.jobs {
        found.jobs.extend(job(connection, id)?);
    }
    for &feed in &wanted.homes {
        found
            .homes
            .extend(home(connection, feed)?.map(|host| (feed, host)));
    }
    Ok(found)
}

fn entries(connection: &Connection, feed: FeedId, key: i64) -> rusqlite::Result<Vec<SightingRow>> {
    connection
        .prepare_cached(
            "SELECT id, feed_id, article_id, entry_id, entry_hash, url, title, seen_at, changed_at
             FROM sighting WHERE feed_id = ?1 AND entry_key = ?2",
        )?
        .query_map((feed.0, key), read_sighting)?
        .collect()
}

fn notes(connection: &Connection, feed: FeedId, hash: i64) -> rusqlite::Result<Vec<SightingRow>> {
    connection
        .prepare_cached(
            "SELECT id, feed_id, article_id, entry_id, entry_hash, url, title, seen_at, changed_at
             FROM sighting WHERE feed_id = ?1 AND entry_hash = ?2 AND url IS NULL
             ORDER BY id LIMIT ?3",
        )?
        .query_map((feed.0, hash, int(Unit::ALIKE_WANTED)), read_sighting)?
        .collect()
}

fn alike(
    connection: &Connection,
    article: ArticleId,
    feed: FeedId,
) -> rusqlite::Result<Vec<SightingRow>> {
    connection
        .prepare_cached(
            "SELECT id, feed_id, article_id, entry_id, entry_hash, url, title, seen_at, changed_at
             FROM sighting WHERE article_id = ?1 AND feed_id = ?2
             ORDER BY coalesce(changed_at, seen_at), id LIMIT ?3",
        )?
        .query_map((article.0, feed.0, int(Unit::ALIKE_WANTED)), read_sighting)?
        .collect()
}

fn read_sighting(row: &Row<'_>) -> rusqlite::Result<SightingRow> {
    Ok(SightingRow {
        id: row.get(0)?,
        feed: FeedId(row.get(1)?),
        article: ArticleId(row.get(2)?),
        entry_id: row.get(3)?,
        entry_hash: row.get(4)?,
        url: row.get(5)?,
        title: row.get(6)?,
        seen_at: row.get(7)?,
        changed_at: row.get(8)?,
        renamed: None,
        said: None,
        mark: Mark::Kept,
    })
}

fn words(connection: &Connection, sighting: i64) -> rusqlite::Result<Option<Words>> {
    connection
        .prepare_cached(
            "SELECT title, summary, content, authors, tags FROM sighting WHERE id = ?1",
        )?
        .query_row([sighting], |row| {
            Ok(Words {
                title: row.get(0)?,
                summary: row.get(1)?,
                content: row.get(2)?,
                authors: row.get(3)?,
                tags: row.get(4)?,
            })
        })
        .optional()
}

fn claims(connection: &Connection, form: &Form) -> rusqlite::Result<Vec<Claim>> {
    connection
        .prepare_cached(
            "SELECT article_id, reason, added_at FROM alias WHERE key = ?1 AND form = ?2
             ORDER BY reason = 'announced' DESC, added_at, article_id LIMIT ?3",
        )?
        .query_map(
            (form.key, form.form.as_str(), int(Unit::CLAIMS_WANTED)),
            |row| {
                Ok(Claim {
                    form: form.clone(),
                    article: ArticleId(row.get(0)?),
                    url: String::new(),
                    reason: reason(row.get_ref(1)?.as_str()?),
                    added_at: row.get(2)?,
                })
            },
        )?
        .collect()
}

fn article(connection: &Connection, id: ArticleId) -> rusqlite::Result<Option<ArticleRow>> {
    connection
        .prepare_cached(
            "SELECT a.canonical_url, a.final_url, a.title, a.authors, a.language, a.summary,
               a.keywords, a.published, a.published_at, a.published_from, a.first_seen_at,
               a.sort_at, a.word_count, a.content_hash, a.page_state, a.scraped_at,
               a.error_kind, a.error, a.error_status,
               coalesce((SELECT t.text <> '' FROM article_text t WHERE t.article_id = a.id), 0),
               s.seen_at, s.id, s.title
             FROM article a LEFT JOIN sighting s ON s.id =
               (SELECT f.id FROM sighting f WHERE f.article_id = a.id
                ORDER BY f.seen_at, f.id LIMIT 1)
             WHERE a.id = ?1",
        )?
        .query_row([id.0], |row| read_article(id, row))
        .optional()
}

fn read_article(id: ArticleId, row: &Row<'_>) -> rusqlite::Result<ArticleRow> {
    let first = match row.get(20)? {
        Some(seen_at) => Some(First {
            seen_at,
            id: row.get(21)?,
            title: row.get(22)?,
        }),
        None => None,
    };
    Ok(ArticleRow {
        id,
        canonical_url: row.get(0)?,
        final_url: row.get(1)?,
        title: row.get(2)?,
        authors: row.get(3)?,
        language: row.get(4)?,
        summary: row.get(5)?,
        keywords: row.get(6)?,
        publication: publication(row.get(7)?, row.get(8)?, row.get(9)?),
        first_seen: time(row.get(10)?),
        sort_at: row.get(11)?,
        word_count: row.get(12)?,
        content: row.get::<_, Option<i64>>(13)?.map(ContentHash),
        page_state: page_state(row.get_ref(14)?.as_str()?),
        scraped_at: row.get(15)?,
        error: PageError {
            kind: row.get(16)?,
            detail: row.get(17)?,
            status: row.get(18)?,
        },
        has_text: row.get(19)?,
        first,
        ..ArticleRow::default()
    })
}

fn publication(text: Option<String>, at: Option<i64>, from: Option<String>) -> Option<Publication> {
    Some(Publication {
        text: text?,
        at: time(at?),
        from: from?,
    })
}

fn forms_of(connection: &Connection, article: ArticleId) -> rusqlite::Result<Vec<Form>> {
    connection
        .prepare_cached("SELECT key, form FROM alias WHERE article_id = ?1")?
        .query_map([article.0], |row| {
            Ok(Form {
                key: row.get(0)?,
                form: CanonicalUrl::stored(row.get(1)?),
            })
        })?
        .collect()
}

fn job(connection: &Connection, article: ArticleId) -> rusqlite::Result<Option<JobRow>> {
    connection
        .prepare_cached(
            "SELECT shard, host, url, due_at, attempts, moves, feed_id FROM page_job
             WHERE article_id = ?1",
        )?
        .query_row([article.0], |row| {
            Ok(JobRow {
                article,
                shard: Shard(row.get(0)?),
                host: HostKey::stored(row.get(1)?),
                url: row.get(2)?,
                due_at: row.get(3)?,
                attempts: row.get(4)?,
                moves: row.get(5)?,
                feed: FeedId(row.get(6)?),
            })
        })
        .optional()
}

/// The host of the feed's own URL.
fn home(connection: &Connection, feed: FeedId) -> rusqlite::Result<Option<HostKey>> {
    let url: Option<String> = connection
        .prepare_cached("SELECT url FROM feed WHERE id = ?1")?
        .query_row([feed.0], |row| row.get(0))
        .optional()?;
    let url = url.and_then(|url| FeedUrl::parse(&url).ok());
    Ok(url.map(|url| HostKey::of(url.url())))
}

//! Counters, the change log, and notes: what the other statements share.

use rusqlite::{Connection, OptionalExtension};

use super::super::recording::Op;
use super::count;
use super::fault::Fault;
use crate::model::ArticleId;

pub(super) fn counter(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    let n = connection
        .prepare_cached("SELECT n FROM counter WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(n.unwrap_or(0))
}

pub(super) fn set_counter(connection: &Connection, name: &str, n: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO counter (name, n) VALUES (?1, ?2)")?
        .execute((name, n))?;
    Ok(())
}

pub(super) fn add(connection: &Connection, name: &str, n: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO counter (name, n) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET n = n + excluded.n",
        )?
        .execute((name, n))?;
    Ok(())
}

/// The counters whose names begin with `prefix`, without it.
pub(super) fn counters(
    connection: &Connection,
    prefix: &str,
) -> rusqlite::Result<Vec<(String, u64)>> {
    connection
        .prepare_cached(
            "SELECT substr(name, length(?1) + 1), max(n, 0) FROM counter
             WHERE substr(name, 1, length(?1)) = ?1 AND n > 0 ORDER BY n DESC, name",
        )?
        .query_map([prefix], |row| Ok((row.get(0)?, count(row, 1)?)))?
        .collect()
}

/// Notes that an article was made, changed or removed, for the search index.
pub(super) fn log_change(
    connection: &Connection,
    article: ArticleId,
    op: Op,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO article_change (article_id, op) VALUES (?1, ?2)")?
        .execute((article.0, op.code()))?;
    Ok(())
}

pub(super) fn set_note(connection: &Connection, name: &str, text: &str) -> Result<(), Fault> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO note (name, text) VALUES (?1, ?2)")?
        .execute((name, text))?;
    Ok(())
}

pub(super) fn note(connection: &Connection, name: &str) -> Result<Option<String>, Fault> {
    let text = connection
        .prepare_cached("SELECT text FROM note WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(text)
}

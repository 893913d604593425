//! Counters, the change log, notes, and packed columns: what the other statements share.

use std::io::Read;

use rusqlite::{Connection, OptionalExtension};

use super::count;
use super::fault::Fault;
use crate::model::ArticleId;

/// Shorter texts gain nothing from compression.
const PACK_FROM_BYTES: usize = 300;

/// No column of ours is larger than this when expanded: a page is 5 MiB at most by
/// default, and four renderings of it are kept together.
const MAX_UNPACKED_BYTES: u64 = 256 << 20;

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

/// Counts an article under the state of its page, and under the failure behind it.
pub(super) fn add_page(
    connection: &Connection,
    state: &str,
    error_kind: Option<&str>,
    n: i64,
) -> rusqlite::Result<()> {
    add(connection, &format!("page:{state}"), n)?;
    match error_kind {
        Some(kind) => add(connection, &format!("page_error:{kind}"), n),
        None => Ok(()),
    }
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

/// Notes that an article was made or changed, for the search index.
pub(super) fn changed(connection: &Connection, article: ArticleId) -> rusqlite::Result<()> {
    log_change(connection, article, 1)
}

/// Notes that an article is gone.
pub(super) fn removed(connection: &Connection, article: ArticleId) -> rusqlite::Result<()> {
    log_change(connection, article, 0)
}

fn log_change(connection: &Connection, article: ArticleId, op: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO article_change (article_id, op) VALUES (?1, ?2)")?
        .execute((article.0, op))?;
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

/// A text as a column holds it: how it is encoded (0 plain, 1 zstd), and its bytes.
pub(super) fn pack(text: &str) -> (i64, Vec<u8>) {
    if text.len() >= PACK_FROM_BYTES
        && let Ok(packed) = zstd::bulk::compress(text.as_bytes(), 3)
        && packed.len() < text.len()
    {
        return (1, packed);
    }
    (0, text.as_bytes().to_vec())
}

/// The text of a packed column; empty where it is damaged.
pub(super) fn unpack(enc: i64, data: &[u8]) -> String {
    match enc {
        0 => String::from_utf8_lossy(data).into_owned(),
        _ => {
            let mut text = Vec::new();
            let Ok(decoder) = zstd::Decoder::new(data) else {
                return String::new();
            };
            match decoder.take(MAX_UNPACKED_BYTES).read_to_end(&mut text) {
                Ok(_) => String::from_utf8(text).unwrap_or_default(),
                Err(_) => String::new(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_text_comes_back() {
        for text in ["", "short", &"a longer text, again and again. ".repeat(100)] {
            let (enc, data) = pack(text);

            assert_eq!(unpack(enc, &data), text);
        }
        assert_eq!(pack(&"again ".repeat(100)).0, 1);
        assert_eq!(unpack(1, b"damaged"), "");
    }
}

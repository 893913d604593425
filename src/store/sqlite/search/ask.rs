//! Reading the search file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{
    Connection, ErrorCode, InterruptHandle, OpenFlags, OptionalExtension, named_params,
};

use super::super::{count, fault, int};
use super::{
    INDEX_VERSION, Identity, identity, meta, ms_of, path_beside, place_of, schema, store_id,
    watermark,
};
use crate::model::ArticleId;
use crate::query::{Cursor, Frequency, RANKED};

/// A document that answers: the place in all lists that the index knows, and the article.
pub(in super::super) type Found = Cursor;

/// A span of time, and where in it to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Span {
    /// From this millisecond on.
    pub(in super::super) after: Option<i64>,
    /// Before this one.
    pub(in super::super) before: Option<i64>,
    /// Behind this place.
    pub(in super::super) cursor: Option<Cursor>,
}

/// The search file as one reader sees it: opened when wanted, and again when the file has
/// been made anew.
#[derive(Debug)]
pub(in super::super) struct SearchReader {
    path: PathBuf,
    open: Option<OpenFile>,
    interrupt: SearchInterrupt,
}

#[derive(Debug)]
struct OpenFile {
    connection: Connection,
    identity: Identity,
}

/// Stops a question from another thread.
#[derive(Clone, Default)]
pub(in super::super) struct SearchInterrupt(Arc<Mutex<Option<InterruptHandle>>>);

impl fmt::Debug for SearchInterrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchInterrupt")
    }
}

impl SearchInterrupt {
    pub(in super::super) fn interrupt(&self) {
        if let Ok(handle) = self.0.lock()
            && let Some(handle) = handle.as_ref()
        {
            handle.interrupt();
        }
    }

    fn set(&self, handle: Option<InterruptHandle>) {
        if let Ok(mut slot) = self.0.lock() {
            *slot = handle;
        }
    }
}

impl SearchReader {
    pub(in super::super) fn new(store: &Path) -> Self {
        Self {
            path: path_beside(store),
            open: None,
            interrupt: SearchInterrupt::default(),
        }
    }

    pub(in super::super) fn interrupt(&self) -> SearchInterrupt {
        self.interrupt.clone()
    }

    /// How many changes of the archive the index has not seen; all of them without an index.
    pub(in super::super) fn lag(&mut self, main: &Connection) -> rusqlite::Result<u64> {
        let seen = match self.connection(main)? {
            Some(search) => forgiving(watermark(search))?.unwrap_or(0),
            None => 0,
        };
        main.prepare_cached("SELECT count(*) FROM article_change WHERE seq > ?1")?
            .query_row([seen], |row| count(row, 0))
    }

    /// The newest documents that match, newest first, at most `limit`.
    pub(in super::super) fn newest(
        &mut self,
        main: &Connection,
        matching: &str,
        span: Span,
        limit: usize,
    ) -> rusqlite::Result<Vec<Found>> {
        let Some(search) = self.connection(main)? else {
            return Ok(Vec::new());
        };
        let found = newest(search, matching, span, limit);
        Ok(forgiving(found)?.unwrap_or_default())
    }

    /// How common words are among the newest [`RANKED`] documents; each word is a `MATCH` text.
    pub(in super::super) fn frequencies(
        &mut self,
        main: &Connection,
        words: &[String],
    ) -> rusqlite::Result<Vec<Frequency>> {
        let Some(search) = self.connection(main)? else {
            return Ok(Vec::new());
        };
        Ok(forgiving(frequencies(search, words))?.unwrap_or_default())
    }

    /// The connection; `None` while there is no index of this archive.
    fn connection(&mut self, main: &Connection) -> rusqlite::Result<Option<&Connection>> {
        let identity = identity(&self.path);
        if self.open.as_ref().map(|open| open.identity) != identity {
            self.open = None;
            self.interrupt.set(None);
            if let Some(identity) = identity
                && let Some(connection) = forgiving(open(&self.path, main))?.flatten()
            {
                self.interrupt.set(Some(connection.get_interrupt_handle()));
                self.open = Some(OpenFile {
                    connection,
                    identity,
                });
            }
        }
        Ok(self.open.as_ref().map(|open| &open.connection))
    }
}

fn open(path: &Path, main: &Connection) -> rusqlite::Result<Option<Connection>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let search = Connection::open_with_flags(path, flags)?;
    match recognise(&search, main) {
        Err(error) if is_unopened(&error) && !schema::is_in_use(path) => {
            let search = schema::open_frozen(path)?;
            Ok(recognise(&search, main)?.then_some(search))
        }
        is_ours => Ok(is_ours?.then_some(search)),
    }
}

/// Whether the file is an index of our version, and of this archive.
fn recognise(search: &Connection, main: &Connection) -> rusqlite::Result<bool> {
    search.busy_timeout(std::time::Duration::from_secs(1))?;
    search.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -2048;")?;
    Ok(schema::version(search)? == INDEX_VERSION
        && meta(search, "store_id")? == Some(store_id(main)?))
}

fn is_unopened(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)
    )
}

/// Newest first, and of one millisecond the largest id first, as the archive lists them.
///
/// Rows of one millisecond stand in no order of their own, so that those at either end are
/// read whole.
fn newest(
    search: &Connection,
    matching: &str,
    span: Span,
    limit: usize,
) -> rusqlite::Result<Vec<Found>> {
    let from = span.after.map_or(0, place_of);
    let end = span.before.map_or(i64::MAX, place_of);
    let mut found = Vec::new();
    let mut below = end;
    if let Some(cursor) = span.cursor {
        let millisecond = rows_of(cursor.at_ms, from, end);
        found = rows(search, matching, millisecond, usize::MAX)?;
        found.retain(|found| found.id < cursor.id);
        found.sort_unstable_by_key(|found| std::cmp::Reverse(found.id));
        found.truncate(limit);
        below = below.min(place_of(cursor.at_ms));
    }
    let room = limit - found.len();
    let mut others = rows(search, matching, (from, below), room)?;
    if others.len() == room
        && let Some(last) = others.last()
    {
        let last = last.at_ms;
        others.retain(|found| found.at_ms > last);
        others.extend(rows(
            search,
            matching,
            rows_of(last, from, below),
            usize::MAX,
        )?);
    }
    others.sort_unstable_by_key(|found| std::cmp::Reverse((found.at_ms, found.id)));
    others.truncate(room);
    found.extend(others);
    Ok(found)
}

/// All documents of the last millisecond count, since its rows stand in no order.
fn frequencies(search: &Connection, words: &[String]) -> rusqlite::Result<Vec<Frequency>> {
    let oldest: Option<i64> = search
        .prepare_cached("SELECT place FROM doc ORDER BY place DESC LIMIT 1 OFFSET ?1")?
        .query_row([int(RANKED - 1)], |row| row.get(0))
        .optional()?;
    let from = oldest.map_or(0, |oldest| place_of(ms_of(oldest)));
    let n_all = search
        .prepare_cached("SELECT count(*) FROM doc WHERE place >= ?1")?
        .query_row([from], |row| count(row, 0))?;
    let mut having =
        search.prepare_cached("SELECT count(*) FROM fts WHERE fts MATCH ?1 AND rowid >= ?2")?;
    words
        .iter()
        .map(|word| {
            let n_having = having.query_row((word, from), |row| count(row, 0))?;
            Ok(Frequency { n_having, n_all })
        })
        .collect()
}

/// The rows of one millisecond, as far as they lie in `from..below`.
fn rows_of(ms: i64, from: i64, below: i64) -> (i64, i64) {
    (
        from.max(place_of(ms)),
        below.min(place_of(ms.saturating_add(1))),
    )
}

/// The matching rows of a span, the last of them first.
fn rows(
    search: &Connection,
    matching: &str,
    (from, below): (i64, i64),
    limit: usize,
) -> rusqlite::Result<Vec<Found>> {
    let sql = "SELECT f.rowid, (SELECT d.article_id FROM doc d WHERE d.place = f.rowid)
               FROM fts f
               WHERE fts MATCH :matching AND f.rowid >= :from AND f.rowid < :below
               ORDER BY f.rowid DESC LIMIT :limit";
    search
        .prepare_cached(sql)?
        .query_map(
            named_params! {":matching": matching, ":from": from, ":below": below, ":limit": int(limit)},
            |row| {
                Ok(Found {
                    at_ms: ms_of(row.get(0)?),
                    id: ArticleId(row.get::<_, Option<i64>>(1)?.unwrap_or(-1)),
                })
            },
        )?
        .collect()
}

/// A damaged or half-made index answers like one that is not there: it will be made anew.
fn forgiving<T>(result: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if fault::is_damage(&error)
                || is_unopened(&error)
                || error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                || error.to_string().contains("no such table") =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

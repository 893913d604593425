//! Reading the search file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{
    Connection, ErrorCode, InterruptHandle, OpenFlags, OptionalExtension, named_params,
};

use super::super::{count, fault, int};
use super::{INDEX_VERSION, Identity, identity, meta, path_beside, schema, store_id, watermark};

/// A document that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Found {
    /// Its row in the index.
    pub(in super::super) place: i64,
    /// The article.
    pub(in super::super) article: i64,
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

    /// The row of an article, if it is in the index.
    pub(in super::super) fn place(
        &mut self,
        main: &Connection,
        article: i64,
    ) -> rusqlite::Result<Option<i64>> {
        let Some(search) = self.connection(main)? else {
            return Ok(None);
        };
        let place = search
            .prepare_cached("SELECT place FROM doc WHERE article_id = ?1")
            .and_then(|mut statement| statement.query_row([article], |row| row.get(0)).optional());
        Ok(forgiving(place)?.flatten())
    }

    /// The newest documents that match, in rows `from..below`, newest first.
    pub(in super::super) fn newest(
        &mut self,
        main: &Connection,
        matching: &str,
        from: i64,
        below: i64,
        limit: usize,
    ) -> rusqlite::Result<Vec<Found>> {
        let Some(search) = self.connection(main)? else {
            return Ok(Vec::new());
        };
        let found = newest(search, matching, from, below, limit);
        Ok(forgiving(found)?.unwrap_or_default())
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

fn newest(
    search: &Connection,
    matching: &str,
    from: i64,
    below: i64,
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
                    place: row.get(0)?,
                    article: row.get::<_, Option<i64>>(1)?.unwrap_or(-1),
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

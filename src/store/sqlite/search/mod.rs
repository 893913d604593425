//! The search index: a derived file beside the archive.
//!
//! It follows `article_change` by a watermark and can be deleted at any time; nothing in
//! it is needed for correctness. `render` turns a condition into FTS5's language, `ask`
//! reads, `document` is what the archive has to index, and [`Index`] writes.

mod ask;
mod document;
mod render;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rusqlite::{Connection, OptionalExtension, named_params};

pub(super) use self::ask::{SearchInterrupt, SearchReader, Span};
pub(super) use self::document::read_document;
pub(super) use self::render::render;

use super::super::StoreError;
use super::fault::{self, Fault};
use super::{blocking, int, schema};
use crate::query::Indexed;

/// `PRAGMA user_version` of the search file: another one is made anew.
const INDEX_VERSION: u32 = 3;

/// Changes in one transaction of the search file.
const BATCH: usize = 200;

/// One row per article in `fts`, without its text; `doc` tells which.
///
/// `place` is the article's millisecond of publication << 21 | a number within it, so that
/// the order of rows is the order of time, and a span of time is a span of rows.
/// Our own tokenizer makes the words; between its spaces FTS5 finds nothing left to do.
const SCHEMA: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE doc (place INTEGER PRIMARY KEY, article_id INTEGER NOT NULL UNIQUE) STRICT;
    CREATE VIRTUAL TABLE fts USING fts5(
      title, body, author, keys,
      content = '', contentless_delete = 1,
      tokenize = 'ascii'
    );";

/// Where the search index of a store lies: `NAME-search.db` beside it.
pub(super) fn path_beside(store: &Path) -> PathBuf {
    let stem = store.file_stem().unwrap_or_default().to_string_lossy();
    store.with_file_name(format!("{stem}-search.db"))
}

/// Bits of a row that number the articles of one millisecond.
const PLACE_BITS: u32 = 21;

/// First row of a millisecond since 1970, or of everything after the end of time.
fn place_of(ms: i64) -> i64 {
    ms.clamp(0, (1 << 42) - 1) << PLACE_BITS
}

/// The millisecond of a row.
fn ms_of(place: i64) -> i64 {
    place >> PLACE_BITS
}

/// The writing side. One connection, opened when it is first wanted.
#[derive(Debug)]
pub(super) struct Index {
    store: PathBuf,
    files: Mutex<Option<Files>>,
}

#[derive(Debug)]
struct Files {
    main: Connection,
    search: Connection,
    /// Which search file that is.
    identity: Option<Identity>,
}

/// A file as the system knows it, whatever its name: device and inode.
type Identity = (u64, u64);

fn identity(path: &Path) -> Option<Identity> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

impl Index {
    pub(super) fn new(store: PathBuf) -> Self {
        Self {
            store,
            files: Mutex::default(),
        }
    }

    /// Takes in all changes; how many articles that were.
    pub(super) async fn catch_up(self: std::sync::Arc<Self>) -> Result<usize, StoreError> {
        blocking(move || self.catch_up_now()).await?
    }

    /// Closes the search file.
    pub(super) fn close(&self) {
        if let Ok(mut files) = self.files.lock() {
            *files = None;
        }
    }

    fn catch_up_now(&self) -> Result<usize, StoreError> {
        let mut files = self
            .files
            .lock()
            .map_err(|_| StoreError::Database("the indexer failed before".to_owned()))?;
        match self.take_changes(&mut files) {
            Err(fault) if fault.is_damage() => {
                *files = None;
                self.remove()?;
                self.take_changes(&mut files)
            }
            other => other,
        }
        .map_err(|fault| fault.at(&path_beside(&self.store)))
    }

    fn take_changes(&self, files: &mut Option<Files>) -> Result<usize, Fault> {
        // The file may have been deleted or replaced under our open connection.
        let present = identity(&path_beside(&self.store));
        if files
            .as_ref()
            .is_some_and(|files| files.identity != present)
        {
            *files = None;
        }
        if files.is_none() {
            *files = Some(self.open()?);
        }
        let files = files.as_mut().expect("opened above");
        let mut n_taken = 0;
        loop {
            let n = files.take_batch()?;
            n_taken += n;
            if n < BATCH {
                return Ok(n_taken);
            }
        }
    }

    fn open(&self) -> Result<Files, Fault> {
        let main = schema::open_to_read(&self.store)?;
        let search = match open_search(&self.store) {
            Ok(search) if belongs_to(&search, &main)? => search,
            Ok(search) => {
                drop(search);
                self.remove()?;
                create_search(&self.store, &main)?
            }
            Err(error) if fault::is_damage(&error) => {
                self.remove()?;
                create_search(&self.store, &main)?
            }
            Err(error) => return Err(error.into()),
        };
        let identity = identity(&path_beside(&self.store));
        Ok(Files {
            main,
            search,
            identity,
        })
    }

    fn remove(&self) -> Result<(), StoreError> {
        let path = path_beside(&self.store);
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            match std::fs::remove_file(&name) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(fault::unwritable(Path::new(&name), &error.to_string()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn open_search(store: &Path) -> rusqlite::Result<Connection> {
    let search = Connection::open(path_beside(store))?;
    search.busy_timeout(std::time::Duration::from_secs(5))?;
    search.execute_batch(
        "PRAGMA page_size = 8192;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = NORMAL;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -4096;
         PRAGMA journal_size_limit = 33554432;",
    )?;
    Ok(search)
}

fn create_search(store: &Path, main: &Connection) -> Result<Connection, Fault> {
    let search = open_search(store)?;
    search.execute_batch("BEGIN IMMEDIATE")?;
    if schema::version(&search)? == INDEX_VERSION {
        // Another process was quicker.
        search.execute_batch("ROLLBACK")?;
        return Ok(search);
    }
    search.execute_batch(SCHEMA)?;
    let store_id = store_id(main)?;
    search.execute(
        "INSERT INTO meta (name, value) VALUES ('store_id', ?1), ('watermark', '0')",
        [&store_id],
    )?;
    search.pragma_update(None, "user_version", INDEX_VERSION)?;
    search.execute_batch("COMMIT")?;
    Ok(search)
}

/// Whether a search file is of our version, made from this archive, and not ahead of it
/// (as it would be after a backup was put back).
fn belongs_to(search: &Connection, main: &Connection) -> rusqlite::Result<bool> {
    if schema::version(search)? != INDEX_VERSION {
        return Ok(false);
    }
    let same_store = meta(search, "store_id")? == Some(store_id(main)?);
    let newest: i64 = main.query_row(
        "SELECT coalesce(max(seq), 0) FROM article_change",
        [],
        |row| row.get(0),
    )?;
    Ok(same_store && watermark(search)? <= newest)
}

fn meta(search: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    search
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

fn watermark(search: &Connection) -> rusqlite::Result<i64> {
    Ok(meta(search, "watermark")?
        .and_then(|text| text.parse().ok())
        .unwrap_or(0))
}

fn store_id(main: &Connection) -> rusqlite::Result<String> {
    main.query_row("SELECT text FROM note WHERE name = 'store_id'", [], |row| {
        row.get(0)
    })
}

impl Files {
    /// One transaction: up to [`BATCH`] changes and the watermark behind them.
    fn take_batch(&mut self) -> Result<usize, Fault> {
        self.search.execute_batch("BEGIN IMMEDIATE")?;
        match self.take_within_transaction() {
            Ok(n) => {
                self.search.execute_batch("COMMIT")?;
                Ok(n)
            }
            Err(fault) => {
                // The fault is what matters; a file that cannot roll back is made anew.
                let _ = self.search.execute_batch("ROLLBACK");
                Err(fault)
            }
        }
    }

    fn take_within_transaction(&self) -> Result<usize, Fault> {
        let changes: Vec<(i64, i64)> = self
            .main
            .prepare_cached(
                "SELECT seq, article_id FROM article_change
                 WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )?
            .query_map((watermark(&self.search)?, int(BATCH)), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect::<Result<_, _>>()?;
        for &(_, article) in &changes {
            let place = self.remove_document(article)?;
            if let Some((sort_at_ms, document)) = read_document(&self.main, article)? {
                let place = self.place_for(sort_at_ms, place)?;
                self.insert_document(article, place, &document.index())?;
            }
        }
        if let Some((seq, _)) = changes.last() {
            self.search
                .prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'watermark'")?
                .execute([seq.to_string()])?;
        }
        Ok(changes.len())
    }

    /// Takes an article out of the index; the row that it had.
    fn remove_document(&self, article: i64) -> rusqlite::Result<Option<i64>> {
        let place: Option<i64> = self
            .search
            .prepare_cached("DELETE FROM doc WHERE article_id = ?1 RETURNING place")?
            .query_row([article], |row| row.get(0))
            .optional()?;
        if let Some(place) = place {
            self.search
                .prepare_cached("DELETE FROM fts WHERE rowid = ?1")?
                .execute([place])?;
        }
        Ok(place)
    }

    fn insert_document(&self, article: i64, place: i64, words: &Indexed) -> rusqlite::Result<()> {
        self.search
            .prepare_cached("INSERT INTO doc (place, article_id) VALUES (?1, ?2)")?
            .execute([place, article])?;
        self.search
            .prepare_cached(
                "INSERT INTO fts (rowid, title, body, author, keys)
                 VALUES (:place, :title, :body, :author, :keys)",
            )?
            .execute(named_params! {
                ":place": place,
                ":title": words.title,
                ":body": words.body,
                ":author": words.author,
                ":keys": words.keys.join(" "),
            })?;
        Ok(())
    }

    /// The row that the article had, if its time is still the same; else the first one
    /// behind all others of that millisecond.
    fn place_for(&self, sort_at_ms: i64, before: Option<i64>) -> rusqlite::Result<i64> {
        let first = place_of(sort_at_ms);
        let end = first + (1 << PLACE_BITS);
        if let Some(before) = before.filter(|before| (first..end).contains(before)) {
            return Ok(before);
        }
        let newest: Option<i64> = self
            .search
            .prepare_cached("SELECT max(place) FROM doc WHERE place >= ?1 AND place < ?2")?
            .query_row([first, end], |row| row.get(0))?;
        Ok(newest.map_or(first, |newest| newest + 1))
    }
}

//! Opening the file: pragmas, recognition, migrations.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::super::StoreError;
use super::fault;

/// The schema, one file per version; never edited once released.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_many_workers.sql"),
];

/// The version that we write.
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// `PRAGMA application_id`, "wire": tells our files from other people's databases.
const APPLICATION_ID: i32 = 0x7769_7265;

/// How long a statement waits for another process that writes.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the file for writing, makes it if it is not there, and brings it up to date.
pub(super) fn open_and_migrate(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = open_to_write(path)?;
    migrate(path, &mut connection)?;
    Ok(connection)
}

/// Opens the file for writing and recognises it, without migrating.
pub(super) fn open_to_write(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    recognise(path, &connection)?;
    // The page size and auto_vacuum take effect before the first table; WAL stays in the file.
    let pragmas = "PRAGMA page_size = 8192;
                   PRAGMA auto_vacuum = INCREMENTAL;
                   PRAGMA journal_mode = WAL;
                   PRAGMA synchronous = NORMAL;
                   PRAGMA foreign_keys = ON;
                   PRAGMA temp_store = MEMORY;
                   PRAGMA cache_size = -8192;
                   PRAGMA wal_autocheckpoint = 2000;
                   PRAGMA journal_size_limit = 67108864;";
    connection
        .execute_batch(pragmas)
        .map_err(|error| fault::at(path, &error))?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// Opens the file for questions.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = open(path, flags)?;
    match recognise(path, &connection) {
        Err(StoreError::Unwritable { .. }) if !is_in_use(path) => {
            connection = open_frozen(path).map_err(|error| fault::at(path, &error))?;
            recognise(path, &connection)?;
        }
        other => other?,
    }
    let found = version(&connection).map_err(|error| fault::at(path, &error))?;
    if found < VERSION {
        return Err(StoreError::Database(format!(
            "{} has schema version {found}, and {VERSION} is needed; start `wireroom run` once to bring it up to date",
            path.display()
        )));
    }
    let pragmas = "PRAGMA query_only = ON;
                   PRAGMA temp_store = MEMORY;
                   PRAGMA cache_size = -2048;";
    connection
        .execute_batch(pragmas)
        .map_err(|error| fault::at(path, &error))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Whether a process has the file open, or left changes in its log.
pub(super) fn is_in_use(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Path::new(&log).exists()
}

/// Opens a file that nobody writes, in a folder where nobody may: there SQLite cannot make
/// the files that readers of a log share, and need not (<https://sqlite.org/wal.html>,
/// "Read-Only Databases").
pub(super) fn open_frozen(path: &Path) -> rusqlite::Result<Connection> {
    let path_in_url: String = path
        .to_string_lossy()
        .chars()
        .map(|c| match c {
            '%' => "%25".to_owned(),
            '?' => "%3f".to_owned(),
            '#' => "%23".to_owned(),
            c => c.to_string(),
        })
        .collect();
    let url = format!("file:{path_in_url}?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(url, flags)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| fault::at(path, &error))?;
    connection
        .busy_timeout(BUSY_TIMEOUT)
        .map_err(|error| fault::at(path, &error))?;
    Ok(connection)
}

/// The file's schema version; 0 for a new file.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Refuses what a later version wrote, and what was never ours, before anything is changed.
fn recognise(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| fault::at(path, &error);
    let found = version(connection).map_err(failed)?;
    let application: i32 = connection
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(failed)?;
    let n_objects: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))
        .map_err(failed)?;
    let is_new = n_objects == 0 && found == 0;
    if application != APPLICATION_ID && !is_new {
        return Err(StoreError::Corrupt {
            store: fault::name(path),
            reason: "it is a database of another program".to_owned(),
        });
    }
    if found > VERSION {
        return Err(StoreError::Newer {
            store: fault::name(path),
            found,
            known: VERSION,
        });
    }
    Ok(())
}

fn migrate(path: &Path, connection: &mut Connection) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| fault::at(path, &error);
    loop {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let found = version(&transaction).map_err(failed)?;
        let Some(migration) = MIGRATIONS.get(found as usize) else {
            return Ok(());
        };
        transaction.execute_batch(migration).map_err(failed)?;
        transaction
            .pragma_update(None, "user_version", found + 1)
            .map_err(failed)?;
        transaction
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
}

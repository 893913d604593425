//! SQLite behind the store: one writer thread, a few readers, a derived search file.
//!
//! Read [`Sqlite::open`] first, then `writer` for how commands become transactions; the
//! other modules are the statements, by what they are about.

mod face;

mod apply;
mod articles;
mod due;
mod entries;
mod fault;
mod feeds;
mod load;
mod lock;
mod polls;
mod queue;
mod readers;
mod recording;
mod rows;
mod schema;
mod search;
mod sightings;
mod state;
mod upkeep;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, Row};

use self::fault::Fault;
use self::lock::DaemonLock;
use self::readers::Readers;
use self::search::Index;
use self::writer::{Writer, WriterState};
use super::column::{int, ms, natural, time};
use super::{Access, StoreError};

pub(super) use self::rows::SqliteRows;

/// One archive in one file. A cheap clone.
#[derive(Clone, Debug)]
pub(super) struct Sqlite {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    readers: Readers,
    /// `None` for [`Access::Reader`].
    writer: Option<Writer>,
    index: Arc<Index>,
}

impl Sqlite {
    /// Opens the archive on a blocking thread.
    pub(super) async fn open(path: &Path, access: Access) -> Result<Self, StoreError> {
        let path = path.to_owned();
        blocking(move || Self::open_now(path, access)).await?
    }

    fn open_now(path: PathBuf, access: Access) -> Result<Self, StoreError> {
        let writer = match access {
            Access::Daemon | Access::Ingest | Access::Serve => Some(open_as_daemon(&path)?),
            Access::Command => Some(open_as_command(&path)?),
            Access::Reader => {
                check_readable(&path)?;
                None
            }
        };
        let readers = Readers::new(path.clone());
        let index = Arc::new(Index::new(path.clone()));
        Ok(Self {
            shared: Arc::new(Shared {
                path,
                readers,
                writer,
                index,
            }),
        })
    }

    /// Runs `command` in its own savepoint of the writer's next transaction, and answers
    /// after the commit.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        command: impl FnOnce(&Connection, &mut WriterState) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.shared.writer {
            Some(writer) => writer.run(command).await,
            None => Err(self.opened_to_be_read()),
        }
    }

    fn opened_to_be_read(&self) -> StoreError {
        fault::unwritable(self.path(), "it was opened to be read")
    }

    /// Runs `question` on a read connection, for two seconds at most.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.shared
            .readers
            .run(move |reader| question(reader.main()))
            .await
    }

    /// Commits what is under way and closes.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        self.shared.readers.close();
        self.shared.index.close();
        match &self.shared.writer {
            Some(writer) => writer.close().await,
            None => Ok(()),
        }
    }

    fn path(&self) -> &Path {
        &self.shared.path
    }
}

/// The process that holds the daemon's lock, if one does.
pub(super) fn daemon_process(path: &Path) -> Option<u32> {
    lock::holder(path)
}

fn open_as_daemon(path: &Path) -> Result<Writer, StoreError> {
    create_folder(path)?;
    let lock = DaemonLock::take(path)?;
    let connection = schema::open_and_migrate(path)?;
    Writer::start(path.to_owned(), connection, Some(lock))
}

/// A command migrates only under the daemon's lock, held for just as long; beside a daemon
/// the schema is whatever that daemon made it.
fn open_as_command(path: &Path) -> Result<Writer, StoreError> {
    create_folder(path)?;
    let connection = match DaemonLock::take_unnamed(path) {
        Ok(_lock) => schema::open_and_migrate(path)?,
        Err(StoreError::Locked { store, pid }) => {
            let connection = schema::open_to_write(path)?;
            if schema::version(&connection).map_err(|error| fault::at(path, &error))?
                != schema::VERSION
            {
                return Err(StoreError::Locked { store, pid });
            }
            connection
        }
        Err(other) => return Err(other),
    };
    Writer::start(path.to_owned(), connection, None)
}

fn check_readable(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing {
            store: fault::name(path),
        });
    }
    schema::open_to_read(path).map(drop)
}

fn create_folder(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder)
            .map_err(|error| fault::unwritable(folder, &error.to_string())),
        _ => Ok(()),
    }
}

/// Runs blocking work off the runtime's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StoreError::Database(format!("a storage thread ended: {error}")))
}

/// A count from a column; SQLite has signed numbers only, and none of ours is negative.
fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let n: i64 = row.get(column)?;
    Ok(natural(n))
}

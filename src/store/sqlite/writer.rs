//! The one thread that writes.
//!
//! It owns the write connection and takes commands from a bounded channel: what is there
//! becomes one transaction, each command in a savepoint of its own, and each is answered
//! after the commit. A command that fails is undone alone; a commit that fails fails all.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::super::StoreError;
use super::super::decide::IdMaker;
use super::fault::{self, Fault};
use super::lock::DaemonLock;
use super::{blocking, schema};

/// Commands that may wait; more would only hide that the disk is too slow.
const QUEUE: usize = 256;

/// Most commands in one transaction.
const BATCH: usize = 256;

/// How long a transaction waits for company when the last one had some. A lone command
/// never waits.
const GATHER: Duration = Duration::from_millis(2);

/// Batches between two looks at the size of the write-ahead log, and the size from which
/// it is cut.
const LOG_CHECK_EVERY: u64 = 64;
const LARGE_LOG_BYTES: u64 = 64 << 20;

/// How long cutting the log waits for readers.
const LOG_PATIENCE: Duration = Duration::from_millis(250);

/// What the writer remembers between commands. Whatever matters is in the file as well.
#[derive(Debug, Default)]
pub(crate) struct WriterState {
    /// Gives the articles their ids.
    pub(super) ids: IdMaker,
    /// Polls since the log was last pruned.
    pub(super) polls_since_prune: u32,
}

/// The handle of the writer thread. Dropping the last clone of the store ends the thread
/// after its last commit.
#[derive(Debug)]
pub(super) struct Writer {
    commands: mpsc::Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    Run(Box<dyn Command>),
    Close,
}

/// A command with its way home.
trait Command: Send {
    /// Runs inside the savepoint; `false` undoes it.
    fn run(&mut self, connection: &Connection, state: &mut WriterState) -> bool;
    /// Answers after the commit, or after its failure.
    fn answer(self: Box<Self>, path: &Path, committed: Result<(), StoreError>);
}

struct Job<F, T> {
    command: Option<F>,
    result: Option<Result<T, Fault>>,
    home: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Command for Job<F, T>
where
    F: FnOnce(&Connection, &mut WriterState) -> Result<T, Fault> + Send,
    T: Send,
{
    fn run(&mut self, connection: &Connection, state: &mut WriterState) -> bool {
        let command = self.command.take().expect("a command runs once");
        let result = command(connection, state);
        let is_good = result.is_ok();
        self.result = Some(result);
        is_good
    }

    fn answer(self: Box<Self>, path: &Path, committed: Result<(), StoreError>) {
        let answer = match (self.result, committed) {
            (Some(Err(fault)), _) => Err(fault.at(path)),
            (_, Err(error)) => Err(error),
            (Some(result), Ok(())) => result.map_err(|fault| fault.at(path)),
            (None, Ok(())) => Err(closed()),
        };
        // Who asked may have gone meanwhile; the work is recorded all the same.
        let _ = self.home.send(answer);
    }
}

impl Writer {
    /// Starts the thread; it holds the connection and the lock until it ends.
    pub(super) fn start(
        path: PathBuf,
        connection: Connection,
        lock: Option<DaemonLock>,
    ) -> Result<Self, StoreError> {
        let (commands, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                write_until_closed(&path, connection, queue);
                drop(lock);
            })
            .map_err(|error| StoreError::Database(format!("no writer thread: {error}")))?;
        Ok(Self {
            commands,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs one command and answers after its commit.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        command: impl FnOnce(&Connection, &mut WriterState) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (home, answer) = oneshot::channel();
        let job = Job {
            command: Some(command),
            result: None,
            home,
        };
        self.commands
            .send(Message::Run(Box::new(job)))
            .await
            .map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Ends the thread after what has been sent so far, and waits for it.
    pub(super) async fn close(&self) -> Result<(), StoreError> {
        // A thread that has ended already has nothing left to be told.
        let _ = self.commands.send(Message::Close).await;
        let thread = self.thread.lock().map_or(None, |mut thread| thread.take());
        match thread {
            Some(thread) => blocking(move || thread.join())
                .await?
                .map_err(|_| StoreError::Database("the writer thread failed".to_owned())),
            None => Ok(()),
        }
    }
}

fn closed() -> StoreError {
    StoreError::Database("the store is closed".to_owned())
}

fn write_until_closed(path: &Path, connection: Connection, mut queue: mpsc::Receiver<Message>) {
    let mut state = WriterState::default();
    let mut had_company = false;
    let mut is_closing = false;
    let mut n_batches: u64 = 0;
    while !is_closing {
        let mut batch = Vec::new();
        match queue.blocking_recv() {
            Some(Message::Run(command)) => batch.push(command),
            Some(Message::Close) | None => break,
        }
        is_closing = take_waiting(&mut queue, &mut batch);
        if had_company && !is_closing && batch.len() < BATCH {
            std::thread::sleep(GATHER);
            is_closing = take_waiting(&mut queue, &mut batch);
        }
        had_company = batch.len() > 1;
        write_batch(path, &connection, &mut state, batch);
        n_batches += 1;
        if n_batches.is_multiple_of(LOG_CHECK_EVERY) {
            cut_log(path, &connection);
        }
    }
    // Gives the planner its figures; a failure costs speed, nothing else.
    let _ = connection.execute_batch("PRAGMA optimize");
}

/// Empties the write-ahead log once it has grown large. SQLite does so by itself unless
/// there is always somebody reading; here the writer waits for a gap.
fn cut_log(path: &Path, connection: &Connection) {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let size_bytes = std::fs::metadata(log).map_or(0, |file| file.len());
    if size_bytes < LARGE_LOG_BYTES {
        return;
    }
    // A reader of another program may hold the log for long: then it is cut later.
    let _ = connection.busy_timeout(LOG_PATIENCE);
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    let _ = connection.busy_timeout(schema::BUSY_TIMEOUT);
}

/// Takes what waits, up to a full batch; true when the store is to be closed.
fn take_waiting(queue: &mut mpsc::Receiver<Message>, batch: &mut Vec<Box<dyn Command>>) -> bool {
    while batch.len() < BATCH {
        match queue.try_recv() {
            Ok(Message::Run(command)) => batch.push(command),
            Ok(Message::Close) => return true,
            Err(_) => return false,
        }
    }
    false
}

fn write_batch(
    path: &Path,
    connection: &Connection,
    state: &mut WriterState,
    mut batch: Vec<Box<dyn Command>>,
) {
    let outcome = transaction(connection, state, &mut batch);
    if outcome.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    for command in batch {
        let committed = match &outcome {
            Ok(()) => Ok(()),
            Err(error) => Err(fault::at(path, error)),
        };
        command.answer(path, committed);
    }
}

fn transaction(
    connection: &Connection,
    state: &mut WriterState,
    batch: &mut [Box<dyn Command>],
) -> rusqlite::Result<()> {
    let run = |sql| connection.prepare_cached(sql)?.execute([]);
    run("BEGIN IMMEDIATE")?;
    for command in batch {
        run("SAVEPOINT command")?;
        if !command.run(connection, state) {
            if connection.is_autocommit() {
                return Err(undone());
            }
            run("ROLLBACK TO command")?;
        }
        run("RELEASE command")?;
    }
    run("COMMIT")?;
    Ok(())
}

/// For the other commands of a transaction that SQLite gave up whole, as it does when the
/// disk is full.
fn undone() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK),
        Some("another command of the same transaction failed, and this one with it".to_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::super::state;
    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_named_and_the_writer_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        let connection = schema::open_and_migrate(&path).unwrap();
        connection
            .execute_batch("PRAGMA max_page_count = 100")
            .unwrap();
        let writer = Writer::start(path, connection, None).unwrap();
        let large = "x".repeat(1 << 20);

        let full = writer
            .run(move |connection, _| state::set_note(connection, "large", &large))
            .await;
        let next = writer
            .run(|connection, _| state::set_note(connection, "small", "x"))
            .await;
        let kept = writer
            .run(|connection, _| {
                Ok((
                    state::note(connection, "large")?,
                    state::note(connection, "small")?,
                ))
            })
            .await;

        assert!(matches!(full, Err(StoreError::Full { .. })), "{full:?}");
        assert!(next.is_ok(), "{next:?}");
        assert_eq!(kept.unwrap(), (None, Some("x".to_owned())));
    }
}

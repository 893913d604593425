//! A few read connections, and a deadline for each question.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle};
use tokio::sync::Semaphore;

use super::super::StoreError;
use super::fault::Fault;
use super::search::{SearchInterrupt, SearchReader};
use super::{blocking, schema};

/// Most read connections; each holds up to 2 MiB of pages.
const MAX_READERS: usize = 4;

/// The longest question. A read transaction holds the log back: one that never ends would
/// let it grow without bound.
const DEADLINE: Duration = Duration::from_secs(2);

/// The pool. Connections are opened when they are first wanted.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    room: Semaphore,
    idle: Mutex<Vec<Reader>>,
}

/// A connection to the archive, and one to the search file once it is wanted.
#[derive(Debug)]
pub(super) struct Reader {
    main: Connection,
    search: SearchReader,
}

/// What stops a question, wherever it is.
struct Interrupts {
    main: InterruptHandle,
    search: SearchInterrupt,
}

impl Interrupts {
    fn stop(&self) {
        self.main.interrupt();
        self.search.interrupt();
    }
}

impl Reader {
    fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            main: schema::open_to_read(path)?,
            search: SearchReader::new(path),
        })
    }

    fn interrupts(&self) -> Interrupts {
        Interrupts {
            main: self.main.get_interrupt_handle(),
            search: self.search.interrupt(),
        }
    }

    pub(super) fn main(&self) -> &Connection {
        &self.main
    }

    /// Both connections: the archive's and the search file's.
    pub(super) fn both(&mut self) -> (&Connection, &mut SearchReader) {
        (&self.main, &mut self.search)
    }
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        let n = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            path,
            room: Semaphore::new(n.clamp(2, MAX_READERS)),
            idle: Mutex::default(),
        }
    }

    /// Runs a question on a free connection, and stops it at the deadline.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Reader) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run_within(DEADLINE, question).await
    }

    /// The same with another deadline, for upkeep.
    pub(super) async fn run_within<T: Send + 'static>(
        &self,
        deadline: Duration,
        question: impl FnOnce(&mut Reader) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        // Dropped with this future, so that a question given up does not hold its place.
        let _room = self.room.acquire().await.map_err(|_| closed())?;
        let mut reader = self.take().await?;
        let interrupts = reader.interrupts();
        let path = self.path.clone();
        let mut running = std::pin::pin!(blocking(move || {
            let answer = question(&mut reader).map_err(|fault| fault.at(&path));
            (answer, reader)
        }));
        let finished = tokio::select! {
            finished = &mut running => finished,
            () = tokio::time::sleep(deadline) => {
                interrupts.stop();
                running.await
            }
        };
        // Only now may the next question have the connection: an interrupt hits what runs.
        let (answer, reader) = finished?;
        self.give_back(reader);
        answer
    }

    /// Closes the idle connections; later questions fail.
    pub(super) fn close(&self) {
        self.room.close();
        if let Ok(mut idle) = self.idle.lock() {
            idle.clear();
        }
    }

    async fn take(&self) -> Result<Reader, StoreError> {
        let idle = self.idle.lock().map_or(None, |mut idle| idle.pop());
        match idle {
            Some(reader) => Ok(reader),
            None => {
                let path = self.path.clone();
                blocking(move || Reader::open(&path)).await?
            }
        }
    }

    fn give_back(&self, reader: Reader) {
        if let Ok(mut idle) = self.idle.lock()
            && !self.room.is_closed()
        {
            idle.push(reader);
        }
    }
}

fn closed() -> StoreError {
    StoreError::Database("the store is closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_without_end_is_stopped_and_harms_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("news.db");
        schema::open_and_migrate(&path).unwrap();
        let readers = Readers::new(path);
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
                       SELECT count(*) FROM n";

        let stopped = readers
            .run_within(Duration::from_millis(30), move |reader| {
                Ok(reader.main().query_row(endless, [], |row| row.get(0))?)
            })
            .await;
        let next = readers
            .run(|reader| Ok(reader.main().query_row("SELECT 7", [], |row| row.get(0))?))
            .await;

        let stopped: Result<i64, StoreError> = stopped;
        let next: Result<i64, StoreError> = next;
        assert!(stopped.unwrap_err().to_string().contains("too long"));
        assert_eq!(next.unwrap(), 7);
    }
}

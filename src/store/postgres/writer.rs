//! The one task that records polls and scrapes.
//!
//! It takes reports from a bounded channel: what is there becomes one transaction, and each
//! report is answered after the commit. Reports whose shard changed hands are fenced, the
//! rest is written. What lost a race is done again; what the database will not have is done
//! again alone, so that one bad row harms no other.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::super::StoreError;
use super::super::column::time;
use super::super::record::{DueFeed, DuePage, PollRecorded, PollReport, Saved, ScrapeReport};
use super::super::recording::{Poll, Recorded, Report, Scrape};
use super::fault::{self, Again, Attempts, Fault};
use super::ids::WorkerIds;
use super::{batch, connect, upkeep};
use crate::model::Shard;

/// Reports that may wait; more would only hide that the database is too slow.
const QUEUE: usize = 512;

/// Most reports in one transaction, and about how much text.
const BATCH: usize = 100;
const BATCH_BYTES: usize = 8 << 20;

/// How long a batch waits for company when the last one had some. A lone report never
/// waits, and none waits longer than the commit before it and this.
const GATHER: Duration = Duration::from_millis(2);

/// Polls between two prunings of the log.
const PRUNE_EVERY: usize = 500;
/// Lines of the log that one pruning takes at most.
const PRUNE_ROWS: usize = 2000;

/// The handle of the writer's task. Dropping it ends the task after what it has been sent.
#[derive(Debug)]
pub(super) struct Writer {
    /// `None` once it is closed.
    requests: Mutex<Option<mpsc::Sender<Request>>>,
    task: Mutex<JoinSet<()>>,
    ended: CancellationToken,
}

/// A report with its way home.
#[derive(Debug)]
struct Request {
    report: Report,
    home: oneshot::Sender<Result<Recorded, StoreError>>,
}

impl Writer {
    /// Starts the task. `name` is the store's, for errors.
    pub(super) fn start(pool: Pool, name: String) -> Self {
        let (requests, queue) = mpsc::channel(QUEUE);
        let ended = CancellationToken::new();
        let mut task = JoinSet::new();
        let work = Work {
            pool,
            name,
            ids: WorkerIds::default(),
            n_polls: 0,
        };
        let guard = ended.clone().drop_guard();
        task.spawn(async move {
            // However the task ends, whoever watches it is told.
            let _guard = guard;
            work.run(queue).await;
        });
        Self {
            requests: Mutex::new(Some(requests)),
            task: Mutex::new(task),
            ended,
        }
    }

    /// Records a poll, and answers after the commit.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when its shard belongs to another worker by now.
    pub(super) async fn poll(
        &self,
        due: &DueFeed,
        report: PollReport,
    ) -> Result<PollRecorded, StoreError> {
        let due = due.clone();
        let poll = match Poll::is_long(&report) {
            true => blocking(move || Poll::new(due, report)).await?,
            false => Poll::new(due, report),
        };
        match self.record(Report::Poll(poll)).await? {
            Recorded::Poll(recorded) => Ok(recorded),
            Recorded::Scrape(_) => Err(closed()),
        }
    }

    /// Records a scrape, and answers after the commit.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when its shard belongs to another worker by now.
    pub(super) async fn scrape(
        &self,
        due: &DuePage,
        report: ScrapeReport,
    ) -> Result<Saved, StoreError> {
        let due = due.clone();
        let scrape = match Scrape::is_long(&report) {
            true => blocking(move || Scrape::new(due, report)).await?,
            false => Scrape::new(due, report),
        };
        match self.record(Report::Scrape(scrape)).await? {
            Recorded::Scrape(saved) => Ok(saved),
            Recorded::Poll(_) => Err(closed()),
        }
    }

    async fn record(&self, report: Report) -> Result<Recorded, StoreError> {
        let (home, answer) = oneshot::channel();
        let requests = self.requests().clone().ok_or_else(closed)?;
        let request = Request { report, home };
        requests.send(request).await.map_err(|_| closed())?;
        drop(requests);
        answer.await.map_err(|_| closed())?
    }

    /// Records what has been sent so far, and ends.
    pub(super) async fn close(&self) {
        drop(self.requests().take());
        self.ended.cancelled().await;
    }

    /// Waits until the task has ended, whatever the reason: a worker that can record nothing
    /// any more must end as well.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    fn requests(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<Request>>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Writer {
    /// What has been sent is recorded still.
    fn drop(&mut self) {
        let task = self.task.get_mut();
        task.unwrap_or_else(PoisonError::into_inner).detach_all();
    }
}

fn closed() -> StoreError {
    StoreError::Database("the store is closed".to_owned())
}

/// Runs what takes some milliseconds off the runtime's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StoreError::Database(format!("a storage thread ended: {error}")))
}

/// What the task owns.
struct Work {
    pool: Pool,
    name: String,
    ids: WorkerIds,
    /// Polls since the log was last pruned.
    n_polls: usize,
}

impl Work {
    async fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut had_company = false;
        let mut left_over = None;
        loop {
            let first = match left_over.take() {
                Some(request) => request,
                None => match queue.recv().await {
                    Some(request) => request,
                    None => return,
                },
            };
            let mut batch = Batch::of(first);
            batch.take_waiting(&mut queue);
            if had_company && batch.has_room() {
                tokio::time::sleep(GATHER).await;
                batch.take_waiting(&mut queue);
            }
            had_company = batch.requests.len() > 1;
            left_over = batch.left_over.take();
            self.record(batch.requests).await;
        }
    }

    /// Records a batch and answers each of its reports.
    async fn record(&mut self, requests: Vec<Request>) {
        let (reports, homes): (Vec<Report>, Vec<_>) = requests
            .into_iter()
            .map(|request| (request.report, request.home))
            .unzip();
        let answers = self.answers(&reports).await;
        for (answer, home) in answers.into_iter().zip(homes) {
            // Who asked may have gone meanwhile; the work is recorded all the same.
            let _ = home.send(answer);
        }
        self.prune_now_and_then(&reports).await;
    }

    async fn answers(&mut self, reports: &[Report]) -> Vec<Result<Recorded, StoreError>> {
        let fault = match self.together(reports).await {
            Ok(answers) => return answers,
            Err(fault) => fault,
        };
        if let [_] = reports {
            return vec![Err(fault.of(&self.name))];
        }
        if !is_of_one(&fault) {
            let reason = fault.of(&self.name);
            return reports.iter().map(|_| Err(likewise(&reason))).collect();
        }
        let mut answers = Vec::with_capacity(reports.len());
        for report in reports {
            let alone = self.together(std::slice::from_ref(report)).await;
            let answer = alone.map(|mut answers| answers.pop());
            answers.push(match answer {
                Ok(answer) => answer.unwrap_or_else(|| Err(closed())),
                Err(fault) => Err(fault.of(&self.name)),
            });
        }
        answers
    }

    /// Records reports in one transaction, again where a conflict or a lost connection came
    /// between.
    async fn together(
        &mut self,
        reports: &[Report],
    ) -> Result<Vec<Result<Recorded, StoreError>>, Fault> {
        let mut attempts = Attempts::default();
        loop {
            let fault = match self.attempt(reports).await {
                Ok(answers) => return Ok(answers),
                Err(fault) => fault,
            };
            // The ids that this shard's owner gave are read again with the next attempt.
            match attempts.pause(&fault) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(fault),
            }
        }
    }

    async fn attempt(
        &mut self,
        reports: &[Report],
    ) -> Result<Vec<Result<Recorded, StoreError>>, Fault> {
        let mut client = connect::client(&self.pool).await?;
        let done = batch::record(&mut client, &mut self.ids, reports).await;
        fault::part(client, &done);
        done
    }

    /// Takes old polls of these shards out of the log, after every 500th poll.
    async fn prune_now_and_then(&mut self, reports: &[Report]) {
        let polls: Vec<&Poll> = reports.iter().filter_map(Report::as_poll).collect();
        let Some(at) = polls.iter().map(|poll| poll.at()).max() else {
            return;
        };
        self.n_polls += polls.len();
        if self.n_polls < PRUNE_EVERY {
            return;
        }
        self.n_polls = 0;
        let held: Vec<(Shard, u64)> = polls
            .iter()
            .map(|poll| (poll.lease().shard, poll.lease().epoch))
            .collect();
        let pruned = async {
            let client = connect::client(&self.pool).await?;
            upkeep::prune_polls(&client, &held, time(at), PRUNE_ROWS).await
        };
        // A failure leaves old lines for the next time.
        let _ = pruned.await;
    }
}

/// Reports that go into one transaction.
struct Batch {
    requests: Vec<Request>,
    n_bytes: usize,
    /// One that was too large for it.
    left_over: Option<Request>,
}

impl Batch {
    fn of(first: Request) -> Self {
        Self {
            n_bytes: first.report.size_bytes(),
            requests: vec![first],
            left_over: None,
        }
    }

    fn has_room(&self) -> bool {
        self.requests.len() < BATCH && self.n_bytes < BATCH_BYTES && self.left_over.is_none()
    }

    fn take_waiting(&mut self, queue: &mut mpsc::Receiver<Request>) {
        while self.has_room() {
            let Ok(request) = queue.try_recv() else {
                return;
            };
            let n_bytes = request.report.size_bytes();
            if self.n_bytes + n_bytes > BATCH_BYTES {
                self.left_over = Some(request);
                return;
            }
            self.n_bytes += n_bytes;
            self.requests.push(request);
        }
    }
}

/// Whether a fault may be that of one report among many.
fn is_of_one(fault: &Fault) -> bool {
    match fault {
        Fault::Sql(error) => error.code().is_some() && fault.again() != Some(Again::Connection),
        Fault::NoConnection(_) => false,
        Fault::Torn | Fault::Store(_) => true,
    }
}

/// The same error, for another report of the batch.
fn likewise(error: &StoreError) -> StoreError {
    match error {
        StoreError::Unreachable { store, reason } => StoreError::Unreachable {
            store: store.clone(),
            reason: reason.clone(),
        },
        other => StoreError::Database(other.to_string()),
    }
}

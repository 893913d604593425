//! This process as one of several workers: its sign of life, and the shards that it owns.
//!
//! Read [`Task::turn`]. Liveness is one row per worker, renewed every quarter of a lease, and
//! only the database's clock decides whether it has run out. The rows of shards change only
//! when a shard changes hands: a worker that renewed its shards instead would do so while
//! nothing of it works any more, and would be in the way of its own commits.
//!
//! All of it is one task. When that ends, [`Worker::ended`] says so, and the process is to end
//! as well: its shards are free when its lease has run out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use deadpool_postgres::{Client, Pool};
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{info, warn};

use super::super::fleet::Role;
use super::super::{PostgresSettings, StoreError};
use super::connect::{self, Purpose};
use super::fault::{self, Fault};
use super::shards;
use super::tally::Tally;
use crate::model::Shard;
use crate::ownership::{Moment, Ownership, shortest_lease};

/// Longest time for the start of a worker whose database is cut off or slow just then.
const BEGIN: Duration = Duration::from_secs(15);
/// Time in which the shards must be given back when the process ends.
const LEAVE: Duration = Duration::from_millis(1500);
/// Bounds of the pause between two looks for free shards while this worker lacks some.
const CLAIM_PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// Bounds of the pause after the database did not answer.
const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// Bounds of the time in which the database must answer.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// This process as a worker. Dropped without [`leave`](Worker::leave), it is as if it had
/// been killed.
pub(super) struct Worker {
    shared: Arc<Shared>,
    task: Mutex<JoinSet<()>>,
    leave: Mutex<Option<oneshot::Sender<()>>>,
}

/// What the task shares with whoever holds the [`Worker`].
struct Shared {
    /// What this worker has done: written by it, shown to people.
    tally: Tally,
    /// The task has ended, although nobody asked it to.
    ended: CancellationToken,
    /// Somebody asked this worker to hand over everything and end.
    drained: CancellationToken,
    /// `PostgresSettings::longest_exchange`, in milliseconds; a reload changes it.
    longest_exchange: AtomicU64,
}

impl Worker {
    /// Registers this process, and claims its share of the shards as far as they are free.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not take it up.
    pub(super) async fn start(
        settings: &PostgresSettings,
        role: Role,
        ownership: Ownership,
    ) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared {
            tally: Tally::default(),
            ended: CancellationToken::new(),
            drained: CancellationToken::new(),
            longest_exchange: AtomicU64::new(0),
        });
        shared.expect_exchanges(settings.longest_exchange);
        let mut task = Task {
            // Its own connection: its sign of life waits behind no other work.
            pool: connect::pool(settings, Purpose::Changes)?,
            shared: Arc::clone(&shared),
            ownership,
            role,
            least_lease: settings.lease,
            registered: Instant::now(),
            beat_at: None,
            is_away: false,
            n_shown: 0,
        };
        let begun = task.begin().await;
        begun.map_err(|fault| fault.of(&settings.url))?;
        let (leave, left) = oneshot::channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(task.run(left));
        Ok(Self {
            shared,
            task: Mutex::new(tasks),
            leave: Mutex::new(Some(leave)),
        })
    }

    /// What this worker has done.
    pub(super) fn tally(&self) -> &Tally {
        &self.shared.tally
    }

    /// From now on exchanges take at most so long; the lease follows with the next sign of
    /// life.
    pub(super) fn expect_exchanges(&self, longest: Duration) {
        self.shared.expect_exchanges(longest);
    }

    /// Waits until the task has ended although nobody asked it to.
    pub(super) async fn ended(&self) {
        self.shared.ended.cancelled().await;
    }

    /// Waits until somebody asks this worker to hand over everything and end.
    pub(super) async fn drained(&self) {
        self.shared.drained.cancelled().await;
    }

    /// Hands over all shards as soon as nothing is under way in them, and is no worker any
    /// more. What cannot be handed over in time runs out by itself.
    pub(super) async fn leave(&self) {
        if let Some(leave) = self.leave.lock().await.take() {
            // Nobody hears it when the task has ended.
            let _ = leave.send(());
        }
        let mut task = self.task.lock().await;
        while task.join_next().await.is_some() {}
    }
}

impl Shared {
    fn expect_exchanges(&self, longest: Duration) {
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        self.longest_exchange.store(millis, Relaxed);
    }
}

/// The worker's task.
struct Task {
    pool: Pool,
    shared: Arc<Shared>,
    ownership: Ownership,
    role: Role,
    least_lease: Duration,
    /// When it got its present id.
    registered: Instant,
    /// When the next sign of life is to be given; `None`: there is no id yet, or no more.
    beat_at: Option<Instant>,
    /// The database did not answer the last time; said once.
    is_away: bool,
    /// Number of shards that the log has told of.
    n_shown: usize,
}

impl Task {
    /// Registers and claims; again if the database is cut off or slow just now, for it was there
    /// a moment ago.
    async fn begin(&mut self) -> Result<(), Fault> {
        let began = Instant::now();
        loop {
            let Err(fault) = self.try_to_begin().await else {
                return Ok(());
            };
            let may_pass = fault.again().is_some() || matches!(fault, Fault::NoConnection(_));
            if !may_pass || began.elapsed() > BEGIN {
                return Err(fault);
            }
            sleep(RETRY_PAUSE.0).await;
        }
    }

    async fn try_to_begin(&mut self) -> Result<(), Fault> {
        if self.ownership.owner().is_none() {
            self.beat().await?;
        }
        self.settle_shards().await
    }

    /// Lives until told to leave.
    async fn run(mut self, mut left: oneshot::Receiver<()>) {
        let ended: DropGuard = self.shared.ended.clone().drop_guard();
        loop {
            let pause = self.turn().await;
            tokio::select! {
                _ = &mut left => break,
                () = sleep(pause) => {}
                () = self.ownership.landed() => {}
            }
        }
        // It did not end by itself.
        ended.disarm();
        if timeout(LEAVE, self.leave()).await.is_err() {
            warn!("the shards could not be handed over; they are free when the lease has run out");
        }
        self.ownership.lose_all();
    }

    /// One look at the clock and at the shards; says how long to wait for the next.
    async fn turn(&mut self) -> Duration {
        let outcome = match self.beat_at {
            Some(beat_at) if Instant::now() < beat_at => Ok(()),
            _ => self.beat().await,
        };
        let outcome = match outcome {
            Ok(()) => self.settle_shards().await,
            failed => failed,
        };
        match outcome {
            Ok(()) => {
                self.tell_of_return();
                self.until_next()
            }
            Err(fault) => {
                self.tell_of_absence(fault);
                (self.lease() / 40).clamp(RETRY_PAUSE.0, RETRY_PAUSE.1)
            }
        }
    }

    /// Gives a sign of life, or registers anew when there is none to prolong.
    async fn beat(&mut self) -> Result<(), Fault> {
        let lease = self.lease();
        if let Some(me) = self.ownership.owner() {
            // Read before the database is asked: our deadline is never later than its own.
            let read = Moment::now();
            let (done, minute) = self.shared.tally.read(Instant::now());
            let client = self.client().await?;
            let beaten = self.answer(shards::beat(&client, me, lease, done, minute));
            let beaten = beaten.await;
            if let Some(is_draining) = give_back(client, beaten)? {
                self.ownership.renew(read, lease);
                self.beat_at = Some(Instant::now() + lease / 4);
                if is_draining && !self.shared.drained.is_cancelled() {
                    info!(
                        worker.id = me,
                        "worker {me} was asked to hand over its shards and end"
                    );
                    self.shared.drained.cancel();
                }
                return Ok(());
            }
            self.ownership.lose_all();
            warn!(
                worker.id = me,
                "worker {me} gave no sign of life for longer than its lease of {} s: its shards \
                 may belong to others by now, and it starts anew",
                lease.as_secs_f64()
            );
        }
        self.register(lease).await
    }

    async fn register(&mut self, lease: Duration) -> Result<(), Fault> {
        let me = shards::new_id();
        let read = Moment::now();
        let role = self.role;
        let client = self.client().await?;
        let registered = self.answer(shards::register(&client, me, role, lease));
        let registered = registered.await;
        give_back(client, registered)?;
        self.ownership.register(me);
        self.ownership.renew(read, lease);
        self.registered = Instant::now();
        self.beat_at = Some(Instant::now() + lease / 4);
        self.n_shown = 0;
        info!(
            worker.id = me,
            "worker {me}: registered ({}), with a lease of {} s",
            role.name(),
            lease.as_secs_f64()
        );
        Ok(())
    }

    /// Hands over what is too much, claims what is free and due to us.
    async fn settle_shards(&mut self) -> Result<(), Fault> {
        let Some(me) = self.ownership.owner() else {
            return Ok(());
        };
        let client = self.client().await?;
        let found = self.answer(self.exchange_shards(&client, me)).await;
        let (n_workers, share) = give_back(client, found)?;
        let has_share = self.ownership.n_shards() >= shards::least_share(n_workers).min(share);
        // Others need a sign of life to hear of us and an exchange to hand over; and who was
        // killed is missed after a lease.
        let is_all = self.registered.elapsed() > self.lease() * 9 / 4;
        self.ownership.settle(has_share || is_all);
        self.tell_of_shards(me);
        Ok(())
    }

    /// What of it needs the database; gives the number of workers, and our share.
    async fn exchange_shards(&self, client: &Client, me: i64) -> Result<(usize, usize), Fault> {
        let ended = self.ownership.ended();
        if !ended.is_empty() {
            shards::release(client, me, &ended).await?;
            let ids: Vec<Shard> = ended.iter().map(|(shard, _)| *shard).collect();
            self.ownership.release(&ids);
        }
        let found = shards::look(client, me).await?;
        // What the database says counts: an answer to an earlier claim may have been lost.
        self.ownership.hold(&found.ours);
        let share = match (self.role, self.shared.drained.is_cancelled()) {
            (Role::Serve, _) | (_, true) => 0,
            _ => shards::share(found.n_workers),
        };
        let mut ours = found.ours;
        if ours.len() > share {
            let surplus: Vec<Shard> = ours[share..].iter().map(|(shard, _)| *shard).collect();
            self.ownership.end(&surplus);
        } else if ours.len() < share && found.n_free > 0 {
            ours.extend(shards::claim(client, me, share - ours.len()).await?);
            self.ownership.hold(&ours);
        }
        Ok((found.n_workers, share))
    }

    /// Gives everything back and removes this worker, as far as nothing is under way.
    async fn leave(&mut self) {
        let Some(me) = self.ownership.owner() else {
            return;
        };
        let all = self.ownership.shards().unwrap_or_default();
        let all: Vec<Shard> = all.into_iter().map(|(shard, _)| shard).collect();
        self.ownership.end(&all);
        while self.ownership.ended().len() < self.ownership.n_shards() {
            self.ownership.landed().await;
        }
        let left = async {
            let mut client = self.client().await?;
            let left = self.answer(shards::leave(&mut client, me)).await;
            give_back(client, left)
        };
        match left.await {
            Ok(()) => info!(worker.id = me, "worker {me}: its shards are handed over"),
            Err(fault) => self.tell_of_absence(fault),
        }
    }

    /// A connection, not waited for long: the next sign of life is not to be late.
    async fn client(&self) -> Result<Client, Fault> {
        timeout(self.patience(), connect::client(&self.pool))
            .await
            .map_err(no_answer)?
    }

    /// What a statement comes to, not waited for long either.
    async fn answer<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        timeout(self.patience(), work).await.map_err(no_answer)?
    }

    fn patience(&self) -> Duration {
        (self.lease() / 4).clamp(PATIENCE.0, PATIENCE.1)
    }

    /// Never so short that no exchange would fit into it.
    fn lease(&self) -> Duration {
        let longest = Duration::from_millis(self.shared.longest_exchange.load(Relaxed));
        self.least_lease.max(shortest_lease(longest))
    }

    fn until_next(&self) -> Duration {
        let beat = self.beat_at.map_or(Duration::ZERO, |beat_at| {
            beat_at.saturating_duration_since(Instant::now())
        });
        let is_waiting = !self.ownership.is_settled() || self.has_ending();
        match is_waiting {
            true => beat.min((self.lease() / 20).clamp(CLAIM_PAUSE.0, CLAIM_PAUSE.1)),
            false => beat,
        }
    }

    fn has_ending(&self) -> bool {
        let n_open = self.ownership.shards().map_or(0, |open| open.len());
        n_open < self.ownership.n_shards()
    }

    fn tell_of_shards(&mut self, me: i64) {
        let n_shards = self.ownership.shards().map_or(0, |open| open.len());
        if n_shards != self.n_shown {
            self.n_shown = n_shards;
            info!(
                worker.id = me,
                n_shards, "worker {me}: owns {n_shards} of 1024 shards"
            );
        }
    }

    fn tell_of_absence(&mut self, fault: Fault) {
        if !self.is_away {
            self.is_away = true;
            let error = fault.of("the database");
            warn!(
                error.kind = "store",
                "no sign of life could be given, and no request starts when the lease runs out: {error}"
            );
        }
    }

    fn tell_of_return(&mut self) {
        if std::mem::take(&mut self.is_away) {
            info!("the database answers again");
        }
    }
}

/// Gives a connection back after an answer; one whose answer may still come, or never, is of
/// no use to anybody.
fn give_back<T>(client: Client, answer: Result<T, Fault>) -> Result<T, Fault> {
    match &answer {
        Err(Fault::NoConnection(_)) => drop(Client::take(client)),
        answer => fault::part(client, answer),
    }
    answer
}

fn no_answer(_: tokio::time::error::Elapsed) -> Fault {
    Fault::NoConnection("no answer in time".to_owned())
}

//! Starts polls and scrapes as they fall due, and waits for them all.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::health::StoreHealth;
use super::slots::Slots;
use super::{Ingest, Polled, Scraped, Settings, now};
use crate::model::{FeedUrl, HostKey, PageUrl};
use crate::store::{Claim, DueFeed, DuePage, StoreError};

/// Due things read from the store at once. They are only read, not leased, so this bounds
/// memory and the cost of asking, nothing else.
const READ_AHEAD: usize = 128;
/// Longest sleep while nothing is due: a command beside us may have made something due.
const IDLE: Duration = Duration::from_secs(2);
/// Shortest sleep while hosts rest: many hosts end their rest at nearly the same time.
const REST: Duration = Duration::from_millis(50);
/// Longest time between two looks at the queue while something is due whose host rests.
const LOOK: Duration = Duration::from_secs(1);
/// Longest rest of a host for which `run --once` waits.
const PATIENCE: Duration = Duration::from_secs(60);
/// Asking the store for due work takes at most one part in so many of our time.
const ASKING_SHARE: u32 = 10;
/// Time until the queue is looked at when something has ended.
const SOON: Duration = Duration::from_millis(5);
/// Time between two counts of what is due while work is under way.
const COUNT: Duration = Duration::from_millis(500);
/// Time for work in flight to end after a stop; what does not end is done again later.
const GRACE: Duration = Duration::from_secs(3);

/// How long to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Until told to stop.
    Forever,
    /// Until every feed that was due at the start is polled, and no page is due.
    Once,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store failed again and again.
    #[error("the store fails again and again: {0}")]
    Store(StoreError),
    /// No shard could be claimed.
    #[error(
        "no share of the hosts could be had: the database does not answer, or other workers keep all"
    )]
    NoShards,
}

/// Longest time for which `run --once` waits for a shard of its own.
const CLAIM_PATIENCE: Duration = Duration::from_secs(120);
/// Time between two looks at whether a worker may start anything.
const CLAIM_LOOK: Duration = Duration::from_millis(100);

/// What is under way. Owned by the one loop.
struct Work {
    tasks: JoinSet<Done>,
    /// Hosts of everything in `tasks` and in the queues: one thing per host at a time.
    hosts: HashSet<HostKey>,
    feeds: VecDeque<DueFeed>,
    pages: VecDeque<DuePage>,
    polls: Slots,
    scrapes: Slots,
    /// A slot has become free although nothing has ended.
    given_up: Arc<Notify>,
    /// When the store is asked for due work again.
    ask_at: Option<Instant>,
    /// What the last asking came to.
    look: Look,
    /// When the store was last asked for the size of the backlog.
    counted: Option<Instant>,
    /// Since when nothing can start, because no shard is surely ours.
    unowned_since: Option<Instant>,
    store: StoreHealth,
}

/// What asking for due work came to.
#[derive(Default)]
enum Look {
    /// Work, or things have changed since.
    #[default]
    Open,
    /// Nothing that could start, and how long the first resting host still rests, if one does.
    Nothing { until_free: Option<Duration> },
}

enum Done {
    Poll(FeedUrl, HostKey, Result<Option<Polled>, StoreError>),
    Scrape(PageUrl, HostKey, Result<Option<Scraped>, StoreError>),
}

/// What the loop does when it has started all that it can.
enum Pause {
    /// Something is due, but its host rests: look again after so long.
    Rest(Duration),
    /// Nothing is due: look again after so long, or when something ends.
    Idle(Duration),
    /// No shard is surely ours: look again after so long.
    Unowned(Duration),
}

impl Ingest {
    /// Polls and scrapes until `stop`, or until nothing is due.
    ///
    /// `heartbeat` is called at every turn of the loop: the service manager's watchdog
    /// lives from the progress made here, not from a timer of its own.
    ///
    /// # Errors
    /// [`RunError`] with [`Run::Once`] when the store keeps failing; with [`Run::Forever`]
    /// the loop goes on trying.
    pub async fn run(
        self: Arc<Self>,
        run: Run,
        stop: CancellationToken,
        mut heartbeat: impl FnMut() + Send,
    ) -> Result<(), RunError> {
        let mut work = Work::new(&self.settings);
        let began = now();
        let outcome = loop {
            heartbeat();
            if stop.is_cancelled() {
                break Ok(());
            }
            let feeds_until = if run == Run::Once { began } else { now() };
            let pause = match self.next_pause(&mut work, feeds_until).await {
                Ok(pause) => pause,
                Err(error) => {
                    work.store.note_failure(error);
                    continue;
                }
            };
            if run == Run::Once
                && let Some(end) = self.end_of_round(&mut work, &pause)
            {
                break end;
            }
            let (Pause::Idle(pause) | Pause::Rest(pause) | Pause::Unowned(pause)) = pause;
            tokio::select! {
                Some(done) = work.tasks.join_next() => {
                    self.settle(&mut work, done);
                    while let Some(done) = work.tasks.try_join_next() {
                        self.settle(&mut work, done);
                    }
                }
                () = work.given_up.notified() => work.ask_soon(),
                () = sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        };
        self.drain(work).await;
        outcome
    }

    /// Starts what may be started, and says how to wait for more.
    async fn next_pause(
        self: &Arc<Self>,
        work: &mut Work,
        feeds_until: Timestamp,
    ) -> Result<Pause, StoreError> {
        if let Some(rest) = work.store.rest_left() {
            return Ok(Pause::Rest(rest.min(IDLE)));
        }
        if !self.fetcher.can_start() {
            // What was read belongs to somebody else by now, or will before it could end.
            work.forget_queues();
            work.unowned_since.get_or_insert_with(Instant::now);
            return Ok(Pause::Unowned(CLAIM_LOOK));
        }
        work.unowned_since = None;
        self.fill(work, feeds_until).await
    }

    /// Whether `run --once` ends here, and how.
    fn end_of_round(&self, work: &mut Work, pause: &Pause) -> Option<Result<(), RunError>> {
        if work.store.is_hopeless() {
            let failure = work.store.failure.take();
            return Some(failure.map_or(Ok(()), |failure| Err(RunError::Store(failure))));
        }
        if !work.tasks.is_empty() {
            return None;
        }
        let is_settled = self.ownership.is_settled();
        match pause {
            Pause::Unowned(_) if is_settled && self.ownership.n_shards() == 0 => Some(Ok(())),
            Pause::Unowned(_) => work
                .unowned_since
                .is_some_and(|since| since.elapsed() > CLAIM_PATIENCE)
                .then_some(Err(RunError::NoShards)),
            Pause::Idle(_) if is_settled => Some(Ok(())),
            Pause::Rest(_) if is_settled && work.is_stuck() => {
                info!("left what is due on hosts of other workers, or that rest for long");
                Some(Ok(()))
            }
            Pause::Idle(_) | Pause::Rest(_) => None,
        }
    }

    /// Starts what there is room for, and says how to wait for more.
    async fn fill(
        self: &Arc<Self>,
        work: &mut Work,
        feeds_until: Timestamp,
    ) -> Result<Pause, StoreError> {
        if work.ask_at.is_none_or(|ask_at| ask_at <= Instant::now()) {
            self.read_due(work, feeds_until).await?;
        }
        while !work.feeds.is_empty()
            && let Some(slot) = work.polls.take()
            && let Some(due) = work.feeds.pop_front()
        {
            let (ingest, url, host) = (Arc::clone(self), due.url.clone(), due.host.clone());
            work.tasks.spawn(async move {
                let polled = slot.spend_on(ingest.poll_feed(due)).await;
                Done::Poll(url, host, polled)
            });
        }
        while !work.pages.is_empty()
            && let Some(slot) = work.scrapes.take()
            && let Some(due) = work.pages.pop_front()
        {
            let (ingest, url, host) = (Arc::clone(self), due.url.clone(), due.host.clone());
            work.tasks.spawn(async move {
                let scraped = slot.spend_on(ingest.scrape_article(due)).await;
                Done::Scrape(url, host, scraped)
            });
        }
        if !work.tasks.is_empty()
            && work
                .counted
                .is_some_and(|counted| counted.elapsed() < COUNT)
        {
            return Ok(Pause::Rest(work.until_asking()));
        }
        self.count_due(work, feeds_until).await
    }

    /// Reads due work whose hosts are free, as far as the queues have run empty.
    async fn read_due(&self, work: &mut Work, feeds_until: Timestamp) -> Result<(), StoreError> {
        let began = Instant::now();
        let resting = self.fetcher.resting_hosts();
        let free_at = resting.iter().filter_map(|(_, free_at)| *free_at).min();
        let until_free = free_at.map(|free_at| free_at.saturating_duration_since(began));
        let n_before = work.feeds.len() + work.pages.len();
        let mut n_resting = 0;
        if work.feeds.is_empty() && work.polls.has_room() {
            let claim = work.claim(&resting, feeds_until);
            for due in self.store.due_feeds(&claim).await? {
                if self.heed(&due.host, &due.manners) {
                    n_resting += 1;
                } else if work.hosts.insert(due.host.clone()) {
                    work.feeds.push_back(due);
                }
            }
        }
        if work.pages.is_empty() && work.scrapes.has_room() {
            let claim = work.claim(&resting, now());
            for due in self.store.due_pages(&claim).await? {
                if self.heed(&due.host, &due.manners) {
                    n_resting += 1;
                } else if work.hosts.insert(due.host.clone()) {
                    work.pages.push_back(due);
                }
            }
        }
        // Hosts that rest are left out the next time, and others may stand behind them.
        let has_more = work.feeds.len() + work.pages.len() > n_before || n_resting > 0;
        let (look, wait) = if has_more {
            (Look::Open, REST)
        } else {
            let wait = until_free.map_or(LOOK, |until_free| until_free.clamp(REST, LOOK));
            (Look::Nothing { until_free }, wait)
        };
        work.look = look;
        let asking = began.elapsed();
        work.ask_at = Some(Instant::now() + wait.max(ASKING_SHARE * asking));
        Ok(())
    }

    /// Counts what is due, for the eyes of people and for the end of `run --once`.
    async fn count_due(
        &self,
        work: &mut Work,
        feeds_until: Timestamp,
    ) -> Result<Pause, StoreError> {
        let now = now();
        let backlog = self.store.backlog(now).await?;
        let due_feeds = if feeds_until < now {
            self.store.backlog(feeds_until).await?.due_feeds
        } else {
            backlog.due_feeds
        };
        work.counted = Some(Instant::now());
        self.progress.due_feeds.store(due_feeds, Relaxed);
        self.progress.due_pages.store(backlog.due_pages, Relaxed);
        if due_feeds + backlog.due_pages > 0 {
            return Ok(Pause::Rest(work.until_asking()));
        }
        let until_next = backlog
            .next_due
            .and_then(|next| Duration::try_from(next.duration_since(now)).ok());
        Ok(Pause::Idle(until_next.unwrap_or(IDLE).clamp(REST, IDLE)))
    }

    /// Takes note of what a task came to.
    fn settle(&self, work: &mut Work, done: Result<Done, JoinError>) {
        work.ask_soon();
        match done {
            Ok(Done::Poll(url, host, polled)) => {
                work.hosts.remove(&host);
                self.note_poll(&mut work.store, &url, polled);
            }
            Ok(Done::Scrape(url, host, saved)) => {
                work.hosts.remove(&host);
                self.note_scrape(&mut work.store, &url, saved);
            }
            // Tasks hold no bare unwrap, and CPU work is caught in `cpu`; its host stays
            // unasked until the next start, which is the safe side.
            Err(error) => error!("a task of wireroom failed: {error}"),
        }
    }

    /// Lets work in flight end, for a while. What does not end was only read from the
    /// store: it is still due there, and is done again.
    async fn drain(&self, mut work: Work) {
        let drained = timeout(GRACE, async {
            while let Some(done) = work.tasks.join_next().await {
                self.settle(&mut work, done);
            }
        });
        if drained.await.is_err() {
            info!(
                "left {} polls and scrapes to be done again",
                work.tasks.len()
            );
            work.tasks.shutdown().await;
        }
    }
}

impl Work {
    fn new(settings: &Settings) -> Self {
        let given_up = Arc::default();
        Self {
            tasks: JoinSet::new(),
            hosts: HashSet::new(),
            feeds: VecDeque::new(),
            pages: VecDeque::new(),
            polls: Slots::new(settings.polls, &given_up),
            scrapes: Slots::new(settings.scrapes, &given_up),
            given_up,
            ask_at: None,
            look: Look::default(),
            counted: None,
            unowned_since: None,
            store: StoreHealth::default(),
        }
    }

    /// Leaves what was read and not begun to be read again.
    fn forget_queues(&mut self) {
        let feeds = self.feeds.drain(..).map(|due| due.host);
        let pages = self.pages.drain(..).map(|due| due.host);
        for host in feeds.chain(pages) {
            self.hosts.remove(&host);
        }
    }

    /// A request for what is due on hosts that are neither at work nor at rest.
    fn claim(&self, resting: &[(HostKey, Option<Instant>)], until: Timestamp) -> Claim {
        let resting = resting.iter().map(|(host, _)| host);
        let busy: HashSet<&HostKey> = self.hosts.iter().chain(resting).collect();
        Claim {
            now: until,
            limit: READ_AHEAD,
            busy: busy.into_iter().cloned().collect(),
        }
    }

    /// Something has ended: more may be due, or its host free.
    fn ask_soon(&mut self) {
        let soon = Instant::now() + SOON;
        self.ask_at = self.ask_at.map(|ask_at| ask_at.min(soon));
        self.look = Look::Open;
    }

    fn until_asking(&self) -> Duration {
        let until = self
            .ask_at
            .map(|ask_at| ask_at.saturating_duration_since(Instant::now()));
        until.unwrap_or_default().clamp(SOON, IDLE)
    }

    /// Nothing is under way, and what is due could not begin before a long time.
    fn is_stuck(&self) -> bool {
        let Look::Nothing { until_free } = self.look else {
            return false;
        };
        self.tasks.is_empty() && until_free.is_none_or(|until_free| until_free > PATIENCE)
    }
}

//! Starts polls and scrapes as they fall due, and waits for them all.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::plan::PollOutcome;
use super::{Ingest, Polled, Scraped, now};
use crate::model::{FeedUrl, HostKey, PageUrl};
use crate::store::{Claim, DueFeed, DuePage, Saved, StoreError};

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
/// First rest after the store failed, and the longest; it doubles in between. What cannot
/// be recorded would only be asked for again, so nothing new is started meanwhile.
const STORE_REST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));
/// Rests in a row after which `run --once` gives up.
const MAX_STORE_RESTS: u32 = 4;
/// After so long without a failure the store counts as well again: on a disk that is
/// nearly full some things can still be written between those that cannot.
const STORE_IS_WELL: Duration = Duration::from_secs(60);
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
}

/// What is under way. Owned by the one loop.
#[derive(Default)]
struct Work {
    tasks: JoinSet<Done>,
    /// Hosts of everything in `tasks` and in the queues: one thing per host at a time.
    hosts: HashSet<HostKey>,
    feeds: VecDeque<DueFeed>,
    pages: VecDeque<DuePage>,
    n_polls: usize,
    n_scrapes: usize,
    /// When the store is asked for due work again.
    ask_at: Option<Instant>,
    /// What the last asking came to.
    look: Look,
    /// When the store was last asked for the size of the backlog.
    counted: Option<Instant>,
    store: StoreHealth,
}

/// How the store does.
#[derive(Default)]
struct StoreHealth {
    /// Rests in a row.
    n_rests: u32,
    /// Nothing is started before.
    rests_until: Option<Instant>,
    /// What it said last.
    failure: Option<StoreError>,
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
    Poll(FeedUrl, HostKey, Result<Polled, StoreError>),
    Scrape(PageUrl, HostKey, Result<Scraped, StoreError>),
}

/// What the loop does when it has started all that it can.
enum Pause {
    /// Something is due, but its host rests: look again after so long.
    Rest(Duration),
    /// Nothing is due: look again after so long, or when something ends.
    Idle(Duration),
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
        let mut work = Work::default();
        let began = now();
        let outcome = loop {
            heartbeat();
            if stop.is_cancelled() {
                break Ok(());
            }
            let feeds_until = if run == Run::Once { began } else { now() };
            let pause = match work.store.rest_left() {
                Some(rest) => Pause::Rest(rest.min(IDLE)),
                None => match self.fill(&mut work, feeds_until).await {
                    Ok(pause) => pause,
                    Err(error) => {
                        work.store.note_failure(error);
                        continue;
                    }
                },
            };
            let pause = match pause {
                _ if run == Run::Once && work.store.is_hopeless() => {
                    let failure = work.store.failure.take();
                    break failure.map_or(Ok(()), |failure| Err(RunError::Store(failure)));
                }
                Pause::Idle(_) if run == Run::Once && work.tasks.is_empty() => break Ok(()),
                Pause::Rest(_) if run == Run::Once && work.is_stuck() => {
                    info!("left what is due on hosts that rest for long; a later run does it");
                    break Ok(());
                }
                Pause::Idle(pause) | Pause::Rest(pause) => pause,
            };
            tokio::select! {
                Some(done) = work.tasks.join_next() => {
                    self.settle(&mut work, done);
                    while let Some(done) = work.tasks.try_join_next() {
                        self.settle(&mut work, done);
                    }
                }
                () = sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        };
        self.drain(work).await;
        outcome
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
        while work.n_polls < self.settings.polls
            && let Some(due) = work.feeds.pop_front()
        {
            work.n_polls += 1;
            let (ingest, url, host) = (Arc::clone(self), due.url.clone(), due.host.clone());
            work.tasks
                .spawn(async move { Done::Poll(url, host, ingest.poll_feed(due).await) });
        }
        while work.n_scrapes < self.settings.scrapes
            && let Some(due) = work.pages.pop_front()
        {
            work.n_scrapes += 1;
            let (ingest, url, host) = (Arc::clone(self), due.url.clone(), due.host.clone());
            work.tasks
                .spawn(async move { Done::Scrape(url, host, ingest.scrape_article(due).await) });
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
        if work.feeds.is_empty() && work.n_polls < self.settings.polls {
            let claim = work.claim(&resting, feeds_until);
            for due in self.store.due_feeds(&claim).await? {
                if work.hosts.insert(due.host.clone()) {
                    work.feeds.push_back(due);
                }
            }
        }
        if work.pages.is_empty() && work.n_scrapes < self.settings.scrapes {
            let claim = work.claim(&resting, now());
            for due in self.store.due_pages(&claim).await? {
                if work.hosts.insert(due.host.clone()) {
                    work.pages.push_back(due);
                }
            }
        }
        let (look, wait) = if work.feeds.len() + work.pages.len() > n_before {
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
                work.n_polls -= 1;
                work.hosts.remove(&host);
                self.note_poll(work, &url, polled);
            }
            Ok(Done::Scrape(url, host, saved)) => {
                work.n_scrapes -= 1;
                work.hosts.remove(&host);
                self.note_scrape(work, &url, saved);
            }
            // Tasks hold no bare unwrap, and CPU work is caught in `cpu`; its host stays
            // unasked until the next start, which is the safe side.
            Err(error) => error!("a task of wireroom failed: {error}"),
        }
    }

    fn note_poll(&self, work: &mut Work, url: &FeedUrl, polled: Result<Polled, StoreError>) {
        let polled = match polled {
            Ok(polled) => polled,
            Err(error) => return work.store.note_failure(error),
        };
        work.store.note_success();
        self.progress.polls.fetch_add(1, Relaxed);
        self.progress
            .announced
            .fetch_add(polled.recorded.n_new as u64, Relaxed);
        let url = url.shown();
        let n_new = polled.recorded.n_new;
        let duration_ms = polled.duration.as_millis();
        match polled.outcome {
            PollOutcome::NotModified => debug!(feed.url = url, "polled {url}: not modified"),
            PollOutcome::Unchanged => debug!(feed.url = url, "polled {url}: unchanged"),
            PollOutcome::Fetched {
                n_entries,
                warnings,
                ..
            } => {
                info!(
                    feed.url = url,
                    n_new, n_entries, duration_ms, "polled {url}: {n_new} new of {n_entries}"
                );
                for warning in warnings.iter().take(3) {
                    debug!(feed.url = url, "{url}: {warning}");
                }
            }
            PollOutcome::Failed(failure) => {
                self.progress.failed_polls.fetch_add(1, Relaxed);
                warn!(feed.url = url, error.kind = %failure.kind, "cannot poll {url}: {failure}");
            }
        }
    }

    fn note_scrape(&self, work: &mut Work, url: &PageUrl, scraped: Result<Scraped, StoreError>) {
        let Scraped { saved, failure } = match scraped {
            Ok(scraped) => scraped,
            Err(error) => return work.store.note_failure(error),
        };
        work.store.note_success();
        let url = url.shown();
        match (saved, failure) {
            (Saved::Article(id), _) => {
                self.progress.saved.fetch_add(1, Relaxed);
                return info!(page.url = url, article.id = id.0, "saved {url}");
            }
            (Saved::Merged { into }, _) => {
                return info!(
                    page.url = url,
                    article.id = into.0,
                    "{url} is article {into} under another address"
                );
            }
            (Saved::Moved, Some(_)) => {}
            (Saved::Retry, Some(failure)) => {
                info!(page.url = url, error.kind = %failure.kind, error.detail = failure.detail, "cannot scrape {url} now, it is tried again: {failure}");
            }
            (Saved::Failed(_), Some(failure)) => {
                warn!(page.url = url, error.kind = %failure.kind, error.detail = failure.detail, "cannot scrape {url}: {failure}");
            }
            (Saved::Moved | Saved::Retry | Saved::Failed(_), None) => {}
        }
        self.progress.failed_pages.fetch_add(1, Relaxed);
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

impl StoreHealth {
    /// Logs a failure, and lets the store rest; failures of work that was under way at the
    /// same time belong to the same rest.
    fn note_failure(&mut self, failure: StoreError) {
        if matches!(failure, StoreError::Fenced) {
            return debug!("work of a shard that went to another worker was left to it");
        }
        if self.rest_left().is_none() {
            error!(error.kind = "store", "{failure}");
            let rest = STORE_REST.0 * (1 << self.n_rests.min(16));
            self.rests_until = Some(Instant::now() + rest.min(STORE_REST.1));
            self.n_rests += 1;
        }
        self.failure = Some(failure);
    }

    fn note_success(&mut self) {
        let is_well = |until: Instant| until.elapsed() >= STORE_IS_WELL;
        if self.rests_until.is_some_and(is_well) {
            *self = Self::default();
        }
    }

    fn rest_left(&self) -> Option<Duration> {
        let left = self.rests_until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    fn is_hopeless(&self) -> bool {
        self.n_rests > MAX_STORE_RESTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_the_same_moment_are_one_rest() {
        let mut store = StoreHealth::default();

        for _ in 0..20 {
            store.note_failure(StoreError::Full {
                store: "full.db".into(),
            });
        }
        store.note_success();

        assert_eq!(store.n_rests, 1);
        assert!(!store.is_hopeless());
        assert!(
            store.rest_left().is_some(),
            "a success beside them ends no rest"
        );
    }

    #[test]
    fn work_that_went_to_another_worker_is_no_failure() {
        let mut store = StoreHealth::default();

        store.note_failure(StoreError::Fenced);

        assert!(store.rest_left().is_none());
    }
}

//! The daemon: opens the store, follows the feed lists, runs [`Ingest`], reloads, ends.
//!
//! Read [`run`]. It takes a token instead of handling SIGTERM itself, so that tests and the
//! binary end it in the same way; SIGHUP is its own, since only it knows what to reload.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::config::{self, Config, ConfigError};
use crate::fetch::{BuildError, Fetcher};
use crate::ingest::{Ingest, Run, RunError, now};
use crate::model::N_SHARDS;
use crate::store::{self, FeedState, Role, Store, StoreError, SyncReport};
use crate::telemetry::{Progress, service};

/// Name of the note in which the outcome of the last reload stands, as JSON with `at`,
/// `ok` and `text`.
pub const RELOAD_NOTE: &str = "reload";

/// Time between two looks of the indexer at what is new: the most that search lags behind.
/// Every second instead of every five costs twice the CPU for the same articles.
const INDEX_PAUSE: Duration = Duration::from_secs(5);
/// The same for `run --once`, which brings the index up to date at its end.
const INDEX_PAUSE_ONCE: Duration = Duration::from_secs(30);
/// Longest time for the index at a stop, which has five seconds in all.
const LAST_INDEXING: Duration = Duration::from_secs(1);
/// Longest time between two signs of life of a worker that serves.
const SERVE_TURN: Duration = Duration::from_secs(1);
/// Time between two status lines for the service manager.
const STATUS_PAUSE: Duration = Duration::from_secs(5);

/// Why the daemon cannot run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The configuration, or a feed list, is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no HTTP.
    #[error(transparent)]
    Fetch(#[from] BuildError),
    /// The run ended early.
    #[error(transparent)]
    Run(#[from] RunError),
    /// This process can be no worker any more, and is to be started again.
    #[error(
        "a task on which this worker depends has ended; its shards go to the others, and it is to be started again"
    )]
    Ended,
    /// The system refused something that always works.
    #[error("cannot listen for signals: {0}")]
    Signal(#[source] std::io::Error),
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Feeds polled.
    pub polls: u64,
    /// Of these, failed.
    pub failed_polls: u64,
    /// New articles heard of.
    pub announced: u64,
    /// Articles whose page was saved.
    pub saved: u64,
    /// Pages that failed.
    pub failed_pages: u64,
    /// Results that came after their shard had gone to another worker.
    pub fenced: u64,
    /// How long it took.
    pub duration: Duration,
}

/// Runs until `stop`, or with [`Run::Once`] until nothing is due; on a database also until
/// this worker is drained. `role` divides the work of many workers; a file has one, which does
/// everything.
///
/// # Errors
/// [`DaemonError`] when it cannot run at all. Feeds and pages that fail are no error.
pub async fn run(
    config: Config,
    run: Run,
    role: Role,
    progress: Arc<Progress>,
    stop: CancellationToken,
) -> Result<Summary, DaemonError> {
    let began = Instant::now();
    let lists = config::read_lists(&config)?;
    let store = Store::open(&config.store, role.access()).await?;
    let hangups = signal(SignalKind::hangup()).map_err(DaemonError::Signal)?;
    announce(&config, role, &store, lists).await?;
    service::ready("ready");
    let mut daemon = Daemon {
        config,
        run,
        role,
        store,
        progress,
        stop,
        hangups,
    };
    let ended = daemon.rounds().await;
    service::stopping();
    let Daemon {
        store,
        progress,
        stop,
        ..
    } = daemon;
    if role != Role::Ingest {
        catch_up(&store, &stop).await;
    }
    let summary = summary(&progress, began.elapsed());
    store.close().await?;
    ended.map(|()| summary)
}

struct Daemon {
    config: Config,
    run: Run,
    role: Role,
    store: Store,
    progress: Arc<Progress>,
    stop: CancellationToken,
    hangups: Signal,
}

/// How a round ended.
enum Round {
    /// All is done, or a stop was asked for.
    Done,
    /// The configuration changed in more than its feed lists.
    Changed(Box<Config>),
}

impl Daemon {
    /// One round per configuration.
    async fn rounds(&mut self) -> Result<(), DaemonError> {
        loop {
            match self.round().await? {
                Round::Done => return Ok(()),
                Round::Changed(config) => {
                    // A new fetcher knows no host's last request.
                    sleep(self.config.fetch.host_gap.max(config.fetch.host_gap)).await;
                    self.config = *config;
                }
            }
        }
    }

    async fn round(&mut self) -> Result<Round, DaemonError> {
        let ownership = self.store.ownership();
        let fetcher = Fetcher::of_worker(self.config.fetch.clone(), ownership)?;
        let ingest = Arc::new(Ingest::new(
            self.store.clone(),
            fetcher,
            self.config.ingest.clone(),
            self.config.schedule.clone(),
            Arc::clone(&self.progress),
        ));
        self.store.expect_exchanges(self.config.fetch.timeout);
        let end = self.stop.child_token();
        let mut working = JoinSet::new();
        match self.role {
            Role::All | Role::Ingest => {
                working.spawn(ingest.run(self.run, end.clone(), heartbeat()));
            }
            Role::Serve => {
                working.spawn(serve(self.run, end.clone(), heartbeat()));
            }
        }
        let mut helpers = self.helpers();
        let mut changed = None;
        loop {
            tokio::select! {
                Some(ended) = working.join_next() => {
                    helpers.shutdown().await;
                    if let Ok(outcome) = ended {
                        outcome?;
                    }
                    return Ok(changed.map_or(Round::Done, |config| Round::Changed(Box::new(config))));
                }
                Some(()) = self.hangups.recv() => {
                    changed = self.reload().await.or(changed);
                    if changed.is_some() {
                        end.cancel();
                    }
                }
                () = self.store.drained(), if !self.stop.is_cancelled() => self.stop.cancel(),
                () = self.store.ended() => {
                    end.cancel();
                    while working.join_next().await.is_some() {}
                    return Err(DaemonError::Ended);
                }
            }
        }
    }

    /// What goes on beside the work.
    fn helpers(&self) -> JoinSet<()> {
        let mut helpers = JoinSet::new();
        if self.role != Role::Ingest {
            let changes = Changes::of(&self.config.store, &self.progress);
            helpers.spawn(follow_changes(self.store.clone(), changes, self.run));
        }
        helpers.spawn(tell_service(
            self.store.clone(),
            self.role,
            Arc::clone(&self.progress),
        ));
        helpers
    }

    /// Reads the configuration and the lists again. A faulty one changes nothing. Returns the
    /// new configuration when more than the lists changed.
    async fn reload(&self) -> Option<Config> {
        service::reloading();
        let outcome = self.reread().await;
        let (ok, text) = match &outcome {
            Ok((report, _)) => (true, format!("reloaded: {}", describe(report))),
            Err(error) => (false, format!("nothing was changed: {error}")),
        };
        if ok {
            info!("{text}")
        } else {
            error!("cannot reload; {text}")
        }
        let note = json!({ "at": now().to_string(), "ok": ok, "text": text }).to_string();
        if let Err(error) = self.store.set_note(RELOAD_NOTE, &note).await {
            error!("cannot note the reload: {error}");
        }
        service::ready("ready");
        outcome.ok().and_then(|(_, config)| config)
    }

    async fn reread(&self) -> Result<(SyncReport, Option<Config>), DaemonError> {
        let file: Option<PathBuf> = self.config.file.clone();
        let read = tokio::task::spawn_blocking(move || {
            let config = config::load(file.as_deref())?;
            let lists = config::read_lists(&config)?;
            Ok::<_, ConfigError>((config, lists))
        });
        let (config, lists) = read.await.expect("reading files does not panic")?;
        for notice in &lists.notices {
            warn!("{notice}");
        }
        let report = match follows_lists(&config, self.role, &lists) {
            true => self.store.sync_lists(lists.sources, now()).await?,
            false => SyncReport::default(),
        };
        if !is_same_store(&config.store, &self.config.store) {
            warn!(
                "`[store]` changes with a restart only; {} stays in use",
                self.config.store
            );
        }
        let same = config.fetch == self.config.fetch
            && config.schedule == self.config.schedule
            && config.ingest == self.config.ingest;
        Ok((
            report,
            (!same).then(|| Config {
                store: self.config.store.clone(),
                ..config
            }),
        ))
    }
}

/// Says where the store is and what is polled.
async fn announce(
    config: &Config,
    role: Role,
    store: &Store,
    lists: config::Lists,
) -> Result<(), DaemonError> {
    match &config.file {
        Some(file) => info!("configuration: {}", file.display()),
        None => info!("configuration: none found, the defaults stand"),
    }
    info!("store: {}", config.store);
    for notice in &lists.notices {
        warn!("{notice}");
    }
    let n_lists = lists.sources.len();
    let report = match follows_lists(config, role, &lists) {
        true => store.sync_lists(lists.sources, now()).await?,
        false => SyncReport::default(),
    };
    let status = store.status(now()).await?;
    let n_feeds: u64 = status
        .feeds
        .iter()
        .filter(|(state, _)| is_polled(*state))
        .map(|(_, n)| n)
        .sum();
    info!(
        n_feeds,
        "feeds: {n_feeds} (lists read: {n_lists}; {})",
        describe(&report)
    );
    info!(
        "articles: {} so far; due now: {} feeds, {} pages",
        status.n_articles, status.backlog.due_feeds, status.backlog.due_pages
    );
    if n_feeds == 0 {
        warn!(
            "there is nothing to poll: add a feed with `wireroom feed add URL`, or name a list in `feeds`"
        );
    }
    Ok(())
}

/// Whether this process makes the feeds be what its lists say. Of many workers, one that has
/// no lists leaves that to those that do: to it, every feed of theirs would be in no list.
fn follows_lists(config: &Config, role: Role, lists: &config::Lists) -> bool {
    let has_others = config.store.file().is_none();
    role != Role::Serve && !(has_others && lists.sources.is_empty())
}

/// Whether both mean the same archive, reached in the same way. The longest exchange is a
/// setting of `[fetch]`, which a reload takes over.
fn is_same_store(one: &store::Settings, other: &store::Settings) -> bool {
    match (one, other) {
        (store::Settings::Postgres(one), store::Settings::Postgres(other)) => {
            let longest_exchange = one.longest_exchange;
            let other = store::PostgresSettings {
                longest_exchange,
                ..other.clone()
            };
            *one == other
        }
        (one, other) => one == other,
    }
}

fn describe(report: &SyncReport) -> String {
    let SyncReport {
        added,
        changed,
        retired,
        revived,
        kept,
    } = report;
    format!(
        "{added} added, {changed} changed, {retired} retired, {revived} revived, {kept} unchanged"
    )
}

/// A sign of life for the service manager, given no more often than it wants one.
fn heartbeat() -> impl FnMut() + Send {
    let interval = service::watchdog_interval();
    let mut given: Option<Instant> = None;
    move || {
        let Some(interval) = interval else { return };
        if given.is_none_or(|given| given.elapsed() >= interval) {
            service::watchdog();
            given = Some(Instant::now());
        }
    }
}

/// What a worker does that polls and scrapes nothing: it waits, while its helpers work.
async fn serve(
    run: Run,
    stop: CancellationToken,
    mut heartbeat: impl FnMut() + Send,
) -> Result<(), RunError> {
    while run == Run::Forever && !stop.is_cancelled() {
        heartbeat();
        tokio::select! {
            () = sleep(SERVE_TURN) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// How it is known that there is something new to index.
enum Changes {
    /// All that changes is done here, and counted.
    Own(Arc<Progress>),
    /// Others change the archive as well.
    Anyones,
}

impl Changes {
    fn of(settings: &store::Settings, progress: &Arc<Progress>) -> Self {
        match settings {
            store::Settings::Sqlite(_) => Self::Own(Arc::clone(progress)),
            store::Settings::Postgres(_) => Self::Anyones,
        }
    }

    /// What tells two moments apart between which something changed; `None`: nothing does.
    fn mark(&self) -> Option<u64> {
        match self {
            Self::Own(progress) => {
                Some(progress.announced.load(Relaxed) + progress.saved.load(Relaxed))
            }
            Self::Anyones => None,
        }
    }
}

/// Keeps the search index close behind the articles.
async fn follow_changes(store: Store, changes: Changes, run: Run) {
    let pause = match run {
        Run::Forever => INDEX_PAUSE,
        Run::Once => INDEX_PAUSE_ONCE,
    };
    let mut seen = None;
    loop {
        let mark = changes.mark();
        if mark.is_none() || seen != mark {
            seen = mark;
            if let Err(error) = store.index().await {
                error!("cannot index for search: {error}");
                seen = None;
            }
        }
        sleep(pause).await;
    }
}

/// Brings the search index up to date at the end: wholly when the work is done, as far as
/// there is time when a stop was asked for. The index is derived, and the next start goes on
/// where it ended.
async fn catch_up(store: &Store, stop: &CancellationToken) {
    let limit = async {
        stop.cancelled().await;
        sleep(LAST_INDEXING).await;
    };
    tokio::select! {
        indexed = store.index() => if let Err(error) = indexed {
            error!("cannot index for search: {error}");
        },
        () = limit => info!("the newest changes are not searchable yet; the next start goes on"),
    }
}

/// A line for the service manager's `status`.
async fn tell_service(store: Store, role: Role, progress: Arc<Progress>) {
    loop {
        let Summary {
            polls,
            saved,
            failed_polls,
            failed_pages,
            ..
        } = summary(&progress, Duration::ZERO);
        let (feeds, pages) = (
            progress.due_feeds.load(Relaxed),
            progress.due_pages.load(Relaxed),
        );
        let ownership = store.ownership();
        let shards = match ownership.owner() {
            Some(worker) => format!(
                "worker {worker} ({}), {} of {N_SHARDS} shards; ",
                role.name(),
                ownership.n_shards()
            ),
            None => String::new(),
        };
        service::status(&format!(
            "{shards}{polls} polls, {saved} articles saved, {} failures; due now: {feeds} feeds, {pages} pages",
            failed_polls + failed_pages,
        ));
        sleep(STATUS_PAUSE).await;
    }
}

fn summary(progress: &Progress, duration: Duration) -> Summary {
    Summary {
        polls: progress.polls.load(Relaxed),
        failed_polls: progress.failed_polls.load(Relaxed),
        announced: progress.announced.load(Relaxed),
        saved: progress.saved.load(Relaxed),
        failed_pages: progress.failed_pages.load(Relaxed),
        fenced: progress.fenced.load(Relaxed),
        duration,
    }
}

fn is_polled(state: FeedState) -> bool {
    matches!(state, FeedState::Pending | FeedState::Ok | FeedState::Error)
}

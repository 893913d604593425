//! Who works on the archive: this process as a worker, and the workers beside it.
//!
//! On a SQLite file there is one daemon and nothing to share: it owns all shards for good, and
//! all of this is empty or does nothing.

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use super::{Access, Backend, Store, StoreError};

/// Which part of the work a worker does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    #[default]
    All,
    /// Polls and scrapes; keeps no search index.
    Ingest,
    /// Keeps the search index and does upkeep; polls and scrapes nothing, and owns no shard.
    Serve,
}

impl Role {
    /// The name used on the command line and in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Ingest => "ingest",
            Self::Serve => "serve",
        }
    }

    /// How a worker of this role opens the store.
    #[must_use]
    pub fn access(self) -> Access {
        match self {
            Self::All => Access::Daemon,
            Self::Ingest => Access::Ingest,
            Self::Serve => Access::Serve,
        }
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        [Self::All, Self::Ingest, Self::Serve]
            .into_iter()
            .find(|role| role.name() == name)
            .ok_or(())
    }
}

/// Things done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Polls that were recorded.
    pub polls: u64,
    /// Scrapes that were recorded.
    pub scrapes: u64,
    /// Articles that got their text.
    pub articles: u64,
}

impl Done {
    /// What of it came after `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            polls: self.polls.saturating_sub(before.polls),
            scrapes: self.scrapes.saturating_sub(before.scrapes),
            articles: self.articles.saturating_sub(before.articles),
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self {
            polls: self.polls + more.polls,
            scrapes: self.scrapes + more.scrapes,
            articles: self.articles + more.articles,
        }
    }
}

/// All workers of one archive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fleet {
    /// Those that live, and those that ended without a word within the last hour; oldest first.
    pub workers: Vec<FleetWorker>,
    /// Shards that a living worker owns, of 1,024.
    pub n_owned: u64,
    /// Shards that nobody owns who lives: what is due there waits.
    pub n_free: u64,
    /// For how long the feed that waits longest has been due, on hosts that do not rest.
    pub feed_lag: Option<Duration>,
    /// The same of pages.
    pub page_lag: Option<Duration>,
}

impl Fleet {
    /// Workers that live.
    pub fn living(&self) -> impl Iterator<Item = &FleetWorker> {
        self.workers
            .iter()
            .filter(|worker| worker.state != WorkerState::Lost)
    }

    /// What the living workers did in the last minute.
    #[must_use]
    pub fn minute(&self) -> Done {
        self.living()
            .fold(Done::default(), |sum, worker| sum.and(worker.minute))
    }
}

/// One worker, as the others see it.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetWorker {
    /// Its id, another one at every start.
    pub id: i64,
    /// The name of its machine.
    pub machine: String,
    /// Its process there.
    pub pid: u32,
    /// Its version of wireroom.
    pub version: String,
    /// What it does.
    pub role: Role,
    /// Whether it lives.
    pub state: WorkerState,
    /// When it started, by the database's clock.
    pub started_at: Timestamp,
    /// Since its last sign of life.
    pub silent_for: Duration,
    /// Shards that are its own.
    pub n_shards: u64,
    /// What it has done since its start.
    pub done: Done,
    /// What it had done in the minute before its last sign of life.
    pub minute: Done,
}

impl FleetWorker {
    /// Whether it runs on this machine, as far as the name says.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.machine == machine()
    }
}

/// Whether a worker lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerState {
    /// It does.
    Live,
    /// It does, and hands over its shards before it ends.
    Draining,
    /// It has given no sign of life for longer than its lease, and its shards are free.
    Lost,
}

impl WorkerState {
    /// The name used in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Draining => "draining",
            Self::Lost => "lost",
        }
    }
}

/// The name of this machine, as [`FleetWorker::machine`] has it; `unknown` where it has none.
pub(super) fn machine() -> String {
    let name = ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|file| std::fs::read_to_string(file).ok());
    let name: String = name.unwrap_or_default().trim().chars().take(64).collect();
    match name.is_empty() {
        true => "unknown".to_owned(),
        false => name,
    }
}

impl Access {
    /// The role of the worker that opens the store; `None`: it is no worker.
    #[must_use]
    pub fn role(self) -> Option<Role> {
        match self {
            Self::Daemon => Some(Role::All),
            Self::Ingest => Some(Role::Ingest),
            Self::Serve => Some(Role::Serve),
            Self::Command | Self::Reader => None,
        }
    }
}

impl Store {
    /// All workers of this archive; empty on a file.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn fleet(&self, now: Timestamp) -> Result<Fleet, StoreError> {
        match &self.backend {
            Backend::Sqlite(_) => Ok(Fleet::default()),
            Backend::Postgres(postgres) => postgres.fleet(now).await,
        }
    }

    /// Asks a worker to hand over its shards and end; says whether it lives.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn drain(&self, worker: i64, now: Timestamp) -> Result<bool, StoreError> {
        match &self.backend {
            Backend::Sqlite(_) => Ok(false),
            Backend::Postgres(postgres) => postgres.drain(worker, now).await,
        }
    }

    /// Waits until this process cannot be a worker any more, because a task on which that
    /// depends has ended: it is to end as well, and to be started again.
    pub async fn ended(&self) {
        match &self.backend {
            Backend::Sqlite(_) => std::future::pending().await,
            Backend::Postgres(postgres) => postgres.ended().await,
        }
    }

    /// Waits until somebody asks this worker to hand over its shards and end.
    pub async fn drained(&self) {
        match &self.backend {
            Backend::Sqlite(_) => std::future::pending().await,
            Backend::Postgres(postgres) => postgres.drained().await,
        }
    }

    /// Adds to what this worker shows of its work.
    pub fn tally(&self, done: Done) {
        match &self.backend {
            Backend::Sqlite(_) => {}
            Backend::Postgres(postgres) => postgres.tally(done),
        }
    }

    /// From now on one exchange takes at most `longest`: the lease is never too short for it.
    pub fn expect_exchanges(&self, longest: Duration) {
        match &self.backend {
            Backend::Sqlite(_) => {}
            Backend::Postgres(postgres) => postgres.expect_exchanges(longest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_found_by_their_names_and_open_the_store_as_such() {
        for role in [Role::All, Role::Ingest, Role::Serve] {
            assert_eq!(role.name().parse(), Ok(role));
            assert_eq!(role.access().role(), Some(role));
        }
        assert_eq!("both".parse::<Role>(), Err(()));
        assert_eq!(Access::Command.role(), None);
    }
}

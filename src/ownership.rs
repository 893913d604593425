//! Which hosts this process may ask, and until when it can be sure of that.
//!
//! With one process on one SQLite file: all of them, always. With many workers on one
//! database each owns some of the [`N_SHARDS`] shards, and its right ends at a deadline that
//! its heartbeat moves on: whoever starts a request asks here first, with the time that the
//! request may take.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::model::{HostKey, Shard};

/// The shards of this process. A cheap clone; all clones see the same.
#[derive(Clone, Debug, Default)]
pub struct Ownership {
    /// `None`: all shards, for good.
    held: Option<Arc<RwLock<Held>>>,
}

#[derive(Debug, Default)]
struct Held {
    /// Nothing may be under way after it; `None` while this process counts as dead.
    deadline: Option<Instant>,
    shards: HashMap<Shard, Holding>,
}

/// One shard that is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// What is recorded under another epoch is fenced.
    pub epoch: u64,
    /// Since when it is ours: its hosts may have been asked by another just before.
    pub since: Instant,
    /// Whether nothing new is started: it is being handed over.
    pub is_ending: bool,
}

/// Whether a request to a host may start now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Ours,
    /// The host belongs to another worker, or to nobody yet.
    Foreign,
    /// The host is ours, but not surely for as long as the request may take.
    Ending,
}

impl Ownership {
    /// The only process: all hosts, for good.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// One worker of several, which owns nothing yet.
    #[must_use]
    pub fn shared() -> Self {
        Self {
            held: Some(Arc::default()),
        }
    }

    /// Whether a request to `host` that takes at most `takes` may start now.
    #[must_use]
    pub fn standing(&self, host: &HostKey, takes: Duration) -> Standing {
        let Some(held) = &self.held else {
            return Standing::Ours;
        };
        let held = held.read().unwrap_or_else(PoisonError::into_inner);
        let Some(holding) = held.shards.get(&host.shard()) else {
            return Standing::Foreign;
        };
        let is_sure = held
            .deadline
            .is_some_and(|deadline| Instant::now() + takes < deadline);
        match is_sure && !holding.is_ending {
            true => Standing::Ours,
            false => Standing::Ending,
        }
    }

    /// When the shard of `host` became ours, for the pause after a change of owner; `None`
    /// for the only process, and for a foreign host.
    #[must_use]
    pub fn held_since(&self, host: &HostKey) -> Option<Instant> {
        let held = self.held.as_ref()?;
        let held = held.read().unwrap_or_else(PoisonError::into_inner);
        held.shards.get(&host.shard()).map(|holding| holding.since)
    }

    /// The shards that work may be read from, each with its epoch; `None`: all of them.
    #[must_use]
    pub fn shards(&self) -> Option<Vec<(Shard, u64)>> {
        let held = self.held.as_ref()?;
        let held = held.read().unwrap_or_else(PoisonError::into_inner);
        let mut shards: Vec<(Shard, u64)> = held
            .shards
            .iter()
            .filter(|(_, holding)| !holding.is_ending)
            .map(|(shard, holding)| (*shard, holding.epoch))
            .collect();
        shards.sort_unstable_by_key(|(shard, _)| *shard);
        Some(shards)
    }
}

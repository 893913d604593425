//! Which hosts this process may ask, and until when it can be sure of that.
//!
//! With one process on one SQLite file: all of them, always. With many workers on one
//! database each owns some of the [`N_SHARDS`] shards, and its right ends at a deadline that
//! its heartbeat moves on: whoever starts a request asks here first, with the time that the
//! request may take, and holds a [`Flight`] until it has ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Notify;

use crate::model::{HostKey, N_SHARDS, Shard};

/// The time beyond `longest_exchange` within which an exchange has surely ended, whatever
/// the scheduler of the machine does: a tenth of it, between 0.1 s and 2 s.
#[must_use]
pub fn margin(longest_exchange: Duration) -> Duration {
    (longest_exchange / 10).clamp(Duration::from_millis(100), Duration::from_secs(2))
}

/// The shortest lease with which a worker never stands still. It is renewed when a quarter
/// of it has passed, and an exchange that starts just before must still fit into the rest.
#[must_use]
pub fn shortest_lease(longest_exchange: Duration) -> Duration {
    (longest_exchange + margin(longest_exchange)) * 3 / 2
}

/// The shards of this process. A cheap clone; all clones see the same.
#[derive(Clone, Debug, Default)]
pub struct Ownership {
    /// `None`: all shards, for good.
    shared: Option<Arc<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Written by the worker's task; read before every request.
    held: Mutex<Held>,
    /// Something in flight has ended.
    landed: Notify,
}

#[derive(Debug, Default)]
struct Held {
    /// The worker's id in the database; `None` while it has none.
    owner: Option<i64>,
    /// Nothing may be under way after it; `None` while this process counts as dead.
    sure_until: Option<Moment>,
    shards: HashMap<Shard, Holding>,
    /// What is under way, of shards that are ours or were.
    flights: HashMap<Shard, usize>,
    /// Whether the shards are all that this worker can get for now.
    is_settled: bool,
}

/// One shard that is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holding {
    /// What is recorded under another epoch is fenced.
    epoch: u64,
    /// Since when it is ours: its hosts may have been asked by another just before.
    since: Instant,
    /// Whether nothing new is started: it is being handed over.
    is_ending: bool,
}

/// A moment on two clocks. The monotonic one cannot be set, but stands still while the
/// machine is suspended; the other goes on meanwhile. A right has ended when either says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    monotonic: Instant,
    wall: SystemTime,
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

/// Something under way in a shard of ours: as long as it lives, the shard is not handed over.
#[derive(Debug)]
pub struct Flight {
    /// `None` for the only process.
    of: Option<(Arc<Shared>, Shard)>,
}

impl Moment {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self {
            monotonic: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// So much later; where a clock cannot count so far, the moment itself.
    fn after(self, span: Duration) -> Self {
        Self {
            monotonic: self.monotonic.checked_add(span).unwrap_or(self.monotonic),
            wall: self.wall.checked_add(span).unwrap_or(self.wall),
        }
    }

    /// Whether both clocks say that this comes before `other`.
    fn is_before(self, other: Self) -> bool {
        self.monotonic < other.monotonic && self.wall < other.wall
    }
}

/// What whoever asks hosts needs to know.
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
            shared: Some(Arc::default()),
        }
    }

    /// Whether a request to `host` that takes at most `takes` may start now.
    #[must_use]
    pub fn standing(&self, host: &HostKey, takes: Duration) -> Standing {
        match &self.shared {
            None => Standing::Ours,
            Some(shared) => shared.held().standing(host.shard(), takes, Moment::now()),
        }
    }

    /// Starts a request to `host` that takes at most `takes`; the shard stays ours until the
    /// flight is dropped.
    ///
    /// # Errors
    /// The standing that forbids it: foreign, or ending.
    pub fn start(&self, host: &HostKey, takes: Duration) -> Result<Flight, Standing> {
        let Some(shared) = &self.shared else {
            return Ok(Flight { of: None });
        };
        let shard = host.shard();
        let mut held = shared.held();
        match held.standing(shard, takes, Moment::now()) {
            Standing::Ours => Ok(held.take_off(shared, shard)),
            other => Err(other),
        }
    }

    /// Begins work that was read under `epoch`, up to its recording; `None` when the shard is
    /// no longer ours, or is being handed over.
    #[must_use]
    pub fn begin(&self, shard: Shard, epoch: u64) -> Option<Flight> {
        let Some(shared) = &self.shared else {
            return Some(Flight { of: None });
        };
        let mut held = shared.held();
        let holding = held.shards.get(&shard)?;
        let is_current = holding.epoch == epoch && !holding.is_ending;
        is_current.then(|| held.take_off(shared, shard))
    }

    /// Whether a request that takes at most `takes` could start at some host.
    #[must_use]
    pub fn can_start(&self, takes: Duration) -> bool {
        let Some(shared) = &self.shared else {
            return true;
        };
        let held = shared.held();
        let is_sure = held.is_sure(takes, Moment::now());
        is_sure && held.shards.values().any(|holding| !holding.is_ending)
    }

    /// When the shard of `host` became ours, for the pause after a change of owner; `None`
    /// for the only process, and for a foreign host.
    #[must_use]
    pub fn held_since(&self, host: &HostKey) -> Option<Instant> {
        let held = self.shared.as_ref()?.held();
        held.shards.get(&host.shard()).map(|holding| holding.since)
    }

    /// The shards that work may be read from, each with its epoch; `None`: all of them.
    #[must_use]
    pub fn shards(&self) -> Option<Vec<(Shard, u64)>> {
        let held = self.shared.as_ref()?.held();
        let mut shards: Vec<(Shard, u64)> = held
            .shards
            .iter()
            .filter(|(_, holding)| !holding.is_ending)
            .map(|(shard, holding)| (*shard, holding.epoch))
            .collect();
        shards.sort_unstable_by_key(|(shard, _)| *shard);
        Some(shards)
    }

    /// The id under which this worker owns its shards; `None` for the only process, and for a
    /// worker that counts as dead.
    #[must_use]
    pub fn owner(&self) -> Option<i64> {
        self.shared.as_ref()?.held().owner
    }

    /// How many shards are ours, those that are being handed over included.
    #[must_use]
    pub fn n_shards(&self) -> usize {
        match &self.shared {
            None => usize::from(N_SHARDS),
            Some(shared) => shared.held().shards.len(),
        }
    }

    /// Whether these shards are all that this worker can get for now: before that, an end of
    /// the work means nothing.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.shared
            .as_ref()
            .is_none_or(|shared| shared.held().is_settled)
    }
}

/// What the worker's own task does. For the only process, nothing.
impl Ownership {
    /// This worker has a new id, and owns nothing under it yet.
    pub fn register(&self, owner: i64) {
        if let Some(shared) = &self.shared {
            shared.held().lose_all();
            shared.held().owner = Some(owner);
        }
    }

    /// The database has confirmed that this worker lives until `lease` after `read`, which is
    /// a moment before it was asked.
    pub fn renew(&self, read: Moment, lease: Duration) {
        if let Some(shared) = &self.shared {
            shared.held().sure_until = Some(read.after(lease));
        }
    }

    /// These shards, under these epochs, and no others are ours. Those that were ours under
    /// the same epoch stay as they are.
    pub fn hold(&self, shards: &[(Shard, u64)]) {
        let Some(shared) = &self.shared else { return };
        let since = Instant::now();
        let mut held = shared.held();
        let mut before = std::mem::take(&mut held.shards);
        for &(shard, epoch) in shards {
            let known = before.remove(&shard).filter(|known| known.epoch == epoch);
            let holding = known.unwrap_or(Holding {
                epoch,
                since,
                is_ending: false,
            });
            held.shards.insert(shard, holding);
        }
    }

    /// Whether these shards are all that this worker can get for now.
    pub fn settle(&self, is_settled: bool) {
        if let Some(shared) = &self.shared {
            shared.held().is_settled = is_settled;
        }
    }

    /// Nothing new is started in these shards from now on.
    pub fn end(&self, shards: &[Shard]) {
        let Some(shared) = &self.shared else { return };
        let mut held = shared.held();
        for shard in shards {
            if let Some(holding) = held.shards.get_mut(shard) {
                holding.is_ending = true;
            }
        }
    }

    /// Shards that are being handed over and in which nothing is under way any more, each
    /// with its epoch.
    #[must_use]
    pub fn ended(&self) -> Vec<(Shard, u64)> {
        let Some(shared) = &self.shared else {
            return Vec::new();
        };
        let held = shared.held();
        let mut ended: Vec<(Shard, u64)> = held
            .shards
            .iter()
            .filter(|(shard, holding)| holding.is_ending && !held.flights.contains_key(shard))
            .map(|(shard, holding)| (*shard, holding.epoch))
            .collect();
        ended.sort_unstable_by_key(|(shard, _)| *shard);
        ended
    }

    /// Waits until all that was under way in a shard that is being handed over has ended.
    /// What ends between two calls is not missed.
    pub async fn landed(&self) {
        match &self.shared {
            Some(shared) => shared.landed.notified().await,
            None => std::future::pending().await,
        }
    }

    /// These shards are not ours any more.
    pub fn release(&self, shards: &[Shard]) {
        let Some(shared) = &self.shared else { return };
        let mut held = shared.held();
        for shard in shards {
            held.shards.remove(shard);
        }
    }

    /// This worker counts as dead: nothing is ours any more.
    pub fn lose_all(&self) {
        let Some(shared) = &self.shared else { return };
        shared.held().lose_all();
    }
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn lose_all(&mut self) {
        self.owner = None;
        self.sure_until = None;
        self.shards.clear();
        self.is_settled = false;
    }

    fn standing(&self, shard: Shard, takes: Duration, now: Moment) -> Standing {
        let Some(holding) = self.shards.get(&shard) else {
            return Standing::Foreign;
        };
        match self.is_sure(takes, now) && !holding.is_ending {
            true => Standing::Ours,
            false => Standing::Ending,
        }
    }

    fn is_sure(&self, takes: Duration, now: Moment) -> bool {
        self.sure_until
            .is_some_and(|until| now.after(takes).is_before(until))
    }

    fn take_off(&mut self, shared: &Arc<Shared>, shard: Shard) -> Flight {
        *self.flights.entry(shard).or_default() += 1;
        Flight {
            of: Some((Arc::clone(shared), shard)),
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let Some((shared, shard)) = &self.of else {
            return;
        };
        let mut held = shared.held();
        if let Some(n_flights) = held.flights.get_mut(shard) {
            *n_flights -= 1;
            if *n_flights == 0 {
                held.flights.remove(shard);
                if held.shards.get(shard).is_some_and(|held| held.is_ending) {
                    shared.landed.notify_one();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEASE: Duration = Duration::from_secs(30);
    const TAKES: Duration = Duration::from_secs(10);

    fn host() -> HostKey {
        HostKey::stored("example.org".into())
    }

    fn owner() -> Ownership {
        let ownership = Ownership::shared();
        ownership.renew(Moment::now(), LEASE);
        ownership.hold(&[(host().shard(), 7)]);
        ownership
    }

    #[test]
    fn the_only_process_may_ask_everyone_always() {
        let ownership = Ownership::all();

        assert_eq!(ownership.standing(&host(), Duration::MAX), Standing::Ours);
        assert!(ownership.start(&host(), Duration::MAX).is_ok());
        assert!(ownership.begin(Shard(3), 9).is_some());
        assert!(ownership.can_start(Duration::MAX) && ownership.is_settled());
        assert_eq!((ownership.shards(), ownership.n_shards()), (None, 1024));
    }

    #[test]
    fn a_worker_asks_only_hosts_of_its_shards() {
        let other = HostKey::stored("elsewhere.example".into());
        assert_ne!(host().shard(), other.shard());

        let ownership = owner();

        assert_eq!(ownership.standing(&host(), TAKES), Standing::Ours);
        assert_eq!(ownership.standing(&other, TAKES), Standing::Foreign);
        assert_eq!(ownership.shards(), Some(vec![(host().shard(), 7)]));
    }

    #[test]
    fn nothing_starts_that_could_outlast_the_lease() {
        let ownership = owner();

        assert_eq!(ownership.standing(&host(), LEASE), Standing::Ending);
        assert!(!ownership.can_start(LEASE));
        assert!(ownership.can_start(TAKES));
        ownership.lose_all();
        assert!(!ownership.can_start(Duration::ZERO));
    }

    #[test]
    fn a_clock_that_stood_still_or_was_set_back_prolongs_no_right() {
        let now = Moment::now();
        let until = now.after(LEASE);
        let held = Held {
            sure_until: Some(until),
            ..Held::default()
        };
        let suspended = Moment {
            wall: now.wall + Duration::from_secs(3600),
            ..now
        };
        let set_back = Moment {
            monotonic: now.monotonic + Duration::from_secs(60),
            wall: now.wall - Duration::from_secs(3600),
        };

        assert!(held.is_sure(TAKES, now));
        assert!(!held.is_sure(TAKES, suspended));
        assert!(!held.is_sure(TAKES, set_back));
    }

    #[test]
    fn work_that_was_read_before_a_change_of_owner_is_not_begun() {
        let ownership = owner();

        assert!(ownership.begin(host().shard(), 6).is_none());
        assert!(ownership.begin(host().shard(), 7).is_some());
        ownership.end(&[host().shard()]);
        assert!(ownership.begin(host().shard(), 7).is_none());
    }

    #[tokio::test]
    async fn a_shard_is_handed_over_when_nothing_is_under_way_in_it() {
        let ownership = owner();
        let work = ownership.begin(host().shard(), 7).unwrap();
        let request = ownership.start(&host(), TAKES).unwrap();
        assert_eq!(ownership.ended(), [], "it is not ending");

        ownership.end(&[host().shard()]);

        assert_eq!(
            ownership.start(&host(), TAKES).err(),
            Some(Standing::Ending)
        );
        drop(request);
        assert_eq!(ownership.ended(), [], "its result is not recorded yet");
        drop(work);
        ownership.landed().await;
        assert_eq!(ownership.ended(), [(host().shard(), 7)]);
        ownership.release(&[host().shard()]);
        assert_eq!(ownership.standing(&host(), TAKES), Standing::Foreign);
    }

    #[test]
    fn what_the_database_says_again_changes_nothing() {
        let ownership = owner();
        let since = ownership.held_since(&host());
        ownership.end(&[host().shard()]);
        let other = Shard((host().shard().0 + 1) % N_SHARDS);

        ownership.hold(&[(host().shard(), 7), (other, 3)]);

        assert_eq!(ownership.held_since(&host()), since);
        assert_eq!(ownership.standing(&host(), TAKES), Standing::Ending);
        assert_eq!(ownership.shards(), Some(vec![(other, 3)]));
        ownership.hold(&[(host().shard(), 8)]);
        assert_eq!(ownership.standing(&host(), TAKES), Standing::Ours);
        assert_eq!(ownership.n_shards(), 1);
    }

    #[test]
    fn a_new_id_owns_nothing() {
        let ownership = owner();

        ownership.register(42);

        assert_eq!((ownership.owner(), ownership.n_shards()), (Some(42), 0));
        assert!(!ownership.can_start(Duration::ZERO));
        ownership.lose_all();
        assert_eq!(ownership.owner(), None);
        assert_eq!(Ownership::all().owner(), None);
    }

    #[test]
    fn a_flight_outlives_the_loss_of_its_shard() {
        let ownership = owner();
        let old = ownership.start(&host(), TAKES).unwrap();
        ownership.lose_all();
        ownership.renew(Moment::now(), LEASE);
        ownership.hold(&[(host().shard(), 9)]);

        ownership.end(&[host().shard()]);
        let while_under_way = ownership.ended();
        drop(old);

        assert_eq!(while_under_way, []);
        assert_eq!(ownership.ended(), [(host().shard(), 9)]);
    }

    proptest! {
        #[test]
        fn the_shortest_lease_leaves_room_for_an_exchange_at_every_heartbeat(millis in 1_u64..600_000) {
            let longest = Duration::from_millis(millis);
            let lease = shortest_lease(longest);

            prop_assert!(lease - lease / 4 > longest + margin(longest));
        }
    }
}

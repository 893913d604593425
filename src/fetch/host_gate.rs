//! One request at a time to a host, with a pause after each.
//!
//! The gate keeps a line per host and a number of places in all. Who holds a [`Pass`] may
//! make one request; when the pass is dropped, the host's pause begins.
//!
//! A request that takes long moves to a second lane with as many places, so that a few dozen
//! servers that drip cannot hold up all others.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::HostKey;

/// Longest pause that a slow answer alone can cause.
const MAX_SLOW_GAP: Duration = Duration::from_secs(30);
/// Longest time for which anybody waits at a host that rests; who would have to wait
/// longer is sent away with the time at which to come back.
const MAX_WAIT: Duration = Duration::from_secs(65);
/// How often hosts that nobody asks are forgotten.
const SWEEP: Duration = Duration::from_secs(60);
/// Most hosts remembered for their pause alone.
const MAX_HOSTS: usize = 50_000;

/// The gate of all hosts. A cheap clone.
#[derive(Clone)]
pub(super) struct HostGate {
    shared: Arc<Shared>,
}

struct Shared {
    pace: Pace,
    places: Arc<Semaphore>,
    slow_places: Arc<Semaphore>,
    hosts: Mutex<Hosts>,
}

/// How the gate spaces requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Pause between two requests to one host. Zero means none, not even after slow answers.
    pub(super) gap: Duration,
    /// Most requests at once, and most slow ones beside them.
    pub(super) max_connections: usize,
    /// A request that takes longer is slow.
    pub(super) slow_after: Duration,
}

struct Hosts {
    by_key: HashMap<HostKey, Host>,
    swept: Instant,
}

/// One host, as long as somebody asks it or its pause lasts.
struct Host {
    /// The line: fair, one at a time.
    line: Arc<Semaphore>,
    /// Before it, no request starts.
    free_at: Instant,
    /// Until when it asked to be left alone, if that is what `free_at` comes from.
    rests_until: Option<Instant>,
    /// The pause after its last request, when that was longer than the default.
    long_gap: Option<Duration>,
    /// How many wait or hold the pass.
    n_users: usize,
}

/// What is known of a host's wishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// For how long it asked to be left alone, from now (`Retry-After`).
    pub rest: Option<Duration>,
    /// The pause after its last request when it was longer than the default: its
    /// `Crawl-delay`, or the time that a slow answer took.
    pub gap: Option<Duration>,
}

/// The host rests for longer than anybody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resting {
    /// For how long still.
    pub(super) wait: Duration,
}

/// The right to make one request to a host. Dropping it begins the host's pause.
pub(super) struct Pass {
    seat: Seat,
    since: Instant,
    least_gap: Duration,
    rest: Duration,
    place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

/// A place in a host's line; counted, so that the host is not forgotten meanwhile.
struct Seat {
    shared: Arc<Shared>,
    host: HostKey,
}

impl HostGate {
    /// A gate that keeps that pace.
    pub(super) fn new(pace: Pace) -> Self {
        let hosts = Hosts {
            by_key: HashMap::new(),
            swept: Instant::now(),
        };
        let n_places = pace.max_connections.clamp(1, Semaphore::MAX_PERMITS);
        let shared = Shared {
            pace,
            places: Arc::new(Semaphore::new(n_places)),
            slow_places: Arc::new(Semaphore::new(n_places)),
            hosts: Mutex::new(hosts),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Waits until it is our turn at `host`, its pause is over, and a place is free.
    pub(super) async fn enter(&self, host: HostKey) -> Result<Pass, Resting> {
        let (seat, line) = self.sit_down(host);
        let turn = line.acquire_owned().await;
        let turn = turn.expect("the line is never closed");
        // The pause may grow while we wait, when somebody learns of a Retry-After.
        while let Some(wait) = seat.pause_left() {
            if wait > MAX_WAIT {
                return Err(Resting { wait });
            }
            tokio::time::sleep(wait).await;
        }
        let place = Arc::clone(&self.shared.places).acquire_owned().await;
        Ok(Pass {
            seat,
            since: Instant::now(),
            least_gap: Duration::ZERO,
            rest: Duration::ZERO,
            place: place.expect("the places are never closed"),
            _turn: turn,
        })
    }

    /// No request to `host` starts before `at`: somebody else may have asked it just now.
    pub(super) fn hold_until(&self, host: &HostKey, at: Instant) {
        let now = Instant::now();
        if at > now {
            let mut hosts = self.shared.hosts();
            let host = hosts.of(host, now);
            host.free_at = host.free_at.max(at);
        }
    }

    /// `host` has asked, maybe another process and long ago, to rest for another `span`.
    pub(super) fn rest(&self, host: &HostKey, span: Duration) {
        let now = Instant::now();
        if !span.is_zero() {
            self.shared.hosts().of(host, now).rest_until(now + span);
        }
    }

    /// What is known of the wishes of `host`.
    pub(super) fn wishes(&self, host: &HostKey) -> Wishes {
        let now = Instant::now();
        let hosts = self.shared.hosts();
        let Some(host) = hosts.by_key.get(host) else {
            return Wishes::default();
        };
        let rest = host
            .rests_until
            .map(|until| until.saturating_duration_since(now));
        Wishes {
            rest: rest.filter(|rest| !rest.is_zero()),
            gap: host.long_gap,
        }
    }

    /// Hosts to which no request can start now, with the time when one can, if it is known.
    pub(super) fn resting(&self) -> Vec<(HostKey, Option<Instant>)> {
        let now = Instant::now();
        let hosts = self.shared.hosts();
        hosts
            .by_key
            .iter()
            .filter(|(_, host)| host.is_needed(now))
            .map(|(key, host)| (key.clone(), (host.n_users == 0).then_some(host.free_at)))
            .collect()
    }

    fn sit_down(&self, key: HostKey) -> (Seat, Arc<Semaphore>) {
        let now = Instant::now();
        let mut hosts = self.shared.hosts();
        let host = hosts.of(&key, now);
        host.n_users += 1;
        let line = Arc::clone(&host.line);
        let seat = Seat {
            shared: Arc::clone(&self.shared),
            host: key,
        };
        (seat, line)
    }
}

impl Pass {
    /// Does the request. If it takes long, it gives its place to others and goes on in the
    /// slow lane, as far as there is room.
    pub(super) async fn spend_on<T>(&mut self, request: impl Future<Output = T>) -> T {
        let shared = &self.seat.shared;
        let mut request = pin!(request);
        let quick = tokio::time::timeout(shared.pace.slow_after, &mut request).await;
        if let Ok(done) = quick {
            return done;
        }
        if let Ok(place) = Arc::clone(&shared.slow_places).try_acquire_owned() {
            self.place = place;
        }
        request.await
    }

    /// After this request, a pause of at least `gap`: a `Crawl-delay`.
    pub(super) fn lengthen_gap(&mut self, gap: Duration) {
        self.least_gap = self.least_gap.max(gap);
    }

    /// After this request, the host rests for `span`, whatever the gap.
    pub(super) fn rest_host(&mut self, span: Duration) {
        self.rest = self.rest.max(span);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let now = Instant::now();
        let took = now.duration_since(self.since);
        let default = self.seat.shared.pace.gap;
        let own = match default {
            Duration::ZERO => Duration::ZERO,
            gap => gap.max(took.min(MAX_SLOW_GAP)),
        };
        let gap = own.max(self.least_gap);
        let mut hosts = self.seat.shared.hosts();
        if let Some(host) = hosts.by_key.get_mut(&self.seat.host) {
            host.free_at = host.free_at.max(now + gap);
            host.long_gap = (gap > default).then_some(gap);
            if !self.rest.is_zero() {
                host.rest_until(now + self.rest);
            }
        }
    }
}

impl Seat {
    /// What is left of the host's pause, if anything.
    fn pause_left(&self) -> Option<Duration> {
        let hosts = self.shared.hosts();
        let free_at = hosts.by_key.get(&self.host)?.free_at;
        let left = free_at.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut hosts = self.shared.hosts();
        if let Some(host) = hosts.by_key.get_mut(&self.host) {
            host.n_users -= 1;
        }
    }
}

impl Shared {
    fn hosts(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hosts {
    /// The entry of a host, made if there is none.
    fn of(&mut self, key: &HostKey, now: Instant) -> &mut Host {
        self.sweep(now);
        self.by_key.entry(key.clone()).or_insert_with(|| Host {
            line: Arc::new(Semaphore::new(1)),
            free_at: now,
            rests_until: None,
            long_gap: None,
            n_users: 0,
        })
    }

    /// Forgets the hosts that nobody asks and whose pause is over; when a flood of hosts
    /// was told to rest, also those.
    fn sweep(&mut self, now: Instant) {
        if now.duration_since(self.swept) >= SWEEP || self.by_key.len() >= MAX_HOSTS {
            self.swept = now;
            self.by_key.retain(|_, host| host.is_needed(now));
        }
        if self.by_key.len() >= MAX_HOSTS {
            self.by_key.retain(|_, host| host.n_users > 0);
        }
    }
}

impl Host {
    fn is_needed(&self, now: Instant) -> bool {
        self.n_users > 0 || self.free_at > now
    }

    fn rest_until(&mut self, at: Instant) {
        self.rests_until = self.rests_until.max(Some(at));
        self.free_at = self.free_at.max(at);
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    const GAP: Duration = Duration::from_millis(60);

    fn gate(gap: Duration, max_connections: usize) -> HostGate {
        HostGate::new(Pace {
            gap,
            max_connections,
            slow_after: GAP,
        })
    }

    fn host(name: &str) -> HostKey {
        HostKey::of(&Url::parse(&format!("http://{name}/")).unwrap())
    }

    #[tokio::test]
    async fn a_second_request_waits_for_the_gap() {
        let gate = gate(GAP, 8);
        drop(gate.enter(host("a.example")).await.unwrap());
        let ended = Instant::now();

        let _second = gate.enter(host("a.example")).await.unwrap();

        assert!(ended.elapsed() >= GAP);
    }

    #[tokio::test]
    async fn another_host_does_not_wait() {
        let gate = gate(Duration::from_secs(60), 8);
        let _first = gate.enter(host("a.example")).await.unwrap();

        let second = tokio::time::timeout(GAP, gate.enter(host("b.example"))).await;

        assert!(second.is_ok());
    }

    #[tokio::test]
    async fn nobody_enters_beside_another_or_beyond_the_places() {
        let gate = gate(Duration::ZERO, 2);
        let first = gate.enter(host("a.example")).await.unwrap();

        assert!(
            tokio::time::timeout(GAP, gate.enter(host("a.example")))
                .await
                .is_err()
        );
        let _second = gate.enter(host("b.example")).await.unwrap();
        assert!(
            tokio::time::timeout(GAP, gate.enter(host("c.example")))
                .await
                .is_err()
        );
        drop(first);
        assert!(
            tokio::time::timeout(GAP, gate.enter(host("c.example")))
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn a_slow_answer_and_a_crawl_delay_lengthen_the_gap() {
        let gate = gate(Duration::from_millis(1), 8);
        let pass = gate.enter(host("slow.example")).await.unwrap();
        tokio::time::sleep(GAP).await;
        drop(pass);
        let mut pass = gate.enter(host("strict.example")).await.unwrap();
        pass.lengthen_gap(Duration::from_secs(9));
        drop(pass);

        let now = Instant::now();
        let until = |name: &str| {
            let resting = gate.resting();
            let (_, until) = resting.iter().find(|(key, _)| *key == host(name)).unwrap();
            until.unwrap() - now
        };
        assert!(until("slow.example") > GAP / 2);
        assert!(until("strict.example") > Duration::from_secs(8));
    }

    #[tokio::test]
    async fn slow_requests_hold_up_no_other_host() {
        let gate = gate(Duration::ZERO, 1);
        let mut slow = gate.enter(host("slow.example")).await.unwrap();
        let endless = slow.spend_on(std::future::pending::<()>());

        let quick = tokio::select! {
            () = endless => None,
            pass = gate.enter(host("quick.example")) => pass.ok(),
        };

        assert!(quick.is_some());
        assert_eq!(gate.shared.slow_places.available_permits(), 0);
        drop(slow);
        assert_eq!(gate.shared.slow_places.available_permits(), 1);
    }

    #[tokio::test]
    async fn a_host_that_rests_for_long_is_not_waited_for() {
        let gate = gate(GAP, 8);
        let mut pass = gate.enter(host("a.example")).await.unwrap();
        pass.rest_host(Duration::from_secs(3600));
        drop(pass);

        let refused = gate.enter(host("a.example")).await.err().unwrap();

        assert!(refused.wait > Duration::from_secs(3590));
    }

    #[tokio::test]
    async fn what_a_host_asked_of_another_process_is_kept() {
        let gate = gate(GAP, 8);

        gate.rest(&host("a.example"), Duration::from_secs(3600));

        let wishes = gate.wishes(&host("a.example"));
        assert!(wishes.rest.unwrap() > Duration::from_secs(3590));
        let refused = gate.enter(host("a.example")).await.err().unwrap();
        assert!(refused.wait > Duration::from_secs(3590));
        assert_eq!(gate.resting()[0].0, host("a.example"));
    }

    #[tokio::test]
    async fn after_a_change_of_owner_a_host_is_first_given_its_pause() {
        let gate = gate(Duration::ZERO, 8);
        let free_at = Instant::now() + GAP;
        gate.hold_until(&host("a.example"), free_at);
        gate.hold_until(&host("a.example"), Instant::now());

        let _pass = gate.enter(host("a.example")).await.unwrap();

        assert!(Instant::now() >= free_at);
        assert_eq!(gate.wishes(&host("a.example")), Wishes::default());
    }

    #[tokio::test]
    async fn only_a_pause_beyond_the_default_is_a_wish() {
        let gate = gate(Duration::from_millis(500), 8);
        drop(gate.enter(host("plain.example")).await.unwrap());
        let mut pass = gate.enter(host("strict.example")).await.unwrap();
        pass.lengthen_gap(Duration::from_secs(9));
        pass.rest_host(Duration::from_secs(60));
        drop(pass);

        assert_eq!(gate.wishes(&host("plain.example")), Wishes::default());
        let strict = gate.wishes(&host("strict.example"));
        assert_eq!(strict.gap, Some(Duration::from_secs(9)));
        assert!(strict.rest.unwrap() > Duration::from_secs(59));
        assert_eq!(gate.wishes(&host("unknown.example")), Wishes::default());
    }

    #[tokio::test]
    async fn resting_hosts_are_named_and_idle_ones_forgotten() {
        let gate = gate(Duration::ZERO, 8);
        let pass = gate.enter(host("a.example")).await.unwrap();
        assert_eq!(gate.resting(), [(host("a.example"), None)]);

        drop(pass);

        assert_eq!(gate.resting(), []);
        let mut hosts = gate.shared.hosts();
        hosts.sweep(Instant::now() + SWEEP);
        assert!(hosts.by_key.is_empty());
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_no_trace() {
        let gate = gate(Duration::ZERO, 8);
        let pass = gate.enter(host("a.example")).await.unwrap();
        assert!(
            tokio::time::timeout(GAP, gate.enter(host("a.example")))
                .await
                .is_err()
        );

        drop(pass);

        assert_eq!(gate.resting(), []);
        assert!(gate.enter(host("a.example")).await.is_ok());
    }
}

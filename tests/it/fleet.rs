//! Many workers on one database: who owns what, and what becomes of it when one is gone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod processes;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use wireroom::model::{HostKey, Shard};
use wireroom::ownership::Standing;
use wireroom::store::{
    Access, Done, FleetWorker, PostgresSettings, Role, Settings, Store, WorkerState,
};

use crate::support::postgres::{Database, Server, database};

/// Longest time that a test waits for something to happen.
const PATIENCE: Duration = Duration::from_secs(30);
/// Twice the shortest one for exchanges of 0.3 s and 0.1 s of margin, since machines are busy.
const LEASE: Duration = Duration::from_millis(1200);

fn settings(database: &Database<'_>) -> Settings {
    let mut settings = PostgresSettings::new(&database.url()).unwrap();
    settings.lease = LEASE;
    settings.longest_exchange = Duration::from_millis(300);
    Settings::Postgres(settings)
}

async fn worker(database: &Database<'_>, access: Access) -> Store {
    Store::open(&settings(database), access).await.unwrap()
}

fn now() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

fn shards(store: &Store) -> Vec<(Shard, u64)> {
    store.ownership().shards().unwrap()
}

fn n_shards(store: &Store) -> usize {
    shards(store).len()
}

/// Waits until `done` holds.
async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !done().await {
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn workers(store: &Store) -> Vec<FleetWorker> {
    store.fleet(now()).await.unwrap().workers
}

#[tokio::test]
async fn a_worker_alone_owns_everything_at_once() {
    let Some(database) = database() else { return };

    let store = worker(&database, Access::Daemon).await;

    assert_eq!(n_shards(&store), 1024);
    assert!(store.ownership().is_settled());
    let host = HostKey::stored("example.org".into());
    let standing = store
        .ownership()
        .standing(&host, Duration::from_millis(400));
    assert_eq!(standing, Standing::Ours);
}

#[tokio::test]
async fn two_workers_share_and_own_nothing_twice() {
    let Some(database) = database() else { return };
    let first = worker(&database, Access::Daemon).await;

    let second = worker(&database, Access::Ingest).await;
    until("each has its half", async || {
        n_shards(&first) == 512 && n_shards(&second) == 512
    })
    .await;

    let ids = |store: &Store| -> BTreeSet<Shard> {
        shards(store).into_iter().map(|(shard, _)| shard).collect()
    };
    assert!(ids(&first).is_disjoint(&ids(&second)));
    let epochs = |store: &Store| -> BTreeSet<u64> {
        shards(store).into_iter().map(|(_, epoch)| epoch).collect()
    };
    assert_eq!(epochs(&first), BTreeSet::from([1]), "never handed over");
    assert_eq!(
        epochs(&second),
        BTreeSet::from([3]),
        "handed over and claimed"
    );
}

#[tokio::test]
async fn what_is_under_way_keeps_its_shard_from_being_handed_over() {
    let Some(database) = database() else { return };
    let first = worker(&database, Access::Daemon).await;
    let busy = shards(&first)[900];
    let work = first.ownership().begin(busy.0, busy.1).unwrap();

    let second = worker(&database, Access::Daemon).await;
    until("all but one are handed over", async || {
        n_shards(&second) == 511
    })
    .await;

    assert!(first.ownership().begin(busy.0, busy.1).is_none());
    assert!(!shards(&second).iter().any(|(shard, _)| *shard == busy.0));
    drop(work);
    until("the last one follows", async || {
        shards(&second).iter().any(|(shard, _)| *shard == busy.0)
    })
    .await;
}

#[tokio::test]
async fn who_leaves_leaves_everything_to_the_others_at_once() {
    let Some(database) = database() else { return };
    let first = worker(&database, Access::Daemon).await;

    first.close().await.unwrap();
    let second = worker(&database, Access::Daemon).await;

    assert_eq!(n_shards(&second), 1024);
    assert_eq!(workers(&second).await.len(), 1);
}

#[tokio::test]
async fn who_was_killed_is_replaced_when_its_lease_has_run_out() {
    let Some(database) = database() else { return };
    let killed = worker(&database, Access::Daemon).await;
    let began = Instant::now();
    // Without a word, as a killed process ends.
    drop(killed);

    let second = worker(&database, Access::Daemon).await;
    let at_first = n_shards(&second);
    until("everything is claimed", async || n_shards(&second) == 1024).await;

    assert_eq!(at_first, 0, "the other one may live");
    assert!(began.elapsed() >= LEASE * 3 / 4);
    let states: Vec<WorkerState> = workers(&second).await.iter().map(|w| w.state).collect();
    assert_eq!(states, [WorkerState::Lost, WorkerState::Live]);
}

#[tokio::test]
async fn who_slept_through_its_lease_owns_nothing_and_starts_anew() {
    let Some(database) = database() else { return };
    let sleeper = worker(&database, Access::Daemon).await;
    let old = (sleeper.ownership().owner(), shards(&sleeper)[0]);

    // What the database sees of a process that was stopped for longer than its lease.
    database.ask("UPDATE worker SET until = now() - INTERVAL '1 second'");
    until("it is somebody else", async || {
        let me = sleeper.ownership().owner();
        me.is_some() && me != old.0 && n_shards(&sleeper) == 1024
    })
    .await;

    let (shard, epoch) = shards(&sleeper)[0];
    assert_eq!((shard, epoch), (old.1.0, old.1.1 + 1));
    assert!(sleeper.ownership().begin(shard, old.1.1).is_none());
}

#[tokio::test]
async fn nothing_starts_while_the_database_is_away_and_all_goes_on_by_itself() {
    let Some(server) = Server::start() else {
        return;
    };
    let database = server.database();
    let store = worker(&database, Access::Daemon).await;
    let takes = Duration::from_millis(400);

    server.stop();
    until("its right runs out", async || {
        !store.ownership().can_start(takes)
    })
    .await;
    server.start_again();

    until("it goes on", async || {
        store.ownership().can_start(takes) && n_shards(&store) == 1024
    })
    .await;
}

#[tokio::test]
async fn a_drained_worker_hands_over_and_is_told_to_end() {
    let Some(database) = database() else { return };
    let first = worker(&database, Access::Daemon).await;
    let second = worker(&database, Access::Daemon).await;
    let id = first.ownership().owner().unwrap();

    assert!(second.drain(id, now()).await.unwrap());
    assert!(!second.drain(id + 1, now()).await.unwrap());
    tokio::time::timeout(PATIENCE, first.drained())
        .await
        .unwrap();
    until("the other one has everything", async || {
        n_shards(&second) == 1024
    })
    .await;

    assert_eq!(first.ownership().n_shards(), 0);
    let states: Vec<WorkerState> = workers(&second).await.iter().map(|w| w.state).collect();
    assert!(states.contains(&WorkerState::Draining), "{states:?}");
    first.close().await.unwrap();
    assert_eq!(workers(&second).await.len(), 1);
}

#[tokio::test]
async fn who_serves_owns_nothing_and_takes_no_share() {
    let Some(database) = database() else { return };

    let server = worker(&database, Access::Serve).await;
    let worker = worker(&database, Access::Ingest).await;

    assert_eq!((n_shards(&server), n_shards(&worker)), (0, 1024));
    assert!(server.ownership().is_settled());
}

#[tokio::test]
async fn the_fleet_is_told_with_what_each_has_done() {
    let Some(database) = database() else { return };
    let store = worker(&database, Access::Ingest).await;
    let done = Done {
        polls: 12,
        scrapes: 5,
        articles: 4,
    };

    store.tally(done);
    until("its next sign of life", async || {
        workers(&store).await[0].done == done
    })
    .await;

    let reader = worker(&database, Access::Reader).await;
    let fleet = reader.fleet(now()).await.unwrap();
    let [only] = &fleet.workers[..] else {
        panic!("{fleet:?}")
    };
    assert_eq!(Some(only.id), store.ownership().owner());
    assert_eq!(only.pid, std::process::id());
    assert_eq!((only.role, only.state), (Role::Ingest, WorkerState::Live));
    assert_eq!(
        (only.n_shards, fleet.n_owned, fleet.n_free),
        (1024, 1024, 0)
    );
    assert_eq!((only.minute, fleet.minute()), (done, done));
    assert!(only.silent_for < LEASE);
    assert_eq!((fleet.feed_lag, fleet.page_lag), (None, None));
}

#[tokio::test]
async fn a_lease_is_never_too_short_for_an_exchange() {
    let Some(database) = database() else { return };
    let store = worker(&database, Access::Daemon).await;
    let longer = Duration::from_secs(20);
    assert!(!store.ownership().can_start(longer));

    store.expect_exchanges(longer);

    until("the lease has grown", async || {
        store.ownership().can_start(longer)
    })
    .await;
}

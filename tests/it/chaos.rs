//! Many workers on one archive, killed and stopped at random: no host is asked twice at once
//! or too soon, no feed is forgotten, no article is lost or kept twice.
//!
//! The workers are processes of the built program; the web is a server in this process, whose
//! log judges their manners. `WIREROOM_CHAOS_SECONDS` says for how long faults happen (by
//! default 20 of the test's 60 seconds), `WIREROOM_CHAOS_SEED` repeats the faults of a run.

#![allow(clippy::unwrap_used, reason = "in tests an unwrap is an assertion")]

mod judge;
mod world;

use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use self::judge::judge;
use self::world::{Size, World, chance};
use crate::support::postgres::{Database, database};
use crate::support::room::{Room, Running};

const N_WORKERS: usize = 4;
/// How long faults happen, unless the environment says otherwise.
const FAULTS: Duration = Duration::from_secs(20);
/// Longest time from the last fault to the state that must come.
const RECOVERY: Duration = Duration::from_secs(90);

const GAP: Duration = Duration::from_millis(100);
/// The shortest for the longest exchange, 2 s.
const LEASE: Duration = Duration::from_secs(4);

const SIZE: Size = Size {
    n_hosts: 250,
    n_feeds: 1000,
    news_every: Duration::from_secs(20),
    slowness: Duration::from_millis(40),
};

/// Kills the workers that are left when this process is killed itself: they would wait for a
/// database that is gone as well.
struct Watchdog {
    shell: Child,
}

impl Watchdog {
    const SCRIPT: &str =
        "while read -r pid; do all=\"$all $pid\"; done; [ -z \"$all\" ] || kill -s KILL $all";

    fn start() -> Self {
        let shell = Command::new("sh")
            .args(["-c", Self::SCRIPT])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { shell }
    }

    fn watch(&mut self, worker: &Running) {
        let pipe = self.shell.stdin.as_mut().unwrap();
        writeln!(pipe, "{}", worker.id()).unwrap();
    }
}

impl Drop for Watchdog {
    /// The workers have been waited for: their numbers may belong to others by now.
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// The workers, and what happens to them.
struct Fleet<'a> {
    room: &'a Room,
    database: &'a Database<'a>,
    watchdog: Watchdog,
    workers: Vec<Member>,
    n_started: usize,
    seed: usize,
    n_drawn: usize,
    tally: BTreeMap<&'static str, usize>,
}

/// One worker that runs, or stands still for a while.
struct Member {
    process: Running,
    stopped_until: Option<Instant>,
}

impl<'a> Fleet<'a> {
    fn new(room: &'a Room, database: &'a Database<'a>, seed: usize) -> Self {
        let mut fleet = Self {
            room,
            database,
            watchdog: Watchdog::start(),
            workers: Vec::new(),
            n_started: 0,
            seed,
            n_drawn: 0,
            tally: BTreeMap::new(),
        };
        for _ in 0..N_WORKERS {
            fleet.start_one();
        }
        fleet
    }

    fn start_one(&mut self) {
        let name = format!("worker{}", self.n_started);
        self.n_started += 1;
        let process = self.room.start_as(&name, &["run"]);
        self.watchdog.watch(&process);
        self.workers.push(Member {
            process,
            stopped_until: None,
        });
    }

    fn draw(&mut self, n: usize) -> usize {
        self.n_drawn += 1;
        chance(&[self.seed, self.n_drawn], n)
    }

    /// One thing that happens to the fleet.
    fn suffer(&mut self) {
        let running: Vec<usize> = (0..self.workers.len())
            .filter(|n| self.workers[*n].stopped_until.is_none())
            .collect();
        if running.is_empty() {
            return;
        }
        let victim = running[self.draw(running.len())];
        let fault = match self.draw(12) {
            0..=3 => "killed",
            4..=7 => "stopped",
            8..=9 => "told to end",
            _ => "cut off",
        };
        *self.tally.entry(fault).or_default() += 1;
        match fault {
            "killed" => {
                let member = self.workers.swap_remove(victim);
                member.process.signal("KILL");
                member.process.ended();
                self.start_one();
            }
            "stopped" => {
                let beyond = Duration::from_millis(200 + self.draw(2000) as u64);
                let member = &mut self.workers[victim];
                member.process.signal("STOP");
                member.stopped_until = Some(Instant::now() + LEASE + beyond);
            }
            "told to end" => {
                let member = self.workers.swap_remove(victim);
                member.process.signal("TERM");
                assert_eq!(member.process.ended().0, Some(0));
                self.start_one();
            }
            _ => self.database.disconnect_all(),
        }
    }

    /// Lets those go on that stood still for long enough.
    fn go_on(&mut self, all: bool) {
        for member in &mut self.workers {
            if member
                .stopped_until
                .is_some_and(|until| all || until <= Instant::now())
            {
                member.process.signal("CONT");
                member.stopped_until = None;
            }
        }
    }

    fn suffer_for(&mut self, duration: Duration) {
        let began = Instant::now();
        while began.elapsed() < duration {
            let pause = Duration::from_millis(300 + self.draw(1500) as u64);
            std::thread::sleep(pause);
            self.suffer();
            self.go_on(false);
        }
        // Who stands still at the end does so past the lease as well.
        while self.workers.iter().any(|m| m.stopped_until.is_some()) {
            std::thread::sleep(Duration::from_millis(50));
            self.go_on(false);
        }
    }

    /// All log lines of all workers that ever ran.
    fn logs(&self) -> String {
        (0..self.n_started)
            .map(|n| {
                let log = self.room.path(&format!("worker{n}.log"));
                let text = std::fs::read_to_string(log).unwrap_or_default();
                format!("--- worker {n}\n{text}")
            })
            .collect()
    }

    /// All workers still run: who ends by itself has a fault.
    fn end(&mut self) {
        for member in self.workers.drain(..) {
            member.process.signal("TERM");
            assert_eq!(member.process.ended().0, Some(0), "a worker ends in order");
        }
    }
}

/// A request that was under way when its worker stood still has timed out when that goes on,
/// and where nobody else had taken over by then, this failure counts: its page is asked for
/// again an hour later, for which nobody here waits. How many there were.
fn retry_at_once(database: &Database) -> usize {
    let put_off = "page_job WHERE attempts > 0 AND due_at > 0";
    let n = database.number(&format!("SELECT count(*) FROM {put_off}"));
    if n > 0 {
        database.ask(
            "UPDATE page_job SET due_at = 0 WHERE attempts > 0;
             UPDATE host h SET page_due_at = 0 FROM page_job j
             WHERE j.due_at = 0 AND j.shard = h.shard AND j.host = h.name",
        );
    }
    n as usize
}

fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

/// Waits until `left` finds nothing any more; what is left then is explained by the log lines
/// that name it.
fn wait_for_none(since: Instant, fleet: &Fleet, what: &str, left: impl Fn() -> Vec<String>) {
    loop {
        let left = left();
        if left.is_empty() {
            return;
        }
        if since.elapsed() > RECOVERY {
            let logs = fleet.logs();
            let names = left.iter().filter_map(|left| left.split(' ').next());
            let names: Vec<&str> = names.take(5).collect();
            let told: Vec<&str> = logs
                .lines()
                .filter(|line| {
                    line.starts_with("---") || names.iter().any(|name| line.contains(name))
                })
                .collect();
            let few: Vec<_> = left.iter().take(20).collect();
            panic!("{what}: {} left, {few:?}\n{}", left.len(), told.join("\n"));
        }
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// What the archive knows of stories whose text it has not, by their names.
fn without_text(world: &World, database: &Database) -> Vec<String> {
    let sql = "SELECT title, url, page_state, coalesce(error, '') FROM article";
    let articles = database.ask(sql);
    let told: BTreeMap<&str, &Vec<String>> = articles
        .iter()
        .map(|row| (row[0].rsplit(' ').next().unwrap_or_default(), row))
        .collect();
    let stories = world.stories();
    let names = stories.iter().map(|story| story.name());
    names
        .filter(|name| {
            told.get(name.as_str())
                .is_none_or(|row| row[2] != "scraped")
        })
        .map(|name| match told.get(name.as_str()) {
            Some(row) => format!("/{name} {row:?}"),
            None => format!("/{name}"),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_die_and_stall_harm_neither_hosts_nor_archive() {
    let Some(database) = database() else {
        return;
    };
    let seed = number("WIREROOM_CHAOS_SEED").unwrap_or_else(|| std::process::id() as usize);
    let duration = number("WIREROOM_CHAOS_SECONDS");
    let duration = duration.map_or(FAULTS, |seconds| Duration::from_secs(seconds as u64));
    eprintln!("WIREROOM_CHAOS_SEED={seed}");
    let world = World::start(SIZE).await;
    let room = Room::on_with_lease(&database, LEASE, &[]);
    let list: String = world
        .feeds()
        .iter()
        .map(|url| format!("[[feed]]\nurl = \"{url}\"\ninterval = \"15s\"\n"))
        .collect();
    room.write("feeds.toml", &list);
    room.configure_manners(&format!("{}ms", GAP.as_millis()), "2s", "");
    let configuration = std::fs::read_to_string(room.path("wireroom.toml")).unwrap();
    room.write(
        "wireroom.toml",
        &configuration.replace("feeds.txt", "feeds.toml"),
    );

    // Everything that waits is in this process's way no more than a thread's.
    tokio::task::spawn_blocking(move || story(&world, &room, &database, seed, duration))
        .await
        .unwrap();
}

fn story(world: &World, room: &Room, database: &Database, seed: usize, duration: Duration) {
    let began = Instant::now();
    let mut fleet = Fleet::new(room, database, seed);
    fleet.suffer_for(duration);
    world.stop_the_news();
    let quiet = Instant::now();

    let all_feeds = 0..world.feeds().len();
    wait_for_none(quiet, &fleet, "feeds that nobody polled again", || {
        let visits = world.visits();
        let polled = visits.iter().filter(|visit| visit.from > quiet);
        let polled: HashSet<usize> = polled.filter_map(|visit| visit.feed).collect();
        let missing = all_feeds.clone().filter(|feed| !polled.contains(feed));
        missing.map(|feed| format!("/feed/{feed}")).collect()
    });
    let polled = quiet.elapsed();
    let stories = world.stories();
    let n_retried = std::cell::Cell::new(0);
    wait_for_none(quiet, &fleet, "stories without an article", || {
        n_retried.set(n_retried.get() + retry_at_once(database));
        let sql = "SELECT count(*) FROM article WHERE page_state = 'scraped'";
        match database.number(sql) as usize >= stories.len() {
            true => Vec::new(),
            false => without_text(world, database),
        }
    });
    let scraped = quiet.elapsed();
    fleet.end();

    let mut expected: Vec<String> = stories.iter().map(|story| story.title()).collect();
    let mut kept: Vec<String> = room
        .articles()
        .iter()
        .map(|article| {
            assert_eq!(article["page_state"], "scraped", "{article}");
            article["title"].as_str().unwrap().to_owned()
        })
        .collect();
    expected.sort_unstable();
    kept.sort_unstable();
    let visits = world.visits();
    let verdict = judge(&visits, GAP);
    let n_fenced = fleet.logs().matches("is not recorded: its shard").count();
    let _ = writeln!(
        std::io::stderr(),
        "chaos: seed {seed}, {:.0?} of faults {:?}, {} requests, {} articles, {n_fenced} fenced, {} timed out; \
         0 overlaps = {}, 0 hurried = {}, shortest gap {:?}; polled again after {polled:.1?}, \
         all kept after {scraped:.1?}, {:.0?} in all",
        duration,
        fleet.tally,
        visits.len(),
        kept.len(),
        n_retried.get(),
        verdict.overlaps.is_empty(),
        verdict.hurried.is_empty(),
        verdict.shortest_gap,
        began.elapsed(),
    );
    for clash in verdict.overlaps.iter().chain(&verdict.hurried).take(20) {
        eprintln!("{clash}");
    }
    assert_eq!(kept, expected, "each story is kept once");
    assert_eq!(verdict.overlaps.len(), 0, "requests to one host at once");
    assert_eq!(verdict.hurried.len(), 0, "requests to one host too soon");
}

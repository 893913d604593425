//! How many polls and articles the store takes, on both databases.
//!
//! ```sh
//! cargo bench --bench store                      # 20,000 feeds, 5 s for each figure
//! cargo bench --bench store -- 1000000 20        # 1 M feeds, 20 s
//! ```
//!
//! PostgreSQL is a server of this process's own, with commits that reach the disk. Processor
//! times are summed over all processes of the server, and over this one.

#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has failed"
)]

#[path = "../tests/it/support/certificate.rs"]
mod certificate;
#[path = "../tests/it/support/postgres.rs"]
mod postgres;

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use wireroom::canonical::canonicalize;
use wireroom::dedup::content_hash;
use wireroom::feed_list::ListedFeed;
use wireroom::model::{FeedSettings, FeedUrl, HostKey, PageUrl, Validators};
use wireroom::schedule::PollState;
use wireroom::store::{
    Access, Announcement, Claim, Cost, DueFeed, DuePage, FeedReading, Manners, PageToFetch,
    PollReport, PollResult, PostgresSettings, ScrapeReport, ScrapeResult, ScrapedArticle, Settings,
    SourceList, Store,
};

/// Feeds of one host.
const PER_HOST: usize = 4;
/// Reports under way at once, per worker: as many polls and scrapes as a daemon may have.
const IN_FLIGHT: usize = 256;
/// Words of an article.
const N_WORDS: usize = 400;

/// A server whose commits reach the disk.
const DURABLE: &[&str] = &[
    "fsync=on",
    "synchronous_commit=on",
    "shared_buffers=1GB",
    "max_wal_size=8GB",
];

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// Polls that find nothing new, as nearly all do.
    UnchangedPolls,
    /// Polls with one new entry each.
    PollsWithNews,
    /// Scrapes of the pages of those.
    Scrapes,
}

/// What it took.
#[derive(Clone, Copy, Debug)]
struct Measured {
    n_done: usize,
    took: Duration,
    server: Duration,
    client: Duration,
}

impl Measured {
    fn per_second(self) -> f64 {
        self.n_done as f64 / self.took.as_secs_f64()
    }

    fn each_ms(self, time: Duration) -> f64 {
        time.as_secs_f64() * 1000.0 / self.n_done.max(1) as f64
    }
}

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let n_feeds = numbers.first().copied().unwrap_or(20_000);
    let duration = Duration::from_secs(numbers.get(1).copied().unwrap_or(5) as u64);
    println!(
        "{n_feeds} feeds on {} hosts, {duration:?} for each figure\n",
        n_feeds / PER_HOST
    );
    println!(
        "| database | workers | work | per second | server CPU ms each | client CPU ms each |"
    );
    println!("|---|---|---|---|---|---|");
    sqlite(n_feeds, duration);
    postgres(n_feeds, duration);
}

fn sqlite(n_feeds: usize, duration: Duration) {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::Sqlite(folder.path().join("bench.db"));
    fill(&settings, n_feeds);
    let mut clock = Clock::default();
    for work in [Work::UnchangedPolls, Work::PollsWithNews, Work::Scrapes] {
        let measured = measure(&settings, 1, work, &mut clock, duration, || Duration::ZERO);
        row("SQLite", 1, work, measured);
    }
}

fn postgres(n_feeds: usize, duration: Duration) {
    let Some(server) = postgres::Server::start_with(DURABLE) else {
        return;
    };
    let database = server.database();
    let mut settings = PostgresSettings::new(&database.url()).unwrap();
    settings.lease = Duration::from_secs(4);
    settings.longest_exchange = Duration::from_secs(2);
    let settings = Settings::Postgres(settings);
    fill(&settings, n_feeds);
    server.ask(database.name(), "VACUUM ANALYZE").unwrap();
    let mut clock = Clock::default();
    for n_workers in [1, 2, 4] {
        for work in [Work::UnchangedPolls, Work::PollsWithNews, Work::Scrapes] {
            let cpu = || server.cpu();
            let measured = measure(&settings, n_workers, work, &mut clock, duration, cpu);
            row("PostgreSQL", n_workers, work, measured);
        }
    }
}

fn row(database: &str, n_workers: usize, work: Work, measured: Measured) {
    println!(
        "| {database} | {n_workers} | {work:?} | {:.0} | {:.3} | {:.3} |",
        measured.per_second(),
        measured.each_ms(measured.server),
        measured.each_ms(measured.client),
    );
}

/// The time that the store is told: each measurement finds everything due.
#[derive(Debug, Default)]
struct Clock {
    hours: i64,
}

impl Clock {
    fn now(&self) -> Timestamp {
        let noon: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        noon + SignedDuration::from_hours(self.hours)
    }
}

/// Subscribes to all feeds by one list, as an operator would.
fn fill(settings: &Settings, n_feeds: usize) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(settings, Access::Command).await.unwrap();
        let feeds = (0..n_feeds).map(|n| {
            let url = format!("https://host{}.example/feed/{n}.xml", n / PER_HOST);
            ListedFeed {
                url: FeedUrl::parse(&url).unwrap(),
                given: url,
                title: None,
                tags: Vec::new(),
                site: None,
                settings: FeedSettings::default(),
            }
        });
        let list = SourceList {
            file: "feeds.opml".into(),
            feeds: feeds.collect(),
        };
        let began = Instant::now();
        let synced = store.sync_lists(vec![list], Clock::default().now()).await;
        assert_eq!(synced.unwrap().added, n_feeds);
        eprintln!("{n_feeds} feeds listed in {:.1?}", began.elapsed());
        store.close().await.unwrap();
    });
}

fn measure(
    settings: &Settings,
    n_workers: usize,
    work: Work,
    clock: &mut Clock,
    duration: Duration,
    server_cpu: impl Fn() -> Duration,
) -> Measured {
    if work != Work::Scrapes {
        clock.hours += 2;
    }
    let now = clock.now();
    // A runtime each: workers are processes of their own, and share nothing but the database.
    let workers: Vec<(Runtime, Store)> = (0..n_workers)
        .map(|_| {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            let runtime = builder.worker_threads(2).enable_all().build().unwrap();
            let store = runtime
                .block_on(Store::open(settings, Access::Daemon))
                .unwrap();
            (runtime, store)
        })
        .collect();
    wait_for_shares(&workers);

    let n_done = Arc::new(AtomicUsize::new(0));
    let (server, client, began) = (server_cpu(), own_cpu(), Instant::now());
    let running: Vec<_> = workers
        .iter()
        .map(|(runtime, store)| {
            let task = run(store.clone(), work, now, duration, Arc::clone(&n_done));
            runtime.spawn(task)
        })
        .collect();
    for ((runtime, _), task) in workers.iter().zip(running) {
        runtime.block_on(task).unwrap();
    }
    let measured = Measured {
        n_done: n_done.load(Ordering::Relaxed),
        took: began.elapsed(),
        server: server_cpu() - server,
        client: own_cpu() - client,
    };
    for (runtime, store) in workers {
        runtime.block_on(store.close()).unwrap();
    }
    measured
}

/// Waits until all shards are owned, by all workers alike.
fn wait_for_shares(workers: &[(Runtime, Store)]) {
    let share = 1024 / workers.len();
    let has_share = |store: &Store| {
        let ownership = store.ownership();
        ownership
            .shards()
            .is_none_or(|shards| shards.len() == share)
    };
    while !workers.iter().all(|(_, store)| has_share(store)) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One worker: takes what is due, and records it, many at once.
async fn run(
    store: Store,
    work: Work,
    now: Timestamp,
    duration: Duration,
    n_done: Arc<AtomicUsize>,
) {
    let began = Instant::now();
    let mut under_way = JoinSet::new();
    let mut busy: HashSet<HostKey> = HashSet::new();
    while began.elapsed() < duration {
        if under_way.len() <= IN_FLIGHT / 2 {
            let claim = Claim {
                now,
                limit: IN_FLIGHT - under_way.len(),
                busy: busy.iter().cloned().collect(),
            };
            let n_before = under_way.len();
            match work {
                Work::Scrapes => {
                    for due in store.due_pages(&claim).await.unwrap() {
                        busy.insert(due.host.clone());
                        under_way.spawn(scrape(store.clone(), due, now));
                    }
                }
                _ => {
                    for due in store.due_feeds(&claim).await.unwrap() {
                        busy.insert(due.host.clone());
                        under_way.spawn(poll(store.clone(), due, now, work));
                    }
                }
            }
            if under_way.len() == n_before && under_way.is_empty() {
                eprintln!("nothing is due any more; take more feeds or less time");
                return;
            }
        }
        if let Some(done) = under_way.join_next().await {
            busy.remove(&done.unwrap());
            n_done.fetch_add(1, Ordering::Relaxed);
        }
    }
    while let Some(done) = under_way.join_next().await {
        done.unwrap();
        n_done.fetch_add(1, Ordering::Relaxed);
    }
}

async fn poll(store: Store, due: DueFeed, now: Timestamp, work: Work) -> HostKey {
    let validators = Validators {
        etag: Some(b"\"some tag\"".to_vec()),
        ..Validators::default()
    };
    let result = match work {
        Work::PollsWithNews => PollResult::Fetched(Box::new(FeedReading {
            validators,
            announcements: vec![news(&due, now)],
            ..FeedReading::default()
        })),
        _ => PollResult::NotModified { validators },
    };
    let report = PollReport {
        at: now,
        next_poll: Some(now + SignedDuration::from_hours(1)),
        state: PollState::default(),
        cost: Cost::default(),
        manners: Manners::default(),
        result,
    };
    store.record_poll(&due, report).await.unwrap();
    due.host
}

/// One entry that is new each time.
fn news(due: &DueFeed, now: Timestamp) -> Announcement {
    let url = format!("{}/{}", due.url, now.as_second());
    let page = PageUrl::parse(&url).unwrap();
    Announcement {
        entry_id: url.clone(),
        guid: Some(url.clone()),
        url: Some(url),
        canonical: Some(canonicalize(page.url())),
        page: Some(PageToFetch {
            host: HostKey::of(page.url()),
            url: page,
        }),
        title: Some("A headline of the usual length".into()),
        summary: Some("What the feed itself says about it, in a sentence or two.".into()),
        entry_hash: 1,
        ..Announcement::default()
    }
}

async fn scrape(store: Store, due: DuePage, now: Timestamp) -> HostKey {
    let text = article(due.article.0);
    let page = ScrapedArticle {
        final_url: due.url.as_str().to_owned(),
        title: Some("A headline of the usual length".into()),
        html: format!("<p>{text}</p>"),
        markdown: text.clone(),
        word_count: N_WORDS,
        content_hash: content_hash(&text),
        text,
        ..ScrapedArticle::default()
    };
    let report = ScrapeReport {
        at: now,
        cost: Cost::default(),
        manners: Manners::default(),
        result: ScrapeResult::Article(Box::new(page)),
    };
    store.record_scrape(&due, report).await.unwrap();
    due.host
}

/// A text of words that come as often as words do, and differ from article to article.
fn article(seed: i64) -> String {
    let mut state = seed as u64 | 1;
    let words = (0..N_WORDS).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let chance = (state >> 40) as f64 / f64::from(1 << 24);
        format!("word{}", (20_000.0_f64.powf(chance)) as u32)
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Processor time of this process so far.
fn own_cpu() -> Duration {
    let line = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = line
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let ticks: u64 = [11, 12]
        .iter()
        .map(|n| fields[*n].parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 10)
}

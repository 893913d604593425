//! Several workers that record into one database at the same moment.

use tokio::task::JoinSet;

use super::*;
use crate::support::postgres::database;

/// Two workers, each with half of the shards.
struct Pair {
    workers: [Store; 2],
    database: Database<'static>,
}

impl Pair {
    /// `None`, said loudly, where PostgreSQL is not installed.
    async fn start() -> Option<Self> {
        let database = database()?;
        // The shortest lease for short exchanges: they look at each other often.
        let settings = Settings::Postgres(PostgresSettings {
            lease: Duration::from_secs(2),
            longest_exchange: Duration::from_millis(300),
            ..postgres_at(&database.url())
        });
        let first = Store::open(&settings, Access::Daemon).await.unwrap();
        let second = Store::open(&settings, Access::Daemon).await.unwrap();
        let pair = Self {
            workers: [first, second],
            database,
        };
        let began = std::time::Instant::now();
        while pair.workers.iter().any(|worker| n_shards(worker) != 512) {
            assert!(began.elapsed() < Duration::from_secs(30), "never shared");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some(pair)
    }

    fn store(&self) -> &Store {
        &self.workers[0]
    }

    /// What is due for each worker.
    async fn due_feeds(&self, at: Timestamp) -> Vec<(Store, DueFeed)> {
        let claim = Claim {
            now: at,
            ..everything_due()
        };
        let mut all = Vec::new();
        for worker in &self.workers {
            for due in worker.due_feeds(&claim).await.unwrap() {
                all.push((worker.clone(), due));
            }
        }
        all
    }

    async fn due_pages(&self) -> Vec<(Store, DuePage)> {
        let mut all = Vec::new();
        for worker in &self.workers {
            for due in worker.due_pages(&everything_due()).await.unwrap() {
                all.push((worker.clone(), due));
            }
        }
        all
    }

    async fn findings(&self) -> Vec<String> {
        self.store().index().await.unwrap();
        self.store().check().await.unwrap()
    }
}

fn n_shards(store: &Store) -> usize {
    store.ownership().shards().unwrap().len()
}

async fn subscribe_to(store: &Store, n_feeds: usize) {
    let feeds = (0..n_feeds).map(|n| listed(&format!("https://host{n}.example/feed")));
    let list = SourceList {
        file: "feeds.opml".into(),
        feeds: feeds.collect(),
    };
    store.sync_lists(vec![list], noon()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_that_many_feeds_announce_at_once_is_one_article() {
    const N_FEEDS: usize = 40;
    const N_STORIES: usize = 5;
    let Some(pair) = Pair::start().await else {
        return;
    };
    subscribe_to(pair.store(), N_FEEDS).await;

    for round in 0..10 {
        let due = pair.due_feeds(later(round * 60)).await;
        assert_eq!(due.len(), N_FEEDS);
        let mut tasks = JoinSet::new();
        for (worker, due) in due {
            tasks.spawn(async move {
                let stories = (0..N_STORIES).map(|n| {
                    let url = format!("https://shared{n}.example/story-{round}");
                    Announcement {
                        published: Some(later(round * 60)),
                        ..entry(&url)
                    }
                });
                let report = PollReport {
                    at: later(round * 60),
                    next_poll: Some(later((round + 1) * 60)),
                    ..report(reading(stories.collect()))
                };
                worker.record_poll(&due, report).await.unwrap()
            });
        }

        let recorded = tasks.join_all().await;

        let sum = |count: fn(&PollRecorded) -> usize| recorded.iter().map(count).sum::<usize>();
        assert_eq!(sum(|poll| poll.n_new), N_STORIES, "round {round}");
        assert_eq!(sum(|poll| poll.n_shared), N_STORIES * (N_FEEDS - 1));
        assert_eq!(sum(|poll| poll.n_pages), N_STORIES);
    }

    let n_articles = 10 * N_STORIES;
    let number = |sql: &str| pair.database.number(sql) as usize;
    assert_eq!(number("SELECT count(*) FROM article"), n_articles);
    assert_eq!(number("SELECT count(*) FROM page_job"), n_articles);
    assert_eq!(
        number("SELECT count(*) FROM sighting"),
        n_articles * N_FEEDS
    );
    assert_eq!(pair.findings().await, Vec::<String>::new());
}

/// A page that stands under `n` addresses on as many hosts, each of which leads to the first.
fn copy_of_page(page: usize, n: usize) -> (String, ScrapedArticle) {
    let original = format!("https://page{page}.example/story");
    let url = match n {
        0 => original.clone(),
        _ => format!("https://copy{n}.example/of-{page}"),
    };
    let text = words(80, &format!("p{page}x"));
    let article = ScrapedArticle {
        aliases: vec![alias(&original, AliasReason::Redirect)],
        ..scraped(&original, &format!("Page {page}"), &text)
    };
    (url, article)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_that_are_scraped_at_once_become_one_article() {
    const N_PAGES: usize = 12;
    const N_COPIES: usize = 6;
    let Some(pair) = Pair::start().await else {
        return;
    };
    subscribe_to(pair.store(), N_COPIES).await;
    let mut tasks = JoinSet::new();
    for (n, (worker, due)) in pair.due_feeds(noon()).await.into_iter().enumerate() {
        tasks.spawn(async move {
            let copies = (0..N_PAGES).map(|page| entry(&copy_of_page(page, n).0));
            let report = report(reading(copies.collect()));
            worker.record_poll(&due, report).await.unwrap()
        });
    }
    tasks.join_all().await;

    // One page of each host at a time, as in life, and all hosts at once.
    loop {
        let due = pair.due_pages().await;
        if due.is_empty() {
            break;
        }
        let mut tasks = JoinSet::new();
        for (worker, due) in due {
            let all = (0..N_PAGES).flat_map(|page| (0..N_COPIES).map(move |n| (page, n)));
            let (page, n) = all
                .into_iter()
                .find(|(page, n)| copy_of_page(*page, *n).0 == due.url.as_str())
                .unwrap();
            tasks.spawn(async move {
                let report = ScrapeReport {
                    at: later(1),
                    cost: Cost::default(),
                    manners: Manners::default(),
                    result: ScrapeResult::Article(Box::new(copy_of_page(page, n).1)),
                };
                worker.record_scrape(&due, report).await.unwrap()
            });
        }
        tasks.join_all().await;
    }

    let articles = all(pair.store()).await;
    let mut titles: Vec<_> = articles
        .iter()
        .filter_map(|article| article.title.clone())
        .collect();
    titles.sort_unstable();
    titles.dedup();
    assert_eq!(titles.len(), N_PAGES);
    assert_eq!(articles.len(), N_PAGES, "each page once");
    for article in &articles {
        assert_eq!(article.feed_urls.len(), N_COPIES, "{:?}", article.title);
        assert_eq!(article.page_state, PageState::Scraped);
    }
    for page in 0..N_PAGES {
        let mut ids = Vec::new();
        for n in 0..N_COPIES {
            let found = article(pair.store(), &copy_of_page(page, n).0).await;
            ids.push(found.unwrap().id);
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "all its addresses lead to it");
    }
    assert_eq!(pair.findings().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_one_batch_only_what_changed_hands_is_fenced() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    subscribe_to(pair.store(), 60).await;
    let due = pair.due_feeds(noon()).await;
    assert_eq!(due.len(), 60);
    // What a claim of another worker does.
    pair.database
        .ask("UPDATE shard SET epoch = epoch + 1 WHERE id % 2 = 1");

    let mut tasks = JoinSet::new();
    for (worker, due) in due {
        tasks.spawn(async move {
            let own = entry(&format!("{}/own", due.url));
            let recorded = worker.record_poll(&due, report(reading(vec![own]))).await;
            let is_fenced = matches!(recorded, Err(StoreError::Fenced));
            assert!(is_fenced || recorded.is_ok(), "{recorded:?}");
            assert_eq!(is_fenced, due.lease.shard.0 % 2 == 1);
            usize::from(is_fenced)
        });
    }
    let n_fenced: usize = tasks.join_all().await.into_iter().sum();

    assert!((10..=50).contains(&n_fenced), "{n_fenced} of 60");
    let status = pair.store().status(noon()).await.unwrap();
    assert_eq!(status.n_articles as usize, 60 - n_fenced);
    assert_eq!(status.backlog.due_feeds as usize, n_fenced);
    let strange = "SELECT count(*) FROM sighting s JOIN feed_state f USING (feed_id)
                   WHERE f.shard % 2 = 1";
    assert_eq!(pair.database.number(strange), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_follow_one_list_at_once_agree() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    let list = |from: usize| {
        let feeds = (from..from + 300).map(|n| listed(&format!("https://host{n}.example/feed")));
        vec![SourceList {
            file: "feeds.opml".into(),
            feeds: feeds.collect(),
        }]
    };

    for from in [0, 100, 50] {
        let [first, second] = &pair.workers;
        let (one, other) = tokio::join!(
            first.sync_lists(list(from), noon()),
            second.sync_lists(list(from), noon())
        );
        let (one, other) = (one.unwrap(), other.unwrap());
        let changes = |report: &SyncReport| report.added + report.retired + report.revived;
        assert!(
            changes(&one) == 0 || changes(&other) == 0,
            "{one:?} {other:?}"
        );
        assert_eq!(one.kept.max(other.kept), 300);
    }

    let feeds = pair.store().feeds().await.unwrap();
    let is_there = |feed: &&wireroom::store::Feed| feed.state != FeedState::Retired;
    assert_eq!(feeds.len(), 400);
    assert_eq!(feeds.iter().filter(is_there).count(), 300);
    assert_eq!(pair.due_feeds(noon()).await.len(), 300);
    assert_eq!(pair.findings().await, Vec::<String>::new());
}

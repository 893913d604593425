//! A worker asks only hosts of its own, and where a redirect leads elsewhere, another goes on.

use std::time::{Duration, Instant};

use url::Url;
use wireroom::fetch::{
    Asked, Errand, FeedAnswer, Fetcher, PageDocument, RequestSettings, Settings,
};
use wireroom::model::{ErrorKind, FeedUrl, HostKey, PageUrl, Validators};
use wireroom::ownership::{Moment, Ownership};

use super::{quick, rss};
use crate::support::site::{Reply, Site};

/// A worker that owns the shards of these sites, and a fetcher for it.
fn worker(settings: Settings, sites: &[&Site]) -> (Fetcher, Ownership) {
    let ownership = Ownership::shared();
    ownership.renew(Moment::now(), Duration::from_secs(60));
    let shards: Vec<_> = sites.iter().map(|site| (key(site).shard(), 1)).collect();
    ownership.hold(&shards);
    let fetcher = Fetcher::of_worker(settings, ownership.clone()).unwrap();
    (fetcher, ownership)
}

fn key(site: &Site) -> HostKey {
    HostKey::of(&Url::parse(&site.url("/")).unwrap())
}

async fn poll(fetcher: &Fetcher, url: &str, errand: Errand) -> Asked<FeedAnswer> {
    let request = RequestSettings {
        headers: vec![("Authorization".into(), "Bearer secret".into())],
        ..RequestSettings::default()
    };
    let url = FeedUrl::parse(url).unwrap();
    let validators = Validators {
        etag: Some(b"\"v1\"".to_vec()),
        ..Validators::default()
    };
    fetcher.poll(&url, &validators, &request, errand).await
}

async fn scrape(fetcher: &Fetcher, url: &str) -> Asked<PageDocument> {
    let url = PageUrl::parse(url).unwrap();
    let request = RequestSettings::default();
    fetcher.scrape(&url, &request, Errand::default()).await
}

fn moved<T: std::fmt::Debug>(asked: Asked<T>) -> String {
    match asked {
        Asked::Moved(exchange) => exchange.answer.unwrap().to_string(),
        other => panic!("{other:?}"),
    }
}

async fn home_and_abroad() -> (Site, Site) {
    let (home, abroad) = (Site::start().await, Site::start_on("127.0.0.2").await);
    assert_ne!(key(&home).shard(), key(&abroad).shard());
    (home, abroad)
}

#[tokio::test]
async fn a_redirect_to_a_foreign_host_is_not_followed_and_told() {
    let (home, abroad) = home_and_abroad().await;
    home.serve("/feed", Reply::redirect(302, "/here"));
    home.serve("/here", Reply::redirect(301, &abroad.url("/there")));
    home.serve("/page", Reply::redirect(302, &abroad.url("/article")));
    let (fetcher, _) = worker(quick(), &[&home]);

    let of_feed = poll(&fetcher, &home.url("/feed"), Errand::default()).await;
    let of_page = scrape(&fetcher, &home.url("/page")).await;

    assert_eq!(moved(of_feed), abroad.url("/there"));
    assert_eq!(moved(of_page), abroad.url("/article"));
    assert_eq!(abroad.requests().len(), 0, "not even for robots.txt");
}

#[tokio::test]
async fn a_redirect_to_a_host_of_our_own_is_followed() {
    let (home, abroad) = home_and_abroad().await;
    home.serve("/feed", Reply::redirect(302, &abroad.url("/there")));
    abroad.serve("/there", rss());
    let (fetcher, _) = worker(quick(), &[&home, &abroad]);

    let asked = poll(&fetcher, &home.url("/feed"), Errand::default()).await;

    assert!(matches!(asked, Asked::Answered(exchange) if exchange.answer.is_ok()));
}

#[tokio::test]
async fn a_host_that_is_not_surely_ours_is_not_asked_at_all() {
    let (home, abroad) = home_and_abroad().await;
    home.serve("/feed", rss());
    let (fetcher, ownership) = worker(quick(), &[&home]);

    let foreign = poll(&fetcher, &abroad.url("/feed"), Errand::default()).await;
    ownership.end(&[key(&home).shard()]);
    let ending = poll(&fetcher, &home.url("/feed"), Errand::default()).await;
    ownership.hold(&[(key(&home).shard(), 1)]);
    ownership.renew(Moment::now(), quick().timeout);
    let too_long = scrape(&fetcher, &home.url("/page")).await;

    assert!(matches!(foreign, Asked::NotOurs));
    assert!(matches!(ending, Asked::NotOurs));
    assert!(matches!(too_long, Asked::NotOurs));
    assert!(!fetcher.can_start());
    assert_eq!(home.requests().len() + abroad.requests().len(), 0);
}

#[tokio::test]
async fn redirects_of_former_owners_count() {
    let (home, abroad) = home_and_abroad().await;
    home.serve("/feed", Reply::redirect(302, &abroad.url("/there")));
    let (fetcher, _) = worker(quick(), &[&home]);
    let errand = |moves| Errand {
        moves,
        ..Errand::default()
    };

    let fifth = poll(&fetcher, &home.url("/feed"), errand(4)).await;
    let sixth = poll(&fetcher, &home.url("/feed"), errand(5)).await;

    assert_eq!(moved(fifth), abroad.url("/there"));
    let Asked::Answered(exchange) = sixth else {
        panic!("{sixth:?}")
    };
    assert_eq!(exchange.answer.unwrap_err().kind, ErrorKind::RedirectLimit);
}

#[tokio::test]
async fn what_is_meant_for_the_feeds_own_host_does_not_move_with_the_poll() {
    let site = Site::start().await;
    site.serve("/feed", rss());
    let (fetcher, _) = worker(quick(), &[&site]);

    poll(&fetcher, &site.url("/feed"), Errand::default()).await;
    let at_home = site.last_request();
    let moves = 1;
    poll(&fetcher, &site.url("/feed"), Errand { moves, gap: None }).await;
    let away = site.last_request();

    assert_eq!(at_home.header("authorization"), Some("Bearer secret"));
    assert_eq!(at_home.header("if-none-match"), Some("\"v1\""));
    assert_eq!(away.header("authorization"), None);
    assert_eq!(away.header("if-none-match"), None);
}

#[tokio::test]
async fn a_robots_txt_that_leads_to_a_foreign_host_counts_as_absent() {
    let (home, abroad) = home_and_abroad().await;
    home.serve(
        "/robots.txt",
        Reply::redirect(302, &abroad.url("/robots.txt")),
    );
    home.serve("/page", Reply::html("<p>A page."));
    abroad.serve("/robots.txt", Reply::text("User-agent: *\nDisallow: /"));
    let (fetcher, _) = worker(quick(), &[&home]);

    let asked = scrape(&fetcher, &home.url("/page")).await;

    assert!(matches!(asked, Asked::Answered(exchange) if exchange.answer.is_ok()));
    assert_eq!(abroad.requests().len(), 0);
}

#[tokio::test]
async fn a_host_whose_owner_has_changed_is_first_given_its_pause() {
    let site = Site::start().await;
    site.serve("/feed", rss());
    let gap = Duration::from_millis(300);
    let took_over = Instant::now();
    let (fetcher, ownership) = worker(quick(), &[&site]);

    let errand = |gap| Errand { gap, moves: 0 };
    poll(&fetcher, &site.url("/feed"), errand(Some(gap))).await;
    let first = site.last_request().at;
    ownership.hold(&[(key(&site).shard(), 2)]);
    let took_over_again = Instant::now();
    poll(&fetcher, &site.url("/feed"), errand(None)).await;
    let second = site.last_request().at;

    assert!(first - took_over >= gap);
    assert!(second - took_over_again < gap, "no pause is configured");
}

#[tokio::test]
async fn what_a_host_wishes_for_is_told_with_the_answer() {
    let site = Site::start().await;
    site.serve("/robots.txt", Reply::text("User-agent: *\nCrawl-delay: 1"));
    site.serve("/page", Reply::html("<p>A page."));
    site.serve(
        "/feed",
        Reply::text("").status(429).header("Retry-After", "120"),
    );
    let (fetcher, _) = worker(quick(), &[&site]);

    let Asked::Answered(page) = scrape(&fetcher, &site.url("/page")).await else {
        panic!("not asked")
    };
    let Asked::Answered(feed) = poll(&fetcher, &site.url("/feed"), Errand::default()).await else {
        panic!("not asked")
    };

    assert_eq!(page.wishes.gap, Some(Duration::from_secs(1)));
    assert_eq!(page.wishes.rest, None);
    assert!(feed.wishes.rest.unwrap() > Duration::from_secs(110));
    assert_eq!(
        feed.wishes.gap,
        Some(Duration::from_secs(1)),
        "polls keep it too"
    );
}

#[tokio::test]
async fn a_rest_that_another_process_was_asked_for_is_kept() {
    let site = Site::start().await;
    site.serve("/feed", rss());
    let (fetcher, _) = worker(quick(), &[&site]);

    fetcher.rest(&key(&site), Duration::from_secs(3600));
    let asked = poll(&fetcher, &site.url("/feed"), Errand::default()).await;

    let Asked::Answered(exchange) = asked else {
        panic!("{asked:?}")
    };
    assert_eq!(exchange.answer.unwrap_err().kind, ErrorKind::RateLimited);
    assert!(exchange.wishes.rest.unwrap() > Duration::from_secs(3590));
    assert_eq!(site.requests().len(), 0);
}

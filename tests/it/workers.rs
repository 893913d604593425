//! Several daemons on one database: who does what, and what becomes of it when one is gone.
//!
//! The first worker of a database owns all shards; the second one gets the upper half of
//! them. So a test can choose a host of the one and a host of the other.

#![allow(clippy::unwrap_used, reason = "in tests an unwrap is an assertion")]

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use url::Url;
use wireroom::model::HostKey;

use crate::support::postgres::{Database, database};
use crate::support::room::{Room, Running, page, rss};
use crate::support::site::{Reply, Site};

/// A lease after which nobody here would wait. Workers look at each other four times as often.
const LONG: Duration = Duration::from_secs(20);
/// The shortest lease for exchanges of 1.2 s.
const SHORT: Duration = Duration::from_millis(2400);

/// Which half of the shards.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Lower,
    Upper,
}

/// A site whose host belongs to that half, not one of the first `n_others` such hosts.
async fn site(half: Half, n_others: usize) -> Site {
    let addresses = (1..=250).map(|n| Ipv4Addr::new(127, 2, 0, n).to_string());
    let mut fitting = addresses.filter(|address| {
        let url = Url::parse(&format!("http://{address}/")).unwrap();
        (HostKey::of(&url).shard().0 < 512) == (half == Half::Lower)
    });
    Site::start_on(&fitting.nth(n_others).unwrap()).await
}

fn feed(site: &Site, link: &str) -> Reply {
    let document = rss(&site.url("/"), &[("Ferry", link.to_owned(), "g-1")]);
    Reply::new("application/rss+xml", document)
}

fn n_owners(database: &Database) -> i64 {
    database.number("SELECT count(DISTINCT owner) FROM shard")
}

fn n_free(database: &Database) -> i64 {
    database.number("SELECT count(*) FROM shard WHERE owner IS NULL")
}

/// Starts a worker, and waits until it owns everything.
fn alone(room: &Room, database: &Database, name: &str) -> Running {
    let worker = room.start_as(name, &["run"]);
    worker.says("owns 1024 of 1024 shards");
    room.wait_until("the worker has everything", |_| {
        n_owners(database) == 1 && n_free(database) == 0
    });
    worker
}

/// Starts two workers, of which the first one owns the lower half, the second the upper.
fn pair(room: &Room, database: &Database) -> (Running, Running) {
    let first = alone(room, database, "first");
    let second = room.start_as("second", &["run"]);
    room.wait_until("each has its half", |_| {
        let halves = "SELECT count(DISTINCT owner) FROM shard GROUP BY id / 512";
        database.number("SELECT count(*) FROM shard WHERE owner IS NULL") == 0
            && n_owners(database) == 2
            && database.ask(halves) == [["1"], ["1"]]
    });
    (first, second)
}

/// Subscribes while the workers run, and asks nobody but them for it.
fn subscribe(room: &Room, url: &str) {
    room.ok(&["feed", "add", "--no-check", url]);
}

/// The same, and waits for the article.
fn collect(room: &Room, url: &str) {
    subscribe(room, url);
    until_saved(room, 1);
}

fn until_saved(room: &Room, n_articles: usize) {
    room.wait_until("the articles have their texts", |room| {
        let articles = room.articles();
        let is_done = |article: &&serde_json::Value| article["page_state"] == "scraped";
        articles.iter().filter(is_done).count() == n_articles
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_behind_a_redirect_is_scraped_by_the_owner_of_its_host() {
    let Some(database) = database() else { return };
    let (near, far) = (site(Half::Lower, 0).await, site(Half::Upper, 0).await);
    near.serve("/feed.xml", feed(&near, &near.url("/go")));
    near.serve("/go", Reply::redirect(302, &far.url("/story")));
    far.serve("/story", Reply::html(&page("Ferry", "the ferry")));
    let room = Room::on_with_lease(&database, LONG, &[]);
    let (first, second) = pair(&room, &database);

    collect(&room, &near.url("/feed.xml"));

    let articles = room.articles();
    assert_eq!(articles.len(), 1);
    assert_eq!(articles[0]["url"], near.url("/go"));
    assert_eq!(articles[0]["final_url"], far.url("/story"));
    assert_eq!(near.requests_for("/go").len(), 1);
    assert_eq!(far.requests_for("/story").len(), 1);
    assert!(!first.log().contains("saved "), "{}", first.log());
    assert!(second.log().contains("saved "), "{}", second.log());
    assert!(!second.log().contains("/feed.xml"), "{}", second.log());
    let shown = room.ok(&["show", &far.url("/story")]);
    assert!(shown.contains(&near.url("/go")), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_behind_a_redirect_is_polled_by_the_owner_of_its_host() {
    let Some(database) = database() else { return };
    let (near, far) = (site(Half::Upper, 0).await, site(Half::Lower, 0).await);
    near.serve("/feed.xml", Reply::redirect(302, &far.url("/all.xml")));
    let document = feed(&far, &near.url("/story")).etag("\"v1\"");
    far.serve("/all.xml", document);
    near.serve("/story", Reply::html(&page("Ferry", "the ferry")));
    let room = Room::on_with_lease(&database, LONG, &[]);
    let (_first, _second) = pair(&room, &database);

    collect(&room, &near.url("/feed.xml"));
    // The next poll begins at home again, and its validators go to where they came from.
    room.ok(&["feed", "poll", &near.url("/feed.xml")]);
    room.wait_until("it is polled again", |_| {
        far.requests_for("/all.xml").len() == 2
    });

    assert_eq!(near.requests_for("/feed.xml").len(), 2);
    let asked = far.requests_for("/all.xml");
    assert_eq!(asked[0].header("if-none-match"), None);
    assert_eq!(asked[1].header("if-none-match"), Some("\"v1\""));
    let feed = room.feed(&near.url("/feed.xml"));
    assert_eq!(feed["url"], near.url("/feed.xml"));
    assert_eq!(room.articles().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_that_goes_round_between_two_workers_ends() {
    let Some(database) = database() else { return };
    let (one, other) = (site(Half::Lower, 0).await, site(Half::Upper, 0).await);
    one.serve("/feed.xml", feed(&one, &one.url("/a")));
    one.serve("/a", Reply::redirect(302, &other.url("/b")));
    other.serve("/b", Reply::redirect(302, &one.url("/a")));
    let room = Room::on_with_lease(&database, LONG, &[]);
    let _workers = pair(&room, &database);

    subscribe(&room, &one.url("/feed.xml"));
    room.wait_until("the page is given up", |room| {
        let articles = room.articles();
        articles.len() == 1 && articles[0]["page_error"] == "redirect_limit"
    });

    let n_asked = one.requests_for("/a").len() + other.requests_for("/b").len();
    assert!((2..=8).contains(&n_asked), "{n_asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_told_to_end_hands_over_at_once() {
    let Some(database) = database() else { return };
    let site = site(Half::Lower, 0).await;
    site.serve("/feed.xml", feed(&site, &site.url("/a")));
    site.serve("/a", Reply::html(&page("Ferry", "the ferry")));
    let room = Room::on_with_lease(&database, LONG, &[]);
    let (first, second) = pair(&room, &database);

    first.signal("TERM");
    let (code, duration) = first.ended();
    assert_eq!(code, Some(0));
    assert!(duration < Duration::from_secs(5), "{duration:?}");
    let sql = "SELECT count(*) FROM shard WHERE owner NOT IN (SELECT id FROM worker)";
    assert_eq!(
        database.number(sql),
        0,
        "nothing waits for a lease to run out"
    );

    second.signal("TERM");
    assert_eq!(second.ended().0, Some(0));
    assert_eq!(n_free(&database), 1024);
    assert_eq!(database.number("SELECT count(*) FROM worker"), 0);
    let third = alone(&room, &database, "third");
    collect(&room, &site.url("/feed.xml"));
    assert!(third.log().contains("saved "), "{}", third.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_worker_ends_by_itself_and_another_goes_on() {
    let Some(database) = database() else { return };
    let site = site(Half::Lower, 0).await;
    site.serve("/feed.xml", feed(&site, &site.url("/a")));
    site.serve("/a", Reply::html(&page("Ferry", "the ferry")));
    let room = Room::on_with_lease(&database, Duration::from_secs(10), &[]);
    let (first, second) = pair(&room, &database);
    let workers = room.json(&["worker", "list", "--json"]);
    let of_first = workers.iter().find(|w| w["pid"] == first.id()).unwrap();
    assert_eq!(workers.len(), 2);
    assert_eq!(of_first["shards"], 512);

    room.ok(&["worker", "drain", &of_first["id"].to_string()]);

    assert_eq!(first.ended().0, Some(0));
    room.wait_until("the other one has everything", |_| {
        n_owners(&database) == 1 && n_free(&database) == 0
    });
    collect(&room, &site.url("/feed.xml"));
    assert!(second.log().contains("saved "), "{}", second.log());
}

/// A site with one feed and one page that takes a second.
async fn slow_site() -> Site {
    let site = site(Half::Lower, 0).await;
    site.serve("/feed.xml", feed(&site, &site.url("/slow")));
    let slow = Reply::html(&page("Ferry", "the ferry")).delay(Duration::from_secs(1));
    site.serve("/slow", slow);
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_replaced_when_its_lease_has_run_out() {
    let Some(database) = database() else { return };
    let site = slow_site().await;
    let room = Room::on_with_lease(&database, SHORT, &[site.url("/feed.xml")]);
    room.configure_manners("0s", "1200ms", "");
    let first = alone(&room, &database, "first");
    room.wait_until("the page is asked for", |_| {
        !site.requests_for("/slow").is_empty()
    });

    first.signal("KILL");
    first.ended();
    let second = room.start_as("second", &["run"]);
    until_saved(&room, 1);

    assert!(second.log().contains("saved "), "{}", second.log());
    let asked = site.requests_for("/slow");
    assert_eq!(asked.len(), 2);
    let pause = asked[1].at - asked[0].at;
    assert!(pause > Duration::from_millis(1200), "too soon: {pause:?}");
    assert_eq!(room.articles().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_asked_for_rest_gets_it_from_the_next_owner_too() {
    let Some(database) = database() else { return };
    let site = site(Half::Lower, 0).await;
    let busy = Reply::text("later").status(429).header("Retry-After", "4");
    site.serve("/feed.xml", busy);
    site.serve("/other.xml", feed(&site, &site.url("/a")));
    site.serve("/a", Reply::html(&page("Ferry", "the ferry")));
    let room = Room::on_with_lease(&database, LONG, &[site.url("/feed.xml")]);
    let first = alone(&room, &database, "first");
    room.wait_until("it is told to wait", |room| {
        room.feed(&site.url("/feed.xml"))["state"] == "error"
    });
    let told = site.requests_for("/feed.xml")[0].at;
    first.signal("TERM");
    assert_eq!(first.ended().0, Some(0));

    let _second = alone(&room, &database, "second");
    collect(&room, &site.url("/other.xml"));

    let next = site
        .requests()
        .into_iter()
        .find(|request| request.at > told);
    let pause = next.unwrap().at - told;
    assert!(pause >= Duration::from_secs(4), "too soon: {pause:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_not_hurried_by_a_change_of_its_owner() {
    let Some(database) = database() else { return };
    let site = site(Half::Lower, 0).await;
    let links: Vec<String> = (0..4).map(|n| site.url(&format!("/{n}"))).collect();
    let items: Vec<_> = links
        .iter()
        .map(|link| ("Ferry", link.clone(), link.as_str()))
        .collect();
    site.serve(
        "/feed.xml",
        Reply::new("application/rss+xml", rss("G", &items)),
    );
    for n in 0..4 {
        let text = page(&format!("Ferry {n}"), &format!("ferry number {n}"));
        site.serve(&format!("/{n}"), Reply::html(&text));
    }
    let room = Room::on_with_lease(&database, LONG, &[site.url("/feed.xml")]);
    room.configure_manners("1s", "5s", "");

    for n in 1..=3 {
        let name = format!("worker{n}");
        let worker = alone(&room, &database, &name);
        room.wait_until("a request more", |_| site.requests().len() > n);
        worker.signal("TERM");
        assert_eq!(worker.ended().0, Some(0));
    }

    let requests = site.requests();
    for pair in requests.windows(2) {
        let pause = pair[1].at - pair[0].at;
        assert!(
            pause >= Duration::from_secs(1),
            "{}: {pause:?}",
            pair[1].path
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_start_on_an_empty_database_and_follow_one_list() {
    let Some(database) = database() else { return };
    let mut sites = Vec::new();
    for n in 0..3 {
        for half in [Half::Lower, Half::Upper] {
            let site = site(half, n).await;
            site.serve("/feed.xml", feed(&site, &site.url("/a")));
            let text = page("Ferry", &format!("the ferry of {}", site.url("/")));
            site.serve("/a", Reply::html(&text));
            sites.push(site);
        }
    }
    let urls: Vec<String> = sites.iter().map(|site| site.url("/feed.xml")).collect();
    let room = Room::on_with_lease(&database, Duration::from_secs(10), &urls);

    let first = room.start_as("first", &["run"]);
    let second = room.start_as("second", &["run"]);
    first.says("registered");
    until_saved(&room, 6);

    assert_eq!(room.feeds().len(), 6);
    for site in &sites {
        assert_eq!(site.requests_for("/feed.xml").len(), 1);
        assert_eq!(site.requests_for("/a").len(), 1);
        assert_eq!(site.n_at_once(), 1);
    }
    for worker in [first, second] {
        worker.signal("TERM");
        assert_eq!(worker.ended().0, Some(0), "in order");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_may_be_away_for_a_while() {
    let Some(server) = crate::support::postgres::Server::start() else {
        return;
    };
    let database = server.database();
    let site = site(Half::Lower, 0).await;
    site.serve("/feed.xml", feed(&site, &site.url("/a")));
    site.serve("/a", Reply::html(&page("Ferry", "the ferry")));
    let room = Room::on_with_lease(&database, SHORT, &[site.url("/feed.xml")]);
    room.configure_manners("0s", "1200ms", "");
    let worker = alone(&room, &database, "worker");
    until_saved(&room, 1);

    server.stop();
    let away = Instant::now();
    let failed = room.fails(1, &["status"]);
    while away.elapsed() < SHORT {
        std::thread::sleep(Duration::from_millis(50));
    }
    server.start_again();
    site.serve("/b", Reply::html(&page("Quay", "the quay")));
    let second = rss("G", &[("Quay", site.url("/b"), "g-2")]);
    site.serve("/second.xml", Reply::new("application/rss+xml", second));
    subscribe(&room, &site.url("/second.xml"));
    until_saved(&room, 2);

    assert!(failed.contains("127.0.0.1"), "{failed}");
    let titles: BTreeSet<String> = room
        .articles()
        .iter()
        .map(|article| article["title"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(titles.len(), 2);
    worker.signal("TERM");
    assert_eq!(worker.ended().0, Some(0), "it never ended by itself");
}

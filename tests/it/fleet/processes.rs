//! Workers as processes: what people and service managers see of them.

use std::time::Duration;

use serde_json::Value;

use crate::support::postgres::{Database, database};
use crate::support::room::{Room, Running, lines, page, rss};
use crate::support::site::{Reply, Site};

/// A room on a database, with one feed of one article at `site`.
fn room(database: &Database<'_>, site: &Site) -> Room {
    let document = rss("Gazette", &[("Ferry", site.url("/ferry"), "g-1")]);
    let reply = Reply::new("application/rss+xml", document.as_bytes());
    site.serve("/feed.xml", reply);
    site.serve("/ferry", Reply::html(&page("Ferry", "the ferry")));
    let room = Room::subscribed_to(&[site.url("/feed.xml")]);
    room.write(
        "wireroom.toml",
        &format!(
            r#"feeds = ["feeds.txt"]

[store]
url = "{}"
lease = "4s"

[schedule]
default_interval = "1h"
min_interval = "1s"

[fetch]
allow_private = ["127.0.0.0/8"]
host_gap = "0s"
timeout = "2s"
"#,
            database.url()
        ),
    );
    room
}

/// All workers; none as long as the first one has not made the tables.
fn workers(room: &Room) -> Vec<Value> {
    let output = room.run(&["worker", "list", "--json"]);
    lines(&String::from_utf8_lossy(&output.stdout))
}

fn shards(room: &Room) -> Vec<(String, u64)> {
    workers(room)
        .iter()
        .filter(|worker| worker["state"] == "live")
        .map(|worker| {
            let role = worker["role"].as_str().unwrap().to_owned();
            (role, worker["shards"].as_u64().unwrap())
        })
        .collect()
}

fn until_owned(room: &Room, n_shards: u64) {
    room.wait_until("shards are owned", |room| {
        shards(room).iter().any(|(_, n)| *n == n_shards)
    });
}

fn ends_in_order(worker: Running) {
    let log = worker.log();
    worker.signal("TERM");
    assert_eq!(worker.ended().0, Some(0), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_round_is_a_worker_that_hands_everything_back() {
    let Some(database) = database() else { return };
    let site = Site::start().await;
    let room = room(&database, &site);

    let summary = room.json(&["run", "--once", "--json"]).remove(0);

    assert_eq!(
        (&summary["polls"], &summary["saved"]),
        (&1.into(), &1.into())
    );
    assert_eq!(summary["fenced"], 0);
    assert_eq!(room.articles()[0]["page_state"], "scraped");
    assert!(workers(&room).is_empty());
    let owned = database.number("SELECT count(*) FROM shard WHERE owner IS NOT NULL");
    assert_eq!(owned, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_polled_by_the_command_when_no_worker_lives_and_left_to_one_that_does() {
    let Some(database) = database() else { return };
    let site = Site::start().await;
    let room = room(&database, &site);
    room.run_once();

    let alone = room.json(&["feed", "poll", "1", "--json"]).remove(0);
    let worker = room.start(&["run", "--role", "ingest"]);
    until_owned(&room, 1024);
    let beside = room.json(&["feed", "poll", "1", "--json"]).remove(0);
    room.wait_until("the worker polls it", |_| {
        site.requests_for("/feed.xml").len() == 3
    });

    assert_eq!(
        (&alone["result"], &beside["result"]),
        (&"polled".into(), &"due".into())
    );
    ends_in_order(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_of_a_fleet_tells_of_all_its_workers() {
    let Some(database) = database() else { return };
    let site = Site::start().await;
    let room = room(&database, &site);

    let ingest = room.start_as("ingest", &["run", "--role", "ingest"]);
    until_owned(&room, 1024);
    let serve = room.start_as("serve", &["run", "--role", "serve"]);
    room.wait_until("both live", |room| shards(room).len() == 2);
    room.wait_until("it is searchable", |room| {
        room.run(&["search", "ferry"]).status.success()
    });
    room.wait_until("its work is told", |room| {
        workers(room).iter().any(|worker| worker["articles"] == 1)
    });

    let mut owned = shards(&room);
    owned.sort();
    assert_eq!(
        owned,
        [("ingest".to_owned(), 1024), ("serve".to_owned(), 0)]
    );
    let status = room.json(&["status", "--json"]).remove(0);
    let fleet = &status["fleet"];
    assert_eq!(fleet["shards_owned"], 1024);
    assert_eq!(fleet["workers"].as_array().unwrap().len(), 2);
    assert_eq!(fleet["articles_minute"], 1);
    assert!(status["daemon_pid"].is_null());
    let told = room.ok(&["status"]);
    assert!(told.contains("2 running on 1 machine"), "{told}");
    assert!(room.ok(&["worker", "list"]).lines().count() == 2);
    ends_in_order(serve);
    ends_in_order(ingest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_worker_ends_as_if_it_had_been_told_to() {
    let Some(database) = database() else { return };
    let site = Site::start().await;
    let room = room(&database, &site);
    let worker = room.start(&["run"]);
    until_owned(&room, 1024);
    let id = workers(&room)[0]["id"].to_string();

    room.ok(&["worker", "drain", &id]);

    assert!(workers(&room).is_empty());
    assert_eq!(worker.ended().0, Some(0));
    let unknown = room.fails(1, &["worker", "drain", &id]);
    assert!(unknown.contains("wireroom worker list"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_brings_after_its_lease_is_not_recorded_and_it_starts_anew() {
    let Some(database) = database() else { return };
    let site = Site::start().await;
    let room = room(&database, &site);
    let article = Reply::html(&page("Ferry", "the ferry"));
    site.serve("/ferry", article.delay(Duration::from_millis(1500)));
    let sleeper = room.start_as("sleeper", &["run"]);
    room.wait_until("it asks for the page", |_| {
        !site.requests_for("/ferry").is_empty()
    });

    sleeper.signal("STOP");
    let other = room.start_as("other", &["run"]);
    room.wait_until("the other one saves it", |room| {
        room.articles()
            .iter()
            .any(|article| article["page_state"] == "scraped")
    });
    let before = workers(&room).len();
    sleeper.signal("CONT");

    sleeper.says("gave no sign of life for longer than its lease");
    sleeper.says("is not recorded");
    room.wait_until("they share", |room| {
        let shards = shards(room);
        shards.len() == 2 && shards.iter().all(|(_, n)| *n == 512)
    });
    assert_eq!(workers(&room).len(), before + 1, "it has a new name");
    assert_eq!(room.articles().len(), 1);
    ends_in_order(sleeper);
    ends_in_order(other);
}

#[test]
fn a_file_has_no_workers_and_no_roles() {
    let room = Room::subscribed_to(&[]);

    for args in [
        &["run", "--role", "serve"][..],
        &["worker", "list"],
        &["worker", "drain", "1"],
    ] {
        let said = room.fails(2, args);
        assert!(said.contains("one daemon"), "{said}");
    }
    let status = room.run(&["run", "--once"]).status;
    assert!(status.success());
    assert!(room.json(&["status", "--json"])[0]["fleet"].is_null());
}

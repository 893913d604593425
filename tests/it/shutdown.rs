//! The end of a daemon, and the company it does not keep.

use std::time::Duration;

use crate::support::room::{Room, page, rss};
use crate::support::site::{Reply, Site};

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_takes_less_than_five_seconds_with_downloads_in_flight() {
    let site = Site::start().await;
    site.serve(
        "/feed.xml",
        Reply::new(
            "application/rss+xml",
            rss("G", &[("A", site.url("/slow"), "1")]).as_bytes(),
        ),
    );
    site.serve(
        "/slow",
        Reply::html(&page("Slow", "patience")).delay(Duration::from_secs(60)),
    );
    let room = Room::subscribed_to(&[site.url("/feed.xml")]);
    room.configure("connect_timeout = \"5s\"\n");
    let daemon = room.start(&["run"]);
    room.wait_until("the page is asked for", |_| {
        site.requests()
            .iter()
            .any(|request| request.path == "/slow")
    });

    daemon.signal("TERM");
    let (code, duration) = daemon.ended();

    assert_eq!(code, Some(0));
    assert!(duration < Duration::from_secs(5), "{duration:?}");
    assert_eq!(
        room.articles()[0]["page_state"],
        "pending",
        "left to be done again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_round_is_stopped_as_soon_as_a_daemon() {
    let site = Site::start().await;
    let document = rss("G", &[("A", site.url("/slow"), "1")]);
    site.serve("/feed.xml", Reply::new("application/rss+xml", document));
    let page = Reply::html(&page("Slow", "patience")).delay(Duration::from_secs(60));
    site.serve("/slow", page);
    let room = Room::subscribed_to(&[site.url("/feed.xml")]);
    room.configure("connect_timeout = \"5s\"\n");
    let round = room.start(&["run", "--once"]);
    room.wait_until("the page is asked for", |_| {
        !site.requests_for("/slow").is_empty()
    });

    round.signal("TERM");
    let (code, duration) = round.ended();

    assert_eq!(code, Some(0));
    assert!(duration < Duration::from_secs(5), "{duration:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_is_refused_and_told_by_whom() {
    let room = Room::subscribed_to(&[]);
    let daemon = room.start(&["run"]);
    daemon.says("store:");
    room.wait_until("the lock is taken", |room| {
        room.path("wireroom.db").exists()
    });

    let refused = room.fails(1, &["run", "--once"]);

    assert!(refused.contains(&daemon.id().to_string()), "{refused}");
    daemon.signal("INT");
    assert_eq!(daemon.ended().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_answered_while_the_daemon_runs() {
    let site = Site::start().await;
    site.serve(
        "/feed.xml",
        Reply::new(
            "application/rss+xml",
            rss("G", &[("A", site.url("/a"), "1")]).as_bytes(),
        ),
    );
    site.serve("/a", Reply::html(&page("Ferry", "the ferry")));
    let room = Room::subscribed_to(&[site.url("/feed.xml")]);
    let daemon = room.start(&["run"]);
    daemon.says("saved ");

    room.wait_until("the index has followed", |room| {
        room.run(&["search", "ferry", "--json"]).status.success()
    });
    assert_eq!(room.articles().len(), 1);

    daemon.signal("TERM");
    assert_eq!(daemon.ended().0, Some(0));
}

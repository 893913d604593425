//! A process that dies at any moment loses nothing and doubles nothing.

use std::time::Duration;

use crate::support::room::{Room, page, rss};
use crate::support::site::{Reply, Site};

const N_FEEDS: usize = 6;
const N_ENTRIES: usize = 5;

async fn slow_site() -> (Site, Vec<String>) {
    let site = Site::start().await;
    let mut urls = Vec::new();
    for feed in 0..N_FEEDS {
        let names: Vec<String> = (0..N_ENTRIES)
            .map(|entry| format!("{feed}-{entry}"))
            .collect();
        let items: Vec<_> = names
            .iter()
            .map(|name| {
                (
                    name.as_str(),
                    site.url(&format!("/page/{name}")),
                    name.as_str(),
                )
            })
            .collect();
        let path = format!("/feed/{feed}.xml");
        site.serve(
            &path,
            Reply::new("application/rss+xml", rss(&path, &items).as_bytes()),
        );
        for name in &names {
            let reply = Reply::html(&page(name, &format!("matter {name}")));
            site.serve(
                &format!("/page/{name}"),
                reply.delay(Duration::from_millis(15)),
            );
        }
        urls.push(site.url(&path));
    }
    (site, urls)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_asked_for_a_rest_is_left_alone_by_the_next_process_too() {
    let site = Site::start().await;
    let tired = Reply::text("").status(429).header("Retry-After", "3600");
    site.serve("/tired.xml", tired);
    let other = rss("Other", &[("One", site.url("/page"), "1")]);
    site.serve(
        "/other.xml",
        Reply::new("application/rss+xml", other.as_bytes()),
    );
    let room = Room::subscribed_to(&[site.url("/tired.xml")]);
    room.run_once();
    assert_eq!(site.requests().len(), 1);

    room.write(
        "feeds.txt",
        &format!("{}\n{}\n", site.url("/tired.xml"), site.url("/other.xml")),
    );
    room.run_once();
    let asked_for = room.run(&["feed", "poll", &site.url("/other.xml")]);

    assert_eq!(site.requests().len(), 1, "neither its other feed");
    assert_eq!(
        asked_for.status.code(),
        Some(1),
        "nor because a person says so"
    );
    let said = String::from_utf8_lossy(&asked_for.stdout);
    assert!(said.contains("asked us to rest"), "{said}");
    assert_eq!(room.feed(&site.url("/other.xml"))["state"], "error");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_again_and_again_ends_in_the_full_state() {
    let (site, urls) = slow_site().await;
    let room = Room::subscribed_to(&urls);

    for kill_after in [40, 90, 150, 220, 300] {
        let run = room.start(&["run", "--once"]);
        std::thread::sleep(Duration::from_millis(kill_after));
        run.signal("KILL");
        run.ended();
    }
    room.run_once();

    let articles = room.articles();
    let mut guids: Vec<&str> = articles
        .iter()
        .map(|article| article["guid"].as_str().unwrap())
        .collect();
    guids.sort_unstable();
    guids.dedup();
    assert_eq!(guids.len(), N_FEEDS * N_ENTRIES, "all are there");
    assert_eq!(articles.len(), N_FEEDS * N_ENTRIES, "each once");
    assert!(
        articles
            .iter()
            .all(|article| article["page_state"] == "scraped")
    );
    assert!(room.feeds().iter().all(|feed| feed["state"] == "ok"));
    drop(site);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_whose_entries_were_not_kept_leaves_no_validators() {
    // The feed is answered slowly enough that the kill falls into the poll again and again;
    // if validators were written ahead of the entries, the last run would see 304 and no article.
    let site = Site::start().await;
    let document = rss("Gazette", &[("Ferry", site.url("/a"), "g-1")]);
    let reply = Reply::new("application/rss+xml", document.as_bytes()).header("etag", "\"v1\"");
    site.serve("/feed.xml", reply.delay(Duration::from_millis(30)));
    site.serve("/a", Reply::html(&page("Ferry", "the ferry")));
    let room = Room::subscribed_to(&[site.url("/feed.xml")]);

    for kill_after in [30, 45, 60, 75, 90, 105] {
        let run = room.start(&["run", "--once"]);
        std::thread::sleep(Duration::from_millis(kill_after));
        run.signal("KILL");
        run.ended();
    }
    room.run_once();

    assert_eq!(room.articles().len(), 1);
}

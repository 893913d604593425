//! Feed lists are files of their keeper: what they say is polled, and nothing else.

use crate::support::room::{Room, rss};
use crate::support::site::{Reply, Site};

async fn site_with_two_feeds() -> Site {
    let site = Site::start().await;
    for name in ["/one.xml", "/two.xml"] {
        site.serve(
            name,
            Reply::new(
                "application/rss+xml",
                rss(name, &[("A", site.url("/a"), name)]).as_bytes(),
            ),
        );
    }
    site.serve(
        "/a",
        Reply::html(&crate::support::room::page("A", "the ferry")),
    );
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_leaves_its_list_is_retired_and_its_articles_stay() {
    let site = site_with_two_feeds().await;
    let room = Room::subscribed_to(&[site.url("/one.xml"), site.url("/two.xml")]);
    room.run_once();

    room.write("feeds.txt", &site.url("/one.xml"));
    room.run_once();

    assert_eq!(room.feed(&site.url("/one.xml"))["state"], "ok");
    assert_eq!(room.feed(&site.url("/two.xml"))["state"], "retired");
    assert_eq!(room.articles().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_daemon_follows_its_lists_on_reload() {
    let site = site_with_two_feeds().await;
    let room = Room::subscribed_to(&[site.url("/one.xml")]);
    let daemon = room.start(&["run"]);
    daemon.says("1 new of 1");

    room.write(
        "feeds.txt",
        &format!("{}\n{}\n", site.url("/one.xml"), site.url("/two.xml")),
    );
    let said = room.run(&["reload"]);

    assert!(
        said.status.success(),
        "{}",
        String::from_utf8_lossy(&said.stderr)
    );
    room.wait_until("the second feed is polled", |room| {
        room.feed(&site.url("/two.xml"))["state"] == "ok"
    });
    daemon.signal("TERM");
    assert_eq!(daemon.ended().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_list_changes_nothing() {
    let site = site_with_two_feeds().await;
    let room = Room::subscribed_to(&[site.url("/one.xml")]);
    room.configure("");
    let daemon = room.start(&["run"]);
    daemon.says("1 new of 1");

    room.write("feeds.toml", "[[feed]]\nurll = \"http://example.org/\"\n");
    let configuration = std::fs::read_to_string(room.path("wireroom.toml")).unwrap();
    room.write(
        "wireroom.toml",
        &configuration.replace("\"feeds.txt\"", "\"feeds.toml\""),
    );

    let refused = room.fails(78, &["reload"]);
    assert!(
        refused.contains("feeds.toml:2:1") && refused.contains("url"),
        "{refused}"
    );
    daemon.signal("HUP");
    daemon.says("cannot reload");
    assert_eq!(room_feeds(&room, &configuration), 1);
    daemon.signal("TERM");
    assert_eq!(daemon.ended().0, Some(0));
}

/// How many feeds are polled, read with a configuration that can be read.
fn room_feeds(room: &Room, configuration: &str) -> usize {
    room.write("wireroom.toml", configuration);
    room.feeds()
        .iter()
        .filter(|feed| feed["state"] == "ok")
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_list_stops_a_start_with_its_place() {
    let room = Room::subscribed_to(&[]);
    room.write(
        "feeds.opml",
        "<opml version=\"2.0\"><body>\n<outline text=\"A\"</body></opml>",
    );
    room.configure("");
    let configuration = std::fs::read_to_string(room.path("wireroom.toml")).unwrap();
    room.write(
        "wireroom.toml",
        &configuration.replace("\"feeds.txt\"", "\"feeds.opml\""),
    );

    let refused = room.fails(78, &["run", "--once"]);

    assert!(refused.contains("feeds.opml:2:"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_added_by_command_is_left_alone_by_lists() {
    let site = site_with_two_feeds().await;
    let room = Room::subscribed_to(&[site.url("/one.xml")]);

    room.ok(&["feed", "add", &site.url("/two.xml")]);
    room.run_once();

    assert_eq!(room.feed(&site.url("/two.xml"))["state"], "ok");
    room.ok(&["feed", "remove", &site.url("/two.xml")]);
    assert_eq!(room.feed(&site.url("/two.xml"))["state"], "retired");
    let refused = room.run(&["feed", "remove", &site.url("/one.xml")]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("feeds.txt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_searched_for_its_feed() {
    let site = site_with_two_feeds().await;
    let head = "<link rel=\"alternate\" type=\"application/rss+xml\" href=\"/one.xml\">";
    site.serve(
        "/",
        Reply::html(&crate::support::room::page_with("Home", "the town", head)),
    );
    let room = Room::subscribed_to(&[]);

    room.ok(&["feed", "add", &site.url("/")]);

    assert_eq!(room.feed(&site.url("/one.xml"))["state"], "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_and_go_out_with_their_folders() {
    let room = Room::subscribed_to(&[]);
    room.write(
        "in.opml",
        "<opml version=\"2.0\"><body><outline text=\"World\"><outline text=\"Europe\">\
         <outline type=\"rss\" text=\"A\" xmlUrl=\"http://a.example/feed\"/></outline></outline>\
         <outline text=\"no feed\" xmlUrl=\"ftp://b.example/feed\"/></body></opml>",
    );

    let dry = room.run(&["import", "in.opml", "--dry-run"]);
    assert!(dry.status.success());
    assert!(
        !room.path("wireroom.db").exists(),
        "a dry run makes no store"
    );
    let said = room.run(&["import", "in.opml"]);
    let said =
        String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);

    assert!(said.contains("ftp"), "what was skipped, and why: {said}");
    assert_eq!(
        room.feed("http://a.example/feed")["tags"],
        serde_json::json!(["World/Europe"])
    );
    let out = room.ok(&["export-opml"]);
    assert!(
        out.contains("text=\"Europe\"") && out.contains("http://a.example/feed"),
        "{out}"
    );
}

//! Feeds: subscribed, listed, paused, retired.

use super::*;

on_every_backend! {
    a_subscribed_feed_is_pending_and_due_at_once,
    subscribing_twice_changes_nothing,
    a_url_is_kept_as_it_is_spelt,
    lists_own_their_feeds_and_leave_others_alone,
    a_list_takes_over_a_feed_that_was_added_by_command,
    a_paused_feed_rests_until_it_is_resumed,
    a_retired_feed_keeps_its_articles,
    a_feed_that_is_not_there_is_an_error_not_a_silence,
    a_feed_that_a_list_names_again_and_again_is_one_feed,
    a_feed_that_many_subscribe_to_at_once_is_one_feed,
    lists_that_many_follow_at_once_are_followed_once,
    feeds_are_found_under_each_of_their_urls,
}

async fn a_subscribed_feed_is_pending_and_due_at_once(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed.xml")).await;

    let feed = feed(&room.store, id).await;

    assert_eq!(feed.state, FeedState::Pending);
    assert_eq!(feed.subscribed_url, "https://example.org/feed.xml");
    assert_eq!(feed.next_poll, Some(noon()));
    assert_eq!(
        room.store.due_feeds(&everything_due()).await.unwrap().len(),
        1
    );
}

async fn subscribing_twice_changes_nothing(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed.xml")).await;

    let again = NewFeed {
        listed: listed("https://example.org/feed.xml"),
        file: None,
    };
    let again = room.store.subscribe(again, later(5)).await.unwrap();

    assert_eq!(again, Subscribed::Known(id));
    assert_eq!(room.store.feeds().await.unwrap().len(), 1);
}

async fn a_url_is_kept_as_it_is_spelt(room: Room) {
    let list = |url: &str| {
        vec![SourceList {
            file: "feeds.opml".into(),
            feeds: vec![listed(url)],
        }]
    };
    let spelling = async || {
        let feeds = room.store.feeds().await.unwrap();
        assert_eq!(feeds.len(), 1);
        assert_eq!(feeds[0].url.as_str(), "http://example.org/");
        feeds[0].subscribed_url.clone()
    };
    let kept = SyncReport {
        kept: 1,
        ..SyncReport::default()
    };

    for url in ["http://example.org", "feed://EXAMPLE.org:80/"] {
        room.store.sync_lists(list(url), noon()).await.unwrap();
        assert_eq!(spelling().await, url);
        let again = room.store.sync_lists(list(url), noon()).await.unwrap();
        assert_eq!(again, kept);
    }
    let respelt = list("http://example.org/#top");
    assert_eq!(room.store.sync_lists(respelt, noon()).await.unwrap(), kept);
    assert_eq!(spelling().await, "http://example.org/#top");

    // A command that finds the feed there leaves the list's spelling alone.
    let known = NewFeed {
        listed: listed("http://example.org"),
        file: None,
    };
    let known = room.store.subscribe(known, later(5)).await.unwrap();
    assert!(matches!(known, Subscribed::Known(_)));
    assert_eq!(spelling().await, "http://example.org/#top");
}

async fn lists_own_their_feeds_and_leave_others_alone(room: Room) {
    let own = subscribe(&room.store, listed("https://own.example/feed")).await;
    let list = |urls: &[&str]| {
        vec![SourceList {
            file: "feeds.opml".into(),
            feeds: urls.iter().map(|url| listed(url)).collect(),
        }]
    };

    let first = room
        .store
        .sync_lists(list(&["https://a.example/", "https://b.example/"]), noon())
        .await;
    let second = room
        .store
        .sync_lists(list(&["https://a.example/"]), noon())
        .await;
    let third = room
        .store
        .sync_lists(
            list(&["https://a.example/", "https://b.example/"]),
            later(9),
        )
        .await;

    assert_eq!(
        first.unwrap(),
        SyncReport {
            added: 2,
            ..SyncReport::default()
        }
    );
    assert_eq!(
        second.unwrap(),
        SyncReport {
            kept: 1,
            retired: 1,
            ..SyncReport::default()
        }
    );
    assert_eq!(
        third.unwrap(),
        SyncReport {
            kept: 1,
            revived: 1,
            ..SyncReport::default()
        }
    );
    assert_eq!(feed(&room.store, own).await.file, None);
    assert_eq!(feed(&room.store, own).await.state, FeedState::Pending);
}

async fn a_list_takes_over_a_feed_that_was_added_by_command(room: Room) {
    let id = subscribe(&room.store, listed("https://a.example/feed")).await;
    let named = ListedFeed {
        title: Some("A".into()),
        tags: vec!["World/Europe".into()],
        settings: FeedSettings {
            interval: Some(Duration::from_secs(900)),
            ..FeedSettings::default()
        },
        ..listed("https://a.example/feed")
    };
    let twice = ListedFeed {
        tags: vec!["Best".into()],
        ..listed("https://a.example/feed")
    };

    let report = room
        .store
        .sync_lists(
            vec![
                SourceList {
                    file: "a.opml".into(),
                    feeds: vec![named.clone()],
                },
                SourceList {
                    file: "b.opml".into(),
                    feeds: vec![twice],
                },
            ],
            noon(),
        )
        .await
        .unwrap();

    let feed = feed(&room.store, id).await;
    assert_eq!(
        report,
        SyncReport {
            changed: 1,
            ..SyncReport::default()
        }
    );
    assert_eq!(feed.file.as_deref(), Some("a.opml"));
    assert_eq!(feed.title.as_deref(), Some("A"));
    assert_eq!(feed.tags, ["World/Europe", "Best"]);
    assert_eq!(feed.settings, named.settings);
}

async fn a_paused_feed_rests_until_it_is_resumed(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let due = due_feed(&room.store, id).await;

    room.store
        .set_paused(id, Paused::Yes, noon())
        .await
        .unwrap();
    room.store
        .record_poll(&due, report(reading(vec![])))
        .await
        .unwrap();
    let paused = feed(&room.store, id).await;
    let due_while_paused = room.store.due_feeds(&everything_due()).await.unwrap();
    room.store.set_paused(id, Paused::No, noon()).await.unwrap();

    assert_eq!((paused.state, paused.next_poll), (FeedState::Paused, None));
    assert_eq!(due_while_paused, []);
    assert_eq!(feed(&room.store, id).await.state, FeedState::Ok);
    assert_eq!(feed(&room.store, id).await.next_poll, Some(noon()));
}

async fn a_retired_feed_keeps_its_articles(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    poll(&room.store, id, vec![entry("https://example.org/a")]).await;

    room.store.retire(id, noon()).await.unwrap();

    assert_eq!(feed(&room.store, id).await.state, FeedState::Retired);
    assert_eq!(feed(&room.store, id).await.next_poll, None);
    assert_eq!(all(&room.store).await.len(), 1);
    let again = NewFeed {
        listed: listed("https://example.org/feed"),
        file: None,
    };
    assert_eq!(
        room.store.subscribe(again, noon()).await.unwrap(),
        Subscribed::Revived(id)
    );
}

async fn a_feed_that_is_not_there_is_an_error_not_a_silence(room: Room) {
    assert!(room.store.retire(FeedId(99), noon()).await.is_err());
    assert!(room.store.make_due(FeedId(99), noon()).await.is_err());
    assert_eq!(
        room.store.feed(&FeedName::Id(FeedId(99))).await.unwrap(),
        None
    );
}

async fn a_feed_that_a_list_names_again_and_again_is_one_feed(room: Room) {
    let urls = [
        "https://a.example/feed",
        "https://A.example:443/feed#top",
        "https://a.example/feed",
        "https://b.example/feed",
    ];
    let lists = || {
        let feeds = urls.iter().map(|url| listed(url)).collect::<Vec<_>>();
        ["one.opml", "two.opml"].map(|file| SourceList {
            file: file.into(),
            feeds: feeds.clone(),
        })
    };

    let first = room.store.sync_lists(lists().to_vec(), noon()).await;
    let again = room.store.sync_lists(lists().to_vec(), noon()).await;

    assert_eq!(first.unwrap().added, 2);
    let kept = SyncReport {
        kept: 2,
        ..SyncReport::default()
    };
    assert_eq!(again.unwrap(), kept);
    assert_eq!(room.store.feeds().await.unwrap().len(), 2);
}

async fn a_feed_that_many_subscribe_to_at_once_is_one_feed(room: Room) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = room.store.clone();
        tasks.spawn(async move {
            let feed = NewFeed {
                listed: listed("https://example.org/feed"),
                file: None,
            };
            store.subscribe(feed, noon()).await.unwrap()
        });
    }

    let subscribed = tasks.join_all().await;

    let is_new = |subscribed: &&Subscribed| matches!(subscribed, Subscribed::New(_));
    assert_eq!(subscribed.iter().filter(is_new).count(), 1);
    assert_eq!(room.store.feeds().await.unwrap().len(), 1);
    assert_eq!(room.store.backlog(noon()).await.unwrap().due_feeds, 1);
}

async fn lists_that_many_follow_at_once_are_followed_once(room: Room) {
    let lists = vec![SourceList {
        file: "feeds.opml".into(),
        feeds: (0..200)
            .map(|n| listed(&format!("https://host{n}.example/feed")))
            .collect(),
    }];
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (store, lists) = (room.store.clone(), lists.clone());
        tasks.spawn(async move { store.sync_lists(lists, noon()).await.unwrap() });
    }

    let reports = tasks.join_all().await;

    let added: Vec<usize> = reports.iter().map(|report| report.added).collect();
    assert_eq!(added.iter().sum::<usize>(), 200, "{added:?}");
    assert_eq!(added.iter().filter(|n| **n > 0).count(), 1, "{added:?}");
    assert_eq!(room.store.feeds().await.unwrap().len(), 200);
    let due = room.store.due_feeds(&everything_due()).await.unwrap();
    assert_eq!(due.len(), 200);
}

async fn feeds_are_found_under_each_of_their_urls(room: Room) {
    let id = subscribe(&room.store, listed("feed://EXAMPLE.org:443/feed")).await;
    let other = subscribe(&room.store, listed("https://example.org/feed?b")).await;

    let found = |url: &'static str| {
        let store = &room.store;
        async move {
            let name = FeedName::Url(FeedUrl::parse(url).unwrap());
            store.feed(&name).await.unwrap().map(|feed| feed.id)
        }
    };

    assert_ne!(id, other);
    assert_eq!(found("feed://example.org:443/feed").await, Some(id));
    assert_eq!(found("https://example.org/feed?b").await, Some(other));
    assert_eq!(found("https://example.org/nothing").await, None);
}

//! The queue: what is due, for whom, and what survives.

use super::*;

on_every_backend! {
    the_backlog_says_when_the_next_thing_comes,
    ten_thousand_pages_of_one_host_hide_no_other,
    due_feeds_come_oldest_first_and_one_per_host,
    work_under_an_old_epoch_is_fenced_off,
    a_poll_that_cannot_be_recorded_leaves_nothing,
    a_restart_keeps_due_times_and_gives_no_id_twice,
    many_writers_at_once_lose_nothing,
    a_command_that_fails_undoes_itself_alone,
    one_report_that_cannot_be_recorded_harms_no_other,
    reports_of_one_feed_that_come_together_are_all_kept,
}

async fn ten_thousand_pages_of_one_host_hide_no_other(room: Room) {
    let id = subscribe(&room.store, listed("https://big.example/feed")).await;
    for part in 0..5 {
        let many = (0..2000)
            .map(|n| entry(&format!("https://big.example/{part}/{n}")))
            .collect();
        poll(&room.store, id, many).await;
    }
    poll(&room.store, id, vec![entry("https://small.example/a")]).await;

    let all_hosts = room.store.due_pages(&everything_due()).await.unwrap();
    let busy = Claim {
        busy: vec![HostKey::stored("big.example".into())],
        ..everything_due()
    };
    let others = room.store.due_pages(&busy).await.unwrap();

    let hosts = |due: &[DuePage]| {
        due.iter()
            .map(|due| due.host.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(hosts(&all_hosts), ["big.example", "small.example"]);
    assert_eq!(hosts(&others), ["small.example"]);
    assert_eq!(room.store.backlog(noon()).await.unwrap().due_pages, 10_001);
}

async fn due_feeds_come_oldest_first_and_one_per_host(room: Room) {
    for (url, minutes) in [
        ("https://b.example/1", 0),
        ("https://a.example/1", -5),
        ("https://a.example/2", -10),
        ("https://c.example/1", 5),
    ] {
        let feed = NewFeed {
            listed: listed(url),
            file: None,
        };
        room.store.subscribe(feed, later(minutes)).await.unwrap();
    }

    let due = room.store.due_feeds(&everything_due()).await.unwrap();
    let one = room
        .store
        .due_feeds(&Claim {
            limit: 1,
            ..everything_due()
        })
        .await
        .unwrap();

    let urls = |due: &[DueFeed]| {
        due.iter()
            .map(|due| due.url.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(urls(&due), ["https://a.example/2", "https://b.example/1"]);
    assert_eq!(urls(&one), ["https://a.example/2"]);
    assert_eq!(room.store.backlog(noon()).await.unwrap().due_feeds, 3);
}

async fn work_under_an_old_epoch_is_fenced_off(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let mut due = due_feed(&room.store, id).await;
    due.lease.epoch += 1;

    let late = room
        .store
        .record_poll(&due, report(reading(vec![entry("https://example.org/a")])))
        .await;

    assert!(matches!(late, Err(StoreError::Fenced)));
    assert_eq!(all(&room.store).await, []);
}

async fn a_poll_that_cannot_be_recorded_leaves_nothing(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let mut due = due_feed(&room.store, id).await;
    due.feed = FeedId(99);

    let failed = room
        .store
        .record_poll(&due, report(reading(vec![entry("https://example.org/a")])))
        .await;

    assert!(failed.is_err());
    assert_eq!(all(&room.store).await, []);
    assert_eq!(room.store.due_pages(&everything_due()).await.unwrap(), []);
    assert_eq!(room.store.status(noon()).await.unwrap().n_articles, 0);
    assert_eq!(feed(&room.store, id).await.state, FeedState::Pending);
}

async fn a_restart_keeps_due_times_and_gives_no_id_twice(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    poll(&room.store, id, vec![entry("https://example.org/a")]).await;

    let room = room.reopened().await;

    assert_eq!(room.store.due_feeds(&everything_due()).await.unwrap(), []);
    assert_eq!(
        room.store.due_pages(&everything_due()).await.unwrap().len(),
        1
    );
    poll(&room.store, id, vec![entry("https://example.org/b")]).await;
    let first = article(&room.store, "https://example.org/a")
        .await
        .unwrap()
        .id;
    let second = article(&room.store, "https://example.org/b")
        .await
        .unwrap()
        .id;
    assert!(first < second);
}

async fn many_writers_at_once_lose_nothing(room: Room) {
    let mut feeds = Vec::new();
    for n in 0..100 {
        feeds.push(
            subscribe(
                &room.store,
                listed(&format!("https://host{n}.example/feed")),
            )
            .await,
        );
    }
    let due = room.store.due_feeds(&everything_due()).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for due in due {
        let store = room.store.clone();
        tasks.spawn(async move {
            let own = format!("{}/own", due.url);
            let entries = vec![entry("https://shared.example/story"), entry(&own)];
            store
                .record_poll(&due, report(reading(entries)))
                .await
                .unwrap()
        });
    }

    let recorded = tasks.join_all().await;

    assert_eq!(recorded.iter().map(|poll| poll.n_new).sum::<usize>(), 101);
    assert_eq!(recorded.iter().map(|poll| poll.n_shared).sum::<usize>(), 99);
    assert_eq!(room.store.status(noon()).await.unwrap().n_articles, 101);
}

async fn a_command_that_fails_undoes_itself_alone(room: Room) {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..40 {
        let store = room.store.clone();
        tasks.spawn(async move {
            if n % 2 == 0 {
                store.make_due(FeedId(999), noon()).await.is_ok()
            } else {
                let feed = NewFeed {
                    listed: listed(&format!("https://host{n}.example/feed")),
                    file: None,
                };
                store.subscribe(feed, noon()).await.is_ok()
            }
        });
    }

    let n_good = tasks
        .join_all()
        .await
        .into_iter()
        .filter(|good| *good)
        .count();

    assert_eq!(n_good, 20);
    assert_eq!(room.store.feeds().await.unwrap().len(), 20);
}

async fn the_backlog_says_when_the_next_thing_comes(room: Room) {
    let now = subscribe(&room.store, listed("https://one.example/feed")).await;
    let only_now = room.store.backlog(noon()).await.unwrap();
    let later_on = subscribe(&room.store, listed("https://two.example/feed")).await;
    poll(&room.store, later_on, Vec::new()).await;

    let both = room.store.backlog(noon()).await.unwrap();
    room.store
        .set_paused(now, Paused::Yes, noon())
        .await
        .unwrap();
    let paused = room.store.backlog(noon()).await.unwrap();

    assert_eq!((only_now.due_feeds, only_now.next_due), (1, None));
    assert_eq!((both.due_feeds, both.next_due), (1, Some(later(60))));
    assert_eq!((paused.due_feeds, paused.next_due), (0, Some(later(60))));
}

async fn one_report_that_cannot_be_recorded_harms_no_other(room: Room) {
    for n in 0..60 {
        let url = format!("https://host{n}.example/feed");
        subscribe(&room.store, listed(&url)).await;
    }
    let due = room.store.due_feeds(&everything_due()).await.unwrap();
    assert_eq!(due.len(), 60);
    let mut tasks = tokio::task::JoinSet::new();
    for (n, mut due) in due.into_iter().enumerate() {
        let store = room.store.clone();
        let is_bad = n % 10 == 3;
        if is_bad {
            due.feed = FeedId(1 << 50);
        }
        tasks.spawn(async move {
            let own = entry(&format!("{}/own", due.url));
            let recorded = store.record_poll(&due, report(reading(vec![own]))).await;
            assert_eq!(recorded.is_err(), is_bad, "{recorded:?}");
        });
    }

    tasks.join_all().await;

    assert_eq!(room.store.status(noon()).await.unwrap().n_articles, 54);
    let left = room.store.due_feeds(&everything_due()).await.unwrap();
    assert_eq!(left.len(), 6, "what was not recorded is still due");
}

async fn reports_of_one_feed_that_come_together_are_all_kept(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let due = due_feed(&room.store, id).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..30 {
        let (store, due) = (room.store.clone(), due.clone());
        tasks.spawn(async move {
            let own = entry(&format!("https://example.org/{n}"));
            let shared = entry("https://example.org/shared");
            let report = report(reading(vec![own, shared]));
            store.record_poll(&due, report).await.unwrap()
        });
    }

    let recorded = tasks.join_all().await;

    assert_eq!(recorded.iter().map(|poll| poll.n_new).sum::<usize>(), 31);
    assert_eq!(recorded.iter().map(|poll| poll.n_known).sum::<usize>(), 29);
    assert_eq!(feed(&room.store, id).await.article_count, 31);
    assert_eq!(room.store.polls(id, 100).await.unwrap().len(), 30);
    assert_eq!(room.store.status(noon()).await.unwrap().n_articles, 31);
    room.store.index().await.unwrap();
    assert_eq!(room.store.check().await.unwrap(), Vec::<String>::new());
}

//! A redirect to the host of another worker: the work goes on there, and comes home.

use super::*;

on_every_backend! {
    a_scrape_goes_on_at_the_host_that_it_was_sent_to,
    a_page_that_was_scraped_elsewhere_is_done_everywhere,
    a_page_that_failed_elsewhere_is_done_everywhere,
    a_poll_goes_on_at_the_host_that_it_was_sent_to,
    a_poll_comes_home_whatever_came_of_it,
    a_move_is_logged_and_the_feed_s_url_stays,
    every_move_is_counted_and_recording_one_twice_is_one,
    a_feed_that_was_paused_on_its_way_waits_for_nobody,
    what_a_host_asked_for_is_told_to_whoever_asks_it_next,
    what_a_host_no_longer_asks_for_is_forgotten,
    what_one_host_asked_for_is_not_told_to_another,
}

fn elsewhere(url: &str) -> PageToFetch {
    let page = PageUrl::parse(url).unwrap();
    PageToFetch {
        host: HostKey::of(page.url()),
        url: page,
    }
}

fn scrape_report(result: ScrapeResult) -> ScrapeReport {
    ScrapeReport {
        at: noon(),
        cost: Cost::default(),
        manners: Manners::default(),
        result,
    }
}

fn page_moved(url: &str) -> ScrapeReport {
    scrape_report(ScrapeResult::Moved(elsewhere(url)))
}

fn poll_moved(url: &str) -> PollReport {
    report(PollResult::Moved(FeedUrl::parse(url).unwrap()))
}

async fn the_due_page(store: &Store) -> DuePage {
    let mut due = store.due_pages(&everything_due()).await.unwrap();
    assert_eq!(due.len(), 1, "{due:?}");
    due.remove(0)
}

async fn the_due_feed(store: &Store) -> DueFeed {
    let mut due = store.due_feeds(&everything_due()).await.unwrap();
    assert_eq!(due.len(), 1, "{due:?}");
    due.remove(0)
}

async fn findings(store: &Store) -> Vec<String> {
    store.index().await.unwrap();
    store.check().await.unwrap()
}

async fn a_scrape_goes_on_at_the_host_that_it_was_sent_to(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    poll(&room.store, id, vec![entry("https://short.example/x1")]).await;
    let due = the_due_page(&room.store).await;

    let moved = page_moved("https://example.net/story");
    let saved = room.store.record_scrape(&due, moved).await.unwrap();

    let next = the_due_page(&room.store).await;
    assert_eq!(saved, Saved::Moved);
    assert_eq!(next.article, due.article);
    assert_eq!(next.url.as_str(), "https://example.net/story");
    assert_eq!(next.host.as_str(), "example.net");
    assert_eq!(next.lease.shard, next.host.shard());
    assert_eq!((next.moves, next.attempts), (1, due.attempts));
    let busy = Claim {
        busy: vec![next.host],
        ..everything_due()
    };
    assert_eq!(room.store.due_pages(&busy).await.unwrap(), []);
    let article = all(&room.store).await.remove(0);
    assert_eq!(article.url.as_deref(), Some("https://short.example/x1"));
    assert_eq!(article.page_state, PageState::Pending);
    let backlog = room.store.backlog(noon()).await.unwrap();
    assert_eq!(backlog.due_pages, 1);
    assert_eq!(findings(&room.store).await, Vec::<String>::new());
}

async fn a_page_that_was_scraped_elsewhere_is_done_everywhere(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    poll(&room.store, id, vec![entry("https://short.example/x1")]).await;
    let due = the_due_page(&room.store).await;
    let moved = page_moved("https://example.net/story");
    room.store.record_scrape(&due, moved).await.unwrap();
    let there = the_due_page(&room.store).await;

    let page = ScrapedArticle {
        aliases: vec![alias("https://example.net/story", AliasReason::Redirect)],
        ..scraped("https://example.net/story", "A storm", &words(80, "word"))
    };
    let done = scrape_report(ScrapeResult::Article(Box::new(page)));
    let saved = room.store.record_scrape(&there, done).await.unwrap();

    assert_eq!(saved, Saved::Article(due.article));
    assert_eq!(room.store.due_pages(&everything_due()).await.unwrap(), []);
    for url in ["https://short.example/x1", "https://example.net/story"] {
        let found = article(&room.store, url).await.unwrap();
        assert_eq!(found.id, due.article);
        assert_eq!(found.title.as_deref(), Some("A storm"));
        assert_eq!(found.url.as_deref(), Some("https://short.example/x1"));
    }
    let status = room.store.status(noon()).await.unwrap();
    assert_eq!(status.pages[1], (PageState::Scraped, 1));
    assert_eq!(status.backlog.due_pages, 0);
    assert_eq!(findings(&room.store).await, Vec::<String>::new());
}

async fn a_page_that_failed_elsewhere_is_done_everywhere(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    poll(&room.store, id, vec![entry("https://short.example/x1")]).await;
    let due = the_due_page(&room.store).await;
    let moved = page_moved("https://example.net/story");
    room.store.record_scrape(&due, moved).await.unwrap();
    let there = the_due_page(&room.store).await;

    let failed = scrape_report(ScrapeResult::Failed {
        failure: Failure::new(ErrorKind::NotFound, "nothing there"),
        found: None,
    });
    let saved = room.store.record_scrape(&there, failed).await.unwrap();

    assert_eq!(saved, Saved::Failed(ErrorKind::NotFound));
    assert_eq!(room.store.due_pages(&everything_due()).await.unwrap(), []);
    assert_eq!(all(&room.store).await[0].page_state, PageState::Failed);
    assert_eq!(findings(&room.store).await, Vec::<String>::new());
}

async fn a_poll_goes_on_at_the_host_that_it_was_sent_to(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let due = the_due_feed(&room.store).await;

    let moved = poll_moved("https://feeds.example.net/all");
    let recorded = room.store.record_poll(&due, moved).await.unwrap();

    let next = the_due_feed(&room.store).await;
    assert_eq!(recorded, PollRecorded::default());
    assert_eq!(next.feed, id);
    assert_eq!(next.url.as_str(), "https://feeds.example.net/all");
    assert_eq!(next.host.as_str(), "example.net");
    assert_eq!(next.lease.shard, next.host.shard());
    assert_eq!(next.moves, 1);
    let busy = Claim {
        busy: vec![next.host.clone()],
        ..everything_due()
    };
    assert_eq!(room.store.due_feeds(&busy).await.unwrap(), []);

    let there = report(reading(vec![entry("https://example.org/a")]));
    let recorded = room.store.record_poll(&next, there).await.unwrap();

    assert_eq!(recorded.n_new, 1);
    assert_eq!(room.store.due_feeds(&everything_due()).await.unwrap(), []);
    assert_eq!(feed(&room.store, id).await.article_count, 1);
    assert_eq!(findings(&room.store).await, Vec::<String>::new());
}

async fn a_poll_comes_home_whatever_came_of_it(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let results = [
        reading(vec![]),
        PollResult::NotModified {
            validators: Validators::default(),
        },
        PollResult::Unchanged {
            validators: Validators::default(),
        },
        PollResult::Failed(Failure::new(ErrorKind::Timeout, "30 s")),
        PollResult::Gone(Failure::new(ErrorKind::Gone, "410")),
    ];

    for result in results {
        let due = due_feed(&room.store, id).await;
        let moved = poll_moved("https://example.net/all");
        room.store.record_poll(&due, moved).await.unwrap();
        let there = the_due_feed(&room.store).await;
        room.store
            .record_poll(&there, report(result.clone()))
            .await
            .unwrap();

        let home = due_feed(&room.store, id).await;
        assert_eq!(there.moves, 1, "{result:?}");
        assert_eq!(home.url.as_str(), "https://example.org/feed", "{result:?}");
        assert_eq!(home.host.as_str(), "example.org", "{result:?}");
        assert_eq!(home.lease.shard, home.host.shard(), "{result:?}");
        assert_eq!(home.moves, 0, "{result:?}");
    }
    assert_eq!(findings(&room.store).await, Vec::<String>::new());
}

async fn a_move_is_logged_and_the_feed_s_url_stays(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let due = the_due_feed(&room.store).await;

    let moved = poll_moved("https://example.net/all");
    room.store.record_poll(&due, moved).await.unwrap();

    let shown = feed(&room.store, id).await;
    let polls = room.store.polls(id, 10).await.unwrap();
    assert_eq!(shown.url.as_str(), "https://example.org/feed");
    assert_eq!(shown.subscribed_url, "https://example.org/feed");
    assert_eq!(polls.len(), 1);
    assert_eq!(polls[0].outcome, "moved");
    assert_eq!(polls[0].failure, None);
}

async fn every_move_is_counted_and_recording_one_twice_is_one(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    poll(&room.store, id, vec![entry("https://short.example/x1")]).await;
    room.store.make_due(id, noon()).await.unwrap();

    for n in 1..=3 {
        let page = the_due_page(&room.store).await;
        let feed = the_due_feed(&room.store).await;
        let page_moved = || page_moved(&format!("https://page{n}.example/"));
        let poll_moved = || poll_moved(&format!("https://feed{n}.example/"));
        let store = &room.store;
        store.record_scrape(&page, page_moved()).await.unwrap();
        store.record_poll(&feed, poll_moved()).await.unwrap();
        // The work is elsewhere by now, under another lease perhaps.
        let page_again = store.record_scrape(&page, page_moved()).await;
        let feed_again = store.record_poll(&feed, poll_moved()).await;
        assert!(matches!(page_again, Ok(_) | Err(StoreError::Fenced)));
        assert!(matches!(feed_again, Ok(_) | Err(StoreError::Fenced)));
        let page = the_due_page(&room.store).await;
        let feed = the_due_feed(&room.store).await;
        assert_eq!((page.moves, feed.moves), (n, n));
    }
    assert_eq!(findings(&room.store).await, Vec::<String>::new());
}

async fn a_feed_that_was_paused_on_its_way_waits_for_nobody(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let due = the_due_feed(&room.store).await;
    room.store
        .set_paused(id, Paused::Yes, noon())
        .await
        .unwrap();

    let moved = poll_moved("https://example.net/all");
    room.store.record_poll(&due, moved).await.unwrap();

    assert_eq!(room.store.due_feeds(&everything_due()).await.unwrap(), []);
    assert_eq!(feed(&room.store, id).await.state, FeedState::Paused);
    room.store.set_paused(id, Paused::No, noon()).await.unwrap();
    assert_eq!(the_due_feed(&room.store).await.feed, id);
    assert_eq!(findings(&room.store).await, Vec::<String>::new());
}

fn patient() -> Manners {
    Manners {
        resting_until: Some(later(90)),
        gap: Some(Duration::from_millis(12_345)),
    }
}

async fn what_a_host_asked_for_is_told_to_whoever_asks_it_next(room: Room) {
    let first = subscribe(&room.store, listed("https://example.org/feed")).await;
    let second = subscribe(&room.store, listed("https://www.example.org/other")).await;
    let due = due_feed_of_host(&room.store, first).await;
    let told = PollReport {
        manners: patient(),
        ..report(reading(vec![entry("https://blog.example.org/a")]))
    };
    room.store.record_poll(&due, told).await.unwrap();

    let room = room.reopened().await;

    let feed = the_due_feed(&room.store).await;
    let page = the_due_page(&room.store).await;
    assert_eq!(feed.feed, second);
    assert_eq!(feed.manners, patient());
    assert_eq!(page.manners, patient());
    let one = room.store.due_feed(second, noon()).await.unwrap().unwrap();
    assert_eq!(one.manners, patient());
}

/// The feed as due work, whichever other feeds its host has.
async fn due_feed_of_host(store: &Store, feed: FeedId) -> DueFeed {
    let due = store.due_feed(feed, noon()).await.unwrap();
    due.expect("it is due")
}

async fn what_a_host_no_longer_asks_for_is_forgotten(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let due = the_due_feed(&room.store).await;
    let told = PollReport {
        manners: patient(),
        ..report(reading(vec![entry("https://example.org/a")]))
    };
    room.store.record_poll(&due, told).await.unwrap();
    let page = the_due_page(&room.store).await;

    let article = scraped("https://example.org/a", "A", &words(60, "a"));
    let done = scrape_report(ScrapeResult::Article(Box::new(article)));
    room.store.record_scrape(&page, done).await.unwrap();

    assert_eq!(page.manners, patient());
    let again = due_feed(&room.store, id).await;
    assert_eq!(again.manners, Manners::default());
}

async fn what_one_host_asked_for_is_not_told_to_another(room: Room) {
    subscribe(&room.store, listed("https://example.org/feed")).await;
    let due = the_due_feed(&room.store).await;
    let moved = PollReport {
        manners: patient(),
        ..poll_moved("https://example.net/all")
    };

    room.store.record_poll(&due, moved).await.unwrap();

    let there = the_due_feed(&room.store).await;
    assert_eq!(there.manners, Manners::default());
    room.store
        .record_poll(&there, report(reading(vec![])))
        .await
        .unwrap();
    room.store.make_due(there.feed, noon()).await.unwrap();
    assert_eq!(the_due_feed(&room.store).await.manners, patient());
}

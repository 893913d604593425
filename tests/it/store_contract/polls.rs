//! What a poll leaves in the store.

use super::*;

on_every_backend! {
    a_poll_is_recorded_whole,
    a_recorded_feed_is_not_due_before_its_time,
    a_failed_poll_keeps_validators_and_says_why,
    a_feed_that_is_gone_for_good_waits_for_a_person,
    known_entries_are_known_and_changed_ones_followed,
    one_article_over_five_feeds_is_one_article,
    an_entry_without_a_page_is_kept_as_the_feed_told_it,
    absurd_dates_order_nothing,
    a_plain_summary_is_shown_as_markdown_and_html,
    entries_of_one_document_get_ids_from_the_oldest_on,
    a_new_guid_for_a_known_url_is_no_new_article,
    guids_that_change_at_each_poll_make_nothing_grow,
    notes_whose_guids_change_at_each_poll_make_nothing_grow,
    entries_of_one_document_stay_apart_under_changing_guids,
    a_corrected_entry_under_a_new_guid_is_followed,
    an_article_that_was_skipped_is_scraped_once_a_feed_wants_it,
    a_document_without_a_title_keeps_the_feed_s_last_one,
    one_document_that_names_a_page_twice_makes_one_article,
    a_nul_character_becomes_the_sign_for_what_cannot_be_shown,
}

async fn a_poll_is_recorded_whole(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let due = due_feed(&room.store, id).await;
    let result = PollResult::Fetched(Box::new(FeedReading {
        validators: Validators {
            etag: Some(b"\"\xffv1\"".to_vec()),
            last_modified: Some(b"yesterday".to_vec()),
            url: Some("https://cdn.example/feed".into()),
        },
        body_hash: -5,
        title: Some("Example".into()),
        site_url: Some("https://example.org/".into()),
        language: Some("en".into()),
        announcements: vec![
            entry("https://example.org/a"),
            entry("https://example.org/b"),
        ],
        warnings: vec!["a bare ampersand".into()],
    }));

    let recorded = room.store.record_poll(&due, report(result)).await.unwrap();
    let next = due_feed(&room.store, id).await;
    let feed = feed(&room.store, id).await;
    let polls = room.store.polls(id, 10).await.unwrap();

    assert_eq!(
        recorded,
        PollRecorded {
            n_new: 2,
            n_pages: 2,
            ..PollRecorded::default()
        }
    );
    assert_eq!(next.validators.etag.as_deref(), Some(&b"\"\xffv1\""[..]));
    assert_eq!(
        next.validators.last_modified.as_deref(),
        Some(&b"yesterday"[..])
    );
    assert_eq!(
        next.validators.url.as_deref(),
        Some("https://cdn.example/feed")
    );
    assert_eq!(next.body_hash, Some(-5));
    assert_eq!(feed.state, FeedState::Ok);
    assert_eq!(feed.title.as_deref(), Some("Example"));
    assert_eq!(feed.language.as_deref(), Some("en"));
    assert_eq!(feed.article_count, 2);
    assert_eq!(feed.warnings, ["a bare ampersand"]);
    assert_eq!(feed.last_new, Some(noon()));
    assert_eq!((polls.len(), polls[0].n_new, polls[0].n_entries), (1, 2, 2));
    assert_eq!(polls[0].outcome, "fetched");
}

async fn a_recorded_feed_is_not_due_before_its_time(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    poll(&room.store, id, vec![]).await;

    let before = Claim {
        now: later(59),
        ..everything_due()
    };
    let after = Claim {
        now: later(60),
        ..everything_due()
    };

    assert_eq!(room.store.due_feeds(&before).await.unwrap(), []);
    assert_eq!(room.store.due_feeds(&after).await.unwrap().len(), 1);
}

async fn a_failed_poll_keeps_validators_and_says_why(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let due = due_feed(&room.store, id).await;
    let good = PollResult::NotModified {
        validators: Validators {
            etag: Some(b"\"v1\"".to_vec()),
            ..Validators::default()
        },
    };
    room.store.record_poll(&due, report(good)).await.unwrap();
    let failed = PollReport {
        state: PollState {
            failures: 3,
            gone: 0,
            hinted_interval: Some(Duration::from_secs(60)),
        },
        ..report(PollResult::Failed(Failure {
            status: Some(404),
            ..Failure::new(ErrorKind::NotFound, "nothing there")
        }))
    };

    room.store.record_poll(&due, failed).await.unwrap();

    let shown = feed(&room.store, id).await;
    let next = due_feed(&room.store, id).await;
    assert_eq!((shown.state, shown.failures), (FeedState::Error, 3));
    assert_eq!(
        shown.failure.unwrap().to_string(),
        "not_found: nothing there"
    );
    assert_eq!(next.validators.etag.as_deref(), Some(&b"\"v1\""[..]));
    assert_eq!(
        next.state,
        PollState {
            failures: 3,
            gone: 0,
            hinted_interval: Some(Duration::from_secs(60))
        }
    );
    assert_eq!(
        room.store.polls(id, 1).await.unwrap()[0]
            .failure
            .as_ref()
            .unwrap()
            .kind,
        ErrorKind::NotFound
    );
}

async fn a_feed_that_is_gone_for_good_waits_for_a_person(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let due = due_feed(&room.store, id).await;
    let gone = PollReport {
        next_poll: None,
        ..report(PollResult::Gone(Failure::new(ErrorKind::Gone, "410")))
    };

    room.store.record_poll(&due, gone).await.unwrap();

    let shown = feed(&room.store, id).await;
    assert_eq!((shown.state, shown.next_poll), (FeedState::Gone, None));
    assert_eq!(due_feed(&room.store, id).await.feed, id);
}

async fn known_entries_are_known_and_changed_ones_followed(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let first = Announcement {
        content_text: Some("old words".into()),
        ..entry("https://example.org/a")
    };
    let changed = Announcement {
        title: Some("New title".into()),
        content_text: Some("new words here".into()),
        entry_hash: 2,
        ..first.clone()
    };
    poll(&room.store, id, vec![first]).await;

    let recorded = poll(&room.store, id, vec![changed]).await;

    let articles = all(&room.store).await;
    assert_eq!(
        recorded,
        PollRecorded {
            n_known: 1,
            ..PollRecorded::default()
        }
    );
    assert_eq!(articles.len(), 1);
    assert_eq!(articles[0].title.as_deref(), Some("New title"));
    assert_eq!(articles[0].text, "new words here");
    assert_eq!(articles[0].word_count, 3);
}

async fn one_article_over_five_feeds_is_one_article(room: Room) {
    let mut feeds = Vec::new();
    for n in 0..5 {
        feeds.push(
            subscribe(
                &room.store,
                listed(&format!("https://host{n}.example/feed")),
            )
            .await,
        );
    }

    let mut recorded = Vec::new();
    for (n, feed) in feeds.iter().enumerate() {
        let entry = Announcement {
            guid: Some(format!("guid {n}")),
            tags: vec![format!("tag {n}"), "news".into()],
            ..entry("https://example.org/story?utm_source=rss")
        };
        let due = due_feed(&room.store, *feed).await;
        let report = PollReport {
            at: later(n as i64),
            ..report(reading(vec![entry]))
        };
        recorded.push(room.store.record_poll(&due, report).await.unwrap());
    }

    let articles = all(&room.store).await;
    assert_eq!(
        recorded[0],
        PollRecorded {
            n_new: 1,
            n_pages: 1,
            ..PollRecorded::default()
        }
    );
    assert!(recorded[1..].iter().all(|poll| *poll
        == PollRecorded {
            n_shared: 1,
            ..PollRecorded::default()
        }));
    assert_eq!(articles.len(), 1);
    assert_eq!(
        articles[0].url.as_deref(),
        Some("https://example.org/story?utm_source=rss")
    );
    assert_eq!(articles[0].feed_urls.len(), 5);
    assert_eq!(articles[0].feed_urls[0], "https://host0.example/feed");
    assert_eq!(articles[0].guid.as_deref(), Some("guid 0"));
    assert_eq!(
        articles[0].tags,
        ["tag 0", "news", "tag 1", "tag 2", "tag 3", "tag 4"]
    );
    for feed in feeds {
        let query = ArticleQuery {
            feed: Some(feed),
            ..ArticleQuery::default()
        };
        assert_eq!(room.store.articles(&query).await.unwrap().articles.len(), 1);
    }
}

async fn an_entry_without_a_page_is_kept_as_the_feed_told_it(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let note = Announcement {
        entry_id: "note-1".into(),
        title: Some("A note".into()),
        summary: Some("Short".into()),
        content_html: Some("<p>Long <b>text</b></p>".into()),
        content_text: Some("Long text".into()),
        authors: vec!["Jane".into()],
        enclosures: vec![Enclosure {
            url: "https://example.org/a.mp3".into(),
            media_type: Some("audio/mpeg".into()),
            length_bytes: Some(7),
        }],
        published: Some(at("2026-11-20T08:00:00Z")),
        ..Announcement::default()
    };

    let recorded = poll(&room.store, id, vec![note.clone()]).await;

    let article = all(&room.store).await.remove(0);
    assert_eq!(
        recorded,
        PollRecorded {
            n_new: 1,
            ..PollRecorded::default()
        }
    );
    assert_eq!(article.page_state, PageState::Skipped);
    assert_eq!(article.url, None);
    assert_eq!(article.text, "Long text");
    assert_eq!(article.html, "<p>Long <b>text</b></p>");
    assert_eq!(article.summary.as_deref(), Some("Short"));
    assert_eq!(article.authors, ["Jane"]);
    assert_eq!(article.enclosures, note.enclosures);
    assert_eq!(article.published.as_deref(), Some("2026-11-20T08:00:00Z"));
    assert_eq!(article.published_from.as_deref(), Some("feed"));
    assert_eq!(article.sort_at, at("2026-11-20T08:00:00Z"));
}

async fn absurd_dates_order_nothing(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let dated = |url, date| Announcement {
        published: Some(at(date)),
        ..entry(url)
    };

    poll(
        &room.store,
        id,
        vec![
            dated("https://example.org/ancient", "1970-01-01T00:00:00Z"),
            dated("https://example.org/future", "2099-01-01T00:00:00Z"),
        ],
    )
    .await;

    for article in all(&room.store).await {
        assert_eq!(article.published, None);
        assert_eq!(article.sort_at, noon());
    }
}

async fn entries_of_one_document_get_ids_from_the_oldest_on(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;

    poll(
        &room.store,
        id,
        vec![
            entry("https://example.org/new"),
            entry("https://example.org/old"),
        ],
    )
    .await;

    let new = article(&room.store, "https://example.org/new")
        .await
        .unwrap();
    let old = article(&room.store, "https://example.org/old")
        .await
        .unwrap();
    assert!(old.id < new.id);
}

async fn a_new_guid_for_a_known_url_is_no_new_article(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    poll(&room.store, id, vec![entry("https://example.org/a")]).await;
    let renamed = Announcement {
        entry_id: "another".into(),
        ..entry("https://example.org/a")
    };

    let recorded = poll(&room.store, id, vec![renamed]).await;

    assert_eq!((recorded.n_new, recorded.n_known), (0, 1));
    assert_eq!(all(&room.store).await.len(), 1);
    assert_eq!(feed(&room.store, id).await.article_count, 1);
}

async fn an_article_that_was_skipped_is_scraped_once_a_feed_wants_it(room: Room) {
    let reader = subscribe(&room.store, listed("https://one.example/feed")).await;
    let scraper = subscribe(&room.store, listed("https://two.example/feed")).await;
    let unscraped = Announcement {
        page: None,
        ..entry("https://example.org/a")
    };
    poll(&room.store, reader, vec![unscraped]).await;
    let before = all(&room.store).await.remove(0).page_state;

    let recorded = poll(&room.store, scraper, vec![entry("https://example.org/a")]).await;

    assert_eq!(before, PageState::Skipped);
    assert_eq!((recorded.n_shared, recorded.n_pages), (1, 1));
    assert_eq!(all(&room.store).await[0].page_state, PageState::Pending);
    let status = room.store.status(noon()).await.unwrap();
    assert_eq!(status.pages[0], (PageState::Pending, 1));
    assert_eq!(status.pages[4], (PageState::Skipped, 0));
    assert_eq!(status.backlog.due_pages, 1);
}

async fn a_document_without_a_title_keeps_the_feed_s_last_one(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let titled = |title: Option<&str>| {
        PollResult::Fetched(Box::new(FeedReading {
            title: title.map(str::to_owned),
            ..FeedReading::default()
        }))
    };
    for title in [Some("Example"), None] {
        let due = due_feed(&room.store, id).await;
        let report = report(titled(title));
        room.store.record_poll(&due, report).await.unwrap();
    }

    assert_eq!(
        feed(&room.store, id).await.title.as_deref(),
        Some("Example")
    );
}

async fn one_document_that_names_a_page_twice_makes_one_article(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let again = Announcement {
        entry_id: "again".into(),
        ..entry("http://example.org/a#top")
    };

    let recorded = poll(&room.store, id, vec![entry("https://example.org/a"), again]).await;

    assert_eq!((recorded.n_new, recorded.n_known), (1, 1));
    assert_eq!(all(&room.store).await.len(), 1);
}

async fn a_plain_summary_is_shown_as_markdown_and_html(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let plain = Announcement {
        summary: Some("5 < 7 *and*\n\nmore".into()),
        ..entry("https://example.org/a")
    };

    poll(&room.store, id, vec![plain]).await;

    let article = all(&room.store).await.remove(0);
    assert_eq!(article.text, "5 < 7 *and*\n\nmore");
    assert_eq!(article.markdown, "5 \\< 7 \\*and\\*\n\nmore");
    assert_eq!(article.html, "<p>5 &lt; 7 *and*</p><p>more</p>");
}

/// The number of sightings, and a sum that moves with every change that the search index has
/// to follow.
fn sightings_and_changes(room: &Room) -> (i64, i64) {
    (
        room.number("SELECT count(*) FROM sighting"),
        room.number("SELECT CAST(sum(seq % 1000003) AS BIGINT) FROM article_change"),
    )
}

/// Polls `document` five times, each time with other guids.
async fn poll_with_changing_guids(room: &Room, document: &[Announcement]) -> Vec<(i64, i64)> {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let mut counts = Vec::new();
    for n in 0..5 {
        let mut renamed = document.to_vec();
        for (place, entry) in renamed.iter_mut().enumerate() {
            entry.entry_id = format!("guid {place} of poll {n}");
            entry.guid = Some(entry.entry_id.clone());
        }
        let recorded = poll(&room.store, id, renamed).await;
        if n > 0 {
            assert_eq!((recorded.n_new, recorded.n_known), (0, document.len()));
        }
        counts.push(sightings_and_changes(room));
    }
    counts
}

async fn guids_that_change_at_each_poll_make_nothing_grow(room: Room) {
    let document = ["a", "b", "c"].map(|name| entry(&format!("https://example.org/{name}")));

    let counts = poll_with_changing_guids(&room, &document).await;

    assert_eq!(counts, [(3, counts[0].1); 5]);
    assert_eq!(all(&room.store).await.len(), 3);
}

async fn notes_whose_guids_change_at_each_poll_make_nothing_grow(room: Room) {
    let document = [1, 2, 3].map(|n| Announcement {
        title: Some(format!("Note {n}")),
        entry_hash: n,
        ..Announcement::default()
    });

    let counts = poll_with_changing_guids(&room, &document).await;

    assert_eq!(counts, [(3, counts[0].1); 5]);
    assert_eq!(all(&room.store).await.len(), 3);
}

async fn entries_of_one_document_stay_apart_under_changing_guids(room: Room) {
    let note = Announcement {
        title: Some("Ping".into()),
        ..Announcement::default()
    };
    let comment = |n: i64| Announcement {
        title: Some(format!("Comment {n}")),
        entry_hash: n,
        ..entry("https://example.org/a")
    };

    let document = [note.clone(), note, comment(1), comment(2)];
    let counts = poll_with_changing_guids(&room, &document).await;

    assert_eq!(counts.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [4; 5]);
    assert_eq!(counts[4].1, counts[0].1);
    assert_eq!(all(&room.store).await.len(), 3);
}

async fn a_corrected_entry_under_a_new_guid_is_followed(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let told = |guid: &str, summary: &str, entry_hash: i64| Announcement {
        entry_id: guid.into(),
        guid: Some(guid.into()),
        title: Some("A".into()),
        summary: Some(summary.into()),
        entry_hash,
        ..entry("https://example.org/a")
    };
    poll(&room.store, id, vec![told("one", "first word", 1)]).await;
    let before = sightings_and_changes(&room);
    let redated = told("two", "first word", 2);
    poll(&room.store, id, vec![redated]).await;
    let after_redating = sightings_and_changes(&room);

    poll(&room.store, id, vec![told("three", "last word", 3)]).await;

    let article = all(&room.store).await.remove(0);
    let after_correction = sightings_and_changes(&room);
    assert_eq!(after_redating, before);
    assert_eq!((before.0, after_correction.0), (1, 1));
    assert_ne!(after_correction.1, before.1);
    assert_eq!(article.summary.as_deref(), Some("last word"));
    assert_eq!(article.guid.as_deref(), Some("three"));
}

async fn a_nul_character_becomes_the_sign_for_what_cannot_be_shown(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let told = || Announcement {
        entry_id: "e\0".into(),
        guid: Some("g\0".into()),
        url: Some("https://example.org/a?\0".into()),
        title: Some("\0Storm\0".into()),
        summary: Some("s\0".into()),
        content_html: Some("<p>h\0</p>".into()),
        content_text: Some("t\0".into()),
        authors: vec!["Jane\0".into()],
        tags: vec!["tag\0".into()],
        enclosures: vec![Enclosure {
            url: "https://example.org/a.mp3?\0".into(),
            media_type: Some("audio/\0".into()),
            length_bytes: None,
        }],
        ..entry("https://example.org/a")
    };
    let document = || {
        PollResult::Fetched(Box::new(FeedReading {
            title: Some("Feed\0".into()),
            language: Some("e\0".into()),
            warnings: vec!["warning\0".into()],
            announcements: vec![told()],
            ..FeedReading::default()
        }))
    };
    let mut recorded = Vec::new();
    for _ in 0..2 {
        let due = due_feed(&room.store, id).await;
        let report = report(document());
        recorded.push(room.store.record_poll(&due, report).await.unwrap());
    }
    let as_told = all(&room.store).await.remove(0);
    let page = ScrapedArticle {
        authors: vec!["Joe\0".into()],
        tags: vec!["page\0".into()],
        ..scraped("https://example.org/a", "Page\0", "page\0text")
    };
    scrape(&room.store, "https://example.org/a", page).await;
    let as_scraped = all(&room.store).await.remove(0);
    let due = due_feed(&room.store, id).await;
    let failure = Failure {
        detail: "no\0host".into(),
        ..Failure::new(ErrorKind::Dns, "")
    };
    let failed = report(PollResult::Failed(failure));
    room.store.record_poll(&due, failed).await.unwrap();
    let feed = feed(&room.store, id).await;

    assert_eq!((recorded[0].n_new, recorded[1].n_known), (1, 1));
    assert_eq!(as_told.title.as_deref(), Some("\u{fffd}Storm\u{fffd}"));
    assert_eq!(as_told.guid.as_deref(), Some("g\u{fffd}"));
    let url = "https://example.org/a?\u{fffd}";
    assert_eq!(as_told.url.as_deref(), Some(url));
    assert_eq!(as_told.summary.as_deref(), Some("s\u{fffd}"));
    assert_eq!(as_told.text, "t\u{fffd}");
    assert_eq!(as_told.html, "<p>h\u{fffd}</p>");
    assert_eq!(as_told.authors, ["Jane\u{fffd}"]);
    assert_eq!(as_told.tags, ["tag\u{fffd}"]);
    let audio = as_told.enclosures[0].media_type.as_deref();
    assert_eq!(audio, Some("audio/\u{fffd}"));
    assert_eq!(as_scraped.title.as_deref(), Some("Page\u{fffd}"));
    assert_eq!(as_scraped.text, "page\u{fffd}text");
    assert_eq!(as_scraped.authors, ["Joe\u{fffd}"]);
    assert_eq!(feed.title.as_deref(), Some("Feed\u{fffd}"));
    assert_eq!(feed.language.as_deref(), Some("e\u{fffd}"));
    assert_eq!(feed.warnings, ["warning\u{fffd}"]);
    assert_eq!(feed.failure.unwrap().detail, "no\u{fffd}host");
}

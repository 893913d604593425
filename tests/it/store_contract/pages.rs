//! What a scrape leaves in the store, and when two articles are one.

use super::*;

on_every_backend! {
    a_scraped_page_replaces_what_the_feed_said,
    a_page_that_may_recover_is_due_again_later,
    a_page_that_failed_for_good_leaves_the_feed_s_word,
    recording_a_scrape_twice_changes_nothing,
    two_urls_of_one_page_become_one_article,
    the_older_article_stays_whichever_page_comes_first,
    a_foreign_claim_alone_merges_nothing,
    readers_sent_to_one_page_of_consent_lose_no_article,
    an_entry_that_names_where_another_one_led_is_no_new_article,
    a_page_merged_while_it_was_fetched_says_where_it_went,
    copies_of_a_page_become_one_article_in_whatever_order_they_come,
}

async fn a_scraped_page_replaces_what_the_feed_said(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let announced = Announcement {
        title: Some("Feed title".into()),
        summary: Some("Summary".into()),
        published: Some(at("2026-11-22T08:00:00Z")),
        ..entry("https://example.org/a?utm_medium=x")
    };
    poll(&room.store, id, vec![announced]).await;
    let page = ScrapedArticle {
        canonical_url: Some("https://example.org/a".into()),
        authors: vec!["Jane Doe".into()],
        published: Some(at("2026-11-22T07:30:00Z")),
        published_text: Some("2026-11-22T09:30:00+02:00".into()),
        published_from: Some("json-ld".into()),
        language: Some("de".into()),
        tags: vec!["storm".into()],
        ..scraped("https://example.org/a", "Page title", &words(80, "wort"))
    };

    let saved = scrape(&room.store, "https://example.org/a?utm_medium=x", page).await;

    let article = all(&room.store).await.remove(0);
    assert_eq!(saved, Saved::Article(article.id));
    assert_eq!(
        article.url.as_deref(),
        Some("https://example.org/a?utm_medium=x")
    );
    assert_eq!(article.final_url.as_deref(), Some("https://example.org/a"));
    assert_eq!(article.title.as_deref(), Some("Page title"));
    assert_eq!(article.summary.as_deref(), Some("Summary"));
    assert_eq!(
        article.published.as_deref(),
        Some("2026-11-22T09:30:00+02:00")
    );
    assert_eq!(article.published_from.as_deref(), Some("json-ld"));
    assert_eq!(article.sort_at, at("2026-11-22T07:30:00Z"));
    assert_eq!(article.text, words(80, "wort"));
    assert_eq!(article.word_count, 80);
    assert_eq!(article.page_state, PageState::Scraped);
    assert_eq!(article.tags, ["storm"]);
    assert_eq!(room.store.due_pages(&everything_due()).await.unwrap(), []);
}

async fn a_page_that_may_recover_is_due_again_later(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    poll(&room.store, id, vec![entry("https://example.org/a")]).await;
    let due = due_page(&room.store, "https://example.org/a").await;
    let retry = ScrapeReport {
        at: noon(),
        cost: Cost::default(),
        manners: Manners::default(),
        result: ScrapeResult::Retry {
            failure: Failure::new(ErrorKind::Timeout, "30 s"),
            at: later(30),
        },
    };

    let saved = room.store.record_scrape(&due, retry).await.unwrap();

    let article = all(&room.store).await.remove(0);
    assert_eq!(saved, Saved::Retry);
    assert_eq!(article.page_state, PageState::Retrying);
    assert_eq!(article.page_failure.unwrap().kind, ErrorKind::Timeout);
    assert_eq!(room.store.due_pages(&everything_due()).await.unwrap(), []);
    let again = room
        .store
        .due_pages(&Claim {
            now: later(30),
            ..everything_due()
        })
        .await
        .unwrap();
    assert_eq!(again[0].attempts, 1);
    assert_eq!(
        room.store.backlog(noon()).await.unwrap().next_due,
        Some(later(30))
    );
}

async fn a_page_that_failed_for_good_leaves_the_feed_s_word(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    poll(
        &room.store,
        id,
        vec![Announcement {
            title: Some("Feed title".into()),
            summary: Some("The feed's word".into()),
            ..entry("https://example.org/a")
        }],
    )
    .await;
    let due = due_page(&room.store, "https://example.org/a").await;
    let found = ScrapedArticle {
        authors: vec!["Jane".into()],
        language: Some("en".into()),
        ..scraped("https://example.org/a", "Not this", "")
    };
    let failed = ScrapeReport {
        at: noon(),
        cost: Cost::default(),
        manners: Manners::default(),
        result: ScrapeResult::Failed {
            failure: Failure::new(ErrorKind::NotHtml, "a PDF"),
            found: Some(Box::new(found)),
        },
    };

    let saved = room.store.record_scrape(&due, failed).await.unwrap();

    let article = all(&room.store).await.remove(0);
    assert_eq!(saved, Saved::Failed(ErrorKind::NotHtml));
    assert_eq!(article.page_state, PageState::Failed);
    assert_eq!(article.text, "The feed's word");
    assert_eq!(article.title.as_deref(), Some("Feed title"));
    assert_eq!(article.authors, ["Jane"]);
    assert_eq!(article.language.as_deref(), Some("en"));
    assert_eq!(room.store.due_pages(&everything_due()).await.unwrap(), []);
    let status = room.store.status(noon()).await.unwrap();
    assert_eq!(status.page_failures, [(ErrorKind::NotHtml, 1)]);
}

async fn recording_a_scrape_twice_changes_nothing(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    poll(&room.store, id, vec![entry("https://example.org/a")]).await;
    let due = due_page(&room.store, "https://example.org/a").await;
    let report = ScrapeReport {
        at: noon(),
        cost: Cost::default(),
        manners: Manners::default(),
        result: ScrapeResult::Article(Box::new(scraped(
            "https://example.org/a",
            "A",
            &words(60, "a"),
        ))),
    };

    room.store
        .record_scrape(&due, report.clone())
        .await
        .unwrap();
    let once = all(&room.store).await;
    room.store.record_scrape(&due, report).await.unwrap();

    assert_eq!(all(&room.store).await, once);
    let status = room.store.status(noon()).await.unwrap();
    assert_eq!(status.pages.iter().map(|(_, n)| n).sum::<u64>(), 1);
}

async fn two_urls_of_one_page_become_one_article(room: Room) {
    let first = subscribe(&room.store, listed("https://one.example/feed")).await;
    let second = subscribe(&room.store, listed("https://two.example/feed")).await;
    let text = words(80, "word");
    poll_earlier(&room.store, first, vec![entry("https://example.org/story")]).await;
    poll(&room.store, second, vec![entry("https://short.example/x1")]).await;
    scrape(
        &room.store,
        "https://example.org/story",
        scraped("https://example.org/story", "A storm", &text),
    )
    .await;
    let oldest = article(&room.store, "https://example.org/story")
        .await
        .unwrap()
        .id;

    let redirected = ScrapedArticle {
        aliases: vec![alias("https://example.org/story", AliasReason::Redirect)],
        ..scraped("https://example.org/story", "A storm", &text)
    };
    let saved = scrape(&room.store, "https://short.example/x1", redirected).await;

    let articles = all(&room.store).await;
    assert_eq!(saved, Saved::Merged { into: oldest });
    assert_eq!(articles.len(), 1);
    assert_eq!(
        articles[0].url.as_deref(),
        Some("https://example.org/story")
    );
    assert_eq!(
        articles[0].feed_urls,
        ["https://one.example/feed", "https://two.example/feed"]
    );
    assert_eq!(
        article(&room.store, "https://short.example/x1")
            .await
            .unwrap()
            .id,
        oldest
    );
    assert_eq!(feed(&room.store, second).await.article_count, 1);
    assert_eq!(room.store.status(noon()).await.unwrap().n_articles, 1);
    assert_eq!(
        room.store
            .check()
            .await
            .unwrap()
            .iter()
            .filter(|line| !line.contains("search index"))
            .count(),
        0
    );
}

async fn the_older_article_stays_whichever_page_comes_first(room: Room) {
    let id = subscribe(&room.store, listed("https://example.net/feed")).await;
    let text = words(80, "word");
    poll_earlier(&room.store, id, vec![entry("https://example.org/story")]).await;
    poll(&room.store, id, vec![entry("https://short.example/x1")]).await;
    let oldest = article(&room.store, "https://example.org/story")
        .await
        .unwrap()
        .id;
    let redirected = || ScrapedArticle {
        aliases: vec![alias("https://example.org/story", AliasReason::Redirect)],
        ..scraped("https://example.org/story", "A storm", &text)
    };

    let younger = scrape(&room.store, "https://short.example/x1", redirected()).await;
    let older = scrape(
        &room.store,
        "https://example.org/story",
        scraped("https://example.org/story", "A storm", &text),
    )
    .await;

    let articles = all(&room.store).await;
    assert!(matches!(younger, Saved::Article(_)));
    assert_eq!(older, Saved::Article(oldest));
    assert_eq!(articles.len(), 1);
    assert_eq!(articles[0].id, oldest);
    assert_eq!(feed(&room.store, id).await.article_count, 1);
}

async fn a_foreign_claim_alone_merges_nothing(room: Room) {
    let id = subscribe(&room.store, listed("https://example.net/feed")).await;
    poll(&room.store, id, vec![entry("https://example.org/victim")]).await;
    poll(&room.store, id, vec![entry("https://evil.example/x")]).await;
    scrape(
        &room.store,
        "https://example.org/victim",
        scraped("https://example.org/victim", "A storm", &words(80, "storm")),
    )
    .await;

    let claim = ScrapedArticle {
        aliases: vec![alias("https://example.org/victim", AliasReason::Canonical)],
        ..scraped("https://evil.example/x", "Buy this", &words(80, "spam"))
    };
    let saved = scrape(&room.store, "https://evil.example/x", claim).await;

    assert!(matches!(saved, Saved::Article(_)));
    assert_eq!(all(&room.store).await.len(), 2);
    let owner = article(&room.store, "https://example.org/victim")
        .await
        .unwrap();
    assert_eq!(owner.title.as_deref(), Some("A storm"));
}

async fn a_page_merged_while_it_was_fetched_says_where_it_went(room: Room) {
    let id = subscribe(&room.store, listed("https://example.net/feed")).await;
    let text = words(80, "word");
    poll_earlier(&room.store, id, vec![entry("https://example.org/story")]).await;
    poll(&room.store, id, vec![entry("https://short.example/x1")]).await;
    let oldest = article(&room.store, "https://example.org/story")
        .await
        .unwrap()
        .id;
    let due = due_page(&room.store, "https://short.example/x1").await;
    let result = ScrapedArticle {
        aliases: vec![alias("https://example.org/story", AliasReason::Redirect)],
        ..scraped("https://example.org/story", "A storm", &text)
    };
    let report = ScrapeReport {
        at: noon(),
        cost: Cost::default(),
        manners: Manners::default(),
        result: ScrapeResult::Article(Box::new(result)),
    };
    scrape(
        &room.store,
        "https://example.org/story",
        scraped("https://example.org/story", "A storm", &text),
    )
    .await;

    let first = room
        .store
        .record_scrape(&due, report.clone())
        .await
        .unwrap();
    let again = room.store.record_scrape(&due, report).await.unwrap();

    assert_eq!(first, Saved::Merged { into: oldest });
    assert_eq!(again, Saved::Merged { into: oldest });
}

async fn readers_sent_to_one_page_of_consent_lose_no_article(room: Room) {
    let id = subscribe(&room.store, listed("https://example.net/feed")).await;
    let urls = ["https://a.example/storm", "https://b.example/vote"];
    for url in urls {
        let titled = Announcement {
            title: Some(format!("What happened at {url}")),
            ..entry(url)
        };
        poll(&room.store, id, vec![titled]).await;
    }

    for url in urls {
        let consent = ScrapedArticle {
            aliases: vec![alias("https://consent.example/", AliasReason::Redirect)],
            ..scraped(
                "https://consent.example/",
                "Before you go on",
                &words(80, "cookie"),
            )
        };
        scrape(&room.store, url, consent).await;
    }

    let later = poll(&room.store, id, vec![entry("https://consent.example/")]).await;
    assert_eq!(all(&room.store).await.len(), 3);
    assert_eq!(later.n_new, 1);
}

async fn an_entry_that_names_where_another_one_led_is_no_new_article(room: Room) {
    let id = subscribe(&room.store, listed("https://example.net/feed")).await;
    poll(&room.store, id, vec![entry("https://short.example/x1")]).await;
    let page = ScrapedArticle {
        aliases: vec![alias("https://example.org/story", AliasReason::Redirect)],
        ..scraped("https://example.org/story", "A storm", &words(80, "word"))
    };
    scrape(&room.store, "https://short.example/x1", page).await;

    let recorded = poll(&room.store, id, vec![entry("https://example.org/story")]).await;

    assert_eq!((recorded.n_new, recorded.n_pages), (0, 0));
    assert_eq!(all(&room.store).await.len(), 1);
}

async fn copies_of_a_page_become_one_article_in_whatever_order_they_come(room: Room) {
    let feeds = 0..5;
    let mut ids = Vec::new();
    for feed in feeds.clone() {
        let url = format!("https://host{feed}.example/feed");
        ids.push(subscribe(&room.store, listed(&url)).await);
    }
    let orders = [
        [0, 1, 2, 3, 4],
        [4, 3, 2, 1, 0],
        [2, 4, 0, 1, 3],
        [3, 0, 4, 2, 1],
    ];
    for (page, announced) in orders.iter().enumerate() {
        for (n, scraped_as) in orders.iter().enumerate() {
            let story = format!("{page}-{n}");
            let original = format!("https://page.example/{story}");
            let copy = |feed: usize| match feed {
                0 => original.clone(),
                _ => format!("https://copy{feed}.example/of-{story}"),
            };
            for feed in announced {
                poll(&room.store, ids[*feed], vec![entry(&copy(*feed))]).await;
            }
            for feed in scraped_as {
                let due = room.store.due_pages(&everything_due()).await.unwrap();
                // A copy that was merged before its turn needs no turn.
                let url = copy(*feed);
                let Some(due) = due.into_iter().find(|due| due.url.as_str() == url) else {
                    continue;
                };
                let text = words(80, &format!("w{page}x{n}y"));
                let article = ScrapedArticle {
                    aliases: vec![alias(&original, AliasReason::Redirect)],
                    ..scraped(&original, &format!("Page {story}"), &text)
                };
                let report = ScrapeReport {
                    at: later(1),
                    cost: Cost::default(),
                    manners: Manners::default(),
                    result: ScrapeResult::Article(Box::new(article)),
                };
                room.store.record_scrape(&due, report).await.unwrap();
            }
            let n_articles = room.store.status(noon()).await.unwrap().n_articles;
            assert_eq!(
                n_articles as usize,
                page * orders.len() + n + 1,
                "announced as {announced:?}, scraped as {scraped_as:?}"
            );
        }
    }
    for article in all(&room.store).await {
        assert_eq!(article.feed_urls.len(), 5, "{:?}", article.title);
        assert_eq!(article.page_state, PageState::Scraped);
    }
    room.store.index().await.unwrap();
    assert_eq!(room.store.check().await.unwrap(), Vec::<String>::new());
}

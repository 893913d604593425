//! Listings, counts and notes.

use super::*;

on_every_backend! {
    paging_gives_each_article_once_newest_first,
    a_head_carries_no_body,
    large_articles_come_in_several_answers,
    the_status_counts_what_is_there,
    a_note_outlives_the_process,
    a_closed_store_says_so,
}

async fn paging_gives_each_article_once_newest_first(room: Room) {
    let id = fill(&room.store, 50).await;

    for feed in [None, Some(id)] {
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let query = ArticleQuery {
                limit: 7,
                cursor,
                feed,
                ..ArticleQuery::default()
            };
            let listing = room.store.articles(&query).await.unwrap();
            seen.extend(
                listing
                    .articles
                    .iter()
                    .map(|article| (article.sort_at, article.id)),
            );
            cursor = listing
                .next
                .map(|next| Cursor::decode(&next.encode()).unwrap());
            if cursor.is_none() {
                break;
            }
        }

        assert_eq!(seen.len(), 50);
        assert!(seen.windows(2).all(|pair| pair[0] > pair[1]));
    }
}

async fn a_head_carries_no_body(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    poll(
        &room.store,
        id,
        vec![Announcement {
            content_text: Some("body".into()),
            ..entry("https://example.org/a")
        }],
    )
    .await;

    let head = room
        .store
        .articles(&ArticleQuery::default())
        .await
        .unwrap()
        .articles
        .remove(0);

    assert_eq!(
        (
            head.text.as_str(),
            head.markdown.as_str(),
            head.html.as_str()
        ),
        ("", "", "")
    );
    assert_eq!(head.word_count, 1);
    assert_eq!(all(&room.store).await[0].text, "body");
}

async fn the_status_counts_what_is_there(room: Room) {
    let id = fill(&room.store, 3).await;
    scrape(
        &room.store,
        "https://example.org/2",
        scraped("https://example.org/2", "T", &words(60, "x")),
    )
    .await;
    room.store.retire(id, noon()).await.unwrap();

    let status = room.store.status(later(1)).await.unwrap();

    assert_eq!(status.n_articles, 3);
    assert_eq!(status.pages[0], (PageState::Pending, 2));
    assert_eq!(status.pages[1], (PageState::Scraped, 1));
    assert_eq!(status.feeds[5], (FeedState::Retired, 1));
    assert_eq!(
        (
            status.polls_day,
            status.failed_polls_day,
            status.articles_day
        ),
        (1, 0, 3)
    );
    assert!(status.store_bytes > 0);
    assert_eq!(status.index_lag, 3);
}

async fn a_note_outlives_the_process(room: Room) {
    room.store
        .set_note("reload", "2 feeds added")
        .await
        .unwrap();
    room.store
        .set_note("reload", "3 feeds added")
        .await
        .unwrap();

    let room = room.reopened().await;

    assert_eq!(
        room.store.note("reload").await.unwrap().as_deref(),
        Some("3 feeds added")
    );
    assert_eq!(room.store.note("other").await.unwrap(), None);
}

async fn a_closed_store_says_so(room: Room) {
    let clone = room.store.clone();
    room.store.close().await.unwrap();

    assert!(clone.feeds().await.is_err());
    assert!(clone.set_note("a", "b").await.is_err());
}

async fn large_articles_come_in_several_answers(room: Room) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    let large = |n: usize| Announcement {
        entry_id: n.to_string(),
        content_text: Some("x".repeat(3 << 20)),
        content_html: Some("short".into()),
        ..Announcement::default()
    };
    poll(&room.store, id, (0..3).map(large).collect()).await;

    let mut n_answers = Vec::new();
    let mut cursor = None;
    loop {
        let query = ArticleQuery {
            parts: Parts::Whole,
            cursor,
            ..ArticleQuery::default()
        };
        let listing = room.store.articles(&query).await.unwrap();
        n_answers.push(listing.articles.len());
        cursor = listing.next;
        if cursor.is_none() {
            break;
        }
    }

    assert_eq!(n_answers, [2, 1]);
}

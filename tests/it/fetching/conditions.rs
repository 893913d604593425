//! Conditional requests (RFC 9110 §13): validators go back as they came.

use std::time::Duration;

use wireroom::fetch::FeedAnswer;
use wireroom::model::{ErrorKind, Validators};

use super::{check_feed, document, feed, feed_if_changed, fetcher, rss};
use crate::support::site::{Reply, Site};

#[tokio::test]
async fn an_unchanged_feed_is_answered_from_its_validators() {
    let site = Site::start().await;
    let reply = rss().etag("W/\"v 1\"").last_modified("last tuesday");
    site.serve("/feed", reply.header("Cache-Control", "max-age=900"));
    let fetcher = fetcher();

    let first = document(feed(&fetcher, &site.url("/feed")).await);
    let second = feed_if_changed(&fetcher, &site.url("/feed"), &first.validators).await;

    assert_eq!(first.max_age, Some(Duration::from_secs(900)));
    assert_eq!(second.status, Some(304));
    assert!(
        matches!(second.answer.unwrap(), FeedAnswer::NotModified { validators, .. }
        if validators == first.validators)
    );
    let request = site.last_request();
    assert_eq!(request.header("if-none-match"), Some("W/\"v 1\""));
    assert_eq!(request.header("if-modified-since"), Some("last tuesday"));
}

#[tokio::test]
async fn a_feed_behind_a_redirect_becomes_conditional_where_it_really_is() {
    let site = Site::start().await;
    site.serve(
        "/old",
        Reply::redirect(302, "/new").etag("\"of the redirect\""),
    );
    site.serve("/new", rss().etag("\"v1\""));
    let fetcher = fetcher();
    let first = document(feed(&fetcher, &site.url("/old")).await);
    assert_eq!(first.validators.url, Some(site.url("/new")));
    site.forget_requests();

    let second = feed_if_changed(&fetcher, &site.url("/old"), &first.validators).await;

    assert_eq!(second.status, Some(304));
    assert_eq!(site.requests_for("/old")[0].header("if-none-match"), None);
    assert_eq!(
        site.requests_for("/new")[0].header("if-none-match"),
        Some("\"v1\"")
    );
}

#[tokio::test]
async fn validators_of_one_url_are_never_sent_to_another() {
    let site = Site::start().await;
    site.serve("/feed", rss().etag("\"v1\""));
    let validators = Validators {
        etag: Some(b"\"v1\"".to_vec()),
        url: Some(site.url("/elsewhere")),
        ..Validators::default()
    };

    let answer = feed_if_changed(&fetcher(), &site.url("/feed"), &validators).await;

    document(answer);
    assert_eq!(site.last_request().header("if-none-match"), None);
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_a_failure() {
    check_feed(
        &fetcher(),
        Reply::text("").status(304).chunked(),
        ErrorKind::HttpStatus,
    )
    .await;
}

/// The daemon spawns its fetches, so what they return must be free to move between threads.
#[test]
fn a_fetch_can_move_between_threads() {
    fn check(_: impl Send + 'static) {}
    let fetcher = fetcher();
    check(async move { feed(&fetcher, "http://127.0.0.1/").await });
}

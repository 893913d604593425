//! What fetching promises to publishers, and to the operator whom a hostile feed attacks.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod addresses;
mod conditions;
mod errands;
mod failures;
mod limits;
mod manners;
mod pages;
mod proxy;
mod redirects;
mod tls;

use std::time::Duration;

use wireroom::fetch::{
    Exchange, FeedAnswer, FeedDocument, Fetcher, PageDocument, RequestSettings, Settings,
};
use wireroom::model::{ErrorKind, Failure, FeedUrl, PageUrl, Validators};

use crate::support::site::{Entry, Reply, Site};

/// Settings for tests: loopback is allowed, nothing waits.
fn quick() -> Settings {
    Settings {
        allow_private: vec!["127.0.0.0/8".parse().unwrap()],
        host_gap: Duration::ZERO,
        timeout: Duration::from_secs(5),
        connect_timeout: Duration::from_secs(2),
        ..Settings::default()
    }
}

fn fetcher() -> Fetcher {
    Fetcher::new(quick()).unwrap()
}

async fn feed(fetcher: &Fetcher, url: &str) -> Exchange<FeedAnswer> {
    feed_if_changed(fetcher, url, &Validators::default()).await
}

async fn feed_if_changed(
    fetcher: &Fetcher,
    url: &str,
    validators: &Validators,
) -> Exchange<FeedAnswer> {
    let url = FeedUrl::parse(url).unwrap();
    fetcher
        .feed(&url, validators, &RequestSettings::default())
        .await
}

async fn page(fetcher: &Fetcher, url: &str) -> Exchange<PageDocument> {
    let url = PageUrl::parse(url).unwrap();
    fetcher.page(&url, &RequestSettings::default()).await
}

fn document(exchange: Exchange<FeedAnswer>) -> FeedDocument {
    match exchange.answer.unwrap() {
        FeedAnswer::Document(document) => document,
        FeedAnswer::NotModified { .. } => panic!("304 instead of a document"),
    }
}

fn failure<T: std::fmt::Debug>(exchange: Exchange<T>) -> Failure {
    exchange.answer.unwrap_err()
}

async fn check_feed(fetcher: &Fetcher, reply: Reply, expect: ErrorKind) {
    let site = Site::start().await;
    site.serve("/feed", reply);
    let failure = failure(feed(fetcher, &site.url("/feed")).await);
    assert_eq!(failure.kind, expect, "{failure}");
}

async fn check_page(fetcher: &Fetcher, reply: Reply, expect: Option<ErrorKind>) {
    let site = Site::start().await;
    site.serve("/page", reply);
    let failure = page(fetcher, &site.url("/page")).await.answer.err();
    assert_eq!(failure.as_ref().map(|f| f.kind), expect, "{failure:?}");
}

fn rss() -> Reply {
    Reply::rss(&[Entry::new("First", "http://example.org/1")])
}

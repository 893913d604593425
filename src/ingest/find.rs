//! The feeds behind an address: itself, or those that its page names.

use crate::extract;
use crate::feed::{self, FeedLink, ParseError};
use crate::fetch::{FeedAnswer, FeedDocument, Fetcher, RequestSettings};
use crate::model::{ErrorKind, Failure, FeedUrl, Validators};

use super::plan::parse_failure;

/// Asks `url` once. A feed gives one link, to `url` itself and with the feed's title; a page
/// gives the feeds that it names, in its order.
///
/// # Errors
/// What went wrong, or [`ErrorKind::NotAFeed`] when there is no feed.
pub async fn find_feeds(fetcher: &Fetcher, url: &FeedUrl) -> Result<Vec<FeedLink>, Failure> {
    let request = RequestSettings::default();
    let exchange = fetcher.feed(url, &Validators::default(), &request).await;
    let document = match exchange.answer? {
        FeedAnswer::Document(document) => document,
        FeedAnswer::NotModified { .. } => {
            let detail = format!(
                "{} answered 304 to a request without validators",
                url.shown()
            );
            return Err(Failure::new(ErrorKind::Protocol, detail));
        }
    };
    let url = url.clone();
    tokio::task::spawn_blocking(move || read(&url, &document))
        .await
        .unwrap_or_else(|_| Err(Failure::new(ErrorKind::Internal, "the reader broke off")))
}

fn read(url: &FeedUrl, document: &FeedDocument) -> Result<Vec<FeedLink>, Failure> {
    let content_type = document.content_type.as_deref();
    match feed::parse(&document.body, content_type, Some(&document.url)) {
        Ok(feed) => Ok(vec![FeedLink {
            url: url.to_string(),
            title: feed.title,
            media_type: document.content_type.clone(),
        }]),
        Err(ParseError::NotAFeed { found }) => {
            let html = extract::decode(&document.body, content_type);
            let links = feed::autodiscover(&html, &document.url);
            if links.is_empty() {
                let detail = format!("{} is no feed and names none: {found}", url.shown());
                return Err(Failure::new(ErrorKind::NotAFeed, detail));
            }
            Ok(links)
        }
        Err(error) => Err(parse_failure(&error)),
    }
}

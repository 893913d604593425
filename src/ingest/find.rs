//! The feeds behind an address: itself, those that its page names, or those that rule and
//! custom suggest, once they have answered.

use url::Url;

use crate::extract;
use crate::feed::{self, FeedLink, ParseError};
use crate::fetch::{FeedAnswer, FeedDocument, Fetcher, RequestSettings};
use crate::model::{ErrorKind, Failure, FeedUrl, Validators};

use super::plan::parse_failure;

/// Most addresses that are asked beside the given one: feeds by rule and custom.
const MAX_GUESSES: usize = 12;

/// Most sitemaps that are asked, indexes among them.
const MAX_SITEMAPS: usize = 4;

/// Finds the feeds behind `url`.
///
/// A feed gives one link, to `url` itself and with the feed's title; a page gives the feeds
/// that it names, in its order, unasked. Where it names none, or cannot be had, the feeds of
/// known platforms are tried ([`feed::feeds_by_rule`]), then the usual places until one
/// answers, then the site's news sitemaps; each is asked, at the host's pace, and only those
/// that truly are feeds are given. That may take some 20 requests.
///
/// # Errors
/// What went wrong, or [`ErrorKind::NotAFeed`] when there is no feed.
pub async fn find_feeds(fetcher: &Fetcher, url: &FeedUrl) -> Result<Vec<FeedLink>, Failure> {
    let (page, reason) = match ask(fetcher, url).await {
        Ok(Found::Feeds(links)) => return Ok(links),
        Ok(Found::Page(page)) => {
            let detail = format!("{} is no feed and names none: {}", url.shown(), page.is);
            (Some(page), Failure::new(ErrorKind::NotAFeed, detail))
        }
        Err(failure) => (None, failure),
    };
    let address = page
        .as_ref()
        .map_or_else(|| url.url().clone(), |page| page.url.clone());
    let known = feed::feeds_by_rule(&address);
    let links = answering(fetcher, known, usize::MAX).await;
    if !links.is_empty() {
        return Ok(links);
    }
    // A site that does not answer is not asked a dozen more questions.
    let Some(page) = page else {
        return Err(reason);
    };
    let links = answering(fetcher, page.usual, 1).await;
    if !links.is_empty() {
        return Ok(links);
    }
    match news_sitemap(fetcher, &address).await {
        Some(link) => Ok(vec![link]),
        None => Err(reason),
    }
}

/// What an address turned out to be.
enum Found {
    /// A feed, or a page that names feeds.
    Feeds(Vec<FeedLink>),
    /// A page that names none.
    Page(Page),
}

/// A page that names no feed.
struct Page {
    /// What it seems to be.
    is: String,
    url: Url,
    /// Where its feeds are by custom.
    usual: Vec<FeedLink>,
    body: bytes::Bytes,
}

async fn ask(fetcher: &Fetcher, url: &FeedUrl) -> Result<Found, Failure> {
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
    tokio::task::spawn_blocking(move || read(&url, document))
        .await
        .unwrap_or_else(|_| Err(Failure::new(ErrorKind::Internal, "the reader broke off")))
}

fn read(url: &FeedUrl, document: FeedDocument) -> Result<Found, Failure> {
    let content_type = document.content_type.as_deref();
    match feed::parse(&document.body, content_type, Some(&document.url)) {
        Ok(feed) => Ok(Found::Feeds(vec![FeedLink {
            url: url.to_string(),
            title: feed.title,
            media_type: document.content_type,
        }])),
        Err(ParseError::NotAFeed { found }) => {
            let html = extract::decode(&document.body, content_type);
            let mut links = feed::autodiscover(&html, &document.url);
            if links.is_empty() {
                links = feed::feeds_by_markup(&html, &document.url);
            }
            if !links.is_empty() {
                return Ok(Found::Feeds(links));
            }
            Ok(Found::Page(Page {
                is: found,
                usual: feed::usual_feeds(&html, &document.url),
                url: document.url,
                body: document.body,
            }))
        }
        Err(error) => Err(parse_failure(&error)),
    }
}

/// Those of `links` that answer with a feed, at most `wanted`; asked one after the other.
async fn answering(fetcher: &Fetcher, links: Vec<FeedLink>, wanted: usize) -> Vec<FeedLink> {
    let mut answered = Vec::new();
    for link in links.into_iter().take(MAX_GUESSES) {
        if answered.len() >= wanted {
            break;
        }
        let Ok(url) = FeedUrl::parse(&link.url) else {
            continue;
        };
        match ask(fetcher, &url).await {
            Ok(Found::Feeds(links)) => {
                answered.extend(
                    links
                        .into_iter()
                        .filter(|found| found.url == url.to_string()),
                );
            }
            Err(failure) if is_refusal(failure.kind) => break,
            _ => {}
        }
    }
    answered
}

/// Whether a failure says that further questions are unwelcome or useless.
fn is_refusal(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::RateLimited
            | ErrorKind::Unavailable
            | ErrorKind::Connect
            | ErrorKind::Timeout
            | ErrorKind::Dns
            | ErrorKind::Tls
    )
}

/// A news sitemap of the site, if it has one: named by robots.txt, within an index that
/// robots.txt names, or at a usual place.
async fn news_sitemap(fetcher: &Fetcher, page: &Url) -> Option<FeedLink> {
    let robots = page.join("/robots.txt").ok()?;
    let named = match ask(fetcher, &FeedUrl::parse(robots.as_str()).ok()?).await {
        Ok(Found::Page(robots)) => feed::sitemaps_of_robots(&robots.body, &robots.url),
        _ => Vec::new(),
    };
    let (for_news, others): (Vec<Url>, Vec<Url>) = named.into_iter().partition(speaks_of_news);
    let mut queue = for_news;
    if queue.is_empty() {
        queue.extend(others.into_iter().take(1));
        queue.extend(feed::usual_news_sitemaps(page));
    }
    let mut n_asked = 0;
    while n_asked < MAX_SITEMAPS && !queue.is_empty() {
        let sitemap = queue.remove(0);
        n_asked += 1;
        match ask(fetcher, &FeedUrl::parse(sitemap.as_str()).ok()?).await {
            Ok(Found::Feeds(links)) => return links.into_iter().next(),
            Ok(Found::Page(page)) => {
                let within = feed::sitemaps_of_index(&page.body, &page.url);
                let news = within.into_iter().filter(speaks_of_news).take(MAX_SITEMAPS);
                queue.splice(0..0, news);
            }
            Err(failure) if is_refusal(failure.kind) => return None,
            Err(_) => {}
        }
    }
    None
}

fn speaks_of_news(url: &Url) -> bool {
    url.path().to_ascii_lowercase().contains("news")
}

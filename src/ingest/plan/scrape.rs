//! From a page's answer to the report of its scrape.

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::cost;
use crate::canonical::{believable, canonicalize};
use crate::dedup::content_hash;
use crate::extract::{self, Extracted, Rejected};
use crate::fetch::{Exchange, PageDocument};
use crate::model::{ErrorKind, Failure, Retry};
use crate::store::{
    Alias, AliasReason, Cost, DuePage, Manners, ScrapeReport, ScrapeResult, ScrapedArticle,
};

/// Attempts at a page before it is given up: at once, after an hour, after a day.
const PAGE_ATTEMPTS: u32 = 3;
/// Attempts at a page whose server was merely overloaded.
const OVERLOAD_ATTEMPTS: u32 = 10;
/// A scrape's report: the article, or why there is none.
pub(in super::super) fn scrape(
    due: &DuePage,
    exchange: Exchange<PageDocument>,
    now: Timestamp,
    settings: &extract::Settings,
) -> ScrapeReport {
    let cost = cost(&exchange);
    let page = match exchange.answer {
        Ok(page) => page,
        Err(failure) => return failed_scrape(due.attempts, cost, failure, now),
    };
    let html = extract::decode(&page.body, page.content_type.as_deref());
    let result = match extract::extract(&html, &page.url, settings) {
        Ok(extracted) => ScrapeResult::Article(Box::new(article(due, &page.url, extracted))),
        Err(rejected) => {
            let failure = rejection_failure(&rejected);
            let found = match rejected {
                Rejected::TooShort { found, .. } | Rejected::NoMainText { found } => {
                    Some(Box::new(article(due, &page.url, *found)))
                }
                Rejected::TooDeep { .. } => None,
            };
            ScrapeResult::Failed { failure, found }
        }
    };
    ScrapeReport {
        at: now,
        cost,
        manners: Manners::default(),
        result,
    }
}

/// A scrape that brought no page: tried again where that can help.
pub(in super::super) fn failed_scrape(
    attempts: u32,
    cost: Cost,
    failure: Failure,
    now: Timestamp,
) -> ScrapeReport {
    let result = match page_retry(attempts, &failure) {
        Some(delay) => {
            let at = now.checked_add(delay).unwrap_or(Timestamp::MAX);
            ScrapeResult::Retry { failure, at }
        }
        None => ScrapeResult::Failed {
            failure,
            found: None,
        },
    };
    ScrapeReport {
        at: now,
        cost,
        manners: Manners::default(),
        result,
    }
}

/// Time until the next attempt at a page, after `attempts` earlier ones and this failure.
fn page_retry(attempts: u32, failure: &Failure) -> Option<SignedDuration> {
    let overloaded = matches!(
        failure.kind,
        ErrorKind::RateLimited | ErrorKind::Unavailable
    );
    let most = if overloaded {
        OVERLOAD_ATTEMPTS
    } else {
        PAGE_ATTEMPTS
    };
    if failure.kind.page_retry() == Retry::Never || attempts + 1 >= most {
        return None;
    }
    let rest = match failure.kind.page_retry() {
        Retry::Daily => SignedDuration::from_hours(24),
        _ if attempts == 0 => SignedDuration::from_hours(1),
        _ => SignedDuration::from_hours(23),
    };
    let wished = failure
        .retry_after
        .and_then(|wished| SignedDuration::try_from(wished).ok());
    Some(
        rest.max(
            wished
                .unwrap_or_default()
                .min(SignedDuration::from_hours(7 * 24)),
        ),
    )
}

fn article(due: &DuePage, final_url: &Url, extracted: Extracted) -> ScrapedArticle {
    let canonical_url = extracted
        .canonical_url
        .as_ref()
        .and_then(|declared| believable(final_url, declared));
    let announced = canonicalize(due.url.url());
    let aliases = [
        (Some(final_url), AliasReason::Redirect),
        (canonical_url, AliasReason::Canonical),
    ]
    .into_iter()
    .filter_map(|(url, reason)| url.map(|url| (url, canonicalize(url), reason)))
    .filter(|(_, canonical, _)| *canonical != announced)
    .map(|(url, canonical, reason)| Alias {
        url: url.to_string(),
        canonical,
        reason,
    })
    .collect();
    ScrapedArticle {
        final_url: final_url.to_string(),
        canonical_url: canonical_url.map(Url::to_string),
        aliases,
        content_hash: content_hash(&extracted.text),
        title: extracted.title,
        authors: extracted.authors,
        published: extracted.published.as_ref().map(|published| published.at),
        published_text: extracted
            .published
            .as_ref()
            .map(|published| published.text.clone()),
        published_from: extracted
            .published
            .as_ref()
            .map(|published| published.source.to_owned()),
        language: extracted.language,
        text: extracted.text,
        markdown: extracted.markdown,
        html: extracted.html,
        images: extracted.images,
        related: extracted.related,
        tags: extracted.tags,
        word_count: extracted.word_count,
    }
}

fn rejection_failure(rejected: &Rejected) -> Failure {
    let kind = match rejected {
        Rejected::TooDeep { .. } => ErrorKind::Limit,
        Rejected::TooShort { .. } | Rejected::NoMainText { .. } => ErrorKind::NoContent,
    };
    Failure::new(kind, rejected.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{ArticleId, FeedSettings, HostKey, PageUrl, Shard};
    use crate::store::Lease;

    fn now() -> Timestamp {
        "2026-11-23T10:00:00Z".parse().unwrap()
    }

    fn due_page(attempts: u32) -> DuePage {
        let url = PageUrl::parse("http://example.org/a").unwrap();
        DuePage {
            article: ArticleId(1),
            lease: Lease {
                shard: Shard(0),
                epoch: 0,
            },
            host: HostKey::of(url.url()),
            url,
            due_at: now(),
            attempts,
            settings: FeedSettings::default(),
            moves: 0,
            manners: Manners::default(),
        }
    }

    fn exchange(answer: Result<PageDocument, Failure>) -> Exchange<PageDocument> {
        Exchange {
            status: None,
            n_bytes: 0,
            duration: Duration::ZERO,
            redirects: Vec::new(),
            answer,
        }
    }

    #[test]
    fn a_page_is_tried_three_times_over_a_day() {
        let retried = |attempts, kind| {
            let failure = Failure::new(kind, "x");
            let report = scrape(
                &due_page(attempts),
                exchange(Err(failure)),
                now(),
                &extract::Settings::default(),
            );
            match report.result {
                ScrapeResult::Retry { at, .. } => Some(at.duration_since(now()).as_hours()),
                ScrapeResult::Failed { .. } => None,
                other => panic!("{other:?}"),
            }
        };

        assert_eq!(
            [0, 1, 2].map(|n| retried(n, ErrorKind::Timeout)),
            [Some(1), Some(23), None]
        );
        assert_eq!(
            retried(2, ErrorKind::Unavailable),
            Some(23),
            "an overloaded server gets more patience"
        );
        assert_eq!(retried(0, ErrorKind::Gone), None);
        assert_eq!(retried(0, ErrorKind::Forbidden), Some(24));
    }

    #[test]
    fn only_a_believable_canonical_url_becomes_an_alias() {
        let article = |declared: &str| {
            let extracted = Extracted {
                canonical_url: Url::parse(declared).ok(),
                ..Extracted::default()
            };
            super::article(
                &due_page(0),
                &Url::parse("http://example.org/a?utm_source=x").unwrap(),
                extracted,
            )
        };

        assert!(article("http://elsewhere.example/a").aliases.is_empty());
        assert!(article("http://example.org/").aliases.is_empty());
        let believed = article("http://example.org/news/a");
        assert_eq!(
            believed.canonical_url.as_deref(),
            Some("http://example.org/news/a")
        );
        assert_eq!(
            believed.aliases.len(),
            1,
            "the redirect only added a tracking parameter"
        );
        assert_eq!(believed.aliases[0].reason, AliasReason::Canonical);
    }
}

//! From a page's answer to the report of its scrape.

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::Told;
use crate::canonical::{CanonicalUrl, believable, canonicalize};
use crate::dedup::content_hash;
use crate::extract::{self, Extracted, Rejected};
use crate::fetch::{Exchange, PageDocument};
use crate::model::{ErrorKind, Failure, HostKey, PageUrl, Retry};
use crate::store::{
    Alias, AliasReason, DuePage, PageToFetch, ScrapeReport, ScrapeResult, ScrapedArticle,
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
    let told = Told::by(&exchange);
    let page = match exchange.answer {
        Ok(page) => page,
        Err(failure) => return failed_scrape(due.attempts, told, failure, now),
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
    report(told, now, result)
}

/// A redirect to the host of another worker, where the scrape goes on.
pub(in super::super) fn moved_scrape(
    due: &DuePage,
    exchange: Exchange<Url>,
    now: Timestamp,
) -> ScrapeReport {
    let told = Told::by(&exchange);
    let target = exchange.answer.and_then(|url| {
        let target = PageUrl::parse(url.as_str());
        target.map_err(|error| Failure::new(ErrorKind::RedirectInvalid, error.to_string()))
    });
    match target {
        Ok(url) => {
            let host = HostKey::of(url.url());
            let moved = ScrapeResult::Moved(PageToFetch { url, host });
            report(told, now, moved)
        }
        Err(failure) => failed_scrape(due.attempts, told, failure, now),
    }
}

/// A scrape that brought no page: tried again where that can help.
pub(in super::super) fn failed_scrape(
    attempts: u32,
    told: Told,
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
    report(told, now, result)
}

fn report(told: Told, now: Timestamp, result: ScrapeResult) -> ScrapeReport {
    ScrapeReport {
        at: now,
        cost: told.cost,
        manners: told.manners(now),
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
    let announced = announced(due);
    let aliases = [
        (Some(final_url), AliasReason::Redirect),
        (canonical_url, AliasReason::Canonical),
    ]
    .into_iter()
    .filter_map(|(url, reason)| url.map(|url| (url, canonicalize(url), reason)))
    .filter(|(_, canonical, _)| Some(canonical) != announced.as_ref())
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

/// Normal form of the URL that a feed announced, which needs no further alias. After a move
/// it is not known here: what was asked for is where a redirect led to.
fn announced(due: &DuePage) -> Option<CanonicalUrl> {
    (due.moves == 0).then(|| canonicalize(due.url.url()))
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
    use crate::fetch::Wishes;
    use crate::model::{ArticleId, FeedSettings, Shard};
    use crate::store::{Lease, Manners};

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

    fn exchange<T>(answer: Result<T, Failure>) -> Exchange<T> {
        Exchange {
            status: None,
            n_bytes: 0,
            duration: Duration::ZERO,
            redirects: Vec::new(),
            wishes: Wishes::default(),
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

    #[test]
    fn after_a_move_the_address_where_the_page_was_found_is_always_an_alias() {
        let aliases = |moves| {
            let due = DuePage {
                moves,
                ..due_page(0)
            };
            let final_url = Url::parse("http://example.org/a").unwrap();
            super::article(&due, &final_url, Extracted::default()).aliases
        };

        assert_eq!(aliases(0), []);
        let [alias] = &aliases(1)[..] else {
            panic!("{:?}", aliases(1))
        };
        assert_eq!(alias.url, "http://example.org/a");
        assert_eq!(alias.reason, AliasReason::Redirect);
    }

    #[test]
    fn a_redirect_to_a_foreign_host_moves_the_scrape() {
        let moved = |target: &str| {
            let target = Url::parse(target).unwrap();
            moved_scrape(&due_page(0), exchange(Ok(target)), now()).result
        };

        let url = PageUrl::parse("http://elsewhere.example/a").unwrap();
        let host = HostKey::stored("elsewhere.example".into());
        assert_eq!(
            moved("http://elsewhere.example/a"),
            ScrapeResult::Moved(PageToFetch { url, host })
        );
        let long = format!("http://elsewhere.example/{}", "a".repeat(5000));
        assert!(matches!(moved(&long), ScrapeResult::Retry { .. }));
    }

    #[test]
    fn the_report_says_what_the_host_asked_for() {
        let failure = Failure::new(ErrorKind::RateLimited, "429");
        let refused = Exchange {
            wishes: Wishes {
                rest: Some(Duration::from_secs(7200)),
                gap: Some(Duration::from_secs(5)),
            },
            ..exchange(Err(failure))
        };

        let report = scrape(&due_page(0), refused, now(), &extract::Settings::default());

        let asked = Manners {
            resting_until: "2026-11-23T12:00:00Z".parse().ok(),
            gap: Some(Duration::from_secs(5)),
        };
        assert_eq!(report.manners, asked);
    }
}

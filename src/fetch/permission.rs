//! Remembers what each site's robots.txt allows, for a day and within bounds.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use url::Url;

use super::headers::shown;
use super::robots::Robots;
use crate::model::{ErrorKind, Failure};

/// How long a robots.txt, or its absence, is believed (RFC 9309 §2.4).
const KEEP: Duration = Duration::from_secs(24 * 3600);
/// How long a site stays closed whose robots.txt could not be read. The pages wait; a day
/// would turn a short outage into lost articles.
const KEEP_CLOSED: Duration = Duration::from_secs(300);
/// Most sites remembered.
const MAX_SITES: usize = 4096;
/// Most memory for all rules together, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// What a site's robots.txt says.
#[derive(Clone, Debug)]
pub(super) enum Policy {
    /// Its rules.
    Rules(Arc<Robots>),
    /// There is none: everything is allowed (RFC 9309 §2.3.1.3).
    Free,
    /// It could not be read: nothing is allowed for now (RFC 9309 §2.3.1.4).
    Closed(Failure),
}

/// The policies of all sites.
#[derive(Default)]
pub(super) struct Permissions {
    sites: Mutex<HashMap<String, Site>>,
}

struct Site {
    /// Held while the file is fetched, so that it is fetched once.
    policy: Arc<tokio::sync::Mutex<Option<Kept>>>,
    n_bytes: usize,
    used: Instant,
}

struct Kept {
    policy: Policy,
    until: Instant,
}

impl Policy {
    /// What the failure to read a robots.txt means.
    pub(super) fn without_file(origin: &str, failure: Failure) -> Self {
        match (failure.kind, failure.status) {
            // Our own pace, not the site's answer about its pages.
            (ErrorKind::RateLimited, _) => Self::Closed(failure),
            (_, Some(400..=499)) => Self::Free,
            // More redirects than anyone follows, or redirects to nowhere, count as absence
            // (RFC 9309 §2.3.1.2).
            (
                ErrorKind::Empty
                | ErrorKind::RedirectLimit
                | ErrorKind::RedirectInvalid
                | ErrorKind::SchemeBlocked
                | ErrorKind::AddressBlocked
                | ErrorKind::InvalidUrl,
                _,
            ) => Self::Free,
            _ => Self::Closed(Failure {
                status: failure.status,
                retry_after: failure.retry_after,
                ..Failure::new(
                    failure.kind,
                    format!(
                        "pages wait until robots.txt of {origin} can be read: {}",
                        failure.detail
                    ),
                )
            }),
        }
    }

    /// Whether `url` may be asked for, and the pause that its site wishes for.
    pub(super) fn check(&self, url: &Url) -> Result<Option<Duration>, Failure> {
        let robots = match self {
            Self::Rules(robots) => robots,
            Self::Free => return Ok(None),
            Self::Closed(failure) => return Err(failure.clone()),
        };
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        match robots.allows(target) {
            Ok(()) => Ok(robots.crawl_delay()),
            Err(rule) => {
                let detail = format!(
                    "{} is disallowed by line {} of robots.txt: {}",
                    shown(url),
                    rule.line,
                    rule.pattern
                );
                Err(Failure::new(ErrorKind::Robots, detail))
            }
        }
    }

    fn n_bytes(&self) -> usize {
        match self {
            Self::Rules(robots) => robots.n_bytes(),
            Self::Free | Self::Closed(_) => 0,
        }
    }
}

impl Permissions {
    /// The policy of `origin`, fetched when it is not known or no longer believed.
    ///
    /// # Errors
    /// Those of `fetch`, which are not the site's and therefore not remembered.
    pub(super) async fn policy<E>(
        &self,
        origin: &str,
        fetch: impl Future<Output = Result<Policy, E>>,
    ) -> Result<Policy, E> {
        let slot = self.slot(origin);
        let mut kept = slot.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.until > Instant::now()) {
            return Ok(kept.policy.clone());
        }
        let fetched = fetch.await?;
        let old = kept.take().map(|kept| kept.policy);
        let (policy, span) = match (fetched, old) {
            // An old copy is better than a closed site (RFC 9309 §2.4).
            (Policy::Closed(_), Some(old @ (Policy::Rules(_) | Policy::Free))) => {
                (old, KEEP_CLOSED)
            }
            (closed @ Policy::Closed(_), _) => (closed, KEEP_CLOSED),
            (policy, _) => (policy, KEEP),
        };
        let until = Instant::now() + span;
        *kept = Some(Kept {
            policy: policy.clone(),
            until,
        });
        self.weigh(origin, policy.n_bytes());
        Ok(policy)
    }

    /// The pause that `origin` is known to wish for; nothing is fetched to learn it.
    pub(super) fn known_delay(&self, origin: &str) -> Option<Duration> {
        let slot = Arc::clone(&self.sites().get(origin)?.policy);
        let kept = slot.try_lock().ok()?;
        match &kept.as_ref()?.policy {
            Policy::Rules(robots) => robots.crawl_delay(),
            Policy::Free | Policy::Closed(_) => None,
        }
    }

    fn slot(&self, origin: &str) -> Arc<tokio::sync::Mutex<Option<Kept>>> {
        let now = Instant::now();
        let mut sites = self.sites();
        let site = sites.entry(origin.to_owned()).or_insert_with(|| Site {
            policy: Arc::default(),
            n_bytes: 0,
            used: now,
        });
        site.used = now;
        Arc::clone(&site.policy)
    }

    /// Notes the size of a policy, and forgets the longest unused when there are too many.
    fn weigh(&self, origin: &str, n_bytes: usize) {
        let mut sites = self.sites();
        if let Some(site) = sites.get_mut(origin) {
            site.n_bytes = n_bytes;
        }
        let mut total: usize = sites.values().map(|site| site.n_bytes).sum();
        if sites.len() <= MAX_SITES && total <= MAX_BYTES {
            return;
        }
        let mut by_use: Vec<(Instant, String)> = sites
            .iter()
            .map(|(origin, site)| (site.used, origin.clone()))
            .collect();
        by_use.sort();
        // A quarter more than needed, so that this is rare.
        for (_, origin) in by_use {
            if sites.len() <= MAX_SITES / 4 * 3 && total <= MAX_BYTES / 4 * 3 {
                break;
            }
            total -= sites.remove(&origin).map_or(0, |site| site.n_bytes);
        }
    }

    fn sites(&self) -> MutexGuard<'_, HashMap<String, Site>> {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn rules(text: &str) -> Policy {
        Policy::Rules(Arc::new(Robots::parse(text.as_bytes(), "wireroom")))
    }

    async fn found(policy: Policy) -> Result<Policy, Infallible> {
        Ok(policy)
    }

    fn url() -> Url {
        Url::parse("https://example.org/a").unwrap()
    }

    #[tokio::test]
    async fn a_policy_is_fetched_once() {
        let permissions = Permissions::default();
        let first = permissions
            .policy("a", found(rules("User-agent: *\nDisallow: /a")))
            .await
            .unwrap();

        let second = permissions
            .policy::<Infallible>("a", async { panic!("asked again") })
            .await
            .unwrap();

        assert_eq!(first.check(&url()).unwrap_err().kind, ErrorKind::Robots);
        assert_eq!(second.check(&url()).unwrap_err().kind, ErrorKind::Robots);
    }

    #[tokio::test]
    async fn an_old_copy_serves_while_the_new_one_cannot_be_read() {
        let permissions = Permissions::default();
        permissions.policy("a", found(Policy::Free)).await.unwrap();
        let slot = permissions.slot("a");
        slot.lock().await.as_mut().unwrap().until = Instant::now();

        let failure = Failure::new(ErrorKind::Timeout, "silent");
        let policy = permissions
            .policy("a", found(Policy::without_file("a", failure)))
            .await
            .unwrap();

        assert!(matches!(policy, Policy::Free));
    }

    #[tokio::test]
    async fn what_keeps_us_from_asking_is_not_the_sites_answer() {
        let permissions = Permissions::default();

        let kept_from = permissions.policy("a", async { Err("not ours") }).await;
        let later = permissions.policy("a", found(Policy::Free)).await;

        assert_eq!(kept_from.err(), Some("not ours"));
        assert!(matches!(later, Ok(Policy::Free)));
    }

    #[tokio::test]
    async fn a_known_pause_is_given_without_asking() {
        let permissions = Permissions::default();
        let strict = rules("User-agent: *\nCrawl-delay: 7");
        permissions.policy("a", found(strict)).await.unwrap();

        assert_eq!(permissions.known_delay("a"), Some(Duration::from_secs(7)));
        assert_eq!(permissions.known_delay("b"), None);
    }

    #[test]
    fn absence_allows_and_silence_does_not() {
        let with_status = |kind, status| Failure {
            status: Some(status),
            ..Failure::new(kind, "")
        };
        let check = |failure| {
            Policy::without_file("a", failure)
                .check(&url())
                .err()
                .map(|f| f.kind)
        };

        assert_eq!(check(with_status(ErrorKind::NotFound, 404)), None);
        assert_eq!(check(with_status(ErrorKind::Forbidden, 403)), None);
        assert_eq!(check(Failure::new(ErrorKind::RedirectLimit, "")), None);
        assert_eq!(
            check(with_status(ErrorKind::RateLimited, 429)),
            Some(ErrorKind::RateLimited)
        );
        assert_eq!(
            check(with_status(ErrorKind::HttpStatus, 500)),
            Some(ErrorKind::HttpStatus)
        );
        assert_eq!(
            check(Failure::new(ErrorKind::Connect, "")),
            Some(ErrorKind::Connect)
        );
    }

    #[tokio::test]
    async fn memory_is_bounded_in_sites_and_in_bytes() {
        let permissions = Permissions::default();
        let long = format!("User-agent: *\nDisallow: /{}", "a".repeat(400_000));
        for at in 0..60 {
            permissions
                .policy(&format!("long{at}"), found(rules(&long)))
                .await
                .unwrap();
        }
        for at in 0..MAX_SITES + 10 {
            permissions
                .policy(&format!("site{at}"), found(Policy::Free))
                .await
                .unwrap();
        }

        let sites = permissions.sites();
        let total: usize = sites.values().map(|site| site.n_bytes).sum();
        assert!(
            total <= MAX_BYTES && sites.len() <= MAX_SITES,
            "{total} {}",
            sites.len()
        );
        assert!(sites.contains_key(&format!("site{}", MAX_SITES + 9)));
    }
}

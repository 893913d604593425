//! What is said and counted of each thing that was done.

use std::sync::atomic::Ordering::Relaxed;

use tracing::{debug, info, warn};

use super::health::StoreHealth;
use super::plan::PollOutcome;
use super::{Ingest, Polled, Scraped};
use crate::model::{FeedUrl, PageUrl};
use crate::store::{Done, Saved, StoreError};

/// Why a result came too late. Nothing is lost: its feed or page is still due.
const FENCED: &str = "its shard has gone to another worker, which does it again";

impl Ingest {
    /// Takes note of a poll.
    pub(super) fn note_poll(
        &self,
        store: &mut StoreHealth,
        url: &FeedUrl,
        polled: Result<Option<Polled>, StoreError>,
    ) {
        let polled = match polled {
            Ok(Some(polled)) => polled,
            Ok(None) => return debug!(feed.url = url.shown(), "left a feed to another worker"),
            Err(StoreError::Fenced) => {
                self.progress.fenced.fetch_add(1, Relaxed);
                let url = url.shown();
                return info!(
                    feed.url = url,
                    "the poll of {url} is not recorded: {FENCED}"
                );
            }
            Err(error) => return store.note_failure(error),
        };
        store.note_success();
        if let PollOutcome::Moved { to } = &polled.outcome {
            let (url, to) = (url.shown(), to.shown());
            return info!(
                feed.url = url,
                "{url} redirects to {to}, where another worker goes on"
            );
        }
        self.progress.polls.fetch_add(1, Relaxed);
        self.store.tally(Done {
            polls: 1,
            ..Done::default()
        });
        self.progress
            .announced
            .fetch_add(polled.recorded.n_new as u64, Relaxed);
        let url = url.shown();
        let n_new = polled.recorded.n_new;
        let duration_ms = polled.duration.as_millis();
        match polled.outcome {
            PollOutcome::NotModified => debug!(feed.url = url, "polled {url}: not modified"),
            PollOutcome::Unchanged => debug!(feed.url = url, "polled {url}: unchanged"),
            PollOutcome::Fetched {
                n_entries,
                warnings,
                ..
            } => {
                info!(
                    feed.url = url,
                    n_new, n_entries, duration_ms, "polled {url}: {n_new} new of {n_entries}"
                );
                for warning in warnings.iter().take(3) {
                    debug!(feed.url = url, "{url}: {warning}");
                }
            }
            PollOutcome::Moved { .. } => {}
            PollOutcome::Failed(failure) => {
                self.progress.failed_polls.fetch_add(1, Relaxed);
                warn!(feed.url = url, error.kind = %failure.kind, "cannot poll {url}: {failure}");
            }
        }
    }

    /// Takes note of a scrape.
    pub(super) fn note_scrape(
        &self,
        store: &mut StoreHealth,
        url: &PageUrl,
        scraped: Result<Option<Scraped>, StoreError>,
    ) {
        let Scraped { saved, failure } = match scraped {
            Ok(Some(scraped)) => scraped,
            Ok(None) => return debug!(page.url = url.shown(), "left a page to another worker"),
            Err(StoreError::Fenced) => {
                self.progress.fenced.fetch_add(1, Relaxed);
                let url = url.shown();
                return info!(
                    page.url = url,
                    "the scrape of {url} is not recorded: {FENCED}"
                );
            }
            Err(error) => return store.note_failure(error),
        };
        store.note_success();
        self.store.tally(Done {
            scrapes: 1,
            articles: matches!(saved, Saved::Article(_)).into(),
            ..Done::default()
        });
        let url = url.shown();
        match (saved, failure) {
            (Saved::Article(id), _) => {
                self.progress.saved.fetch_add(1, Relaxed);
                return info!(page.url = url, article.id = id.0, "saved {url}");
            }
            (Saved::Merged { into }, _) => {
                return info!(
                    page.url = url,
                    article.id = into.0,
                    "{url} is article {into} under another address"
                );
            }
            (Saved::Moved, _) => {
                return info!(
                    page.url = url,
                    "{url} redirects to the host of another worker, which goes on there"
                );
            }
            (Saved::Retry, Some(failure)) => {
                info!(page.url = url, error.kind = %failure.kind, error.detail = failure.detail, "cannot scrape {url} now, it is tried again: {failure}");
            }
            (Saved::Failed(_), Some(failure)) => {
                warn!(page.url = url, error.kind = %failure.kind, error.detail = failure.detail, "cannot scrape {url}: {failure}");
            }
            (Saved::Retry | Saved::Failed(_), None) => {}
        }
        self.progress.failed_pages.fetch_add(1, Relaxed);
    }
}

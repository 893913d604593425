//! What is decided between fetch and record. Pure: values in, values out.

mod poll;
mod scrape;

use jiff::{SignedDuration, Timestamp};

use crate::feed::ParseError;
use crate::fetch::{Exchange, Wishes};
use crate::model::{ErrorKind, Failure};
use crate::store::{Cost, Manners};

pub use poll::PollOutcome;
pub(super) use poll::{Reading, poll};
pub(super) use scrape::{failed_scrape, moved_scrape, scrape};

/// Why a document is no feed, as it is recorded.
pub(super) fn parse_failure(error: &ParseError) -> Failure {
    let kind = match error {
        ParseError::Empty => ErrorKind::Empty,
        ParseError::NotAFeed { .. } => ErrorKind::NotAFeed,
        ParseError::Encoding => ErrorKind::Encoding,
        ParseError::Broken { .. } => ErrorKind::Parse,
        ParseError::Limit { .. } => ErrorKind::Limit,
    };
    Failure::new(kind, error.to_string())
}

/// What an exchange told beside its answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    cost: Cost,
    wishes: Wishes,
}

impl Told {
    pub(super) fn by<T>(exchange: &Exchange<T>) -> Self {
        Self {
            cost: Cost {
                status: exchange.status,
                n_bytes: exchange.n_bytes,
                duration: exchange.duration,
            },
            wishes: exchange.wishes,
        }
    }

    /// What the host asked for, as it is kept for whoever asks it next.
    fn manners(&self, now: Timestamp) -> Manners {
        let until = |rest| {
            let rest = SignedDuration::try_from(rest).ok()?;
            Some(now.checked_add(rest).unwrap_or(Timestamp::MAX))
        };
        Manners {
            resting_until: self.wishes.rest.and_then(until),
            gap: self.wishes.gap,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rest_is_kept_as_the_time_of_its_end() {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let wishes = Wishes {
            rest: Some(Duration::from_secs(3600)),
            gap: Some(Duration::from_secs(7)),
        };
        let told = Told {
            wishes,
            ..Told::default()
        };

        let manners = told.manners(now);

        assert_eq!(manners.resting_until, "2026-11-23T11:00:00Z".parse().ok());
        assert_eq!(manners.gap, Some(Duration::from_secs(7)));
        assert_eq!(Told::default().manners(now), Manners::default());
    }
}

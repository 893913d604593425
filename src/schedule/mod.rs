//! When is a feed due next? Pure.

mod rhythm;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::model::{ErrorKind, Failure};

pub use self::rhythm::{Observation, Rhythm};

/// `[schedule]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Time between polls of a feed that wishes nothing else. Default 1 h.
    pub default_interval: Duration,
    /// No feed is polled more often. Default 15 min.
    pub min_interval: Duration,
    /// No feed in good health is polled less often. Default 24 h.
    pub max_interval: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_interval: Duration::from_secs(3600),
            min_interval: Duration::from_secs(15 * 60),
            max_interval: Duration::from_secs(24 * 3600),
        }
    }
}

/// What the store keeps about a feed's polls for the next decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PollState {
    /// Failures in a row.
    pub failures: u32,
    /// 410s in a row: after the second only a person asks again.
    pub gone: u32,
    /// The interval that the document or server wished for at the last good poll.
    pub hinted_interval: Option<Duration>,
}

/// What a poll came to, as far as the next one depends on it.
#[derive(Clone, Debug)]
pub enum Outcome<'a> {
    /// The feed answered well.
    Good {
        /// The longest of what the document and the server wished for: `ttl`,
        /// `sy:updatePeriod`, `Cache-Control: max-age`. `None` keeps the last wish (a 304
        /// carries no document).
        wished: Option<Duration>,
        /// Hours of the day, UTC, in which the publisher wants no poll (RSS `skipHours`).
        skip_hours: &'a [u8],
    },
    /// The attempt failed.
    Failed(&'a Failure),
    /// 410: the publisher asks us to stop (RFC 9110 §15.5.11).
    Gone,
}

/// The decision about the next poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// When; `None` when only a person can ask again.
    pub at: Option<Timestamp>,
    /// What to remember.
    pub state: PollState,
}

/// Longest rest of a failing feed. Feeds that look dead come back, so none is dropped;
/// after [`DAILY_FAILURES`] failures it is asked once a week.
const MAX_BACKOFF: Duration = Duration::from_secs(24 * 3600);
/// A feed without a new entry for so long looks dead.
const SILENT: SignedDuration = SignedDuration::from_hours(90 * 24);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
/// With the doubling before it, some 30 days of daily failures.
const DAILY_FAILURES: u32 = 36;
/// First rest after a 429 or 503 that names none.
const OVERLOAD_REST: Duration = Duration::from_secs(3600);
/// Bounds of a `Retry-After` that we follow; longer ones have been seen in the wild (88 h
/// by Media Cloud) and are cut, shorter ones are a courtesy that we do not need.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_secs(60), WEEK);

/// When the feed is due next.
///
/// `wished_interval` is the feed list's, instead of the default. `jitter` in 0..=1 spreads
/// the feeds by ±10 % and is the same for a feed at every poll ([`jitter`]).
/// Never sooner than `min_interval`, never later than `max_interval` for a feed in good
/// health (24 h, then a week, for a failing one).
#[must_use]
pub fn next_poll(
    now: Timestamp,
    state: &PollState,
    outcome: &Outcome<'_>,
    wished_interval: Option<Duration>,
    jitter: f64,
    settings: &Settings,
) -> Next {
    let own = wished_interval.unwrap_or(settings.default_interval);
    match outcome {
        Outcome::Good { wished, skip_hours } => {
            let hinted_interval = wished.or(state.hinted_interval);
            let interval = own.max(hinted_interval.unwrap_or_default());
            let delay =
                spread(interval, jitter).clamp(settings.min_interval, settings.max_interval);
            let at = outside_of(skip_hours, after(now, delay));
            Next {
                at: Some(at),
                state: PollState {
                    failures: 0,
                    gone: 0,
                    hinted_interval,
                },
            }
        }
        Outcome::Failed(failure) => {
            let failures = state.failures.saturating_add(1);
            let own = own.clamp(settings.min_interval, settings.max_interval);
            let delay = spread(backoff(failures, failure.kind, own), jitter)
                .max(settings.min_interval)
                .max(retry_after(failure).unwrap_or_default());
            Next {
                at: Some(after(now, delay)),
                state: PollState {
                    failures,
                    ..state.clone()
                },
            }
        }
        Outcome::Gone => {
            // Asked once more after a day, since some servers answer 410 by mistake.
            let gone = state.gone.saturating_add(1);
            let at = (gone < 2).then(|| after(now, MAX_BACKOFF));
            Next {
                at,
                state: PollState {
                    failures: state.failures.saturating_add(1),
                    gone,
                    ..state.clone()
                },
            }
        }
    }
}

/// Delay before the next poll after `failures` failures in a row (1 and up).
///
/// Doubles from the feed's own interval to 24 h, and is a week after a month of failures.
/// A refusal (401, 403, 451) is asked about daily; overload rests from 1 h.
#[must_use]
pub fn backoff(failures: u32, kind: ErrorKind, own_interval: Duration) -> Duration {
    if failures > DAILY_FAILURES {
        return WEEK;
    }
    let first = match kind {
        ErrorKind::Auth | ErrorKind::Forbidden => MAX_BACKOFF,
        ErrorKind::RateLimited | ErrorKind::Unavailable => own_interval.max(OVERLOAD_REST),
        _ => own_interval,
    };
    let doubled = first.saturating_mul(1_u32 << failures.saturating_sub(1).min(20));
    doubled.min(MAX_BACKOFF.max(own_interval))
}

/// How long a failing server asked to be left alone (RFC 9110 §10.2.3), between a minute
/// and a week. Never shortened by jitter.
#[must_use]
pub fn retry_after(failure: &Failure) -> Option<Duration> {
    failure
        .retry_after
        .map(|wished| wished.clamp(RETRY_AFTER.0, RETRY_AFTER.1))
}

/// A number in 0..1 that is stable for a text: the place of a feed among all feeds.
#[must_use]
pub fn jitter(text: &str) -> f64 {
    let digest = Sha256::digest(text.as_bytes());
    f64::from(u16::from_be_bytes([digest[0], digest[1]])) / 65536.0
}

/// Longest wait for a feed in good health, in seconds: 24 h, and 7 days for one that has
/// published nothing for 90 days.
#[must_use]
pub fn longest_wait_s(rhythm: &Rhythm, now: Timestamp) -> f64 {
    let silent = rhythm.newest().map(|newest| now.duration_since(newest));
    match silent {
        Some(silent) if silent > SILENT => 7.0 * 86_400.0,
        _ => 86_400.0,
    }
}

/// The level of [`Rhythm::next`] for the next hour, after `actual` polls per feed in the last
/// day where `budget` are wanted. Slow, so that a flood of new feeds does not silence the old.
#[must_use]
pub fn steer(level: f64, actual: f64, budget: f64) -> f64 {
    let off = (actual.max(1e-3) / budget.max(1e-3)).clamp(0.25, 4.0);
    (level * off.powf(0.1)).clamp(1e-3, 1e3)
}

fn spread(interval: Duration, jitter: f64) -> Duration {
    interval.mul_f64(0.9 + 0.2 * jitter.clamp(0.0, 1.0))
}

fn after(now: Timestamp, delay: Duration) -> Timestamp {
    SignedDuration::try_from(delay)
        .ok()
        .and_then(|delay| now.checked_add(delay).ok())
        .unwrap_or(Timestamp::MAX)
}

/// The first moment from `at` on whose hour is not skipped; all 24 skipped means none is.
fn outside_of(skip_hours: &[u8], at: Timestamp) -> Timestamp {
    let skipped = |at: Timestamp| {
        let hour = at.as_second().rem_euclid(86_400) / 3600;
        skip_hours.iter().any(|skip| i64::from(*skip) == hour)
    };
    let mut moved = at;
    for _ in 0..24 {
        if !skipped(moved) {
            return moved;
        }
        let next_hour = moved.as_second().div_euclid(3600) * 3600 + 3600;
        moved = Timestamp::from_second(next_hour).unwrap_or(Timestamp::MAX);
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn now() -> Timestamp {
        "2026-11-23T10:00:00Z".parse().unwrap()
    }

    fn good(wished: Option<Duration>) -> Outcome<'static> {
        Outcome::Good {
            wished,
            skip_hours: &[],
        }
    }

    fn delay(state: &PollState, outcome: &Outcome<'_>, wish: Option<Duration>) -> Duration {
        let next = next_poll(now(), state, outcome, wish, 0.5, &Settings::default());
        next.at.unwrap().duration_since(now()).try_into().unwrap()
    }

    #[test]
    fn a_good_feed_is_due_after_its_interval() {
        assert_eq!(delay(&PollState::default(), &good(None), None), HOUR);
        assert_eq!(
            delay(&PollState::default(), &good(None), Some(2 * HOUR)),
            2 * HOUR
        );
    }

    #[test]
    fn publishers_may_lengthen_the_interval_and_never_shorten_it() {
        assert_eq!(
            delay(&PollState::default(), &good(Some(3 * HOUR)), None),
            3 * HOUR
        );
        assert_eq!(
            delay(&PollState::default(), &good(Some(HOUR / 60)), None),
            HOUR
        );
        assert_eq!(
            delay(&PollState::default(), &good(Some(900 * HOUR)), None),
            24 * HOUR
        );
    }

    #[test]
    fn a_304_keeps_the_wish_of_the_last_document() {
        let state = PollState {
            hinted_interval: Some(6 * HOUR),
            ..PollState::default()
        };

        assert_eq!(delay(&state, &good(None), None), 6 * HOUR);
    }

    #[test]
    fn skipped_hours_are_waited_out_unless_all_are_skipped() {
        let at = |skip_hours: &[u8]| {
            let outcome = Outcome::Good {
                wished: None,
                skip_hours,
            };
            let next = next_poll(
                now(),
                &PollState::default(),
                &outcome,
                None,
                0.5,
                &Settings::default(),
            );
            next.at.unwrap().to_string()
        };

        assert_eq!(at(&[11, 12]), "2026-11-23T13:00:00Z");
        assert_eq!(at(&(0..24).collect::<Vec<_>>()), "2026-11-23T11:00:00Z");
    }

    #[test]
    fn failures_double_the_delay_and_a_feed_is_never_dropped() {
        let failure = Failure::new(ErrorKind::Connect, "refused");
        let delays: Vec<u64> = [0, 1, 2, 10, 100]
            .map(|failures| {
                let state = PollState {
                    failures,
                    ..PollState::default()
                };
                delay(&state, &Outcome::Failed(&failure), None).as_secs() / 3600
            })
            .to_vec();

        assert_eq!(delays, [1, 2, 4, 24, 168]);
    }

    #[test]
    fn retry_after_is_followed_within_bounds_and_never_shortened() {
        let rest = |seconds, jitter| {
            let failure = Failure {
                retry_after: Some(Duration::from_secs(seconds)),
                ..Failure::new(ErrorKind::RateLimited, "429")
            };
            let outcome = Outcome::Failed(&failure);
            let settings = Settings::default();
            let next = next_poll(
                now(),
                &PollState::default(),
                &outcome,
                None,
                jitter,
                &settings,
            );
            next.at.unwrap().duration_since(now()).as_secs()
        };

        assert_eq!(rest(7200, 0.0), 7200);
        assert_eq!(rest(10, 0.5), 3600, "overload rests for an hour at least");
        assert_eq!(rest(99_999_999, 0.0), 7 * 24 * 3600);
    }

    #[test]
    fn gone_is_asked_about_once_more() {
        let first = next_poll(
            now(),
            &PollState::default(),
            &Outcome::Gone,
            None,
            0.5,
            &Settings::default(),
        );
        let second = next_poll(
            now(),
            &first.state,
            &Outcome::Gone,
            None,
            0.5,
            &Settings::default(),
        );

        assert_eq!(
            first.at.unwrap().duration_since(now()),
            SignedDuration::from_hours(24)
        );
        assert_eq!(second.at, None);
    }

    proptest! {
        #[test]
        fn a_good_feed_stays_within_the_bounds(
            wish in proptest::option::of(0_u64..10_000_000),
            hint in proptest::option::of(0_u64..10_000_000),
            spread in 0.0_f64..=1.0,
        ) {
            let settings = Settings::default();
            let outcome = good(hint.map(Duration::from_secs));
            let wish = wish.map(Duration::from_secs);

            let next = next_poll(now(), &PollState::default(), &outcome, wish, spread, &settings);

            let delay: Duration = next.at.unwrap().duration_since(now()).try_into().unwrap();
            prop_assert!(delay >= settings.min_interval && delay <= settings.max_interval);
        }

        #[test]
        fn more_failures_never_mean_less_rest(failures in 1_u32..100, seconds in 1_u64..100_000) {
            let kind = ErrorKind::Timeout;
            let own = Duration::from_secs(seconds);

            prop_assert!(backoff(failures, kind, own) <= backoff(failures + 1, kind, own));
        }
    }
}

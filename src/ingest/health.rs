//! How the store does, and when to let it rest.

use std::time::{Duration, Instant};

use tracing::error;

use crate::store::StoreError;

/// First rest after the store failed, and the longest; it doubles in between. What cannot
/// be recorded would only be asked for again, so nothing new is started meanwhile.
const STORE_REST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));
/// Rests in a row after which `run --once` gives up.
const MAX_STORE_RESTS: u32 = 4;
/// After so long without a failure the store counts as well again: on a disk that is
/// nearly full some things can still be written between those that cannot.
const STORE_IS_WELL: Duration = Duration::from_secs(60);
/// How the store does.
#[derive(Default)]
pub(super) struct StoreHealth {
    /// Rests in a row.
    n_rests: u32,
    /// Nothing is started before.
    rests_until: Option<Instant>,
    /// What it said last.
    pub(super) failure: Option<StoreError>,
}

impl StoreHealth {
    /// Logs a failure, and lets the store rest; failures of work that was under way at the
    /// same time belong to the same rest.
    pub(super) fn note_failure(&mut self, failure: StoreError) {
        if self.rest_left().is_none() {
            error!(error.kind = "store", "{failure}");
            let rest = STORE_REST.0 * (1 << self.n_rests.min(16));
            self.rests_until = Some(Instant::now() + rest.min(STORE_REST.1));
            self.n_rests += 1;
        }
        self.failure = Some(failure);
    }

    pub(super) fn note_success(&mut self) {
        let is_well = |until: Instant| until.elapsed() >= STORE_IS_WELL;
        if self.rests_until.is_some_and(is_well) {
            *self = Self::default();
        }
    }

    pub(super) fn rest_left(&self) -> Option<Duration> {
        let left = self.rests_until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    pub(super) fn is_hopeless(&self) -> bool {
        self.n_rests > MAX_STORE_RESTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_the_same_moment_are_one_rest() {
        let mut store = StoreHealth::default();

        for _ in 0..20 {
            store.note_failure(StoreError::Full {
                store: "full.db".into(),
            });
        }
        store.note_success();

        assert_eq!(store.n_rests, 1);
        assert!(!store.is_hopeless());
        assert!(
            store.rest_left().is_some(),
            "a success beside them ends no rest"
        );
    }
}

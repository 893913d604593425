//! When is a feed due next? Pure.

use std::time::Duration;

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

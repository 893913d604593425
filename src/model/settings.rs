//! What a feed list may say about one feed.

use std::time::Duration;

/// Wishes for one feed; everything absent follows the general settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedSettings {
    /// Time between polls, instead of `[schedule] default_interval`.
    pub interval: Option<Duration>,
    /// Whether to fetch the pages of its entries. `Some(false)` keeps only what the feed says.
    pub scrape: Option<bool>,
    /// `User-Agent` for this feed and its pages.
    pub user_agent: Option<String>,
    /// Further request headers, name and value, for the feed's own host.
    pub headers: Vec<(String, String)>,
}

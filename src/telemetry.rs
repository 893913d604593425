//! Telling people what happens: logs, progress, the service manager.

use std::sync::atomic::AtomicU64;

/// `[log]` of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How a line looks.
    pub format: Format,
    /// `error`, `warn`, `info`, `debug`, or a filter like `info,wireroom::fetch=debug`. Default `info`.
    pub level: Option<String>,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What the daemon has done since it started. Written by `ingest`, read by whoever shows it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Polls that were recorded.
    pub polls: AtomicU64,
    /// Polls that failed.
    pub failed_polls: AtomicU64,
    /// New articles heard of.
    pub announced: AtomicU64,
    /// Articles whose page was saved.
    pub saved: AtomicU64,
    /// Pages that failed.
    pub failed_pages: AtomicU64,
    /// Feeds due and not yet polled.
    pub due_feeds: AtomicU64,
    /// Pages due and not yet scraped.
    pub due_pages: AtomicU64,
}

//! Telling people what happens: logs, progress, the service manager.
//!
//! [`init`] sends the log to the standard error stream, [`StatusLine`] keeps a live line
//! below it on a terminal, [`TaskLine`] one for a single task, and [`service`] talks to systemd. The names of log fields are
//! documented in `docs/operations.md`.

mod line;
mod output;
pub mod service;
mod status_line;
mod task_line;

use std::str::FromStr;
use std::sync::atomic::AtomicU64;

use tracing_subscriber::EnvFilter;

pub use line::{Style, escape, steers};
pub use output::{InitError, Logs, Verbosity, init};
pub use status_line::StatusLine;
pub use task_line::TaskLine;

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

impl Format {
    /// The name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl FromStr for Format {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
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
    /// Results that came after their shard had gone to another worker, who does the work again.
    pub fenced: AtomicU64,
    /// Feeds due and not yet polled.
    pub due_feeds: AtomicU64,
    /// Pages due and not yet scraped.
    pub due_pages: AtomicU64,
}

/// The words that stand for a level on their own.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Whether `level` is a level or a filter.
///
/// # Errors
/// The reason why not, for a person.
pub fn check_level(level: &str) -> Result<(), String> {
    filter(level).map(drop).map_err(|reason| {
        format!(
            "{level:?} is not error, warn, info, debug, trace, or a filter like \"info,wireroom::fetch=debug\" ({reason})"
        )
    })
}

/// The filter for a level. A level on its own is meant for us; the crates below us speak
/// from one level above it, so that `info` is the life of feeds and not of connections.
fn filter(level: &str) -> Result<EnvFilter, String> {
    let level = level.trim();
    let directives = match LEVELS.iter().position(|known| *known == level) {
        Some(0) => "off".to_owned(),
        // html5ever warns of each oddity of a page that it reads past.
        Some(at) => format!(
            "{},html5ever=error,wireroom={level}",
            LEVELS[at.saturating_sub(1).max(1)]
        ),
        None if level.contains(['=', ',']) => level.to_owned(),
        None => return Err("unknown level".to_owned()),
    };
    EnvFilter::try_new(directives).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_alone_is_meant_for_us() {
        assert_eq!(
            filter("info").unwrap().to_string(),
            "html5ever=error,wireroom=info,warn"
        );
        assert_eq!(
            filter("error").unwrap().to_string(),
            "html5ever=error,wireroom=error,error"
        );
    }

    #[test]
    fn filters_are_taken_as_they_are_and_nonsense_is_refused() {
        assert_eq!(check_level("warn,wireroom::fetch=debug"), Ok(()));
        assert!(check_level("loud").is_err());
        assert!(check_level("info,=").is_err() || check_level("wireroom=loud").is_err());
        assert!(check_level("").is_err());
    }

    #[test]
    fn formats_are_found_by_their_names() {
        for format in [Format::Text, Format::Json] {
            assert_eq!(format.name().parse(), Ok(format));
        }
        assert_eq!("xml".parse::<Format>(), Err(()));
    }
}

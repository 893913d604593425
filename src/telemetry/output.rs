//! Where log lines go: the standard error stream, around the status line if there is one.

use std::io::{self, IsTerminal as _};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::line::{Line, Style};
use super::{Format, Settings, filter};

/// How much the person at the command line wants to hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// `--quiet`: errors only.
    Quiet,
    /// What the configuration says.
    #[default]
    Normal,
    /// `--verbose`: the work on each feed and page as well.
    Verbose,
    /// `--verbose` twice: whatever there is, the libraries below us included.
    VeryVerbose,
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// `[log] level` is neither a level nor a filter.
    #[error("log level: {0}")]
    Level(String),
    /// The process logs already.
    #[error("the log was set up before")]
    Twice,
}

/// The log of the process: cheap clones of the one place where lines go.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    /// The status line that log lines must not tear, while there is one. Written by
    /// [`StatusLine`](super::StatusLine).
    bar: Arc<Mutex<Option<ProgressBar>>>,
}

/// Sends the log of this process to the standard error stream.
///
/// The level is `[log] level` (default `info`), unless `verbosity` asks for less or more.
///
/// # Errors
/// [`InitError`] when the level is none, or the process logs already.
pub fn init(settings: &Settings, verbosity: Verbosity) -> Result<Logs, InitError> {
    let level = match verbosity {
        Verbosity::Quiet => "error",
        Verbosity::Normal => settings.level.as_deref().unwrap_or("info"),
        Verbosity::Verbose => "debug",
        Verbosity::VeryVerbose => "trace,wireroom=trace",
    };
    let logs = Logs::default();
    let layer = tracing_subscriber::fmt::layer()
        .event_format(Line(style(settings.format)))
        .with_writer(logs.clone());
    tracing_subscriber::registry()
        .with(filter(level).map_err(InitError::Level)?)
        .with(layer)
        .try_init()
        .map_err(|_| InitError::Twice)?;
    Ok(logs)
}

/// For whom the lines are, by the configuration and by what standard error is.
fn style(format: Format) -> Style {
    match format {
        Format::Json => Style::Json,
        Format::Text if is_journal() => Style::Journal,
        Format::Text if is_colored() => Style::Colored,
        Format::Text => Style::Plain,
    }
}

/// Whether standard error leads to the journal: `JOURNAL_STREAM` names its device and inode
/// (systemd.exec(5)).
fn is_journal() -> bool {
    let Some(named) = std::env::var("JOURNAL_STREAM").ok() else {
        return false;
    };
    rustix::fs::fstat(io::stderr())
        .is_ok_and(|stat| named == format!("{}:{}", stat.st_dev, stat.st_ino))
}

fn is_colored() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stderr().is_terminal() && !is_set("NO_COLOR") && !is_dumb
}

impl Logs {
    /// Puts the status line in front of which lines are to appear, or takes it away.
    pub(super) fn set_bar(&self, bar: Option<ProgressBar>) {
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }

    /// The status line, if there is one.
    fn bar(&self) -> Option<ProgressBar> {
        self.bar
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = LineWriter;

    fn make_writer(&'a self) -> LineWriter {
        LineWriter { bar: self.bar() }
    }
}

/// Writes one line, with the status line out of its way.
#[derive(Debug)]
pub struct LineWriter {
    bar: Option<ProgressBar>,
}

impl io::Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // One lock, one write: lines of several threads do not mix. A closed standard
        // error must not stop the daemon, and there is nobody left to tell.
        let write = || {
            let _ = io::stderr().lock().write_all(line);
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

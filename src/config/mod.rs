//! What the operator asked for: the configuration file, environment, defaults, checks.

use std::path::{Path, PathBuf};

use crate::{fetch, ingest, schedule, store, telemetry};

/// Everything that can be set, with defaults filled in.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it was read from; `None` when no file was found and the defaults stand.
    pub file: Option<PathBuf>,
    /// Files and globs of feed lists, relative ones against the configuration file's folder.
    pub feeds: Vec<String>,
    /// `[store]`.
    pub store: store::Settings,
    /// `[schedule]`.
    pub schedule: schedule::Settings,
    /// `[fetch]`.
    pub fetch: fetch::Settings,
    /// `[ingest]`.
    pub ingest: ingest::Settings,
    /// `[log]`.
    pub log: telemetry::Settings,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {reason}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is not right.
    #[error("{}:{line}:{column}: {reason}", file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// Line, 1 and up.
        line: usize,
        /// Column, 1 and up.
        column: usize,
        /// What is wrong, and the nearest known key where that helps.
        reason: String,
    },
    /// An environment variable is not right.
    #[error("environment variable {name}: {reason}")]
    Environment {
        /// The variable.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

/// Finds and reads the configuration: `path` if given, else the search order of
/// `docs/configuration.md`; then the environment's overrides (`WIREROOM__SECTION__KEY`).
///
/// # Errors
/// [`ConfigError`].
pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
    let _ = path;
    unimplemented!()
}

/// Reads all feed lists that the configuration names.
///
/// # Errors
/// [`ConfigError`] for the first file that cannot be read: then nothing is to be changed.
pub fn read_lists(config: &Config) -> Result<Lists, ConfigError> {
    let _ = config;
    unimplemented!()
}

/// The feed lists, read.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    /// One per file.
    pub sources: Vec<store::SourceList>,
    /// What was left out, and why: file, line, reason, as text for people.
    pub notices: Vec<String>,
}

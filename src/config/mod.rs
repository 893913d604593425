//! What the operator asked for: the configuration file, environment, defaults, checks.
//!
//! [`load`] is what the daemon and the commands call. Below it lie, in this order:
//! where the file is (`locate`), which keys there are and what they mean (`keys`), how
//! a value is read (`values`), how a file and the environment set them (`file`,
//! `environment`), how a database is reached (`database`), what is allowed but unwise (`advice`), and the feed lists that the
//! configuration names (`lists`).

mod advice;
mod database;
mod environment;
mod file;
mod keys;
mod lists;
mod locate;
mod source;
mod suggest;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::{fetch, ingest, schedule, store, telemetry};

pub use advice::check;
pub use database::DatabaseKeys;
pub use environment::Environment;
pub use lists::{Lists, examine_lists, read_lists};

/// Everything that can be set, with defaults filled in.
#[derive(Clone)]
pub struct Config {
    /// The file it was read from, as an absolute path; `None` when no file was found and the
    /// defaults stand.
    pub file: Option<PathBuf>,
    /// Files and globs of feed lists, relative ones against the configuration file's folder.
    pub feeds: Vec<String>,
    /// `[store]`.
    pub store: store::Settings,
    /// The keys of `[store]` beside its URL, as they were given.
    pub database: DatabaseKeys,
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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
        /// Column in characters, 1 and up.
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

impl ConfigError {
    /// The name of the case, as JSON and `docs/errors.md` give it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Read { .. } => "read",
            Self::Wrong { .. } => "wrong",
            Self::Environment { .. } => "environment",
        }
    }

    /// By this, errors are in order: by file, line and column, then the environment's.
    fn place(&self) -> (bool, &Path, usize, usize) {
        match self {
            Self::Read { file, .. } => (false, file, 0, 0),
            Self::Wrong {
                file, line, column, ..
            } => (false, file, *line, *column),
            Self::Environment { .. } => (true, Path::new(""), 0, 0),
        }
    }
}

/// Finds and reads the configuration: `path` if given, else the search order of
/// `docs/configuration.md`; then the environment's overrides (`WIREROOM__SECTION__KEY`).
///
/// # Errors
/// [`ConfigError`], the first one found; [`examine`] gives them all.
pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
    let examined = examine(path, &Environment::of_process());
    match examined.errors.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(examined.config),
    }
}

/// Reads the configuration like [`load`], but in a given environment, and goes on behind
/// errors: what could not be read keeps its default.
#[must_use]
pub fn examine(path: Option<&Path>, environment: &Environment) -> Examined {
    let mut draft = file::Draft::new();
    match locate::find(path, environment) {
        Ok(Some(file)) => draft.read_file(&environment.absolute(&file)),
        Ok(None) => {}
        Err(error) => draft.errors.push(error),
    }
    draft.read_environment(environment);
    draft.finish(environment)
}

/// A configuration, where each of its values comes from, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The configuration; only to be used when `errors` is empty.
    pub config: Config,
    /// Who set which key, by `section.key`; keys that nobody set are absent.
    pub origins: BTreeMap<String, Origin>,
    /// Everything that is wrong, the file's in order of lines, then the environment's.
    pub errors: Vec<ConfigError>,
}

/// Who set a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The configuration file.
    File {
        /// The file.
        file: PathBuf,
        /// Line, 1 and up.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line } => write!(f, "{}:{line}", file.display()),
            Self::Environment { name } => f.write_str(name),
        }
    }
}

/// One key with its effective value.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The section; empty for keys above all sections.
    pub section: &'static str,
    /// The key within it.
    pub name: &'static str,
    /// The value as TOML; `None` when it is not set and there is no default.
    /// A password in a URL is replaced by `***`.
    pub value: Option<toml::Value>,
}

impl Setting {
    /// The key with its section: `fetch.host_gap`.
    #[must_use]
    pub fn path(&self) -> String {
        keys::path(self.section, self.name)
    }
}

impl Config {
    /// All keys with their effective values, in the order of `config/wireroom.toml`.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        keys::KEYS
            .iter()
            .map(|key| Setting {
                section: key.section,
                name: key.name,
                value: (key.show)(self),
            })
            .collect()
    }

    /// The folder against which relative paths are resolved: the configuration file's, or
    /// the working directory (`.`) when there is no file.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self.file.as_deref().and_then(Path::parent) {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }
}

/// Shows the values as `config show` does, so that no password gets into a log.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = f.debug_struct("Config");
        all.field("file", &self.file);
        for setting in self.settings() {
            let value = setting.value.as_ref().map(|value| value.to_string());
            all.field(&setting.path(), &value);
        }
        all.finish()
    }
}

//! What the process's environment says: where files are, and overrides of single keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What begins the name of a variable that overrides a key: `WIREROOM__FETCH__HOST_GAP`.
pub(super) const PREFIX: &str = "WIREROOM__";

/// The environment that a configuration is read in.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The working directory.
    directory: PathBuf,
    /// Variables by name.
    variables: BTreeMap<String, String>,
    /// Names of variables of ours whose value is not UTF-8.
    unreadable: Vec<String>,
}

impl Environment {
    /// An environment of the given variables alone, in the given working directory.
    #[must_use]
    pub fn new<'a>(
        directory: impl Into<PathBuf>,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        Self {
            directory: directory.into(),
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            unreadable: Vec::new(),
        }
    }

    /// The environment of this process. Variables whose name or value is not UTF-8 are
    /// left out, and those of ours are remembered as errors.
    #[must_use]
    pub fn of_process() -> Self {
        let mut environment = Self::new(std::env::current_dir().unwrap_or_else(|_| ".".into()), []);
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else {
                continue;
            };
            match value.into_string() {
                Ok(value) => {
                    environment.variables.insert(name, value);
                }
                Err(_) if name.starts_with(PREFIX) => environment.unreadable.push(name),
                Err(_) => {}
            }
        }
        environment
    }

    /// The working directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A path that means the same in every working directory, without `.` in it. The names
    /// of lists are kept in the store, so that one file should have one name.
    pub(super) fn absolute(&self, path: &Path) -> PathBuf {
        self.directory.join(path).components().collect()
    }

    /// A variable that is set and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The variables that override keys, in alphabetical order.
    pub(super) fn overrides(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables
            .iter()
            .filter(|(name, _)| name.starts_with(PREFIX))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Names of overrides whose value is not UTF-8.
    pub(super) fn unreadable(&self) -> &[String] {
        &self.unreadable
    }
}

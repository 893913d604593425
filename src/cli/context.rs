//! What every command is given.

use std::path::PathBuf;

use anyhow::Context as _;
use jiff::Timestamp;
use wireroom::config::{self, Config};
use wireroom::store::{Access, Store, StoreError};
use wireroom::telemetry::{self, Verbosity};

use super::{Cli, LogForm};

/// The global flags, and what commands make of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    /// `--config`.
    pub(crate) config_path: Option<PathBuf>,
    /// `--log`.
    pub(crate) log: Option<telemetry::Format>,
    /// How often `--verbose` was said.
    pub(crate) verbose: u8,
    /// Whether `--quiet` was said: no words but errors.
    pub(crate) quiet: bool,
}

impl Context {
    pub(super) fn new(cli: &Cli) -> Self {
        Self {
            config_path: cli.config.clone(),
            log: cli.log.map(|form| match form {
                LogForm::Text => telemetry::Format::Text,
                LogForm::Json => telemetry::Format::Json,
            }),
            verbose: cli.verbose,
            quiet: cli.quiet,
        }
    }

    /// The configuration, with `--log` over it.
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        let mut config = config::load(self.config_path.as_deref())?;
        if let Some(format) = self.log {
            config.log.format = format;
        }
        Ok(config)
    }

    /// A runtime for one command: its own thread, and threads for blocking work as needed.
    pub(crate) fn runtime(&self) -> anyhow::Result<tokio::runtime::Runtime> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("start the runtime")
    }

    /// The store that the configuration names.
    pub(crate) async fn store(&self, access: Access) -> anyhow::Result<Store> {
        let config = self.config()?;
        Ok(Store::open(&config.store, access).await?)
    }

    /// The same for reading, or `None` when there is no store yet.
    pub(crate) async fn store_if_any(&self) -> anyhow::Result<Option<Store>> {
        let config = self.config()?;
        match Store::open(&config.store, Access::Reader).await {
            Ok(store) => Ok(Some(store)),
            Err(StoreError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// How much is to be logged.
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::VeryVerbose,
        }
    }

    /// The present time: the clock is read here and nowhere else in the commands.
    #[expect(clippy::disallowed_methods, reason = "the clock of the command line")]
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Words for people, unless `--quiet`.
    pub(crate) fn say(&self, words: impl std::fmt::Display) {
        if !self.quiet {
            super::output::say(words);
        }
    }
}

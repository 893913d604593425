//! Every key: its section, its name, how it is set, how it is shown.
//!
//! The one list that the file, the environment, `config show`, the suggestions for
//! misspelt keys and the tests of the documentation all read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use toml::Value as Shown;
use url::Url;

use super::Config;
use super::values::{Given, resolve, show_bytes, show_duration, show_network, show_url};
use crate::store::{PostgresSettings, Settings};
use crate::telemetry;

/// One key.
pub(super) struct Key {
    /// Its section; empty for keys above all sections.
    pub(super) section: &'static str,
    /// Its name within the section.
    pub(super) name: &'static str,
    /// Whether an empty environment variable unsets it.
    pub(super) optional: bool,
    /// Reads a value into the configuration, or says why not.
    pub(super) set: fn(&mut Config, &Given<'_>) -> Result<(), String>,
    /// Takes the value back to what it is when nobody sets it.
    pub(super) unset: fn(&mut Config),
    /// The effective value; `None` when not set and without a default.
    pub(super) show: fn(&Config) -> Option<Shown>,
}

impl Key {
    /// The key with its section: `fetch.host_gap`.
    pub(super) fn path(&self) -> String {
        path(self.section, self.name)
    }

    /// The variable that overrides it: `WIREROOM__FETCH__HOST_GAP`.
    pub(super) fn variable(&self) -> String {
        let path = self.path().replace('.', "__").to_uppercase();
        format!("{}{path}", super::environment::PREFIX)
    }
}

/// A key with its section: `fetch.host_gap`, or `feeds` alone.
pub(super) fn path(section: &str, name: &str) -> String {
    if section.is_empty() {
        name.to_owned()
    } else {
        format!("{section}.{name}")
    }
}

/// The names of all sections, each once.
pub(super) fn sections() -> Vec<&'static str> {
    let mut sections: Vec<&str> = KEYS.iter().map(|key| key.section).collect();
    sections.dedup();
    sections.retain(|section| !section.is_empty());
    sections
}

/// The list files when nobody names any. These, and only these, may be missing.
pub(super) fn default_feeds() -> Vec<String> {
    vec!["feeds.opml".to_owned(), "feeds.d/*".to_owned()]
}

/// A key that is a field of a section's settings: where it is, who reads it, who shows it.
/// With `optional`, the field is an `Option` and the key need not have a value.
macro_rules! key {
    ($section:ident . $name:ident, $read:expr, $show:expr) => {
        Key {
            section: stringify!($section),
            name: stringify!($name),
            optional: false,
            set: |config, given| {
                config.$section.$name = $read(given)?;
                Ok(())
            },
            unset: |_| {},
            show: |config| Some($show(&config.$section.$name)),
        }
    };
    (optional $section:ident . $name:ident, $read:expr, $show:expr) => {
        Key {
            section: stringify!($section),
            name: stringify!($name),
            optional: true,
            set: |config, given| {
                config.$section.$name = Some($read(given)?);
                Ok(())
            },
            unset: |config| config.$section.$name = None,
            show: |config| config.$section.$name.as_ref().map(|value| $show(value)),
        }
    };
}

/// All keys, in the order of `config/wireroom.toml`.
pub(super) const KEYS: &[Key] = &[
    Key {
        section: "",
        name: "feeds",
        optional: false,
        set: set_feeds,
        unset: |_| {},
        show: |config| Some(texts(&config.feeds)),
    },
    Key {
        section: "store",
        name: "url",
        optional: false,
        set: |config, given| {
            config.store = store_settings(given)?;
            Ok(())
        },
        unset: |_| {},
        show: |config| Some(config.store.to_string().into()),
    },
    Key {
        section: "store",
        name: "password_file",
        optional: true,
        set: |config, given| {
            config.database.password_file = Some(given.path()?);
            Ok(())
        },
        unset: |config| config.database.password_file = None,
        show: |config| config.database.password_file.as_deref().map(path_text),
    },
    Key {
        section: "store",
        name: "ca_file",
        optional: true,
        set: |config, given| {
            config.database.ca_file = Some(ca_file(given)?);
            Ok(())
        },
        unset: |config| config.database.ca_file = None,
        show: |config| config.database.ca_file.as_deref().map(path_text),
    },
    Key {
        section: "store",
        name: "lease",
        optional: true,
        set: |config, given| {
            config.database.lease = Some(lease(given)?);
            Ok(())
        },
        unset: |config| config.database.lease = None,
        show: |config| match &config.store {
            Settings::Postgres(settings) => Some(span(&settings.lease)),
            Settings::Sqlite(_) => config.database.lease.as_ref().map(span),
        },
    },
    key!(schedule.default_interval, interval, span),
    key!(schedule.min_interval, interval, span),
    key!(schedule.max_interval, interval, span),
    key!(optional fetch.contact, Given::header_text, text),
    key!(optional fetch.user_agent, Given::header_text, text),
    key!(fetch.host_gap, host_gap, span),
    key!(fetch.max_connections, connections, count),
    key!(fetch.timeout, wait, span),
    key!(fetch.connect_timeout, wait, span),
    key!(fetch.max_feed_bytes, Given::bytes, bytes),
    key!(fetch.max_page_bytes, Given::bytes, bytes),
    key!(fetch.max_redirects, redirects, count),
    key!(fetch.robots, Given::flag, flag),
    key!(fetch.allow_private, Given::networks, networks),
    key!(optional fetch.proxy, proxy, url),
    key!(optional fetch.ca_file, ca_file, path_text),
    key!(ingest.polls, tasks, count),
    key!(ingest.scrapes, tasks, count),
    key!(ingest.min_words, words, count),
    key!(log.format, log_format, format),
    Key {
        section: "log",
        name: "level",
        optional: true,
        set: |config, given| {
            let level = given.text()?;
            telemetry::check_level(&level)?;
            config.log.level = Some(level);
            Ok(())
        },
        unset: |config| config.log.level = None,
        show: |config| Some(config.log.level.as_deref().unwrap_or("info").into()),
    },
];

fn set_feeds(config: &mut Config, given: &Given<'_>) -> Result<(), String> {
    let patterns = given.texts()?;
    for pattern in &patterns {
        resolve(pattern, given.folder)?;
        glob::Pattern::new(pattern).map_err(|error| format!("{pattern:?}: {error}"))?;
    }
    // A file's lists start from its folder, which `read_lists` knows; a variable's start
    // from the working directory, which only we know.
    config.feeds = match given.value {
        super::values::Value::Toml(_) => patterns,
        super::values::Value::Text(_) => patterns
            .iter()
            .map(|pattern| given.folder.join(pattern).to_string_lossy().into_owned())
            .collect(),
    };
    Ok(())
}

fn store_settings(given: &Given<'_>) -> Result<Settings, String> {
    // A URL that is wrong is not repeated: it may hold a password.
    let url = given.text()?;
    let Some((scheme, rest)) = url.split_once(':') else {
        return Err(format!("{url:?} has no scheme; write \"sqlite:{url}\""));
    };
    match scheme {
        "sqlite" => sqlite_path(rest, given.folder).map(Settings::Sqlite),
        "postgres" | "postgresql" => PostgresSettings::new(&url).map(Settings::Postgres),
        other => Err(format!(
            "{other:?} is no store that we know; use \"sqlite:PATH\" or \"postgres://USER@HOST/DATABASE\""
        )),
    }
}

fn sqlite_path(rest: &str, folder: &Path) -> Result<PathBuf, String> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path == ":memory:" || path.contains('?') {
        return Err("must name a file: \"sqlite:PATH\", without parameters".into());
    }
    if path.ends_with('/') {
        return Err(format!("{path:?} is a folder; add the file's name"));
    }
    resolve(path, folder)
}

fn lease(given: &Given<'_>) -> Result<Duration, String> {
    within(
        given.duration()?,
        Duration::from_secs(1),
        Duration::from_secs(3600),
    )
}

fn interval(given: &Given<'_>) -> Result<Duration, String> {
    within(
        given.duration()?,
        Duration::from_secs(1),
        Duration::from_secs(366 * 24 * 3600),
    )
}

fn wait(given: &Given<'_>) -> Result<Duration, String> {
    within(
        given.duration()?,
        Duration::from_millis(1),
        Duration::from_secs(3600),
    )
}

fn host_gap(given: &Given<'_>) -> Result<Duration, String> {
    within(given.duration()?, Duration::ZERO, Duration::from_secs(3600))
}

fn within(span: Duration, least: Duration, most: Duration) -> Result<Duration, String> {
    if (least..=most).contains(&span) {
        return Ok(span);
    }
    let (least, most) = (show_duration(least), show_duration(most));
    Err(format!("must be from {least} to {most}"))
}

fn connections(given: &Given<'_>) -> Result<usize, String> {
    given.count(1..=1024)
}

fn redirects(given: &Given<'_>) -> Result<usize, String> {
    given.count(0..=20)
}

fn tasks(given: &Given<'_>) -> Result<usize, String> {
    given.count(1..=256)
}

fn words(given: &Given<'_>) -> Result<usize, String> {
    given.count(0..=1000)
}

fn proxy(given: &Given<'_>) -> Result<Url, String> {
    // The text is not repeated: it may hold a password.
    let url = Url::parse(&given.text()?).map_err(|error| format!("is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err("must be an http:// or https:// URL with a host".into());
    }
    Ok(url)
}

fn ca_file(given: &Given<'_>) -> Result<PathBuf, String> {
    let path = given.path()?;
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    if text.contains("-----BEGIN CERTIFICATE-----") {
        Ok(path)
    } else {
        Err(format!("{} holds no certificate in PEM", path.display()))
    }
}

fn log_format(given: &Given<'_>) -> Result<telemetry::Format, String> {
    let name = given.text()?;
    name.parse()
        .map_err(|()| format!("{name:?} is not \"text\" or \"json\""))
}

fn span(span: &Duration) -> Shown {
    show_duration(*span).into()
}

fn bytes(bytes: &u64) -> Shown {
    show_bytes(*bytes).into()
}

fn count(count: &usize) -> Shown {
    Shown::Integer(i64::try_from(*count).unwrap_or(i64::MAX))
}

fn text(text: &str) -> Shown {
    text.into()
}

fn texts(texts: &[String]) -> Shown {
    Shown::Array(texts.iter().map(|text| text.as_str().into()).collect())
}

fn networks(networks: &[IpNet]) -> Shown {
    Shown::Array(
        networks
            .iter()
            .map(|network| show_network(network).into())
            .collect(),
    )
}

fn flag(flag: &bool) -> Shown {
    Shown::Boolean(*flag)
}

fn url(url: &Url) -> Shown {
    show_url(url).into()
}

fn path_text(path: &Path) -> Shown {
    path.to_string_lossy().as_ref().into()
}

fn format(format: &telemetry::Format) -> Shown {
    format.name().into()
}

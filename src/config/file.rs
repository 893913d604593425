//! From a file and the environment to a configuration, with every error in its place.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::database::DatabaseKeys;
use super::environment::Environment;
use super::keys::{self, KEYS, Key};
use super::source::{Source, read_limited};
use super::suggest::{unknown, unknown_variable};
use super::values::{Given, Value, show_duration};
use super::{Config, ConfigError, Examined, Origin, locate};
use crate::store;

/// Largest configuration file, in bytes. Ours has a few thousand.
const MAX_BYTES: u64 = 1 << 20;

/// A configuration on its way.
pub(super) struct Draft {
    config: Config,
    origins: BTreeMap<String, Origin>,
    /// What is wrong so far.
    pub(super) errors: Vec<ConfigError>,
    /// Where in the file each key stands, to place errors that concern several keys.
    places: BTreeMap<String, (usize, usize)>,
}

impl Draft {
    /// The defaults, without a place for the store.
    pub(super) fn new() -> Self {
        let config = Config {
            file: None,
            feeds: keys::default_feeds(),
            store: store::Settings::Sqlite(PathBuf::new()),
            database: DatabaseKeys::default(),
            schedule: Default::default(),
            fetch: Default::default(),
            ingest: Default::default(),
            log: Default::default(),
        };
        Self {
            config,
            origins: BTreeMap::new(),
            errors: Vec::new(),
            places: BTreeMap::new(),
        }
    }

    /// Takes over what a file says.
    pub(super) fn read_file(&mut self, file: &Path) {
        self.config.file = Some(file.to_owned());
        let bytes = match read_limited(file, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(reason) => {
                let file = file.to_owned();
                return self.errors.push(ConfigError::Read { file, reason });
            }
        };
        let source = match Source::new(file, &bytes) {
            Ok(source) => source,
            Err(error) => return self.errors.push(error),
        };
        let (table, syntax_errors) = DeTable::parse_recoverable(&source.text);
        // The first one only: those behind it come from reading on at a guess.
        let first = syntax_errors
            .iter()
            .min_by_key(|error| error.span().map_or(0, |at| at.start));
        if let Some(error) = first {
            let at = error.span().unwrap_or(0..0);
            self.errors.push(source.wrong(at, error.message()));
        }
        // What a faulty file seems to say would only bring errors that are none.
        if syntax_errors.is_empty() {
            self.read_table(&source, table.get_ref());
        }
    }

    fn read_table(&mut self, source: &Source<'_>, table: &DeTable<'_>) {
        let mut errors = Vec::new();
        for (name, value) in table {
            match value.get_ref() {
                DeValue::Table(section) if keys::sections().contains(&name.get_ref().as_ref()) => {
                    for (key, value) in section {
                        errors.extend(self.read_key(source, name.get_ref(), key, value));
                    }
                }
                _ => errors.extend(self.read_key(source, "", name, value)),
            }
        }
        errors.sort_by_key(|(at, _)| *at);
        self.errors
            .extend(errors.into_iter().map(|(_, error)| error));
    }

    /// Takes over one key of the file; gives the error and its place if it cannot.
    fn read_key(
        &mut self,
        source: &Source<'_>,
        section: &str,
        name: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<(usize, ConfigError)> {
        let Some(key) = find(section, name.get_ref()) else {
            let reason = unknown(section, name.get_ref(), value.get_ref());
            return Some((name.span().start, source.wrong(name.span(), &reason)));
        };
        let (line, column) = source.place(name.span().start);
        let given = Given {
            value: Value::Toml(value.get_ref()),
            folder: source.folder(),
        };
        let file = source.file.to_owned();
        self.origins.insert(key.path(), Origin::File { file, line });
        self.places.insert(key.path(), (line, column));
        let reason = (key.set)(&mut self.config, &given).err()?;
        let reason = format!("{}: {reason}", key.path());
        Some((value.span().start, source.wrong(value.span(), &reason)))
    }

    /// Takes over what the environment says, over what the file said.
    pub(super) fn read_environment(&mut self, environment: &Environment) {
        for name in environment.unreadable() {
            self.environment_error(name, "is not UTF-8");
        }
        for (name, text) in environment.overrides() {
            let Some(key) = KEYS.iter().find(|key| key.variable() == name) else {
                self.environment_error(name, &unknown_variable(name));
                continue;
            };
            let given = Given {
                value: Value::Text(text),
                folder: environment.directory(),
            };
            let outcome = if text.is_empty() && key.optional {
                (key.unset)(&mut self.config);
                Ok(())
            } else {
                (key.set)(&mut self.config, &given)
            };
            match outcome {
                Ok(()) => {
                    let name = name.to_owned();
                    self.origins
                        .insert(key.path(), Origin::Environment { name });
                }
                Err(reason) => self.environment_error(name, &reason),
            }
        }
    }

    fn environment_error(&mut self, name: &str, reason: &str) {
        self.errors.push(ConfigError::Environment {
            name: name.to_owned(),
            reason: reason.to_owned(),
        });
    }

    /// Checks what concerns several keys, and finds a place for the store.
    pub(super) fn finish(mut self, environment: &Environment) -> Examined {
        self.settle_intervals();
        self.settle_store(environment);
        self.errors.sort_by(|a, b| a.place().cmp(&b.place()));
        Examined {
            config: self.config,
            origins: self.origins,
            errors: self.errors,
        }
    }

    /// Finds a place for a store that nobody named, and completes how a database is reached.
    fn settle_store(&mut self, environment: &Environment) {
        let wrong = match &mut self.config.store {
            store::Settings::Sqlite(path) if path.as_os_str().is_empty() => {
                match locate::default_store(self.config.file.as_deref(), environment) {
                    Ok(found) => *path = found,
                    Err(error) if !self.origins.contains_key("store.url") => {
                        self.errors.push(error);
                    }
                    Err(_) => {}
                }
                return;
            }
            store::Settings::Sqlite(_) => return,
            store::Settings::Postgres(settings) => {
                let timeout = self.config.fetch.timeout;
                self.config
                    .database
                    .complete(settings, timeout, environment)
            }
        };
        if let Err((key, reason)) = wrong {
            self.wrong_together(key, &reason);
        }
    }

    /// An interval that nobody set gives way to those that somebody set; two that are set
    /// must be in order.
    fn settle_intervals(&mut self) {
        let set = |name: &str| self.origins.contains_key(&keys::path("schedule", name));
        let (least, usual, most) = (
            set("min_interval"),
            set("default_interval"),
            set("max_interval"),
        );
        let schedule = &mut self.config.schedule;
        let wished = [
            (least, schedule.min_interval),
            (usual, schedule.default_interval),
            (most, schedule.max_interval),
        ];
        for (_, span) in wished.into_iter().filter(|(is_set, _)| *is_set) {
            if !least {
                schedule.min_interval = schedule.min_interval.min(span);
            }
            if !most {
                schedule.max_interval = schedule.max_interval.max(span);
            }
        }
        if !usual {
            schedule.default_interval = schedule
                .default_interval
                .max(schedule.min_interval)
                .min(schedule.max_interval);
        }
        self.check_intervals();
    }

    fn check_intervals(&mut self) {
        let schedule = &self.config.schedule;
        let (least, usual, most) = (
            ("min_interval", schedule.min_interval),
            ("default_interval", schedule.default_interval),
            ("max_interval", schedule.max_interval),
        );
        for (small, large) in [(least, most), (least, usual), (usual, most)] {
            if small.1 > large.1 {
                return self.disordered(small, large);
            }
        }
    }

    /// Places the error at the second of two keys that are both set.
    fn disordered(&mut self, small: (&str, Duration), large: (&str, Duration)) {
        let reason = format!(
            "schedule.{} ({}) must not be longer than schedule.{} ({})",
            small.0,
            show_duration(small.1),
            large.0,
            show_duration(large.1),
        );
        self.wrong_together(&keys::path("schedule", large.0), &reason);
    }

    /// Places an error that concerns several keys at one of them, or at the head of the file
    /// when nobody set it.
    fn wrong_together(&mut self, path: &str, reason: &str) {
        let (line, column) = self.places.get(path).copied().unwrap_or((1, 1));
        match (self.origins.get(path).cloned(), self.config.file.clone()) {
            (Some(Origin::Environment { name }), _) => self.environment_error(&name, reason),
            (Some(Origin::File { file, .. }), _) | (None, Some(file)) => {
                let reason = reason.to_owned();
                self.errors.push(ConfigError::Wrong {
                    file,
                    line,
                    column,
                    reason,
                });
            }
            (None, None) => self.environment_error("WIREROOM__STORE__URL", reason),
        }
    }
}

fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter()
        .find(|key| key.section == section && key.name == name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::examine;
    use super::*;

    /// Reads a configuration from a text, in an environment of the given variables.
    fn read(text: &str, variables: &[(&str, &str)]) -> Examined {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wireroom.toml");
        fs::write(&file, text).unwrap();
        let mut all = vec![("HOME", "/home/ada")];
        all.extend(variables);
        let environment = Environment::new("/srv/news", all);
        examine(Some(&file), &environment)
    }

    /// The errors, each without the folder of its file.
    fn errors(examined: &Examined) -> Vec<String> {
        let short = |error: &ConfigError| match error {
            ConfigError::Wrong {
                line,
                column,
                reason,
                ..
            } => format!("{line}:{column}: {reason}"),
            other => other.to_string(),
        };
        examined.errors.iter().map(short).collect()
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        assert_eq!(errors(&read(text, &[])), [expected]);
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        let examined = read("", &[]);

        assert_eq!(errors(&examined), [""; 0]);
        assert_eq!(examined.config.fetch, Default::default());
        assert_eq!(examined.config.feeds, ["feeds.opml", "feeds.d/*"]);
        assert!(examined.origins.is_empty());
    }

    #[test]
    fn values_are_taken_over_with_the_line_that_gave_them() {
        let text = "feeds = [\"a.txt\"]\n[fetch]\nhost_gap = \"2s\"\ntimeout = 1.5\nmax_page_bytes = \"1 MiB\"\nallow_private = [\"127.0.0.1\"]\n[log]\nformat = \"json\"\n";

        let examined = read(text, &[]);

        assert_eq!(errors(&examined), [""; 0]);
        let config = &examined.config;
        assert_eq!(config.feeds, ["a.txt"]);
        assert_eq!(config.fetch.host_gap, Duration::from_secs(2));
        assert_eq!(config.fetch.timeout, Duration::from_millis(1500));
        assert_eq!(config.fetch.max_page_bytes, 1 << 20);
        assert_eq!(config.fetch.allow_private.len(), 1);
        assert!(matches!(
            &examined.origins["fetch.host_gap"],
            Origin::File { line: 3, .. }
        ));
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_the_nearest() {
        check_error(
            "[fetch]\nhost_gapp = 1\n",
            "2:1: unknown key fetch.host_gapp; did you mean host_gap?",
        );
        check_error(
            "[fetch]\n  polls = 1\n",
            "2:3: unknown key fetch.polls; did you mean polls in [ingest]?",
        );
        check_error(
            "[fetsch]\ntimeout = 1\n",
            "1:2: unknown section [fetsch]; did you mean [fetch]?",
        );
        check_error(
            "[log]\nfeeds = []\n",
            "2:1: unknown key log.feeds; feeds belongs above all sections",
        );
    }

    #[test]
    fn a_wrong_value_is_an_error_at_the_value() {
        check_error(
            "[ingest]\npolls = \"many\"\n",
            "2:9: ingest.polls: must be a whole number, not a string",
        );
        check_error(
            "[schedule]\nmin_interval = \"500ms\"\n",
            "2:16: schedule.min_interval: must be from 1s to 8784h",
        );
        check_error(
            "[store]\nurl = \"postgres://db\"\n",
            "2:7: store.url: names no database; write postgres://USER@HOST/DATABASE, or postgres://USER@/DATABASE?host=/run/postgresql for a Unix socket",
        );
        check_error(
            "[fetch]\nrobots = 1\n",
            "2:10: fetch.robots: must be true or false, not an integer",
        );
    }

    #[test]
    fn syntax_errors_have_their_place() {
        let examined = read("[fetch]\nhost_gap = \nfeeds = [\n[log]\n", &[]);

        assert_eq!(examined.errors.len(), 1);
        assert!(
            errors(&examined)[0].starts_with("2:1"),
            "{:?}",
            errors(&examined)
        );
    }

    #[test]
    fn all_errors_are_found_at_once_in_the_order_of_lines() {
        let examined = read("[log]\nformat = \"xml\"\n[fetch]\nproxi = \"\"\n", &[]);

        assert_eq!(
            errors(&examined),
            [
                "2:10: log.format: \"xml\" is not \"text\" or \"json\"",
                "4:1: unknown key fetch.proxi; did you mean proxy?"
            ]
        );
    }

    #[test]
    fn intervals_that_are_set_must_be_in_order() {
        check_error(
            "[schedule]\ndefault_interval = \"5m\"\nmin_interval = \"10m\"\n",
            "2:1: schedule.min_interval (10m) must not be longer than schedule.default_interval (5m)",
        );
        check_error(
            "[schedule]\nmin_interval = 20\nmax_interval = 10\n",
            "3:1: schedule.min_interval (20s) must not be longer than schedule.max_interval (10s)",
        );
    }

    #[test]
    fn intervals_that_nobody_set_give_way() {
        let cases = [
            ("default_interval = \"5m\"", [300, 300, 86_400]),
            ("default_interval = \"48h\"", [900, 172_800, 172_800]),
            ("min_interval = \"2h\"", [7_200, 7_200, 86_400]),
            ("min_interval = \"1s\"", [1, 3_600, 86_400]),
            ("max_interval = \"10s\"", [10, 10, 10]),
        ];
        for (line, seconds) in cases {
            let examined = read(&format!("[schedule]\n{line}\n"), &[]);

            assert_eq!(errors(&examined), [""; 0], "{line}");
            let schedule = examined.config.schedule;
            let spans = [
                schedule.min_interval,
                schedule.default_interval,
                schedule.max_interval,
            ];
            assert_eq!(spans.map(|span| span.as_secs()), seconds, "{line}");
        }
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let variables = [
            ("WIREROOM__FETCH__HOST_GAP", "0"),
            ("WIREROOM__STORE__URL", "sqlite:here.db"),
            ("WIREROOM__FEEDS", "a.opml, /etc/b.txt"),
            ("WIREROOM__FETCH__PROXY", ""),
        ];

        let examined = read(
            "[fetch]\nhost_gap = 5\nproxy = \"http://127.0.0.1:8080\"\n",
            &variables,
        );

        assert_eq!(errors(&examined), [""; 0]);
        assert_eq!(examined.config.fetch.host_gap, Duration::ZERO);
        assert_eq!(examined.config.fetch.proxy, None);
        assert_eq!(
            examined.config.store.to_string(),
            "sqlite:/srv/news/here.db"
        );
        assert_eq!(examined.config.feeds, ["/srv/news/a.opml", "/etc/b.txt"]);
        assert_eq!(
            examined.origins["store.url"].to_string(),
            "WIREROOM__STORE__URL"
        );
    }

    #[test]
    fn an_unknown_variable_of_ours_is_an_error() {
        let examined = read("", &[("WIREROOM__FETCH__HOSTGAP", "1s")]);

        assert_eq!(
            errors(&examined),
            [
                "environment variable WIREROOM__FETCH__HOSTGAP: names no key; did you mean WIREROOM__FETCH__HOST_GAP?"
            ]
        );
    }

    #[test]
    fn relative_paths_start_from_the_files_folder() {
        let examined = read("[store]\nurl = \"sqlite:data/news.db\"\n", &[]);

        let file = examined.config.file.clone().unwrap();
        assert_eq!(
            examined.config.store.file().unwrap(),
            file.parent().unwrap().join("data/news.db")
        );
    }

    #[test]
    fn a_relative_name_of_the_file_means_the_same_everywhere() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.toml"), "").unwrap();
        let environment = Environment::new(folder.path(), [("HOME", "/h")]);

        let examined = examine(Some(Path::new("./a.toml")), &environment);

        assert_eq!(examined.errors, []);
        assert_eq!(examined.config.file, Some(folder.path().join("a.toml")));
    }

    #[test]
    fn a_file_that_is_not_utf_8_is_refused_with_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wireroom.toml");
        fs::write(&file, b"# ok\n# caf\xe9\n").unwrap();

        let examined = examine(Some(&file), &Environment::new("/", [("HOME", "/h")]));

        assert_eq!(errors(&examined), ["2:6: the file is not UTF-8"]);
    }

    #[test]
    fn a_named_file_must_exist() {
        let examined = examine(
            Some(Path::new("/nowhere/wireroom.toml")),
            &Environment::new("/", [("HOME", "/h")]),
        );

        assert!(matches!(examined.errors[..], [ConfigError::Read { .. }]));
    }

    #[test]
    fn a_password_appears_neither_in_the_settings_nor_in_debug() {
        let examined = read("[fetch]\nproxy = \"http://ada:secret@proxy:1/\"\n", &[]);

        assert!(!format!("{:?}", examined.config).contains("secret"));
        assert!(!format!("{:?}", examined.config.settings()).contains("secret"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(\\[(fetch|log|x)\\]\n)?([a-z_]{1,8} = ([0-9.]{1,5}|\"[^\"]{0,9}\"|\\[\\])\n){0,5}.{0,20}") {
            let source = Source { file: Path::new("x.toml"), text };
            let (table, _) = DeTable::parse_recoverable(&source.text);
            Draft::new().read_table(&source, table.get_ref());
        }
    }
}

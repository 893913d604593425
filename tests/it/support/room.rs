//! A wireroom in a temporary folder: the built binary, its configuration, its store.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::postgres::{self, Database};

/// Longest time that a test waits for something that a process is to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with a configuration that talks to loopback, at once and without gaps.
pub(crate) struct Room {
    folder: TempDir,
    /// `[store]` of the configuration.
    store: String,
    /// Where it is, if the room has one of its own.
    _database: Option<Database<'static>>,
}

/// Set to `postgres`, it gives every room that does not choose a database of its own.
pub(crate) const STORE: &str = "WIREROOM_TEST_STORE";

impl Room {
    /// A room whose list of feeds names these URLs.
    pub(crate) fn subscribed_to(urls: &[String]) -> Self {
        if std::env::var(STORE).is_ok_and(|store| store == "postgres") {
            let database = postgres::database().expect("PostgreSQL, since it was asked for");
            let room = Self::on(&database, urls);
            return Self {
                _database: Some(database),
                ..room
            };
        }
        Self::with_store("url = \"sqlite:wireroom.db\"".to_owned(), urls)
    }

    /// The same, with its archive in a database.
    pub(crate) fn on(database: &Database, urls: &[String]) -> Self {
        Self::with_store(format!("url = \"{}\"", database.url()), urls)
    }

    /// The same; a worker that says nothing for so long counts as dead.
    pub(crate) fn on_with_lease(database: &Database, lease: Duration, urls: &[String]) -> Self {
        let (url, lease) = (database.url(), lease.as_millis());
        Self::with_store(format!("url = \"{url}\"\nlease = \"{lease}ms\""), urls)
    }

    fn with_store(store: String, urls: &[String]) -> Self {
        let room = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            store,
            _database: None,
        };
        room.write(
            "feeds.txt",
            &urls
                .iter()
                .map(|url| format!("{url}\n"))
                .collect::<String>(),
        );
        room.configure("");
        room
    }

    /// Writes the configuration: what all rooms have, and `more` behind it.
    pub(crate) fn configure(&self, more: &str) {
        self.configure_manners("0s", "5s", more);
    }

    /// The same, with another gap and timeout.
    pub(crate) fn configure_manners(&self, gap: &str, timeout: &str, more: &str) {
        let store = &self.store;
        self.write(
            "wireroom.toml",
            &format!(
                r#"feeds = ["feeds.txt"]

[store]
{store}

[schedule]
default_interval = "1h"
min_interval = "1s"

[fetch]
allow_private = ["127.0.0.0/8"]
host_gap = "{gap}"
timeout = "{timeout}"
{more}"#
            ),
        );
    }

    /// Puts a file into the room's folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file in the room");
    }

    /// A path in the room's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The room's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `wireroom ARGS`, in the room's folder, with nothing of the machine's own settings.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wireroom"));
        command
            .args(args)
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder())
            .env("WIREROOM_CONFIG", self.path("wireroom.toml"))
            .stdin(Stdio::null());
        command
    }

    /// Runs `wireroom ARGS` to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the binary runs")
    }

    /// Runs `wireroom ARGS`, which must succeed, and gives its standard output.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(
            output.status.success(),
            "wireroom {args:?}: {}\n{}",
            output.status,
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Runs `wireroom ARGS`, which must fail with this code, and gives its standard error.
    pub(crate) fn fails(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(
            output.status.code(),
            Some(code),
            "wireroom {args:?}: {}",
            text(&output.stderr)
        );
        text(&output.stderr)
    }

    /// `wireroom run --once`, which must succeed.
    pub(crate) fn run_once(&self) {
        self.ok(&["run", "--once"]);
    }

    /// The JSON lines that `wireroom ARGS` prints.
    pub(crate) fn json(&self, args: &[&str]) -> Vec<Value> {
        lines(&self.ok(args))
    }

    /// All articles, as exported.
    pub(crate) fn articles(&self) -> Vec<Value> {
        self.json(&["export", "--format", "jsonl"])
    }

    /// All feeds, as listed.
    pub(crate) fn feeds(&self) -> Vec<Value> {
        self.json(&["feed", "list", "--json"])
    }

    /// The one feed with this subscribed URL.
    pub(crate) fn feed(&self, url: &str) -> Value {
        let feeds = self.feeds();
        let found = feeds.iter().find(|feed| feed["subscribed_url"] == url);
        found
            .unwrap_or_else(|| panic!("no feed {url} in {feeds:#?}"))
            .clone()
    }

    /// Starts `wireroom ARGS` and lets it run.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        self.start_as("daemon", args)
    }

    /// Starts `wireroom ARGS` and lets it run, with a log of that name.
    pub(crate) fn start_as(&self, name: &str, args: &[&str]) -> Running {
        let log = self.path(&format!("{name}.log"));
        let file = fs::File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("a log file");
        let child = self
            .command(args)
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .expect("the binary starts");
        Running { child, log }
    }

    /// Waits until `done` holds for the room.
    pub(crate) fn wait_until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !done(self) {
            assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A running process; killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Sends a signal by name: `TERM`, `HUP`, `KILL`, `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        // The shell's own `kill`: a small machine has no other.
        let command = format!("kill -s {name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &command]).status();
        assert!(sent.expect("a shell").success());
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end: the exit code, and how long that took.
    pub(crate) fn ended(mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child to wait for") {
                return (status.code(), began.elapsed());
            }
            assert!(
                began.elapsed() < PATIENCE,
                "it does not end:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until its log holds this text.
    pub(crate) fn says(&self, wanted: &str) {
        let began = Instant::now();
        while !self.log().contains(wanted) {
            assert!(
                began.elapsed() < PATIENCE,
                "it never says {wanted:?}:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Each line as JSON.
pub(crate) fn lines(output: &str) -> Vec<Value> {
    output
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An article's page, long enough to be one: four paragraphs about `topic`.
pub(crate) fn page(title: &str, topic: &str) -> String {
    page_with(title, topic, "")
}

/// The same, with something more in its head.
pub(crate) fn page_with(title: &str, topic: &str, head: &str) -> String {
    let paragraphs: String = (1..=4)
        .map(|n| {
            format!(
                "<p>Paragraph {n} tells of {topic}. The council met in the old hall on the quay, heard \
                 three reports about {topic}, and put off its vote until the harbour master has been \
                 asked. People of the town had come early, and many of them spoke about {topic}.</p>\n"
            )
        })
        .collect();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>{head}</head>\n\
         <body><nav><a href=\"/\">Home</a> <a href=\"/sport\">Sport</a></nav>\n\
         <article><h1>{title}</h1>\n{paragraphs}</article>\n\
         <footer>Imprint and terms</footer></body></html>"
    )
}

/// An RSS feed of (title, link, guid).
pub(crate) fn rss(title: &str, items: &[(&str, String, &str)]) -> String {
    let items: String = items
        .iter()
        .map(|(title, link, guid)| {
            let link = link.replace('&', "&amp;");
            format!(
                "<item><title>{title}</title><link>{link}</link><guid isPermaLink=\"false\">{guid}</guid>\
                 <pubDate>Mon, 23 Nov 2026 08:00:00 GMT</pubDate><description>In short: {title}</description></item>\n"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\"><channel><title>{title}</title>\
         <link>http://example.org/</link><description>News</description>\n{items}</channel></rss>"
    )
}

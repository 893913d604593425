//! The configuration: what is shipped is what is built in, what is documented is what there is.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use wireroom::config::{self, Environment, Examined, Setting};
use wireroom::feed_list::{self, ListFormat};
use wireroom::model::ErrorKind;

use crate::support::room::{Room, page, rss};
use crate::support::site::{Reply, Site};

/// A file of this repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap()
}

/// The settings in an environment that has a home and nothing else.
fn examine(file: &Path) -> Examined {
    config::examine(Some(file), &Environment::new("/", [("HOME", "/home/ada")]))
}

fn defaults() -> Vec<Setting> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty.toml");
    fs::write(&file, "").unwrap();
    examine(&file).config.settings()
}

/// Runs `wireroom` with a configuration, in a folder of its own, with a bare environment.
fn wireroom(configuration: &str, arguments: &[&str]) -> (Output, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("wireroom.toml"), configuration).unwrap();
    let output = command(folder.path()).args(arguments).output().unwrap();
    (output, folder)
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wireroom"));
    command
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("NO_COLOR", "1");
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_shipped_file_equals_the_defaults() {
    let shipped = examine(&repository("config/wireroom.toml"));

    assert_eq!(shipped.errors, []);
    assert_eq!(shipped.config.settings(), defaults());
}

#[test]
fn the_shipped_file_has_every_key_set_or_as_a_comment() {
    let file = repository("config/wireroom.toml");
    let shipped = examine(&file);
    let lines = text("config/wireroom.toml");

    for setting in shipped.config.settings() {
        let is_set = shipped.origins.contains_key(&setting.path());
        let commented = format!("# {} = ", setting.name);
        let is_commented = lines.lines().any(|line| line.starts_with(&commented));
        assert!(is_set != is_commented, "{}", setting.path());
    }
}

#[test]
fn the_commented_keys_of_the_shipped_file_are_right_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("ca.pem");
    fs::write(&certificate, "-----BEGIN CERTIFICATE-----\n").unwrap();
    let uncommented: Vec<String> = text("config/wireroom.toml")
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with("ca_file = ") => {
                format!("ca_file = {:?}", certificate.display().to_string())
            }
            Some(rest) if is_assignment(rest) => rest.to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    let file = folder.path().join("wireroom.toml");
    fs::write(&file, uncommented.join("\n")).unwrap();

    let examined = examine(&file);

    assert_eq!(examined.errors, []);
    let n_keys = examined.config.settings().len();
    assert_eq!(examined.origins.len(), n_keys);
}

/// Whether a line is `key = value`.
fn is_assignment(line: &str) -> bool {
    let Some((key, _)) = line.split_once(" = ") else {
        return false;
    };
    key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

#[test]
fn every_key_is_documented_with_its_default() {
    let page = text("docs/configuration.md");

    for setting in defaults() {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", setting.name)));
        let row = row.unwrap_or_else(|| panic!("{} is not documented", setting.path()));
        let default = match &setting.value {
            _ if setting.path() == "store.url" => "see below".to_owned(),
            Some(value) => format!("`{value}`"),
            None => "not set".to_owned(),
        };
        let cells: Vec<&str> = row.split(" | ").collect();
        assert_eq!(cells[1], default, "{}", setting.path());
    }
}

#[test]
fn the_shipped_list_is_read_without_a_complaint() {
    let list = feed_list::read(&text("config/feeds.opml"), ListFormat::Opml).unwrap();

    assert_eq!(list.skipped, []);
    assert!(list.feeds.len() >= 10);
    let moscow = list
        .feeds
        .iter()
        .find(|feed| feed.url.as_str() == "https://www.themoscowtimes.com/rss/news")
        .unwrap();
    assert_eq!(moscow.tags, ["Europe/Russia"]);
}

#[test]
fn the_list_formats_of_the_documentation_can_be_read() {
    let page = text("docs/configuration.md");
    let example = |language: &str| {
        let opened = format!("```{language}\n");
        let section = page.split("## Lists of feeds").nth(1).unwrap();
        let start = section.find(&opened).unwrap() + opened.len();
        let end = section[start..].find("```").unwrap();
        section[start..start + end].to_owned()
    };

    let opml = feed_list::read(&example("xml"), ListFormat::Opml).unwrap();
    let toml = feed_list::read(&example("toml"), ListFormat::Toml).unwrap();
    let plain = feed_list::read(&example("text"), ListFormat::Text).unwrap();

    assert_eq!(opml.feeds[0].tags, ["Europe", "russia", "english"]);
    assert_eq!(toml.feeds[1].settings.scrape, Some(false));
    assert_eq!(plain.feeds.len(), 2);
    assert_eq!(plain.feeds[1].tags, ["world", "public broadcaster"]);
    assert_eq!(plain.feeds[1].title.as_deref(), Some("BBC World"));
    for list in [opml, toml, plain] {
        assert_eq!(list.skipped, []);
    }
}

#[test]
fn a_broken_list_is_an_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wireroom.toml");
    fs::write(&file, "feeds = [\"a.toml\"]\n").unwrap();
    let list = "[[feed]]\nurl = \"https://example.org/a\"\ntitles = \"A\"\n";
    fs::write(folder.path().join("a.toml"), list).unwrap();

    let error = config::read_lists(&examine(&file).config).unwrap_err();

    let place = format!("{}:3:1: ", folder.path().join("a.toml").display());
    let message = error.to_string();
    assert!(message.starts_with(&place), "{message}");
    assert!(message.contains("title"), "{message}");
}

#[test]
fn a_feed_that_two_files_name_belongs_to_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wireroom.toml");
    fs::write(&file, "feeds = [\"b.txt\", \"a.txt\"]\n").unwrap();
    let both = "https://example.org/both\n";
    fs::write(folder.path().join("b.txt"), both).unwrap();
    fs::write(
        folder.path().join("a.txt"),
        format!("{both}https://example.org/a\nno url\n"),
    )
    .unwrap();

    let lists = config::read_lists(&examine(&file).config).unwrap();

    let counts: Vec<usize> = lists.sources.iter().map(|list| list.feeds.len()).collect();
    assert_eq!(counts, [1, 1]);
    assert_eq!(lists.notices.len(), 2, "{:?}", lists.notices);
    assert!(
        lists
            .notices
            .iter()
            .any(|notice| notice.contains("a.txt:3: "))
    );
    assert!(
        lists
            .notices
            .iter()
            .any(|notice| notice.contains("b.txt already"))
    );
}

#[test]
fn config_check_names_every_mistake_and_ends_with_78() {
    let (output, _folder) = wireroom(
        "[fetch]\nhost_gapp = 1\ntimeout = \"soon\"\n",
        &["config", "check"],
    );

    assert_eq!(output.status.code(), Some(78));
    let words = stderr(&output);
    assert!(
        words.contains("wireroom.toml:2:1: unknown key fetch.host_gapp; did you mean host_gap?"),
        "{words}"
    );
    assert!(
        words.contains("wireroom.toml:3:11: fetch.timeout"),
        "{words}"
    );
    assert_eq!(words.lines().count(), 2, "{words}");
}

#[test]
fn config_check_is_in_the_order_of_lines_and_files() {
    let wrong =
        "[schedule]\nmin_interval = \"2h\"\nmax_interval = \"1h\"\n\n[fetch]\nhost_gapp = 1\n";
    let (keys, _folder) = wireroom(wrong, &["config", "check"]);
    let (lists, _folder) = wireroom(
        "feeds = [\"b.txt\", \"a.txt\"]\n",
        &["config", "check", "--json"],
    );

    let words = stderr(&keys);
    let places: Vec<&str> = words
        .lines()
        .filter_map(|line| line.split("wireroom.toml:").nth(1)?.split(':').next())
        .collect();
    assert_eq!(places.len(), 2, "{words}");
    assert!(places.is_sorted(), "{words}");
    let lists: serde_json::Value = serde_json::from_slice(&lists.stdout).unwrap();
    let files: Vec<String> = lists["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["file"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(files.len(), 2, "{lists}");
    assert!(files.is_sorted(), "{lists}");
}

#[test]
fn config_check_tells_programs_the_same() {
    let (output, _folder) = wireroom("[log]\nlevel = 1\n", &["config", "check", "--json"]);

    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert_eq!(object["ok"], false);
    assert_eq!(object["errors"][0]["kind"], "wrong");
    assert_eq!(object["errors"][0]["line"], 2);
}

#[test]
fn config_check_is_content_with_a_right_configuration() {
    let (output, folder) = wireroom("feeds = []\n", &["config", "check"]);

    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("right; 0 feeds"));
    drop(folder);
}

#[test]
fn config_show_prints_what_can_be_read_back() {
    let (output, folder) = wireroom("[fetch]\nhost_gap = \"2s\"\n", &["config", "show"]);
    let shown = folder.path().join("shown.toml");
    fs::write(&shown, stdout(&output)).unwrap();

    let first = examine(&folder.path().join("wireroom.toml")).config;
    let second = examine(&shown);

    assert_eq!(second.errors, []);
    assert_eq!(second.config.fetch, first.fetch);
    assert_eq!(second.config.schedule, first.schedule);
    assert_eq!(second.config.feeds, first.feeds);
}

#[test]
fn config_show_says_who_set_a_value_and_hides_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = "[fetch]\nproxy = \"http://ada:secret@127.0.0.1:3128\"\n";
    fs::write(folder.path().join("wireroom.toml"), configuration).unwrap();

    let output = command(folder.path())
        .args(["config", "show", "--origin"])
        .env("WIREROOM__FETCH__HOST_GAP", "3s")
        .output()
        .unwrap();

    let shown = stdout(&output);
    let line = |key: &str| shown.lines().find(|line| line.starts_with(key)).unwrap();
    assert!(line("host_gap").ends_with("# WIREROOM__FETCH__HOST_GAP"));
    assert!(line("proxy").ends_with("wireroom.toml:2"));
    assert!(line("timeout").ends_with("# default"));
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn reload_stops_at_a_faulty_list_and_disturbs_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let configuration = "feeds = [\"a.toml\"]\n[store]\nurl = \"sqlite:x.db\"\n";
    fs::write(folder.path().join("wireroom.toml"), configuration).unwrap();
    fs::write(folder.path().join("a.toml"), "[[feed]]\nurl = 1\n").unwrap();

    // This process would end at SIGHUP, as would any that is not a daemon of ours.
    let pid = std::process::id().to_string();
    let output = command(folder.path())
        .args(["reload", "--pid", &pid])
        .output()
        .unwrap();

    assert_eq!(output.status.code(), Some(78), "{}", stderr(&output));
    assert!(stderr(&output).contains("a.toml:2:"), "{}", stderr(&output));
}

#[test]
fn reload_without_a_daemon_says_so() {
    let (output, _folder) = wireroom("feeds = []\n[store]\nurl = \"sqlite:x.db\"\n", &["reload"]);

    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("no daemon is running on"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_tells_programs_what_the_daemon_answers() {
    let site = Site::start().await;
    let news = rss("Gazette", &[]);
    site.serve("/good.xml", Reply::new("application/rss+xml", news));
    let room = Room::subscribed_to(&[site.url("/good.xml")]);
    let daemon = room.start(&["run"]);
    daemon.says("polled ");

    let answers = room.json(&["reload", "--json"]);

    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0]["ok"], true);
    assert!(answers[0]["text"].is_string(), "{answers:?}");
    daemon.signal("TERM");
    assert_eq!(daemon.ended().0, Some(0));
}

#[test]
fn a_fatal_error_is_a_log_line_where_programs_read_the_log() {
    let wrong = "[log]\nformat = \"json\"\n[fetch]\ntimeout = \"soon\"\n";
    let (configured, _folder) = wireroom(wrong, &["run", "--once"]);
    let nowhere = "[store]\nurl = \"sqlite:/dev/null/x.db\"\n";
    let (asked, _folder) = wireroom(nowhere, &["run", "--once", "--log", "json"]);

    for (output, code, words) in [(&configured, 78, "fetch.timeout"), (&asked, 1, "/dev/null")] {
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let lines: Vec<serde_json::Value> = stderr(output)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let last = lines.last().unwrap();
        assert_eq!(last["level"], "error", "{last}");
        let message = last["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn reload_notices_a_process_that_ends_at_the_signal() {
    let room = Room::subscribed_to(&[]);
    room.run_once();
    let mut bystander = std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .unwrap();
    let pid = bystander.id().to_string();
    // The parent must take note of the end, or the process stays in the table.
    let waiting = std::thread::spawn(move || bystander.wait());

    let words = room.fails(1, &["reload", "--pid", &pid]);

    assert!(words.contains("ended instead of reloading"), "{words}");
    waiting.join().unwrap().unwrap();
}

#[test]
fn doctor_fails_on_a_wrong_configuration_and_says_what_to_do() {
    let (output, _folder) = wireroom("[fetch]\nrobot = true\n", &["doctor", "--offline"]);

    assert_eq!(output.status.code(), Some(1));
    let lines = stdout(&output);
    assert!(lines.starts_with("FAIL configuration: "), "{lines}");
    assert!(lines.contains("did you mean robots?"), "{lines}");
    assert!(lines.contains("\n     -> "), "{lines}");
}

#[test]
fn doctor_looks_at_everything_before_there_is_a_store() {
    let (output, folder) = wireroom(
        "feeds = []\n[store]\nurl = \"sqlite:new/x.db\"\n",
        &["doctor", "--offline", "--json"],
    );

    let checks: Vec<(String, String)> = stdout(&output)
        .lines()
        .map(|line| {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            let word = |key: &str| object[key].as_str().unwrap().to_owned();
            (word("check"), word("state"))
        })
        .collect();
    let state = |check: &str| {
        let found = checks.iter().find(|(name, _)| name == check);
        found.map(|(_, state)| state.as_str())
    };
    assert_eq!(state("lists"), Some("warn"));
    assert_eq!(state("store"), Some("warn"));
    assert_eq!(state("clock"), Some("ok"));
    assert!(state("space").is_some());
    assert!(state("certificates").is_some());
    assert_eq!(state("network"), None);
    assert!(!folder.path().join("new").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_names_each_failing_feed_with_its_remedy() {
    let site = Site::start().await;
    let news = rss("Gazette", &[("Ferry", site.url("/a"), "g-1")]);
    site.serve("/good.xml", Reply::new("application/rss+xml", news));
    site.serve("/a", Reply::html(&page("Ferry", "the ferry")));
    site.serve("/missing.xml", Reply::text("").status(404));
    let room = Room::subscribed_to(&[site.url("/good.xml"), site.url("/missing.xml")]);
    room.run_once();
    site.forget_requests();

    let checks = room.json(&["doctor", "--json"]);

    let check = |name: &str| {
        let found = checks.iter().find(|check| check["check"] == name);
        found.unwrap_or_else(|| panic!("{name} is missing in {checks:#?}"))
    };
    assert_eq!(check("store")["state"], "ok");
    assert_eq!(check("network")["state"], "ok");
    assert_eq!(check("daemon")["state"], "warn");
    let feed = check("feed");
    assert_eq!(feed["state"], "warn");
    assert!(feed["message"].as_str().unwrap().contains("/missing.xml"));
    assert_eq!(feed["remedy"], ErrorKind::NotFound.remedy());
    assert_eq!(site.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_offline_asks_nothing_and_sees_the_daemon() {
    let site = Site::start().await;
    let news = rss("Gazette", &[]);
    site.serve("/good.xml", Reply::new("application/rss+xml", news));
    let room = Room::subscribed_to(&[site.url("/good.xml")]);
    let daemon = room.start(&["run"]);
    daemon.says("polled ");
    site.forget_requests();

    let report = room.ok(&["doctor", "--offline"]);

    assert!(
        report.contains("OK   daemon: running as process "),
        "{report}"
    );
    assert!(report.contains("OK   feeds: none of 1 fails"), "{report}");
    assert!(site.requests().is_empty());
    daemon.signal("TERM");
    assert_eq!(daemon.ended().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_takes_a_lagging_search_index_for_what_it_is() {
    let site = Site::start().await;
    let news = rss("Gazette", &[("Ferry", site.url("/a"), "g-1")]);
    site.serve("/good.xml", Reply::new("application/rss+xml", news));
    site.serve("/a", Reply::html(&page("Ferry", "the ferry")));
    let room = Room::subscribed_to(&[site.url("/good.xml")]);
    room.run_once();
    room.ok(&["backup", "copy.db"]);
    fs::write(
        room.path("copy.toml"),
        "feeds = []\n[store]\nurl = \"sqlite:copy.db\"\n",
    )
    .unwrap();

    let whole = room.ok(&["doctor", "--offline"]);
    let restored = room.ok(&["doctor", "--offline", "--config", "copy.toml"]);

    assert!(
        whole.contains("OK   search: all that is stored can be searched"),
        "{whole}"
    );
    assert!(restored.contains("copy.db is sound"), "{restored}");
    assert!(restored.contains("WARN search: "), "{restored}");
    assert!(
        restored.contains("not searchable yet; the daemon takes them in"),
        "{restored}"
    );
}

#[test]
fn doctor_finds_a_damaged_store() {
    let (_, folder) = wireroom("", &["config", "show"]);
    let configuration = "feeds = []\n[store]\nurl = \"sqlite:x.db\"\n";
    fs::write(folder.path().join("wireroom.toml"), configuration).unwrap();
    fs::write(
        folder.path().join("x.db"),
        "no database at all".repeat(1000),
    )
    .unwrap();

    let output = command(folder.path())
        .args(["doctor", "--offline"])
        .output()
        .unwrap();

    let lines = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{lines}");
    assert!(lines.contains("FAIL store: "), "{lines}");
    assert!(lines.contains("a copy of `wireroom backup`"), "{lines}");
}

#[test]
fn every_command_of_these_pages_is_one_that_the_program_takes() {
    let folder = tempfile::tempdir().unwrap();
    let mut n_commands = 0;

    for page in [
        "docs/configuration.md",
        "docs/operations.md",
        "docs/errors.md",
        "config/wireroom.toml",
    ] {
        for arguments in commands(&text(page)) {
            // `--help` at the end: everything before it must be known, and nothing is done.
            let output = command(folder.path())
                .args(&arguments)
                .arg("--help")
                .output()
                .unwrap();

            let complaint = stderr(&output);
            assert!(
                output.status.success(),
                "{page}: {arguments:?}: {complaint}"
            );
            n_commands += 1;
        }
    }
    assert!(n_commands > 20, "{n_commands} commands were found");
}

/// The arguments of each `wireroom …` in code: in fences, and in back-ticks.
fn commands(page: &str) -> Vec<Vec<String>> {
    let mut codes: Vec<&str> = page.split('`').skip(1).step_by(2).collect();
    for fence in page.split("```sh\n").skip(1) {
        let (code, _) = fence.split_once("```").unwrap();
        codes.extend(code.lines());
    }
    codes
        .iter()
        .flat_map(|code| code.split(['|', '>', '#', '&']))
        .filter_map(arguments)
        .collect()
}

/// The words behind `wireroom`, if a command is ours; before it may stand `sudo`.
fn arguments(command: &str) -> Option<Vec<String>> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let ours = match words[..] {
        ["sudo", "-u", _, "wireroom", ..] => &words[4..],
        ["sudo", "wireroom", ..] => &words[2..],
        ["wireroom", ..] => &words[1..],
        _ => return None,
    };
    let ours = ours.iter().map(|word| (*word).to_owned()).collect();
    Some(ours).filter(|ours: &Vec<String>| !ours.is_empty())
}

#[test]
fn completions_and_the_manual_are_printed() {
    let (bash, _folder) = wireroom("", &["completions", "bash"]);
    let (manual, _folder) = wireroom("", &["man"]);

    assert!(stdout(&bash).contains("_wireroom()"));
    assert!(stdout(&manual).contains(".TH wireroom 1"));
}

//! The systemd units: hardened, consistent, and with command lines that the program takes;
//! and the daemon as a service, as systemd sees it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::room::Room;

/// The unit of one daemon, and that of several workers on one machine.
const UNITS: [&str; 2] = ["wireroom.service", "wireroom@.service"];

fn unit_file(unit: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    folder.join(unit)
}

fn text(unit: &str) -> String {
    fs::read_to_string(unit_file(unit)).unwrap()
}

/// The values of a setting, in order.
fn values(unit: &str, name: &str) -> Vec<String> {
    text(unit)
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .map(str::to_owned)
        .collect()
}

#[track_caller]
fn value(unit: &str, name: &str) -> String {
    match <[String; 1]>::try_from(values(unit, name)) {
        Ok([value]) => value,
        Err(values) => panic!("{unit}: {name} is set {} times", values.len()),
    }
}

/// Runs `systemd-analyze`. Without it, says loudly that nothing was tested; in CI, fails.
fn systemd_analyze(arguments: &[&str]) -> Option<std::process::Output> {
    let outcome = Command::new("systemd-analyze").args(arguments).output();
    match outcome {
        Ok(output) => Some(output),
        Err(error) if std::env::var_os("CI").is_none() => {
            eprintln!("NOT TESTED: `systemd-analyze {arguments:?}`: {error}; install systemd");
            None
        }
        Err(error) => panic!("systemd-analyze is needed in CI: {error}"),
    }
}

#[test]
fn the_exposure_of_the_service_is_at_most_1_2() {
    for unit in UNITS {
        let file = unit_file(unit);
        let file = file.to_str().unwrap();

        let scored = systemd_analyze(&["security", "--offline=true", "--threshold=12", file]);

        let Some(output) = scored else { return };
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{unit}: {report}");
        assert!(report.contains("Overall exposure level"), "{report}");
    }
}

#[test]
fn systemd_finds_no_unknown_or_wrong_setting() {
    // The program is not installed where the unit expects it, and its manual neither; all
    // else that systemd has to say is about the unit.
    let binary = env!("CARGO_BIN_EXE_wireroom");
    let folder = tempfile::tempdir().unwrap();
    for unit in UNITS {
        let instance = unit.replace('@', "@1");
        let copy = folder.path().join(&instance);
        let text: String = text(unit)
            .lines()
            .filter(|line| !line.starts_with("Documentation="))
            .map(|line| line.replace("/usr/bin/wireroom", binary) + "\n")
            .collect();
        fs::write(&copy, text).unwrap();

        let verified = systemd_analyze(&["verify", "--man=no", copy.to_str().unwrap()]);

        let Some(output) = verified else { return };
        let complaints = String::from_utf8_lossy(&output.stderr);
        let ours: Vec<&str> = complaints
            .lines()
            .filter(|line| line.contains(&instance))
            .collect();
        assert!(ours.is_empty(), "{ours:#?}");
    }
}

#[test]
fn the_command_lines_of_the_units_are_taken_by_the_program() {
    for (unit, name) in UNITS
        .iter()
        .flat_map(|unit| [(unit, "ExecStart"), (unit, "ExecReload")])
    {
        let line = value(unit, name).replace("$MAINPID", "1");
        let mut words = line.split(' ');
        assert_eq!(words.next(), Some("/usr/bin/wireroom"));

        // `--help` at the end: everything before it must be known, and nothing is done.
        let output = Command::new(env!("CARGO_BIN_EXE_wireroom"))
            .args(words)
            .arg("--help")
            .output()
            .unwrap();

        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{unit}, {name}: {complaint}");
    }
}

#[test]
fn the_units_keep_what_the_documentation_promises() {
    for unit in UNITS {
        assert_eq!(value(unit, "Type"), "notify");
        assert_eq!(value(unit, "WatchdogSec"), "60");
        assert_eq!(value(unit, "TimeoutStopSec"), "30");
        assert_eq!(value(unit, "Restart"), "on-failure");
        assert_eq!(value(unit, "RestartPreventExitStatus"), "78");
        assert_eq!(value(unit, "StateDirectory"), "wireroom");
        assert_eq!(value(unit, "StateDirectoryMode"), "0750");
        assert_eq!(value(unit, "UMask"), "0027");
        assert_eq!(value(unit, "ConfigurationDirectory"), "wireroom");
        assert!(values(unit, "DynamicUser").is_empty());
    }
}

#[test]
fn both_units_are_hardened_alike() {
    let settings = |unit: &str| -> Vec<String> {
        let text = text(unit);
        let (_, limits) = text.split_once("# Limits:").unwrap();
        limits.lines().map(str::to_owned).collect()
    };

    let [one, several] = UNITS.map(settings);

    assert_eq!(one, several);
}

#[test]
fn the_user_and_the_folders_are_made_by_the_files_beside_the_unit() {
    let beside = |name: &str| {
        let file = unit_file(name);
        fs::read_to_string(file).unwrap()
    };
    let user = value(UNITS[0], "User");

    let users = beside("wireroom.sysusers");
    let folders = beside("wireroom.tmpfiles");

    assert!(
        users
            .lines()
            .any(|line| line.starts_with(&format!("u {user} ")))
    );
    for folder in ["/etc/wireroom ", "/etc/wireroom/feeds.d "] {
        let line = folders
            .lines()
            .find(|line| line.starts_with(&format!("d {folder}")));
        let line = line.unwrap_or_else(|| panic!("{folder}is not made"));
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            words[2..],
            ["0750", "root", value(UNITS[0], "Group").as_str(), "-"]
        );
    }
}

/// A service manager of our own, at the other end of `NOTIFY_SOCKET`.
struct Manager {
    folder: tempfile::TempDir,
    socket: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        let patience = Duration::from_secs(30);
        socket.set_read_timeout(Some(patience)).unwrap();
        Self { folder, socket }
    }

    /// Waits for a message with this line, past all others.
    #[track_caller]
    fn hears(&self, line: &str) {
        let mut buffer = [0; 4096];
        loop {
            let length = self.socket.recv(&mut buffer);
            let length = length.unwrap_or_else(|_| panic!("{line} is never said"));
            let message = String::from_utf8_lossy(&buffer[..length]);
            if message.lines().any(|heard| heard == line) {
                return;
            }
        }
    }
}

#[test]
fn the_daemon_tells_systemd_what_it_does() {
    let room = Room::subscribed_to(&[]);
    let manager = Manager::new();
    let mut daemon = room
        .command(&["run"])
        .env("NOTIFY_SOCKET", manager.folder.path().join("notify"))
        .env("WATCHDOG_USEC", "200000")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = Pid::from_child(&daemon);

    manager.hears("READY=1");
    manager.hears("WATCHDOG=1");
    manager.hears("WATCHDOG=1");
    kill_process(pid, Signal::HUP).unwrap();
    manager.hears("RELOADING=1");
    manager.hears("READY=1");
    manager.hears("WATCHDOG=1");
    let told = Instant::now();
    kill_process(pid, Signal::TERM).unwrap();
    manager.hears("STOPPING=1");

    assert_eq!(daemon.wait().unwrap().code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(5));
}

#[test]
fn lines_for_the_journal_have_a_priority_and_no_time() {
    let room = Room::subscribed_to(&[]);
    let log = room.path("journal");
    let file = File::create(&log).unwrap();
    let identity = file.metadata().unwrap();
    let stream = format!("{}:{}", identity.dev(), identity.ino());

    let status = room
        .command(&["run", "--once"])
        .env("JOURNAL_STREAM", stream)
        .stderr(file)
        .status()
        .unwrap();

    let lines = fs::read_to_string(log).unwrap();
    assert!(status.success(), "{lines}");
    assert!(lines.contains("<6>store: "), "{lines}");
    assert!(lines.contains("<4>there is nothing to poll"), "{lines}");
    for line in lines.lines() {
        assert!(
            line.starts_with('<') && line[2..].starts_with('>'),
            "{line}"
        );
    }
}

#[test]
fn a_log_for_programs_is_json_and_nothing_else() {
    let room = Room::subscribed_to(&[]);

    let output = room.run(&["--log", "json", "run", "--once"]);

    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.lines().count() > 2, "{log}");
    for line in log.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        for key in ["timestamp", "level", "target", "message"] {
            assert!(object[key].is_string(), "{key} in {line}");
        }
    }
}

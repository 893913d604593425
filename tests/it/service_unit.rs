//! The systemd unit: hardened, consistent, and with command lines that the program takes.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn unit_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/wireroom.service")
}

fn unit() -> String {
    std::fs::read_to_string(unit_file()).unwrap()
}

/// The values of a setting, in order.
fn values(name: &str) -> Vec<String> {
    unit()
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .map(str::to_owned)
        .collect()
}

#[track_caller]
fn value(name: &str) -> String {
    match <[String; 1]>::try_from(values(name)) {
        Ok([value]) => value,
        Err(values) => panic!("{name} is set {} times", values.len()),
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
    let file = unit_file();
    let file = file.to_str().unwrap();

    let scored = systemd_analyze(&["security", "--offline=true", "--threshold=12", file]);

    let Some(output) = scored else { return };
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
    assert!(report.contains("Overall exposure level"), "{report}");
}

#[test]
fn systemd_finds_no_unknown_or_wrong_setting() {
    // The program is not installed where the unit expects it, and its manual neither; all
    // else that systemd has to say is about the unit.
    let binary = env!("CARGO_BIN_EXE_wireroom");
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("wireroom.service");
    let text: String = unit()
        .lines()
        .filter(|line| !line.starts_with("Documentation="))
        .map(|line| line.replace("/usr/bin/wireroom", binary) + "\n")
        .collect();
    std::fs::write(&copy, text).unwrap();

    let verified = systemd_analyze(&["verify", "--man=no", copy.to_str().unwrap()]);

    let Some(output) = verified else { return };
    let complaints = String::from_utf8_lossy(&output.stderr);
    let ours: Vec<&str> = complaints
        .lines()
        .filter(|line| line.contains("wireroom.service"))
        .collect();
    assert!(ours.is_empty(), "{ours:#?}");
}

#[test]
fn the_command_lines_of_the_unit_are_taken_by_the_program() {
    for name in ["ExecStart", "ExecReload"] {
        let line = value(name).replace("$MAINPID", "1");
        let mut words = line.split(' ');
        assert_eq!(words.next(), Some("/usr/bin/wireroom"));

        // `--help` at the end: everything before it must be known, and nothing is done.
        let output = Command::new(env!("CARGO_BIN_EXE_wireroom"))
            .args(words)
            .arg("--help")
            .output()
            .unwrap();

        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {complaint}");
    }
}

#[test]
fn the_unit_keeps_what_the_documentation_promises() {
    assert_eq!(value("Type"), "notify");
    assert_eq!(value("WatchdogSec"), "60");
    assert_eq!(value("TimeoutStopSec"), "30");
    assert_eq!(value("RestartPreventExitStatus"), "78");
    assert_eq!(value("StateDirectory"), "wireroom");
    assert_eq!(value("StateDirectoryMode"), "0750");
    assert_eq!(value("UMask"), "0027");
    assert_eq!(value("ConfigurationDirectory"), "wireroom");
    assert!(values("DynamicUser").is_empty());
}

#[test]
fn the_user_and_the_folders_are_made_by_the_files_beside_the_unit() {
    let beside = |name: &str| {
        let file = unit_file().with_file_name(name);
        std::fs::read_to_string(file).unwrap()
    };
    let user = value("User");

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
        assert_eq!(words[2..], ["0750", "root", value("Group").as_str(), "-"]);
    }
}

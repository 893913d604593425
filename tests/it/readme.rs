//! The README is the front door: its commands are run as a reader would run them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::room::{Room, page, rss};
use crate::support::site::{Reply, Site};

/// Lines that CI runs itself, or that would build this program a second time.
const RUN_ELSEWHERE: &[&str] = &[
    "cargo run --release -- run",
    "cargo install --path . --locked",
    "tests/run",
];

fn commands(markdown: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in markdown.lines() {
        match line.trim_end() {
            "```sh" => inside = true,
            "```" => inside = false,
            command if inside && !command.is_empty() => commands.push(command.to_owned()),
            _ => {}
        }
    }
    commands
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_readme_does_what_it_says() {
    // The site answers, as a proxy, for the feed that the README names.
    let site = Site::start().await;
    let link = "http://www.bbc.co.uk/news/world-1".to_owned();
    let document = rss("World", &[("Parliament votes", link.clone(), "w-1")]);
    site.serve(
        "feeds.bbci.co.uk/news/world/rss.xml",
        Reply::new("application/rss+xml", document),
    );
    site.serve(
        "www.bbc.co.uk/news/world-1",
        Reply::html(&page("Parliament votes", "the election")),
    );
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let room = Room::subscribed_to(&[]);
    for folder in ["config", "tests/fixtures"] {
        let to = room.path(folder);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        let copied = Command::new("cp")
            .arg("-r")
            .arg(project.join(folder))
            .arg(&to)
            .status();
        assert!(copied.unwrap().success());
    }

    let readme = fs::read_to_string(project.join("README.md")).unwrap();
    for command in commands(&readme)
        .iter()
        .filter(|command| !RUN_ELSEWHERE.contains(&command.as_str()))
    {
        let binary = Path::new(env!("CARGO_BIN_EXE_wireroom"));
        let path = format!(
            "{}:{}",
            binary.parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        let output = Command::new("sh")
            .args(["-c", command])
            .current_dir(room.folder())
            .env_remove("STATE_DIRECTORY")
            .env_remove("XDG_DATA_HOME")
            .env("PATH", path)
            .env("HOME", room.folder())
            .env("WIREROOM_CONFIG", room.path("wireroom.toml"))
            .env(
                "WIREROOM__STORE__URL",
                format!(
                    "sqlite:{}/.local/share/wireroom/wireroom.db",
                    room.folder().display()
                ),
            )
            .env(
                "WIREROOM__FETCH__PROXY",
                format!("http://127.0.0.1:{}", site.port()),
            )
            .stdin(Stdio::null())
            .output()
            .expect("a shell");
        // `tests/run` installs the shell of SQLite where it may; CI must have it.
        if command.starts_with("sqlite3 ") && output.status.code() == Some(127) {
            assert!(std::env::var_os("CI").is_none(), "sqlite3 is missing");
            eprintln!("NOT RUN, sqlite3 is missing: {command}");
            continue;
        }
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{command}: {}\n{stdout}\n{stderr}",
            output.status
        );
    }

    let document = fs::read_dir(room.path("articles"))
        .unwrap()
        .next()
        .expect("one article")
        .unwrap();
    let document = fs::read_to_string(document.path()).unwrap();
    assert!(
        document.starts_with("# Parliament votes\n\nNovember 23, 2026\n"),
        "{document}"
    );
    assert!(
        document.ends_with(&format!("Original url:\n\n<{link}>\n")),
        "{document}"
    );
}

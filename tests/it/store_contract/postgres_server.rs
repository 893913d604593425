//! The throw-away PostgreSQL of the tests keeps promises of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::postgres::{Server, database, server};

#[test]
fn each_database_is_its_own_and_goes_with_its_value() {
    let (Some(one), Some(other)) = (database(), database()) else {
        return;
    };
    one.ask("CREATE TABLE mark (n INTEGER)");

    let elsewhere = other.number("SELECT count(*) FROM pg_tables WHERE tablename = 'mark'");
    let name = one.name().to_owned();
    drop(one);

    let gone = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(elsewhere, 0);
    assert_eq!(other.number(&gone), 0);
}

#[test]
fn a_server_that_stopped_starts_again_with_its_data() {
    let Some(server) = Server::start() else {
        return;
    };
    let database = server.database();
    database.ask("CREATE TABLE mark (n INTEGER)");
    database.ask("INSERT INTO mark VALUES (7)");

    server.stop();
    server.start_again();

    assert_eq!(database.number("SELECT n FROM mark"), 7);
}

/// Tells the test below to start a server and wait.
const START_AND_WAIT: &str = "WIREROOM_TEST_START_AND_WAIT";

fn start_and_wait() {
    let server = Server::start().expect("it was there a moment ago");
    let folder = server.socket_folder().display();
    writeln!(
        std::io::stdout().lock(),
        "\nserver {} {folder}",
        server.port()
    )
    .unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    // Ends without a word to the server, as a killed process does.
    std::process::exit(0);
}

#[test]
fn a_test_process_that_is_killed_leaves_no_server_and_no_folder() {
    if std::env::var_os(START_AND_WAIT).is_some() {
        return start_and_wait();
    }
    if server().is_none() {
        return;
    }
    let mut tests = Command::new(std::env::current_exe().unwrap())
        .args([
            "a_test_process_that_is_killed_leaves_no_server",
            "--nocapture",
        ])
        .env(START_AND_WAIT, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(tests.stdout.take().unwrap()).lines();
    let started = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("server ").map(str::to_owned))
        .expect("a server that starts");
    let (port, folder) = started.split_once(' ').unwrap();
    let port: u16 = port.parse().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());

    tests.kill().unwrap();
    tests.wait().unwrap();

    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_ok() || Path::new(folder).exists() {
        assert!(began.elapsed() < Duration::from_secs(20), "{started}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

//! What the program promises on a file, it promises on a database.

use std::process::Command;

use crate::support::postgres::server;
use crate::support::room::STORE;

/// Whose promises hold for any store: not those of the file, of its lock, of one process.
const FOR_ANY_STORE: &[&str] = &["collecting::", "lists::", "commands::"];
/// But for these: a database is copied by its own tools, and its status tells of its workers.
const FOR_A_FILE: &[&str] = &["a_backup_is_an_archive", "the_status_tells_what_there_is"];

#[test]
fn the_commands_keep_their_promises_on_a_database() {
    if server().is_none() {
        return;
    }
    let tests = Command::new(std::env::current_exe().expect("this test's own path"))
        .args(FOR_ANY_STORE)
        .args(FOR_A_FILE.iter().flat_map(|name| ["--skip", name]))
        .env(STORE, "postgres")
        .output()
        .expect("the tests run once more");

    let told = String::from_utf8_lossy(&tests.stdout);
    assert!(tests.status.success(), "{told}");
    assert!(!told.contains("running 0 tests"), "{told}");
}

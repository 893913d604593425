//! What the archive stands on: a file and its disk, or a database and its workers.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use rustix::fs::Access as Permission;
use wireroom::config::Config;
use wireroom::store::{
    Access, Feed, Fleet, FleetWorker, Server, Settings, Store, StoreError, WorkerState,
};

use super::report::Report;
use crate::cli::config::counted;
use crate::cli::{Context, output};

/// Less free space than this stops the store soon.
const LITTLE_SPACE: u64 = 64 << 20;
/// Less free space than this wants attention.
const SOME_SPACE: u64 = 1 << 30;
/// Clocks of one installation may differ by so much: work is due by the clock of the worker
/// that asks for it.
const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(5);
/// What to do when no daemon runs.
const START: &str = "start it: `systemctl start wireroom`, or `wireroom run`";
/// What to do about a damaged file.
const RESTORE_FILE: &str = "stop the daemon, move the file and those beside it (-wal, -shm) away and \
    keep them, put a copy of `wireroom backup` in its place, and look at the disk";
/// What to do about a damaged database.
const RESTORE_DATABASE: &str = "stop all workers, keep a dump of it as it is, restore a good one with \
    `pg_restore`, and look at the server's log and disk";

/// Whether the store's folder can be written, and how much room there is.
pub(super) fn check_space(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let Some(path) = config.store.file() else {
        return Ok(());
    };
    let folder = existing_folder(path);
    if let Err(error) = rustix::fs::access(&folder, Permission::WRITE_OK | Permission::EXEC_OK) {
        // People who only ask questions need not write; the daemon must.
        let message = format!(
            "{} cannot be written by this user: {error}",
            folder.display()
        );
        let remedy = "run the daemon as the user that owns the folder, or change its owner";
        report.warn("space", message, remedy)?;
    }
    let free = match rustix::fs::statvfs(&folder) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => {
            let message = format!("cannot look at {}: {error}", folder.display());
            return report.fail("space", message, "check [store] url");
        }
    };
    let message = format!("{} free in {}", output::size(free), folder.display());
    let remedy = "free some space, or move the store";
    if free < LITTLE_SPACE {
        report.fail("space", message, remedy)
    } else if free < SOME_SPACE {
        report.warn("space", message, remedy)
    } else {
        report.ok("space", message)
    }
}

/// The folder of the store, or the nearest above it that exists.
fn existing_folder(store: &Path) -> PathBuf {
    store
        .ancestors()
        .skip(1)
        .find(|folder| folder.is_dir())
        .map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// Opens and checks the store, and who works on it; the feeds that it knows.
pub(super) async fn check(
    config: &Config,
    context: &Context,
    report: &mut Report,
) -> anyhow::Result<Vec<Feed>> {
    if config.store.file().is_some_and(|path| !path.exists()) {
        let message = format!("there is none at {} yet", config.store);
        report.warn("store", message, "start `wireroom run`, which makes it")?;
        return Ok(Vec::new());
    }
    let daemon = Store::daemon_process(&config.store);
    if config.store.file().is_some() {
        check_daemon(daemon, report)?;
    }
    let found = match inspect(config, context).await {
        Ok(found) => found,
        Err(error) => {
            report.fail("store", &error, remedy(&config.store, &error))?;
            return Ok(Vec::new());
        }
    };
    let mut is_running = daemon.is_some();
    if let Some((server, ahead)) = &found.server {
        check_server(server, *ahead, report)?;
        check_fleet(&found.fleet, report)?;
        is_running = found.fleet.living().next().is_some();
    }
    for finding in &found.findings {
        report.fail("store", finding, restore(&config.store))?;
    }
    if found.findings.is_empty() {
        report.ok("store", format_args!("{} is sound", config.store))?;
    }
    check_index(found.index_lag, is_running, report)?;
    Ok(found.feeds)
}

fn check_daemon(process: Option<u32>, report: &mut Report) -> anyhow::Result<()> {
    match process {
        Some(pid) => report.ok("daemon", format_args!("running as process {pid}")),
        None => report.warn("daemon", "not running, so nothing is collected", START),
    }
}

/// What a store says of itself.
struct Inspection {
    feeds: Vec<Feed>,
    /// What is broken.
    findings: Vec<String>,
    /// Changes that cannot be searched yet.
    index_lag: u64,
    /// The server of a database, and by how much its clock is ahead of ours.
    server: Option<(Server, SignedDuration)>,
    fleet: Fleet,
}

async fn inspect(config: &Config, context: &Context) -> Result<Inspection, StoreError> {
    let store = Store::open(&config.store, Access::Reader).await?;
    let asked = context.now();
    let server = store.server().await?;
    let answered = context.now();
    let inspection = Inspection {
        server: server.map(|server| {
            let halfway = asked + answered.duration_since(asked) / 2;
            let ahead = server.clock.duration_since(halfway);
            (server, ahead)
        }),
        fleet: store.fleet(answered).await?,
        findings: store.check().await?,
        feeds: store.feeds().await?,
        index_lag: store.status(answered).await?.index_lag,
    };
    store.close().await?;
    Ok(inspection)
}

fn check_server(server: &Server, ahead: SignedDuration, report: &mut Report) -> anyhow::Result<()> {
    let way = match server.is_encrypted {
        true => "encrypted",
        false => "in the clear",
    };
    let message = format!(
        "PostgreSQL {}, reached as {}, {way}",
        server.version, server.user
    );
    if server.is_standby {
        let remedy = "name the primary in [store] url";
        report.fail(
            "server",
            format!("{message}; it only follows another"),
            remedy,
        )?;
    } else if !server.may_write {
        let remedy = "enough for questions; a worker needs the user that owns the tables";
        report.warn("server", format!("{message}, who may only read"), remedy)?;
    } else if !server.may_migrate {
        let remedy = "grant CREATE on the schema to the user before the next upgrade";
        report.warn(
            "server",
            format!("{message}, who may make no tables"),
            remedy,
        )?;
    } else {
        report.ok("server", message)?;
    }
    check_connections(server, report)?;
    if ahead.abs() > CLOCKS_APART {
        let message = format!(
            "the server's clock and ours are {:.0} s apart",
            ahead.abs().as_secs_f64()
        );
        let remedy = "let all clocks be kept (systemd-timesyncd, chrony): what is due on one machine is not yet on another";
        report.warn("clock", message, remedy)?;
    }
    Ok(())
}

fn check_connections(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    let (n, most) = (server.n_connections, server.max_connections);
    let message = format!("{n} of {most}");
    match n.saturating_mul(5) > most.saturating_mul(4) {
        true => {
            let remedy = "raise the server's max_connections, or put a pooler before it: each worker takes up to 10";
            report.warn("connections", message, remedy)
        }
        false => report.ok("connections", message),
    }
}

/// Whether somebody works, and all hosts have somebody.
fn check_fleet(fleet: &Fleet, report: &mut Report) -> anyhow::Result<()> {
    let n_living = fleet.living().count();
    for worker in fleet.workers.iter().filter(|worker| is_lost(worker)) {
        let message = format!(
            "worker {} (process {} on {}) has given no sign of life for {:.0} s",
            worker.id,
            worker.pid,
            worker.machine,
            worker.silent_for.as_secs_f64()
        );
        let remedy = "see its log; the others have taken over its hosts";
        report.warn("workers", message, remedy)?;
    }
    if n_living == 0 {
        return report.warn("workers", "none runs, so nothing is collected", START);
    }
    let workers = counted(n_living, "worker");
    match fleet.n_free {
        0 => report.ok("workers", format!("{workers}, and each host has one")),
        n => {
            let message = format!("{workers}, and {n} of 1024 shards have none");
            let remedy =
                "normal for some seconds after a start or an end; otherwise start one that ingests";
            report.warn("workers", message, remedy)
        }
    }
}

fn is_lost(worker: &FleetWorker) -> bool {
    worker.state == WorkerState::Lost
}

/// An index that lags is no fault: it is made from the archive, also when it was lost.
fn check_index(lag: u64, is_running: bool, report: &mut Report) -> anyhow::Result<()> {
    let changes = match lag {
        0 => return report.ok("search", "all that is stored can be searched"),
        1 => "1 change is not searchable yet".to_owned(),
        _ => format!("{} changes are not searchable yet", output::grouped(lag)),
    };
    let message = format!("{changes}; the daemon takes them in");
    match is_running {
        true => report.ok("search", message),
        false => report.warn("search", message, START),
    }
}

fn restore(settings: &Settings) -> &'static str {
    match settings {
        Settings::Sqlite(_) => RESTORE_FILE,
        Settings::Postgres(_) => RESTORE_DATABASE,
    }
}

/// What to do about a store that does not open.
fn remedy(settings: &Settings, error: &StoreError) -> &'static str {
    match (error, settings) {
        (StoreError::Newer { .. }, _) => {
            "use the newer wireroom, or put the backup made before the upgrade in the store's place"
        }
        (StoreError::Corrupt { .. }, _) => restore(settings),
        (StoreError::Missing { .. }, _) => "start `wireroom run`, which makes it",
        (StoreError::Unwritable { .. }, Settings::Sqlite(_)) => {
            "correct owner and mode of the file and its folder"
        }
        (StoreError::Unwritable { .. }, Settings::Postgres(_)) => {
            "let the user own the database, or grant it CREATE on the schema"
        }
        (StoreError::Full { .. }, _) => "free some space; what was acknowledged is safe",
        (StoreError::Locked { .. }, _) => "stop the other daemon",
        (StoreError::Unreachable { .. }, _) => {
            "correct [store] url or the password, or start the server; `psql` with the same URL must get in"
        }
        (StoreError::Fenced | StoreError::BackupElsewhere { .. } | StoreError::Database(_), _) => {
            "run this again; if it stays so, report it with the message"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_that_will_hold_the_store_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();

        let found = existing_folder(&folder.path().join("not/yet/there.db"));

        assert_eq!(found, folder.path());
    }
}

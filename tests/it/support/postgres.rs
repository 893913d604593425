//! A throw-away PostgreSQL from the installed binaries.
//!
//! One server for this process, started by the first test that asks for it; one database for
//! each test. The binaries are those of `WIREROOM_TEST_POSTGRES` (a folder), else those in
//! `PATH`, else those that `pg_config` names, else Debian's. Without any, the tests that need
//! a server say so loudly and are skipped; in CI (`CI` is set) they fail.
//!
//! The server runs under a shell that holds the other end of a pipe: however this process
//! ends, the pipe closes, and the shell stops the server and removes its folder.

#![allow(dead_code, reason = "each test uses the part that it needs")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio_postgres::{Error, NoTls, SimpleQueryMessage};

use super::certificate::{CERTIFICATE, KEY};

/// Longest time that a server takes to start, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who owns the databases of tests: no superuser, no password.
const OWNER: &str = "wireroom";

/// A login that is asked for a password, and the password.
pub(crate) const GUARDED: (&str, &str) = ("guarded", "pa ss:w@rd/?#");

/// What every server is told. The time zone is an odd one, since no answer may depend on it.
const ALL: &[&str] = &[
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_connections=400",
    "ssl=on",
    "timezone=America/St_Johns",
    "log_timezone=UTC",
];

/// A server that need not keep its data.
const HASTY: &[&str] = &[
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=128MB",
    "deadlock_timeout=200ms",
];

/// Stops the server when standard input ends, starts and stops it when told so.
const SUPERVISOR: &str = r#"
folder=$1; shift
start() { "$@" </dev/null >>"$folder/log" 2>&1 & server=$!; }
stop() { kill -s QUIT "$server" 2>/dev/null; wait "$server"; }
start "$@"
while read -r order; do
  case $order in stop) stop ;; start) start "$@" ;; esac
done
stop
rm -rf "$folder"
"#;

/// The server of this process, which all its tests share; `None`, said loudly, when
/// PostgreSQL is not installed.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(Server::start).as_ref()
}

/// A new database on the server of this process; `None`, said loudly, when PostgreSQL is
/// not installed.
pub(crate) fn database() -> Option<Database<'static>> {
    server().map(Server::database)
}

/// A running server with the data of nobody.
#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    folder: PathBuf,
    /// Its standard input is the pipe that must stay open.
    supervisor: Mutex<Child>,
    n_databases: AtomicUsize,
}

impl Server {
    /// A server of one's own, for tests that stop it; `None` when PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(HASTY)
    }

    /// The same with other settings, each as `name=value`, beside those that all servers have.
    pub(crate) fn start_with(settings: &[&str]) -> Option<Self> {
        let Some(binaries) = binaries() else {
            assert!(
                std::env::var_os("CI").is_none(),
                "PostgreSQL is missing, and CI needs it: install Debian's `postgresql`"
            );
            // Not `eprintln!`, which nobody sees when the test passes.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: PostgreSQL is missing; WIREROOM_TEST_POSTGRES names its folder of binaries"
            );
            return None;
        };
        let server = Self::on_new_data(&binaries, settings);
        server.until_it_answers();
        let owner = format!("CREATE ROLE {OWNER} LOGIN");
        let (name, password) = GUARDED;
        let guarded = format!("CREATE ROLE {name} LOGIN PASSWORD '{password}' IN ROLE {OWNER}");
        server.ask("postgres", &owner).unwrap();
        server.ask("postgres", &guarded).unwrap();
        Some(server)
    }

    fn on_new_data(binaries: &Path, settings: &[&str]) -> Self {
        let user = unprivileged_user();
        let folder = folder(user);
        let data = folder.join("data");
        let made = command(&binaries.join("initdb"), user, &folder)
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "initdb: {said}");
        let rules = format!(
            "host all {} 127.0.0.1/32 scram-sha-256\n\
             host all all 127.0.0.1/32 trust\n\
             local all all trust\n",
            GUARDED.0
        );
        write_as(user, &data.join("pg_hba.conf"), &rules);
        write_as(user, &data.join("server.crt"), CERTIFICATE);
        write_as(user, &data.join("server.key"), KEY);

        let port = free_port();
        let supervisor = command(Path::new("/bin/sh"), user, &folder)
            .args(["-c", SUPERVISOR, "sh"])
            .arg(&folder)
            .arg(binaries.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&folder)
            .args(["-p", &port.to_string(), "-h", "127.0.0.1"])
            .args(ALL.iter().chain(settings).flat_map(|set| ["-c", set]))
            // Ctrl-C is for the tests; the server ends with them.
            .process_group(0)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            port,
            folder,
            supervisor: Mutex::new(supervisor),
            n_databases: AtomicUsize::new(0),
        }
    }

    /// A new, empty database, dropped with its value.
    pub(crate) fn database(&self) -> Database<'_> {
        self.copy_of("template0")
    }

    /// A copy of a database to which nobody is connected, dropped with its value.
    pub(crate) fn copy_of(&self, template: &str) -> Database<'_> {
        let n = self.n_databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{n}");
        let made = format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}");
        self.ask("postgres", &made).unwrap();
        Database { server: self, name }
    }

    /// Runs SQL as the superuser; the rows as text, `NULL` as an empty one.
    pub(crate) fn ask(&self, database: &str, sql: &str) -> Result<Vec<Vec<String>>, Error> {
        let place = format!(
            "host=127.0.0.1 port={} user=postgres dbname={database} sslmode=disable",
            self.port
        );
        // A thread of its own, so that tests inside and outside of a runtime can call this.
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = runtime.enable_all().build().unwrap();
                runtime.block_on(ask(&place, sql))
            });
            asked.join().unwrap()
        })
    }

    /// Stops it at once, as a power failure of a machine with a good disk would.
    pub(crate) fn stop(&self) {
        self.order("stop");
        let began = Instant::now();
        while self.ask("postgres", "SELECT 1").is_ok() {
            assert!(began.elapsed() < PATIENCE, "the server does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts it again, on the same port and data.
    pub(crate) fn start_again(&self) {
        self.order("start");
        self.until_it_answers();
    }

    /// The folder of its Unix socket.
    pub(crate) fn socket_folder(&self) -> &Path {
        &self.folder
    }

    /// The port on 127.0.0.1, which also names the Unix socket.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Processor time of the server's processes so far, the ended ones included.
    pub(crate) fn cpu(&self) -> Duration {
        cpu_of_children(self.supervisor().id())
    }

    fn order(&self, order: &str) {
        let mut supervisor = self.supervisor();
        writeln!(supervisor.stdin.as_mut().unwrap(), "{order}").unwrap();
    }

    fn supervisor(&self) -> MutexGuard<'_, Child> {
        self.supervisor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn until_it_answers(&self) {
        let began = Instant::now();
        let data = self.folder.join("data").display().to_string();
        loop {
            match self.ask("postgres", "SHOW data_directory") {
                // The port may have been taken by another in the last moment.
                Ok(answer) if answer == [[data.as_str()]] => return,
                answer => assert!(
                    began.elapsed() < PATIENCE,
                    "PostgreSQL does not start: {answer:?}\n{}",
                    fs::read_to_string(self.folder.join("log")).unwrap_or_default()
                ),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    /// Waiting closes the pipe first; the shell then stops the server and cleans up.
    fn drop(&mut self) {
        let _ = self.supervisor().wait();
    }
}

/// An empty database of one test.
#[derive(Debug)]
pub(crate) struct Database<'a> {
    server: &'a Server,
    name: String,
}

impl Database<'_> {
    /// Where it is, for `[store] url`.
    pub(crate) fn url(&self) -> String {
        self.url_as(OWNER)
    }

    /// The same for another login.
    pub(crate) fn url_as(&self, user: &str) -> String {
        let (port, name) = (self.server.port, &self.name);
        format!("postgres://{user}@127.0.0.1:{port}/{name}?sslmode=disable")
    }

    /// Runs SQL as the superuser; the rows as text, `NULL` as an empty one.
    pub(crate) fn ask(&self, sql: &str) -> Vec<Vec<String>> {
        let answer = self.server.ask(&self.name, sql);
        answer.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// The one number that the SQL gives.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.ask(sql)[0][0].parse().unwrap()
    }

    /// Ends all its connections, as a restart of the server does.
    pub(crate) fn disconnect_all(&self) {
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            self.name
        );
        self.server.ask("postgres", &sql).unwrap();
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Database<'_> {
    /// A server that was stopped takes its databases along.
    fn drop(&mut self) {
        let dropped = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let _ = self.server.ask("postgres", &dropped);
    }
}

async fn ask(place: &str, sql: &str) -> Result<Vec<Vec<String>>, Error> {
    let (client, connection) = tokio_postgres::connect(place, NoTls).await?;
    let asked = async {
        let messages = client.simple_query(sql).await;
        drop(client);
        messages
    };
    let (messages, _) = tokio::join!(asked, connection);
    let rows = messages?.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(
            (0..row.len())
                .map(|column| row.get(column).unwrap_or_default().to_owned())
                .collect(),
        ),
        _ => None,
    });
    Ok(rows.collect())
}

/// A user and a group of the system.
type User = (u32, u32);

/// PostgreSQL refuses to run as root. `None`: as ourselves.
fn unprivileged_user() -> Option<User> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let named = |wanted: &str| {
        let line = users
            .lines()
            .find(|line| line.split(':').next() == Some(wanted))?;
        let mut ids = line.split(':').skip(2).map(str::parse);
        Some((ids.next()?.ok()?, ids.next()?.ok()?))
    };
    let user = named("postgres").or_else(|| named("nobody"));
    Some(user.expect("a user `postgres` or `nobody`, to run PostgreSQL as"))
}

/// A new folder of that user. Its path is short: it holds a Unix socket.
fn folder(user: Option<User>) -> PathBuf {
    let mut place = std::env::temp_dir();
    if place.as_os_str().len() > 60 {
        place = PathBuf::from("/tmp");
    }
    let folder = TempDir::with_prefix_in("wireroom-pg-", place).unwrap();
    if let Some((uid, gid)) = user {
        chown(folder.path(), Some(uid), Some(gid)).unwrap();
    }
    // The supervisor removes it, also when this process is killed.
    folder.keep()
}

fn command(program: &Path, user: Option<User>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

fn write_as(user: Option<User>, path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    if let Some((uid, gid)) = user {
        chown(path, Some(uid), Some(gid)).unwrap();
    }
}

/// The folder with `initdb` and `postgres`.
fn binaries() -> Option<PathBuf> {
    let is_whole = |folder: &PathBuf| {
        ["initdb", "postgres"]
            .iter()
            .all(|name| folder.join(name).is_file())
    };
    if let Some(folder) = std::env::var_os("WIREROOM_TEST_POSTGRES") {
        let folder = PathBuf::from(folder);
        assert!(
            is_whole(&folder),
            "WIREROOM_TEST_POSTGRES names {}, which has no initdb and postgres",
            folder.display()
        );
        return Some(folder);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = Command::new("pg_config").arg("--bindir").output();
    let named = named.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    std::env::split_paths(&path)
        .chain(named.ok().map(PathBuf::from))
        .chain(debian_folders())
        .find(is_whole)
}

/// `/usr/lib/postgresql/VERSION/bin`, the latest version first.
fn debian_folders() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_unstable();
    versions
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .collect()
}

/// A free port below those that the system gives to outgoing connections, so that it is still
/// free when the server starts, and when it starts again. Each process tries others first.
fn free_port() -> u16 {
    static N_TRIED: AtomicUsize = AtomicUsize::new(0);
    let first = std::process::id() as usize * 7;
    (0..10_000)
        .map(|_| first + N_TRIED.fetch_add(1, Ordering::Relaxed) * 13)
        .map(|n| 20_000 + (n % 10_000) as u16)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

/// Processor time of the server that is a child of `supervisor`, with all its own children.
fn cpu_of_children(supervisor: u32) -> Duration {
    let processes: Vec<Process> = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| Process::read(&entry.path().join("stat")))
        .collect();
    let mut ticks = 0;
    for server in processes
        .iter()
        .filter(|process| process.parent == supervisor)
    {
        // The ended ones are counted by their parent.
        ticks += server.own_ticks + server.ended_ticks;
        let children = processes
            .iter()
            .filter(|process| process.parent == server.id);
        ticks += children.map(|child| child.own_ticks).sum::<u64>();
    }
    // USER_HZ is 100 on every Linux that Rust runs on.
    Duration::from_millis(ticks * 10)
}

/// A line of `/proc/PID/stat`, see `man 5 proc`.
struct Process {
    id: u32,
    parent: u32,
    own_ticks: u64,
    ended_ticks: u64,
}

impl Process {
    fn read(path: &Path) -> Option<Self> {
        let line = fs::read_to_string(path).ok()?;
        // The name in brackets may hold anything.
        let (id, rest) = line.split_once(' ')?;
        let fields: Vec<&str> = rest.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
        Some(Self {
            id: id.parse().ok()?,
            parent: fields.get(1)?.parse().ok()?,
            own_ticks: number(11)? + number(12)?,
            ended_ticks: number(13)? + number(14)?,
        })
    }
}

//! `wireroom doctor`: checks everything that the daemon stands on, and says what to do.

mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rustix::fs::Access as Permission;
use wireroom::config::{self, Config, Environment, Lists};
use wireroom::fetch::{Fetcher, RequestSettings};
use wireroom::model::{ErrorKind, Failure, FeedUrl, Validators};
use wireroom::store::{Access, Feed, FeedState, Store, StoreError};

use super::config::counted;
use super::{Context, Exit, output};
use report::Report;

/// Failing feeds that are listed one by one.
const MAX_FEEDS: usize = 50;
/// Less free space than this stops the store soon.
const LITTLE_SPACE: u64 = 64 << 20;
/// Less free space than this wants attention.
const SOME_SPACE: u64 = 1 << 30;
/// Before this, a clock was never set: the time of this program's first release.
const EARLIEST: &str = "2026-01-01T00:00:00Z";
/// After this, a clock is broken, and so are dates of four digits in many feeds.
const LATEST: &str = "2100-01-01T00:00:00Z";
/// Where systems keep their CA certificates: Debian and Arch, Fedora, SUSE, Alpine, folders.
const CERTIFICATES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
    "/etc/pki/tls/certs",
];
/// What to do when no daemon runs.
const START: &str = "start it: `systemctl start wireroom`, or `wireroom run`";
/// What to do about a damaged store.
const RESTORE: &str = "stop the daemon, move the file and those beside it (-wal, -shm) away and \
    keep them, put a copy of `wireroom backup` in its place, and look at the disk";
/// Times in the store may be so far ahead of the clock.
const CLOCK_SLACK: Duration = Duration::from_secs(300);

const EXAMPLES: &str = "\
One line for each check: OK, WARN or FAIL, and what to do. Exit code 1 if anything is FAIL.
With --json, one object a line: check, state (ok, warn, fail), message, remedy.

Examples:
  wireroom doctor
  wireroom doctor --offline
  wireroom doctor --json | jq 'select(.state != \"ok\")'";

/// Check configuration, store, clock, certificates and network, and say what to do
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Ask nothing of the network
    #[arg(long)]
    offline: bool,
    /// Print one JSON object for each check
    #[arg(long)]
    json: bool,
}

/// Runs `wireroom doctor`.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let mut report = Report::new(args.json);
    let examined = config::examine(context.config_path.as_deref(), &Environment::of_process());
    for error in &examined.errors {
        let remedy = "correct it; `wireroom config check` tells when it is right";
        report.fail("configuration", error, remedy)?;
    }
    if !examined.errors.is_empty() {
        return Ok(report.exit());
    }
    let examination = examine(&examined.config, args, context.now(), &mut report);
    context.runtime()?.block_on(examination)?;
    Ok(report.exit())
}

/// All checks, in the order in which one leads to the next.
async fn examine(
    config: &Config,
    args: &Args,
    now: Timestamp,
    report: &mut Report,
) -> anyhow::Result<()> {
    check_configuration(config, report)?;
    let lists = check_lists(config, report)?;
    check_space(config, report)?;
    let feeds = check_store(config, now, report).await?;
    check_clock(now, &feeds, report)?;
    let fetcher = check_certificates(config, report)?;
    if let (Some(fetcher), false) = (fetcher, args.offline) {
        check_network(&fetcher, probe(&lists, &feeds), report).await?;
    }
    check_feeds(&feeds, report)?;
    Ok(())
}

fn check_configuration(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    match &config.file {
        Some(file) => report.ok("configuration", file.display())?,
        None => report.warn(
            "configuration",
            "no file found, the defaults stand",
            "write a wireroom.toml; docs/configuration.md says where it is looked for",
        )?,
    }
    for advice in config::check(config) {
        report.warn(
            "configuration",
            advice,
            "change the key if this is not meant",
        )?;
    }
    Ok(())
}

fn check_lists(config: &Config, report: &mut Report) -> anyhow::Result<Lists> {
    let (lists, errors) = config::examine_lists(config);
    for error in &errors {
        let remedy = "correct the list; until then no list is taken over";
        report.fail("lists", error, remedy)?;
    }
    for notice in &lists.notices {
        report.warn("lists", notice, "correct the line, or remove it")?;
    }
    if errors.is_empty() && lists.n_feeds() == 0 {
        let remedy = "add one with `wireroom feed add URL`, or name a list in `feeds`";
        report.warn("lists", "no list names a feed", remedy)?;
    } else if errors.is_empty() {
        let feeds = counted(lists.n_feeds(), "feed");
        let lists = counted(lists.sources.len(), "list");
        report.ok("lists", format_args!("{feeds} in {lists}"))?;
    }
    Ok(lists)
}

/// Whether the store's folder can be written, and how much room there is.
fn check_space(config: &Config, report: &mut Report) -> anyhow::Result<()> {
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

/// Opens and checks the store; the feeds that it knows.
async fn check_store(
    config: &Config,
    now: Timestamp,
    report: &mut Report,
) -> anyhow::Result<Vec<Feed>> {
    let path = &config.store;
    if config.store.file().is_some_and(|path| !path.exists()) {
        let message = format!("there is none at {path} yet");
        report.warn("store", message, "start `wireroom run`, which makes it")?;
        return Ok(Vec::new());
    }
    let daemon = Store::daemon_process(&config.store);
    match daemon {
        Some(pid) => report.ok("daemon", format_args!("running as process {pid}"))?,
        None => report.warn("daemon", "not running, so nothing is collected", START)?,
    }
    let Inspection {
        feeds,
        findings,
        index_lag,
    } = match inspect_store(config, now).await {
        Ok(inspection) => inspection,
        Err(error) => {
            report.fail("store", &error, store_remedy(&error))?;
            return Ok(Vec::new());
        }
    };
    for finding in &findings {
        report.fail("store", finding, RESTORE)?;
    }
    if findings.is_empty() {
        report.ok("store", format_args!("{path} is sound"))?;
    }
    check_index(index_lag, daemon, report)?;
    Ok(feeds)
}

/// What a store says of itself.
struct Inspection {
    feeds: Vec<Feed>,
    /// What is broken.
    findings: Vec<String>,
    /// Changes that cannot be searched yet.
    index_lag: u64,
}

async fn inspect_store(config: &Config, now: Timestamp) -> Result<Inspection, StoreError> {
    let store = Store::open(&config.store, Access::Reader).await?;
    let inspection = Inspection {
        findings: store.check().await?,
        feeds: store.feeds().await?,
        index_lag: store.status(now).await?.index_lag,
    };
    store.close().await?;
    Ok(inspection)
}

/// An index that lags is no fault: it is made from the archive, also when it was lost.
fn check_index(lag: u64, daemon: Option<u32>, report: &mut Report) -> anyhow::Result<()> {
    let changes = match lag {
        0 => return report.ok("search", "all that is stored can be searched"),
        1 => "1 change is not searchable yet".to_owned(),
        _ => format!("{} changes are not searchable yet", output::grouped(lag)),
    };
    let message = format!("{changes}; the daemon takes them in");
    match daemon {
        Some(_) => report.ok("search", message),
        None => report.warn("search", message, START),
    }
}

/// What to do about a store that does not open.
fn store_remedy(error: &StoreError) -> &'static str {
    match error {
        StoreError::Newer { .. } => {
            "use the newer wireroom, or put the backup made before the upgrade in the store's place"
        }
        StoreError::Corrupt { .. } => RESTORE,
        StoreError::Missing { .. } => "start `wireroom run`, which makes it",
        StoreError::Unwritable { .. } => "correct owner and mode of the file and its folder",
        StoreError::Full { .. } => "free some space; what was acknowledged is safe",
        StoreError::Locked { .. } => "stop the other daemon",
        StoreError::Unreachable { .. } => {
            "correct [store] url or the password, or start the server; `psql` with the same URL must get in"
        }
        StoreError::Fenced | StoreError::BackupElsewhere { .. } | StoreError::Database(_) => {
            "run this again; if it stays so, report it with the message"
        }
    }
}

fn check_clock(now: Timestamp, feeds: &[Feed], report: &mut Report) -> anyhow::Result<()> {
    let remedy = "set the clock, and let it be kept (systemd-timesyncd, chrony): certificates, dates and due times depend on it";
    let bound = |text: &str| -> Timestamp { text.parse().expect("the bounds are constants") };
    if !(bound(EARLIEST)..bound(LATEST)).contains(&now) {
        let message = format!("it says {now:.0}, which cannot be");
        return report.fail("clock", message, remedy);
    }
    let newest = feeds.iter().filter_map(|feed| feed.last_poll).max();
    match newest {
        Some(poll) if poll.duration_since(now).unsigned_abs() > CLOCK_SLACK && poll > now => {
            let message = format!("it says {now:.0}, but a poll was recorded at {poll:.0}");
            report.warn("clock", message, remedy)
        }
        _ => report.ok("clock", format_args!("{now:.0}")),
    }
}

fn check_certificates(config: &Config, report: &mut Report) -> anyhow::Result<Option<Fetcher>> {
    let remedy = "install the package ca-certificates, or set [fetch] ca_file";
    let fetcher = match Fetcher::new(config.fetch.clone()) {
        Ok(fetcher) => fetcher,
        Err(error) => {
            report.fail("certificates", error, remedy)?;
            return Ok(None);
        }
    };
    // Without certificates there is still http, so that a fetcher is built all the same.
    match config.fetch.ca_file.clone().or_else(system_certificates) {
        Some(file) => report.ok("certificates", file.display())?,
        None => report.fail("certificates", "there are none: every https fails", remedy)?,
    }
    Ok(Some(fetcher))
}

/// A file with certificates of the system, where OpenSSL and all who follow it look.
fn system_certificates() -> Option<PathBuf> {
    let named: Vec<PathBuf> = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .iter()
        .filter_map(std::env::var_os)
        .flat_map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>())
        .collect();
    let usual = CERTIFICATES.iter().map(PathBuf::from).collect();
    let candidates = if named.is_empty() { usual } else { named };
    candidates
        .into_iter()
        .find_map(|path| match fs::read_dir(&path) {
            Ok(entries) => entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .find(|file| has_certificate(file)),
            Err(_) => Some(path).filter(|file| has_certificate(file)),
        })
}

fn has_certificate(file: &Path) -> bool {
    fs::read(file).is_ok_and(|bytes| {
        let begin = b"-----BEGIN CERTIFICATE-----";
        bytes.windows(begin.len()).any(|window| window == begin)
    })
}

/// The feed to try the network with: the first of the lists, else of the store.
fn probe(lists: &Lists, feeds: &[Feed]) -> Option<(FeedUrl, RequestSettings)> {
    let listed = lists
        .sources
        .iter()
        .flat_map(|source| &source.feeds)
        .map(|feed| (&feed.url, &feed.settings));
    let stored = feeds
        .iter()
        .filter(|feed| !matches!(feed.state, FeedState::Retired | FeedState::Paused))
        .map(|feed| (&feed.url, &feed.settings));
    let (url, settings) = listed.chain(stored).next()?;
    let request = RequestSettings {
        user_agent: settings.user_agent.clone(),
        headers: settings.headers.clone(),
    };
    Some((url.clone(), request))
}

async fn check_network(
    fetcher: &Fetcher,
    probe: Option<(FeedUrl, RequestSettings)>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let Some((url, request)) = probe else {
        let remedy = "add a feed first";
        return report.warn("network", "not tried, there is no feed to ask", remedy);
    };
    let exchange = fetcher.feed(&url, &Validators::default(), &request).await;
    let Err(failure) = exchange.answer else {
        let millis = exchange.duration.as_millis();
        let url = without_login(&url);
        return report.ok("network", format_args!("{url} answered in {millis} ms"));
    };
    let message = format!("{}: {failure}", without_login(&url));
    if is_network_fault(&failure) {
        report.fail("network", message, failure.kind.remedy())
    } else {
        report.warn("network", message, failure.kind.remedy())
    }
}

/// Whether a failure says something of our network rather than of the one feed asked.
fn is_network_fault(failure: &Failure) -> bool {
    failure.status.is_none()
        && matches!(
            failure.kind,
            ErrorKind::Dns
                | ErrorKind::Connect
                | ErrorKind::Tls
                | ErrorKind::Timeout
                | ErrorKind::Reset
                | ErrorKind::AddressBlocked
        )
}

fn check_feeds(feeds: &[Feed], report: &mut Report) -> anyhow::Result<()> {
    let failing: Vec<(&Feed, &Failure)> = feeds
        .iter()
        .filter(|feed| matches!(feed.state, FeedState::Error | FeedState::Gone))
        .filter_map(|feed| Some((feed, feed.failure.as_ref()?)))
        .collect();
    for (feed, failure) in failing.iter().take(MAX_FEEDS) {
        let url = without_login(&feed.url);
        let message = format!("{url}: {failure} ({} in a row)", feed.failures);
        report.warn("feed", message, failure.kind.remedy())?;
    }
    if failing.len() > MAX_FEEDS {
        let message = format!("{} more feeds fail", failing.len() - MAX_FEEDS);
        report.warn("feed", message, "see `wireroom feed list --state error`")?;
    }
    let asked = |feed: &&Feed| !matches!(feed.state, FeedState::Retired | FeedState::Paused);
    let n_asked = feeds.iter().filter(asked).count();
    if failing.is_empty() && n_asked > 0 {
        report.ok("feeds", format_args!("none of {n_asked} fails"))?;
    }
    Ok(())
}

/// A feed's URL as it may be shown: a login in it stays secret.
fn without_login(url: &FeedUrl) -> String {
    let mut url = url.url().clone();
    // Only URLs without a host refuse, and a feed's has one.
    let _ = url.set_password(None).and_then(|()| url.set_username(""));
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_error_is_not_a_fault_of_our_network() {
        let mut failure = Failure::new(ErrorKind::Timeout, "no answer");

        assert!(is_network_fault(&failure));
        failure.status = Some(504);
        assert!(!is_network_fault(&failure));
        assert!(!is_network_fault(&Failure::new(ErrorKind::Parse, "broken")));
    }

    #[test]
    fn a_login_in_a_url_is_not_shown() {
        let url = FeedUrl::parse("https://ada:secret@example.org/feed").unwrap();

        assert_eq!(without_login(&url), "https://example.org/feed");
    }

    #[test]
    fn only_a_file_with_a_certificate_counts_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let (empty, full) = (folder.path().join("empty"), folder.path().join("full"));
        fs::write(&empty, "# none").unwrap();
        fs::write(&full, "# ours\n-----BEGIN CERTIFICATE-----\n").unwrap();

        assert!(has_certificate(&full));
        assert!(!has_certificate(&empty));
        assert!(!has_certificate(folder.path()));
    }

    #[test]
    fn the_folder_that_will_hold_the_store_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();

        let found = existing_folder(&folder.path().join("not/yet/there.db"));

        assert_eq!(found, folder.path());
    }
}

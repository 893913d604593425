//! `wireroom doctor`: checks everything that the daemon stands on, and says what to do.

mod report;
mod store;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use wireroom::config::{self, Config, Environment, Lists};
use wireroom::fetch::{Fetcher, RequestSettings};
use wireroom::model::{ErrorKind, Failure, FeedUrl, Validators};
use wireroom::store::{Feed, FeedState};

use super::config::counted;
use super::{Context, Exit};
use report::Report;

/// Failing feeds that are listed one by one.
const MAX_FEEDS: usize = 50;
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
    let examination = examine(&examined.config, args, context, &mut report);
    context.runtime()?.block_on(examination)?;
    Ok(report.exit())
}

/// All checks, in the order in which one leads to the next.
async fn examine(
    config: &Config,
    args: &Args,
    context: &Context,
    report: &mut Report,
) -> anyhow::Result<()> {
    check_configuration(config, report)?;
    let lists = check_lists(config, report)?;
    store::check_space(config, report)?;
    let feeds = store::check(config, context, report).await?;
    check_clock(context.now(), &feeds, report)?;
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
}

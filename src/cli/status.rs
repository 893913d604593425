//! `wireroom status`: the state of everything.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use wireroom::export::StatusRecord;
use wireroom::store::{Access, Feed, Fleet, Settings, Status, Store, WorkerState};

use super::output::{
    self, BAD, BOLD, DIM, GOOD, ago, clean, counted, grouped, size, styled, until,
};
use super::{Context, Exit};

const EXAMPLES: &str = "\
Examples:
  wireroom status
  wireroom status --json | jq '.failing[] | {url, error_kind, remedy}'
  watch wireroom status";

/// Tell what the archive holds, what is due, and what fails and why
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Write one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let settings = context.config()?.store;
    let now = context.now();
    let (status, fleet) = context.runtime()?.block_on(async {
        let store = Store::open(&settings, Access::Reader).await?;
        let fleet = match settings.file() {
            Some(_) => None,
            None => Some(store.fleet(now).await?),
        };
        anyhow::Ok((store.status(now).await?, fleet))
    })?;
    let daemon = Store::daemon_process(&settings);
    if args.json {
        let path = settings
            .file()
            .map_or_else(|| settings.to_string(), |path| path.display().to_string());
        output::json(&StatusRecord::new(&status, path, daemon, fleet.as_ref()))?;
    } else {
        match &fleet {
            Some(fleet) => print_fleet(fleet)?,
            None => print_daemon(daemon)?,
        }
        print(&status, &settings, now)?;
    }
    Ok(Exit::Success)
}

fn print_daemon(daemon: Option<u32>) -> std::io::Result<()> {
    let daemon = match daemon {
        Some(pid) => styled(GOOD, format_args!("running (process {pid})")),
        None => "not running".to_owned(),
    };
    fact("daemon", daemon)
}

fn print_fleet(fleet: &Fleet) -> std::io::Result<()> {
    fact("workers", workers(fleet))?;
    fact("shards", shards(fleet))?;
    let done = fleet.minute();
    fact(
        "last minute",
        format!(
            "{}, {}, {}",
            counted(done.polls, "poll"),
            counted(done.scrapes, "scrape"),
            counted(done.articles, "article")
        ),
    )?;
    fact("lag", lag(fleet))
}

/// `3 running on 2 machines (1 draining), 1 lost`.
fn workers(fleet: &Fleet) -> String {
    let count = |state: WorkerState| {
        let workers = fleet.workers.iter();
        workers.filter(|worker| worker.state == state).count()
    };
    let n_living = fleet.living().count();
    if n_living == 0 {
        return "none running".to_owned();
    }
    let machines: BTreeSet<&str> = fleet
        .living()
        .map(|worker| worker.machine.as_str())
        .collect();
    let on = counted(machines.len() as u64, "machine");
    let mut words = styled(GOOD, format_args!("{n_living} running on {on}"));
    if count(WorkerState::Draining) > 0 {
        words += &format!(" ({} draining)", count(WorkerState::Draining));
    }
    if count(WorkerState::Lost) > 0 {
        let lost = format!("{} lost in the last hour", count(WorkerState::Lost));
        words += &format!(", {}", styled(BAD, lost));
    }
    words
}

fn shards(fleet: &Fleet) -> String {
    let owned = format!("{} owned", grouped(fleet.n_owned));
    match fleet.n_free {
        0 => owned,
        free => {
            let free = format!(
                "{} without an owner: what is due there waits",
                grouped(free)
            );
            format!("{owned}, {}", styled(BAD, free))
        }
    }
}

fn lag(fleet: &Fleet) -> String {
    let shown = |lag: Option<Duration>| {
        lag.map_or_else(
            || "none".to_owned(),
            |lag| format!("{:.0} s", lag.as_secs_f64()),
        )
    };
    format!(
        "feeds {}, pages {}",
        shown(fleet.feed_lag),
        shown(fleet.page_lag)
    )
}

fn print(status: &Status, settings: &Settings, now: Timestamp) -> anyhow::Result<()> {
    fact("store", store(status, settings))?;
    fact("feeds", feeds(status))?;
    fact("articles", articles(status))?;
    fact("pages", pages(status))?;
    fact("polls", polls(status))?;
    fact("due", due(status, now))?;
    if !status.page_failures.is_empty() {
        fact(
            "page errors",
            counts(
                status
                    .page_failures
                    .iter()
                    .map(|(kind, n)| (kind.name(), *n)),
            ),
        )?;
    }
    if !status.failing.is_empty() {
        output::line("")?;
        output::line(styled(BOLD, "failing feeds"))?;
        status
            .failing
            .iter()
            .try_for_each(|feed| failing(feed, now))?;
    }
    Ok(())
}

fn fact(name: &str, value: String) -> std::io::Result<()> {
    output::line(format_args!(
        "{} {value}",
        styled(DIM, format_args!("{name:<12}"))
    ))
}

fn store(status: &Status, settings: &Settings) -> String {
    let lag = match status.index_lag {
        0 => String::new(),
        n => format!(", {} changes behind", grouped(n)),
    };
    format!(
        "{}: {}, search index {}{lag}, schema {}",
        clean(
            &settings
                .file()
                .map_or_else(|| settings.to_string(), |path| path.display().to_string())
        ),
        size(status.store_bytes),
        size(status.search_bytes),
        status.schema
    )
}

fn feeds(status: &Status) -> String {
    let n: u64 = status.feeds.iter().map(|(_, n)| n).sum();
    let by_state = counts(status.feeds.iter().map(|(state, n)| (state.name(), *n)));
    described(n, &by_state)
}

fn articles(status: &Status) -> String {
    format!(
        "{} ({} in the last 24 h)",
        grouped(status.n_articles),
        grouped(status.articles_day)
    )
}

fn pages(status: &Status) -> String {
    let n: u64 = status.pages.iter().map(|(_, n)| n).sum();
    let by_state = counts(status.pages.iter().map(|(state, n)| (state.name(), *n)));
    described(n, &by_state)
}

fn polls(status: &Status) -> String {
    format!(
        "{} in the last 24 h, {} failed",
        grouped(status.polls_day),
        grouped(status.failed_polls_day)
    )
}

fn due(status: &Status, now: Timestamp) -> String {
    let next = match status.backlog.next_due {
        Some(at) => format!("; next {}", until(at, now)),
        None => String::new(),
    };
    format!(
        "{}, {}{next}",
        counted(status.backlog.due_feeds, "feed"),
        counted(status.backlog.due_pages, "page")
    )
}

/// `12 (10 ok, 2 error)`.
fn described(n: u64, parts: &str) -> String {
    if parts.is_empty() {
        grouped(n)
    } else {
        format!("{} ({parts})", grouped(n))
    }
}

/// `10 ok, 2 error`, zeros left out.
fn counts<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    let counts: Vec<String> = counts
        .filter(|(_, n)| *n > 0)
        .map(|(name, n)| format!("{} {name}", grouped(n)))
        .collect();
    counts.join(", ")
}

/// One failing feed: which, since when, why, and what to do.
fn failing(feed: &Feed, now: Timestamp) -> std::io::Result<()> {
    let since = match feed.last_success {
        Some(at) => format!("last good {}", ago(at, now)),
        None => "never good".to_owned(),
    };
    output::line(format_args!(
        "  {:>4}  {}  {}",
        feed.id,
        clean(feed.url.as_str()),
        styled(DIM, format_args!("({} in a row, {since})", feed.failures))
    ))?;
    if let Some(failure) = &feed.failure {
        let kind = styled(BAD, failure.kind);
        output::line(format_args!("        {kind}: {}", clean(&failure.detail)))?;
        output::line(format_args!("        {}", failure.kind.remedy()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use wireroom::store::{Done, FleetWorker, Role};

    use super::*;

    #[test]
    fn a_fleet_is_told_in_a_line_each() {
        let worker = |id, state| FleetWorker {
            id,
            machine: "a".into(),
            pid: 1,
            version: "0.1.0".into(),
            role: Role::All,
            state,
            started_at: Timestamp::UNIX_EPOCH,
            silent_for: Duration::ZERO,
            n_shards: 512,
            done: Done::default(),
            minute: Done::default(),
        };
        let fleet = Fleet {
            workers: vec![
                worker(1, WorkerState::Live),
                worker(2, WorkerState::Draining),
                worker(3, WorkerState::Lost),
            ],
            n_owned: 1020,
            n_free: 4,
            feed_lag: Some(Duration::from_secs(61)),
            page_lag: None,
        };

        let said = workers(&fleet);
        assert!(said.contains("2 running on 1 machine"), "{said}");
        assert!(
            said.contains("(1 draining)") && said.contains("1 lost"),
            "{said}"
        );
        assert!(shards(&fleet).contains("4 without an owner"));
        assert_eq!(lag(&fleet), "feeds 61 s, pages none");
        assert_eq!(workers(&Fleet::default()), "none running");
    }

    #[test]
    fn counts_leave_out_what_is_not_there() {
        let parts = counts([("ok", 1200), ("error", 0), ("gone", 1)].into_iter());

        assert_eq!(described(1201, &parts), "1,201 (1,200 ok, 1 gone)");
        assert_eq!(described(0, ""), "0");
    }
}

//! `wireroom status`: the state of everything.

use jiff::Timestamp;
use wireroom::export::StatusRecord;
use wireroom::store::{Access, Feed, Settings, Status, Store};

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
    let status = context.runtime()?.block_on(async {
        let store = Store::open(&settings, Access::Reader).await?;
        store.status(now).await
    })?;
    let daemon = Store::daemon_process(&settings);
    if args.json {
        let path = settings
            .file()
            .map_or_else(|| settings.to_string(), |path| path.display().to_string());
        output::json(&StatusRecord::new(&status, path, daemon))?;
    } else {
        print(&status, &settings, daemon, now)?;
    }
    Ok(Exit::Success)
}

fn print(
    status: &Status,
    settings: &Settings,
    daemon: Option<u32>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let daemon = match daemon {
        Some(pid) => styled(GOOD, format_args!("running (process {pid})")),
        None => "not running".to_owned(),
    };
    fact("daemon", daemon)?;
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
    use super::*;

    #[test]
    fn counts_leave_out_what_is_not_there() {
        let parts = counts([("ok", 1200), ("error", 0), ("gone", 1)].into_iter());

        assert_eq!(described(1201, &parts), "1,201 (1,200 ok, 1 gone)");
        assert_eq!(described(0, ""), "0");
    }
}

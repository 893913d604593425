//! `wireroom feed show`: one feed, and what to do when it fails.

use jiff::Timestamp;
use wireroom::export::{FeedRecord, PollRecord};
use wireroom::store::{Access, Feed, Poll};

use crate::cli::output::{self, BAD, BOLD, DIM, ago, clean, grouped, moment, size, styled, until};
use crate::cli::{Context, Exit, names};

const EXAMPLES: &str = "\
Examples:
  wireroom feed show 3
  wireroom feed show https://www.themoscowtimes.com/rss/news
  wireroom feed show 3 --polls 100 --json | jq '.polls[] | {at, outcome}'";

/// Show one feed: its state, its last polls, and what to do when it fails
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The feed
    #[arg(value_name = "ID|URL")]
    feed: String,

    /// So many of its last polls
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=1000))]
    polls: u16,

    /// Write one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let found = context.runtime()?.block_on(async {
        let store = context.store(Access::Reader).await?;
        let Some(feed) = names::find_feed(&store, &args.feed).await? else {
            return Ok(None);
        };
        let polls = store.polls(feed.id, args.polls.into()).await?;
        anyhow::Ok(Some((feed, polls)))
    })?;
    let Some((feed, polls)) = found else {
        context.say(names::no_such_feed(&clean(&args.feed)));
        return Ok(Exit::NothingFound);
    };
    if args.json {
        let mut record = FeedRecord::from(&feed);
        record.polls = Some(polls.iter().map(PollRecord::from).collect());
        output::json(&record)?;
    } else {
        print(&feed, &polls, context.now())?;
    }
    Ok(Exit::Success)
}

fn print(feed: &Feed, polls: &[Poll], now: Timestamp) -> anyhow::Result<()> {
    let title = feed.title.as_deref().unwrap_or(feed.url.as_str());
    output::line(styled(BOLD, clean(title)))?;
    output::line("")?;
    for (name, value) in facts(feed, now) {
        if !value.is_empty() {
            output::line(format_args!(
                "{} {}",
                styled(DIM, format_args!("{name:<12}")),
                clean(&value)
            ))?;
        }
    }
    if let Some(failure) = &feed.failure {
        output::line("")?;
        output::line(styled(BAD, clean(&failure.to_string())))?;
        output::line(failure.kind.meaning())?;
        output::line(failure.kind.remedy())?;
    }
    list("warnings of the last good poll", &feed.warnings)?;
    let polls: Vec<String> = polls.iter().map(|poll| told(poll, now)).collect();
    list("last polls", &polls)
}

/// Lines below a name; nothing when there are none.
fn list(name: &str, lines: &[String]) -> anyhow::Result<()> {
    if !lines.is_empty() {
        output::line("")?;
        output::line(styled(BOLD, name))?;
    }
    for line in lines {
        output::line(format_args!("  {}", clean(line)))?;
    }
    Ok(())
}

fn facts(feed: &Feed, now: Timestamp) -> Vec<(&'static str, String)> {
    let past = |at: Option<Timestamp>| {
        at.map_or_else(String::new, |at| {
            format!("{} ({})", moment(at), ago(at, now))
        })
    };
    let next = feed.next_poll.map_or_else(
        || "never, by itself".to_owned(),
        |at| format!("{} ({})", moment(at), until(at, now)),
    );
    let subscribed = match feed.subscribed_url == feed.url.as_str() {
        true => String::new(),
        false => feed.subscribed_url.clone(),
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    vec![
        ("id", feed.id.to_string()),
        ("url", feed.url.to_string()),
        ("subscribed", subscribed),
        ("site", text(&feed.site_url)),
        ("language", text(&feed.language)),
        ("tags", feed.tags.join(", ")),
        (
            "owner",
            feed.file
                .clone()
                .unwrap_or_else(|| "command line".to_owned()),
        ),
        ("settings", settings(feed)),
        ("state", state(feed)),
        ("articles", grouped(feed.article_count)),
        ("added", past(Some(feed.added_at))),
        ("last poll", past(feed.last_poll)),
        ("last good", past(feed.last_success)),
        ("last news", past(feed.last_new)),
        ("next poll", next),
    ]
}

fn state(feed: &Feed) -> String {
    match feed.failures {
        0 => feed.state.name().to_owned(),
        1 => format!("{} (1 failure)", feed.state.name()),
        n => format!("{} ({n} failures in a row)", feed.state.name()),
    }
}

fn settings(feed: &Feed) -> String {
    let mut settings = Vec::new();
    if let Some(interval) = feed.settings.interval {
        let interval = jiff::SignedDuration::try_from(interval).unwrap_or_default();
        settings.push(format!("every {interval:#}"));
    }
    match feed.settings.scrape {
        Some(false) => settings.push("pages are not fetched".to_owned()),
        Some(true) => settings.push("pages are fetched".to_owned()),
        None => {}
    }
    if feed.settings.user_agent.is_some() {
        settings.push("own User-Agent".to_owned());
    }
    // Values of headers may be secret; their names are not.
    for (name, _) in &feed.settings.headers {
        settings.push(format!("header {name}"));
    }
    settings.join(", ")
}

/// One poll on one line.
fn told(poll: &Poll, now: Timestamp) -> String {
    let status = poll
        .status
        .map_or_else(String::new, |status| format!(" {status}"));
    let what = match &poll.failure {
        Some(failure) => failure.to_string(),
        None => format!(
            "{} new of {} entries, {}, {} ms",
            poll.n_new,
            poll.n_entries,
            size(poll.n_bytes),
            poll.duration.as_millis()
        ),
    };
    format!(
        "{} ({})  {}{status}  {what}",
        moment(poll.at),
        ago(poll.at, now),
        poll.outcome
    )
}

//! `wireroom feed remove`, `pause`, `resume`, `poll`.

use std::io;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;
use wireroom::config::Config;
use wireroom::fetch::Fetcher;
use wireroom::ingest::{Ingest, PollOutcome, Polled};
use wireroom::model::FeedId;
use wireroom::store::{Access, Feed, FeedState, Paused, Role, Store};

use crate::cli::output::{self, clean};
use crate::cli::{Context, Exit, names};

macro_rules! args {
    ($(#[$doc:meta])* $name:ident, $examples:literal) => {
        $(#[$doc])*
        #[derive(Debug, clap::Args)]
        #[command(after_help = $examples)]
        pub(crate) struct $name {
            /// The feeds
            #[arg(required = true, value_name = "ID|URL")]
            feeds: Vec<String>,

            /// Write one JSON object per feed
            #[arg(long)]
            json: bool,
        }
    };
}

args!(
    /// Stop polling feeds for good; their articles stay
    RemoveArgs,
    "A feed that a list file names cannot be removed here: take it out of the file, then
`wireroom reload`. `wireroom feed add` brings a removed feed back, with all its articles.

Examples:
  wireroom feed remove 3
  wireroom feed remove https://example.org/feed.xml 7"
);
args!(
    /// Let feeds rest until they are resumed
    PauseArgs,
    "Examples:
  wireroom feed pause 3
  wireroom feed pause 3 4 https://example.org/feed.xml"
);
args!(
    /// Poll paused feeds again
    ResumeArgs,
    "A resumed feed is due at once.

Examples:
  wireroom feed resume 3"
);
args!(
    /// Poll feeds now
    PollArgs,
    "The feeds are polled at once, whatever their interval, and the pages of new entries become
due: the next run scrapes them. A running daemon does both within seconds, politely.

Examples:
  wireroom feed poll 3
  wireroom feed poll https://www.themoscowtimes.com/rss/news"
);

/// What to do with a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Remove,
    Pause,
    Resume,
    Poll,
}

pub(crate) fn remove(args: &RemoveArgs, context: &Context) -> anyhow::Result<Exit> {
    let print = |row: &Row| row.print(args.json);
    Ok(exit(&change(&args.feeds, Change::Remove, context, print)?))
}

pub(crate) fn pause(args: &PauseArgs, context: &Context) -> anyhow::Result<Exit> {
    let print = |row: &Row| row.print(args.json);
    Ok(exit(&change(&args.feeds, Change::Pause, context, print)?))
}

pub(crate) fn resume(args: &ResumeArgs, context: &Context) -> anyhow::Result<Exit> {
    let print = |row: &Row| row.print(args.json);
    Ok(exit(&change(&args.feeds, Change::Resume, context, print)?))
}

/// A running daemon is left to do it; otherwise it is done here.
pub(crate) fn poll(args: &PollArgs, context: &Context) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let is_daemons = context
        .runtime()?
        .block_on(is_polled_by_another(&config, context))?;
    let print = |row: &Row| {
        // A program gets one object for each feed, once all is said that there is to say.
        if args.json && !is_daemons {
            return Ok(());
        }
        row.print(args.json)
    };
    let mut rows = change(&args.feeds, Change::Poll, context, print)?;
    if !is_daemons {
        let polled = poll_here(&mut rows, &config, args.json);
        context.runtime()?.block_on(polled)?;
    }
    Ok(exit(&rows))
}

/// Whether a daemon or a worker runs that polls what is due.
async fn is_polled_by_another(config: &Config, context: &Context) -> anyhow::Result<bool> {
    if config.store.file().is_some() {
        return Ok(Store::daemon_process(&config.store).is_some());
    }
    let store = Store::open(&config.store, Access::Command).await?;
    let fleet = store.fleet(context.now()).await?;
    store.close().await?;
    let is_any = fleet.living().any(|worker| worker.role != Role::Serve);
    Ok(is_any)
}

fn exit(rows: &[Row]) -> Exit {
    match rows.iter().any(|row| row.result == FAILED) {
        true => Exit::Failed,
        false => Exit::Success,
    }
}

/// Result of what could not be done.
const FAILED: &str = "failed";
/// Result of what is to be polled.
const DUE: &str = "due";

/// What came of one feed; a line of `--json`.
#[derive(Debug, Default, Serialize)]
struct Row {
    /// The feed as it was asked for.
    asked: String,
    /// The feed's id, if there is such a feed.
    id: Option<i64>,
    /// The feed's URL.
    url: Option<String>,
    /// `removed`, `paused`, `resumed`, `due`, `polled`, `failed`.
    result: &'static str,
    /// New entries that a poll found.
    #[serde(skip_serializing_if = "Option::is_none")]
    n_new: Option<usize>,
    /// Entries in the document, if there was a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    n_entries: Option<usize>,
    /// Kind of a poll's failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_kind: Option<&'static str>,
    /// Why it failed, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Row {
    /// What keeps a feed from being changed.
    fn failed(mut self, error: String) -> Self {
        self.result = FAILED;
        self.error = Some(error);
        self
    }

    fn print(&self, json: bool) -> io::Result<()> {
        if json {
            return output::json(self);
        }
        if let Some(error) = &self.error {
            output::complain(error);
            return Ok(());
        }
        let id = self.id.unwrap_or_default();
        let url = self.url.as_deref().unwrap_or_default();
        output::line(format_args!("{}\t{id}\t{}", self.result, clean(url)))
    }
}

/// Polls the feeds that have been made due; with `json`, prints all rows.
async fn poll_here(rows: &mut [Row], config: &Config, json: bool) -> anyhow::Result<()> {
    let store = Store::open(&config.store, Access::Daemon).await?;
    let ingest = Arc::new(Ingest::new(
        store.clone(),
        Fetcher::of_worker(config.fetch.clone(), store.ownership())?,
        config.ingest.clone(),
        config.schedule.clone(),
        Arc::default(),
    ));
    for row in rows {
        let due = row.id.filter(|_| row.result == DUE).map(FeedId);
        // A feed whose host cannot be had from the others stays due, and has been told so.
        for (id, polled) in Arc::clone(&ingest).poll_now(due.as_slice()).await? {
            let words = record(row, &polled);
            if !json {
                output::line(format_args!("polled\t{id}\t{}", clean(&words)))?;
            }
        }
        if json {
            output::json(row)?;
        }
    }
    Ok(store.close().await?)
}

/// Takes down what a poll came to, and says it in words.
fn record(row: &mut Row, polled: &Polled) -> String {
    row.result = "polled";
    let n_new = polled.recorded.n_new;
    row.n_new = Some(n_new);
    match &polled.outcome {
        PollOutcome::NotModified => "not modified".to_owned(),
        PollOutcome::Unchanged => "unchanged".to_owned(),
        PollOutcome::Fetched { n_entries, .. } => {
            row.n_entries = Some(*n_entries);
            format!("{n_new} new of {n_entries}")
        }
        PollOutcome::Moved { to } => {
            format!("redirects to {}, where another worker goes on", to.shown())
        }
        PollOutcome::Failed(failure) => {
            row.result = FAILED;
            row.n_new = None;
            row.error_kind = Some(failure.kind.name());
            row.error = Some(failure.detail.clone());
            failure.to_string()
        }
    }
}

/// Changes each feed that can be changed and says what keeps the others from it, each when it
/// is done.
fn change(
    feeds: &[String],
    change: Change,
    context: &Context,
    print: impl Fn(&Row) -> io::Result<()>,
) -> anyhow::Result<Vec<Row>> {
    let settings = context.config()?.store;
    let mut rows = Vec::with_capacity(feeds.len());
    context.runtime()?.block_on(async {
        let store = Store::open(&settings, Access::Command).await?;
        for text in feeds {
            let row = change_one(&store, text, change, context).await?;
            print(&row)?;
            rows.push(row);
        }
        anyhow::Ok(store.close().await?)
    })?;
    Ok(rows)
}

async fn change_one(
    store: &Store,
    text: &str,
    change: Change,
    context: &Context,
) -> anyhow::Result<Row> {
    let asked = Row {
        asked: text.to_owned(),
        ..Row::default()
    };
    let Some(feed) = names::find_feed(store, text).await? else {
        return Ok(asked.failed(names::no_such_feed(text)));
    };
    let row = Row {
        id: Some(feed.id.0),
        url: Some(feed.url.to_string()),
        result: done(change),
        ..asked
    };
    if let Some(obstacle) = obstacle(&feed, change) {
        return Ok(row.failed(obstacle));
    }
    apply(store, feed.id, change, context)
        .await
        .with_context(|| format!("feed {}", feed.id))?;
    Ok(row)
}

/// Why a feed cannot be changed so.
fn obstacle(feed: &Feed, change: Change) -> Option<String> {
    match (change, &feed.file) {
        (Change::Remove, Some(file)) if feed.state != FeedState::Retired => Some(format!(
            "feed {} belongs to {file}: take it out there, then `wireroom reload`; \
             `wireroom feed pause {}` lets it rest",
            feed.id, feed.id
        )),
        (Change::Remove, _) => None,
        (_, _) if feed.state == FeedState::Retired => Some(format!(
            "feed {} has been removed; `wireroom feed add {}` brings it back",
            feed.id, feed.url
        )),
        (Change::Poll, _) if feed.state == FeedState::Paused => Some(format!(
            "feed {} is paused; `wireroom feed resume {}` polls it again",
            feed.id, feed.id
        )),
        _ => None,
    }
}

async fn apply(
    store: &Store,
    feed: FeedId,
    change: Change,
    context: &Context,
) -> anyhow::Result<()> {
    let now = context.now();
    match change {
        Change::Remove => store.retire(feed, now).await?,
        Change::Pause => store.set_paused(feed, Paused::Yes, now).await?,
        Change::Resume => store.set_paused(feed, Paused::No, now).await?,
        Change::Poll => store.make_due(feed, now).await?,
    }
    Ok(())
}

fn done(change: Change) -> &'static str {
    match change {
        Change::Remove => "removed",
        Change::Pause => "paused",
        Change::Resume => "resumed",
        Change::Poll => DUE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wireroom::model::{FeedSettings, FeedUrl};

    fn feed(state: FeedState, file: Option<&str>) -> Feed {
        Feed {
            id: FeedId(3),
            url: FeedUrl::parse("https://example.org/feed").unwrap(),
            subscribed_url: "https://example.org/feed".into(),
            title: None,
            site_url: None,
            language: None,
            tags: Vec::new(),
            file: file.map(Into::into),
            settings: FeedSettings::default(),
            state,
            failure: None,
            failures: 0,
            article_count: 0,
            added_at: "2026-11-23T10:00:00Z".parse().unwrap(),
            last_poll: None,
            last_success: None,
            last_new: None,
            next_poll: None,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn a_feed_of_a_file_is_removed_in_the_file() {
        let owned = feed(FeedState::Ok, Some("/etc/wireroom/feeds.opml"));

        let obstacle = obstacle(&owned, Change::Remove).unwrap();

        assert!(obstacle.contains("/etc/wireroom/feeds.opml"), "{obstacle}");
        assert_eq!(super::obstacle(&owned, Change::Pause), None);
        assert_eq!(
            super::obstacle(&feed(FeedState::Ok, None), Change::Remove),
            None
        );
    }

    #[test]
    fn feeds_at_rest_are_not_polled_behind_ones_back() {
        assert!(obstacle(&feed(FeedState::Paused, None), Change::Poll).is_some());
        assert!(obstacle(&feed(FeedState::Retired, None), Change::Poll).is_some());
        assert_eq!(obstacle(&feed(FeedState::Error, None), Change::Poll), None);
    }
}

//! `wireroom import`: subscribes to all feeds of a list.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Serialize;
use wireroom::feed_list::{self, FeedList, ListFormat, ListedFeed, Skipped};
use wireroom::store::{Access, FeedName, FeedState, NewFeed, Subscribed};

use super::output::{self, clean};
use super::{Context, Exit};

const EXAMPLES: &str = "\
OPML, TOML and plain text with one URL a line are told apart by themselves. Feeds that are
imported belong to the archive; to keep the list as a file that you edit, name it in the
configuration (`feeds`) instead.

Examples:
  wireroom import subscriptions.opml --dry-run
  wireroom import subscriptions.opml
  wireroom import urls.txt --tag news --json
  curl -s https://example.org/blogroll.opml | wireroom import -";

/// Largest list that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// Subscribe to all feeds of a list: OPML, TOML or plain text
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The list; - is stdin
    #[arg(value_name = "FILE")]
    file: String,

    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,

    /// Give all of its feeds this tag as well; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,

    /// Write one JSON object per feed and per skipped line
    #[arg(long)]
    json: bool,
}

/// One line of the report.
#[derive(Debug, Serialize)]
struct Row<'a> {
    /// `added`, `revived`, `known`, `skipped`.
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let text = read(&args.file)?;
    let mut list = feed_list::read(&text, ListFormat::guess(&args.file, &text))
        .with_context(|| args.file.clone())?;
    for feed in &mut list.feeds {
        add_tags(feed, &args.tags);
    }
    let results = context.runtime()?.block_on(async {
        match args.dry_run {
            true => foresee(&list, context).await,
            false => subscribe(&list, context).await,
        }
    })?;
    for (feed, result) in list.feeds.iter().zip(&results) {
        print(&Row::of_feed(feed, *result), args)?;
    }
    for skipped in &list.skipped {
        print(&Row::of_skipped(skipped), args)?;
    }
    tell(&list, &results, args, context);
    Ok(Exit::Success)
}

fn add_tags(feed: &mut ListedFeed, tags: &[String]) {
    for tag in tags {
        if !feed.tags.contains(tag) {
            feed.tags.push(tag.clone());
        }
    }
}

/// The list's text; invalid UTF-8 is an error with its place.
fn read(file: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let limit = MAX_BYTES + 1;
    match file {
        "-" => io::stdin().lock().take(limit).read_to_end(&mut bytes),
        path => {
            File::open(Path::new(path)).and_then(|file| file.take(limit).read_to_end(&mut bytes))
        }
    }
    .with_context(|| format!("cannot read {file}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        bail!("{file} is larger than {}", output::size(MAX_BYTES));
    }
    feed_list::decode(&bytes).map_err(|at| {
        anyhow::anyhow!("{file} is no text: byte {at} belongs to no encoding that it declares")
    })
}

/// What would become of each feed.
async fn foresee(list: &FeedList, context: &Context) -> anyhow::Result<Vec<Outcome>> {
    let store = context.store_if_any().await?;
    let mut outcomes = Vec::with_capacity(list.feeds.len());
    for feed in &list.feeds {
        let name = FeedName::Url(feed.url.clone());
        let known = match &store {
            Some(store) => store.feed(&name).await?,
            None => None,
        };
        outcomes.push(match known {
            None => Outcome::Added(None),
            Some(known) if known.state == FeedState::Retired => Outcome::Revived(known.id.0),
            Some(known) => Outcome::Known(known.id.0),
        });
    }
    Ok(outcomes)
}

/// Subscribes to each feed; what was done before a failure stays done.
async fn subscribe(list: &FeedList, context: &Context) -> anyhow::Result<Vec<Outcome>> {
    let store = context.store(Access::Command).await?;
    let mut outcomes = Vec::with_capacity(list.feeds.len());
    for feeds in list.feeds.chunks(BATCH) {
        let now = context.now();
        let batch = feeds.iter().map(|feed| {
            let new = NewFeed {
                listed: feed.clone(),
                file: None,
            };
            store.subscribe(new, now)
        });
        for subscribed in futures_util::future::join_all(batch).await {
            outcomes.push(match subscribed? {
                Subscribed::New(id) => Outcome::Added(Some(id.0)),
                Subscribed::Revived(id) => Outcome::Revived(id.0),
                Subscribed::Known(id) => Outcome::Known(id.0),
            });
        }
    }
    store.close().await?;
    Ok(outcomes)
}

/// Subscriptions under way at once: the store's writer takes them in one transaction.
const BATCH: usize = 64;

/// What became of a feed of the list, with its id where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Added(Option<i64>),
    Revived(i64),
    Known(i64),
}

impl<'a> Row<'a> {
    fn of_feed(feed: &'a ListedFeed, outcome: Outcome) -> Self {
        let (result, id) = match outcome {
            Outcome::Added(id) => ("added", id),
            Outcome::Revived(id) => ("revived", Some(id)),
            Outcome::Known(id) => ("known", Some(id)),
        };
        Self {
            result,
            id,
            url: Some(feed.url.as_str()),
            title: feed.title.as_deref(),
            tags: Some(&feed.tags),
            line: None,
            what: None,
            why: None,
        }
    }

    fn of_skipped(skipped: &'a Skipped) -> Self {
        Self {
            result: "skipped",
            id: None,
            url: None,
            title: None,
            tags: None,
            line: Some(skipped.line),
            what: Some(&skipped.what),
            why: Some(&skipped.why),
        }
    }
}

fn print(row: &Row<'_>, args: &Args) -> anyhow::Result<()> {
    if args.json {
        output::json(row)?;
    } else if let (Some(line), Some(what), Some(why)) = (row.line, row.what, row.why) {
        let place = match line {
            0 => String::new(),
            line => format!("line {line}: "),
        };
        output::line(format_args!(
            "skipped\t{place}{}\t{}",
            clean(what),
            clean(why)
        ))?;
    } else {
        output::line(format_args!(
            "{}\t{}\t{}",
            row.result,
            clean(row.url.unwrap_or_default()),
            clean(row.title.unwrap_or_default())
        ))?;
    }
    Ok(())
}

fn tell(list: &FeedList, outcomes: &[Outcome], args: &Args, context: &Context) {
    let count = |wanted: fn(&Outcome) -> bool| outcomes.iter().filter(|o| wanted(o)).count();
    let known = count(|outcome| matches!(outcome, Outcome::Known(_)));
    let added = outcomes.len() - known;
    let would = if args.dry_run { "would be " } else { "" };
    context.say(format_args!(
        "{} {would}added, {known} known, {} skipped",
        output::counted(added as u64, "feed"),
        list.skipped.len()
    ));
}

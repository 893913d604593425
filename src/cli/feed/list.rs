//! `wireroom feed list`: the feeds, with their states.

use clap::ValueEnum;
use jiff::Timestamp;
use wireroom::export::FeedRecord;
use wireroom::store::{Feed, FeedState};

use crate::cli::output::{self, Fit, Table, ago, until};
use crate::cli::{Context, Exit};

const EXAMPLES: &str = "\
On a terminal a table; otherwise one feed a line: id, state, kind of failure, articles, last
poll, next poll, title, URL, separated by tabs. Retired feeds are listed only with --state or
--json.

Examples:
  wireroom feed list
  wireroom feed list --state error
  wireroom feed list --tag russia --json | jq -r .url";

/// List the feeds, with their states
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only feeds in this state
    #[arg(long, value_name = "STATE")]
    state: Option<State>,

    /// Only feeds with this tag, or below this folder
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,

    /// Write one JSON object per feed and line
    #[arg(long)]
    json: bool,
}

/// `--state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    // The last poll was good.
    Ok,
    // The last poll failed.
    Error,
    // The publisher asked us to stop.
    Gone,
    // Never polled yet.
    Pending,
    // Paused by a person.
    Paused,
    // Removed, or no longer in any list.
    Retired,
    // Every feed, the retired ones too.
    All,
}

impl State {
    fn holds(self, state: FeedState) -> bool {
        match self {
            Self::Ok => state == FeedState::Ok,
            Self::Error => state == FeedState::Error,
            Self::Gone => state == FeedState::Gone,
            Self::Pending => state == FeedState::Pending,
            Self::Paused => state == FeedState::Paused,
            Self::Retired => state == FeedState::Retired,
            Self::All => true,
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let feeds = context.runtime()?.block_on(async {
        match context.store_if_any().await? {
            Some(store) => anyhow::Ok(store.feeds().await?),
            None => Ok(Vec::new()),
        }
    })?;
    let feeds: Vec<Feed> = feeds
        .into_iter()
        .filter(|feed| is_wanted(feed, args))
        .collect();
    if args.json {
        for feed in &feeds {
            output::json(&FeedRecord::from(feed))?;
        }
    } else if feeds.is_empty() {
        context.say("no such feeds; `wireroom feed add URL` subscribes to one");
    } else {
        table(&feeds, context.now()).finish()?;
    }
    Ok(Exit::Success)
}

fn is_wanted(feed: &Feed, args: &Args) -> bool {
    let state = match args.state {
        Some(state) => state.holds(feed.state),
        // A program tells by the state; a person has done with it.
        None => args.json || feed.state != FeedState::Retired,
    };
    state
        && args
            .tag
            .as_ref()
            .is_none_or(|wanted| feed.tags.iter().any(|tag| is_within(tag, wanted)))
}

/// Whether a tag is the wanted one or a folder below it, whatever their case.
fn is_within(tag: &str, wanted: &str) -> bool {
    let (tag, wanted) = (tag.to_lowercase(), wanted.to_lowercase());
    tag.strip_prefix(&wanted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn table(feeds: &[Feed], now: Timestamp) -> Table {
    let mut table = Table::new(&[
        ("ID", Fit::Number),
        ("STATE", Fit::Whole),
        ("ERROR", Fit::Whole),
        ("ARTICLES", Fit::Number),
        ("POLLED", Fit::Whole),
        ("NEXT", Fit::Whole),
        ("TITLE", Fit::Cut),
        ("URL", Fit::Cut),
    ]);
    let terminal = output::is_terminal();
    let shown = |at: Option<Timestamp>, words: fn(Timestamp, Timestamp) -> String| match at {
        Some(at) if terminal => words(at, now),
        Some(at) => at.to_string(),
        None => String::new(),
    };
    for feed in feeds {
        let kind = feed.failure.as_ref().map(|failure| failure.kind.name());
        table.row([
            feed.id.to_string().as_str(),
            feed.state.name(),
            kind.unwrap_or_default(),
            &feed.article_count.to_string(),
            &shown(feed.last_poll, ago),
            &shown(feed.next_poll, until),
            feed.title.as_deref().unwrap_or_default(),
            feed.url.as_str(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_holds_what_is_below_it() {
        assert!(is_within("World/Europe", "world"));
        assert!(is_within("world", "World"));
        assert!(!is_within("worldwide", "world"));
        assert!(!is_within("world", "world/europe"));
    }
}

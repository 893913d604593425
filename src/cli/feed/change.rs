//! `wireroom feed remove`, `pause`, `resume`, `poll`.

use std::sync::Arc;

use anyhow::Context as _;
use wireroom::config::Config;
use wireroom::fetch::Fetcher;
use wireroom::ingest::{Ingest, PollOutcome};
use wireroom::model::FeedId;
use wireroom::store::{Access, Feed, FeedState, Paused, Store};

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
    change(&args.feeds, Change::Remove, context)
}

pub(crate) fn pause(args: &PauseArgs, context: &Context) -> anyhow::Result<Exit> {
    change(&args.feeds, Change::Pause, context)
}

pub(crate) fn resume(args: &ResumeArgs, context: &Context) -> anyhow::Result<Exit> {
    change(&args.feeds, Change::Resume, context)
}

/// A running daemon is left to do it; otherwise it is done here.
pub(crate) fn poll(args: &PollArgs, context: &Context) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let exit = change(&args.feeds, Change::Poll, context)?;
    if Store::daemon_process(&config.store).is_some() {
        return Ok(exit);
    }
    let all_polled = context
        .runtime()?
        .block_on(poll_here(&args.feeds, &config))?;
    Ok(if all_polled { exit } else { Exit::Failed })
}

async fn poll_here(feeds: &[String], config: &Config) -> anyhow::Result<bool> {
    let store = Store::open(&config.store, Access::Daemon).await?;
    let fetcher = Fetcher::new(config.fetch.clone())?;
    let mut ids = Vec::new();
    for text in feeds {
        ids.extend(names::find_feed(&store, text).await?.map(|feed| feed.id));
    }
    let ingest = Ingest::new(
        store.clone(),
        fetcher,
        config.ingest.clone(),
        config.schedule.clone(),
        Arc::default(),
    );
    let mut all_polled = true;
    for (feed, polled) in Arc::new(ingest).poll_now(&ids).await? {
        let outcome = match polled.outcome {
            PollOutcome::NotModified => "not modified".to_owned(),
            PollOutcome::Unchanged => "unchanged".to_owned(),
            PollOutcome::Fetched { n_entries, .. } => {
                format!("{} new of {n_entries}", polled.recorded.n_new)
            }
            PollOutcome::Failed(failure) => {
                all_polled = false;
                failure.to_string()
            }
        };
        output::line(format_args!("polled\t{feed}\t{}", clean(&outcome)))?;
    }
    store.close().await?;
    Ok(all_polled)
}

/// Changes each feed that can be changed and says what keeps the others from it.
fn change(feeds: &[String], change: Change, context: &Context) -> anyhow::Result<Exit> {
    let settings = context.config()?.store;
    let mut exit = Exit::Success;
    context.runtime()?.block_on(async {
        let store = Store::open(&settings, Access::Command).await?;
        for text in feeds {
            let Some(feed) = names::find_feed(&store, text).await? else {
                output::complain(names::no_such_feed(text));
                exit = Exit::Failed;
                continue;
            };
            if let Some(obstacle) = obstacle(&feed, change) {
                output::complain(obstacle);
                exit = Exit::Failed;
                continue;
            }
            apply(&store, feed.id, change, context)
                .await
                .with_context(|| format!("feed {}", feed.id))?;
            output::line(format_args!(
                "{}\t{}\t{}",
                done(change),
                feed.id,
                clean(feed.url.as_str())
            ))?;
        }
        anyhow::Ok(store.close().await?)
    })?;
    Ok(exit)
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
        Change::Poll => "due",
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

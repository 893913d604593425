//! `wireroom export-opml`: the subscriptions for other readers.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use wireroom::export::ReplacedFile;
use wireroom::feed_list::{self, ListedFeed};
use wireroom::model::FeedUrl;
use wireroom::store::{Access, Feed, FeedState};

use super::output;
use super::{Context, Exit};

const EXAMPLES: &str = "\
Removed feeds are left out; paused ones are in.

Examples:
  wireroom export-opml > feeds.opml
  wireroom export-opml feeds.opml";

/// Write the subscriptions as OPML
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// File to write; without it, or with -, stdout
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let feeds = context.runtime()?.block_on(async {
        let store = context.store(Access::Reader).await?;
        anyhow::Ok(store.feeds().await?)
    })?;
    let listed: Vec<ListedFeed> = feeds
        .into_iter()
        .filter(|feed| feed.state != FeedState::Retired)
        .map(listed)
        .collect();
    let opml = feed_list::write_opml("wireroom subscriptions", &listed);
    match &args.file {
        Some(path) if path.as_os_str() != "-" => {
            write_file(path, &opml).with_context(|| format!("cannot write {}", path.display()))?;
            context.say(format_args!(
                "{} written to {}",
                output::counted(listed.len() as u64, "feed"),
                path.display()
            ));
        }
        _ => {
            let mut stdout = output::Data::new();
            stdout.write_all(opml.as_bytes())?;
            stdout.finish()?;
        }
    }
    Ok(Exit::Success)
}

fn write_file(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    let mut file = ReplacedFile::create(path)?;
    file.write_all(text.as_bytes())?;
    file.finish()
}

fn listed(feed: Feed) -> ListedFeed {
    // A feed that has moved is listed where it is now.
    let is_there = FeedUrl::parse(&feed.subscribed_url).is_ok_and(|url| url == feed.url);
    ListedFeed {
        given: match is_there {
            true => feed.subscribed_url,
            false => feed.url.to_string(),
        },
        url: feed.url,
        title: feed.title,
        tags: feed.tags,
        site: feed.site_url,
        settings: feed.settings,
    }
}

//! `wireroom discover`: the feeds that a page names.

use anyhow::bail;
use serde_json::{Value, json};
use url::Url;
use wireroom::feed::{self, FeedLink};
use wireroom::fetch::Fetcher;
use wireroom::ingest::find_feeds;
use wireroom::model::{ErrorKind, FeedUrl};

use super::parse::{Document, Request, answer_lines, failure};
use super::source::{self, Input};
use super::{Context, Exit, output};

const EXAMPLES: &str = "\
A site is asked as well: where its page names no feed, the rules of known platforms, the usual
places and its news sitemaps are tried, at most some 20 requests. Of a file, or with --base,
only the document itself is read.

With --jsonl each line of stdin is an object with id, path and base_url; each gives one line
on stdout, in order: its id, and feeds, a list of URLs.

Examples:
  wireroom discover https://www.themoscowtimes.com
  wireroom discover saved.html --base https://news.example/ --json
  wireroom discover --jsonl < pages.jsonl";

/// Show the feeds that a page names
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input,

    /// Write one JSON object per feed
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let Some(source) = &args.input.source else {
        answer_lines(answer)?;
        return Ok(Exit::Success);
    };
    let feeds = match &args.input.base {
        None if source::is_url(source) => feeds_of_site(source, context)?,
        base => feeds_of(&Document::read(source, base.clone(), context)?),
    };
    for feed in &feeds {
        if args.json {
            output::json(&json!({
                "url": feed.url,
                "title": feed.title,
                "type": feed.media_type,
            }))?;
        } else {
            let title = feed.title.as_deref().unwrap_or("");
            let line = format!("{}\t{}", output::clean(&feed.url), output::clean(title));
            output::line(line.trim_end())?;
        }
    }
    if feeds.is_empty() {
        output::complain(format_args!("{source} names no feed"));
        return Ok(Exit::NothingFound);
    }
    Ok(Exit::Success)
}

/// The feeds behind an address, whatever its page names.
fn feeds_of_site(site: &str, context: &Context) -> anyhow::Result<Vec<FeedLink>> {
    let url = FeedUrl::parse(site)?;
    let fetcher = Fetcher::new(context.config()?.fetch)?;
    match context.runtime()?.block_on(find_feeds(&fetcher, &url)) {
        Err(failure) if failure.kind == ErrorKind::NotAFeed => Ok(Vec::new()),
        Err(failure) => bail!("fetch {site}: {failure}"),
        Ok(feeds) => Ok(feeds),
    }
}

fn answer(request: &Request) -> Value {
    match request.document() {
        Ok(document) => {
            let feeds = feeds_of(&document);
            let urls: Vec<String> = feeds.into_iter().map(|feed| feed.url).collect();
            json!({"id": request.id, "feeds": urls})
        }
        Err(error) => failure(&request.id, format_args!("{error:#}")),
    }
}

/// The feeds of a page, or of the platform that it is on; a document that is a feed itself
/// names itself. Nobody is asked.
fn feeds_of(document: &Document) -> Vec<FeedLink> {
    let unknown = Url::parse("http://localhost/").expect("a constant URL");
    let base = document.base.as_ref().unwrap_or(&unknown);
    let content_type = document.content_type.as_deref();
    if let Ok(parsed) = feed::parse(&document.bytes, content_type, document.base.as_ref()) {
        return vec![FeedLink {
            url: base.to_string(),
            title: parsed.title,
            media_type: document.content_type.clone(),
        }];
    }
    let html = String::from_utf8_lossy(&document.bytes);
    let mut feeds = feed::autodiscover(&html, base);
    if feeds.is_empty() {
        feeds = feed::feeds_by_markup(&html, base);
    }
    if feeds.is_empty() {
        feeds = feed::feeds_by_rule(base);
    }
    feeds
}

//! `wireroom discover`: the feeds that a page names.

use serde_json::{Value, json};
use url::Url;
use wireroom::feed::{self, FeedLink};

use super::parse::{Document, Request, answer_lines, failure};
use super::source::Input;
use super::{Context, Exit, output};

const EXAMPLES: &str = "\
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
    let document = Document::read(source, args.input.base.clone(), context)?;
    let feeds = feeds_of(&document);
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

/// The feeds of a page; a document that is a feed itself names itself.
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
    feed::autodiscover(&String::from_utf8_lossy(&document.bytes), base)
}

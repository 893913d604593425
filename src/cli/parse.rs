//! `wireroom parse`: what a feed document says, as wireroom reads it.

use std::borrow::Cow;
use std::fmt::Display;
use std::io;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use wireroom::feed::{self, Cloud, Entry, Pages, ParsedFeed};
use wireroom::fetch::{FeedAnswer, Fetcher, RequestSettings};
use wireroom::model::{FeedUrl, Validators};

use super::requests;
use super::source::{self, Input};
use super::{Context, Exit, output};

const EXAMPLES: &str = "\
With --jsonl each line of stdin is an object with id, path and, if known, content_type and
base_url; each gives one line on stdout, in order.

Examples:
  wireroom parse https://www.theguardian.com/world/rss
  wireroom parse saved.xml --base https://news.example/feed.xml --json
  wireroom parse --jsonl < cases.jsonl > predictions.jsonl";

/// Show what a feed document says: its format, its entries, and what had to be repaired
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    input: Input,

    /// Write one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let Some(source) = &args.input.source else {
        answer_lines(|request| match parse_file(request) {
            Ok(feed) => prediction(&request.id, &feed),
            Err(error) => failure(&request.id, format_args!("{error:#}")),
        })?;
        return Ok(Exit::Success);
    };
    let document = Document::read(source, args.input.base.clone(), context)?;
    let feed = document
        .parse()
        .with_context(|| format!("parse {source}"))?;
    if args.json {
        output::json(&prediction(&Value::from(source.as_str()), &feed))?;
    } else {
        summarize(&feed)?;
    }
    Ok(if feed.entries.is_empty() {
        Exit::NothingFound
    } else {
        Exit::Success
    })
}

/// Bytes from somewhere, and what is known of them.
pub(super) struct Document {
    pub(super) bytes: Vec<u8>,
    pub(super) content_type: Option<String>,
    pub(super) base: Option<Url>,
}

impl Document {
    /// Reads a file, stdin, or a URL; redirects are followed, addresses guarded as ever.
    pub(super) fn read(source: &str, base: Option<Url>, context: &Context) -> anyhow::Result<Self> {
        if source::is_url(source) {
            return Self::fetch(source, base, context);
        }
        Ok(Self {
            bytes: source::read(source)?,
            content_type: None,
            base,
        })
    }

    fn fetch(source: &str, base: Option<Url>, context: &Context) -> anyhow::Result<Self> {
        let url = FeedUrl::parse(source)?;
        let fetcher = Fetcher::new(context.config()?.fetch)?;
        let exchange = context.runtime()?.block_on(fetcher.feed(
            &url,
            &Validators::default(),
            &RequestSettings::default(),
        ));
        match exchange.answer {
            Ok(FeedAnswer::Document(document)) => Ok(Self {
                bytes: document.body.to_vec(),
                content_type: document.content_type,
                base: Some(base.unwrap_or(document.url)),
            }),
            Ok(FeedAnswer::NotModified { .. }) => bail!("{source} answered 304 to a first request"),
            Err(failure) => bail!("fetch {source}: {failure}"),
        }
    }

    fn parse(&self) -> anyhow::Result<ParsedFeed> {
        let content_type = self.content_type.as_deref();
        Ok(feed::parse(&self.bytes, content_type, self.base.as_ref())?)
    }
}

/// One line of `--jsonl`.
#[derive(Debug, Deserialize)]
pub(super) struct Request {
    #[serde(default)]
    pub(super) id: Value,
    path: String,
    content_type: Option<String>,
    base_url: Option<String>,
}

impl Request {
    /// The document that the line names. A base that is no URL counts as unknown.
    pub(super) fn document(&self) -> anyhow::Result<Document> {
        Ok(Document {
            bytes: source::read(&self.path)?,
            content_type: self.content_type.clone(),
            base: self
                .base_url
                .as_deref()
                .and_then(|url| Url::parse(url).ok()),
        })
    }
}

/// Answers each line of stdin with one line on stdout, in order and at once.
pub(super) fn answer_lines(answer: impl Fn(&Request) -> Value) -> anyhow::Result<()> {
    for line in requests::lines(io::stdin().lock()) {
        let answered = match line.context("read stdin")? {
            Ok(line) => answer_line(&line, &answer),
            Err(error) => failure(&Value::Null, error),
        };
        output::json(&answered)?;
    }
    Ok(())
}

fn answer_line(line: &str, answer: impl Fn(&Request) -> Value) -> Value {
    match serde_json::from_str(line) {
        Ok(request) => answer(&request),
        Err(error) => failure(&id_of(line), error),
    }
}

/// The answer to a line that cannot be answered.
pub(super) fn failure(id: &Value, error: impl Display) -> Value {
    json!({"id": id, "ok": false, "error": error.to_string()})
}

/// The id of a line that is not a request, if it has one at all.
fn id_of(line: &str) -> Value {
    serde_json::from_str::<Value>(line)
        .ok()
        .and_then(|value| value.get("id").cloned())
        .unwrap_or_default()
}

fn parse_file(request: &Request) -> anyhow::Result<ParsedFeed> {
    request.document()?.parse()
}

/// The feed as one line of JSON. It is a promise to programs, so it has its own types.
fn prediction(id: &Value, feed: &ParsedFeed) -> Value {
    json!({
        "id": id,
        "ok": true,
        "format": feed.format.name(),
        "feed": FeedJson::of(feed),
        "entries": feed.entries.iter().map(EntryJson::of).collect::<Vec<_>>(),
        "warnings": feed.warnings,
    })
}

#[derive(Serialize)]
struct FeedJson<'a> {
    title: Option<&'a str>,
    link: Option<&'a str>,
    language: Option<&'a str>,
    description: Option<&'a str>,
    updated: Option<String>,
    published: Option<String>,
    /// Minutes.
    ttl: Option<u64>,
    #[serde(rename = "self")]
    self_url: Option<&'a str>,
    hub: &'a [String],
    links: &'a [String],
    id: Option<&'a str>,
    authors: &'a [String],
    categories: &'a [String],
    skip_hours: &'a [u8],
    skip_days: &'a [u8],
    /// A moment at which an update period begins.
    update_base: Option<String>,
    cloud: Option<Value>,
    pages: Value,
    is_complete: bool,
    is_archive: bool,
    is_finished: bool,
    moved_to: Option<&'a str>,
}

impl<'a> FeedJson<'a> {
    fn of(feed: &'a ParsedFeed) -> Self {
        Self {
            title: feed.title.as_deref(),
            link: feed.site.as_deref(),
            language: feed.language.as_deref(),
            description: feed.description.as_deref(),
            updated: feed.updated.map(|date| date.to_string()),
            published: feed.published.map(|date| date.to_string()),
            ttl: feed.hints.interval.map(|interval| interval.as_secs() / 60),
            self_url: feed.self_url.as_deref(),
            hub: &feed.hints.hubs,
            links: &feed.links,
            id: feed.id.as_deref(),
            authors: &feed.authors,
            categories: &feed.categories,
            skip_hours: &feed.hints.skip_hours,
            skip_days: &feed.hints.skip_days,
            update_base: feed.hints.base.map(|base| base.to_string()),
            cloud: feed.hints.cloud.as_ref().map(cloud_json),
            pages: pages_json(&feed.hints.pages),
            is_complete: feed.hints.is_complete,
            is_archive: feed.hints.is_archive,
            is_finished: feed.hints.is_finished,
            moved_to: feed.hints.moved_to.as_deref(),
        }
    }
}

fn cloud_json(cloud: &Cloud) -> Value {
    json!({
        "domain": cloud.domain,
        "port": cloud.port,
        "path": cloud.path,
        "protocol": cloud.protocol,
        "procedure": cloud.procedure,
    })
}

/// The other documents of the feed that are named, by their relation.
fn pages_json(pages: &Pages) -> Value {
    let named = [
        ("next", &pages.next),
        ("previous", &pages.previous),
        ("first", &pages.first),
        ("last", &pages.last),
        ("prev_archive", &pages.previous_archive),
        ("next_archive", &pages.next_archive),
        ("current", &pages.current),
    ];
    let given = named
        .into_iter()
        .filter_map(|(rel, url)| Some((rel.to_owned(), Value::from(url.as_deref()?))));
    Value::Object(given.collect())
}

#[derive(Serialize)]
struct EntryJson<'a> {
    /// The guid as given, else wireroom's own key.
    id: &'a str,
    /// Wireroom's own key of the entry within its feed.
    key: &'a str,
    link: Option<&'a str>,
    title: Option<&'a str>,
    published: Option<String>,
    updated: Option<String>,
    /// The dates as given, with their offsets.
    published_text: Option<&'a str>,
    updated_text: Option<&'a str>,
    summary: Option<&'a str>,
    content: Option<&'a str>,
    authors: &'a [String],
    categories: &'a [String],
    enclosures: Vec<EnclosureJson<'a>>,
    links: &'a [String],
}

#[derive(Serialize)]
struct EnclosureJson<'a> {
    url: &'a str,
    #[serde(rename = "type")]
    media_type: Option<&'a str>,
    length: Option<u64>,
}

impl<'a> EntryJson<'a> {
    fn of(entry: &'a Entry) -> Self {
        let enclosures = entry.enclosures.iter().map(|enclosure| EnclosureJson {
            url: &enclosure.url,
            media_type: enclosure.media_type.as_deref(),
            length: enclosure.length_bytes,
        });
        Self {
            id: entry.guid.as_deref().unwrap_or(&entry.id),
            key: &entry.id,
            link: entry.link.as_deref(),
            title: entry.title.as_deref(),
            published: entry.published.map(|date| date.to_string()),
            updated: entry.updated.map(|date| date.to_string()),
            published_text: entry.published_text.as_deref(),
            updated_text: entry.updated_text.as_deref(),
            summary: entry.summary.as_deref(),
            content: entry.content.as_deref(),
            authors: &entry.authors,
            categories: &entry.categories,
            enclosures: enclosures.collect(),
            links: &entry.links,
        }
    }
}

fn shown(text: Option<&str>) -> Cow<'_, str> {
    text.map_or(Cow::Borrowed("-"), output::clean)
}

/// The feed as a person wants to see it.
fn summarize(feed: &ParsedFeed) -> io::Result<()> {
    output::line(format_args!("format   {}", feed.format.name()))?;
    output::line(format_args!("title    {}", shown(feed.title.as_deref())))?;
    output::line(format_args!("site     {}", shown(feed.site.as_deref())))?;
    if let Some(interval) = feed.hints.interval {
        output::line(format_args!("interval {} min", interval.as_secs() / 60))?;
    }
    for warning in &feed.warnings {
        output::line(format_args!("warning  {}", output::clean(warning)))?;
    }
    output::line(format_args!("entries  {}", feed.entries.len()))?;
    for entry in &feed.entries {
        let date = entry.published.or(entry.updated);
        let date = date.map_or_else(|| "(no date)".to_owned(), |date| date.to_string());
        output::line(format_args!(
            "\n{date:20}  {}",
            shown(entry.title.as_deref())
        ))?;
        output::line(format_args!("{:20}  {}", "", shown(entry.link.as_deref())))?;
    }
    Ok(())
}

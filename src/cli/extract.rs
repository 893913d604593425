//! `wireroom extract`: what would be kept of a page, without keeping it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::Context as _;
use serde_json::{Value, json};
use url::Url;
use wireroom::extract::{self, Extracted, Rejected, Settings};
use wireroom::fetch::{Fetcher, RequestSettings};
use wireroom::model::PageUrl;

use super::requests::{self, Line};
use super::{Context, Exit, output, source};

const EXAMPLES: &str = "\
Examples:
  wireroom extract https://example.org/news/article
  wireroom extract page.html --url https://example.org/news/article --markdown
  wireroom extract page.html --json | jq .authors
  find pages -name '*.html' | jq -R '{id: ., path: ., url: \"\"}' -c | wireroom extract --jsonl";

/// Pages in work or waiting to be written, for each thread: enough that one slow page does
/// not stop the others, few enough that memory stays small.
const WINDOW_PER_THREAD: usize = 8;

/// Show the article that a page holds.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An HTML file, `-` for standard input, or the URL of a page.
    #[arg(
        value_name = "FILE|URL",
        required_unless_present = "jsonl",
        conflicts_with = "jsonl"
    )]
    page: Option<String>,

    /// The page's URL, for a file: links are resolved against it.
    #[arg(long, value_name = "URL", conflicts_with = "jsonl")]
    url: Option<String>,

    /// Print JSON.
    #[arg(long, conflicts_with_all = ["markdown", "jsonl"])]
    json: bool,

    /// Print Markdown.
    #[arg(long, conflicts_with = "jsonl")]
    markdown: bool,

    /// Read `{"id", "url", "path"}` lines from standard input, write one line of JSON for each.
    #[arg(long)]
    jsonl: bool,

    /// Threads for `--jsonl`; default: all cores.
    #[arg(long, value_name = "N", requires = "jsonl")]
    threads: Option<std::num::NonZeroUsize>,
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    if args.jsonl {
        let threads = args
            .threads
            .or_else(|| std::thread::available_parallelism().ok());
        jsonl(threads.map_or(1, std::num::NonZeroUsize::get))?;
        return Ok(Exit::Success);
    }
    let page = args.page.as_deref().context("name a file or a URL")?;
    let (html, url) = load(page, args.url.as_deref(), context)?;
    let (found, rejected) = sort(extract::extract(&html, &url, &Settings::default()));
    if args.json {
        output::json(&answer(&found, rejected.as_ref()))?;
    } else if args.markdown {
        output::whole(&as_markdown(&found))?;
    } else {
        output::whole(&as_text(&found))?;
    }
    match rejected {
        None => Ok(Exit::Success),
        Some(rejected) => {
            if !args.json {
                output::complain(&rejected);
            }
            Ok(Exit::NothingFound)
        }
    }
}

/// Reads the page from a file, standard input or the network.
fn load(page: &str, url: Option<&str>, context: &Context) -> anyhow::Result<(String, Url)> {
    if source::is_url(page) {
        return fetch(page, context);
    }
    let bytes = source::read(page)?;
    let url = match url {
        Some(url) => PageUrl::parse(url)?.url().clone(),
        None => no_url(),
    };
    Ok((extract::decode(&bytes, None), url))
}

fn fetch(page: &str, context: &Context) -> anyhow::Result<(String, Url)> {
    let url = PageUrl::parse(page)?;
    let fetcher = Fetcher::new(context.config()?.fetch)?;
    let request = RequestSettings::default();
    let exchange = context.runtime()?.block_on(fetcher.page(&url, &request));
    let document = exchange
        .answer
        .map_err(|failure| anyhow::anyhow!("{failure}"))
        .with_context(|| format!("fetch {url}"))?;
    let html = extract::decode(&document.body, document.content_type.as_deref());
    Ok((html, document.url))
}

/// Stands for an unknown URL: relative links come to nothing against it.
fn no_url() -> Url {
    Url::parse("about:blank").expect("about:blank is a URL")
}

/// What was found, and why it is not an article if it is not.
fn sort(result: Result<Extracted, Rejected>) -> (Extracted, Option<Rejected>) {
    match result {
        Ok(found) => (found, None),
        Err(rejected) => {
            let found = match &rejected {
                Rejected::TooShort { found, .. } | Rejected::NoMainText { found } => {
                    (**found).clone()
                }
                Rejected::TooDeep { .. } => Extracted::default(),
            };
            (found, Some(rejected))
        }
    }
}

/// The page as an object, with `error` where it is not an article.
fn answer(found: &Extracted, rejected: Option<&Rejected>) -> Value {
    let mut object = to_json(found);
    if let Some(rejected) = rejected {
        object["error"] = rejected.to_string().into();
    }
    object
}

fn to_json(found: &Extracted) -> Value {
    let date = |date: &Option<extract::Published>| date.as_ref().map(|date| date.text.clone());
    let images: Vec<Value> = found
        .images
        .iter()
        .map(|image| json!({"url": image.url, "caption": image.caption, "credit": image.credit}))
        .collect();
    let related: Vec<Value> = found
        .related
        .iter()
        .map(|related| json!({"title": related.title, "url": related.url}))
        .collect();
    json!({
        "title": found.title,
        "authors": found.authors,
        "published": date(&found.published),
        "published_from": found.published.as_ref().map(|date| date.source),
        "modified": date(&found.modified),
        "language": found.language,
        "canonical_url": found.canonical_url.as_ref().map(Url::as_str),
        "site_name": found.site_name,
        "description": found.description,
        "text": found.text,
        "markdown": found.markdown,
        "html": found.html,
        "images": images,
        "related": related,
        "tags": found.tags,
        "word_count": found.word_count,
    })
}

fn as_text(found: &Extracted) -> String {
    let mut parts = Vec::new();
    parts.extend(found.title.clone());
    let byline: Vec<String> = [
        Some(found.authors.join(", ")).filter(|authors| !authors.is_empty()),
        found.published.as_ref().map(|date| date.text.clone()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !byline.is_empty() {
        parts.push(byline.join("\n"));
    }
    parts.push(found.text.clone());
    joined(parts)
}

fn as_markdown(found: &Extracted) -> String {
    let title = found.title.iter().map(|title| format!("# {title}"));
    joined(title.chain([found.markdown.clone()]).collect())
}

/// What there is of the parts, with an empty line between them; nothing of nothing.
fn joined(mut parts: Vec<String>) -> String {
    parts.retain(|part| !part.is_empty());
    let mut text = parts.join("\n\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Something with the number of its line.
type Numbered<T> = (usize, T);

/// One line in, one line out, in the order of the input, on `threads` threads. At most
/// [`WINDOW_PER_THREAD`] pages for each thread are under way at any time.
fn jsonl(threads: usize) -> anyhow::Result<()> {
    let window = threads * WINDOW_PER_THREAD;
    let (return_permit, permits) = sync_channel::<()>(window);
    let (send_job, jobs) = sync_channel::<Numbered<Line>>(window);
    let (send_result, results) = sync_channel::<Numbered<String>>(window);
    for _ in 0..window {
        return_permit.send(()).context("fill the window")?;
    }
    let jobs = Mutex::new(jobs);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (jobs, send_result) = (&jobs, send_result.clone());
            scope.spawn(move || work(jobs, &send_result));
        }
        drop(send_result);
        let reader = scope.spawn(move || read_lines(&permits, &send_job));
        let written = write_in_order(&results, &return_permit);
        drop((results, return_permit));
        // After a closed pipe the reader may wait for input for ever; the process ends instead.
        if written
            .as_ref()
            .is_err_and(|error| output::is_closed_pipe(error))
        {
            std::process::exit(0);
        }
        let read = reader
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the reader panicked")));
        written?;
        read.context("read standard input")
    })
}

fn read_lines(permits: &Receiver<()>, send_job: &SyncSender<Numbered<Line>>) -> io::Result<()> {
    for (number, line) in requests::lines(io::stdin().lock()).enumerate() {
        if permits.recv().is_err() || send_job.send((number, line?)).is_err() {
            break;
        }
    }
    Ok(())
}

fn work(jobs: &Mutex<Receiver<Numbered<Line>>>, send_result: &SyncSender<Numbered<String>>) {
    loop {
        let job = match jobs.lock() {
            Ok(jobs) => jobs.recv(),
            Err(_) => return,
        };
        let Ok((number, line)) = job else { return };
        if send_result.send((number, predict(&line))).is_err() {
            return;
        }
    }
}

fn write_in_order(
    results: &Receiver<Numbered<String>>,
    return_permit: &SyncSender<()>,
) -> io::Result<()> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    let mut output = output::Data::new();
    while let Ok((number, line)) = results.recv() {
        waiting.insert(number, line);
        while let Some(line) = waiting.remove(&next) {
            writeln!(output, "{line}")?;
            output.flush()?;
            next += 1;
            // The reader may be gone already: then nobody waits for permits.
            let _ = return_permit.try_send(());
        }
    }
    output.finish()
}

/// The output line for one input line; never an error, at worst a line that says one.
fn predict(line: &Line) -> String {
    let unread = |error: String| json!({"id": null, "error": error}).to_string();
    let request: Value = match line {
        Ok(line) => match serde_json::from_str(line) {
            Ok(request) => request,
            Err(error) => return unread(format!("not JSON: {error}")),
        },
        Err(error) => return unread(error.to_string()),
    };
    let id = request["id"].clone();
    match predict_page(&request) {
        Ok(mut object) => {
            object["id"] = id;
            object.to_string()
        }
        Err(error) => json!({"id": id, "error": format!("{error:#}")}).to_string(),
    }
}

fn predict_page(request: &Value) -> anyhow::Result<Value> {
    let path = request["path"].as_str().context("the line has no path")?;
    let bytes = source::read(path)?;
    let url = request["url"].as_str().unwrap_or_default();
    let url = PageUrl::parse(url).map_or_else(|_| no_url(), |url| url.url().clone());
    let html = extract::decode(&bytes, None);
    let (found, rejected) = sort(extract::extract(&html, &url, &Settings::default()));
    Ok(answer(&found, rejected.as_ref()))
}

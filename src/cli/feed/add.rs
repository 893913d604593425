//! `wireroom feed add`: subscribes to feeds, or to the feeds of sites.

use std::io::{self, Write};
use std::time::Duration;

use jiff::SignedDuration;
use serde::Serialize;
use wireroom::feed::FeedLink;
use wireroom::feed_list::ListedFeed;
use wireroom::fetch::Fetcher;
use wireroom::ingest::find_feeds;
use wireroom::model::{ErrorKind, Failure, FeedId, FeedSettings, FeedUrl};
use wireroom::store::{Access, FeedName, NewFeed, Store, Subscribed};

use crate::cli::output::{self, clean};
use crate::cli::{Context, Exit, UsageError, names};

const EXAMPLES: &str = "\
The address of a site serves as well: its page is searched for feeds. When it names several,
you choose on a terminal; otherwise they are listed, and nothing is added.

Examples:
  wireroom feed add https://www.themoscowtimes.com/rss/news
  wireroom feed add www.themoscowtimes.com --tag russia
  wireroom feed add https://example.org --yes --interval 30m
  wireroom feed add https://example.org/feed.xml --no-check --no-scrape
  wireroom feed add https://example.org --json";

/// Subscribe to feeds, or to the feeds of sites
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Feeds or sites; without a scheme, https
    #[arg(required = true, value_name = "URL")]
    urls: Vec<String>,

    /// Call the feed so, instead of its own title
    #[arg(long, value_name = "TITLE")]
    title: Option<String>,

    /// Give it a tag; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,

    /// Time between polls, such as 30m or 2h, within the bounds of the configuration
    #[arg(long, value_name = "TIME", value_parser = interval)]
    interval: Option<Duration>,

    /// Keep what the feed says and do not fetch the pages
    #[arg(long)]
    no_scrape: bool,

    /// Take the first feed of a site that names several
    #[arg(long, short)]
    yes: bool,

    /// Subscribe without asking the network: each URL must be a feed's
    #[arg(long)]
    no_check: bool,

    /// Write one JSON object per URL
    #[arg(long)]
    json: bool,
}

/// `30m`, `1h 30m`, or a number of seconds.
fn interval(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time; write it as 30m, 2h or 1h 30m");
    let time: SignedDuration = match text.parse::<u32>() {
        Ok(seconds) => SignedDuration::from_secs(seconds.into()),
        Err(_) => text.parse().map_err(|_| wrong())?,
    };
    match Duration::try_from(time) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err(wrong()),
    }
}

/// What came of one URL.
#[derive(Debug)]
enum Outcome {
    /// Subscribed, or known already; the feed as it is stored.
    Done(Subscribed, FeedLink),
    /// The site names several feeds, and nobody chose.
    Choice(Vec<FeedLink>),
    /// A person chose none.
    Declined,
    /// No feed.
    Failed(Failure),
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    if args.title.is_some() && args.urls.len() > 1 {
        return Err(UsageError("--title is for one URL".into()).into());
    }
    let urls: Vec<FeedUrl> = args
        .urls
        .iter()
        .map(|url| names::feed_url(url))
        .collect::<Result<_, _>>()?;
    context.runtime()?.block_on(add(&urls, args, context))
}

async fn add(urls: &[FeedUrl], args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let fetcher = match args.no_check {
        true => None,
        false => Some(Fetcher::new(config.fetch.clone())?),
    };
    let store = Store::open(&config.store, Access::Command).await?;
    let mut exit = Exit::Success;
    for (typed, url) in args.urls.iter().zip(urls) {
        let links = match &fetcher {
            Some(fetcher) => find_feeds(fetcher, url).await,
            None => Ok(vec![unchecked(url)]),
        };
        for outcome in settle(links, typed, &store, args, context).await? {
            if !matches!(outcome, Outcome::Done(..)) {
                exit = Exit::Failed;
            }
            report(url, &outcome, args, context)?;
        }
    }
    store.close().await?;
    Ok(exit)
}

fn unchecked(url: &FeedUrl) -> FeedLink {
    FeedLink {
        url: url.to_string(),
        title: None,
        media_type: None,
    }
}

/// Subscribes to what was found, as far as it is clear which feed is meant.
async fn settle(
    links: Result<Vec<FeedLink>, Failure>,
    typed: &str,
    store: &Store,
    args: &Args,
    context: &Context,
) -> anyhow::Result<Vec<Outcome>> {
    let links = match links {
        Ok(links) => links,
        Err(failure) => return Ok(vec![Outcome::Failed(failure)]),
    };
    let chosen = match links.len() {
        0 => {
            let failure = Failure::new(ErrorKind::NotAFeed, "no feed was found there");
            return Ok(vec![Outcome::Failed(failure)]);
        }
        1 => links,
        _ if args.yes => links.into_iter().take(1).collect(),
        _ if !args.json && output::can_ask() => choose(links)?,
        _ => return Ok(vec![Outcome::Choice(links)]),
    };
    if chosen.is_empty() {
        return Ok(vec![Outcome::Declined]);
    }
    let mut outcomes = Vec::with_capacity(chosen.len());
    for link in chosen {
        outcomes.push(match FeedUrl::parse(&link.url) {
            Ok(url) => {
                let new = new_feed(url, &link, typed, args);
                let subscribed = store.subscribe(new, context.now()).await?;
                Outcome::Done(subscribed, stored(store, word(subscribed).1, link).await?)
            }
            Err(error) => Outcome::Failed(Failure::new(ErrorKind::InvalidUrl, error.to_string())),
        });
    }
    Ok(outcomes)
}

/// URL and title of a feed that is subscribed: a known one keeps its own.
async fn stored(store: &Store, id: FeedId, link: FeedLink) -> anyhow::Result<FeedLink> {
    let Some(feed) = store.feed(&FeedName::Id(id)).await? else {
        return Ok(link);
    };
    Ok(FeedLink {
        url: feed.url.to_string(),
        title: feed.title,
        media_type: link.media_type,
    })
}

fn new_feed(url: FeedUrl, link: &FeedLink, typed: &str, args: &Args) -> NewFeed {
    // What was typed may be the address of the site, or lack its scheme.
    let is_typed = FeedUrl::parse(typed).is_ok_and(|typed| typed == url);
    NewFeed {
        listed: ListedFeed {
            url,
            given: if is_typed { typed } else { &link.url }.trim().to_owned(),
            title: args.title.clone().or_else(|| link.title.clone()),
            tags: args.tags.clone(),
            site: None,
            settings: FeedSettings {
                interval: args.interval,
                scrape: args.no_scrape.then_some(false),
                ..FeedSettings::default()
            },
        },
        file: None,
    }
}

/// Asks a person which of several feeds are meant.
fn choose(links: Vec<FeedLink>) -> io::Result<Vec<FeedLink>> {
    output::say("This site names several feeds:");
    for (at, link) in links.iter().enumerate() {
        output::say(format_args!("  {:>2}. {}", at + 1, shown(link, "  ")));
    }
    loop {
        let mut stderr = io::stderr().lock();
        write!(stderr, "Which? (numbers, a for all, Enter for none) ")?;
        stderr.flush()?;
        drop(stderr);
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        match chosen(&answer, links.len()) {
            Some(chosen) => {
                let links = links.into_iter().enumerate();
                let links = links.filter(|(at, _)| chosen.contains(at));
                return Ok(links.map(|(_, link)| link).collect());
            }
            None => output::say(format_args!("numbers from 1 to {}, please", links.len())),
        }
    }
}

/// The places that an answer such as `1 3`, `2,4`, `a` or nothing means; `None` if unclear.
fn chosen(answer: &str, n_links: usize) -> Option<Vec<usize>> {
    if answer.trim().eq_ignore_ascii_case("a") {
        return Some((0..n_links).collect());
    }
    answer
        .split([',', ' ', '\t', '\r', '\n'])
        .filter(|number| !number.is_empty())
        .map(|number| match number.parse::<usize>() {
            Ok(number) if (1..=n_links).contains(&number) => Some(number - 1),
            _ => None,
        })
        .collect()
}

/// URL and title, as far as there is one, with `between` between them.
fn shown(link: &FeedLink, between: &str) -> String {
    let url = clean(&link.url);
    match &link.title {
        Some(title) if !title.trim().is_empty() => format!("{url}{between}{}", clean(title)),
        _ => url.into_owned(),
    }
}

/// One line of `--json`.
#[derive(Debug, Default, Serialize)]
struct Row<'a> {
    /// The URL that was asked for.
    asked: &'a str,
    /// `added`, `known`, `revived`, `choice`, `failed`.
    result: &'static str,
    /// The feed's id.
    id: Option<i64>,
    /// The feed's URL.
    url: Option<&'a str>,
    /// The feed's title.
    title: Option<&'a str>,
    /// The feeds to choose from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    feeds: Vec<LinkRow<'a>>,
    /// Kind of the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_kind: Option<&'static str>,
    /// The failure for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// A feed to choose.
#[derive(Debug, Serialize)]
struct LinkRow<'a> {
    url: &'a str,
    title: Option<&'a str>,
    media_type: Option<&'a str>,
}

fn report(
    asked: &FeedUrl,
    outcome: &Outcome,
    args: &Args,
    context: &Context,
) -> anyhow::Result<()> {
    if args.json {
        output::json(&row(asked, outcome))?;
        return Ok(());
    }
    match outcome {
        Outcome::Done(subscribed, link) => {
            let (result, id) = word(*subscribed);
            output::line(format_args!("{result}\t{id}\t{}", shown(link, "\t")))?;
        }
        Outcome::Choice(links) => {
            context.say(format_args!(
                "{} names several feeds; name one of these, or say --yes for the first:",
                clean(asked.as_str())
            ));
            for link in links {
                output::line(shown(link, "\t"))?;
            }
        }
        Outcome::Declined => context.say("nothing added"),
        Outcome::Failed(failure) => {
            output::complain(failure);
            context.say(failure.kind.remedy());
        }
    }
    Ok(())
}

fn row<'a>(asked: &'a FeedUrl, outcome: &'a Outcome) -> Row<'a> {
    let asked = asked.as_str();
    match outcome {
        Outcome::Done(subscribed, link) => {
            let (result, id) = word(*subscribed);
            Row {
                asked,
                result,
                id: Some(id.0),
                url: Some(&link.url),
                title: link.title.as_deref(),
                ..Row::default()
            }
        }
        Outcome::Choice(links) => Row {
            asked,
            result: "choice",
            feeds: links.iter().map(LinkRow::of).collect(),
            ..Row::default()
        },
        Outcome::Declined => Row {
            asked,
            result: "failed",
            ..Row::default()
        },
        Outcome::Failed(failure) => Row {
            asked,
            result: "failed",
            error_kind: Some(failure.kind.name()),
            error: Some(&failure.detail),
            ..Row::default()
        },
    }
}

impl<'a> LinkRow<'a> {
    fn of(link: &'a FeedLink) -> Self {
        Self {
            url: &link.url,
            title: link.title.as_deref(),
            media_type: link.media_type.as_deref(),
        }
    }
}

fn word(subscribed: Subscribed) -> (&'static str, FeedId) {
    match subscribed {
        Subscribed::New(id) => ("added", id),
        Subscribed::Known(id) => ("known", id),
        Subscribed::Revived(id) => ("revived", id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_written_as_people_write_them() {
        assert_eq!(interval("30m"), Ok(Duration::from_secs(1800)));
        assert_eq!(interval("1h 30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(interval("90"), Ok(Duration::from_secs(90)));
        for wrong in ["", "0", "soon", "-5m", "0s"] {
            assert!(interval(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_choice_is_numbers_all_or_none() {
        assert_eq!(chosen("1, 3\n", 3), Some(vec![0, 2]));
        assert_eq!(chosen("a\n", 2), Some(vec![0, 1]));
        assert_eq!(chosen("\n", 2), Some(vec![]));
        assert_eq!(chosen("", 2), Some(vec![]));
        assert_eq!(chosen("4", 3), None);
        assert_eq!(chosen("0", 3), None);
        assert_eq!(chosen("first", 3), None);
    }
}

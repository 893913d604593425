//! `wireroom search`: articles by words.

use clap::builder::styling::Style;
use serde::Serialize;
use wireroom::export::ArticleRecord;
use wireroom::query::{ArticleQuery, Order, Parts, SearchExpr};
use wireroom::store::{Access, Article, Listing};

use super::output::{self, BOLD, DIM, MARK, clean, styled};
use super::paging::{Paging, Reading};
use super::query_args;
use super::snippet::{Part, snippet};
use super::{Context, Exit, list};

const EXAMPLES: &str = "\
The search: words (all must be there, in title or text), \"a phrase\" (quote it from the
shell: '\"a phrase\"'), word*, -word, A OR B, ( ), and the fields site: feed: tag: lang:
author: title: after: before:. See docs/commands.md.

Examples:
  wireroom search taliban
  wireroom search '\"new york\" OR boston' -sport
  wireroom search climate site:themoscowtimes.com after:2026-11-01
  wireroom search harbour lang:de author:schmidt after:7d --json | jq -r .url
  wireroom search --rank harbour fire
  wireroom search taliban --limit 100";

/// Find articles by words, newest first or best first
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What to search for; several words are joined by spaces
    #[arg(required = true, value_name = "WORDS", value_parser = query_args::word)]
    words: Vec<String>,

    /// Best answers first, among the newest 1000 matches
    #[arg(long)]
    rank: bool,

    #[command(flatten)]
    paging: Paging,
}

/// One answer as a JSON object: the article, and how well it answers when that was asked.
#[derive(Serialize)]
struct AnswerRecord<'a> {
    #[serde(flatten)]
    article: ArticleRecord<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let search = query_args::required_search(&args.words, context)?;
    let reading = context.runtime()?.block_on(find(args, &search, context))?;
    tell_lag(reading.index_lag, context);
    if let Some(n_ranked) = reading.n_ranked {
        context.say(format_args!("ranked among the newest {n_ranked} matches"));
    }
    if reading.n_articles == 0 {
        context.say("nothing found");
        return Ok(Exit::NothingFound);
    }
    let command = match args.rank {
        true => "search --rank",
        false => "search",
    };
    args.paging
        .tell_next(&reading, command, &args.words, context);
    Ok(Exit::Success)
}

async fn find(args: &Args, search: &SearchExpr, context: &Context) -> anyhow::Result<Reading> {
    let store = context.store(Access::Reader).await?;
    let query = ArticleQuery {
        search: Some(search.clone()),
        parts: Parts::Whole,
        order: match args.rank {
            true => Order::Rank,
            false => Order::Newest,
        },
        ..ArticleQuery::default()
    };
    let show = |listing: &Listing| {
        let ranked = listing.ranked.as_ref();
        for (place, article) in listing.articles.iter().enumerate() {
            let score = ranked.and_then(|ranked| ranked.scores.get(place)).copied();
            match args.paging.json {
                true => output::json(&AnswerRecord {
                    article: ArticleRecord::from(article),
                    score: score.map(rounded),
                })?,
                false => print(article, search)?,
            }
        }
        Ok(())
    };
    args.paging.read(&store, query, show).await
}

/// A score with as many digits as mean anything.
fn rounded(score: f64) -> f64 {
    (score * 10_000.0).round() / 10_000.0
}

/// Says that the newest articles cannot be found yet, if so.
pub(crate) fn tell_lag(index_lag: u64, context: &Context) {
    if index_lag > 0 {
        let changes = output::counted(index_lag, "change");
        context.say(format_args!("the newest {changes} cannot be searched yet"));
    }
}

/// One answer: headline, date and site, URL, and the place that answers.
fn print(article: &Article, search: &SearchExpr) -> anyhow::Result<()> {
    let url = article.url.as_deref().unwrap_or("(no URL)");
    let title = list::title(article);
    output::line(marked(snippet(&title, search, usize::MAX), BOLD))?;
    output::line(format_args!(
        "  {}",
        styled(
            DIM,
            format_args!(
                "{}  {}  {}",
                list::day(article),
                clean(&list::site(article)),
                article.id
            )
        )
    ))?;
    output::line(format_args!("  {}", clean(url)))?;
    let room = output::width().clamp(40, 120) * 2 - 8;
    let place = marked(snippet(words_of(article), search, room), Style::new());
    if !place.is_empty() {
        output::line(format_args!("  {place}"))?;
    }
    output::line("")?;
    Ok(())
}

/// The parts as one text: the words that were searched for marked, the others in `style`.
fn marked(parts: Vec<Part>, style: Style) -> String {
    parts
        .into_iter()
        .map(|part| match part {
            Part::Plain(text) => styled(style, clean(&text)),
            Part::Marked(text) => styled(MARK, clean(&text)),
        })
        .collect()
}

/// The text, else the feed's summary.
fn words_of(article: &Article) -> &str {
    match article.text.as_str() {
        "" => article.summary.as_deref().unwrap_or_default(),
        text => text,
    }
}

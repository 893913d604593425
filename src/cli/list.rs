//! `wireroom list`: the newest articles.

use std::borrow::Cow;

use url::Url;
use wireroom::export::ArticleRecord;
use wireroom::query::{ArticleQuery, Parts};
use wireroom::store::{Access, Article, Listing};

use super::output::{self, Fit, Table};
use super::paging::{Paging, Reading};
use super::{Context, Exit};

const EXAMPLES: &str = "\
On a terminal a table, without the URLs; otherwise one article a line: id, date, site, title,
URL, separated by tabs.

Examples:
  wireroom list
  wireroom list --feed 3 --limit 50
  wireroom list --feed https://www.themoscowtimes.com/rss/news
  wireroom list --json | jq -r .title
  wireroom list | cut -f 5";

/// List the newest articles
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    paging: Paging,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let reading = context.runtime()?.block_on(read(args, context))?;
    if reading.n_articles == 0 {
        context.say("no articles yet");
    }
    args.paging.tell_next(&reading, "list", &[], context);
    Ok(Exit::Success)
}

async fn read(args: &Args, context: &Context) -> anyhow::Result<Reading> {
    let store = context.store(Access::Reader).await?;
    let query = ArticleQuery {
        parts: if args.paging.json {
            Parts::Whole
        } else {
            Parts::Head
        },
        ..ArticleQuery::default()
    };
    let mut table = Table::new(&[
        ("ID", Fit::Whole),
        ("DATE", Fit::Whole),
        ("SITE", Fit::Cut),
        ("TITLE", Fit::Cut),
        ("URL", Fit::Piped),
    ]);
    let show = |listing: &Listing| match args.paging.json {
        true => print_json(&listing.articles),
        false => {
            let articles = listing.articles.iter();
            articles.for_each(|article| add(&mut table, article));
            Ok(table.flow()?)
        }
    };
    let reading = args.paging.read(&store, query, show).await?;
    table.finish()?;
    Ok(reading)
}

/// One JSON object a line.
fn print_json(articles: &[Article]) -> anyhow::Result<()> {
    for article in articles {
        output::json(&ArticleRecord::from(article))?;
    }
    Ok(())
}

fn add(table: &mut Table, article: &Article) {
    let id = article.id.to_string();
    table.row([
        id.as_str(),
        &day(article),
        &site(article),
        &title(article),
        article.url.as_deref().unwrap_or_default(),
    ]);
}

/// The headline, else the summary's beginning, else a word for none.
pub(crate) fn title(article: &Article) -> Cow<'_, str> {
    match (&article.title, &article.summary) {
        (Some(title), _) if !title.trim().is_empty() => Cow::Borrowed(title),
        (_, Some(summary)) if !summary.trim().is_empty() => {
            Cow::Owned(summary.chars().take(80).collect())
        }
        _ => Cow::Borrowed("(no title)"),
    }
}

/// The day of publication, else of first sight, in UTC.
pub(crate) fn day(article: &Article) -> String {
    let at = article.published_at.or(article.first_seen);
    at.map_or_else(String::new, |at| at.strftime("%Y-%m-%d").to_string())
}

/// The host of the article's page, without `www.`.
pub(crate) fn site(article: &Article) -> String {
    let url = article.final_url.as_deref().or(article.url.as_deref());
    let url = url.and_then(|url| Url::parse(url).ok());
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_without_title_is_still_told_apart() {
        let mut article = Article::default();
        assert_eq!(title(&article), "(no title)");

        article.summary = Some("What happened.".into());
        assert_eq!(title(&article), "What happened.");

        article.title = Some("Headline".into());
        article.final_url = Some("https://www.example.org/a".into());
        assert_eq!(title(&article), "Headline");
        assert_eq!(site(&article), "example.org");
    }
}

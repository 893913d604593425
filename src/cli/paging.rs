//! Answers page by page: as many as are wanted, in bounded memory.

use wireroom::query::{ArticleQuery, Cursor};
use wireroom::store::{Article, Store};

use super::output;

/// Answers for a person who did not say how many.
const FOR_PEOPLE: usize = ArticleQuery::DEFAULT_LIMIT;

/// Articles read at once.
const PAGE: usize = 100;

/// How many answers, and from where.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Paging {
    /// At most so many articles; without it, 20 on a terminal, otherwise all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,

    /// Go on where an earlier answer ended: the text it gave after `--cursor`
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true, value_parser = cursor)]
    cursor: Option<Cursor>,
}

fn cursor(text: &str) -> Result<Cursor, String> {
    Cursor::decode(text).ok_or_else(|| "this is no cursor of ours".to_owned())
}

/// How the reading ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Articles read.
    pub(crate) n_articles: usize,
    /// Where to go on, if there is more.
    pub(crate) next: Option<Cursor>,
    /// Changes that the search index has not seen yet.
    pub(crate) index_lag: u64,
}

impl Paging {
    /// How many articles are wanted at most: as said, else a screenful for a person at a
    /// terminal, else all, since a program cannot see that something is missing.
    fn wanted(&self, json: bool) -> usize {
        match self.limit {
            Some(limit) => limit.try_into().unwrap_or(usize::MAX),
            None if output::is_terminal() && !json => FOR_PEOPLE,
            None => usize::MAX,
        }
    }

    /// Gives the articles that answer `query` to `show`, page by page.
    pub(crate) async fn read(
        &self,
        store: &Store,
        mut query: ArticleQuery,
        json: bool,
        mut show: impl FnMut(&[Article]) -> anyhow::Result<()>,
    ) -> anyhow::Result<Reading> {
        let mut reading = Reading::default();
        let mut left = self.wanted(json);
        query.cursor = self.cursor;
        while left > 0 {
            query.limit = left.min(PAGE);
            let listing = store.articles(&query).await?;
            show(&listing.articles)?;
            left = left.saturating_sub(listing.articles.len());
            reading.n_articles += listing.articles.len();
            reading.index_lag = reading.index_lag.max(listing.index_lag);
            reading.next = listing.next;
            match listing.next {
                // A cursor that does not move would make this endless.
                Some(next) if Some(next) != query.cursor => query.cursor = Some(next),
                _ => break,
            }
        }
        Ok(reading)
    }
}

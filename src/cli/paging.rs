//! Answers page by page: as many as are wanted, in bounded memory.

use std::borrow::Cow;

use wireroom::query::{ArticleQuery, Cursor};
use wireroom::store::{Listing, Store};

use super::{Context, names, output};

/// Answers for a person who did not say how many.
const FOR_PEOPLE: usize = ArticleQuery::DEFAULT_LIMIT;

/// Articles read at once.
const PAGE: usize = 100;

/// Which articles, how many, from where, and in which form.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Paging {
    /// Only articles that this feed announced, by id or URL
    #[arg(long, value_name = "ID|URL")]
    feed: Option<String>,

    /// At most so many articles; without it, 20 on a terminal, otherwise all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,

    /// Go on where an earlier answer ended: the text it gave after `--cursor`
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true, value_parser = cursor)]
    cursor: Option<Cursor>,

    /// Write one JSON object per article and line
    #[arg(long)]
    pub(crate) json: bool,
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
    /// Matches that were ranked, when those are not all.
    pub(crate) n_ranked: Option<usize>,
}

impl Paging {
    /// How many articles are wanted at most: as said, else a screenful for a person at a
    /// terminal, else all, since a program cannot see that something is missing.
    fn wanted(&self) -> usize {
        match self.limit {
            Some(limit) => limit.try_into().unwrap_or(usize::MAX),
            None if output::is_terminal() && !self.json => FOR_PEOPLE,
            None => usize::MAX,
        }
    }

    /// Gives the articles of the feed that answer `query` to `show`, page by page.
    pub(crate) async fn read(
        &self,
        store: &Store,
        mut query: ArticleQuery,
        mut show: impl FnMut(&Listing) -> anyhow::Result<()>,
    ) -> anyhow::Result<Reading> {
        let mut reading = Reading::default();
        let mut left = self.wanted();
        query.feed = names::optional_feed_id(store, self.feed.as_deref()).await?;
        query.cursor = self.cursor;
        while left > 0 {
            query.limit = left.min(PAGE);
            let listing = store.articles(&query).await?;
            show(&listing)?;
            left = left.saturating_sub(listing.articles.len());
            reading.n_articles += listing.articles.len();
            reading.index_lag = reading.index_lag.max(listing.index_lag);
            reading.next = listing.next;
            let part = listing.ranked.filter(|ranked| !ranked.is_all);
            reading.n_ranked = part.map(|ranked| ranked.n_ranked);
            match listing.next {
                // A cursor that does not move would make this endless.
                Some(next) if Some(next) != query.cursor => query.cursor = Some(next),
                _ => break,
            }
        }
        Ok(reading)
    }

    /// Says how to see more, if there is more: `command` again, with `words`.
    pub(crate) fn tell_next(
        &self,
        reading: &Reading,
        command: &str,
        words: &[String],
        context: &Context,
    ) {
        let Some(next) = &reading.next else {
            return;
        };
        let feed = self.feed.as_deref();
        let feed = feed.map(|feed| format!(" --feed {}", quoted(feed)));
        let words: String = words
            .iter()
            .map(|word| format!(" {}", quoted(word)))
            .collect();
        context.say(format_args!(
            "more: wireroom {command}{}{} --cursor {}",
            output::clean(&words),
            output::clean(&feed.unwrap_or_default()),
            next.encode()
        ));
    }
}

/// A word as a POSIX shell takes it.
fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_alphanumeric() || "-_.:/@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_shell_where_need_be() {
        assert_eq!(quoted("taliban"), "taliban");
        assert_eq!(quoted("site:example.org"), "site:example.org");
        assert_eq!(quoted("new york"), "'new york'");
        assert_eq!(quoted("don't"), r"'don'\''t'");
        assert_eq!(quoted("$(rm)"), "'$(rm)'");
        assert_eq!(quoted(""), "''");
    }
}

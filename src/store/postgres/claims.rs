//! Which URLs mean one article is decided by one worker at a time.
//!
//! Two workers that record two copies of a page at the same moment would each find that
//! nobody else claims its URLs, and no one would ever look again: the page would be there
//! twice. So whoever records pages first puts all their URLs into `claim_turn`. Its key lets
//! the second one wait until the first one has committed, and then read what he wrote. The
//! rows are taken out in the same transaction: nobody ever sees one.

use std::collections::BTreeSet;

use deadpool_postgres::Transaction;

use super::super::decide;
use super::super::recording::{Report, Scrape};
use super::convert::shard_column;
use super::fault::Fault;
use super::statement::{execute, get, rows};

/// The right to say which articles some URLs mean. Until [`end`](Turn::end) and the commit.
#[derive(Debug, Default)]
pub(super) struct Turn {
    shards: Vec<i16>,
    keys: Vec<i64>,
}

impl Turn {
    /// Waits until nobody else records a page with a URL of these pages.
    pub(super) async fn take(
        transaction: &Transaction<'_>,
        reports: &[&Report],
    ) -> Result<Self, Fault> {
        let pages: Vec<&Scrape> = reports
            .iter()
            .filter_map(|report| report.as_scrape())
            .filter(|scrape| scrape.has_page())
            .collect();
        if pages.is_empty() {
            return Ok(Self::default());
        }
        // In the order of the key, so that no two wait for each other.
        let mut urls = known_urls(transaction, &pages).await?;
        for form in pages.iter().flat_map(|scrape| scrape.forms()) {
            urls.insert((shard_column(decide::form_shard(&form.form)), form.key));
        }
        let (shards, keys) = urls.into_iter().unzip();
        let sql = "INSERT INTO claim_turn (shard, key)
                   SELECT w.shard, w.key FROM unnest($1::smallint[], $2::bigint[]) AS w(shard, key)
                   ORDER BY w.shard, w.key
                   ON CONFLICT (shard, key) DO NOTHING";
        let turn = Self { shards, keys };
        execute(transaction, sql, &[&turn.shards, &turn.keys]).await?;
        Ok(turn)
    }

    /// Leaves nothing behind.
    pub(super) async fn end(self, transaction: &Transaction<'_>) -> Result<(), Fault> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let sql = "DELETE FROM claim_turn t
                   USING unnest($1::smallint[], $2::bigint[]) AS w(shard, key)
                   WHERE t.shard = w.shard AND t.key = w.key";
        execute(transaction, sql, &[&self.shards, &self.keys]).await?;
        Ok(())
    }
}

/// The URLs that mean the articles of these pages so far: another page may claim one of them.
async fn known_urls(
    transaction: &Transaction<'_>,
    pages: &[&Scrape],
) -> Result<BTreeSet<(i16, i64)>, Fault> {
    let articles: Vec<i64> = pages.iter().map(|scrape| scrape.article().0).collect();
    let sql = "SELECT shard, key FROM alias WHERE article_id = ANY($1)";
    let found = rows(transaction, sql, &[&articles]).await?;
    let urls = found.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?)));
    urls.collect()
}

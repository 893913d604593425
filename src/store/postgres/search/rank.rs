//! Ranking the newest matches.

use std::time::Instant;

use deadpool_postgres::GenericClient;

use super::super::super::column::int;
use super::super::super::{StoreError, listing};
use super::super::convert::count;
use super::super::fault::Fault;
use super::super::statement::{get, maybe_row, row};
use super::document::{Depth, read_documents};
use super::render;
use crate::model::ArticleId;
use crate::query::{Condition, Cursor, Frequency, RANKED, Ranking};

/// Articles whose text is in memory at once.
const CHUNK: usize = 50;

/// A ranking of these matches, and how many of them are still there.
pub(in super::super) async fn rank(
    client: &impl GenericClient,
    condition: &Condition,
    found: &[Cursor],
) -> Result<(Ranking, usize), Fault> {
    let began = Instant::now();
    let mut ranking = Ranking::new(condition);
    let mut n_ranked = 0;
    for chunk in found.chunks(CHUNK) {
        let ids: Vec<ArticleId> = chunk.iter().map(|found| found.id).collect();
        let documents = read_documents(client, &ids, Depth::Words).await?;
        n_ranked += documents.len();
        let chunk = chunk.to_vec();
        let added = tokio::task::spawn_blocking(move || {
            for found in documents {
                if let Some(at) = chunk.iter().find(|at| at.id == found.id) {
                    ranking.add(*at, &found.document.index());
                }
            }
            ranking
        });
        ranking = added
            .await
            .map_err(|error| StoreError::Database(format!("a ranking ended: {error}")))?;
        if began.elapsed() > listing::DEADLINE {
            return Err(listing::too_long().into());
        }
    }
    Ok((ranking, n_ranked))
}

/// How common the words of a ranking are among the newest [`RANKED`] documents. All
/// documents of the last millisecond count.
pub(in super::super) async fn frequencies(
    client: &impl GenericClient,
    ranking: &Ranking,
) -> Result<Vec<Frequency>, Fault> {
    let sql = "SELECT sort_at FROM search_document
               ORDER BY sort_at DESC, article_id DESC OFFSET $1 LIMIT 1";
    let from: i64 = match maybe_row(client, sql, &[&int(RANKED - 1)]).await? {
        Some(row) => get(&row, 0)?,
        None => i64::MIN,
    };
    let sql = "SELECT count(*) FROM search_document WHERE sort_at >= $1";
    let n_all = count(&row(client, sql, &[&from]).await?, 0)?;
    let sql = "SELECT count(*) FROM search_document
               WHERE sort_at >= $1 AND words @@ $2::TEXT::TSQUERY";
    let mut frequencies = Vec::new();
    for word in ranking.words() {
        let tsquery = render::render(word);
        let n_having = count(&row(client, sql, &[&from, &tsquery]).await?, 0)?;
        frequencies.push(Frequency { n_having, n_all });
    }
    Ok(frequencies)
}

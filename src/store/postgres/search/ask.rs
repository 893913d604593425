//! Reading the index.

use std::time::Instant;

use deadpool_postgres::GenericClient;

use super::super::super::column::int;
use super::super::super::{StoreError, listing};
use super::super::fault::Fault;
use super::super::statement::{get, rows};
use super::document::{Depth, read_documents};
use super::render;
use crate::model::ArticleId;
use crate::query::{Condition, Cursor};

/// Documents that are looked through, newest first, before the index of words is asked. A
/// common word is found among them at once; PostgreSQL would take a rare one for a common
/// one, and look through all documents for it.
const WINDOW: i64 = 1000;

/// Articles whose text is read at once, to look for a phrase.
const CHUNK: usize = 50;

/// Most documents that are asked for at once.
const MAX_PAGE: usize = 1000;

/// A span of time, and where in it to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Span {
    /// From this millisecond on.
    pub(in super::super) after: Option<i64>,
    /// Before this one.
    pub(in super::super) before: Option<i64>,
    /// Behind this place.
    pub(in super::super) cursor: Option<Cursor>,
}

/// The answers to a condition, newest first.
pub(in super::super) struct Walk {
    tsquery: String,
    /// What is to be looked for in the articles themselves.
    unsure: Option<Condition>,
    span: Span,
    /// Documents to ask for at once: more and more, while few of them answer.
    page: usize,
    end: Instant,
}

impl Walk {
    pub(in super::super) fn new(condition: &Condition, span: Span) -> Self {
        Self {
            tsquery: render::render(condition),
            unsure: render::unsure(condition),
            span,
            page: CHUNK,
            end: Instant::now() + listing::DEADLINE,
        }
    }

    /// The next `n` answers, or fewer when there are no more.
    pub(in super::super) async fn next(
        &mut self,
        client: &impl GenericClient,
        n: usize,
    ) -> Result<Vec<Cursor>, Fault> {
        let Some(unsure) = self.unsure.clone() else {
            return newest(client, &self.tsquery, self.span, n).await;
        };
        let mut answers = Vec::new();
        while answers.len() < n {
            let found = newest(client, &self.tsquery, self.span, self.page).await?;
            for chunk in found.chunks(CHUNK) {
                answers.extend(those_that_answer(client, &unsure, chunk).await?);
                if Instant::now() > self.end {
                    return Err(listing::too_long().into());
                }
                if answers.len() >= n {
                    break;
                }
            }
            if found.len() < self.page {
                break;
            }
            self.page = (self.page * 2).min(MAX_PAGE);
            self.span.cursor = found.last().copied();
        }
        answers.truncate(n);
        Ok(answers)
    }

    /// Goes on behind this answer.
    pub(in super::super) fn go_on_behind(&mut self, answer: Cursor) {
        self.span.cursor = Some(answer);
    }
}

/// Those of the documents for which the condition holds, in their order.
async fn those_that_answer(
    client: &impl GenericClient,
    condition: &Condition,
    found: &[Cursor],
) -> Result<Vec<Cursor>, Fault> {
    let ids: Vec<ArticleId> = found.iter().map(|found| found.id).collect();
    let depth = match condition.has_keys() {
        true => Depth::WordsAndKeys,
        false => Depth::Words,
    };
    let documents = read_documents(client, &ids, depth).await?;
    let condition = condition.clone();
    let answering = tokio::task::spawn_blocking(move || {
        documents
            .into_iter()
            .filter(|found| found.document.index().answers(&condition))
            .map(|found| found.id)
            .collect::<Vec<ArticleId>>()
    });
    let answering = answering
        .await
        .map_err(|error| Fault::Store(StoreError::Database(format!("a search ended: {error}"))))?;
    Ok(found
        .iter()
        .filter(|found| answering.contains(&found.id))
        .copied()
        .collect())
}

/// The newest documents that match, newest first, and of one millisecond the largest id
/// first, as the archive lists them.
async fn newest(
    client: &impl GenericClient,
    tsquery: &str,
    span: Span,
    limit: usize,
) -> Result<Vec<Cursor>, Fault> {
    let found = among_newest(client, tsquery, span, limit).await?;
    if found.len() == limit {
        return Ok(found);
    }
    let sql = "
        WITH matching AS MATERIALIZED (
          SELECT sort_at, article_id FROM search_document
          WHERE words @@ $1::TEXT::TSQUERY AND sort_at >= $2 AND sort_at < $3
            AND (sort_at, article_id) < ($4, $5)
        )
        SELECT sort_at, article_id FROM matching
        ORDER BY sort_at DESC, article_id DESC LIMIT $6";
    found_by(client, sql, tsquery, span, limit).await
}

/// Those of them that are among the [`WINDOW`] newest documents.
async fn among_newest(
    client: &impl GenericClient,
    tsquery: &str,
    span: Span,
    limit: usize,
) -> Result<Vec<Cursor>, Fault> {
    let sql = format!(
        "SELECT sort_at, article_id FROM (
           SELECT sort_at, article_id, words FROM search_document
           WHERE sort_at >= $2 AND sort_at < $3 AND (sort_at, article_id) < ($4, $5)
           ORDER BY sort_at DESC, article_id DESC LIMIT {WINDOW}
         ) newest
         WHERE words @@ $1::TEXT::TSQUERY
         ORDER BY sort_at DESC, article_id DESC LIMIT $6"
    );
    found_by(client, &sql, tsquery, span, limit).await
}

async fn found_by(
    client: &impl GenericClient,
    sql: &str,
    tsquery: &str,
    span: Span,
    limit: usize,
) -> Result<Vec<Cursor>, Fault> {
    let (after, before) = (
        span.after.unwrap_or(i64::MIN),
        span.before.unwrap_or(i64::MAX),
    );
    let behind = span.cursor.unwrap_or(Cursor {
        at_ms: i64::MAX,
        id: ArticleId(i64::MAX),
    });
    let limit = int(limit);
    rows(
        client,
        sql,
        &[
            &tsquery,
            &after,
            &before,
            &behind.at_ms,
            &behind.id.0,
            &limit,
        ],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Cursor {
            at_ms: get(row, 0)?,
            id: ArticleId(get(row, 1)?),
        })
    })
    .collect()
}

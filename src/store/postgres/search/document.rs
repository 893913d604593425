//! What the archive has of articles to be searched.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;
use url::Url;

use super::super::super::{decide, json};
use super::super::convert::shard_column;
use super::super::fault::Fault;
use super::super::statement::{get, rows};
use crate::model::{ArticleId, FeedId};
use crate::query::{Document, MAX_TEXT_CHARS};

/// An article as it is searched.
pub(super) struct Found {
    pub(super) id: ArticleId,
    /// Its place in all lists, in milliseconds.
    pub(super) sort_at_ms: i64,
    pub(super) document: Document,
}

/// How much of an article is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Its words.
    Words,
    /// Its words, and what its keys are made of.
    WordsAndKeys,
}

/// Articles with these ids, in no order; those that are not there are left out.
pub(super) async fn read_documents(
    client: &impl GenericClient,
    ids: &[ArticleId],
    depth: Depth,
) -> Result<Vec<Found>, Fault> {
    let sql = "
        SELECT a.id, a.sort_at, a.title, a.authors, a.host, a.final_url, a.language, a.keywords,
          left(coalesce(nullif(t.text, ''), a.summary, ''), $3)
        FROM unnest($1::SMALLINT[], $2::BIGINT[]) AS wanted (shard, id)
        JOIN article a ON a.shard = wanted.shard AND a.id = wanted.id
        LEFT JOIN article_text t ON t.shard = a.shard AND t.article_id = a.id";
    let (shards, numbers) = id_columns(ids);
    let max_chars = i32::try_from(MAX_TEXT_CHARS).unwrap_or(i32::MAX);
    let mut documents = rows(client, sql, &[&shards, &numbers, &max_chars])
        .await?
        .iter()
        .map(read)
        .collect::<Result<Vec<Found>, Fault>>()?;
    if depth == Depth::WordsAndKeys {
        add_sightings(client, &shards, &numbers, &mut documents).await?;
    }
    Ok(documents)
}

/// Ids of articles as the two columns of their keys.
pub(in super::super) fn id_columns(ids: &[ArticleId]) -> (Vec<i16>, Vec<i64>) {
    ids.iter()
        .map(|id| (shard_column(decide::id_shard(*id)), id.0))
        .unzip()
}

fn read(row: &Row) -> Result<Found, Fault> {
    let text = |column| -> Result<Option<String>, Fault> { get(row, column) };
    let final_host = text(5)?.and_then(|url| Url::parse(&url).ok()?.host_str().map(str::to_owned));
    Ok(Found {
        id: ArticleId(get(row, 0)?),
        sort_at_ms: get(row, 1)?,
        document: Document {
            title: text(2)?.unwrap_or_default(),
            authors: json::read(get(row, 3)?),
            text: get(row, 8)?,
            hosts: text(4)?.into_iter().chain(final_host).collect(),
            language: text(6)?.unwrap_or_default(),
            tags: json::read(get(row, 7)?),
            feeds: Vec::new(),
        },
    })
}

/// Adds the feeds that announced the articles, and the categories that they gave.
async fn add_sightings(
    client: &impl GenericClient,
    shards: &[i16],
    numbers: &[i64],
    documents: &mut [Found],
) -> Result<(), Fault> {
    let sql = "
        SELECT s.article_id, s.feed_id, s.tags
        FROM unnest($1::SMALLINT[], $2::BIGINT[]) AS wanted (shard, id)
        JOIN sighting s ON s.shard = wanted.shard AND s.article_id = wanted.id";
    let mut by_id: HashMap<i64, &mut Document> = documents
        .iter_mut()
        .map(|found| (found.id.0, &mut found.document))
        .collect();
    for row in rows(client, sql, &[&shards, &numbers]).await? {
        if let Some(document) = by_id.get_mut(&get(&row, 0)?) {
            let feed = FeedId(get(&row, 1)?);
            if !document.feeds.contains(&feed) {
                document.feeds.push(feed);
            }
            let tags: Vec<String> = json::read(get(&row, 2)?);
            document.tags.extend(tags);
        }
    }
    Ok(())
}

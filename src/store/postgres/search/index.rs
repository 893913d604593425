//! Writing the index.

use deadpool_postgres::{GenericClient, Transaction};

use super::super::super::{StoreError, column::int};
use super::super::convert::shard_column;
use super::super::fault::Fault;
use super::super::statement::{execute, get, row, rows};
use super::super::{Postgres, notes};
use super::document::{Depth, id_columns, read_documents};
use super::render;
use crate::model::{ArticleId, N_SHARDS, Shard};

/// What the tokenizer and the form of documents are together: another one is made anew.
const INDEX_VERSION: &str = "3";

/// The note that holds it.
const VERSION_NOTE: &str = "search_index";

/// Changes in one transaction. While it lasts, who changes one of these articles waits.
const BATCH: usize = 100;

/// Articles whose text is in memory at once.
const CHUNK: usize = 20;

/// Changes that are taken in, each with the `seq` that it had.
struct Changes {
    ids: Vec<ArticleId>,
    shards: Vec<i16>,
    seqs: Vec<i64>,
}

/// Takes in all changes that no other process is taking in; how many articles that were.
pub(in super::super) async fn index(store: &Postgres) -> Result<usize, StoreError> {
    in_transaction!(store, transaction => make_anew_if_outdated(&transaction))?;
    let mut n_taken = 0;
    loop {
        let n = in_transaction!(store, transaction => take_batch(&transaction))?;
        n_taken += n;
        if n < BATCH {
            return Ok(n_taken);
        }
    }
}

/// Makes every article a change when there are no documents, or when they were made by
/// another version of us. Of several processes one does so, and the others wait for it.
async fn make_anew_if_outdated(transaction: &Transaction<'_>) -> Result<(), Fault> {
    let found = notes::note(transaction, VERSION_NOTE).await?;
    if found.as_deref() == Some(INDEX_VERSION) {
        return match is_empty(transaction).await? {
            true => change_all(transaction).await,
            false => Ok(()),
        };
    }
    let sql = "INSERT INTO note (name, text) VALUES ($1, $2)
               ON CONFLICT (name) DO UPDATE SET text = excluded.text
               WHERE note.text <> excluded.text";
    let is_ours = execute(transaction, sql, &[&VERSION_NOTE, &INDEX_VERSION]).await? == 1;
    match is_ours {
        true => change_all(transaction).await,
        false => Ok(()),
    }
}

/// Whether there are no documents, and none are to come.
async fn is_empty(client: &impl GenericClient) -> Result<bool, Fault> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM search_document)
                 AND NOT EXISTS (SELECT 1 FROM article_change)";
    get(&row(client, sql, &[]).await?, 0)
}

async fn change_all(transaction: &Transaction<'_>) -> Result<(), Fault> {
    let sql = "INSERT INTO article_change (shard, article_id, seq, op)
               SELECT shard, id, 0, 1 FROM article WHERE shard = $1
               ON CONFLICT (shard, article_id) DO NOTHING";
    for shard in 0..N_SHARDS {
        execute(transaction, sql, &[&shard_column(Shard(shard))]).await?;
    }
    Ok(())
}

async fn take_batch(transaction: &Transaction<'_>) -> Result<usize, Fault> {
    let changes = changes(transaction).await?;
    for ids in changes.ids.chunks(CHUNK) {
        take(transaction, ids).await?;
    }
    forget(transaction, &changes).await?;
    Ok(changes.ids.len())
}

/// Changes that nobody else has. Their rows are locked: what changes meanwhile is a change
/// behind them.
async fn changes(transaction: &Transaction<'_>) -> Result<Changes, Fault> {
    let sql = "SELECT shard, article_id, seq FROM article_change
               ORDER BY shard, article_id LIMIT $1 FOR UPDATE SKIP LOCKED";
    let mut changes = Changes {
        ids: Vec::new(),
        shards: Vec::new(),
        seqs: Vec::new(),
    };
    for row in rows(transaction, sql, &[&int(BATCH)]).await? {
        changes.shards.push(get(&row, 0)?);
        changes.ids.push(ArticleId(get(&row, 1)?));
        changes.seqs.push(get(&row, 2)?);
    }
    Ok(changes)
}

/// Makes the documents of these articles what the archive has now.
async fn take(transaction: &Transaction<'_>, ids: &[ArticleId]) -> Result<(), Fault> {
    let found = read_documents(transaction, ids, Depth::WordsAndKeys).await?;
    let present: Vec<ArticleId> = found.iter().map(|found| found.id).collect();
    let gone: Vec<ArticleId> = ids
        .iter()
        .filter(|id| !present.contains(id))
        .copied()
        .collect();
    let sort_at: Vec<i64> = found.iter().map(|found| found.sort_at_ms).collect();
    let vectors = tokio::task::spawn_blocking(move || {
        let vector = |found: &super::document::Found| render::vector(&found.document.index());
        found.iter().map(vector).collect::<Vec<String>>()
    });
    let vectors = vectors.await.map_err(|error| {
        Fault::Store(StoreError::Database(format!("the indexer ended: {error}")))
    })?;
    let (shards, numbers) = id_columns(&present);
    let sql = "
        INSERT INTO search_document (shard, article_id, sort_at, words)
        SELECT made.shard, made.article_id, made.sort_at, made.words::TSVECTOR
        FROM unnest($1::SMALLINT[], $2::BIGINT[], $3::BIGINT[], $4::TEXT[])
          AS made (shard, article_id, sort_at, words)
        ON CONFLICT (shard, article_id) DO UPDATE
        SET sort_at = excluded.sort_at, words = excluded.words";
    execute(transaction, sql, &[&shards, &numbers, &sort_at, &vectors]).await?;
    remove(transaction, &gone).await
}

async fn remove(client: &impl GenericClient, gone: &[ArticleId]) -> Result<(), Fault> {
    if gone.is_empty() {
        return Ok(());
    }
    let (shards, numbers) = id_columns(gone);
    let sql = "
        DELETE FROM search_document d
        USING unnest($1::SMALLINT[], $2::BIGINT[]) AS gone (shard, article_id)
        WHERE d.shard = gone.shard AND d.article_id = gone.article_id";
    execute(client, sql, &[&shards, &numbers]).await?;
    Ok(())
}

async fn forget(client: &impl GenericClient, changes: &Changes) -> Result<(), Fault> {
    if changes.ids.is_empty() {
        return Ok(());
    }
    let numbers: Vec<i64> = changes.ids.iter().map(|id| id.0).collect();
    let sql = "
        DELETE FROM article_change c
        USING unnest($1::SMALLINT[], $2::BIGINT[], $3::BIGINT[]) AS taken (shard, article_id, seq)
        WHERE c.shard = taken.shard AND c.article_id = taken.article_id AND c.seq = taken.seq";
    execute(client, sql, &[&changes.shards, &numbers, &changes.seqs]).await?;
    Ok(())
}

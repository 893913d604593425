//! Sightings: what one entry of one feed said, and which article it announced.

use deadpool_postgres::Transaction;

use super::super::decide;
use super::super::packed::Packed;
use super::super::recording::{Absorbed, Mark, Said, SightingRow, Unit};
use super::apply::{all, column, shard_of};
use super::fault::Fault;
use super::statement::execute;

pub(super) async fn write(transaction: &Transaction<'_>, unit: &Unit) -> Result<(), Fault> {
    insert(transaction, unit).await?;
    let changed = unit.sightings(Mark::Changed);
    rename(transaction, &changed).await?;
    say(transaction, &changed).await
}

fn with_words(sightings: Vec<&SightingRow>) -> (Vec<&SightingRow>, Vec<&Said>) {
    sightings
        .into_iter()
        .filter_map(|sighting| Some((sighting, sighting.said.as_deref()?)))
        .unzip()
}

/// The guid that a sighting has now.
fn guid<'a>(sighting: &'a SightingRow, said: &'a Said) -> Option<&'a str> {
    sighting.renamed.as_ref().unwrap_or(&said.guid).as_deref()
}

/// First sightings of entries.
async fn insert(transaction: &Transaction<'_>, unit: &Unit) -> Result<(), Fault> {
    let (rows, said) = with_words(unit.sightings(Mark::New));
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO sighting (shard, id, feed_id, entry_key, entry_id, article_id, sort_at,
                 guid, url, title, summary, enc, content, published_at, updated_at, authors,
                 tags, enclosures, entry_hash, seen_at, changed_at)
               SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[],
                 $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::text[],
                 $11::text[], $12::smallint[], $13::bytea[], $14::bigint[], $15::bigint[],
                 $16::text[], $17::text[], $18::text[], $19::bigint[], $20::bigint[],
                 $21::bigint[])";
    let content = column(&said, |said| said.content.as_ref());
    let guids: Vec<Option<&str>> = rows
        .iter()
        .zip(&said)
        .map(|(row, said)| guid(row, said))
        .collect();
    execute(
        transaction,
        sql,
        &[
            &column(&rows, |row| shard_of(row.article)),
            &column(&rows, |row| row.id),
            &column(&rows, |row| row.feed.0),
            &column(&rows, |row| decide::key(&row.entry_id)),
            &column(&rows, |row| row.entry_id.as_str()),
            &column(&rows, |row| row.article.0),
            &column(&rows, |row| sort_at(unit, row)),
            &guids,
            &column(&said, |said| said.url.as_deref()),
            &column(&said, |said| said.title.as_deref()),
            &column(&said, |said| said.summary.as_deref()),
            &encodings(&content),
            &bytes(&content),
            &column(&said, |said| said.published_at),
            &column(&said, |said| said.updated_at),
            &column(&said, |said| said.authors.as_str()),
            &column(&said, |said| said.tags.as_str()),
            &column(&said, |said| said.enclosures.as_str()),
            &column(&said, |said| said.entry_hash),
            &column(&rows, |row| row.seen_at),
            &column(&rows, |row| row.changed_at),
        ],
    )
    .await?;
    Ok(())
}

/// A new sighting stands where its article stands, which is always known.
fn sort_at(unit: &Unit, sighting: &SightingRow) -> i64 {
    let article = unit.article(sighting.article);
    article.map_or(sighting.seen_at, |article| article.sort_at)
}

fn encodings(content: &[Option<&Packed>]) -> Vec<Option<i16>> {
    content
        .iter()
        .map(|content| content.map(|content| content.enc))
        .collect()
}

fn bytes<'a>(content: &[Option<&'a Packed>]) -> Vec<Option<&'a [u8]>> {
    content
        .iter()
        .map(|content| content.map(|content| content.data.as_slice()))
        .collect()
}

/// The same entries under new ids.
async fn rename(transaction: &Transaction<'_>, changed: &[&SightingRow]) -> Result<(), Fault> {
    let rows: Vec<&SightingRow> = changed
        .iter()
        .copied()
        .filter(|row| row.renamed.is_some())
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE sighting s SET entry_key = n.entry_key, entry_id = n.entry_id, guid = n.guid
               FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[])
                 AS n(shard, id, entry_key, entry_id, guid)
               WHERE s.shard = n.shard AND s.id = n.id";
    let n_changed = execute(
        transaction,
        sql,
        &[
            &column(&rows, |row| shard_of(row.article)),
            &column(&rows, |row| row.id),
            &column(&rows, |row| decide::key(&row.entry_id)),
            &column(&rows, |row| row.entry_id.as_str()),
            &column(&rows, |row| row.renamed.as_ref()?.as_deref()),
        ],
    )
    .await?;
    all(n_changed, rows.len())
}

/// Entries that say something else.
async fn say(transaction: &Transaction<'_>, changed: &[&SightingRow]) -> Result<(), Fault> {
    let (rows, said) = with_words(changed.to_vec());
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE sighting s SET guid = n.guid, url = n.url, title = n.title,
                 summary = n.summary, enc = n.enc, content = n.content,
                 published_at = n.published_at, updated_at = n.updated_at, authors = n.authors,
                 tags = n.tags, enclosures = n.enclosures, entry_hash = n.entry_hash,
                 changed_at = n.changed_at
               FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::text[], $5::text[],
                 $6::text[], $7::smallint[], $8::bytea[], $9::bigint[], $10::bigint[],
                 $11::text[], $12::text[], $13::text[], $14::bigint[], $15::bigint[])
                 AS n(shard, id, guid, url, title, summary, enc, content, published_at,
                   updated_at, authors, tags, enclosures, entry_hash, changed_at)
               WHERE s.shard = n.shard AND s.id = n.id";
    let content = column(&said, |said| said.content.as_ref());
    let guids: Vec<Option<&str>> = rows
        .iter()
        .zip(&said)
        .map(|(row, said)| guid(row, said))
        .collect();
    let n_changed = execute(
        transaction,
        sql,
        &[
            &column(&rows, |row| shard_of(row.article)),
            &column(&rows, |row| row.id),
            &guids,
            &column(&said, |said| said.url.as_deref()),
            &column(&said, |said| said.title.as_deref()),
            &column(&said, |said| said.summary.as_deref()),
            &encodings(&content),
            &bytes(&content),
            &column(&said, |said| said.published_at),
            &column(&said, |said| said.updated_at),
            &column(&said, |said| said.authors.as_str()),
            &column(&said, |said| said.tags.as_str()),
            &column(&said, |said| said.enclosures.as_str()),
            &column(&said, |said| said.entry_hash),
            &column(&rows, |row| row.changed_at),
        ],
    )
    .await?;
    all(n_changed, rows.len())
}

/// Gives all sightings of an article to another one. They are kept in their article's shard,
/// and a row's shard never changes: where it is another, they are taken out and put in.
pub(super) async fn reassign(
    transaction: &Transaction<'_>,
    absorbed: Absorbed,
) -> Result<(), Fault> {
    let Absorbed { stays, gone } = absorbed;
    let (to, from) = (shard_of(stays), shard_of(gone));
    if to == from {
        let sql = "UPDATE sighting SET article_id = $3,
                     sort_at = (SELECT sort_at FROM article WHERE shard = $1 AND id = $3)
                   WHERE shard = $1 AND article_id = $2";
        execute(transaction, sql, &[&from, &gone.0, &stays.0]).await?;
        return Ok(());
    }
    let sql = "WITH taken AS (
                 DELETE FROM sighting WHERE shard = $1 AND article_id = $2 RETURNING *)
               INSERT INTO sighting (shard, id, feed_id, entry_key, entry_id, article_id, sort_at,
                 guid, url, title, summary, enc, content, published_at, updated_at, authors,
                 tags, enclosures, entry_hash, seen_at, changed_at)
               SELECT $3, s.id, s.feed_id, s.entry_key, s.entry_id, $4, a.sort_at,
                 s.guid, s.url, s.title, s.summary, s.enc, s.content, s.published_at,
                 s.updated_at, s.authors, s.tags, s.enclosures, s.entry_hash, s.seen_at,
                 s.changed_at
               FROM taken s JOIN article a ON a.shard = $3 AND a.id = $4";
    execute(transaction, sql, &[&from, &gone.0, &to, &stays.0]).await?;
    Ok(())
}

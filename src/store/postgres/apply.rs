//! Writes what a unit of work has changed: one statement for each kind of row.
//!
//! Every statement that changes rows by their key must find them all: a row that another
//! worker moved or removed meanwhile means that the unit was told something that is no longer
//! so, and then all of it is done again.

use std::collections::BTreeMap;

use deadpool_postgres::Transaction;
use jiff::Timestamp;

use super::super::decide;
use super::super::recording::{
    Absorbed, ArticleRow, Body, Born, Claim, Form, Job, JobRow, Mark, Unit,
};
use super::convert::shard_column;
use super::fault::Fault;
use super::ids::WorkerIds;
use super::statement::{execute, get, rows};
use super::{sightings, states};
use crate::model::{ArticleId, Shard};
use crate::store::record::AliasReason;

/// Where a batch counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// One of its shards, in whose sums all its changes are counted.
    pub(super) shard: Shard,
    /// When the last of its reports was made.
    pub(super) at: Timestamp,
}

/// Writes all but the hosts, which a batch writes last.
pub(super) async fn write(
    transaction: &Transaction<'_>,
    unit: &Unit,
    ids: &mut WorkerIds,
    place: Place,
) -> Result<(), Fault> {
    let (announced, others): (Vec<&Claim>, Vec<&Claim>) = unit
        .claims()
        .iter()
        .partition(|claim| claim.reason == AliasReason::Announced);
    // First of all, and in the order of their keys: who loses a race does the rest in vain.
    insert_announced(transaction, announced).await?;
    insert_articles(transaction, &unit.articles(Mark::New)).await?;
    update_articles(transaction, &unit.articles(Mark::Changed)).await?;
    write_bodies(transaction, &unit.bodies()).await?;
    insert_claims(transaction, others).await?;
    sightings::write(transaction, unit).await?;
    write_jobs(transaction, &unit.jobs()).await?;
    if let Some(absorbed) = unit.absorbed() {
        absorb(transaction, absorbed).await?;
    }
    states::write(transaction, unit.polls(), ids).await?;
    count(transaction, unit, place.shard).await?;
    log_changes(transaction, unit, ids, place).await
}

/// A column of some rows.
pub(super) fn column<'a, R: ?Sized, T>(rows: &[&'a R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(|row| of(row)).collect()
}

/// An article's shard as columns hold it.
pub(super) fn shard_of(article: ArticleId) -> i16 {
    shard_column(decide::id_shard(article))
}

/// A small number as an `INTEGER` holds it; the largest that fits where it is larger.
pub(super) fn int4(n: impl TryInto<i32>) -> i32 {
    n.try_into().unwrap_or(i32::MAX)
}

/// Whether a statement found every row that it should change.
pub(super) fn all(n_changed: u64, n_rows: usize) -> Result<(), Fault> {
    match n_changed == n_rows as u64 {
        true => Ok(()),
        false => Err(Fault::Torn),
    }
}

/// Claims of new articles on the URLs under which they were announced. One article is
/// announced under one URL: who comes second finds out here, and then records a further
/// sighting of the first one's article.
async fn insert_announced(
    transaction: &Transaction<'_>,
    mut claims: Vec<&Claim>,
) -> Result<(), Fault> {
    if claims.is_empty() {
        return Ok(());
    }
    claims.sort_unstable_by_key(|claim| (decide::form_shard(&claim.form.form), claim.form.key));
    let n_inserted = put_claims(transaction, &claims).await?;
    if n_inserted == claims.len() as u64 {
        return Ok(());
    }
    // Two URLs may have the same key, if somebody took great pains. The second one goes
    // without a claim: its article is known by its entry alone.
    let sql = "SELECT a.article_id, a.key, a.form FROM alias a
               JOIN unnest($1::smallint[], $2::bigint[]) AS n(shard, key)
                 ON a.shard = n.shard AND a.key = n.key
               WHERE a.reason = 'announced'";
    let shards = column(&claims, |claim| {
        shard_column(decide::form_shard(&claim.form.form))
    });
    let keys = column(&claims, |claim| claim.form.key);
    let there = rows(transaction, sql, &[&shards, &keys]).await?;
    let ours: BTreeMap<&Form, ArticleId> = claims
        .iter()
        .map(|claim| (&claim.form, claim.article))
        .collect();
    for row in &there {
        let form = Form {
            key: get(row, 1)?,
            form: crate::canonical::CanonicalUrl::stored(get(row, 2)?),
        };
        let article = ArticleId(get(row, 0)?);
        if ours.get(&form).is_some_and(|ours| *ours != article) {
            return Err(Fault::Torn);
        }
    }
    Ok(())
}

/// Claims that anyone may make beside others. The first reason stays.
async fn insert_claims(
    transaction: &Transaction<'_>,
    mut claims: Vec<&Claim>,
) -> Result<(), Fault> {
    if claims.is_empty() {
        return Ok(());
    }
    claims.sort_unstable_by_key(|claim| {
        let shard = decide::form_shard(&claim.form.form);
        (shard, claim.form.key, claim.article)
    });
    put_claims(transaction, &claims).await?;
    Ok(())
}

async fn put_claims(transaction: &Transaction<'_>, claims: &[&Claim]) -> Result<u64, Fault> {
    let sql = "INSERT INTO alias (shard, key, form, article_id, url, reason, added_at)
               SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::bigint[],
                 $5::text[], $6::text[], $7::bigint[])
               ON CONFLICT DO NOTHING";
    execute(
        transaction,
        sql,
        &[
            &column(claims, |claim| {
                shard_column(decide::form_shard(&claim.form.form))
            }),
            &column(claims, |claim| claim.form.key),
            &column(claims, |claim| claim.form.form.as_str()),
            &column(claims, |claim| claim.article.0),
            &column(claims, |claim| claim.url.as_str()),
            &column(claims, |claim| claim.reason.name()),
            &column(claims, |claim| claim.added_at),
        ],
    )
    .await
}

async fn insert_articles(
    transaction: &Transaction<'_>,
    articles: &[&ArticleRow],
) -> Result<(), Fault> {
    let new: Vec<(&ArticleRow, &Born)> = articles
        .iter()
        .filter_map(|article| Some((*article, article.born.as_ref()?)))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let (articles, born): (Vec<&ArticleRow>, Vec<&Born>) = new.into_iter().unzip();
    let sql = "INSERT INTO article (shard, id, feed_id, url, host, title, authors, language,
                 summary, keywords, published, published_at, published_from, first_seen_at,
                 sort_at, word_count, page_state, error_kind, error)
               SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::text[],
                 $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                 $11::text[], $12::bigint[], $13::text[], $14::bigint[], $15::bigint[],
                 $16::bigint[], $17::text[], $18::text[], $19::text[])";
    let published = column(&articles, |article| article.publication.as_ref());
    execute(
        transaction,
        sql,
        &[
            &column(&articles, |article| shard_of(article.id)),
            &column(&articles, |article| article.id.0),
            &column(&born, |born| born.feed.0),
            &column(&born, |born| born.url.as_deref()),
            &column(&born, |born| born.host.as_deref()),
            &column(&articles, |article| article.title.as_deref()),
            &column(&articles, |article| article.authors.as_str()),
            &column(&articles, |article| article.language.as_deref()),
            &column(&articles, |article| article.summary.as_deref()),
            &column(&articles, |article| article.keywords.as_str()),
            &dates(&published, |published| published.text.as_str()),
            &dates(&published, |published| published.at.as_millisecond()),
            &dates(&published, |published| published.from.as_str()),
            &column(&articles, |article| article.first_seen.as_millisecond()),
            &column(&articles, |article| article.sort_at),
            &column(&articles, |article| article.word_count),
            &column(&articles, |article| article.page_state.name()),
            &column(&articles, |article| article.error.kind.as_deref()),
            &column(&articles, |article| article.error.detail.as_deref()),
        ],
    )
    .await?;
    Ok(())
}

/// A part of each date that there is.
fn dates<'a, T>(
    published: &[Option<&'a decide::Publication>],
    of: impl Fn(&'a decide::Publication) -> T,
) -> Vec<Option<T>> {
    published
        .iter()
        .map(|published| published.map(&of))
        .collect()
}

async fn update_articles(
    transaction: &Transaction<'_>,
    articles: &[&ArticleRow],
) -> Result<(), Fault> {
    if articles.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE article a SET
                 canonical_url = n.canonical_url, final_url = n.final_url, title = n.title,
                 authors = n.authors, language = n.language, summary = n.summary,
                 keywords = n.keywords, word_count = n.word_count,
                 content_hash = n.content_hash, page_state = n.page_state,
                 scraped_at = n.scraped_at, error_kind = n.error_kind, error = n.error,
                 error_status = n.error_status
               FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::text[], $5::text[],
                 $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[],
                 $12::text[], $13::bigint[], $14::text[], $15::text[], $16::integer[])
                 AS n(shard, id, canonical_url, final_url, title, authors, language, summary,
                   keywords, word_count, content_hash, page_state, scraped_at, error_kind,
                   error, error_status)
               WHERE a.shard = n.shard AND a.id = n.id";
    let n_changed = execute(
        transaction,
        sql,
        &[
            &column(articles, |article| shard_of(article.id)),
            &column(articles, |article| article.id.0),
            &column(articles, |article| article.canonical_url.as_deref()),
            &column(articles, |article| article.final_url.as_deref()),
            &column(articles, |article| article.title.as_deref()),
            &column(articles, |article| article.authors.as_str()),
            &column(articles, |article| article.language.as_deref()),
            &column(articles, |article| article.summary.as_deref()),
            &column(articles, |article| article.keywords.as_str()),
            &column(articles, |article| article.word_count),
            &column(articles, |article| article.content.map(|hash| hash.0)),
            &column(articles, |article| article.page_state.name()),
            &column(articles, |article| article.scraped_at),
            &column(articles, |article| article.error.kind.as_deref()),
            &column(articles, |article| article.error.detail.as_deref()),
            &column(articles, |article| article.error.status.map(i32::from)),
        ],
    )
    .await?;
    all(n_changed, articles.len())?;
    redate(transaction, articles).await
}

/// Other dates: the articles and their sightings take other places in the lists.
async fn redate(transaction: &Transaction<'_>, articles: &[&ArticleRow]) -> Result<(), Fault> {
    let articles: Vec<&ArticleRow> = articles
        .iter()
        .copied()
        .filter(|article| article.is_redated)
        .collect();
    if articles.is_empty() {
        return Ok(());
    }
    let shards = column(&articles, |article| shard_of(article.id));
    let ids = column(&articles, |article| article.id.0);
    let sorts = column(&articles, |article| article.sort_at);
    let published = column(&articles, |article| article.publication.as_ref());
    let sql = "UPDATE article a SET published = n.published, published_at = n.published_at,
                 published_from = n.published_from, sort_at = n.sort_at
               FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[],
                 $6::text[])
                 AS n(shard, id, sort_at, published, published_at, published_from)
               WHERE a.shard = n.shard AND a.id = n.id";
    execute(
        transaction,
        sql,
        &[
            &shards,
            &ids,
            &sorts,
            &dates(&published, |published| published.text.as_str()),
            &dates(&published, |published| published.at.as_millisecond()),
            &dates(&published, |published| published.from.as_str()),
        ],
    )
    .await?;
    let sql = "UPDATE sighting s SET sort_at = n.sort_at
               FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS n(shard, id, sort_at)
               WHERE s.shard = n.shard AND s.article_id = n.id AND s.sort_at <> n.sort_at";
    execute(transaction, sql, &[&shards, &ids, &sorts]).await?;
    Ok(())
}

/// Replaces bodies; those without a rendering are plain text.
async fn write_bodies(
    transaction: &Transaction<'_>,
    articles: &[&ArticleRow],
) -> Result<(), Fault> {
    let bodies: Vec<(&ArticleRow, &Body)> = articles
        .iter()
        .filter_map(|article| Some((*article, article.body.as_deref()?)))
        .collect();
    if bodies.is_empty() {
        return Ok(());
    }
    let (articles, texts): (Vec<&ArticleRow>, Vec<&Body>) = bodies.iter().copied().unzip();
    let sql = "INSERT INTO article_text (shard, article_id, text)
               SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::text[])
               ON CONFLICT (shard, article_id) DO UPDATE SET text = excluded.text";
    execute(
        transaction,
        sql,
        &[
            &column(&articles, |article| shard_of(article.id)),
            &column(&articles, |article| article.id.0),
            &column(&texts, |body| body.text.as_str()),
        ],
    )
    .await?;
    write_renderings(transaction, &bodies).await
}

async fn write_renderings(
    transaction: &Transaction<'_>,
    bodies: &[(&ArticleRow, &Body)],
) -> Result<(), Fault> {
    let (mut shards, mut ids, mut encs, mut data) = (vec![], vec![], vec![], vec![]);
    let mut plain: Vec<ArticleId> = Vec::new();
    for (article, body) in bodies {
        match &body.rendering {
            Some(rendering) => {
                shards.push(shard_of(article.id));
                ids.push(article.id.0);
                encs.push(rendering.enc);
                data.push(rendering.data.as_slice());
            }
            None if article.mark == Mark::New => {}
            None => plain.push(article.id),
        }
    }
    if !ids.is_empty() {
        let sql = "INSERT INTO article_rendering (shard, article_id, enc, data)
                   SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::bytea[])
                   ON CONFLICT (shard, article_id) DO UPDATE
                     SET enc = excluded.enc, data = excluded.data";
        execute(transaction, sql, &[&shards, &ids, &encs, &data]).await?;
    }
    if !plain.is_empty() {
        let sql = "DELETE FROM article_rendering r
                   USING unnest($1::smallint[], $2::bigint[]) AS n(shard, id)
                   WHERE r.shard = n.shard AND r.article_id = n.id";
        let shards: Vec<i16> = plain.iter().map(|id| shard_of(*id)).collect();
        let ids: Vec<i64> = plain.iter().map(|id| id.0).collect();
        execute(transaction, sql, &[&shards, &ids]).await?;
    }
    Ok(())
}

/// A job that goes to another shard is taken out of one and put into the other: a row's
/// shard never changes.
async fn write_jobs(transaction: &Transaction<'_>, jobs: &[&Job]) -> Result<(), Fault> {
    let place = |row: &JobRow| (row.shard, row.article);
    let leaves = |job: &&&Job| job.stored.as_ref().map(place) != job.now.as_ref().map(place);
    let left: Vec<&JobRow> = jobs
        .iter()
        .filter(leaves)
        .filter_map(|job| job.stored.as_ref())
        .collect();
    let put: Vec<&JobRow> = jobs.iter().filter_map(|job| job.now.as_ref()).collect();
    if !left.is_empty() {
        let sql = "DELETE FROM page_job j
                   USING unnest($1::smallint[], $2::bigint[]) AS n(shard, article_id)
                   WHERE j.shard = n.shard AND j.article_id = n.article_id";
        let shards = column(&left, |job| shard_column(job.shard));
        let ids = column(&left, |job| job.article.0);
        let n_left = execute(transaction, sql, &[&shards, &ids]).await?;
        all(n_left, left.len())?;
    }
    put_jobs(transaction, &put).await
}

async fn put_jobs(transaction: &Transaction<'_>, jobs: &[&JobRow]) -> Result<(), Fault> {
    if jobs.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO page_job
                 (shard, article_id, host, url, due_at, attempts, moves, feed_id)
               SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::text[],
                 $5::bigint[], $6::integer[], $7::integer[], $8::bigint[])
               ON CONFLICT (shard, article_id) DO UPDATE SET
                 host = excluded.host, url = excluded.url, due_at = excluded.due_at,
                 attempts = excluded.attempts, moves = excluded.moves";
    execute(
        transaction,
        sql,
        &[
            &column(jobs, |job| shard_column(job.shard)),
            &column(jobs, |job| job.article.0),
            &column(jobs, |job| job.host.as_str()),
            &column(jobs, |job| job.url.as_str()),
            &column(jobs, |job| job.due_at),
            &column(jobs, |job| int4(job.attempts)),
            &column(jobs, |job| int4(job.moves)),
            &column(jobs, |job| job.feed.0),
        ],
    )
    .await?;
    Ok(())
}

/// Moves the sightings and claims of one article to another, and removes it.
async fn absorb(transaction: &Transaction<'_>, absorbed: Absorbed) -> Result<(), Fault> {
    let Absorbed { stays, gone } = absorbed;
    let (to, from) = (shard_of(stays), shard_of(gone));
    // A feed that announced both has one article less.
    let sql = "UPDATE feed_state SET article_count = article_count - 1
               WHERE feed_id IN (SELECT feed_id FROM sighting WHERE shard = $1 AND article_id = $2)
                 AND feed_id IN (SELECT feed_id FROM sighting WHERE shard = $3 AND article_id = $4)";
    execute(transaction, sql, &[&from, &gone.0, &to, &stays.0]).await?;
    sightings::reassign(transaction, absorbed).await?;
    let sql = "DELETE FROM alias a WHERE a.article_id = $1 AND EXISTS
                 (SELECT 1 FROM alias b WHERE b.shard = a.shard AND b.key = a.key
                    AND b.article_id = $2)";
    execute(transaction, sql, &[&gone.0, &stays.0]).await?;
    let sql = "UPDATE alias SET article_id = $2 WHERE article_id = $1";
    execute(transaction, sql, &[&gone.0, &stays.0]).await?;
    for sql in [
        "DELETE FROM article_text WHERE shard = $1 AND article_id = $2",
        "DELETE FROM article_rendering WHERE shard = $1 AND article_id = $2",
        "DELETE FROM article WHERE shard = $1 AND id = $2",
    ] {
        execute(transaction, sql, &[&from, &gone.0]).await?;
    }
    Ok(())
}

async fn count(transaction: &Transaction<'_>, unit: &Unit, home: Shard) -> Result<(), Fault> {
    let (names, ns): (Vec<&str>, Vec<i64>) = unit.counters().unzip();
    if names.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO counter (shard, name, n)
               SELECT $1, name, n FROM unnest($2::text[], $3::bigint[]) AS c(name, n)
               ON CONFLICT (shard, name) DO UPDATE SET n = counter.n + excluded.n";
    execute(transaction, sql, &[&shard_column(home), &names, &ns]).await?;
    Ok(())
}

/// Notes that articles were made, changed or removed, for the search index.
async fn log_changes(
    transaction: &Transaction<'_>,
    unit: &Unit,
    ids: &mut WorkerIds,
    place: Place,
) -> Result<(), Fault> {
    let mut changes: Vec<(i16, i64, i16)> = unit
        .changes()
        .iter()
        .map(|(article, op)| (shard_of(*article), article.0, op.code()))
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    changes.sort_unstable();
    let sql = "INSERT INTO article_change (shard, article_id, op, seq)
               SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::bigint[])
               ON CONFLICT (shard, article_id) DO UPDATE
                 SET op = excluded.op, seq = excluded.seq";
    let shards: Vec<i16> = changes.iter().map(|change| change.0).collect();
    let articles: Vec<i64> = changes.iter().map(|change| change.1).collect();
    let ops: Vec<i16> = changes.iter().map(|change| change.2).collect();
    let seqs: Vec<i64> = changes
        .iter()
        .map(|_| ids.row(place.shard, place.at))
        .collect();
    execute(transaction, sql, &[&shards, &articles, &ops, &seqs]).await?;
    Ok(())
}

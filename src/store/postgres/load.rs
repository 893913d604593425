//! The rows that a unit of work asks for: one statement for each kind, sent one behind the
//! other without waiting.

use std::collections::HashSet;

use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::Row;

use super::super::column::{int, storable, time};
use super::super::decide::{self, Publication};
use super::super::recording::{
    ArticleRow, Claim, First, Form, Found, JobRow, Mark, PageError, SightingRow, Unit, Wanted,
    Words, page_state, reason,
};
use super::convert::{shard, shard_column, small_count, status};
use super::fault::Fault;
use super::statement::{get, rows};
use crate::canonical::CanonicalUrl;
use crate::dedup::ContentHash;
use crate::model::{ArticleId, FeedId, FeedUrl, HostKey};

/// Sightings under one key: more than one only where two ids have the same 64 bits.
const SAME_KEY: i64 = 16;

/// What is there of `wanted`.
pub(super) async fn find(transaction: &Transaction<'_>, wanted: &Wanted) -> Result<Found, Fault> {
    // Articles first: whoever merges two of them locks them before he takes their rows away.
    let mut articles = articles(transaction, wanted).await?;
    let (entries, notes, alike, words, claims, (), aliases, jobs, homes) = tokio::try_join!(
        entries(transaction, wanted),
        notes(transaction, wanted),
        alike(transaction, wanted),
        words(transaction, wanted),
        claims(transaction, wanted),
        hang(transaction, &mut articles),
        aliases(transaction, wanted),
        jobs(transaction, wanted),
        homes(transaction, wanted),
    )?;
    let mut sightings = entries;
    sightings.extend(notes);
    sightings.extend(alike);
    Ok(Found {
        sightings,
        words,
        claims,
        articles,
        aliases,
        jobs,
        homes,
    })
}

async fn entries(
    transaction: &Transaction<'_>,
    wanted: &Wanted,
) -> Result<Vec<SightingRow>, Fault> {
    if wanted.entries.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT s.id, s.feed_id, s.article_id, s.entry_id, s.entry_hash, s.url, s.title,
                 s.seen_at, s.changed_at
               FROM unnest($1::bigint[], $2::bigint[]) AS w(feed_id, key)
               CROSS JOIN LATERAL (
                 SELECT * FROM sighting i WHERE i.feed_id = w.feed_id AND i.entry_key = w.key
                 ORDER BY i.id LIMIT $3) s";
    let (feeds, keys): (Vec<i64>, Vec<i64>) = wanted
        .entries
        .iter()
        .map(|(feed, key)| (feed.0, *key))
        .unzip();
    sightings(&rows(transaction, sql, &[&feeds, &keys, &SAME_KEY]).await?)
}

async fn notes(transaction: &Transaction<'_>, wanted: &Wanted) -> Result<Vec<SightingRow>, Fault> {
    if wanted.notes.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT s.id, s.feed_id, s.article_id, s.entry_id, s.entry_hash, s.url, s.title,
                 s.seen_at, s.changed_at
               FROM unnest($1::bigint[], $2::bigint[]) AS w(feed_id, hash)
               CROSS JOIN LATERAL (
                 SELECT * FROM sighting i
                 WHERE i.feed_id = w.feed_id AND i.entry_hash = w.hash AND i.url IS NULL
                 ORDER BY i.id LIMIT $3) s";
    let (feeds, hashes): (Vec<i64>, Vec<i64>) = wanted
        .notes
        .iter()
        .map(|(feed, hash)| (feed.0, *hash))
        .unzip();
    sightings(
        &rows(
            transaction,
            sql,
            &[&feeds, &hashes, &int(Unit::ALIKE_WANTED)],
        )
        .await?,
    )
}

async fn alike(transaction: &Transaction<'_>, wanted: &Wanted) -> Result<Vec<SightingRow>, Fault> {
    if wanted.alike.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT s.id, s.feed_id, s.article_id, s.entry_id, s.entry_hash, s.url, s.title,
                 s.seen_at, s.changed_at
               FROM unnest($1::smallint[], $2::bigint[], $3::bigint[])
                 AS w(shard, article_id, feed_id)
               CROSS JOIN LATERAL (
                 SELECT * FROM sighting i
                 WHERE i.shard = w.shard AND i.article_id = w.article_id AND i.feed_id = w.feed_id
                 ORDER BY coalesce(i.changed_at, i.seen_at), i.id LIMIT $4) s";
    let articles: Vec<ArticleId> = wanted.alike.iter().map(|(article, _)| *article).collect();
    let feeds: Vec<i64> = wanted.alike.iter().map(|(_, feed)| feed.0).collect();
    let (shards, ids) = keys(&articles);
    let limit = int(Unit::ALIKE_WANTED);
    sightings(&rows(transaction, sql, &[&shards, &ids, &feeds, &limit]).await?)
}

fn sightings(rows: &[Row]) -> Result<Vec<SightingRow>, Fault> {
    rows.iter().map(read_sighting).collect()
}

fn read_sighting(row: &Row) -> Result<SightingRow, Fault> {
    Ok(SightingRow {
        id: get(row, 0)?,
        feed: FeedId(get(row, 1)?),
        article: ArticleId(get(row, 2)?),
        entry_id: get(row, 3)?,
        entry_hash: get(row, 4)?,
        url: get(row, 5)?,
        title: get(row, 6)?,
        seen_at: get(row, 7)?,
        changed_at: get(row, 8)?,
        renamed: None,
        said: None,
        mark: Mark::Kept,
    })
}

async fn words(transaction: &Transaction<'_>, wanted: &Wanted) -> Result<Vec<(i64, Words)>, Fault> {
    if wanted.words.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT s.id, s.title, s.summary, s.content, s.authors, s.tags
               FROM unnest($1::smallint[], $2::bigint[]) AS w(shard, id)
               JOIN sighting s ON s.shard = w.shard AND s.id = w.id";
    let articles: Vec<ArticleId> = wanted.words.iter().map(|(article, _)| *article).collect();
    let ids: Vec<i64> = wanted.words.iter().map(|(_, id)| *id).collect();
    let (shards, _) = keys(&articles);
    let found = rows(transaction, sql, &[&shards, &ids]).await?;
    found.iter().map(read_words).collect()
}

fn read_words(row: &Row) -> Result<(i64, Words), Fault> {
    let words = Words {
        title: get(row, 1)?,
        summary: get(row, 2)?,
        content: get(row, 3)?,
        authors: get(row, 4)?,
        tags: get(row, 5)?,
    };
    Ok((get(row, 0)?, words))
}

async fn claims(transaction: &Transaction<'_>, wanted: &Wanted) -> Result<Vec<Claim>, Fault> {
    if wanted.forms.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT w.place, a.article_id, a.reason, a.added_at
               FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::bigint[])
                 AS w(shard, key, form, place)
               CROSS JOIN LATERAL (
                 SELECT i.article_id, i.reason, i.added_at FROM alias i
                 WHERE i.shard = w.shard AND i.key = w.key AND i.form = w.form
                 ORDER BY i.reason = 'announced' DESC, i.added_at, i.article_id LIMIT $5) a
               ORDER BY w.place, a.reason = 'announced' DESC, a.added_at, a.article_id";
    let forms: Vec<&Form> = wanted.forms.iter().collect();
    let shards: Vec<i16> = forms
        .iter()
        .map(|form| shard_column(decide::form_shard(&form.form)))
        .collect();
    let keys: Vec<i64> = forms.iter().map(|form| form.key).collect();
    let texts: Vec<&str> = forms.iter().map(|form| form.form.as_str()).collect();
    let places: Vec<i64> = (0..).take(forms.len()).collect();
    let limit = int(Unit::CLAIMS_WANTED);
    let values: super::statement::Values<'_> = &[&shards, &keys, &texts, &places, &limit];
    let mut claims = Vec::new();
    for row in rows(transaction, sql, values).await? {
        let place: i64 = get(&row, 0)?;
        let form = usize::try_from(place).ok().and_then(|at| forms.get(at));
        let Some(form) = form else { continue };
        claims.push(Claim {
            form: (*form).clone(),
            article: ArticleId(get(&row, 1)?),
            url: String::new(),
            reason: reason(get(&row, 2)?),
            added_at: get(&row, 3)?,
        });
    }
    Ok(claims)
}

/// Articles, locked until the end of the transaction: another worker may hear of one at the
/// same moment, and the later of us reads what the earlier wrote.
async fn articles(
    transaction: &Transaction<'_>,
    wanted: &Wanted,
) -> Result<Vec<ArticleRow>, Fault> {
    if wanted.articles.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT a.id, a.canonical_url, a.final_url, a.title, a.authors, a.language,
                 a.summary, a.keywords, a.published, a.published_at, a.published_from,
                 a.first_seen_at, a.sort_at, a.word_count, a.content_hash, a.page_state,
                 a.scraped_at, a.error_kind, a.error, a.error_status
               FROM article a
               JOIN unnest($1::smallint[], $2::bigint[]) AS w(shard, id)
                 ON a.shard = w.shard AND a.id = w.id
               ORDER BY a.shard, a.id FOR NO KEY UPDATE OF a";
    let ids: Vec<ArticleId> = wanted.articles.iter().copied().collect();
    let (shards, ids) = keys(&ids);
    let found = rows(transaction, sql, &[&shards, &ids]).await?;
    found.iter().map(read_article).collect()
}

/// What hangs on articles that are locked: whether they have a text, and who was first. A
/// statement of its own, since the first one saw these rows as they were before the lock.
async fn hang(transaction: &Transaction<'_>, articles: &mut [ArticleRow]) -> Result<(), Fault> {
    if articles.is_empty() {
        return Ok(());
    }
    let sql = "SELECT coalesce((SELECT octet_length(t.text) > 0 FROM article_text t
                         WHERE t.shard = w.shard AND t.article_id = w.id), false),
                 s.seen_at, s.id, s.title
               FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS w(shard, id, place)
               LEFT JOIN LATERAL (
                 SELECT i.seen_at, i.id, i.title FROM sighting i
                 WHERE i.shard = w.shard AND i.article_id = w.id
                 ORDER BY i.seen_at, i.id LIMIT 1) s ON true
               ORDER BY w.place";
    let ids: Vec<ArticleId> = articles.iter().map(|article| article.id).collect();
    let places: Vec<i64> = (0..).take(ids.len()).collect();
    let (shards, ids) = keys(&ids);
    let found = rows(transaction, sql, &[&shards, &ids, &places]).await?;
    for (article, row) in articles.iter_mut().zip(&found) {
        article.has_text = get(row, 0)?;
        let seen_at: Option<i64> = get(row, 1)?;
        article.first = match seen_at {
            Some(seen_at) => Some(First {
                seen_at,
                id: get(row, 2)?,
                title: get(row, 3)?,
            }),
            None => None,
        };
    }
    Ok(())
}

fn read_article(row: &Row) -> Result<ArticleRow, Fault> {
    let content: Option<i64> = get(row, 14)?;
    Ok(ArticleRow {
        id: ArticleId(get(row, 0)?),
        canonical_url: get(row, 1)?,
        final_url: get(row, 2)?,
        title: get(row, 3)?,
        authors: get(row, 4)?,
        language: get(row, 5)?,
        summary: get(row, 6)?,
        keywords: get(row, 7)?,
        publication: publication(get(row, 8)?, get(row, 9)?, get(row, 10)?),
        first_seen: time(get(row, 11)?),
        sort_at: get(row, 12)?,
        word_count: get(row, 13)?,
        content: content.map(ContentHash),
        page_state: page_state(get(row, 15)?),
        scraped_at: get(row, 16)?,
        error: PageError {
            kind: get(row, 17)?,
            detail: get(row, 18)?,
            status: status(row, 19)?,
        },
        ..ArticleRow::default()
    })
}

fn publication(text: Option<String>, at: Option<i64>, from: Option<String>) -> Option<Publication> {
    Some(Publication {
        text: text?,
        at: time(at?),
        from: from?,
    })
}

async fn aliases(
    transaction: &Transaction<'_>,
    wanted: &Wanted,
) -> Result<Vec<(ArticleId, Form)>, Fault> {
    if wanted.aliases_of.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT article_id, key, form FROM alias WHERE article_id = ANY($1)";
    let ids: Vec<i64> = wanted.aliases_of.iter().map(|id| id.0).collect();
    let found = rows(transaction, sql, &[&ids]).await?;
    found.iter().map(read_alias).collect()
}

fn read_alias(row: &Row) -> Result<(ArticleId, Form), Fault> {
    let form = Form {
        key: get(row, 1)?,
        form: CanonicalUrl::stored(get(row, 2)?),
    };
    Ok((ArticleId(get(row, 0)?), form))
}

async fn jobs(transaction: &Transaction<'_>, wanted: &Wanted) -> Result<Vec<JobRow>, Fault> {
    if wanted.jobs.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT article_id, shard, host, url, due_at, attempts, moves, feed_id
               FROM page_job WHERE article_id = ANY($1)";
    let ids: Vec<i64> = wanted.jobs.iter().map(|id| id.0).collect();
    let found = rows(transaction, sql, &[&ids]).await?;
    found.iter().map(read_job).collect()
}

fn read_job(row: &Row) -> Result<JobRow, Fault> {
    Ok(JobRow {
        article: ArticleId(get(row, 0)?),
        shard: shard(row, 1)?,
        host: HostKey::stored(get(row, 2)?),
        url: get(row, 3)?,
        due_at: get(row, 4)?,
        attempts: small_count(row, 5)?,
        moves: small_count(row, 6)?,
        feed: FeedId(get(row, 7)?),
    })
}

/// The hosts of the feeds' own URLs.
async fn homes(
    transaction: &Transaction<'_>,
    wanted: &Wanted,
) -> Result<Vec<(FeedId, HostKey)>, Fault> {
    if wanted.homes.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT id, url FROM feed WHERE id = ANY($1)";
    let ids: Vec<i64> = wanted.homes.iter().map(|id| id.0).collect();
    let mut homes = Vec::new();
    for row in rows(transaction, sql, &[&ids]).await? {
        if let Ok(url) = FeedUrl::parse(get(&row, 1)?) {
            homes.push((FeedId(get(&row, 0)?), HostKey::of(url.url())));
        }
    }
    Ok(homes)
}

/// Articles' keys as two columns.
fn keys(articles: &[ArticleId]) -> (Vec<i16>, Vec<i64>) {
    articles
        .iter()
        .map(|id| (shard_column(decide::id_shard(*id)), id.0))
        .unzip()
}

/// Places of the entries, each with its hash, that are there with the same hash.
pub(super) async fn known_entries(
    client: &impl GenericClient,
    feed: FeedId,
    entries: &[(String, i64)],
) -> Result<HashSet<usize>, Fault> {
    let sql = "SELECT w.place FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[])
                 AS w(key, entry_id, hash, place)
               CROSS JOIN LATERAL (
                 SELECT i.entry_hash FROM sighting i
                 WHERE i.feed_id = $1 AND i.entry_key = w.key AND i.entry_id = w.entry_id
                 ORDER BY i.id LIMIT 1) s
               WHERE s.entry_hash = w.hash";
    let ids: Vec<_> = entries.iter().map(|(id, _)| storable(id)).collect();
    let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
    let keys: Vec<i64> = ids.iter().map(|id| decide::key(id)).collect();
    let hashes: Vec<i64> = entries.iter().map(|(_, hash)| *hash).collect();
    let places: Vec<i64> = (0..).take(entries.len()).collect();
    let mut known = HashSet::new();
    for row in rows(client, sql, &[&feed.0, &keys, &ids, &hashes, &places]).await? {
        let place: i64 = get(&row, 0)?;
        known.extend(usize::try_from(place));
    }
    Ok(known)
}

//! Reading articles: one, a listing, the answers to a search.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;
use url::Url;

use super::super::column::{int, time};
use super::super::listing::{self, Batch, MAX_BODY_BYTES, Sighting, Sightings};
use super::super::record::Article;
use super::super::{ArticleName, Listing, decide, json, lists};
use super::convert::{count, shard_column, status};
use super::fault::Fault;
use super::search::{self, Span, Walk, id_columns};
use super::statement::{get, maybe_row, rows};
use crate::canonical::canonicalize;
use crate::model::{ArticleId, FeedId};
use crate::query::{ArticleQuery, Condition, Cursor, FeedsMeant, Order, Parts, RANKED};

pub(super) async fn articles(
    client: &impl GenericClient,
    query: &ArticleQuery,
) -> Result<Listing, Fault> {
    let Some(asked) = query.search.as_ref().map(|search| &search.expr) else {
        return by_time(client, query).await;
    };
    let mut feeds = FeedsMeant::asked(asked);
    search::find_feeds(client, &mut feeds).await?;
    match Condition::of(asked, &feeds) {
        Some(Condition::Every) => by_time(client, query).await,
        Some(condition) => {
            let condition = match query.feed {
                Some(feed) => condition.and(Condition::announced_by(feed)),
                None => condition,
            };
            match query.order {
                Order::Newest => by_search(client, query, &condition).await,
                Order::Rank => by_rank(client, query, &condition).await,
            }
        }
        None => Ok(Listing {
            index_lag: search::lag(client).await?,
            ..Listing::default()
        }),
    }
}

/// Straight from the archive, in the order of time: exact, without the index.
async fn by_time(client: &impl GenericClient, query: &ArticleQuery) -> Result<Listing, Fault> {
    let of_all = "
        SELECT sort_at, id FROM article
        WHERE sort_at >= $1 AND sort_at < $2 AND (sort_at, id) < ($3, $4)
        ORDER BY sort_at DESC, id DESC LIMIT $5";
    let of_feed = "
        SELECT DISTINCT sort_at, article_id FROM sighting
        WHERE sort_at >= $1 AND sort_at < $2 AND (sort_at, article_id) < ($3, $4) AND feed_id = $6
        ORDER BY sort_at DESC, article_id DESC LIMIT $5";
    let (after, before) = listing::bounds(query);
    let (after, before) = (after.unwrap_or(i64::MIN), before.unwrap_or(i64::MAX));
    let behind = query.cursor.unwrap_or(Cursor {
        at_ms: i64::MAX,
        id: ArticleId(i64::MAX),
    });
    let limit = listing::limit(query);
    let one_more = int(limit + 1);
    let found = match query.feed {
        None => {
            let values: super::statement::Values<'_> =
                &[&after, &before, &behind.at_ms, &behind.id.0, &one_more];
            rows(client, of_all, values).await?
        }
        Some(feed) => {
            let values: super::statement::Values<'_> = &[
                &after,
                &before,
                &behind.at_ms,
                &behind.id.0,
                &one_more,
                &feed.0,
            ];
            rows(client, of_feed, values).await?
        }
    };
    let mut ids = found
        .iter()
        .map(|row| Ok(ArticleId(get(row, 1)?)))
        .collect::<Result<Vec<ArticleId>, Fault>>()?;
    let has_more = ids.len() > limit;
    ids.truncate(limit);
    let Batch { articles, is_cut } = read(client, &ids, query.parts).await?;
    let has_more = has_more || is_cut;
    Ok(Listing {
        next: articles.last().filter(|_| has_more).map(Article::cursor),
        articles,
        index_lag: 0,
        ranked: None,
    })
}

/// From the index, newest first; articles that are gone since are passed over.
async fn by_search(
    client: &impl GenericClient,
    query: &ArticleQuery,
    condition: &Condition,
) -> Result<Listing, Fault> {
    let (after, before) = listing::bounds(query);
    let cursor = query.cursor;
    let mut walk = Walk::new(
        condition,
        Span {
            after,
            before,
            cursor,
        },
    );
    let limit = listing::limit(query);
    let mut articles = Vec::new();
    let mut next = None;
    while articles.len() < limit {
        let n_wanted = limit - articles.len();
        let mut found = walk.next(client, n_wanted + 1).await?;
        let has_more = found.len() > n_wanted;
        found.truncate(n_wanted);
        let ids: Vec<ArticleId> = found.iter().map(|found| found.id).collect();
        let batch = read(client, &ids, query.parts).await?;
        let last = listing::last_read(&found, &batch);
        articles.extend(batch.articles);
        next = last.filter(|_| has_more || batch.is_cut);
        match next {
            Some(last) if !batch.is_cut => walk.go_on_behind(last),
            _ => break,
        }
    }
    Ok(Listing {
        next,
        articles,
        index_lag: search::lag(client).await?,
        ranked: None,
    })
}

/// The best of the newest matches, from their own words.
async fn by_rank(
    client: &impl GenericClient,
    query: &ArticleQuery,
    condition: &Condition,
) -> Result<Listing, Fault> {
    let (after, before) = listing::bounds(query);
    let span = Span {
        after,
        before,
        cursor: None,
    };
    let found = Walk::new(condition, span).next(client, RANKED).await?;
    let (ranking, n_ranked) = search::rank(client, condition, &found).await?;
    let frequencies = search::frequencies(client, &ranking).await?;
    let (page, has_more) = listing::page_of(ranking.ranked(&frequencies), query);
    let ids: Vec<ArticleId> = page.iter().map(|scored| scored.at.id).collect();
    let batch = read(client, &ids, query.parts).await?;
    let index_lag = search::lag(client).await?;
    Ok(listing::ranked(&page, has_more, batch, n_ranked, index_lag))
}

pub(super) async fn article(
    client: &impl GenericClient,
    name: &ArticleName,
) -> Result<Option<Article>, Fault> {
    let id = match name {
        ArticleName::Id(id) => Some(*id),
        ArticleName::Url(url) => article_at(client, url).await?,
    };
    let ids: Vec<ArticleId> = id.into_iter().collect();
    Ok(read(client, &ids, Parts::Whole).await?.articles.pop())
}

/// The article that a URL means: the one announced under its normal form comes first, then
/// the earliest.
async fn article_at(client: &impl GenericClient, url: &str) -> Result<Option<ArticleId>, Fault> {
    let Ok(url) = Url::parse(url.trim()) else {
        return Ok(None);
    };
    let form = canonicalize(&url);
    let sql = "SELECT article_id FROM alias WHERE shard = $1 AND key = $2 AND form = $3
               ORDER BY (reason = 'announced') DESC, added_at, article_id LIMIT 1";
    let (shard, key) = (
        shard_column(decide::form_shard(&form)),
        decide::key(form.as_str()),
    );
    match maybe_row(client, sql, &[&shard, &key, &form.as_str()]).await? {
        Some(row) => Ok(Some(ArticleId(get(&row, 0)?))),
        None => Ok(None),
    }
}

/// The articles with these ids, in this order; those that are not there are left out.
async fn read(
    client: &impl GenericClient,
    ids: &[ArticleId],
    parts: Parts,
) -> Result<Batch, Fault> {
    if ids.is_empty() {
        return Ok(Batch::default());
    }
    let mut heads = read_heads(client, ids).await?;
    let mut articles: Vec<Article> = ids.iter().filter_map(|id| heads.remove(&id.0)).collect();
    let is_cut = match parts {
        Parts::Head => false,
        Parts::Whole => add_bodies(client, &mut articles).await?,
    };
    Ok(Batch { articles, is_cut })
}

async fn read_heads(
    client: &impl GenericClient,
    ids: &[ArticleId],
) -> Result<HashMap<i64, Article>, Fault> {
    let of_articles = "
        SELECT a.id, a.url, a.canonical_url, a.final_url, a.title, a.authors, a.published,
          a.published_from, a.published_at, a.first_seen_at, a.sort_at, a.language, a.summary,
          a.keywords, a.word_count, a.page_state, a.error_kind, a.error, a.error_status
        FROM unnest($1::SMALLINT[], $2::BIGINT[]) AS wanted (shard, id)
        JOIN article a ON a.shard = wanted.shard AND a.id = wanted.id";
    let of_sightings = "
        SELECT s.article_id, s.guid, s.feed_id, f.url, s.tags, f.tags, s.enclosures
        FROM unnest($1::SMALLINT[], $2::BIGINT[]) AS wanted (shard, id)
        JOIN sighting s ON s.shard = wanted.shard AND s.article_id = wanted.id
        JOIN feed f ON f.id = s.feed_id
        ORDER BY s.article_id, s.seen_at, s.id";
    let (shards, numbers) = id_columns(ids);
    let mut sightings: HashMap<i64, Sightings> = HashMap::new();
    for row in rows(client, of_sightings, &[&shards, &numbers]).await? {
        let article = sightings.entry(get(&row, 0)?).or_default();
        article.add(read_sighting(&row)?);
    }
    let mut articles = HashMap::with_capacity(ids.len());
    for row in rows(client, of_articles, &[&shards, &numbers]).await? {
        let mut article = read_head(&row)?;
        if let Some(sightings) = sightings.remove(&article.id.0) {
            sightings.add_to(&mut article);
        }
        articles.insert(article.id.0, article);
    }
    Ok(articles)
}

fn read_sighting(row: &Row) -> Result<Sighting, Fault> {
    Ok(Sighting {
        guid: get(row, 1)?,
        feed: FeedId(get(row, 2)?),
        feed_url: get(row, 3)?,
        tags: get(row, 4)?,
        feed_tags: get(row, 5)?,
        enclosures: get(row, 6)?,
    })
}

fn read_head(row: &Row) -> Result<Article, Fault> {
    Ok(Article {
        id: ArticleId(get(row, 0)?),
        url: get(row, 1)?,
        canonical_url: get(row, 2)?,
        final_url: get(row, 3)?,
        title: get(row, 4)?,
        authors: json::read(get(row, 5)?),
        published: get(row, 6)?,
        published_from: get(row, 7)?,
        published_at: get::<Option<i64>>(row, 8)?.map(time),
        first_seen: Some(time(get(row, 9)?)),
        sort_at: time(get(row, 10)?),
        language: get(row, 11)?,
        summary: get(row, 12)?,
        tags: json::read(get(row, 13)?),
        word_count: count(row, 14)?,
        page_state: listing::page_state(get(row, 15)?),
        page_failure: lists::failure(get(row, 16)?, get(row, 17)?, status(row, 18)?),
        ..Article::default()
    })
}

/// Adds the bodies, until they grow too large; whether the rest was left out.
async fn add_bodies(
    client: &impl GenericClient,
    articles: &mut Vec<Article>,
) -> Result<bool, Fault> {
    let sizes = body_sizes(client, articles).await?;
    let mut n_bytes = 0;
    let mut at = 0;
    while at < articles.len() {
        if n_bytes > MAX_BODY_BYTES {
            articles.truncate(at);
            return Ok(true);
        }
        // As many as are expected to fit; one at least.
        let mut n_expected = n_bytes;
        let rest = &mut articles[at..];
        let n_fitting = rest
            .iter()
            .take_while(|article| {
                let fits = n_expected <= MAX_BODY_BYTES;
                n_expected += sizes.get(&article.id.0).copied().unwrap_or_default();
                fits
            })
            .count();
        let fitting = &mut rest[..n_fitting.max(1)];
        read_bodies(client, fitting).await?;
        n_bytes += fitting.iter().map(listing::body_bytes).sum::<usize>();
        at += fitting.len();
    }
    Ok(false)
}

/// Roughly how large the bodies will be: the text, and as Markdown and as HTML again.
async fn body_sizes(
    client: &impl GenericClient,
    articles: &[Article],
) -> Result<HashMap<i64, usize>, Fault> {
    let sql = "
        SELECT t.article_id, octet_length(t.text)
        FROM unnest($1::SMALLINT[], $2::BIGINT[]) AS wanted (shard, id)
        JOIN article_text t ON t.shard = wanted.shard AND t.article_id = wanted.id";
    let ids: Vec<ArticleId> = articles.iter().map(|article| article.id).collect();
    let (shards, numbers) = id_columns(&ids);
    rows(client, sql, &[&shards, &numbers])
        .await?
        .iter()
        .map(|row| {
            let n_bytes: i32 = get(row, 1)?;
            Ok((get(row, 0)?, usize::try_from(n_bytes).unwrap_or(0) * 3))
        })
        .collect()
}

async fn read_bodies(client: &impl GenericClient, articles: &mut [Article]) -> Result<(), Fault> {
    let sql = "
        SELECT wanted.id, coalesce(t.text, ''), r.enc, r.data
        FROM unnest($1::SMALLINT[], $2::BIGINT[]) AS wanted (shard, id)
        LEFT JOIN article_text t ON t.shard = wanted.shard AND t.article_id = wanted.id
        LEFT JOIN article_rendering r ON r.shard = wanted.shard AND r.article_id = wanted.id";
    let ids: Vec<ArticleId> = articles.iter().map(|article| article.id).collect();
    let (shards, numbers) = id_columns(&ids);
    let found = rows(client, sql, &[&shards, &numbers]).await?;
    let mut by_id: HashMap<i64, &mut Article> = articles
        .iter_mut()
        .map(|article| (article.id.0, article))
        .collect();
    for row in found {
        if let Some(article) = by_id.get_mut(&get(&row, 0)?) {
            let (enc, data): (Option<i16>, Option<&[u8]>) = (get(&row, 2)?, get(&row, 3)?);
            let rendering = enc.map(i64::from).zip(data);
            listing::add_body(article, get(&row, 1)?, rendering);
        }
    }
    Ok(())
}

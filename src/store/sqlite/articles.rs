//! Reading articles: one, a listing, the answers to a search.

use std::collections::HashMap;
use std::time::Instant;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use url::Url;

use super::super::json;
use super::super::listing::{self, Batch, MAX_BODY_BYTES, Sighting, Sightings};
use super::super::record::Article;
use super::super::{ArticleName, Listing, lists};
use super::fault::Fault;
use super::readers::Reader;
use super::search::{self, SearchReader, Span};
use super::{count, entries, int, time};
use crate::canonical::canonicalize;
use crate::model::{ArticleId, FeedId};
use crate::query::{
    ArticleQuery, Condition, FeedCalled, FeedsMeant, Order, Parts, RANKED, Ranking,
};

pub(super) fn articles(reader: &mut Reader, query: &ArticleQuery) -> Result<Listing, Fault> {
    let (main, search) = reader.both();
    let Some(asked) = query.search.as_ref().map(|search| &search.expr) else {
        return by_time(main, query);
    };
    let mut feeds = FeedsMeant::asked(asked);
    find_feeds(main, &mut feeds)?;
    match Condition::of(asked, &feeds) {
        Some(Condition::Every) => by_time(main, query),
        Some(condition) => {
            let condition = match query.feed {
                Some(feed) => condition.and(Condition::announced_by(feed)),
                None => condition,
            };
            match query.order {
                Order::Newest => by_search(main, search, query, &condition),
                Order::Rank => by_rank(main, search, query, &condition),
            }
        }
        None => Ok(Listing {
            index_lag: search.lag(main)?,
            ..Listing::default()
        }),
    }
}

/// Straight from the archive, in the order of time: exact, without the index.
fn by_time(main: &Connection, query: &ArticleQuery) -> Result<Listing, Fault> {
    let (after, before) = listing::bounds(query);
    // Each condition is there only when it is asked, so that the index serves it.
    let (from, id) = match query.feed {
        None => ("article", "id"),
        Some(_) => ("sighting", "article_id"),
    };
    let mut conditions = vec!["1 = 1".to_owned()];
    let mut values: Vec<Value> = Vec::new();
    if let Some(feed) = query.feed {
        conditions.push("feed_id = ?".to_owned());
        values.push(feed.0.into());
    }
    if let Some(cursor) = query.cursor {
        conditions.push(format!("(sort_at, {id}) < (?, ?)"));
        values.extend([cursor.at_ms.into(), cursor.id.0.into()]);
    }
    if let Some(after) = after {
        conditions.push("sort_at >= ?".to_owned());
        values.push(after.into());
    }
    if let Some(before) = before {
        conditions.push("sort_at < ?".to_owned());
        values.push(before.into());
    }
    let limit = listing::limit(query);
    values.push(int(limit + 1).into());
    let sql = format!(
        "SELECT DISTINCT {id} FROM {from} WHERE {}
         ORDER BY sort_at DESC, {id} DESC LIMIT ?",
        conditions.join(" AND ")
    );
    let mut ids: Vec<ArticleId> = main
        .prepare_cached(&sql)?
        .query_map(params_from_iter(values), |row| row.get(0).map(ArticleId))?
        .collect::<Result<_, _>>()?;
    let has_more = ids.len() > limit;
    ids.truncate(limit);
    let Batch { articles, is_cut } = read(main, &ids, query.parts)?;
    let has_more = has_more || is_cut;
    Ok(Listing {
        next: articles.last().filter(|_| has_more).map(Article::cursor),
        articles,
        index_lag: 0,
        ranked: None,
    })
}

/// From the index, newest first; articles that are gone since are passed over.
fn by_search(
    main: &Connection,
    search: &mut SearchReader,
    query: &ArticleQuery,
    condition: &Condition,
) -> Result<Listing, Fault> {
    let matching = search::render(condition);
    let (after, before) = listing::bounds(query);
    let mut span = Span {
        after,
        before,
        cursor: query.cursor,
    };
    let limit = listing::limit(query);
    let mut articles = Vec::new();
    let mut next = None;
    while articles.len() < limit {
        let n_wanted = limit - articles.len();
        let mut found = search.newest(main, &matching, span, n_wanted + 1)?;
        let has_more = found.len() > n_wanted;
        found.truncate(n_wanted);
        let ids: Vec<ArticleId> = found.iter().map(|found| found.id).collect();
        let batch = read(main, &ids, query.parts)?;
        let last = listing::last_read(&found, &batch);
        articles.extend(batch.articles);
        next = last.filter(|_| has_more || batch.is_cut);
        if next.is_none() || batch.is_cut {
            break;
        }
        span.cursor = next;
    }
    Ok(Listing {
        next,
        articles,
        index_lag: search.lag(main)?,
        ranked: None,
    })
}

/// The best of the newest matches, from their own words.
fn by_rank(
    main: &Connection,
    search: &mut SearchReader,
    query: &ArticleQuery,
    condition: &Condition,
) -> Result<Listing, Fault> {
    let began = Instant::now();
    let (after, before) = listing::bounds(query);
    let span = Span {
        after,
        before,
        cursor: None,
    };
    let matching = search::render(condition);
    let mut ranking = Ranking::new(condition);
    let mut n_ranked = 0;
    for found in search.newest(main, &matching, span, RANKED)? {
        if let Some((_, document)) = search::read_document(main, found.id.0)? {
            ranking.add(found, &document.index());
            n_ranked += 1;
        }
        if began.elapsed() > listing::DEADLINE {
            return Err(listing::too_long().into());
        }
    }
    let words: Vec<String> = ranking.words().map(search::render).collect();
    let scored = ranking.ranked(&search.frequencies(main, &words)?);
    let (page, has_more) = listing::page_of(scored, query);
    let ids: Vec<ArticleId> = page.iter().map(|scored| scored.at.id).collect();
    let batch = read(main, &ids, query.parts)?;
    let index_lag = search.lag(main)?;
    Ok(listing::ranked(&page, has_more, batch, n_ranked, index_lag))
}

/// Looks for the feeds that the values of `feed:` and `tag:` mean.
fn find_feeds(main: &Connection, feeds: &mut FeedsMeant) -> rusqlite::Result<()> {
    if feeds.is_empty() {
        return Ok(());
    }
    let mut statement =
        main.prepare_cached("SELECT id, url, subscribed_url, title, tags FROM feeds")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        feeds.add(&FeedCalled {
            id: row.get(0)?,
            url: row.get(1)?,
            subscribed_url: row.get(2)?,
            title: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
            tags: json::read(&row.get::<_, String>(4)?),
        });
    }
    Ok(())
}

pub(super) fn article(main: &Connection, name: &ArticleName) -> Result<Option<Article>, Fault> {
    let id = match name {
        ArticleName::Id(id) => Some(*id),
        ArticleName::Url(url) => article_at(main, url)?,
    };
    let ids: Vec<ArticleId> = id.into_iter().collect();
    Ok(read(main, &ids, Parts::Whole)?.articles.pop())
}

fn article_at(main: &Connection, url: &str) -> Result<Option<ArticleId>, Fault> {
    match Url::parse(url.trim()) {
        Ok(url) => Ok(entries::article_of(main, &canonicalize(&url))?),
        Err(_) => Ok(None),
    }
}

/// The articles with these ids, in this order; those that are not there are left out.
fn read(main: &Connection, ids: &[ArticleId], parts: Parts) -> Result<Batch, Fault> {
    let mut sightings = read_sightings(main, ids)?;
    let sql = "SELECT id, url, canonical_url, final_url, title, authors, published,
                 published_from, published_at, first_seen_at, sort_at, language, summary,
                 keywords, word_count, page_state, error_kind, error, error_status
               FROM article WHERE id = ?1";
    let mut statement = main.prepare_cached(sql)?;
    let mut articles = Vec::with_capacity(ids.len());
    let mut n_bytes = 0;
    for id in ids {
        if n_bytes > MAX_BODY_BYTES {
            return Ok(Batch {
                articles,
                is_cut: true,
            });
        }
        let Some(mut article) = statement.query_row([id.0], read_article).optional()? else {
            continue;
        };
        if let Some(sightings) = sightings.remove(&id.0) {
            sightings.add_to(&mut article);
        }
        if parts == Parts::Whole {
            read_body(main, &mut article)?;
            n_bytes += listing::body_bytes(&article);
        }
        articles.push(article);
    }
    Ok(Batch {
        articles,
        is_cut: false,
    })
}

fn read_article(row: &Row<'_>) -> rusqlite::Result<Article> {
    Ok(Article {
        id: ArticleId(row.get(0)?),
        url: row.get(1)?,
        canonical_url: row.get(2)?,
        final_url: row.get(3)?,
        title: row.get(4)?,
        authors: json::read(&row.get::<_, String>(5)?),
        published: row.get(6)?,
        published_from: row.get(7)?,
        published_at: row.get::<_, Option<i64>>(8)?.map(time),
        first_seen: Some(time(row.get(9)?)),
        sort_at: time(row.get(10)?),
        language: row.get(11)?,
        summary: row.get(12)?,
        tags: json::read(&row.get::<_, String>(13)?),
        word_count: count(row, 14)?,
        page_state: listing::page_state(&row.get::<_, String>(15)?),
        page_failure: lists::failure(row.get(16)?, row.get(17)?, row.get(18)?),
        ..Article::default()
    })
}

fn read_body(main: &Connection, article: &mut Article) -> rusqlite::Result<()> {
    let text: Option<String> = main
        .prepare_cached("SELECT text FROM article_text WHERE article_id = ?1")?
        .query_row([article.id.0], |row| row.get(0))
        .optional()?;
    let rendering: Option<(i64, Vec<u8>)> = main
        .prepare_cached("SELECT enc, data FROM article_rendering WHERE article_id = ?1")?
        .query_row([article.id.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let rendering = rendering
        .as_ref()
        .map(|(enc, data)| (*enc, data.as_slice()));
    listing::add_body(article, text.unwrap_or_default(), rendering);
    Ok(())
}

fn read_sightings(
    main: &Connection,
    ids: &[ArticleId],
) -> rusqlite::Result<HashMap<i64, Sightings>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let sql = "SELECT s.article_id, s.guid, s.feed_id, f.url, s.tags, f.tags, s.enclosures
               FROM json_each(?1) wanted
               JOIN sighting s ON s.article_id = wanted.value
               JOIN feed f ON f.id = s.feed_id
               ORDER BY s.article_id, s.seen_at, s.id";
    let mut statement = main.prepare_cached(sql)?;
    let mut rows = statement.query([json::write(&ids)])?;
    let mut sightings: HashMap<i64, Sightings> = HashMap::new();
    while let Some(row) = rows.next()? {
        let article = sightings.entry(row.get(0)?).or_default();
        article.add(Sighting {
            guid: row.get(1)?,
            feed: FeedId(row.get(2)?),
            feed_url: row.get(3)?,
            tags: row.get(4)?,
            feed_tags: row.get(5)?,
            enclosures: row.get(6)?,
        });
    }
    Ok(sightings)
}

//! Writes what a unit of work has changed.

use rusqlite::{Connection, named_params};

use super::super::recording::{
    Absorbed, ArticleRow, Born, Claim, Job, JobRow, Mark, SightingRow, Unit,
};
use super::fault::Fault;
use super::{polls, queue, sightings, state};
use crate::model::ArticleId;

/// Writes all of it, parents before children.
pub(super) fn write(connection: &Connection, unit: &Unit) -> Result<(), Fault> {
    for article in unit.articles(Mark::New) {
        if let Some(born) = &article.born {
            insert_article(connection, article, born)?;
        }
    }
    for article in unit.articles(Mark::Changed) {
        update_article(connection, article)?;
    }
    for article in unit.bodies() {
        write_body(connection, article)?;
    }
    for claim in unit.claims() {
        insert_claim(connection, claim)?;
    }
    for sighting in unit.sightings(Mark::New) {
        sightings::insert(connection, sighting, sort_at(unit, sighting))?;
    }
    for sighting in unit.sightings(Mark::Changed) {
        sightings::update(connection, sighting)?;
    }
    for job in unit.jobs() {
        write_job(connection, job)?;
    }
    if let Some(absorbed) = unit.absorbed() {
        absorb(connection, absorbed)?;
    }
    for poll in unit.polls() {
        polls::write(connection, poll)?;
    }
    for (host, touched) in unit.hosts() {
        queue::write(connection, host, touched)?;
    }
    for (name, n) in unit.counters() {
        state::add(connection, name, n)?;
    }
    for (article, op) in unit.changes() {
        state::log_change(connection, *article, *op)?;
    }
    Ok(())
}

/// A new sighting stands where its article stands, which is always known.
fn sort_at(unit: &Unit, sighting: &SightingRow) -> i64 {
    let article = unit.article(sighting.article);
    article.map_or(sighting.seen_at, |article| article.sort_at)
}

fn insert_article(
    connection: &Connection,
    article: &ArticleRow,
    born: &Born,
) -> rusqlite::Result<()> {
    let published = article.publication.as_ref();
    connection
        .prepare_cached(
            "INSERT INTO article (id, feed_id, url, host, title, authors, language, summary,
               keywords, published, published_at, published_from, first_seen_at, sort_at,
               word_count, page_state, error_kind, error)
             VALUES (:id, :feed, :url, :host, :title, :authors, :language, :summary,
               :keywords, :published, :published_at, :published_from, :first_seen, :sort_at,
               :word_count, :page_state, :error_kind, :error)",
        )?
        .execute(named_params! {
            ":id": article.id.0,
            ":feed": born.feed.0,
            ":url": born.url,
            ":host": born.host,
            ":title": article.title,
            ":authors": article.authors,
            ":language": article.language,
            ":summary": article.summary,
            ":keywords": article.keywords,
            ":published": published.map(|published| &published.text),
            ":published_at": published.map(|published| published.at.as_millisecond()),
            ":published_from": published.map(|published| &published.from),
            ":first_seen": article.first_seen.as_millisecond(),
            ":sort_at": article.sort_at,
            ":word_count": article.word_count,
            ":page_state": article.page_state.name(),
            ":error_kind": article.error.kind,
            ":error": article.error.detail,
        })?;
    Ok(())
}

fn update_article(connection: &Connection, article: &ArticleRow) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE article SET
               canonical_url = :canonical_url, final_url = :final_url, title = :title,
               authors = :authors, language = :language, summary = :summary,
               keywords = :keywords, word_count = :word_count, content_hash = :content_hash,
               page_state = :page_state, scraped_at = :scraped_at, error_kind = :error_kind,
               error = :error, error_status = :error_status
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": article.id.0,
            ":canonical_url": article.canonical_url,
            ":final_url": article.final_url,
            ":title": article.title,
            ":authors": article.authors,
            ":language": article.language,
            ":summary": article.summary,
            ":keywords": article.keywords,
            ":word_count": article.word_count,
            ":content_hash": article.content.map(|hash| hash.0),
            ":page_state": article.page_state.name(),
            ":scraped_at": article.scraped_at,
            ":error_kind": article.error.kind,
            ":error": article.error.detail,
            ":error_status": article.error.status,
        })?;
    match article.is_redated {
        true => redate(connection, article),
        false => Ok(()),
    }
}

/// Another date: the article and its sightings take another place in the lists.
fn redate(connection: &Connection, article: &ArticleRow) -> rusqlite::Result<()> {
    let published = article.publication.as_ref();
    connection
        .prepare_cached(
            "UPDATE article SET published = :text, published_at = :at, published_from = :from,
               sort_at = :sort_at
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": article.id.0,
            ":text": published.map(|published| &published.text),
            ":at": published.map(|published| published.at.as_millisecond()),
            ":from": published.map(|published| &published.from),
            ":sort_at": article.sort_at,
        })?;
    connection
        .prepare_cached("UPDATE sighting SET sort_at = ?2 WHERE article_id = ?1 AND sort_at <> ?2")?
        .execute((article.id.0, article.sort_at))?;
    Ok(())
}

/// Replaces the body of an article; without a rendering, it is plain text.
fn write_body(connection: &Connection, article: &ArticleRow) -> rusqlite::Result<()> {
    let Some(body) = &article.body else {
        return Ok(());
    };
    connection
        .prepare_cached("INSERT OR REPLACE INTO article_text (article_id, text) VALUES (?1, ?2)")?
        .execute((article.id.0, &body.text))?;
    if let Some(rendering) = &body.rendering {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO article_rendering (article_id, enc, data)
                 VALUES (?1, ?2, ?3)",
            )?
            .execute((article.id.0, rendering.enc, &rendering.data))?;
    } else if article.mark != Mark::New {
        connection
            .prepare_cached("DELETE FROM article_rendering WHERE article_id = ?1")?
            .execute([article.id.0])?;
    }
    Ok(())
}

/// A claim on a normal form. The first reason stays.
fn insert_claim(connection: &Connection, claim: &Claim) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO alias (key, form, article_id, url, reason, added_at)
             VALUES (:key, :form, :article, :url, :reason, :at)
             ON CONFLICT DO NOTHING",
        )?
        .execute(named_params! {
            ":key": claim.form.key,
            ":form": claim.form.form.as_str(),
            ":article": claim.article.0,
            ":url": claim.url,
            ":reason": claim.reason.name(),
            ":at": claim.added_at,
        })?;
    Ok(())
}

fn write_job(connection: &Connection, job: &Job) -> rusqlite::Result<()> {
    match (&job.stored, &job.now) {
        (_, Some(row)) => put_job(connection, row),
        (Some(row), None) => {
            connection
                .prepare_cached("DELETE FROM page_job WHERE article_id = ?1")?
                .execute([row.article.0])?;
            Ok(())
        }
        (None, None) => Ok(()),
    }
}

fn put_job(connection: &Connection, row: &JobRow) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO page_job
               (article_id, shard, host, url, due_at, attempts, moves, feed_id)
             VALUES (:article, :shard, :host, :url, :due_at, :attempts, :moves, :feed)",
        )?
        .execute(named_params! {
            ":article": row.article.0,
            ":shard": row.shard.0,
            ":host": row.host.as_str(),
            ":url": row.url,
            ":due_at": row.due_at,
            ":attempts": row.attempts,
            ":moves": row.moves,
            ":feed": row.feed.0,
        })?;
    Ok(())
}

/// Moves the sightings and claims of one article to another, and removes it.
fn absorb(connection: &Connection, absorbed: Absorbed) -> rusqlite::Result<()> {
    let Absorbed { stays, gone } = absorbed;
    // A feed that announced both has one article less.
    let moves = [
        "UPDATE feed_state SET article_count = article_count - 1
         WHERE feed_id IN (SELECT feed_id FROM sighting WHERE article_id = ?1)
           AND feed_id IN (SELECT feed_id FROM sighting WHERE article_id = ?2)",
        "UPDATE sighting SET article_id = ?2,
           sort_at = (SELECT sort_at FROM article WHERE id = ?2) WHERE article_id = ?1",
        "INSERT INTO alias (key, form, article_id, url, reason, added_at)
           SELECT key, form, ?2, url, reason, added_at FROM alias WHERE article_id = ?1
           ON CONFLICT DO NOTHING",
    ];
    for sql in moves {
        let ids: (i64, i64) = (gone.0, stays.0);
        connection.prepare_cached(sql)?.execute(ids)?;
    }
    remove(connection, gone)
}

fn remove(connection: &Connection, article: ArticleId) -> rusqlite::Result<()> {
    let ends = [
        "DELETE FROM alias WHERE article_id = ?1",
        "DELETE FROM article_text WHERE article_id = ?1",
        "DELETE FROM article_rendering WHERE article_id = ?1",
        "DELETE FROM article WHERE id = ?1",
    ];
    for sql in ends {
        connection.prepare_cached(sql)?.execute([article.0])?;
    }
    Ok(())
}

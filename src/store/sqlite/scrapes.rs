//! Recording a scrape: the article's text or failure, and whether it turned out to be
//! another article under a second URL.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::super::decide::{self, Likeness, Publication};
use super::super::json::{self, Rendering};
use super::super::record::{
    AliasReason, DuePage, PageState, Saved, ScrapeReport, ScrapeResult, ScrapedArticle,
};
use super::StoreError;
use super::entries::{article_of, insert_alias, write_body};
use super::fault::Fault;
use super::queue::Touched;
use super::{due, int, ms, state, time};
use crate::canonical::canonicalize;
use crate::dedup::ContentHash;
use crate::model::{ArticleId, Failure, HostKey};

/// Articles that may claim one URL before its claims are no longer believed: a canonical
/// URL that many pages share is a mistake of the site.
const MAX_CLAIMS: usize = 8;

pub(super) fn record_scrape(
    connection: &Connection,
    due: &DuePage,
    report: &ScrapeReport,
) -> Result<Saved, Fault> {
    if !due::is_current(due.lease) {
        return Err(StoreError::Fenced.into());
    }
    let Some(before) = read_state(connection, due.article)? else {
        return merged_meanwhile(connection, due);
    };
    let mut touched = Touched::default();
    let saved = match &report.result {
        ScrapeResult::Article(scraped) => {
            record_article(connection, &before, scraped, report, &mut touched)?
        }
        ScrapeResult::Moved(_) => Saved::Moved,
        ScrapeResult::Retry { failure, at } => {
            retry_later(connection, &before, due, failure, *at, &mut touched)?;
            Saved::Retry
        }
        ScrapeResult::Failed { failure, found } => {
            if let Some(found) = found {
                fill_gaps(connection, &before, found, report.at)?;
            }
            end_job(connection, before.id, &mut touched)?;
            set_page_state(connection, &before, PageState::Failed, Some(failure))?;
            state::changed(connection, before.id)?;
            Saved::Failed(failure.kind)
        }
    };
    touched.write(connection)?;
    Ok(saved)
}

/// The article was merged into another one while its page was being fetched.
fn merged_meanwhile(connection: &Connection, due: &DuePage) -> Result<Saved, Fault> {
    match article_of(connection, &canonicalize(due.url.url()))? {
        Some(into) => Ok(Saved::Merged { into }),
        None => Err(StoreError::Fenced.into()),
    }
}

/// What an article was before.
struct Before {
    id: ArticleId,
    title: Option<String>,
    announced: Option<String>,
    page_state: String,
    error_kind: Option<String>,
    content: Option<ContentHash>,
    publication: Option<Publication>,
    first_seen: Timestamp,
}

impl Before {
    fn is_scraped(&self) -> bool {
        self.page_state == PageState::Scraped.name()
    }

    /// What decides who is the older of two.
    fn age(&self) -> (Timestamp, ArticleId) {
        (self.first_seen, self.id)
    }

    fn likeness(&self) -> Likeness<'_> {
        Likeness {
            title: self.title.as_deref(),
            announced: self.announced.as_deref(),
            content: self.content,
        }
    }
}

fn read_state(connection: &Connection, article: ArticleId) -> rusqlite::Result<Option<Before>> {
    connection
        .prepare_cached(
            "SELECT id, title, page_state, error_kind, content_hash,
               published, published_at, published_from, first_seen_at,
               (SELECT s.title FROM sighting s WHERE s.article_id = article.id
                ORDER BY s.seen_at, s.id LIMIT 1)
             FROM article WHERE id = ?1",
        )?
        .query_row([article.0], |row| {
            Ok(Before {
                id: ArticleId(row.get(0)?),
                title: row.get(1)?,
                page_state: row.get(2)?,
                error_kind: row.get(3)?,
                content: row.get::<_, Option<i64>>(4)?.map(ContentHash),
                publication: read_publication(row)?,
                first_seen: time(row.get(8)?),
                announced: row.get(9)?,
            })
        })
        .optional()
}

fn read_publication(row: &Row<'_>) -> rusqlite::Result<Option<Publication>> {
    let text: Option<String> = row.get(5)?;
    let at: Option<i64> = row.get(6)?;
    let from: Option<String> = row.get(7)?;
    Ok(match (text, at, from) {
        (Some(text), Some(at), Some(from)) => Some(Publication {
            at: time(at),
            text,
            from,
        }),
        _ => None,
    })
}

fn record_article(
    connection: &Connection,
    before: &Before,
    scraped: &ScrapedArticle,
    report: &ScrapeReport,
    touched: &mut Touched,
) -> Result<Saved, Fault> {
    let twin = find_twin(connection, before, scraped)?;
    for alias in &scraped.aliases {
        let reason = alias.reason.name();
        insert_alias(
            connection,
            before.id,
            &alias.canonical,
            &alias.url,
            reason,
            report.at,
        )?;
    }
    let Some(twin) = twin else {
        write_article(connection, before, scraped, report, touched)?;
        return Ok(Saved::Article(before.id));
    };
    if before.age() < twin.age() {
        write_article(connection, before, scraped, report, touched)?;
        absorb(connection, before.id, &twin, touched)?;
        return Ok(Saved::Article(before.id));
    }
    if !twin.is_scraped() {
        write_article(connection, &twin, scraped, report, touched)?;
    }
    absorb(connection, twin.id, before, touched)?;
    Ok(Saved::Merged { into: twin.id })
}

/// Another article that claims one of this page's URLs and has the same text or headline.
/// A foreign claim alone merges nothing.
fn find_twin(
    connection: &Connection,
    before: &Before,
    scraped: &ScrapedArticle,
) -> Result<Option<Before>, Fault> {
    let likeness = Likeness {
        title: decide::said(scraped.title.as_ref()).or(before.title.as_deref()),
        announced: before.announced.as_deref(),
        content: scraped.content_hash,
    };
    for (key, form) in claimed_forms(connection, before.id, scraped)? {
        let claims: Vec<i64> = connection
            .prepare_cached(
                "SELECT article_id FROM alias WHERE key = ?1 AND form = ?2 AND article_id <> ?3
                 ORDER BY added_at, article_id LIMIT ?4",
            )?
            .query_map((key, &form, before.id.0, int(MAX_CLAIMS + 1)), |row| {
                row.get(0)
            })?
            .collect::<Result<_, _>>()?;
        if claims.len() > MAX_CLAIMS {
            continue;
        }
        for claim in claims {
            if let Some(other) = read_state(connection, ArticleId(claim))?
                && decide::same_article(&likeness, &other.likeness())
            {
                return Ok(Some(other));
            }
        }
    }
    Ok(None)
}

/// The normal forms that mean this article: those of this page, and those known before.
fn claimed_forms(
    connection: &Connection,
    article: ArticleId,
    scraped: &ScrapedArticle,
) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut forms: Vec<(i64, String)> = connection
        .prepare_cached("SELECT key, form FROM alias WHERE article_id = ?1")?
        .query_map([article.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for alias in &scraped.aliases {
        let form = (alias.canonical.key(), alias.canonical.as_str().to_owned());
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    Ok(forms)
}

/// Writes what the page gave over what the feed said; `url` is never touched.
fn write_article(
    connection: &Connection,
    before: &Before,
    scraped: &ScrapedArticle,
    report: &ScrapeReport,
    touched: &mut Touched,
) -> Result<(), Fault> {
    write_facts(connection, before, scraped, report.at)?;
    let rendering = Rendering {
        markdown: scraped.markdown.clone(),
        html: scraped.html.clone(),
        images: scraped.images.clone(),
        related: scraped.related.clone(),
    };
    write_body(connection, before.id, &scraped.text, Some(rendering))?;
    end_job(connection, before.id, touched)?;
    set_page_state(connection, before, PageState::Scraped, None)?;
    Ok(state::changed(connection, before.id)?)
}

fn write_facts(
    connection: &Connection,
    before: &Before,
    scraped: &ScrapedArticle,
    at: Timestamp,
) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "UPDATE article SET
               final_url = :final_url, canonical_url = :canonical_url,
               title = coalesce(:title, title),
               authors = CASE WHEN :authors = '[]' THEN authors ELSE :authors END,
               language = coalesce(:language, language), keywords = :keywords,
               word_count = :word_count, content_hash = :content_hash, scraped_at = :at
             WHERE id = :article",
        )?
        .execute(named_params! {
            ":article": before.id.0,
            ":final_url": scraped.final_url,
            ":canonical_url": scraped.canonical_url,
            ":title": decide::said(scraped.title.as_ref()),
            ":authors": json::write(&scraped.authors),
            ":language": decide::said(scraped.language.as_ref()),
            ":keywords": json::write(&scraped.tags),
            ":word_count": int(scraped.word_count),
            ":content_hash": scraped.content_hash.map(|hash| hash.0),
            ":at": ms(at),
        })?;
    write_publication(connection, before, scraped, at)
}

fn write_publication(
    connection: &Connection,
    before: &Before,
    scraped: &ScrapedArticle,
    at: Timestamp,
) -> Result<(), Fault> {
    let page = scraped
        .published
        .filter(|date| decide::believable(*date, at))
        .map(|date| Publication {
            at: date,
            text: scraped
                .published_text
                .clone()
                .unwrap_or_else(|| date.to_string()),
            from: scraped
                .published_from
                .clone()
                .unwrap_or_else(|| "text".to_owned()),
        });
    let known = before.publication.clone();
    let chosen = match &known {
        // An earlier scrape's date gives way to a later one's.
        Some(known) if known.from != "feed" && page.is_some() => page,
        _ => Publication::choose(known.clone(), page),
    };
    if chosen == known {
        return Ok(());
    }
    let published_at = chosen.as_ref().map(|chosen| chosen.at);
    let sort_at = ms(decide::sort_at(published_at, before.first_seen));
    connection
        .prepare_cached(
            "UPDATE article SET published = :text, published_at = :at, published_from = :from,
               sort_at = :sort_at
             WHERE id = :article",
        )?
        .execute(named_params! {
            ":article": before.id.0,
            ":text": chosen.as_ref().map(|chosen| &chosen.text),
            ":at": published_at.map(ms),
            ":from": chosen.as_ref().map(|chosen| &chosen.from),
            ":sort_at": sort_at,
        })?;
    connection
        .prepare_cached("UPDATE sighting SET sort_at = ?2 WHERE article_id = ?1 AND sort_at <> ?2")?
        .execute((before.id.0, sort_at))?;
    Ok(())
}

/// A page without text may still say what the feed did not.
fn fill_gaps(
    connection: &Connection,
    before: &Before,
    found: &ScrapedArticle,
    at: Timestamp,
) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "UPDATE article SET
               final_url = coalesce(nullif(:final_url, ''), final_url),
               canonical_url = coalesce(canonical_url, :canonical_url),
               title = coalesce(title, :title),
               authors = CASE WHEN authors = '[]' THEN :authors ELSE authors END,
               language = coalesce(language, :language),
               keywords = CASE WHEN keywords = '[]' THEN :keywords ELSE keywords END
             WHERE id = :article",
        )?
        .execute(named_params! {
            ":article": before.id.0,
            ":final_url": found.final_url,
            ":canonical_url": found.canonical_url,
            ":title": decide::said(found.title.as_ref()),
            ":authors": json::write(&found.authors),
            ":language": decide::said(found.language.as_ref()),
            ":keywords": json::write(&found.tags),
        })?;
    if before.publication.is_none() {
        write_publication(connection, before, found, at)?;
    }
    for alias in &found.aliases {
        if alias.reason == AliasReason::Redirect {
            insert_alias(
                connection,
                before.id,
                &alias.canonical,
                &alias.url,
                alias.reason.name(),
                at,
            )?;
        }
    }
    Ok(())
}

fn retry_later(
    connection: &Connection,
    before: &Before,
    due: &DuePage,
    failure: &Failure,
    at: Timestamp,
    touched: &mut Touched,
) -> Result<(), Fault> {
    // A page that has been recorded by now, with text or for good, has no job to put off.
    let n_jobs = connection
        .prepare_cached("UPDATE page_job SET due_at = ?2, attempts = ?3 WHERE article_id = ?1")?
        .execute((before.id.0, ms(at), due.attempts.saturating_add(1)))?;
    if n_jobs == 0 {
        return Ok(());
    }
    touched.pages_of(&due.host);
    set_page_state(connection, before, PageState::Retrying, Some(failure))?;
    Ok(())
}

fn end_job(
    connection: &Connection,
    article: ArticleId,
    touched: &mut Touched,
) -> rusqlite::Result<()> {
    let host: Option<String> = connection
        .prepare_cached("DELETE FROM page_job WHERE article_id = ?1 RETURNING host")?
        .query_row([article.0], |row| row.get(0))
        .optional()?;
    if let Some(host) = host {
        touched.pages_of(&HostKey::stored(host));
    }
    Ok(())
}

fn set_page_state(
    connection: &Connection,
    before: &Before,
    page_state: PageState,
    failure: Option<&Failure>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE article SET page_state = :state, error_kind = :kind, error = :error,
               error_status = :status
             WHERE id = :article",
        )?
        .execute(named_params! {
            ":article": before.id.0,
            ":state": page_state.name(),
            ":kind": failure.map(|failure| failure.kind.name()),
            ":error": failure.map(|failure| &failure.detail),
            ":status": failure.and_then(|failure| failure.status),
        })?;
    let old_kind = before.error_kind.as_deref();
    let new_kind = failure.map(|failure| failure.kind.name());
    state::add_page(connection, &before.page_state, old_kind, -1)?;
    state::add_page(connection, page_state.name(), new_kind, 1)
}

/// Merges `gone` into `stays`: its sightings and URLs move, and it is no more.
fn absorb(
    connection: &Connection,
    stays: ArticleId,
    gone: &Before,
    touched: &mut Touched,
) -> Result<(), Fault> {
    end_job(connection, gone.id, touched)?;
    let feeds: Vec<i64> = connection
        .prepare_cached("SELECT DISTINCT feed_id FROM sighting WHERE article_id = ?1")?
        .query_map([gone.id.0], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for feed in feeds {
        // A feed that announced both has one article less.
        connection
            .prepare_cached(
                "UPDATE feed_state SET article_count = article_count - 1
                 WHERE feed_id = ?1 AND EXISTS
                   (SELECT 1 FROM sighting WHERE article_id = ?2 AND feed_id = ?1)",
            )?
            .execute((feed, stays.0))?;
    }
    let moves = [
        "UPDATE sighting SET article_id = ?2,
           sort_at = (SELECT sort_at FROM article WHERE id = ?2) WHERE article_id = ?1",
        "INSERT INTO alias (key, form, article_id, url, reason, added_at)
           SELECT key, form, ?2, url, reason, added_at FROM alias WHERE article_id = ?1
           ON CONFLICT DO NOTHING",
        "UPDATE article SET summary = coalesce(summary, (SELECT summary FROM article WHERE id = ?1))
           WHERE id = ?2",
    ];
    for sql in moves {
        connection
            .prepare_cached(sql)?
            .execute((gone.id.0, stays.0))?;
    }
    let ends = [
        "DELETE FROM alias WHERE article_id = ?1",
        "DELETE FROM article_text WHERE article_id = ?1",
        "DELETE FROM article_rendering WHERE article_id = ?1",
        "DELETE FROM article WHERE id = ?1",
    ];
    for sql in ends {
        connection.prepare_cached(sql)?.execute([gone.id.0])?;
    }
    state::add(connection, "articles", -1)?;
    let page_state = gone.page_state.as_str();
    state::add_page(connection, page_state, gone.error_kind.as_deref(), -1)?;
    state::removed(connection, gone.id)?;
    Ok(state::changed(connection, stays)?)
}

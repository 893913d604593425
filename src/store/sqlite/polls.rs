//! Recording a poll: its entries, validators, state and next due time, at once.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::super::decide::{self, Publication};
use super::super::json::{self, Rendering};
use super::super::record::{
    Announcement, DueFeed, FeedReading, PageState, PollRecorded, PollReport, PollResult,
};
use super::StoreError;
use super::fault::Fault;
use super::queue::Touched;
use super::writer::WriterState;
use super::{due, feeds, int, ms, state};
use crate::canonical::CanonicalUrl;
use crate::model::{ArticleId, Failure, FeedId, Validators};

/// How long polls stay in the log.
const LOG_DAYS: i64 = 30;

/// Polls between two prunings of the log, and rows that one pruning takes at most.
const PRUNE_EVERY: u32 = 500;
const PRUNE_ROWS: u32 = 2000;

pub(super) fn record_poll(
    connection: &Connection,
    writer: &mut WriterState,
    due: &DueFeed,
    report: &PollReport,
) -> Result<PollRecorded, Fault> {
    if !due::is_current(due.lease) {
        return Err(StoreError::Fenced.into());
    }
    let mut touched = Touched::default();
    let mut recorded = PollRecorded::default();
    let outcome = match &report.result {
        PollResult::NotModified { validators } => {
            record_success(connection, due.feed, report, validators, None)?;
            "not_modified"
        }
        PollResult::Unchanged { validators } => {
            record_success(connection, due.feed, report, validators, None)?;
            "unchanged"
        }
        PollResult::Fetched(reading) => {
            record_success(
                connection,
                due.feed,
                report,
                &reading.validators,
                Some(reading),
            )?;
            recorded = record_entries(connection, writer, due, report.at, reading, &mut touched)?;
            "fetched"
        }
        PollResult::Gone(failure) => {
            record_failure(connection, due.feed, report, failure)?;
            "gone"
        }
        PollResult::Failed(failure) => {
            record_failure(connection, due.feed, report, failure)?;
            "failed"
        }
    };
    feeds::set_due(connection, due.feed, report.next_poll, &mut touched)?;
    touched.write(connection)?;
    log(connection, due.feed, report, outcome, &recorded)?;
    prune_now_and_then(connection, writer, report.at)?;
    Ok(recorded)
}

fn record_success(
    connection: &Connection,
    feed: FeedId,
    report: &PollReport,
    validators: &Validators,
    reading: Option<&FeedReading>,
) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "UPDATE feed_state SET
               etag = :etag, last_modified = :last_modified, validator_url = :validator_url,
               failures = :failures, gone = :gone, hinted_interval_ms = :hinted,
               last_poll_at = :at, last_success_at = :at,
               error_kind = NULL, error = NULL, error_status = NULL
             WHERE feed_id = :feed",
        )?
        .execute(named_params! {
            ":feed": feed.0,
            ":etag": validators.etag,
            ":last_modified": validators.last_modified,
            ":validator_url": validators.url,
            ":failures": report.state.failures,
            ":gone": report.state.gone,
            ":hinted": report.state.hinted_interval.map(json::millis).map(int),
            ":at": ms(report.at),
        })?;
    let Some(reading) = reading else {
        return Ok(());
    };
    connection
        .prepare_cached(
            "UPDATE feed_state SET
               body_hash = :body_hash, title = :title, site_url = :site_url,
               language = :language, warnings = :warnings
             WHERE feed_id = :feed",
        )?
        .execute(named_params! {
            ":feed": feed.0,
            ":body_hash": reading.body_hash,
            ":title": reading.title,
            ":site_url": reading.site_url,
            ":language": reading.language,
            ":warnings": json::write(&reading.warnings),
        })?;
    Ok(())
}

fn record_failure(
    connection: &Connection,
    feed: FeedId,
    report: &PollReport,
    failure: &Failure,
) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "UPDATE feed_state SET
               failures = :failures, gone = :gone, hinted_interval_ms = :hinted,
               last_poll_at = :at, error_kind = :kind, error = :error, error_status = :status
             WHERE feed_id = :feed",
        )?
        .execute(named_params! {
            ":feed": feed.0,
            ":failures": report.state.failures,
            ":gone": report.state.gone,
            ":hinted": report.state.hinted_interval.map(json::millis).map(int),
            ":at": ms(report.at),
            ":kind": failure.kind.name(),
            ":error": failure.detail,
            ":status": failure.status,
        })?;
    Ok(())
}

/// What one entry turned out to be.
enum Entry {
    New { has_page: bool },
    Known,
    Shared,
}

fn record_entries(
    connection: &Connection,
    writer: &mut WriterState,
    due: &DueFeed,
    at: Timestamp,
    reading: &FeedReading,
    touched: &mut Touched,
) -> Result<PollRecorded, Fault> {
    writer
        .ids
        .resume(state::counter(connection, "last_article_id")?);
    let mut recorded = PollRecorded::default();
    for announcement in decide::oldest_first(&reading.announcements) {
        let entry = record_entry(connection, writer, due, at, reading, announcement, touched)?;
        match entry {
            Entry::New { has_page } => {
                recorded.n_new += 1;
                recorded.n_pages += usize::from(has_page);
            }
            Entry::Known => recorded.n_known += 1,
            Entry::Shared => recorded.n_shared += 1,
        }
    }
    if recorded.n_new > 0 {
        state::set_counter(connection, "last_article_id", writer.ids.largest())?;
        connection
            .prepare_cached("UPDATE feed_state SET last_new_at = ?2 WHERE feed_id = ?1")?
            .execute((due.feed.0, ms(at)))?;
    }
    Ok(recorded)
}

fn record_entry(
    connection: &Connection,
    writer: &mut WriterState,
    due: &DueFeed,
    at: Timestamp,
    reading: &FeedReading,
    announcement: &Announcement,
    touched: &mut Touched,
) -> Result<Entry, Fault> {
    if let Some(sighting) = known_entry(connection, due.feed, &announcement.entry_id)? {
        if sighting.entry_hash != announcement.entry_hash {
            update_sighting(connection, &sighting, announcement, at)?;
        }
        return Ok(Entry::Known);
    }
    if let Some(canonical) = &announcement.canonical
        && let Some(article) = article_of(connection, canonical)?
    {
        let known_here = is_sighted(connection, due.feed, article)?;
        let sort_at = sort_at_of(connection, article)?;
        insert_sighting(connection, due.feed, article, sort_at, announcement, at)?;
        fill_from_feed(connection, article, announcement)?;
        state::changed(connection, article)?;
        if known_here {
            return Ok(Entry::Known);
        }
        count_article(connection, due.feed)?;
        return Ok(Entry::Shared);
    }
    let article = writer.ids.next(due.lease.shard, at);
    insert_article(connection, due.feed, article, reading, announcement, at)?;
    if let (Some(canonical), Some(url)) = (&announcement.canonical, &announcement.url) {
        insert_alias(connection, article, canonical, url, "announced", at)?;
    }
    let sort_at = sort_at_of(connection, article)?;
    insert_sighting(connection, due.feed, article, sort_at, announcement, at)?;
    count_article(connection, due.feed)?;
    let has_page = insert_page_job(connection, due.feed, article, announcement, at, touched)?;
    state::changed(connection, article)?;
    Ok(Entry::New { has_page })
}

/// Places of the entries that are there with the same hash.
pub(super) fn known_entries(
    connection: &Connection,
    feed: FeedId,
    entries: &[(String, i64)],
) -> Result<HashSet<usize>, Fault> {
    let mut known = HashSet::new();
    for (place, (entry_id, entry_hash)) in entries.iter().enumerate() {
        let entry = known_entry(connection, feed, entry_id)?;
        if entry.is_some_and(|entry| entry.entry_hash == *entry_hash) {
            known.insert(place);
        }
    }
    Ok(known)
}

struct KnownEntry {
    sighting: i64,
    article: ArticleId,
    entry_hash: i64,
}

fn known_entry(
    connection: &Connection,
    feed: FeedId,
    entry_id: &str,
) -> rusqlite::Result<Option<KnownEntry>> {
    connection
        .prepare_cached(
            "SELECT id, article_id, entry_hash FROM sighting
             WHERE feed_id = ?1 AND entry_key = ?2 AND entry_id = ?3",
        )?
        .query_row((feed.0, decide::key(entry_id), entry_id), |row| {
            Ok(KnownEntry {
                sighting: row.get(0)?,
                article: ArticleId(row.get(1)?),
                entry_hash: row.get(2)?,
            })
        })
        .optional()
}

/// The article that owns a normal form: the first that claimed it.
pub(super) fn article_of(
    connection: &Connection,
    canonical: &CanonicalUrl,
) -> rusqlite::Result<Option<ArticleId>> {
    connection
        .prepare_cached(
            "SELECT article_id FROM alias WHERE key = ?1 AND form = ?2
             ORDER BY added_at, article_id LIMIT 1",
        )?
        .query_row((canonical.key(), canonical.as_str()), |row| {
            row.get(0).map(ArticleId)
        })
        .optional()
}

/// A claim on a normal form. The first reason stays.
pub(super) fn insert_alias(
    connection: &Connection,
    article: ArticleId,
    canonical: &CanonicalUrl,
    url: &str,
    reason: &str,
    at: Timestamp,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO alias (key, form, article_id, url, reason, added_at)
             VALUES (:key, :form, :article, :url, :reason, :at)
             ON CONFLICT DO NOTHING",
        )?
        .execute(named_params! {
            ":key": canonical.key(),
            ":form": canonical.as_str(),
            ":article": article.0,
            ":url": url,
            ":reason": reason,
            ":at": ms(at),
        })?;
    Ok(())
}

fn is_sighted(connection: &Connection, feed: FeedId, article: ArticleId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM sighting WHERE article_id = ?2 AND feed_id = ?1")?
        .exists((feed.0, article.0))
}

fn sort_at_of(connection: &Connection, article: ArticleId) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT sort_at FROM article WHERE id = ?1")?
        .query_row([article.0], |row| row.get(0))
}

fn count_article(connection: &Connection, feed: FeedId) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE feed_state SET article_count = article_count + 1 WHERE feed_id = ?1",
        )?
        .execute([feed.0])?;
    Ok(())
}

fn insert_article(
    connection: &Connection,
    feed: FeedId,
    article: ArticleId,
    reading: &FeedReading,
    announcement: &Announcement,
    at: Timestamp,
) -> Result<(), Fault> {
    let publication = Publication::of_feed(announcement, at);
    let published_at = publication.as_ref().map(|published| published.at);
    let page_state = match announcement.page {
        Some(_) => PageState::Pending,
        None => PageState::Skipped,
    };
    let text = feed_text(announcement);
    connection
        .prepare_cached(
            "INSERT INTO article (id, feed_id, url, host, title, authors, language, summary,
               published, published_at, published_from, first_seen_at, sort_at, word_count, page_state)
             VALUES (:id, :feed, :url, :host, :title, :authors, :language, :summary,
               :published, :published_at, :published_from, :at, :sort_at, :word_count, :page_state)",
        )?
        .execute(named_params! {
            ":id": article.0,
            ":feed": feed.0,
            ":url": announcement.url,
            ":host": announcement.url.as_deref().and_then(host_of),
            ":title": announcement.title,
            ":authors": json::write(&announcement.authors),
            ":language": reading.language,
            ":summary": announcement.summary,
            ":published": publication.as_ref().map(|published| &published.text),
            ":published_at": published_at.map(ms),
            ":published_from": publication.as_ref().map(|published| &published.from),
            ":at": ms(at),
            ":sort_at": ms(decide::sort_at(published_at, at)),
            ":word_count": decide::word_count(text),
            ":page_state": page_state.name(),
        })?;
    write_feed_text(connection, article, announcement)?;
    state::add(connection, "articles", 1)?;
    state::add_page(connection, page_state.name(), None, 1)?;
    Ok(())
}

/// What the feed says of the article: its content, else its summary.
fn feed_text(announcement: &Announcement) -> &str {
    let content = announcement.content_text.as_deref();
    content
        .filter(|text| !text.trim().is_empty())
        .or(announcement.summary.as_deref())
        .unwrap_or_default()
}

fn write_feed_text(
    connection: &Connection,
    article: ArticleId,
    announcement: &Announcement,
) -> Result<(), Fault> {
    let text = feed_text(announcement);
    let html = announcement.content_html.as_deref();
    let rendering = Rendering {
        markdown: decide::plain_as_markdown(text),
        html: html.map_or_else(|| decide::plain_as_html(text), str::to_owned),
        ..Rendering::default()
    };
    write_body(connection, article, text, rendering)
}

/// Replaces the body of an article.
pub(super) fn write_body(
    connection: &Connection,
    article: ArticleId,
    text: &str,
    rendering: Rendering,
) -> Result<(), Fault> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO article_text (article_id, text) VALUES (?1, ?2)")?
        .execute((article.0, text))?;
    let (enc, data) = state::pack(&rendering.write());
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO article_rendering (article_id, enc, data) VALUES (?1, ?2, ?3)",
        )?
        .execute((article.0, enc, data))?;
    Ok(())
}

fn host_of(url: &str) -> Option<String> {
    url::Url::parse(url).ok()?.host_str().map(str::to_owned)
}

fn insert_page_job(
    connection: &Connection,
    feed: FeedId,
    article: ArticleId,
    announcement: &Announcement,
    at: Timestamp,
    touched: &mut Touched,
) -> Result<bool, Fault> {
    let Some(page) = &announcement.page else {
        return Ok(false);
    };
    connection
        .prepare_cached(
            "INSERT INTO page_job (article_id, shard, host, url, due_at, feed_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            article.0,
            page.host.shard().0,
            page.host.as_str(),
            page.url.as_str(),
            ms(at),
            feed.0,
        ))?;
    touched.pages_of(&page.host);
    Ok(true)
}

fn insert_sighting(
    connection: &Connection,
    feed: FeedId,
    article: ArticleId,
    sort_at: i64,
    announcement: &Announcement,
    at: Timestamp,
) -> Result<(), Fault> {
    let content = announcement.content_html.as_deref().map(state::pack);
    connection
        .prepare_cached(
            "INSERT INTO sighting (feed_id, entry_key, entry_id, article_id, sort_at, guid, url,
               title, summary, enc, content, published_at, updated_at, authors, tags, enclosures,
               entry_hash, seen_at)
             VALUES (:feed, :entry_key, :entry_id, :article, :sort_at, :guid, :url,
               :title, :summary, :enc, :content, :published, :updated, :authors, :tags, :enclosures,
               :entry_hash, :at)",
        )?
        .execute(named_params! {
            ":feed": feed.0,
            ":entry_key": decide::key(&announcement.entry_id),
            ":entry_id": announcement.entry_id,
            ":article": article.0,
            ":sort_at": sort_at,
            ":guid": announcement.guid,
            ":url": announcement.url,
            ":title": announcement.title,
            ":summary": announcement.summary,
            ":enc": content.as_ref().map(|(enc, _)| enc),
            ":content": content.as_ref().map(|(_, data)| data),
            ":published": announcement.published.map(ms),
            ":updated": announcement.updated.map(ms),
            ":authors": json::write(&announcement.authors),
            ":tags": json::write(&announcement.tags),
            ":enclosures": json::write_enclosures(&announcement.enclosures),
            ":entry_hash": announcement.entry_hash,
            ":at": ms(at),
        })?;
    Ok(())
}

/// A changed entry: the sighting says what the feed says now. Where the article is the
/// feed's own word and this is its first sighting, the article follows.
fn update_sighting(
    connection: &Connection,
    known: &KnownEntry,
    announcement: &Announcement,
    at: Timestamp,
) -> Result<(), Fault> {
    let content = announcement.content_html.as_deref().map(state::pack);
    connection
        .prepare_cached(
            "UPDATE sighting SET guid = :guid, url = :url, title = :title, summary = :summary,
               enc = :enc, content = :content, published_at = :published, updated_at = :updated,
               authors = :authors, tags = :tags, enclosures = :enclosures,
               entry_hash = :entry_hash, changed_at = :at
             WHERE id = :sighting",
        )?
        .execute(named_params! {
            ":sighting": known.sighting,
            ":guid": announcement.guid,
            ":url": announcement.url,
            ":title": announcement.title,
            ":summary": announcement.summary,
            ":enc": content.as_ref().map(|(enc, _)| enc),
            ":content": content.as_ref().map(|(_, data)| data),
            ":published": announcement.published.map(ms),
            ":updated": announcement.updated.map(ms),
            ":authors": json::write(&announcement.authors),
            ":tags": json::write(&announcement.tags),
            ":enclosures": json::write_enclosures(&announcement.enclosures),
            ":entry_hash": announcement.entry_hash,
            ":at": ms(at),
        })?;
    if first_sighting(connection, known.article)? == Some(known.sighting) {
        follow_feed(connection, known.article, announcement)?;
    }
    Ok(state::changed(connection, known.article)?)
}

fn first_sighting(connection: &Connection, article: ArticleId) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached(
            "SELECT id FROM sighting WHERE article_id = ?1 ORDER BY seen_at, id LIMIT 1",
        )?
        .query_row([article.0], |row| row.get(0))
        .optional()
}

fn follow_feed(
    connection: &Connection,
    article: ArticleId,
    announcement: &Announcement,
) -> Result<(), Fault> {
    connection
        .prepare_cached("UPDATE article SET summary = ?2 WHERE id = ?1")?
        .execute((article.0, &announcement.summary))?;
    let is_scraped: bool = connection
        .prepare_cached("SELECT page_state = 'scraped' FROM article WHERE id = ?1")?
        .query_row([article.0], |row| row.get(0))?;
    if is_scraped {
        return Ok(());
    }
    connection
        .prepare_cached(
            "UPDATE article SET title = coalesce(:title, title),
               authors = CASE WHEN :authors = '[]' THEN authors ELSE :authors END,
               word_count = :word_count
             WHERE id = :article",
        )?
        .execute(named_params! {
            ":article": article.0,
            ":title": announcement.title,
            ":authors": json::write(&announcement.authors),
            ":word_count": decide::word_count(feed_text(announcement)),
        })?;
    write_feed_text(connection, article, announcement)
}

/// A further feed announces an article: what no one has said so far is taken from it.
fn fill_from_feed(
    connection: &Connection,
    article: ArticleId,
    announcement: &Announcement,
) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "UPDATE article SET title = coalesce(title, :title),
               summary = coalesce(summary, :summary),
               authors = CASE WHEN authors = '[]' THEN :authors ELSE authors END
             WHERE id = :article",
        )?
        .execute(named_params! {
            ":article": article.0,
            ":title": announcement.title,
            ":summary": announcement.summary,
            ":authors": json::write(&announcement.authors),
        })?;
    let has_text: bool = connection
        .prepare_cached("SELECT text <> '' FROM article_text WHERE article_id = ?1")?
        .query_row([article.0], |row| row.get(0))
        .optional()?
        .unwrap_or(false);
    let text = feed_text(announcement);
    if has_text || text.is_empty() {
        return Ok(());
    }
    connection
        .prepare_cached("UPDATE article SET word_count = ?2 WHERE id = ?1")?
        .execute((article.0, decide::word_count(text)))?;
    write_feed_text(connection, article, announcement)
}

fn log(
    connection: &Connection,
    feed: FeedId,
    report: &PollReport,
    outcome: &str,
    recorded: &PollRecorded,
) -> Result<(), Fault> {
    let failure = match &report.result {
        PollResult::Gone(failure) | PollResult::Failed(failure) => Some(failure),
        _ => None,
    };
    let n_entries = match &report.result {
        PollResult::Fetched(reading) => reading.announcements.len(),
        _ => 0,
    };
    connection
        .prepare_cached(
            "INSERT INTO poll_log (feed_id, at, outcome, status, n_new, n_entries, n_bytes,
               duration_ms, error_kind, error)
             VALUES (:feed, :at, :outcome, :status, :n_new, :n_entries, :n_bytes,
               :duration, :kind, :error)",
        )?
        .execute(named_params! {
            ":feed": feed.0,
            ":at": ms(report.at),
            ":outcome": outcome,
            ":status": report.cost.status,
            ":n_new": int(recorded.n_new),
            ":n_entries": int(n_entries),
            ":n_bytes": int(report.cost.n_bytes),
            ":duration": int(json::millis(report.cost.duration)),
            ":kind": failure.map(|failure| failure.kind.name()),
            ":error": failure.map(|failure| &failure.detail),
        })?;
    Ok(())
}

fn prune_now_and_then(
    connection: &Connection,
    writer: &mut WriterState,
    at: Timestamp,
) -> Result<(), Fault> {
    writer.polls_since_prune += 1;
    if writer.polls_since_prune < PRUNE_EVERY {
        return Ok(());
    }
    writer.polls_since_prune = 0;
    connection
        .prepare_cached(
            "DELETE FROM poll_log WHERE id IN
               (SELECT id FROM poll_log WHERE at < ?1 ORDER BY at LIMIT ?2)",
        )?
        .execute((ms(at) - LOG_DAYS * 86_400_000, PRUNE_ROWS))?;
    Ok(())
}

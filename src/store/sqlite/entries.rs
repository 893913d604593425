//! Recording entries: what a feed document announces, and which articles that makes.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::super::decide::{self, Publication};
use super::super::json::{self, Rendering};
use super::super::record::{
    AliasReason, Announcement, DueFeed, FeedReading, PageState, PollRecorded,
};
use super::fault::Fault;
use super::queue::Touched;
use super::sightings::{self, Sighting};
use super::writer::WriterState;
use super::{ms, state};
use crate::canonical::CanonicalUrl;
use crate::model::{ArticleId, FeedId};

/// What one entry turned out to be.
enum Kind {
    New,
    Known,
    Shared,
}

/// The document whose entries are recorded.
struct Document<'a> {
    due: &'a DueFeed,
    at: Timestamp,
    reading: &'a FeedReading,
    /// The sightings that its entries have had so far: none stands for two of them.
    seen: HashSet<i64>,
}

/// What recording one entry changed.
struct Recorded {
    kind: Kind,
    has_new_page: bool,
}

/// Records the entries of one document, oldest first.
pub(super) fn record_entries(
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
    let mut document = Document {
        due,
        at,
        reading,
        seen: HashSet::new(),
    };
    for announcement in decide::oldest_first(&reading.announcements) {
        let entry = record_entry(connection, writer, &mut document, announcement, touched)?;
        match entry.kind {
            Kind::New => recorded.n_new += 1,
            Kind::Known => recorded.n_known += 1,
            Kind::Shared => recorded.n_shared += 1,
        }
        recorded.n_pages += usize::from(entry.has_new_page);
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
    document: &mut Document<'_>,
    announcement: &Announcement,
    touched: &mut Touched,
) -> Result<Recorded, Fault> {
    let (feed, at) = (document.due.feed, document.at);
    let (sighting, kind) = match find(connection, document, announcement)? {
        Found::Sighted(known) => {
            sightings::follow(connection, &known, announcement, at)?;
            (known, Kind::Known)
        }
        Found::Article(article) => again(connection, feed, article, announcement, at)?,
        Found::Nothing => {
            let article = writer.ids.next(document.due.lease.shard, at);
            let reading = document.reading;
            let sighting = insert_article(connection, feed, article, reading, announcement, at)?;
            (sighting, Kind::New)
        }
    };
    document.seen.insert(sighting.id);
    let article = sighting.article;
    let has_new_page = want_page(connection, feed, article, announcement, at, touched)?;
    Ok(Recorded { kind, has_new_page })
}

/// What is known of an entry.
enum Found {
    /// The entry itself.
    Sighted(Sighting),
    /// Its article only.
    Article(ArticleId),
    Nothing,
}

/// Finds an entry by its id, else by what it is: some publishers give every entry a new
/// guid whenever they are asked.
fn find(
    connection: &Connection,
    document: &Document<'_>,
    announcement: &Announcement,
) -> rusqlite::Result<Found> {
    let (feed, seen) = (document.due.feed, &document.seen);
    if let Some(known) = sightings::by_id(connection, feed, &announcement.entry_id)? {
        return Ok(Found::Sighted(known));
    }
    let article = known_url(connection, announcement)?;
    let known = match article {
        Some(article) => sightings::renamed(connection, feed, article, announcement, seen)?,
        None if announcement.url.is_none() => {
            sightings::renamed_note(connection, feed, announcement, seen)?
        }
        None => None,
    };
    Ok(match (known, article) {
        (Some(known), _) => Found::Sighted(known),
        (None, Some(article)) => Found::Article(article),
        (None, None) => Found::Nothing,
    })
}

/// The article that the entry's URL means already: the one that was announced under it,
/// else the one whose page was found there. Where several pages led to one URL, as they do
/// to a page of consent, it means none of them.
fn known_url(
    connection: &Connection,
    announcement: &Announcement,
) -> rusqlite::Result<Option<ArticleId>> {
    let Some(canonical) = &announcement.canonical else {
        return Ok(None);
    };
    let claims: Vec<(i64, bool)> = connection
        .prepare_cached(
            "SELECT article_id, reason = 'announced' FROM alias WHERE key = ?1 AND form = ?2
             ORDER BY reason = 'announced' DESC, added_at, article_id LIMIT 2",
        )?
        .query_map((canonical.key(), canonical.as_str()), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    Ok(match claims[..] {
        [(article, true), ..] | [(article, false)] => Some(ArticleId(article)),
        _ => None,
    })
}

/// A new entry of a known article: another feed's, or a further one of the same feed.
fn again(
    connection: &Connection,
    feed: FeedId,
    article: ArticleId,
    announcement: &Announcement,
    at: Timestamp,
) -> Result<(Sighting, Kind), Fault> {
    let is_known_here = sightings::is_sighted(connection, feed, article)?;
    let sighting = sightings::insert(connection, feed, article, announcement, at)?;
    fill_from_feed(connection, article, announcement)?;
    state::changed(connection, article)?;
    if is_known_here {
        return Ok((sighting, Kind::Known));
    }
    count_article(connection, feed)?;
    Ok((sighting, Kind::Shared))
}

/// Places of the entries that are there with the same hash.
pub(super) fn known_entries(
    connection: &Connection,
    feed: FeedId,
    entries: &[(String, i64)],
) -> Result<HashSet<usize>, Fault> {
    let mut known = HashSet::new();
    for (place, (entry_id, entry_hash)) in entries.iter().enumerate() {
        let entry = sightings::by_id(connection, feed, entry_id)?;
        if entry.is_some_and(|entry| entry.entry_hash == *entry_hash) {
            known.insert(place);
        }
    }
    Ok(known)
}

/// The article that a normal form means to a person: the one announced under it, else the
/// first whose page was found there.
pub(super) fn article_of(
    connection: &Connection,
    canonical: &CanonicalUrl,
) -> rusqlite::Result<Option<ArticleId>> {
    connection
        .prepare_cached(
            "SELECT article_id FROM alias WHERE key = ?1 AND form = ?2
             ORDER BY reason = 'announced' DESC, added_at, article_id LIMIT 1",
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
) -> Result<Sighting, Fault> {
    let publication = Publication::of_feed(announcement, at);
    let published_at = publication.as_ref().map(|published| published.at);
    let text = feed_text(announcement);
    let skipped = announcement.skipped.as_ref();
    let error_kind = skipped.map(|failure| failure.kind.name());
    connection
        .prepare_cached(
            "INSERT INTO article (id, feed_id, url, host, title, authors, language, summary,
               published, published_at, published_from, first_seen_at, sort_at, word_count, page_state,
               error_kind, error)
             VALUES (:id, :feed, :url, :host, :title, :authors, :language, :summary,
               :published, :published_at, :published_from, :at, :sort_at, :word_count, :page_state,
               :error_kind, :error)",
        )?
        .execute(named_params! {
            ":id": article.0,
            ":feed": feed.0,
            ":url": announcement.url,
            ":host": announcement.url.as_deref().and_then(host_of),
            ":title": decide::said(announcement.title.as_ref()),
            ":authors": json::write(&announcement.authors),
            ":language": decide::said(reading.language.as_ref()),
            ":summary": decide::said(announcement.summary.as_ref()),
            ":published": publication.as_ref().map(|published| &published.text),
            ":published_at": published_at.map(ms),
            ":published_from": publication.as_ref().map(|published| &published.from),
            ":at": ms(at),
            ":sort_at": ms(decide::sort_at(published_at, at)),
            ":word_count": decide::word_count(text),
            ":page_state": PageState::Skipped.name(),
            ":error_kind": error_kind,
            ":error": skipped.map(|failure| &failure.detail),
        })?;
    write_feed_text(connection, article, announcement)?;
    if let (Some(canonical), Some(url)) = (&announcement.canonical, &announcement.url) {
        let reason = AliasReason::Announced.name();
        insert_alias(connection, article, canonical, url, reason, at)?;
    }
    let sighting = sightings::insert(connection, feed, article, announcement, at)?;
    count_article(connection, feed)?;
    state::add(connection, "articles", 1)?;
    state::add_page(connection, PageState::Skipped.name(), error_kind, 1)?;
    state::changed(connection, article)?;
    Ok(sighting)
}

/// What the feed says of the article: its content, else its summary.
fn feed_text(announcement: &Announcement) -> &str {
    let content = announcement.content_text.as_deref();
    content
        .filter(|text| !text.trim().is_empty())
        .or(announcement.summary.as_deref())
        .unwrap_or_default()
}

/// The feed's word as the body. Where it is plain text, the other renderings are made from
/// it when they are read: most pages are scraped before that.
fn write_feed_text(
    connection: &Connection,
    article: ArticleId,
    announcement: &Announcement,
) -> Result<(), Fault> {
    let text = feed_text(announcement);
    let rendering = announcement.content_html.as_ref().map(|html| Rendering {
        markdown: decide::plain_as_markdown(text),
        html: html.clone(),
        ..Rendering::default()
    });
    write_body(connection, article, text, rendering)
}

/// Replaces the body of an article; without a rendering, it is plain text.
pub(super) fn write_body(
    connection: &Connection,
    article: ArticleId,
    text: &str,
    rendering: Option<Rendering>,
) -> Result<(), Fault> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO article_text (article_id, text) VALUES (?1, ?2)")?
        .execute((article.0, text))?;
    let Some(rendering) = rendering else {
        connection
            .prepare_cached("DELETE FROM article_rendering WHERE article_id = ?1")?
            .execute([article.0])?;
        return Ok(());
    };
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

/// Makes the entry's page due, unless it is known what became of it. An article that was
/// skipped is wanted as soon as one of its feeds is to be scraped.
fn want_page(
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
    let n_wanted = connection
        .prepare_cached("UPDATE article SET page_state = ?2 WHERE id = ?1 AND page_state = ?3")?
        .execute((
            article.0,
            PageState::Pending.name(),
            PageState::Skipped.name(),
        ))?;
    if n_wanted == 0 {
        return Ok(false);
    }
    state::add_page(connection, PageState::Skipped.name(), None, -1)?;
    state::add_page(connection, PageState::Pending.name(), None, 1)?;
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

/// The feed's own word changed: an article that has no other follows it.
pub(super) fn follow_feed(
    connection: &Connection,
    article: ArticleId,
    announcement: &Announcement,
) -> Result<(), Fault> {
    connection
        .prepare_cached("UPDATE article SET summary = ?2 WHERE id = ?1")?
        .execute((article.0, decide::said(announcement.summary.as_ref())))?;
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
            ":title": decide::said(announcement.title.as_ref()),
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
            ":title": decide::said(announcement.title.as_ref()),
            ":summary": decide::said(announcement.summary.as_ref()),
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

//! Feeds: subscribing, synchronising with lists, pausing, retiring, reading.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::super::FeedName;
use super::super::json;
use super::super::record::{
    Feed, FeedState, NewFeed, Paused, Poll, SourceList, Subscribed, SyncReport,
};
use super::fault::Fault;
use super::queue::Touched;
use super::{StoreError, count, int, ms, time};
use crate::feed_list::ListedFeed;
use crate::model::{ErrorKind, Failure, FeedId, FeedUrl, HostKey};

/// Makes the feeds of all files be what the lists say.
pub(super) fn sync_lists(
    connection: &Connection,
    lists: &[SourceList],
    now: Timestamp,
) -> Result<SyncReport, Fault> {
    let mut report = SyncReport::default();
    let mut touched = Touched::default();
    let mut named = HashMap::new();
    for (file, listed) in merged(lists) {
        let wish = Wish::new(&listed, Some(file));
        let feed = match known(connection, &listed.url, &listed.given)? {
            None => {
                report.added += 1;
                insert(connection, &wish, &listed.given, now, &mut touched)?
            }
            Some(known) => {
                respell(connection, &known, &listed)?;
                if known.is_retired {
                    report.revived += 1;
                    update(connection, known.id, &wish)?;
                    revive(connection, known.id, now, &mut touched)?;
                } else if known.wish == wish {
                    report.kept += 1;
                } else {
                    report.changed += 1;
                    update(connection, known.id, &wish)?;
                }
                known.id
            }
        };
        named.insert(feed, ());
    }
    for feed in polled_by_files(connection)? {
        if !named.contains_key(&feed) {
            report.retired += 1;
            retire_feed(connection, feed, now, &mut touched)?;
        }
    }
    touched.write(connection)?;
    Ok(report)
}

/// Each URL once, owned by the first file that names it, with the tags of all.
fn merged(lists: &[SourceList]) -> Vec<(&str, ListedFeed)> {
    let mut merged: Vec<(&str, ListedFeed)> = Vec::new();
    let mut places = HashMap::new();
    for list in lists {
        for listed in &list.feeds {
            match places.get(&listed.url) {
                None => {
                    places.insert(&listed.url, merged.len());
                    merged.push((&list.file, listed.clone()));
                }
                Some(&place) => {
                    let (_, first): &mut (&str, ListedFeed) = &mut merged[place];
                    for tag in &listed.tags {
                        if !first.tags.contains(tag) {
                            first.tags.push(tag.clone());
                        }
                    }
                }
            }
        }
    }
    merged
}

pub(super) fn subscribe(
    connection: &Connection,
    feed: &NewFeed,
    now: Timestamp,
) -> Result<Subscribed, Fault> {
    let mut touched = Touched::default();
    let wish = Wish::new(&feed.listed, feed.file.as_deref());
    let subscribed = match known(connection, &feed.listed.url, &feed.listed.given)? {
        None => {
            let feed = insert(connection, &wish, &feed.listed.given, now, &mut touched)?;
            Subscribed::New(feed)
        }
        Some(known) if known.is_retired => {
            respell(connection, &known, &feed.listed)?;
            update(connection, known.id, &wish)?;
            revive(connection, known.id, now, &mut touched)?;
            Subscribed::Revived(known.id)
        }
        Some(known) => Subscribed::Known(known.id),
    };
    touched.write(connection)?;
    Ok(subscribed)
}

pub(super) fn retire(connection: &Connection, feed: FeedId, now: Timestamp) -> Result<(), Fault> {
    let mut touched = Touched::default();
    retire_feed(connection, feed, now, &mut touched)?;
    touched.write(connection)?;
    Ok(())
}

pub(super) fn set_paused(
    connection: &Connection,
    feed: FeedId,
    paused: Paused,
    now: Timestamp,
) -> Result<(), Fault> {
    let mut touched = Touched::default();
    match paused {
        Paused::Yes => {
            let sql = "UPDATE feed SET paused_at = coalesce(paused_at, ?2) WHERE id = ?1";
            change_one(connection, sql, feed, ms(now))?;
            set_due(connection, feed, None, &mut touched)?;
        }
        Paused::No => {
            let sql = "UPDATE feed SET paused_at = NULL WHERE id = ?1 AND ?2 > 0";
            change_one(connection, sql, feed, 1)?;
            set_due(connection, feed, Some(now), &mut touched)?;
        }
    }
    touched.write(connection)?;
    Ok(())
}

pub(super) fn make_due(connection: &Connection, feed: FeedId, now: Timestamp) -> Result<(), Fault> {
    let mut touched = Touched::default();
    set_due(connection, feed, Some(now), &mut touched)?;
    touched.write(connection)?;
    Ok(())
}

fn retire_feed(
    connection: &Connection,
    feed: FeedId,
    now: Timestamp,
    touched: &mut Touched,
) -> Result<(), Fault> {
    let sql = "UPDATE feed SET retired_at = coalesce(retired_at, ?2) WHERE id = ?1";
    change_one(connection, sql, feed, ms(now))?;
    set_due(connection, feed, None, touched)
}

fn revive(
    connection: &Connection,
    feed: FeedId,
    now: Timestamp,
    touched: &mut Touched,
) -> Result<(), Fault> {
    let sql = "UPDATE feed SET retired_at = NULL, paused_at = NULL WHERE id = ?1 AND ?2 > 0";
    change_one(connection, sql, feed, 1)?;
    set_due(connection, feed, Some(now), touched)
}

fn change_one(connection: &Connection, sql: &str, feed: FeedId, value: i64) -> Result<(), Fault> {
    match connection.prepare_cached(sql)?.execute((feed.0, value))? {
        0 => Err(no_feed(feed)),
        _ => Ok(()),
    }
}

pub(super) fn no_feed(feed: FeedId) -> Fault {
    Fault::Store(StoreError::Database(format!("there is no feed {feed}")))
}

/// When a feed is due; never while it is paused or retired.
fn set_due(
    connection: &Connection,
    feed: FeedId,
    due: Option<Timestamp>,
    touched: &mut Touched,
) -> Result<(), Fault> {
    let sql = "UPDATE feed_state SET due_at = CASE
                 WHEN EXISTS (SELECT 1 FROM feed f WHERE f.id = feed_id
                              AND f.paused_at IS NULL AND f.retired_at IS NULL)
                 THEN ?2 END
               WHERE feed_id = ?1 RETURNING host";
    let host: Option<String> = connection
        .prepare_cached(sql)?
        .query_row((feed.0, due.map(ms)), |row| row.get(0))
        .optional()?;
    touched.feeds_of(&HostKey::stored(host.ok_or_else(|| no_feed(feed))?));
    Ok(())
}

/// What a list or command wishes, as the columns hold it.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    url: String,
    title: Option<String>,
    site: Option<String>,
    tags: String,
    settings: String,
    file: Option<String>,
}

impl Wish {
    fn new(listed: &ListedFeed, file: Option<&str>) -> Self {
        Self {
            url: listed.url.as_str().to_owned(),
            title: listed.title.clone(),
            site: listed.site.clone(),
            tags: json::write(&listed.tags),
            settings: json::write_settings(&listed.settings),
            file: file.map(str::to_owned),
        }
    }
}

struct Known {
    id: FeedId,
    is_retired: bool,
    /// The subscribed URL as it was given.
    given: String,
    wish: Wish,
}

/// The feed that was subscribed at `url`, in that form or as `given`, or is polled there now.
fn known(connection: &Connection, url: &FeedUrl, given: &str) -> rusqlite::Result<Option<Known>> {
    let sql = "SELECT id, retired_at IS NOT NULL, list_title, list_site, tags, settings, file,
                 subscribed_url
               FROM feed WHERE subscribed_url = ?2 OR subscribed_url = ?1 OR url = ?1
               ORDER BY subscribed_url = ?2 DESC, subscribed_url = ?1 DESC LIMIT 1";
    connection
        .prepare_cached(sql)?
        .query_row([url.as_str(), given], |row| {
            Ok(Known {
                id: FeedId(row.get(0)?),
                is_retired: row.get(1)?,
                given: row.get(7)?,
                wish: Wish {
                    url: url.as_str().to_owned(),
                    title: row.get(2)?,
                    site: row.get(3)?,
                    tags: row.get(4)?,
                    settings: row.get(5)?,
                    file: row.get(6)?,
                },
            })
        })
        .optional()
}

fn insert(
    connection: &Connection,
    wish: &Wish,
    given: &str,
    now: Timestamp,
    touched: &mut Touched,
) -> Result<FeedId, Fault> {
    let host = FeedUrl::parse(&wish.url)
        .map(|url| HostKey::of(url.url()))
        .map_err(|error| StoreError::Database(error.to_string()))?;
    connection
        .prepare_cached(
            "INSERT INTO feed (url, subscribed_url, list_title, list_site, tags, settings, file, added_at)
             VALUES (:url, :given, :title, :site, :tags, :settings, :file, :now)",
        )?
        .execute(named_params! {
            ":url": wish.url,
            ":given": given,
            ":title": wish.title,
            ":site": wish.site,
            ":tags": wish.tags,
            ":settings": wish.settings,
            ":file": wish.file,
            ":now": ms(now),
        })?;
    let feed = FeedId(connection.last_insert_rowid());
    connection
        .prepare_cached(
            "INSERT INTO feed_state (feed_id, shard, host, due_at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((feed.0, host.shard().0, host.as_str(), ms(now)))?;
    touched.feeds_of(&host);
    Ok(feed)
}

/// Takes over a new spelling of the URL at which a feed is subscribed.
fn respell(connection: &Connection, known: &Known, listed: &ListedFeed) -> rusqlite::Result<()> {
    let is_respelt = known.given != listed.given
        && FeedUrl::parse(&known.given).is_ok_and(|url| url == listed.url);
    if is_respelt {
        connection
            .prepare_cached("UPDATE feed SET subscribed_url = ?2 WHERE id = ?1")?
            .execute((known.id.0, &listed.given))?;
    }
    Ok(())
}

fn update(connection: &Connection, feed: FeedId, wish: &Wish) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE feed SET list_title = :title, list_site = :site, tags = :tags,
               settings = :settings, file = :file
             WHERE id = :feed",
        )?
        .execute(named_params! {
            ":feed": feed.0,
            ":title": wish.title,
            ":site": wish.site,
            ":tags": wish.tags,
            ":settings": wish.settings,
            ":file": wish.file,
        })?;
    Ok(())
}

fn polled_by_files(connection: &Connection) -> rusqlite::Result<Vec<FeedId>> {
    connection
        .prepare_cached("SELECT id FROM feed WHERE file IS NOT NULL AND retired_at IS NULL")?
        .query_map([], |row| row.get(0).map(FeedId))?
        .collect()
}

const SELECT_FEED: &str = "
    SELECT f.id, f.url, f.subscribed_url, coalesce(f.list_title, s.title),
      coalesce(s.site_url, f.list_site), s.language, f.tags, f.file, f.settings,
      f.retired_at IS NOT NULL, f.paused_at IS NOT NULL,
      s.error_kind, s.error, s.error_status, s.failures, s.article_count, f.added_at,
      s.last_poll_at, s.last_success_at, s.last_new_at, s.due_at, s.warnings
    FROM feed f JOIN feed_state s ON s.feed_id = f.id";

pub(super) fn feeds(connection: &Connection) -> Result<Vec<Feed>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{SELECT_FEED} ORDER BY f.id"))?;
    let feeds: Vec<Option<Feed>> = statement
        .query_map([], read_feed)?
        .collect::<Result<_, _>>()?;
    Ok(feeds.into_iter().flatten().collect())
}

pub(super) fn feed(connection: &Connection, name: &FeedName) -> Result<Option<Feed>, Fault> {
    let id = match name {
        FeedName::Id(id) => Some(*id),
        FeedName::Url(url) => known(connection, url, url.as_str())?.map(|known| known.id),
    };
    let Some(id) = id else { return Ok(None) };
    let feed = connection
        .prepare_cached(&format!("{SELECT_FEED} WHERE f.id = ?1"))?
        .query_row([id.0], read_feed)
        .optional()?;
    Ok(feed.flatten())
}

/// The feeds that fail, most failures in a row first.
pub(super) fn failing(connection: &Connection, limit: usize) -> Result<Vec<Feed>, Fault> {
    let sql = format!(
        "{SELECT_FEED} WHERE s.error_kind IS NOT NULL AND f.retired_at IS NULL AND f.paused_at IS NULL
         ORDER BY s.failures DESC, f.id LIMIT ?1"
    );
    let feeds: Vec<Option<Feed>> = connection
        .prepare_cached(&sql)?
        .query_map([int(limit)], read_feed)?
        .collect::<Result<_, _>>()?;
    Ok(feeds.into_iter().flatten().collect())
}

fn read_feed(row: &Row<'_>) -> rusqlite::Result<Option<Feed>> {
    let Ok(url) = FeedUrl::parse(&row.get::<_, String>(1)?) else {
        return Ok(None);
    };
    let failure = failure(row.get(11)?, row.get(12)?, row.get(13)?);
    let last_success: Option<i64> = row.get(18)?;
    let is_retired: bool = row.get(9)?;
    let is_paused: bool = row.get(10)?;
    let state = match &failure {
        _ if is_retired => FeedState::Retired,
        _ if is_paused => FeedState::Paused,
        Some(failure) if failure.kind == ErrorKind::Gone => FeedState::Gone,
        Some(_) => FeedState::Error,
        None if last_success.is_some() => FeedState::Ok,
        None => FeedState::Pending,
    };
    Ok(Some(Feed {
        id: FeedId(row.get(0)?),
        url,
        subscribed_url: row.get(2)?,
        title: row.get(3)?,
        site_url: row.get(4)?,
        language: row.get(5)?,
        tags: json::read(&row.get::<_, String>(6)?),
        file: row.get(7)?,
        settings: json::read_settings(&row.get::<_, String>(8)?),
        state,
        failure,
        failures: row.get(14)?,
        article_count: count(row, 15)?,
        added_at: time(row.get(16)?),
        last_poll: row.get::<_, Option<i64>>(17)?.map(time),
        last_success: last_success.map(time),
        last_new: row.get::<_, Option<i64>>(19)?.map(time),
        next_poll: row.get::<_, Option<i64>>(20)?.map(time),
        warnings: json::read(&row.get::<_, String>(21)?),
    }))
}

/// A failure from its columns; a kind of a later version counts as ours.
pub(super) fn failure(
    kind: Option<String>,
    detail: Option<String>,
    status: Option<u16>,
) -> Option<Failure> {
    let kind = kind?.parse().unwrap_or(ErrorKind::Internal);
    Some(Failure {
        status,
        ..Failure::new(kind, detail.unwrap_or_default())
    })
}

pub(super) fn polls(
    connection: &Connection,
    feed: FeedId,
    limit: usize,
) -> Result<Vec<Poll>, Fault> {
    let sql =
        "SELECT at, outcome, status, n_new, n_entries, n_bytes, duration_ms, error_kind, error
               FROM poll_log WHERE feed_id = ?1 ORDER BY at DESC, id DESC LIMIT ?2";
    let polls = connection
        .prepare_cached(sql)?
        .query_map((feed.0, int(limit)), |row| {
            let status = row.get(2)?;
            Ok(Poll {
                at: time(row.get(0)?),
                outcome: row.get(1)?,
                status,
                n_new: count(row, 3)?,
                n_entries: count(row, 4)?,
                n_bytes: count(row, 5)?,
                duration: std::time::Duration::from_millis(count(row, 6)?),
                failure: failure(row.get(7)?, row.get(8)?, status),
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(polls)
}

//! Feeds: subscribing, synchronising with lists, pausing, retiring, reading.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::super::column::storable;
pub(super) use super::super::lists::failure;
use super::super::lists::{self, Outcome, Subscription, Subscriptions, Turn, Wish};
use super::super::record::{Feed, NewFeed, Paused, Poll, SourceList, Subscribed, SyncReport};
use super::super::{FeedName, json};
use super::fault::Fault;
use super::queue::Touched;
use super::{StoreError, count, int, ms, time};
use crate::model::{FeedId, FeedUrl, HostKey};

/// Makes the feeds of all files be what the lists say.
pub(super) fn sync_lists(
    connection: &Connection,
    lists: &[SourceList],
    now: Timestamp,
) -> Result<SyncReport, Fault> {
    let mut subscriptions = Subscriptions::new(stored(connection)?);
    let report = subscriptions.follow(lists);
    write(connection, &subscriptions, now)?;
    Ok(report)
}

pub(super) fn subscribe(
    connection: &Connection,
    feed: &NewFeed,
    now: Timestamp,
) -> Result<Subscribed, Fault> {
    let (url, given) = (&feed.listed.url, &feed.listed.given);
    let mut subscriptions = Subscriptions::new(candidates(connection, url, given)?);
    let outcome = subscriptions.subscribe(feed);
    write(connection, &subscriptions, now)?;
    let feed = known(connection, url, given)?
        .ok_or_else(|| StoreError::Database(format!("{url} was subscribed and cannot be found")))?;
    Ok(match outcome {
        Outcome::Added => Subscribed::New(feed),
        Outcome::Revived => Subscribed::Revived(feed),
        Outcome::Changed | Outcome::Kept => Subscribed::Known(feed),
    })
}

/// Writes what has become of the feeds.
fn write(
    connection: &Connection,
    subscriptions: &Subscriptions,
    now: Timestamp,
) -> Result<(), Fault> {
    let mut touched = Touched::default();
    for feed in subscriptions.added() {
        insert(connection, feed, now, &mut touched)?;
    }
    for (id, feed) in subscriptions.changed() {
        update(connection, id, feed)?;
    }
    for id in subscriptions.turned(Turn::Revived) {
        revive(connection, id, now, &mut touched)?;
    }
    for id in subscriptions.turned(Turn::Retired) {
        retire_feed(connection, id, now, &mut touched)?;
    }
    touched.write(connection)?;
    Ok(())
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

const SELECT_STORED: &str = "
    SELECT id, url, subscribed_url, retired_at IS NOT NULL, list_title, list_site, tags,
      settings, file
    FROM feed";

/// All feeds, as they are subscribed.
fn stored(connection: &Connection) -> rusqlite::Result<Vec<Subscription>> {
    connection
        .prepare_cached(&format!("{SELECT_STORED} ORDER BY id"))?
        .query_map([], read_stored)?
        .collect()
}

/// The feeds that were subscribed at `url`, in that form or as `given`, or are polled there now.
fn candidates(
    connection: &Connection,
    url: &FeedUrl,
    given: &str,
) -> rusqlite::Result<Vec<Subscription>> {
    let sql = format!(
        "{SELECT_STORED} WHERE subscribed_url = ?2 OR subscribed_url = ?1 OR url = ?1 ORDER BY id"
    );
    connection
        .prepare_cached(&sql)?
        .query_map([url.as_str(), &storable(given)], read_stored)?
        .collect()
}

/// The one of them that counts.
fn known(connection: &Connection, url: &FeedUrl, given: &str) -> rusqlite::Result<Option<FeedId>> {
    let subscriptions = Subscriptions::new(candidates(connection, url, given)?);
    Ok(subscriptions.find(url, given).and_then(|feed| feed.id))
}

fn read_stored(row: &Row<'_>) -> rusqlite::Result<Subscription> {
    let wish = Wish {
        title: row.get(4)?,
        site: row.get(5)?,
        tags: row.get(6)?,
        settings: row.get(7)?,
        file: row.get(8)?,
    };
    let id = FeedId(row.get(0)?);
    Ok(Subscription::stored(
        id,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        wish,
    ))
}

fn insert(
    connection: &Connection,
    feed: &Subscription,
    now: Timestamp,
    touched: &mut Touched,
) -> Result<(), Fault> {
    let host = feed.host();
    connection
        .prepare_cached(
            "INSERT INTO feed (url, subscribed_url, list_title, list_site, tags, settings, file, added_at)
             VALUES (:url, :given, :title, :site, :tags, :settings, :file, :now)",
        )?
        .execute(named_params! {
            ":url": feed.url,
            ":given": feed.given,
            ":title": feed.wish.title,
            ":site": feed.wish.site,
            ":tags": feed.wish.tags,
            ":settings": feed.wish.settings,
            ":file": feed.wish.file,
            ":now": ms(now),
        })?;
    let id = connection.last_insert_rowid();
    connection
        .prepare_cached(
            "INSERT INTO feed_state (feed_id, shard, host, due_at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((id, host.shard().0, host.as_str(), ms(now)))?;
    touched.feeds_of(&host);
    Ok(())
}

fn update(connection: &Connection, id: FeedId, feed: &Subscription) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE feed SET subscribed_url = :given, list_title = :title, list_site = :site,
               tags = :tags, settings = :settings, file = :file
             WHERE id = :feed",
        )?
        .execute(named_params! {
            ":feed": id.0,
            ":given": feed.given,
            ":title": feed.wish.title,
            ":site": feed.wish.site,
            ":tags": feed.wish.tags,
            ":settings": feed.wish.settings,
            ":file": feed.wish.file,
        })?;
    Ok(())
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
        FeedName::Url(url) => known(connection, url, url.as_str())?,
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
    let state = lists::state(
        row.get(9)?,
        row.get(10)?,
        failure.as_ref(),
        last_success.is_some(),
    );
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

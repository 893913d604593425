//! Feeds: subscribing, synchronising with lists, pausing, retiring, reading.
//!
//! Who changes the set of feeds locks one row first, since two processes may take over the
//! same lists at the same moment. Who changes when a feed is due locks its `feed_state`
//! before it looks at anything else of it, and hosts last.

use deadpool_postgres::{Client, GenericClient, Transaction};
use jiff::Timestamp;
use tokio_postgres::Row;

use super::super::column::{int, ms, storable, time};
use super::super::lists::{self, Outcome, Subscription, Subscriptions, Turn, Wish};
use super::super::record::{Feed, NewFeed, Paused, Poll, SourceList, Subscribed, SyncReport};
use super::super::{FeedName, StoreError, decide, json};
use super::convert::{count, shard_column, small_count, status};
use super::fault::Fault;
use super::hosts::{self, Hosts};
use super::statement::{execute, get, maybe_row, row, rows};
use crate::model::{FeedId, FeedUrl};

/// Feeds in one statement: some megabytes of values.
const CHUNK: usize = 5000;

/// Makes the feeds of all files be what the lists say.
pub(super) async fn sync_lists(
    transaction: &Transaction<'_>,
    lists: &[SourceList],
    now: Timestamp,
) -> Result<SyncReport, Fault> {
    lock(transaction).await?;
    let stored = rows(transaction, &format!("{SELECT_STORED} ORDER BY id"), &[]).await?;
    let mut subscriptions = Subscriptions::new(read_all(&stored, read_stored)?);
    let report = subscriptions.follow(lists);
    write(transaction, &subscriptions, now).await?;
    Ok(report)
}

pub(super) async fn subscribe(
    transaction: &Transaction<'_>,
    feed: &NewFeed,
    now: Timestamp,
) -> Result<Subscribed, Fault> {
    lock(transaction).await?;
    let (url, given) = (&feed.listed.url, &feed.listed.given);
    let stored = candidates(transaction, url, given).await?;
    let known = stored.find(url, given).and_then(|feed| feed.id);
    let mut subscriptions = stored;
    let outcome = subscriptions.subscribe(feed);
    let added = write(transaction, &subscriptions, now).await?;
    let feed = added
        .or(known)
        .ok_or_else(|| StoreError::Database(format!("{url} was subscribed and cannot be found")))?;
    Ok(match outcome {
        Outcome::Added => Subscribed::New(feed),
        Outcome::Revived => Subscribed::Revived(feed),
        Outcome::Changed | Outcome::Kept => Subscribed::Known(feed),
    })
}

/// Waits until nobody else changes the set of feeds.
async fn lock(transaction: &Transaction<'_>) -> Result<(), Fault> {
    let sql = "SELECT text FROM note WHERE name = 'store_id' ORDER BY name FOR UPDATE";
    rows(transaction, sql, &[]).await?;
    Ok(())
}

/// Writes what has become of the feeds; the id of the first new one.
async fn write(
    transaction: &Transaction<'_>,
    subscriptions: &Subscriptions,
    now: Timestamp,
) -> Result<Option<FeedId>, Fault> {
    let added: Vec<&Subscription> = subscriptions.added().collect();
    let first = insert(transaction, &added, now).await?;
    let changed: Vec<(FeedId, &Subscription)> = subscriptions.changed().collect();
    for changed in changed.chunks(CHUNK) {
        update(transaction, changed).await?;
    }
    for revived in subscriptions.turned(Turn::Revived).chunks(CHUNK) {
        lock_states(transaction, revived).await?;
        let sql = "UPDATE feed SET retired_at = NULL, paused_at = NULL WHERE id = ANY($1)";
        execute(transaction, sql, &[&ids(revived)]).await?;
        set_due(transaction, revived, Some(now)).await?;
    }
    for retired in subscriptions.turned(Turn::Retired).chunks(CHUNK) {
        retire(transaction, retired, now).await?;
    }
    Ok(first)
}

/// Stops polling feeds for good.
pub(super) async fn retire(
    transaction: &Transaction<'_>,
    feeds: &[FeedId],
    now: Timestamp,
) -> Result<(), Fault> {
    lock_states(transaction, feeds).await?;
    let sql = "UPDATE feed SET retired_at = coalesce(retired_at, $2) WHERE id = ANY($1)";
    execute(transaction, sql, &[&ids(feeds), &ms(now)]).await?;
    set_due(transaction, feeds, None).await
}

pub(super) async fn set_paused(
    transaction: &Transaction<'_>,
    feed: FeedId,
    paused: Paused,
    now: Timestamp,
) -> Result<(), Fault> {
    lock_states(transaction, &[feed]).await?;
    match paused {
        Paused::Yes => {
            let sql = "UPDATE feed SET paused_at = coalesce(paused_at, $2) WHERE id = $1";
            execute(transaction, sql, &[&feed.0, &ms(now)]).await?;
            set_due(transaction, &[feed], None).await
        }
        Paused::No => {
            let sql = "UPDATE feed SET paused_at = NULL WHERE id = $1";
            execute(transaction, sql, &[&feed.0]).await?;
            set_due(transaction, &[feed], Some(now)).await
        }
    }
}

pub(super) async fn make_due(
    transaction: &Transaction<'_>,
    feed: FeedId,
    now: Timestamp,
) -> Result<(), Fault> {
    lock_states(transaction, &[feed]).await?;
    set_due(transaction, &[feed], Some(now)).await
}

/// Locks the states of feeds: who records a poll of one of them at this moment is waited
/// for, and reads what we write here.
async fn lock_states(transaction: &Transaction<'_>, feeds: &[FeedId]) -> Result<(), Fault> {
    let sql = "SELECT feed_id FROM feed_state WHERE feed_id = ANY($1)
               ORDER BY shard, feed_id FOR UPDATE";
    let n_locked = execute(transaction, sql, &[&ids(feeds)]).await?;
    match feeds {
        // Only a feed that a person names can be missing.
        [feed] if n_locked == 0 => Err(Fault::Store(StoreError::Database(format!(
            "there is no feed {feed}"
        )))),
        _ => Ok(()),
    }
}

/// When feeds are due; never while they are paused or retired. Their states are locked.
async fn set_due(
    transaction: &Transaction<'_>,
    feeds: &[FeedId],
    due: Option<Timestamp>,
) -> Result<(), Fault> {
    let sql = "UPDATE feed_state s SET due_at =
                 CASE WHEN f.paused_at IS NULL AND f.retired_at IS NULL THEN $2::bigint END
               FROM feed f WHERE f.id = s.feed_id AND s.feed_id = ANY($1)
               RETURNING s.shard, s.host";
    let mut hosts = Hosts::default();
    for row in rows(transaction, sql, &[&ids(feeds), &due.map(ms)]).await? {
        hosts.insert(get(&row, 0)?, get(&row, 1)?);
    }
    hosts::settle_feeds(transaction, &hosts).await
}

fn ids(feeds: &[FeedId]) -> Vec<i64> {
    feeds.iter().map(|feed| feed.0).collect()
}

const SELECT_STORED: &str = "
    SELECT id, url, subscribed_url, retired_at IS NOT NULL, list_title, list_site, tags,
      settings, file
    FROM feed";

/// The feeds that were subscribed at `url`, in that form or as `given`, or are polled there now.
async fn candidates(
    client: &impl GenericClient,
    url: &FeedUrl,
    given: &str,
) -> Result<Subscriptions, Fault> {
    let sql = format!(
        "{SELECT_STORED}
         WHERE (subscribed_key IN ($1, $2) AND subscribed_url IN ($3, $4))
            OR (url_key = $1 AND url = $3)
         ORDER BY id"
    );
    let (url, given) = (url.as_str(), storable(given));
    let keys = (decide::key(url), decide::key(&given));
    let found = rows(client, &sql, &[&keys.0, &keys.1, &url, &given]).await?;
    Ok(Subscriptions::new(read_all(&found, read_stored)?))
}

fn read_all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    rows.iter().map(read).collect()
}

fn read_stored(row: &Row) -> Result<Subscription, Fault> {
    let wish = Wish {
        title: get(row, 4)?,
        site: get(row, 5)?,
        tags: get(row, 6)?,
        settings: get(row, 7)?,
        file: get(row, 8)?,
    };
    let id = FeedId(get(row, 0)?);
    let is_retired = get(row, 3)?;
    Ok(Subscription::stored(
        id,
        get(row, 1)?,
        get(row, 2)?,
        is_retired,
        wish,
    ))
}

/// Writes new feeds, due at once; the id of the first. Feeds are never deleted, so the
/// largest id was given to the newest, and the set of feeds is locked.
async fn insert(
    transaction: &Transaction<'_>,
    added: &[&Subscription],
    now: Timestamp,
) -> Result<Option<FeedId>, Fault> {
    if added.is_empty() {
        return Ok(None);
    }
    let sql = "SELECT coalesce(max(id), 0)::bigint + 1 FROM feed";
    let first: i64 = get(&row(transaction, sql, &[]).await?, 0)?;
    let mut next = first;
    for added in added.chunks(CHUNK) {
        let new: Vec<i64> = (next..).take(added.len()).collect();
        insert_feeds(transaction, &new, added, now).await?;
        insert_states(transaction, &new, added, now).await?;
        next += int(added.len());
    }
    Ok(Some(FeedId(first)))
}

async fn insert_feeds(
    transaction: &Transaction<'_>,
    new: &[i64],
    added: &[&Subscription],
    now: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO feed (id, url, url_key, subscribed_url, subscribed_key, list_title,
                 list_site, tags, settings, file, added_at)
               SELECT id, url, url_key, given, given_key, title, site, tags, settings, file, $11
               FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[],
                 $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
                 AS n(id, url, url_key, given, given_key, title, site, tags, settings, file)";
    let urls: Vec<&str> = added.iter().map(|feed| feed.url.as_str()).collect();
    let url_keys: Vec<i64> = urls.iter().map(|url| decide::key(url)).collect();
    let wishes = Wishes::of(added.iter().copied());
    execute(
        transaction,
        sql,
        &[
            &new,
            &urls,
            &url_keys,
            &wishes.given,
            &wishes.given_keys,
            &wishes.titles,
            &wishes.sites,
            &wishes.tags,
            &wishes.settings,
            &wishes.files,
            &ms(now),
        ],
    )
    .await?;
    Ok(())
}

async fn insert_states(
    transaction: &Transaction<'_>,
    new: &[i64],
    added: &[&Subscription],
    now: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO feed_state (shard, feed_id, host, due_at)
               SELECT shard, id, host, $4
               FROM unnest($1::smallint[], $2::bigint[], $3::text[]) AS n(shard, id, host)";
    let mut due = Hosts::default();
    let (mut shards, mut names) = (Vec::new(), Vec::new());
    for feed in added {
        let host = feed.host();
        let shard = shard_column(host.shard());
        due.insert(shard, host.as_str().to_owned());
        shards.push(shard);
        names.push(host.as_str().to_owned());
    }
    execute(transaction, sql, &[&shards, &new, &names, &ms(now)]).await?;
    hosts::feeds_due(transaction, &due, ms(now)).await
}

async fn update(
    transaction: &Transaction<'_>,
    changed: &[(FeedId, &Subscription)],
) -> Result<(), Fault> {
    let sql = "UPDATE feed f SET subscribed_url = n.given, subscribed_key = n.given_key,
                 list_title = n.title, list_site = n.site, tags = n.tags,
                 settings = n.settings, file = n.file
               FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[],
                 $6::text[], $7::text[], $8::text[])
                 AS n(id, given, given_key, title, site, tags, settings, file)
               WHERE f.id = n.id";
    let feeds: Vec<i64> = changed.iter().map(|(id, _)| id.0).collect();
    let wishes = Wishes::of(changed.iter().map(|(_, feed)| *feed));
    execute(
        transaction,
        sql,
        &[
            &feeds,
            &wishes.given,
            &wishes.given_keys,
            &wishes.titles,
            &wishes.sites,
            &wishes.tags,
            &wishes.settings,
            &wishes.files,
        ],
    )
    .await?;
    Ok(())
}

/// Wishes by column.
#[derive(Debug, Default)]
struct Wishes<'a> {
    given: Vec<&'a str>,
    given_keys: Vec<i64>,
    titles: Vec<Option<&'a str>>,
    sites: Vec<Option<&'a str>>,
    tags: Vec<&'a str>,
    settings: Vec<&'a str>,
    files: Vec<Option<&'a str>>,
}

impl<'a> Wishes<'a> {
    fn of(feeds: impl Iterator<Item = &'a Subscription>) -> Self {
        let mut wishes = Self::default();
        for feed in feeds {
            wishes.given.push(&feed.given);
            wishes.given_keys.push(decide::key(&feed.given));
            wishes.titles.push(feed.wish.title.as_deref());
            wishes.sites.push(feed.wish.site.as_deref());
            wishes.tags.push(&feed.wish.tags);
            wishes.settings.push(&feed.wish.settings);
            wishes.files.push(feed.wish.file.as_deref());
        }
        wishes
    }
}

const SELECT_FEED: &str = "
    SELECT f.id, f.url, f.subscribed_url, coalesce(f.list_title, s.title),
      coalesce(s.site_url, f.list_site), s.language, f.tags, f.file, f.settings,
      f.retired_at IS NOT NULL, f.paused_at IS NOT NULL,
      s.error_kind, s.error, s.error_status, s.failures, s.article_count, f.added_at,
      s.last_poll_at, s.last_success_at, s.last_new_at, s.due_at, s.warnings
    FROM feed f JOIN feed_state s ON s.feed_id = f.id";

pub(super) async fn feeds(client: &impl GenericClient) -> Result<Vec<Feed>, Fault> {
    let found = rows(client, &format!("{SELECT_FEED} ORDER BY f.id"), &[]).await?;
    Ok(read_all(&found, read_feed)?.into_iter().flatten().collect())
}

pub(super) async fn feed(client: &Client, name: &FeedName) -> Result<Option<Feed>, Fault> {
    let id = match name {
        FeedName::Id(id) => Some(*id),
        FeedName::Url(url) => {
            let found = candidates(client, url, url.as_str()).await?;
            found.find(url, url.as_str()).and_then(|feed| feed.id)
        }
    };
    let Some(id) = id else { return Ok(None) };
    match maybe_row(client, &format!("{SELECT_FEED} WHERE f.id = $1"), &[&id.0]).await? {
        Some(row) => read_feed(&row),
        None => Ok(None),
    }
}

/// The feeds that fail, most failures in a row first.
pub(super) async fn failing(client: &impl GenericClient, limit: usize) -> Result<Vec<Feed>, Fault> {
    let sql = format!(
        "{SELECT_FEED} WHERE s.error_kind IS NOT NULL AND f.retired_at IS NULL AND f.paused_at IS NULL
         ORDER BY s.failures DESC, f.id LIMIT $1"
    );
    let found = rows(client, &sql, &[&int(limit)]).await?;
    Ok(read_all(&found, read_feed)?.into_iter().flatten().collect())
}

/// `None` for a URL that an older version accepted and this one does not.
fn read_feed(row: &Row) -> Result<Option<Feed>, Fault> {
    let Ok(url) = FeedUrl::parse(get(row, 1)?) else {
        return Ok(None);
    };
    let failure = lists::failure(get(row, 11)?, get(row, 12)?, status(row, 13)?);
    let last_success: Option<i64> = get(row, 18)?;
    let is_retired = get(row, 9)?;
    let is_paused = get(row, 10)?;
    let state = lists::state(
        is_retired,
        is_paused,
        failure.as_ref(),
        last_success.is_some(),
    );
    let at = |column| Ok::<_, Fault>(get::<Option<i64>>(row, column)?.map(time));
    Ok(Some(Feed {
        id: FeedId(get(row, 0)?),
        url,
        subscribed_url: get(row, 2)?,
        title: get(row, 3)?,
        site_url: get(row, 4)?,
        language: get(row, 5)?,
        tags: json::read(get(row, 6)?),
        file: get(row, 7)?,
        settings: json::read_settings(get(row, 8)?),
        state,
        failure,
        failures: small_count(row, 14)?,
        article_count: count(row, 15)?,
        added_at: time(get(row, 16)?),
        last_poll: at(17)?,
        last_success: last_success.map(time),
        last_new: at(19)?,
        next_poll: at(20)?,
        warnings: json::read(get(row, 21)?),
    }))
}

/// The newest polls of a feed, newest first.
pub(super) async fn polls(
    client: &impl GenericClient,
    feed: FeedId,
    limit: usize,
) -> Result<Vec<Poll>, Fault> {
    let sql =
        "SELECT at, outcome, status, n_new, n_entries, n_bytes, duration_ms, error_kind, error
         FROM poll_log WHERE feed_id = $1 ORDER BY at DESC, id DESC LIMIT $2";
    let found = rows(client, sql, &[&feed.0, &int(limit)]).await?;
    read_all(&found, |row| {
        let status = status(row, 2)?;
        Ok(Poll {
            at: time(get(row, 0)?),
            outcome: get(row, 1)?,
            status,
            n_new: count(row, 3)?,
            n_entries: count(row, 4)?,
            n_bytes: count(row, 5)?,
            duration: std::time::Duration::from_millis(count(row, 6)?),
            failure: lists::failure(get(row, 7)?, get(row, 8)?, status),
        })
    })
}

//! What every poll writes: the feed's state, its next due time, a line of the log.

use rusqlite::{Connection, named_params};

use super::super::recording::{Answer, PollRow, ReadingRow};
use super::fault::Fault;
use super::feeds;
use super::writer::WriterState;
use crate::model::{Failure, Validators};

/// How long polls stay in the log.
const LOG_DAYS: i64 = 30;

/// Polls between two prunings of the log, and rows that one pruning takes at most.
const PRUNE_EVERY: u32 = 500;
const PRUNE_ROWS: u32 = 2000;

pub(super) fn write(connection: &Connection, poll: &PollRow) -> Result<(), Fault> {
    let n_rows = match &poll.answer {
        Answer::Good(validators, reading) => {
            if let Some(reading) = reading {
                write_reading(connection, poll, reading)?;
            }
            write_success(connection, poll, validators)?
        }
        Answer::Failed(failure) => write_failure(connection, poll, failure)?,
        Answer::Moved => set_due(connection, poll)?,
    };
    if n_rows == 0 {
        return Err(feeds::no_feed(poll.feed));
    }
    write_place(connection, poll)?;
    write_log(connection, poll)?;
    Ok(())
}

fn write_success(
    connection: &Connection,
    poll: &PollRow,
    validators: &Validators,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE feed_state SET
               etag = :etag, last_modified = :last_modified, validator_url = :validator_url,
               failures = :failures, gone = :gone, hinted_interval_ms = :hinted,
               last_poll_at = :at, last_success_at = :at,
               error_kind = NULL, error = NULL, error_status = NULL,
               due_at = CASE
                 WHEN EXISTS (SELECT 1 FROM feed f WHERE f.id = feed_id
                              AND f.paused_at IS NULL AND f.retired_at IS NULL)
                 THEN :due_at END
             WHERE feed_id = :feed",
        )?
        .execute(named_params! {
            ":feed": poll.feed.0,
            ":etag": validators.etag,
            ":last_modified": validators.last_modified,
            ":validator_url": validators.url,
            ":failures": poll.failures,
            ":gone": poll.gone,
            ":hinted": poll.hinted_interval_ms,
            ":at": poll.at,
            ":due_at": poll.due_at,
        })
}

fn write_reading(
    connection: &Connection,
    poll: &PollRow,
    reading: &ReadingRow,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE feed_state SET
               body_hash = :body_hash, title = coalesce(:title, title),
               site_url = coalesce(:site_url, site_url), language = coalesce(:language, language),
               warnings = :warnings, article_count = article_count + :n_articles,
               last_new_at = coalesce(:last_new_at, last_new_at)
             WHERE feed_id = :feed",
        )?
        .execute(named_params! {
            ":feed": poll.feed.0,
            ":body_hash": reading.body_hash,
            ":title": reading.title,
            ":site_url": reading.site_url,
            ":language": reading.language,
            ":warnings": reading.warnings,
            ":n_articles": poll.n_articles,
            ":last_new_at": reading.has_new.then_some(poll.at),
        })?;
    Ok(())
}

fn write_failure(
    connection: &Connection,
    poll: &PollRow,
    failure: &Failure,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE feed_state SET
               failures = :failures, gone = :gone, hinted_interval_ms = :hinted,
               last_poll_at = :at, error_kind = :kind, error = :error, error_status = :status,
               due_at = CASE
                 WHEN EXISTS (SELECT 1 FROM feed f WHERE f.id = feed_id
                              AND f.paused_at IS NULL AND f.retired_at IS NULL)
                 THEN :due_at END
             WHERE feed_id = :feed",
        )?
        .execute(named_params! {
            ":feed": poll.feed.0,
            ":failures": poll.failures,
            ":gone": poll.gone,
            ":hinted": poll.hinted_interval_ms,
            ":at": poll.at,
            ":kind": failure.kind.name(),
            ":error": failure.detail,
            ":status": failure.status,
            ":due_at": poll.due_at,
        })
}

/// A poll that goes on somewhere else: it is due, and nothing else is known of it.
fn set_due(connection: &Connection, poll: &PollRow) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE feed_state SET due_at = CASE
               WHEN EXISTS (SELECT 1 FROM feed f WHERE f.id = feed_id
                            AND f.paused_at IS NULL AND f.retired_at IS NULL)
               THEN ?2 END
             WHERE feed_id = ?1",
        )?
        .execute((poll.feed.0, poll.due_at))
}

fn write_place(connection: &Connection, poll: &PollRow) -> rusqlite::Result<()> {
    let Some(place) = &poll.place else {
        return Ok(());
    };
    connection
        .prepare_cached(
            "UPDATE feed_state SET shard = ?2, host = ?3, moved_url = ?4, moves = ?5
             WHERE feed_id = ?1",
        )?
        .execute((
            poll.feed.0,
            place.host.shard().0,
            place.host.as_str(),
            &place.moved_url,
            place.moves,
        ))?;
    Ok(())
}

fn write_log(connection: &Connection, poll: &PollRow) -> rusqlite::Result<()> {
    let log = &poll.log;
    connection
        .prepare_cached(
            "INSERT INTO poll_log (feed_id, at, outcome, status, n_new, n_entries, n_bytes,
               duration_ms, error_kind, error)
             VALUES (:feed, :at, :outcome, :status, :n_new, :n_entries, :n_bytes,
               :duration, :kind, :error)",
        )?
        .execute(named_params! {
            ":feed": poll.feed.0,
            ":at": poll.at,
            ":outcome": log.outcome,
            ":status": log.status,
            ":n_new": log.n_new,
            ":n_entries": log.n_entries,
            ":n_bytes": log.n_bytes,
            ":duration": log.duration_ms,
            ":kind": log.error_kind,
            ":error": log.error,
        })?;
    Ok(())
}

/// Takes old polls out of the log, after every 500th poll, which was at `at`.
pub(super) fn prune_now_and_then(
    connection: &Connection,
    writer: &mut WriterState,
    at: i64,
) -> rusqlite::Result<()> {
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
        .execute((at - LOG_DAYS * 86_400_000, PRUNE_ROWS))?;
    Ok(())
}

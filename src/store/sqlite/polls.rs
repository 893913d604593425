//! Recording a poll: its entries, validators, state and next due time, at once.

use jiff::Timestamp;
use rusqlite::{Connection, named_params};

use super::super::record::{DueFeed, FeedReading, PollRecorded, PollReport, PollResult};
use super::super::{decide, json};
use super::StoreError;
use super::entries::record_entries;
use super::fault::Fault;
use super::queue::Touched;
use super::writer::WriterState;
use super::{due, feeds, int, ms};
use crate::model::{Failure, FeedId, Validators};

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
        PollResult::Moved(_) => "moved",
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
               body_hash = :body_hash, title = coalesce(:title, title),
               site_url = coalesce(:site_url, site_url), language = coalesce(:language, language),
               warnings = :warnings
             WHERE feed_id = :feed",
        )?
        .execute(named_params! {
            ":feed": feed.0,
            ":body_hash": reading.body_hash,
            ":title": decide::said(reading.title.as_ref()),
            ":site_url": decide::said(reading.site_url.as_ref()),
            ":language": decide::said(reading.language.as_ref()),
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

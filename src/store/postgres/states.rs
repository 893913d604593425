//! What every poll writes: the feed's state, its next due time, a line of the log. One
//! statement each for all polls of a unit, however many.

use deadpool_postgres::Transaction;

use super::super::column::time;
use super::super::recording::{Answer, Place, PollRow, ReadingRow};
use super::apply::{all, column, int4};
use super::convert::shard_column;
use super::fault::Fault;
use super::ids::WorkerIds;
use super::statement::execute;
use crate::model::{Failure, Validators};

pub(super) async fn write(
    transaction: &Transaction<'_>,
    polls: &[PollRow],
    ids: &mut WorkerIds,
) -> Result<(), Fault> {
    if polls.is_empty() {
        return Ok(());
    }
    let polls: Vec<&PollRow> = polls.iter().collect();
    write_states(transaction, &polls).await?;
    write_log(transaction, &polls, ids).await?;
    let moved: Vec<(&PollRow, &Place)> = polls
        .iter()
        .filter_map(|poll| Some((*poll, poll.place.as_ref()?)))
        .collect();
    write_places(transaction, moved).await
}

/// The feeds' states, which the batch has locked. A feed that rests is not due.
async fn write_states(transaction: &Transaction<'_>, polls: &[&PollRow]) -> Result<(), Fault> {
    let sql = "UPDATE feed_state s SET
          due_at = CASE WHEN f.paused_at IS NULL AND f.retired_at IS NULL THEN n.due_at END,
          etag = CASE WHEN n.good THEN n.etag ELSE s.etag END,
          last_modified = CASE WHEN n.good THEN n.last_modified ELSE s.last_modified END,
          validator_url = CASE WHEN n.good THEN n.validator_url ELSE s.validator_url END,
          failures = CASE WHEN n.moved THEN s.failures ELSE n.failures END,
          gone = CASE WHEN n.moved THEN s.gone ELSE n.gone END,
          hinted_interval_ms =
            CASE WHEN n.moved THEN s.hinted_interval_ms ELSE n.hinted_interval_ms END,
          last_poll_at = CASE WHEN n.moved THEN s.last_poll_at ELSE n.at END,
          last_success_at = CASE WHEN n.good THEN n.at ELSE s.last_success_at END,
          error_kind = CASE WHEN n.moved THEN s.error_kind ELSE n.error_kind END,
          error = CASE WHEN n.moved THEN s.error ELSE n.error END,
          error_status = CASE WHEN n.moved THEN s.error_status ELSE n.error_status END,
          body_hash = coalesce(n.body_hash, s.body_hash),
          title = coalesce(n.title, s.title),
          site_url = coalesce(n.site_url, s.site_url),
          language = coalesce(n.language, s.language),
          warnings = coalesce(n.warnings, s.warnings),
          article_count = s.article_count + n.n_articles,
          last_new_at = coalesce(n.last_new_at, s.last_new_at)
        FROM unnest($1::smallint[], $2::bigint[], $3::boolean[], $4::boolean[], $5::bigint[],
            $6::bigint[], $7::bytea[], $8::bytea[], $9::text[], $10::integer[], $11::integer[],
            $12::bigint[], $13::text[], $14::text[], $15::integer[], $16::bigint[], $17::text[],
            $18::text[], $19::text[], $20::text[], $21::bigint[], $22::bigint[])
          AS n(shard, feed_id, good, moved, at, due_at, etag, last_modified, validator_url,
            failures, gone, hinted_interval_ms, error_kind, error, error_status, body_hash,
            title, site_url, language, warnings, n_articles, last_new_at)
        JOIN feed f ON f.id = n.feed_id
        WHERE s.shard = n.shard AND s.feed_id = n.feed_id";
    let validators = column(polls, |poll| validators(poll));
    let failures = column(polls, |poll| failure(poll));
    let readings = column(polls, |poll| reading(poll));
    let n_changed = execute(
        transaction,
        sql,
        &[
            &column(polls, |poll| shard_column(poll.shard)),
            &column(polls, |poll| poll.feed.0),
            &column(polls, |poll| matches!(poll.answer, Answer::Good(..))),
            &column(polls, |poll| matches!(poll.answer, Answer::Moved)),
            &column(polls, |poll| poll.at),
            &column(polls, |poll| poll.due_at),
            &of(&validators, |validators| validators.etag.as_deref()),
            &of(&validators, |validators| {
                validators.last_modified.as_deref()
            }),
            &of(&validators, |validators| validators.url.as_deref()),
            &column(polls, |poll| int4(poll.failures)),
            &column(polls, |poll| int4(poll.gone)),
            &column(polls, |poll| poll.hinted_interval_ms),
            &of(&failures, |failure| Some(failure.kind.name())),
            &of(&failures, |failure| Some(failure.detail.as_str())),
            &of(&failures, |failure| failure.status.map(i32::from)),
            &of(&readings, |reading| Some(reading.body_hash)),
            &of(&readings, |reading| reading.title.as_deref()),
            &of(&readings, |reading| reading.site_url.as_deref()),
            &of(&readings, |reading| reading.language.as_deref()),
            &of(&readings, |reading| Some(reading.warnings.as_str())),
            &column(polls, |poll| poll.n_articles),
            &column(polls, |poll| reading(poll)?.has_new.then_some(poll.at)),
        ],
    )
    .await?;
    all(n_changed, polls.len())
}

fn validators(poll: &PollRow) -> Option<&Validators> {
    match &poll.answer {
        Answer::Good(validators, _) => Some(validators),
        _ => None,
    }
}

fn failure(poll: &PollRow) -> Option<&Failure> {
    match &poll.answer {
        Answer::Failed(failure) => Some(failure),
        _ => None,
    }
}

fn reading(poll: &PollRow) -> Option<&ReadingRow> {
    match &poll.answer {
        Answer::Good(_, reading) => reading.as_ref(),
        _ => None,
    }
}

/// A part of each thing that there is.
fn of<'a, R, T>(rows: &[Option<&'a R>], part: impl Fn(&'a R) -> Option<T>) -> Vec<Option<T>> {
    rows.iter().map(|row| row.and_then(&part)).collect()
}

/// Feeds that are polled somewhere else from now on. Their rows go to other shards: each is
/// taken out of one and put into the other, since a row's shard never changes.
async fn write_places(
    transaction: &Transaction<'_>,
    moved: Vec<(&PollRow, &Place)>,
) -> Result<(), Fault> {
    if moved.is_empty() {
        return Ok(());
    }
    let (polls, places): (Vec<&PollRow>, Vec<&Place>) = moved.into_iter().unzip();
    let sql = "WITH n AS (
          SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::text[],
              $5::text[], $6::integer[])
            AS n(shard, feed_id, to_shard, host, moved_url, moves)),
        taken AS (
          DELETE FROM feed_state s USING n WHERE s.shard = n.shard AND s.feed_id = n.feed_id
          RETURNING s.*)
        INSERT INTO feed_state (shard, feed_id, host, due_at, etag, last_modified,
          validator_url, body_hash, failures, gone, hinted_interval_ms, title, site_url,
          language, article_count, last_poll_at, last_success_at, last_new_at, error_kind,
          error, error_status, warnings, moved_url, moves)
        SELECT n.to_shard, s.feed_id, n.host, s.due_at, s.etag, s.last_modified,
          s.validator_url, s.body_hash, s.failures, s.gone, s.hinted_interval_ms, s.title,
          s.site_url, s.language, s.article_count, s.last_poll_at, s.last_success_at,
          s.last_new_at, s.error_kind, s.error, s.error_status, s.warnings, n.moved_url, n.moves
        FROM taken s JOIN n ON n.feed_id = s.feed_id";
    let n_moved = execute(
        transaction,
        sql,
        &[
            &column(&polls, |poll| shard_column(poll.shard)),
            &column(&polls, |poll| poll.feed.0),
            &column(&places, |place| shard_column(place.host.shard())),
            &column(&places, |place| place.host.as_str()),
            &column(&places, |place| place.moved_url.as_deref()),
            &column(&places, |place| int4(place.moves)),
        ],
    )
    .await?;
    all(n_moved, polls.len())
}

async fn write_log(
    transaction: &Transaction<'_>,
    polls: &[&PollRow],
    ids: &mut WorkerIds,
) -> Result<(), Fault> {
    let sql = "INSERT INTO poll_log (shard, id, feed_id, at, outcome, status, n_new, n_entries,
                 n_bytes, duration_ms, error_kind, error)
               SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[],
                 $5::text[], $6::integer[], $7::bigint[], $8::bigint[], $9::bigint[],
                 $10::bigint[], $11::text[], $12::text[])";
    let lines: Vec<i64> = polls
        .iter()
        .map(|poll| ids.row(poll.shard, time(poll.at)))
        .collect();
    execute(
        transaction,
        sql,
        &[
            &column(polls, |poll| shard_column(poll.shard)),
            &lines,
            &column(polls, |poll| poll.feed.0),
            &column(polls, |poll| poll.at),
            &column(polls, |poll| poll.log.outcome),
            &column(polls, |poll| poll.log.status.map(i32::from)),
            &column(polls, |poll| poll.log.n_new),
            &column(polls, |poll| poll.log.n_entries),
            &column(polls, |poll| poll.log.n_bytes),
            &column(polls, |poll| poll.log.duration_ms),
            &column(polls, |poll| poll.log.error_kind),
            &column(polls, |poll| poll.log.error.as_deref()),
        ],
    )
    .await?;
    Ok(())
}

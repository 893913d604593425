//! A poll: its entries, the feed's state and its place, a line of the log.

use super::super::column::{int, ms};
use super::super::json;
use super::super::record::{FeedReading, PollRecorded, PollReport, PollResult};
use super::reports::Poll;
use super::rows::{Answer, Log, Place, PollRow, ReadingRow};
use super::unit::{Ids, Refusal, Unit};
use crate::model::{FeedUrl, HostKey, Validators};
use crate::store::decide;

impl Unit {
    pub(super) fn record_poll(
        &mut self,
        poll: &Poll,
        ids: &mut impl Ids,
    ) -> Result<PollRecorded, Refusal> {
        let report = &poll.report;
        let place = self.place(poll)?;
        let (recorded, n_articles) = self.record_entries(poll, ids)?;
        self.feeds_of(&poll.due.host);
        self.manners_of(&poll.due.host, report.manners);
        if let Some(place) = &place {
            self.feeds_of(&place.host);
        }
        let due_at = match report.result {
            PollResult::Moved(_) => Some(report.at),
            _ => report.next_poll,
        };
        self.polls.push(PollRow {
            feed: poll.due.feed,
            shard: poll.due.lease.shard,
            at: ms(report.at),
            due_at: due_at.map(ms),
            failures: report.state.failures,
            gone: report.state.gone,
            hinted_interval_ms: report
                .state
                .hinted_interval
                .map(|span| int(json::millis(span))),
            answer: answer(poll, recorded.n_new > 0),
            place,
            n_articles,
            log: log(poll, &recorded),
        });
        Ok(recorded)
    }

    /// Where the feed is polled from now on, if that is not where it was polled this time: a
    /// redirect to a foreign host is followed by that host's owner, who then sends the feed
    /// home.
    fn place(&self, poll: &Poll) -> Result<Option<Place>, Refusal> {
        let due = &poll.due;
        if let PollResult::Moved(url) = &poll.report.result {
            return Ok(Some(away(url, due.moves.saturating_add(1))));
        }
        if due.moves == 0 {
            return Ok(None);
        }
        let home = self.homes.get(&due.feed).and_then(Option::as_ref);
        Ok(Some(Place {
            host: home.ok_or(Refusal::Fenced)?.clone(),
            moved_url: None,
            moves: 0,
        }))
    }
}

fn away(url: &FeedUrl, moves: u32) -> Place {
    Place {
        host: HostKey::of(url.url()),
        moved_url: Some(url.as_str().to_owned()),
        moves,
    }
}

fn answer(poll: &Poll, has_new: bool) -> Answer {
    let good = |validators: &Validators| Answer::Good(validators.clone(), None);
    match &poll.report.result {
        PollResult::NotModified { validators } | PollResult::Unchanged { validators } => {
            good(validators)
        }
        PollResult::Fetched(reading) => {
            let row = reading_row(reading, has_new);
            Answer::Good(reading.validators.clone(), Some(row))
        }
        PollResult::Moved(_) => Answer::Moved,
        PollResult::Gone(failure) | PollResult::Failed(failure) => Answer::Failed(failure.clone()),
    }
}

fn reading_row(reading: &FeedReading, has_new: bool) -> ReadingRow {
    let said = |text: &Option<String>| decide::said(text.as_ref()).map(str::to_owned);
    ReadingRow {
        body_hash: reading.body_hash,
        title: said(&reading.title),
        site_url: said(&reading.site_url),
        language: said(&reading.language),
        warnings: json::write(&reading.warnings),
        has_new,
    }
}

fn log(poll: &Poll, recorded: &PollRecorded) -> Log {
    let report = &poll.report;
    let failure = match &report.result {
        PollResult::Gone(failure) | PollResult::Failed(failure) => Some(failure),
        _ => None,
    };
    Log {
        outcome: outcome(report),
        status: report.cost.status,
        n_new: int(recorded.n_new),
        n_entries: int(poll.n_announced),
        n_bytes: int(report.cost.n_bytes),
        duration_ms: int(json::millis(report.cost.duration)),
        error_kind: failure.map(|failure| failure.kind.name()),
        error: failure.map(|failure| failure.detail.clone()),
    }
}

fn outcome(report: &PollReport) -> &'static str {
    match &report.result {
        PollResult::NotModified { .. } => "not_modified",
        PollResult::Unchanged { .. } => "unchanged",
        PollResult::Fetched(_) => "fetched",
        PollResult::Moved(_) => "moved",
        PollResult::Gone(_) => "gone",
        PollResult::Failed(_) => "failed",
    }
}

//! Recording a report: the rows that it needs are read, changed as `store::recording` says,
//! and written, in the savepoint of one command.

use jiff::Timestamp;
use rusqlite::Connection;

use super::super::decide::IdMaker;
use super::super::record::{PollRecorded, Saved};
use super::super::recording::{Ids, Poll, Recorded, Refusal, Report, Scrape, Unit};
use super::StoreError;
use super::fault::Fault;
use super::writer::WriterState;
use super::{apply, due, load, polls, state};
use crate::model::{ArticleId, Shard};

/// Times that a unit may ask for more rows. It asks four times at most; more would be a
/// mistake of ours, and must not hang the writer.
const MAX_QUESTIONS: usize = 8;

/// Records a poll: its entries, validators, state and next due time, at once.
pub(super) fn record_poll(
    connection: &Connection,
    writer: &mut WriterState,
    poll: Poll,
) -> Result<PollRecorded, Fault> {
    let at = poll.at();
    let recorded = record(connection, writer, &Report::Poll(poll))?;
    polls::prune_now_and_then(connection, writer, at)?;
    match recorded {
        Recorded::Poll(recorded) => Ok(recorded),
        Recorded::Scrape(_) => Err(torn()),
    }
}

/// Records a scrape: the article's text or failure.
pub(super) fn record_scrape(
    connection: &Connection,
    writer: &mut WriterState,
    scrape: Scrape,
) -> Result<Saved, Fault> {
    match record(connection, writer, &Report::Scrape(scrape))? {
        Recorded::Scrape(saved) => Ok(saved),
        Recorded::Poll(_) => Err(torn()),
    }
}

fn record(
    connection: &Connection,
    writer: &mut WriterState,
    report: &Report,
) -> Result<Recorded, Fault> {
    if !due::is_current(report.lease()) {
        return Err(StoreError::Fenced.into());
    }
    let mut unit = Unit::default();
    let mut n_questions = 0;
    loop {
        let wanted = unit.wanted([report]);
        if wanted.is_empty() {
            break;
        }
        if n_questions == MAX_QUESTIONS {
            return Err(torn());
        }
        n_questions += 1;
        let found = load::find(connection, &wanted)?;
        unit.learn(wanted, found);
    }
    let mut ids = RowIds::new(connection, &mut writer.ids, n_questions > 0)?;
    let recorded = unit.record(report, &mut ids).map_err(refused)?;
    if unit.has_new_articles() {
        state::set_counter(connection, "last_article_id", writer.ids.largest())?;
    }
    apply::write(connection, &unit)?;
    Ok(recorded)
}

fn refused(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Fenced => StoreError::Fenced.into(),
        Refusal::Torn => torn(),
    }
}

fn torn() -> Fault {
    StoreError::Database("rows that belong together do not fit together".to_owned()).into()
}

/// Ids for new rows: articles' grow with time, sightings are counted.
struct RowIds<'a> {
    articles: &'a mut IdMaker,
    last_sighting: i64,
}

impl<'a> RowIds<'a> {
    /// `is_needed`: a report that asked for nothing makes no rows with ids.
    fn new(
        connection: &Connection,
        articles: &'a mut IdMaker,
        is_needed: bool,
    ) -> rusqlite::Result<Self> {
        let mut last_sighting = 0;
        if is_needed {
            articles.resume(state::counter(connection, "last_article_id")?);
            last_sighting = connection
                .prepare_cached("SELECT coalesce(max(id), 0) FROM sighting")?
                .query_row([], |row| row.get(0))?;
        }
        Ok(Self {
            articles,
            last_sighting,
        })
    }
}

impl Ids for RowIds<'_> {
    fn article(&mut self, shard: Shard, at: Timestamp) -> ArticleId {
        self.articles.next(shard, at)
    }

    fn sighting(&mut self, _: Shard, _: Timestamp) -> i64 {
        self.last_sighting += 1;
        self.last_sighting
    }
}

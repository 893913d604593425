//! Moves a whole archive from one backend to another: the same rows with the same ids.
//!
//! Tables are copied one after another in the order of their keys, in batches; each batch
//! and the mark of how far it reached are one transaction, so that a move that was broken
//! off goes on where it stopped. At the end both sides are read again and compared, row by
//! row. What is derived is not moved: the search index is made anew.

mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use table::Digest;
pub(super) use table::{Kind, Row, TABLES, Table, Value};

use super::postgres::PostgresRows;
use super::sqlite::SqliteRows;
use super::{Settings, StoreError, json};

/// Sums by name.
pub(super) type Counters = BTreeMap<String, i64>;

/// Notes by name.
pub(super) type Marks = BTreeMap<String, String>;

/// SQLite's counter that is no sum.
pub(super) const ID_COUNTER: &str = "last_article_id";

/// The note of a move that is under way: the identity of the archive that is moved.
pub(super) const MOVE_MARK: &str = "move";

/// How far a table is: the note's name is this and the table's.
const TABLE_MARK: &str = "move:";

/// A table that is wholly there.
const DONE: &str = "done";

/// Most rows of a batch.
const MAX_BATCH: usize = 1000;

/// Rows of the first batch, whose size is not known yet.
const FIRST_BATCH: usize = 50;

/// Memory that a batch may take, in bytes.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// How far a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is done now.
    pub step: Step,
    /// Rows that are done, of all tables.
    pub n_done: u64,
    /// Rows to do, of all tables.
    pub n_total: u64,
}

/// What a move does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Copies the rows of a table.
    Copy(&'static str),
    /// Reads both sides of a table again.
    Compare(&'static str),
}

/// What was moved: each table with its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// In the order in which they were moved.
    pub tables: Vec<(&'static str, u64)>,
}

/// Moves the archive at `from` to `to`, which is empty, or holds a part of it that an
/// earlier move left. `progress` is told after each batch.
///
/// # Errors
/// [`StoreError`]: somebody else uses one of them; `to` holds something else; a difference
/// at the end; what the databases say.
pub(super) async fn move_archive(
    from: &Settings,
    to: &Settings,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Moved, StoreError> {
    if from == to {
        return Err(refused(format!("{from} is where the archive is already")));
    }
    let from = Side::open(from, Role::Source).await?;
    let to = Side::open(to, Role::Target).await?;
    begin(&from, &to).await?;
    let mut counted = Counted::new(&from, progress).await?;
    for table in TABLES {
        copy(&from, &to, table, &mut counted).await?;
    }
    let (counters, notes) = (from.counters().await?, from.marks().await?);
    to.finish(counters, from.largest_id().await?, notes).await?;
    let moved = compare(&from, &to, &mut counted).await?;
    end(&to).await?;
    Ok(moved)
}

/// Whether a note goes along: not what belongs to one database alone.
pub(super) fn remembered(name: &str) -> bool {
    !matches!(name, "store_id" | "search_index" | MOVE_MARK) && !name.starts_with(TABLE_MARK)
}

fn refused(reason: String) -> StoreError {
    StoreError::Database(reason)
}

/// Marks the target as ours, or finds that it is.
async fn begin(from: &Side, to: &Side) -> Result<(), StoreError> {
    let id = from.store_id().await?;
    match to.marks().await?.get(MOVE_MARK) {
        Some(mark) if *mark == id => return Ok(()),
        Some(_) => {
            return Err(refused(
                "the target holds a part of another archive; empty it first".to_owned(),
            ));
        }
        None => {}
    }
    for table in TABLES {
        if to.count(table).await? > 0 {
            return Err(refused(
                "the target holds an archive already; give one that is empty".to_owned(),
            ));
        }
    }
    to.set_mark(MOVE_MARK.to_owned(), Some(id)).await
}

/// Takes the marks away.
async fn end(to: &Side) -> Result<(), StoreError> {
    to.refuse_workers().await?;
    for table in TABLES {
        let mark = format!("{TABLE_MARK}{}", table.name);
        to.set_mark(mark, None).await?;
    }
    to.set_mark(MOVE_MARK.to_owned(), None).await
}

/// Rows that are done, and who is told.
struct Counted<'a> {
    n_done: u64,
    n_total: u64,
    progress: &'a mut (dyn FnMut(Progress) + Send),
}

impl<'a> Counted<'a> {
    /// Every row is copied once, and read once again on either side.
    async fn new(
        from: &Side,
        progress: &'a mut (dyn FnMut(Progress) + Send),
    ) -> Result<Self, StoreError> {
        let mut n_rows = 0;
        for table in TABLES {
            n_rows += from.count(table).await?;
        }
        Ok(Self {
            n_done: 0,
            n_total: n_rows * 3,
            progress,
        })
    }

    fn add(&mut self, step: Step, n_rows: usize) {
        self.n_done += n_rows as u64;
        (self.progress)(Progress {
            step,
            n_done: self.n_done.min(self.n_total),
            n_total: self.n_total,
        });
    }
}

/// Rows at once: as many as the last ones suggest.
struct BatchSize(usize);

impl BatchSize {
    fn after(&mut self, rows: &[Row]) {
        let n_bytes: usize = rows.iter().map(Row::bytes).sum();
        let of_one = n_bytes / rows.len().max(1) + 1;
        self.0 = (MAX_BATCH_BYTES / of_one).clamp(1, (self.0 * 4).min(MAX_BATCH));
    }
}

async fn copy(
    from: &Side,
    to: &Side,
    table: &'static Table,
    counted: &mut Counted<'_>,
) -> Result<(), StoreError> {
    let mark = format!("{TABLE_MARK}{}", table.name);
    let mut behind = match to.marks().await?.get(&mark).map(String::as_str) {
        Some(DONE) => {
            let n_rows = to.count(table).await?;
            counted.add(
                Step::Copy(table.name),
                n_rows.try_into().unwrap_or(usize::MAX),
            );
            return Ok(());
        }
        Some(key) => {
            let n_rows = to.count(table).await?;
            counted.add(
                Step::Copy(table.name),
                n_rows.try_into().unwrap_or(usize::MAX),
            );
            Some(read_key(key))
        }
        None => None,
    };
    let mut size = BatchSize(FIRST_BATCH);
    loop {
        let rows = from.read(table, behind.take(), size.0).await?;
        let Some(last) = rows.last() else {
            return to.set_mark(mark, Some(DONE.to_owned())).await;
        };
        size.after(&rows);
        behind = Some(last.key.clone());
        let n_rows = rows.len();
        let reached = (mark.clone(), write_key(&last.key));
        to.write(table, rows, reached).await?;
        counted.add(Step::Copy(table.name), n_rows);
    }
}

/// Reads both sides again.
async fn compare(from: &Side, to: &Side, counted: &mut Counted<'_>) -> Result<Moved, StoreError> {
    let mut moved = Moved::default();
    for table in TABLES {
        let source = digest(from, table, counted).await?;
        let target = digest(to, table, counted).await?;
        if source != target {
            return Err(refused(format!(
                "table {} has {} rows on one side and {} on the other, or they differ: something changed one of the archives meanwhile; empty the target and begin again",
                table.name, source.n_rows, target.n_rows
            )));
        }
        moved.tables.push((table.name, target.n_rows));
    }
    let notes = |marks: Marks| -> Marks {
        let of_both = marks.into_iter().filter(|(name, _)| remembered(name));
        of_both.collect()
    };
    if from.counters().await? != to.counters().await?
        || notes(from.marks().await?) != notes(to.marks().await?)
    {
        return Err(refused(
            "the counters or notes of the two sides differ; empty the target and begin again"
                .to_owned(),
        ));
    }
    Ok(moved)
}

async fn digest(
    side: &Side,
    table: &'static Table,
    counted: &mut Counted<'_>,
) -> Result<Digest, StoreError> {
    let mut digest = Digest::default();
    let mut behind = None;
    let mut size = BatchSize(FIRST_BATCH);
    loop {
        let rows = side.read(table, behind.take(), size.0).await?;
        let Some(last) = rows.last() else {
            return Ok(digest);
        };
        size.after(&rows);
        behind = Some(last.key.clone());
        rows.iter().for_each(|row| digest.add(row));
        counted.add(Step::Compare(table.name), rows.len());
    }
}

/// A value of a key, as a mark has it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Marked {
    Int(i64),
    Text(String),
}

fn write_key(key: &[Value]) -> String {
    let key: Vec<Marked> = key
        .iter()
        .map(|value| match value {
            Value::Int(n) => Marked::Int(*n),
            Value::Text(text) => Marked::Text(text.clone()),
            // No key of ours has such values.
            Value::Null | Value::Blob(_) => Marked::Int(0),
        })
        .collect();
    json::write(&key)
}

fn read_key(text: &str) -> Vec<Value> {
    let key: Vec<Marked> = json::read(text);
    key.into_iter()
        .map(|value| match value {
            Marked::Int(n) => Value::Int(n),
            Marked::Text(text) => Value::Text(text),
        })
        .collect()
}

/// What a side is to the move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It must be there.
    Source,
    /// It is made if it is not there.
    Target,
}

/// One of the two archives.
enum Side {
    Sqlite(SqliteRows),
    Postgres(PostgresRows),
}

/// The same on both.
macro_rules! on_side {
    ($self:ident, $rows:ident => $work:expr) => {
        match $self {
            Side::Sqlite($rows) => $work.await,
            Side::Postgres($rows) => $work.await,
        }
    };
}

impl Side {
    async fn open(settings: &Settings, role: Role) -> Result<Self, StoreError> {
        Ok(match (settings, role) {
            (Settings::Sqlite(path), Role::Source) => Self::Sqlite(SqliteRows::open(path).await?),
            (Settings::Sqlite(path), Role::Target) => Self::Sqlite(SqliteRows::create(path).await?),
            (Settings::Postgres(settings), _) => {
                Self::Postgres(PostgresRows::open(settings).await?)
            }
        })
    }

    async fn refuse_workers(&self) -> Result<(), StoreError> {
        match self {
            // Its lock is ours.
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(rows) => rows.refuse_workers().await,
        }
    }

    async fn store_id(&self) -> Result<String, StoreError> {
        on_side!(self, rows => rows.store_id())
    }

    async fn count(&self, table: &'static Table) -> Result<u64, StoreError> {
        on_side!(self, rows => rows.count(table))
    }

    async fn read(
        &self,
        table: &'static Table,
        behind: Option<Vec<Value>>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        on_side!(self, rows => rows.read(table, behind, limit))
    }

    async fn write(
        &self,
        table: &'static Table,
        rows: Vec<Row>,
        mark: (String, String),
    ) -> Result<(), StoreError> {
        on_side!(self, side => side.write(table, rows, mark))
    }

    async fn marks(&self) -> Result<Marks, StoreError> {
        on_side!(self, rows => rows.marks())
    }

    async fn set_mark(&self, name: String, text: Option<String>) -> Result<(), StoreError> {
        on_side!(self, rows => rows.set_mark(name, text))
    }

    async fn counters(&self) -> Result<Counters, StoreError> {
        on_side!(self, rows => rows.counters())
    }

    async fn largest_id(&self) -> Result<i64, StoreError> {
        on_side!(self, rows => rows.largest_id())
    }

    async fn finish(
        &self,
        counters: Counters,
        largest_id: i64,
        notes: Marks,
    ) -> Result<(), StoreError> {
        on_side!(self, rows => rows.finish(counters, largest_id, notes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_from_its_mark() {
        let key = vec![Value::Int(-7), Value::Text("done \"x\"".into())];

        assert_eq!(read_key(&write_key(&key)), key);
    }

    #[test]
    fn batches_stay_small_however_large_the_rows_are() {
        let row = |n_bytes: usize| Row {
            key: Vec::new(),
            values: vec![Value::Blob(vec![0; n_bytes])],
        };
        let mut size = BatchSize(FIRST_BATCH);

        size.after(&[row(10), row(10)]);
        let grown = size.0;
        size.after(&[row(3 << 20)]);
        let large = size.0;
        size.after(&[row(100 << 20)]);

        assert_eq!((grown, large, size.0), (200, 2, 1));
    }
}

//! Whole tables, row by row: for an archive that moves to another backend.

use std::collections::HashMap;
use std::sync::Arc;

use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::types::ToSql;

use super::super::migrate::{Counters, Kind, Marks, Row, Table, Value, remembered};
use super::super::{Access, PostgresSettings, StoreError, column};
use super::convert::count;
use super::fault::Fault;
use super::statement::{execute, get, row, rows};
use super::{Postgres, notes};
use crate::model::{N_SHARDS, Shard};

/// Our own row of a shard's counters.
const ID_COUNTER: &str = "last_id";

/// An archive that no worker may use meanwhile. A cheap clone.
#[derive(Clone, Debug)]
pub(in super::super) struct PostgresRows {
    store: Postgres,
    /// The shard of each feed's host, once it has been asked for.
    shards: Arc<tokio::sync::OnceCell<HashMap<i64, Shard>>>,
}

impl PostgresRows {
    /// Connects; makes the tables, or brings them up to date.
    pub(in super::super) async fn open(settings: &PostgresSettings) -> Result<Self, StoreError> {
        let rows = Self {
            store: Postgres::open(settings, Access::Command).await?,
            shards: Arc::default(),
        };
        rows.refuse_workers().await?;
        Ok(rows)
    }

    /// Fails while a worker lives.
    pub(in super::super) async fn refuse_workers(&self) -> Result<(), StoreError> {
        let store = &self.store;
        let n = in_transaction!(store, transaction => live_workers(&transaction))?;
        match n {
            0 => Ok(()),
            n => Err(StoreError::Database(format!(
                "{n} of its workers are running on {}; stop them first, and wait until they are gone from `wireroom status`",
                store.name()
            ))),
        }
    }

    /// Its identity.
    pub(in super::super) async fn store_id(&self) -> Result<String, StoreError> {
        let store = &self.store;
        let id = in_transaction!(store, transaction => notes::note(&transaction, "store_id"))?;
        Ok(id.unwrap_or_default())
    }

    /// Rows of a table.
    pub(in super::super) async fn count(&self, table: &'static Table) -> Result<u64, StoreError> {
        let store = &self.store;
        in_transaction!(store, transaction => count_rows(&transaction, table))
    }

    /// The next rows behind a key, in the order of keys.
    pub(in super::super) async fn read(
        &self,
        table: &'static Table,
        behind: Option<Vec<Value>>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let store = &self.store;
        let behind = behind.as_deref();
        in_transaction!(store, transaction => read(&transaction, table, behind, limit))
    }

    /// Writes rows, and how far the table is, in one transaction.
    pub(in super::super) async fn write(
        &self,
        table: &'static Table,
        rows: Vec<Row>,
        mark: (String, String),
    ) -> Result<(), StoreError> {
        let store = &self.store;
        let none = HashMap::new();
        let shards = match table.needs_feeds() {
            true => {
                self.shards
                    .get_or_try_init(|| self.shards_of_feeds())
                    .await?
            }
            false => &none,
        };
        in_transaction!(store, transaction => write(&transaction, table, &rows, &mark, shards))
    }

    /// Notes of a move that is under way, and all others.
    pub(in super::super) async fn marks(&self) -> Result<Marks, StoreError> {
        let store = &self.store;
        in_transaction!(store, transaction => read_notes(&transaction))
    }

    /// Sets or removes a note.
    pub(in super::super) async fn set_mark(
        &self,
        name: String,
        text: Option<String>,
    ) -> Result<(), StoreError> {
        let store = &self.store;
        in_transaction!(store, transaction => set_mark(&transaction, &name, text.as_deref()))
    }

    /// The sums that are kept, without the ids.
    pub(in super::super) async fn counters(&self) -> Result<Counters, StoreError> {
        let store = &self.store;
        in_transaction!(store, transaction => read_counters(&transaction))
    }

    /// The largest id that was ever given to an article.
    pub(in super::super) async fn largest_id(&self) -> Result<i64, StoreError> {
        let store = &self.store;
        in_transaction!(store, transaction => largest_id(&transaction))
    }

    /// What is left when all tables are there: sums, ids, notes, and an index that is made anew.
    pub(in super::super) async fn finish(
        &self,
        counters: Counters,
        largest_id: i64,
        notes: Marks,
    ) -> Result<(), StoreError> {
        let store = &self.store;
        in_transaction!(store, transaction => finish(&transaction, &counters, largest_id, &notes))
    }

    /// The shards of all feeds' hosts. Asked for when the first table that needs them is
    /// written: the feeds are there by then.
    async fn shards_of_feeds(&self) -> Result<HashMap<i64, Shard>, StoreError> {
        let store = &self.store;
        in_transaction!(store, transaction => read_shards(&transaction))
    }
}

async fn live_workers(client: &impl GenericClient) -> Result<u64, Fault> {
    let sql = "SELECT count(*) FROM worker WHERE until > now()";
    count(&row(client, sql, &[]).await?, 0)
}

async fn count_rows(client: &impl GenericClient, table: &Table) -> Result<u64, Fault> {
    let sql = format!("SELECT count(*) FROM {}", table.name);
    count(&row(client, &sql, &[]).await?, 0)
}

async fn read_shards(client: &impl GenericClient) -> Result<HashMap<i64, Shard>, Fault> {
    rows(client, "SELECT feed_id, shard FROM feed_state", &[])
        .await?
        .iter()
        .map(|row| Ok((get(row, 0)?, super::convert::shard(row, 1)?)))
        .collect()
}

async fn read(
    client: &impl GenericClient,
    table: &Table,
    behind: Option<&[Value]>,
    limit: usize,
) -> Result<Vec<Row>, Fault> {
    let key = table.postgres_key;
    let all: Vec<(&str, Kind)> = key.iter().chain(table.columns).copied().collect();
    let selected: Vec<String> = all
        .iter()
        .map(|(name, kind)| match kind {
            Kind::Int => format!("{name}::BIGINT"),
            Kind::Text | Kind::Blob => (*name).to_owned(),
        })
        .collect();
    let key_names: Vec<&str> = key.iter().map(|(name, _)| *name).collect();
    let key_names = key_names.join(", ");
    let condition = match behind {
        None => String::new(),
        Some(behind) => {
            let values: Vec<String> = behind.iter().enumerate().map(placeholder).collect();
            format!("WHERE ({key_names}) > ({})", values.join(", "))
        }
    };
    let sql = format!(
        "SELECT {} FROM {} {condition} ORDER BY {key_names} LIMIT {}",
        selected.join(", "),
        table.name,
        column::int(limit)
    );
    let values: Vec<&(dyn ToSql + Sync)> =
        behind.unwrap_or_default().iter().map(parameter).collect();
    rows(client, &sql, &values)
        .await?
        .iter()
        .map(|row| {
            let mut values = Vec::with_capacity(all.len());
            for (place, (_, kind)) in all.iter().enumerate() {
                values.push(read_value(row, place, *kind)?);
            }
            let values_behind_key = values.split_off(key.len());
            Ok(Row {
                key: values,
                values: values_behind_key,
            })
        })
        .collect()
}

/// A parameter of a key: its place, counted from one, and its type.
fn placeholder((place, value): (usize, &Value)) -> String {
    let kind = match value {
        Value::Text(_) => "TEXT",
        _ => "BIGINT",
    };
    format!("${}::{kind}", place + 1)
}

fn parameter(value: &Value) -> &(dyn ToSql + Sync) {
    match value {
        Value::Null => &None::<i64>,
        Value::Int(n) => n,
        Value::Text(text) => text,
        Value::Blob(bytes) => bytes,
    }
}

fn read_value(row: &tokio_postgres::Row, place: usize, kind: Kind) -> Result<Value, Fault> {
    Ok(match kind {
        Kind::Int => get::<Option<i64>>(row, place)?.map(Value::Int),
        Kind::Text => get::<Option<String>>(row, place)?.map(Value::Text),
        Kind::Blob => get::<Option<Vec<u8>>>(row, place)?.map(Value::Blob),
    }
    .unwrap_or(Value::Null))
}

/// A column of many rows, as one parameter.
enum Column<'a> {
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<&'a str>>),
    Blobs(Vec<Option<&'a [u8]>>),
}

impl<'a> Column<'a> {
    fn of(rows: &'a [Row], place: usize, kind: Kind) -> Self {
        let values = rows.iter().map(|row| row.values.get(place));
        match kind {
            Kind::Int => Self::Ints(
                values
                    .map(|value| match value {
                        Some(Value::Int(n)) => Some(*n),
                        _ => None,
                    })
                    .collect(),
            ),
            Kind::Text => Self::Texts(
                values
                    .map(|value| match value {
                        Some(Value::Text(text)) => Some(text.as_str()),
                        _ => None,
                    })
                    .collect(),
            ),
            Kind::Blob => Self::Blobs(
                values
                    .map(|value| match value {
                        Some(Value::Blob(bytes)) => Some(bytes.as_slice()),
                        _ => None,
                    })
                    .collect(),
            ),
        }
    }

    fn array(&self) -> (&'static str, &(dyn ToSql + Sync)) {
        match self {
            Self::Ints(ints) => ("BIGINT[]", ints),
            Self::Texts(texts) => ("TEXT[]", texts),
            Self::Blobs(blobs) => ("BYTEA[]", blobs),
        }
    }
}

async fn write(
    transaction: &Transaction<'_>,
    table: &Table,
    rows: &[Row],
    mark: &(String, String),
    shards: &HashMap<i64, Shard>,
) -> Result<(), Fault> {
    let shard_of_feed = |feed: i64| shards.get(&feed).copied().unwrap_or(Shard(0));
    let mut names: Vec<&str> = Vec::new();
    let mut columns: Vec<Column<'_>> = Vec::new();
    for (place, (name, kind)) in table.columns.iter().enumerate() {
        names.push(name);
        columns.push(Column::of(rows, place, *kind));
    }
    for (name, made) in table.made {
        names.push(name);
        let value = |row| Some(made.value(row, shard_of_feed));
        columns.push(Column::Ints(rows.iter().map(value).collect()));
    }
    let (types, values): (Vec<&str>, Vec<&(dyn ToSql + Sync)>) =
        columns.iter().map(Column::array).unzip();
    let arrays: Vec<String> = types
        .iter()
        .enumerate()
        .map(|(place, kind)| format!("${}::{kind}", place + 1))
        .collect();
    let names = names.join(", ");
    let sql = format!(
        "INSERT INTO {} ({names}) SELECT * FROM unnest({}) AS moved ({names})",
        table.name,
        arrays.join(", ")
    );
    execute(transaction, &sql, &values).await?;
    notes::set_note(transaction, &mark.0, &mark.1).await
}

async fn read_notes(client: &impl GenericClient) -> Result<Marks, Fault> {
    rows(client, "SELECT name, text FROM note", &[])
        .await?
        .iter()
        .map(|row| Ok((get(row, 0)?, get(row, 1)?)))
        .collect()
}

async fn set_mark(
    client: &impl GenericClient,
    name: &str,
    text: Option<&str>,
) -> Result<(), Fault> {
    match text {
        Some(text) => notes::set_note(client, name, text).await,
        None => {
            execute(client, "DELETE FROM note WHERE name = $1", &[&name]).await?;
            Ok(())
        }
    }
}

async fn read_counters(client: &impl GenericClient) -> Result<Counters, Fault> {
    let sql = "SELECT name, sum(n)::BIGINT FROM counter WHERE name <> $1
               GROUP BY name HAVING sum(n) <> 0";
    rows(client, sql, &[&ID_COUNTER])
        .await?
        .iter()
        .map(|row| Ok((get(row, 0)?, get(row, 1)?)))
        .collect()
}

async fn largest_id(client: &impl GenericClient) -> Result<i64, Fault> {
    let sql = "SELECT greatest(
        coalesce((SELECT max(n) FROM counter WHERE name = $1), 0),
        coalesce((SELECT max(id) FROM article), 0))";
    get(&row(client, sql, &[&ID_COUNTER]).await?, 0)
}

/// Sums stand under the first shard. The ids of every shard go on behind the second of the
/// largest id, so that none is given twice, whatever the clocks do.
async fn finish(
    transaction: &Transaction<'_>,
    counters: &Counters,
    largest_id: i64,
    all_notes: &Marks,
) -> Result<(), Fault> {
    execute(transaction, "DELETE FROM counter", &[]).await?;
    let (names, sums): (Vec<&str>, Vec<i64>) =
        counters.iter().map(|(name, n)| (name.as_str(), *n)).unzip();
    let sql = "INSERT INTO counter (shard, name, n)
               SELECT 0, * FROM unnest($1::TEXT[], $2::BIGINT[])";
    execute(transaction, sql, &[&names, &sums]).await?;
    let largest = largest_of_all(transaction, largest_id).await?;
    let last_ids: Vec<i64> = (0..i64::from(N_SHARDS))
        .map(|shard| (largest >> 21 << 21) | (shard << 11) | 0x7ff)
        .collect();
    let sql = "INSERT INTO counter (shard, name, n)
               SELECT (n >> 11) & 1023, $1::TEXT, n FROM unnest($2::BIGINT[]) AS last (n)";
    execute(transaction, sql, &[&ID_COUNTER, &last_ids]).await?;
    for (name, text) in all_notes.iter().filter(|(name, _)| remembered(name)) {
        notes::set_note(transaction, name, text).await?;
    }
    // Without it the index is made anew.
    execute(
        transaction,
        "DELETE FROM note WHERE name = 'search_index'",
        &[],
    )
    .await?;
    execute(transaction, "DELETE FROM search_document", &[]).await?;
    Ok(())
}

/// Sightings and polls have ids of the same kind here.
async fn largest_of_all(client: &impl GenericClient, largest_id: i64) -> Result<i64, Fault> {
    let sql = "SELECT greatest($1::BIGINT,
        coalesce((SELECT max(id) FROM sighting), 0),
        coalesce((SELECT max(id) FROM poll_log), 0))";
    get(&row(client, sql, &[&largest_id]).await?, 0)
}

//! Whole tables, row by row: for an archive that moves to another backend.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};

use super::super::StoreError;
use super::super::migrate::{Counters, ID_COUNTER, Kind, Marks, Row, Table, Value, remembered};
use super::fault::{self, Fault};
use super::lock::DaemonLock;
use super::{blocking, create_folder, int, schema, state};

/// An archive that nobody else may use meanwhile. A cheap clone.
#[derive(Clone, Debug)]
pub(in super::super) struct SqliteRows {
    path: Arc<Path>,
    connection: Arc<Mutex<Connection>>,
    /// Held as long as this lives.
    _lock: Arc<DaemonLock>,
}

impl SqliteRows {
    /// Opens an archive that is there, and brings it up to date.
    pub(in super::super) async fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing {
                store: fault::name(path),
            });
        }
        Self::create(path).await
    }

    /// The same; makes one that is not there.
    pub(in super::super) async fn create(path: &Path) -> Result<Self, StoreError> {
        let path: Arc<Path> = path.into();
        blocking(move || {
            create_folder(&path)?;
            let lock = DaemonLock::take(&path)?;
            let connection = schema::open_and_migrate(&path)?;
            Ok(Self {
                path,
                connection: Arc::new(Mutex::new(connection)),
                _lock: Arc::new(lock),
            })
        })
        .await?
    }

    /// Its identity.
    pub(in super::super) async fn store_id(&self) -> Result<String, StoreError> {
        let id = self.run(|connection| state::note(connection, "store_id"));
        Ok(id.await?.unwrap_or_default())
    }

    /// Rows of a table.
    pub(in super::super) async fn count(&self, table: &'static Table) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        self.run(move |connection| Ok(connection.query_row(&sql, [], |row| super::count(row, 0))?))
            .await
    }

    /// The next rows behind a key, in the order of keys.
    pub(in super::super) async fn read(
        &self,
        table: &'static Table,
        behind: Option<Vec<Value>>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.run(move |connection| Ok(read(connection, table, behind, limit)?))
            .await
    }

    /// Writes rows, and how far the table is, in one transaction.
    pub(in super::super) async fn write(
        &self,
        table: &'static Table,
        rows: Vec<Row>,
        mark: (String, String),
    ) -> Result<(), StoreError> {
        self.run_in_transaction(move |connection| {
            write(connection, table, &rows)?;
            state::set_note(connection, &mark.0, &mark.1)
        })
        .await
    }

    /// Notes of a move that is under way.
    pub(in super::super) async fn marks(&self) -> Result<Marks, StoreError> {
        self.run(|connection| {
            let mut statement = connection.prepare("SELECT name, text FROM note")?;
            let notes = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(notes.collect::<Result<Marks, _>>()?)
        })
        .await
    }

    /// Sets or removes a note.
    pub(in super::super) async fn set_mark(
        &self,
        name: String,
        text: Option<String>,
    ) -> Result<(), StoreError> {
        self.run_in_transaction(move |connection| {
            match text {
                Some(text) => state::set_note(connection, &name, &text)?,
                None => {
                    connection.execute("DELETE FROM note WHERE name = ?1", [&name])?;
                }
            }
            Ok(())
        })
        .await
    }

    /// The sums that are kept, without the ids.
    pub(in super::super) async fn counters(&self) -> Result<Counters, StoreError> {
        self.run(|connection| {
            let sql = "SELECT name, n FROM counter WHERE name <> ?1 AND n <> 0";
            let mut statement = connection.prepare(sql)?;
            let counters =
                statement.query_map([ID_COUNTER], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(counters.collect::<Result<Counters, _>>()?)
        })
        .await
    }

    /// The largest id that was ever given to an article.
    pub(in super::super) async fn largest_id(&self) -> Result<i64, StoreError> {
        self.run(|connection| {
            let sql = "SELECT max(
                coalesce((SELECT n FROM counter WHERE name = ?1), 0),
                coalesce((SELECT max(id) FROM article), 0))";
            Ok(connection.query_row(sql, [ID_COUNTER], |row| row.get(0))?)
        })
        .await
    }

    /// What is left when all tables are there: sums, ids, notes, and an index that is made anew.
    pub(in super::super) async fn finish(
        &self,
        counters: Counters,
        largest_id: i64,
        notes: Marks,
    ) -> Result<(), StoreError> {
        self.run_in_transaction(move |connection| {
            connection.execute("DELETE FROM counter", [])?;
            let mut statement =
                connection.prepare("INSERT INTO counter (name, n) VALUES (?1, ?2)")?;
            for (name, n) in &counters {
                statement.execute((name, n))?;
            }
            statement.execute((ID_COUNTER, largest_id))?;
            for (name, text) in notes.iter().filter(|(name, _)| remembered(name)) {
                state::set_note(connection, name, text)?;
            }
            connection.execute_batch(
                "DELETE FROM article_change;
                 INSERT INTO article_change (article_id, op) SELECT id, 1 FROM article ORDER BY id;",
            )?;
            Ok(())
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (connection, path) = (Arc::clone(&self.connection), Arc::clone(&self.path));
        blocking(move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&connection).map_err(|fault| fault.at(&path))
        })
        .await?
    }

    async fn run_in_transaction(
        &self,
        work: impl FnOnce(&Connection) -> Result<(), Fault> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.run(|connection| {
            let transaction = connection.unchecked_transaction()?;
            work(&transaction)?;
            Ok(transaction.commit()?)
        })
        .await
    }
}

fn names(columns: &[(&str, Kind)]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

fn read(
    connection: &Connection,
    table: &Table,
    behind: Option<Vec<Value>>,
    limit: usize,
) -> rusqlite::Result<Vec<Row>> {
    let key = names(table.sqlite_key);
    let n_key = table.sqlite_key.len();
    let condition = match &behind {
        Some(behind) => format!("WHERE ({key}) > ({})", vec!["?"; behind.len()].join(", ")),
        None => String::new(),
    };
    let sql = format!(
        "SELECT {key}, {} FROM {} {condition} ORDER BY {key} LIMIT {}",
        names(table.columns),
        table.name,
        int(limit)
    );
    let values = behind.unwrap_or_default().into_iter().map(column);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        let value = |place: usize| row.get_ref(place).map(value);
        Ok(Row {
            key: (0..n_key).map(value).collect::<Result<_, _>>()?,
            values: (n_key..n_key + table.columns.len())
                .map(value)
                .collect::<Result<_, _>>()?,
        })
    })?;
    rows.collect()
}

fn write(connection: &Connection, table: &Table, rows: &[Row]) -> rusqlite::Result<()> {
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        table.name,
        names(table.columns),
        vec!["?"; table.columns.len()].join(", ")
    );
    let mut statement = connection.prepare_cached(&sql)?;
    for row in rows {
        statement.execute(params_from_iter(row.values.iter().cloned().map(column)))?;
    }
    Ok(())
}

/// A value as all backends can keep it: PostgreSQL has no U+0000 in its texts.
fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::Int(n),
        // No column of ours holds fractions.
        ValueRef::Real(n) => Value::Text(n.to_string()),
        ValueRef::Text(text) => {
            Value::Text(String::from_utf8_lossy(text).replace('\0', "\u{fffd}"))
        }
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

fn column(value: Value) -> rusqlite::types::Value {
    match value {
        Value::Null => rusqlite::types::Value::Null,
        Value::Int(n) => n.into(),
        Value::Text(text) => text.into(),
        Value::Blob(bytes) => bytes.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::super::migrate::TABLES;
    use super::*;

    /// Tables that are not moved row by row, each for a reason that `migrate` gives.
    const OTHERS: &[&str] = &["article_change", "counter", "note"];

    fn columns(connection: &Connection, table: &str) -> BTreeSet<String> {
        let sql = "SELECT name FROM pragma_table_info(?1)";
        let mut statement = connection.prepare(sql).unwrap();
        let names = statement.query_map([table], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    }

    #[test]
    fn every_table_and_every_column_is_moved() {
        let folder = tempfile::tempdir().unwrap();
        let connection = schema::open_and_migrate(&folder.path().join("news.db")).unwrap();
        let sql = "SELECT name FROM sqlite_master
                   WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
        let mut statement = connection.prepare(sql).unwrap();
        let names = statement.query_map([], |row| row.get::<_, String>(0));
        let there: BTreeSet<String> = names.unwrap().map(Result::unwrap).collect();

        let moved = TABLES.iter().map(|table| table.name);
        let known: BTreeSet<String> = moved
            .chain(OTHERS.iter().copied())
            .map(str::to_owned)
            .collect();

        assert_eq!(there, known);
        for table in TABLES {
            let moved = table.columns.iter().map(|(name, _)| (*name).to_owned());
            assert_eq!(
                columns(&connection, table.name),
                moved.collect(),
                "{}",
                table.name
            );
        }
    }
}

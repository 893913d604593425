//! Recognising the database, and bringing its tables up to date.

use std::collections::BTreeSet;

use deadpool_postgres::{Client, GenericClient, Transaction};

use super::super::StoreError;
use super::Postgres;
use super::fault::Fault;
use super::statement::{execute, get, maybe_row, row, rows};

/// The schema, one file per version, with SQLite's numbers; never edited once released.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_many_workers.sql"),
];

/// The version that we write.
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// The oldest server with all that our statements need, `gen_random_uuid` above all.
const OLDEST_SERVER: i32 = 130_000;

/// What a database is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// No tables at all.
    Empty,
    /// Ours, in this version.
    Ours(u32),
    /// Another program's.
    Foreign,
}

/// Makes the tables, or brings them up to date. Any number of workers may do so at once:
/// each version is one transaction that begins by claiming its number, so that all but one
/// wait, find it taken, and look again.
pub(super) async fn migrate(store: &Postgres) -> Result<(), StoreError> {
    in_transaction!(store, transaction => check_server(&transaction))?;
    loop {
        let is_done = in_transaction!(store, transaction => step(&transaction, store.name()))?;
        if is_done {
            return Ok(());
        }
    }
}

/// One version further; whether there was none.
async fn step(transaction: &Transaction<'_>, store: &str) -> Result<bool, Fault> {
    let found = match recognised(transaction, store).await? {
        Some(version) => version,
        None => {
            // Who comes second waits here, and fails over the first one's table.
            let table = "CREATE TABLE wireroom_schema (version INTEGER PRIMARY KEY)";
            transaction.batch_execute(table).await?;
            0
        }
    };
    let Some(migration) = MIGRATIONS.get(found as usize) else {
        return Ok(true);
    };
    let version = i32::try_from(found + 1).unwrap_or(i32::MAX);
    execute(
        transaction,
        "INSERT INTO wireroom_schema (version) VALUES ($1)",
        &[&version],
    )
    .await?;
    transaction.batch_execute(migration).await?;
    Ok(false)
}

/// Whether the tables are there, and as this version knows them; for who may not make them.
pub(super) async fn check(client: &Client, store: &str) -> Result<(), Fault> {
    let found = match recognised(client, store).await? {
        Some(found) if found > 0 => found,
        _ => {
            return Err(Fault::Store(StoreError::Missing {
                store: store.to_owned(),
            }));
        }
    };
    if found < VERSION {
        return Err(Fault::Store(StoreError::Database(format!(
            "{store} has schema version {found}, and {VERSION} is needed; start `wireroom run` once to bring it up to date"
        ))));
    }
    Ok(())
}

/// The version of the tables; `None` where there are none.
pub(super) async fn version(client: &impl GenericClient) -> Result<u32, Fault> {
    let sql = "SELECT coalesce(max(version), 0) FROM wireroom_schema";
    let version: i32 = get(&row(client, sql, &[]).await?, 0)?;
    Ok(version.max(0).unsigned_abs())
}

/// Refuses what a later version wrote, and what was never ours, before anything is changed.
async fn recognised(client: &impl GenericClient, store: &str) -> Result<Option<u32>, Fault> {
    let found = match found(client).await? {
        Found::Empty => return Ok(None),
        Found::Ours(version) => version,
        Found::Foreign => {
            return Err(Fault::Store(StoreError::Corrupt {
                store: store.to_owned(),
                reason: "it is a database of another program".to_owned(),
            }));
        }
    };
    if found > VERSION {
        return Err(Fault::Store(StoreError::Newer {
            store: store.to_owned(),
            found,
            known: VERSION,
        }));
    }
    Ok(Some(found))
}

/// What lies in the schema in which tables would be made, but for what extensions brought.
async fn found(client: &impl GenericClient) -> Result<Found, Fault> {
    let sql = "SELECT c.relname::text FROM pg_class c
               JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')
                 AND NOT EXISTS (SELECT 1 FROM pg_depend d
                                 WHERE d.objid = c.oid AND d.deptype = 'e')";
    let mut tables = BTreeSet::new();
    for row in rows(client, sql, &[]).await? {
        tables.insert(get::<String>(&row, 0)?);
    }
    if tables.contains("wireroom_schema") {
        return Ok(Found::Ours(version(client).await?));
    }
    Ok(match tables.is_empty() {
        true => Found::Empty,
        false => Found::Foreign,
    })
}

async fn check_server(client: &impl GenericClient) -> Result<(), Fault> {
    let sql = "SELECT current_setting('server_version_num'), current_setting('server_version')";
    let Some(row) = maybe_row(client, sql, &[]).await? else {
        return Ok(());
    };
    let (number, name): (String, String) = (get(&row, 0)?, get(&row, 1)?);
    match number.parse::<i32>() {
        Ok(number) if number < OLDEST_SERVER => Err(Fault::Store(StoreError::Database(format!(
            "the server runs PostgreSQL {name}, and 13 or later is needed"
        )))),
        _ => Ok(()),
    }
}

//! Notes: what outlives a process, by name.

use deadpool_postgres::GenericClient;

use super::fault::Fault;
use super::statement::{execute, get, maybe_row};

pub(super) async fn set_note(
    client: &impl GenericClient,
    name: &str,
    text: &str,
) -> Result<(), Fault> {
    let sql = "INSERT INTO note (name, text) VALUES ($1, $2)
               ON CONFLICT (name) DO UPDATE SET text = excluded.text";
    execute(client, sql, &[&name, &text]).await?;
    Ok(())
}

pub(super) async fn note(client: &impl GenericClient, name: &str) -> Result<Option<String>, Fault> {
    let sql = "SELECT text FROM note WHERE name = $1";
    match maybe_row(client, sql, &[&name]).await? {
        Some(row) => Ok(Some(get(&row, 0)?)),
        None => Ok(None),
    }
}

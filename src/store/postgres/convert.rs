//! Between our types and columns: PostgreSQL's are signed, like SQLite's, but know their width.

use tokio_postgres::Row;

use super::super::column::natural;
use super::super::record::Lease;
use super::fault::Fault;
use super::statement::get;
use crate::model::{N_SHARDS, Shard};

/// A shard as columns hold it.
pub(super) fn shard_column(shard: Shard) -> i16 {
    i16::try_from(shard.0).unwrap_or(i16::MAX)
}

/// A shard from its column.
pub(super) fn shard(row: &Row, column: usize) -> Result<Shard, Fault> {
    let shard: i16 = get(row, column)?;
    Ok(Shard(shard.unsigned_abs() % N_SHARDS))
}

/// A count from a `BIGINT`.
pub(super) fn count(row: &Row, column: usize) -> Result<u64, Fault> {
    Ok(natural(get(row, column)?))
}

/// A small count from an `INTEGER`.
pub(super) fn small_count(row: &Row, column: usize) -> Result<u32, Fault> {
    let n: i32 = get(row, column)?;
    Ok(n.max(0).unsigned_abs())
}

/// An HTTP status from an `INTEGER`.
pub(super) fn status(row: &Row, column: usize) -> Result<Option<u16>, Fault> {
    let status: Option<i32> = get(row, column)?;
    Ok(status.and_then(|status| u16::try_from(status).ok()))
}

/// The shards that this process owns, as two columns: shards and epochs.
pub(super) fn held_columns(held: &[(Shard, u64)]) -> (Vec<i16>, Vec<i64>) {
    held.iter()
        .map(|(shard, epoch)| (shard_column(*shard), epoch.cast_signed()))
        .unzip()
}

/// The lease on the shard in `column`, with its epoch from the next one.
pub(super) fn lease(row: &Row, column: usize) -> Result<Lease, Fault> {
    Ok(Lease {
        shard: shard(row, column)?,
        epoch: count(row, column + 1)?,
    })
}

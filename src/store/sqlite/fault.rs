//! From SQLite's error codes to the cases that callers treat differently.

use std::path::Path;

use rusqlite::ErrorCode;

use super::super::StoreError;

/// What goes wrong inside a command: the database, or a case of ours.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The database said no.
    Sql(rusqlite::Error),
    /// A case of ours, already typed.
    Store(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    /// The same, typed for the callers of the store at `path`.
    pub(super) fn at(self, path: &Path) -> StoreError {
        match self {
            Self::Sql(error) => at(path, &error),
            Self::Store(error) => error,
        }
    }

    /// Whether the file itself is damaged.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Sql(error) => is_damage(error),
            Self::Store(StoreError::Corrupt { .. }) => true,
            Self::Store(_) => false,
        }
    }
}

/// Whether an error says that the file is damaged or no database.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// An error of the database in the terms of the store at `path`.
pub(super) fn at(path: &Path, error: &rusqlite::Error) -> StoreError {
    let reason = error.to_string();
    if is_unreadable(error) {
        return StoreError::Corrupt {
            store: name(path),
            reason,
        };
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => StoreError::Corrupt {
            store: name(path),
            reason,
        },
        Some(
            ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::SystemIoFailure,
        ) => unwritable(path, &reason),
        Some(ErrorCode::DiskFull) => StoreError::Full { store: name(path) },
        Some(ErrorCode::OperationInterrupted) => {
            StoreError::Database("the question took too long and was stopped".to_owned())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Database(
            "another process has been writing for too long; try again".to_owned(),
        ),
        _ => StoreError::Database(reason),
    }
}

/// Whether a column holds what we never write there: the tables are STRICT, so only damage
/// puts text that is not UTF-8, or a number out of its range, into a row.
fn is_unreadable(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::Utf8Error(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
    )
}

/// The store at `path`, as errors name it.
pub(super) fn name(path: &Path) -> String {
    path.display().to_string()
}

pub(super) fn unwritable(path: &Path, reason: &str) -> StoreError {
    StoreError::Unwritable {
        store: name(path),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn check(code: std::ffi::c_int, is_expected: fn(&StoreError) -> bool) {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);

        let typed = at(Path::new("news.db"), &error);

        assert!(is_expected(&typed), "{code}: {typed:?}");
    }

    #[test]
    fn what_sqlite_says_becomes_what_callers_tell_apart() {
        check(ffi::SQLITE_NOTADB, |e| {
            matches!(e, StoreError::Corrupt { .. })
        });
        check(ffi::SQLITE_CORRUPT, |e| {
            matches!(e, StoreError::Corrupt { .. })
        });
        check(ffi::SQLITE_READONLY, |e| {
            matches!(e, StoreError::Unwritable { .. })
        });
        check(ffi::SQLITE_CANTOPEN, |e| {
            matches!(e, StoreError::Unwritable { .. })
        });
        check(ffi::SQLITE_IOERR, |e| {
            matches!(e, StoreError::Unwritable { .. })
        });
        check(ffi::SQLITE_FULL, |e| matches!(e, StoreError::Full { .. }));
        check(ffi::SQLITE_BUSY, |e| matches!(e, StoreError::Database(_)));
    }

    #[test]
    fn a_row_that_cannot_be_read_is_damage() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        for sql in ["SELECT CAST(x'ff' AS TEXT)", "SELECT x'ff'", "SELECT NULL"] {
            let error = connection
                .query_row(sql, [], |row| row.get::<_, String>(0))
                .unwrap_err();

            let typed = at(Path::new("news.db"), &error);

            assert!(matches!(typed, StoreError::Corrupt { .. }), "{typed:?}");
        }
    }
}

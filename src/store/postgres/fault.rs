//! From SQLSTATEs to the cases that callers treat differently, and which of them pass when
//! the work is done again (PostgreSQL documentation, appendix A).

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use deadpool_postgres::{Client, HookError, PoolError, TimeoutType};
use tokio_postgres::error::SqlState;

use super::super::StoreError;

/// What goes wrong inside a piece of work: the database, or a case of ours.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The database said no, or was not there.
    Sql(tokio_postgres::Error),
    /// No connection in time.
    NoConnection(String),
    /// Rows changed under our hands: they do not fit together.
    Torn,
    /// A case of ours, already typed.
    Store(StoreError),
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                Self::Sql(error)
            }
            PoolError::Timeout(TimeoutType::Wait) => {
                Self::NoConnection("all connections are busy".to_owned())
            }
            PoolError::Timeout(_) => Self::NoConnection("no answer".to_owned()),
            PoolError::Closed => {
                Self::Store(StoreError::Database("the store is closed".to_owned()))
            }
            other => Self::NoConnection(other.to_string()),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Why work is done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Another transaction was in the way, or was first: on the same connection, at once.
    Conflict,
    /// The connection is of no use any more: on another, when the server is back.
    Connection,
}

impl Fault {
    /// Whether doing the work again may succeed, and how. A commit that was cut off may have
    /// happened: all of our work may be done twice.
    pub(super) fn again(&self) -> Option<Again> {
        let error = match self {
            Self::Sql(error) => error,
            Self::Torn => return Some(Again::Conflict),
            Self::NoConnection(_) | Self::Store(_) => return None,
        };
        let Some(state) = error.code() else {
            return is_lost(error).then_some(Again::Connection);
        };
        match *state {
            SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::FOREIGN_KEY_VIOLATION
            | SqlState::UNIQUE_VIOLATION
            // Two workers make the first table at once.
            | SqlState::DUPLICATE_TABLE
            | SqlState::LOCK_NOT_AVAILABLE => Some(Again::Conflict),
            // A statement was prepared before a migration.
            SqlState::FEATURE_NOT_SUPPORTED if error.to_string().contains("cached plan") => {
                Some(Again::Connection)
            }
            // Or by another client of a pooler in between.
            SqlState::INVALID_SQL_STATEMENT_NAME | SqlState::DUPLICATE_PSTATEMENT => {
                Some(Again::Connection)
            }
            SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN
            | SqlState::CANNOT_CONNECT_NOW
            | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Some(Again::Connection),
            _ if state.code().starts_with("08") => Some(Again::Connection),
            _ => None,
        }
    }

    /// The same, typed for the callers of `store`.
    pub(super) fn of(self, store: &str) -> StoreError {
        match self {
            Self::Sql(error) => of(store, &error),
            Self::NoConnection(reason) => unreachable(store, reason),
            Self::Torn => {
                StoreError::Database("rows that belong together do not fit together".to_owned())
            }
            Self::Store(error) => error,
        }
    }
}

/// Gives a connection back behind some work, or, if it is of no use any more, leaves it out
/// of the pool for good.
pub(super) fn part<T>(client: Client, done: &Result<T, Fault>) {
    if let Err(fault) = done
        && fault.again() == Some(Again::Connection)
    {
        drop(Client::take(client));
    }
}

/// Whether there is no server at the other end, or it said nothing that is an answer.
fn is_lost(error: &tokio_postgres::Error) -> bool {
    error.is_closed()
        || error
            .source()
            .is_some_and(|source| source.is::<std::io::Error>())
}

/// An error of the database in the terms of `store`.
fn of(store: &str, error: &tokio_postgres::Error) -> StoreError {
    let reason = words(error);
    let Some(state) = error.code() else {
        return without_state(store, error, reason);
    };
    let store = store.to_owned();
    match *state {
        SqlState::DISK_FULL => StoreError::Full { store },
        SqlState::INSUFFICIENT_PRIVILEGE
        | SqlState::READ_ONLY_SQL_TRANSACTION
        | SqlState::INVALID_SCHEMA_NAME => StoreError::Unwritable { store, reason },
        SqlState::QUERY_CANCELED => {
            StoreError::Database("the question took too long and was stopped".to_owned())
        }
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => {
            StoreError::Corrupt { store, reason }
        }
        SqlState::UNDEFINED_DATABASE => unreachable(
            &store,
            format!("{reason}; make it with `createdb`, or correct [store] url"),
        ),
        SqlState::INVALID_PASSWORD => unreachable(
            &store,
            format!("{reason}; set [store] password_file or WIREROOM_STORE_PASSWORD"),
        ),
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => unreachable(
            &store,
            format!("{reason}; look at the server's pg_hba.conf"),
        ),
        SqlState::TOO_MANY_CONNECTIONS => unreachable(
            &store,
            format!("{reason}; raise the server's max_connections, or run fewer workers"),
        ),
        _ if state.code().starts_with("08") || state.code().starts_with("57P") => {
            unreachable(&store, reason)
        }
        _ => StoreError::Database(format!("{reason} (SQLSTATE {})", state.code())),
    }
}

pub(super) fn unreachable(store: &str, reason: impl Into<String>) -> StoreError {
    StoreError::Unreachable {
        store: store.to_owned(),
        reason: reason.into(),
    }
}

/// An error that the server did not name. tokio-postgres tells its kinds apart by their
/// words alone.
fn without_state(store: &str, error: &tokio_postgres::Error, reason: String) -> StoreError {
    const OURS: &[&str] = &[
        "error serializing",
        "invalid column",
        "expected",
        "query returned",
    ];
    let kind = error.to_string();
    if kind.starts_with("error deserializing") {
        return StoreError::Corrupt {
            store: store.to_owned(),
            reason,
        };
    }
    if OURS.iter().any(|words| kind.starts_with(words)) {
        return StoreError::Database(reason);
    }
    unreachable(store, reason)
}

/// The error in words: the server's own, else with all of its causes.
fn words(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return match said.hint() {
            Some(hint) => format!("{} ({hint})", said.message()),
            None => said.message().to_owned(),
        };
    }
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = error.source();
    }
    words
}

/// How often one piece of work is done again at most, and how long it waits before.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    n_conflicts: u32,
    n_lost: u32,
}

/// Conflicts in a row that are no accident any more.
const MAX_CONFLICTS: u32 = 12;
/// Lost connections in a row: together some 3 s, in which a server can start again.
const MAX_LOST: u32 = 5;

impl Attempts {
    /// How long to wait before the work is done again; `None`: not again.
    pub(super) fn pause(&mut self, fault: &Fault) -> Option<Duration> {
        let (n, most, first_ms) = match fault.again()? {
            Again::Conflict => (&mut self.n_conflicts, MAX_CONFLICTS, 2),
            Again::Connection => (&mut self.n_lost, MAX_LOST, 100),
        };
        *n += 1;
        // Half of the pause is chance, so that those who met do not meet again.
        let longest: u64 = first_ms << n.saturating_sub(1).min(7);
        let chance = RandomState::new().hash_one(*n) % (longest / 2 + 1);
        (*n <= most).then(|| Duration::from_millis(longest / 2 + chance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_of_ours_stays_as_it_is() {
        let fault = Fault::from(StoreError::Fenced);

        assert_eq!(fault.again(), None);
        assert!(matches!(fault.of("postgres://h/news"), StoreError::Fenced));
    }
}

//! What is decided between fetch and record. Pure: values in, values out.

mod poll;
mod scrape;

use crate::feed::ParseError;
use crate::fetch::Exchange;
use crate::model::{ErrorKind, Failure};
use crate::store::Cost;

pub use poll::PollOutcome;
pub(super) use poll::{Reading, poll};
pub(super) use scrape::{failed_scrape, scrape};

/// Why a document is no feed, as it is recorded.
pub(super) fn parse_failure(error: &ParseError) -> Failure {
    let kind = match error {
        ParseError::Empty => ErrorKind::Empty,
        ParseError::NotAFeed { .. } => ErrorKind::NotAFeed,
        ParseError::Encoding => ErrorKind::Encoding,
        ParseError::Broken { .. } => ErrorKind::Parse,
        ParseError::Limit { .. } => ErrorKind::Limit,
    };
    Failure::new(kind, error.to_string())
}

/// What an exchange cost, for the log.
pub(super) fn cost<T>(exchange: &Exchange<T>) -> Cost {
    Cost {
        status: exchange.status,
        n_bytes: exchange.n_bytes,
        duration: exchange.duration,
    }
}

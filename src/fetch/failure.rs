//! What went wrong, as one of our kinds: by status, and by what lies under the HTTP
//! client's own error, whose top message says nothing.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::StatusCode;
use url::Url;

use super::address_guard::Refusal;
use super::body::BodyError;
use super::content_coding::DecodeError;
use super::headers::shown;
use crate::model::{ErrorKind, Failure};

/// The failure that a status means by itself.
pub(super) fn of_status(status: StatusCode, retry_after: Option<Duration>, url: &Url) -> Failure {
    let kind = match status.as_u16() {
        401 | 407 => ErrorKind::Auth,
        403 | 451 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        410 => ErrorKind::Gone,
        429 => ErrorKind::RateLimited,
        502..=504 => ErrorKind::Unavailable,
        204 | 205 => ErrorKind::Empty,
        _ => ErrorKind::HttpStatus,
    };
    let detail = format!("{} answered {}", shown(url), status.as_u16());
    Failure {
        status: Some(status.as_u16()),
        retry_after,
        ..Failure::new(kind, detail)
    }
}

/// The failure of a request that got no answer.
pub(super) fn of_request(error: &reqwest::Error, url: &Url) -> Failure {
    if let Some(refusal) = causes(error).find_map(|cause| cause.downcast_ref::<Refusal>()) {
        return refusal.clone().into_failure(url);
    }
    let kind = match kind_of(error) {
        // Nothing had come that could be cut short: the end came during the TLS handshake, or
        // instead of an answer.
        Some(ErrorKind::Truncated) if error.is_connect() => ErrorKind::Tls,
        Some(ErrorKind::Truncated) => ErrorKind::Reset,
        Some(kind) => kind,
        None if error.is_timeout() => ErrorKind::Timeout,
        None if error.is_connect() => ErrorKind::Connect,
        None if error.is_builder() => ErrorKind::InvalidUrl,
        None => ErrorKind::Protocol,
    };
    Failure::new(kind, format!("{}: {}", shown(url), deepest(error)))
}

/// The failure of a body that was not read to its end.
pub(super) fn of_body(
    error: BodyError<DecodeError<reqwest::Error>>,
    max_bytes: u64,
    url: &Url,
) -> Failure {
    let failed = |kind, what: &str| Failure::new(kind, format!("{}: {what}", shown(url)));
    match error {
        BodyError::TooLarge => failed(
            ErrorKind::TooLarge,
            &format!("the body is larger than {max_bytes} bytes"),
        ),
        BodyError::TooSlow => failed(
            ErrorKind::TooSlow,
            "the body came slower than 100 bytes a second",
        ),
        BodyError::Unwanted(failure) => failure,
        BodyError::Broken(error @ DecodeError::Bomb) => {
            failed(ErrorKind::Limit, &error.to_string())
        }
        BodyError::Broken(DecodeError::Coding(error)) => {
            failed(ErrorKind::Decompress, &error.to_string())
        }
        BodyError::Broken(DecodeError::Wire(error)) => {
            failed(kind_of_broken_body(&error), &deepest(&error))
        }
    }
}

fn kind_of_broken_body(error: &reqwest::Error) -> ErrorKind {
    if error.is_timeout() {
        return ErrorKind::Timeout;
    }
    match kind_of(error) {
        // Once a part has come, it does not matter how the connection ended.
        Some(ErrorKind::Reset | ErrorKind::Connect) => ErrorKind::Truncated,
        Some(kind) => kind,
        None => ErrorKind::Protocol,
    }
}

/// The kind that the innermost cause with a meaning gives.
fn kind_of(error: &reqwest::Error) -> Option<ErrorKind> {
    causes(error).filter_map(kind_of_cause).last()
}

fn kind_of_cause(cause: &(dyn Error + 'static)) -> Option<ErrorKind> {
    if cause.is::<rustls::Error>() {
        return Some(ErrorKind::Tls);
    }
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        return kind_of_io(error.kind());
    }
    kind_of_text(&cause.to_string())
}

/// hyper's own errors cannot be told apart by type; `tests/it/fetching.rs` pins the texts.
fn kind_of_text(text: &str) -> Option<ErrorKind> {
    let kinds = [
        ("end of file before message length", ErrorKind::Truncated),
        ("unexpected EOF", ErrorKind::Truncated),
        ("closed before message completed", ErrorKind::Reset),
        ("message head is too large", ErrorKind::Limit),
        ("invalid HTTP", ErrorKind::Protocol),
        ("nvalid chunk", ErrorKind::Protocol),
        ("over limit", ErrorKind::Limit),
        ("trailers count overflow", ErrorKind::Limit),
        ("invalid content-length", ErrorKind::Protocol),
        ("http2 error", ErrorKind::Protocol),
    ];
    let known = kinds.iter().find(|(part, _)| text.contains(part))?;
    Some(known.1)
}

fn kind_of_io(kind: io::ErrorKind) -> Option<ErrorKind> {
    Some(match kind {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable => ErrorKind::Connect,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected => ErrorKind::Reset,
        io::ErrorKind::UnexpectedEof => ErrorKind::Truncated,
        io::ErrorKind::TimedOut => ErrorKind::Timeout,
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => ErrorKind::Protocol,
        _ => return None,
    })
}

/// The message of the innermost cause: the one that tells something.
fn deepest(error: &reqwest::Error) -> String {
    let last = causes(error).last();
    last.map_or_else(|| "failed".to_owned(), ToString::to_string)
}

/// What lies under an error, from the outside in, at most 20 deep. An `io::Error` that only
/// carries another does not name it as its source, so we look inside.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    fn next<'a>(error: &&'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        let error: &'a (dyn Error + 'static) = *error;
        match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(carried) => Some(carried),
            None => error.source(),
        }
    }
    std::iter::successors(error.source(), next).take(20)
}

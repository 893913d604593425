//! Times and counts as columns hold them, on every backend.

use std::borrow::Cow;

use jiff::Timestamp;

/// A time as the columns hold it: Unix milliseconds.
pub(super) fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A time from a column; what lies outside of all calendars is the epoch.
pub(super) fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A count as a column holds it; the largest that fits where it is larger.
pub(super) fn int(n: impl TryInto<i64>) -> i64 {
    n.try_into().unwrap_or(i64::MAX)
}

/// A count from a column; columns are signed, and no count of ours is negative.
pub(super) fn natural(n: i64) -> u64 {
    n.max(0).unsigned_abs()
}

/// A text as every backend can keep it: PostgreSQL has no U+0000, so none of them keeps it.
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    match text.contains('\0') {
        true => Cow::Owned(text.replace('\0', "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}

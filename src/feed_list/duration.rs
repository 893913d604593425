//! Time spans as people write them: `30m`, `1h 30m`, `1d`.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// Reads a span in jiff's friendly form or ISO 8601; a day is 24 hours. `None` when it is
/// no span, or not positive.
pub(super) fn read(text: &str) -> Option<Duration> {
    let span: Span = text.trim().parse().ok()?;
    let span = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(span).ok().filter(|span| !span.is_zero())
}

/// Writes a span so that [`read`] gives the same one.
pub(super) fn write(span: Duration) -> String {
    match SignedDuration::try_from(span) {
        Ok(span) => format!("{span:#}"),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("30m", 1800),
            ("1h 30m", 5400),
            ("1d", 86400),
            ("90 seconds", 90),
            ("PT15M", 900),
        ] {
            assert_eq!(read(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "30", "-5m", "0s", "soon"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

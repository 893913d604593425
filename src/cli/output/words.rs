//! Times and numbers as people say them.

use jiff::{SignedDuration, Timestamp};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A moment for people, to the second: `2026-11-23 12:00:00 UTC`.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// How long ago something was: `just now`, `3 min ago`, `2 h ago`, `5 d ago`.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    let since = now.duration_since(then);
    if since < SignedDuration::from_secs(10) {
        return "just now".to_owned();
    }
    format!("{} ago", span(since))
}

/// How long until something: `now`, `in 3 min`.
pub(crate) fn until(then: Timestamp, now: Timestamp) -> String {
    let left = then.duration_since(now);
    if left <= SignedDuration::ZERO {
        return "now".to_owned();
    }
    format!("in {}", span(left))
}

/// A span in its largest unit, rounded down: `45 s`, `3 min`, `2 h`, `5 d`.
fn span(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    match seconds {
        ..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        DAY.. => format!("{} d", seconds / DAY),
    }
}

/// So many of something: `1 feed`, `2,000 feeds`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A number with its thousands apart: `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Bytes in binary units: `512 B`, `1.5 KiB`, `12.3 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // Tenths of the unit, so that no float is needed.
    let mut tenths = bytes.saturating_mul(10) / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_told_from_now() {
        let now = at("2026-11-23T12:00:00Z");

        assert_eq!(
            moment(at("2026-11-23T12:00:00.123Z")),
            "2026-11-23 12:00:00 UTC"
        );
        assert_eq!(ago(at("2026-11-23T11:59:55Z"), now), "just now");
        assert_eq!(ago(at("2026-11-23T11:59:15Z"), now), "45 s ago");
        assert_eq!(ago(at("2026-11-23T11:56:59Z"), now), "3 min ago");
        assert_eq!(ago(at("2026-11-20T12:00:00Z"), now), "3 d ago");
        assert_eq!(ago(at("2026-11-23T13:00:00Z"), now), "just now");
        assert_eq!(until(at("2026-11-23T14:30:00Z"), now), "in 2 h");
        assert_eq!(until(at("2026-11-23T11:00:00Z"), now), "now");
    }

    #[test]
    fn numbers_are_grouped_and_sizes_scaled() {
        assert_eq!(counted(1, "feed"), "1 feed");
        assert_eq!(counted(2000, "feed"), "2,000 feeds");
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(size(512), "512 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(12 << 20), "12.0 MiB");
        assert_eq!(size(u64::MAX), "1677721.5 TiB");
    }
}

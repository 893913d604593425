//! How one value is read, from TOML or from an environment variable, and shown again.
//!
//! Readers return the reason why not, in words that follow `KEY: `.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use jiff::{Span, SpanRelativeTo};
use toml::de::DeValue;
use url::Url;

/// Longest span that a setting may have. Beyond it lies a typing error.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// A value as it was given, and the folder that relative paths in it start from.
pub(super) struct Given<'a> {
    /// The value.
    pub(super) value: Value<'a>,
    /// The configuration file's folder, or the working directory for a variable.
    pub(super) folder: &'a Path,
}

/// Who gave the value decides its form.
pub(super) enum Value<'a> {
    /// A TOML value.
    Toml(&'a DeValue<'a>),
    /// The text of an environment variable; lists are separated by commas.
    Text(&'a str),
}

impl Given<'_> {
    /// A string, as it stands.
    pub(super) fn text(&self) -> Result<String, String> {
        match &self.value {
            Value::Toml(DeValue::String(text)) => Ok(text.to_string()),
            Value::Toml(other) => Err(wants("a string", other)),
            Value::Text(text) => Ok((*text).to_owned()),
        }
    }

    /// A list of strings; a single string is a list of one.
    pub(super) fn texts(&self) -> Result<Vec<String>, String> {
        match &self.value {
            Value::Toml(DeValue::Array(items)) => items
                .iter()
                .map(|item| match item.get_ref() {
                    DeValue::String(text) => Ok(text.to_string()),
                    other => Err(wants("a list of strings", other)),
                })
                .collect(),
            Value::Toml(DeValue::String(text)) => Ok(vec![text.to_string()]),
            Value::Toml(other) => Err(wants("a list of strings", other)),
            Value::Text(text) => Ok(text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect()),
        }
    }

    /// True or false.
    pub(super) fn flag(&self) -> Result<bool, String> {
        match &self.value {
            Value::Toml(DeValue::Boolean(flag)) => Ok(*flag),
            Value::Toml(other) => Err(wants("true or false", other)),
            Value::Text("true" | "1" | "yes" | "on") => Ok(true),
            Value::Text("false" | "0" | "no" | "off") => Ok(false),
            Value::Text(other) => Err(format!("{other:?} is not true or false")),
        }
    }

    /// A whole number within bounds.
    pub(super) fn count(&self, bounds: RangeInclusive<usize>) -> Result<usize, String> {
        let number = match &self.value {
            Value::Toml(DeValue::Integer(number)) => {
                i128::from_str_radix(number.as_str(), number.radix()).ok()
            }
            Value::Toml(other) => return Err(wants("a whole number", other)),
            Value::Text(text) => text.trim().parse().ok(),
        };
        let (least, most) = (*bounds.start(), *bounds.end());
        number
            .and_then(|number| usize::try_from(number).ok())
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| format!("must be a whole number from {least} to {most}"))
    }

    /// A span of time: `"1h 30m"`, `"500ms"`, or a number of seconds.
    pub(super) fn duration(&self) -> Result<Duration, String> {
        let span = match &self.value {
            Value::Toml(DeValue::Integer(number)) => parse_seconds(number.as_str()),
            Value::Toml(DeValue::Float(number)) => parse_seconds(number.as_str()),
            Value::Toml(DeValue::String(text)) => parse_duration(text),
            Value::Toml(other) => return Err(wants("a time span such as \"30m\"", other)),
            Value::Text(text) => parse_duration(text),
        };
        span.ok_or_else(|| {
            "is not a time span; write it like \"30m\", \"1h 30m\", \"500ms\", or as seconds"
                .to_owned()
        })
    }

    /// A size in bytes: `"10 MiB"`, `"5MB"`, or a number of bytes, from 1 KiB to 1 GiB.
    pub(super) fn bytes(&self) -> Result<u64, String> {
        let size = match &self.value {
            Value::Toml(DeValue::Integer(number)) if number.radix() == 10 => {
                parse_bytes(number.as_str())
            }
            Value::Toml(DeValue::String(text)) => parse_bytes(text),
            Value::Toml(other) => return Err(wants("a size such as \"10 MiB\"", other)),
            Value::Text(text) => parse_bytes(text),
        };
        let size = size.ok_or("is not a size; write it like \"10 MiB\", \"5MB\", or as bytes")?;
        if (1 << 10..=1 << 30).contains(&size) {
            Ok(size)
        } else {
            Err("must be from 1 KiB to 1 GiB".to_owned())
        }
    }

    /// Networks: `10.1.0.0/16`, `fd00::/8`, or a single address.
    pub(super) fn networks(&self) -> Result<Vec<IpNet>, String> {
        self.texts()?
            .iter()
            .map(|text| parse_network(text))
            .collect()
    }

    /// A path, made to start from the right folder.
    pub(super) fn path(&self) -> Result<PathBuf, String> {
        resolve(&self.text()?, self.folder)
    }

    /// A text that can stand in a request header: visible ASCII and single spaces.
    pub(super) fn header_text(&self) -> Result<String, String> {
        let text = self.text()?;
        let fits = |c: char| c == ' ' || c.is_ascii_graphic();
        if text.trim().is_empty() || text.len() > 200 || text.trim() != text {
            return Err("must have 1 to 200 characters, none of them space at the ends".into());
        }
        if !text.chars().all(fits) {
            return Err("must consist of ASCII letters, digits, signs and spaces".into());
        }
        Ok(text)
    }
}

/// A path from a configuration, made to start from `folder`.
pub(super) fn resolve(path: &str, folder: &Path) -> Result<PathBuf, String> {
    if path.is_empty() || path.contains('\0') {
        return Err("names no file".into());
    }
    if path == "~" || path.starts_with("~/") {
        return Err("`~` is not expanded; write the path in full".into());
    }
    Ok(folder.join(path).components().collect())
}

/// What stands where something else was wanted.
fn wants(wanted: &str, found: &DeValue<'_>) -> String {
    format!("must be {wanted}, not {}", article(found.type_str()))
}

fn article(noun: &str) -> String {
    match noun.chars().next() {
        Some('a' | 'i' | 'o') => format!("an {noun}"),
        _ => format!("a {noun}"),
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    parse_seconds(text).or_else(|| {
        let span: Span = text.parse().ok()?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        Duration::try_from(duration)
            .ok()
            .filter(|span| *span <= LONGEST)
    })
}

fn parse_seconds(text: &str) -> Option<Duration> {
    // Milliseconds are as fine as any setting needs, and `1.1` stays 1.1 s exactly.
    let seconds: f64 = text.parse().ok()?;
    let span = Duration::try_from_secs_f64(seconds).ok()?;
    let millis = u64::try_from(span.as_micros().div_ceil(500) / 2).ok()?;
    let span = if seconds == 0.0 || millis > 0 {
        Duration::from_millis(millis)
    } else {
        span
    };
    Some(span).filter(|span| *span <= LONGEST)
}

fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        _ => return None,
    };
    if let Ok(number) = number.parse::<u64>() {
        return number.checked_mul(factor);
    }
    let size = number.parse::<f64>().ok()? * factor as f64;
    (size.is_finite() && size < 1e15).then_some(size as u64)
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    if let Ok(network) = text.parse::<IpNet>() {
        let truncated = network.trunc();
        if truncated != network {
            return Err(format!(
                "{text} has bits behind its prefix; did you mean {truncated}?"
            ));
        }
        return Ok(network);
    }
    text.parse::<std::net::IpAddr>()
        .map(IpNet::from)
        .map_err(|_| format!("{text:?} is neither an IP address nor a network such as 10.0.0.0/8"))
}

/// A span in the form in which a person would write it: `1h 30m`, `500ms`, `0s`.
pub(super) fn show_duration(span: Duration) -> String {
    let millis = span.as_millis();
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (millis, "ms"),
    ];
    let shown: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if shown.is_empty() {
        "0s".to_owned()
    } else {
        shown.join(" ")
    }
}

/// A size in the largest binary unit that divides it.
pub(super) fn show_bytes(bytes: u64) -> String {
    for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
        if bytes >= 1 << shift && bytes.trailing_zeros() >= shift {
            return format!("{} {unit}", bytes >> shift);
        }
    }
    format!("{bytes} B")
}

/// A network; a single address without its prefix.
pub(super) fn show_network(network: &IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() {
        network.addr().to_string()
    } else {
        network.to_string()
    }
}

/// A URL with `***` in the place of a password.
pub(super) fn show_url(url: &Url) -> String {
    let mut url = url.clone();
    if url.password().is_some() {
        // Only URLs that cannot have a password refuse one.
        let _ = url.set_password(Some("***"));
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: &str) -> Given<'_> {
        Given {
            value: Value::Text(value),
            folder: Path::new("/etc"),
        }
    }

    #[test]
    fn time_spans_are_read_as_people_write_them() {
        let cases = [
            ("30m", 1_800_000),
            ("1h 30m", 5_400_000),
            ("500ms", 500),
            ("1 day", 86_400_000),
            ("2", 2_000),
            ("0", 0),
            ("0s", 0),
            ("1.1", 1_100),
            ("PT15M", 900_000),
        ];
        for (written, millis) in cases {
            assert_eq!(
                text(written).duration(),
                Ok(Duration::from_millis(millis)),
                "{written}"
            );
        }
    }

    #[test]
    fn what_is_no_time_span_is_refused() {
        for written in ["", "soon", "-1s", "-3", "nan", "inf", "1e300", "99999999h"] {
            assert!(text(written).duration().is_err(), "{written}");
        }
    }

    #[test]
    fn sizes_know_binary_and_decimal_units() {
        assert_eq!(text("10 MiB").bytes(), Ok(10 << 20));
        assert_eq!(text("5MB").bytes(), Ok(5_000_000));
        assert_eq!(text("1.5 MiB").bytes(), Ok(3 << 19));
        assert_eq!(text("4096").bytes(), Ok(4096));
        for written in ["", "MiB", "10 apples", "1..5M", "-1", "2 GiB", "1"] {
            assert!(text(written).bytes().is_err(), "{written}");
        }
    }

    #[test]
    fn networks_may_be_single_addresses_but_not_half_written() {
        let networks = text("10.1.2.0/24, ::1,127.0.0.1").networks().unwrap();

        let shown: Vec<String> = networks.iter().map(show_network).collect();
        assert_eq!(shown, ["10.1.2.0/24", "::1", "127.0.0.1"]);
        assert!(
            text("10.1.2.3/24")
                .networks()
                .unwrap_err()
                .contains("10.1.2.0/24")
        );
        assert!(text("intranet").networks().is_err());
    }

    #[test]
    fn counts_stay_within_their_bounds() {
        assert_eq!(text("5").count(1..=10), Ok(5));
        for written in ["0", "11", "-1", "five", "99999999999999999999999"] {
            assert!(text(written).count(1..=10).is_err(), "{written}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let url = Url::parse("http://ada:secret@proxy.example:3128/").unwrap();

        assert_eq!(show_url(&url), "http://ada:***@proxy.example:3128/");
    }

    #[test]
    fn header_texts_cannot_break_out_of_their_line() {
        assert!(
            text("wireroom (+https://example.org)")
                .header_text()
                .is_ok()
        );
        assert!(text("a\r\nHost: b").header_text().is_err());
        assert!(text("").header_text().is_err());
    }

    proptest! {
        #[test]
        fn a_shown_span_is_read_back_unchanged(millis in 0_u64..10_000_000_000) {
            let span = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&show_duration(span)), Some(span));
        }

        #[test]
        fn a_shown_size_is_read_back_unchanged(bytes in 0_u64..1 << 40) {
            prop_assert_eq!(parse_bytes(&show_bytes(bytes)), Some(bytes));
        }

        #[test]
        fn no_text_makes_a_reader_panic(any in ".*") {
            let given = text(&any);
            let _ = (given.duration(), given.bytes(), given.networks(), given.count(0..=9));
            let _ = (given.path(), given.flag(), given.header_text(), given.texts());
        }
    }
}

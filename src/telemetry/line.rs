//! What one log line looks like.
//!
//! Titles, URLs, reason phrases and host names come from outside and may hold line breaks
//! and terminal escapes. A text line shows them as escapes, so that no feed can forge a
//! line or move the cursor; JSON escapes by itself.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Longest value of one field in a text line, in characters.
const MAX_VALUE_CHARS: usize = 500;

/// For whom a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A person at a terminal: time, coloured level, message, fields.
    Colored,
    /// A file or a pipe: the same without colour.
    Plain,
    /// The journal, which keeps the time itself: a priority `<N>` (sd-daemon(3)), message, fields.
    Journal,
    /// A program: one JSON object.
    Json,
}

/// Writes events in one style.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line(pub(super) Style);

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = *event.metadata().level();
        let now = now();
        let line = match self.0 {
            Style::Json => json(now, level, event.metadata().target(), &fields),
            Style::Journal => format!("<{}>{}", priority(level), text(&fields)),
            Style::Plain => format!("{now:.0} {:<5} {}", level.as_str(), text(&fields)),
            Style::Colored => {
                let color = color(level);
                let level = level.as_str();
                format!(
                    "\x1b[2m{now:.0}\x1b[0m {color}{level:<5}\x1b[0m {}",
                    text(&fields)
                )
            }
        };
        writeln!(writer, "{line}")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a log line says when it was written; nothing is decided by it"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

/// The syslog priority of a level (RFC 5424 §6.2.1).
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

fn color(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG | Level::TRACE => "\x1b[2m",
    }
}

/// Message and fields in one line: `polled https://…: 3 new n_new=3`. Texts that the message
/// has already, such as a URL, are not repeated.
fn text(fields: &Fields) -> String {
    let mut line = escape(&fields.message).into_owned();
    for (name, value) in &fields.others {
        let shown = match value {
            serde_json::Value::String(text) if is_said(text, &fields.message) => continue,
            serde_json::Value::String(text) => quote(text),
            other => other.to_string(),
        };
        // Writing to a string cannot fail.
        let _ = write!(line, " {name}={shown}");
    }
    line
}

/// Whether a message has a text in it; short ones could be there by chance.
fn is_said(text: &str, message: &str) -> bool {
    text.len() >= 8 && message.contains(text)
}

/// A field's text: cut, escaped, and quoted where it could be taken for several fields.
fn quote(text: &str) -> String {
    let cut: String = text.chars().take(MAX_VALUE_CHARS).collect();
    let shown = escape(&cut);
    if shown.is_empty() || shown.contains([' ', '"', '=']) {
        format!("\"{}\"", shown.replace('"', "\\\""))
    } else {
        shown.into_owned()
    }
}

fn json(now: Timestamp, level: Level, target: &str, fields: &Fields) -> String {
    let level = level.as_str().to_lowercase();
    let timestamp = format!("{now:.3}");
    let mut members = vec![
        member("timestamp", &timestamp.into()),
        member("level", &level.into()),
        member("target", &target.into()),
        member("message", &fields.message.as_str().into()),
    ];
    for (name, value) in &fields.others {
        // A field must not hide what every line says.
        let name = match *name {
            "timestamp" | "level" | "target" | "message" => format!("field.{name}"),
            name => name.to_owned(),
        };
        members.push(member(&name, value));
    }
    format!("{{{}}}", members.join(","))
}

fn member(name: &str, value: &serde_json::Value) -> String {
    format!("{}:{value}", serde_json::Value::from(name))
}

/// The fields of an event, the message apart.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, serde_json::Value)>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: serde_json::Value) {
        match (field.name(), value) {
            ("message", serde_json::Value::String(text)) => self.message = text,
            ("message", other) => self.message = other.to_string(),
            (name, value) => self.others.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut chain = value.to_string();
        let mut source = value.source();
        while let Some(error) = source {
            // Writing to a string cannot fail.
            let _ = write!(chain, ": {error}");
            source = error.source();
        }
        self.put(field, chain.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}

/// Text from outside, made fit for one line on a terminal: characters that [`steer`](steers)
/// it become visible escapes (`\n`, `\u{1b}`).
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if steers(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Whether a character moves the cursor, changes the terminal or reorders text (CWE-150): C0,
/// DEL, C1, line and paragraph separators, the bidirectional controls of Unicode Standard
/// Annex 9, and the deprecated and annotation controls. Joiners and zero-width spaces are not
/// among them: Persian, Thai and emoji are written with them.
#[must_use]
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{206f}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged in a style.
    fn logged(style: Style, log: impl FnOnce()) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let layer = tracing_subscriber::fmt::layer()
            .event_format(Line(style))
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        let bytes = sink.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_for_people_has_time_level_message_and_fields() {
        let line = logged(Style::Plain, || {
            tracing::warn!(feed.url = "https://example.org/a", n_new = 3, "polled");
        });

        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.parse::<Timestamp>().is_ok(), "{time}");
        assert_eq!(
            rest,
            "WARN  polled feed.url=https://example.org/a n_new=3\n"
        );
    }

    #[test]
    fn a_feed_cannot_forge_a_line() {
        for style in [Style::Plain, Style::Colored, Style::Journal, Style::Json] {
            let title = "News\n<3>disk full\u{1b}[2J\u{85}\u{202e}";
            let line = logged(style, || {
                tracing::info!(feed.title = title, "read {title}");
            });

            assert_eq!(line.matches('\n').count(), 1, "{line:?}");
            let text = line.replace("\x1b[0m", "").replace("\x1b[2m", "");
            let text = text.replace("\x1b[32m", "");
            assert!(!text.contains('\x1b'), "{line:?}");
        }
    }

    #[test]
    fn a_line_for_the_journal_begins_with_its_priority() {
        let line = logged(Style::Journal, || tracing::error!("no space left"));

        assert_eq!(line, "<3>no space left\n");
    }

    #[test]
    fn a_line_for_programs_is_one_json_object() {
        let line = logged(Style::Json, || {
            tracing::info!(n_new = 3_u64, level = "x", feed.url = %"a\"b", "polled \u{1b}");
        });

        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["message"], "polled \u{1b}");
        assert_eq!(object["level"], "info");
        assert_eq!(object["field.level"], "x");
        assert_eq!(object["n_new"], 3);
        assert_eq!(object["feed.url"], "a\"b");
        assert!(object["target"].as_str().unwrap().starts_with("wireroom"));
        assert!(
            object["timestamp"]
                .as_str()
                .unwrap()
                .parse::<Timestamp>()
                .is_ok()
        );
    }

    #[test]
    fn a_line_does_not_say_a_url_twice() {
        let url = "https://example.org/feed";
        let line = logged(Style::Journal, || {
            tracing::info!(feed.url = url, n_new = 3, "polled {url}: 3 new");
        });

        assert_eq!(line, format!("<6>polled {url}: 3 new n_new=3\n"));
    }

    #[test]
    fn values_with_spaces_are_quoted() {
        let line = logged(Style::Journal, || {
            tracing::info!(error.detail = "a \"b\" c=d", "failed");
        });

        assert_eq!(line, "<6>failed error.detail=\"a \\\"b\\\" c=d\"\n");
    }

    proptest::proptest! {
        #[test]
        fn escaping_twice_changes_nothing_more(text in ".*") {
            let once = escape(&text).into_owned();
            proptest::prop_assert!(!once.contains(steers));
            proptest::prop_assert_eq!(escape(&once).into_owned(), once.clone());
        }
    }
}

//! What goes to stdout and stderr, and how.
//!
//! stdout is for data: [`line`], [`json`], [`Data`]. stderr is for words: [`say`],
//! [`complain`]. When the reader of stdout goes away (`wireroom list | head -1`), the
//! command ends quietly and successfully.

mod table;
mod words;

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Display, Write as _};
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;
use wireroom::telemetry::steers;

pub(crate) use table::{Fit, Table};
pub(crate) use wireroom::telemetry::escape as clean;
pub(crate) use words::{ago, counted, grouped, moment, size, until};

/// Headlines and what matters most.
pub(crate) const BOLD: Style = Style::new().bold();
/// What matters less.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Words that were searched for.
pub(crate) const MARK: Style = AnsiColor::Yellow.on_default().bold();
/// What failed.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// What went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();

/// Width of lines where it is not known.
const DEFAULT_WIDTH: usize = 100;

/// Text in a style. The codes are dropped by [`line`] and [`say`] where they do not belong.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes one line of data, its style only to a terminal.
///
/// Text from outside must have gone through [`clean`].
pub(crate) fn line(text: impl Display) -> io::Result<()> {
    let mut stdout = anstream::AutoStream::auto(io::stdout().lock());
    writeln!(stdout, "{text}").map_err(of_stdout)
}

/// Writes one line of JSON. On a terminal, characters that would steer it are written as
/// `\u` escapes, which is the same JSON.
pub(crate) fn json(value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string(value)?;
    if is_terminal() {
        text = escape_controls(&text);
    }
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}").map_err(of_stdout)
}

/// JSON whose control and bidi characters are all escaped; ASCII controls are already.
fn escape_controls(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if steers(c) {
            // Writing to a String cannot fail; all of these are in the first plane.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Words for a person, on stderr.
pub(crate) fn say(words: impl Display) {
    // Nobody to tell when stderr is closed.
    let _ = writeln!(anstream::stderr().lock(), "{words}");
}

/// An error, on stderr. What came from outside is made visible, line by line.
pub(crate) fn complain(error: impl Display) {
    let text = error.to_string();
    say(format_args!("wireroom: {}", clean_block(&text)));
}

/// Whether stdout is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether a person can be asked: stdin and stderr are terminals.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Columns of the terminal on stdout: its own word, else `COLUMNS`, else 100.
pub(crate) fn width() -> usize {
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    rustix::termios::tcgetwinsize(io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|width| *width > 0)
        .or_else(columns)
        .unwrap_or(DEFAULT_WIDTH)
}

/// Text of several lines from outside, each made fit to be shown like [`clean`].
pub(crate) fn clean_block(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| c != '\n' && steers(c)) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<Cow<'_, str>> = text.split('\n').map(clean).collect();
    Cow::Owned(lines.join("\n"))
}

/// Writes a whole text from outside, byte for byte; on a terminal made harmless.
pub(crate) fn whole(text: &str) -> io::Result<()> {
    let mut data = Data::new();
    if is_terminal() {
        data.write_all(clean_block(text).as_bytes())?;
    } else {
        data.write_all(text.as_bytes())?;
    }
    data.finish()
}

/// Whole texts for stdout, buffered, byte for byte.
#[derive(Debug)]
pub(crate) struct Data {
    stdout: BufWriter<Stdout>,
}

impl Data {
    pub(crate) fn new() -> Self {
        Self {
            stdout: BufWriter::with_capacity(64 << 10, io::stdout()),
        }
    }

    /// Writes out what is buffered; an error here is the last chance to hear of it.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.flush()
    }
}

impl Write for Data {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stdout.write(bytes).map_err(of_stdout)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush().map_err(of_stdout)
    }
}

/// The reader of stdout has gone: not an error of ours.
#[derive(Debug)]
struct ClosedPipe;

impl Display for ClosedPipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads stdout any more")
    }
}

impl Error for ClosedPipe {}

/// Says that stdout failed, and tells its closing from a broken pipe elsewhere, such as a
/// connection.
fn of_stdout(error: io::Error) -> io::Error {
    let kind = error.kind();
    match kind {
        io::ErrorKind::BrokenPipe => io::Error::new(kind, ClosedPipe),
        _ => io::Error::new(kind, format!("cannot write to standard output: {error}")),
    }
}

/// Whether an error means that nobody reads stdout any more.
pub(crate) fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
        .is_some_and(|inner| inner.is::<ClosedPipe>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_titles_cannot_steer_the_terminal() {
        assert_eq!(
            clean("a\u{1b}]0;owned\u{7}b\u{9b}31m"),
            "a\\u{1b}]0;owned\\u{7}b\\u{9b}31m"
        );
        assert_eq!(clean("one\r\ntwo\tthree"), "one\\r\\ntwo\\tthree");
        assert_eq!(clean("user\u{202e}fdp.exe"), "user\\u{202e}fdp.exe");
        assert_eq!(clean("a\u{7f}\u{85}\u{2028}"), "a\\u{7f}\\u{85}\\u{2028}");
    }

    #[test]
    fn ordinary_text_of_any_script_stays_as_it_is() {
        for text in ["Zürich", "Москва", "東京", "דוגמה", "👩‍🚀", "a\u{a0}b"] {
            assert!(matches!(clean(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn a_block_keeps_its_lines_and_nothing_else() {
        assert_eq!(clean_block("a\n\nb\u{1b}[2J\tc"), "a\n\nb\\u{1b}[2J\\tc");
    }

    #[test]
    fn escaped_json_is_the_same_json() {
        let json = serde_json::to_string("a\u{9b}\u{202e}\u{7f}\n").unwrap();

        let escaped = escape_controls(&json);

        assert!(escaped.is_ascii());
        assert_eq!(
            serde_json::from_str::<String>(&escaped).unwrap(),
            "a\u{9b}\u{202e}\u{7f}\n"
        );
    }

    #[test]
    fn only_stdout_counts_as_a_closed_pipe() {
        let elsewhere = io::Error::from(io::ErrorKind::BrokenPipe);
        let stdout = of_stdout(io::Error::from(io::ErrorKind::BrokenPipe));

        assert!(!is_closed_pipe(&elsewhere));
        assert!(is_closed_pipe(&stdout));
    }
}

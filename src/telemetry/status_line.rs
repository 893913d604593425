//! A live line on the terminal: feeds polled, pages waiting, articles saved, failures.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::Progress;
use super::output::Logs;

/// How often the line is drawn anew. Four times a second is alive and costs nothing.
const REDRAW: Duration = Duration::from_millis(250);

/// Columns of the spinner, and of the last one, which stays free: some terminals wrap there.
const SPINNER: usize = 3;

/// The line, as long as this lives. Only on a terminal; elsewhere it is nothing.
#[derive(Debug)]
pub struct StatusLine {
    bar: Option<ProgressBar>,
    logs: Logs,
}

impl StatusLine {
    /// Shows the line below the log, if standard error is a terminal. A thread of its own
    /// redraws it; the thread ends with this value.
    #[must_use]
    pub fn start(logs: &Logs, progress: Arc<Progress>) -> Self {
        let bar = io::stderr().is_terminal().then(|| bar(progress));
        logs.set_bar(bar.clone());
        if let Some(bar) = &bar {
            bar.enable_steady_tick(REDRAW);
        }
        let logs = logs.clone();
        Self { bar, logs }
    }
}

/// Takes the line off the terminal.
impl Drop for StatusLine {
    fn drop(&mut self) {
        self.logs.set_bar(None);
        if let Some(bar) = &self.bar {
            bar.disable_steady_tick();
            bar.finish_and_clear();
        }
    }
}

fn bar(progress: Arc<Progress>) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {line}")
        .expect("the template is a constant")
        .with_key(
            "line",
            move |state: &ProgressState, line: &mut dyn std::fmt::Write| {
                let text = format!(
                    "{:#}  {}",
                    HumanDuration(state.elapsed()),
                    counts(&progress)
                );
                // The terminal is not worth an error.
                let _ = line.write_str(cut(&text, width().saturating_sub(SPINNER)));
            },
        );
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
}

/// Columns of the terminal on standard error; as many as one likes where it does not say.
fn width() -> usize {
    rustix::termios::tcgetwinsize(io::stderr())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|width| *width > 0)
        .unwrap_or(usize::MAX)
}

/// As much of an ASCII line as has room: a line that wraps would leave its rest behind.
fn cut(line: &str, n_columns: usize) -> &str {
    line.get(..n_columns).unwrap_or(line)
}

/// The counters in words; failures only when there are some.
fn counts(progress: &Progress) -> String {
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let mut line = format!(
        "{} feeds polled, {} due, {} pages waiting, {} articles saved",
        read(&progress.polls),
        read(&progress.due_feeds),
        read(&progress.due_pages),
        read(&progress.saved),
    );
    let failed = read(&progress.failed_polls) + read(&progress.failed_pages);
    if failed > 0 {
        // Writing to a string cannot fail.
        let _ = write!(line, ", {failed} failed");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_is_done_and_what_is_left() {
        let progress = Progress::default();
        progress.polls.store(12, Ordering::Relaxed);
        progress.due_pages.store(7, Ordering::Relaxed);

        assert_eq!(
            counts(&progress),
            "12 feeds polled, 0 due, 7 pages waiting, 0 articles saved"
        );

        progress.failed_polls.store(1, Ordering::Relaxed);
        progress.failed_pages.store(2, Ordering::Relaxed);
        assert!(counts(&progress).ends_with(", 3 failed"));
    }

    #[test]
    fn a_line_is_cut_where_the_terminal_ends() {
        assert_eq!(cut("12s  3 feeds polled", 7), "12s  3 ");
        assert_eq!(cut("12s  3 feeds polled", 0), "");
        assert_eq!(cut("12s  3 feeds", 40), "12s  3 feeds");
    }

    #[test]
    fn the_line_leaves_with_its_owner() {
        let logs = Logs::default();

        let line = StatusLine::start(&logs, Arc::default());
        drop(line);

        assert!(format!("{logs:?}").contains("None"));
    }
}

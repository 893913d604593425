//! A line on the terminal for one long task: how much of it is done.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the line is drawn anew at most, in a second.
const REDRAWS: u8 = 4;

/// The line, as long as this lives. Only on a terminal; elsewhere it is nothing.
#[derive(Debug)]
pub struct TaskLine {
    bar: Option<ProgressBar>,
}

impl TaskLine {
    /// Shows the line, if standard error is a terminal.
    #[must_use]
    pub fn start() -> Self {
        Self {
            bar: io::stderr().is_terminal().then(bar),
        }
    }

    /// No line, for people who want to hear nothing.
    #[must_use]
    pub fn silent() -> Self {
        Self { bar: None }
    }

    /// Says how much is done, and what is being done now.
    pub fn show(&self, n_done: u64, n_total: u64, doing: String) {
        if let Some(bar) = &self.bar {
            bar.set_length(n_total);
            bar.set_position(n_done);
            bar.set_message(doing);
        }
    }
}

/// Takes the line off the terminal.
impl Drop for TaskLine {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:24} {percent:>3} %  {msg}, {eta} left")
        .expect("the template is a constant");
    let target = ProgressDrawTarget::stderr_with_hz(REDRAWS);
    ProgressBar::with_draw_target(Some(1), target).with_style(style)
}

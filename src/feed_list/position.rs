//! Where in a text something is, as people count: lines and columns from 1.

use super::ListError;

/// Line and column of a byte; columns count characters.
pub(super) fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(byte)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = 1 + before.bytes().filter(|b| *b == b'\n').count();
    (line, 1 + before[line_start..].chars().count())
}

/// A syntax error at a byte of the text.
pub(super) fn syntax(text: &str, byte: usize, reason: impl Into<String>) -> ListError {
    let (line, column) = line_and_column(text, byte);
    ListError::Syntax {
        line,
        column,
        reason: reason.into(),
    }
}

/// Counts lines forward, so that a long list is counted once.
#[derive(Debug)]
pub(super) struct LineCounter<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> LineCounter<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
        }
    }

    /// The line of a byte at or after the one that was asked for last.
    pub(super) fn line_of(&mut self, byte: usize) -> usize {
        let to = byte.clamp(self.at, self.text.len());
        let passed = &self.text.as_bytes()[self.at..to];
        self.line += passed.iter().filter(|b| **b == b'\n').count();
        self.at = to;
        self.line
    }
}

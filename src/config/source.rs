//! A text from a file, and the places in it.

use std::fs;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;

use super::ConfigError;

/// Reads a whole file of at most `limit` bytes.
pub(super) fn read_limited(file: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let file = fs::File::open(file).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > limit {
        return Err(format!("it is larger than {limit} bytes"));
    }
    Ok(bytes)
}

/// A text with its file, to give places in it.
pub(super) struct Source<'a> {
    /// The file.
    pub(super) file: &'a Path,
    /// The text, without a byte order mark.
    pub(super) text: String,
}

impl<'a> Source<'a> {
    /// The text of a file.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`] at the first byte that is not UTF-8.
    pub(super) fn new(file: &'a Path, bytes: &[u8]) -> Result<Self, ConfigError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let valid = match std::str::from_utf8(bytes) {
            Ok(text) => {
                let text = text.to_owned();
                return Ok(Self { file, text });
            }
            Err(error) => error.valid_up_to(),
        };
        let text = String::from_utf8_lossy(&bytes[..valid]).into_owned();
        let source = Self { file, text };
        Err(source.wrong(valid..valid, "the file is not UTF-8"))
    }

    /// The folder of the file.
    pub(super) fn folder(&self) -> &'a Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// Line and column, 1 and up, of a place in bytes.
    pub(super) fn place(&self, at: usize) -> (usize, usize) {
        let at = (0..=at.min(self.text.len()))
            .rev()
            .find(|at| self.text.is_char_boundary(*at))
            .unwrap_or(0);
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    /// An error at a place in the text.
    pub(super) fn wrong(&self, at: Range<usize>, reason: &str) -> ConfigError {
        let (line, column) = self.place(at.start);
        ConfigError::Wrong {
            file: self.file.to_owned(),
            line,
            column,
            reason: reason.trim().replace('\n', ", "),
        }
    }
}

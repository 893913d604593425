//! The lines that `parse`, `discover` and `extract` answer with `--jsonl`: one in, one out.

use std::io::{self, BufRead, Read as _};

/// Longest line, in bytes without its end: far more than an id and a path need.
const MAX_LINE_BYTES: usize = 1 << 20;

/// A line that is too long to be read; it was passed over and is not in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the line is longer than {MAX_LINE_BYTES} bytes")]
pub(super) struct TooLong;

/// A line that has something in it, or why there is none.
pub(super) type Line = Result<String, TooLong>;

/// The lines of `reader` that are not blank. Bytes that are not UTF-8 become U+FFFD, so that
/// one broken line costs no other its answer.
pub(super) fn lines<R: BufRead>(mut reader: R) -> impl Iterator<Item = io::Result<Line>> {
    std::iter::from_fn(move || {
        loop {
            match next(&mut reader).transpose()? {
                Ok(Ok(line)) if line.trim().is_empty() => {}
                line => return Some(line),
            }
        }
    })
}

fn next(reader: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let limit = MAX_LINE_BYTES as u64 + 1;
    if reader.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() > MAX_LINE_BYTES && line.last() != Some(&b'\n') {
        reader.skip_until(b'\n')?;
        return Ok(Some(Err(TooLong)));
    }
    Ok(Some(Ok(String::from_utf8_lossy(&line).into_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: impl AsRef<[u8]>, expected: &[Line]) {
        let found: Vec<Line> = lines(input.as_ref()).map(Result::unwrap).collect();
        assert!(found == expected, "{} lines", found.len());
    }

    #[test]
    fn a_line_that_is_not_utf8_costs_no_other() {
        check(
            b"a\n\xff\xfe\nb",
            &[
                Ok("a\n".into()),
                Ok("\u{fffd}\u{fffd}\n".into()),
                Ok("b".into()),
            ],
        );
    }

    #[test]
    fn blank_lines_are_passed_over() {
        check("\n  \r\na\r\n\n", &[Ok("a\r\n".into())]);
        check("", &[]);
    }

    #[test]
    fn a_line_that_is_too_long_is_told_and_the_next_is_read() {
        let longest = "x".repeat(MAX_LINE_BYTES);

        check(
            format!("{longest}\n{longest}x\na\n"),
            &[Ok(format!("{longest}\n")), Err(TooLong), Ok("a\n".into())],
        );
        check(format!("{longest}x"), &[Err(TooLong)]);
        check(&longest, &[Ok(longest.clone())]);
    }

    #[test]
    fn a_line_without_an_end_is_not_held() {
        let endless = io::repeat(b'x').take(64 << 20);

        let mut lines = lines(io::BufReader::new(endless));

        assert_eq!(lines.next().unwrap().unwrap(), Err(TooLong));
        assert!(lines.next().is_none());
    }
}

//! Rows for people and for scripts.

use std::io;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Row, presets};

use super::{BOLD, clean, is_terminal, line, styled, width};

/// How a column behaves on a terminal. Elsewhere all are the same: there, and whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Whole, to the left.
    Whole,
    /// Whole, to the right.
    Number,
    /// Cut to what the others leave.
    Cut,
    /// Not there.
    Piped,
}

/// Rows of one kind: aligned and cut to the width on a terminal, with names above;
/// otherwise one row a line, cells whole, separated by tabs, without names, so that
/// `cut` and `awk` can rely on it.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Fit)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: &[(&'static str, Fit)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; its cells are cleaned here.
    pub(crate) fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        let cells = cells.into_iter().map(|cell| clean(cell).into_owned());
        self.rows.push(cells.collect());
    }

    /// Writes the rows so far, unless this is a terminal: aligning wants all of them.
    pub(crate) fn flow(&mut self) -> io::Result<()> {
        if is_terminal() {
            return Ok(());
        }
        self.rows.drain(..).try_for_each(|row| line(row.join("\t")))
    }

    /// Writes the rows that are left.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.flow()?;
        if self.rows.is_empty() {
            return Ok(());
        }
        let (names, rows) = self.aligned(width());
        line(styled(BOLD, names))?;
        rows.iter().try_for_each(line)
    }

    /// The line of names and the rows, within `width` columns where that is possible.
    fn aligned(&self, width: usize) -> (String, Vec<String>) {
        let shown = self.shown();
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(width).unwrap_or(u16::MAX));
        table.add_row(Row::from(shown.iter().map(|at| self.columns[*at].0)));
        for cells in &self.rows {
            let mut row = Row::from(shown.iter().map(|at| &cells[*at]));
            row.max_height(1);
            table.add_row(row);
        }
        for (column, at) in table.column_iter_mut().zip(&shown) {
            column.set_padding((0, 2));
            match self.columns[*at].1 {
                Fit::Whole => {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
                Fit::Number => {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                    column.set_cell_alignment(CellAlignment::Right);
                }
                Fit::Cut | Fit::Piped => {}
            }
        }
        let mut lines = table.lines().map(|line| line.trim_end().to_owned());
        let names = lines.next().unwrap_or_default();
        (names, lines.collect())
    }

    /// The places of the columns for a terminal: not those that say nothing in any row.
    fn shown(&self) -> Vec<usize> {
        let says_something = |at: usize| self.rows.iter().any(|row| !row[at].is_empty());
        let columns = self.columns.iter().enumerate();
        columns
            .filter(|(at, (_, fit))| *fit != Fit::Piped && says_something(*at))
            .map(|(at, _)| at)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [(&str, Fit); 4] = [
        ("ID", Fit::Number),
        ("ERROR", Fit::Whole),
        ("TITLE", Fit::Cut),
        ("URL", Fit::Piped),
    ];

    #[test]
    fn rows_are_aligned_and_cut_to_the_width() {
        let mut table = Table::new(&COLUMNS);
        table.row(["1", "dns", "short", "u"]);
        table.row(["1234", "", &"long ".repeat(40), "u"]);

        let (names, rows) = table.aligned(40);

        assert_eq!(names, "  ID  ERROR  TITLE");
        assert_eq!(rows[0], "   1  dns    short");
        assert!(rows[1].starts_with("1234         long long"), "{rows:?}");
        assert!(rows.iter().all(|row| row.chars().count() <= 40), "{rows:?}");
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn columns_that_say_nothing_are_not_shown() {
        let mut table = Table::new(&COLUMNS);
        table.row(["1", "", "short", "u"]);

        assert_eq!(table.aligned(40).0, "ID  TITLE");
    }

    #[test]
    fn cells_cannot_forge_columns_or_lines() {
        let mut table = Table::new(&COLUMNS);
        table.row(["one\ttwo\nthree", "\u{1b}[31m", "", ""]);

        assert_eq!(table.rows[0][0], "one\\ttwo\\nthree");
        assert_eq!(table.rows[0][1], "\\u{1b}[31m");
    }
}

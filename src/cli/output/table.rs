//! Rows for people and for scripts.

use std::io;

use comfy_table::{ColumnConstraint, ContentArrangement, Row, Width, presets};

use super::{BOLD, clean, is_terminal, line, styled, width};

/// Rows of one kind: aligned and cut to the width on a terminal, with names above;
/// otherwise one row a line, cells whole, separated by tabs, without names, so that
/// `cut` and `awk` can rely on it.
#[derive(Debug)]
pub(crate) struct Table {
    names: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(names: &[&'static str]) -> Self {
        Self {
            names: names.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; its cells are cleaned here.
    pub(crate) fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        let cells = cells.into_iter().map(|cell| clean(cell).into_owned());
        self.rows.push(cells.collect());
    }

    /// Writes all rows to stdout.
    pub(crate) fn print(&self) -> io::Result<()> {
        if is_terminal() {
            let (names, rows) = self.aligned(width());
            line(styled(BOLD, names))?;
            rows.iter().try_for_each(line)
        } else {
            self.rows.iter().try_for_each(|row| line(row.join("\t")))
        }
    }

    /// The line of names and the rows, each within `width` columns.
    fn aligned(&self, width: usize) -> (String, Vec<String>) {
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(width).unwrap_or(u16::MAX));
        table.add_row(Row::from(&self.names));
        for cells in &self.rows {
            let mut row = Row::from(cells);
            row.max_height(1);
            table.add_row(row);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(4)));
        }
        let mut lines = table.lines().map(|line| line.trim_end().to_owned());
        let names = lines.next().unwrap_or_default();
        (names, lines.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_aligned_and_cut_to_the_width() {
        let mut table = Table::new(&["ID", "TITLE"]);
        table.row(["1", "short"]);
        table.row(["1234", &"long ".repeat(40)]);

        let (names, rows) = table.aligned(40);

        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row.chars().count() <= 40), "{rows:?}");
        let column = names.find("TITLE").unwrap();
        assert_eq!(rows[0].find("short"), Some(column));
        assert_eq!(rows[1].find("long"), Some(column));
    }

    #[test]
    fn cells_cannot_forge_columns_or_lines() {
        let mut table = Table::new(&["A", "B"]);
        table.row(["one\ttwo\nthree", "\u{1b}[31m"]);

        assert_eq!(table.rows[0], ["one\\ttwo\\nthree", "\\u{1b}[31m"]);
    }
}

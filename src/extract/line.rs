//! Text gathered into a line, node by node, with white space folded across the nodes.

use std::rc::Rc;

use super::blocks::{Line, Marks, Span};
use super::text;

/// What a line break means where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    /// A new line in the same paragraph, or nothing at the start of one.
    Line,
    /// The second in a row: a new paragraph.
    Paragraph,
}

/// Appends the text of one node.
pub(super) fn push(line: &mut Line, text: &str, marks: Marks, link: Option<Rc<str>>) {
    let span = span_for(line, marks, link);
    let starts = span.text.is_empty();
    if starts && text.starts_with(char::is_whitespace) && !follows_space(line) {
        // Folding drops a leading space of an empty span: keep it where words would join.
        last(line).text.push(' ');
    }
    let span = last(line);
    text::push_folded(&mut span.text, text);
    let is_open = !span.text.is_empty() && !span.text.ends_with([' ', '\n']);
    if text.ends_with(char::is_whitespace) && is_open {
        span.text.push(' ');
    }
}

/// Appends the text of one node as it is, without invisible characters.
pub(super) fn push_preformatted(line: &mut Line, text: &str, marks: Marks, link: Option<Rc<str>>) {
    let kept = text
        .chars()
        .filter(|&c| c == '\n' || c == '\t' || !text::is_invisible(c));
    span_for(line, marks, link).text.extend(kept);
}

/// Appends a line break, unless it is the second in a row.
pub(super) fn push_break(line: &mut Line) -> Break {
    // Only the last span with anything in it is looked at: lines can be long.
    let last = line
        .iter_mut()
        .rev()
        .find(|span| span.text.contains(|c| c != ' '));
    let Some(last) = last else {
        return Break::Line;
    };
    last.text.truncate(last.text.trim_end_matches(' ').len());
    if last.text.ends_with('\n') {
        return Break::Paragraph;
    }
    last.text.push('\n');
    Break::Line
}

/// Takes white space, and spans of nothing else, from both ends.
pub(super) fn trim(line: &mut Line) {
    while line.last().is_some_and(|span| span.text.trim().is_empty()) {
        line.pop();
    }
    let n_blank = line
        .iter()
        .take_while(|span| span.text.trim().is_empty())
        .count();
    line.drain(..n_blank);
    if let Some(span) = line.last_mut() {
        span.text.truncate(span.text.trim_end().len());
    }
    if let Some(span) = line.first_mut() {
        let n_blank = span.text.len() - span.text.trim_start().len();
        span.text.drain(..n_blank);
    }
}

/// The last span if it is set the same way, else a new one.
fn span_for(line: &mut Line, marks: Marks, link: Option<Rc<str>>) -> &mut Span {
    let is_same = line
        .last()
        .is_some_and(|span| span.marks == marks && span.link == link);
    if !is_same {
        line.push(Span {
            text: String::new(),
            marks,
            link,
        });
    }
    last(line)
}

fn last(line: &mut Line) -> &mut Span {
    line.last_mut().expect("a span was just looked up or added")
}

/// Whether the span before the last ends in white space, or there is none.
fn follows_space(line: &Line) -> bool {
    line.iter()
        .nth_back(1)
        .is_none_or(|span| span.text.is_empty() || span.text.ends_with([' ', '\n']))
}

#[cfg(test)]
mod tests {
    use super::super::blocks::line_text;
    use super::*;

    const STRONG: Marks = Marks {
        strong: true,
        emphasis: false,
        code: false,
    };

    #[test]
    fn white_space_between_nodes_joins_words_as_the_page_shows_them() {
        let mut line = Line::new();
        push(&mut line, "\n  The ", Marks::default(), None);
        push(&mut line, "river", STRONG, None);
        push(&mut line, "\n rose", Marks::default(), None);
        push(&mut line, " .  ", Marks::default(), None);

        trim(&mut line);

        assert_eq!(line_text(&line), "The river rose .");
        assert_eq!(line.len(), 3);
    }

    #[test]
    fn the_second_line_break_in_a_row_parts_paragraphs() {
        let mut line = Line::new();
        assert_eq!(push_break(&mut line), Break::Line);
        push(&mut line, "one ", Marks::default(), None);

        assert_eq!(push_break(&mut line), Break::Line);
        push(&mut line, "  ", STRONG, None);

        assert_eq!(push_break(&mut line), Break::Paragraph);
        assert_eq!(line_text(&line).trim_end_matches(' '), "one\n");
    }
}

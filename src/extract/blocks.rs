//! The article as a list of blocks, each a list of spans: one structure, from which text,
//! Markdown and HTML are rendered alike.

use std::rc::Rc;

use super::{Image, Related};

/// How a piece of text is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) strong: bool,
    pub(super) emphasis: bool,
    pub(super) code: bool,
}

/// A piece of text with one setting and at most one link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) text: String,
    pub(super) marks: Marks,
    /// Absolute; `http(s)` or `mailto`.
    pub(super) link: Option<Rc<str>>,
}

/// A line or paragraph of spans. A `\n` in a span is a line break.
pub(super) type Line = Vec<Span>;

/// An item of a list; `depth` 0 is the outermost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListItem {
    pub(super) depth: u8,
    pub(super) ordered: bool,
    pub(super) line: Line,
}

/// A part of an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A paragraph.
    Paragraph(Line),
    /// A subhead; level 2 to 6.
    Heading(u8, Line),
    /// A list.
    List(Vec<ListItem>),
    /// A quotation of one or more paragraphs.
    Quote(Vec<Line>),
    /// A table: rows of cells.
    Table(Vec<Vec<Line>>),
    /// Text with its own line breaks.
    Preformatted(String),
    /// A picture with its caption.
    Figure(Image),
    /// Something shown in a frame, as a link.
    Embed(Related),
    /// A link to another article.
    Related(Related),
    /// What the editors say that they corrected.
    Correction(String),
}

/// The text of a line, without marks.
pub(super) fn line_text(line: &[Span]) -> String {
    line.iter().map(|span| span.text.as_str()).collect()
}

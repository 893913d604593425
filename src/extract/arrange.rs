//! Puts lines where they belong: into a new block, or into the list, quotation or table
//! that the line before began.

use std::collections::HashSet;

use super::blocks::{Block, Line, ListItem, Span, line_text};
use super::outline::Index;
use super::text;
use super::{Image, Related};

/// Most related links that are kept.
const MAX_RELATED: usize = 30;

/// What a line belongs to: decided by the elements around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Plain,
    Heading(u8),
    /// The outermost list.
    List(Index),
    /// The outermost quotation.
    Quote(Index),
    /// Table, row and cell.
    Cell(Index, Index, Index),
    Preformatted(Index),
}

/// Where in a list a line stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ListPosition {
    /// 0 for the outermost list.
    pub(super) depth: u8,
    pub(super) ordered: bool,
}

/// The blocks so far.
#[derive(Debug, Default)]
pub(super) struct Arrangement {
    blocks: Vec<Block>,
    last_group: Option<Group>,
    related: HashSet<String>,
}

impl Arrangement {
    /// Adds a line of the text.
    pub(super) fn add(&mut self, line: Line, group: Group, position: ListPosition) {
        let same_group = match (self.last_group, group) {
            (Some(Group::Cell(a, ..)), Group::Cell(b, ..)) => a == b,
            (Some(last), now) => last == now,
            _ => false,
        };
        let last_group = self.last_group.replace(group).filter(|_| same_group);
        let last = self.blocks.last_mut().filter(|_| same_group);
        let item = |line| ListItem {
            depth: position.depth,
            ordered: position.ordered,
            line,
        };
        match (group, last) {
            (Group::List(_), Some(Block::List(items))) => items.push(item(line)),
            (Group::Quote(_), Some(Block::Quote(lines))) => lines.push(line),
            (Group::Cell(_, row, cell), Some(Block::Table(rows))) => {
                add_to_table(rows, line, last_group, (row, cell));
            }
            (Group::List(_), _) => self.blocks.push(Block::List(vec![item(line)])),
            (Group::Quote(_), _) => self.blocks.push(Block::Quote(vec![line])),
            (Group::Cell(..), _) => self.blocks.push(Block::Table(vec![vec![line]])),
            (Group::Heading(level), _) => self.blocks.push(Block::Heading(level, line)),
            (Group::Preformatted(_), _) => {
                let shown = line_text(&line);
                let shown = shown.trim_matches('\n').trim_end();
                self.blocks.push(Block::Preformatted(shown.to_owned()));
            }
            (Group::Plain, _) => self.blocks.push(Block::Paragraph(line)),
        }
    }

    /// Adds a block that is not made of lines of the text.
    pub(super) fn add_block(&mut self, block: Block) {
        self.blocks.push(block);
        self.last_group = None;
    }

    /// Adds a picture, unless it is the one before again.
    pub(super) fn add_figure(&mut self, image: Image) {
        if !matches!(self.blocks.last(), Some(Block::Figure(last)) if last.url == image.url) {
            self.add_block(Block::Figure(image));
        }
    }

    /// The last block, when it is a picture.
    pub(super) fn last_figure(&mut self) -> Option<&mut Image> {
        match self.blocks.last_mut() {
            Some(Block::Figure(image)) => Some(image),
            _ => None,
        }
    }

    /// Adds the first link of a line as one to another article.
    pub(super) fn add_related_line(&mut self, line: &Line, own_url: &str) {
        let link = line.iter().find_map(|span| span.link.clone());
        let linked = line.iter().filter(|span| span.link.is_some());
        let title: String = linked.map(|span| span.text.as_str()).collect();
        if let Some(link) = link {
            self.add_related(&title, &link, own_url);
        }
    }

    /// Adds a link to another article, once.
    pub(super) fn add_related(&mut self, title: &str, link: &str, own_url: &str) {
        let title = text::folded(title);
        if !link.starts_with("http")
            || link == own_url
            || self.has_enough_related()
            || text::count_words(&title) < 3
            || !self.related.insert(link.to_owned())
        {
            return;
        }
        self.add_block(Block::Related(Related {
            title,
            url: link.to_owned(),
        }));
    }

    /// Whether no more links to other articles are taken.
    pub(super) fn has_enough_related(&self) -> bool {
        self.related.len() >= MAX_RELATED
    }

    /// What follows belongs to none of the blocks so far.
    pub(super) fn part(&mut self) {
        self.last_group = None;
    }

    /// The blocks without subheads that nothing follows but links to other articles: they
    /// announced those links, or something that was cut.
    pub(super) fn into_blocks(self) -> Vec<Block> {
        let mut kept: Vec<Block> = Vec::with_capacity(self.blocks.len());
        let (mut is_followed, mut has_links) = (false, true);
        for block in self.blocks.into_iter().rev() {
            match &block {
                Block::Heading(..) if !is_followed && has_links => continue,
                Block::Heading(..) => (is_followed, has_links) = (false, false),
                Block::Related(_) => has_links = true,
                Block::Figure(_) | Block::Embed(_) | Block::Correction(_) => {}
                _ => is_followed = true,
            }
            kept.push(block);
        }
        kept.reverse();
        kept
    }
}

/// Adds a line to a table: to the cell before when it is the same, else as a new cell.
fn add_to_table(
    rows: &mut Vec<Vec<Line>>,
    line: Line,
    last: Option<Group>,
    (row, cell): (Index, Index),
) {
    let (last_row, last_cell) = match last {
        Some(Group::Cell(_, last_row, last_cell)) => (last_row, last_cell),
        _ => (usize::MAX, usize::MAX),
    };
    if last_row != row {
        rows.push(vec![line]);
        return;
    }
    let Some(cells) = rows.last_mut() else { return };
    match cells.last_mut().filter(|_| last_cell == cell) {
        Some(before) => {
            before.push(Span {
                text: " ".to_owned(),
                ..Span::default()
            });
            before.extend(line);
        }
        None => cells.push(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        vec![Span {
            text: text.to_owned(),
            ..Span::default()
        }]
    }

    fn related(arrangement: &mut Arrangement, title: &str, url: &str) {
        arrangement.add_related(title, url, "https://example.org/own");
    }

    #[test]
    fn a_subhead_that_only_announced_links_goes_with_them() {
        let mut arrangement = Arrangement::default();
        let add = |arrangement: &mut Arrangement, text, group| {
            arrangement.add(line(text), group, ListPosition::default());
        };
        add(&mut arrangement, "Text.", Group::Plain);
        add(&mut arrangement, "More on this", Group::Heading(2));
        related(
            &mut arrangement,
            "Another long title",
            "https://example.org/a",
        );
        add(&mut arrangement, "A real subhead", Group::Heading(2));
        add(&mut arrangement, "More text.", Group::Plain);
        add(&mut arrangement, "Share", Group::Heading(2));

        let blocks = arrangement.into_blocks();

        assert_eq!(blocks.len(), 4);
        assert_eq!(blocks[2], Block::Heading(2, line("A real subhead")));
    }

    #[test]
    fn a_link_to_another_article_is_kept_once_and_never_the_own() {
        let mut arrangement = Arrangement::default();
        related(&mut arrangement, "One long title", "https://example.org/a");
        related(&mut arrangement, "One long title", "https://example.org/a");
        related(
            &mut arrangement,
            "One long title",
            "https://example.org/own",
        );
        related(&mut arrangement, "Two words", "https://example.org/b");

        assert_eq!(arrangement.into_blocks().len(), 1);
    }
}

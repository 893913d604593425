//! Walks the article's subtrees in document order and composes its blocks.
//!
//! One loop over the outline's range. Elements that are open stand on a stack with the
//! position where they end; text is gathered until a block element starts or ends.

use std::rc::Rc;

use scraper::Node;
use url::Url;

use super::blocks::{Block, Line, ListItem, Marks, Span, line_text};
use super::content::Content;
use super::figure;
use super::line;
use super::metadata::Metadata;
use super::outline::{Index, Outline};
use super::prune::{Pruner, Verdict};
use super::tag::Tag;
use super::text::{self, comparable};
use super::{Related, authors, dates, phrases};

/// Longest link that is kept, in bytes.
const MAX_LINK_BYTES: usize = 2_048;

/// Most related links that are kept.
const MAX_RELATED: usize = 30;

/// The blocks of an article, in order, the stand-first first.
pub(super) fn compose(
    outline: &Outline<'_>,
    metadata: &Metadata,
    content: &Content,
    base: &Url,
) -> Vec<Block> {
    let mut composer = Composer {
        outline,
        metadata,
        base,
        pruner: Pruner::new(outline, metadata, content),
        open: Vec::new(),
        line: Vec::new(),
        blocks: Vec::new(),
        last_group: None,
        n_kept: 0,
        n_related: 0,
        ended: false,
    };
    if let Some(standfirst) = content.standfirst {
        composer.walk(standfirst);
    }
    for &root in &content.roots {
        composer.walk(root);
    }
    composer.blocks
}

/// An element that is open.
#[derive(Clone, Debug)]
struct Open {
    index: Index,
    end: Index,
    tag: Tag,
    marks: Marks,
    link: Option<Rc<str>>,
    /// A table of data, not of layout.
    is_table: bool,
}

/// What a line belongs to: decided by the elements around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
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

struct Composer<'o, 'a> {
    outline: &'o Outline<'a>,
    metadata: &'o Metadata,
    base: &'o Url,
    pruner: Pruner<'o, 'a>,
    open: Vec<Open>,
    line: Line,
    blocks: Vec<Block>,
    last_group: Option<Group>,
    n_kept: u32,
    n_related: usize,
    ended: bool,
}

impl Composer<'_, '_> {
    fn walk(&mut self, root: Index) {
        let end = self.outline.item(root).end;
        let mut at = root;
        while at < end && !self.ended {
            self.close_until(at);
            at = self.visit(at, root);
        }
        self.close_until(usize::MAX);
        self.flush();
        self.last_group = None;
    }

    /// Takes in one node; returns where to go on.
    fn visit(&mut self, index: Index, root: Index) -> Index {
        let item = self.outline.item(index);
        if item.tag == Tag::Text {
            if let Node::Text(text) = item.node.value() {
                self.push_text(text);
            }
            return index + 1;
        }
        if index != root {
            match self.pruner.judge(index, self.n_kept) {
                Verdict::Keep => {}
                Verdict::Drop => {
                    self.break_at(item.tag);
                    return item.end;
                }
                Verdict::Related => {
                    self.break_at(item.tag);
                    self.gather_related(index);
                    return item.end;
                }
                Verdict::End => {
                    self.flush();
                    self.ended = true;
                    return item.end;
                }
            }
        }
        match item.tag {
            Tag::Br => self.push_break(),
            Tag::Hr => self.flush(),
            Tag::Figure if figure::is_picture(self.outline, index) => {
                self.push_figure(index);
                return item.end;
            }
            _ if item.tag.is_block() && figure::is_captioned_picture(self.outline, index) => {
                self.push_figure(index);
                return item.end;
            }
            Tag::Img | Tag::Picture => {
                self.push_figure(index);
                return item.end;
            }
            Tag::Iframe | Tag::Video | Tag::Audio | Tag::Embed => {
                self.push_embed(index);
                return item.end;
            }
            _ if item.hints.caption && item.tag.is_block() && item.weight <= 600 => {
                self.flush();
                self.push_caption(index);
                return item.end;
            }
            _ if item.hidden => return item.end,
            _ => self.open(index),
        }
        index + 1
    }

    fn break_at(&mut self, tag: Tag) {
        if tag.is_block() {
            self.flush();
        }
    }

    fn open(&mut self, index: Index) {
        let item = self.outline.item(index);
        if item.tag.is_block() {
            self.flush();
        }
        let mut open = match self.open.last() {
            Some(outer) => outer.clone(),
            None => Open {
                index,
                end: item.end,
                tag: item.tag,
                marks: Marks::default(),
                link: None,
                is_table: false,
            },
        };
        open.is_table = item.tag == Tag::Table && !is_layout(self.outline, index);
        (open.index, open.end, open.tag) = (index, item.end, item.tag);
        match item.tag {
            Tag::B | Tag::Strong => open.marks.strong = true,
            Tag::I | Tag::Em | Tag::Cite => open.marks.emphasis = true,
            Tag::Code => open.marks.code = true,
            Tag::A => open.link = self.link(index).or(open.link),
            _ => {}
        }
        self.open.push(open);
    }

    fn close_until(&mut self, at: Index) {
        while let Some(open) = self.open.last().filter(|open| open.end <= at) {
            if open.tag.is_block() {
                self.flush();
            }
            self.open.pop();
        }
    }

    fn link(&self, index: Index) -> Option<Rc<str>> {
        let href = self.outline.attribute(index, "href")?.trim();
        if href.is_empty() || href.len() > MAX_LINK_BYTES || href.starts_with('#') {
            return None;
        }
        let url = self.base.join(href).ok()?;
        matches!(url.scheme(), "http" | "https" | "mailto").then(|| url.as_str().into())
    }

    fn push_text(&mut self, text: &str) {
        let (marks, link) = match self.open.last() {
            Some(open) => (open.marks, open.link.clone()),
            None => (Marks::default(), None),
        };
        if self.open.iter().any(|open| open.tag == Tag::Pre) {
            line::push_preformatted(&mut self.line, text, marks, link);
        } else {
            line::push(&mut self.line, text, marks, link);
        }
    }

    /// A line break; two of them part paragraphs.
    fn push_break(&mut self) {
        if line::push_break(&mut self.line) == line::Break::Paragraph {
            self.flush();
        }
    }

    fn group(&self) -> Group {
        let mut cell = (None, None);
        for open in &self.open {
            match open.tag {
                Tag::Pre => return Group::Preformatted(open.index),
                Tag::Ul | Tag::Ol | Tag::Dl => return Group::List(open.index),
                Tag::Blockquote => return Group::Quote(open.index),
                Tag::Table if open.is_table => cell.0 = Some(open.index),
                Tag::Tr if cell.0.is_some() => cell.1 = Some(open.index),
                Tag::Td | Tag::Th => {
                    if let (Some(table), Some(row)) = cell {
                        return Group::Cell(table, row, open.index);
                    }
                }
                Tag::H1 | Tag::H2 => return Group::Heading(2),
                Tag::H3 => return Group::Heading(3),
                Tag::H4 => return Group::Heading(4),
                Tag::H5 => return Group::Heading(5),
                Tag::H6 => return Group::Heading(6),
                _ => {}
            }
        }
        Group::Plain
    }

    /// Ends the line and puts it where it belongs.
    fn flush(&mut self) {
        if self.line.is_empty() {
            return;
        }
        let group = self.group();
        let mut line = std::mem::take(&mut self.line);
        if !matches!(group, Group::Preformatted(_)) {
            line::trim(&mut line);
        }
        let shown = line_text(&line);
        if shown.trim().is_empty() {
            return;
        }
        if !matches!(group, Group::Preformatted(_)) && self.is_unwanted(&line, &shown, group) {
            return;
        }
        self.n_kept = self.n_kept.saturating_add(text::weight(&shown));
        self.place(line, group);
        self.last_group = Some(group);
    }

    fn place(&mut self, line: Line, group: Group) {
        let same_group = match (self.last_group, group) {
            (Some(Group::Cell(a, ..)), Group::Cell(b, ..)) => a == b,
            (Some(last), now) => last == now,
            _ => false,
        };
        let (depth, ordered) = self.list_position();
        match (group, self.blocks.last_mut().filter(|_| same_group)) {
            (Group::List(_), Some(Block::List(items))) => items.push(ListItem {
                depth,
                ordered,
                line,
            }),
            (Group::List(_), _) => self.blocks.push(Block::List(vec![ListItem {
                depth,
                ordered,
                line,
            }])),
            (Group::Quote(_), Some(Block::Quote(lines))) => lines.push(line),
            (Group::Quote(_), _) => self.blocks.push(Block::Quote(vec![line])),
            (Group::Cell(_, row, cell), Some(Block::Table(rows))) => {
                let (last_row, last_cell) = match self.last_group {
                    Some(Group::Cell(_, last_row, last_cell)) => (last_row, last_cell),
                    _ => (usize::MAX, usize::MAX),
                };
                if last_row != row {
                    rows.push(vec![line]);
                } else if let Some(cells) = rows.last_mut() {
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
            }
            (Group::Cell(..), _) => self.blocks.push(Block::Table(vec![vec![line]])),
            (Group::Heading(level), _) => self.blocks.push(Block::Heading(level, line)),
            (Group::Preformatted(_), _) => {
                let shown = line_text(&line);
                self.blocks.push(Block::Preformatted(
                    shown.trim_matches('\n').trim_end().to_owned(),
                ));
            }
            (Group::Plain, _) => self.blocks.push(Block::Paragraph(line)),
        }
    }

    fn list_position(&self) -> (u8, bool) {
        let mut lists = self
            .open
            .iter()
            .filter(|open| matches!(open.tag, Tag::Ul | Tag::Ol | Tag::Dl));
        let n_lists = lists.clone().count();
        let ordered = lists.next_back().is_some_and(|list| list.tag == Tag::Ol);
        (n_lists.saturating_sub(1).min(8) as u8, ordered)
    }

    /// Lines that are no part of the text: the headline again, a link to another article
    /// that stands alone, calls to subscribe. Related links are kept apart.
    fn is_unwanted(&mut self, line: &Line, shown: &str, group: Group) -> bool {
        if matches!(group, Group::Plain | Group::Heading(_)) {
            // Longer lines than any title need not be compared.
            let is_short = shown.len() <= 2_000;
            if is_short && self.metadata.titles.contains(&comparable(shown)) {
                return true;
            }
        }
        let weight = text::weight(shown);
        if !shown.chars().any(char::is_alphanumeric) {
            return true;
        }
        let linked: u32 = line
            .iter()
            .filter(|span| span.link.is_some())
            .map(|span| text::weight(&span.text))
            .sum();
        if matches!(group, Group::Plain) && weight <= 150 && self.is_byline(shown) {
            return true;
        }
        let lead = phrases::leads_elsewhere(shown);
        let is_link = linked > 0 && f64::from(linked) >= 0.8 * f64::from(weight) && weight <= 250;
        if group == Group::Plain && (is_link || (lead && linked > 0 && weight <= 300)) {
            self.push_related(line);
            return true;
        }
        if weight <= 300 && phrases::is_furniture(shown) {
            return true;
        }
        lead && weight <= 60
    }

    /// A line that only names the authors, or, before the text, gives the date.
    fn is_byline(&self, shown: &str) -> bool {
        let mut names = Vec::new();
        authors::add(&mut names, shown);
        let known = |name: &String| {
            let name = comparable(name);
            self.metadata
                .authors
                .iter()
                .any(|author| comparable(author) == name)
        };
        if !names.is_empty()
            && names.iter().any(known)
            && (names.iter().all(known) || self.n_kept == 0)
        {
            return true;
        }
        if self.n_kept == 0 && text::weight(shown) <= 60 && authors::is_byline(shown) {
            return true;
        }
        let is_short = text::weight(shown) <= 70;
        self.n_kept == 0
            && is_short
            && dates::read(shown)
                .is_some_and(|date| date.precision() > 0 || text::weight(shown) <= 35)
    }

    fn push_related(&mut self, line: &Line) {
        let link = line.iter().find_map(|span| span.link.clone());
        let title: String = line
            .iter()
            .filter(|span| span.link.is_some())
            .map(|span| span.text.as_str())
            .collect();
        self.add_related(&title, link.as_deref());
    }

    fn add_related(&mut self, title: &str, link: Option<&str>) {
        let title = text::folded(title);
        let Some(link) = link.filter(|link| link.starts_with("http")) else {
            return;
        };
        if self.n_related >= MAX_RELATED
            || text::count_words(&title) < 3
            || link == self.base.as_str()
        {
            return;
        }
        let related = Related {
            title,
            url: link.to_owned(),
        };
        let block = Block::Related(related);
        if !self.blocks.contains(&block) {
            self.n_related += 1;
            self.blocks.push(block);
            self.last_group = None;
        }
    }

    /// The links in a part that is cut from the text.
    fn gather_related(&mut self, index: Index) {
        let end = self.outline.item(index).end;
        for at in index..end {
            let item = self.outline.item(at);
            if self.n_related >= MAX_RELATED {
                return;
            }
            if item.tag == Tag::A && !item.hidden && item.weight >= 15 && item.weight <= 250 {
                let title = self.outline.text_of(at, 300);
                let link = self.link(at);
                self.add_related(&title, link.as_deref());
            }
        }
    }

    fn push_figure(&mut self, index: Index) {
        if let Some(image) = figure::read(self.outline, index, self.base) {
            self.flush();
            if !matches!(self.blocks.last(), Some(Block::Figure(last)) if last.url == image.url) {
                self.blocks.push(Block::Figure(image));
                self.last_group = None;
            }
        }
    }

    /// A caption outside of a figure belongs to the picture before it.
    fn push_caption(&mut self, index: Index) {
        let caption = self.outline.text_of(index, 1_000);
        if let Some(Block::Figure(image)) = self.blocks.last_mut()
            && image.caption.is_none()
            && !caption.is_empty()
        {
            image.caption = Some(caption);
        }
    }

    fn push_embed(&mut self, index: Index) {
        let source = ["src", "data-src"]
            .iter()
            .find_map(|name| self.outline.attribute(index, name));
        let Some(url) = source.and_then(|link| super::metadata::http_url(self.base, link)) else {
            return;
        };
        if !figure::is_embed_of_content(&url) {
            return;
        }
        self.flush();
        let title = self
            .outline
            .attribute(index, "title")
            .map(text::folded)
            .unwrap_or_default();
        self.blocks.push(Block::Embed(Related {
            title,
            url: url.into(),
        }));
        self.last_group = None;
    }
}

/// Tables that only arrange the page: those with a table inside, with one column, or with
/// whole articles in a cell.
fn is_layout(outline: &Outline<'_>, table: Index) -> bool {
    let item = outline.item(table);
    let mut n_rows = 0;
    let mut n_cells = 0;
    for index in table + 1..item.end {
        let inner = outline.item(index);
        match inner.tag {
            Tag::Table => return true,
            Tag::Tr => n_rows += 1,
            Tag::Td | Tag::Th => {
                n_cells += 1;
                if inner.weight > 1_000 {
                    return true;
                }
            }
            _ => {}
        }
    }
    n_rows < 2 || n_cells <= n_rows
}

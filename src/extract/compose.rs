//! Walks the article's subtrees in document order and composes its blocks.
//!
//! One loop over the outline's range. Elements that are open stand on a stack with the
//! position where they end; text is gathered until a block element starts or ends.

use std::rc::Rc;

use scraper::Node;
use url::Url;

use super::arrange::{Arrangement, Group, ListPosition};
use super::blocks::{Block, Line, Marks, line_text};
use super::clues::Clues;
use super::content::Content;
use super::lines::{self, Candidate, LineVerdict, Place};
use super::memory;
use super::metadata::Metadata;
use super::outline::{Index, Outline};
use super::prune::{Pruner, Verdict};
use super::tag::Tag;
use super::{Related, figure, line, text};

/// Longest link that is kept, in bytes.
const MAX_LINK_BYTES: usize = 2_048;

/// An article's blocks, and what was cut from between them.
#[derive(Debug, Default)]
pub(super) struct Composed {
    /// In order, the stand-first first.
    pub(super) blocks: Vec<Block>,
    /// In document order.
    pub(super) cuts: Vec<Cut>,
    /// Hashes of the lines that a site memory may learn, when there is one.
    pub(super) lines: Vec<u32>,
}

/// An element, or a line inside of it, that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) index: Index,
    pub(super) why: &'static str,
}

/// Composes an article.
pub(super) fn compose(
    outline: &Outline<'_>,
    metadata: &Metadata,
    content: &Content,
    clues: &Clues<'_>,
    base: &Url,
) -> Composed {
    let mut composer = Composer {
        outline,
        metadata,
        clues,
        base,
        pruner: Pruner::new(outline, metadata, content, base),
        open: Vec::new(),
        line: Vec::new(),
        arrangement: Arrangement::default(),
        cuts: Vec::new(),
        lines: Vec::new(),
        n_kept: 0,
        n_before_text: 0,
        ended: false,
    };
    if let Some(standfirst) = content.standfirst {
        composer.walk(standfirst);
        composer.n_before_text = composer.n_kept;
    }
    for &root in &content.roots {
        composer.walk(root);
    }
    Composed {
        blocks: composer.arrangement.into_blocks(),
        cuts: composer.cuts,
        lines: composer.lines,
    }
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

struct Composer<'o, 'a> {
    outline: &'o Outline<'a>,
    metadata: &'o Metadata,
    clues: &'o Clues<'o>,
    base: &'o Url,
    pruner: Pruner<'o, 'a>,
    open: Vec<Open>,
    line: Line,
    arrangement: Arrangement,
    cuts: Vec<Cut>,
    lines: Vec<u32>,
    n_kept: u32,
    /// Of what is kept, the stand-first that stands outside of the text.
    n_before_text: u32,
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
        self.arrangement.part();
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
                Verdict::Drop(why) => {
                    self.note(index, why);
                    self.break_at(item.tag);
                    return item.end;
                }
                Verdict::Related(why) => {
                    self.note(index, why);
                    self.break_at(item.tag);
                    self.gather_related(index);
                    return item.end;
                }
                Verdict::End(why) => {
                    self.note(index, why);
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
            _ if item.tag.is_block()
                && ((item.hints.caption && item.weight <= 600)
                    || (item.hints.credit && item.weight <= 150)) =>
            {
                self.flush();
                self.push_caption(index);
                return item.end;
            }
            _ if item.hidden => return item.end,
            _ => self.open(index),
        }
        index + 1
    }

    fn note(&mut self, index: Index, why: &'static str) {
        self.cuts.push(Cut { index, why });
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
        if !matches!(group, Group::Preformatted(_)) && !self.accepts(&line, &shown, group) {
            return;
        }
        self.n_kept = self.n_kept.saturating_add(text::weight(&shown));
        let position = self.list_position();
        self.arrangement.add(line, group, position);
    }

    /// Whether a line is part of the text; what else it is good for is kept.
    fn accepts(&mut self, line: &Line, shown: &str, group: Group) -> bool {
        let candidate = Candidate {
            line,
            shown,
            place: match group {
                Group::Plain => Place::Paragraph,
                Group::Heading(_) => Place::Heading,
                _ => Place::Inside,
            },
            is_first: self.n_kept == self.n_before_text,
        };
        let why = match lines::judge(self.metadata, candidate) {
            LineVerdict::Keep if self.repeats(shown, group) => "repeats on this site",
            LineVerdict::Keep => return true,
            LineVerdict::Drop(why) => why,
            LineVerdict::Related(why) => {
                self.arrangement.add_related_line(line, self.base.as_str());
                why
            }
            LineVerdict::Correction => {
                self.arrangement
                    .add_block(Block::Correction(shown.to_owned()));
                "correction"
            }
        };
        if let Some(open) = self.open.last() {
            self.note(open.index, why);
        }
        false
    }

    /// Whether a line is on other pages of the site as well. It is noted for the memory.
    fn repeats(&mut self, shown: &str, group: Group) -> bool {
        let Some(memory) = self.clues.memory else {
            return false;
        };
        let Some(hash) = memory::line_hash(shown).filter(|_| !matches!(group, Group::Heading(_)))
        else {
            return false;
        };
        self.lines.push(hash);
        memory.is_furniture(hash) && !self.clues.anchors(shown)
    }

    fn list_position(&self) -> ListPosition {
        let mut lists = self
            .open
            .iter()
            .filter(|open| matches!(open.tag, Tag::Ul | Tag::Ol | Tag::Dl));
        let n_lists = lists.clone().count();
        ListPosition {
            depth: n_lists.saturating_sub(1).min(8) as u8,
            ordered: lists.next_back().is_some_and(|list| list.tag == Tag::Ol),
        }
    }

    /// The links in a part that is cut from the text.
    fn gather_related(&mut self, index: Index) {
        let end = self.outline.item(index).end;
        for at in index..end {
            let item = self.outline.item(at);
            if self.arrangement.has_enough_related() {
                return;
            }
            if item.tag == Tag::A && !item.hidden && item.weight >= 15 && item.weight <= 250 {
                let title = self.outline.text_of(at, 300);
                if let Some(link) = self.link(at) {
                    let own_url = self.base.as_str();
                    self.arrangement.add_related(&title, &link, own_url);
                }
            }
        }
    }

    fn push_figure(&mut self, index: Index) {
        if let Some(image) = figure::read(self.outline, index, self.base) {
            self.flush();
            self.arrangement.add_figure(image);
        }
    }

    /// A caption outside of a figure belongs to the picture before it.
    fn push_caption(&mut self, index: Index) {
        let caption = self.outline.text_of(index, 1_000);
        if let Some(image) = self.arrangement.last_figure()
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
        self.arrangement.add_block(Block::Embed(Related {
            title,
            url: url.into(),
        }));
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

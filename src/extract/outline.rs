//! The page as a flat list in document order: what every later step reads.
//!
//! Each node knows where its subtree ends, so "everything inside" is a range and no step
//! needs recursion. Sums over subtrees are made once, from the last node to the first.

use std::collections::{HashMap, HashSet};

use ego_tree::NodeRef;
use ego_tree::iter::Edge;
use scraper::{Html, Node};

use super::hints::{self, Hints};
use super::tag::Tag;
use super::text;

/// Position of a node in the list.
pub(super) type Index = usize;

/// Least weight of own text that makes a block a paragraph of prose.
const MIN_PROSE: u32 = 50;

/// One element or text of the page.
#[derive(Debug)]
pub(super) struct Item<'a> {
    /// The node itself.
    pub(super) node: NodeRef<'a, Node>,
    /// The element around it; the root is its own parent.
    pub(super) parent: Index,
    /// The nearest block element around it.
    pub(super) block: Index,
    /// First position behind its subtree.
    pub(super) end: Index,
    /// What element it is; [`Tag::Text`] for text.
    pub(super) tag: Tag,
    /// What its class, id and role suggest.
    pub(super) hints: Hints,
    /// Never shown: scripts, styles, `hidden`; with everything inside.
    pub(super) hidden: bool,
    /// Inside a link.
    pub(super) linked: bool,
    /// Weight of all text in the subtree.
    pub(super) weight: u32,
    /// Of that, inside links.
    pub(super) linked_weight: u32,
    /// Weight of the text whose nearest block element this is.
    pub(super) own_weight: u32,
    /// Of that, inside links.
    pub(super) own_linked: u32,
    /// Weight of the paragraphs of prose in the subtree.
    pub(super) prose: u32,
    /// Headings in the subtree that are links as a whole.
    pub(super) n_linked_headings: u32,
}

/// The list.
#[derive(Debug)]
pub(super) struct Outline<'a> {
    items: Vec<Item<'a>>,
}

impl<'a> Outline<'a> {
    /// Lists the nodes of a page and sums up what later steps ask for.
    pub(super) fn of(document: &'a Html) -> Self {
        let mut outline = Self {
            items: list(document),
        };
        outline.attribute_text_to_blocks();
        outline.sum_up();
        outline.distrust_names();
        outline
    }

    /// Number of nodes.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// All nodes.
    pub(super) fn items(&self) -> &[Item<'a>] {
        &self.items
    }

    /// One node.
    pub(super) fn item(&self, index: Index) -> &Item<'a> {
        &self.items[index]
    }

    /// The elements around a node, nearest first.
    pub(super) fn ancestors(&self, index: Index) -> impl Iterator<Item = Index> + '_ {
        let mut at = index;
        std::iter::from_fn(move || {
            let parent = self.items[at].parent;
            (parent != at).then(|| {
                at = parent;
                parent
            })
        })
    }

    /// The direct children of a node.
    pub(super) fn children(&self, index: Index) -> impl Iterator<Item = Index> + '_ {
        let end = self.items[index].end;
        let mut at = index + 1;
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let child = at;
                at = self.items[child].end;
                child
            })
        })
    }

    /// An attribute's value.
    pub(super) fn attribute(&self, index: Index, name: &str) -> Option<&'a str> {
        attribute(self.items[index].node, name)
    }

    /// The shown text of a subtree, folded, at most `max` bytes or little more.
    pub(super) fn text_of(&self, index: Index, max: usize) -> String {
        let mut to = String::new();
        let mut at = index;
        while at < self.items[index].end && to.len() < max {
            let item = &self.items[at];
            if item.hidden {
                at = item.end;
                continue;
            }
            match item.node.value() {
                Node::Text(text) => text::push_folded(&mut to, text),
                _ if item.tag.is_block() || item.tag == Tag::Br => text::push_folded(&mut to, " "),
                _ => {}
            }
            at += 1;
        }
        to.truncate(to.trim_end().len());
        to
    }

    /// The raw text directly inside an element: a script's or a title's.
    pub(super) fn raw_text(&self, index: Index) -> String {
        let mut to = String::new();
        for child in self.children(index) {
            if let Node::Text(text) = self.items[child].node.value() {
                to.push_str(text);
            }
        }
        to
    }

    /// Share of a subtree's text that is inside links; 0..=1.
    pub(super) fn link_density(&self, index: Index) -> f64 {
        let item = &self.items[index];
        if item.weight == 0 {
            return 0.0;
        }
        f64::from(item.linked_weight) / f64::from(item.weight)
    }

    /// Whether a subtree is a list of teasers: several headings that are links, with little
    /// text for each.
    pub(super) fn is_teaser_list(&self, index: Index) -> bool {
        let item = &self.items[index];
        item.n_linked_headings >= 3 && item.weight / item.n_linked_headings < 400
    }

    fn attribute_text_to_blocks(&mut self) {
        for index in 0..self.items.len() {
            if self.items[index].tag != Tag::Text || self.items[index].hidden {
                continue;
            }
            let Node::Text(text) = self.items[index].node.value() else {
                continue;
            };
            let weight = text::weight(text);
            let linked = self.items[index].linked;
            self.items[index].weight = weight;
            self.items[index].linked_weight = if linked { weight } else { 0 };
            let block = self.items[index].block;
            let block = &mut self.items[block];
            block.own_weight = block.own_weight.saturating_add(weight);
            block.own_linked = block
                .own_linked
                .saturating_add(if linked { weight } else { 0 });
        }
    }

    /// Takes back what a class suggests when it is the class of most paragraphs of the page.
    fn distrust_names(&mut self) {
        let total = self.items.first().map_or(0, |root| root.prose);
        let mut prose: HashMap<&str, (HashSet<u32>, u32)> = HashMap::new();
        for (index, item) in self.items.iter().enumerate() {
            let is_suspect = item.hints.furniture || item.hints.related;
            if !is_suspect || item.prose == 0 || !self.is_one_paragraph(index) {
                continue;
            }
            if let Some(class) = attribute(item.node, "class") {
                let (lengths, sum) = prose.entry(class).or_default();
                lengths.insert(item.prose);
                *sum = sum.saturating_add(item.prose);
            }
        }
        // The same notice again and again has one length.
        prose.retain(|_, (lengths, sum)| lengths.len() >= 5 && *sum > total / 2);
        if prose.is_empty() {
            return;
        }
        for item in &mut self.items {
            if attribute(item.node, "class").is_some_and(|class| prose.contains_key(class)) {
                (item.hints.furniture, item.hints.related) = (false, false);
            }
        }
    }

    /// Whether all text of an element is in one block: its own or that of one inside.
    fn is_one_paragraph(&self, index: Index) -> bool {
        let item = &self.items[index];
        let mut inner = self.items[index..item.end].iter();
        inner.any(|inner| inner.own_weight == item.weight)
    }

    fn sum_up(&mut self) {
        for index in (1..self.items.len()).rev() {
            let item = &mut self.items[index];
            let is_prose = item.own_weight >= MIN_PROSE
                && item.own_linked * 2 <= item.own_weight
                && !item.tag.is_heading();
            if is_prose {
                item.prose = item.prose.saturating_add(item.own_weight);
            }
            let is_linked = item.linked_weight * 10 > item.weight * 8 && item.weight > 0;
            if item.tag.is_heading() && is_linked {
                item.n_linked_headings = 1;
            }
            let n_linked_headings = item.n_linked_headings;
            let (weight, linked, prose) = (item.weight, item.linked_weight, item.prose);
            let parent = item.parent;
            let parent = &mut self.items[parent];
            parent.weight = parent.weight.saturating_add(weight);
            parent.linked_weight = parent.linked_weight.saturating_add(linked);
            parent.prose = parent.prose.saturating_add(prose);
            parent.n_linked_headings += n_linked_headings;
        }
    }
}

/// An attribute's value.
pub(super) fn attribute<'a>(node: NodeRef<'a, Node>, name: &str) -> Option<&'a str> {
    let Node::Element(element) = node.value() else {
        return None;
    };
    element
        .attrs
        .iter()
        .find(|(found, _)| &*found.local == name)
        .map(|(_, value)| &**value)
}

fn list(document: &Html) -> Vec<Item<'_>> {
    let mut items: Vec<Item<'_>> = Vec::with_capacity(document.tree.values().len());
    let mut open: Vec<Index> = Vec::new();
    let mut reader = hints::Reader::default();
    for edge in document.tree.root().traverse() {
        match edge {
            Edge::Open(node) => {
                let Some(item) = item(node, &open, &items, &mut reader) else {
                    continue;
                };
                let index = items.len();
                items.push(item);
                if node.has_children() {
                    open.push(index);
                }
            }
            Edge::Close(node) => {
                if open.last().is_some_and(|&top| items[top].node == node) {
                    let top = open.pop().expect("it was just looked at");
                    items[top].end = items.len();
                }
            }
        }
    }
    items
}

/// The entry for one node; `None` for comments and the like.
fn item<'a>(
    node: NodeRef<'a, Node>,
    open: &[Index],
    items: &[Item<'a>],
    reader: &mut hints::Reader<'a>,
) -> Option<Item<'a>> {
    let tag = match node.value() {
        Node::Document | Node::Fragment => Tag::Other,
        Node::Element(element) => Tag::of(&element.name.local),
        Node::Text(_) => Tag::Text,
        _ => return None,
    };
    let index = items.len();
    let parent = open.last().map(|&parent| &items[parent]);
    let hints = match node.value() {
        Node::Element(element) => reader.read(tag, element),
        _ => Hints::default(),
    };
    let parent_index = open.last().copied().unwrap_or(index);
    let block = match parent {
        Some(parent) if !parent.tag.is_block() => parent.block,
        _ => parent_index,
    };
    Some(Item {
        node,
        parent: parent_index,
        block,
        end: index + 1,
        tag,
        hints,
        hidden: tag.is_unseen() || hints.hidden || parent.is_some_and(|parent| parent.hidden),
        linked: tag == Tag::A || parent.is_some_and(|parent| parent.linked),
        weight: 0,
        linked_weight: 0,
        own_weight: 0,
        own_linked: 0,
        prose: 0,
        n_linked_headings: 0,
    })
}

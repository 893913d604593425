//! The guarded parse: the only place where a page becomes a tree.
//!
//! html5ever follows the HTML standard (WHATWG, "Parsing HTML documents") and has no
//! limits of its own: its work grows with the square of the nesting depth and of the
//! number of attributes of one tag. So a page is reduced first, which bounds the
//! attributes, then fed in small pieces, and the tree looked at after each.

use ego_tree::{NodeId, NodeRef};
use html5ever::driver;
use html5ever::tendril::TendrilSink;
use scraper::{Html, HtmlTreeSink, Node};

use super::reduce::Reduced;

/// Bytes that are parsed between two looks at the tree. Small enough that even a piece
/// made of nothing but `<p>` inside many formatting elements stays cheap.
const PIECE_BYTES: usize = 4096;

/// Most nodes that are kept of a page; the rest of it is not read. Of 946 pages that we
/// measured the median has 1,600 and the largest 25,500; 80,000 take some 40 MB and 0.2 s.
const MAX_NODES: usize = 80_000;

/// A page that is nested deeper than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooDeep;

/// Parses a page, refusing nesting beyond `max_depth` and stopping at [`MAX_NODES`].
pub(super) fn parse_guarded(page: &Reduced<'_>, max_depth: usize) -> Result<Html, TooDeep> {
    let html = page.html.as_str();
    let sink = HtmlTreeSink::new(Html::new_document());
    let mut parser = driver::parse_document(sink, driver::ParseOpts::default());
    let (mut at, mut n_seen) = (0, 0);
    let mut depths = Depths::default();
    while at < html.len() && n_seen < MAX_NODES {
        let mut end = (at + PIECE_BYTES).min(html.len());
        while !html.is_char_boundary(end) {
            end += 1;
        }
        parser.process(html[at..end].into());
        at = end;
        let document = parser.tokenizer.sink.sink.0.borrow();
        let n_nodes = document.tree.values().len();
        // The last first would be quicker to reach, but the path is kept in order.
        let new: Vec<_> = document.tree.nodes().rev().take(n_nodes - n_seen).collect();
        for node in new.into_iter().rev() {
            if node.value().is_element() && depths.of(node) > max_depth {
                return Err(TooDeep);
            }
        }
        n_seen = n_nodes;
    }
    Ok(parser.finish())
}

/// Depths of elements in the order in which the parser makes them: nearly always the next
/// one stands in, or beside, one that was just asked for.
#[derive(Debug, Default)]
struct Depths {
    /// Elements from the root to the last one asked for.
    path: Vec<NodeId>,
    /// Depth of the first of the path.
    base: usize,
}

impl Depths {
    fn of(&mut self, node: NodeRef<'_, Node>) -> usize {
        let Some(parent) = node.parent() else {
            return 0;
        };
        while self.path.last().is_some_and(|&last| last != parent.id()) {
            self.path.pop();
        }
        if self.path.is_empty() {
            self.base = parent.ancestors().count();
            self.path.push(parent.id());
        }
        self.path.push(node.id());
        self.base + self.path.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::super::reduce::reduce;
    use super::*;

    fn parsed(page: &str) -> Result<Html, TooDeep> {
        parse_guarded(&reduce(page), 512)
    }

    #[test]
    fn nesting_beyond_the_limit_is_refused_early() {
        let deep = "<div>".repeat(200_000);

        assert_eq!(parsed(&deep).err(), Some(TooDeep));
        assert!(parsed(&"<div>".repeat(400)).is_ok());
    }

    #[test]
    fn depth_behind_the_end_of_the_body_counts_too() {
        let hidden = format!("<body></body><!x>{}", "<b><div>".repeat(2_000));

        assert_eq!(parsed(&hidden).err(), Some(TooDeep));
    }

    #[test]
    fn a_page_of_too_many_nodes_is_read_up_to_the_limit() {
        let page = "<p>x".repeat(400_000);

        let document = parsed(&page).unwrap();

        assert!(document.tree.values().len() < MAX_NODES + 2 * PIECE_BYTES);
    }
}

//! What is cut from inside the article's container: furniture by its name, its element, or
//! its share of links.

use std::collections::HashMap;

use url::Url;

use super::content::Content;
use super::metadata::Metadata;
use super::outline::{Index, Outline};
use super::tag::Tag;
use super::text::comparable;
use super::title::similarity;

/// What to do with an element and all inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Part of the article.
    Keep,
    /// Not part of it, and why.
    Drop(&'static str),
    /// Not part of it, but its links lead to related articles.
    Related(&'static str),
    /// The article ends before it.
    End(&'static str),
}

/// Knows the article's size and title.
#[derive(Debug)]
pub(super) struct Pruner<'o, 'a> {
    outline: &'o Outline<'a>,
    metadata: &'o Metadata,
    content: &'o Content,
    base: &'o Url,
    /// How many boxes of a class the article has.
    boxes: HashMap<&'a str, usize>,
    total: f64,
}

impl<'o, 'a> Pruner<'o, 'a> {
    /// For one page.
    pub(super) fn new(
        outline: &'o Outline<'a>,
        metadata: &'o Metadata,
        content: &'o Content,
        base: &'o Url,
    ) -> Self {
        let total: u32 = content
            .roots
            .iter()
            .map(|&root| outline.item(root).prose)
            .sum();
        let mut boxes: HashMap<&str, usize> = HashMap::new();
        for &root in &content.roots {
            for index in root..outline.item(root).end {
                let item = outline.item(index);
                if item.hints.aside && item.weight > 0 {
                    let class = outline.attribute(index, "class").unwrap_or_default();
                    *boxes.entry(class).or_default() += 1;
                }
            }
        }
        Self {
            outline,
            metadata,
            content,
            base,
            boxes,
            total: f64::from(total),
        }
    }

    /// Judges an element when it is reached; `n_kept` is the weight of the text before it.
    pub(super) fn judge(&self, index: Index, n_kept: u32) -> Verdict {
        let item = self.outline.item(index);
        if item.hidden && !matches!(item.tag, Tag::Iframe | Tag::Video | Tag::Noscript) {
            return Verdict::Drop("hidden");
        }
        if Some(index) == self.content.lead {
            return Verdict::Keep;
        }
        if item.tag.is_heading() || item.hints.headline {
            let verdict = self.judge_heading(index, n_kept);
            if verdict != Verdict::Keep {
                return verdict;
            }
        }
        let is_large = f64::from(item.prose) > 0.4 * self.total;
        if self.outline.is_teaser_list(index) && !is_large {
            return Verdict::Related("list of teasers");
        }
        let is_small = f64::from(item.prose) <= 0.3 * self.total;
        if !is_small {
            return Verdict::Keep;
        }
        self.judge_name(index)
            .or_else(|| self.judge_links(index))
            .unwrap_or(Verdict::Keep)
    }

    fn judge_heading(&self, index: Index, n_kept: u32) -> Verdict {
        let item = self.outline.item(index);
        if item.weight == 0 || item.weight > 400 {
            return Verdict::Keep;
        }
        if Some(index) == self.metadata.headline {
            return Verdict::Drop("headline");
        }
        let shown = comparable(&self.outline.text_of(index, 500));
        let is_title = self
            .metadata
            .titles
            .iter()
            .any(|title| similarity(title, &shown) >= 0.85);
        if is_title && item.tag.is_heading() {
            return Verdict::Drop("headline again");
        }
        if item.tag == Tag::H1
            && f64::from(n_kept) > 800.0
            && self
                .metadata
                .headline
                .is_some_and(|headline| self.is_other_article(headline, index))
        {
            return Verdict::End("headline of another article");
        }
        Verdict::Keep
    }

    /// Whether a headline stands in an `<article>` that does not hold the page's own.
    fn is_other_article(&self, own: Index, other: Index) -> bool {
        let article = self
            .outline
            .ancestors(other)
            .find(|&ancestor| self.outline.item(ancestor).tag == Tag::Article);
        article.is_some_and(|article| {
            own < other && !(article..self.outline.item(article).end).contains(&own)
        })
    }

    fn judge_name(&self, index: Index) -> Option<Verdict> {
        let item = self.outline.item(index);
        let hints = item.hints;
        if hints.related && !self.holds_lead(index) {
            return Some(Verdict::Related("named as related"));
        }
        if (hints.furniture && !self.holds_lead(index)) || hints.comments {
            return Some(Verdict::Drop("named as furniture"));
        }
        if hints.aside
            && item.tag != Tag::P
            && !item.tag.is_heading()
            && !hints.body
            && !hints.picture
            && !self.is_box_of_text(index)
        {
            return Some(Verdict::Drop("named as a box"));
        }
        match item.tag {
            Tag::Nav
            | Tag::Footer
            | Tag::Form
            | Tag::Button
            | Tag::Label
            | Tag::Input
            | Tag::Dialog
            | Tag::Aside => {
                return Some(Verdict::Drop("element of furniture"));
            }
            _ => {}
        }
        if item.tag.is_heading() {
            return None;
        }
        let is_byline = hints.byline && item.weight <= 200 && item.prose == 0;
        let is_dateline = hints.dateline && item.weight <= 80;
        let is_lone_time = item.tag == Tag::Time && self.outline.item(item.block).own_weight <= 60;
        if is_byline || is_dateline || is_lone_time {
            return Some(Verdict::Drop("byline or date"));
        }
        None
    }

    /// Whether a box is part of the text: one of several of its kind, or with subheads or
    /// tables of its own; not what is embedded from elsewhere.
    fn is_box_of_text(&self, index: Index) -> bool {
        let item = self.outline.item(index);
        if item.tag == Tag::Aside {
            return false;
        }
        let (mut has_structure, mut is_foreign) = (false, false);
        for at in index + 1..item.end {
            match self.outline.item(at).tag {
                Tag::Blockquote | Tag::Iframe => is_foreign = true,
                Tag::Table => has_structure = true,
                tag => has_structure |= tag.is_heading(),
            }
        }
        let class = self.outline.attribute(index, "class");
        let n_alike = class.map_or(0, |class| self.boxes.get(class).copied().unwrap_or(0));
        !is_foreign && (n_alike >= 3 || (has_structure && item.hints.embed))
    }

    /// Whether the element that says what the page's description says is inside.
    fn holds_lead(&self, index: Index) -> bool {
        let end = self.outline.item(index).end;
        self.content
            .lead
            .is_some_and(|lead| (index..end).contains(&lead))
    }

    /// Whether all text of an element is one paragraph with a link in it, or one subhead
    /// with a link to itself: they are judged by themselves.
    fn wraps_one_line(&self, index: Index) -> bool {
        let item = self.outline.item(index);
        let mut inner = index + 1..item.end;
        let Some(line) = inner.find(|&at| self.outline.item(at).own_weight == item.weight) else {
            return false;
        };
        let line_item = self.outline.item(line);
        if line_item.tag.is_heading() {
            return (line..item.end).all(|at| {
                self.outline.item(at).tag != Tag::A
                    || self
                        .outline
                        .attribute(at, "href")
                        .is_none_or(|href| href.starts_with('#'))
            });
        }
        line_item.tag == Tag::P && item.linked_weight * 10 < item.weight * 8
    }

    /// Whether the first link inside leads to another site: teasers stay at their own.
    fn leads_off_site(&self, index: Index) -> bool {
        let mut inner = index..self.outline.item(index).end;
        let href = inner.find_map(|at| self.outline.attribute(at, "href"));
        let host = |url: &Url| url.host_str().map(str::to_owned);
        href.and_then(|href| self.base.join(href).ok())
            .is_some_and(|url| host(&url).is_some() && host(&url) != host(self.base))
    }

    /// Whether most items of a list are links as a whole: not so in a list of points that
    /// have links in them.
    fn is_list_of_links(&self, index: Index) -> bool {
        let (mut n_items, mut n_links) = (0, 0);
        for at in index + 1..self.outline.item(index).end {
            let item = self.outline.item(at);
            if matches!(item.tag, Tag::Li | Tag::Dd | Tag::Td) && item.weight > 0 {
                n_items += 1;
                n_links += usize::from(item.linked_weight * 10 >= item.weight * 6);
            }
        }
        n_items == 0 || n_links * 2 > n_items
    }

    fn judge_links(&self, index: Index) -> Option<Verdict> {
        let item = self.outline.item(index);
        if item.weight == 0 || item.linked_weight == 0 || !item.tag.is_block() {
            return None;
        }
        let density = self.outline.link_density(index);
        let is_list = matches!(item.tag, Tag::Ul | Tag::Ol | Tag::Dl | Tag::Table);
        let limit = match item.tag {
            Tag::P
            | Tag::Li
            | Tag::Dd
            | Tag::Td
            | Tag::Blockquote
            | Tag::Figure
            | Tag::Figcaption => return None,
            _ if item.tag.is_heading() => 0.9,
            _ if is_list => 0.6,
            _ => 0.55,
        };
        let is_content = || {
            if is_list {
                !self.is_list_of_links(index)
            } else {
                !item.tag.is_heading() && self.wraps_one_line(index)
            }
        };
        let is_content = || is_content() || (item.tag.is_heading() && self.leads_off_site(index));
        (density > limit && !is_content()).then_some(Verdict::Related("mostly links"))
    }
}

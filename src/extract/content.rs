//! Where the article is: the subtrees that hold its text, and its stand-first.
//!
//! Every paragraph of prose has a value, which its surroundings raise or lower. From the
//! root we step down as long as one child holds nearly all of the value; where the value
//! spreads over several children, they are the article. Linear in the size of the page.

use super::clues::Clues;
use super::metadata::Metadata;
use super::outline::{Index, Outline};
use super::tag::Tag;
use super::text::{comparable, prefix};

/// A child with at least this share of the value is stepped into.
const DOMINANT: f64 = 0.72;

/// Furniture that holds more than this share of the page's prose is no furniture: pages
/// name their outermost elements after their sidebars and paywalls.
const TOO_LARGE_FOR_FURNITURE: f64 = 0.4;

/// The findings.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    /// Subtrees that hold the text, in document order, none inside another.
    pub(super) roots: Vec<Index>,
    /// The element of the stand-first, when it is outside of the roots.
    pub(super) standfirst: Option<Index>,
    /// The element that says what the page's description says, wherever it is.
    pub(super) lead: Option<Index>,
}

/// Whether what elements are called decides about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    /// As a rule.
    Believed,
    /// When nearly all of the page has names of furniture.
    Ignored,
}

/// Finds the article.
pub(super) fn find(outline: &Outline<'_>, metadata: &Metadata, clues: &Clues<'_>) -> Content {
    if outline.len() == 0 {
        return Content::default();
    }
    let found = find_believing(outline, metadata, clues, Names::Believed);
    let prose = |content: &Content| -> u32 {
        let roots = content.roots.iter();
        roots.map(|&root| outline.item(root).prose).sum()
    };
    if prose(&found) >= ENOUGH_PROSE {
        return found;
    }
    let other = find_believing(outline, metadata, clues, Names::Ignored);
    if prose(&other) >= 3 * prose(&found).max(100) {
        return other;
    }
    found
}

/// Pages with this much prose in their article are not looked at a second time.
const ENOUGH_PROSE: u32 = 300;

fn find_believing(
    outline: &Outline<'_>,
    metadata: &Metadata,
    clues: &Clues<'_>,
    names: Names,
) -> Content {
    let excluded = excluded(outline, metadata, names);
    let lead = lead(outline, metadata, clues);
    let values = values(outline, metadata, clues, &excluded, lead);
    let best = usual_container(outline, clues, &values)
        .unwrap_or_else(|| descend(outline, metadata, &values));
    let roots = with_siblings(outline, metadata, &values, &excluded, best);
    let standfirst = standfirst(outline, metadata, clues, &excluded, &roots, lead);
    Content {
        roots,
        standfirst,
        lead,
    }
}

/// Which nodes are furniture, or inside of it.
fn excluded(outline: &Outline<'_>, metadata: &Metadata, names: Names) -> Vec<bool> {
    let total = f64::from(outline.item(0).prose);
    let mut excluded = vec![false; outline.len()];
    for index in 0..outline.len() {
        let item = outline.item(index);
        let holds_headline = metadata
            .headline
            .is_some_and(|headline| (index..item.end).contains(&headline));
        let is_large = f64::from(item.prose) > TOO_LARGE_FOR_FURNITURE * total;
        let hints = item.hints;
        let by_name = (names == Names::Believed && (hints.furniture || hints.related))
            || matches!(
                item.tag,
                Tag::Nav | Tag::Footer | Tag::Aside | Tag::Form | Tag::Button
            );
        let own = item.hidden
            || (hints.comments && !holds_headline && !(is_large && hints.body))
            || (by_name && !is_large && !hints.body)
            || (outline.is_teaser_list(index) && !holds_headline && !is_large);
        excluded[index] = own || excluded[item.parent];
    }
    excluded
}

/// The value of each subtree.
fn values(
    outline: &Outline<'_>,
    metadata: &Metadata,
    clues: &Clues<'_>,
    excluded: &[bool],
    lead: Option<Index>,
) -> Vec<f64> {
    let mut in_body = vec![false; outline.len()];
    let mut values = vec![0.0; outline.len()];
    for index in 0..outline.len() {
        let item = outline.item(index);
        in_body[index] = in_body[item.parent] || (item.hints.body && item.prose > 0);
        let is_paragraph = item.own_weight >= 50 && item.own_linked * 2 <= item.own_weight;
        if !is_paragraph || excluded[index] || item.tag.is_heading() || item.hints.caption {
            continue;
        }
        let mut value = f64::from(item.own_weight);
        if in_body[index] {
            value *= 2.0;
        }
        if item.tag == Tag::P {
            value *= 1.3;
        } else if matches!(item.tag, Tag::Li | Tag::Td | Tag::Dd) {
            value *= 0.5;
        }
        if metadata.headline.is_some_and(|headline| index < headline) {
            value *= 0.5;
        }
        if clues.has_anchors() && clues.anchors(&outline.text_of(index, 200)) {
            value *= 3.0;
        }
        if Some(index) == lead {
            value *= 1.5;
        }
        values[index] = value;
    }
    for index in (1..outline.len()).rev() {
        values[outline.item(index).parent] += values[index];
    }
    values
}

/// The element that stands where the site's other articles stood, when it holds enough of
/// the value to be an article.
fn usual_container(outline: &Outline<'_>, clues: &Clues<'_>, values: &[f64]) -> Option<Index> {
    let usual = clues.memory?.usual_containers(outline);
    usual
        .into_iter()
        .max_by(|&a, &b| values[a].total_cmp(&values[b]).then(b.cmp(&a)))
        .filter(|&best| values[best] >= 200.0 && values[best] >= 0.2 * values[0])
}

/// Steps down from the root to the element whose children share the article.
fn descend(outline: &Outline<'_>, metadata: &Metadata, values: &[f64]) -> Index {
    let mut at = 0;
    loop {
        let best = outline
            .children(at)
            .max_by(|&a, &b| values[a].total_cmp(&values[b]).then(b.cmp(&a)));
        let Some(best) = best else { return at };
        if values[best] >= DOMINANT * values[at]
            && values[best] > 0.0
            && outline.item(best).tag.is_block()
        {
            // A lone paragraph is not the container of an article.
            if matches!(outline.item(best).tag, Tag::P) {
                return at;
            }
            at = best;
            continue;
        }
        match one_of_several_articles(outline, metadata, values, at) {
            Some(article) => at = article,
            None => return at,
        }
    }
}

/// Pages that load one article after the other hold several; the page is about the one with
/// its headline, or else the first. Live blogs hold many inside one.
fn one_of_several_articles(
    outline: &Outline<'_>,
    metadata: &Metadata,
    values: &[f64],
    at: Index,
) -> Option<Index> {
    let mut articles = Vec::new();
    let mut index = at + 1;
    while index < outline.item(at).end {
        if outline.item(index).tag == Tag::Article {
            if values[index] >= 0.1 * values[at] {
                articles.push(index);
            }
            index = outline.item(index).end;
        } else {
            index += 1;
        }
    }
    if !(1..=5).contains(&articles.len()) {
        return None;
    }
    let with_headline = metadata.headline.and_then(|headline| {
        articles
            .iter()
            .copied()
            .find(|&article| (article..outline.item(article).end).contains(&headline))
    });
    with_headline
        .or_else(|| articles.first().copied())
        .filter(|&article| {
            values[article] >= 600.0 && (articles.len() > 1 || values[article] >= 0.5 * values[at])
        })
}

/// The element found, with those beside it, and beside the elements around it, that are
/// of its kind: articles are often cut in pieces by advertising.
fn with_siblings(
    outline: &Outline<'_>,
    metadata: &Metadata,
    values: &[f64],
    excluded: &[bool],
    best: Index,
) -> Vec<Index> {
    let mut roots = vec![best];
    let mut child = best;
    for level in 0..6 {
        let parent = outline.item(child).parent;
        if parent == child || matches!(outline.item(parent).tag, Tag::Body | Tag::Html) {
            break;
        }
        let class = outline.attribute(child, "class");
        for sibling in outline.children(parent) {
            if sibling == child || excluded[sibling] || values[sibling] <= 0.0 {
                continue;
            }
            if metadata.headline.is_some_and(|headline| sibling < headline) {
                continue;
            }
            let item = outline.item(sibling);
            let same_kind = item.tag == outline.item(child).tag
                && class.is_some()
                && class == outline.attribute(sibling, "class")
                && item.tag != Tag::Article;
            let is_text = matches!(item.tag, Tag::P | Tag::Blockquote) || item.hints.body;
            // A block with nothing but its own text is a paragraph, whatever its element.
            let is_paragraph = level == 0 && item.prose > 0 && item.prose == item.own_weight;
            let is_kin = (level < 3 && (same_kind || is_text || is_paragraph)) || item.hints.body;
            if is_kin && outline.link_density(sibling) < 0.5 {
                roots.push(sibling);
            }
        }
        child = parent;
    }
    roots.sort_unstable();
    roots
}

/// The element that says what the page's description says: the first one from the headline
/// on. Its name does not matter; `teaser-text` is often the stand-first.
fn lead(outline: &Outline<'_>, metadata: &Metadata, clues: &Clues<'_>) -> Option<Index> {
    if !clues.has_description() {
        return None;
    }
    let start = metadata.headline.unwrap_or(0).saturating_sub(40);
    (start..outline.len()).find(|&index| {
        let item = outline.item(index);
        if item.hidden
            || !item.tag.is_block()
            || item.own_weight < 20
            || item.own_weight * 10 < item.weight * 7
            || item.own_linked * 2 > item.own_weight
            || item.hints.comments
            || Some(index) == metadata.headline
        {
            return false;
        }
        let shown = outline.text_of(index, 100);
        if clues.starts_as_described(&comparable(prefix(&shown, 60))) {
            return !metadata
                .titles
                .contains(&comparable(&outline.text_of(index, 1_000)));
        }
        // Only texts of about the same length can be alike.
        clues.can_be_alike(item.own_weight) && {
            let form = comparable(&outline.text_of(index, 1_000));
            clues.says_the_same(&form) && !metadata.titles.contains(&form)
        }
    })
}

/// The stand-first outside of the text: the element that says what the page's description
/// says, or one named for it, between the headline and the text.
fn standfirst(
    outline: &Outline<'_>,
    metadata: &Metadata,
    clues: &Clues<'_>,
    excluded: &[bool],
    roots: &[Index],
    lead: Option<Index>,
) -> Option<Index> {
    let first = *roots.first()?;
    let inside = |index: Index| {
        let n_before = roots.partition_point(|&root| root <= index);
        n_before > 0 && index < outline.item(roots[n_before - 1]).end
    };
    if roots
        .iter()
        .any(|&root| begins_as_described(outline, root, clues))
    {
        return None;
    }
    if let Some(lead) = lead.filter(|&lead| lead < first + 2_000) {
        return Some(lead).filter(|&lead| !inside(lead));
    }
    let start = metadata
        .headline
        .map_or(first.saturating_sub(300), |headline| headline.min(first));
    (start..first).find(|&index| {
        let item = outline.item(index);
        let is_named = item.hints.standfirst
            || outline
                .ancestors(index)
                .take(2)
                .any(|ancestor| outline.item(ancestor).hints.standfirst);
        is_named
            && !excluded[index]
            && !item.hidden
            && item.tag.is_block()
            && !inside(index)
            && item.own_weight >= 40
            && item.own_linked * 2 <= item.own_weight
            && !item.hints.byline
            && !item.hints.caption
            && Some(index) != metadata.headline
            && !metadata
                .titles
                .contains(&comparable(&outline.text_of(index, 1_000)))
    })
}

/// Whether one of the first paragraphs of a subtree begins like a description.
fn begins_as_described(outline: &Outline<'_>, root: Index, clues: &Clues<'_>) -> bool {
    clues.has_description()
        && (root..outline.item(root).end)
            .filter(|&index| {
                outline.item(index).tag.is_block() && outline.item(index).own_weight >= 20
            })
            .take(8)
            .any(|index| clues.begins_as_described(&outline.text_of(index, 400)))
}

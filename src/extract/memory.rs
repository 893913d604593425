//! What the pages of one site have in common, learned page by page: lines that repeat from
//! article to article are furniture, and the container that held the last articles
//! probably holds the next.

use std::collections::HashSet;

use super::outline::{Index, Outline};
use super::tag::Tag;
use super::text;

/// Most lines that are remembered.
const MAX_LINES: usize = 400;

/// Most containers that are remembered.
const MAX_CONTAINERS: usize = 8;

/// Most pages that are remembered so as not to learn from them twice.
const MAX_RECENT: usize = 16;

/// Most lines of one page that are learned.
const MAX_LINES_OF_PAGE: usize = 200;

/// Lines lighter than this are not learned: "Yes." stands in many articles.
const MIN_WEIGHT: u32 = 12;

/// Pages after which a line that was seen once, or more often, is forgotten.
const FORGET_ONCE_AFTER: u32 = 40;
const FORGET_AFTER: u32 = 200;

/// First byte of the compact form.
const VERSION: u8 = 1;

/// What a site's pages have in common: a small value to keep between pages, at most 4 KiB
/// in its compact form.
///
/// Give it to [`extract_with`](super::extract_with) and let it learn from the facts that
/// come back. An empty one knows nothing and is where to start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteMemory {
    n_pages: u32,
    /// Hashes of addresses and titles of the last pages.
    recent: Vec<(u32, u32)>,
    containers: Vec<Seen>,
    lines: Vec<Seen>,
}

/// Something seen on pages of the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    hash: u32,
    /// Pages that had it, up to 255.
    count: u8,
    /// Number of the first and last page that had it, counted from 1.
    first: u32,
    last: u32,
}

/// What one page can teach a [`SiteMemory`]; empty when no memory was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageFacts {
    /// Hashes of its address and title.
    page: (u32, u32),
    /// Hash of the way to its container.
    container: Option<u32>,
    /// Hashes of the lines of its text, furniture among them.
    lines: Vec<u32>,
}

impl PageFacts {
    /// Of a page with this address and title.
    pub(super) fn of(url: &str, title: Option<&str>) -> Self {
        let title = text::comparable(title.unwrap_or_default());
        Self {
            page: (hash(url.as_bytes()), hash(title.as_bytes())),
            ..Self::default()
        }
    }

    /// Notes a line of the text.
    pub(super) fn add_line(&mut self, line: u32) {
        if self.lines.len() < MAX_LINES_OF_PAGE {
            self.lines.push(line);
        }
    }

    /// Notes where the text was.
    pub(super) fn set_container(&mut self, outline: &Outline<'_>, container: Index) {
        self.container = Some(way(outline, container));
    }
}

impl SiteMemory {
    /// Learns from one page. A page that was learned from lately, by its address or its
    /// title, teaches nothing new.
    pub fn learn(&mut self, facts: &PageFacts) {
        let (url, title) = facts.page;
        let is_known = |&(known_url, known_title): &(u32, u32)| {
            known_url == url || (known_title == title && title != hash(b""))
        };
        if facts.lines.is_empty() || self.recent.iter().any(is_known) {
            return;
        }
        self.n_pages = self.n_pages.saturating_add(1);
        self.recent.push(facts.page);
        if self.recent.len() > MAX_RECENT {
            self.recent.remove(0);
        }
        let lines: HashSet<u32> = facts.lines.iter().copied().collect();
        note(&mut self.lines, lines, self.n_pages, MAX_LINES);
        let containers = facts.container.into_iter().collect();
        note(
            &mut self.containers,
            containers,
            self.n_pages,
            MAX_CONTAINERS,
        );
    }

    /// Pages that it learned from.
    #[must_use]
    pub fn n_pages(&self) -> u32 {
        self.n_pages
    }

    /// Whether a line repeats from article to article: on two other pages at least, and on
    /// a quarter of those since it was first seen. Paragraphs of background that agencies
    /// use again stay below that.
    pub(super) fn is_furniture(&self, line: u32) -> bool {
        let seen = self.lines.binary_search_by_key(&line, |seen| seen.hash);
        seen.is_ok_and(|at| {
            let seen = self.lines[at];
            let n_since = self.n_pages.saturating_sub(seen.first) + 1;
            seen.count >= 2 && u32::from(seen.count) * 4 >= n_since
        })
    }

    /// The elements of a page that stand where most articles of the site stood.
    pub(super) fn usual_containers(&self, outline: &Outline<'_>) -> Vec<Index> {
        let usual = self.containers.iter().max_by_key(|seen| seen.count);
        let Some(usual) = usual
            .filter(|seen| seen.count >= 3 && u32::from(seen.count) * 2 >= self.n_pages.min(255))
        else {
            return Vec::new();
        };
        let mut ways = vec![0u32; outline.len()];
        let mut found = Vec::new();
        for index in 0..outline.len() {
            let item = outline.item(index);
            if !item.tag.is_block() {
                ways[index] = ways[item.parent];
                continue;
            }
            let before = if item.parent == index {
                0
            } else {
                ways[item.parent]
            };
            ways[index] = step(outline, index, before);
            if ways[index] == usual.hash && item.prose > 0 {
                found.push(index);
            }
        }
        found
    }

    /// The compact form, at most 4 KiB.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.n_pages.to_le_bytes());
        bytes.push(self.recent.len() as u8);
        for (url, title) in &self.recent {
            bytes.extend(url.to_le_bytes());
            bytes.extend(title.to_le_bytes());
        }
        bytes.push(self.containers.len() as u8);
        bytes.extend((self.lines.len() as u16).to_le_bytes());
        for seen in self.containers.iter().chain(&self.lines) {
            let ago = |page: u32| self.n_pages.saturating_sub(page).min(u32::from(u16::MAX)) as u16;
            bytes.extend(seen.hash.to_le_bytes());
            bytes.push(seen.count);
            bytes.extend(ago(seen.first).to_le_bytes());
            bytes.extend(ago(seen.last).to_le_bytes());
        }
        bytes
    }

    /// Reads the compact form; `None` when it is not one, or of another version: then
    /// begin anew.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let [version] = take(&mut rest)?;
        let n_pages = u32::from_le_bytes(take(&mut rest)?);
        let [n_recent] = take(&mut rest)?;
        if version != VERSION || usize::from(n_recent) > MAX_RECENT {
            return None;
        }
        let mut recent = Vec::new();
        for _ in 0..n_recent {
            let url = u32::from_le_bytes(take(&mut rest)?);
            recent.push((url, u32::from_le_bytes(take(&mut rest)?)));
        }
        let [n_containers] = take(&mut rest)?;
        let n_lines = u16::from_le_bytes(take(&mut rest)?);
        if usize::from(n_containers) > MAX_CONTAINERS || usize::from(n_lines) > MAX_LINES {
            return None;
        }
        let mut read = |n: usize| -> Option<Vec<Seen>> {
            let seen: Option<Vec<Seen>> = (0..n).map(|_| read_seen(&mut rest, n_pages)).collect();
            seen.filter(|seen| seen.is_sorted_by(|a, b| a.hash < b.hash))
        };
        let containers = read(usize::from(n_containers))?;
        let lines = read(usize::from(n_lines))?;
        rest.is_empty().then_some(Self {
            n_pages,
            recent,
            containers,
            lines,
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*taken)
}

fn read_seen(rest: &mut &[u8], n_pages: u32) -> Option<Seen> {
    let hash = u32::from_le_bytes(take(rest)?);
    let [count] = take(rest)?;
    let mut page = || {
        let ago = u16::from_le_bytes(take(rest)?);
        Some(n_pages.saturating_sub(u32::from(ago)))
    };
    Some(Seen {
        hash,
        count,
        first: page()?,
        last: page()?,
    })
}

/// Notes what a page had, and forgets what was not seen for long; sorted by hash.
fn note(known: &mut Vec<Seen>, hashes: HashSet<u32>, page: u32, max: usize) {
    for hash in hashes {
        match known.binary_search_by_key(&hash, |seen| seen.hash) {
            Ok(at) => {
                let seen = &mut known[at];
                seen.count = seen.count.saturating_add(1);
                seen.last = page;
            }
            Err(at) => known.insert(
                at,
                Seen {
                    hash,
                    count: 1,
                    first: page,
                    last: page,
                },
            ),
        }
    }
    known.retain(|seen| {
        let patience = if seen.count > 1 {
            FORGET_AFTER
        } else {
            FORGET_ONCE_AFTER
        };
        page - seen.last <= patience
    });
    if known.len() > max {
        // What was seen often, and lately, is kept.
        known.sort_by_key(|seen| std::cmp::Reverse((seen.count > 1, seen.last, seen.hash)));
        known.truncate(max);
        known.sort_by_key(|seen| seen.hash);
    }
}

/// The hash by which a line is remembered; digits count alike, so that "12 comments" is
/// "7 comments". `None` for lines that are too light.
pub(super) fn line_hash(line: &str) -> Option<u32> {
    if text::weight(line) < MIN_WEIGHT {
        return None;
    }
    let mut form = text::comparable(text::prefix(line, 400)).into_bytes();
    form.dedup_by(|b, a| a.is_ascii_digit() && b.is_ascii_digit());
    for byte in &mut form {
        if byte.is_ascii_digit() {
            *byte = b'0';
        }
    }
    Some(hash(&form))
}

/// The hash of the way from the page's root to an element.
fn way(outline: &Outline<'_>, index: Index) -> u32 {
    let mut steps: Vec<Index> = outline.ancestors(index).collect();
    steps.reverse();
    steps.push(index);
    let blocks = steps
        .into_iter()
        .filter(|&at| outline.item(at).tag.is_block());
    blocks.fold(0, |before, at| step(outline, at, before))
}

/// One step of a way: the element and the first word of its class, without numbers.
fn step(outline: &Outline<'_>, index: Index, before: u32) -> u32 {
    let tag: Tag = outline.item(index).tag;
    let class = outline.attribute(index, "class").unwrap_or_default();
    let name = class.split_ascii_whitespace().next().unwrap_or_default();
    let mut bytes = before.to_le_bytes().to_vec();
    bytes.push(tag as u8);
    let letters = name.bytes().take(64).filter(|byte| !byte.is_ascii_digit());
    bytes.extend(letters);
    hash(&bytes)
}

/// A hash that stays the same for ever: it is stored (FNV-1a, folded to 32 bits).
fn hash(bytes: &[u8]) -> u32 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(n: u32, lines: &[u32]) -> PageFacts {
        PageFacts {
            page: (n, n),
            container: Some(7),
            lines: lines.to_vec(),
        }
    }

    #[test]
    fn a_line_that_comes_again_on_a_third_page_is_furniture() {
        let mut memory = SiteMemory::default();

        memory.learn(&page(1, &[10, 100]));
        assert!(!memory.is_furniture(10));
        memory.learn(&page(2, &[20, 100]));

        assert!(memory.is_furniture(100));
        assert!(!memory.is_furniture(10) && !memory.is_furniture(20));
    }

    #[test]
    fn the_same_page_again_teaches_nothing() {
        let mut memory = SiteMemory::default();

        for _ in 0..5 {
            memory.learn(&page(1, &[10]));
        }

        assert_eq!(memory.n_pages(), 1);
        assert!(!memory.is_furniture(10));
    }

    #[test]
    fn a_paragraph_that_is_used_again_now_and_then_is_no_furniture() {
        let mut memory = SiteMemory::default();

        for n in 1..=30 {
            let background: &[u32] = if n % 6 == 0 { &[500] } else { &[] };
            memory.learn(&page(n, &[&[1_000 + n], background].concat()));
        }

        assert!(!memory.is_furniture(500));
    }

    #[test]
    fn numbers_in_a_line_count_alike() {
        assert_eq!(
            line_hash("1,204 readers commented"),
            line_hash("7,001 readers commented")
        );
        assert_ne!(
            line_hash("One reader commented"),
            line_hash("No reader commented")
        );
        assert_eq!(line_hash("Yes."), None);
    }

    #[test]
    fn the_compact_form_stays_small_and_is_refused_when_broken() {
        let mut memory = SiteMemory::default();
        for n in 0..300u32 {
            let lines: Vec<u32> = (0..200).map(|line| n * 1_000 + line % (n + 1)).collect();
            memory.learn(&page(n, &lines));
        }

        let bytes = memory.to_bytes();

        assert!(bytes.len() <= 4_096, "{}", bytes.len());
        assert_eq!(SiteMemory::from_bytes(&bytes), Some(memory));
        assert_eq!(SiteMemory::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(SiteMemory::from_bytes(&[]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(memory) = SiteMemory::from_bytes(&bytes) {
                let again = SiteMemory::from_bytes(&memory.to_bytes());
                prop_assert_eq!(again, Some(memory));
            }
        }

        #[test]
        fn what_was_learned_is_read_back(
            pages in prop::collection::vec(prop::collection::vec(0u32..50, 1..10), 0..30)
        ) {
            let mut memory = SiteMemory::default();
            for (n, lines) in pages.iter().enumerate() {
                memory.learn(&page(n as u32 + 1, lines));
            }

            prop_assert_eq!(SiteMemory::from_bytes(&memory.to_bytes()), Some(memory));
        }
    }
}

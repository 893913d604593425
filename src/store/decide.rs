//! What the store decides, apart from how it is stored: ids, order, dates, who is merged
//! with whom. Pure, and the same on every backend.

use std::collections::HashMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::record::Announcement;
use crate::canonical::CanonicalUrl;
use crate::dedup::{self, ContentHash};
use crate::model::{ArticleId, HostKey, Shard};

/// 2020-01-01T00:00:00Z, from which ids count, in Unix seconds.
const ID_EPOCH: i64 = 1_577_836_800;

/// Dates before 1990 are a machine's mistake: there was no web.
const EARLIEST: i64 = 631_152_000;

/// 64-bit key of a text, for an index; the text is compared on a hit.
pub(super) fn key(text: &str) -> i64 {
    let digest = Sha256::digest(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}

/// Makes [`ArticleId`]s: unique, growing with time, and never one twice, whatever the
/// clock does.
#[derive(Debug, Default)]
pub(super) struct IdMaker {
    /// The largest id that the store knows of.
    largest: i64,
    /// No new id lies in an earlier second.
    floor: i64,
    /// The newest id of each shard since `floor` was set.
    newest: HashMap<u16, i64>,
}

impl IdMaker {
    /// Goes on behind `largest`, the largest id ever given. Another process may have given
    /// it: then every id of ours lies in a later second than all of its ids.
    pub(super) fn resume(&mut self, largest: i64) {
        if largest != self.largest {
            self.largest = largest;
            self.floor = (largest >> 21) + 1;
            self.newest.clear();
        }
    }

    /// Goes on behind `largest`, the largest id that an owner of `shard` ever gave: every id of
    /// ours lies in a later second.
    pub(super) fn resume_shard(&mut self, shard: Shard, largest: i64) {
        let end = (largest >> 21 << 21) | (i64::from(shard.0) << 11) | 0x7ff;
        let newest = self.newest.entry(shard.0).or_default();
        *newest = end.max(*newest);
    }

    /// The next id of `shard`.
    pub(super) fn next(&mut self, shard: Shard, now: Timestamp) -> ArticleId {
        let second = (now.as_second() - ID_EPOCH).max(self.floor).max(0);
        let place = i64::from(shard.0) << 11;
        let mut id = (second << 21) | place;
        if let Some(&newest) = self.newest.get(&shard.0)
            && newest >= id
        {
            let is_full = newest & 0x7ff == 0x7ff;
            id = if is_full {
                (((newest >> 21) + 1) << 21) | place
            } else {
                newest + 1
            };
        }
        self.newest.insert(shard.0, id);
        self.largest = self.largest.max(id);
        ArticleId(id)
    }

    /// The largest id given so far, to be written beside the articles.
    pub(super) fn largest(&self) -> i64 {
        self.largest
    }
}

/// Makes ids of rows other than articles for a worker that owns some shards: unique over all
/// workers, 53 bits, and growing in the order in which one worker gives them. 32 bits of
/// seconds, 11 of a sequence over all shards, 10 of the shard.
#[derive(Debug, Default)]
pub(super) struct RowIdMaker {
    /// The newest id.
    last: i64,
    /// Seconds before which no id of the shard may lie.
    floors: HashMap<Shard, i64>,
}

impl RowIdMaker {
    /// Goes on behind `largest`, the largest id that an owner of `shard` ever gave: every id of
    /// ours lies in a later second.
    pub(super) fn resume_shard(&mut self, shard: Shard, largest: i64) {
        let floor = self.floors.entry(shard).or_default();
        *floor = ((largest >> 21) + 1).max(*floor);
    }

    /// The next id, made for `shard`.
    pub(super) fn next(&mut self, shard: Shard, now: Timestamp) -> i64 {
        let floor = self.floors.get(&shard).copied().unwrap_or_default();
        let second = (now.as_second() - ID_EPOCH).max(floor).max(0) << 21;
        // The least one behind the last that ends with this shard.
        let place = i64::from(shard.0);
        let behind = self.last - (self.last & 0x3ff) + place;
        let behind = if behind > self.last {
            behind
        } else {
            behind + 0x400
        };
        self.last = behind.max(second | place);
        self.last
    }
}

/// A date that an article may carry: not before 1990, not more than a day ahead of `now`.
pub(super) fn believable(date: Timestamp, now: Timestamp) -> bool {
    date.as_second() >= EARLIEST && date.as_second() <= now.as_second() + 86_400
}

/// What an article's place in all lists is: the earlier of publication and first sight.
pub(super) fn sort_at(published: Option<Timestamp>, first_seen: Timestamp) -> Timestamp {
    published.map_or(first_seen, |published| published.min(first_seen))
}

/// A publication date with its spelling and its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Publication {
    pub(super) at: Timestamp,
    pub(super) text: String,
    pub(super) from: String,
}

impl Publication {
    /// What the feed says, as RFC 3339.
    pub(super) fn of_feed(announcement: &Announcement, now: Timestamp) -> Option<Self> {
        let at = announcement.published.or(announcement.updated)?;
        believable(at, now).then(|| Self {
            at,
            text: at.to_string(),
            from: "feed".to_owned(),
        })
    }

    /// Which date an article shows: the feed's, unless the page states its own in structured
    /// data (JSON-LD or `meta`) with a time of day. A page's bare date only fills a gap.
    pub(super) fn choose(feed: Option<Self>, page: Option<Self>) -> Option<Self> {
        match (feed, page) {
            (Some(feed), Some(page)) => {
                let is_structured = matches!(page.from.as_str(), "json-ld" | "meta");
                let has_time = page.text.contains('T');
                Some(if is_structured && has_time {
                    page
                } else {
                    feed
                })
            }
            (feed, page) => feed.or(page),
        }
    }
}

/// The order in which entries of one document become articles: oldest first, so that ids
/// grow with time. Documents are newest first as a rule; where every entry has a date, the
/// dates decide.
pub(super) fn oldest_first(mut announcements: Vec<Announcement>) -> Vec<Announcement> {
    announcements.reverse();
    if announcements.iter().all(|entry| entry.published.is_some()) {
        announcements.sort_by_key(|entry| entry.published);
    }
    announcements
}

/// The shard of a normal form: that of the form's host.
pub(super) fn form_shard(form: &CanonicalUrl) -> Shard {
    let host = url::Url::parse(form.as_str()).map(|url| HostKey::of(&url));
    let host = host.unwrap_or_else(|_| HostKey::stored(String::new()));
    host.shard()
}

/// The shard inside an article's id.
pub(super) fn id_shard(article: ArticleId) -> Shard {
    // Ten bits: they always fit.
    Shard(u16::try_from((article.0 >> 11) & 0x3ff).unwrap_or_default())
}

/// What is compared before two articles become one.
pub(super) struct Likeness<'a> {
    /// The headline: the page's, else the feed's.
    pub(super) title: Option<&'a str>,
    /// The headline that a feed announced.
    pub(super) announced: Option<&'a str>,
    /// Hash of the page's text.
    pub(super) content: Option<ContentHash>,
}

/// Whether two articles that claim one URL are the same: the same text, or the same
/// headline. A page that names a foreign canonical URL satisfies neither.
///
/// Sites send readers to one page of consent, login or apology, whatever they asked for.
/// Such pages are alike as well; but what was announced differs, and the page fits neither
/// announcement.
pub(super) fn same_article(a: &Likeness<'_>, b: &Likeness<'_>) -> bool {
    let same_text = a.content.is_some() && a.content == b.content;
    let is_one_page = same_text || same_headline(a.title, b.title);
    let is_one_story = match (a.announced, b.announced) {
        (Some(first), Some(second)) => {
            dedup::same_title(first, second) || fits_announcement(a) || fits_announcement(b)
        }
        _ => true,
    };
    is_one_page && is_one_story
}

fn same_headline(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => !letters(a).is_empty() && dedup::same_title(a, b),
        _ => false,
    }
}

/// Whether a page's headline is what was announced, but for a site's name around it.
fn fits_announcement(likeness: &Likeness<'_>) -> bool {
    let (Some(title), Some(announced)) = (likeness.title, likeness.announced) else {
        return false;
    };
    let (title, announced) = (letters(title), letters(announced));
    let shorter = title.len().min(announced.len());
    shorter >= 8 && (title.contains(&announced) || announced.contains(&title))
}

fn letters(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Plain text as Markdown that shows the same characters.
pub(super) fn plain_as_markdown(text: &str) -> String {
    let mut markdown = String::with_capacity(text.len() + 16);
    let mut at_line_start = true;
    for c in text.chars() {
        let is_special = matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>')
            || (at_line_start && matches!(c, '#' | '+' | '-' | '=' | '|' | '~'));
        if is_special {
            markdown.push('\\');
        }
        markdown.push(c);
        at_line_start = c == '\n' || (at_line_start && c == ' ');
    }
    markdown
}

/// Plain text as HTML, one `p` per paragraph.
pub(super) fn plain_as_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for paragraph in text.split("\n\n").filter(|part| !part.trim().is_empty()) {
        html.push_str("<p>");
        for c in paragraph.trim().chars() {
            match c {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                c => html.push(c),
            }
        }
        html.push_str("</p>");
    }
    html
}

/// A text that says something; blank ones count as absent.
pub(super) fn said(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// Words of a text, counted between white space.
pub(super) fn word_count(text: &str) -> i64 {
    i64::try_from(text.split_whitespace().count()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn publication(text: &str, from: &str) -> Publication {
        Publication {
            at: at("2026-11-20T10:00:00Z"),
            text: text.into(),
            from: from.into(),
        }
    }

    #[test]
    fn ids_grow_and_fit_into_a_double() {
        let now = at("2026-11-23T12:00:00Z");
        let mut ids = IdMaker::default();

        let given: Vec<i64> = (0..5000).map(|_| ids.next(Shard(1023), now).0).collect();

        assert!(given.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(given.iter().all(|id| *id > 0 && *id < 1 << 53));
        assert!(given.iter().all(|id| (id >> 11) & 0x3ff == 1023));
    }

    #[test]
    fn a_clock_set_back_gives_no_id_twice() {
        let mut before = IdMaker::default();
        let last = (0..3000)
            .map(|_| before.next(Shard(7), at("2026-11-23T12:00:00Z")))
            .max()
            .unwrap();

        let mut after = IdMaker::default();
        after.resume(last.0);

        assert!(after.next(Shard(7), at("2021-01-01T00:00:00Z")) > last);
        assert!(after.next(Shard(0), at("2021-01-01T00:00:00Z")) > last);
    }

    #[test]
    fn a_shard_s_next_owner_goes_on_behind_the_last_one() {
        let now = at("2026-11-23T12:00:00Z");
        let set_back = at("2021-01-01T00:00:00Z");
        let (mut articles, mut rows) = (IdMaker::default(), RowIdMaker::default());
        let last_article = (0..3000).map(|_| articles.next(Shard(7), now)).max();
        let last_row = (0..3000).map(|_| rows.next(Shard(7), now)).max();
        let largest = last_article.unwrap().0.max(last_row.unwrap());

        let (mut articles, mut rows) = (IdMaker::default(), RowIdMaker::default());
        articles.resume_shard(Shard(7), largest);
        rows.resume_shard(Shard(7), largest);
        let article = articles.next(Shard(7), set_back);
        let row = rows.next(Shard(7), set_back);

        assert!(article > last_article.unwrap() && row > last_row.unwrap());
        assert_eq!(id_shard(article), Shard(7));
    }

    proptest::proptest! {
        #[test]
        fn rows_of_one_worker_are_in_the_order_in_which_they_were_made(
            made in proptest::collection::vec((0u16..1024, 0i64..3), 1..300),
        ) {
            let mut rows = RowIdMaker::default();

            let ids: Vec<(u16, i64)> = made
                .iter()
                .map(|(shard, second)| {
                    let now = Timestamp::from_second(1_800_000_000 + second).unwrap();
                    (*shard, rows.next(Shard(*shard), now))
                })
                .collect();

            proptest::prop_assert!(ids.windows(2).all(|pair| pair[0].1 < pair[1].1));
            // No two workers own one shard: what ends with it is ours alone.
            proptest::prop_assert!(ids.iter().all(|(shard, id)| id & 0x3ff == i64::from(*shard)));
            proptest::prop_assert!(ids.iter().all(|(_, id)| *id < 1 << 53));
        }
    }

    #[test]
    fn a_page_s_structured_date_with_a_time_wins() {
        let feed = Some(publication("2026-11-20T10:00:00Z", "feed"));

        let chosen = |text, from| {
            Publication::choose(feed.clone(), Some(publication(text, from)))
                .unwrap()
                .from
        };

        assert_eq!(chosen("2026-11-20T09:58:00+03:00", "json-ld"), "json-ld");
        assert_eq!(chosen("2026-11-20", "json-ld"), "feed");
        assert_eq!(chosen("2026-11-20T09:58:00Z", "text"), "feed");
        assert_eq!(
            Publication::choose(None, Some(publication("2026-11-20", "url")))
                .unwrap()
                .from,
            "url"
        );
    }

    #[test]
    fn absurd_dates_are_not_believed() {
        let now = at("2026-11-23T12:00:00Z");

        assert!(!believable(at("1970-01-01T00:00:00Z"), now));
        assert!(!believable(at("2026-11-25T12:00:00Z"), now));
        assert!(believable(at("1999-01-01T00:00:00Z"), now));
    }

    #[test]
    fn undated_entries_become_articles_from_the_bottom_up() {
        let entry = |id: &str, published: Option<&str>| Announcement {
            entry_id: id.into(),
            published: published.map(at),
            ..Announcement::default()
        };
        let ids = |entries: Vec<Announcement>| -> Vec<String> {
            oldest_first(entries)
                .into_iter()
                .map(|entry| entry.entry_id)
                .collect()
        };

        assert_eq!(ids(vec![entry("b", None), entry("a", None)]), ["a", "b"]);
        assert_eq!(
            ids(vec![
                entry("a", Some("2026-01-01T00:00:00Z")),
                entry("b", Some("2026-01-02T00:00:00Z"))
            ]),
            ["a", "b"]
        );
    }

    fn likeness<'a>(title: &'a str, announced: &'a str) -> Likeness<'a> {
        Likeness {
            title: Some(title),
            announced: Some(announced),
            content: None,
        }
    }

    #[test]
    fn the_same_headline_is_the_same_article() {
        let a = likeness("A storm hits the coast", "A storm hits the coast");
        let b = likeness("A Storm Hits the Coast", "Storm! - The Daily");

        assert!(same_article(&a, &b));
    }

    #[test]
    fn empty_titles_are_not_the_same_title() {
        assert!(!same_article(&likeness(" ", "a"), &likeness("", "a")));
        let untitled = || Likeness {
            title: None,
            announced: None,
            content: None,
        };
        assert!(!same_article(&untitled(), &untitled()));
    }

    #[test]
    fn one_page_of_consent_is_not_one_article() {
        let text = Some(ContentHash(7));
        let a = Likeness {
            content: text,
            ..likeness("Before you go on", "A storm hits the coast")
        };
        let b = Likeness {
            content: text,
            ..likeness("Before you go on", "Election results are in")
        };

        assert!(!same_article(&a, &b));
    }

    #[test]
    fn text_from_a_feed_cannot_become_markup() {
        assert_eq!(
            plain_as_html("a <b>\n\n\"c\" & d"),
            "<p>a &lt;b&gt;</p><p>&quot;c&quot; &amp; d</p>"
        );
        assert_eq!(
            plain_as_markdown("# a *b*\n- [c](d)"),
            "\\# a \\*b\\*\n\\- \\[c\\](d)"
        );
    }
}

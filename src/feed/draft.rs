//! A feed or an entry while it is being read: fields with their sources still in order.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::dates::parse_date;
use super::links::{has_scheme, is_web_url, resolve};
use super::text::{cut, one_line};
use super::{Enclosure, Entry, Hints, ParsedFeed};

/// Most values that are kept of a field that repeats: authors, categories, links.
const MAX_REPEATED: usize = 256;

/// A field with several sources: the lowest rank wins, then the first.
#[derive(Debug)]
pub(super) struct Ranked<T>(Option<(u8, T)>);

impl<T> Default for Ranked<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Ranked<T> {
    pub(super) fn offer(&mut self, rank: u8, value: Option<T>) {
        if let Some(value) = value
            && self.0.as_ref().is_none_or(|(known, _)| rank < *known)
        {
            self.0 = Some((rank, value));
        }
    }

    pub(super) fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, value)| value)
    }

    fn take(&mut self) -> Option<T> {
        self.0.take().map(|(_, value)| value)
    }
}

/// Where a link was found: the lower, the better.
#[derive(Clone, Copy, Debug)]
pub(super) enum LinkSource {
    /// FeedBurner's record of the publisher's own link.
    Original,
    /// RSS `link`, JSON `url`, CDF `href`.
    Own,
    /// Atom `rel=alternate` that says it is a page.
    Page,
    /// Atom `rel=alternate` that says nothing.
    Alternate,
    /// JSON `external_url`.
    External,
    /// Atom `rel=alternate` that is no page.
    Other,
    /// A guid that is a permalink.
    Permalink,
    /// An id that happens to be a URL.
    Id,
    /// `rdf:about`.
    About,
    /// The page that plays what Media RSS attaches.
    Player,
}

/// What has been read of a feed or of an entry.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) title: Ranked<String>,
    pub(super) summary: Ranked<String>,
    pub(super) content: Ranked<String>,
    pub(super) id: Ranked<String>,
    /// A guid that may be the link (RSS 2.0: `isPermaLink` is true unless it says false).
    pub(super) permalink: Option<String>,
    pub(super) link: Ranked<String>,
    pub(super) self_url: Option<String>,
    pub(super) published: Ranked<Timestamp>,
    pub(super) updated: Ranked<Timestamp>,
    pub(super) published_text: Ranked<String>,
    pub(super) updated_text: Ranked<String>,
    /// `dc:date`: whichever of the two is missing.
    pub(super) date: Option<Timestamp>,
    pub(super) date_text: Option<String>,
    pub(super) language: Option<String>,
    pub(super) authors: Vec<String>,
    /// Of a feed: those who wrote its entries, unless an entry says otherwise.
    pub(super) entry_authors: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) enclosures: Vec<Enclosure>,
    pub(super) links: Vec<String>,
    /// The technical contact, who speaks for the feed where nobody else does.
    pub(super) webmaster: Option<String>,
    pub(super) ttl: Option<Duration>,
    pub(super) update_period: Option<Duration>,
    pub(super) update_frequency: Option<u32>,
    /// All that is kept as it comes; the interval is made of the three above.
    pub(super) hints: Hints,
}

/// Longest content that serves as the summary of an entry without one, in bytes: notes and
/// short posts have no other words to be listed with.
const MAX_SUMMARY_BYTES: usize = 1 << 10;

/// Rank of a date's text that could not be read.
const UNREADABLE: u8 = 100;

/// Longest text of a date that is kept, in bytes.
const MAX_DATE_TEXT_BYTES: usize = 128;

impl Draft {
    /// A date of publication, as given.
    pub(super) fn offer_published(&mut self, rank: u8, given: &str) {
        offer_date(&mut self.published, &mut self.published_text, rank, given);
    }

    /// A date of the last change, as given.
    pub(super) fn offer_updated(&mut self, rank: u8, given: &str) {
        offer_date(&mut self.updated, &mut self.updated_text, rank, given);
    }

    /// A date that may be either; the first that can be read counts.
    pub(super) fn offer_date(&mut self, given: &str) {
        if self.date.is_none() {
            self.date = parse_date(given);
            if self.date.is_some() || self.date_text.is_none() {
                self.date_text = date_text(given);
            }
        }
    }

    pub(super) fn add_hub(&mut self, url: Option<String>) {
        add_once(&mut self.hints.hubs, url.filter(|url| !url.is_empty()));
    }

    /// Another document of the same feed.
    pub(super) fn add_page(&mut self, rel: &str, url: &str) {
        let pages = &mut self.hints.pages;
        let page = match rel {
            "next" => &mut pages.next,
            "previous" | "prev" => &mut pages.previous,
            "first" => &mut pages.first,
            "last" => &mut pages.last,
            "prev-archive" | "previous-archive" => &mut pages.previous_archive,
            "next-archive" => &mut pages.next_archive,
            "current" => &mut pages.current,
            _ => return,
        };
        page.get_or_insert_with(|| url.to_owned());
    }

    pub(super) fn add_author(&mut self, name: Option<String>) {
        add_once(&mut self.authors, name);
    }

    /// An author of the feed who, by the format's rules, is the author of its entries, too:
    /// RFC 4287 §4.2.1, JSON Feed 1.1, Apple's podcast tags.
    pub(super) fn add_entry_author(&mut self, name: Option<String>) {
        add_once(&mut self.entry_authors, name.clone());
        self.add_author(name);
    }

    pub(super) fn add_category(&mut self, term: Option<String>) {
        add_once(&mut self.categories, term);
    }

    pub(super) fn add_link(&mut self, url: Option<String>) {
        add_once(&mut self.links, url.filter(|url| !url.is_empty()));
    }

    /// A link from some source. What is not for the web gives way to anything that is.
    pub(super) fn offer_link(&mut self, source: LinkSource, link: Option<String>) {
        let Some(link) = link.filter(|link| !link.is_empty()) else {
            return;
        };
        let elsewhere = if has_scheme(&link) && !is_web_url(&link) {
            16
        } else {
            0
        };
        self.link.offer(source as u8 + elsewhere, Some(link));
    }

    pub(super) fn add_enclosure(&mut self, enclosure: Enclosure) {
        let known = self
            .enclosures
            .iter()
            .any(|other| other.url == enclosure.url);
        if !enclosure.url.is_empty() && !known && self.enclosures.len() < MAX_REPEATED {
            self.enclosures.push(enclosure);
        }
    }

    /// The entry as it stands; its id is made later, when all entries are known.
    pub(super) fn into_entry(mut self) -> Entry {
        self.settle();
        let content = self.content.take();
        let short = content
            .as_ref()
            .filter(|content| content.len() <= MAX_SUMMARY_BYTES)
            .cloned();
        Entry {
            id: String::new(),
            guid: self.id.take(),
            link: self.link.take(),
            title: self.title.take(),
            published: self.published.take(),
            updated: self.updated.take(),
            published_text: self.published_text.take(),
            updated_text: self.updated_text.take(),
            summary: self.summary.take().or(short),
            content,
            authors: self.authors,
            categories: self.categories,
            enclosures: self.enclosures,
            links: self.links,
            likeness: None,
        }
    }

    /// The feed's own fields as they stand.
    pub(super) fn into_feed(mut self, mut entries: Vec<Entry>) -> ParsedFeed {
        self.settle();
        let site = self.link.take();
        if self.authors.is_empty() {
            self.authors.extend(self.webmaster.take());
        }
        resolve_against_site(&mut entries, site.as_deref());
        for entry in entries.iter_mut().filter(|entry| entry.authors.is_empty()) {
            entry.authors.clone_from(&self.entry_authors);
        }
        ParsedFeed {
            title: self.title.take(),
            description: self.summary.take().or_else(|| self.content.take()),
            site,
            self_url: self.self_url,
            language: self.language,
            id: self.id.take(),
            updated: self.updated.take(),
            published: self.published.take(),
            authors: self.authors,
            categories: self.categories,
            links: self.links,
            hints: Hints {
                interval: self.ttl.or(self
                    .update_period
                    .map(|period| period / self.update_frequency.unwrap_or(1).max(1))),
                ..self.hints
            },
            entries,
            ..ParsedFeed::default()
        }
    }

    fn settle(&mut self) {
        self.published.offer(3, self.date);
        self.updated.offer(3, self.date);
        let rank = if self.date.is_some() { 3 } else { UNREADABLE };
        self.published_text.offer(rank, self.date_text.clone());
        self.updated_text.offer(rank, self.date_text.take());
        let permalink = self.permalink.take();
        self.offer_link(LinkSource::Permalink, permalink);
        let id = self.id.get().filter(|id| is_web_url(id)).cloned();
        self.offer_link(LinkSource::Id, id);
        let link = self.link.get().cloned();
        self.add_link(link);
    }
}

/// Links of a document whose address nobody knows, against the site that it names.
fn resolve_against_site(entries: &mut [Entry], site: Option<&str>) {
    let Some(site) = site.and_then(|site| Url::parse(site).ok()) else {
        return;
    };
    for entry in entries {
        let links = entry.links.iter_mut().chain(entry.link.as_mut());
        for link in links.filter(|link| !has_scheme(link)) {
            *link = resolve(link, Some(&site));
        }
    }
}

fn offer_date(date: &mut Ranked<Timestamp>, text: &mut Ranked<String>, rank: u8, given: &str) {
    let read = parse_date(given);
    let rank_of_text = if read.is_some() { rank } else { UNREADABLE };
    date.offer(rank, read);
    text.offer(rank_of_text, date_text(given));
}

fn date_text(given: &str) -> Option<String> {
    let text = one_line(cut(given.trim(), MAX_DATE_TEXT_BYTES));
    (!text.is_empty()).then_some(text)
}

fn add_once(list: &mut Vec<String>, value: Option<String>) {
    if let Some(value) = value
        && list.len() < MAX_REPEATED
        && !list.contains(&value)
    {
        list.push(value);
    }
}

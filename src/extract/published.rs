//! When an article was published and changed: all statements of a page, and the best of them.

use url::Url;

use super::Published;
use super::dates::{self, Written};
use super::metadata::Statements;
use super::outline::{Index, Outline};
use super::tag::Tag;

/// Names of `<meta>` elements that give the time of publication, best first.
const PUBLISHED: &[&str] = &[
    "article:published_time",
    "og:article:published_time",
    "article:published",
    "article.published",
    "datepublished",
    "og:published_time",
    "parsely-pub-date",
    "sailthru.date",
    "published_at",
    "pubdate",
    "publishdate",
    "publish-date",
    "publish_date",
    "pub_date",
    "article_date_original",
    "cxenseparse:recs:publishtime",
    "cxenseparse:recs:published_time",
    "dc.date.issued",
    "dcterms.issued",
    "dcterms.created",
    "dc.date.created",
    "dc.date",
    "dcterms.date",
    "date",
    "date.created",
    "date.available",
    "og:pubdate",
    "og:datepublished",
    "prism.publicationdate",
    "published",
    "datecreated",
    "published-date",
    "published_date",
    "citation_publication_date",
    "citation_date",
    "uploaddate",
    "displaydate",
    "rnews:datepublished",
    "analyticsattributes.articledate",
    "created",
    "originalpublicationdate",
    "vr:published_time",
    "time",
    "date.release",
];

/// Names of `<meta>` elements that give the time of the last change.
const MODIFIED: &[&str] = &[
    "article:modified_time",
    "og:article:modified_time",
    "datemodified",
    "og:updated_time",
    "article:modified",
    "date.modified",
    "dc.date.modified",
    "dcterms.modified",
    "last-modified",
    "lastmod",
    "article.updated",
    "article_date_updated",
    "revision_date",
    "date.updated",
];

/// All dates found, best source first.
#[derive(Debug, Default)]
pub(super) struct Dates {
    pub(super) published: Vec<Found>,
    pub(super) modified: Vec<Found>,
}

/// A date and where it stood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    written: Written,
    source: &'static str,
}

impl Dates {
    /// Collects the dates of a page.
    pub(super) fn find(
        outline: &Outline<'_>,
        said: &Statements,
        headline: Option<Index>,
        url: &Url,
    ) -> Self {
        let mut dates = Self::default();
        add(
            &mut dates.published,
            "json-ld",
            said.ld.published.as_deref(),
        );
        add(&mut dates.modified, "json-ld", said.ld.modified.as_deref());
        for name in PUBLISHED {
            add(&mut dates.published, "meta", said.meta(&[name]));
        }
        for name in MODIFIED {
            add(&mut dates.modified, "meta", said.meta(&[name]));
        }
        find_in_markup(outline, headline, &mut dates);
        let in_path = dates::read_path(url.path());
        dates.published.extend(in_path.map(|written| Found {
            written,
            source: "url",
        }));
        if dates.published.is_empty() {
            find_in_text(outline, headline, &mut dates.published);
        }
        if dates.published.is_empty() {
            dates.published = dates.modified.clone();
        }
        dates
    }
}

/// The first date, made more exact by a later one that agrees with it.
pub(super) fn choose(found: &[Found]) -> Option<Published> {
    let first = found.first()?;
    let at = |found: &Found| {
        found
            .written
            .published(found.source)
            .map(|published| published.at)
    };
    let first_at = at(first)?;
    let better = found
        .iter()
        .filter(|other| other.written.precision() > first.written.precision())
        .find(|other| {
            if first.written.time.is_none() {
                return other.written.date == first.written.date;
            }
            // The same wall clock with its zone, or the same instant to within any zone.
            other.written.time == first.written.time && other.written.date == first.written.date
                || at(other).is_some_and(|at| (at.as_second() - first_at.as_second()).abs() <= 60)
        });
    let best = better.unwrap_or(first);
    best.written.published(best.source)
}

fn add(found: &mut Vec<Found>, source: &'static str, text: Option<&str>) {
    if let Some(written) = text.and_then(dates::read) {
        found.push(Found { written, source });
    }
}

/// Most dates in the markup that are read.
const MAX_DATES: usize = 200;

/// `<time>` and elements marked as dates, those behind the headline first.
fn find_in_markup(outline: &Outline<'_>, headline: Option<Index>, dates: &mut Dates) {
    let start = headline.unwrap_or(0);
    let mut n_dates = 0;
    let mut marked = Vec::new();
    let mut times = Vec::new();
    for index in (start..outline.len()).chain(0..start) {
        let item = outline.item(index);
        let is_time = item.tag == Tag::Time;
        if !(is_time || item.hints.dateline) || item.hints.comments || n_dates >= MAX_DATES {
            continue;
        }
        let property = outline.attribute(index, "itemprop").unwrap_or_default();
        let is_marked =
            property.contains("datePublished") || outline.attribute(index, "pubdate").is_some();
        if !(is_time || is_marked || property.contains("dateModified")) {
            continue;
        }
        let Some(written) = date_of(outline, index) else {
            continue;
        };
        n_dates += 1;
        let source = "time";
        if property.contains("dateModified") {
            dates.modified.push(Found { written, source });
        } else if is_marked {
            marked.push(Found { written, source });
        } else if times.len() < 8 && !is_update(outline, index) {
            times.push(Found { written, source });
        }
    }
    dates.published.extend(marked);
    dates.published.extend(times);
}

fn date_of(outline: &Outline<'_>, index: Index) -> Option<Written> {
    ["datetime", "content", "title"]
        .iter()
        .filter_map(|name| outline.attribute(index, name))
        .find_map(dates::read)
        .or_else(|| dates::read(&outline.text_of(index, 120)))
}

fn is_update(outline: &Outline<'_>, index: Index) -> bool {
    let class = outline
        .attribute(index, "class")
        .unwrap_or_default()
        .to_ascii_lowercase();
    ["updated", "modified", "lastmod"]
        .iter()
        .any(|word| class.contains(word))
        && !class.contains("published")
}

/// Dates written for people: in elements named for it, then in short texts; those near
/// behind the headline first, then those before it, then the rest.
fn find_in_text(outline: &Outline<'_>, headline: Option<Index>, found: &mut Vec<Found>) {
    let start = headline.unwrap_or(0);
    let near_end = outline.len().min(start + 400);
    let far_end = outline.len().min(start + 4_000);
    let mut short = None;
    for index in (start..near_end)
        .chain((0..start).rev().take(400))
        .chain(near_end..far_end)
    {
        let item = outline.item(index);
        if item.hidden
            || !(5..=80).contains(&item.weight)
            || item.hints.comments
            || item.hints.related
        {
            continue;
        }
        let is_named = item.hints.dateline || item.hints.byline;
        let is_text =
            item.tag == Tag::Text && short.is_none() && (index < near_end || item.weight <= 30);
        if !(is_named || is_text) {
            continue;
        }
        let Some(written) = date_of(outline, index) else {
            continue;
        };
        let source = "text";
        if is_named {
            found.push(Found { written, source });
            return;
        }
        short = Some(Found { written, source });
    }
    found.extend(short);
}

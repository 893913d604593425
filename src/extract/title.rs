//! The headline, without the site's name.

use url::Url;

use super::metadata::Statements;
use super::outline::{Index, Outline};
use super::tag::Tag;
use super::text::{self, comparable};

/// What stands between a headline and a site's name.
const SEPARATORS: &[&str] = &[
    " | ", " - ", " – ", " — ", " · ", " • ", " » ", " › ", " :: ", " / ", " ‹ ", " ~ ", " : ",
    "| ", "｜", "ㅣ", "：",
];

/// The title, the element that shows it, and the other forms in which the page gives it.
#[derive(Clone, Debug, Default)]
pub(super) struct Titles {
    pub(super) title: Option<String>,
    pub(super) headline: Option<Index>,
    /// Comparable forms.
    pub(super) known: Vec<String>,
}

/// Chooses among structured data, `<meta>`, the headline shown and `<title>`.
pub(super) fn choose(
    outline: &Outline<'_>,
    said: &Statements,
    site_name: Option<&str>,
    url: &Url,
) -> Titles {
    let sites = site_names(said, site_name, url);
    let cleaned = |claims: &[Option<&str>]| -> Vec<String> {
        claims
            .iter()
            .flatten()
            .map(|claim| without_site(claim, &sites))
            .filter(|claim| !sites.contains(&comparable(claim)))
            .collect()
    };
    let mut claims = cleaned(&[said.ld.headline.as_deref(), said.meta(&["og:title"])]);
    let n_stated = claims.len();
    claims.extend(cleaned(&[
        said.meta(&[
            "twitter:title",
            "parsely-title",
            "sailthru.title",
            "dc.title",
            "dcterms.title",
            "cxenseparse:title",
        ]),
        said.meta(&["headline", "title"]),
        said.document_title.as_deref(),
    ]));

    let headline = shown_headline(outline, &claims);
    let shown = headline
        .map(|index| outline.text_of(index, 500))
        .filter(|text| !text.is_empty());
    let title = pick(&claims[..n_stated], &claims[n_stated..], shown.as_deref());
    let mut known: Vec<String> = claims
        .iter()
        .chain(&shown)
        .map(|form| comparable(form))
        .collect();
    known.retain(|form| !form.is_empty());
    known.dedup();
    Titles {
        title,
        headline,
        known,
    }
}

/// The title: stated for sharing (structured data, OpenGraph), or else shown, or else the
/// document's. Where the headline shown confirms another statement, it wins.
fn pick(stated: &[String], other: &[String], shown: Option<&str>) -> Option<String> {
    let shown = shown.map(|shown| (shown, comparable(shown)));
    let Some(first) = stated.first() else {
        return shown
            .map(|(shown, _)| shown.to_owned())
            .or_else(|| other.first().cloned());
    };
    if let Some((shown, form)) = shown {
        let confirms = |claim: &String| comparable(claim) == form;
        // The headline stands in a statement between separators: the rest is the site.
        let is_part = |claim: &String| parts(claim).any(|part| comparable(part) == form);
        let is_cut = (first.ends_with('…') || first.ends_with("..."))
            && form.starts_with(&comparable(first));
        if is_cut
            || stated.iter().any(confirms)
            || (form.contains(' ') && stated.iter().any(is_part))
        {
            return Some(shown.to_owned());
        }
    }
    Some(first.clone())
}

/// The parts of a title between its separators.
fn parts(title: &str) -> impl Iterator<Item = &str> {
    SEPARATORS
        .iter()
        .flat_map(move |separator| title.split(separator))
}

/// The heading that shows one of the claims; else the only `<h1>`.
fn shown_headline(outline: &Outline<'_>, claims: &[String]) -> Option<Index> {
    let claims: Vec<String> = claims.iter().map(|claim| comparable(claim)).collect();
    let mut best: Option<(f64, Index)> = None;
    let mut n_headings = 0;
    for (index, item) in outline.items().iter().enumerate() {
        let rank = match item.tag {
            Tag::H1 => 0.3,
            Tag::H2 => 0.1,
            Tag::H3 => 0.0,
            _ if item.hints.headline && item.tag.is_block() => 0.05,
            _ => continue,
        };
        if item.hidden || item.weight == 0 || item.weight > 400 {
            continue;
        }
        n_headings += 1;
        if n_headings > MAX_HEADINGS {
            break;
        }
        let shown = comparable(&outline.text_of(index, 500));
        let alike = claims
            .iter()
            .map(|claim| similarity(claim, &shown))
            .fold(0.0, f64::max);
        if alike < 0.5 && item.tag != Tag::H1 {
            continue;
        }
        let score = alike + rank;
        if best.is_none_or(|(best, _)| score > best + 1e-9) {
            best = Some((score, index));
        }
    }
    best.map(|(_, index)| index)
}

/// Most headings that are compared with the titles.
const MAX_HEADINGS: usize = 1_000;

/// Shared words of two texts, 0..=1, both directions.
pub(super) fn similarity(a: &str, b: &str) -> f64 {
    if a.len() > 4 * b.len() || b.len() > 4 * a.len() {
        return 0.0;
    }
    let (there, back) = (text::overlap(a, b), text::overlap(b, a));
    if there + back == 0.0 {
        return 0.0;
    }
    2.0 * there * back / (there + back)
}

/// Comparable forms of the site's name: as stated, and its host's name.
fn site_names(said: &Statements, site_name: Option<&str>, url: &Url) -> Vec<String> {
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let labels: Vec<&str> = host.split('.').collect();
    let main_label = labels.len().checked_sub(2).map(|at| labels[at]);
    let handle = said
        .meta(&["twitter:site"])
        .map(|handle| handle.trim_start_matches('@'));
    let mut names: Vec<String> = [
        site_name,
        said.ld.publisher.as_deref(),
        Some(host),
        main_label,
        handle,
    ]
    .into_iter()
    .flatten()
    .map(comparable)
    .filter(|name| name.len() >= 2)
    .collect();
    names.dedup();
    names
}

/// A title without the site's name behind or before it.
fn without_site(title: &str, sites: &[String]) -> String {
    let mut title = title.trim();
    for _ in 0..3 {
        match cut_site(title, sites) {
            Some(rest) => title = rest,
            None => break,
        }
    }
    title.to_owned()
}

fn cut_site<'a>(title: &'a str, sites: &[String]) -> Option<&'a str> {
    let ends = SEPARATORS.iter().filter_map(|separator| {
        let at = title.rfind(separator)?;
        let (head, tail) = (&title[..at], &title[at + separator.len()..]);
        (names_site(tail, sites) && !head.trim().is_empty()).then_some(head.trim_end())
    });
    let starts = SEPARATORS.iter().filter_map(|separator| {
        let at = title.find(separator)?;
        let (head, tail) = (&title[..at], &title[at + separator.len()..]);
        (names_site(head, sites) && tail.split_whitespace().count() >= 3)
            .then_some(tail.trim_start())
    });
    ends.chain(starts).next()
}

/// Whether a piece of a title is the site's name, however spaced: `The Daily`, `thedaily.com`.
fn names_site(piece: &str, sites: &[String]) -> bool {
    let squeezed = |text: &str| text.replace(' ', "");
    let piece = comparable(piece);
    if piece.is_empty() || piece.split(' ').count() > 7 {
        return false;
    }
    let tight = squeezed(&piece);
    sites.iter().any(|site| {
        let site = squeezed(site);
        site == tight
            || (tight.len() >= 4
                && site.len() >= 4
                && (site.starts_with(&tight) || tight.starts_with(&site) || site.ends_with(&tight)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sites_name_is_cut_in_its_usual_places() {
        let sites = ["the daily post".to_owned(), "dailypost".to_owned()];

        for title in [
            "Rain in May | The Daily Post",
            "Rain in May - dailypost.com",
            "The Daily Post: x | Rain in May",
        ] {
            let cut = without_site(title, &sites);
            assert!(cut.ends_with("Rain in May"), "{title}: {cut}");
        }
        assert_eq!(
            without_site("Rain - and more of it - in May", &sites),
            "Rain - and more of it - in May"
        );
    }

    #[test]
    fn a_claim_that_was_cut_short_gives_way_to_the_headline() {
        let claims = ["Rain falls on the…".to_owned()];

        assert_eq!(
            pick(&claims, &[], Some("Rain falls on the hills")).as_deref(),
            Some("Rain falls on the hills")
        );
    }
}

//! What a page says about its article: title, authors, dates, language, and the like,
//! each from the best of its sources.

use url::Url;

use super::json_ld::{self, LdArticle, LdImage};
use super::outline::{Index, Outline};
use super::plain_text::decode_references;
use super::published::{self, Dates};
use super::tag::Tag;
use super::text::{self, folded_or_none};
use super::{Image, Published, authors, title};

/// Longest JSON-LD script that is read, in bytes.
const MAX_SCRIPT_BYTES: usize = 2 << 20;

/// Most `<meta>` elements that are read.
const MAX_METAS: usize = 1_000;

/// The findings.
#[derive(Clone, Debug, Default)]
pub(super) struct Metadata {
    pub(super) title: Option<String>,
    pub(super) authors: Vec<String>,
    pub(super) published: Option<Published>,
    pub(super) modified: Option<Published>,
    /// `<html lang>` or its like; text has not been looked at.
    pub(super) language: Option<String>,
    pub(super) canonical_url: Option<Url>,
    pub(super) site_name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) images: Vec<Image>,
    pub(super) tags: Vec<String>,
    /// `articleBody` of the structured data, as text.
    pub(super) body: Option<String>,
    /// All forms of the title that the page uses, comparable.
    pub(super) titles: Vec<String>,
    /// The element that shows the title.
    pub(super) headline: Option<Index>,
}

/// The page's own statements, collected in one pass, in document order.
#[derive(Debug, Default)]
pub(super) struct Statements {
    /// Name or property in lower case, content.
    pub(super) metas: Vec<(String, String)>,
    pub(super) ld: LdArticle,
    pub(super) document_title: Option<String>,
    canonical: Option<String>,
    lang: Option<String>,
}

impl Statements {
    /// The first content among names, in the order of the names.
    pub(super) fn meta(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| {
            let found = self.metas.iter().find(|(key, _)| key == name)?;
            Some(found.1.as_str())
        })
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.metas
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, content)| content.as_str())
    }
}

/// Reads everything that the page says about itself.
/// `base` resolves links, `url` is the page's own.
pub(super) fn read(outline: &Outline<'_>, base: &Url, url: &Url) -> Metadata {
    let said = collect(outline);
    let site_name = site_name(&said);
    let titles = title::choose(outline, &said, site_name.as_deref(), url);
    let dates = Dates::find(outline, &said, titles.headline, url);
    let canonical_url = said
        .canonical
        .as_deref()
        .and_then(|link| http_url(base, link));
    Metadata {
        authors: read_authors(outline, &said, titles.headline, site_name.as_deref()),
        published: published::choose(&dates.published),
        modified: published::choose(&dates.modified),
        language: language(&said),
        canonical_url,
        description: description(&said),
        images: images(&said, base),
        tags: tags(&said),
        title: titles.title,
        titles: titles.known,
        headline: titles.headline,
        site_name,
        body: said.ld.body,
    }
}

fn collect(outline: &Outline<'_>) -> Statements {
    let mut said = Statements::default();
    let mut scripts = Vec::new();
    for (index, item) in outline.items().iter().enumerate() {
        match item.tag {
            Tag::Meta if said.metas.len() < MAX_METAS => collect_meta(outline, index, &mut said),
            Tag::Script if is_json_ld(outline, index) => {
                let script = outline.raw_text(index);
                if script.len() <= MAX_SCRIPT_BYTES {
                    scripts.push(script);
                }
            }
            Tag::Link
                if said.canonical.is_none()
                    && has_word(outline.attribute(index, "rel"), "canonical") =>
            {
                said.canonical = outline.attribute(index, "href").map(str::to_owned);
            }
            Tag::Title if said.document_title.is_none() => {
                said.document_title = folded_or_none(&outline.raw_text(index));
            }
            Tag::Html if said.lang.is_none() => {
                let lang = outline
                    .attribute(index, "lang")
                    .or_else(|| outline.attribute(index, "xml:lang"));
                said.lang = lang.map(str::to_owned);
            }
            _ => {}
        }
    }
    said.ld = json_ld::read(&scripts);
    said
}

fn collect_meta(outline: &Outline<'_>, index: Index, said: &mut Statements) {
    let content = outline.attribute(index, "content").unwrap_or_default();
    // Some pages escape twice.
    let Some(content) = folded_or_none(&decode_references(content)) else {
        return;
    };
    for name in ["property", "name", "itemprop", "http-equiv"] {
        if let Some(key) = outline.attribute(index, name) {
            said.metas
                .push((key.trim().to_ascii_lowercase(), content.clone()));
        }
    }
}

fn is_json_ld(outline: &Outline<'_>, index: Index) -> bool {
    outline.attribute(index, "type").is_some_and(|kind| {
        kind.trim()
            .to_ascii_lowercase()
            .starts_with("application/ld+json")
    })
}

fn has_word(list: Option<&str>, word: &str) -> bool {
    list.is_some_and(|list| {
        list.split_ascii_whitespace()
            .any(|found| found.eq_ignore_ascii_case(word))
    })
}

/// An absolute `http(s)` URL, or nothing.
pub(super) fn http_url(base: &Url, link: &str) -> Option<Url> {
    let link = link.trim();
    if link.is_empty() || link.len() > 4096 {
        return None;
    }
    let url = base.join(link).ok()?;
    (matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some_and(|host| !host.is_empty()))
    .then_some(url)
}

fn site_name(said: &Statements) -> Option<String> {
    said.meta(&[
        "og:site_name",
        "application-name",
        "apple-mobile-web-app-title",
        "dc.publisher",
    ])
    .map(str::to_owned)
    .or_else(|| said.ld.publisher.clone())
}

fn description(said: &Statements) -> Option<String> {
    said.meta(&["og:description"])
        .map(str::to_owned)
        .or_else(|| said.ld.description.clone())
        .or_else(|| {
            said.meta(&[
                "description",
                "twitter:description",
                "dc.description",
                "sailthru.description",
            ])
            .map(str::to_owned)
        })
}

/// The primary tag of the language that the page claims (BCP 47), in lower case.
fn language(said: &Statements) -> Option<String> {
    let claims = [
        said.lang.as_deref(),
        said.ld.language.as_deref(),
        said.meta(&[
            "content-language",
            "og:locale",
            "dc.language",
            "language",
            "inlanguage",
        ]),
    ];
    claims.into_iter().flatten().find_map(|claim| {
        let tag = claim
            .trim()
            .split(['-', '_', ',', ';', ' '])
            .next()?
            .to_ascii_lowercase();
        (matches!(tag.len(), 2 | 3) && tag.bytes().all(|byte| byte.is_ascii_lowercase()))
            .then_some(tag)
    })
}

fn images(said: &Statements, url: &Url) -> Vec<Image> {
    let ld = said.ld.images.iter().cloned();
    let og = said
        .meta(&[
            "og:image",
            "og:image:url",
            "twitter:image",
            "twitter:image:src",
        ])
        .map(|url| LdImage {
            url: url.to_owned(),
            ..LdImage::default()
        });
    og.into_iter()
        .chain(ld)
        .filter_map(|image| {
            Some(Image {
                url: http_url(url, &image.url)?.into(),
                caption: image.caption,
                credit: image.credit,
            })
        })
        .take(1)
        .collect()
}

fn tags(said: &Statements) -> Vec<String> {
    let mut tags: Vec<String> = said.all("article:tag").map(str::to_owned).collect();
    if tags.is_empty() {
        tags.clone_from(&said.ld.keywords);
    }
    if tags.is_empty() {
        let list = said.meta(&["news_keywords", "parsely-tags", "sailthru.tags", "keywords"]);
        tags = list
            .into_iter()
            .flat_map(|list| list.split([',', ';']))
            .map(str::to_owned)
            .collect();
    }
    let mut seen = std::collections::HashSet::new();
    tags.iter()
        .flat_map(|tag| tag.split(','))
        .filter_map(folded_or_none)
        .filter(|tag| tag.chars().count() <= 80 && seen.insert(text::comparable(tag)))
        .take(50)
        .collect()
}

fn read_authors(
    outline: &Outline<'_>,
    said: &Statements,
    headline: Option<Index>,
    site_name: Option<&str>,
) -> Vec<String> {
    let mut found = Vec::new();
    for name in &said.ld.authors {
        authors::add(&mut found, name);
    }
    // The outlet as author says little: a person named beside it or elsewhere is better.
    let outlets: Vec<String> = [site_name, said.ld.publisher.as_deref()]
        .into_iter()
        .flatten()
        .map(text::comparable)
        .collect();
    let is_site = |name: &String| {
        let name = text::comparable(name);
        name == "admin" || outlets.contains(&name)
    };
    if !found.is_empty() && !found.iter().all(is_site) {
        found.retain(|name| !is_site(name));
        return found;
    }
    let outlet = std::mem::take(&mut found);
    for name in [
        "author",
        "article:author",
        "og:article:author",
        "parsely-author",
        "sailthru.author",
        "dc.creator",
        "dcterms.creator",
        "dc.creator.author",
        "byl",
        "articleauthor",
        "article_author",
        "article.author",
        "cxenseparse:author",
        "creator",
        "author.name",
        "dcsext.author",
        "citation_author",
        "twitter:data1",
    ] {
        if name == "twitter:data1"
            && said
                .meta(&["twitter:label1"])
                .is_none_or(|label| !is_author_label(label))
        {
            continue;
        }
        for content in said.all(name) {
            authors::add(&mut found, content);
        }
        if !found.is_empty() && !found.iter().all(is_site) {
            return found;
        }
    }
    let shown = shown_authors(outline, headline);
    if !shown.is_empty() {
        return shown;
    }
    if found.is_empty() { outlet } else { found }
}

fn is_author_label(label: &str) -> bool {
    let label = text::comparable(label);
    [
        "written by",
        "author",
        "by",
        "verfasst von",
        "escrito por",
        "écrit par",
        "autor",
        "skrevet av",
    ]
    .contains(&label.as_str())
}

/// Authors from the page's own markup: the best-marked byline, nearest behind the headline.
fn shown_authors(outline: &Outline<'_>, headline: Option<Index>) -> Vec<String> {
    let start = headline.unwrap_or(0);
    let mut best: Option<(u8, Vec<String>)> = None;
    let mut n_candidates = 0;
    for index in (start..outline.len()).chain(0..start) {
        let Some(rank) = byline_rank(outline, index, start) else {
            continue;
        };
        if best.as_ref().is_some_and(|(best, _)| *best <= rank) {
            continue;
        }
        n_candidates += 1;
        if n_candidates > MAX_BYLINES {
            break;
        }
        let names = names_in(outline, index);
        if !names.is_empty() {
            best = Some((rank, names));
        }
    }
    best.map(|(_, names)| names).unwrap_or_default()
}

/// Most bylines that are looked at.
const MAX_BYLINES: usize = 40;

/// How good a byline an element is, 0 the best; `None` when it is none.
fn byline_rank(outline: &Outline<'_>, index: Index, headline: Index) -> Option<u8> {
    let item = outline.item(index);
    if item.hidden || item.hints.comments || item.hints.related || !(2..=250).contains(&item.weight)
    {
        return None;
    }
    let is = |name: &str, value: &str| outline.attribute(index, name) == Some(value);
    let is_near = index >= headline && index - headline < 400;
    let far = u8::from(!is_near) * 4;
    if is("rel", "author") {
        return Some(far);
    }
    if is("itemprop", "author") || is("itemprop", "creator") {
        return Some(1 + far);
    }
    if item.hints.byline {
        return Some(2 + far);
    }
    if item.tag == Tag::A && item.weight <= 60 && leads_to_author(outline.attribute(index, "href"))
    {
        return Some(3 + far);
    }
    let is_line = item.tag.is_block() && item.own_weight == item.weight && item.weight <= 80;
    (is_line && is_near && authors::is_byline(&outline.text_of(index, 120))).then_some(3)
}

/// Whether a link leads to an author's page, by a segment of its path.
fn leads_to_author(href: Option<&str>) -> bool {
    const SEGMENTS: &[&str] = &[
        "author",
        "authors",
        "autor",
        "autoren",
        "autores",
        "auteur",
        "auteurs",
        "autore",
        "journalist",
        "redakteur",
    ];
    href.is_some_and(|href| {
        href.split(['/', '?'])
            .take(12)
            .any(|segment| SEGMENTS.contains(&segment))
    })
}

/// The names in a byline. What stands in several elements are several names, when the
/// elements are of one kind; else the first is the name and the rest says who that is.
fn names_in(outline: &Outline<'_>, index: Index) -> Vec<String> {
    let mut names = Vec::new();
    let mut kind = None;
    for at in index..outline.item(index).end {
        let item = outline.item(at);
        let scraper::Node::Text(text) = item.node.value() else {
            continue;
        };
        if item.hidden || names.len() >= 8 {
            continue;
        }
        let this = (
            outline.item(item.parent).tag,
            outline.attribute(item.parent, "class"),
        );
        if kind.is_none_or(|kind| kind == this) {
            let n_known = names.len();
            authors::add(&mut names, text);
            if names.len() > n_known {
                kind = Some(this);
            }
        }
    }
    names
}

//! Structured data in `<script type="application/ld+json">` (schema.org, JSON-LD 1.1), in
//! the shapes in which pages really write it: arrays, `@graph`, references by `@id`,
//! single values where lists are due, and JSON with small faults.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::plain_text::{decode_references, plain_text};
use super::text::{self, folded_or_none};

/// Most objects looked at on one page.
const MAX_OBJECTS: usize = 2_000;

/// What the page's own article object says; nothing is judged yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LdArticle {
    pub(super) headline: Option<String>,
    pub(super) authors: Vec<String>,
    pub(super) published: Option<String>,
    pub(super) modified: Option<String>,
    pub(super) description: Option<String>,
    pub(super) body: Option<String>,
    pub(super) images: Vec<LdImage>,
    pub(super) keywords: Vec<String>,
    pub(super) language: Option<String>,
    pub(super) publisher: Option<String>,
    pub(super) url: Option<String>,
}

/// An image object, or a bare URL.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LdImage {
    pub(super) url: String,
    pub(super) caption: Option<String>,
    pub(super) credit: Option<String>,
}

/// Reads all scripts of a page and merges what they say about its article: the best
/// article object first, others of the page fill what it leaves open.
pub(super) fn read(scripts: &[String]) -> LdArticle {
    let documents: Vec<Value> = scripts.iter().flat_map(|script| parse(script)).collect();
    let objects = objects(&documents);
    let by_id: HashMap<&str, &Map<String, Value>> = objects
        .iter()
        .filter(|object| object.len() > 1)
        .filter_map(|object| Some((object.get("@id")?.as_str()?, *object)))
        .collect();
    let mut ranked: Vec<(u8, &Map<String, Value>)> = objects
        .iter()
        .filter_map(|object| Some((rank(object)?, *object)))
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);

    let mut article = LdArticle::default();
    for (rank, object) in ranked {
        fill(&mut article, object, rank, &by_id);
    }
    article
}

/// All objects that can speak of the page itself: roots, `@graph`, `mainEntity`.
fn objects(documents: &[Value]) -> Vec<&Map<String, Value>> {
    let mut found = Vec::new();
    let mut open: Vec<&Value> = documents.iter().rev().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Array(values) => open.extend(values.iter().rev()),
            Value::Object(object) if found.len() < MAX_OBJECTS => {
                found.push(object);
                for key in ["mainEntityOfPage", "mainEntity", "@graph"] {
                    open.extend(object.get(key));
                }
            }
            _ => {}
        }
    }
    found
}

/// How much an object's word counts: 0 for articles, up to 3; `None` for what is not the page.
fn rank(object: &Map<String, Value>) -> Option<u8> {
    let kinds = strings(object.get("@type")?);
    let rank_of = |kind: &str| {
        let kind = kind.rsplit(['/', ':']).next().unwrap_or(kind);
        match kind {
            "LiveBlogPosting" => Some(1),
            "Report" | "TechArticle" | "ScholarlyArticle" | "Review" | "Recipe" | "HowTo" => {
                Some(1)
            }
            _ if kind.ends_with("Article") || kind.ends_with("BlogPosting") => Some(0),
            "SocialMediaPosting" | "DiscussionForumPosting" | "CreativeWork" => Some(2),
            "WebPage" | "ItemPage" | "AboutPage" => Some(3),
            _ => None,
        }
    };
    kinds.iter().filter_map(|kind| rank_of(kind)).min()
}

fn fill(
    article: &mut LdArticle,
    object: &Map<String, Value>,
    rank: u8,
    by_id: &HashMap<&str, &Map<String, Value>>,
) {
    let is_page = rank == 3;
    let get = |key: &str| object.get(key).and_then(first_string);
    if !is_page {
        let headline = get("headline").or_else(|| get("name").filter(|_| rank < 2));
        article.headline = article.headline.take().or_else(|| clean(headline));
        if article.body.is_none() {
            article.body = body(object.get("articleBody").or_else(|| object.get("text")));
        }
        if article.images.is_empty() {
            article.images = images(object.get("image"), by_id);
        }
        if article.keywords.is_empty() {
            article.keywords = keywords(object.get("keywords"));
        }
    }
    if article.authors.is_empty() {
        for key in ["author", "creator"] {
            if let Some(value) = object.get(key).filter(|_| article.authors.is_empty()) {
                article.authors = names(value, by_id);
            }
        }
    }
    let date = |key: &str| get(key).map(str::to_owned);
    article.published = article
        .published
        .take()
        .or_else(|| date("datePublished"))
        .or_else(|| date("dateCreated").filter(|_| !is_page));
    article.modified = article.modified.take().or_else(|| date("dateModified"));
    article.description = article
        .description
        .take()
        .or_else(|| clean(get("description")));
    article.language = article.language.take().or_else(|| clean(get("inLanguage")));
    article.url = article.url.take().or_else(|| date("url"));
    article.publisher = article.publisher.take().or_else(|| {
        let names = names(object.get("publisher")?, by_id);
        names.into_iter().next()
    });
}

fn clean(value: Option<&str>) -> Option<String> {
    value.and_then(|value| folded_or_none(&decode_references(&decode_references(value))))
}

fn body(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.clone(),
        Value::Array(parts) => strings_of(parts).join("\n\n"),
        _ => return None,
    };
    // Some write HTML here, some write it escaped. Line breaks part paragraphs.
    let text = decode_references(&text);
    let text = text.replace("\r\n", "\n").replace('\n', "<p>");
    Some(plain_text(&text)).filter(|text| !text.is_empty())
}

fn images(value: Option<&Value>, by_id: &HashMap<&str, &Map<String, Value>>) -> Vec<LdImage> {
    let mut images = Vec::new();
    for value in listed(value).into_iter().take(20) {
        match value {
            Value::String(url) => images.push(LdImage {
                url: url.clone(),
                ..LdImage::default()
            }),
            Value::Object(object) => {
                let object = resolve(object, by_id);
                let get = |key: &str| object.get(key).and_then(first_string);
                if let Some(url) = get("url").or_else(|| get("contentUrl")) {
                    images.push(LdImage {
                        url: url.to_owned(),
                        caption: clean(get("caption")),
                        credit: clean(get("creditText").or_else(|| get("copyrightNotice"))),
                    });
                }
            }
            _ => {}
        }
    }
    images
}

fn keywords(value: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    for value in listed(value) {
        let word = match value {
            Value::String(text) => Some(text.as_str()),
            Value::Object(object) => object.get("name").and_then(Value::as_str),
            _ => None,
        };
        for word in word.unwrap_or_default().split([',', ';']) {
            found.extend(clean(Some(word)));
        }
    }
    found
}

/// Names of people and organisations: strings, objects with a `name`, references, lists.
fn names(value: &Value, by_id: &HashMap<&str, &Map<String, Value>>) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::String(name) => found.extend(clean(Some(name))),
            Value::Array(values) => open.extend(values.iter().take(50).rev()),
            Value::Object(object) => match resolve(object, by_id).get("name") {
                Some(Value::String(name)) => found.extend(clean(Some(name))),
                Some(Value::Array(names)) => {
                    found.extend(
                        strings_of(names)
                            .into_iter()
                            .filter_map(|name| clean(Some(name))),
                    );
                }
                _ => {}
            },
            _ => {}
        }
        if found.len() >= 50 {
            break;
        }
    }
    found
}

/// The object that `{"@id": …}` stands for, or the object itself. One step, so that no
/// circle of references can hold us.
fn resolve<'a>(
    object: &'a Map<String, Value>,
    by_id: &HashMap<&str, &'a Map<String, Value>>,
) -> &'a Map<String, Value> {
    if object.contains_key("name") || object.contains_key("url") {
        return object;
    }
    object
        .get("@id")
        .and_then(Value::as_str)
        .and_then(|id| by_id.get(id).copied())
        .unwrap_or(object)
}

fn listed(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(values)) => values.iter().collect(),
        Some(value) => vec![value],
        None => Vec::new(),
    }
}

fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => strings_of(values),
        _ => Vec::new(),
    }
}

fn strings_of(values: &[Value]) -> Vec<&str> {
    values.iter().filter_map(Value::as_str).collect()
}

/// A string, the first of a list, or the `@value` of an object.
fn first_string(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(values) => values.iter().find_map(Value::as_str),
        Value::Object(object) => object
            .get("@value")
            .or_else(|| object.get("name"))?
            .as_str(),
        _ => None,
    }
}

/// The JSON values of a script: usually one, none when it is beyond repair.
fn parse(script: &str) -> Vec<Value> {
    let script = script
        .trim()
        .trim_start_matches("<!--")
        .trim_start_matches("//<![CDATA[")
        .trim_start_matches("<![CDATA[")
        .trim();
    if let Ok(value) = serde_json::from_str(script) {
        return vec![value];
    }
    let repaired = repair(script);
    serde_json::Deserializer::from_str(&repaired)
        .into_iter::<Value>()
        .map_while(Result::ok)
        .collect()
}

/// Mends what is often wrong: raw line breaks and tabs in strings, bad escapes, commas
/// before a closing bracket, semicolons after the end.
fn repair(script: &str) -> String {
    let mut to = String::with_capacity(script.len() + 16);
    let mut chars = script.chars().peekable();
    let mut in_string = false;
    while let Some(c) = chars.next() {
        if !in_string {
            in_string = c == '"';
            match c {
                '}' | ']' => {
                    let kept = to.trim_end().trim_end_matches(',').len();
                    to.truncate(kept);
                    to.push(c);
                }
                ';' => to.push(' '),
                _ => to.push(c),
            }
            continue;
        }
        match c {
            '"' => {
                in_string = false;
                to.push(c);
            }
            '\\' => match chars.next() {
                Some(escaped @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u')) => {
                    to.push('\\');
                    to.push(escaped);
                }
                Some(other) if !other.is_control() => to.push(other),
                _ => to.push(' '),
            },
            '\n' | '\r' => to.push_str("\\n"),
            c if c.is_control() => to.push(' '),
            c => to.push(c),
        }
    }
    to
}

/// Whether two headlines or paragraphs begin with the same words.
pub(super) fn begins_alike(a: &str, b: &str) -> bool {
    let (a, b) = (
        text::comparable(text::prefix(a, 60)),
        text::comparable(text::prefix(b, 60)),
    );
    !a.is_empty() && (a.starts_with(&b) || b.starts_with(&a)) && !b.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn article(script: &str) -> LdArticle {
        read(&[script.to_owned()])
    }

    #[test]
    fn an_article_is_found_at_the_root_in_arrays_and_in_graphs() {
        let object = r#"{"@type":["NewsArticle"],"headline":"Rain &amp; wind","datePublished":"2026-01-02T03:04:05Z"}"#;
        for script in [
            object.to_owned(),
            format!("[{{\"@type\":\"Organization\",\"name\":\"X\"}},{object}]"),
            format!("{{\"@context\":\"https://schema.org\",\"@graph\":[{object}]}}"),
        ] {
            let found = article(&script);

            assert_eq!(found.headline.as_deref(), Some("Rain & wind"), "{script}");
            assert_eq!(found.published.as_deref(), Some("2026-01-02T03:04:05Z"));
        }
    }

    #[test]
    fn authors_come_as_strings_objects_lists_and_references() {
        let script = r##"{"@graph":[
            {"@type":"Person","@id":"#p1","name":"Ana Ruiz"},
            {"@type":"Article","author":["Bo Li",{"@id":"#p1"},{"@type":"Person","name":["Cy","Di"]}]}]}"##;

        assert_eq!(article(script).authors, ["Bo Li", "Ana Ruiz", "Cy", "Di"]);
    }

    #[test]
    fn articles_in_lists_of_others_are_not_the_page() {
        let script = r#"{"@type":"ItemList","itemListElement":[{"@type":"NewsArticle","headline":"Other"}]}"#;

        assert_eq!(article(script), LdArticle::default());
    }

    #[test]
    fn slightly_broken_json_is_read() {
        let script =
            "\n{\"@type\":\"Article\",\"headline\":\"It\\'s\n late\",\"keywords\":[\"a\",],};";

        let found = article(script);

        assert_eq!(found.headline.as_deref(), Some("It's late"));
        assert_eq!(found.keywords, ["a"]);
    }

    #[test]
    fn an_article_body_in_html_becomes_paragraphs() {
        let script = r#"{"@type":"Article","articleBody":"&lt;p&gt;One.&lt;/p&gt;\nTwo."}"#;

        assert_eq!(article(script).body.as_deref(), Some("One.\n\nTwo."));
    }

    #[test]
    fn the_article_wins_over_the_page_that_holds_it() {
        let script = r#"{"@graph":[
            {"@type":"WebPage","name":"Site","datePublished":"2020-01-01","author":{"name":"Web"}},
            {"@type":"NewsArticle","headline":"H","author":{"name":"A B"}}]}"#;

        let found = article(script);

        assert_eq!(found.authors, ["A B"]);
        assert_eq!(found.published.as_deref(), Some("2020-01-01"));
    }
}

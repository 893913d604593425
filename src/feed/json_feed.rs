//! JSON Feed 1.0 and 1.1 (jsonfeed.org), read tolerantly: numbers for text, missing
//! titles, relative URLs, one author or many.

use serde_json::{Map, Value};
use url::Url;

use super::dates::parse_date;
use super::draft::{Draft, LinkSource};
use super::links::{resolve, resolve_in_html};
use super::references::escape;
use super::text::{TextKind, one_line, title};
use super::{Enclosure, Entry, Format, MAX_ENTRIES, ParseError, ParsedFeed};

/// Reads a JSON Feed; `text` begins with `{`.
pub(super) fn read(text: &str, base: Option<&Url>) -> Result<ParsedFeed, ParseError> {
    // serde_json stops at 128 levels by itself. What follows the object is not read.
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let document = match values.next() {
        Some(Ok(Value::Object(document))) => document,
        Some(Err(error)) if is_json_feed(text) => {
            return Err(ParseError::Broken {
                reason: error.to_string(),
            });
        }
        _ => return Err(not_a_feed("JSON of another kind")),
    };
    let items = match document.get("items") {
        Some(Value::Array(items)) => items.as_slice(),
        _ if is_json_feed(text) => &[],
        _ => return Err(not_a_feed("JSON of another kind")),
    };
    if !is_json_feed(text) && !items.iter().any(looks_like_item) {
        return Err(not_a_feed("JSON of another kind"));
    }
    let feed_url = string(&document, "feed_url").and_then(|url| Url::parse(&url).ok());
    let base = base.or(feed_url.as_ref());
    let mut feed = read_feed(&document, base).into_feed(read_items(items, base));
    feed.format = Format::Json;
    if items.len() > MAX_ENTRIES {
        let warning = format!("has more than {MAX_ENTRIES} entries; the rest is not read");
        feed.warnings.push(warning);
    }
    Ok(feed)
}

fn not_a_feed(found: &str) -> ParseError {
    ParseError::NotAFeed {
        found: found.to_owned(),
    }
}

fn is_json_feed(text: &str) -> bool {
    text.contains("jsonfeed.org/version/")
}

fn looks_like_item(item: &Value) -> bool {
    ["content_html", "content_text", "date_published"]
        .iter()
        .any(|key| item.get(key).is_some())
}

fn read_feed(document: &Map<String, Value>, base: Option<&Url>) -> Draft {
    let mut draft = Draft::default();
    draft.title.offer(0, plain_title(document, "title"));
    draft.summary.offer(0, string(document, "description"));
    draft.offer_link(LinkSource::Own, url(document, "home_page_url", base));
    draft.self_url = url(document, "feed_url", base);
    draft.add_link(draft.self_url.clone());
    draft.language = string(document, "language");
    add_authors(&mut draft, document);
    for hub in objects(document, "hubs") {
        draft.hubs.extend(url(hub, "url", base));
    }
    draft
}

fn read_items(items: &[Value], base: Option<&Url>) -> Vec<Entry> {
    let items = items.iter().filter_map(Value::as_object).take(MAX_ENTRIES);
    items
        .map(|item| read_item(item, base).into_entry())
        .collect()
}

fn read_item(item: &Map<String, Value>, base: Option<&Url>) -> Draft {
    let mut draft = Draft::default();
    let id = string(item, "id");
    draft.offer_link(LinkSource::Own, url(item, "url", base));
    let external = url(item, "external_url", base);
    draft.offer_link(LinkSource::External, external.clone());
    draft.add_link(external);
    draft.id.offer(0, id);
    draft.title.offer(0, plain_title(item, "title"));
    draft.summary.offer(
        0,
        string(item, "summary").map(|text| escape(&text).into_owned()),
    );
    let html = string(item, "content_html").map(|html| resolve_in_html(html, base));
    draft.content.offer(0, html);
    draft.content.offer(
        1,
        string(item, "content_text").map(|text| escape(&text).into_owned()),
    );
    draft.published.offer(
        0,
        string(item, "date_published").and_then(|date| parse_date(&date)),
    );
    draft.updated.offer(
        0,
        string(item, "date_modified").and_then(|date| parse_date(&date)),
    );
    add_authors(&mut draft, item);
    match item.get("tags") {
        Some(Value::Array(tags)) => {
            for tag in tags {
                draft.add_category(text_of(tag));
            }
        }
        // Some write them as one text.
        tags => {
            for tag in tags
                .and_then(text_of)
                .iter()
                .flat_map(|tags| tags.split(','))
            {
                draft.add_category(Some(one_line(tag)).filter(|tag| !tag.is_empty()));
            }
        }
    }
    for attachment in objects(item, "attachments") {
        draft.add_enclosure(Enclosure {
            url: url(attachment, "url", base).unwrap_or_default(),
            media_type: string(attachment, "mime_type"),
            length_bytes: string(attachment, "size_in_bytes").and_then(|size| size.parse().ok()),
        });
    }
    draft
}

/// `authors` of version 1.1 and `author` of 1.0.
fn add_authors(draft: &mut Draft, of: &Map<String, Value>) {
    for author in objects(of, "authors").chain(objects(of, "author")) {
        draft.add_entry_author(string(author, "name").map(|name| one_line(&name)));
    }
    draft.add_entry_author(string(of, "author").map(|name| one_line(&name)));
}

/// The objects in a list, or the one that stands in its place.
fn objects<'a>(
    of: &'a Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = &'a Map<String, Value>> {
    let value = of.get(key);
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.chain(value).filter_map(Value::as_object)
}

fn plain_title(of: &Map<String, Value>, key: &str) -> Option<String> {
    title(&string(of, key)?, TextKind::Text)
}

fn url(of: &Map<String, Value>, key: &str, base: Option<&Url>) -> Option<String> {
    Some(resolve(&string(of, key)?, base))
}

/// Text or a number as text; nothing for blank text.
fn string(of: &Map<String, Value>, key: &str) -> Option<String> {
    text_of(of.get(key)?)
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

//! RSS written as JSON (`{"rss": {"channel": {"item": […]}}}`): the names are those of RSS,
//! and an element with attributes is an object with its text in `#value`.

use serde_json::{Map, Value};
use url::Url;

use super::{string, text_of};
use crate::feed::Enclosure;
use crate::feed::draft::{Draft, LinkSource};
use crate::feed::links::{is_web_url, link_text, resolve, resolve_in_html};
use crate::feed::text::{TextKind, person, title};

/// The keys of a channel that JSON Feed does not have.
pub(super) const CHANNEL_KEYS: &[&str] = &["link", "lastBuildDate", "pubDate"];

/// The keys of an item that JSON Feed does not have.
pub(super) const ITEM_KEYS: &[&str] = &[
    "link",
    "description",
    "content:encoded",
    "guid",
    "pubDate",
    "dc:creator",
    "category",
    "enclosure",
];

/// Adds what a channel says in the words of RSS.
pub(super) fn add_channel(draft: &mut Draft, channel: &Map<String, Value>, base: Option<&Url>) {
    draft.offer_link(LinkSource::Own, link(channel, base));
    if let Some(date) = text(channel, "lastBuildDate") {
        draft.offer_updated(0, &date);
    }
    if let Some(date) = text(channel, "pubDate") {
        draft.offer_published(0, &date);
    }
}

/// Adds what an item says in the words of RSS.
pub(super) fn add_item(draft: &mut Draft, item: &Map<String, Value>, base: Option<&Url>) {
    let own = link(item, base);
    draft.add_link(own.clone());
    draft.offer_link(LinkSource::Own, own);
    if let Some(guid) = text(item, "guid") {
        let says_no = item["guid"]
            .get("isPermaLink")
            .is_some_and(|it| it == "false" || it == &Value::Bool(false));
        if is_web_url(&guid) && !says_no {
            draft.offer_link(LinkSource::Permalink, Some(guid.clone()));
        }
        draft.id.offer(0, Some(guid));
    }
    let html = |key| Some(resolve_in_html(text(item, key)?, base));
    draft.summary.offer(1, html("description"));
    draft.content.offer(2, html("content:encoded"));
    if let Some(date) = text(item, "pubDate") {
        draft.offer_published(1, &date);
    }
    draft.add_author(text(item, "dc:creator").and_then(|name| person(&name)));
    for category in each(item, "category") {
        let term = value(category);
        draft.add_category(term.and_then(|term| title(&term, TextKind::Unknown)));
    }
    for enclosure in each(item, "enclosure").filter_map(Value::as_object) {
        draft.add_enclosure(Enclosure {
            url: string(enclosure, "url").map_or_else(String::new, |url| resolve(&url, base)),
            media_type: string(enclosure, "type"),
            length_bytes: string(enclosure, "length").and_then(|length| length.parse().ok()),
        });
    }
}

fn link(of: &Map<String, Value>, base: Option<&Url>) -> Option<String> {
    Some(resolve(&link_text(&text(of, "link")?), base))
}

fn text(of: &Map<String, Value>, key: &str) -> Option<String> {
    value(of.get(key)?)
}

/// A text, or that of an element with attributes.
fn value(value: &Value) -> Option<String> {
    text_of(value).or_else(|| text_of(value.get("#value")?))
}

/// The values of a list, or the one that stands in its place.
fn each<'a>(of: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Value> {
    let value = of.get(key);
    let list = value.and_then(Value::as_array);
    let alone = value.filter(|_| list.is_none());
    list.into_iter().flatten().chain(alone)
}

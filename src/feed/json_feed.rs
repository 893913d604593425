//! JSON Feed 1.0 and 1.1 (jsonfeed.org), read tolerantly: numbers for text, missing
//! titles, relative URLs, one author or many.

mod bounded;
mod document;
mod mend;
mod rss;

use serde_json::{Map, Value};
use url::Url;

use document::Document;
use mend::mend;

use super::draft::{Draft, LinkSource};
use super::links::{resolve, resolve_in_html};
use super::references::escape;
use super::text::{TextKind, one_line, title};
use super::{Enclosure, Format, MAX_ENTRIES, ParseError, ParsedFeed};

/// Reads a JSON Feed; `text` begins with `{`.
///
/// What follows the object is not read. Of a document that breaks off, every complete item
/// is kept.
pub(super) fn read(text: &str, base: Option<&Url>) -> Result<ParsedFeed, ParseError> {
    let mut document = Document::default();
    let (mut warnings, mut repairs) = (Vec::new(), Vec::new());
    let mut result = document.read(text);
    if result.is_err() {
        // Line breaks within texts, stray backslashes and commas are against the rules, and
        // happen.
        let mut mended = Document::default();
        let text = mend(text);
        let again = mended.read(&text);
        if again.is_ok() || mended.items.len() > document.items.len() {
            (document, result) = (mended, again);
            repairs.push("slips in the JSON".to_owned());
        }
    }
    let is_json_feed = text.contains("jsonfeed.org/version/")
        || (document.is_rss && document.fields.contains_key("title"));
    let has_items = document.items.iter().any(looks_like_item);
    if !has_items && !is_json_feed {
        return Err(not_a_feed("JSON of another kind"));
    }
    let is_cut = result.is_err();
    if let Err(error) = result {
        if document.items.is_empty() {
            let reason = error.to_string();
            return Err(ParseError::Broken { reason });
        }
        warnings.push(format!(
            "the document is broken ({error}); what was complete is kept"
        ));
    }
    if document.n_items > MAX_ENTRIES {
        warnings.push(format!(
            "has more than {MAX_ENTRIES} entries; the rest is not read"
        ));
    }
    let feed_url = string(&document.fields, "feed_url").and_then(|url| Url::parse(&url).ok());
    let base = base.or(feed_url.as_ref());
    let entries = document
        .items
        .iter()
        .map(|item| read_item(item, base).into_entry());
    let mut feed = read_feed(&document.fields, base).into_feed(entries.collect());
    feed.format = Format::Json;
    feed.is_cut = is_cut;
    feed.warnings = warnings;
    feed.repairs = repairs;
    Ok(feed)
}

fn not_a_feed(found: &str) -> ParseError {
    ParseError::NotAFeed {
        found: found.to_owned(),
    }
}

fn looks_like_item(item: &Map<String, Value>) -> bool {
    let keys = ["content_html", "content_text", "date_published", "pubDate"];
    keys.iter().any(|key| item.contains_key(*key))
}

fn read_feed(document: &Map<String, Value>, base: Option<&Url>) -> Draft {
    let mut draft = Draft::default();
    draft.title.offer(0, plain_title(document, "title"));
    draft.summary.offer(0, string(document, "description"));
    draft.offer_link(LinkSource::Own, url(document, "home_page_url", base));
    rss::add_channel(&mut draft, document, base);
    draft.self_url = url(document, "feed_url", base);
    draft.add_link(draft.self_url.clone());
    draft.language = string(document, "language");
    add_authors(&mut draft, document);
    if let Some(next) = url(document, "next_url", base) {
        draft.add_page("next", &next);
    }
    draft.hints.is_finished = document
        .get("expired")
        .is_some_and(|it| it == &Value::Bool(true));
    for hub in objects(document, "hubs") {
        draft.add_hub(url(hub, "url", base));
    }
    draft
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
    if let Some(date) = string(item, "date_published") {
        draft.offer_published(0, &date);
    }
    if let Some(date) = string(item, "date_modified") {
        draft.offer_updated(0, &date);
    }
    rss::add_item(&mut draft, item, base);
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
    for key in ["image", "banner_image"] {
        if let Some(picture) = url(item, key, base) {
            draft.add_enclosure(Enclosure {
                url: picture,
                media_type: Some("image/*".to_owned()),
                length_bytes: None,
            });
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

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "{\"version\": \"https://jsonfeed.org/version/1\", \"items\": [";

    fn titles(text: &str) -> Vec<String> {
        let feed = read(text, None).unwrap();
        feed.entries
            .into_iter()
            .filter_map(|entry| entry.title)
            .collect()
    }

    #[test]
    fn complete_items_survive_a_cut() {
        let text = format!(
            "{HEAD}{{\"title\": \"One\"}}, null, {{\"title\": \"Two\"}}, {{\"title\": \"Thr"
        );

        assert_eq!(titles(&text), ["One", "Two"]);
        let feed = read(&text, None).unwrap();
        assert!(feed.is_cut);
        assert!(feed.warnings[0].contains("broken"));
        assert!(matches!(read(HEAD, None), Err(ParseError::Broken { .. })));
    }

    #[test]
    fn slips_are_forgiven() {
        assert_eq!(
            titles(&format!("{HEAD}{{\"title\": \"One\ntwo\"}}]}}")),
            ["One two"]
        );
        assert_eq!(
            titles(&format!("{HEAD}{{\"title\": \"a\\x \\ud83d,]\",}},]}}")),
            ["a\\x \u{fffd},]"]
        );
        assert_eq!(titles(&HEAD.replace('[', "null}")), <[&str; 0]>::default());
    }

    #[test]
    fn rss_in_json_is_read() {
        let text = r##"{"rss": {"version": "2.0", "channel": {"title": "News", "link": "https://news.example/",
            "item": [{"title": "One", "link": "https://news.example/1", "pubDate": "Thu, 06 Mar 2025 09:05:00 GMT",
                      "guid": {"isPermaLink": "false", "#value": "g1"}, "description": "<b>First</b>",
                      "category": ["a", {"domain": "x", "#value": "b"}], "enclosure": {"url": "https://news.example/1.mp3", "length": "12"}}]}}}"##;

        let feed = read(text, None).unwrap();

        let entry = &feed.entries[0];
        assert_eq!(feed.site.as_deref(), Some("https://news.example/"));
        assert_eq!(entry.link.as_deref(), Some("https://news.example/1"));
        assert_eq!(entry.guid.as_deref(), Some("g1"));
        assert_eq!(entry.summary.as_deref(), Some("<b>First</b>"));
        assert!(entry.published.is_some());
        assert_eq!(entry.categories, ["a", "b"]);
        assert_eq!(entry.enclosures[0].length_bytes, Some(12));
    }

    #[test]
    fn what_we_do_not_read_costs_nothing() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let text = format!(
            "{{\"x\": {deep}, {}{{\"title\": \"One\", \"_y\": {deep}}}]}}",
            &HEAD[1..]
        );

        assert_eq!(titles(&text), ["One"]);
    }
}

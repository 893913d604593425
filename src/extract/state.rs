//! The article in the data that a page carries for its own scripts: `__NEXT_DATA__` and
//! other JSON, and the pieces that React streams (`self.__next_f.push`). Only a rescue for
//! pages whose markup holds no text: such data may be another article's, or a teaser.

use serde_json::Value;

use super::json_ld::begins_alike;
use super::metadata::Metadata;
use super::plain_text::plain_text;
use super::text;

/// Most bytes of scripts that are looked at.
const MAX_BYTES: usize = 4 << 20;

/// Least HTML that can be an article, in bytes.
const MIN_BYTES: usize = 400;

/// Names under which state keeps the text of an article.
const KEYS: &[&str] = &[
    "articlebody",
    "body",
    "bodyhtml",
    "content",
    "contenthtml",
    "contents",
    "html",
    "text",
    "articlehtml",
    "articletext",
    "articlecontent",
    "story",
    "fulltext",
    "maintext",
];

/// The longest text in the page's state that is marked up as paragraphs, or kept under a
/// name for it and begins like the page's description.
pub(super) fn find(scripts: &[&str], metadata: &Metadata) -> Option<String> {
    let mut n_bytes = 0;
    let mut best: Option<String> = None;
    for script in scripts {
        n_bytes += script.len();
        if script.len() < MIN_BYTES || n_bytes > MAX_BYTES {
            continue;
        }
        for value in values(script) {
            longest(&value, metadata, &mut best);
        }
    }
    best
}

/// The JSON in a script: all of it, or what is assigned, or the argument of a call.
fn values(script: &str) -> Vec<Value> {
    let starts = script.match_indices(['{', '[']).map(|(at, _)| at).take(3);
    for start in starts {
        let mut values = serde_json::Deserializer::from_str(&script[start..]).into_iter::<Value>();
        if let Some(Ok(value)) = values.next() {
            return vec![value];
        }
    }
    Vec::new()
}

fn longest(value: &Value, metadata: &Metadata, best: &mut Option<String>) {
    let mut open = vec![("", value)];
    while let Some((key, value)) = open.pop() {
        match value {
            Value::Array(values) => open.extend(values.iter().map(|value| (key, value))),
            Value::Object(object) => {
                open.extend(object.iter().map(|(key, value)| (key.as_str(), value)))
            }
            Value::String(text) if text.len() >= MIN_BYTES => {
                if let Some(found) = article(key, text, metadata)
                    && best.as_ref().is_none_or(|best| best.len() < found.len())
                {
                    *best = Some(found);
                }
            }
            _ => {}
        }
    }
}

/// The text of a string that looks like an article.
fn article(key: &str, html: &str, metadata: &Metadata) -> Option<String> {
    let n_paragraphs =
        html.matches("<p>").count() + html.matches("<p ").count() + html.matches("<br").count() / 2;
    let is_named = KEYS.contains(&key.to_ascii_lowercase().as_str());
    // Streamed pieces have no name; markup that begins with a tag is one whole.
    let is_marked_up = n_paragraphs >= 3 && (is_named || html.trim_start().starts_with('<'));
    if !is_marked_up && !is_named {
        return None;
    }
    let text = plain_text(html);
    let begins = metadata
        .description
        .as_deref()
        .is_some_and(|description| begins_alike(&text, description));
    ((is_marked_up || begins) && text::count_words(&text) >= 60).then_some(text)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::{Settings, extract};

    #[test]
    fn an_article_that_only_the_script_knows_is_found() {
        let body = "<p>The river rose by two metres during the night, and the town closed its bridges.</p>".repeat(6);
        let state = serde_json::json!({"props": {"article": {"contentHtml": body}}});
        let page = format!(
            "<title>River</title><div id=root></div><script id=__NEXT_DATA__ type=application/json>{state}</script>"
        );

        let found = extract(
            &page,
            &Url::parse("https://example.org/a").unwrap(),
            &Settings::default(),
        )
        .unwrap();

        assert!(found.text.starts_with("The river rose by two metres"));
        assert_eq!(found.text.matches("\n\n").count(), 5);
    }
}

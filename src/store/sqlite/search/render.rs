//! From a parsed search to FTS5's language.
//!
//! Whatever a person typed ends up inside quoted strings, so that no input is an error of
//! syntax there.

use std::iter;

use url::Url;

use crate::query::{Expr, Field};

use super::words;

/// The token that every document has, for searches that only exclude.
pub(super) const EVERY: &str = "kall";

/// Deeper conditions than our own parser makes are not asked.
const MAX_DEPTH: usize = 64;

/// What is left of a condition after rendering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Condition {
    /// Nothing to ask: everything answers.
    Everything,
    /// It holds no letter and no digit: nothing answers.
    Nothing,
    /// FTS5's `MATCH` text.
    Match(String),
}

/// Which feeds a `feed:` or `tag:` value means.
type Resolve<'a> = &'a mut dyn FnMut(Field, &str) -> rusqlite::Result<Vec<i64>>;

/// Renders a condition; `resolve` finds the feeds behind a name.
pub(in super::super) fn render(expr: &Expr, resolve: Resolve<'_>) -> rusqlite::Result<Condition> {
    if *expr == Expr::All {
        return Ok(Condition::Everything);
    }
    Ok(render_expr(expr, resolve, 0)?.map_or(Condition::Nothing, Condition::Match))
}

/// `None` for a part that asks nothing: punctuation only.
fn render_expr(
    expr: &Expr,
    resolve: Resolve<'_>,
    depth: usize,
) -> rusqlite::Result<Option<String>> {
    if depth > MAX_DEPTH {
        return Ok(None);
    }
    Ok(match expr {
        Expr::All => Some(every()),
        Expr::Word { text, prefix } => words_in("{title body}", text, *prefix),
        Expr::Phrase(text) => words_in("{title body}", text, false),
        Expr::Field(field, value) => render_field(*field, value, resolve)?,
        Expr::And(parts) => render_and(parts, resolve, depth)?,
        Expr::Or(parts) => {
            let mut rendered = Vec::with_capacity(parts.len());
            for part in parts {
                rendered.extend(render_expr(part, resolve, depth + 1)?);
            }
            join(&rendered, " OR ")
        }
        Expr::Not(part) => {
            render_expr(part, resolve, depth + 1)?.map(|part| format!("({} NOT {part})", every()))
        }
    })
}

/// FTS5's NOT has two sides: all that is wanted, and all that is not.
fn render_and(
    parts: &[Expr],
    resolve: Resolve<'_>,
    depth: usize,
) -> rusqlite::Result<Option<String>> {
    let mut wanted = Vec::new();
    let mut unwanted = Vec::new();
    for part in parts {
        match part {
            Expr::Not(part) => unwanted.extend(render_expr(part, resolve, depth + 1)?),
            part => wanted.extend(render_expr(part, resolve, depth + 1)?),
        }
    }
    let Some(unwanted) = join(&unwanted, " OR ") else {
        return Ok(join(&wanted, " AND "));
    };
    let wanted = join(&wanted, " AND ").unwrap_or_else(every);
    Ok(Some(format!("({wanted} NOT {unwanted})")))
}

fn join(parts: &[String], with: &str) -> Option<String> {
    match parts {
        [] => None,
        [part] => Some(part.clone()),
        parts => Some(format!("({})", parts.join(with))),
    }
}

fn render_field(
    field: Field,
    value: &str,
    resolve: Resolve<'_>,
) -> rusqlite::Result<Option<String>> {
    Ok(match field {
        Field::Author => words_in("author", value, false),
        Field::Title => words_in("title", value, false),
        Field::Site => Some(keyed([key_token("site", &site_of(value))])),
        Field::Lang => Some(keyed([key_token("lang", &value.replace('_', "-"))])),
        Field::Tag => {
            let feeds = resolve(field, value)?;
            Some(keyed(
                iter::once(key_token("tag", value)).chain(feeds.iter().map(feed_token)),
            ))
        }
        Field::Feed => Some(keyed(resolve(field, value)?.iter().map(feed_token))),
    })
}

/// The host that a person means by a name, a name in another script, a URL, or `*.name`.
fn site_of(value: &str) -> String {
    let value = value.trim().trim_start_matches('*').trim_matches('.');
    let url = if value.contains("://") {
        Url::parse(value)
    } else {
        Url::parse(&format!("http://{value}"))
    };
    url.ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| value.to_owned())
}

/// The condition that a feed announced it.
pub(in super::super) fn announced_by(feed: i64) -> String {
    keyed([feed_token(&feed)])
}

fn feed_token(feed: &i64) -> String {
    key_token("feed", &feed.to_string())
}

fn every() -> String {
    keyed([EVERY.to_owned()])
}

/// One of these tokens; no token at all is found in no document.
fn keyed(tokens: impl IntoIterator<Item = String>) -> String {
    let quoted: Vec<String> = tokens
        .into_iter()
        .map(|token| format!("\"{token}\""))
        .collect();
    if quoted.is_empty() {
        return "(keys : \"knone\")".to_owned();
    }
    format!("(keys : ({}))", quoted.join(" OR "))
}

fn words_in(columns: &str, text: &str, is_prefix: bool) -> Option<String> {
    let text = words::spaced(text);
    if !words::has_word(&text) {
        return None;
    }
    let quoted = text.trim().replace('\0', " ").replace('"', "\"\"");
    let star = if is_prefix { " *" } else { "" };
    Some(format!("({columns} : \"{quoted}\"{star})"))
}

/// A word that stands for a value: letters and digits only, so that the tokenizer keeps it
/// whole, and of one length whatever the value.
pub(super) fn key_token(kind: &str, value: &str) -> String {
    let value = value.trim().to_lowercase();
    format!("k{:016x}", super::token_hash(&format!("{kind}\0{value}")))
}

/// A tag and the folders that it lies in: `World/Asia/China`, `World/Asia`, `World`.
pub(super) fn folders(tag: &str) -> impl Iterator<Item = &str> {
    iter::successors(Some(tag), |tag| {
        tag.rsplit_once('/').map(|(folder, _)| folder)
    })
    .filter(|folder| !folder.trim().is_empty())
}

/// A host and all that it lies below: `www.bbc.co.uk`, `bbc.co.uk`, `co.uk`, `uk`.
pub(super) fn site_suffixes(host: &str) -> impl Iterator<Item = &str> {
    let host = host.trim_end_matches('.');
    iter::successors((!host.is_empty()).then_some(host), |host| {
        host.split_once('.').map(|(_, rest)| rest)
    })
    .take(20)
}

/// A language tag and what it is a kind of: `de-at`, `de` (RFC 4647 §3.3.1).
pub(super) fn language_ranges(tag: &str) -> impl Iterator<Item = &str> {
    iter::successors((!tag.is_empty()).then_some(tag), |tag| {
        tag.rsplit_once(['-', '_']).map(|(range, _)| range)
    })
    .take(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(expr: &Expr) -> Condition {
        render(expr, &mut |_, _| Ok(Vec::new())).unwrap()
    }

    fn word(text: &str) -> Expr {
        Expr::Word {
            text: text.into(),
            prefix: false,
        }
    }

    #[test]
    fn quotes_cannot_leave_their_string() {
        assert_eq!(
            rendered(&word("a\" OR \"b")),
            Condition::Match("({title body} : \"a\"\" OR \"\"b\")".into())
        );
    }

    #[test]
    fn punctuation_asks_nothing() {
        assert_eq!(rendered(&word("?!")), Condition::Nothing);
        assert_eq!(
            rendered(&Expr::And(vec![word("?!"), word("a")])),
            rendered(&word("a"))
        );
    }

    #[test]
    fn a_search_that_only_excludes_has_something_to_exclude_from() {
        let Condition::Match(text) = rendered(&Expr::Not(Box::new(word("a")))) else {
            panic!("something is asked");
        };

        assert_eq!(text, "((keys : (\"kall\")) NOT ({title body} : \"a\"))");
    }

    #[test]
    fn a_site_is_found_by_each_of_its_suffixes() {
        let sites: Vec<&str> = site_suffixes("www.bbc.co.uk").collect();

        assert_eq!(sites, ["www.bbc.co.uk", "bbc.co.uk", "co.uk", "uk"]);
    }
}

//! From a condition to FTS5's language.
//!
//! Words and keys hold no sign that means anything there, and stand in quotes all the same.

use crate::query::{Condition, EVERY, NONE, Part, Sought};

/// FTS5's `MATCH` text for a condition.
pub(in super::super) fn render(condition: &Condition) -> String {
    match condition {
        Condition::Every => every(),
        Condition::Words(sought) => words(sought),
        Condition::Keys(found) => keys(found),
        Condition::And(parts) => all(parts),
        Condition::Or(parts) => join(parts.iter().map(render), " OR "),
        Condition::Not(part) => format!("({} NOT {})", every(), render(part)),
    }
}

/// FTS5's NOT has two sides: all that is wanted, and all that is not.
fn all(parts: &[Condition]) -> String {
    let mut wanted = Vec::new();
    let mut unwanted = Vec::new();
    for part in parts {
        match part {
            Condition::Not(part) => unwanted.push(render(part)),
            part => wanted.push(render(part)),
        }
    }
    if wanted.is_empty() {
        wanted.push(every());
    }
    let wanted = join(wanted.into_iter(), " AND ");
    match unwanted.is_empty() {
        true => wanted,
        false => format!("({wanted} NOT {})", join(unwanted.into_iter(), " OR ")),
    }
}

fn join(parts: impl Iterator<Item = String>, with: &str) -> String {
    let parts: Vec<String> = parts.collect();
    match parts.as_slice() {
        [] => keys(&[]),
        [part] => part.clone(),
        parts => format!("({})", parts.join(with)),
    }
}

fn every() -> String {
    keys(&[EVERY.to_owned()])
}

/// One of these keys; no key at all is found in no document.
fn keys(keys: &[String]) -> String {
    let quoted: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
    if quoted.is_empty() {
        return format!("(keys : \"{NONE}\")");
    }
    format!("(keys : ({}))", quoted.join(" OR "))
}

fn words(sought: &Sought) -> String {
    let columns = match sought.part {
        Part::Text => "{title body}",
        Part::Title => "title",
        Part::Author => "author",
    };
    let star = if sought.is_prefix { " *" } else { "" };
    format!("({columns} : \"{}\"{star})", sought.joined())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Condition {
        Condition::Words(Sought::new(Part::Text, text, false).unwrap())
    }

    fn not(part: Condition) -> Condition {
        Condition::Not(Box::new(part))
    }

    #[test]
    fn quotes_cannot_leave_their_string() {
        assert_eq!(render(&word("a\" OR \"b")), "({title body} : \"a or b\")");
    }

    #[test]
    fn a_search_that_only_excludes_has_something_to_exclude_from() {
        let expected = "((keys : (\"kall\")) NOT ({title body} : \"a\"))";

        assert_eq!(render(&not(word("a"))), expected);
        assert_eq!(render(&Condition::And(vec![not(word("a"))])), expected);
    }

    #[test]
    fn what_is_excluded_stands_behind_what_is_wanted() {
        let condition = Condition::And(vec![not(word("a")), word("b"), not(word("c"))]);

        assert_eq!(
            render(&condition),
            "(({title body} : \"b\") NOT (({title body} : \"a\") OR ({title body} : \"c\")))"
        );
    }
}

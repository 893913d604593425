//! From a condition to PostgreSQL's `tsquery`, and from an article to its `tsvector`.
//!
//! Both are written as text with every word in quotes. Words and keys hold no quote and no
//! backslash, so that none can leave them. A word of headline or body stands for itself;
//! one of the headline stands there a second time as `t:word`, one of an author's name as
//! `a:word`, and a key as `k:key`.

use crate::query::{Condition, EVERY, Indexed, Part, Sought};

/// A `tsquery`, or what needs none.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Query {
    All,
    None,
    Text(String),
}

/// The `tsquery` whose answers have all articles for which the condition holds; those for
/// which it does not are among them only because of a phrase.
pub(super) fn render(condition: &Condition) -> String {
    match most(condition) {
        Query::All => lexeme("k:", EVERY),
        Query::None => lexeme("k:", crate::query::NONE),
        // What only excludes must have something to exclude from, or an index is of no use.
        Query::Text(text) if text.starts_with('!') => {
            format!("{} & {text}", lexeme("k:", EVERY))
        }
        Query::Text(text) => text,
    }
}

/// What is left to be looked for in the articles that [`render`] finds.
pub(super) fn unsure(condition: &Condition) -> Option<Condition> {
    match condition {
        condition if !condition.has_phrase() => None,
        Condition::And(parts) => Some(Condition::And(parts.iter().filter_map(unsure).collect())),
        condition => Some(condition.clone()),
    }
}

/// The words of an article as the text of a `tsvector`.
pub(super) fn vector(indexed: &Indexed) -> String {
    let size = indexed.body.len() + 2 * indexed.title.len() + 24 * indexed.keys.len();
    let mut vector = String::with_capacity(size + size / 4);
    let mut add = |tag: &str, words: &str| {
        for word in Indexed::distinct_words(words) {
            vector.push_str(&lexeme(tag, word));
            vector.push(' ');
        }
    };
    add("", &indexed.body);
    add("", &indexed.title);
    add("t:", &indexed.title);
    add("a:", &indexed.author);
    for key in &indexed.keys {
        add("k:", key);
    }
    vector
}

/// All answers, and perhaps more: a phrase counts where its words are.
fn most(condition: &Condition) -> Query {
    match condition {
        Condition::Every => Query::All,
        Condition::Words(sought) => words(sought),
        Condition::Keys(keys) => any(keys.iter().map(|key| Query::Text(lexeme("k:", key)))),
        Condition::And(parts) => all(parts.iter().map(most)),
        Condition::Or(parts) => any(parts.iter().map(most)),
        Condition::Not(part) => not(least(part)),
    }
}

/// Answers only, and perhaps not all: a phrase counts nowhere.
fn least(condition: &Condition) -> Query {
    match condition {
        Condition::Words(sought) if sought.is_phrase() => Query::None,
        Condition::Every | Condition::Words(_) | Condition::Keys(_) => most(condition),
        Condition::And(parts) => all(parts.iter().map(least)),
        Condition::Or(parts) => any(parts.iter().map(least)),
        Condition::Not(part) => not(most(part)),
    }
}

fn words(sought: &Sought) -> Query {
    let tag = match sought.part {
        Part::Text => "",
        Part::Title => "t:",
        Part::Author => "a:",
    };
    let mut lexemes: Vec<String> = sought.words().map(|word| lexeme(tag, word)).collect();
    if sought.is_prefix
        && let Some(last) = lexemes.last_mut()
    {
        last.push_str(":*");
    }
    all(lexemes.into_iter().map(Query::Text))
}

fn lexeme(tag: &str, word: &str) -> String {
    debug_assert!(!word.contains(['\'', '\\']), "our words hold no signs");
    format!("'{tag}{word}'")
}

fn all(parts: impl Iterator<Item = Query>) -> Query {
    let mut texts = Vec::new();
    for part in parts {
        match part {
            Query::All => {}
            Query::None => return Query::None,
            Query::Text(text) => texts.push(text),
        }
    }
    joined(&texts, " & ").map_or(Query::All, Query::Text)
}

fn any(parts: impl Iterator<Item = Query>) -> Query {
    let mut texts = Vec::new();
    for part in parts {
        match part {
            Query::All => return Query::All,
            Query::None => {}
            Query::Text(text) => texts.push(text),
        }
    }
    joined(&texts, " | ").map_or(Query::None, Query::Text)
}

fn not(part: Query) -> Query {
    match part {
        Query::All => Query::None,
        Query::None => Query::All,
        Query::Text(text) => Query::Text(match text.strip_prefix('!') {
            Some(inner) => inner.to_owned(),
            None => format!("!{text}"),
        }),
    }
}

/// Joined as a tree that is as low as can be: PostgreSQL walks it recursively, and a tag can
/// mean thousands of feeds.
fn joined(texts: &[String], with: &str) -> Option<String> {
    match texts {
        [] => None,
        [text] => Some(text.clone()),
        texts => {
            let (left, right) = texts.split_at(texts.len() / 2);
            let (left, right) = (joined(left, with)?, joined(right, with)?);
            Some(format!("({left}{with}{right})"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Document;

    fn sought(part: Part, text: &str, is_prefix: bool) -> Condition {
        Condition::Words(Sought::new(part, text, is_prefix).unwrap())
    }

    fn word(text: &str) -> Condition {
        sought(Part::Text, text, false)
    }

    fn not(part: Condition) -> Condition {
        Condition::Not(Box::new(part))
    }

    #[test]
    fn quotes_cannot_leave_their_string() {
        assert_eq!(render(&word("a' | 'b\\")), "('a' & 'b')");
        assert_eq!(render(&sought(Part::Title, "a", true)), "'t:a':*");
        assert_eq!(render(&sought(Part::Author, "a", false)), "'a:a'");
    }

    #[test]
    fn a_search_that_only_excludes_has_something_to_exclude_from() {
        assert_eq!(render(&not(word("a"))), "'k:kall' & !'a'");
        assert_eq!(render(&Condition::Every), "'k:kall'");
        assert_eq!(render(&Condition::Keys(Vec::new())), "'k:knone'");
    }

    #[test]
    fn a_phrase_is_narrowed_by_its_words_and_never_excludes_by_them() {
        let phrase = || word("new york");

        assert_eq!(render(&phrase()), "('new' & 'york')");
        assert_eq!(render(&not(phrase())), "'k:kall'");
        assert_eq!(render(&not(not(phrase()))), "('new' & 'york')");
        let mixed = Condition::And(vec![
            word("a"),
            not(Condition::Or(vec![word("b"), phrase()])),
        ]);
        assert_eq!(render(&mixed), "('a' & !'b')");
    }

    #[test]
    fn only_what_an_index_cannot_know_is_looked_for_again() {
        let phrase = || word("new york");
        let both = Condition::And(vec![word("a"), phrase()]);
        let either = Condition::Or(vec![word("a"), phrase()]);

        assert_eq!(unsure(&word("a")), None);
        assert_eq!(unsure(&both), Some(Condition::And(vec![phrase()])));
        assert_eq!(unsure(&either), Some(either.clone()));
    }

    #[test]
    fn thousands_of_alternatives_make_a_low_tree() {
        let keys = (0..5000).map(|n| format!("k{n}")).collect();

        let text = render(&Condition::Keys(keys));

        let (mut depth, mut deepest) = (0_i32, 0_i32);
        for c in text.chars() {
            depth += i32::from(c == '(') - i32::from(c == ')');
            deepest = deepest.max(depth);
        }
        assert!(deepest <= 13, "{deepest}");
    }

    #[test]
    fn an_article_has_its_words_once_and_those_of_its_fields() {
        let document = Document {
            title: "Storm".into(),
            authors: vec!["Jane Doe".into(), "Max".into()],
            text: "A storm. A storm?".into(),
            ..Document::default()
        };

        assert_eq!(
            vector(&document.index()),
            "'a' 'storm' 'storm' 't:storm' 'a:doe' 'a:jane' 'a:max' 'k:kall' "
        );
    }
}

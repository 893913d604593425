//! From bylines as they are written to clean single names.

use super::text;

/// Most authors kept of one article.
const MAX_AUTHORS: usize = 20;

/// Words before a name that are not part of it, each with the space or colon after it.
const LEADS: &[&str] = &[
    "view all posts by",
    "all posts by",
    "posts by",
    "zeige alle beiträge von",
    "alle beiträge von",
    "eingestellt von",
    "veröffentlicht von",
    "geschrieben von",
    "verfasst von",
    "artikel von",
    "beitrag von",
    "ein beitrag von",
    "erstellt von",
    "pressemitteilung von",
    "ver todas las entradas de",
    "voir tous les articles de",
    "publié par",
    "publicado por",
    "escrito por",
    "scritto da",
    "pubblicato da",
    "vom",
    "publiziert am",
    "veröffentlicht am",
    "posted on",
    "written by",
    "reported by",
    "story by",
    "words by",
    "posted by",
    "published by",
    "by",
    "von",
    "text",
    "texte",
    "par",
    "por",
    "di",
    "da",
    "de",
    "av",
    "af",
    "door",
    "oleh",
    "autor",
    "autorin",
    "autoren",
    "author",
    "authors",
    "from",
    "ein artikel von",
    "ein kommentar von",
    "eine analyse von",
    "ein gastbeitrag von",
    "texto",
    "fotos",
    "kommentar von",
    "interview",
    "tekst",
    "yazan",
    "oleh",
    "propos recueillis par",
    "redazione di",
    "a cura di",
    "автор",
    "текст",
];

/// Words that part two names.
const JOINTS: &[&str] = &[
    " and ", " und ", " et ", " y ", " e ", " og ", " och ", " en ", " dan ", " & ",
];

/// Adds the names in a byline to a list, each once.
pub(super) fn add(authors: &mut Vec<String>, byline: &str) {
    for name in split(byline) {
        if authors.len() >= MAX_AUTHORS {
            return;
        }
        let key = text::comparable(&name);
        if !key.is_empty() && authors.iter().all(|known| text::comparable(known) != key) {
            authors.push(name);
        }
    }
}

/// Whether a line begins as a byline does ("By", "Von", …) and names someone.
pub(super) fn is_byline(line: &str) -> bool {
    let line = line.trim();
    let begins = STARTS.iter().any(|lead| {
        strip_word(line, lead).is_some_and(|rest| rest.starts_with(char::is_uppercase))
    });
    begins && !split(line).is_empty()
}

/// Beginnings that make a line a byline.
const STARTS: &[&str] = &[
    "by",
    "von",
    "par",
    "por",
    "written by",
    "posted by",
    "text von",
    "verfasst von",
    "door",
    "autor",
    "author",
    "af",
    "av",
];

/// The names in a byline.
fn split(byline: &str) -> Vec<String> {
    let byline = text::folded(text::prefix(byline, 400));
    let byline: Vec<&str> = byline
        .split(' ')
        .filter(|word| !word.contains("://") && !word.contains('@'))
        .collect();
    let byline = byline.join(" ");
    let byline = without_lead(&byline);
    let mut parts = vec![byline.to_owned()];
    for joint in JOINTS {
        parts = parts
            .iter()
            .flat_map(|part| part.split(joint).map(str::to_owned).collect::<Vec<_>>())
            .collect();
    }
    parts
        .iter()
        .flat_map(|part| part.split([',', ';', '|', '•', '·', '\n']))
        .filter_map(clean)
        .collect()
}

/// One name without lead, role, brackets and marks; `None` for what is no name.
fn clean(name: &str) -> Option<String> {
    let name = name.split(['(', '[', '<']).next().unwrap_or_default();
    let trim = |c: char| {
        c.is_whitespace() || matches!(c, ':' | ',' | '-' | '–' | '—' | '|' | '"' | '*' | '.' | '@')
    };
    let name = without_lead(name.trim_matches(|c: char| trim(c) && c != '.'))
        .trim_matches(|c: char| trim(c) && c != '.');
    let n_words = name.split_whitespace().count();
    let is_name = (1..=6).contains(&n_words)
        && name.chars().count() <= 60
        && name.chars().any(char::is_alphabetic)
        && !name.contains("://")
        && !name.contains('@')
        && !name.starts_with("www.")
        && name.chars().filter(char::is_ascii_digit).count() <= 2;
    let name = ["기자", "記者", "记者"]
        .iter()
        .find_map(|role| name.strip_suffix(role))
        .map_or(name, str::trim);
    (is_name && !is_label(name)).then(|| name.to_owned())
}

/// Words that stand in bylines and are no names.
fn is_label(name: &str) -> bool {
    let name = name.to_lowercase();
    LEADS.contains(&name.as_str())
        || matches!(
            name.as_str(),
            "" | "edit"
                | "follow"
                | "contact"
                | "email"
                | "e-mail"
                | "bio"
                | "more"
                | "share"
                | "published"
                | "updated"
                | "beitrag"
                | "kommentare"
                | "comments"
                | "phd"
                | "md"
                | "staff"
                | "posted"
                | "view all posts"
        )
}

/// The text behind "By", "Von", "Autor:" and their like.
fn without_lead(text: &str) -> &str {
    let mut text = text.trim();
    for _ in 0..3 {
        let Some(rest) = LEADS.iter().find_map(|lead| strip_word(text, lead)) else {
            break;
        };
        text = rest;
    }
    text
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    let rest = text.get(word.len()..)?;
    if !(head.eq_ignore_ascii_case(word) || head.to_lowercase() == word) {
        return None;
    }
    // "de" and "da" open surnames as well: only in lower or upper case as a whole and
    // followed by a colon do they lead.
    let needs_colon = matches!(
        word,
        "de" | "da" | "text" | "texte" | "texto" | "fotos" | "interview" | "tekst" | "from"
    );
    let rest = match rest.trim_start().strip_prefix(':') {
        Some(rest) => rest,
        None if needs_colon => return None,
        None if rest.starts_with(char::is_whitespace) => rest,
        None => return None,
    };
    Some(rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(byline: &str, expected: &[&str]) {
        let mut authors = Vec::new();
        add(&mut authors, byline);

        assert_eq!(authors, expected, "{byline}");
    }

    #[test]
    fn names_are_parted_and_freed_of_what_stands_around_them() {
        check("By Jane Doe and John Roe", &["Jane Doe", "John Roe"]);
        check("Von Max Muster, Eva Klein", &["Max Muster", "Eva Klein"]);
        check(
            "Ana Ruiz (Madrid) | Luis de la Vega",
            &["Ana Ruiz", "Luis de la Vega"],
        );
        check("Autor: Petr Novák", &["Petr Novák"]);
        check("J.R. Smith Jr.", &["J.R. Smith Jr."]);
    }

    #[test]
    fn the_same_name_is_kept_once() {
        check("Jane Doe, JANE DOE", &["Jane Doe"]);
    }

    #[test]
    fn addresses_and_sentences_are_no_names() {
        check("https://example.org/jane", &[]);
        check("jane@example.org", &[]);
        check("This is a sentence about the many things that we do", &[]);
    }

    #[test]
    fn agencies_are_kept_as_they_are() {
        check("dpa/AFP", &["dpa/AFP"]);
    }
}

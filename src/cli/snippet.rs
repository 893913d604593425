//! The place in a text that answers a search, with the words marked. Pure.

use wireroom::query::{Expr, Field, Part as Where, SearchExpr, Sought};
use wireroom::words::words_in_place;

/// A part of a snippet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// As it stands.
    Plain(String),
    /// A word that was searched for.
    Marked(String),
}

/// Characters of text that are looked through: a snippet is worth no more.
const MAX_SEARCHED: usize = 200_000;

/// Most terms that are looked for.
const MAX_TERMS: usize = 32;

/// A place where a term stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hit {
    /// First character.
    from: usize,
    /// Behind the last character.
    to: usize,
    /// Which term.
    term: usize,
}

/// Some `width` characters of `text` around the place where most of the search is answered,
/// the words that answer it marked. Without such a place, the beginning of the text.
pub(crate) fn snippet(text: &str, search: &SearchExpr, width: usize) -> Vec<Part> {
    let letters = fold_spaces(text);
    let line: String = letters.iter().collect();
    let terms = terms(&search.expr);
    let hits = hits(&line, &terms);
    let best = best(&hits, terms.len(), width / 2);
    let (start, end) = window(&letters, best, width);
    parts(&letters, &hits, start, end)
}

/// The text on one line, at most [`MAX_SEARCHED`] characters of it.
fn fold_spaces(text: &str) -> Vec<char> {
    let mut folded = Vec::new();
    for c in text.chars().take(MAX_SEARCHED) {
        if !c.is_whitespace() {
            folded.push(c);
        } else if folded.last().is_some_and(|last| *last != ' ') {
            folded.push(' ');
        }
    }
    folded
}

/// What is searched for in the text: not what is excluded, not other fields.
fn terms(expr: &Expr) -> Vec<Sought> {
    let mut terms = Vec::new();
    let mut left = vec![expr];
    while let Some(expr) = left.pop() {
        match expr {
            Expr::Word { text, prefix } => terms.extend(term(text, *prefix)),
            Expr::Phrase(text) | Expr::Field(Field::Title, text) => terms.extend(term(text, false)),
            Expr::And(all) | Expr::Or(all) => left.extend(all.iter().rev()),
            Expr::All | Expr::Field(..) | Expr::Not(_) => {}
        }
        if terms.len() >= MAX_TERMS {
            break;
        }
    }
    terms
}

fn term(text: &str, prefix: bool) -> Option<Sought> {
    Sought::new(Where::Text, text, prefix)
}

/// Where the terms stand in a line, in order, none within another; the longest where several
/// begin.
fn hits(line: &str, terms: &[Sought]) -> Vec<Hit> {
    let (words, places) = words_in_place(line);
    let words: Vec<&str> = words.iter().collect();
    let terms: Vec<(Vec<&str>, bool)> = terms
        .iter()
        .map(|term| (term.words().collect(), term.is_prefix))
        .collect();
    let mut hits = Vec::new();
    let mut at = 0;
    // Places are bytes, and what is shown is counted in characters.
    let (mut n_bytes, mut n_chars) = (0, 0);
    let mut chars_before = |byte: usize| {
        n_chars += line[n_bytes..byte].chars().count();
        n_bytes = byte;
        n_chars
    };
    while at < words.len() {
        let found = terms
            .iter()
            .enumerate()
            .filter_map(|(term, (sought, is_prefix))| {
                begins_with(&words[at..], sought, *is_prefix).then_some((sought.len(), term))
            });
        match found.max_by_key(|(n_words, _)| *n_words) {
            Some((n_words, term)) => {
                hits.push(Hit {
                    from: chars_before(places[at].start),
                    to: chars_before(places[at + n_words - 1].end),
                    term,
                });
                at += n_words;
            }
            None => at += 1,
        }
    }
    hits
}

/// Whether words begin with those that are sought, of which the last may go on.
fn begins_with(words: &[&str], sought: &[&str], is_prefix: bool) -> bool {
    let Some((last, before)) = sought.split_last() else {
        return false;
    };
    let Some(word) = words.get(before.len()) else {
        return false;
    };
    let is_last = if is_prefix {
        word.starts_with(last)
    } else {
        word == last
    };
    is_last && words.starts_with(before)
}

/// Where the first of those `reach` characters begins in which most terms stand.
fn best(hits: &[Hit], n_terms: usize, reach: usize) -> Option<usize> {
    let mut counts = vec![0_usize; n_terms];
    let mut n_distinct = 0;
    let mut last = 0;
    let mut best = None;
    for hit in hits {
        while let Some(next) = hits.get(last) {
            if next.to > hit.from.saturating_add(reach) && next != hit {
                break;
            }
            n_distinct += usize::from(counts[next.term] == 0);
            counts[next.term] += 1;
            last += 1;
        }
        if best.is_none_or(|(most, _)| n_distinct > most) {
            best = Some((n_distinct, hit.from));
        }
        counts[hit.term] -= 1;
        n_distinct -= usize::from(counts[hit.term] == 0);
    }
    best.map(|(_, from)| from)
}

/// Begin and end of what is shown: the hit a third from the left, words whole.
fn window(letters: &[char], hit: Option<usize>, width: usize) -> (usize, usize) {
    let from = hit.unwrap_or_default();
    let mut start = from.saturating_sub(width / 3);
    if start.saturating_add(width) > letters.len() {
        start = letters.len().saturating_sub(width);
    }
    if start > 0 {
        let cut = letters[start..from.max(start)]
            .iter()
            .position(|c| *c == ' ');
        start = cut.map_or(start, |cut| start + cut + 1);
    }
    let mut end = start.saturating_add(width).min(letters.len());
    if end < letters.len() {
        let cut = letters[start..end].iter().rposition(|c| *c == ' ');
        end = cut
            .filter(|cut| *cut > width / 2)
            .map_or(end, |cut| start + cut);
    }
    (start, end)
}

fn parts(letters: &[char], hits: &[Hit], start: usize, end: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    if start > 0 {
        plain.push_str("… ");
    }
    let mut at = start;
    for Hit { from, to, .. } in hits.iter().filter(|hit| hit.from >= start && hit.to <= end) {
        plain.extend(&letters[at..*from]);
        if !plain.is_empty() {
            parts.push(Part::Plain(std::mem::take(&mut plain)));
        }
        parts.push(Part::Marked(letters[*from..*to].iter().collect()));
        at = *to;
    }
    plain.extend(&letters[at..end]);
    if end < letters.len() {
        plain.push_str(" …");
    }
    if !plain.is_empty() {
        parts.push(Part::Plain(plain));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Expr {
        Expr::Word {
            text: text.into(),
            prefix: false,
        }
    }

    fn search(expr: Expr) -> SearchExpr {
        SearchExpr {
            expr,
            after: None,
            before: None,
        }
    }

    /// The snippet with marks as brackets.
    fn check(text: &str, expr: Expr, width: usize, expected: &str) {
        let shown: String = snippet(text, &search(expr), width)
            .into_iter()
            .map(|part| match part {
                Part::Plain(text) => text,
                Part::Marked(text) => format!("[{text}]"),
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_words_are_marked_where_they_stand() {
        check(
            "The Kremlin said\n\nnothing; KREMLIN, kremlins.",
            word("kremlin"),
            80,
            "The [Kremlin] said nothing; [KREMLIN], kremlins.",
        );
    }

    #[test]
    fn phrases_prefixes_and_scripts_without_spaces_are_found() {
        let prefix = Expr::Word {
            text: "krem".into(),
            prefix: true,
        };
        check("One Kremlin.", prefix, 80, "One [Kremlin].");
        check(
            "In New\nYork.",
            Expr::Phrase("new york".into()),
            80,
            "In [New York].",
        );
        check("日本東京都", word("東京"), 80, "日本[東京]都");
    }

    #[test]
    fn what_a_search_finds_is_marked_however_it_is_written() {
        check("In der Straße.", word("strasse"), 80, "In der [Straße].");
        check("A CAFÉ, and more", word("cafe"), 80, "A [CAFÉ], and more");
        check("Don’t go", word("don't"), 80, "[Don’t] go");
        check("C++ and C", word("c++"), 80, "[C++] and C");
    }

    #[test]
    fn what_is_excluded_is_not_marked() {
        let expr = Expr::And(vec![word("port"), Expr::Not(Box::new(word("city")))]);

        check("City and port.", expr, 80, "City and [port].");
    }

    #[test]
    fn a_long_text_is_cut_around_the_place_between_words() {
        let text = format!("{} harbour {}", "before ".repeat(50), "after ".repeat(50));

        check(
            text.trim(),
            word("harbour"),
            40,
            "… before [harbour] after after after after …",
        );
    }

    #[test]
    fn the_place_with_most_of_the_words_is_shown() {
        let filler = "and so on ".repeat(30);
        let text = format!("Harbour {filler} park {filler} the park by the harbour {filler}");
        let both = Expr::And(vec![word("harbour"), word("park")]);

        let parts = snippet(&text, &search(both), 60);

        let marked = parts
            .iter()
            .filter(|part| matches!(part, Part::Marked(_)))
            .count();
        assert_eq!(marked, 2, "{parts:?}");
    }

    #[test]
    fn without_a_place_the_beginning_is_shown() {
        check("Nothing of that.", word("port"), 80, "Nothing of that.");
        check("", word("port"), 80, "");
    }

    proptest::proptest! {
        #[test]
        fn no_text_and_no_search_breaks_a_snippet(text: String, sought: String, width in 0_usize..200) {
            let parts = snippet(&text, &search(word(&sought)), width);

            let n_chars: usize = parts
                .iter()
                .map(|part| match part {
                    Part::Plain(text) | Part::Marked(text) => text.chars().count(),
                })
                .sum();
            proptest::prop_assert!(n_chars <= width + 4);
        }
    }
}

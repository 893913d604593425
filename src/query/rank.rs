//! Ranking: which of the newest matches answer best. Pure.
//!
//! BM25 with weights for the fields of an article (Robertson, Zaragoza, Taylor, "Simple BM25
//! extension to multiple weighted fields", 2004). Only so many of the newest matches are
//! ranked, each from its own words, so that a ranking costs the same however large the
//! archive is, and is the same whichever database keeps it.

use super::Cursor;
use super::condition::{Condition, Part, Sought};
use super::document::{Indexed, occurrences};

/// Most matches that are ranked: the newest ones. Also how many of the newest articles say
/// how common a word is.
pub const RANKED: usize = 1000;

/// Most words and phrases that count: a search of more is no question of a person.
const MAX_TERMS: usize = 32;

/// How soon more of the same word stops to matter; the usual value.
const SATURATION: f64 = 1.2;

/// A headline says in few words what the article is about.
const TITLE: Field = Field {
    weight: 4.0,
    length_counts: 0.5,
};

const BODY: Field = Field {
    weight: 1.0,
    length_counts: 0.75,
};

const AUTHOR: Field = Field {
    weight: 2.0,
    length_counts: 0.0,
};

/// How much the words of a field count.
struct Field {
    weight: f64,
    /// From 0, the length of the field does not matter, to 1.
    length_counts: f64,
}

/// Matches that are being ranked.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    terms: Vec<Term>,
    matches: Vec<Match>,
}

#[derive(Clone, Debug)]
struct Term {
    sought: Sought,
    /// Its words, each as a condition of its own.
    words: Vec<Condition>,
}

/// What counts of one match.
#[derive(Clone, Debug)]
struct Match {
    at: Cursor,
    title_length: f64,
    body_length: f64,
    /// Of each term: how often it stands in headline, body, and authors.
    counts: Vec<[f64; 3]>,
}

/// How common a word is among the newest articles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frequency {
    /// Articles that have it.
    pub n_having: u64,
    /// Articles that were looked at.
    pub n_all: u64,
}

/// A match, and how well it answers: 0 and more, without a unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Its place in all lists.
    pub at: Cursor,
    /// Larger is better.
    pub score: f64,
}

impl Ranking {
    /// A ranking by what a condition asks for, not by what it excludes, nor by keys.
    #[must_use]
    pub fn new(condition: &Condition) -> Self {
        let mut terms: Vec<Term> = Vec::new();
        let mut left = vec![condition];
        while let Some(condition) = left.pop() {
            match condition {
                Condition::Words(sought) => {
                    let is_new = !terms.iter().any(|term| term.sought == *sought);
                    if is_new && terms.len() < MAX_TERMS {
                        terms.push(Term::new(sought));
                    }
                }
                Condition::And(parts) | Condition::Or(parts) => left.extend(parts.iter().rev()),
                Condition::Every | Condition::Keys(_) | Condition::Not(_) => {}
            }
        }
        Self {
            terms,
            matches: Vec::new(),
        }
    }

    /// The words whose [`Frequency`] is wanted by [`Ranking::ranked`], in this order.
    pub fn words(&self) -> impl Iterator<Item = &Condition> {
        self.terms.iter().flat_map(|term| &term.words)
    }

    /// Takes a match in.
    pub fn add(&mut self, at: Cursor, words: &Indexed) {
        let counts = self.terms.iter().map(|term| {
            let count = |text: &str| n(occurrences(text, &term.sought).count());
            match term.sought.part {
                Part::Text => [count(&words.title), count(&words.body), 0.0],
                Part::Title => [count(&words.title), 0.0, 0.0],
                Part::Author => [0.0, 0.0, count(&words.author)],
            }
        });
        self.matches.push(Match {
            at,
            title_length: length(&words.title),
            body_length: length(&words.body),
            counts: counts.collect(),
        });
    }

    /// The matches, the best first; of equals the newest first.
    #[must_use]
    pub fn ranked(&self, frequencies: &[Frequency]) -> Vec<Scored> {
        let n_matches = n(self.matches.len()).max(1.0);
        let average = |length: fn(&Match) -> f64| {
            (self.matches.iter().map(length).sum::<f64>() / n_matches).max(1.0)
        };
        let title_average = average(|found| found.title_length);
        let body_average = average(|found| found.body_length);
        let rarities = self.rarities(frequencies);
        let mut scored: Vec<Scored> = self
            .matches
            .iter()
            .map(|found| {
                let in_title = TITLE.share(found.title_length, title_average);
                let in_body = BODY.share(found.body_length, body_average);
                let in_author = AUTHOR.share(1.0, 1.0);
                let score = found.counts.iter().zip(&rarities).map(|(counts, rarity)| {
                    let weight = counts[0] * in_title + counts[1] * in_body + counts[2] * in_author;
                    rarity * weight * (SATURATION + 1.0) / (weight + SATURATION)
                });
                Scored {
                    at: found.at,
                    score: score.sum(),
                }
            })
            .collect();
        scored.sort_by(|a, b| {
            let newest_first = (b.at.at_ms, b.at.id).cmp(&(a.at.at_ms, a.at.id));
            b.score.total_cmp(&a.score).then(newest_first)
        });
        scored
    }

    /// How much each term says: the rarer, the more. A phrase says what its words say.
    fn rarities(&self, frequencies: &[Frequency]) -> Vec<f64> {
        let mut frequencies = frequencies.iter();
        let mut rarity = || {
            let Frequency { n_having, n_all } = frequencies.next().copied().unwrap_or_default();
            let n_having = n_having.min(n_all);
            let (having, not) = (n(n_having) + 0.5, n(n_all - n_having) + 0.5);
            (1.0 + not / having).ln()
        };
        self.terms
            .iter()
            .map(|term| term.words.iter().map(|_| rarity()).sum())
            .collect()
    }
}

impl Term {
    fn new(sought: &Sought) -> Self {
        let n_words = sought.words().count();
        let words = sought
            .words()
            .enumerate()
            .filter_map(|(place, word)| {
                let is_prefix = sought.is_prefix && place + 1 == n_words;
                Sought::new(sought.part, word, is_prefix).map(Condition::Words)
            })
            .take(MAX_TERMS)
            .collect();
        Self {
            sought: sought.clone(),
            words,
        }
    }
}

impl Field {
    /// What one occurrence counts in a field of this length.
    fn share(&self, length: f64, average: f64) -> f64 {
        self.weight / (1.0 - self.length_counts + self.length_counts * length / average)
    }
}

/// Words of a text of words.
fn length(joined: &str) -> f64 {
    match joined.is_empty() {
        true => 0.0,
        false => n(joined.bytes().filter(|byte| *byte == b' ').count() + 1),
    }
}

/// A count to reckon with.
fn n(count: impl TryInto<u32>) -> f64 {
    f64::from(count.try_into().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ArticleId;
    use crate::query::Document;

    fn word(text: &str) -> Condition {
        Condition::Words(Sought::new(Part::Text, text, false).unwrap())
    }

    const EVEN: Frequency = Frequency {
        n_having: 10,
        n_all: 100,
    };

    /// Ids of the articles, each a headline and a body, the best first.
    fn ranked(
        condition: &Condition,
        articles: &[(&str, &str)],
        frequencies: &[Frequency],
    ) -> Vec<i64> {
        let mut ranking = Ranking::new(condition);
        for (id, (title, text)) in (0..).zip(articles) {
            let document = Document {
                title: (*title).to_owned(),
                text: (*text).to_owned(),
                ..Document::default()
            };
            let at = Cursor {
                at_ms: id,
                id: ArticleId(id),
            };
            ranking.add(at, &document.index());
        }
        let frequencies = match frequencies {
            [] => vec![EVEN; ranking.words().count()],
            given => given.to_vec(),
        };
        let scored = ranking.ranked(&frequencies);
        scored.into_iter().map(|scored| scored.at.id.0).collect()
    }

    #[test]
    fn a_headline_counts_more_than_a_body() {
        let articles = [("Storm", "rain and rain"), ("Rain", "storm and rain")];

        assert_eq!(ranked(&word("storm"), &articles, &[]), [0, 1]);
    }

    #[test]
    fn more_of_a_word_counts_more_and_a_long_text_less() {
        let often = [("", "storm storm storm x"), ("", "storm x x x")];
        let long = format!("storm {}", "x ".repeat(200));

        assert_eq!(ranked(&word("storm"), &often, &[]), [0, 1]);
        assert_eq!(
            ranked(&word("storm"), &[("", "storm x"), ("", &long)], &[]),
            [0, 1]
        );
    }

    #[test]
    fn a_rare_word_counts_more_than_a_common_one() {
        let either = Condition::Or(vec![word("the"), word("coelacanth")]);
        let common = Frequency {
            n_having: 95,
            n_all: 100,
        };
        let rare = Frequency {
            n_having: 1,
            n_all: 100,
        };
        let articles = [("", "a coelacanth"), ("", "the the")];

        assert_eq!(ranked(&either, &articles, &[common, rare]), [0, 1]);
    }

    #[test]
    fn what_is_excluded_and_what_are_keys_do_not_count() {
        let condition = Condition::And(vec![
            word("a"),
            Condition::Not(Box::new(word("b"))),
            Condition::Keys(vec!["kx".into()]),
        ]);

        assert_eq!(Ranking::new(&condition).words().count(), 1);
    }

    #[test]
    fn equals_stand_newest_first() {
        assert_eq!(
            ranked(&word("a"), &[("a", ""), ("a", ""), ("a", "")], &[]),
            [2, 1, 0]
        );
        assert_eq!(
            ranked(&Condition::Every, &[("a", ""), ("b", "")], &[]),
            [1, 0]
        );
    }

    #[test]
    fn a_phrase_is_as_rare_as_its_words_and_is_counted_whole() {
        let phrase = word("new york");
        let articles = [("", "new york"), ("", "york new york new york")];

        assert_eq!(Ranking::new(&phrase).words().count(), 2);
        assert_eq!(ranked(&phrase, &articles, &[]), [1, 0]);
    }

    proptest::proptest! {
        #[test]
        fn every_score_is_a_number(
            n_having: u64, n_all: u64,
            texts in proptest::collection::vec("[ab ]{0,20}", 0..5),
        ) {
            let frequency = Frequency { n_having, n_all };
            let mut ranking = Ranking::new(&Condition::And(vec![word("a"), word("a b")]));
            for text in texts {
                let document = Document { title: text.clone(), text, ..Document::default() };
                ranking.add(Cursor { at_ms: 0, id: ArticleId(0) }, &document.index());
            }

            for scored in ranking.ranked(&[frequency; 3]) {
                proptest::prop_assert!(scored.score.is_finite() && scored.score >= 0.0);
            }
        }
    }
}

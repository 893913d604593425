//! What of an article is searched. Pure.

use super::condition::{Condition, Part, Sought};
use super::keys;
use crate::model::FeedId;
use crate::words::{Words, words};

/// Characters of an article's text that are searched; what follows them is not found.
pub const MAX_TEXT_CHARS: usize = 1_000_000;

/// Bytes of words of a text that are searched, spaces included. An index holds no larger
/// documents: PostgreSQL's `tsvector` ends at 1 MiB.
const MAX_TEXT_BYTES: usize = 900_000;

/// Bytes of words of a title, and of all authors together.
const MAX_LINE_BYTES: usize = 16_000;

/// Stands between two authors, so that no phrase reaches from one to the other. No text
/// has such a word: it is no letter.
const BETWEEN: &str = "\u{ffff}";

/// An article as the archive has it, as far as it is searched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// Headline.
    pub title: String,
    /// Authors' names.
    pub authors: Vec<String>,
    /// Body, else the feed's summary; at least the first [`MAX_TEXT_CHARS`] characters.
    pub text: String,
    /// Hosts of its URLs.
    pub hosts: Vec<String>,
    /// Language tag; empty when unknown.
    pub language: String,
    /// The page's keywords and the feeds' categories.
    pub tags: Vec<String>,
    /// The feeds that announced it.
    pub feeds: Vec<FeedId>,
}

/// An article as an index has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Indexed {
    /// Words of the headline, separated by one space.
    pub title: String,
    /// Words of the body, likewise.
    pub body: String,
    /// Words of the authors' names, likewise, with a word between two authors that nobody
    /// can type.
    pub author: String,
    /// Keys of sites, feeds, tags and languages, each once, in their order.
    pub keys: Vec<String>,
}

impl Document {
    /// The words and keys by which it is found.
    #[must_use]
    pub fn index(&self) -> Indexed {
        let authors: Vec<Words> = self.authors.iter().map(|author| words(author)).collect();
        let authors: Vec<&str> = authors
            .iter()
            .map(Words::as_str)
            .filter(|author| !author.is_empty())
            .collect();
        let text = match self.text.char_indices().nth(MAX_TEXT_CHARS) {
            Some((end, _)) => &self.text[..end],
            None => self.text.as_str(),
        };
        Indexed {
            title: words(&self.title).up_to(MAX_LINE_BYTES).into(),
            body: words(text).up_to(MAX_TEXT_BYTES).into(),
            author: Words::from_joined(authors.join(&format!(" {BETWEEN} ")))
                .up_to(MAX_LINE_BYTES)
                .into(),
            keys: keys::all(
                self.hosts.iter().map(String::as_str),
                &self.feeds,
                self.tags.iter().map(String::as_str),
                &self.language,
            ),
        }
    }
}

impl Indexed {
    /// Whether a condition holds for this article.
    #[must_use]
    pub fn answers(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Every => true,
            Condition::Words(sought) => self.places(sought.part).any(|text| holds(text, sought)),
            Condition::Keys(keys) => keys.iter().any(|key| self.keys.binary_search(key).is_ok()),
            Condition::And(parts) => parts.iter().all(|part| self.answers(part)),
            Condition::Or(parts) => parts.iter().any(|part| self.answers(part)),
            Condition::Not(part) => !self.answers(part),
        }
    }

    /// The words of a headline or body, without those that part two authors.
    pub fn distinct_words(joined: &str) -> impl Iterator<Item = &str> {
        let mut distinct: Vec<&str> = joined
            .split(' ')
            .filter(|word| !word.is_empty() && *word != BETWEEN)
            .collect();
        distinct.sort_unstable();
        distinct.dedup();
        distinct.into_iter()
    }

    fn places(&self, part: Part) -> impl Iterator<Item = &str> {
        let (first, second) = match part {
            Part::Text => (&self.title, Some(&self.body)),
            Part::Title => (&self.title, None),
            Part::Author => (&self.author, None),
        };
        std::iter::once(first).chain(second).map(String::as_str)
    }
}

fn holds(text: &str, sought: &Sought) -> bool {
    occurrences(text, sought).next().is_some()
}

/// Where the words stand in a text of words, as byte offsets.
pub(super) fn occurrences<'a>(
    text: &'a str,
    sought: &'a Sought,
) -> impl Iterator<Item = usize> + 'a {
    let phrase = sought.joined();
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(found) = text.get(from..)?.find(phrase) {
            let at = from + found;
            let end = at + phrase.len();
            // The words of what is sought begin and end where those of the text do.
            from = at + text[at..].chars().next().map_or(1, char::len_utf8);
            let begins = at == 0 || text.as_bytes()[at - 1] == b' ';
            let ends = sought.is_prefix || matches!(text.as_bytes().get(end), None | Some(b' '));
            if begins && ends {
                return Some(at);
            }
        }
        from = text.len();
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sought(phrase: &str, is_prefix: bool) -> Sought {
        Sought::new(Part::Text, phrase, is_prefix).unwrap()
    }

    fn check(text: &str, phrase: &str, is_prefix: bool, expected: &[usize]) {
        let sought = sought(phrase, is_prefix);
        let found: Vec<usize> = occurrences(text, &sought).collect();

        assert_eq!(found, expected, "{phrase} in {text}");
    }

    #[test]
    fn words_are_found_whole() {
        check("a banana a", "a", false, &[0, 9]);
        check("a a a", "a", false, &[0, 2, 4]);
        check("a a a", "a a", false, &[0, 2]);
        check("new york news", "new", false, &[0]);
        check("new york news", "new", true, &[0, 9]);
        check("new york news", "york new", true, &[4]);
        check("new york news", "york new", false, &[]);
        check("ร ้ ร", "ร", false, &[0, 8]);
        check("", "a", false, &[]);
    }

    #[test]
    fn no_phrase_reaches_from_one_author_to_the_next() {
        let document = Document {
            authors: vec!["Jane Doe".into(), "?".into(), "Max Roe".into()],
            ..Document::default()
        };

        let indexed = document.index();

        let author = |phrase| Condition::Words(Sought::new(Part::Author, phrase, false).unwrap());
        assert!(indexed.answers(&author("Jane Doe")) && indexed.answers(&author("max roe")));
        assert!(!indexed.answers(&author("Doe Max")));
        let distinct: Vec<&str> = Indexed::distinct_words(&indexed.author).collect();
        assert_eq!(distinct, ["doe", "jane", "max", "roe"]);
    }

    #[test]
    fn what_an_index_cannot_hold_is_cut() {
        let document = Document {
            title: "t ".repeat(100_000),
            text: "東".repeat(MAX_TEXT_CHARS + 1),
            authors: vec!["a".into(); 100_000],
            ..Document::default()
        };

        let indexed = document.index();

        assert!(indexed.title.len() <= MAX_LINE_BYTES && indexed.author.len() <= MAX_LINE_BYTES);
        assert!(indexed.body.len() <= MAX_TEXT_BYTES && indexed.body.len() > MAX_TEXT_BYTES - 8);
    }
}

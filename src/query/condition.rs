//! What a search asks of an index: words of our tokenizer, and keys. Pure.
//!
//! A backend renders a [`Condition`] in its own language; [`super::Indexed::answers`] says
//! what it means.

use super::feeds::FeedsMeant;
use super::{Expr, Field, keys};
use crate::model::FeedId;
use crate::words::{Words, words};

/// Deeper conditions than our own parser makes are not asked.
const MAX_DEPTH: usize = 64;

/// A condition on what an index has of an article.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// It is there.
    Every,
    /// Words one after another.
    Words(Sought),
    /// It has one of these keys; without any, no article answers.
    Keys(Vec<String>),
    /// All of them.
    And(Vec<Condition>),
    /// At least one of them.
    Or(Vec<Condition>),
    /// Not that.
    Not(Box<Condition>),
}

/// Words one after another in one part of an article. There is at least one word.
#[derive(Clone, Debug, PartialEq)]
pub struct Sought {
    /// Where.
    pub part: Part,
    /// Whether the last of them may go on.
    pub is_prefix: bool,
    words: Words,
}

/// A part of an article that has words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Headline or body.
    Text,
    /// Headline.
    Title,
    /// Names of the authors.
    Author,
}

impl Sought {
    /// The words of `text`; `None` when it has none.
    #[must_use]
    pub fn new(part: Part, text: &str, is_prefix: bool) -> Option<Self> {
        let words = words(text);
        (!words.is_empty()).then_some(Self {
            part,
            is_prefix,
            words,
        })
    }

    /// Its words, one after another.
    pub fn words(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.words.iter()
    }

    /// Its words with one space between them.
    #[must_use]
    pub fn joined(&self) -> &str {
        self.words.as_str()
    }

    /// Whether there are several words, whose order an index without places does not know.
    #[must_use]
    pub fn is_phrase(&self) -> bool {
        self.joined().contains(' ')
    }
}

impl Condition {
    /// What an expression asks for, where `feeds` are those that its `feed:` and `tag:` mean.
    /// `None` when it asks nothing: punctuation only.
    #[must_use]
    pub fn of(expr: &Expr, feeds: &FeedsMeant) -> Option<Self> {
        Self::within(expr, feeds, 0)
    }

    /// The condition that a feed announced it.
    #[must_use]
    pub fn announced_by(feed: FeedId) -> Self {
        Self::Keys(vec![keys::feed(feed)])
    }

    /// Both conditions.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::And(vec![self, other])
    }

    /// Whether some of its words must stand one after another.
    #[must_use]
    pub fn has_phrase(&self) -> bool {
        match self {
            Self::Every | Self::Keys(_) => false,
            Self::Words(sought) => sought.is_phrase(),
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::has_phrase),
            Self::Not(part) => part.has_phrase(),
        }
    }

    /// Whether it asks for keys.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        match self {
            Self::Keys(_) => true,
            Self::Every | Self::Words(_) => false,
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::has_keys),
            Self::Not(part) => part.has_keys(),
        }
    }

    fn within(expr: &Expr, feeds: &FeedsMeant, depth: usize) -> Option<Self> {
        if depth > MAX_DEPTH {
            return None;
        }
        let all = |parts: &[Expr]| -> Vec<Self> {
            parts
                .iter()
                .filter_map(|part| Self::within(part, feeds, depth + 1))
                .collect()
        };
        match expr {
            Expr::All => Some(Self::Every),
            Expr::Word { text, prefix } => sought(Part::Text, text, *prefix),
            Expr::Phrase(text) => sought(Part::Text, text, false),
            Expr::Field(field, value) => of_field(*field, value, feeds),
            Expr::And(parts) => one_or(all(parts), Self::And),
            Expr::Or(parts) => one_or(all(parts), Self::Or),
            Expr::Not(part) => {
                Self::within(part, feeds, depth + 1).map(|part| Self::Not(Box::new(part)))
            }
        }
    }
}

fn sought(part: Part, text: &str, is_prefix: bool) -> Option<Condition> {
    Sought::new(part, text, is_prefix).map(Condition::Words)
}

fn one_or(mut parts: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Option<Condition> {
    match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(join(parts)),
    }
}

fn of_field(field: Field, value: &str, feeds: &FeedsMeant) -> Option<Condition> {
    let announced = || {
        feeds
            .of(field, value)
            .iter()
            .map(|feed| keys::feed(*feed))
            .collect::<Vec<String>>()
    };
    match field {
        Field::Author => sought(Part::Author, value, false),
        Field::Title => sought(Part::Title, value, false),
        Field::Site => Some(Condition::Keys(vec![keys::site(value)])),
        Field::Lang => Some(Condition::Keys(vec![keys::language(value)])),
        Field::Tag => {
            let mut keys = vec![keys::tag(value)];
            keys.extend(announced());
            Some(Condition::Keys(keys))
        }
        Field::Feed => Some(Condition::Keys(announced())),
    }
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

    fn of(expr: &Expr) -> Option<Condition> {
        Condition::of(expr, &FeedsMeant::default())
    }

    #[test]
    fn punctuation_asks_nothing() {
        assert_eq!(of(&word("?!")), None);
        assert_eq!(of(&Expr::Not(Box::new(word("?!")))), None);
        assert_eq!(of(&Expr::And(vec![word("?!"), word("a")])), of(&word("a")));
        assert_eq!(of(&Expr::Or(vec![word("?!")])), None);
    }

    #[test]
    fn a_word_of_several_parts_is_a_phrase() {
        let condition = of(&Expr::Not(Box::new(word("multi-agent")))).unwrap();

        assert!(condition.has_phrase());
        assert!(!of(&word("agent")).unwrap().has_phrase());
    }

    #[test]
    fn a_feed_that_is_not_there_announced_nothing() {
        assert_eq!(
            of(&Expr::Field(Field::Feed, "nobody".into())),
            Some(Condition::Keys(Vec::new()))
        );
    }

    #[test]
    fn conditions_without_end_are_not_asked() {
        let mut expr = word("a");
        for _ in 0..200 {
            expr = Expr::Not(Box::new(expr));
        }

        assert_eq!(of(&expr), None);
    }
}

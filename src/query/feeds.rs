//! Which feeds a search means by a name or a tag. Pure.

use super::{Expr, Field};
use crate::model::{FeedId, FeedUrl};

/// The feeds that the values of a search's `feed:` and `tag:` mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedsMeant {
    /// Each value, with what it means.
    meant: Vec<(FeedValue, Vec<FeedId>)>,
}

/// A value of `feed:` or `tag:`, as it is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedValue {
    /// `feed:` or `tag:`.
    pub field: Field,
    /// Lower case, without space around it.
    pub text: String,
}

/// What a feed is known by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedCalled {
    /// Its id.
    pub id: i64,
    /// Where it is polled.
    pub url: String,
    /// Where it was subscribed.
    pub subscribed_url: String,
    /// Title; empty when it has none.
    pub title: String,
    /// Tags from the list or command.
    pub tags: Vec<String>,
}

impl FeedsMeant {
    /// The values of `expr` to be looked for; nothing is meant by them yet.
    #[must_use]
    pub fn asked(expr: &Expr) -> Self {
        let mut meant: Vec<(FeedValue, Vec<FeedId>)> = Vec::new();
        let mut left = vec![expr];
        while let Some(expr) = left.pop() {
            match expr {
                Expr::Field(field @ (Field::Feed | Field::Tag), text) => {
                    let value = FeedValue::new(*field, text);
                    if !meant.iter().any(|(known, _)| *known == value) {
                        meant.push((value, Vec::new()));
                    }
                }
                Expr::And(parts) | Expr::Or(parts) => left.extend(parts),
                Expr::Not(part) => left.push(part),
                Expr::All | Expr::Word { .. } | Expr::Phrase(_) | Expr::Field(..) => {}
            }
        }
        Self { meant }
    }

    /// Whether no value needs to be looked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.meant.is_empty()
    }

    /// The values to be looked for.
    pub fn values(&self) -> impl Iterator<Item = &FeedValue> {
        self.meant.iter().map(|(value, _)| value)
    }

    /// Takes a feed in under each value that means it.
    pub fn add(&mut self, feed: &FeedCalled) {
        for (value, feeds) in &mut self.meant {
            if value.means(feed) {
                feeds.push(FeedId(feed.id));
            }
        }
    }

    /// The feeds that a value means.
    pub(super) fn of(&self, field: Field, text: &str) -> &[FeedId] {
        let value = FeedValue::new(field, text);
        let meant = self.meant.iter().find(|(known, _)| *known == value);
        meant.map_or(&[], |(_, feeds)| feeds)
    }
}

impl FeedValue {
    fn new(field: Field, text: &str) -> Self {
        Self {
            field,
            text: text.trim().to_lowercase(),
        }
    }

    /// The feed's id, if this is one.
    #[must_use]
    pub fn id(&self) -> Option<i64> {
        match self.field {
            Field::Feed => self.text.parse().ok(),
            _ => None,
        }
    }

    /// A part that the URL, title or tag that is meant surely has, once its ASCII letters
    /// are small: for a database that looks through many feeds, whose idea of small letters
    /// may be another.
    #[must_use]
    pub fn hint(&self) -> &str {
        // The signs of kelvin and `İ` become an ASCII `k` and `i`, and only these do.
        let is_sure = |c: char| c.is_ascii_alphanumeric() && !matches!(c, 'i' | 'k');
        let parts = self.text.split(|c: char| !is_sure(c));
        parts.max_by_key(|part| part.len()).unwrap_or_default()
    }

    /// Whether this names the feed by its id, its URL or words of its title, or a tag of it.
    #[must_use]
    pub fn means(&self, feed: &FeedCalled) -> bool {
        match self.field {
            Field::Feed => self.calls(feed),
            Field::Tag => feed
                .tags
                .iter()
                .any(|tag| is_within(&tag.to_lowercase(), &self.text)),
            _ => false,
        }
    }

    fn calls(&self, feed: &FeedCalled) -> bool {
        if let Ok(id) = self.text.parse::<i64>() {
            return feed.id == id;
        }
        if let Ok(url) = FeedUrl::parse(&self.text) {
            let url = url.as_str().to_lowercase();
            return feed.url.to_lowercase() == url || feed.subscribed_url.to_lowercase() == url;
        }
        let title = feed.title.to_lowercase();
        !self.text.is_empty()
            && self
                .text
                .split_whitespace()
                .all(|word| title.contains(word))
    }
}

/// A tag, or a folder below it: `world` means `world/europe` as well.
fn is_within(tag: &str, folder: &str) -> bool {
    tag.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called() -> FeedCalled {
        FeedCalled {
            id: 7,
            url: "https://example.org/Feed".into(),
            subscribed_url: "https://old.example/feed".into(),
            title: "The World Today".into(),
            tags: vec!["World/Europe".into()],
        }
    }

    fn check(field: Field, text: &str, is_meant: bool) {
        let expr = Expr::Not(Box::new(Expr::Field(field, text.into())));
        let mut meant = FeedsMeant::asked(&expr);

        meant.add(&called());

        assert_eq!(!meant.of(field, text).is_empty(), is_meant, "{text}");
    }

    #[test]
    fn a_feed_is_meant_by_id_url_or_words_of_its_title() {
        for text in [
            "7",
            "https://example.org/feed",
            " HTTPS://old.example/feed",
            "today world",
        ] {
            check(Field::Feed, text, true);
        }
        for text in ["8", "https://example.org/", "today paris", ""] {
            check(Field::Feed, text, false);
        }
    }

    #[test]
    fn a_feed_is_meant_by_its_tag_and_the_folders_of_it() {
        check(Field::Tag, "world", true);
        check(Field::Tag, "World/Europe", true);
        check(Field::Tag, "wor", false);
        check(Field::Tag, "europe", false);
    }

    #[test]
    fn what_is_meant_has_the_hint() {
        let hint = |text: &str| FeedValue::new(Field::Feed, text).hint().to_owned();

        assert_eq!(hint("Politics"), "pol");
        assert_eq!(hint("ÉTÉ 2026"), "2026");
        assert_eq!(hint("日本"), "");
        assert_eq!(hint("https://example.org/feed"), "example");
    }

    #[test]
    fn only_names_and_tags_are_looked_for() {
        let expr = Expr::And(vec![
            Expr::Field(Field::Site, "a".into()),
            Expr::Field(Field::Tag, "X".into()),
            Expr::Or(vec![Expr::Field(Field::Tag, "x ".into()), Expr::All]),
        ]);

        let asked = FeedsMeant::asked(&expr);

        assert_eq!(asked.values().count(), 1);
        assert!(FeedsMeant::asked(&Expr::Phrase("a".into())).is_empty());
    }
}

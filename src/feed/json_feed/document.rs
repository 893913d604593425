//! The JSON of a feed, only as much of it as we read: what is foreign is passed over
//! without being kept, and what was read stays when the document breaks off.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value};

use super::bounded::Bounded;
use super::rss;
use crate::feed::MAX_ENTRIES;

/// The keys of the feed that we read, `items` apart.
const FEED_KEYS: &[&str] = &[
    "title",
    "description",
    "home_page_url",
    "feed_url",
    "language",
    "author",
    "authors",
    "hubs",
    "next_url",
    "expired",
];

/// The keys of an item that we read.
const ITEM_KEYS: &[&str] = &[
    "id",
    "url",
    "external_url",
    "title",
    "summary",
    "content_html",
    "content_text",
    "date_published",
    "date_modified",
    "author",
    "authors",
    "tags",
    "attachments",
    "image",
    "banner_image",
];

/// Most values that are kept of one field of a feed, or of one item: tags, authors,
/// attachments and what they say. The rest is read past.
const MAX_VALUES: usize = 10_000;

/// A document, or as much of it as could be read.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) fields: Map<String, Value>,
    /// The first [`MAX_ENTRIES`] items that are objects.
    pub(super) items: Vec<Map<String, Value>>,
    /// Whether it is RSS in JSON.
    pub(super) is_rss: bool,
    /// How many items there are, kept or not.
    pub(super) n_items: usize,
}

impl Document {
    /// Reads the object that the text begins with. On an error, what came before it stays.
    pub(super) fn read(&mut self, text: &str) -> Result<(), serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.deserialize_map(Fields(self))
    }
}

/// Fills a document from its object.
struct Fields<'d>(&'d mut Document);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a feed")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "items" || key == "item" {
                map.next_value_seed(Items(self.0))?;
            } else if key == "rss" || key == "channel" {
                self.0.is_rss |= key == "rss";
                map.next_value_seed(Fields(self.0))?;
            } else if FEED_KEYS.contains(&key.as_str()) || rss::CHANNEL_KEYS.contains(&key.as_str())
            {
                let value = map.next_value_seed(Bounded(&mut { MAX_VALUES }))?;
                self.0.fields.insert(key, value);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Fills a document's items from their list.
struct Items<'d>(&'d mut Document);

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of items")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while self.0.items.len() < MAX_ENTRIES {
            let Some(Item(item)) = items.next_element()? else {
                return Ok(());
            };
            self.0.n_items += 1;
            self.0.items.extend(item);
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            self.0.n_items += 1;
        }
        Ok(())
    }
}

/// The keys of one item; `None` for what is no object.
struct Item(Option<Map<String, Value>>);

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor).map(Self)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Option<Map<String, Value>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut item = Map::new();
        let mut n_left = MAX_VALUES;
        while let Some(key) = map.next_key::<String>()? {
            if ITEM_KEYS.contains(&key.as_str()) || rss::ITEM_KEYS.contains(&key.as_str()) {
                let value = map.next_value_seed(Bounded(&mut n_left))?;
                item.insert(key, value);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Some(item))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }
}

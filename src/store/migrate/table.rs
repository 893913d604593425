//! What a whole archive consists of, table by table, and how rows are compared.

use sha2::{Digest as _, Sha256};

use super::super::decide;
use crate::canonical::CanonicalUrl;
use crate::model::{ArticleId, Shard};

/// A table that both backends have.
#[derive(Debug)]
pub(in super::super) struct Table {
    /// Its name, the same on both.
    pub(in super::super) name: &'static str,
    /// The columns that both have.
    pub(in super::super) columns: &'static [(&'static str, Kind)],
    /// Its key on SQLite.
    pub(in super::super) sqlite_key: &'static [(&'static str, Kind)],
    /// Its key on PostgreSQL.
    pub(in super::super) postgres_key: &'static [(&'static str, Kind)],
    /// Columns that PostgreSQL has besides, each made of a row.
    pub(in super::super) made: &'static [(&'static str, Made)],
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Int,
    Text,
    Blob,
}

/// What a column of PostgreSQL is made of: the place of a common column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Made {
    /// The key of a text.
    KeyOf(usize),
    /// The shard inside an article's id.
    ShardOfArticle(usize),
    /// The shard of a normal form's host.
    ShardOfForm(usize),
    /// The shard of a feed's host.
    ShardOfFeed(usize),
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Value {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Table {
    /// Whether some of its rows stand under the shard of a feed.
    pub(in super::super) fn needs_feeds(&self) -> bool {
        let of_feed = |made: &Made| matches!(made, Made::ShardOfFeed(_));
        self.made.iter().any(|(_, made)| of_feed(made))
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Row {
    /// Where it stands in its table.
    pub(in super::super) key: Vec<Value>,
    /// The common columns.
    pub(in super::super) values: Vec<Value>,
}

impl Row {
    /// Roughly how much memory it takes.
    pub(in super::super) fn bytes(&self) -> usize {
        let size = |value: &Value| match value {
            Value::Null | Value::Int(_) => 16,
            Value::Text(text) => 24 + text.len(),
            Value::Blob(bytes) => 24 + bytes.len(),
        };
        self.values.iter().map(size).sum()
    }

    pub(in super::super) fn int(&self, column: usize) -> i64 {
        match self.values.get(column) {
            Some(Value::Int(n)) => *n,
            _ => 0,
        }
    }

    fn text(&self, column: usize) -> &str {
        match self.values.get(column) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }
}

impl Made {
    /// The value for a row; `shard_of_feed` knows the feeds.
    pub(in super::super) fn value(self, row: &Row, shard_of_feed: impl Fn(i64) -> Shard) -> i64 {
        let shard = match self {
            Self::KeyOf(column) => return decide::key(row.text(column)),
            Self::ShardOfArticle(column) => decide::id_shard(ArticleId(row.int(column))),
            Self::ShardOfForm(column) => {
                decide::form_shard(&CanonicalUrl::stored(row.text(column).to_owned()))
            }
            Self::ShardOfFeed(column) => shard_of_feed(row.int(column)),
        };
        i64::from(shard.0)
    }
}

/// How many rows, and what is in them, whatever their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Digest {
    pub(in super::super) n_rows: u64,
    sum: u128,
}

impl Digest {
    pub(in super::super) fn add(&mut self, row: &Row) {
        let mut hasher = Sha256::new();
        for value in &row.values {
            let (tag, bytes): (u8, &[u8]) = match value {
                Value::Null => (0, &[]),
                Value::Int(n) => (1, &n.to_be_bytes()),
                Value::Text(text) => (2, text.as_bytes()),
                Value::Blob(bytes) => (3, bytes),
            };
            hasher.update([tag]);
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
        let hash = hasher.finalize();
        let mut first = [0; 16];
        first.copy_from_slice(&hash[..16]);
        // A sum, since the backends read their rows in different orders.
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(first));
        self.n_rows += 1;
    }
}

use Kind::{Blob, Int, Text};

const ID: &[(&str, Kind)] = &[("id", Int)];
const SHARD_ID: &[(&str, Kind)] = &[("shard", Int), ("id", Int)];
const ARTICLE: &[(&str, Kind)] = &[("article_id", Int)];
const SHARD_ARTICLE: &[(&str, Kind)] = &[("shard", Int), ("article_id", Int)];

/// All tables, each behind those that it refers to. Counters and notes are moved apart from
/// them; the search index is derived, and workers belong to their database.
pub(in super::super) const TABLES: &[Table] = &[
    Table {
        name: "feed",
        columns: &[
            ("id", Int),
            ("url", Text),
            ("subscribed_url", Text),
            ("list_title", Text),
            ("list_site", Text),
            ("tags", Text),
            ("settings", Text),
            ("file", Text),
            ("added_at", Int),
            ("paused_at", Int),
            ("retired_at", Int),
        ],
        sqlite_key: ID,
        postgres_key: ID,
        made: &[
            ("url_key", Made::KeyOf(1)),
            ("subscribed_key", Made::KeyOf(2)),
        ],
    },
    Table {
        name: "feed_state",
        columns: &[
            ("feed_id", Int),
            ("shard", Int),
            ("host", Text),
            ("due_at", Int),
            ("etag", Blob),
            ("last_modified", Blob),
            ("validator_url", Text),
            ("body_hash", Int),
            ("failures", Int),
            ("gone", Int),
            ("hinted_interval_ms", Int),
            ("title", Text),
            ("site_url", Text),
            ("language", Text),
            ("article_count", Int),
            ("last_poll_at", Int),
            ("last_success_at", Int),
            ("last_new_at", Int),
            ("error_kind", Text),
            ("error", Text),
            ("error_status", Int),
            ("warnings", Text),
            ("moved_url", Text),
            ("moves", Int),
        ],
        sqlite_key: &[("feed_id", Int)],
        postgres_key: &[("shard", Int), ("feed_id", Int)],
        made: &[],
    },
    Table {
        name: "host",
        columns: &[
            ("name", Text),
            ("shard", Int),
            ("feed_due_at", Int),
            ("page_due_at", Int),
            ("resting_until", Int),
            ("gap_ms", Int),
        ],
        sqlite_key: &[("name", Text)],
        postgres_key: &[("shard", Int), ("name", Text)],
        made: &[],
    },
    Table {
        name: "article",
        columns: &[
            ("id", Int),
            ("feed_id", Int),
            ("url", Text),
            ("host", Text),
            ("canonical_url", Text),
            ("final_url", Text),
            ("title", Text),
            ("authors", Text),
            ("language", Text),
            ("summary", Text),
            ("keywords", Text),
            ("published", Text),
            ("published_at", Int),
            ("published_from", Text),
            ("first_seen_at", Int),
            ("sort_at", Int),
            ("word_count", Int),
            ("content_hash", Int),
            ("page_state", Text),
            ("scraped_at", Int),
            ("error_kind", Text),
            ("error", Text),
            ("error_status", Int),
        ],
        sqlite_key: ID,
        postgres_key: SHARD_ID,
        made: &[("shard", Made::ShardOfArticle(0))],
    },
    Table {
        name: "article_text",
        columns: &[("article_id", Int), ("text", Text)],
        sqlite_key: ARTICLE,
        postgres_key: SHARD_ARTICLE,
        made: &[("shard", Made::ShardOfArticle(0))],
    },
    Table {
        name: "article_rendering",
        columns: &[("article_id", Int), ("enc", Int), ("data", Blob)],
        sqlite_key: ARTICLE,
        postgres_key: SHARD_ARTICLE,
        made: &[("shard", Made::ShardOfArticle(0))],
    },
    Table {
        name: "alias",
        columns: &[
            ("key", Int),
            ("form", Text),
            ("article_id", Int),
            ("url", Text),
            ("reason", Text),
            ("added_at", Int),
        ],
        sqlite_key: &[("key", Int), ("form", Text), ("article_id", Int)],
        postgres_key: &[("shard", Int), ("key", Int), ("article_id", Int)],
        made: &[("shard", Made::ShardOfForm(1))],
    },
    Table {
        name: "sighting",
        columns: &[
            ("id", Int),
            ("feed_id", Int),
            ("entry_key", Int),
            ("entry_id", Text),
            ("article_id", Int),
            ("sort_at", Int),
            ("guid", Text),
            ("url", Text),
            ("title", Text),
            ("summary", Text),
            ("enc", Int),
            ("content", Blob),
            ("published_at", Int),
            ("updated_at", Int),
            ("authors", Text),
            ("tags", Text),
            ("enclosures", Text),
            ("entry_hash", Int),
            ("seen_at", Int),
            ("changed_at", Int),
        ],
        sqlite_key: ID,
        postgres_key: SHARD_ID,
        made: &[("shard", Made::ShardOfArticle(4))],
    },
    Table {
        name: "page_job",
        columns: &[
            ("article_id", Int),
            ("shard", Int),
            ("host", Text),
            ("url", Text),
            ("due_at", Int),
            ("attempts", Int),
            ("feed_id", Int),
            ("moves", Int),
        ],
        sqlite_key: ARTICLE,
        postgres_key: SHARD_ARTICLE,
        made: &[],
    },
    Table {
        name: "poll_log",
        columns: &[
            ("id", Int),
            ("feed_id", Int),
            ("at", Int),
            ("outcome", Text),
            ("status", Int),
            ("n_new", Int),
            ("n_entries", Int),
            ("n_bytes", Int),
            ("duration_ms", Int),
            ("error_kind", Text),
            ("error", Text),
        ],
        sqlite_key: ID,
        postgres_key: SHARD_ID,
        made: &[("shard", Made::ShardOfFeed(1))],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: Vec<Value>) -> Row {
        Row {
            key: Vec::new(),
            values,
        }
    }

    fn digest(rows: &[Row]) -> Digest {
        let mut digest = Digest::default();
        rows.iter().for_each(|row| digest.add(row));
        digest
    }

    #[test]
    fn rows_in_another_order_are_the_same_rows() {
        let (a, b) = (row(vec![Value::Int(1)]), row(vec![Value::Null]));

        assert_eq!(
            digest(&[a.clone(), b.clone()]),
            digest(&[b.clone(), a.clone()])
        );
        assert_ne!(digest(&[a.clone(), a.clone()]), digest(&[a, b]));
    }

    #[test]
    fn values_that_only_look_alike_are_different() {
        let text = |text: &str| Value::Text(text.into());
        let alike = [
            row(vec![text("ab"), text("")]),
            row(vec![text("a"), text("b")]),
            row(vec![text("a"), Value::Blob(b"b".to_vec())]),
            row(vec![text(""), Value::Null]),
            row(vec![Value::Null, text("")]),
        ];

        for (place, one) in alike.iter().enumerate() {
            for other in &alike[place + 1..] {
                assert_ne!(
                    digest(std::slice::from_ref(one)),
                    digest(std::slice::from_ref(other))
                );
            }
        }
    }
}

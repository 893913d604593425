//! The search index: `search_document`, derived from the archive.
//!
//! It follows `article_change`, of which several processes may take their part at once, and
//! can be emptied at any time; nothing in it is needed for correctness. `render` turns a
//! condition into a `tsquery`, `feeds`, `ask` and `rank` read, `document` is what the archive has to index, and
//! `index` writes.
//!
//! The index knows which words an article has, not where they stand: a phrase is looked for
//! in the article itself, among those that have all of its words ([`ask::Walk`]).

mod ask;
mod document;
mod feeds;
mod index;
mod rank;
mod render;

pub(super) use self::ask::{Span, Walk};
pub(super) use self::document::id_columns;
pub(super) use self::feeds::find_feeds;
pub(super) use self::index::index;
pub(super) use self::rank::{frequencies, rank};

use deadpool_postgres::GenericClient;

use super::convert::count;
use super::fault::Fault;
use super::statement::row;

/// Changes that the search index has not seen.
pub(super) async fn lag(client: &impl GenericClient) -> Result<u64, Fault> {
    count(
        &row(client, "SELECT count(*) FROM article_change", &[]).await?,
        0,
    )
}

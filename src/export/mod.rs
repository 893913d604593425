//! Articles handed out: JSON Lines, Markdown, CSV; and the JSON of feeds and of the status.
//!
//! The JSON types here are a promise to other programs, so they are our own structs beside
//! the model, which is none. An export reads the store page by page (keyset paging), so its
//! memory does not grow with the archive.

mod csv;
mod feeds;
mod fleet;
mod folder;
mod jsonl;
mod markdown;
mod status;

use std::io::{self, Write};
use std::path::PathBuf;

use crate::query::{ArticleQuery, Parts};
use crate::store::{Article, Store, StoreError};

pub use csv::{COLUMNS as CSV_COLUMNS, CsvWriter};
pub use feeds::{FeedRecord, PollRecord};
pub use fleet::{FleetRecord, WorkerRecord};
pub use folder::{ReplacedFile, write_folder};
pub use jsonl::{ArticleRecord, EnclosureRecord, ImageRecord, RelatedRecord};
pub use markdown::{document as markdown_document, file_name as markdown_file_name};
pub use status::StatusRecord;

/// Articles read from the store at once. Whole articles are some 20 KB, so this is some
/// 2 MB; larger pages were not quicker.
const PAGE: usize = 100;

/// The forms of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One [`ArticleRecord`] a line.
    Jsonl,
    /// One document per article, see [`markdown_document`].
    Markdown,
    /// A table, see [`CSV_COLUMNS`].
    Csv,
}

/// What an export wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Articles written.
    pub n_articles: u64,
    /// Changes that the search index had not seen; 0 without a search.
    pub index_lag: u64,
}

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The articles could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stream could not be written.
    #[error("cannot write the export")]
    Write(#[source] io::Error),
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes all articles that answer `query` to `to`, newest first. The query's `limit`, when
/// it is not 0, is the number of articles in all; its `parts` do not matter, since an export
/// is always whole.
///
/// Markdown documents are separated by a line with a form feed (U+000C), which no document
/// of ours holds.
///
/// # Errors
/// [`ExportError`]: what had been written stays written.
pub async fn write(
    store: &Store,
    query: ArticleQuery,
    format: Format,
    to: &mut (dyn Write + Send),
) -> Result<Exported, ExportError> {
    match format {
        Format::Jsonl => {
            each_article(store, query, |article| {
                jsonl::write_line(article, to).map_err(ExportError::Write)
            })
            .await
        }
        Format::Csv => {
            let mut table = CsvWriter::new(to).map_err(ExportError::Write)?;
            let exported = each_article(store, query, |article| {
                table.write(article).map_err(ExportError::Write)
            })
            .await?;
            table.finish().map_err(ExportError::Write)?;
            Ok(exported)
        }
        Format::Markdown => {
            let mut separator = "";
            each_article(store, query, |article| {
                let document = markdown_document(article);
                let written = write!(to, "{separator}{document}").map_err(ExportError::Write);
                separator = "\u{c}\n";
                written
            })
            .await
        }
    }
}

/// Gives each article that answers `query` to `visit`, newest first, reading page by page.
///
/// # Errors
/// The store's, or the first one of `visit`.
async fn each_article(
    store: &Store,
    mut query: ArticleQuery,
    mut visit: impl FnMut(&Article) -> Result<(), ExportError>,
) -> Result<Exported, ExportError> {
    let mut exported = Exported::default();
    let mut left = match query.limit {
        0 => usize::MAX,
        limit => limit,
    };
    query.parts = Parts::Whole;
    while left > 0 {
        query.limit = left.min(PAGE);
        let listing = store.articles(&query).await?;
        for article in &listing.articles {
            visit(article)?;
        }
        left = left.saturating_sub(listing.articles.len());
        exported.n_articles += listing.articles.len() as u64;
        exported.index_lag = exported.index_lag.max(listing.index_lag);
        match listing.next {
            // A cursor that does not move would make this endless.
            Some(next) if Some(next) != query.cursor => query.cursor = Some(next),
            _ => break,
        }
    }
    Ok(exported)
}

/// Text on one line: white space folded, control and bidi characters out.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !is_bidi_control(c) {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Characters that reorder the text around them (Unicode Standard Annex 9, section 2).
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_line() {
        assert_eq!(one_line("  a\r\n\tb\u{202e} c\u{1b}[31m "), "a b c [31m");
    }
}

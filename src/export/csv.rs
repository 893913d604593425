//! Articles as a table (RFC 4180), safe to open in a spreadsheet.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{Terminator, Writer, WriterBuilder};

use crate::store::Article;

/// The columns, in order; they mean what the fields of the same name mean in JSON. Lists are
/// joined: URLs by a space, names and tags by `; `.
pub const COLUMNS: [&str; 18] = [
    "id",
    "url",
    "canonical_url",
    "final_url",
    "feed_urls",
    "guid",
    "title",
    "authors",
    "published",
    "published_from",
    "first_seen",
    "language",
    "tags",
    "word_count",
    "page_state",
    "page_error",
    "summary",
    "text",
];

/// Writes articles as rows below a row of [`COLUMNS`]. Lines end in CR LF (RFC 4180 §2).
#[derive(Debug)]
pub struct CsvWriter<W: Write> {
    rows: Writer<W>,
}

impl<W: Write> CsvWriter<W> {
    /// Begins a table with its row of column names.
    ///
    /// # Errors
    /// What the stream says.
    pub fn new(to: W) -> io::Result<Self> {
        let mut rows = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .from_writer(to);
        rows.write_record(COLUMNS).map_err(into_io)?;
        Ok(Self { rows })
    }

    /// Writes one article.
    ///
    /// # Errors
    /// What the stream says.
    pub fn write(&mut self, article: &Article) -> io::Result<()> {
        let cells = cells(article);
        self.rows
            .write_record(cells.iter().map(|cell| harmless(cell).into_owned()))
            .map_err(into_io)
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    /// What the stream says.
    pub fn finish(mut self) -> io::Result<()> {
        self.rows.flush()
    }
}

/// One text per column.
fn cells(article: &Article) -> [Cow<'_, str>; COLUMNS.len()] {
    let optional = |text: &'_ Option<String>| Cow::Owned(text.clone().unwrap_or_default());
    let failure = article.page_failure.as_ref();
    [
        Cow::Owned(article.id.to_string()),
        optional(&article.url),
        optional(&article.canonical_url),
        optional(&article.final_url),
        Cow::Owned(article.feed_urls.join(" ")),
        optional(&article.guid),
        optional(&article.title),
        Cow::Owned(article.authors.join("; ")),
        Cow::Owned(
            article
                .published_at
                .map_or_else(String::new, |at| at.to_string()),
        ),
        optional(&article.published_from),
        Cow::Owned(
            article
                .first_seen
                .map_or_else(String::new, |at| at.to_string()),
        ),
        optional(&article.language),
        Cow::Owned(article.tags.join("; ")),
        Cow::Owned(article.word_count.to_string()),
        Cow::Borrowed(article.page_state.name()),
        Cow::Borrowed(failure.map_or("", |failure| failure.kind.name())),
        optional(&article.summary),
        Cow::Borrowed(&article.text),
    ]
}

/// A cell that no spreadsheet takes for a formula: one that begins like a formula gets an
/// apostrophe in front, as OWASP advises ("CSV Injection").
fn harmless(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// The stream's own error where there is one, so that a closed pipe is known as such.
fn into_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ArticleId;

    fn table(article: &Article) -> String {
        let mut bytes = Vec::new();
        let mut writer = CsvWriter::new(&mut bytes).unwrap();
        writer.write(article).unwrap();
        writer.finish().unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_table_is_read_back_as_it_was_written() {
        let article = Article {
            id: ArticleId(7),
            title: Some("He said \"no\", twice".into()),
            authors: vec!["A".into(), "B".into()],
            text: "One.\n\nTwo.".into(),
            ..Article::default()
        };

        let table = table(&article);

        let mut reader = csv::Reader::from_reader(table.as_bytes());
        assert_eq!(reader.headers().unwrap().len(), COLUMNS.len());
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(&row[0], "7");
        assert_eq!(&row[6], "He said \"no\", twice");
        assert_eq!(&row[7], "A; B");
        assert_eq!(&row[17], "One.\n\nTwo.");
        assert!(table.ends_with("\r\n"));
    }

    #[test]
    fn no_cell_is_a_formula() {
        for start in ["=", "+", "-", "@", "\t", "\r", "\n"] {
            let article = Article {
                title: Some(format!("{start}HYPERLINK(\"http://example.org\")")),
                ..Article::default()
            };

            let table = table(&article);

            let mut reader = csv::Reader::from_reader(table.as_bytes());
            let row = reader.records().next().unwrap().unwrap();
            assert!(row[6].starts_with('\''), "{:?}", &row[6]);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_comes_back_but_for_the_apostrophe(title: String, text: String) {
            let article = Article {
                title: Some(title.clone()),
                text: text.clone(),
                ..Article::default()
            };

            let table = table(&article);

            let mut reader = csv::Reader::from_reader(table.as_bytes());
            let row = reader.records().next().unwrap().unwrap();
            proptest::prop_assert_eq!(&row[6], &*harmless(&title));
            proptest::prop_assert_eq!(&row[17], &*harmless(&text));
        }
    }
}

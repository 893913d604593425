//! The JSON of an article: one object, one line.

use std::io::{self, Write};

use serde::Serialize;

use crate::store::Article;

/// An article as programs get it. Field names and meanings are stable; fields may be added.
/// All fields are always there; what is unknown is `null`, an empty list or an empty text.
#[derive(Debug, Serialize)]
pub struct ArticleRecord<'a> {
    /// Id; fits a double exactly (RFC 8259 §6).
    pub id: i64,
    /// The original URL, byte for byte as the feed gave it.
    pub url: Option<&'a str>,
    /// What the page declares as canonical, if believable (RFC 6596).
    pub canonical_url: Option<&'a str>,
    /// The URL that answered.
    pub final_url: Option<&'a str>,
    /// URLs of all feeds that announced it, first sighting first.
    pub feed_urls: &'a [String],
    /// The guid of its first sighting.
    pub guid: Option<&'a str>,
    /// Headline.
    pub title: Option<&'a str>,
    /// Authors, one name each.
    pub authors: &'a [String],
    /// When it was published (RFC 3339, UTC); a bare date counts from midnight UTC.
    pub published: Option<String>,
    /// Where that was found: `feed`, `json-ld`, `meta`, `time`, `url`, `text`.
    pub published_from: Option<&'a str>,
    /// When the archive first heard of it (RFC 3339, UTC).
    pub first_seen: Option<String>,
    /// Language as a BCP 47 tag.
    pub language: Option<&'a str>,
    /// The feed's summary as plain text.
    pub summary: Option<&'a str>,
    /// Body as text, paragraphs separated by a blank line.
    pub text: &'a str,
    /// Body as Markdown.
    pub markdown: &'a str,
    /// Body as safe HTML.
    pub html: &'a str,
    /// Images, the lead image first.
    pub images: Vec<ImageRecord<'a>>,
    /// Links to other articles, kept apart from the text.
    pub related: Vec<RelatedRecord<'a>>,
    /// Tags: the page's keywords, the feed's categories, the feeds' own tags.
    pub tags: &'a [String],
    /// Media that the feed attached.
    pub enclosures: Vec<EnclosureRecord<'a>>,
    /// Words in `text`.
    pub word_count: u64,
    /// What became of its page: `pending`, `scraped`, `retrying`, `failed`, `skipped`.
    pub page_state: &'static str,
    /// Why the page gave no text, or not yet: a kind of `docs/errors.md`.
    pub page_error: Option<&'static str>,
    /// The same for people.
    pub page_error_detail: Option<&'a str>,
}

/// An image of an article.
#[derive(Debug, Serialize)]
pub struct ImageRecord<'a> {
    /// Absolute URL.
    pub url: &'a str,
    /// Caption.
    pub caption: Option<&'a str>,
    /// Photographer or agency.
    pub credit: Option<&'a str>,
}

/// A link to another article.
#[derive(Debug, Serialize)]
pub struct RelatedRecord<'a> {
    /// Its headline.
    pub title: &'a str,
    /// Absolute URL.
    pub url: &'a str,
}

/// Media attached to the entry.
#[derive(Debug, Serialize)]
pub struct EnclosureRecord<'a> {
    /// Absolute URL.
    pub url: &'a str,
    /// Media type as given.
    pub media_type: Option<&'a str>,
    /// Length in bytes as given.
    pub length: Option<u64>,
}

impl<'a> From<&'a Article> for ArticleRecord<'a> {
    fn from(article: &'a Article) -> Self {
        let failure = article.page_failure.as_ref();
        Self {
            id: article.id.0,
            url: article.url.as_deref(),
            canonical_url: article.canonical_url.as_deref(),
            final_url: article.final_url.as_deref(),
            feed_urls: &article.feed_urls,
            guid: article.guid.as_deref(),
            title: article.title.as_deref(),
            authors: &article.authors,
            published: article.published_at.map(|at| at.to_string()),
            published_from: article.published_from.as_deref(),
            first_seen: article.first_seen.map(|at| at.to_string()),
            language: article.language.as_deref(),
            summary: article.summary.as_deref(),
            text: &article.text,
            markdown: &article.markdown,
            html: &article.html,
            images: images(article),
            related: related(article),
            tags: &article.tags,
            enclosures: enclosures(article),
            word_count: article.word_count,
            page_state: article.page_state.name(),
            page_error: failure.map(|failure| failure.kind.name()),
            page_error_detail: failure.map(|failure| failure.detail.as_str()),
        }
    }
}

fn images(article: &Article) -> Vec<ImageRecord<'_>> {
    article
        .images
        .iter()
        .map(|image| ImageRecord {
            url: &image.url,
            caption: image.caption.as_deref(),
            credit: image.credit.as_deref(),
        })
        .collect()
}

fn related(article: &Article) -> Vec<RelatedRecord<'_>> {
    article
        .related
        .iter()
        .map(|link| RelatedRecord {
            title: &link.title,
            url: &link.url,
        })
        .collect()
}

fn enclosures(article: &Article) -> Vec<EnclosureRecord<'_>> {
    article
        .enclosures
        .iter()
        .map(|media| EnclosureRecord {
            url: &media.url,
            media_type: media.media_type.as_deref(),
            length: media.length_bytes,
        })
        .collect()
}

/// Writes one line.
pub(super) fn write_line(article: &Article, to: &mut (impl Write + ?Sized)) -> io::Result<()> {
    serde_json::to_writer(&mut *to, &ArticleRecord::from(article)).map_err(io::Error::from)?;
    to.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Image;
    use crate::feed::Enclosure;
    use crate::model::{ArticleId, ErrorKind, Failure};

    fn json(article: &Article) -> serde_json::Value {
        let mut line = Vec::new();
        write_line(article, &mut line).unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        serde_json::from_slice(&line).unwrap()
    }

    #[test]
    fn an_article_is_one_line_with_the_promised_fields() {
        let article = Article {
            id: ArticleId(9_007_199_254_740_991),
            url: Some("https://example.org/a?utm_source=rss#top".into()),
            feed_urls: vec!["https://example.org/feed".into()],
            authors: vec!["A. Name".into()],
            published: Some("2017-03-24T10:00:00+03:00".into()),
            published_at: Some("2017-03-24T07:00:00Z".parse().unwrap()),
            text: "One.\n\nTwo.".into(),
            images: vec![Image {
                url: "https://example.org/i.jpg".into(),
                caption: None,
                credit: Some("AP".into()),
            }],
            enclosures: vec![Enclosure {
                url: "https://example.org/a.mp3".into(),
                media_type: Some("audio/mpeg".into()),
                length_bytes: Some(12),
            }],
            ..Article::default()
        };

        let json = json(&article);

        let mut names: Vec<&str> = json
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "authors",
                "canonical_url",
                "enclosures",
                "feed_urls",
                "final_url",
                "first_seen",
                "guid",
                "html",
                "id",
                "images",
                "language",
                "markdown",
                "page_error",
                "page_error_detail",
                "page_state",
                "published",
                "published_from",
                "related",
                "summary",
                "tags",
                "text",
                "title",
                "url",
                "word_count"
            ]
        );
        assert_eq!(json["id"], 9_007_199_254_740_991_i64);
        assert_eq!(json["url"], "https://example.org/a?utm_source=rss#top");
        assert_eq!(json["published"], "2017-03-24T07:00:00Z");
        assert_eq!(json["images"][0]["credit"], "AP");
        assert_eq!(json["enclosures"][0]["length"], 12);
        assert!(json["title"].is_null());
    }

    #[test]
    fn a_failed_page_says_why() {
        let article = Article {
            page_failure: Some(Failure::new(ErrorKind::NotFound, "answered 404")),
            ..Article::default()
        };

        let json = json(&article);

        assert_eq!(json["page_error"], "not_found");
        assert_eq!(json["page_error_detail"], "answered 404");
    }
}

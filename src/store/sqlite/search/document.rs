//! What the archive has of an article to be searched.

use rusqlite::{Connection, OptionalExtension};
use url::Url;

use super::super::super::json;
use crate::model::FeedId;
use crate::query::{Document, MAX_TEXT_CHARS};

/// An article as it is searched, behind its place in all lists in milliseconds.
pub(in super::super) fn read_document(
    main: &Connection,
    article: i64,
) -> rusqlite::Result<Option<(i64, Document)>> {
    let sql = "
        SELECT a.sort_at, a.title, a.authors, a.host, a.final_url, a.language, a.keywords,
          substr(coalesce(
            nullif((SELECT text FROM article_text WHERE article_id = a.id), ''),
            a.summary, ''), 1, ?2),
          (SELECT json_group_array(DISTINCT s.feed_id) FROM sighting s WHERE s.article_id = a.id),
          (SELECT json_group_array(DISTINCT j.value) FROM sighting s, json_each(s.tags) j
           WHERE s.article_id = a.id)
        FROM article a WHERE a.id = ?1";
    let max_chars = super::int(MAX_TEXT_CHARS);
    main.prepare_cached(sql)?
        .query_row([article, max_chars], |row| {
            let final_host = row
                .get::<_, Option<String>>(4)?
                .and_then(|url| Url::parse(&url).ok()?.host_str().map(str::to_owned));
            let mut tags: Vec<String> = json::read(&row.get::<_, String>(6)?);
            tags.extend(json::read::<Vec<String>>(&row.get::<_, String>(9)?));
            let feeds: Vec<i64> = json::read(&row.get::<_, String>(8)?);
            let document = Document {
                title: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                authors: json::read(&row.get::<_, String>(2)?),
                text: row.get(7)?,
                hosts: row
                    .get::<_, Option<String>>(3)?
                    .into_iter()
                    .chain(final_host)
                    .collect(),
                language: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
                tags,
                feeds: feeds.into_iter().map(FeedId).collect(),
            };
            Ok((row.get(0)?, document))
        })
        .optional()
}

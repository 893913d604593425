//! The feeds that a search names.

use deadpool_postgres::GenericClient;

use super::super::super::json;
use super::super::fault::Fault;
use super::super::statement::{get, rows};
use crate::query::{FeedCalled, FeedValue, FeedsMeant, Field};

/// Looks for the feeds that the values of `feed:` and `tag:` mean.
///
/// There may be hundreds of thousands: the database gives only those that have the
/// [`FeedValue::hint`], whatever its locale, and each is then looked at.
pub(in super::super) async fn find_feeds(
    client: &impl GenericClient,
    feeds: &mut FeedsMeant,
) -> Result<(), Fault> {
    let of = |field: Field| -> Vec<FeedValue> {
        let values = feeds.values().filter(|value| value.field == field);
        values.cloned().collect()
    };
    let (tags, names) = (of(Field::Tag), of(Field::Feed));
    let mut found = Vec::new();
    if !tags.is_empty() {
        found.extend(with_tags(client, &tags).await?);
    }
    if !names.is_empty() {
        found.extend(with_names(client, &names).await?);
    }
    found.iter().for_each(|feed| feeds.add(feed));
    Ok(())
}

async fn with_tags(
    client: &impl GenericClient,
    values: &[FeedValue],
) -> Result<Vec<FeedCalled>, Fault> {
    let sql = "
        SELECT f.id, f.tags FROM feed f
        WHERE f.tags <> '[]' AND EXISTS (
          SELECT 1 FROM unnest($1::TEXT[]) AS hint
          WHERE strpos(translate(f.tags, $2, $3), hint) > 0)
        ORDER BY f.id";
    let hints: Vec<&str> = values.iter().map(FeedValue::hint).collect();
    rows(client, sql, &[&hints, &CAPITALS, &SMALL])
        .await?
        .iter()
        .map(|row| {
            Ok(FeedCalled {
                id: get(row, 0)?,
                tags: json::read(get(row, 1)?),
                ..FeedCalled::default()
            })
        })
        .collect()
}

async fn with_names(
    client: &impl GenericClient,
    values: &[FeedValue],
) -> Result<Vec<FeedCalled>, Fault> {
    let sql = "
        SELECT f.id, f.url, f.subscribed_url, coalesce(f.list_title, s.title, '')
        FROM feed f LEFT JOIN feed_state s ON s.feed_id = f.id
        WHERE f.id = ANY($1) OR EXISTS (
          SELECT 1 FROM unnest($2::TEXT[]) AS hint
          WHERE strpos(translate(f.url, $3, $4), hint) > 0
            OR strpos(translate(f.subscribed_url, $3, $4), hint) > 0
            OR strpos(translate(coalesce(f.list_title, s.title, ''), $3, $4), hint) > 0)
        ORDER BY f.id";
    let ids: Vec<i64> = values.iter().filter_map(FeedValue::id).collect();
    let others = values.iter().filter(|value| value.id().is_none());
    let hints: Vec<&str> = others.map(FeedValue::hint).collect();
    rows(client, sql, &[&ids, &hints, &CAPITALS, &SMALL])
        .await?
        .iter()
        .map(|row| {
            Ok(FeedCalled {
                id: get(row, 0)?,
                url: get(row, 1)?,
                subscribed_url: get(row, 2)?,
                title: get(row, 3)?,
                tags: Vec::new(),
            })
        })
        .collect()
}

/// What `translate` makes small: `lower` of some locales does otherwise.
const CAPITALS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const SMALL: &str = "abcdefghijklmnopqrstuvwxyz";

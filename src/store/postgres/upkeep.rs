//! The state of everything, checks, and what keeps the database from growing for ever.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use deadpool_postgres::{Client, GenericClient, Transaction};
use jiff::Timestamp;
use tokio_postgres::IsolationLevel;

use super::super::column::{int, ms, natural};
use super::super::record::{FeedState, PageState, Status};
use super::super::{StoreError, json};
use super::convert::{count, held_columns};
use super::due::{self, Held};
use super::fault::Fault;
use super::statement::{execute, get, row, rows};
use super::{feeds, schema};

/// The longest wait for the state of everything: with millions of feeds it is counted, not
/// looked up.
const STATUS_DEADLINE: Duration = Duration::from_secs(30);

/// The longest check that we wait for.
const CHECK_DEADLINE: Duration = Duration::from_secs(3600);

/// Failing feeds that a status names.
const MAX_FAILING: usize = 100;

/// How long polls stay in the log.
const LOG_DAYS: i64 = 30;

const DAY_MS: i64 = 86_400_000;

/// Begins reading one moment of the database, for as long as `deadline` per statement.
async fn snapshot(
    client: &mut Client,
    deadline: Duration,
) -> Result<deadpool_postgres::Transaction<'_>, Fault> {
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    let limit = format!("{}ms", json::millis(deadline));
    let sql = "SELECT set_config('statement_timeout', $1, true)";
    rows(&transaction, sql, &[&limit]).await?;
    Ok(transaction)
}

/// The state of everything, but for the sizes.
pub(super) async fn status(client: &mut Client, now: Timestamp) -> Result<Status, Fault> {
    let moment = snapshot(client, STATUS_DEADLINE).await?;
    let counters = counters(&moment).await?;
    let counter = |name: &str| counters.get(name).copied().map_or(0, natural);
    let (polls_day, failed_polls_day, articles_day) = last_day(&moment, now).await?;
    let mut page_failures: Vec<_> = counters
        .iter()
        .filter(|(_, n)| **n > 0)
        .filter_map(|(name, n)| {
            let kind = name.strip_prefix("page_error:")?.parse().ok()?;
            Some((kind, natural(*n), name))
        })
        .collect();
    page_failures.sort_by(|a, b| b.1.cmp(&a.1).then(a.2.cmp(b.2)));
    Ok(Status {
        feeds: feed_states(&moment).await?,
        pages: PageState::ALL
            .into_iter()
            .map(|page| (page, counter(&format!("page:{}", page.name()))))
            .collect(),
        n_articles: counter("articles"),
        backlog: due::backlog(&moment, None, now).await?,
        failing: feeds::failing(&moment, MAX_FAILING).await?,
        page_failures: page_failures
            .into_iter()
            .map(|(kind, n, _)| (kind, n))
            .collect(),
        polls_day,
        failed_polls_day,
        articles_day,
        store_bytes: 0,
        search_bytes: 0,
        index_lag: count(
            &row(&moment, "SELECT count(*) FROM article_change", &[]).await?,
            0,
        )?,
        schema: schema::version(&moment).await?,
    })
}

/// Sums over all shards, by name.
async fn counters(client: &impl GenericClient) -> Result<BTreeMap<String, i64>, Fault> {
    let sql = "SELECT name, sum(n)::bigint FROM counter WHERE name <> 'last_id' GROUP BY name";
    let mut counters = BTreeMap::new();
    for row in rows(client, sql, &[]).await? {
        counters.insert(get(&row, 0)?, get(&row, 1)?);
    }
    Ok(counters)
}

async fn feed_states(client: &impl GenericClient) -> Result<Vec<(FeedState, u64)>, Fault> {
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    let sql = "SELECT state, count(*) FROM feeds GROUP BY state";
    for row in rows(client, sql, &[]).await? {
        counted.insert(get(&row, 0)?, count(&row, 1)?);
    }
    Ok(FeedState::ALL
        .into_iter()
        .map(|state| (state, counted.get(state.name()).copied().unwrap_or(0)))
        .collect())
}

async fn last_day(client: &impl GenericClient, now: Timestamp) -> Result<(u64, u64, u64), Fault> {
    let sql = "SELECT count(*), count(*) FILTER (WHERE outcome IN ('failed', 'gone')),
                 coalesce(sum(n_new), 0)::bigint
               FROM poll_log WHERE at > $1";
    let row = row(client, sql, &[&(ms(now) - DAY_MS)]).await?;
    Ok((count(&row, 0)?, count(&row, 1)?, count(&row, 2)?))
}

/// Bytes of the archive and of the search index, with their indexes. Some of PostgreSQL's
/// kin cannot tell.
pub(super) async fn sizes(client: &impl GenericClient) -> Result<(u64, u64), Fault> {
    let sql = "SELECT
        coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname <> 'search_document'), 0)::bigint,
        coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname = 'search_document'), 0)::bigint
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')";
    let row = row(client, sql, &[]).await?;
    Ok((count(&row, 0)?, count(&row, 1)?))
}

/// What must be true, each as a count of what breaks it, and what that is called.
const RULES: &[(&str, &str)] = &[
    (
        "feeds without a state",
        "SELECT count(*) FROM feed f
         WHERE NOT EXISTS (SELECT 1 FROM feed_state s WHERE s.feed_id = f.id)",
    ),
    (
        "feeds with more than one state",
        "SELECT count(*) FROM (SELECT 1 FROM feed_state GROUP BY feed_id HAVING count(*) > 1) t",
    ),
    (
        "states without a feed",
        "SELECT count(*) FROM feed_state s
         WHERE NOT EXISTS (SELECT 1 FROM feed f WHERE f.id = s.feed_id)",
    ),
    (
        "feeds that are due before their host is",
        "SELECT count(*) FROM feed_state s
         LEFT JOIN host h ON h.shard = s.shard AND h.name = s.host
         WHERE s.due_at IS NOT NULL AND (h.feed_due_at IS NULL OR h.feed_due_at > s.due_at)",
    ),
    (
        "pages that are due before their host is",
        "SELECT count(*) FROM page_job j
         LEFT JOIN host h ON h.shard = j.shard AND h.name = j.host
         WHERE h.page_due_at IS NULL OR h.page_due_at > j.due_at",
    ),
    (
        "pages that wait for an article that is not there",
        "SELECT count(*) FROM page_job j
         WHERE NOT EXISTS (SELECT 1 FROM article a
                           WHERE a.shard = (j.article_id >> 11) & 1023 AND a.id = j.article_id)",
    ),
    (
        "articles in another shard than their id says",
        "SELECT count(*) FROM article WHERE shard <> (id >> 11) & 1023",
    ),
    (
        "articles without a text",
        "SELECT count(*) FROM article a
         WHERE NOT EXISTS (SELECT 1 FROM article_text t
                           WHERE t.shard = a.shard AND t.article_id = a.id)",
    ),
    (
        "articles that no feed announced",
        "SELECT count(*) FROM article a
         WHERE NOT EXISTS (SELECT 1 FROM sighting s
                           WHERE s.shard = a.shard AND s.article_id = a.id)",
    ),
    (
        "sightings of feeds that are not there",
        "SELECT count(*) FROM sighting s
         WHERE NOT EXISTS (SELECT 1 FROM feed f WHERE f.id = s.feed_id)",
    ),
    (
        "URLs of articles that are not there",
        "SELECT count(*) FROM alias l
         WHERE NOT EXISTS (SELECT 1 FROM article a
                           WHERE a.shard = (l.article_id >> 11) & 1023 AND a.id = l.article_id)",
    ),
    (
        "shards too few or too many",
        "SELECT abs(count(*) FILTER (WHERE id BETWEEN 0 AND 1023) - 1024)
           + count(*) FILTER (WHERE id NOT BETWEEN 0 AND 1023) FROM shard",
    ),
];

/// One line per finding; nothing when all is well. All of it is read at one moment, while
/// workers go on.
pub(super) async fn check(client: &mut Client) -> Result<Vec<String>, Fault> {
    let moment = snapshot(client, CHECK_DEADLINE).await?;
    let mut findings = Vec::new();
    for (name, sql) in RULES {
        match count(&row(&moment, sql, &[]).await?, 0)? {
            0 => {}
            n => findings.push(format!("{name}: {n}")),
        }
    }
    findings.extend(check_counters(&moment).await?);
    Ok(findings)
}

/// Sums against what they sum up.
async fn check_counters(moment: &Transaction<'_>) -> Result<Vec<String>, Fault> {
    let sql = "SELECT 'articles', count(*) FROM article
               UNION ALL SELECT 'page:' || page_state, count(*) FROM article GROUP BY page_state
               UNION ALL SELECT 'page_error:' || error_kind, count(*) FROM article
                         WHERE error_kind IS NOT NULL GROUP BY error_kind";
    let mut counters = counters(moment).await?;
    let mut findings = Vec::new();
    for row in rows(moment, sql, &[]).await? {
        let (name, n): (String, i64) = (get(&row, 0)?, get(&row, 1)?);
        let counted = counters.remove(&name).unwrap_or(0);
        if counted != n {
            findings.push(format!(
                "the counter {name} says {counted}, and there are {n}"
            ));
        }
    }
    let left = counters.into_iter().filter(|(_, counted)| *counted != 0);
    findings.extend(
        left.map(|(name, counted)| format!("the counter {name} says {counted}, and there are 0")),
    );
    Ok(findings)
}

/// Takes the oldest polls of our shards out of the log, `limit` at most; how many there were.
pub(super) async fn prune_polls(
    client: &impl GenericClient,
    held: &Held,
    now: Timestamp,
    limit: usize,
) -> Result<u64, Fault> {
    let sql = "DELETE FROM poll_log p
               USING (SELECT shard, id FROM poll_log
                      WHERE at < $1 AND shard = ANY($2) ORDER BY at LIMIT $3) old
               WHERE p.shard = old.shard AND p.id = old.id";
    let until = ms(now) - LOG_DAYS * DAY_MS;
    let (shards, _) = held_columns(held);
    execute(client, sql, &[&until, &shards, &int(limit)]).await
}

/// How the database is copied, since it is not ours to copy it.
pub(super) fn backup(store: &str, to: &Path) -> StoreError {
    let to = to.to_string_lossy();
    StoreError::BackupElsewhere {
        command: format!(
            "pg_dump --format=custom --file={} {}",
            quoted(&to),
            quoted(store)
        ),
    }
}

/// A word of a shell's command line (POSIX, "Shell Command Language", 2.2.2).
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_for_a_backup_can_be_pasted_into_a_shell() {
        let error = backup(
            "postgres://ada@h/news?sslmode=require",
            Path::new("/srv/it's here.dump"),
        );

        assert!(
            error.to_string().ends_with(
                r"pg_dump --format=custom --file='/srv/it'\''s here.dump' 'postgres://ada@h/news?sslmode=require'"
            ),
            "{error}"
        );
    }
}

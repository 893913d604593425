//! The state of everything, checks, and backups.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;

use super::super::record::{FeedState, PageState, Status};
use super::fault::{self, Fault};
use super::readers::Reader;
use super::search;
use super::{StoreError, blocking, count, due, feeds, ms, schema, state};

/// The longest check or backup that we wait for.
pub(super) const UPKEEP_DEADLINE: Duration = Duration::from_secs(3600);

/// Failing feeds that a status names.
const MAX_FAILING: usize = 100;

const DAY_MS: i64 = 86_400_000;

pub(super) fn status(reader: &mut Reader, path: &Path, now: Timestamp) -> Result<Status, Fault> {
    let (main, search) = reader.both();
    let (polls_day, failed_polls_day, articles_day) = last_day(main, now)?;
    Ok(Status {
        feeds: feed_states(main)?,
        pages: PageState::ALL
            .into_iter()
            .map(|page| {
                let n = state::counter(main, &format!("page:{}", page.name()))?;
                Ok((page, n.unsigned_abs()))
            })
            .collect::<rusqlite::Result<_>>()?,
        n_articles: state::counter(main, "articles")?.unsigned_abs(),
        backlog: due::backlog(main, now)?,
        failing: feeds::failing(main, MAX_FAILING)?,
        page_failures: state::counters(main, "page_error:")?
            .into_iter()
            .filter_map(|(kind, n)| Some((kind.parse().ok()?, n)))
            .collect(),
        polls_day,
        failed_polls_day,
        articles_day,
        store_bytes: size_with_log(path),
        search_bytes: size_with_log(&search::path_beside(path)),
        index_lag: search.lag(main)?,
        schema: schema::version(main)?,
    })
}

fn feed_states(main: &Connection) -> Result<Vec<(FeedState, u64)>, Fault> {
    let counted: Vec<(String, u64)> = main
        .prepare_cached("SELECT state, count(*) FROM feeds GROUP BY state")?
        .query_map([], |row| Ok((row.get(0)?, count(row, 1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(FeedState::ALL
        .into_iter()
        .map(|state| {
            let n = counted.iter().find(|(name, _)| name == state.name());
            (state, n.map_or(0, |(_, n)| *n))
        })
        .collect())
}

fn last_day(main: &Connection, now: Timestamp) -> rusqlite::Result<(u64, u64, u64)> {
    main.prepare_cached(
        "SELECT count(*), count(*) FILTER (WHERE outcome IN ('failed', 'gone')),
           coalesce(sum(n_new), 0)
         FROM poll_log WHERE at > ?1",
    )?
    .query_row([ms(now) - DAY_MS], |row| {
        Ok((count(row, 0)?, count(row, 1)?, count(row, 2)?))
    })
}

fn size_with_log(path: &Path) -> u64 {
    ["", "-wal"]
        .into_iter()
        .map(|suffix| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            std::fs::metadata(name).map_or(0, |file| file.len())
        })
        .sum()
}

/// One line per finding; nothing when all is well. A search index that lags, or that is lost,
/// is no finding: it is made from the archive.
pub(super) fn check(reader: &mut Reader) -> Result<Vec<String>, Fault> {
    let main = reader.main();
    let mut findings: Vec<String> = main
        .prepare("PRAGMA quick_check(100)")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    findings.retain(|finding| finding != "ok");
    let orphans: Vec<String> = main
        .prepare("PRAGMA foreign_key_check")?
        .query_map([], |row| {
            let (table, row_id): (String, Option<i64>) = (row.get(0)?, row.get(1)?);
            let parent: String = row.get(2)?;
            Ok(format!(
                "{table} row {} refers to a missing row of {parent}",
                row_id.unwrap_or_default()
            ))
        })?
        .take(100)
        .collect::<Result<_, _>>()?;
    findings.extend(orphans);
    findings.extend(check_counters(main)?);
    Ok(findings)
}

/// Sums against what they sum up, both at one moment: a daemon may be writing.
fn check_counters(main: &Connection) -> rusqlite::Result<Vec<String>> {
    let main = main.unchecked_transaction()?;
    let n_articles: i64 = main.query_row("SELECT count(*) FROM article", [], |row| row.get(0))?;
    let counted = state::counter(&main, "articles")?;
    if n_articles == counted {
        return Ok(Vec::new());
    }
    Ok(vec![format!(
        "the counter of articles says {counted}, and there are {n_articles}"
    )])
}

/// Copies a snapshot of the archive at `path` to `to`; its size in bytes.
pub(super) async fn backup(path: PathBuf, to: PathBuf) -> Result<u64, StoreError> {
    blocking(move || {
        if to.exists() {
            return Err(fault::unwritable(&to, "it exists already"));
        }
        let from = schema::open_to_read(&path)?;
        from.execute_batch("PRAGMA query_only = OFF")
            .map_err(|error| fault::at(&path, &error))?;
        // VACUUM INTO reads one snapshot: the daemon goes on writing meanwhile.
        from.execute("VACUUM INTO ?1", [to.to_string_lossy()])
            .map_err(|error| fault::at(&to, &error))?;
        synced_size(&to)
    })
    .await?
}

/// A backup is one only when it is on the disk.
fn synced_size(path: &Path) -> Result<u64, StoreError> {
    let failed = |error: std::io::Error| fault::unwritable(path, &error.to_string());
    let file = std::fs::File::open(path).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(file.metadata().map_err(failed)?.len())
}

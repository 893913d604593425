//! SQLite in particular: the file, its lock, its readers, its views.

use std::io::{BufRead, Write};

use super::*;

fn open_as_people_do(path: &Path) -> rusqlite::Connection {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    rusqlite::Connection::open_with_flags(path, flags).unwrap()
}

#[tokio::test]
async fn a_second_daemon_is_refused_by_the_first_one_s_process_id() {
    let room = Room::sqlite().await;
    let before = std::fs::read(room.path()).unwrap();

    let second = Store::open(&room.settings, Access::Daemon).await;

    assert!(
        matches!(second, Err(StoreError::Locked { pid, .. }) if pid == std::process::id()),
        "{second:?}"
    );
    assert_eq!(std::fs::read(room.path()).unwrap(), before);
    assert_eq!(
        Store::daemon_process(&room.settings),
        Some(std::process::id())
    );
    room.store.close().await.unwrap();
    assert_eq!(Store::daemon_process(&room.settings), None);
}

#[tokio::test]
async fn commands_and_readers_work_beside_the_daemon() {
    let room = Room::sqlite().await;
    let command = Store::open(&room.settings, Access::Command).await.unwrap();
    let reader = Store::open(&room.settings, Access::Reader).await.unwrap();

    let id = subscribe(&command, listed("https://example.org/feed")).await;
    poll(&room.store, id, vec![entry("https://example.org/a")]).await;
    poll(&command, id, vec![entry("https://example.org/b")]).await;
    poll(&room.store, id, vec![entry("https://example.org/c")]).await;

    let ids: Vec<ArticleId> = all(&reader)
        .await
        .iter()
        .map(|article| article.id)
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(matches!(
        reader.set_note("a", "b").await,
        Err(StoreError::Unwritable { .. })
    ));
}

#[tokio::test]
async fn a_command_makes_the_store_when_no_daemon_runs() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::Sqlite(folder.path().join("deep/er/news.db"));

    let command = Store::open(&settings, Access::Command).await.unwrap();
    subscribe(&command, listed("https://example.org/feed")).await;
    let daemon = Store::open(&settings, Access::Daemon).await.unwrap();

    assert_eq!(daemon.feeds().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_reader_makes_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::Sqlite(folder.path().join("news.db"));

    let opened = Store::open(&settings, Access::Reader).await;

    assert!(matches!(opened, Err(StoreError::Missing { .. })));
    assert!(!settings.file().unwrap().exists());
}

#[tokio::test]
async fn a_later_version_s_store_is_refused() {
    let room = Room::sqlite().await;
    room.store.close().await.unwrap();
    rusqlite::Connection::open(room.settings.file().unwrap())
        .unwrap()
        .pragma_update(None, "user_version", 999)
        .unwrap();

    for access in [Access::Daemon, Access::Command, Access::Reader] {
        let opened = Store::open(&room.settings, access).await;

        assert!(
            matches!(opened, Err(StoreError::Newer { found: 999, .. })),
            "{opened:?}"
        );
    }
}

#[tokio::test]
async fn damaged_and_foreign_files_are_told_apart_from_stores() {
    let folder = tempfile::tempdir().unwrap();
    let settings = |name: &str| Settings::Sqlite(folder.path().join(name));
    std::fs::write(
        settings("noise.db").file().unwrap(),
        "no database at all".repeat(1000),
    )
    .unwrap();
    rusqlite::Connection::open(settings("foreign.db").file().unwrap())
        .unwrap()
        .execute_batch("CREATE TABLE a (b)")
        .unwrap();

    for name in ["noise.db", "foreign.db"] {
        for access in [Access::Daemon, Access::Command, Access::Reader] {
            let opened = Store::open(&settings(name), access).await;

            assert!(
                matches!(opened, Err(StoreError::Corrupt { .. })),
                "{name}: {opened:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_folder_that_cannot_hold_a_store_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let settings = Settings::Sqlite(folder.path().join("file/news.db"));

    let opened = Store::open(&settings, Access::Daemon).await;

    assert!(
        matches!(opened, Err(StoreError::Unwritable { .. })),
        "{opened:?}"
    );
}

#[tokio::test]
async fn people_read_the_views_while_the_daemon_writes() {
    let room = Room::sqlite().await;
    let id = fill(&room.store, 3).await;
    let people = open_as_people_do(room.path());
    let titles = |people: &rusqlite::Connection| -> i64 {
        people
            .query_row(
                "SELECT count(*) FROM articles WHERE first_seen = '2026-11-23T12:00:00Z'",
                [],
                |row| row.get(0),
            )
            .unwrap()
    };

    let before = titles(&people);
    poll(&room.store, id, vec![entry("https://example.org/more")]).await;
    let after = titles(&people);

    assert_eq!((before, after), (3, 4));
    for view in [
        "articles",
        "feeds",
        "polls",
        "sightings",
        "authors",
        "tags",
        "aliases",
        "page_queue",
    ] {
        let sql = format!("SELECT * FROM {view}");
        let mut statement = people.prepare(&sql).unwrap();
        let n = statement.query_map([], |_| Ok(())).unwrap().count();
        assert!(n > 0 || matches!(view, "authors" | "tags"), "{view}");
    }
}

#[tokio::test]
async fn a_backup_is_a_store_and_overwrites_nothing() {
    let room = Room::sqlite().await;
    fill(&room.store, 3).await;
    let copy: PathBuf = room.folder.path().join("copy.db");

    let size = room.store.backup(&copy).await.unwrap();
    let again = room.store.backup(&copy).await;

    assert_eq!(size, std::fs::metadata(&copy).unwrap().len());
    assert!(matches!(again, Err(StoreError::Unwritable { .. })));
    let restored = Store::open(&Settings::Sqlite(copy), Access::Daemon)
        .await
        .unwrap();
    assert_eq!(all(&restored).await, all(&room.store).await);
    assert_eq!(
        restored.due_pages(&everything_due()).await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn a_sound_store_has_no_findings() {
    let room = Room::sqlite().await;
    fill(&room.store, 3).await;
    room.store.index().await.unwrap();

    assert_eq!(room.store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_command_and_the_daemon_may_write_at_once() {
    let room = Room::sqlite().await;
    let command = Store::open(&room.settings, Access::Command).await.unwrap();
    for n in 0..40 {
        subscribe(
            &room.store,
            listed(&format!("https://host{n}.example/feed")),
        )
        .await;
    }
    let due = room.store.due_feeds(&everything_due()).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for (n, due) in due.into_iter().enumerate() {
        let store = [&room.store, &command][n % 2].clone();
        tasks.spawn(async move {
            let entries = (0..5).map(|i| entry(&format!("{}/{i}", due.url))).collect();
            store
                .record_poll(&due, report(reading(entries)))
                .await
                .unwrap()
        });
    }

    let recorded = tasks.join_all().await;

    assert_eq!(recorded.iter().map(|poll| poll.n_new).sum::<usize>(), 200);
    assert_eq!(room.store.status(noon()).await.unwrap().n_articles, 200);
    command.index().await.unwrap();
    room.store.index().await.unwrap();
    assert_eq!(room.store.check().await.unwrap(), Vec::<String>::new());
}

/// Tells a test to write for ever, and where.
pub(super) const WRITE_TO: &str = "WIREROOM_TEST_WRITE_TO";

/// Polls one feed again and again; each poll brings one entry, and validators that number
/// it. Says on standard output which polls have been acknowledged.
pub(super) async fn write_until_killed(settings: Settings) {
    let store = Store::open(&settings, Access::Daemon).await.unwrap();
    let id = store.feeds().await.unwrap()[0].id;
    let first = store.status(noon()).await.unwrap().n_articles;
    for n in first + 1.. {
        let due = due_feed_soon(&store, id).await;
        let result = PollResult::Fetched(Box::new(FeedReading {
            validators: Validators {
                etag: Some(n.to_string().into_bytes()),
                ..Validators::default()
            },
            announcements: vec![entry(&format!("https://example.org/{n}"))],
            ..FeedReading::default()
        }));
        store.record_poll(&due, report(result)).await.unwrap();
        writeln!(std::io::stdout().lock(), "\nacknowledged {n}").unwrap();
    }
}

/// The feed, once it is ours: a worker gets what another one left when that counts as dead.
async fn due_feed_soon(store: &Store, feed: FeedId) -> DueFeed {
    store.make_due(feed, noon()).await.unwrap();
    let began = std::time::Instant::now();
    loop {
        if let Some(due) = store.due_feeds(&everything_due()).await.unwrap().pop() {
            return due;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "never ours");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    if let Some(path) = std::env::var_os(WRITE_TO) {
        return write_until_killed(Settings::Sqlite(path.into())).await;
    }
    let room = Room::sqlite().await;
    let test = "file::what_was_acknowledged_survives_a_kill";
    acknowledged_polls_survive_kills(room, test).await;
}

/// Kills a writer three times, which is the test of this name in a process of its own, and
/// looks what it left.
pub(super) async fn acknowledged_polls_survive_kills(room: Room, test: &str) {
    let id = subscribe(&room.store, listed("https://example.org/feed")).await;
    room.store.close().await.unwrap();

    for round in 1..=3 {
        let acknowledged = killed_after(test, &room.settings, 20 * round);

        let store = Store::open(&room.settings, Access::Daemon).await.unwrap();
        let status = store.status(noon()).await.unwrap();
        let n = status.n_articles;
        let due = due_feed_soon(&store, id).await;
        assert!(n >= acknowledged, "{n} of {acknowledged}");
        assert_eq!(due.validators.etag, Some(n.to_string().into_bytes()));
        assert_eq!(status.backlog.due_pages, n);
        store.index().await.unwrap();
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
        store.close().await.unwrap();
    }
}

/// Runs the writer in a process of its own, and kills it once it has acknowledged
/// `n_polls`; the number of the last poll that it acknowledged.
fn killed_after(test: &str, settings: &Settings, n_polls: usize) -> u64 {
    let place = match settings {
        Settings::Sqlite(path) => path.display().to_string(),
        Settings::Postgres(settings) => settings.url.clone(),
    };
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test, "--nocapture"])
        .env(WRITE_TO, place)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = lines
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
    let mut last = acknowledged.nth(n_polls - 1).unwrap();
    child.kill().unwrap();
    last = acknowledged.last().unwrap_or(last);
    child.wait().unwrap();
    last
}

/// The text of `docs/data-model.md`.
const DATA_MODEL: &str = include_str!("../../../docs/data-model.md");

/// A store in which every view has rows.
async fn filled() -> Room {
    let room = Room::sqlite().await;
    let id = fill(&room.store, 3).await;
    let other = subscribe(&room.store, listed("https://other.example/feed")).await;
    let told = Announcement {
        authors: vec!["Jane Doe".into()],
        tags: vec!["weather".into()],
        title: Some("A storm".into()),
        published: Some(noon() + SignedDuration::from_secs(30)),
        ..entry("https://other.example/storm")
    };
    let shared = entry("https://example.org/0");
    poll(&room.store, other, vec![told, shared]).await;
    let due = due_feed(&room.store, id).await;
    let failure = Failure::new(ErrorKind::Dns, "no such host");
    let failed = report(PollResult::Failed(failure));
    room.store.record_poll(&due, failed).await.unwrap();
    let page = due_page(&room.store, "https://example.org/2").await;
    let failed = ScrapeReport {
        at: noon(),
        cost: Cost::default(),
        manners: Manners::default(),
        result: ScrapeResult::Failed {
            failure: Failure::new(ErrorKind::NotHtml, "a PDF"),
            found: None,
        },
    };
    room.store.record_scrape(&page, failed).await.unwrap();
    room
}

#[tokio::test]
async fn the_documented_queries_run_as_they_stand() {
    let room = filled().await;
    let people = open_as_people_do(room.path());
    let queries: Vec<&str> = DATA_MODEL
        .split("```sql\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();

    assert!(queries.len() >= 5);
    for query in queries {
        let mut statement = people.prepare(query).unwrap();
        let n_rows = statement.query_map([], |_| Ok(())).unwrap().count();
        // The stories here are told of one day, which need not be in the last week.
        assert!(n_rows > 0 || query.contains("'now'"), "{query}");
    }
}

#[tokio::test]
async fn every_view_is_documented_column_by_column() {
    let room = filled().await;
    let people = open_as_people_do(room.path());
    let views: Vec<String> = people
        .prepare("SELECT name FROM sqlite_master WHERE type = 'view'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();

    for view in views {
        let section = DATA_MODEL
            .split("\n### ")
            .find(|section| {
                section
                    .lines()
                    .next()
                    .unwrap()
                    .split(", ")
                    .any(|name| name == view)
            })
            .unwrap_or_else(|| panic!("{view} has no section"));
        let statement = people.prepare(&format!("SELECT * FROM {view}")).unwrap();
        for column in statement.column_names() {
            assert!(section.contains(&format!("`{column}`")), "{view}.{column}");
        }
    }
}

#[tokio::test]
async fn every_table_is_named_in_the_documentation() {
    let room = filled().await;
    let people = open_as_people_do(room.path());
    let tables: Vec<String> = people
        .prepare(
            "SELECT name FROM sqlite_master
             WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();

    for table in tables {
        assert!(DATA_MODEL.contains(&format!("| `{table}` |")), "{table}");
    }
}

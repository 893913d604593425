//! PostgreSQL in particular: its tables, who may read and write, and what becomes of it.

use std::collections::BTreeSet;

use tokio::task::JoinSet;

use super::file::{WRITE_TO, acknowledged_polls_survive_kills, write_until_killed};
use super::*;
use crate::support::certificate::CERTIFICATE;
use crate::support::postgres::{GUARDED, Server, database};

const ALL: [Access; 3] = [Access::Daemon, Access::Command, Access::Reader];

fn settings(url: &str) -> Settings {
    Settings::Postgres(postgres_at(url))
}

fn n_tables(database: &Database) -> i64 {
    database.number("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
}

#[tokio::test]
async fn a_later_version_s_database_is_refused() {
    let Some(room) = Room::postgres().await else {
        return;
    };
    room.store.close().await.unwrap();
    let database = room.database.unwrap();
    database.ask("INSERT INTO wireroom_schema VALUES (999)");

    for access in ALL {
        let opened = Store::open(&room.settings, access).await;

        assert!(
            matches!(opened, Err(StoreError::Newer { found: 999, .. })),
            "{opened:?}"
        );
    }
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let Some(database) = database() else {
        return;
    };
    database.ask("CREATE TABLE guests (name TEXT)");

    for access in ALL {
        let opened = Store::open(&settings(&database.url()), access).await;

        assert!(
            matches!(opened, Err(StoreError::Corrupt { .. })),
            "{opened:?}"
        );
    }

    assert_eq!(n_tables(&database), 1);
}

#[tokio::test]
async fn a_reader_makes_no_tables() {
    let Some(database) = database() else {
        return;
    };

    let opened = Store::open(&settings(&database.url()), Access::Reader).await;

    assert!(
        matches!(opened, Err(StoreError::Missing { .. })),
        "{opened:?}"
    );
    assert_eq!(n_tables(&database), 0);
}

#[tokio::test]
async fn a_reader_reads_and_never_writes() {
    let Some(room) = Room::postgres().await else {
        return;
    };
    let id = fill(&room.store, 3).await;
    let reader = Store::open(&room.settings, Access::Reader).await.unwrap();

    assert_eq!(all(&reader).await.len(), 3);
    let noted = reader.set_note("a", "b").await;
    assert!(
        matches!(noted, Err(StoreError::Unwritable { .. })),
        "{noted:?}"
    );
    assert!(reader.retire(id, noon()).await.is_err());
    assert!(reader.sync_lists(Vec::new(), noon()).await.is_err());
    assert_eq!(feed(&room.store, id).await.state, FeedState::Ok);
}

#[tokio::test]
async fn a_command_makes_the_tables_when_no_worker_has() {
    let Some(database) = database() else {
        return;
    };

    let command = Store::open(&settings(&database.url()), Access::Command).await;
    subscribe(&command.unwrap(), listed("https://example.org/feed")).await;
    let worker = Store::open(&settings(&database.url()), Access::Daemon).await;

    assert_eq!(worker.unwrap().feeds().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_start_at_once_make_one_archive() {
    let Some(database) = database() else {
        return;
    };
    let settings = settings(&database.url());

    let opened = (0..8).map(|_| Store::open(&settings, Access::Daemon));
    let stores = futures_util::future::join_all(opened).await;

    let store = stores[0].as_ref().unwrap();
    assert!(stores.iter().all(Result::is_ok), "{stores:?}");
    let version = i64::from(store.status(noon()).await.unwrap().schema);
    let made = database.number("SELECT count(*) FROM wireroom_schema");
    let ids = database.number("SELECT count(*) FROM note WHERE name = 'store_id'");
    let shards = database.number("SELECT count(*) FROM shard");
    assert_eq!((made, ids, shards), (version, 1, 1024));
}

#[tokio::test]
async fn a_password_is_needed_where_the_server_says_so_and_never_shown() {
    let Some(database) = database() else {
        return;
    };
    let (user, password) = GUARDED;
    let given = |password: Option<&str>| PostgresSettings {
        password: password.map(str::to_owned),
        ..postgres_at(&database.url_as(user))
    };

    let with = Store::open(&Settings::Postgres(given(Some(password))), Access::Daemon).await;
    assert!(with.is_ok(), "{with:?}");
    for wrong in [None, Some("pa ss:w@rd")] {
        let settings = Settings::Postgres(given(wrong));
        let opened = Store::open(&settings, Access::Daemon).await;
        let Err(error @ StoreError::Unreachable { .. }) = opened else {
            panic!("{opened:?}");
        };
        for shown in [
            error.to_string(),
            format!("{error:?} {settings:?} {settings}"),
        ] {
            assert!(!shown.contains("pa ss:"), "{shown}");
            assert!(shown.contains(database.name()), "which database: {shown}");
        }
    }
    for shown in [format!("{with:?}"), format!("{:?}", given(Some(password)))] {
        assert!(!shown.contains("pa ss:"), "{shown}");
    }
}

#[tokio::test]
async fn a_password_in_the_url_is_taken_and_not_kept_there() {
    let Some(database) = database() else {
        return;
    };
    let guarded = database.url_as("guarded:pa%20ss%3Aw%40rd%2F%3F%23");

    let settings = Settings::Postgres(PostgresSettings::new(&guarded).unwrap());
    let opened = Store::open(&settings, Access::Command).await;

    assert!(opened.is_ok(), "{opened:?}");
    assert!(!format!("{settings} {settings:?}").contains("ss%3A"));
}

#[tokio::test]
async fn a_socket_of_the_machine_is_a_way_to_the_database() {
    let Some(database) = database() else {
        return;
    };
    let server = crate::support::postgres::server().unwrap();
    let (folder, port) = (server.socket_folder().display(), server.port());
    let name = database.name();
    let escaped = folder.to_string().replace('/', "%2F");

    for url in [
        format!("postgres:///{name}?host={folder}&port={port}&user=wireroom"),
        format!("postgresql://wireroom@{escaped}:{port}/{name}"),
    ] {
        let opened = Store::open(&settings(&url), Access::Command).await;
        assert!(opened.is_ok(), "{url}: {opened:?}");
    }
}

#[tokio::test]
async fn a_server_s_certificate_is_trusted_only_where_it_is_known() {
    let Some(database) = database() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, CERTIFICATE).unwrap();
    let url = |mode: &str| {
        database
            .url()
            .replace("sslmode=disable", &format!("sslmode={mode}"))
    };
    let opened = async |mode: &str, ca_file: Option<&Path>| {
        let settings = Settings::Postgres(PostgresSettings {
            ca_file: ca_file.map(Path::to_owned),
            ..postgres_at(&url(mode))
        });
        Store::open(&settings, Access::Command).await
    };

    for mode in ["require", "verify-full"] {
        let known = opened(mode, Some(&ca_file)).await;
        assert!(known.is_ok(), "{mode}: {known:?}");
        let unknown = opened(mode, None).await;
        assert!(
            matches!(unknown, Err(StoreError::Unreachable { .. })),
            "{mode}: {unknown:?}"
        );
    }
    let nobody_looks = opened("prefer", None).await;
    assert!(nobody_looks.is_ok(), "{nobody_looks:?}");
}

#[tokio::test]
async fn who_is_not_there_is_named_with_the_next_step() {
    let Some(database) = database() else {
        return;
    };
    let absent = database.url().replace(database.name(), "no_such_database");
    let closed = "postgres://wireroom@127.0.0.1:1/news?sslmode=disable";

    for (url, next_step) in [(absent.as_str(), "createdb"), (closed, "127.0.0.1:1")] {
        let opened = Store::open(&settings(url), Access::Daemon).await;
        let Err(error @ StoreError::Unreachable { .. }) = opened else {
            panic!("{opened:?}");
        };
        assert!(error.to_string().contains(next_step), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_went_away_is_missed_and_comes_back() {
    let Some(server) = Server::start() else {
        return;
    };
    let database = server.database();
    let settings = settings(&database.url());
    let store = Store::open(&settings, Access::Daemon).await.unwrap();
    let id = subscribe(&store, listed("https://example.org/feed")).await;
    poll(&store, id, vec![entry("https://example.org/a")]).await;
    let due = due_feed(&store, id).await;
    let second = || report(reading(vec![entry("https://example.org/b")]));

    server.stop();
    let asked = store.feeds().await;
    let recorded = store.record_poll(&due, second()).await;
    let opened = Store::open(&settings, Access::Command).await;
    server.start_again();

    for failed in [asked.map(|_| ()), recorded.map(|_| ()), opened.map(|_| ())] {
        assert!(
            matches!(failed, Err(StoreError::Unreachable { .. })),
            "{failed:?}"
        );
    }
    assert_eq!(all(&store).await.len(), 1, "what was acknowledged is there");
    let recorded = store.record_poll(&due, second()).await.unwrap();
    assert_eq!(recorded.n_new, 1);
    assert_eq!(feed(&store, id).await.article_count, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_lose_and_double_nothing() {
    let Some(room) = Room::postgres().await else {
        return;
    };
    for n in 0..200 {
        let url = format!("https://host{n}.example/feed");
        subscribe(&room.store, listed(&url)).await;
    }
    let due = room.store.due_feeds(&everything_due()).await.unwrap();
    let mut tasks = JoinSet::new();
    for due in due {
        let store = room.store.clone();
        tasks.spawn(async move {
            let own = entry(&format!("{}/own", due.url));
            let shared = entry("https://shared.example/story");
            let report = || report(reading(vec![own.clone(), shared.clone()]));
            while store.record_poll(&due, report()).await.is_err() {}
        });
    }

    let database = room.database.as_ref().unwrap();
    while let Some(recorded) = tasks.join_next().await {
        recorded.unwrap();
        if tasks.len().is_multiple_of(20) {
            database.disconnect_all();
        }
    }

    assert_eq!(room.store.status(noon()).await.unwrap().n_articles, 201);
    assert_eq!(room.number("SELECT count(*) FROM sighting"), 400);
    assert_eq!(room.store.due_feeds(&everything_due()).await.unwrap(), []);
    room.store.index().await.unwrap();
    assert_eq!(room.store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill() {
    let hasty = |url: &str| PostgresSettings {
        lease: Duration::from_secs(1),
        longest_exchange: Duration::from_millis(100),
        ..postgres_at(url)
    };
    if let Ok(url) = std::env::var(WRITE_TO) {
        return write_until_killed(Settings::Postgres(hasty(&url))).await;
    }
    let Some(database) = database() else {
        return;
    };
    let hasty = hasty(&database.url());
    let room = Room::of(database, hasty).await;
    let test = "database::what_was_acknowledged_survives_a_kill";
    acknowledged_polls_survive_kills(room, test).await;
}

/// The columns of each table or view, by its name.
type Columns = BTreeSet<(String, String)>;

async fn columns_of_sqlite(kind: &str) -> Columns {
    let room = Room::sqlite().await;
    let file = rusqlite::Connection::open(room.path()).unwrap();
    let sql = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
               WHERE m.type = ?1 AND m.name NOT LIKE 'sqlite_%'";
    let mut statement = file.prepare(sql).unwrap();
    let columns = statement.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)));
    columns.unwrap().collect::<Result<_, _>>().unwrap()
}

fn columns_of_postgres(database: &Database, kind: &str) -> Columns {
    let sql = format!(
        "SELECT c.table_name, c.column_name FROM information_schema.columns c
         JOIN information_schema.tables t USING (table_schema, table_name)
         WHERE table_schema = 'public' AND t.table_type = '{kind}'"
    );
    let columns = database.ask(&sql).into_iter();
    columns
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect()
}

#[tokio::test]
async fn people_see_the_same_views_on_both_backends() {
    let Some(room) = Room::postgres().await else {
        return;
    };
    fill(&room.store, 3).await;
    let database = room.database.as_ref().unwrap();

    let views = columns_of_postgres(database, "VIEW");

    assert_eq!(views, columns_of_sqlite("view").await);
    let names: BTreeSet<&String> = views.iter().map(|(view, _)| view).collect();
    assert!(names.len() >= 8, "{names:?}");
    for view in names {
        let n = database.ask(&format!("SELECT * FROM {view}")).len();
        assert!(
            n > 0 || matches!(view.as_str(), "authors" | "tags"),
            "{view}"
        );
    }
    let noon = "SELECT count(*) FROM articles WHERE first_seen = '2026-11-23T12:00:00Z'";
    assert_eq!(
        database.number(noon),
        3,
        "times are UTC, whatever the session's zone"
    );
}

#[tokio::test]
async fn the_tables_of_both_backends_have_the_same_columns() {
    let Some(room) = Room::postgres().await else {
        return;
    };
    let database = room.database.as_ref().unwrap();

    let here = columns_of_postgres(database, "BASE TABLE");
    let there = columns_of_sqlite("table").await;

    let missing: Vec<_> = there.difference(&here).collect();
    assert!(there.len() > 100, "the tables were not found");
    assert!(missing.is_empty(), "{missing:?}");
}

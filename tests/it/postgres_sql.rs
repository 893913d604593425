//! Our SQL for PostgreSQL keeps to what its distributed kin can do as well.
//!
//! Citus, CockroachDB and YugabyteDB speak the same protocol and lack, or make dear, some of
//! its constructs: what waits for one machine (sequences, notifications, locks of the
//! session), what hides work (triggers, cascades), what names a place on a disk (`ctid`).
//! All statements stand in the text of `src/store/postgres/`, so a test can read them.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Words that no statement has, each with the reason. A word that ends in `_` stands for all
/// that begin with it.
const FORBIDDEN: &[(&str, &str)] = &[
    (
        "listen",
        "CockroachDB and YugabyteDB have none; poll instead",
    ),
    ("unlisten", "see listen"),
    ("notify", "see listen"),
    ("pg_notify", "see listen"),
    (
        "pg_advisory_",
        "not in CockroachDB; a row and its epoch fence instead",
    ),
    ("pg_try_advisory_", "see pg_advisory_"),
    (
        "serial",
        "one counter for all machines; workers make the ids",
    ),
    ("bigserial", "see serial"),
    ("smallserial", "see serial"),
    ("serial8", "see serial"),
    ("identity", "see serial"),
    ("sequence", "see serial"),
    ("nextval", "see serial"),
    ("currval", "see serial"),
    ("lastval", "see serial"),
    ("setval", "see serial"),
    ("trigger", "hides work, and is not everywhere"),
    ("rule", "hides work"),
    ("cascade", "hides how many rows are touched"),
    ("ctid", "a place on one machine's disk"),
    ("xmin", "see ctid"),
    ("tableoid", "see ctid"),
    ("copy", "not inside a commit of many statements"),
    ("lock", "no locks of tables: YugabyteDB has none"),
    ("deferrable", "YugabyteDB has none"),
    ("deferred", "see deferrable"),
    ("exclude", "exclusion constraints need GiST"),
    ("gist", "not in CockroachDB and YugabyteDB"),
    ("inherits", "not in CockroachDB"),
    (
        "temp",
        "a session's tables do not outlive its pooled connection",
    ),
    ("temporary", "see temp"),
    ("unlogged", "lost with a crash"),
    ("extension", "must be installed by somebody else"),
    ("function", "code in the database has no tests of ours"),
    ("procedure", "see function"),
    ("plpgsql", "see function"),
    ("merge", "PostgreSQL 15 and later only"),
    ("domain", "not in CockroachDB"),
    (
        "isolation",
        "the epoch fences at every level; asking for one hides a mistake",
    ),
];

/// Tables that do not grow with the news. Their keys may begin with anything.
const SMALL: &[&str] = &["wireroom_schema", "feed", "note", "worker", "shard"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store")
}

fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// One text of SQL, and where it stands.
struct Sql {
    file: String,
    /// Without comments and quoted text, in lower case.
    code: String,
}

/// All SQL for PostgreSQL: files of SQL, and strings of the code that look like statements.
fn statements() -> Vec<Sql> {
    let folder = root().join("postgres");
    let mut found = Vec::new();
    for path in files_below(&folder, "sql") {
        found.push((path.clone(), fs::read_to_string(&path).unwrap()));
    }
    for path in files_below(&folder, "rs") {
        let code = fs::read_to_string(&path).unwrap();
        let tests = code.find("#[cfg(test)]\nmod ").unwrap_or(code.len());
        let literals = string_literals(&code[..tests]);
        let sql = literals.into_iter().filter(|text| is_sql(text));
        found.extend(sql.map(|text| (path.clone(), text)));
    }
    found
        .into_iter()
        .map(|(path, text)| Sql {
            file: path.strip_prefix(root()).unwrap().display().to_string(),
            code: bare(&text),
        })
        .collect()
}

/// The contents of all string literals of a Rust source, escapes left as they are.
fn string_literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '\'', '/', 'r']) {
        let (before, from) = rest.split_at(at);
        let is_inside_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        rest = if from.starts_with("//") {
            from.split_once('\n').map_or("", |(_, after)| after)
        } else if from.starts_with("/*") {
            from.split_once("*/").map_or("", |(_, after)| after)
        } else if let Some(raw) = raw_literal(from).filter(|_| !is_inside_word) {
            found.push(raw.0.to_owned());
            raw.1
        } else if let Some(inside) = from.strip_prefix('"') {
            let end = closing_quote(inside);
            found.push(inside[..end].to_owned());
            inside.get(end + 1..).unwrap_or("")
        } else if from.starts_with('\'') {
            after_quote(from)
        } else {
            &from[1..]
        };
    }
    found
}

/// The text of `r"..."` or `r#"..."#` at the start, and what follows it.
fn raw_literal(from: &str) -> Option<(&str, &str)> {
    let after = from.strip_prefix('r')?;
    let n_marks = after.len() - after.trim_start_matches('#').len();
    let inside = after[n_marks..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(n_marks));
    inside.split_once(&end)
}

/// Where the literal ends whose text begins here.
fn closing_quote(inside: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    inside.len()
}

/// What follows a character literal or the mark of a lifetime.
fn after_quote(from: &str) -> &str {
    let mut chars = from[1..].chars();
    match (chars.next(), chars.next()) {
        // The character after a backslash is never the end.
        (Some('\\'), Some(c)) => {
            let rest = &from[2 + c.len_utf8()..];
            rest.split_once('\'').map_or("", |(_, after)| after)
        }
        (Some(c), Some('\'')) => &from[2 + c.len_utf8()..],
        _ => &from[1..],
    }
}

/// Whether a text begins as statements and their parts do.
fn is_sql(text: &str) -> bool {
    let text = text.trim_start().to_lowercase();
    let first = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next();
    let begins_a_statement = matches!(
        first.unwrap_or_default(),
        "select"
            | "insert"
            | "update"
            | "delete"
            | "create"
            | "alter"
            | "drop"
            | "with"
            | "set"
            | "begin"
            | "commit"
            | "rollback"
            | "savepoint"
            | "lock"
            | "copy"
            | "listen"
            | "notify"
            | "unlisten"
            | "do"
            | "truncate"
            | "merge"
            | "call"
            | "grant"
            | "comment"
            | "values"
    );
    let has_a_clause = [
        " from ",
        " where ",
        " for update",
        " for share",
        " returning ",
    ];
    begins_a_statement || has_a_clause.iter().any(|clause| text.contains(clause))
}

/// SQL without comments, without quoted text, in lower case, with single spaces.
fn bare(sql: &str) -> String {
    let mut code = String::new();
    for line in sql.replace("\\n", "\n").lines() {
        code.push_str(line.split("--").next().unwrap_or_default());
        code.push(' ');
    }
    let unquoted: Vec<&str> = code.split('\'').step_by(2).collect();
    let words = unquoted.join("''").to_lowercase().replace('\\', " ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// What is wrong with one text of SQL.
fn faults(code: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for word in words(code) {
        let is_meant = |name: &str| match name.strip_suffix('_') {
            Some(_) => word.starts_with(name),
            None => word == name,
        };
        if let Some((name, reason)) = FORBIDDEN.iter().find(|(name, _)| is_meant(name)) {
            faults.push(format!("{name}: {reason}"));
        }
    }
    faults.extend(unordered_locks(code));
    faults
}

/// Rows that are locked by one statement are locked in an order, or they are one row: two
/// workers that lock the same rows in different orders wait for each other for ever.
fn unordered_locks(code: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for strength in [
        "for update",
        "for no key update",
        "for share",
        "for key share",
    ] {
        for (at, _) in code.match_indices(strength) {
            let select = own_select(&code[..at]);
            let is_one_row = select.contains("limit 1")
                || !["any", "in", "join", "unnest"]
                    .iter()
                    .any(|many| words(select).any(|word| word == *many))
                    && select.contains(" = $");
            if !select.contains("order by") && !is_one_row {
                faults.push(format!("{strength} without order by: {select}"));
            }
        }
    }
    faults
}

/// The innermost `select` that is still open at the end of this text.
fn own_select(before: &str) -> &str {
    let mut depth = 0;
    for (at, c) in before.char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' if depth == 0 => return &before[at + 1..],
            '(' => depth -= 1,
            's' if depth == 0 && before[at..].starts_with("select ") => return &before[at..],
            _ => {}
        }
    }
    before
}

/// A table as it is created.
#[derive(Debug)]
struct Table {
    name: String,
    /// The columns of its primary key and of each unique constraint.
    keys: Vec<Vec<String>>,
}

fn tables(code: &str) -> Vec<Table> {
    let starts: Vec<usize> = code
        .match_indices("create table ")
        .map(|(at, _)| at)
        .collect();
    let mut tables = Vec::new();
    for at in starts {
        let statement = code[at..].split(';').next().unwrap_or_default();
        let statement = statement.replace("if not exists ", "");
        let name = words(&statement).nth(2).unwrap_or_default().to_owned();
        let body = statement.split_once('(').map_or("", |(_, body)| body);
        let mut keys = Vec::new();
        for part in top_level_parts(body) {
            let is_key = part.contains("primary key") || words(part).any(|word| word == "unique");
            if is_key {
                keys.push(key_columns(part));
            }
        }
        tables.push(Table { name, keys });
    }
    tables
}

/// `PRIMARY KEY (a, b)` names its columns; `a BIGINT PRIMARY KEY` is one itself.
fn key_columns(part: &str) -> Vec<String> {
    let part = part.trim();
    if part.starts_with("primary key")
        || part.starts_with("unique")
        || part.starts_with("constraint")
    {
        let columns = part.split_once('(').map_or("", |(_, columns)| columns);
        return words(columns.split(')').next().unwrap_or_default())
            .map(str::to_owned)
            .collect();
    }
    words(part).take(1).map(str::to_owned).collect()
}

/// Cuts at the commas that stand in no further brackets.
fn top_level_parts(body: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut from) = (0, 0);
    for (at, c) in body.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => {
                parts.push(&body[from..at]);
                return parts;
            }
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&body[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&body[from..]);
    parts
}

/// Unique indexes: the table and the first columns.
fn unique_indexes(code: &str) -> Vec<Table> {
    code.match_indices("create unique index ")
        .map(|(at, _)| {
            let statement = code[at..].split(';').next().unwrap_or_default();
            let (_, place) = statement.split_once(" on ").unwrap();
            let columns = place.split_once('(').map_or("", |(_, columns)| columns);
            Table {
                name: words(place).next().unwrap_or_default().to_owned(),
                keys: vec![
                    words(columns.split(')').next().unwrap_or_default())
                        .map(str::to_owned)
                        .collect(),
                ],
            }
        })
        .collect()
}

#[test]
fn no_statement_needs_what_only_one_machine_can_do() {
    let statements = statements();
    let mut found = Vec::new();

    for sql in &statements {
        for fault in faults(&sql.code) {
            found.push(format!("{}: {fault}", sql.file));
        }
    }

    assert!(statements.len() >= 2, "the statements were not found");
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_key_of_a_table_that_grows_begins_with_the_shard() {
    let mut names = BTreeSet::new();
    let mut found = Vec::new();

    for sql in statements() {
        let tables = tables(&sql.code).into_iter();
        for table in tables.chain(unique_indexes(&sql.code)) {
            names.insert(table.name.clone());
            if SMALL.contains(&table.name.as_str()) {
                continue;
            }
            if table.keys.is_empty() {
                found.push(format!("{} has no key", table.name));
            }
            for key in table.keys {
                if key.first().is_none_or(|column| column != "shard") {
                    found.push(format!("{}: {key:?}", table.name));
                }
            }
        }
    }

    assert!(names.len() > 10, "the tables were not found: {names:?}");
    assert!(SMALL.iter().all(|name| names.contains(*name)), "{names:?}");
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn both_dialects_have_the_same_migrations() {
    let names = |dialect: &str| -> Vec<String> {
        files_below(&root().join(dialect).join("migrations"), "sql")
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect()
    };

    assert!(!names("sqlite").is_empty());
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn forbidden_constructs_are_seen_in_all_their_forms() {
    let seen = |sql: &str| faults(&bare(sql)).len();

    for (sql, expected) in [
        ("LISTEN news", 1),
        ("SELECT pg_try_advisory_xact_lock($1)", 1),
        ("CREATE TABLE a (id BIGSERIAL PRIMARY KEY)", 1),
        ("id BIGINT GENERATED ALWAYS AS IDENTITY", 1),
        (
            "DELETE FROM a WHERE ctid = ANY (ARRAY(SELECT ctid FROM a))",
            2,
        ),
        ("LOCK TABLE feed", 1),
        ("SELECT id FROM a WHERE id = ANY ($1) FOR UPDATE", 1),
        (
            "SELECT id FROM a WHERE id = ANY ($1) ORDER BY id FOR UPDATE",
            0,
        ),
        ("SELECT id FROM a WHERE id = $1 FOR UPDATE", 0),
        ("SELECT id FROM a WHERE b = 1 LIMIT 1 FOR SHARE", 0),
        (
            "UPDATE a SET b = 1 WHERE id IN (SELECT id FROM c WHERE d = ANY ($1) FOR UPDATE SKIP LOCKED)",
            1,
        ),
        (
            "UPDATE a SET b = 1 WHERE id IN (SELECT id FROM c ORDER BY id FOR UPDATE SKIP LOCKED)",
            0,
        ),
        ("SELECT 'listen', name FROM a -- notify nobody", 0),
        ("SELECT locked, copy_of FROM a WHERE listener = $1", 0),
    ] {
        assert_eq!(seen(sql), expected, "{sql}: {:?}", faults(&bare(sql)));
    }
}

#[test]
fn keys_are_seen_in_all_their_forms() {
    let sql = bare(
        "CREATE TABLE a (id BIGINT PRIMARY KEY, n NUMERIC(1, 2), u TEXT UNIQUE);
         CREATE TABLE b (shard SMALLINT, id BIGINT, PRIMARY KEY (shard, id), UNIQUE (id)) WITH (fillfactor = 80);
         CREATE UNIQUE INDEX c ON b (id, shard) WHERE n > 0;",
    );

    let all: Vec<_> = tables(&sql)
        .into_iter()
        .chain(unique_indexes(&sql))
        .map(|table| (table.name, table.keys))
        .collect();

    let key = |columns: &[&str]| columns.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        all,
        [
            ("a".to_owned(), vec![key(&["id"]), key(&["u"])]),
            ("b".to_owned(), vec![key(&["shard", "id"]), key(&["id"])]),
            ("b".to_owned(), vec![key(&["id", "shard"])]),
        ]
    );
}

#[test]
fn statements_are_found_among_all_other_text_of_a_source() {
    let code = r###"
        // a comment with "SELECT 1 FROM comment"
        /* and "SELECT 2 FROM comment" */
        const A: &str = "SELECT \"a\" FROM b";
        fn f<'a>(c: char) -> &'a str {
            if c == '"' || c == '\'' || c == '\\' || c == '\u{22}' { return "a message"; }
            r#"UPDATE "t" SET x = 1"#
        }
    "###;

    let found: Vec<_> = string_literals(code)
        .into_iter()
        .filter(|text| is_sql(text))
        .collect();

    assert_eq!(found, [r#"SELECT \"a\" FROM b"#, r#"UPDATE "t" SET x = 1"#]);
}

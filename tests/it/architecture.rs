//! The architecture as a test: who may import whom, and what may be used where.
//!
//! The table here is the authoritative one; ARCHITECTURE.md explains it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use wireroom::model::{ErrorKind, Retry};

/// Modules, lower layers first, each with what it may import from the crate.
const LAYERS: &[(&str, &[&str])] = &[
    // Layer 0: words that are shared.
    ("model", &[]),
    ("telemetry", &[]),
    ("ownership", &["model"]),
    // Layer 1: decides. Pure.
    ("extract", &[]),
    ("dedup", &[]),
    ("canonical", &["model"]),
    ("feed", &["model"]),
    ("feed_list", &["model"]),
    ("schedule", &["model"]),
    ("words", &[]),
    ("query", &["model", "words"]),
    ("discover", &["model", "feed", "canonical"]),
    // Layer 2: acts.
    ("fetch", &["model", "ownership"]),
    (
        "store",
        &[
            "model",
            "ownership",
            "extract",
            "dedup",
            "canonical",
            "feed",
            "feed_list",
            "schedule",
            "query",
            "words",
            "discover",
        ],
    ),
    // Layer 3: the main path, and the ways out.
    (
        "ingest",
        &[
            "model",
            "telemetry",
            "ownership",
            "extract",
            "dedup",
            "canonical",
            "feed",
            "feed_list",
            "schedule",
            "query",
            "words",
            "discover",
            "fetch",
            "store",
        ],
    ),
    ("export", &["model", "extract", "query", "store"]),
    // Layer 5: settings live with their reader; `config` composes them.
    (
        "config",
        &[
            "model",
            "telemetry",
            "feed_list",
            "schedule",
            "fetch",
            "store",
            "ingest",
        ],
    ),
    // Layer 6: everything below.
    (
        "daemon",
        &[
            "model",
            "telemetry",
            "ownership",
            "extract",
            "dedup",
            "canonical",
            "feed",
            "feed_list",
            "schedule",
            "query",
            "words",
            "discover",
            "fetch",
            "store",
            "ingest",
            "export",
            "config",
        ],
    ),
];

/// Modules that decide: no I/O, no clock, no `async`, no logging.
const PURE: &[&str] = &[
    "extract",
    "dedup",
    "canonical",
    "feed",
    "feed_list",
    "schedule",
    "query",
    "words",
    "discover",
];

/// What a pure module must not mention.
const IMPURE: &[&str] = &[
    "async fn",
    "tokio",
    "tracing",
    "std::fs",
    "std::env",
    "std::io::std",
    "std::process",
    "std::thread",
    "TcpStream",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "println!",
];

/// Libraries that one module hides from all others.
const HIDDEN: &[(&str, &[&str])] = &[
    ("reqwest", &["fetch"]),
    ("rustls", &["fetch", "store"]),
    ("rusqlite", &["store"]),
    ("feed_rs", &["feed"]),
    ("scraper", &["extract"]),
    ("ego_tree", &["extract"]),
    ("ammonia", &["extract"]),
    ("sd_notify", &["telemetry"]),
    ("indicatif", &["telemetry"]),
    ("tracing_subscriber", &["telemetry"]),
    ("glob", &["config"]),
    ("anyhow", &["main", "cli"]),
    ("clap", &["cli"]),
];

/// What begins a statement of SQL, as we write it.
const SQL: &[&str] = &[
    "SELECT ",
    "INSERT INTO",
    "INSERT OR",
    "UPDATE OR",
    "DELETE FROM",
    "CREATE TABLE",
    "PRAGMA ",
    "BEGIN IMMEDIATE",
];

/// One source file, without comments and without its unit tests.
struct Source {
    /// Its path below `src/`.
    path: String,
    /// Module names from the crate's root to the file.
    module: Vec<String>,
    code: String,
}

impl Source {
    /// The module of the crate that it belongs to.
    fn top(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All source files, in the order of their paths.
fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(source(&path));
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(sources.len() > 20, "the source files were not found");
    sources
}

fn source(file: &Path) -> Source {
    let path = file.strip_prefix(root()).unwrap().to_str().unwrap();
    let module = path
        .trim_end_matches(".rs")
        .split('/')
        .filter(|name| !matches!(*name, "mod" | "lib"))
        .map(str::to_owned)
        .collect();
    Source {
        path: path.to_owned(),
        module,
        code: without_tests_and_comments(&fs::read_to_string(file).unwrap()),
    }
}

fn without_tests_and_comments(text: &str) -> String {
    let tests = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..tests]
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| line.split_once(" // ").map_or(line, |(code, _)| code))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The modules of the crate that a file names, by `crate::` or by enough `super::`.
fn imports(source: &Source) -> BTreeSet<String> {
    let to_root = "super::".repeat(source.module.len());
    let mut found = BTreeSet::new();
    for prefix in ["crate::", to_root.as_str()] {
        if prefix.is_empty() {
            continue;
        }
        for (at, _) in source.code.match_indices(prefix) {
            let is_longer = source.code[..at].ends_with("super::")
                || source.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if !is_longer {
                found.extend(names(&source.code[at + prefix.len()..]));
            }
        }
    }
    let is_module = |name: &String| LAYERS.iter().any(|(module, _)| module == name);
    found.retain(|name| is_module(name) && name != source.top());
    found
}

/// The first name of each path that begins here: one, or those of a `{…}` group.
fn names(text: &str) -> Vec<String> {
    let Some(group) = text.strip_prefix('{') else {
        return vec![first_name(text)];
    };
    let mut depth = 0;
    let mut names = Vec::new();
    let mut item = String::new();
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => names.push(first_name(&std::mem::take(&mut item))),
            '{' => depth += 1,
            '}' => depth -= 1,
            c => item.push(c),
        }
    }
    names.push(first_name(&item));
    names
}

fn first_name(text: &str) -> String {
    text.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// Whether a path that begins with the crate `name` occurs.
fn mentions_crate(code: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    code.match_indices(&format!("{name}::"))
        .any(|(at, _)| !code[..at].ends_with(is_word))
        || code.contains(&format!("use {name};"))
}

#[test]
fn modules_import_only_from_the_layers_below_them() {
    let allowed: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut violations = Vec::new();

    for source in sources() {
        let Some(allowed) = allowed.get(source.top()) else {
            continue;
        };
        for name in imports(&source) {
            if !allowed.contains(&name.as_str()) {
                violations.push(format!("{} imports {name}", source.path));
            }
        }
    }

    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn the_table_of_layers_has_every_module_and_no_ring() {
    let modules: BTreeSet<String> = sources()
        .iter()
        .map(|source| source.top().to_owned())
        .filter(|name| !matches!(name.as_str(), "lib" | "main" | "cli"))
        .collect();
    let listed: BTreeSet<String> = LAYERS.iter().map(|(name, _)| (*name).to_owned()).collect();

    assert_eq!(modules, listed);
    for (at, (module, allowed)) in LAYERS.iter().enumerate() {
        for name in *allowed {
            let is_below = LAYERS[..at].iter().any(|(below, _)| below == name);
            assert!(
                is_below,
                "{module} may import {name}, which is not below it"
            );
        }
    }
}

#[test]
fn imports_are_seen_in_all_their_forms() {
    let source = Source {
        path: "feed/dates.rs".into(),
        module: vec!["feed".into(), "dates".into()],
        code: "use crate::{\n    fetch::{A, B},\n    ingest,\n};\nuse super::super::store;\nfn f() { crate::config::load(); super::parse(); }\npub(crate) fn g() {}".into(),
    };

    let found: Vec<String> = imports(&source).into_iter().collect();

    assert_eq!(found, ["config", "fetch", "ingest", "store"]);
}

#[test]
fn the_binary_sees_only_the_public_face() {
    for source in sources() {
        if matches!(source.top(), "main" | "cli") {
            assert!(
                imports(&source).is_empty(),
                "{} reaches into the library",
                source.path
            );
        }
    }
}

#[test]
fn each_hidden_library_is_used_by_its_module_alone() {
    let mut violations = Vec::new();

    for source in sources() {
        for (library, owners) in HIDDEN {
            if !owners.contains(&source.top()) && mentions_crate(&source.code, library) {
                violations.push(format!("{} uses {library}", source.path));
            }
        }
    }

    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn sql_is_in_the_store_and_nowhere_else() {
    for source in sources() {
        if source.top() == "store" {
            continue;
        }
        for statement in SQL {
            assert!(
                !source.code.contains(statement),
                "{} contains {statement:?}",
                source.path
            );
        }
    }
}

#[test]
fn pure_modules_do_no_io_and_read_no_clock() {
    let mut violations = Vec::new();

    for source in sources() {
        if !PURE.contains(&source.top()) {
            continue;
        }
        for word in IMPURE {
            if source.code.contains(word) {
                violations.push(format!("{} mentions {word}", source.path));
            }
        }
    }

    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn the_documentation_has_every_kind_of_failure_as_the_program_has_it() {
    let page = errors_page("## Failures of feeds and pages");
    for kind in ErrorKind::ALL {
        let retry = match kind.page_retry() {
            Retry::BackOff => "later",
            Retry::Daily => "daily",
            Retry::Never => "no",
        };
        let row = format!(
            "| `{kind}` | {} | {retry} | {} |",
            kind.meaning(),
            kind.remedy()
        );
        assert!(page.contains(&row), "docs/errors.md lacks:\n{row}");
    }
    assert_eq!(documented_kinds(&page).len(), ErrorKind::ALL.len());
}

#[test]
fn the_documentation_has_every_error_of_configuration_and_store() {
    let config = errors_page("## Errors of the configuration");
    let store = errors_page("## Errors of the store");

    assert_eq!(
        documented_kinds(&config),
        variants("config/mod.rs", "ConfigError")
    );
    assert_eq!(
        documented_kinds(&store),
        variants("store/mod.rs", "StoreError")
    );
}

#[test]
fn the_documentation_has_every_field_of_the_log_and_no_other() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let page = fs::read_to_string(file).unwrap();
    let (_, table) = page.split_once("\n| field |").unwrap();
    let table = &table[..table.find("\n\n").unwrap()];
    let logged: BTreeSet<String> = sources()
        .iter()
        .flat_map(|source| log_fields(&source.code))
        .collect();

    assert_eq!(documented_kinds(table), logged);
}

#[test]
fn fields_of_log_lines_are_seen_in_all_their_forms() {
    let code = "info!(feed.url = %url, n_new, ?outcome, error.detail = %show(a, b), \"x {url}: {n}\", n = 1); warn!(\"only {words}\", words = f(\")\")); debug!(target: \"t\", %host, \"m\");";

    let found: Vec<String> = log_fields(code).into_iter().collect();

    assert_eq!(
        found,
        ["error.detail", "feed.url", "host", "n_new", "outcome"]
    );
}

/// The names of the fields in all log macros of a file.
fn log_fields(code: &str) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for level in ["error", "warn", "info", "debug", "trace"] {
        for (at, opened) in code.match_indices(&format!("{level}!(")) {
            for argument in arguments_before_the_message(&code[at + opened.len()..]) {
                let name = argument.split('=').next().unwrap_or_default();
                let name = name.trim().trim_start_matches(['%', '?']);
                if !name.is_empty() && !argument.trim_start().starts_with("target:") {
                    fields.insert(name.to_owned());
                }
            }
        }
    }
    fields
}

/// The arguments of a log macro up to its message, which is the first that is a string.
fn arguments_before_the_message(text: &str) -> Vec<String> {
    let mut arguments = vec![String::new()];
    let mut depth = 0;
    let mut in_string = false;
    for c in text.chars() {
        let argument = arguments.last_mut().expect("there is always one");
        match c {
            '"' if !in_string && depth == 0 && argument.trim().is_empty() => {
                arguments.pop();
                return arguments;
            }
            '"' => in_string = !in_string,
            '(' | '[' | '{' if !in_string => depth += 1,
            ')' if !in_string && depth == 0 => return arguments,
            ')' | ']' | '}' if !in_string => depth -= 1,
            ',' if !in_string && depth == 0 => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        argument.push(c);
    }
    arguments
}

#[test]
fn every_link_of_the_documentation_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut broken = Vec::new();
    let mut n_links = 0;

    for page in [root.to_owned(), root.join("docs"), root.join("docs/adr")]
        .iter()
        .flat_map(|folder| pages(folder))
    {
        for link in links(&fs::read_to_string(&page).unwrap()) {
            n_links += 1;
            if !leads_somewhere(&page, &link) {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }

    assert!(broken.is_empty(), "{broken:#?}");
    assert!(n_links > 10, "{n_links} links were found");
}

/// The Markdown files in a folder; none if it does not exist.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// The targets of links within the repository, code left out.
fn links(page: &str) -> Vec<String> {
    let mut in_fence = false;
    let mut found = Vec::new();
    for line in page.lines() {
        in_fence ^= line.trim_start().starts_with("```");
        if in_fence {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect();
        for part in prose.split("](").skip(1) {
            let target = part.split(')').next().unwrap_or_default();
            if !target.contains("://") && !target.starts_with("mailto:") {
                found.push(target.to_owned());
            }
        }
    }
    found
}

fn leads_somewhere(page: &Path, link: &str) -> bool {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() {
        page.to_owned()
    } else {
        page.with_file_name(file)
    };
    if anchor.is_empty() || !target.is_file() {
        return target.exists();
    }
    let text = fs::read_to_string(&target).unwrap();
    text.lines()
        .filter(|line| line.starts_with('#'))
        .any(|line| anchor_of(line) == anchor)
}

/// The anchor of a heading, as the usual renderers make it.
fn anchor_of(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// One section of docs/errors.md.
fn errors_page(heading: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
    let page = fs::read_to_string(file).unwrap();
    let heading = format!("\n{heading}\n");
    let (_, section) = page.split_once(&heading).unwrap();
    let end = section.find("\n## ").unwrap_or(section.len());
    section[..end].to_owned()
}

/// The kinds that the tables of a section explain.
fn documented_kinds(section: &str) -> BTreeSet<String> {
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(kind, _)| kind.to_owned())
        .collect()
}

/// The variants of an enum, in lower case with underscores.
fn variants(file: &str, name: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let opened = format!("pub enum {name} {{\n");
    let (_, body) = text.split_once(&opened).unwrap();
    let body = &body[..body.find("\n}").unwrap()];
    body.lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| snake_case(&first_name(line)))
        .collect()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

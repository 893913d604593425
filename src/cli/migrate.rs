//! `wireroom migrate`: a whole archive moves to another database.

use serde_json::json;
use wireroom::config::Config;
use wireroom::store::{MovedArchive, PostgresSettings, Progress, Settings, Step, Store};
use wireroom::telemetry::TaskLine;

use super::output;
use super::{Context, Exit, UsageError};

const EXAMPLES: &str = "\
Every row goes along with its id: exports of the two archives are the same, byte for byte.
Stop the daemon and all workers first. What was broken off goes on when it is started again.
The source stays as it is. Then let `[store] url` name the target.

A password is taken from the URL, else from WIREROOM_STORE_PASSWORD, else from the
configuration when that names the same database.

Examples:
  wireroom migrate --to postgres://wireroom@db.example/wireroom
  wireroom migrate --from sqlite:wireroom.db --to postgres://wireroom@db.example/wireroom
  wireroom migrate --from postgres://wireroom@db.example/wireroom --to sqlite:copy.db";

/// Copy the whole archive to another database, ids and all
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Where the archive is: `sqlite:PATH` or `postgres://...`; the configuration's by default
    #[arg(long, value_name = "URL")]
    from: Option<String>,

    /// Where it is copied to: an empty database, or a file that is not there
    #[arg(long, value_name = "URL")]
    to: String,

    /// Print what was copied as one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let from = match &args.from {
        Some(url) => place("--from", url, &config)?,
        None => config.store.clone(),
    };
    let to = place("--to", &args.to, &config)?;
    let line = match context.quiet {
        true => TaskLine::silent(),
        false => TaskLine::start(),
    };
    let moved = context
        .runtime()?
        .block_on(Store::move_archive(&from, &to, |progress| {
            show(&line, progress)
        }));
    drop(line);
    tell(&moved?, &to, args, context)?;
    Ok(Exit::Success)
}

/// The store that a URL names.
fn place(flag: &str, url: &str, config: &Config) -> anyhow::Result<Settings> {
    let wrong = |reason: String| UsageError(format!("{flag} {reason}"));
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    match scheme {
        "sqlite" if rest.is_empty() || rest.contains('?') => {
            Err(wrong("must name a file: `sqlite:PATH`, without parameters".to_owned()).into())
        }
        "sqlite" => Ok(Settings::Sqlite(
            rest.strip_prefix("//").unwrap_or(rest).into(),
        )),
        "postgres" | "postgresql" => {
            let named = PostgresSettings::new(url).map_err(wrong)?;
            Ok(Settings::Postgres(completed(named, config)))
        }
        _ => Err(wrong("must begin with `sqlite:` or `postgres:`".to_owned()).into()),
    }
}

/// The same with a password and certificates, where they are known.
fn completed(named: PostgresSettings, config: &Config) -> PostgresSettings {
    match &config.store {
        Settings::Postgres(known) if known.url == named.url => PostgresSettings {
            password: named.password.or_else(|| known.password.clone()),
            ..known.clone()
        },
        _ => PostgresSettings {
            password: named
                .password
                .or_else(|| std::env::var("WIREROOM_STORE_PASSWORD").ok()),
            ca_file: config.database.ca_file.clone(),
            ..named
        },
    }
}

fn show(line: &TaskLine, progress: Progress) {
    let doing = match progress.step {
        Step::Copy(table) => format!("copying {table}"),
        Step::Compare(table) => format!("comparing {table}"),
    };
    line.show(progress.n_done, progress.n_total, doing);
}

fn tell(moved: &MovedArchive, to: &Settings, args: &Args, context: &Context) -> anyhow::Result<()> {
    if args.json {
        let tables: serde_json::Map<String, serde_json::Value> = moved
            .tables
            .iter()
            .map(|(table, n_rows)| ((*table).to_owned(), json!(n_rows)))
            .collect();
        return Ok(output::json(
            &json!({"to": to.to_string(), "rows": tables}),
        )?);
    }
    let n_of = |table| {
        let found = moved.tables.iter().find(|(name, _)| *name == table);
        found.map_or(0, |(_, n_rows)| *n_rows)
    };
    context.say(format_args!(
        "{} and {} copied to {to}, and compared",
        output::counted(n_of("article"), "article"),
        output::counted(n_of("feed"), "feed"),
    ));
    context.say(format_args!(
        "next: let `[store] url` be \"{to}\"; the search index is made anew by `wireroom run`"
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(url: &str) -> anyhow::Result<Settings> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wireroom.toml");
        std::fs::write(&file, "").unwrap();
        place("--to", url, &wireroom::config::load(Some(&file)).unwrap())
    }

    #[test]
    fn a_url_names_a_file_or_a_database() {
        assert_eq!(
            named("sqlite:/srv/news.db").unwrap(),
            Settings::Sqlite("/srv/news.db".into())
        );
        let Settings::Postgres(settings) = named("postgres://u:secret@h/db").unwrap() else {
            panic!("a database");
        };
        assert_eq!(settings.password.as_deref(), Some("secret"));
        assert!(!settings.url.contains("secret"));
    }

    #[test]
    fn what_is_no_store_is_refused() {
        for url in [
            "news.db",
            "sqlite:",
            "sqlite:a?mode=ro",
            "mysql://h/db",
            "postgres://:x",
        ] {
            let error = named(url).unwrap_err();
            assert!(error.to_string().starts_with("--to "), "{error}");
        }
    }
}

//! `wireroom config`: what is in force, who said so, and what is wrong with it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use wireroom::config::{self, ConfigError, Environment, Examined, Lists, Origin, Setting};

use super::{Context, Exit, output};

const CHECK_EXAMPLES: &str = "\
Exit code 0 when all is right, 78 when something is wrong; advice changes neither.

Examples:
  wireroom config check
  wireroom --config new.toml config check
  wireroom config check --json";

const SHOW_EXAMPLES: &str = "\
Examples:
  wireroom config show
  wireroom config show --origin
  wireroom config show --json";

const EXAMPLES: &str = "\
Documentation: docs/configuration.md

Examples:
  wireroom config check
  wireroom config show --origin";

/// Look into the configuration: `check` finds what is wrong, `show` tells what is in force
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Find everything that is wrong or unwise, in the configuration and in the feed lists
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        /// Print the findings as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show the effective configuration as TOML; passwords as ***
    #[command(after_help = SHOW_EXAMPLES)]
    Show {
        /// Say of each value who set it: a line of the file, a variable, or nobody
        #[arg(long)]
        origin: bool,
        /// Print one JSON object instead of TOML
        #[arg(long)]
        json: bool,
    },
}

/// Runs `wireroom config`.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let examined = config::examine(context.config_path.as_deref(), &Environment::of_process());
    match args.command {
        Command::Check { json } => check(&examined, context, json),
        Command::Show { origin, json } => {
            fail(examined.errors.clone())?;
            if json {
                output::json(&show_json(&examined, origin))?;
            } else {
                show(&examined, origin)?;
            }
            Ok(Exit::Success)
        }
    }
}

/// Prints all errors but the last and returns that, so that each is printed once.
pub(super) fn fail(mut errors: Vec<ConfigError>) -> Result<(), ConfigError> {
    let last = errors.pop();
    for error in errors {
        output::complain(error);
    }
    last.map_or(Ok(()), Err)
}

fn check(examined: &Examined, context: &Context, json: bool) -> anyhow::Result<Exit> {
    let mut errors = examined.errors.clone();
    let mut lists = Lists::default();
    let mut advice = Vec::new();
    // Lists of a configuration that is wrong may not be the lists that are meant.
    if errors.is_empty() {
        (lists, errors) = config::examine_lists(&examined.config);
        advice = config::check(&examined.config);
    }
    if json {
        output::json(&check_json(examined, &lists, &errors, &advice))?;
    } else {
        for notice in &lists.notices {
            context.say(format_args!("left out: {}", output::clean(notice)));
        }
        for sentence in &advice {
            context.say(format_args!("advice: {}", output::clean(sentence)));
        }
    }
    fail(errors)?;
    if !json {
        context.say(format_args!(
            "{}: right; {} in {}",
            named(examined),
            counted(lists.n_feeds(), "feed"),
            counted(lists.sources.len(), "list")
        ));
    }
    Ok(Exit::Success)
}

/// A number with its noun: `1 list`, `2 lists`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// The configuration file, or that there is none.
fn named(examined: &Examined) -> String {
    match &examined.config.file {
        Some(file) => output::clean(&file.to_string_lossy()).into_owned(),
        None => "no configuration file found, the defaults".to_owned(),
    }
}

fn check_json(
    examined: &Examined,
    lists: &Lists,
    errors: &[ConfigError],
    advice: &[String],
) -> Value {
    let sources: Vec<Value> = lists
        .sources
        .iter()
        .map(|source| json!({"file": source.file, "feeds": source.feeds.len()}))
        .collect();
    json!({
        "file": examined.config.file,
        "ok": errors.is_empty(),
        "errors": errors.iter().map(error_json).collect::<Vec<_>>(),
        "advice": advice,
        "left_out": lists.notices,
        "lists": sources,
    })
}

fn error_json(error: &ConfigError) -> Value {
    match error {
        ConfigError::Read { file, reason } => json!({
            "kind": error.kind(), "file": file, "reason": reason,
        }),
        ConfigError::Wrong {
            file,
            line,
            column,
            reason,
        } => json!({
            "kind": error.kind(), "file": file, "line": line, "column": column, "reason": reason,
        }),
        ConfigError::Environment { name, reason } => json!({
            "kind": error.kind(), "variable": name, "reason": reason,
        }),
    }
}

/// The configuration as TOML, each section in one block.
fn show(examined: &Examined, origin: bool) -> anyhow::Result<()> {
    output::line(format_args!("# {}", named(examined)))?;
    let mut section = "";
    for setting in examined.config.settings() {
        if setting.section != section {
            section = setting.section;
            output::line(format_args!("\n[{section}]"))?;
        }
        let value = match &setting.value {
            Some(value) => format!("{} = {value}", setting.name),
            None => format!("# {} is not set", setting.name),
        };
        let value = output::clean(&value).into_owned();
        if origin {
            let origin = output::clean(&origin_of(&setting, &examined.origins)).into_owned();
            output::line(format_args!("{value:<40} # {origin}"))?;
        } else {
            output::line(value)?;
        }
    }
    Ok(())
}

fn origin_of(setting: &Setting, origins: &BTreeMap<String, Origin>) -> String {
    origins
        .get(&setting.path())
        .map_or_else(|| "default".to_owned(), ToString::to_string)
}

/// The configuration as one object: sections as objects, values as in TOML.
fn show_json(examined: &Examined, origin: bool) -> Value {
    let mut all = Map::new();
    let mut origins = Map::new();
    all.insert("file".to_owned(), json!(examined.config.file));
    for setting in examined.config.settings() {
        let value = json!(setting.value);
        origins.insert(
            setting.path(),
            origin_of(&setting, &examined.origins).into(),
        );
        if setting.section.is_empty() {
            all.insert(setting.name.to_owned(), value);
            continue;
        }
        let section = all
            .entry(setting.section)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(section) = section {
            section.insert(setting.name.to_owned(), value);
        }
    }
    if origin {
        all.insert("origins".to_owned(), Value::Object(origins));
    }
    Value::Object(all)
}

//! The command line: one file per command.
//!
//! Data goes to stdout, words to stderr. Text from outside that people see goes through
//! [`output::clean`]. Exit codes are those of [`exit_code`] and of `docs/commands.md`.

pub(crate) mod output;

mod context;
mod names;
mod paging;
mod query_args;
mod snippet;

mod run;

mod export_opml;
mod feed;
mod import;
mod reload;

mod export;
mod list;
mod search;
mod show;

mod backup;
mod doctor;
mod migrate;
mod status;
mod worker;

mod discover;
mod extract;
mod parse;
mod requests;
mod source;

mod completions;
mod config;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use wireroom::config::ConfigError;
use wireroom::daemon::DaemonError;
use wireroom::query::SearchError;
use wireroom::telemetry;

pub(crate) use context::Context;

const EXAMPLES: &str = "\
`wireroom COMMAND --help` tells more of each command, with examples.

Examples:
  wireroom feed add https://www.themoscowtimes.com
  wireroom run
  wireroom search taliban site:themoscowtimes.com
  wireroom export --format markdown --output articles
  wireroom feed add --help";

/// Heading of the flags that every command has.
const EVERYWHERE: &str = "Options of every command";

/// Collects the news: polls feeds, scrapes the articles that they announce, and keeps each
/// once, with its original URL, in a database that answers
#[derive(Debug, Parser)]
#[command(name = "wireroom", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    // The variable is read where the configuration is looked for: clap would take an empty
    // one for a faulty flag.
    /// Read this configuration instead of searching for one [env: WIREROOM_CONFIG]
    #[arg(long, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    config: Option<PathBuf>,

    /// Form of log lines, whatever the configuration says
    #[arg(long, global = true, value_name = "FORM", help_heading = EVERYWHERE)]
    log: Option<LogForm>,

    /// Log more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = EVERYWHERE)]
    verbose: u8,

    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = EVERYWHERE)]
    quiet: bool,

    #[command(subcommand)]
    command: Command,
}

/// `--log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogForm {
    // Comments and not documentation: clap would spread the help over many lines.
    // For people.
    Text,
    // One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Collect the news: poll feeds, scrape articles, until told to stop
    Run(run::Args),
    /// Add, list, show, remove, pause, resume or poll feeds
    Feed(feed::Args),
    /// Subscribe to all feeds of a list: OPML, TOML or plain text
    Import(import::Args),
    /// Write the subscriptions as OPML
    ExportOpml(export_opml::Args),
    /// Make the running daemon read its configuration and feed lists again
    Reload(reload::Args),
    /// Find articles by words, newest first or best first
    Search(search::Args),
    /// List the newest articles
    List(list::Args),
    /// Show one article
    Show(show::Args),
    /// Write articles as JSON Lines, Markdown or CSV
    Export(export::Args),
    /// Tell what the archive holds, what is due, and what fails and why
    Status(status::Args),
    /// List the workers that share a database, or let one end
    Worker(worker::Args),
    /// Check configuration, store, clock, certificates and network, and say what to do
    Doctor(doctor::Args),
    /// Copy the archive to a file while everything goes on
    Backup(backup::Args),
    /// Copy the whole archive to another database, ids and all
    Migrate(migrate::Args),
    /// Look into the configuration
    Config(config::Args),
    /// Show what a feed document says
    Parse(parse::Args),
    /// Show the feeds that a page names
    Discover(discover::Args),
    /// Show the article in a page
    Extract(extract::Args),
    /// Print the completions of a shell
    Completions(completions::Args),
    /// Print the manual page, or write all of them to a folder
    Man(completions::ManArgs),
}

impl Command {
    fn run(&self, context: &Context) -> anyhow::Result<Exit> {
        match self {
            Self::Run(args) => run::run(args, context),
            Self::Feed(args) => feed::run(args, context),
            Self::Import(args) => import::run(args, context),
            Self::ExportOpml(args) => export_opml::run(args, context),
            Self::Reload(args) => reload::run(args, context),
            Self::Search(args) => search::run(args, context),
            Self::List(args) => list::run(args, context),
            Self::Show(args) => show::run(args, context),
            Self::Export(args) => export::run(args, context),
            Self::Status(args) => status::run(args, context),
            Self::Worker(args) => worker::run(args, context),
            Self::Doctor(args) => doctor::run(args, context),
            Self::Backup(args) => backup::run(args, context),
            Self::Migrate(args) => migrate::run(args, context),
            Self::Config(args) => config::run(args, context),
            Self::Parse(args) => parse::run(args, context),
            Self::Discover(args) => discover::run(args, context),
            Self::Extract(args) => extract::run(args, context),
            Self::Completions(args) => completions::run(args, context),
            Self::Man(args) => completions::man(args, context),
        }
    }
}

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Success,
    /// Done, and the answer is: nothing.
    NothingFound,
    /// Some of it failed; the command has said what.
    Failed,
    /// It failed with this exit code, and the log has said why.
    Logged(u8),
}

/// A command line that clap takes and the command does not: shown as such, exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// Runs the command that the arguments of the process name.
pub(crate) fn main() -> ExitCode {
    let arguments = query_args::shield_exclusions(std::env::args_os().collect());
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let context = Context::new(&cli);
    let code = match start_log(&cli, &context).and_then(|()| cli.command.run(&context)) {
        Ok(Exit::Success) => 0,
        Ok(Exit::NothingFound | Exit::Failed) => 1,
        Ok(Exit::Logged(code)) => code,
        Err(error) => report(&error),
    };
    ExitCode::from(code)
}

/// Starts the log where a person asked for it; `run` starts its own, by the configuration.
fn start_log(cli: &Cli, context: &Context) -> anyhow::Result<()> {
    if context.verbose > 0 && !matches!(cli.command, Command::Run(_)) {
        let settings = telemetry::Settings {
            format: context.log.unwrap_or_default(),
            level: None,
        };
        telemetry::init(&settings, context.verbosity())?;
    }
    Ok(())
}

/// Help and version go to stdout with 0, misuse to stderr with 2.
fn usage(error: &clap::Error) -> ExitCode {
    // A closed pipe is no reason to complain.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { EX_USAGE } else { 0 })
}

/// Wrong usage: clap's own code.
const EX_USAGE: u8 = 2;

/// A configuration that cannot be used (sysexits.h).
const EX_CONFIG: u8 = 78;

/// Prints an error once, with all its causes, and gives its exit code.
fn report(error: &anyhow::Error) -> u8 {
    if error.chain().any(output::is_closed_pipe) {
        return 0;
    }
    output::complain(format_args!("{error:#}"));
    exit_code(error)
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if error.chain().any(is_configuration) {
        EX_CONFIG
    } else if error
        .chain()
        .any(|cause| cause.is::<SearchError>() || cause.is::<UsageError>())
    {
        EX_USAGE
    } else {
        1
    }
}

/// Whether the configuration is at fault. An error that passes on another one's words stands
/// in its place in the chain.
fn is_configuration(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.is::<ConfigError>() || matches!(cause.downcast_ref(), Some(DaemonError::Config(_)))
}

/// The whole command line, for completions and manual pages.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// The arguments as clap would see them, for tests of single commands.
#[cfg(test)]
pub(crate) fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
    let arguments = arguments.iter().map(std::ffi::OsString::from).collect();
    Cli::try_parse_from(query_args::shield_exclusions(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All commands below `command`, each with its words.
    fn all(command: &clap::Command, path: &[String], found: &mut Vec<(String, clap::Command)>) {
        for below in command.get_subcommands() {
            let mut path = path.to_vec();
            path.push(below.get_name().to_owned());
            found.push((path.join(" "), below.clone()));
            all(below, &path, found);
        }
    }

    fn examples(command: &clap::Command) -> Vec<String> {
        let help = command.get_after_help().map(ToString::to_string);
        help.unwrap_or_default()
            .lines()
            .filter_map(|line| line.strip_prefix("  wireroom "))
            .map(|line| format!("wireroom {line}"))
            .collect()
    }

    /// The words of the first command in a line of shell, without redirections.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for c in line.chars() {
            match (quote, c) {
                (None, '|' | '>' | '<' | '#' | '&' | ';') => break,
                (None, ' ') => words.push(String::new()),
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), c) if c == open => quote = None,
                (_, c) => words.last_mut().unwrap().push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn the_definition_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_command_of_this_folder_has_examples_that_parse() {
        let mut commands = vec![(String::new(), command())];
        all(&command(), &[], &mut commands);

        for (name, command) in commands {
            for example in examples(&command) {
                let words = words(&example);
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let outcome = parse(&words);
                let shown = outcome
                    .as_ref()
                    .is_err_and(|error| error.kind() == clap::error::ErrorKind::DisplayHelp);
                assert!(
                    outcome.is_ok() || shown,
                    "{name}: {example}: {}",
                    outcome.unwrap_err()
                );
            }
        }
    }

    #[test]
    fn every_command_line_of_the_documentation_parses() {
        let document = include_str!("../../docs/commands.md");
        let lines: Vec<&str> = document
            .lines()
            .filter(|line| line.starts_with("wireroom "))
            .collect();

        assert!(lines.len() > 40, "{}", lines.len());
        for line in lines {
            let words = words(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let outcome = parse(&words);
            assert!(outcome.is_ok(), "{line}: {}", outcome.unwrap_err());
        }
    }

    #[test]
    fn exit_codes_tell_whose_fault_it_is() {
        let wrong = || ConfigError::Environment {
            name: "X".into(),
            reason: "wrong".into(),
        };
        let configuration = anyhow::Error::from(wrong());
        let start = anyhow::Error::from(DaemonError::from(wrong()));
        let search = anyhow::Error::from(SearchError {
            query: "(".into(),
            column: 0,
            reason: "wrong".into(),
        });

        assert_eq!(exit_code(&configuration.context("start")), EX_CONFIG);
        assert_eq!(exit_code(&start), EX_CONFIG);
        assert_eq!(exit_code(&search), EX_USAGE);
        assert_eq!(exit_code(&UsageError("wrong".into()).into()), EX_USAGE);
        assert_eq!(exit_code(&anyhow::anyhow!("else")), 1);
    }
}

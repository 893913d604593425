//! `wireroom feed`: what is polled.

mod add;
mod change;
mod list;
mod show;

use super::{Context, Exit};

const EXAMPLES: &str = "\
Examples:
  wireroom feed add https://www.themoscowtimes.com
  wireroom feed list --state error
  wireroom feed show 3
  wireroom feed pause 3
  wireroom feed remove https://example.org/feed.xml";

/// Add, list, show, remove, pause, resume or poll feeds
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Subscribe to feeds, or to the feeds of sites
    Add(add::Args),
    /// List the feeds, with their states
    List(list::Args),
    /// Show one feed: its state, its last polls, and what to do when it fails
    Show(show::Args),
    /// Stop polling feeds for good; their articles stay
    Remove(change::RemoveArgs),
    /// Let feeds rest until they are resumed
    Pause(change::PauseArgs),
    /// Poll paused feeds again
    Resume(change::ResumeArgs),
    /// Poll feeds now
    Poll(change::PollArgs),
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Add(args) => add::run(args, context),
        Command::List(args) => list::run(args, context),
        Command::Show(args) => show::run(args, context),
        Command::Remove(args) => change::remove(args, context),
        Command::Pause(args) => change::pause(args, context),
        Command::Resume(args) => change::resume(args, context),
        Command::Poll(args) => change::poll(args, context),
    }
}

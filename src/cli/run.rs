//! `wireroom run`: the daemon.

use anyhow::bail;

use super::{Context, Exit};

const EXAMPLES: &str = "\
Examples:
  wireroom run
  wireroom run --once";

/// Collect the news: poll feeds, scrape articles, until told to stop
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Do what is due now, and end
    #[arg(long)]
    once: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let _ = (args.once, context.verbose);
    bail!("the daemon is not part of this build")
}

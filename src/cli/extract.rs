//! `wireroom extract`.

use anyhow::bail;

use super::{Context, Exit};

/// Not part of this build
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let _ = (args, context);
    bail!("this command is not part of this build")
}

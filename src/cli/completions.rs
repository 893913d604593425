//! `wireroom completions` and `wireroom man`.

use anyhow::bail;

use super::{Context, Exit};

/// Not part of this build
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Not part of this build
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let _ = (args, context);
    bail!("this command is not part of this build")
}

pub(crate) fn man(args: &ManArgs, context: &Context) -> anyhow::Result<Exit> {
    let _ = (args, context, super::command());
    bail!("this command is not part of this build")
}

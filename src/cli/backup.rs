//! `wireroom backup`: a copy while everything goes on.

use std::path::PathBuf;

use serde_json::json;
use wireroom::store::Access;

use super::output;
use super::{Context, Exit};

const EXAMPLES: &str = "\
The copy is one consistent moment of the archive, whatever the daemon does meanwhile. The
search index is not copied: it is made again from the archive. To restore, stop the daemon
and put the copy in the place of the store. A PostgreSQL database is copied by `pg_dump`: the
command for yours is shown instead.

Examples:
  wireroom backup /backup/wireroom.db
  wireroom backup \"wireroom-$(date +%F).db\"";

/// Copy the archive to a file while everything goes on
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// File to write; it must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Print the file and its bytes as one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let n_bytes = context.runtime()?.block_on(async {
        let store = context.store(Access::Reader).await?;
        anyhow::Ok(store.backup(&args.file).await?)
    })?;
    if args.json {
        output::json(&json!({"file": args.file.to_string_lossy(), "bytes": n_bytes}))?;
        return Ok(Exit::Success);
    }
    context.say(format_args!(
        "{} written to {}",
        output::size(n_bytes),
        args.file.display()
    ));
    Ok(Exit::Success)
}

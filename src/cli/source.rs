//! What `parse`, `discover` and `extract` are given to read: a file, stdin, or a URL.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context as _, bail};
use url::Url;

/// What is read: one document, or one after the other.
#[derive(Debug, clap::Args)]
pub(super) struct Input {
    /// A file, `-` for stdin, or a URL
    #[arg(value_name = "FILE|URL", required_unless_present = "jsonl")]
    pub(super) source: Option<String>,

    /// The address of a file's document, against which its links are resolved
    #[arg(long, value_name = "URL", requires = "source")]
    pub(super) base: Option<Url>,

    /// Read requests from stdin, one JSON object a line, and answer each with a line
    #[arg(long, conflicts_with_all = ["source", "json"])]
    jsonl: bool,
}

/// Largest file that is read, in bytes: more than any document that is parsed.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Whether an argument is to be fetched: it looks like a URL and no file has that name.
pub(super) fn is_url(source: &str) -> bool {
    source.contains("://") && !Path::new(source).exists()
}

/// The bytes of a file, or of stdin where the name is `-`.
pub(super) fn read(source: &str) -> anyhow::Result<Vec<u8>> {
    if source == "-" {
        return read_limited(io::stdin().lock()).context("read stdin");
    }
    let name = || format!("read {source}");
    let file = File::open(source).with_context(name)?;
    read_limited(file).with_context(name)
}

fn read_limited(reader: impl Read) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        bail!("it is larger than {MAX_FILE_BYTES} bytes");
    }
    Ok(bytes)
}

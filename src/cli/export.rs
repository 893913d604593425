//! `wireroom export`: articles for other programs and for keeping.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use wireroom::export::{self, ExportError, Exported, ReplacedFile};
use wireroom::query::{ArticleQuery, Order, Parts};
use wireroom::store::{Access, Store};

use super::output;
use super::query_args;
use super::{Context, Exit, UsageError, names, search};

const EXAMPLES: &str = "\
The articles come newest first, all of them unless a search, --feed or --limit says less.
Without --output, jsonl and csv go to stdout, and so does markdown, its documents separated
by a line with a form feed.

Examples:
  wireroom export --format jsonl > articles.jsonl
  wireroom export --format markdown --output articles
  wireroom export taliban after:2026-01-01 --format csv --output taliban.csv
  wireroom export --feed 3 --limit 100 | jq -r .title";

/// Write articles as JSON Lines, Markdown or CSV
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A search, as for `wireroom search`; without it, all articles
    #[arg(value_name = "QUERY", value_parser = query_args::word)]
    words: Vec<String>,

    /// The form
    #[arg(long, value_name = "FORM", default_value = "jsonl")]
    format: Format,

    /// File to write (for markdown: a folder, one document per article); - is stdout
    #[arg(long, short, value_name = "FILE|FOLDER")]
    output: Option<PathBuf>,

    /// Only articles that this feed announced, by id or URL
    #[arg(long, value_name = "ID|URL")]
    feed: Option<String>,

    /// At most so many articles
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

/// `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    // One JSON object a line.
    Jsonl,
    // One document per article.
    Markdown,
    // A table with a row of column names.
    Csv,
}

impl From<Format> for export::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Jsonl => Self::Jsonl,
            Format::Markdown => Self::Markdown,
            Format::Csv => Self::Csv,
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let search = query_args::search_expr(&args.words, context)?;
    let exported = context.runtime()?.block_on(async {
        let store = context.store(Access::Reader).await?;
        let query = ArticleQuery {
            search,
            order: Order::Newest,
            feed: names::optional_feed_id(&store, args.feed.as_deref()).await?,
            cursor: None,
            limit: args.limit.unwrap_or(0).try_into()?,
            parts: Parts::Whole,
        };
        write(&store, query, args).await
    })?;
    tell(&exported, args, context);
    Ok(Exit::Success)
}

async fn write(store: &Store, query: ArticleQuery, args: &Args) -> anyhow::Result<Exported> {
    let format = args.format.into();
    let exported = match &args.output {
        Some(path) if path.as_os_str() != "-" => match args.format {
            Format::Markdown => {
                refuse_file(path)?;
                export::write_folder(store, query, path).await?
            }
            Format::Jsonl | Format::Csv => write_file(store, query, format, path).await?,
        },
        _ => {
            let mut stdout = output::Data::new();
            let exported = export::write(store, query, format, &mut stdout).await?;
            stdout.finish()?;
            exported
        }
    };
    Ok(exported)
}

fn refuse_file(path: &Path) -> Result<(), UsageError> {
    if path.is_file() {
        return Err(UsageError(format!(
            "--output {}: markdown is written to a folder, one document per article",
            path.display()
        )));
    }
    Ok(())
}

async fn write_file(
    store: &Store,
    query: ArticleQuery,
    format: export::Format,
    path: &Path,
) -> Result<Exported, ExportError> {
    let failed = |source| ExportError::File {
        path: path.to_owned(),
        source,
    };
    let mut file = ReplacedFile::create(path).map_err(failed)?;
    let exported = export::write(store, query, format, &mut file).await?;
    file.finish().map_err(failed)?;
    Ok(exported)
}

fn tell(exported: &Exported, args: &Args, context: &Context) {
    search::tell_lag(exported.index_lag, context);
    if let Some(path) = &args.output {
        let articles = output::counted(exported.n_articles, "article");
        context.say(format_args!("{articles} written to {}", path.display()));
    }
}

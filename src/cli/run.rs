//! `wireroom run`: the daemon, or one round of it.

use std::future::Future;
use std::process;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use wireroom::config::{self, Environment};
use wireroom::daemon::{self, Summary};
use wireroom::ingest::Run;
use wireroom::store::Role;
use wireroom::telemetry::{self, Format, Progress, Settings, StatusLine};

use super::{Context, Exit, UsageError, exit_code, output};

const EXAMPLES: &str = "\
SIGTERM and Ctrl-C end it within 5 seconds, and nothing acknowledged is lost; SIGHUP and
`wireroom reload` make it read its configuration and feed lists again.

On a SQLite file there is one daemon. On a PostgreSQL database any number of them share the
work as workers, each with hosts of its own. `--role` divides it further: `ingest` polls and
scrapes, `serve` keeps the search index and does nothing else yet (answers over HTTP are to
come), `all` does both. A worker that cannot go on as one ends with exit code 1, to be started
again.

Examples:
  wireroom run
  wireroom run --once
  wireroom run --once --json
  wireroom run --role ingest
  wireroom --config /etc/wireroom/wireroom.toml --log json run";

/// Time for blocking threads to end after all else has; what they still do is not recorded.
const LAST_THREADS: Duration = Duration::from_millis(500);

/// Threads that wait for the network; one connection costs next to no CPU.
const MAX_WORKERS: usize = 4;
/// Threads for parsing, SQL and name resolution together; `fetch` bounds the last by itself.
const MAX_BLOCKING: usize = 48;

/// Arguments of `wireroom run`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// End when every feed that is due has been polled and every page that follows scraped
    #[arg(long)]
    once: bool,

    /// Print the summary of the run as one JSON object
    #[arg(long, requires = "once")]
    json: bool,

    /// The part of the work that this worker does; needs a PostgreSQL store
    #[arg(long, value_enum, value_name = "ROLE", default_value_t)]
    role: RoleName,
}

/// `--role`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum RoleName {
    // Comments and not documentation: clap would spread the help over many lines.
    // Everything.
    #[default]
    All,
    // Polls and scrapes.
    Ingest,
    // The search index.
    Serve,
}

impl RoleName {
    fn role(self) -> Role {
        match self {
            Self::All => Role::All,
            Self::Ingest => Role::Ingest,
            Self::Serve => Role::Serve,
        }
    }
}

/// Runs the daemon. Where its log is read by programs, so is the error that ends it.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    match collect(args, context) {
        Err(error) if is_logged(&error, context) => Ok(Exit::Logged(exit_code(&error))),
        outcome => outcome,
    }
}

fn is_logged(error: &anyhow::Error, context: &Context) -> bool {
    if log_form(context) != Format::Json || error.chain().any(output::is_closed_pipe) {
        return false;
    }
    let settings = Settings {
        format: Format::Json,
        level: None,
    };
    // It has been started already, unless the configuration is at fault.
    let _ = telemetry::init(&settings, context.verbosity());
    tracing::error!("{error:#}");
    tracing::enabled!(tracing::Level::ERROR)
}

/// The form of log lines, as far as it is known when the configuration is at fault.
fn log_form(context: &Context) -> Format {
    let configured = || {
        let environment = Environment::of_process();
        config::examine(context.config_path.as_deref(), &environment)
    };
    context
        .log
        .unwrap_or_else(|| configured().config.log.format)
}

fn collect(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let config = context.config()?;
    let role = args.role.role();
    if role != Role::All && config.store.file().is_some() {
        let reason = "--role divides the work of many workers on one PostgreSQL database; \
                      a SQLite file has one daemon, which does everything";
        return Err(UsageError(reason.to_owned()).into());
    }
    let logs = telemetry::init(&config.log, context.verbosity())?;
    let progress = Arc::new(Progress::default());
    let runtime = runtime()?;
    let line = StatusLine::start(&logs, Arc::clone(&progress));
    let mode = if args.once { Run::Once } else { Run::Forever };
    let stop = CancellationToken::new();
    let outcome = runtime.block_on(until_signalled(
        daemon::run(config, mode, role, progress, stop.clone()),
        stop,
    ));
    drop(line);
    runtime.shutdown_timeout(LAST_THREADS);
    print(args, &outcome??)?;
    Ok(Exit::Success)
}

/// Waiting is done on a few threads, parsing and SQL on blocking ones. Both are bounded: each
/// thread that allocates keeps an arena of memory.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(
            available_parallelism()
                .map_or(2, usize::from)
                .min(MAX_WORKERS),
        )
        .max_blocking_threads(MAX_BLOCKING)
        .enable_all()
        .build()
        .context("start the runtime")
}

/// Runs `work`; the first SIGTERM or SIGINT asks it to stop, a second one ends the process.
async fn until_signalled<T>(
    work: impl Future<Output = T>,
    stop: CancellationToken,
) -> std::io::Result<T> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::pin!(work);
    loop {
        let code = tokio::select! {
            done = &mut work => return Ok(done),
            _ = terminate.recv() => 143,
            _ = interrupt.recv() => 130,
        };
        if stop.is_cancelled() {
            process::exit(code);
        }
        stop.cancel();
    }
}

fn print(args: &Args, summary: &Summary) -> anyhow::Result<()> {
    let Summary {
        polls,
        failed_polls,
        announced,
        saved,
        failed_pages,
        fenced,
        duration,
    } = summary;
    if args.json {
        let summary = json!({
            "polls": polls,
            "failed_polls": failed_polls,
            "announced": announced,
            "saved": saved,
            "failed_pages": failed_pages,
            "fenced": fenced,
            "duration_ms": duration.as_millis(),
        });
        return Ok(output::json(&summary)?);
    }
    if args.once {
        output::line(format_args!(
            "{polls} feeds polled ({failed_polls} failed), {announced} new articles, {saved} pages saved \
             ({failed_pages} failed), in {:.1} s",
            duration.as_secs_f64(),
        ))?;
    }
    Ok(())
}

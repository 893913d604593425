//! `wireroom worker`: the workers that share a database.

use std::time::Duration;

use anyhow::bail;
use jiff::Timestamp;
use wireroom::export::WorkerRecord;
use wireroom::store::{Access, Fleet, FleetWorker, Store, WorkerState};

use super::output::{self, Fit, Table, ago, grouped};
use super::{Context, Exit, UsageError};

/// How long `worker drain` waits for the worker's end. It hands over a shard when nothing is
/// under way in it, which takes as long as an exchange; and hears of it at its next sign of
/// life.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often it looks.
const GLANCE: Duration = Duration::from_millis(200);

const EXAMPLES: &str = "\
Workers share a PostgreSQL database; a SQLite file has one daemon, which `wireroom status` shows.

Examples:
  wireroom worker list
  wireroom worker list --json | jq 'select(.state == \"live\") | {machine, shards, polls_minute}'
  wireroom worker drain 2871650421";

const DRAIN: &str = "\
The worker starts nothing new, hands over its shards as soon as nothing is under way in them,
and ends as if by SIGTERM, with exit code 0, so that a service manager leaves it alone. Waits
for that, up to 3 minutes.

Examples:
  wireroom worker drain 2871650421
  wireroom worker drain --no-wait 2871650421";

/// List the workers that share a database, or let one end
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the workers: where they run, what they own, what they do
    List(ListArgs),
    /// Let a worker hand over its shards and end
    Drain(DrainArgs),
}

/// Arguments of `wireroom worker list`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct ListArgs {
    /// Write one JSON object per worker
    #[arg(long)]
    json: bool,
}

/// Arguments of `wireroom worker drain`.
#[derive(Debug, clap::Args)]
#[command(after_help = DRAIN)]
struct DrainArgs {
    /// The worker, as `wireroom worker list` names it
    #[arg(value_name = "ID")]
    worker: i64,

    /// Do not wait for its end
    #[arg(long)]
    no_wait: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    if context.config()?.store.file().is_some() {
        let reason = "a SQLite file has one daemon and no workers: `wireroom status` shows it";
        return Err(UsageError(reason.to_owned()).into());
    }
    match &args.command {
        Command::List(args) => list(args, context),
        Command::Drain(args) => drain(args, context),
    }
}

fn list(args: &ListArgs, context: &Context) -> anyhow::Result<Exit> {
    let now = context.now();
    let fleet = context.runtime()?.block_on(async {
        let store = context.store(Access::Reader).await?;
        anyhow::Ok(store.fleet(now).await?)
    })?;
    if args.json {
        for worker in &fleet.workers {
            output::json(&WorkerRecord::from(worker))?;
        }
    } else if fleet.workers.is_empty() {
        context.say("no worker runs; `wireroom run` starts one");
    } else {
        table(&fleet, now).finish()?;
    }
    Ok(Exit::Success)
}

fn table(fleet: &Fleet, now: Timestamp) -> Table {
    let mut table = Table::new(&[
        ("ID", Fit::Number),
        ("STATE", Fit::Whole),
        ("ROLE", Fit::Whole),
        ("SHARDS", Fit::Number),
        ("POLLS/MIN", Fit::Number),
        ("SCRAPES/MIN", Fit::Number),
        ("ARTICLES/MIN", Fit::Number),
        ("SILENT", Fit::Number),
        ("STARTED", Fit::Whole),
        ("PROCESS", Fit::Number),
        ("MACHINE", Fit::Cut),
    ]);
    let terminal = output::is_terminal();
    for worker in &fleet.workers {
        let started = match terminal {
            true => ago(worker.started_at, now),
            false => worker.started_at.to_string(),
        };
        table.row([
            worker.id.to_string().as_str(),
            worker.state.name(),
            worker.role.name(),
            &worker.n_shards.to_string(),
            &worker.minute.polls.to_string(),
            &worker.minute.scrapes.to_string(),
            &worker.minute.articles.to_string(),
            &format!("{:.1} s", worker.silent_for.as_secs_f64()),
            &started,
            &worker.pid.to_string(),
            &worker.machine,
        ]);
    }
    table
}

fn drain(args: &DrainArgs, context: &Context) -> anyhow::Result<Exit> {
    let now = context.now();
    let worker = args.worker;
    context.runtime()?.block_on(async {
        let store = context.store(Access::Command).await?;
        if !store.drain(worker, now).await? {
            bail!("no worker {worker} lives; `wireroom worker list` shows those that do");
        }
        if args.no_wait {
            context.say(format_args!("worker {worker} was asked to end"));
            return Ok(Exit::Success);
        }
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while let Some(found) = living(&store, worker, now).await? {
            if tokio::time::Instant::now() >= deadline {
                bail!(
                    "worker {worker} was asked to end and still owns {} shards; see its log",
                    grouped(found.n_shards)
                );
            }
            tokio::time::sleep(GLANCE).await;
        }
        context.say(format_args!("worker {worker} has handed over its shards"));
        store.close().await?;
        Ok(Exit::Success)
    })
}

async fn living(store: &Store, id: i64, now: Timestamp) -> anyhow::Result<Option<FleetWorker>> {
    let fleet = store.fleet(now).await?;
    let mut workers = fleet.workers.into_iter();
    Ok(workers.find(|worker| worker.id == id && worker.state != WorkerState::Lost))
}

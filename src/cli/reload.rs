//! `wireroom reload`: makes the running daemon take over a changed configuration and lists.
//!
//! What is wrong is found here, before the daemon hears of it. The daemon reads everything
//! again by itself, changes nothing if it finds a fault, and leaves its answer in the store
//! as the note `reload`.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::{Deserialize, Serialize};
use wireroom::config::{self, Config, Environment};
use wireroom::store::{Access, Store, StoreError};

use super::{Context, Exit, output};

/// How long the daemon may take to answer. Reading thousands of feeds takes well below 1 s.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the answer is looked for.
const GLANCE: Duration = Duration::from_millis(50);

const EXAMPLES: &str = "\
Checks the configuration and the feed lists first; if they are wrong, says so, exits with 78,
and the daemon hears nothing. Otherwise waits up to 10 s for the daemon's answer. With a
PostgreSQL store it tells all workers on this machine, one after the other.

Examples:
  wireroom reload
  wireroom --config /etc/wireroom/wireroom.toml reload
  systemctl reload wireroom";

/// Make the running daemon read its configuration and feed lists again
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The daemon's process, instead of the one that holds the store
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    pid: Option<i32>,

    /// Print the daemon's answer as one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs `wireroom reload`.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let config = checked(context)?;
    context.runtime()?.block_on(async {
        let mut exit = Exit::Success;
        for pid in daemons(args, &config, context).await? {
            let answer = reload(&config, pid).await?;
            if report(&answer, args, context)? != Exit::Success {
                exit = Exit::Failed;
            }
        }
        Ok(exit)
    })
}

/// The configuration, if it and all its lists are right.
fn checked(context: &Context) -> anyhow::Result<Config> {
    let examined = config::examine(context.config_path.as_deref(), &Environment::of_process());
    super::config::fail(examined.errors)?;
    let (_, errors) = config::examine_lists(&examined.config);
    super::config::fail(errors)?;
    Ok(examined.config)
}

/// Whom to tell: the daemon of a file; of a database all workers on this machine, one after
/// the other, because they answer in one place.
async fn daemons(args: &Args, config: &Config, context: &Context) -> anyhow::Result<Vec<Pid>> {
    let settings = &config.store;
    if let Some(pid) = args.pid.and_then(Pid::from_raw) {
        return Ok(vec![pid]);
    }
    if settings.file().is_some() {
        let found = Store::daemon_process(settings);
        let found = found.and_then(process).into_iter().collect::<Vec<_>>();
        return match found.is_empty() {
            true => Err(anyhow!("no daemon is running on {settings}")),
            false => Ok(found),
        };
    }
    let store = Store::open(settings, Access::Reader).await?;
    let fleet = store.fleet(context.now()).await?;
    store.close().await?;
    let here = fleet.living().filter(|worker| worker.is_here());
    let found: Vec<Pid> = here.filter_map(|worker| process(worker.pid)).collect();
    if found.is_empty() {
        let elsewhere: BTreeSet<&str> = fleet
            .living()
            .map(|worker| worker.machine.as_str())
            .collect();
        if elsewhere.is_empty() {
            bail!("no worker is running on {settings}");
        }
        let elsewhere: Vec<&str> = elsewhere.into_iter().collect();
        bail!(
            "no worker of {settings} is running on this machine; run this on {}",
            output::clean(&elsewhere.join(", "))
        );
    }
    Ok(found)
}

fn process(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

/// Tells the daemon, and gives its answer.
async fn reload(config: &Config, pid: Pid) -> anyhow::Result<Answer> {
    let store = match Store::open(&config.store, Access::Reader).await {
        Ok(store) => store,
        Err(error) => return unseen(pid, &error),
    };
    let before = store.note("reload").await?;
    signal(pid)?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        tokio::time::sleep(GLANCE).await;
        let note = store.note("reload").await?;
        if let Some(note) = note.filter(|note| before.as_ref() != Some(note)) {
            return serde_json::from_str(&note).context("read the daemon's answer");
        }
        if test_kill_process(pid) == Err(Errno::SRCH) {
            bail!(
                "the daemon (process {}) ended instead of reloading; see its log",
                pid.as_raw_nonzero()
            );
        }
    }
    bail!(
        "the daemon (process {}) was told to reload and has not answered within {} s; see its log",
        pid.as_raw_nonzero(),
        PATIENCE.as_secs()
    )
}

/// Tells the daemon all the same when its answer cannot be read.
fn unseen(pid: Pid, error: &StoreError) -> anyhow::Result<Answer> {
    signal(pid)?;
    let text = format!(
        "told the daemon (process {}) to reload; see its log for what came of it ({error})",
        pid.as_raw_nonzero()
    );
    Ok(Answer { ok: None, text })
}

fn signal(pid: Pid) -> anyhow::Result<()> {
    kill_process(pid, Signal::HUP).with_context(|| {
        format!(
            "cannot signal the daemon (process {}); run this as its user, or use `systemctl reload wireroom`",
            pid.as_raw_nonzero()
        )
    })
}

/// The daemon's answer.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
struct Answer {
    /// Whether it took over what it read; `None` when its answer cannot be seen.
    ok: Option<bool>,
    /// What it took over, or what is wrong.
    text: String,
}

fn report(answer: &Answer, args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let is_refused = answer.ok == Some(false);
    if args.json {
        output::json(answer)?;
    } else if is_refused {
        output::complain(format_args!("the daemon refused: {}", answer.text));
    } else {
        context.say(output::clean_block(&answer.text));
    }
    Ok(if is_refused {
        Exit::Failed
    } else {
        Exit::Success
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_the_daemon_is_a_failure() {
        let quiet = Context {
            quiet: true,
            ..Context::default()
        };
        let taken = r#"{"at":"2026-11-23T10:00:00Z","ok":true,"text":"1 feed added"}"#;
        let refused = r#"{"at":"2026-11-23T10:00:00Z","ok":false,"text":"a.opml:1:1: no"}"#;

        let exit = |note: &str| {
            let args = Args {
                pid: None,
                json: false,
            };
            report(&serde_json::from_str(note).unwrap(), &args, &quiet).unwrap()
        };
        assert_eq!(exit(taken), Exit::Success);
        assert_eq!(exit(refused), Exit::Failed);
    }
}

//! `wireroom reload`: makes the running daemon take over a changed configuration and lists.
//!
//! What is wrong is found here, before the daemon hears of it. The daemon reads everything
//! again by itself, changes nothing if it finds a fault, and leaves its answer in the store
//! as the note `reload`.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::Deserialize;
use wireroom::config::{self, Config, Environment};
use wireroom::store::{Access, Store, StoreError};

use super::{Context, Exit, output};

/// How long the daemon may take to answer. Reading thousands of feeds takes well below 1 s.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the answer is looked for.
const GLANCE: Duration = Duration::from_millis(50);

const EXAMPLES: &str = "\
Checks the configuration and the feed lists first; if they are wrong, says so, exits with 78,
and the daemon hears nothing. Otherwise waits up to 10 s for the daemon's answer.

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
}

/// Runs `wireroom reload`.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let config = checked(context)?;
    let pid = daemon(args, &config)?;
    context.runtime()?.block_on(reload(&config, pid, context))
}

/// The configuration, if it and all its lists are right.
fn checked(context: &Context) -> anyhow::Result<Config> {
    let examined = config::examine(context.config_path.as_deref(), &Environment::of_process());
    super::config::fail(examined.errors)?;
    let (_, errors) = config::examine_lists(&examined.config);
    super::config::fail(errors)?;
    Ok(examined.config)
}

fn daemon(args: &Args, config: &Config) -> anyhow::Result<Pid> {
    let store = &config.store;
    let found = args
        .pid
        .or_else(|| i32::try_from(Store::daemon_process(store)?).ok());
    found
        .and_then(Pid::from_raw)
        .ok_or_else(|| anyhow!("no daemon is running on {}", store.path.display()))
}

async fn reload(config: &Config, pid: Pid, context: &Context) -> anyhow::Result<Exit> {
    let store = match Store::open(&config.store, Access::Reader).await {
        Ok(store) => store,
        Err(error) => return unseen(pid, &error, context),
    };
    let before = store.note("reload").await?;
    signal(pid)?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < deadline {
        tokio::time::sleep(GLANCE).await;
        let note = store.note("reload").await?;
        if let Some(note) = note.filter(|note| before.as_ref() != Some(note)) {
            return report(&note, context);
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
fn unseen(pid: Pid, error: &StoreError, context: &Context) -> anyhow::Result<Exit> {
    signal(pid)?;
    context.say(format_args!(
        "told the daemon (process {}) to reload; see its log for what came of it ({})",
        pid.as_raw_nonzero(),
        output::clean(&error.to_string())
    ));
    Ok(Exit::Success)
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
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Answer {
    /// Whether it took over what it read.
    ok: bool,
    /// What it took over, or what is wrong.
    text: String,
}

fn report(note: &str, context: &Context) -> anyhow::Result<Exit> {
    let answer: Answer = serde_json::from_str(note).context("read the daemon's answer")?;
    let text = output::clean_block(&answer.text).into_owned();
    if !answer.ok {
        output::complain(format_args!("the daemon refused: {text}"));
        return Ok(Exit::Failed);
    }
    context.say(text);
    Ok(Exit::Success)
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

        assert_eq!(report(taken, &quiet).unwrap(), Exit::Success);
        assert_eq!(report(refused, &quiet).unwrap(), Exit::Failed);
        assert!(report("nonsense", &quiet).is_err());
    }
}

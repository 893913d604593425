//! Connections: two pools, one for questions and one for changes, each with its limits.

use std::time::Duration;

use deadpool_postgres::{
    Client, ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime,
};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::super::{PostgresSettings, StoreError};
use super::address::{Address, Protection};
use super::fault::{Fault, unreachable};
use super::tls;

/// Most connections for questions of one process. A server has 100 by default, and shares
/// them between all workers and everyone who asks.
const MAX_QUESTIONS: usize = 4;
/// Most connections for changes: the writer's, the heartbeat's, and what commands and
/// upkeep do beside them.
const MAX_CHANGES: usize = 4;

/// The longest way to a server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest wait for a connection while others have them all.
const WAIT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long sent bytes may stay unacknowledged: else a server that vanished would be waited
/// for until the system gives up, a quarter of an hour.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(20);
/// When an idle connection is first asked whether it still stands, for the same reason.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A question is stopped after two seconds, as on SQLite. Its time zone is of no matter,
/// since no column holds local time; set all the same, so that nobody's views depend on it.
const FOR_QUESTIONS: &str = "SET default_transaction_read_only = on;
    SET statement_timeout = '2s';
    SET lock_timeout = '2s';
    SET idle_in_transaction_session_timeout = '10s';
    SET TimeZone = 'UTC'";

/// A change may wait for others; one that is forgotten in its middle must not hold its locks.
const FOR_CHANGES: &str = "SET default_transaction_isolation = 'read committed';
    SET statement_timeout = '60s';
    SET lock_timeout = '5s';
    SET idle_in_transaction_session_timeout = '20s';
    SET TimeZone = 'UTC'";

/// What PostgreSQL's kin may not know, and can be done without: plans that fit the values
/// rather than any values (a limit of ten is not a limit of ten million), and no compiler
/// for questions of a millisecond.
const IF_KNOWN: &[&str] = &["SET plan_cache_mode = force_custom_plan", "SET jit = off"];

/// What connections are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reading, within two seconds.
    Questions,
    /// Writing, and upkeep.
    Changes,
}

/// The pool for one purpose. Connects when a connection is first wanted.
///
/// # Errors
/// [`StoreError::Unreachable`] when the settings can never lead there.
pub(super) fn pool(settings: &PostgresSettings, purpose: Purpose) -> Result<Pool, StoreError> {
    let address = Address::parse(&settings.url)
        .map_err(|reason| unreachable(&settings.url, format!("[store] url {reason}")))?;
    let protection = protection(&address, settings);
    let tls = tls::connector(protection, settings.ca_file.as_deref())
        .map_err(|reason| unreachable(&settings.url, reason))?;
    let manager = Manager::from_config(
        configured(address, settings, protection),
        tls,
        ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        },
    );
    let (size, statements) = match purpose {
        Purpose::Questions => (MAX_QUESTIONS, FOR_QUESTIONS),
        Purpose::Changes => (MAX_CHANGES, FOR_CHANGES),
    };
    Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(WAIT_TIMEOUT))
        .create_timeout(Some(2 * CONNECT_TIMEOUT))
        .recycle_timeout(Some(CONNECT_TIMEOUT))
        .post_create(Hook::async_fn(move |client, _| {
            Box::pin(set_up(client, statements))
        }))
        .build()
        .map_err(|error| StoreError::Database(error.to_string()))
}

/// How the way is protected when the URL does not say: who gives a file of certificates
/// wants them looked at.
pub(super) fn protection(address: &Address, settings: &PostgresSettings) -> Protection {
    match (address.protection, &settings.ca_file) {
        (Some(protection), _) => protection,
        (None, Some(_)) => Protection::Require,
        (None, None) => Protection::Prefer,
    }
}

fn configured(address: Address, settings: &PostgresSettings, protection: Protection) -> Config {
    let mut config = address.config;
    if let Some(password) = settings.password.as_ref().or(address.password.as_ref()) {
        config.password(password);
    }
    if config.get_application_name().is_none() {
        config.application_name("wireroom");
    }
    config.ssl_mode(match protection {
        Protection::Disable => SslMode::Disable,
        Protection::Prefer => SslMode::Prefer,
        Protection::Require => SslMode::Require,
    });
    // What the URL says stands.
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(ACKNOWLEDGE_TIMEOUT);
    }
    if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
        config
            .keepalives_idle(KEEPALIVE)
            .keepalives_interval(KEEPALIVE / 3);
    }
    config
}

async fn set_up(client: &mut ClientWrapper, statements: &str) -> Result<(), HookError> {
    client
        .batch_execute(statements)
        .await
        .map_err(HookError::Backend)?;
    for statement in IF_KNOWN {
        if let Err(error) = client.batch_execute(statement).await
            && error.code().is_none()
        {
            return Err(HookError::Backend(error));
        }
    }
    Ok(())
}

/// A connection from a pool.
pub(super) async fn client(pool: &Pool) -> Result<Client, Fault> {
    Ok(pool.get().await?)
}

//! PostgreSQL behind the store: one database for any number of workers.
//!
//! Read [`Postgres::open`] first, then `connect` for the connections and their limits, and
//! `fault` for what is done again when it fails. The other modules are the statements, by
//! what they are about. No statement needs more of PostgreSQL than its distributed kin have:
//! no LISTEN, no advisory locks, no sequences, no triggers.

/// Does work in one transaction (READ COMMITTED), again where a conflict or a lost
/// connection came between; at last it fails as it did last. A macro, because the compiler
/// cannot yet tell that a future made by an `async` closure may move between threads.
macro_rules! in_transaction {
    ($store:expr, $transaction:ident => $work:expr) => {{
        let store = $store;
        let mut attempts = $crate::store::postgres::fault::Attempts::default();
        loop {
            let done = async {
                let mut client = store.client().await?;
                let done = async {
                    // Dropped without a commit, it rolls back.
                    let $transaction = client.transaction().await?;
                    let done = $work.await?;
                    $transaction.commit().await?;
                    Ok(done)
                }
                .await;
                $crate::store::postgres::fault::part(client, &done);
                done
            };
            match done.await {
                Ok(done) => break Ok(done),
                Err(fault) => match store.rest(&mut attempts, fault).await {
                    Ok(()) => {}
                    Err(error) => break Err(error),
                },
            }
        }
    }};
}

/// Answers a question of one statement, within two seconds, on whichever connection stands.
macro_rules! asked {
    ($store:expr, $client:ident => $question:expr) => {{
        let store = $store;
        let mut attempts = $crate::store::postgres::fault::Attempts::default();
        loop {
            let answer = async {
                #[allow(
                    unused_mut,
                    reason = "a question of several statements begins a transaction"
                )]
                let mut $client = store.question().await?;
                let answer = $question.await;
                $crate::store::postgres::fault::part($client, &answer);
                answer
            };
            match answer.await {
                Ok(answer) => break Ok(answer),
                Err(fault) => match store.rest(&mut attempts, fault).await {
                    Ok(()) => {}
                    Err(error) => break Err(error),
                },
            }
        }
    }};
}

mod face;

mod address;
mod apply;
mod articles;
mod batch;
mod claims;
mod connect;
mod convert;
mod due;
mod fault;
mod feeds;
mod fleet;
mod hosts;
mod ids;
mod load;
mod notes;
mod queue;
mod rows;
mod schema;
mod search;
mod server;
mod shards;
mod sightings;
mod statement;
mod states;
mod tally;
mod tls;
mod upkeep;
mod worker;
mod writer;

use std::fmt;
use std::sync::{Arc, OnceLock};

use deadpool_postgres::{Client, Pool};

use self::address::{Address, Protection};
use self::connect::Purpose;
use self::fault::{Attempts, Fault};
use self::worker::Worker;
use self::writer::Writer;
use super::{Access, PostgresSettings, StoreError};
use crate::ownership::Ownership;

pub(super) use self::rows::PostgresRows;

/// One archive in one database. A cheap clone.
#[derive(Clone)]
pub(super) struct Postgres {
    shared: Arc<Shared>,
}

struct Shared {
    /// The URL without a password, as errors name it.
    name: String,
    questions: Pool,
    /// `None` for [`Access::Reader`].
    changes: Option<Pool>,
    /// The shards of this process; all of them where it is no worker.
    ownership: Ownership,
    /// `None` for [`Access::Reader`].
    writer: Option<Writer>,
    /// `None` where it is no worker.
    worker: OnceLock<Worker>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Postgres").field(&self.shared.name).finish()
    }
}

impl Postgres {
    /// Connects, and makes the tables or brings them up to date unless `access` is a reader's.
    pub(super) async fn open(
        settings: &PostgresSettings,
        access: Access,
    ) -> Result<Self, StoreError> {
        let changes = match access {
            Access::Reader => None,
            _ => Some(connect::pool(settings, Purpose::Changes)?),
        };
        let ownership = match access.role() {
            Some(_) => Ownership::shared(),
            None => Ownership::all(),
        };
        let writer = changes
            .as_ref()
            .map(|pool| Writer::start(pool.clone(), settings.url.clone()));
        let store = Self {
            shared: Arc::new(Shared {
                name: settings.url.clone(),
                questions: connect::pool(settings, Purpose::Questions)?,
                changes,
                writer,
                ownership,
                worker: OnceLock::new(),
            }),
        };
        store.meet().await?;
        if let Some(role) = access.role() {
            let ownership = store.ownership().clone();
            let worker = Worker::start(settings, role, ownership).await?;
            // Nobody else has this store yet, so that there is none.
            let _ = store.shared.worker.set(worker);
        }
        Ok(store)
    }

    /// The first connection: who cannot be reached now is not asked again and again.
    async fn meet(&self) -> Result<(), StoreError> {
        if self.shared.changes.is_some() {
            let first = self.client().await;
            drop(first.map_err(|fault| fault.of(self.name()))?);
            return schema::migrate(self).await;
        }
        let client = connect::client(&self.shared.questions).await;
        let client = client.map_err(|fault| fault.of(self.name()))?;
        let checked = schema::check(&client, self.name()).await;
        checked.map_err(|fault| fault.of(self.name()))
    }

    /// The database, as errors and people name it.
    pub(super) fn name(&self) -> &str {
        &self.shared.name
    }

    /// The shards of this process.
    pub(super) fn ownership(&self) -> &Ownership {
        &self.shared.ownership
    }

    /// This process as a worker, if it is one.
    fn worker(&self) -> Option<&Worker> {
        self.shared.worker.get()
    }

    /// Records polls and scrapes.
    ///
    /// # Errors
    /// When the store was opened to be read.
    fn writer(&self) -> Result<&Writer, StoreError> {
        let writer = self.shared.writer.as_ref();
        writer.ok_or_else(|| self.opened_to_be_read())
    }

    /// A connection for changes; it goes back when it is dropped.
    ///
    /// # Errors
    /// [`Fault::Store`] when the store was opened to be read.
    pub(super) async fn client(&self) -> Result<Client, Fault> {
        match &self.shared.changes {
            Some(pool) => connect::client(pool).await,
            None => Err(Fault::Store(self.opened_to_be_read())),
        }
    }

    fn opened_to_be_read(&self) -> StoreError {
        StoreError::Unwritable {
            store: self.name().to_owned(),
            reason: "it was opened to be read".to_owned(),
        }
    }

    /// A connection for questions: read only, and two seconds for each statement.
    pub(super) async fn question(&self) -> Result<Client, Fault> {
        connect::client(&self.shared.questions).await
    }

    /// Waits before work is done again, or gives the fault to the caller.
    async fn rest(&self, attempts: &mut Attempts, fault: Fault) -> Result<(), StoreError> {
        match attempts.pause(&fault) {
            Some(pause) => {
                tokio::time::sleep(pause).await;
                Ok(())
            }
            None => Err(fault.of(self.name())),
        }
    }

    /// Commits what is under way and closes.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        if let Some(writer) = &self.shared.writer {
            writer.close().await;
        }
        if let Some(worker) = self.worker() {
            worker.leave().await;
        }
        self.shared.questions.close();
        if let Some(changes) = &self.shared.changes {
            changes.close();
        }
        Ok(())
    }
}

/// A URL without its password, and that password.
///
/// # Errors
/// What is wrong with it, in words that follow the name of a key.
pub(super) fn read_url(url: &str) -> Result<(String, Option<String>), String> {
    let address = Address::parse(url)?;
    Ok((address.shown, address.password))
}

/// Whether the way to the database leads over a network, with nobody checking whose server
/// answers.
pub(super) fn is_exposed(settings: &PostgresSettings) -> bool {
    Address::parse(&settings.url).is_ok_and(|address| {
        !address.is_local() && connect::protection(&address, settings) != Protection::Require
    })
}

//! PostgreSQL behind the store: one database for any number of workers.
//!
//! Read [`Postgres::open`] first, then `connect` for the connections and their limits, and
//! `fault` for what is done again when it fails. The other modules are the statements, by
//! what they are about. No statement needs more of PostgreSQL than its distributed kin have:
//! no LISTEN, no advisory locks, no sequences, no triggers.

mod face;

mod address;
mod connect;
mod convert;
mod fault;
mod notes;
mod schema;
mod statement;
mod tls;

use std::fmt;
use std::sync::Arc;

use deadpool_postgres::{Client, Pool, Transaction};

use self::address::Address;
use self::connect::Purpose;
use self::fault::{Attempts, Fault};
use super::{Access, PostgresSettings, StoreError};
use crate::ownership::Ownership;

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
            Access::Daemon | Access::Command => Some(connect::pool(settings, Purpose::Changes)?),
            Access::Reader => None,
        };
        let ownership = match access {
            Access::Daemon => Ownership::shared(),
            Access::Command | Access::Reader => Ownership::all(),
        };
        let store = Self {
            shared: Arc::new(Shared {
                name: settings.url.clone(),
                questions: connect::pool(settings, Purpose::Questions)?,
                changes,
                ownership,
            }),
        };
        store.meet().await?;
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

    /// A connection for changes; it goes back when it is dropped.
    ///
    /// # Errors
    /// [`Fault::Store`] when the store was opened to be read.
    pub(super) async fn client(&self) -> Result<Client, Fault> {
        match &self.shared.changes {
            Some(pool) => connect::client(pool).await,
            None => Err(Fault::Store(StoreError::Unwritable {
                store: self.name().to_owned(),
                reason: "it was opened to be read".to_owned(),
            })),
        }
    }

    /// Does `work` in one transaction (READ COMMITTED), again where a conflict or a lost
    /// connection came between; at last it fails as it did last.
    pub(super) async fn transaction<T>(
        &self,
        work: impl AsyncFn(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            match self.try_transaction(&work).await {
                Ok(done) => return Ok(done),
                Err(fault) => self.rest(&mut attempts, fault).await?,
            }
        }
    }

    async fn try_transaction<T>(
        &self,
        work: &impl AsyncFn(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut client = self.client().await?;
        let done = in_transaction(&mut client, work).await;
        if let Err(fault) = &done {
            fault::part(client, fault);
        }
        done
    }

    /// Answers a question of one statement, within two seconds.
    pub(super) async fn ask<T>(
        &self,
        question: impl AsyncFn(&Client) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let answer = match connect::client(&self.shared.questions).await {
                Ok(client) => match question(&client).await {
                    Err(fault) => {
                        fault::part(client, &fault);
                        Err(fault)
                    }
                    answer => answer,
                },
                Err(fault) => Err(fault),
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(fault) => self.rest(&mut attempts, fault).await?,
            }
        }
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

async fn in_transaction<T>(
    client: &mut Client,
    work: &impl AsyncFn(&Transaction<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let transaction = client.transaction().await?;
    // Dropped without a commit, it rolls back.
    let done = work(&transaction).await?;
    transaction.commit().await?;
    Ok(done)
}

//! Who works on the archive: which hosts are ours, and the workers beside us.

use super::{Backend, Store};
use crate::ownership::Ownership;

impl Store {
    /// The hosts that this process may ask. With SQLite: all.
    #[must_use]
    pub fn ownership(&self) -> Ownership {
        match &self.backend {
            Backend::Sqlite(_) => Ownership::all(),
        }
    }
}

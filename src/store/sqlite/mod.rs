//! SQLite behind the store.

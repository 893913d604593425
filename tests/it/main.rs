//! The promises of wireroom, as tests on the built program and on its public face.

#![allow(clippy::print_stderr, reason = "a skipped test says so loudly")]

mod support;

mod architecture;
mod chaos;
mod collecting;
mod commands;
mod configuration;
mod crash_and_resume;
mod extraction;
mod feeds;
mod fetching;
mod fleet;
mod lists;
mod moving;
mod on_a_database;
mod postgres_sql;
mod readme;
mod searching;
mod service_unit;
mod shutdown;
mod store_contract;
mod workers;

//! What recording a poll or a scrape means, without a database.
//!
//! A [`Unit`] of work is a few rows in memory. It says which rows its reports need
//! ([`Unit::wanted`]); a backend finds them and teaches them to it ([`Unit::learn`]), until
//! nothing more is wanted; then the reports change the rows ([`Unit::record`]); then the
//! backend writes what is different. SQLite does so for one report at a time, PostgreSQL
//! for many: the decisions are here, once, and the backends make none.

mod reports;

mod rows;
mod unit;
mod wanted;

mod entries;
mod polls;
mod scrapes;

mod clean;

#[cfg(test)]
mod laws;

pub(super) use reports::{Poll, Report, Said, Scrape};
pub(super) use rows::{
    Answer, ArticleRow, Body, Born, Claim, First, Form, JobRow, Mark, Op, PageError, Place,
    PollRow, ReadingRow, SightingRow, Words, page_state, reason,
};
pub(super) use unit::{Absorbed, Found, Ids, Job, Recorded, Refusal, Touched, Unit};
pub(super) use wanted::Wanted;

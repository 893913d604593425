//! wireroom collects the news: it polls feeds, scrapes the pages that they
//! announce, and keeps each article once, in a database that answers.
//!
//! The data's way, in the order in which to read the modules:
//!
//! 1. [`config`] says what the operator asked for; [`feed_list`] reads the
//!    lists of feeds (OPML, TOML, plain text).
//! 2. [`schedule`] decides when a feed is due; the due times live in the store.
//! 3. [`fetch`] asks for the feed document, politely and within limits.
//! 4. [`feed`] turns its bytes into entries.
//! 5. [`discover`] chooses the pages worth a scrape; [`canonical`] gives each
//!    URL its normal form, the first key of deduplication.
//! 6. [`fetch`] asks for the page, [`extract`] cuts the article from it, and
//!    [`dedup`] tells whether two texts are one.
//! 7. [`store`] keeps it all and is the queue as well: nothing waits anywhere else.
//! 8. [`query`] is one question, whoever asks, and [`words`] the words of texts and
//!    searches; [`export`] hands articles out.
//!
//! [`ingest`] is steps 2 to 7 as two functions, and [`daemon`] runs them until
//! it is told to stop. [`model`] holds the words that they share, [`ownership`]
//! says which hosts are this process's to ask, and [`telemetry`] tells people what happened.

pub mod config;
pub mod feed_list;

pub mod schedule;

pub mod fetch;

pub mod feed;

pub mod canonical;
pub mod discover;

pub mod dedup;
pub mod extract;

pub mod store;

pub mod export;
pub mod query;
pub mod words;

pub mod daemon;
pub mod ingest;

pub mod model;
pub mod ownership;
pub mod telemetry;

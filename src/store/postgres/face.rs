//! The verbs of the store, each one transaction or one question.

use std::collections::HashSet;
use std::path::Path;

use jiff::Timestamp;

use super::super::record::{
    Article, Backlog, Claim, DueFeed, DuePage, Feed, NewFeed, Paused, Poll, PollRecorded,
    PollReport, Saved, ScrapeReport, Server, SourceList, Status, Subscribed, SyncReport,
};
use super::super::{ArticleName, FeedName, Listing, StoreError};
use super::{Postgres, articles, due, feeds, load, notes, search, server, upkeep};
use crate::model::{FeedId, Shard};
use crate::query::ArticleQuery;

impl Postgres {
    /// The shards that work may be read from: a worker's own, and no other's.
    fn held(&self) -> Vec<(Shard, u64)> {
        self.ownership().shards().unwrap_or_default()
    }

    pub(in super::super) async fn sync_lists(
        &self,
        lists: Vec<SourceList>,
        now: Timestamp,
    ) -> Result<SyncReport, StoreError> {
        in_transaction!(self, transaction => feeds::sync_lists(&transaction, &lists, now))
    }

    pub(in super::super) async fn subscribe(
        &self,
        feed: NewFeed,
        now: Timestamp,
    ) -> Result<Subscribed, StoreError> {
        in_transaction!(self, transaction => feeds::subscribe(&transaction, &feed, now))
    }

    pub(in super::super) async fn retire(
        &self,
        feed: FeedId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        in_transaction!(self, transaction => feeds::retire(&transaction, &[feed], now))
    }

    pub(in super::super) async fn set_paused(
        &self,
        feed: FeedId,
        paused: Paused,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        in_transaction!(self, transaction => feeds::set_paused(&transaction, feed, paused, now))
    }

    pub(in super::super) async fn make_due(
        &self,
        feed: FeedId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        in_transaction!(self, transaction => feeds::make_due(&transaction, feed, now))
    }

    pub(in super::super) async fn feeds(&self) -> Result<Vec<Feed>, StoreError> {
        asked!(self, client => feeds::feeds(&client))
    }

    pub(in super::super) async fn feed(&self, name: &FeedName) -> Result<Option<Feed>, StoreError> {
        asked!(self, client => feeds::feed(&client, name))
    }

    pub(in super::super) async fn polls(
        &self,
        feed: FeedId,
        limit: usize,
    ) -> Result<Vec<Poll>, StoreError> {
        asked!(self, client => feeds::polls(&client, feed, limit))
    }

    pub(in super::super) async fn due_feeds(
        &self,
        claim: &Claim,
    ) -> Result<Vec<DueFeed>, StoreError> {
        let held = self.held();
        asked!(self, client => due::due_feeds(&client, &held, claim))
    }

    pub(in super::super) async fn due_feed(
        &self,
        feed: FeedId,
        now: Timestamp,
    ) -> Result<Option<DueFeed>, StoreError> {
        let held = self.held();
        asked!(self, client => due::due_feed(&client, &held, feed, now))
    }

    pub(in super::super) async fn known_entries(
        &self,
        feed: FeedId,
        entries: Vec<(String, i64)>,
    ) -> Result<HashSet<usize>, StoreError> {
        asked!(self, client => load::known_entries(&client, feed, &entries))
    }

    pub(in super::super) async fn due_pages(
        &self,
        claim: &Claim,
    ) -> Result<Vec<DuePage>, StoreError> {
        let held = self.held();
        asked!(self, client => due::due_pages(&client, &held, claim))
    }

    pub(in super::super) async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError> {
        let held = self.ownership().shards();
        asked!(self, client => due::backlog(&client, held.as_deref(), now))
    }

    pub(in super::super) async fn record_poll(
        &self,
        due: &DueFeed,
        report: PollReport,
    ) -> Result<PollRecorded, StoreError> {
        self.writer()?.poll(due, report).await
    }

    pub(in super::super) async fn record_scrape(
        &self,
        due: &DuePage,
        report: ScrapeReport,
    ) -> Result<Saved, StoreError> {
        self.writer()?.scrape(due, report).await
    }

    pub(in super::super) async fn articles(
        &self,
        query: &ArticleQuery,
    ) -> Result<Listing, StoreError> {
        asked!(self, client => articles::articles(&client, query))
    }

    pub(in super::super) async fn article(
        &self,
        name: &ArticleName,
    ) -> Result<Option<Article>, StoreError> {
        asked!(self, client => articles::article(&client, name))
    }

    pub(in super::super) async fn status(&self, now: Timestamp) -> Result<Status, StoreError> {
        let status = asked!(self, client => upkeep::status(&mut client, now))?;
        let sizes = asked!(self, client => upkeep::sizes(&client));
        let (store_bytes, search_bytes) = sizes.unwrap_or_default();
        Ok(Status {
            store_bytes,
            search_bytes,
            ..status
        })
    }

    pub(in super::super) async fn server(&self) -> Result<Server, StoreError> {
        asked!(self, client => server::server(&client))
    }

    pub(in super::super) async fn index(&self) -> Result<usize, StoreError> {
        search::index(self).await
    }

    pub(in super::super) async fn backup(&self, to: &Path) -> Result<u64, StoreError> {
        Err(upkeep::backup(self.name(), to))
    }

    pub(in super::super) async fn check(&self) -> Result<Vec<String>, StoreError> {
        asked!(self, client => upkeep::check(&mut client))
    }

    pub(in super::super) async fn set_note(
        &self,
        name: &str,
        text: &str,
    ) -> Result<(), StoreError> {
        in_transaction!(self, transaction => notes::set_note(&transaction, name, text))
    }

    pub(in super::super) async fn note(&self, name: &str) -> Result<Option<String>, StoreError> {
        asked!(self, client => notes::note(&client, name))
    }
}

//! The verbs of the store, each one transaction or one question.

use std::collections::HashSet;
use std::path::Path;

use jiff::Timestamp;

use super::super::record::{
    Article, Backlog, Claim, DueFeed, DuePage, Feed, NewFeed, Paused, Poll, PollRecorded,
    PollReport, Saved, ScrapeReport, SourceList, Status, Subscribed, SyncReport,
};
use super::super::{ArticleName, FeedName, Listing, StoreError};
use super::{Postgres, notes};
use crate::model::FeedId;
use crate::query::ArticleQuery;

/// What the branches beside this one bring.
fn to_come<T>() -> Result<T, StoreError> {
    Err(StoreError::Database("not on PostgreSQL yet".to_owned()))
}

impl Postgres {
    pub(in super::super) async fn sync_lists(
        &self,
        _lists: Vec<SourceList>,
        _now: Timestamp,
    ) -> Result<SyncReport, StoreError> {
        to_come()
    }

    pub(in super::super) async fn subscribe(
        &self,
        _feed: NewFeed,
        _now: Timestamp,
    ) -> Result<Subscribed, StoreError> {
        to_come()
    }

    pub(in super::super) async fn retire(
        &self,
        _feed: FeedId,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        to_come()
    }

    pub(in super::super) async fn set_paused(
        &self,
        _feed: FeedId,
        _paused: Paused,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        to_come()
    }

    pub(in super::super) async fn make_due(
        &self,
        _feed: FeedId,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        to_come()
    }

    pub(in super::super) async fn feeds(&self) -> Result<Vec<Feed>, StoreError> {
        to_come()
    }

    pub(in super::super) async fn feed(
        &self,
        _name: &FeedName,
    ) -> Result<Option<Feed>, StoreError> {
        to_come()
    }

    pub(in super::super) async fn polls(
        &self,
        _feed: FeedId,
        _limit: usize,
    ) -> Result<Vec<Poll>, StoreError> {
        to_come()
    }

    pub(in super::super) async fn due_feeds(
        &self,
        _claim: &Claim,
    ) -> Result<Vec<DueFeed>, StoreError> {
        to_come()
    }

    pub(in super::super) async fn due_feed(
        &self,
        _feed: FeedId,
        _now: Timestamp,
    ) -> Result<Option<DueFeed>, StoreError> {
        to_come()
    }

    pub(in super::super) async fn known_entries(
        &self,
        _feed: FeedId,
        _entries: Vec<(String, i64)>,
    ) -> Result<HashSet<usize>, StoreError> {
        to_come()
    }

    pub(in super::super) async fn due_pages(
        &self,
        _claim: &Claim,
    ) -> Result<Vec<DuePage>, StoreError> {
        to_come()
    }

    pub(in super::super) async fn backlog(&self, _now: Timestamp) -> Result<Backlog, StoreError> {
        to_come()
    }

    pub(in super::super) async fn record_poll(
        &self,
        _due: &DueFeed,
        _report: PollReport,
    ) -> Result<PollRecorded, StoreError> {
        to_come()
    }

    pub(in super::super) async fn record_scrape(
        &self,
        _due: &DuePage,
        _report: ScrapeReport,
    ) -> Result<Saved, StoreError> {
        to_come()
    }

    pub(in super::super) async fn articles(
        &self,
        _query: &ArticleQuery,
    ) -> Result<Listing, StoreError> {
        to_come()
    }

    pub(in super::super) async fn article(
        &self,
        _name: &ArticleName,
    ) -> Result<Option<Article>, StoreError> {
        to_come()
    }

    pub(in super::super) async fn status(&self, _now: Timestamp) -> Result<Status, StoreError> {
        to_come()
    }

    pub(in super::super) async fn index(&self) -> Result<usize, StoreError> {
        to_come()
    }

    pub(in super::super) async fn backup(&self, _to: &Path) -> Result<u64, StoreError> {
        to_come()
    }

    pub(in super::super) async fn check(&self) -> Result<Vec<String>, StoreError> {
        to_come()
    }

    pub(in super::super) async fn set_note(
        &self,
        name: &str,
        text: &str,
    ) -> Result<(), StoreError> {
        self.transaction(async |transaction| notes::set_note(transaction, name, text).await)
            .await
    }

    pub(in super::super) async fn note(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.ask(async |client| notes::note(client, name).await)
            .await
    }
}

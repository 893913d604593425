//! The verbs of the store, each one command or one question.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::record::{
    Article, Backlog, Claim, DueFeed, DuePage, Feed, NewFeed, Paused, Poll, PollRecorded,
    PollReport, Saved, ScrapeReport, SourceList, Status, Subscribed, SyncReport,
};
use super::super::recording as rows;
use super::super::{ArticleName, FeedName, Listing, StoreError};
use super::{Sqlite, articles, blocking, due, entries, feeds, recording, state, upkeep};
use crate::model::FeedId;
use crate::query::ArticleQuery;

impl Sqlite {
    pub(in super::super) async fn sync_lists(
        &self,
        lists: Vec<SourceList>,
        now: Timestamp,
    ) -> Result<SyncReport, StoreError> {
        self.write(move |connection, _| feeds::sync_lists(connection, &lists, now))
            .await
    }

    pub(in super::super) async fn subscribe(
        &self,
        feed: NewFeed,
        now: Timestamp,
    ) -> Result<Subscribed, StoreError> {
        self.write(move |connection, _| feeds::subscribe(connection, &feed, now))
            .await
    }

    pub(in super::super) async fn retire(
        &self,
        feed: FeedId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |connection, _| feeds::retire(connection, feed, now))
            .await
    }

    pub(in super::super) async fn set_paused(
        &self,
        feed: FeedId,
        paused: Paused,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |connection, _| feeds::set_paused(connection, feed, paused, now))
            .await
    }

    pub(in super::super) async fn make_due(
        &self,
        feed: FeedId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |connection, _| feeds::make_due(connection, feed, now))
            .await
    }

    pub(in super::super) async fn feeds(&self) -> Result<Vec<Feed>, StoreError> {
        self.read(feeds::feeds).await
    }

    pub(in super::super) async fn feed(&self, name: &FeedName) -> Result<Option<Feed>, StoreError> {
        let name = name.clone();
        self.read(move |connection| feeds::feed(connection, &name))
            .await
    }

    pub(in super::super) async fn polls(
        &self,
        feed: FeedId,
        limit: usize,
    ) -> Result<Vec<Poll>, StoreError> {
        self.read(move |connection| feeds::polls(connection, feed, limit))
            .await
    }

    pub(in super::super) async fn due_feeds(
        &self,
        claim: &Claim,
    ) -> Result<Vec<DueFeed>, StoreError> {
        let claim = claim.clone();
        self.read(move |connection| due::due_feeds(connection, &claim))
            .await
    }

    pub(in super::super) async fn due_feed(
        &self,
        feed: FeedId,
        now: Timestamp,
    ) -> Result<Option<DueFeed>, StoreError> {
        self.read(move |connection| due::due_feed(connection, feed, now))
            .await
    }

    pub(in super::super) async fn known_entries(
        &self,
        feed: FeedId,
        entries: Vec<(String, i64)>,
    ) -> Result<HashSet<usize>, StoreError> {
        self.read(move |connection| entries::known_entries(connection, feed, &entries))
            .await
    }

    pub(in super::super) async fn due_pages(
        &self,
        claim: &Claim,
    ) -> Result<Vec<DuePage>, StoreError> {
        let claim = claim.clone();
        self.read(move |connection| due::due_pages(connection, &claim))
            .await
    }

    pub(in super::super) async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError> {
        self.read(move |connection| due::backlog(connection, now))
            .await
    }

    pub(in super::super) async fn record_poll(
        &self,
        due: &DueFeed,
        report: PollReport,
    ) -> Result<PollRecorded, StoreError> {
        let due = due.clone();
        let poll = match rows::Poll::is_long(&report) {
            true => blocking(move || rows::Poll::new(due, report)).await?,
            false => rows::Poll::new(due, report),
        };
        self.write(move |connection, writer| recording::record_poll(connection, writer, poll))
            .await
    }

    pub(in super::super) async fn record_scrape(
        &self,
        due: &DuePage,
        report: ScrapeReport,
    ) -> Result<Saved, StoreError> {
        let due = due.clone();
        let scrape = match rows::Scrape::is_long(&report) {
            true => blocking(move || rows::Scrape::new(due, report)).await?,
            false => rows::Scrape::new(due, report),
        };
        self.write(move |connection, writer| recording::record_scrape(connection, writer, scrape))
            .await
    }

    pub(in super::super) async fn articles(
        &self,
        query: &ArticleQuery,
    ) -> Result<Listing, StoreError> {
        let query = query.clone();
        self.shared
            .readers
            .run(move |reader| articles::articles(reader, &query))
            .await
    }

    pub(in super::super) async fn article(
        &self,
        name: &ArticleName,
    ) -> Result<Option<Article>, StoreError> {
        let name = name.clone();
        self.read(move |connection| articles::article(connection, &name))
            .await
    }

    pub(in super::super) async fn status(&self, now: Timestamp) -> Result<Status, StoreError> {
        let path = self.path().to_owned();
        self.shared
            .readers
            .run(move |reader| upkeep::status(reader, &path, now))
            .await
    }

    pub(in super::super) async fn index(&self) -> Result<usize, StoreError> {
        if self.shared.writer.is_none() {
            return Err(self.opened_to_be_read());
        }
        Arc::clone(&self.shared.index).catch_up().await
    }

    pub(in super::super) async fn backup(&self, to: &Path) -> Result<u64, StoreError> {
        upkeep::backup(self.path().to_owned(), to.to_owned()).await
    }

    pub(in super::super) async fn check(&self) -> Result<Vec<String>, StoreError> {
        self.shared
            .readers
            .run_within(upkeep::UPKEEP_DEADLINE, upkeep::check)
            .await
    }

    pub(in super::super) async fn set_note(
        &self,
        name: &str,
        text: &str,
    ) -> Result<(), StoreError> {
        let (name, text) = (name.to_owned(), text.to_owned());
        self.write(move |connection, _| state::set_note(connection, &name, &text))
            .await
    }

    pub(in super::super) async fn note(&self, name: &str) -> Result<Option<String>, StoreError> {
        let name = name.to_owned();
        self.read(move |connection| state::note(connection, &name))
            .await
    }
}

//! What lists and commands wish, against the feeds that are there: decided in memory, so
//! that a hundred thousand feeds are two round trips and not two hundred thousand. Pure,
//! and the same on every backend.

use std::collections::HashMap;

use super::column::storable;
use super::json;
use super::record::{FeedState, NewFeed, SourceList, SyncReport};
use crate::feed_list::ListedFeed;
use crate::model::{ErrorKind, Failure, FeedId, FeedUrl, HostKey};

/// What a list or command wishes for a feed, as the columns hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) title: Option<String>,
    pub(super) site: Option<String>,
    pub(super) tags: String,
    pub(super) settings: String,
    pub(super) file: Option<String>,
}

impl Wish {
    fn new(listed: &ListedFeed, file: Option<&str>) -> Self {
        let storable = |text: &String| storable(text).into_owned();
        let tags: Vec<String> = listed.tags.iter().map(storable).collect();
        Self {
            title: listed.title.as_ref().map(storable),
            site: listed.site.as_ref().map(storable),
            tags: json::write(&tags),
            settings: json::write_settings(&listed.settings),
            file: file.map(str::to_owned),
        }
    }
}

/// One feed: how it is subscribed, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subscription {
    /// `None` for a new one, which gets its id when it is written.
    pub(super) id: Option<FeedId>,
    /// Where it is polled now.
    pub(super) url: String,
    /// Where it was subscribed, as it was given.
    pub(super) given: String,
    pub(super) is_retired: bool,
    pub(super) wish: Wish,
    /// Whether `given` or `wish` are to be written.
    pub(super) is_changed: bool,
    /// Whether it is to be retired or polled again.
    pub(super) turn: Option<Turn>,
}

/// A change between polled and retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is polled no longer.
    Retired,
    /// It is polled again, also if it was paused.
    Revived,
}

impl Subscription {
    /// One that is there, unchanged.
    pub(super) fn stored(
        id: FeedId,
        url: String,
        given: String,
        is_retired: bool,
        wish: Wish,
    ) -> Self {
        Self {
            id: Some(id),
            url,
            given,
            is_retired,
            wish,
            is_changed: false,
            turn: None,
        }
    }

    /// Whom its polls are to be polite to.
    pub(super) fn host(&self) -> HostKey {
        // Lists and commands give URLs that were parsed.
        FeedUrl::parse(&self.url).map_or_else(
            |_| HostKey::stored(String::new()),
            |url| HostKey::of(url.url()),
        )
    }

    fn turn(&mut self, turn: Turn) {
        self.is_retired = turn == Turn::Retired;
        self.turn = Some(turn);
    }
}

/// What became of one listed feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was not there.
    Added,
    /// It was retired.
    Revived,
    /// It was there, otherwise.
    Changed,
    /// It was there, just so.
    Kept,
}

/// The feeds that a change may concern, in the order of their ids, and what it makes of them.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    all: Vec<Subscription>,
    by_given: HashMap<String, usize>,
    by_url: HashMap<String, usize>,
}

impl Subscriptions {
    pub(super) fn new(stored: Vec<Subscription>) -> Self {
        let mut subscriptions = Self::default();
        for subscription in stored {
            subscriptions.push(subscription);
        }
        subscriptions
    }

    fn push(&mut self, subscription: Subscription) -> usize {
        let place = self.all.len();
        self.by_given.insert(subscription.given.clone(), place);
        // Redirects may lead several feeds to one place; the oldest of them counts.
        self.by_url.entry(subscription.url.clone()).or_insert(place);
        self.all.push(subscription);
        place
    }

    /// The feed that was subscribed at `url`, in that form or as `given`, or is polled there now.
    pub(super) fn find(&self, url: &FeedUrl, given: &str) -> Option<&Subscription> {
        self.place(url, given).map(|place| &self.all[place])
    }

    fn place(&self, url: &FeedUrl, given: &str) -> Option<usize> {
        let found = self
            .by_given
            .get(given)
            .or_else(|| self.by_given.get(url.as_str()))
            .or_else(|| self.by_url.get(url.as_str()));
        found.copied()
    }

    /// Makes the feeds of all files be what the lists say. To be given all feeds.
    pub(super) fn follow(&mut self, lists: &[SourceList]) -> SyncReport {
        let mut report = SyncReport::default();
        let mut is_named = vec![false; self.all.len()];
        for (file, listed) in merged(lists) {
            let (place, outcome) = self.wish(&listed, Some(file));
            match outcome {
                Outcome::Added => report.added += 1,
                Outcome::Revived => report.revived += 1,
                Outcome::Changed => report.changed += 1,
                Outcome::Kept => report.kept += 1,
            }
            is_named.resize(self.all.len(), false);
            is_named[place] = true;
        }
        for (subscription, is_named) in self.all.iter_mut().zip(is_named) {
            let is_of_a_file = subscription.wish.file.is_some() && !subscription.is_retired;
            if is_of_a_file && !is_named {
                report.retired += 1;
                subscription.turn(Turn::Retired);
            }
        }
        report
    }

    /// Subscribes to a feed; one that is polled already stays as it is.
    pub(super) fn subscribe(&mut self, feed: &NewFeed) -> Outcome {
        match self.find(&feed.listed.url, &feed.listed.given) {
            Some(known) if !known.is_retired => Outcome::Kept,
            _ => self.wish(&feed.listed, feed.file.as_deref()).1,
        }
    }

    /// Makes a feed be as it is wished; its place, and what that changed.
    fn wish(&mut self, listed: &ListedFeed, file: Option<&str>) -> (usize, Outcome) {
        let wish = Wish::new(listed, file);
        let given = storable(&listed.given);
        let Some(place) = self.place(&listed.url, &given) else {
            let place = self.push(Subscription {
                id: None,
                url: listed.url.as_str().to_owned(),
                given: given.into_owned(),
                is_retired: false,
                wish,
                is_changed: false,
                turn: None,
            });
            return (place, Outcome::Added);
        };
        self.respell(place, &listed.url, &given);
        let known = &mut self.all[place];
        let is_as_wished = known.wish == wish;
        known.wish = wish;
        known.is_changed |= !is_as_wished;
        let outcome = match (known.is_retired, is_as_wished) {
            (true, _) => {
                known.turn(Turn::Revived);
                Outcome::Revived
            }
            (false, false) => Outcome::Changed,
            (false, true) => Outcome::Kept,
        };
        (place, outcome)
    }

    /// Takes over a new spelling of the URL at which a feed is subscribed.
    fn respell(&mut self, place: usize, url: &FeedUrl, given: &str) {
        let known = &mut self.all[place];
        if known.given != given && FeedUrl::parse(&known.given).is_ok_and(|known| known == *url) {
            self.by_given.remove(&known.given);
            self.by_given.insert(given.to_owned(), place);
            known.given = given.to_owned();
            known.is_changed = true;
        }
    }

    /// New feeds, in the order in which they were named.
    pub(super) fn added(&self) -> impl Iterator<Item = &Subscription> {
        self.all.iter().filter(|feed| feed.id.is_none())
    }

    /// Feeds whose wishes or spelling changed.
    pub(super) fn changed(&self) -> impl Iterator<Item = (FeedId, &Subscription)> {
        self.all
            .iter()
            .filter(|feed| feed.is_changed)
            .filter_map(|feed| Some((feed.id?, feed)))
    }

    /// Feeds that are retired or revived.
    pub(super) fn turned(&self, turn: Turn) -> Vec<FeedId> {
        self.all
            .iter()
            .filter(|feed| feed.turn == Some(turn))
            .filter_map(|feed| feed.id)
            .collect()
    }
}

/// Each URL once, owned by the first file that names it, with the tags of all.
fn merged(lists: &[SourceList]) -> Vec<(&str, ListedFeed)> {
    let mut merged: Vec<(&str, ListedFeed)> = Vec::new();
    let mut places = HashMap::new();
    for list in lists {
        for listed in &list.feeds {
            match places.get(&listed.url) {
                None => {
                    places.insert(&listed.url, merged.len());
                    merged.push((&list.file, listed.clone()));
                }
                Some(&place) => {
                    let (_, first): &mut (&str, ListedFeed) = &mut merged[place];
                    for tag in &listed.tags {
                        if !first.tags.contains(tag) {
                            first.tags.push(tag.clone());
                        }
                    }
                }
            }
        }
    }
    merged
}

/// The state of a feed, in one word.
pub(super) fn state(
    is_retired: bool,
    is_paused: bool,
    failure: Option<&Failure>,
    has_succeeded: bool,
) -> FeedState {
    match failure {
        _ if is_retired => FeedState::Retired,
        _ if is_paused => FeedState::Paused,
        Some(failure) if failure.kind == ErrorKind::Gone => FeedState::Gone,
        Some(_) => FeedState::Error,
        None if has_succeeded => FeedState::Ok,
        None => FeedState::Pending,
    }
}

/// A failure from its columns; a kind of a later version counts as ours.
pub(super) fn failure(
    kind: Option<String>,
    detail: Option<String>,
    status: Option<u16>,
) -> Option<Failure> {
    let kind = kind?.parse().unwrap_or(ErrorKind::Internal);
    Some(Failure {
        status,
        ..Failure::new(kind, detail.unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FeedSettings;

    fn listed(url: &str) -> ListedFeed {
        ListedFeed {
            url: FeedUrl::parse(url).unwrap(),
            given: url.to_owned(),
            title: None,
            tags: Vec::new(),
            site: None,
            settings: FeedSettings::default(),
        }
    }

    fn list(file: &str, feeds: Vec<ListedFeed>) -> SourceList {
        SourceList {
            file: file.to_owned(),
            feeds,
        }
    }

    fn stored(id: i64, url: &str, file: Option<&str>) -> Subscription {
        let url = url.to_owned();
        let wish = Wish::new(&listed(&url), file);
        Subscription::stored(FeedId(id), url.clone(), url, false, wish)
    }

    #[test]
    fn what_is_named_is_kept_and_what_is_not_is_retired() {
        let mut feeds = Subscriptions::new(vec![
            stored(1, "https://a.example/feed", Some("a.txt")),
            stored(2, "https://b.example/feed", Some("a.txt")),
            stored(3, "https://c.example/feed", None),
        ]);

        let report = feeds.follow(&[list(
            "a.txt",
            vec![
                listed("https://a.example/feed"),
                listed("https://d.example/feed"),
            ],
        )]);

        assert_eq!(
            report,
            SyncReport {
                added: 1,
                retired: 1,
                kept: 1,
                ..SyncReport::default()
            }
        );
        assert_eq!(feeds.turned(Turn::Retired), [FeedId(2)]);
        assert_eq!(feeds.added().count(), 1);
        assert_eq!(feeds.changed().count(), 0);
    }

    #[test]
    fn a_feed_that_moved_is_known_by_both_of_its_urls() {
        let mut moved = stored(1, "https://a.example/old", Some("a.txt"));
        moved.url = "https://a.example/new".to_owned();
        let mut feeds = Subscriptions::new(vec![moved]);

        let report = feeds.follow(&[list(
            "a.txt",
            vec![
                listed("https://a.example/old"),
                listed("https://a.example/new"),
            ],
        )]);

        assert_eq!((report.added, report.kept), (0, 2));
        assert_eq!(feeds.turned(Turn::Retired), []);
    }

    #[test]
    fn a_feed_of_two_files_is_written_once_with_the_tags_of_both() {
        let tagged = |tag: &str| ListedFeed {
            tags: vec![tag.to_owned()],
            ..listed("https://a.example/feed")
        };
        let mut feeds = Subscriptions::default();

        let report = feeds.follow(&[list("a", vec![tagged("x")]), list("b", vec![tagged("y")])]);

        let added: Vec<&Subscription> = feeds.added().collect();
        assert_eq!((report.added, added.len()), (1, 1));
        assert_eq!(added[0].wish.tags, r#"["x","y"]"#);
        assert_eq!(added[0].wish.file.as_deref(), Some("a"));
    }

    #[test]
    fn a_command_changes_no_feed_that_is_polled() {
        let mut feeds = Subscriptions::new(vec![stored(1, "https://a.example/feed", Some("a"))]);
        let mut new = NewFeed {
            listed: listed("https://a.example/feed"),
            file: None,
        };
        new.listed.title = Some("Other".to_owned());

        let outcome = feeds.subscribe(&new);

        assert_eq!(outcome, Outcome::Kept);
        assert_eq!(feeds.changed().count(), 0);
    }

    #[test]
    fn a_retired_feed_is_revived_with_the_new_wishes() {
        let mut retired = stored(1, "https://a.example/feed", Some("a"));
        retired.is_retired = true;
        let mut feeds = Subscriptions::new(vec![retired]);

        let outcome = feeds.subscribe(&NewFeed {
            listed: listed("https://a.example/feed"),
            file: None,
        });

        assert_eq!(outcome, Outcome::Revived);
        assert_eq!(feeds.turned(Turn::Revived), [FeedId(1)]);
        assert_eq!(feeds.changed().next().unwrap().1.wish.file, None);
    }
}

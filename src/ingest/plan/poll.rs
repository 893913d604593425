//! From a feed's answer to the report of its poll.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use url::Url;

use super::{Told, parse_failure};
use crate::discover::{self, Dropped, Wanted};
use crate::extract::{self, plain_text};
use crate::feed::{self, Entry, ParsedFeed};
use crate::fetch::{Exchange, FeedAnswer, FeedDocument};
use crate::model::{ErrorKind, Failure, FeedUrl, UrlError, Validators};
use crate::schedule::{self, Next, Outcome};
use crate::store::{Announcement, DueFeed, FeedReading, PageToFetch, PollReport, PollResult};

/// Feed text kept of one entry, in bytes; a field of a hostile feed has no end.
const MAX_ENTRY_TEXT_BYTES: usize = 2 << 20;

/// What a poll found. Each is part of an ordinary day.
#[derive(Clone, Debug, PartialEq)]
pub enum PollOutcome {
    /// 304: the validators still hold (RFC 9110 §15.4.5).
    NotModified,
    /// 200 with the bytes of last time.
    Unchanged,
    /// 200 and parsed; the warnings are blemishes that were read past.
    Fetched {
        /// Entries in the document.
        n_entries: usize,
        /// Of these, known and unchanged.
        n_known: usize,
        /// Blemishes.
        warnings: Vec<String>,
    },
    /// A redirect to the host of another worker, which goes on there.
    Moved {
        /// Where it leads.
        to: FeedUrl,
    },
    /// 410, or any other failure: recorded and scheduled again, not raised.
    Failed(Failure),
}

/// What a feed answered, read.
#[derive(Debug)]
pub(in super::super) struct Reading {
    told: Told,
    found: Found,
}

#[derive(Debug)]
enum Found {
    NotModified {
        validators: Validators,
        max_age: Option<Duration>,
    },
    Unchanged {
        validators: Validators,
        max_age: Option<Duration>,
    },
    Feed {
        document: Document,
        feed: Box<ParsedFeed>,
        entry_hashes: Vec<i64>,
        n_known: usize,
    },
    Moved(FeedUrl),
    Failed(Failure),
}

/// What is kept of a document once it has been parsed.
#[derive(Debug)]
struct Document {
    validators: Validators,
    max_age: Option<Duration>,
    body_hash: i64,
}

impl Reading {
    /// Parses the document, unless it is the one whose hash we know.
    pub(in super::super) fn of(exchange: Exchange<FeedAnswer>, last_hash: Option<i64>) -> Self {
        let told = Told::by(&exchange);
        let found = match exchange.answer {
            Err(failure) => Found::Failed(failure),
            Ok(FeedAnswer::NotModified {
                validators,
                max_age,
            }) => Found::NotModified {
                validators,
                max_age,
            },
            Ok(FeedAnswer::Document(document)) => read_document(document, last_hash),
        };
        Self { told, found }
    }

    /// A redirect to the host of another worker, where the poll goes on.
    pub(in super::super) fn moved(exchange: Exchange<Url>) -> Self {
        let told = Told::by(&exchange);
        let target = exchange.answer.and_then(|url| {
            let target = FeedUrl::parse(url.as_str());
            target.map_err(|error| Failure::new(ErrorKind::RedirectInvalid, error.to_string()))
        });
        Self {
            told,
            found: target.map_or_else(Found::Failed, Found::Moved),
        }
    }

    /// A reading that came to nothing.
    pub(in super::super) fn failed(told: Told, failure: Failure) -> Self {
        Self {
            told,
            found: Found::Failed(failure),
        }
    }

    pub(in super::super) fn told(&self) -> Told {
        self.told
    }

    /// Identity and hash of each entry, in document order.
    pub(in super::super) fn entry_hashes(&self) -> Vec<(String, i64)> {
        match &self.found {
            Found::Feed {
                feed, entry_hashes, ..
            } => feed
                .entries
                .iter()
                .zip(entry_hashes)
                .map(|(entry, hash)| (entry.id.clone(), *hash))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Leaves out the entries at these places: the store has them as they are.
    pub(in super::super) fn leave_out(&mut self, known: HashSet<usize>) {
        if let Found::Feed {
            feed,
            entry_hashes,
            n_known,
            ..
        } = &mut self.found
        {
            let mut place = 0..;
            feed.entries
                .retain(|_| !known.contains(&place.next().expect("an endless range")));
            let mut place = 0..;
            entry_hashes.retain(|_| !known.contains(&place.next().expect("an endless range")));
            *n_known = known.len();
        }
    }
}

fn read_document(document: FeedDocument, last_hash: Option<i64>) -> Found {
    let FeedDocument {
        body,
        url,
        content_type,
        validators,
        max_age,
    } = document;
    let body_hash = hash(&[&body]);
    if last_hash == Some(body_hash) {
        return Found::Unchanged {
            validators,
            max_age,
        };
    }
    match feed::parse(&body, content_type.as_deref(), Some(&url)) {
        Ok(feed) => {
            let entry_hashes = feed.entries.iter().map(entry_hash).collect();
            let document = Document {
                validators,
                max_age,
                body_hash,
            };
            Found::Feed {
                document,
                feed: Box::new(feed),
                entry_hashes,
                n_known: 0,
            }
        }
        Err(error) => Found::Failed(parse_failure(&error)),
    }
}

/// A poll's report: what is to be kept, and when the feed is due next.
pub(in super::super) fn poll(
    due: &DueFeed,
    reading: Reading,
    now: Timestamp,
    settings: &schedule::Settings,
) -> (PollReport, PollOutcome) {
    // By the feed and not by its URL, which is another one while a poll goes on elsewhere.
    let jitter = schedule::jitter(&due.feed.to_string());
    let next = |outcome: &Outcome<'_>| {
        schedule::next_poll(
            now,
            &due.state,
            outcome,
            due.settings.interval,
            jitter,
            settings,
        )
    };
    let good =
        |wished: Option<Duration>, skip_hours: &[u8]| next(&Outcome::Good { wished, skip_hours });
    let Reading { told, found } = reading;
    let (next, result, outcome) = match found {
        Found::NotModified {
            validators,
            max_age,
        } => {
            let validators = due.validators.clone().merged(validators);
            (
                good(max_age, &[]),
                PollResult::NotModified { validators },
                PollOutcome::NotModified,
            )
        }
        Found::Unchanged {
            validators,
            max_age,
        } => (
            good(max_age, &[]),
            PollResult::Unchanged { validators },
            PollOutcome::Unchanged,
        ),
        Found::Feed {
            document,
            feed,
            entry_hashes,
            n_known,
        } => {
            let wished = document.max_age.max(feed.hints.interval);
            let next = good(wished, &feed.hints.skip_hours);
            let outcome = PollOutcome::Fetched {
                n_entries: feed.entries.len() + n_known,
                n_known,
                warnings: feed.warnings.clone(),
            };
            (
                next,
                PollResult::Fetched(Box::new(feed_reading(
                    due,
                    document,
                    *feed,
                    &entry_hashes,
                    now,
                ))),
                outcome,
            )
        }
        Found::Moved(to) => (
            Next {
                at: Some(now),
                state: due.state.clone(),
            },
            PollResult::Moved(to.clone()),
            PollOutcome::Moved { to },
        ),
        Found::Failed(failure) if failure.kind == ErrorKind::Gone => (
            next(&Outcome::Gone),
            PollResult::Gone(failure.clone()),
            PollOutcome::Failed(failure),
        ),
        Found::Failed(failure) => (
            next(&Outcome::Failed(&failure)),
            PollResult::Failed(failure.clone()),
            PollOutcome::Failed(failure),
        ),
    };
    let Next {
        at: next_poll,
        state,
    } = next;
    (
        PollReport {
            at: now,
            next_poll,
            state,
            cost: told.cost,
            manners: told.manners(now),
            result,
        },
        outcome,
    )
}

fn feed_reading(
    due: &DueFeed,
    document: Document,
    feed: ParsedFeed,
    entry_hashes: &[i64],
    now: Timestamp,
) -> FeedReading {
    let mut warnings = feed.warnings;
    // A 304 to validators of a document that was cut off would keep its tail from us for ever.
    let validators = match feed.is_cut {
        true => Validators::default(),
        false => document.validators,
    };
    let announcements = feed
        .entries
        .into_iter()
        .zip(entry_hashes)
        .map(|(entry, hash)| announcement(due, entry, *hash, now, &mut warnings))
        .collect();
    FeedReading {
        validators,
        body_hash: document.body_hash,
        title: feed.title,
        site_url: feed.site,
        language: feed.language,
        announcements,
        warnings,
    }
}

fn announcement(
    due: &DueFeed,
    entry: Entry,
    entry_hash: i64,
    now: Timestamp,
    warnings: &mut Vec<String>,
) -> Announcement {
    let candidate = discover::candidate(&entry, &due.settings)
        .inspect_err(|dropped| warnings.push(format!("{dropped}: {}", shown(&entry))));
    let skipped = candidate.as_ref().err().and_then(link_failure);
    let candidate = candidate.ok();
    let content = entry
        .content
        .as_deref()
        .map(|html| cut(html, MAX_ENTRY_TEXT_BYTES));
    let base = candidate
        .as_ref()
        .map_or(due.url.url(), |candidate| candidate.page.url());
    Announcement {
        summary: entry
            .summary
            .as_deref()
            .map(|html| plain_text(cut(html, MAX_ENTRY_TEXT_BYTES)))
            .filter(not_blank),
        content_html: content
            .map(|html| extract::sanitize(html, Some(base)))
            .filter(not_blank),
        content_text: content.map(plain_text).filter(not_blank),
        url: entry
            .link
            .as_deref()
            .map(|link| link.trim().to_owned())
            .filter(not_blank),
        skipped,
        canonical: candidate
            .as_ref()
            .map(|candidate| candidate.canonical.clone()),
        page: candidate
            .filter(|candidate| candidate.wanted == Wanted::Yes)
            .map(|candidate| PageToFetch {
                url: candidate.page,
                host: candidate.host,
            }),
        published: entry
            .published
            .or(entry.updated)
            .filter(|at| is_believable(*at, now)),
        updated: entry.updated.filter(|at| is_believable(*at, now)),
        entry_id: entry.id,
        guid: entry.guid,
        title: entry.title,
        authors: entry.authors,
        tags: entry.categories,
        enclosures: entry.enclosures,
        entry_hash,
    }
}

/// Why the link that an entry gives cannot be followed.
fn link_failure(dropped: &Dropped) -> Option<Failure> {
    match dropped {
        Dropped::NoLink => None,
        Dropped::BadLink(error @ UrlError::Scheme { .. }) => {
            Some(Failure::new(ErrorKind::SchemeBlocked, error.to_string()))
        }
        Dropped::BadLink(error @ UrlError::Invalid { .. }) => {
            Some(Failure::new(ErrorKind::InvalidUrl, error.to_string()))
        }
    }
}

/// Dates before the web's feeds or more than a day ahead are a publisher's mistake.
fn is_believable(at: Timestamp, now: Timestamp) -> bool {
    let earliest = Timestamp::from_second(631_152_000).expect("1990-01-01 is a time");
    let latest = now
        .checked_add(SignedDuration::from_hours(24))
        .unwrap_or(Timestamp::MAX);
    earliest <= at && at <= latest
}

fn entry_hash(entry: &Entry) -> i64 {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let time = |value: Option<Timestamp>| value.map(|at| at.to_string()).unwrap_or_default();
    let enclosures: Vec<&str> = entry
        .enclosures
        .iter()
        .map(|enclosure| enclosure.url.as_str())
        .collect();
    hash(&[
        text(&entry.title).as_bytes(),
        text(&entry.link).as_bytes(),
        text(&entry.summary).as_bytes(),
        text(&entry.content).as_bytes(),
        time(entry.published).as_bytes(),
        time(entry.updated).as_bytes(),
        entry.authors.join("\n").as_bytes(),
        entry.categories.join("\n").as_bytes(),
        enclosures.join("\n").as_bytes(),
    ])
}

/// 64 bits of SHA-256 over the parts, each with its length before it.
fn hash(parts: &[&[u8]]) -> i64 {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    let digest = digest.finalize();
    i64::from_be_bytes(digest[..8].try_into().expect("SHA-256 has 32 bytes"))
}

fn shown(entry: &Entry) -> String {
    let name = entry
        .title
        .as_deref()
        .or(entry.guid.as_deref())
        .unwrap_or(&entry.id);
    name.chars().take(80).collect()
}

/// At most `max` bytes of `text`, cut between characters.
fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max {
        text
    } else {
        &text[..text.floor_char_boundary(max)]
    }
}

#[expect(clippy::ptr_arg, reason = "the form that Option::filter wants")]
fn not_blank(text: &String) -> bool {
    !text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fetch::Wishes;
    use crate::model::{FeedId, FeedSettings, HostKey, Shard};
    use crate::schedule::PollState;
    use crate::store::{Lease, Manners};

    fn now() -> Timestamp {
        "2026-11-23T10:00:00Z".parse().unwrap()
    }

    fn due_feed() -> DueFeed {
        let url = FeedUrl::parse("http://example.org/feed.xml").unwrap();
        DueFeed {
            feed: FeedId(1),
            lease: Lease {
                shard: Shard(0),
                epoch: 0,
            },
            host: HostKey::of(url.url()),
            url,
            due_at: now(),
            validators: Validators {
                etag: Some(b"\"v1\"".to_vec()),
                last_modified: None,
                url: None,
            },
            body_hash: None,
            state: PollState::default(),
            settings: FeedSettings::default(),
            moves: 0,
            manners: Manners::default(),
        }
    }

    fn exchange(answer: Result<FeedAnswer, Failure>) -> Exchange<FeedAnswer> {
        Exchange {
            status: None,
            n_bytes: 0,
            duration: Duration::ZERO,
            redirects: Vec::new(),
            wishes: Wishes::default(),
            answer,
        }
    }

    fn document(body: &'static str) -> Exchange<FeedAnswer> {
        exchange(Ok(FeedAnswer::Document(FeedDocument {
            body: body.into(),
            url: Url::parse("http://example.org/feed.xml").unwrap(),
            content_type: None,
            validators: Validators::default(),
            max_age: None,
        })))
    }

    fn planned(reading: Reading) -> (PollReport, PollOutcome) {
        poll(&due_feed(), reading, now(), &schedule::Settings::default())
    }

    const FEED: &str = "<rss version=\"2.0\"><channel><title>G</title>\
        <item><title>A</title><link>http://example.org/a</link><guid>1</guid></item>\
        <item><title>B</title><link>javascript:b</link><guid isPermaLink=\"false\">2</guid>\
        <pubDate>Fri, 01 Jan 2100 00:00:00 GMT</pubDate></item></channel></rss>";

    #[test]
    fn a_304_keeps_the_validators_and_takes_over_what_it_carries() {
        let newer = Validators {
            etag: None,
            last_modified: Some(b"Mon".to_vec()),
            url: None,
        };
        let answer = FeedAnswer::NotModified {
            validators: newer,
            max_age: None,
        };

        let (report, outcome) = planned(Reading::of(exchange(Ok(answer)), None));

        assert_eq!(outcome, PollOutcome::NotModified);
        let kept = Validators {
            etag: Some(b"\"v1\"".to_vec()),
            last_modified: Some(b"Mon".to_vec()),
            url: None,
        };
        assert_eq!(report.result, PollResult::NotModified { validators: kept });
    }

    #[test]
    fn a_document_replaces_the_validators_even_by_none() {
        let (report, _) = planned(Reading::of(document(FEED), None));

        let PollResult::Fetched(reading) = report.result else {
            panic!("{:?}", report.result)
        };
        assert_eq!(reading.validators, Validators::default());
    }

    #[test]
    fn a_document_that_was_cut_off_leaves_no_validators() {
        let cut = &FEED[..FEED.len() - "</item></channel></rss>".len()];
        let mut exchange = document(cut);
        if let Ok(FeedAnswer::Document(document)) = &mut exchange.answer {
            document.validators.etag = Some(b"\"v2\"".to_vec());
        }

        let (report, _) = planned(Reading::of(exchange, None));

        let PollResult::Fetched(reading) = report.result else {
            panic!("{:?}", report.result)
        };
        assert_eq!(reading.announcements[0].title.as_deref(), Some("A"));
        assert_eq!(reading.validators, Validators::default());
    }

    #[test]
    fn the_bytes_of_last_time_are_not_parsed_again() {
        let hash = hash(&[FEED.as_bytes()]);

        let (report, outcome) = planned(Reading::of(document(FEED), Some(hash)));

        assert_eq!(outcome, PollOutcome::Unchanged);
        assert!(matches!(report.result, PollResult::Unchanged { .. }));
    }

    #[test]
    fn entries_become_announcements_and_what_is_wrong_with_them_is_said() {
        let (report, _) = planned(Reading::of(document(FEED), None));

        let PollResult::Fetched(reading) = report.result else {
            panic!("{:?}", report.result)
        };
        let [a, b] = &reading.announcements[..] else {
            panic!("{:?}", reading.announcements)
        };
        assert_eq!(a.url.as_deref(), Some("http://example.org/a"));
        assert!(a.page.is_some());
        assert!(
            b.page.is_none() && b.published.is_none(),
            "no page, and no date of 2100: {b:?}"
        );
        assert_eq!(
            b.url.as_deref(),
            Some("javascript:b"),
            "as the feed gave it"
        );
        let skipped = b.skipped.as_ref().map(|failure| failure.kind);
        assert_eq!(skipped, Some(ErrorKind::SchemeBlocked));
        assert!(
            reading
                .warnings
                .iter()
                .any(|warning| warning.contains("cannot be followed") && warning.ends_with(": B"))
        );
    }

    #[test]
    fn known_entries_are_counted_and_left_alone() {
        let mut reading = Reading::of(document(FEED), None);
        assert_eq!(reading.entry_hashes().len(), 2);

        reading.leave_out(HashSet::from([0]));
        let (report, outcome) = planned(reading);

        let PollResult::Fetched(reading) = report.result else {
            panic!("{:?}", report.result)
        };
        assert_eq!(reading.announcements.len(), 1);
        assert_eq!(reading.announcements[0].title.as_deref(), Some("B"));
        assert!(matches!(
            outcome,
            PollOutcome::Fetched {
                n_entries: 2,
                n_known: 1,
                ..
            }
        ));
    }

    #[test]
    fn gone_is_told_apart_from_other_failures() {
        let failed = |kind| planned(Reading::failed(Told::default(), Failure::new(kind, "x"))).0;

        assert!(matches!(
            failed(ErrorKind::Gone).result,
            PollResult::Gone(_)
        ));
        assert!(matches!(
            failed(ErrorKind::Timeout).result,
            PollResult::Failed(_)
        ));
        assert_eq!(failed(ErrorKind::Timeout).state.failures, 1);
    }

    #[test]
    fn a_redirect_to_a_foreign_host_moves_the_poll_and_leaves_its_schedule_alone() {
        let exchange = Exchange {
            status: Some(301),
            n_bytes: 0,
            duration: Duration::ZERO,
            redirects: Vec::new(),
            wishes: Wishes {
                rest: Some(Duration::from_secs(60)),
                gap: None,
            },
            answer: Ok(Url::parse("http://elsewhere.example/feed").unwrap()),
        };

        let (report, outcome) = planned(Reading::moved(exchange));

        let to = FeedUrl::parse("http://elsewhere.example/feed").unwrap();
        assert_eq!(report.result, PollResult::Moved(to.clone()));
        assert_eq!(outcome, PollOutcome::Moved { to });
        assert_eq!(
            (report.next_poll, report.state),
            (Some(now()), PollState::default())
        );
        assert_eq!(
            report.manners.resting_until,
            "2026-11-23T10:01:00Z".parse().ok()
        );
    }

    #[test]
    fn the_place_of_a_feed_among_all_feeds_does_not_move_with_its_poll() {
        let at = |url: &str| {
            let due = DueFeed {
                url: FeedUrl::parse(url).unwrap(),
                ..due_feed()
            };
            let reading = Reading::of(document(FEED), None);
            poll(&due, reading, now(), &schedule::Settings::default())
                .0
                .next_poll
        };

        assert_eq!(
            at("http://example.org/feed.xml"),
            at("http://elsewhere.example/")
        );
    }

    proptest! {
        #[test]
        fn any_document_gives_a_report_with_a_next_poll(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let exchange = exchange(Ok(FeedAnswer::Document(FeedDocument {
                body: body.into(),
                url: Url::parse("http://example.org/feed.xml").unwrap(),
                content_type: None,
                validators: Validators::default(),
                max_age: None,
            })));

            let (report, _) = planned(Reading::of(exchange, None));

            prop_assert!(report.next_poll.is_some());
        }
    }
}

//! What this worker has done, in all and in the last minute.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::fleet::Done;

/// What counts as the last minute.
const MINUTE: Duration = Duration::from_secs(60);
/// Most readings remembered; one is made at each sign of life.
const MAX_READINGS: usize = 128;

/// Counts since the start. Written by the process, read at each sign of life.
#[derive(Debug, Default)]
pub(super) struct Tally {
    polls: AtomicU64,
    scrapes: AtomicU64,
    articles: AtomicU64,
    /// Earlier readings, oldest first.
    readings: Mutex<VecDeque<(Instant, Done)>>,
}

impl Tally {
    /// Adds to the counts.
    pub(super) fn add(&self, done: Done) {
        self.polls.fetch_add(done.polls, Relaxed);
        self.scrapes.fetch_add(done.scrapes, Relaxed);
        self.articles.fetch_add(done.articles, Relaxed);
    }

    /// All that was done so far, and what of it in the last minute.
    pub(super) fn read(&self, now: Instant) -> (Done, Done) {
        let all = Done {
            polls: self.polls.load(Relaxed),
            scrapes: self.scrapes.load(Relaxed),
            articles: self.articles.load(Relaxed),
        };
        let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        readings.push_back((now, all));
        // The newest one that is at least a minute old stays, to count from.
        while readings.len() > MAX_READINGS
            || readings
                .get(1)
                .is_some_and(|(at, _)| now.duration_since(*at) >= MINUTE)
        {
            readings.pop_front();
        }
        let before = match readings.front() {
            Some((at, before)) if now.duration_since(*at) >= MINUTE => *before,
            // It has not worked for a minute yet, or this is all that is remembered.
            Some((_, before)) if readings.len() == MAX_READINGS => *before,
            _ => Done::default(),
        };
        (all, all.since(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polls(n: u64) -> Done {
        Done {
            polls: n,
            ..Done::default()
        }
    }

    #[test]
    fn the_last_minute_is_told_apart_from_what_was_before() {
        let tally = Tally::default();
        let start = Instant::now();
        let read = |seconds| tally.read(start + Duration::from_secs(seconds));

        tally.add(polls(5));
        assert_eq!(read(0), (polls(5), polls(5)));
        tally.add(polls(7));
        assert_eq!(read(30), (polls(12), polls(12)));
        tally.add(polls(1));
        assert_eq!(read(60), (polls(13), polls(8)));
        assert_eq!(read(95), (polls(13), polls(1)));
        assert_eq!(read(300), (polls(13), polls(0)));
    }

    #[test]
    fn no_more_readings_are_remembered_than_needed() {
        let tally = Tally::default();
        let start = Instant::now();

        for n in 0..1000 {
            tally.read(start + Duration::from_millis(10 * n));
        }

        assert!(tally.readings.lock().unwrap().len() <= MAX_READINGS);
    }
}

//! How often and at which hours a feed publishes, learned from its own entries.
//!
//! Publishing is taken as a Poisson process whose rate changes with the hour of the day. Its
//! rate is an average that forgets, with a prior for feeds of which little is known; the
//! hours are counted in the same way. With the delay between publication and discovery as
//! the measure, the best use of a number of requests asks each feed in proportion to the
//! square root of its rate (Sia and Cho, "Efficient monitoring algorithm for fast news
//! alerts", IEEE TKDE 2007), and so does [`Rhythm::next`] within the day: a feed is due when
//! the integral of the square root of its rate reaches a level that is the same for all.

use jiff::Timestamp;

/// Days after which an observation counts half.
const HALF_LIFE_DAYS: f64 = 10.0;
/// What is believed of an unknown feed: half an entry in three days.
const PRIOR_ENTRIES: f64 = 0.5;
const PRIOR_DAYS: f64 = 3.0;
/// Entries, spread evenly over the day, that an unknown feed's hours begin with.
const PRIOR_HOURS: f64 = 6.0;
/// A document's entries are never waited for longer than they take to be pushed out of it
/// at this many times the usual rate.
const OVERFLOW_FACTOR: f64 = 3.0;
/// Entries further back say nothing about today.
const MAX_HISTORY_DAYS: f64 = 90.0;
const SECONDS_PER_DAY: f64 = 86_400.0;
const SECONDS_PER_HOUR: i64 = 3600;
/// 2020-01-01T00:00:00Z, from which the stored form counts, in Unix seconds.
const STORED_EPOCH: i64 = 1_577_836_800;

/// What is known of a feed's publishing. Grows with [`learn`](Self::learn); 48 bytes in the
/// store.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rhythm {
    /// Entries seen, each counting half after ten days.
    entries: f64,
    /// Days watched, forgotten likewise.
    days: f64,
    /// Entries by hour of the day, UTC, forgotten likewise.
    hours: [f64; 24],
    /// Up to when all this holds, in Unix seconds; 0: nothing is known.
    at: i64,
    /// When the newest entry was published, in Unix seconds; 0: none is known.
    newest: i64,
    /// Entries in the last document.
    n_window: u16,
    /// Whether the last document held no entry that was known before: some may be lost.
    has_gap: bool,
}

/// What a poll showed of a feed's publishing.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// When each new entry was published; now for one without a believable date.
    pub published: &'a [Timestamp],
    /// Entries in the document; `None` for a 304 and an unchanged document.
    pub n_window: Option<usize>,
    /// Whether the document held an entry that was known before.
    pub has_known: bool,
}

impl Rhythm {
    /// Bytes of the stored form.
    pub const STORED_BYTES: usize = 48;

    /// Takes in what a poll at `now` showed.
    ///
    /// The first document tells a history: its entries' own dates fill the rate and the hours
    /// at once.
    pub fn learn(&mut self, observation: &Observation<'_>, now: Timestamp) {
        let now = now.as_second();
        let is_first = self.at == 0;
        let oldest = observation.published.iter().map(|at| at.as_second()).min();
        let since = match (is_first, oldest) {
            (true, Some(oldest)) => {
                let earliest = now - (MAX_HISTORY_DAYS * SECONDS_PER_DAY) as i64;
                oldest.clamp(earliest, now)
            }
            (true, None) => now,
            (false, _) => self.at.min(now),
        };
        self.forget(days_between(since, now));
        self.days += watched(days_between(since, now));
        self.at = now;
        for published in observation.published {
            let published = published.as_second().min(now);
            let weight = remaining(days_between(published, now));
            self.entries += weight;
            self.hours[hour_of(published)] += weight;
            self.newest = self.newest.max(published);
        }
        if let Some(n_window) = observation.n_window {
            self.n_window = u16::try_from(n_window).unwrap_or(u16::MAX);
            self.has_gap = !is_first && n_window > 0 && !observation.has_known;
        }
    }

    /// Entries a day, as far as is known at the last [`learn`](Self::learn).
    #[must_use]
    pub fn rate_per_day(&self) -> f64 {
        (self.entries + PRIOR_ENTRIES) / (self.days + PRIOR_DAYS)
    }

    /// When the newest entry was published, if one is known.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        (self.newest != 0).then(|| Timestamp::from_second(self.newest).unwrap_or(Timestamp::MAX))
    }

    /// Seconds from `now` until the integral of the square root of the rate, with entries
    /// and days as units, reaches `level`; at most `limit` seconds.
    ///
    /// `weight` multiplies the rate: 4 asks twice as often. After a document without a known
    /// entry the time is halved once; it is never longer than the document's entries last.
    #[must_use]
    pub fn next(&self, now: Timestamp, level: f64, weight: f64, limit: f64) -> f64 {
        let rate = self.rate_per_day() * weight.clamp(0.01, 100.0);
        let profile = self.profile();
        let start = now.as_second();
        let mut left = level.max(1e-6);
        let mut waited = 0.0;
        while waited < limit {
            let at = start + waited as i64;
            let until_next_hour = (SECONDS_PER_HOUR - at.rem_euclid(SECONDS_PER_HOUR)) as f64;
            let speed = (rate * profile[hour_of(at)]).sqrt() / SECONDS_PER_DAY;
            if speed * until_next_hour >= left {
                waited += left / speed;
                break;
            }
            left -= speed * until_next_hour;
            waited += until_next_hour;
        }
        if self.n_window > 0 {
            let lasts = f64::from(self.n_window) / (OVERFLOW_FACTOR * self.rate_per_day());
            waited = waited.min(lasts * SECONDS_PER_DAY);
        }
        if self.has_gap {
            waited /= 2.0;
        }
        waited.min(limit)
    }

    /// The rate at each hour of the day, as a multiple of the mean.
    fn profile(&self) -> [f64; 24] {
        let sum: f64 = self.hours.iter().sum();
        std::array::from_fn(|hour| {
            let (before, after) = ((hour + 23) % 24, (hour + 1) % 24);
            let smooth =
                self.hours[before] / 4.0 + self.hours[hour] / 2.0 + self.hours[after] / 4.0;
            (smooth * 24.0 + PRIOR_HOURS) / (sum + PRIOR_HOURS)
        })
    }

    fn forget(&mut self, days: f64) {
        let left = remaining(days);
        self.entries *= left;
        self.days *= left;
        for hour in &mut self.hours {
            *hour *= left;
        }
    }

    /// The form that the store keeps.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::STORED_BYTES] {
        let largest = self
            .hours
            .iter()
            .fold(0.0, |largest: f64, n| largest.max(*n));
        let mut bytes = [0; Self::STORED_BYTES];
        bytes[0..4].copy_from_slice(&(self.entries as f32).to_le_bytes());
        bytes[4..8].copy_from_slice(&(self.days as f32).to_le_bytes());
        bytes[8..12].copy_from_slice(&stored_second(self.at).to_le_bytes());
        bytes[12..16].copy_from_slice(&stored_second(self.newest).to_le_bytes());
        bytes[16..20].copy_from_slice(&(largest as f32).to_le_bytes());
        bytes[20..22].copy_from_slice(&self.n_window.to_le_bytes());
        bytes[22] = u8::from(self.has_gap);
        for (byte, n) in bytes[24..48].iter_mut().zip(self.hours) {
            // A share of the largest hour: `as` cuts what rounding put above 255.
            *byte = (n / largest.max(f64::MIN_POSITIVE) * 255.0).round() as u8;
        }
        bytes
    }

    /// From the store; what cannot be read counts as unknown.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let Ok(bytes) = <&[u8; Self::STORED_BYTES]>::try_from(bytes) else {
            return Self::default();
        };
        let four = |at: usize| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        let amount = |at| f64::from(f32::from_le_bytes(four(at)));
        let (entries, days, largest) = (amount(0), amount(4), amount(16));
        let is_sound = [entries, days, largest]
            .iter()
            .all(|amount| amount.is_finite() && *amount >= 0.0);
        if !is_sound {
            return Self::default();
        }
        Self {
            entries,
            days,
            at: second(u32::from_le_bytes(four(8))),
            newest: second(u32::from_le_bytes(four(12))),
            hours: std::array::from_fn(|hour| f64::from(bytes[24 + hour]) / 255.0 * largest),
            n_window: u16::from_le_bytes([bytes[20], bytes[21]]),
            has_gap: bytes[22] != 0,
        }
    }
}

fn stored_second(second: i64) -> u32 {
    match second {
        0 => 0,
        second => u32::try_from((second - STORED_EPOCH).max(1)).unwrap_or(u32::MAX),
    }
}

fn second(stored: u32) -> i64 {
    match stored {
        0 => 0,
        stored => STORED_EPOCH + i64::from(stored),
    }
}

fn days_between(from: i64, to: i64) -> f64 {
    (to - from).max(0) as f64 / SECONDS_PER_DAY
}

/// What is left of an observation after so many days.
fn remaining(days: f64) -> f64 {
    (-days / HALF_LIFE_DAYS).exp2()
}

/// So many days of watching up to now, the earlier ones forgotten in part.
fn watched(days: f64) -> f64 {
    HALF_LIFE_DAYS / std::f64::consts::LN_2 * (1.0 - remaining(days))
}

fn hour_of(second: i64) -> usize {
    usize::try_from(second.div_euclid(SECONDS_PER_HOUR).rem_euclid(24)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T10:00:00Z".parse().unwrap()
    }

    fn ago(hours: i64) -> Timestamp {
        now() - SignedDuration::from_hours(hours)
    }

    fn learned(hours_ago: &[i64]) -> Rhythm {
        let published: Vec<Timestamp> = hours_ago.iter().map(|hours| ago(*hours)).collect();
        let mut rhythm = Rhythm::default();
        let observation = Observation {
            published: &published,
            n_window: Some(published.len()),
            has_known: false,
        };
        rhythm.learn(&observation, now());
        rhythm
    }

    #[test]
    fn the_first_document_tells_the_rate() {
        let hourly: Vec<i64> = (0..240).collect();
        let weekly: Vec<i64> = (0..10).map(|week| week * 168).collect();

        let (hourly, weekly) = (learned(&hourly), learned(&weekly));

        assert!((15.0..25.0).contains(&hourly.rate_per_day()));
        assert!((0.1..0.25).contains(&weekly.rate_per_day()));
    }

    #[test]
    fn four_times_the_rate_is_asked_twice_as_often() {
        let wait = |every: usize| {
            let hours: Vec<i64> = (0..2400).step_by(every).collect();
            let mut rhythm = learned(&hours);
            rhythm.n_window = 0;
            rhythm.hours = [0.0; 24];
            rhythm.next(now(), 20.0, 1.0, 1e9)
        };

        let ratio = wait(8) / wait(2);

        assert!((1.8..2.2).contains(&ratio), "{ratio}");
    }

    #[test]
    fn a_feed_that_publishes_at_one_hour_is_asked_around_it() {
        // Daily at 9, two hours before now; the next entry comes in 23 hours.
        let daily: Vec<i64> = (0..60).map(|day| 1 + day * 24).collect();
        let rhythm = learned(&daily);

        let night = rhythm.next(now() + SignedDuration::from_hours(6), 0.1, 1.0, 1e9);
        let morning = rhythm.next(now() + SignedDuration::from_hours(23), 0.1, 1.0, 1e9);

        assert!(morning * 2.0 < night, "{morning} {night}");
    }

    #[test]
    fn entries_are_not_left_to_fall_out_of_the_document() {
        let busy: Vec<i64> = (0..20).collect();

        let wait = learned(&busy).next(now(), 1e9, 1.0, 1e9);

        // 20 entries at three times some 5 a day.
        assert!(wait < 2.0 * 86_400.0, "{wait}");
    }

    #[test]
    fn a_document_without_a_known_entry_halves_the_wait_once() {
        let mut rhythm = learned(&[1, 30, 60]);
        let before = rhythm.next(now(), 0.05, 1.0, 1e9);
        let gap = Observation {
            published: &[],
            n_window: Some(3),
            has_known: false,
        };
        rhythm.learn(&gap, now());
        let after_gap = rhythm.next(now(), 0.05, 1.0, 1e9);
        rhythm.learn(
            &Observation {
                has_known: true,
                ..gap
            },
            now(),
        );

        assert!((after_gap * 2.0 - before).abs() < 1.0);
        assert!((rhythm.next(now(), 0.05, 1.0, 1e9) - before).abs() < 1.0);
    }

    #[test]
    fn silence_slows_a_feed_down() {
        let mut rhythm = learned(&(0..100).collect::<Vec<_>>());
        let lively = rhythm.next(now(), 0.3, 1.0, 1e9);
        let later = now() + SignedDuration::from_hours(24 * 60);
        let silence = Observation {
            published: &[],
            n_window: None,
            has_known: true,
        };
        rhythm.learn(&silence, later);

        assert!(rhythm.next(later, 0.3, 1.0, 1e9) > 4.0 * lively);
    }

    #[test]
    fn nonsense_in_the_store_counts_as_unknown() {
        let mut bytes = learned(&[1, 2, 3]).to_bytes();
        bytes[0..4].copy_from_slice(&f32::NAN.to_le_bytes());

        assert_eq!(Rhythm::from_bytes(&bytes), Rhythm::default());
        assert_eq!(Rhythm::from_bytes(b"short"), Rhythm::default());
    }

    proptest! {
        #[test]
        fn whatever_is_learned_the_wait_is_a_time_within_the_limit(
            polls in proptest::collection::vec(
                (0_i64..1_000_000, proptest::collection::vec(-1_000_000_000_i64..1_000_000, 0..20)),
                0..20,
            ),
            level in -1.0_f64..1e6,
            weight in -1.0_f64..1e6,
            limit in 1.0_f64..1e6,
        ) {
            let mut rhythm = Rhythm::default();
            let mut at = now();
            for (step, published) in polls {
                at += SignedDuration::from_secs(step);
                let published: Vec<Timestamp> = published
                    .iter()
                    .map(|offset| at + SignedDuration::from_secs(*offset))
                    .collect();
                let observation = Observation {
                    published: &published,
                    n_window: Some(published.len()),
                    has_known: false,
                };
                rhythm.learn(&observation, at);
                rhythm = Rhythm::from_bytes(&rhythm.to_bytes());

                let wait = rhythm.next(at, level, weight, limit);

                prop_assert!(wait >= 0.0 && wait <= limit, "{}", wait);
            }
        }

        #[test]
        fn the_stored_form_forgets_next_to_nothing(hours in proptest::collection::vec(0_i64..2000, 1..50)) {
            let rhythm = learned(&hours);

            let stored = Rhythm::from_bytes(&rhythm.to_bytes());

            let (before, after) = (rhythm.next(now(), 0.5, 1.0, 1e9), stored.next(now(), 0.5, 1.0, 1e9));
            prop_assert!((before - after).abs() <= before * 0.02 + 1.0, "{} {}", before, after);
        }
    }
}

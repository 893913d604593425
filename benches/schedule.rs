//! How soon is news found for the requests that it costs?
//!
//! `cargo bench --bench schedule [-- SEED]` replays 300 made-up feeds over 28 days of
//! learning and 28 days that count, under several rules that spend the same number of
//! requests, and prints the delay between publication and discovery. See `docs/politeness.md`.

#![expect(clippy::print_stdout, reason = "this is what it is for")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::Timestamp;
use wireroom::schedule::{Observation, Rhythm};

const FEEDS: usize = 300;
const TRAINING_DAYS: f64 = 28.0;
const TEST_DAYS: f64 = 28.0;
const MINUTE: f64 = 60.0;
const DAY: f64 = 86_400.0;
/// A Monday.
const START: i64 = 1_767_571_200;

fn main() {
    let seed = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(7);
    let feeds = make_feeds(&mut Random(seed));
    println!(
        "| polls per feed and day | rule | mean | median | p95 | lost | news | burst | daily | blog | rare |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for budget in [6.0, 11.0, 24.0] {
        print(&tuned(&feeds, budget, |interval_s| Fixed { interval_s }));
        print(&tuned(&feeds, budget, |factor| EntryFrequency {
            factor: 1.0 / factor,
            weekly: vec![Vec::new(); FEEDS],
        }));
        print(&tuned(&feeds, budget, |level| Estimated::new(level, None)));
        print(&run(&feeds, Estimated::new(1.0, Some(budget))));
    }
}

fn print(outcome: &Outcome) {
    let classes: Vec<String> = Class::ALL[..5]
        .iter()
        .map(|class| format!("{:.0}", outcome.mean_of(*class)))
        .collect();
    println!(
        "| {:.1} | {} | {:.1} | {:.1} | {:.1} | {:.2} % | {} |",
        outcome.polls_per_feed_per_day,
        outcome.rule,
        outcome.mean(),
        outcome.quantile(0.5),
        outcome.quantile(0.95),
        outcome.lost_percent(),
        classes.join(" | ")
    );
}

// The feeds.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    News,
    Burst,
    Daily,
    Blog,
    Rare,
    Dying,
    Dead,
}

impl Class {
    const ALL: [Self; 7] = [
        Self::News,
        Self::Burst,
        Self::Daily,
        Self::Blog,
        Self::Rare,
        Self::Dying,
        Self::Dead,
    ];

    /// Shares of the classes among 100 feeds.
    fn share(self) -> usize {
        match self {
            Self::News => 12,
            Self::Burst => 8,
            Self::Daily | Self::Rare | Self::Dead => 15,
            Self::Blog => 30,
            Self::Dying => 5,
        }
    }
}

struct MadeFeed {
    class: Class,
    /// Seconds after the start, in order.
    published: Vec<f64>,
    n_window: usize,
}

fn make_feeds(random: &mut Random) -> Vec<MadeFeed> {
    let classes = Class::ALL
        .iter()
        .flat_map(|class| vec![*class; class.share() * FEEDS / 100]);
    classes.map(|class| make_feed(class, random)).collect()
}

fn make_feed(class: Class, random: &mut Random) -> MadeFeed {
    let end = (TRAINING_DAYS + TEST_DAYS) * DAY;
    let mut published = match class {
        Class::News => {
            let per_day = random.between(15.0, 120.0);
            let peak = random.between(0.0, 24.0);
            arrivals(random, per_day, end, |at| day_shape(at, peak, 0.9))
        }
        Class::Burst => {
            let per_day = random.between(0.5, 2.0);
            let seeds = arrivals(random, per_day, end, |at| day_shape(at, 12.0, 0.5));
            let mut all = Vec::new();
            for seed in seeds {
                let n = random.between(3.0, 15.0) as usize;
                all.extend((0..n).map(|_| seed + random.exponential(40.0 * MINUTE)));
            }
            all
        }
        Class::Daily => {
            let hour = random.between(0.0, 24.0);
            (0..(TRAINING_DAYS + TEST_DAYS) as usize)
                .filter(|_| random.unit() < 0.95)
                .collect::<Vec<_>>()
                .into_iter()
                .map(|day| day as f64 * DAY + hour * 3600.0 + random.between(-15.0, 15.0) * MINUTE)
                .collect()
        }
        Class::Blog | Class::Dying => {
            let per_day = random.between(0.2, 2.0);
            let peak = random.between(0.0, 24.0);
            arrivals(random, per_day, end, |at| day_shape(at, peak, 0.8))
        }
        Class::Rare => {
            let per_day = random.between(0.02, 0.15);
            arrivals(random, per_day, end, |_| 1.0)
        }
        Class::Dead => Vec::new(),
    };
    if class == Class::Dying {
        let last = random.between(0.2, 0.9) * end;
        published.retain(|at| *at < last);
    }
    published.retain(|at| (0.0..end).contains(at));
    published.sort_by(f64::total_cmp);
    let n_window = [10, 20, 30, 50][random.below(4)];
    MadeFeed {
        class,
        published,
        n_window,
    }
}

/// A Poisson process whose rate follows `shape` (0..=2), by thinning.
fn arrivals(random: &mut Random, per_day: f64, end: f64, shape: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut at = 0.0;
    let mut all = Vec::new();
    loop {
        at += random.exponential(DAY / (2.0 * per_day));
        if at > end {
            return all;
        }
        if random.unit() * 2.0 < shape(at) {
            all.push(at);
        }
    }
}

/// A rhythm of the day with its peak at an hour, and half as much at the weekend.
fn day_shape(at: f64, peak: f64, depth: f64) -> f64 {
    let hour = (at / 3600.0) % 24.0;
    let weekday = (at / DAY) as usize % 7;
    let day = 1.0 + depth * ((hour - peak) / 24.0 * std::f64::consts::TAU).cos();
    day * if weekday >= 5 { 0.5 } else { 1.0 }
}

/// xorshift64*: the same feeds for the same seed.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }
}

// The rules.

/// What a rule is told of a poll.
struct Polled<'a> {
    feed: usize,
    at: f64,
    new: &'a [f64],
    n_window: usize,
    has_known: bool,
}

trait Rule {
    fn name(&self) -> String;
    /// Seconds until the next poll of the feed.
    fn next(&mut self, polled: &Polled<'_>) -> f64;
    /// Called once an hour with the polls of the last day, per feed.
    fn steer(&mut self, _polls_per_feed: f64) {}
}

struct Fixed {
    interval_s: f64,
}

impl Rule for Fixed {
    fn name(&self) -> String {
        format!("fixed, {:.0} min", self.interval_s / MINUTE)
    }

    fn next(&mut self, _: &Polled<'_>) -> f64 {
        self.interval_s
    }
}

/// Miniflux's `entry_frequency`: a week divided by the entries of the last week and a
/// factor, between 5 minutes and 24 hours.
struct EntryFrequency {
    factor: f64,
    weekly: Vec<Vec<f64>>,
}

impl Rule for EntryFrequency {
    fn name(&self) -> String {
        format!("Miniflux entry_frequency, factor {:.2}", self.factor)
    }

    fn next(&mut self, polled: &Polled<'_>) -> f64 {
        let week = &mut self.weekly[polled.feed];
        week.extend(polled.new);
        week.retain(|at| *at > polled.at - 7.0 * DAY);
        let interval = match week.len() {
            0 => DAY,
            n => 7.0 * DAY / (n as f64 * self.factor),
        };
        interval.clamp(5.0 * MINUTE, DAY)
    }
}

/// Ours, with a level that is given, or steered to a budget while it runs.
struct Estimated {
    level: f64,
    budget: Option<f64>,
    rhythms: Vec<Rhythm>,
}

impl Estimated {
    fn new(level: f64, budget: Option<f64>) -> Self {
        Self {
            level,
            budget,
            rhythms: vec![Rhythm::default(); FEEDS],
        }
    }
}

impl Rule for Estimated {
    fn name(&self) -> String {
        match self.budget {
            None => "wireroom".to_owned(),
            Some(_) => "wireroom, steered while it runs".to_owned(),
        }
    }

    fn next(&mut self, polled: &Polled<'_>) -> f64 {
        let published: Vec<Timestamp> = polled.new.iter().map(|at| instant(*at)).collect();
        let now = instant(polled.at);
        let mut rhythm = Rhythm::from_bytes(&self.rhythms[polled.feed].to_bytes());
        rhythm.learn(
            &Observation {
                published: &published,
                n_window: (!published.is_empty()).then_some(polled.n_window),
                has_known: polled.has_known,
            },
            now,
        );
        self.rhythms[polled.feed] = rhythm;
        rhythm
            .next(
                now,
                self.level,
                1.0,
                wireroom::schedule::longest_wait_s(&rhythm, now),
            )
            .max(5.0 * MINUTE)
    }

    fn steer(&mut self, polls_per_feed: f64) {
        if let Some(budget) = self.budget {
            self.level = wireroom::schedule::steer(self.level, polls_per_feed, budget);
        }
    }
}

fn instant(at: f64) -> Timestamp {
    Timestamp::from_second(START + at as i64).expect("a day of our time")
}

// The replay.

struct Outcome {
    rule: String,
    polls_per_feed_per_day: f64,
    /// Minutes from publication to discovery, sorted, with the class of the feed.
    delays: Vec<(f64, Class)>,
    n_lost: usize,
}

impl Outcome {
    fn mean(&self) -> f64 {
        self.delays.iter().map(|(delay, _)| delay).sum::<f64>() / self.delays.len() as f64
    }

    fn mean_of(&self, class: Class) -> f64 {
        let of_class: Vec<f64> = self
            .delays
            .iter()
            .filter(|(_, of)| *of == class)
            .map(|(delay, _)| *delay)
            .collect();
        of_class.iter().sum::<f64>() / of_class.len().max(1) as f64
    }

    fn quantile(&self, share: f64) -> f64 {
        self.delays[(share * (self.delays.len() - 1) as f64) as usize].0
    }

    fn lost_percent(&self) -> f64 {
        self.n_lost as f64 / (self.n_lost + self.delays.len()) as f64 * 100.0
    }
}

/// The rule whose parameter spends the budget, found by bisection: a larger parameter must
/// mean fewer polls.
fn tuned<R: Rule>(feeds: &[MadeFeed], budget: f64, make: impl Fn(f64) -> R) -> Outcome {
    let (mut low, mut high) = (1e-4_f64, 1e6_f64);
    for _ in 0..36 {
        let middle = (low * high).sqrt();
        match run(feeds, make(middle)).polls_per_feed_per_day > budget {
            true => low = middle,
            false => high = middle,
        }
    }
    run(feeds, make((low * high).sqrt()))
}

fn run(feeds: &[MadeFeed], mut rule: impl Rule) -> Outcome {
    let end = ((TRAINING_DAYS + TEST_DAYS) * DAY) as u64;
    let test = TRAINING_DAYS * DAY;
    let mut due: BinaryHeap<Reverse<(u64, usize)>> = (0..feeds.len())
        .map(|feed| Reverse((feed as u64 * 60, feed)))
        .collect();
    let mut seen = vec![0_usize; feeds.len()];
    let mut outcome = Outcome {
        rule: String::new(),
        polls_per_feed_per_day: 0.0,
        delays: Vec::new(),
        n_lost: 0,
    };
    let (mut n_polls, mut steered_at) = (0_usize, 0_u64);
    let mut by_hour: Vec<usize> = vec![0];
    while let Some(Reverse((at, feed))) = due.pop() {
        if at >= end {
            break;
        }
        while steered_at + 3600 <= at {
            steered_at += 3600;
            let day = &by_hour[by_hour.len().saturating_sub(24)..];
            let per_day = day.iter().sum::<usize>() as f64 * 24.0 / day.len() as f64;
            if steered_at >= 6 * 3600 {
                rule.steer(per_day / feeds.len() as f64);
            }
            by_hour.push(0);
        }
        *by_hour.last_mut().expect("begins with one") += 1;
        let now = at as f64;
        n_polls += usize::from(now >= test);
        let made = &feeds[feed];
        let n_published = made
            .published
            .partition_point(|published| *published <= now);
        let in_window = n_published.saturating_sub(made.n_window);
        let from = seen[feed].max(in_window);
        for published in &made.published[seen[feed]..n_published] {
            if *published >= test {
                outcome
                    .delays
                    .push(((now - published) / MINUTE, made.class));
            }
        }
        let n_lost = from - seen[feed];
        if made.published.get(seen[feed]).is_some_and(|at| *at >= test) {
            outcome.n_lost += n_lost;
            outcome
                .delays
                .truncate(outcome.delays.len() - (n_published - seen[feed]));
            let found = made.published[from..n_published].iter();
            outcome
                .delays
                .extend(found.map(|published| ((now - published) / MINUTE, made.class)));
        }
        let polled = Polled {
            feed,
            at: now,
            new: &made.published[from..n_published],
            n_window: n_published.min(made.n_window),
            has_known: n_lost == 0 && seen[feed] > in_window,
        };
        seen[feed] = n_published;
        let wait = rule.next(&polled).max(1.0);
        due.push(Reverse((at + wait as u64, feed)));
    }
    outcome.rule = rule.name();
    outcome.polls_per_feed_per_day = n_polls as f64 / feeds.len() as f64 / TEST_DAYS;
    outcome.delays.sort_by(|a, b| a.0.total_cmp(&b.0));
    outcome
}

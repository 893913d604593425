//! What the log of a web says about the manners of its visitors.

use std::collections::HashMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::world::Visit;

/// Two requests to one host that should not have met.
#[derive(Clone, Debug)]
pub(super) struct Clash {
    first: Visit,
    second: Visit,
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, second } = self;
        write!(
            f,
            "{}: {} took {:?}, and {} began {:?} after it began",
            first.host,
            first.path,
            first.to - first.from,
            second.path,
            second.from - first.from
        )
    }
}

/// What is wrong with the visits of all hosts.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// One request began before the one before it had ended.
    pub(super) overlaps: Vec<Clash>,
    /// One request began sooner after the one before it than the gap allows.
    pub(super) hurried: Vec<Clash>,
    /// The shortest gap at any host.
    pub(super) shortest_gap: Option<Duration>,
}

/// Judges all visits. The server sees the end of a request a little before its client does,
/// and its beginning a little after, so that what it sees is never shorter than the gap.
pub(super) fn judge(visits: &[Visit], gap: Duration) -> Verdict {
    let mut hosts: HashMap<Ipv4Addr, Vec<&Visit>> = HashMap::new();
    for visit in visits {
        hosts.entry(visit.host).or_default().push(visit);
    }
    let mut verdict = Verdict::default();
    for visits in hosts.values_mut() {
        visits.sort_by_key(|visit| visit.from);
        for pair in visits.windows(2) {
            let clash = || Clash {
                first: pair[0].clone(),
                second: pair[1].clone(),
            };
            let Some(found) = pair[1].from.checked_duration_since(pair[0].to) else {
                verdict.overlaps.push(clash());
                continue;
            };
            if found < gap {
                verdict.hurried.push(clash());
            }
            let shortest = verdict.shortest_gap.get_or_insert(found);
            *shortest = found.min(*shortest);
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn overlaps_and_hurry_are_seen_at_one_host_and_not_between_two() {
        let began = Instant::now();
        let visit = |host: u8, from: u64, to: u64| Visit {
            host: Ipv4Addr::new(127, 0, 0, host),
            path: "/".into(),
            from: began + Duration::from_millis(from),
            to: began + Duration::from_millis(to),
            feed: None,
        };
        let gap = Duration::from_millis(100);

        let polite = judge(&[visit(1, 0, 10), visit(2, 5, 20), visit(1, 110, 120)], gap);
        let hurried = judge(&[visit(1, 109, 120), visit(1, 0, 10)], gap);
        let overlapping = judge(&[visit(1, 0, 10), visit(1, 9, 20)], gap);

        assert_eq!((polite.overlaps.len(), polite.hurried.len()), (0, 0));
        assert_eq!(polite.shortest_gap, Some(gap));
        assert_eq!((hurried.overlaps.len(), hurried.hurried.len()), (0, 1));
        assert_eq!(
            (overlapping.overlaps.len(), overlapping.hurried.len()),
            (1, 0)
        );
    }
}

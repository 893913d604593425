//! Time of day, half of the day, and zone.

use super::words::{half_of_day, zone_offset};
use super::zones::{Zone, database_zone, region};
use super::{Part, Reading};

/// Time of day and zone after an ISO date; nothing else may follow.
pub(super) fn read_clock_and_zone(parts: &[Part], reading: &mut Reading) -> Option<()> {
    let mut rest = parts;
    while let [
        Part::Space | Part::Mark(',' | '-' | '@' | '.' | '_'),
        after @ ..,
    ] = rest
    {
        // `2003-12-31 -08:00` has no time: leave the sign to the zone.
        if matches!(rest, [Part::Mark('-'), Part::Number(_, 4), ..]) {
            break;
        }
        rest = after;
    }
    // 2025年3月6日(木) 18時05分
    if let [Part::Mark('('), Part::Word(_), Part::Mark(')'), after @ ..] = rest {
        rest = after.strip_prefix(&[Part::Space][..]).unwrap_or(after);
    }
    match rest {
        [Part::Word(t), Part::Number(..), ..] if t == "t" => rest = &rest[1..],
        [Part::Word(at), Part::Space, Part::Number(..), ..] if at == "at" => rest = &rest[2..],
        [Part::Word(word), after @ ..] if half_of_day(word).is_some() => {
            reading.afternoon = half_of_day(word);
            reading.korean |= matches!(word.as_str(), "오후" | "오전");
            rest = after.strip_prefix(&[Part::Space][..]).unwrap_or(after);
        }
        _ => {}
    }
    if let [Part::Number(..), ..] = rest {
        rest = clock(rest, reading)?;
    }
    zone_to_end(rest, reading)
}

/// `9:05`, `09:05:30.123`, `090530`.
pub(super) fn clock<'a>(parts: &'a [Part], reading: &mut Reading) -> Option<&'a [Part]> {
    use Part::{Mark, Number, Word};
    if let [
        Number(hour, ..=2),
        Word(of_hour),
        Number(minute, ..=2),
        Word(of_minute),
        rest @ ..,
    ] = parts
        && matches!(of_hour.as_str(), "時" | "时" | "点" | "點" | "시")
        && matches!(of_minute.as_str(), "分" | "분")
    {
        reading.set_clock(*hour, *minute, 0)?;
        return Some(match rest {
            [Number(second, ..=2), Word(_), rest @ ..] => {
                reading.set_clock(*hour, *minute, *second)?;
                rest
            }
            rest => rest,
        });
    }
    let (hour, minute, second, rest) = match parts {
        [
            Number(h, ..=2),
            Mark(':'),
            Number(m, ..=2),
            Mark(':'),
            Number(s, ..=2),
            rest @ ..,
        ] => (*h, *m, *s, rest),
        [
            Number(h, ..=2),
            Mark('.'),
            Number(m, 2),
            Mark('.'),
            Number(s, 2),
            rest @ ..,
        ] => (*h, *m, *s, rest),
        [Number(h, ..=2), Mark(':'), Number(m, ..=2), rest @ ..] => (*h, *m, 0, rest),
        [Number(hms, 6), rest @ ..] => (hms / 10_000, hms / 100 % 100, hms % 100, rest),
        [Number(hm, 4), rest @ ..] => (hm / 100, hm % 100, 0, rest),
        [Number(h, ..=2), rest @ ..] => (*h, 0, 0, rest),
        _ => return None,
    };
    reading.set_clock(hour, minute, second)?;
    Some(match rest {
        [Mark('.' | ',' | ':'), Number(..), rest @ ..] => rest,
        rest => rest,
    })
}

/// The zone, which must be all that is left.
fn zone_to_end(parts: &[Part], reading: &mut Reading) -> Option<()> {
    let mut rest = parts;
    while !rest.is_empty() {
        rest = zone(rest, reading)?;
    }
    Some(())
}

/// One step over zone, half of the day, or filling.
pub(super) fn zone<'a>(parts: &'a [Part], reading: &mut Reading) -> Option<&'a [Part]> {
    use Part::{Mark, Number, Space, Word};
    if let Some((zone, rest)) = database_zone(parts) {
        reading.set_zone(zone);
        return Some(rest);
    }
    match parts {
        [Space | Mark('.' | ',' | '(' | ')' | '[' | ']'), rest @ ..] => Some(rest),
        [Word(a), Mark('.'), Word(m), Mark('.'), rest @ ..]
            if m == "m" && matches!(a.as_str(), "a" | "p") =>
        {
            reading.afternoon = Some(a == "p");
            Some(rest)
        }
        [Word(word), rest @ ..] if half_of_day(word).is_some() => {
            reading.afternoon = half_of_day(word);
            Some(rest)
        }
        // GMT+2, UTC-05:00
        [Word(word), Mark('+' | '-'), Number(..), ..]
            if matches!(word.as_str(), "gmt" | "utc" | "z") =>
        {
            zone(&parts[1..], reading)
        }
        // GMT0
        [Word(word), Number(0, _), rest @ ..] if word == "gmt" => {
            reading.set_zone(Zone::Fixed(0));
            Some(rest)
        }
        [Word(_), Mark('/' | '_'), rest @ ..] => Some(rest),
        [Word(word), rest @ ..] => {
            // A zone in words that we do not know is read past, as UTC (RFC 5322 §4.3).
            if let Some(offset) = zone_offset(word) {
                reading.set_zone(Zone::Fixed(offset));
            } else if let Some(zone) = region(word) {
                // `Central European Time` is not that of Chicago.
                if word == "european" {
                    reading.zone = None;
                }
                reading.set_zone(zone);
            } else if word.chars().count() > 20 {
                return None;
            }
            Some(rest)
        }
        [Mark(sign @ ('+' | '-')), Number(value, n_digits), rest @ ..] => {
            let (hours, minutes, rest) = match (n_digits, rest) {
                (..=2, [Mark(':'), Number(minutes, 2), rest @ ..]) => (*value, *minutes, rest),
                (..=2, rest) => (*value, 0, rest),
                (3 | 4, rest) => (value / 100, value % 100, rest),
                (6, rest) => (value / 10_000, value / 100 % 100, rest),
                _ => return None,
            };
            if hours > 15 || minutes > 59 {
                return None;
            }
            let minutes = (hours * 60 + minutes) as i32;
            reading.zone = Some(Zone::Fixed(if *sign == '-' { -minutes } else { minutes }));
            Some(rest)
        }
        _ => None,
    }
}

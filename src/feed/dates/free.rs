//! Dates with the day or the month first, as RFC 822, asctime and people write them.

use super::clock::{clock, zone};
use super::numbers::Numbers;
use super::words::{half_of_day, is_month_mark, is_ordinal, month_of, weekday_of, zone_offset};
use super::zones::region;
use super::{Part, Reading};

/// Everything that is not ISO: weekday, day, month, year, time and zone in any order that
/// leaves no doubt.
pub(super) fn read_free(parts: &[Part], reading: &mut Reading) -> Option<()> {
    use Part::{Mark, Number, Space, Word};
    let mut numbers = Numbers::default();
    let mut rest = parts;
    while !rest.is_empty() {
        rest = match rest {
            [Number(_, ..=2), Mark(':'), Number(..), ..] => clock(rest, reading)?,
            // 9.05 behind a whole date, 09h05 anywhere
            [Number(hour, ..=2), Mark('.'), Number(minute, 2), after @ ..]
                if numbers.year.is_some() && reading.month.is_some() && !reading.has_time =>
            {
                reading.set_clock(*hour, *minute, 0)?;
                match after {
                    [Mark('.'), Number(second, 2), after @ ..] => {
                        reading.set_clock(*hour, *minute, *second)?;
                        after
                    }
                    after => after,
                }
            }
            [Number(hour, ..=2), Word(h), Number(minute, 2), after @ ..] if h == "h" => {
                reading.set_clock(*hour, *minute, 0)?;
                after
            }
            [
                Number(y, _),
                Mark(a @ ('/' | '.' | '-')),
                Number(m, ..=2),
                Mark(b),
                Number(z, 2 | 4),
                after @ ..,
            ] if a == b => {
                numbers.triple(*y, *m, *z, *a)?;
                after
            }
            [
                Number(day, ..=2),
                Mark('-' | '/'),
                Word(month),
                Mark('-' | '/'),
                Number(year, _),
                after @ ..,
            ] => {
                numbers.all.push(*day);
                reading.month = Some(month_of(month)?);
                numbers.year(*year);
                // 06/Mar/2025:09:05:00, as web servers log
                after.strip_prefix(&[Mark(':')][..]).unwrap_or(after)
            }
            // 3월, 3月, tháng 3
            [Number(month @ 1..=12, ..=2), Word(of), after @ ..] if is_month_mark(of) => {
                reading.month = Some(*month as i8);
                after
            }
            [Word(of), Space, Number(month @ 1..=12, ..=2), after @ ..] if of == "tháng" => {
                reading.month = Some(*month as i8);
                after
            }
            [Number(value, 4), after @ ..] if numbers.year.is_none() => {
                numbers.year(*value);
                after
            }
            [Number(value, ..=2), Word(suffix), after @ ..] if is_ordinal(suffix) => {
                numbers.all.push(*value);
                after
            }
            // 9 AM
            [Number(hour, ..=2), Space, Word(word), ..] | [Number(hour, ..=2), Word(word), ..]
                if half_of_day(word).is_some() && *hour <= 12 =>
            {
                reading.hour = *hour as i8;
                &rest[1..]
            }
            [Number(value, ..=2), after @ ..] => {
                numbers.all.push(*value);
                after
            }
            [Word(word), after @ ..] => word_part(word, after, rest, reading)?,
            [Mark('+' | '-'), Number(_, n_digits), ..]
                if reading.has_time || (*n_digits >= 2 && numbers.is_dated(reading)) =>
            {
                zone(rest, reading)?
            }
            [
                Space | Mark(',' | '.' | '-' | '(' | ')' | '/' | '|' | '·' | '\'' | ';' | '،'),
                after @ ..,
            ] => after,
            _ => return None,
        };
    }
    numbers.settle(reading)
}

fn word_part<'a>(
    word: &str,
    after: &'a [Part],
    all: &'a [Part],
    reading: &mut Reading,
) -> Option<&'a [Part]> {
    if let Some(weekday) =
        weekday_of(word).filter(|_| reading.weekday.is_none() && reading.month.is_none())
    {
        // "Mar" is Tuesday in three languages; with a number and no other month it is March.
        let names_month_too = month_of(word).is_some();
        let other_month = after
            .iter()
            .any(|part| matches!(part, Part::Word(w) if month_of(w).is_some()));
        if !names_month_too || other_month {
            reading.weekday = Some(weekday).filter(|_| !names_month_too);
            return Some(after);
        }
    }
    if let Some(month) = month_of(word).filter(|_| reading.month.is_none()) {
        reading.month = Some(month);
        return Some(after);
    }
    // After the time it is a zone: "16:31:00 AT" is Atlantic time.
    if word == "at" && reading.has_time && reading.zone.is_none() {
        return zone(all, reading);
    }
    if matches!(
        word,
        "at" | "de"
            | "of"
            | "um"
            | "à"
            | "alle"
            | "ore"
            | "uhr"
            | "h"
            | "the"
            | "on"
            | "del"
            | "kl"
            | "г"
            | "в"
            | "года"
            | "t"
    ) {
        return Some(after);
    }
    let known =
        half_of_day(word).is_some() || zone_offset(word).is_some() || region(word).is_some();
    let could_be_zone = reading.month.is_some() || reading.year.is_some();
    let could_be_weekday = reading.weekday.is_none() && word.chars().count() <= 14;
    match (
        known || (could_be_zone && word.is_ascii()),
        could_be_weekday,
    ) {
        (true, _) => zone(all, reading),
        (false, true) => Some(after),
        (false, false) => None,
    }
}

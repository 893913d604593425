//! Dates that begin with the year: ISO 8601 and its neighbours.

use jiff::SignedDuration;
use jiff::civil::{Date, ISOWeekDate, Weekday};

use super::clock::read_clock_and_zone;
use super::words::month_of;
use super::{Part, Reading};

/// ISO 8601 and its neighbours: year first.
pub(super) fn read_iso(parts: &[Part], reading: &mut Reading) -> Option<()> {
    let rest = match parts {
        // 20250306T090500
        [Part::Number(ymd, 8), rest @ ..] => {
            reading.year = i16::try_from(ymd / 10_000).ok();
            reading.month = Some((ymd / 100 % 100) as i8);
            reading.day = Some((ymd % 100) as i8);
            rest
        }
        // 2025065
        [Part::Number(year_and_day, 7), rest @ ..] => {
            reading.year = i16::try_from(year_and_day / 1000).ok();
            day_of_year(year_and_day % 1000, reading)?;
            rest
        }
        [Part::Number(year, 4), rest @ ..] => {
            reading.year = i16::try_from(*year).ok();
            iso_month_and_day(rest, reading)?
        }
        _ => return None,
    };
    read_clock_and_zone(rest, reading)
}

fn iso_month_and_day<'a>(parts: &'a [Part], reading: &mut Reading) -> Option<&'a [Part]> {
    use Part::{Mark, Number, Space, Word};
    match parts {
        [] => {
            reading.month = Some(1);
            Some(parts)
        }
        // 2003-335
        [Mark('-'), Number(day, 3), rest @ ..] if !matches!(rest, [Mark('-'), Number(..), ..]) => {
            day_of_year(*day, reading)?;
            Some(rest)
        }
        // 2025-W10-4
        [
            Mark('-'),
            Word(w),
            Number(week, 2),
            Mark('-'),
            Number(day, 1),
            rest @ ..,
        ] if w == "w" => {
            let weekday = Weekday::from_monday_one_offset(i8::try_from(*day).ok()?).ok()?;
            let week = i8::try_from(*week).ok()?;
            let date = ISOWeekDate::new(reading.year?, week, weekday).ok()?.date();
            reading.year = Some(date.year());
            (reading.month, reading.day) = (Some(date.month()), Some(date.day()));
            Some(rest)
        }
        // 2025. 3. 6.
        [
            Mark('.'),
            Space,
            Number(month, ..=2),
            Mark('.'),
            Space,
            Number(day, ..=2),
            rest @ ..,
        ] => {
            reading.month = i8::try_from(*month).ok();
            reading.day = i8::try_from(*day).ok();
            Some(rest)
        }
        [
            Mark('-' | '/' | '.'),
            Number(month, ..=3),
            Mark('-' | '/' | '.'),
            Number(day, ..=3),
            rest @ ..,
        ] => {
            reading.month = i8::try_from(*month).ok();
            reading.day = i8::try_from(*day).ok();
            Some(rest)
        }
        // 2004-július-13
        [
            Mark('-'),
            Word(month),
            Mark('-'),
            Number(day, ..=2),
            rest @ ..,
        ] => {
            reading.month = Some(month_of(month)?);
            reading.day = i8::try_from(*day).ok();
            Some(rest)
        }
        [Mark('-' | '/'), Number(month, ..=2), rest @ ..] => {
            reading.month = i8::try_from(*month).ok();
            Some(rest)
        }
        // 2003-0131 and 2004년 05월 28일
        [Mark('-'), Number(month_and_day, 4), rest @ ..] => {
            reading.month = Some((month_and_day / 100) as i8);
            reading.day = Some((month_and_day % 100) as i8);
            Some(rest)
        }
        [Word(year), rest @ ..] if matches!(year.as_str(), "년" | "年") => {
            reading.korean = year == "년";
            let rest = rest.strip_prefix(&[Space][..]).unwrap_or(rest);
            let [Number(month, ..=2), Word(_), rest @ ..] = rest else {
                return None;
            };
            let rest = rest.strip_prefix(&[Space][..]).unwrap_or(rest);
            let [Number(day, ..=2), Word(_), rest @ ..] = rest else {
                return None;
            };
            reading.month = i8::try_from(*month).ok();
            reading.day = i8::try_from(*day).ok();
            Some(rest)
        }
        _ => None,
    }
}

fn day_of_year(day: u32, reading: &mut Reading) -> Option<()> {
    let first = Date::new(reading.year?, 1, 1).ok()?;
    let date = first
        .checked_add(SignedDuration::from_hours(24 * (i64::from(day) - 1)))
        .ok()?;
    (reading.month, reading.day) = (Some(date.month()), Some(date.day()));
    (date.year() == first.year()).then_some(())
}

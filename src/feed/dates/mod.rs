//! Dates as feeds write them: RFC 822 and 2822, RFC 3339 and ISO 8601, asctime, and the
//! many ways between.
//!
//! Two rules: what is written decides, never the clock or the zone of this machine; and
//! the day is never guessed against the month (`04/05/2020` is no date, unless the
//! weekday beside it settles the matter).

mod clock;
mod free;
mod iso;
mod numbers;
mod words;

use jiff::civil::{Date, Time, Weekday};
use jiff::{SignedDuration, Timestamp};

use free::read_free;
use iso::read_iso;
use words::weekday_of;

/// Longest text that is looked at, in bytes.
const MAX_DATE_BYTES: usize = 128;

/// Years that a news feed can mean.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// Reads a date.
///
/// A missing time is 00:00, a missing zone UTC, a missing day the first of the month;
/// 24:00 is 00:00 of the next day, second 60 is 59. `None` when it is no date, when day
/// and month cannot be told apart, or when the year is outside 1900..=2200.
#[must_use]
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_DATE_BYTES {
        return None;
    }
    if let Some(stamp) = digits_only(text) {
        return stamp.timestamp();
    }
    let parts = split(text);
    let mut reading = Reading::default();
    read_iso(without_weekday(&parts), &mut reading).or_else(|| {
        reading = Reading::default();
        read_free(&parts, &mut reading)
    })?;
    reading.timestamp()
}

/// Ten or thirteen digits are seconds or milliseconds since 1970; twelve and fourteen are
/// a date and time without marks.
fn digits_only(text: &str) -> Option<Reading> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    let instant = match text.len() {
        10 => Timestamp::from_second(number).ok()?,
        13 => Timestamp::from_millisecond(number).ok()?,
        12 | 14 => {
            let mut reading = Reading::default();
            let parts = [split(&text[..8]), vec![Part::Space], split(&text[8..])].concat();
            return read_iso(&parts, &mut reading).map(|()| reading);
        }
        _ => return None,
    };
    // Before 2000 it is some other number.
    (instant.as_second() >= 946_684_800).then(|| Reading {
        instant: Some(instant),
        ..Reading::default()
    })
}

/// The parts behind a leading weekday, if the year follows: `Fri, 2006/09/15`.
fn without_weekday(parts: &[Part]) -> &[Part] {
    let [Part::Word(word), rest @ ..] = parts else {
        return parts;
    };
    let at = rest
        .iter()
        .position(|part| !matches!(part, Part::Space | Part::Mark(',' | '.')));
    let rest = &rest[at.unwrap_or(0)..];
    match rest {
        [Part::Number(_, 4), Part::Mark(_), ..] if weekday_of(word).is_some() => rest,
        _ => parts,
    }
}

/// One piece of a date.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// Digits: value and how many.
    Number(u32, usize),
    /// Letters, in lower case.
    Word(String),
    /// Anything else, one character.
    Mark(char),
    /// White space.
    Space,
}

/// What has been understood so far.
#[derive(Debug, Default)]
struct Reading {
    /// Known without a calendar.
    instant: Option<Timestamp>,
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    weekday: Option<Weekday>,
    hour: i8,
    minute: i8,
    second: i8,
    afternoon: Option<bool>,
    offset_minutes: Option<i32>,
    has_time: bool,
    /// Written in Korean, whose dates carry no zone and mean UTC+9.
    korean: bool,
}

impl Reading {
    fn set_clock(&mut self, hour: u32, minute: u32, second: u32) -> Option<()> {
        if hour > 24 || minute > 59 || second > 60 {
            return None;
        }
        self.has_time = true;
        (self.hour, self.minute, self.second) = (hour as i8, minute as i8, second as i8);
        Some(())
    }

    fn timestamp(&self) -> Option<Timestamp> {
        if self.instant.is_some() {
            return self.instant;
        }
        let year = self.year.filter(|year| YEARS.contains(year))?;
        let date = Date::new(year, self.month?, self.day.unwrap_or(1)).ok()?;
        let mut hour = self.hour;
        match self.afternoon {
            Some(true) if (1..12).contains(&hour) => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        let next_day = hour == 24 && self.minute == 0;
        let hour = if next_day { 0 } else { hour };
        let time = Time::new(hour, self.minute, self.second.min(59), 0).ok()?;
        let local = jiff::tz::Offset::UTC
            .to_timestamp(date.to_datetime(time))
            .ok()?;
        let korean = if self.korean { 9 * 60 } else { 0 };
        let offset = self.offset_minutes.unwrap_or(korean);
        let day = SignedDuration::from_hours(if next_day { 24 } else { 0 });
        local
            .checked_sub(SignedDuration::from_mins(offset.into()))
            .ok()?
            .checked_add(day)
            .ok()
    }
}

fn split(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for c in text.chars() {
        let c = match c {
            '０'..='９' => char::from(b'0' + (u32::from(c) - 0xff10) as u8),
            '٠'..='٩' => char::from(b'0' + (u32::from(c) - 0x660) as u8),
            '۰'..='۹' => char::from(b'0' + (u32::from(c) - 0x6f0) as u8),
            '−' | '–' => '-',
            '：' => ':',
            _ => c,
        };
        match (c, parts.last_mut()) {
            ('0'..='9', Some(Part::Number(value, n_digits))) if *n_digits < 9 => {
                *value = *value * 10 + c as u32 - '0' as u32;
                *n_digits += 1;
            }
            ('0'..='9', _) => parts.push(Part::Number(c as u32 - '0' as u32, 1)),
            (c, Some(Part::Space)) if c.is_whitespace() => {}
            (c, _) if c.is_whitespace() => parts.push(Part::Space),
            (c, Some(Part::Word(word))) if c.is_alphabetic() => word.extend(c.to_lowercase()),
            (c, _) if c.is_alphabetic() => parts.push(Part::Word(c.to_lowercase().collect())),
            (c, _) => parts.push(Part::Mark(c)),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &str) {
        let read = parse_date(text).map(|date| date.to_string());
        assert_eq!(read.as_deref(), Some(want), "{text}");
    }

    #[test]
    fn the_standard_forms_are_read() {
        for text in [
            "Thu, 06 Mar 2025 09:05:00 GMT",
            "Thu, 6 Mar 25 11:05 +0200",
            "2025-03-06T09:05:00Z",
            "2025-03-06t10:05:00.123+01:00",
            "20250306T090500Z",
            "2025-065T09:05:00Z",
            "Thu Mar  6 09:05:00 2025",
            "Thu Mar 06 09:05:00 UTC 2025",
            "Thu Mar 06 10:05:00 +0100 2025",
        ] {
            check(text, "2025-03-06T09:05:00Z");
        }
    }

    #[test]
    fn forms_that_people_invented_are_read() {
        for text in [
            "2025-03-06 09:05",
            "2025/3/6 9:05:00",
            "Thursday, March 6, 2025 - 09:05",
            "Mar 6, 2025 9:05 AM",
            "March 6th, 2025 at 9:05 a.m.",
            "6 March 2025 09:05:00 UTC+00:00",
            "Thu, 06 Mar 2025 04:05:00 EST",
            "Thu, 06 Mar 2025 11:05:00 GMT+2",
            "Thurs, 06 Mar 2025 12:05:00 MSK",
            "jeu., 06 mars 2025 10:05:00 +0100",
            "Чт, 06 мар 2025 12:05:00 +0300",
            "Do, 06 Mär 2025 10:05:00 MEZ",
            "06.03.2025 09:05",
            "06-Mar-2025 09:05:00",
            "2025년 03월 06일 18:05:00",
            "2025. 3. 6. 09:05",
            "Thu, 2025/03/06 04:05:00 EST",
            "6 mars 2025 à 09h05",
            "06 Mar 2025 09.05",
            "čtvrtek, 6. března 2025 09:05",
            "Πέμ, 06 Μαρ 2025 09:05",
            "٦ مارس 2025 09:05",
            "1741251900",
            "20250306090500",
        ] {
            check(text, "2025-03-06T09:05:00Z");
        }
    }

    #[test]
    fn missing_parts_have_fixed_meanings() {
        check("2025", "2025-01-01T00:00:00Z");
        check("2025-03", "2025-03-01T00:00:00Z");
        check("06 Mar 2025", "2025-03-06T00:00:00Z");
        check("Nov. 2020", "2020-11-01T00:00:00Z");
    }

    #[test]
    fn midnight_at_the_end_of_a_day_is_the_next_day() {
        check("2025-03-06T24:00:00Z", "2025-03-07T00:00:00Z");
        check("Thu, 06 Mar 2025 12:30 AM", "2025-03-06T00:30:00Z");
        check("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z");
    }

    #[test]
    fn day_and_month_are_told_apart_or_not_read() {
        check("26/06/2020", "2020-06-26T00:00:00Z");
        check("Mon, 03/30/2020 - 19:19", "2020-03-30T19:19:00Z");
        check("Sat, 11 04 2020 08:51:49 +0100", "2020-04-11T07:51:49Z");
        check("05/05/2020", "2020-05-05T00:00:00Z");
        assert_eq!(parse_date("25/03/06"), None);
        assert_eq!(parse_date("04/05/2020"), None);
        assert_eq!(parse_date("04-05-2020 10:00"), None);
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "yesterday",
            "0000-00-00",
            "2025-13-01",
            "2025-02-30",
            "25:00",
            "Thu, 00 Nov 2025",
            "0001-01-01T00:00:00Z",
            "12345678901234567890",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}

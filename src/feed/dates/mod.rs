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
mod thai;
mod words;
mod zones;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use free::read_free;
use iso::read_iso;
use words::weekday_of;
use zones::Zone;

/// Longest text that is looked at, in bytes.
const MAX_DATE_BYTES: usize = 128;

/// Years that a news feed can mean.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// A date that has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadDate {
    /// The moment.
    pub at: Timestamp,
    /// The offset from UTC that it was written with; `None` when it named no zone, and UTC
    /// was assumed.
    pub offset: Option<Offset>,
}

/// Reads a date.
///
/// A missing time is 00:00, a missing zone UTC, a missing day the first of the month;
/// 24:00 is 00:00 of the next day, second 60 is 59. `None` when it is no date, when day
/// and month cannot be told apart, or when the year is outside 1900..=2200.
#[must_use]
pub fn parse_date(text: &str) -> Option<Timestamp> {
    read_date(text).map(|date| date.at)
}

/// Reads a date as [`parse_date`] does, and keeps the offset that it was written with.
#[must_use]
pub fn read_date(text: &str) -> Option<ReadDate> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_DATE_BYTES {
        return None;
    }
    if let Some(date) = standard_form(text) {
        return Some(date);
    }
    if let Some(stamp) = digits_only(text) {
        return stamp.date();
    }
    let text = without_label(text);
    let parts = match thai::in_english(text) {
        Some(english) => split(&english),
        None => split(text),
    };
    let mut reading = Reading::default();
    read_iso(without_weekday(&parts), &mut reading).or_else(|| {
        reading = Reading::default();
        read_free(&parts, &mut reading)
    })?;
    reading.date()
}

/// The text behind a label: `Published: Thu, 06 Mar 2025`.
fn without_label(text: &str) -> &str {
    match text.split_once(": ") {
        Some((label, date)) if !label.contains(|c: char| c.is_ascii_digit()) => date.trim(),
        _ => text,
    }
}

/// The two forms in which nearly all dates come, `Thu, 06 Mar 2025 09:05:00 GMT` and
/// `2025-03-06T09:05:00Z`, without the detour over parts. Whatever is odd is left to it.
fn standard_form(text: &str) -> Option<ReadDate> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| {
        let digits = bytes.get(from..to)?;
        digits.iter().try_fold(0i32, |value, digit| {
            let digit = char::from(*digit).to_digit(10)?;
            Some(value * 10 + digit as i32)
        })
    };
    let is = |at: usize, mark: u8| bytes.get(at) == Some(&mark);
    let (date, clock) = if is(4, b'-') && is(7, b'-') && (is(10, b'T') || is(10, b' ')) {
        ((number(0, 4)?, number(5, 7)?, number(8, 10)?), 11)
    } else if is(3, b',') && is(4, b' ') && is(7, b' ') && is(11, b' ') && is(16, b' ') {
        const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
        let month = MONTHS.find(text.get(8..11)?).filter(|at| at % 3 == 0)?;
        ((number(12, 16)?, month as i32 / 3 + 1, number(5, 7)?), 17)
    } else {
        return None;
    };
    if !is(clock + 2, b':') || !is(clock + 5, b':') {
        return None;
    }
    let offset = match text.get(clock + 8..)? {
        "Z" | " GMT" | " UTC" | " +0000" | "+00:00" => 0,
        zone => {
            let start = clock + 8 + usize::from(zone.starts_with(' '));
            let colon = usize::from(is(start + 3, b':'));
            let minutes = number(start + 1, start + 3)? * 60
                + number(start + 3 + colon, start + 5 + colon).filter(|minutes| *minutes < 60)?;
            match bytes.get(start)? {
                _ if bytes.len() != start + 5 + colon || minutes > 15 * 60 => return None,
                b'+' => minutes,
                b'-' => -minutes,
                _ => return None,
            }
        }
    };
    let (hour, minute, second) = (
        number(clock, clock + 2)?,
        number(clock + 3, clock + 5)?,
        number(clock + 6, clock + 8)?,
    );
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let reading = Reading {
        year: i16::try_from(date.0).ok(),
        month: i8::try_from(date.1).ok(),
        day: i8::try_from(date.2).ok(),
        zone: Some(Zone::Fixed(offset)),
        ..Reading::default()
    };
    let reading = Reading {
        hour: hour as i8,
        minute: minute as i8,
        second: second as i8,
        ..reading
    };
    reading.date()
}

/// Ten, thirteen or sixteen digits are (milli-, micro-) seconds since 1970; twelve and fourteen are
/// a date and time without marks.
fn digits_only(text: &str) -> Option<Reading> {
    // Seconds may have a fraction.
    let text = match text.split_once('.') {
        Some((seconds, rest))
            if seconds.len() == 10 && rest.bytes().all(|b| b.is_ascii_digit()) =>
        {
            seconds
        }
        _ => text,
    };
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    let instant = match text.len() {
        10 => Timestamp::from_second(number).ok()?,
        13 => Timestamp::from_millisecond(number).ok()?,
        16 => Timestamp::from_microsecond(number).ok()?,
        12 | 14 => {
            let mut reading = Reading::default();
            let parts = [split(&text[..8]), vec![Part::Space], split(&text[8..])].concat();
            return read_iso(&parts, &mut reading).map(|()| reading);
        }
        _ => return None,
    };
    // Before 2000 or after 2200 it is some other number.
    let meant = 946_684_800..7_289_654_400;
    meant.contains(&instant.as_second()).then(|| Reading {
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
    zone: Option<Zone>,
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

    /// The first zone that is named counts; an offset in numbers overrides it.
    fn set_zone(&mut self, zone: Zone) {
        self.zone.get_or_insert(zone);
    }

    fn date(&self) -> Option<ReadDate> {
        if let Some(at) = self.instant {
            return Some(ReadDate { at, offset: None });
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
        let day = SignedDuration::from_hours(if next_day { 24 } else { 0 });
        self.in_zone(date.to_datetime(time).checked_add(day).ok()?)
    }

    fn in_zone(&self, local: DateTime) -> Option<ReadDate> {
        let korean = self.korean.then_some(Zone::Fixed(9 * 60));
        let offset = match self.zone.or(korean) {
            None => None,
            Some(Zone::Fixed(minutes)) => Some(Offset::from_seconds(minutes * 60).ok()?),
            Some(Zone::Rule(rule)) => {
                let zone = TimeZone::posix(rule).ok()?;
                let at = zone.to_ambiguous_timestamp(local).compatible().ok()?;
                let offset = Some(zone.to_offset(at));
                return Some(ReadDate { at, offset });
            }
        };
        let at = offset.unwrap_or(Offset::UTC).to_timestamp(local).ok()?;
        Some(ReadDate { at, offset })
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
            "Thu, 06 Mar 2025 10:05:00 Europe/Brussels",
            "2025-03-06 04:05:00 America/New_York",
            "2025-03-06 06:05 America/Argentina/Buenos_Aires",
            "March 6, 2025 4:05 AM Eastern Standard Time",
            "Thu, 06 Mar 2025 10:05:00 Central European Time",
            "2025-03-06T06:05:00 Etc/GMT+3",
            "6 mars 2025 à 09h05",
            "06 Mar 2025 09.05",
            "čtvrtek, 6. března 2025 09:05",
            "Πέμ, 06 Μαρ 2025 09:05",
            "٦ مارس 2025 09:05",
            "06/Mar/2025:09:05:00 +0000",
            "Thu, 06 Mar 2025 17:05:00 +8",
            "2025-03-06 at 09:05",
            "2025-W10-4T09:05:00Z",
            "1741251900.5",
            "1741251900000000",
            "06 Mar 2025 09.05.00",
            "Thu, 06 Mar 2025 09:05:00 GMT0",
            "Πεμ, 06 Μάώ 2025 09:05:00",
            "do, 06 mrt 2025 10:05:00 +0100",
            "6 Mart 2025 Perşembe 09:05",
            "2025年3月6日(木) 18時05分 +0900",
            "2025年3月6日 上午9:05",
            "목, 6 3월 2025 18:05:00 +0900",
            "星期四, 06 三月 2025 17:05:00 +0800",
            "6 tháng 3 2025 09:05",
            "الخميس، 06 مارس 2025 09:05",
            "יום ה, 06 מרץ 2025 11:05:00 +0200",
            "พฤ., 06 มี.ค. 2568 16:05:00 +0700",
            "6 มีนาคม 2568 09:05",
            "Published: Thu, 06 Mar 2025 09:05:00 GMT",
            "1741251900",
            "20250306090500",
        ] {
            check(text, "2025-03-06T09:05:00Z");
        }
    }

    #[test]
    fn zones_with_summer_time_follow_it() {
        check("2025-07-06 09:05 Europe/Brussels", "2025-07-06T07:05:00Z");
        check("July 6, 2025 9:05 AM ET", "2025-07-06T13:05:00Z");
        check("2025-01-06 09:05 Australia/Sydney", "2025-01-05T22:05:00Z");
        check("2025-07-06 09:05 Asia/Kolkata", "2025-07-06T03:35:00Z");
        // An hour that does not exist, and one that there is twice.
        check("2025-03-30 02:30 Europe/Paris", "2025-03-30T01:30:00Z");
        check("2025-10-26 02:30 Europe/Paris", "2025-10-26T00:30:00Z");
    }

    #[test]
    fn the_offset_that_was_written_is_kept() {
        let offset = |text: &str| read_date(text).unwrap().offset.map(Offset::seconds);

        assert_eq!(offset("Thu, 06 Mar 2025 09:05:00 +0530"), Some(19_800));
        assert_eq!(offset("2025-03-06T09:05:00-08:00"), Some(-28_800));
        assert_eq!(offset("2025-03-06T09:05:00Z"), Some(0));
        assert_eq!(offset("2025-07-06 09:05 Europe/Brussels"), Some(7200));
        assert_eq!(offset("2025-03-06 09:05"), None);
    }

    #[test]
    fn the_short_way_reads_as_the_long_way_does() {
        for text in [
            "Thu, 06 Mar 2025 09:05:00 GMT",
            "Thu, 06 Mar 2025 11:05:07 +0200",
            "2025-03-06T09:05:00Z",
            "2025-03-06 10:05:00+01:00",
        ] {
            let parts = split(text);
            let mut reading = Reading::default();
            let long = read_iso(without_weekday(&parts), &mut reading).or_else(|| {
                reading = Reading::default();
                read_free(&parts, &mut reading)
            });
            assert_eq!(long, Some(()));
            assert_eq!(standard_form(text), reading.date(), "{text}");
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
            "8108677867785",
            "0123456789",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}

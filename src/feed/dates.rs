//! Dates as feeds write them: RFC 822 and 2822, RFC 3339 and ISO 8601, asctime, and the
//! many ways between.
//!
//! Two rules: what is written decides, never the clock or the zone of this machine; and
//! the day is never guessed against the month (`04/05/2020` is no date, unless the
//! weekday beside it settles the matter).

use jiff::civil::{Date, Time, Weekday};
use jiff::{SignedDuration, Timestamp};

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
    let parts = split(text);
    let mut reading = Reading::default();
    iso(&parts, &mut reading).or_else(|| {
        reading = Reading::default();
        words(&parts, &mut reading)
    })?;
    reading.timestamp()
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
    fn timestamp(&self) -> Option<Timestamp> {
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

/// ISO 8601 and its neighbours: year first.
fn iso(parts: &[Part], reading: &mut Reading) -> Option<()> {
    let rest = match parts {
        // 20250306T090500
        [Part::Number(ymd, 8), rest @ ..] => {
            reading.year = i16::try_from(ymd / 10_000).ok();
            reading.month = Some((ymd / 100 % 100) as i8);
            reading.day = Some((ymd % 100) as i8);
            rest
        }
        [Part::Number(year, 4), rest @ ..] => {
            reading.year = i16::try_from(*year).ok();
            iso_month_and_day(rest, reading)?
        }
        _ => return None,
    };
    clock_and_zone(rest, reading)
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
            let first = Date::new(reading.year?, 1, 1).ok()?;
            let date = first
                .checked_add(SignedDuration::from_hours(24 * (i64::from(*day) - 1)))
                .ok()?;
            if date.year() != first.year() {
                return None;
            }
            (reading.month, reading.day) = (Some(date.month()), Some(date.day()));
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

/// Time of day and zone after an ISO date; nothing else may follow.
fn clock_and_zone(parts: &[Part], reading: &mut Reading) -> Option<()> {
    let mut rest = parts;
    while let [Part::Space | Part::Mark(',' | '-' | '@' | '.'), after @ ..] = rest {
        // `2003-12-31 -08:00` has no time: leave the sign to the zone.
        if matches!(rest, [Part::Mark('-'), Part::Number(_, 4), ..]) {
            break;
        }
        rest = after;
    }
    match rest {
        [Part::Word(t), Part::Number(..), ..] if t == "t" => rest = &rest[1..],
        [Part::Word(word), Part::Space, ..] if half_of_day(word).is_some() => {
            reading.afternoon = half_of_day(word);
            reading.korean |= matches!(word.as_str(), "오후" | "오전");
            rest = &rest[2..];
        }
        _ => {}
    }
    if let [Part::Number(..), ..] = rest {
        rest = clock(rest, reading)?;
    }
    zone_to_end(rest, reading)
}

/// `9:05`, `09:05:30.123`, `090530`.
fn clock<'a>(parts: &'a [Part], reading: &mut Reading) -> Option<&'a [Part]> {
    use Part::{Mark, Number};
    let (hour, minute, second, rest) = match parts {
        [
            Number(h, ..=2),
            Mark(':'),
            Number(m, ..=2),
            Mark(':'),
            Number(s, ..=2),
            rest @ ..,
        ] => (*h, *m, *s, rest),
        [Number(h, ..=2), Mark(':'), Number(m, ..=2), rest @ ..] => (*h, *m, 0, rest),
        [Number(hms, 6), rest @ ..] => (hms / 10_000, hms / 100 % 100, hms % 100, rest),
        [Number(hm, 4), rest @ ..] => (hm / 100, hm % 100, 0, rest),
        [Number(h, ..=2), rest @ ..] => (*h, 0, 0, rest),
        _ => return None,
    };
    if hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    reading.has_time = true;
    reading.hour = hour as i8;
    reading.minute = minute as i8;
    reading.second = second as i8;
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
fn zone<'a>(parts: &'a [Part], reading: &mut Reading) -> Option<&'a [Part]> {
    use Part::{Mark, Number, Space, Word};
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
        [Word(_), Mark('/' | '_'), rest @ ..] => Some(rest),
        [Word(word), rest @ ..] => {
            // A zone in words that we do not know is read past, as UTC (RFC 5322 §4.3).
            if let Some(offset) = zone_offset(word) {
                reading.offset_minutes.get_or_insert(offset);
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
            reading.offset_minutes = Some(if *sign == '-' { -minutes } else { minutes });
            Some(rest)
        }
        _ => None,
    }
}

/// Everything that is not ISO: weekday, day, month, year, time and zone in any order that
/// leaves no doubt.
fn words(parts: &[Part], reading: &mut Reading) -> Option<()> {
    use Part::{Mark, Number, Space, Word};
    let mut numbers = Numbers::default();
    let mut rest = parts;
    while !rest.is_empty() {
        rest = match rest {
            [Number(_, ..=2), Mark(':'), Number(..), ..] => clock(rest, reading)?,
            [
                Number(y, _),
                Mark(a @ ('/' | '.' | '-')),
                Number(m, ..=2),
                Mark(b),
                Number(z, 2 | 4),
                after @ ..,
            ] if a == b => {
                numbers.triple(*y, *m, *z, *a);
                after
            }
            [
                Number(day, ..=2),
                Mark('-'),
                Word(month),
                Mark('-'),
                Number(year, _),
                after @ ..,
            ] => {
                numbers.all.push(*day);
                reading.month = Some(month_of(month)?);
                numbers.year(*year);
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
                if *n_digits >= 2 && (reading.has_time || numbers.is_dated(reading)) =>
            {
                zone(rest, reading)?
            }
            [
                Space | Mark(',' | '.' | '-' | '(' | ')' | '/' | '|' | '·' | '\'' | ';'),
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
    if word == "at" && reading.has_time && reading.offset_minutes.is_none() {
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
    let known = half_of_day(word).is_some() || zone_offset(word).is_some();
    let could_be_zone = reading.month.is_some() || reading.year.is_some();
    let could_be_weekday =
        reading.weekday.is_none() && reading.month.is_none() && word.chars().count() <= 14;
    match (
        known || (could_be_zone && word.is_ascii()),
        could_be_weekday,
    ) {
        (true, _) => zone(all, reading),
        (false, true) => Some(after),
        (false, false) => None,
    }
}

/// Numbers whose part is not yet known.
#[derive(Debug, Default)]
struct Numbers {
    all: Vec<u32>,
    year: Option<i16>,
    triple: Option<(u32, u32, char)>,
}

impl Numbers {
    fn year(&mut self, value: u32) {
        self.year = Some(match value {
            0..70 => 2000 + value as i16,
            70..100 => 1900 + value as i16,
            _ => i16::try_from(value).unwrap_or(0),
        });
    }

    /// `26/06/2020`, `30.10.23`.
    fn triple(&mut self, first: u32, second: u32, year: u32, mark: char) {
        self.triple = Some((first, second, mark));
        self.year(year);
    }

    fn is_dated(&self, reading: &Reading) -> bool {
        self.year.is_some()
            || (reading.month.is_some() && self.all.len() >= 2)
            || self.triple.is_some()
    }

    fn settle(mut self, reading: &mut Reading) -> Option<()> {
        if let Some((first, second, mark)) = self.triple {
            return settle_day(first, second, self.year?, mark, reading);
        }
        if reading.month.is_none() {
            // `Sat, 11 04 2020`
            let [first, second] = self.all.as_slice() else {
                return None;
            };
            return settle_day(*first, *second, self.year?, ' ', reading);
        }
        // A year of two digits stands last, or first where only it can be one.
        if self.year.is_none() {
            let last = self.all.pop()?;
            self.year(last);
        }
        reading.year = self.year;
        reading.day = match self.all.as_slice() {
            [] => None,
            [day] => Some(i8::try_from(*day).ok()?),
            _ => return None,
        };
        Some(())
    }
}

/// Tells day from month, if what is written tells it: a number over 12, equal numbers,
/// dots (day first in every country that writes dots), or the weekday.
fn settle_day(first: u32, second: u32, year: i16, mark: char, reading: &mut Reading) -> Option<()> {
    let (first, second) = (i8::try_from(first).ok()?, i8::try_from(second).ok()?);
    let fits = |month, day| {
        let date = Date::new(year, month, day).ok()?;
        Some(date).filter(|date| {
            reading
                .weekday
                .is_none_or(|weekday| weekday == date.weekday())
        })
    };
    let (day_first, month_first) = (fits(second, first), fits(first, second));
    let date = match (day_first, month_first) {
        (Some(date), None) | (None, Some(date)) => date,
        (Some(date), Some(_)) if first == second || mark == '.' => date,
        // A wrong weekday settles nothing, but a number over 12 does.
        (None, None) if first > 12 => Date::new(year, second, first).ok()?,
        (None, None) if second > 12 => Date::new(year, first, second).ok()?,
        _ => return None,
    };
    (reading.year, reading.month, reading.day) = (Some(year), Some(date.month()), Some(date.day()));
    Some(())
}

fn is_ordinal(suffix: &str) -> bool {
    matches!(suffix, "st" | "nd" | "rd" | "th" | "er" | "º" | "ª")
}

fn half_of_day(word: &str) -> Option<bool> {
    match word {
        "am" | "오전" | "上午" => Some(false),
        "pm" | "오후" | "下午" => Some(true),
        _ => None,
    }
}

/// The month that a word begins like, in the languages whose names do not collide:
/// English, German, French, Spanish, Italian, Portuguese, Dutch, the Nordic languages,
/// Polish, Hungarian, Turkish, Russian.
fn month_of(word: &str) -> Option<i8> {
    const STEMS: &[(&str, i8)] = &[
        ("jan", 1),
        ("jän", 1),
        ("ene", 1),
        ("gen", 1),
        ("янв", 1),
        ("sty", 1),
        ("oca", 1),
        ("feb", 2),
        ("fév", 2),
        ("fev", 2),
        ("фев", 2),
        ("lut", 2),
        ("şub", 2),
        ("helmi", 2),
        ("mar", 3),
        ("mär", 3),
        ("mrz", 3),
        ("maa", 3),
        ("már", 3),
        ("мар", 3),
        ("apr", 4),
        ("avr", 4),
        ("abr", 4),
        ("ápr", 4),
        ("апр", 4),
        ("kwi", 4),
        ("nis", 4),
        ("huhti", 4),
        ("may", 5),
        ("mai", 5),
        ("mei", 5),
        ("mag", 5),
        ("maj", 5),
        ("máj", 5),
        ("май", 5),
        ("мая", 5),
        ("touko", 5),
        ("jun", 6),
        ("juin", 6),
        ("jún", 6),
        ("giu", 6),
        ("июн", 6),
        ("cze", 6),
        ("haz", 6),
        ("jul", 7),
        ("juil", 7),
        ("júl", 7),
        ("lug", 7),
        ("июл", 7),
        ("lip", 7),
        ("tem", 7),
        ("aug", 8),
        ("aoû", 8),
        ("aou", 8),
        ("ago", 8),
        ("авг", 8),
        ("sie", 8),
        ("ağu", 8),
        ("elo", 8),
        ("sep", 9),
        ("set", 9),
        ("szept", 9),
        ("сен", 9),
        ("wrz", 9),
        ("eyl", 9),
        ("syys", 9),
        ("oct", 10),
        ("okt", 10),
        ("out", 10),
        ("ott", 10),
        ("окт", 10),
        ("paź", 10),
        ("eki", 10),
        ("loka", 10),
        ("nov", 11),
        ("ноя", 11),
        ("lis", 11),
        ("kas", 11),
        ("marras", 11),
        ("dec", 12),
        ("déc", 12),
        ("dez", 12),
        ("dic", 12),
        ("des", 12),
        ("дек", 12),
        ("gru", 12),
        ("ara", 12),
        ("joulu", 12),
    ];
    if word.chars().count() > 12 || word == "marras" {
        return None;
    }
    // The longest stem wins: "marraskuu" is November.
    let found = STEMS.iter().filter(|(stem, _)| word.starts_with(stem));
    found
        .max_by_key(|(stem, _)| stem.len())
        .map(|(_, month)| *month)
}

fn weekday_of(word: &str) -> Option<Weekday> {
    const STEMS: &[(&str, Weekday)] = &[
        ("mon", Weekday::Monday),
        ("lun", Weekday::Monday),
        ("пн", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("die", Weekday::Tuesday),
        ("mar", Weekday::Tuesday),
        ("вт", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("mit", Weekday::Wednesday),
        ("mer", Weekday::Wednesday),
        ("mié", Weekday::Wednesday),
        ("ср", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("don", Weekday::Thursday),
        ("jeu", Weekday::Thursday),
        ("jue", Weekday::Thursday),
        ("gio", Weekday::Thursday),
        ("чт", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("fre", Weekday::Friday),
        ("ven", Weekday::Friday),
        ("vie", Weekday::Friday),
        ("пт", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sam", Weekday::Saturday),
        ("sáb", Weekday::Saturday),
        ("sab", Weekday::Saturday),
        ("сб", Weekday::Saturday),
        ("sun", Weekday::Sunday),
        ("son", Weekday::Sunday),
        ("dim", Weekday::Sunday),
        ("dom", Weekday::Sunday),
        ("вс", Weekday::Sunday),
    ];
    let found = STEMS.iter().find(|(stem, _)| word.starts_with(stem));
    found.map(|(_, weekday)| *weekday)
}

/// Minutes east of UTC of a zone's name. North American names first (RFC 2822 §4.3), then
/// names that mean one thing among publishers; one letter is a military zone, which
/// RFC 2822 says to read as UTC.
fn zone_offset(word: &str) -> Option<i32> {
    let hours = match word {
        "z" | "gmt" | "utc" | "ut" | "wet" | "uct" => 0.0,
        "est" | "et" => -5.0,
        "edt" => -4.0,
        "cst" | "ct" => -6.0,
        "cdt" => -5.0,
        "mst" | "mt" => -7.0,
        "mdt" => -6.0,
        "pst" | "pt" => -8.0,
        "pdt" => -7.0,
        "akst" => -9.0,
        "akdt" => -8.0,
        "hst" => -10.0,
        "ast" | "at" => -4.0,
        "adt" | "brst" => -3.0 + if word == "brst" { 1.0 } else { 0.0 },
        "nst" => -3.5,
        "ndt" => -2.5,
        "brt" | "art" => -3.0,
        "bst" | "cet" | "met" | "mez" | "west" | "wat" => 1.0,
        "cest" | "mest" | "mesz" | "eet" | "sast" | "cat" => 2.0,
        "eest" | "msk" | "trt" | "eat" => 3.0,
        "msd" | "gst" => 4.0,
        "pkt" => 5.0,
        "ist" => 5.5,
        "npt" => 5.75,
        "wib" | "ict" => 7.0,
        "hkt" | "sgt" | "awst" | "pht" | "wita" => 8.0,
        "jst" | "kst" => 9.0,
        "acst" => 9.5,
        "aest" => 10.0,
        "acdt" => 10.5,
        "aedt" => 11.0,
        "nzst" => 12.0,
        "nzdt" => 13.0,
        _ => return None,
    };
    Some((hours * 60.0) as i32)
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

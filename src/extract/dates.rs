//! Reads dates as pages write them: machine forms first (RFC 3339 and its looser cousins,
//! RFC 2822), then forms for people in the languages of many newspapers.
//!
//! The order of day and month is never guessed: `04/05/2024` says nothing, `28/04/2024` does.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::Published;

/// Longest text that is looked at, in characters.
const MAX_CHARS: usize = 120;

/// Years that an article can be from; anything else is a misreading.
const YEARS: std::ops::RangeInclusive<i16> = 1990..=2100;

/// A date as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// Calendar day.
    pub(super) date: Date,
    /// Time of day, where one was given.
    pub(super) time: Option<Time>,
    /// Offset from UTC, where one was given.
    pub(super) offset: Option<Offset>,
}

impl Written {
    /// The date as the rest of the program sees it; what is missing is read as UTC.
    pub(super) fn published(&self, source: &'static str) -> Option<Published> {
        let offset = self.offset.unwrap_or(Offset::UTC);
        let local = DateTime::from_parts(self.date, self.time.unwrap_or(Time::midnight()));
        let at = offset.to_timestamp(local).ok()?;
        let text = match self.time {
            None => self.date.to_string(),
            Some(_) if offset == Offset::UTC => format!("{local}Z"),
            Some(_) => format!("{local}{}", format_offset(offset)),
        };
        Some(Published { at, text, source })
    }

    /// How much was said: day, time, offset.
    pub(super) fn precision(&self) -> u8 {
        u8::from(self.time.is_some()) + u8::from(self.time.is_some() && self.offset.is_some())
    }
}

fn format_offset(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Reads a date wherever it stands in a short text.
pub(super) fn read(text: &str) -> Option<Written> {
    let text: String = text.trim().chars().take(MAX_CHARS).collect();
    let tokens = tokens(&text);
    read_epoch(&tokens)
        .or_else(|| read_named_month(&tokens))
        .or_else(|| read_year_first(&tokens))
        .or_else(|| read_day_first(&tokens))
}

/// Reads the date in a URL's path: `/2024/04/28/`, `/2024-04-28-`.
pub(super) fn read_path(path: &str) -> Option<Written> {
    tokens(path).windows(5).find_map(|window| match *window {
        [
            Token::Number(year, 4),
            first @ (Token::Slash | Token::Minus),
            Token::Number(month, 1..=2),
            second,
            Token::Number(day, 1..=2),
        ] if first == second => written(year, month, day),
        _ => None,
    })
}

/// A piece of a date: a number with its count of digits, a word, or a mark that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Number(i64, usize),
    Word(&'a str),
    Colon,
    Dot,
    Slash,
    Plus,
    Minus,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let same = |other: char| {
            if c.is_ascii_digit() {
                other.is_ascii_digit()
            } else {
                other.is_alphabetic()
            }
        };
        let token = match c {
            ':' => Token::Colon,
            '.' => Token::Dot,
            '/' => Token::Slash,
            '+' => Token::Plus,
            '-' | '–' | '−' => Token::Minus,
            c if c.is_ascii_digit() || c.is_alphabetic() => {
                let mut end = start + c.len_utf8();
                while let Some(&(at, other)) = chars.peek().filter(|(_, other)| same(*other)) {
                    end = at + other.len_utf8();
                    chars.next();
                }
                let piece = &text[start..end];
                match piece.parse() {
                    Ok(number) => Token::Number(number, piece.len()),
                    Err(_) => Token::Word(piece),
                }
            }
            _ => continue,
        };
        tokens.push(token);
    }
    tokens
}

fn written(year: i64, month: i64, day: i64) -> Option<Written> {
    let year = i16::try_from(year)
        .ok()
        .filter(|year| YEARS.contains(year))?;
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some(Written {
        date,
        time: None,
        offset: None,
    })
}

/// Seconds or milliseconds since 1970, alone.
fn read_epoch(tokens: &[Token<'_>]) -> Option<Written> {
    let [Token::Number(number, digits @ (10 | 13))] = *tokens else {
        return None;
    };
    let seconds = if digits == 13 { number / 1000 } else { number };
    let timestamp = jiff::Timestamp::from_second(seconds).ok()?;
    let local = Offset::UTC.to_datetime(timestamp);
    YEARS.contains(&local.year()).then_some(Written {
        date: local.date(),
        time: Some(local.time()),
        offset: Some(Offset::UTC),
    })
}

/// `2024-04-28…`, `2024/4/28`, `2024.04.28`, `20240428T101500`, `2024年4月28日`.
fn read_year_first(tokens: &[Token<'_>]) -> Option<Written> {
    for (at, token) in tokens.iter().enumerate() {
        match *token {
            Token::Number(compact, 8 | 14) => {
                let compact_date = if compact > 99_999_999 {
                    compact / 1_000_000
                } else {
                    compact
                };
                let found = written(
                    compact_date / 10_000,
                    compact_date / 100 % 100,
                    compact_date % 100,
                );
                if let Some(mut found) = found {
                    if compact > 99_999_999 {
                        found.time =
                            time(compact / 10_000 % 100, compact / 100 % 100, compact % 100);
                    }
                    return Some(with_time(found, &tokens[at + 1..]));
                }
            }
            Token::Number(year, 4) => {
                let mut rest = &tokens[at + 1..];
                let month = skip_to_number(&mut rest)?;
                let day = skip_to_number(&mut rest);
                if let Some(found) = day.and_then(|day| written(year, month, day)) {
                    return Some(with_time(found, rest));
                }
            }
            _ => {}
        }
    }
    None
}

/// The next number when at most one separator stands before it.
fn skip_to_number(rest: &mut &[Token<'_>]) -> Option<i64> {
    let skip = match rest.first()? {
        Token::Number(..) => 0,
        Token::Minus | Token::Slash | Token::Dot => 1,
        Token::Word("年" | "月" | "년" | "월") => 1,
        _ => return None,
    };
    let Token::Number(number, 1..=2) = *rest.get(skip)? else {
        return None;
    };
    *rest = &rest[skip + 1..];
    Some(number)
}

/// `28 April 2024`, `April 28, 2024`, `28. Apr. 2024`, `28 de abril de 2024`.
fn read_named_month(tokens: &[Token<'_>]) -> Option<Written> {
    for (at, token) in tokens.iter().enumerate() {
        let Token::Word(word) = *token else { continue };
        let Some(month) = month(word) else { continue };
        let before = tokens[..at].iter().rev().take(2).find_map(number_of);
        let mut after = tokens[at + 1..]
            .iter()
            .enumerate()
            .take(5)
            .filter_map(|(n, token)| Some((n, number_of(token)?)));
        let first = after.next();
        let found = match (before, first) {
            (Some((day, 1..=2)), Some((n, (year, 4)))) => Some((year, day, n)),
            (_, Some((_, (day, 1..=2)))) => after
                .next()
                .filter(|(_, (_, digits))| *digits == 4)
                .map(|(n, (year, _))| (year, day, n)),
            _ => None,
        };
        if let Some((year, day, n)) = found
            && let Some(found) = written(year, month, day)
        {
            return Some(with_time(found, &tokens[at + n + 2..]));
        }
    }
    None
}

fn number_of(token: &Token<'_>) -> Option<(i64, usize)> {
    match *token {
        Token::Number(number, digits) => Some((number, digits)),
        _ => None,
    }
}

/// `28.04.2024`, and `28/04/2024` or `04/28/2024` where only one reading is possible.
fn read_day_first(tokens: &[Token<'_>]) -> Option<Written> {
    for (at, window) in tokens.windows(5).enumerate() {
        let [
            Token::Number(a, 1..=2),
            mark,
            Token::Number(b, 1..=2),
            other,
            Token::Number(year, digits @ (2 | 4)),
        ] = *window
        else {
            continue;
        };
        if mark != other {
            continue;
        }
        let year = if digits == 2 { 2000 + year } else { year };
        let found = match mark {
            Token::Dot => written(year, b, a),
            Token::Slash | Token::Minus if a > 12 || a == b => written(year, b, a),
            Token::Slash | Token::Minus if b > 12 => written(year, a, b),
            _ => None,
        };
        if let Some(found) = found {
            return Some(with_time(found, &tokens[at + 5..]));
        }
    }
    None
}

fn time(hour: i64, minute: i64, second: i64) -> Option<Time> {
    let small = |n: i64| i8::try_from(n).ok();
    // A leap second is read as the one before it.
    Time::new(small(hour)?, small(minute)?, small(second.min(59))?, 0).ok()
}

/// Adds the time of day and the offset that follow a date.
fn with_time(mut found: Written, rest: &[Token<'_>]) -> Written {
    let mut rest = rest;
    if found.time.is_none() {
        let Some((time, length)) = find_time(rest) else {
            return found;
        };
        found.time = Some(time);
        rest = &rest[length..];
    }
    found.offset = read_offset(rest);
    found
}

/// The first `10:15`, `10:15:30`, `10.15 Uhr`, `5:30 p.m.`, `21時37分`, `T101500`, and the
/// tokens read.
fn find_time(tokens: &[Token<'_>]) -> Option<(Time, usize)> {
    for at in 0..tokens.len().min(8) {
        let rest = &tokens[at..];
        let (hour, minute, second, length) = match *rest {
            [
                Token::Number(h, 1..=2),
                Token::Colon,
                Token::Number(m, 2),
                Token::Colon,
                Token::Number(s, 2),
                ..,
            ] => (h, m, s, 5),
            [
                Token::Number(h, 1..=2),
                Token::Colon,
                Token::Number(m, 2),
                ..,
            ] => (h, m, 0, 3),
            [
                Token::Number(h, 1..=2),
                Token::Dot,
                Token::Number(m, 2),
                Token::Word(unit),
                ..,
            ] if is_clock_word(unit) => (h, m, 0, 3),
            [
                Token::Number(h, 1..=2),
                Token::Word("h" | "H" | "時" | "시"),
                Token::Number(m, 2),
                ..,
            ] => (h, m, 0, 3),
            [Token::Word("T"), Token::Number(compact, 6), ..] => {
                (compact / 10_000, compact / 100 % 100, compact % 100, 2)
            }
            _ => continue,
        };
        let mut end = at + length;
        // A fraction of a second.
        if let [Token::Dot, Token::Number(..), ..] = tokens[end..] {
            end += 2;
        }
        let (hour, n_words) = twelve_hours(hour, &tokens[end..]);
        return Some((time(hour, minute, second)?, end + n_words));
    }
    None
}

fn is_clock_word(word: &str) -> bool {
    matches!(
        word,
        "Uhr" | "uhr" | "h" | "H" | "am" | "pm" | "AM" | "PM" | "klo"
    )
}

/// Applies `am`, `p.m.` and the like; returns the hour and the tokens read.
fn twelve_hours(hour: i64, rest: &[Token<'_>]) -> (i64, usize) {
    let (half, n_tokens) = match *rest {
        [Token::Word(word), ..] if word.eq_ignore_ascii_case("am") => (0, 1),
        [Token::Word(word), ..] if word.eq_ignore_ascii_case("pm") => (12, 1),
        [
            Token::Word("a" | "A"),
            Token::Dot,
            Token::Word("m" | "M"),
            ..,
        ] => (0, 3),
        [
            Token::Word("p" | "P"),
            Token::Dot,
            Token::Word("m" | "M"),
            ..,
        ] => (12, 3),
        _ => return (hour, 0),
    };
    (if hour <= 12 { hour % 12 + half } else { hour }, n_tokens)
}

/// `Z`, `+02:00`, `+0200`, `GMT+2`, `EST`.
fn read_offset(rest: &[Token<'_>]) -> Option<Offset> {
    let mut rest = rest;
    // "Uhr", "Sec", a closing dot: passed over.
    while let [Token::Dot, tail @ ..] | [Token::Word("Uhr" | "uhr" | "h"), tail @ ..] = rest {
        rest = tail;
    }
    let (named, rest) = match *rest {
        [Token::Word(word), ref tail @ ..] => (Some(named_offset(word)?), tail),
        _ => (None, rest),
    };
    let numeric = match *rest {
        [
            sign @ (Token::Plus | Token::Minus),
            Token::Number(hours, 1..=2),
            ref tail @ ..,
        ] => {
            let minutes = match *tail {
                [Token::Colon, Token::Number(minutes, 2), ..] => minutes,
                _ => 0,
            };
            Some((sign, hours * 60 + minutes))
        }
        [
            sign @ (Token::Plus | Token::Minus),
            Token::Number(compact, 4),
            ..,
        ] => Some((sign, compact / 100 * 60 + compact % 100)),
        _ => None,
    };
    let minutes = match numeric {
        Some((Token::Minus, minutes)) => -minutes,
        Some((_, minutes)) => minutes,
        None => named?,
    };
    let seconds = i32::try_from(minutes * 60).ok()?;
    (minutes.abs() <= 15 * 60)
        .then(|| Offset::from_seconds(seconds).ok())
        .flatten()
}

/// Offset of a zone's name in minutes: RFC 2822 section 4.3 and the usual ones of Europe
/// and East Asia that mean one thing only.
fn named_offset(name: &str) -> Option<i64> {
    let hours = match name {
        "Z" | "z" | "UTC" | "GMT" | "UT" | "WET" => 0,
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "MDT" | "CST" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        "CET" | "MEZ" | "BST" => 1,
        "CEST" | "MESZ" | "EET" => 2,
        "EEST" | "MSK" => 3,
        "WIB" => 7,
        "JST" | "KST" => 9,
        "AEST" => 10,
        "AEDT" => 11,
        _ => return None,
    };
    Some(hours * 60)
}

/// Number of a month by its name or the usual abbreviation, in many languages.
fn month(word: &str) -> Option<i64> {
    let word = word.to_lowercase();
    MONTHS
        .iter()
        .position(|names| names.split(' ').any(|name| name == word))
        .map(|month| month as i64 + 1)
}

/// English, German, French, Spanish, Portuguese, Italian, Dutch, the Scandinavian
/// languages, Finnish, Polish, Czech, Turkish, Indonesian, Russian, Ukrainian.
const MONTHS: [&str; 12] = [
    "january jan januar jänner janvier janv enero ene janeiro gennaio gen januari tammikuuta stycznia ledna ocak oca января янв січня",
    "february feb februar februari feber février févr fevrier febrero fevereiro fev febbraio helmikuuta lutego února şubat şub februari февраля фев лютого",
    "march mar märz mrz maerz mars marzo março marco maart mrt marts maaliskuuta marca března mart maret марта мар березня",
    "april apr avril avr abril abr aprile huhtikuuta kwietnia dubna nisan nis апреля апр квітня",
    "may mai mayo maio mag maggio mei maj toukokuuta maja května mayıs мая травня",
    "june jun juni juin junio junho giugno giu kesäkuuta czerwca června haziran haz июня июн червня",
    "july jul juli juillet juil julio julho luglio lug heinäkuuta lipca července temmuz tem июля июл липня",
    "august aug août aout agosto ago augustus elokuuta sierpnia srpna ağustos ağu agustus августа авг серпня",
    "september sep sept septembre septiembre setembro set settembre syyskuuta września září eylül eyl сентября сен вересня",
    "october oct oktober okt octobre octubre outubro out ottobre ott lokakuuta października října ekim eki октября окт жовтня",
    "november nov novembre noviembre novembro marraskuuta listopada listopadu kasım kas ноября ноя листопада",
    "december dec dezember dez décembre déc decembre diciembre dic dezembro dicembre desember des joulukuuta grudnia prosince aralık ara декабря дек грудня",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let published = read(text).and_then(|written| written.published("text"));

        assert_eq!(
            published.map(|found| found.text).as_deref(),
            Some(expected),
            "{text}"
        );
    }

    #[test]
    fn machine_dates_keep_their_time_and_zone() {
        check("2024-04-28T10:00:00Z", "2024-04-28T10:00:00Z");
        check("2024-04-28T10:00:00.123+0200", "2024-04-28T10:00:00+02:00");
        check("2024-04-28 10:00:00 -05:30", "2024-04-28T10:00:00-05:30");
        check("2024-04-28T10:00", "2024-04-28T10:00:00Z");
        check("20240428T101500Z", "2024-04-28T10:15:00Z");
        check("Sun, 28 Apr 2024 10:00:00 GMT", "2024-04-28T10:00:00Z");
        check(
            "Sun Apr 28 2024 10:00:00 GMT+0200 (CEST)",
            "2024-04-28T10:00:00+02:00",
        );
        check("1714298400000", "2024-04-28T10:00:00Z");
    }

    #[test]
    fn dates_for_people_are_read_in_many_languages() {
        check("April 28, 2024 5:30 p.m. EDT", "2024-04-28T17:30:00-04:00");
        check("Published 28 April 2024", "2024-04-28");
        check("Sonntag, 28. April 2024, 10.15 Uhr", "2024-04-28T10:15:00Z");
        check("28.04.2024 10:15", "2024-04-28T10:15:00Z");
        check("le 28 août 2024 à 12h05", "2024-08-28T12:05:00Z");
        check("28 de abril de 2024", "2024-04-28");
        check("2025年1月13日 21時37分", "2025-01-13T21:37:00Z");
        check("2024.04.28 10:15", "2024-04-28T10:15:00Z");
        check("28 апреля 2024", "2024-04-28");
    }

    #[test]
    fn day_and_month_are_never_guessed() {
        check("28/04/2024", "2024-04-28");
        check("04/28/2024", "2024-04-28");
        assert_eq!(read("04/05/2024"), None);
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "yesterday",
            "2024",
            "May we?",
            "1024-01-01",
            "2024-13-40",
            "10:15",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_url_path_can_hold_a_date() {
        let found = read_path("/news/2024/04/28/title-of-7-things.html").unwrap();

        assert_eq!(found.date.to_string(), "2024-04-28");
        assert_eq!(read_path("/news/12345/04/99"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "[0-9A-Za-z:./+ -]{0,60}|\\PC*") {
            let _ = read(&text).and_then(|written| written.published("text"));
            let _ = read_path(&text);
        }
    }
}

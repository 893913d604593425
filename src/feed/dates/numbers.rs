//! Which number is the day, which the month, which the year — or that nobody can tell.

use jiff::civil::Date;

use super::Reading;

/// Numbers whose part is not yet known.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    pub(super) all: Vec<u32>,
    pub(super) year: Option<i16>,
    triple: Option<(u32, u32, char)>,
}

impl Numbers {
    pub(super) fn year(&mut self, value: u32) {
        self.year = Some(match value {
            0..70 => 2000 + value as i16,
            70..100 => 1900 + value as i16,
            _ => i16::try_from(value).unwrap_or(0),
        });
    }

    /// `26/06/2020`, `30.10.23`.
    ///
    /// `25/03/06` may begin with the year or with the day: it is no date.
    pub(super) fn triple(&mut self, first: u32, second: u32, year: u32, mark: char) -> Option<()> {
        if mark != '.' && first > 12 && year <= 31 {
            return None;
        }
        self.triple = Some((first, second, mark));
        self.year(year);
        Some(())
    }

    pub(super) fn is_dated(&self, reading: &Reading) -> bool {
        self.year.is_some()
            || (reading.month.is_some() && self.all.len() >= 2)
            || self.triple.is_some()
    }

    pub(super) fn settle(mut self, reading: &mut Reading) -> Option<()> {
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

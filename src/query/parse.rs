//! Reads the language of searches.
//!
//! Words, `"phrases"`, `-not`, `AND`, `OR`, `(groups)`, `field:value`, `word*`, and the bounds
//! `after:` and `before:`. Whatever else is typed is a word: a person who searches for
//! `C++`, `don't` or `https://example.org` means just that.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Expr, Field, SearchError, SearchExpr};

/// Longest search, in bytes.
const MAX_BYTES: usize = 4096;

/// Most words, phrases and fields.
const MAX_TERMS: usize = 256;

/// Deepest nesting of groups; parsing recurses once per level.
const MAX_DEPTH: usize = 32;

pub(super) fn parse(text: &str, now: Timestamp) -> Result<SearchExpr, SearchError> {
    let mut parser = Parser {
        text,
        at: 0,
        now,
        depth: 0,
        n_terms: 0,
        bounds: Bounds::default(),
    };
    if text.len() > MAX_BYTES {
        return Err(parser.error(0, format!("a search has at most {MAX_BYTES} bytes")));
    }
    let expr = parser.alternatives()?;
    if parser.peek() == Some(')') {
        return Err(parser.error(parser.at, "nothing is open that this could close"));
    }
    Ok(SearchExpr {
        expr,
        after: parser.bounds.after,
        before: parser.bounds.before,
    })
}

struct Parser<'a> {
    text: &'a str,
    /// Byte offset of what is read next.
    at: usize,
    now: Timestamp,
    depth: usize,
    n_terms: usize,
    bounds: Bounds,
}

#[derive(Default)]
struct Bounds {
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

/// What one term turned out to be.
enum Term {
    Condition(Expr),
    /// `after:` or `before:`, which hold for the whole search.
    Bound,
    /// `OR`, `AND`, which stand between terms.
    Or,
    And,
}

impl<'a> Parser<'a> {
    /// Everything up to the end of the text or of the group: `a b OR c`.
    fn alternatives(&mut self) -> Result<Expr, SearchError> {
        let mut alternatives = Vec::new();
        let mut together = Vec::new();
        let mut or_at = None;
        // Of an `AND` that waits for what it joins.
        let mut and_at = None;
        let mut can_join = false;
        while self.skip_space() && self.peek() != Some(')') {
            let start = self.at;
            let term = self.term()?;
            match (&term, and_at) {
                (Term::Or | Term::And, Some(and_at)) => {
                    return Err(self.error(and_at, "`AND` needs something behind it"));
                }
                (Term::And, None) if !can_join => {
                    return Err(self.error(start, "`AND` needs something before it"));
                }
                (Term::Or, None) if together.is_empty() => {
                    return Err(self.error(start, "`OR` needs something before it"));
                }
                _ => {}
            }
            and_at = matches!(term, Term::And).then_some(start);
            can_join = !matches!(term, Term::Or);
            match term {
                Term::Condition(expr) => together.push(expr),
                Term::Or => {
                    or_at = Some(start);
                    alternatives.push(all_of(std::mem::take(&mut together)));
                }
                Term::Bound | Term::And => {}
            }
        }
        if let Some(and_at) = and_at {
            return Err(self.error(and_at, "`AND` needs something behind it"));
        }
        let Some(or_at) = or_at else {
            return Ok(all_of(together));
        };
        if together.is_empty() {
            return Err(self.error(or_at, "`OR` needs something behind it"));
        }
        alternatives.push(all_of(together));
        Ok(Expr::Or(alternatives))
    }

    fn term(&mut self) -> Result<Term, SearchError> {
        let start = self.at;
        self.n_terms += 1;
        if self.n_terms > MAX_TERMS {
            return Err(self.error(start, format!("a search has at most {MAX_TERMS} terms")));
        }
        match self.peek() {
            Some('(') => self.group().map(Term::Condition),
            Some('-') if self.negates() => {
                self.at += 1;
                self.negated(start).map(Term::Condition)
            }
            Some(quote) if opens_phrase(quote) => Ok(Term::Condition(Expr::Phrase(self.phrase()))),
            _ => self.word(),
        }
    }

    /// Whether the `-` here stands before something that can be excluded.
    fn negates(&self) -> bool {
        self.text[self.at + 1..]
            .chars()
            .next()
            .is_some_and(|next| !next.is_whitespace() && !matches!(next, '-' | ')'))
    }

    fn negated(&mut self, start: usize) -> Result<Expr, SearchError> {
        match self.term()? {
            Term::Condition(Expr::All) => Ok(Expr::All),
            Term::Condition(expr) => Ok(Expr::Not(Box::new(expr))),
            Term::Bound => Err(self.error(start, "a date cannot be excluded; use the other bound")),
            Term::Or | Term::And => {
                let sign = if self.text[start..].starts_with('-') {
                    "-"
                } else {
                    "NOT"
                };
                Err(self.error(start, format!("`{sign}` needs something behind it")))
            }
        }
    }

    fn group(&mut self) -> Result<Expr, SearchError> {
        let start = self.at;
        if self.depth == MAX_DEPTH {
            return Err(self.error(start, format!("groups nest at most {MAX_DEPTH} deep")));
        }
        self.at += 1;
        self.depth += 1;
        let expr = self.alternatives()?;
        self.depth -= 1;
        if self.peek() != Some(')') {
            return Err(self.error(start, "this group is never closed"));
        }
        self.at += 1;
        Ok(expr)
    }

    /// A quoted text; one that is never closed reaches to the end.
    fn phrase(&mut self) -> String {
        let opening = self.peek().unwrap_or('"');
        let closing = match opening {
            '“' | '„' => ['”', '“'],
            '«' => ['»', '»'],
            _ => ['"', '"'],
        };
        self.at += opening.len_utf8();
        let rest = &self.text[self.at..];
        let end = rest.find(closing).unwrap_or(rest.len());
        self.at += end;
        self.at += self.peek().map_or(0, char::len_utf8);
        rest[..end].trim().to_owned()
    }

    /// A word, a field with its value, or one of the words that stand between.
    fn word(&mut self) -> Result<Term, SearchError> {
        let start = self.at;
        let name_end = self.text[start..]
            .find(|c: char| !c.is_ascii_alphabetic())
            .map_or(self.text.len(), |length| start + length);
        let name = &self.text[start..name_end];
        if self.text[name_end..].starts_with(':') {
            let lower = name.to_ascii_lowercase();
            if let Some(field) = field(&lower) {
                self.at = name_end + 1;
                let value = self.value(&lower, start)?;
                return Ok(Term::Condition(Expr::Field(field, value)));
            }
            if lower == "after" || lower == "before" {
                self.at = name_end + 1;
                self.bound(&lower, start)?;
                return Ok(Term::Bound);
            }
        }
        let word = self.bare();
        Ok(match word {
            "OR" => Term::Or,
            "AND" => Term::And,
            "NOT" => {
                if !self.skip_space() || self.peek() == Some(')') {
                    return Err(self.error(start, "`NOT` needs something behind it"));
                }
                Term::Condition(self.negated(start)?)
            }
            word => Term::Condition(word_of(word)),
        })
    }

    /// What follows `name:`: one word or a quoted text.
    fn value(&mut self, name: &str, start: usize) -> Result<String, SearchError> {
        let value = match self.peek() {
            Some(quote) if opens_phrase(quote) => self.phrase(),
            _ => self.bare().to_owned(),
        };
        if value.is_empty() {
            return Err(self.error(
                start,
                format!("`{name}:` needs a value right behind the colon"),
            ));
        }
        Ok(value)
    }

    fn bound(&mut self, name: &str, start: usize) -> Result<(), SearchError> {
        let at = self.at;
        let value = self.value(name, start)?;
        if self.depth > 0 {
            return Err(self.error(
                start,
                "dates hold for the whole search: put them outside of groups",
            ));
        }
        let Some(time) = read_time(&value, self.now) else {
            return Err(self.error(
                at,
                "not a date: write 2026-11-01, 2026-11, 2026, 7d, 24h, or 2026-11-01T12:00:00Z",
            ));
        };
        let bounds = &mut self.bounds;
        if name == "after" {
            bounds.after = Some(bounds.after.map_or(time, |earlier| earlier.max(time)));
        } else {
            bounds.before = Some(bounds.before.map_or(time, |later| later.min(time)));
        }
        Ok(())
    }

    /// Up to the next white space or parenthesis; a parenthesis that the word itself opens
    /// belongs to it.
    fn bare(&mut self) -> &'a str {
        let start = self.at;
        let text = self.text;
        let rest = &text[start..];
        let length = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')'))
            .unwrap_or(rest.len());
        self.at += length;
        &text[start..self.at]
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    /// Whether anything is left behind the white space.
    fn skip_space(&mut self) -> bool {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.at < self.text.len()
    }

    fn error(&self, at: usize, reason: impl Into<String>) -> SearchError {
        // One line, so that the caret stands below its character.
        let query: String = self
            .text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(MAX_BYTES)
            .collect();
        SearchError {
            query,
            column: self.text[..at].chars().count(),
            reason: reason.into(),
        }
    }
}

fn opens_phrase(c: char) -> bool {
    matches!(c, '"' | '“' | '„' | '«')
}

fn field(name: &str) -> Option<Field> {
    Some(match name {
        "site" => Field::Site,
        "feed" => Field::Feed,
        "tag" => Field::Tag,
        "lang" => Field::Lang,
        "author" => Field::Author,
        "title" => Field::Title,
        _ => return None,
    })
}

fn word_of(word: &str) -> Expr {
    let stem = word.trim_end_matches('*');
    let prefix = stem.len() < word.len() && stem.ends_with(char::is_alphanumeric);
    Expr::Word {
        text: if prefix { stem } else { word }.to_owned(),
        prefix,
    }
}

fn all_of(mut parts: Vec<Expr>) -> Expr {
    parts.retain(|part| *part != Expr::All);
    match parts.len() {
        0 => Expr::All,
        1 => parts.remove(0),
        _ => Expr::And(parts),
    }
}

/// A point in time: an age (`7d`, `24h`, `2w`), a day, month or year from its beginning in
/// UTC, or RFC 3339.
fn read_time(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(age) = read_age(text) {
        return now.checked_sub(age).ok();
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let mut parts = text.splitn(3, '-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |month| digits(month, 2))?;
    let day = parts.next().map_or(Some(1), |day| digits(day, 2))?;
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let midnight = date.to_zoned(TimeZone::UTC).ok()?;
    Some(midnight.timestamp())
}

fn digits(text: &str, length: usize) -> Option<i16> {
    let is_number = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

fn read_age(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().last()?;
    let number: u32 = text[..text.len() - unit.len_utf8()].parse().ok()?;
    let hours = match unit {
        'h' => 1,
        'd' => 24,
        'w' => 24 * 7,
        _ => return None,
    };
    Some(SignedDuration::from_hours(i64::from(number) * hours))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn read(text: &str) -> Expr {
        parse(text, now()).unwrap().expr
    }

    fn word(text: &str) -> Expr {
        Expr::Word {
            text: text.into(),
            prefix: false,
        }
    }

    fn check_error(text: &str, column: usize, part: &str) {
        let error = parse(text, now()).unwrap_err();

        assert_eq!(error.column, column, "{error}");
        assert!(error.reason.contains(part), "{error}");
    }

    #[test]
    fn words_are_wanted_together() {
        assert_eq!(
            read(" storm  north "),
            Expr::And(vec![word("storm"), word("north")])
        );
        assert_eq!(read(""), Expr::All);
        assert_eq!(read("()"), Expr::All);
    }

    #[test]
    fn a_date_beside_or_holds_for_the_whole_search() {
        let search = parse("a OR b after:7d", now()).unwrap();

        assert_eq!(search.expr, Expr::Or(vec![word("a"), word("b")]));
        assert_eq!(search.after, Some("2026-11-16T12:00:00Z".parse().unwrap()));
    }

    #[test]
    fn or_binds_looser_than_standing_together() {
        assert_eq!(
            read("a b OR c"),
            Expr::Or(vec![Expr::And(vec![word("a"), word("b")]), word("c")])
        );
        assert_eq!(
            read("a (b OR c)"),
            Expr::And(vec![word("a"), Expr::Or(vec![word("b"), word("c")])])
        );
        assert_eq!(
            read("a or b"),
            Expr::And(vec![word("a"), word("or"), word("b")])
        );
    }

    #[test]
    fn and_says_what_standing_together_means() {
        assert_eq!(read("a AND b"), read("a b"));
        assert_eq!(read("a AND b OR c AND NOT d"), read("a b OR c -d"));
        assert_eq!(read("a AND after:7d"), read("a"));
        assert_eq!(read("after:7d AND a"), read("a"));
        assert_eq!(
            read("a and b"),
            Expr::And(vec![word("a"), word("and"), word("b")])
        );
    }

    #[test]
    fn exclusion_reaches_over_one_term() {
        assert_eq!(
            read("a -b NOT c"),
            Expr::And(vec![
                word("a"),
                Expr::Not(Box::new(word("b"))),
                Expr::Not(Box::new(word("c")))
            ])
        );
        assert_eq!(
            read("-(a OR \"b c\")"),
            Expr::Not(Box::new(Expr::Or(vec![
                word("a"),
                Expr::Phrase("b c".into())
            ])))
        );
    }

    #[test]
    fn fields_take_words_and_quoted_texts() {
        assert_eq!(
            read("site:bbc.co.uk"),
            Expr::Field(Field::Site, "bbc.co.uk".into())
        );
        assert_eq!(
            read("Author:\"Jane Doe\""),
            Expr::Field(Field::Author, "Jane Doe".into())
        );
        assert_eq!(
            read("-tag:sport"),
            Expr::Not(Box::new(Expr::Field(Field::Tag, "sport".into())))
        );
        assert_eq!(
            read("feed:https://example.org/feed.xml"),
            Expr::Field(Field::Feed, "https://example.org/feed.xml".into())
        );
    }

    #[test]
    fn odd_words_stay_what_they_are() {
        for text in [
            "C++",
            "don't",
            "20.04",
            "multi-agent",
            "🎉",
            "https://example.org/a?b=c",
            "12:30",
            "Re:",
            "5\"",
            "-",
            "--",
            "a*b",
            "*",
        ] {
            assert_eq!(read(text), word(text), "{text}");
        }
    }

    #[test]
    fn a_star_at_the_end_means_longer_words() {
        assert_eq!(
            read("elect*"),
            Expr::Word {
                text: "elect".into(),
                prefix: true
            }
        );
    }

    #[test]
    fn a_lone_quote_reaches_to_the_end() {
        assert_eq!(read("\"to be"), Expr::Phrase("to be".into()));
        assert_eq!(
            read("“to be” x"),
            Expr::And(vec![Expr::Phrase("to be".into()), word("x")])
        );
    }

    #[test]
    fn dates_bound_the_whole_search() {
        let search = parse("a after:2026-11 before:7d after:2025", now()).unwrap();

        assert_eq!(search.expr, word("a"));
        assert_eq!(search.after, "2026-11-01T00:00:00Z".parse().ok());
        assert_eq!(search.before, "2026-11-16T12:00:00Z".parse().ok());
    }

    #[test]
    fn faults_are_shown_with_their_place() {
        check_error("a (b", 2, "never closed");
        check_error("ä b)", 3, "nothing is open");
        check_error("site: bbc", 0, "needs a value");
        check_error("a after:soon", 8, "not a date");
        check_error("a after:2026-13-01", 8, "not a date");
        check_error("(after:7d)", 1, "outside of groups");
        check_error("OR a", 0, "before it");
        check_error("a OR", 2, "behind it");
        check_error("AND", 0, "before it");
        check_error("(AND a)", 1, "before it");
        check_error("a OR AND b", 5, "before it");
        check_error("a AND", 2, "behind it");
        check_error("(a AND ) b", 3, "behind it");
        check_error("a AND OR b", 2, "behind it");
        check_error("a AND AND b", 2, "behind it");
        check_error("NOT", 0, "behind it");
        check_error("a (b NOT)", 5, "behind it");
        check_error("NOT OR a", 0, "`NOT` needs something behind it");
        check_error("-AND a", 0, "`-` needs something behind it");
        check_error("-after:7d", 0, "excluded");
        check_error(&"(".repeat(40), 32, "nest");
        check_error(&"a ".repeat(257), 512, "terms");
    }

    #[test]
    fn the_caret_stands_below_the_fault() {
        let error = parse("ab (c", now()).unwrap_err();

        assert_eq!(
            error.to_string(),
            "this group is never closed\n  ab (c\n     ^"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = parse(&text, now());
        }

        #[test]
        fn any_sequence_of_its_signs_is_read_or_refused(
            text in "( |\\(|\\)|-|\"|OR|AND|NOT|a|site:|after:|7d|\\*|“|”|é){0,60}"
        ) {
            if let Err(error) = parse(&text, now()) {
                prop_assert!(error.column <= text.chars().count());
            }
        }
    }
}

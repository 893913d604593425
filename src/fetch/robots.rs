//! robots.txt (RFC 9309): which pages of a site we may ask for. Pure.
//!
//! Hostile files cost little: at most [`MAX_BYTES`] are read, patterns are matched piece by
//! piece without going back, and rules are tried longest first, so that the first that
//! matches decides.

use std::time::Duration;

/// How much of a robots.txt is read: 500 KiB (RFC 9309 §2.5).
pub const MAX_BYTES: usize = 500 * 1024;
/// Longest `Crawl-delay` that is obeyed.
const MAX_CRAWL_DELAY: Duration = Duration::from_secs(60);

/// The rules of one robots.txt for one product token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Robots {
    /// Longest first; at equal length those that allow first.
    rules: Vec<Rule>,
    crawl_delay: Option<Duration>,
}

/// One `Allow` or `Disallow` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Whether it allows.
    pub allows: bool,
    /// The path pattern in normal form: escapes in upper case, `*` and `$` special.
    pub pattern: String,
    /// Its line in the file, from 1.
    pub line: usize,
}

impl Robots {
    /// Reads the rules for `product`, for instance `wireroom`: those of all groups that name
    /// it, else those of all groups for `*` (RFC 9309 §2.2.1).
    ///
    /// Never fails: what cannot be read is passed over.
    #[must_use]
    pub fn parse(file: &[u8], product: &str) -> Self {
        let file = &file[..file.len().min(MAX_BYTES)];
        let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
        let text = String::from_utf8_lossy(file);
        let (mut own, mut general) = (Group::default(), Group::default());
        let mut reader = GroupReader::default();
        for (at, line) in text.split('\n').enumerate() {
            // Carriage returns alone also end lines; their rules share a line number.
            for line in line.split('\r') {
                reader.read(line, at + 1, product, &mut own, &mut general);
            }
        }
        let group = if own.is_named { own } else { general };
        group.into_robots()
    }

    /// Whether `path_and_query`, as it stands in a URL, may be asked for; if not, the rule
    /// that forbids it.
    ///
    /// # Errors
    /// The [`Rule`] that matches it longest, when that one disallows.
    pub fn allows(&self, path_and_query: &str) -> Result<(), &Rule> {
        let path = normal_path(path_and_query);
        if path == "/robots.txt" {
            return Ok(());
        }
        match self.rules.iter().find(|rule| matches(&rule.pattern, &path)) {
            Some(rule) if !rule.allows => Err(rule),
            _ => Ok(()),
        }
    }

    /// The `Crawl-delay`, at most 60 s. Not in RFC 9309; an old custom that costs us little.
    #[must_use]
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }

    /// About how much memory it takes, in bytes.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        let rules = self
            .rules
            .iter()
            .map(|rule| size_of::<Rule>() + rule.pattern.len());
        size_of::<Self>() + rules.sum::<usize>()
    }
}

/// All groups for one name, merged.
#[derive(Default)]
struct Group {
    is_named: bool,
    rules: Vec<Rule>,
    crawl_delay: Option<Duration>,
}

impl Group {
    fn into_robots(self) -> Robots {
        let mut rules = self.rules;
        rules.sort_by_key(|rule| (std::cmp::Reverse(rule.pattern.len()), !rule.allows));
        Robots {
            rules,
            crawl_delay: self.crawl_delay,
        }
    }
}

/// Whom the lines that are being read concern.
#[derive(Default)]
struct GroupReader {
    is_own: bool,
    is_general: bool,
    /// Whether the last line of weight was a `User-agent`: the next one joins it.
    is_heading: bool,
}

impl GroupReader {
    fn read(&mut self, line: &str, at: usize, product: &str, own: &mut Group, general: &mut Group) {
        let line = line.split('#').next().unwrap_or_default();
        let Some((name, value)) = line.split_once(':') else {
            return;
        };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        match name.as_str() {
            "user-agent" => self.read_agent(value, product, own),
            "allow" | "disallow" => {
                self.is_heading = false;
                // A rule without a path says nothing (RFC 9309 §2.2.2).
                if value.is_empty() {
                    return;
                }
                for group in self.concerned(own, general) {
                    group.rules.push(Rule {
                        allows: name == "allow",
                        pattern: normal_pattern(value),
                        line: at,
                    });
                }
            }
            "crawl-delay" => {
                self.is_heading = false;
                let delay = crawl_delay(value);
                for group in self.concerned(own, general) {
                    group.crawl_delay = group.crawl_delay.max(delay);
                }
            }
            // `Sitemap` and what we do not know belong to no group (RFC 9309 §2.2.4).
            _ => {}
        }
    }

    fn read_agent(&mut self, value: &str, product: &str, own: &mut Group) {
        if !self.is_heading {
            (self.is_own, self.is_general) = (false, false);
            self.is_heading = true;
        }
        let is_token = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '-');
        let end = value.find(|c| !is_token(c)).unwrap_or(value.len());
        let (token, rest) = value.split_at(end);
        if token.eq_ignore_ascii_case(product) {
            self.is_own = true;
            own.is_named = true;
        }
        let star = rest.strip_prefix('*').filter(|_| token.is_empty());
        if star.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)) {
            self.is_general = true;
        }
    }

    fn concerned<'a>(
        &self,
        own: &'a mut Group,
        general: &'a mut Group,
    ) -> impl Iterator<Item = &'a mut Group> {
        let own = self.is_own.then_some(own);
        let general = self.is_general.then_some(general);
        own.into_iter().chain(general)
    }
}

fn crawl_delay(value: &str) -> Option<Duration> {
    let seconds: f64 = value.parse().ok()?;
    let seconds = seconds.clamp(-1.0, MAX_CRAWL_DELAY.as_secs_f64());
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|d| !d.is_zero())
}

/// A pattern with its escapes in the form of [`normal_path`]; `*` and a last `$` stay special.
/// Stars that stand together are one.
fn normal_pattern(value: &str) -> String {
    let mut pattern = String::with_capacity(value.len());
    push_normal(&mut pattern, value, Special::Kept);
    while pattern.contains("**") {
        pattern = pattern.replace("**", "*");
    }
    pattern
}

/// A path in the form in which it is compared (RFC 9309 §2.2.2): what need not be escaped is
/// not, everything else is, in upper case. A literal `*` or `$` is escaped, for in a pattern
/// it would be special (§2.2.3).
fn normal_path(path: &str) -> String {
    let path = path.split('#').next().unwrap_or_default();
    let mut normal = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        normal.push('/');
    }
    push_normal(&mut normal, path, Special::Escaped);
    normal
}

/// What becomes of `*` and `$`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Special {
    Kept,
    Escaped,
}

/// Appends `text` in ASCII with its escapes in normal form.
fn push_normal(to: &mut String, text: &str, special: Special) {
    let mut bytes = text.as_bytes();
    while let [byte, rest @ ..] = bytes {
        bytes = rest;
        let escaped = match rest {
            [high, low, ..] if *byte == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            bytes = &rest[2..];
            let value = high * 16 + low;
            if value.is_ascii_alphanumeric() || b"-._~".contains(&value) {
                to.push(char::from(value));
            } else {
                push_escape(to, value);
            }
            continue;
        }
        let is_special = matches!(byte, b'*' | b'$') && special == Special::Escaped;
        if byte.is_ascii_graphic() && !is_special {
            to.push(char::from(*byte));
        } else {
            push_escape(to, *byte);
        }
    }
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

fn push_escape(to: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    to.push('%');
    to.push(char::from(DIGITS[usize::from(byte >> 4)]));
    to.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// Whether `pattern` matches the beginning of `path`, or all of it with a `$` at the end.
///
/// The first occurrence of each piece is as good as any later one, so there is no way back
/// to try; each piece is found in linear time (`str::find` is a two-way search).
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, is_anchored) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return !is_anchored || rest.is_empty();
    };
    for piece in pieces {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
    }
    if is_anchored {
        rest.ends_with(last)
    } else {
        rest.contains(last)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;

    fn check(file: &str, path: &str, expect: bool) {
        let robots = Robots::parse(file.as_bytes(), "wireroom");
        assert_eq!(robots.allows(path).is_ok(), expect, "{path} under {file:?}");
    }

    #[test]
    fn the_longest_rule_decides_and_allow_wins_ties() {
        let file = "User-agent: *\nDisallow: /\nAllow: /news\nDisallow: /news/private\n";
        check(file, "/", false);
        check(file, "/newsroom", true);
        check(file, "/news/private/1", false);
        check("User-agent: *\nDisallow: /a\nAllow: /a", "/a", true);
        check("User-agent: *\nAllow: /p\nDisallow: /", "/page", true);
        check("User-agent: *\nAllow: /$\nDisallow: /", "/page.htm", false);
        check(
            "User-agent: *\nAllow: /page\nDisallow: /*.htm",
            "/page.htm",
            false,
        );
    }

    #[test]
    fn our_own_group_replaces_the_general_one_and_groups_of_a_name_are_merged() {
        let file = "User-agent: *\nDisallow: /\n\nUser-Agent: WireRoom/2.0\nDisallow: /a\n\n\
                    user-agent: other\nuser-agent: wireroom\nDisallow: /b\n";
        check(file, "/c", true);
        check(file, "/a", false);
        check(file, "/b", false);
        check(
            "User-agent: wireroom\n\nUser-agent: x\nDisallow: /",
            "/a",
            false,
        );
        check(
            "User-agent: wireroom\nDisallow:\n\nUser-agent: *\nDisallow: /",
            "/a",
            true,
        );
        check("User-agent: wireroomy\nDisallow: /", "/a", true);
        check(
            "User-agent: *\nDisallow: /a\nUser-agent: *\nDisallow: /b",
            "/b",
            false,
        );
    }

    #[test]
    fn stars_and_dollars_mean_what_they_mean() {
        let one = |pattern: &str| format!("User-agent: *\nDisallow: {pattern}");
        check(&one("/*.php"), "/folder/index.php?x=1", false);
        check(&one("/*.php$"), "/index.php", false);
        check(&one("/*.php$"), "/index.php?x=1", true);
        check(&one("/fish*"), "/fish.html", false);
        check(&one("/fish*.php"), "/Fish.php", true);
        check(&one("/a*b*c"), "/a-b-c-d", false);
        check(&one("/a*b*c"), "/a-c-b", true);
        check(&one("/a*a$"), "/a", true);
        check(&one("*"), "/any", false);
        check(
            &one("/path/file-with-a-%2A.html"),
            "/path/file-with-a-*.html",
            false,
        );
        check(&one("/a$b"), "/a$b", true);
        check(&one("/a%24b"), "/a$b", false);
    }

    #[test]
    fn escapes_are_compared_by_what_they_mean() {
        let one = |pattern: &str| format!("User-agent: *\nDisallow: {pattern}");
        check(&one("/%70rivate"), "/private", false);
        check(&one("/ツ"), "/%E3%83%84", false);
        check(&one("/%e3%83%84"), "/%E3%83%84", false);
        check(&one("/a%2fb"), "/a%2Fb", false);
        check(&one("/a%2fb"), "/a/b", true);
        check(&one("/a?b"), "/a?b=1", false);
    }

    #[test]
    fn untidy_files_are_read() {
        check(
            "\u{feff}USER-AGENT : * # all\r\ndisallow :/a # here\r\n",
            "/a",
            false,
        );
        check("User-agent: *\rDisallow: /a\r", "/a", false);
        check("Disallow: /a", "/a", true);
        check("<html><body>Not found</body></html>", "/a", true);
        check(
            "User-agent: *\nSitemap: http://x/\nDisallow: /a",
            "/a",
            false,
        );
        check("User-agent: *\nDisallow: /", "/robots.txt", true);
        check("", "/", true);
    }

    #[test]
    fn the_rule_that_forbids_is_named_by_its_line() {
        let robots = Robots::parse(b"# ours\nUser-agent: *\n\nDisallow: /a\n", "wireroom");

        assert_eq!(robots.allows("/a/b").map_err(|rule| rule.line), Err(4));
    }

    #[test]
    fn crawl_delays_are_bounded() {
        let delay = |value: &str| {
            let file = format!("User-agent: *\nCrawl-delay: {value}");
            Robots::parse(file.as_bytes(), "wireroom").crawl_delay()
        };

        assert_eq!(delay("2.5"), Some(Duration::from_millis(2500)));
        assert_eq!(delay("3600"), Some(MAX_CRAWL_DELAY));
        assert_eq!(delay("inf"), Some(MAX_CRAWL_DELAY));
        assert_eq!(delay("-1"), None);
        assert_eq!(delay("NaN"), None);
        assert_eq!(delay("soon"), None);
    }

    #[test]
    fn what_lies_beyond_the_limit_is_not_read() {
        let mut file = "User-agent: *\n#".to_owned() + &"x".repeat(MAX_BYTES);
        file += "\nDisallow: /";

        check(&file, "/a", true);
    }

    #[test]
    fn files_made_to_be_slow_are_not() {
        let path = format!("/{}b", "a".repeat(4000));
        let mut many_rules = "User-agent: *\n".to_owned();
        while many_rules.len() < MAX_BYTES {
            let _ = writeln!(many_rules, "Disallow: /*a*a*a*a*c{}", many_rules.len());
        }
        let one_rule = format!(
            "User-agent: *\nDisallow: /{}c",
            "*a".repeat(MAX_BYTES / 2 - 20)
        );
        let many_groups = "User-agent: wireroom\nDisallow: /*aaaaaaaab$\n".repeat(11_000);

        let started = Instant::now();
        for file in [many_rules, one_rule, many_groups] {
            let robots = Robots::parse(file.as_bytes(), "wireroom");
            let _ = robots.allows(&path);
            assert!(robots.n_bytes() < 4 << 20);
        }

        // Some 0.1 s unoptimised; the crates that go back to try again took 3 s and more.
        assert!(started.elapsed() < Duration::from_secs(2));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_and_any_path_is_answered(
            file in prop::collection::vec(any::<u8>(), 0..400),
            path in "\\PC{0,40}",
        ) {
            let _ = Robots::parse(&file, "wireroom").allows(&path);
        }

        #[test]
        fn matching_agrees_with_the_definition(
            pattern in "/[ab*]{0,6}\\$?",
            path in "/[ab]{0,8}",
        ) {
            let file = format!("User-agent: *\nDisallow: {pattern}");
            let robots = Robots::parse(file.as_bytes(), "wireroom");

            prop_assert_eq!(robots.allows(&path).is_err(), defined(pattern.as_bytes(), path.as_bytes()));
        }
    }

    /// RFC 9309 §2.2.3, word for word and without haste.
    fn defined(pattern: &[u8], path: &[u8]) -> bool {
        match pattern {
            [] => true,
            [b'$'] => path.is_empty(),
            [b'*', rest @ ..] => (0..=path.len()).any(|n| defined(rest, &path[n..])),
            [c, rest @ ..] => path.first() == Some(c) && defined(rest, &path[1..]),
        }
    }
}

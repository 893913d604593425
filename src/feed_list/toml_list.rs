//! TOML: `[[feed]]` tables, whose keys are checked one by one.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::{FeedSettings, FeedUrl};

use super::collect::{Added, Collector, one_line};
use super::position::{line_and_column, syntax};
use super::{ListError, ListedFeed, duration, nearest};

/// The keys of `[[feed]]`.
const KEYS: [&str; 8] = [
    "url",
    "title",
    "tags",
    "site",
    "interval",
    "scrape",
    "user_agent",
    "headers",
];

pub(super) fn read(text: &str, collector: &mut Collector) -> Result<(), ListError> {
    let (document, broken) = DeTable::parse_recoverable(text);
    let broken = broken
        .iter()
        .map(|error| (error.span().map_or(0, |span| span.start), error.message()))
        .min_by_key(|(at, _)| *at)
        .map(|(at, reason)| syntax(text, at, reason));
    let reader = Reader {
        text,
        is_whole: broken.is_none(),
    };
    let read = reader.document(document.get_ref(), collector);
    match (broken, read) {
        // What is left of a broken line may look wrong once more.
        (Some(broken), Err(wrong)) if line_of(&wrong) < line_of(&broken) => Err(wrong),
        (Some(broken), _) => Err(broken),
        (None, read) => read,
    }
}

fn line_of(error: &ListError) -> usize {
    match error {
        ListError::Syntax { line, .. } => *line,
        ListError::Limit(_) => usize::MAX,
    }
}

struct Reader<'a> {
    text: &'a str,
    /// Whether the whole text follows TOML; else, keys may be missing for that.
    is_whole: bool,
}

impl Reader<'_> {
    /// Takes the feeds; fails with the first fault in the order of the file.
    fn document(&self, document: &DeTable<'_>, collector: &mut Collector) -> Result<(), ListError> {
        let other = document
            .iter()
            .filter(|(key, _)| key.get_ref() != "feed")
            .map(|(key, _)| key)
            .min_by_key(|key| key.span().start);
        let unknown = other.map(|key| {
            let reason = format!(
                "unknown key {}; a list of feeds has [[feed]] tables only",
                shown(key.get_ref())
            );
            (key.span().start, self.error(key.span(), reason))
        });
        let unknown_at = unknown.as_ref().map_or(usize::MAX, |(at, _)| *at);
        if let Some(feeds) = document.get("feed") {
            self.feeds(feeds, unknown_at, collector)?;
        }
        match unknown {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    /// Takes the feeds that begin before the byte `end`.
    fn feeds(
        &self,
        value: &Spanned<DeValue<'_>>,
        end: usize,
        collector: &mut Collector,
    ) -> Result<(), ListError> {
        let DeValue::Array(feeds) = value.get_ref() else {
            return match value.span().start < end {
                true => Err(self.error(value.span(), "feed is a list of tables: write [[feed]]")),
                false => Ok(()),
            };
        };
        for feed in feeds.iter().filter(|feed| feed.span().start < end) {
            let Some(listed) = self.feed(feed)? else {
                continue;
            };
            let given = listed.given.clone();
            if collector.add(listed)? != Added::Feed {
                let (line, _) = line_and_column(self.text, feed.span().start);
                collector.skip(line, &given, "the same feed stands above");
            }
        }
        Ok(())
    }

    fn error(&self, span: Range<usize>, reason: impl Into<String>) -> ListError {
        syntax(self.text, span.start, reason)
    }

    fn feed(&self, feed: &Spanned<DeValue<'_>>) -> Result<Option<ListedFeed>, ListError> {
        let DeValue::Table(table) = feed.get_ref() else {
            return Err(self.error(feed.span(), "a feed is a table: write [[feed]]"));
        };
        // TOML tables have no order; that of the file is told by its spans.
        let mut keys: Vec<_> = table.iter().collect();
        keys.sort_by_key(|(key, _)| key.span().start);
        let (mut url, mut title, mut tags, mut site) = (None, None, Vec::new(), None);
        let mut settings = FeedSettings::default();
        for (key, value) in keys {
            match key.get_ref().as_ref() {
                "url" => url = Some(self.url(value)?),
                "title" => {
                    let text = one_line(self.string("title", value)?);
                    title = Some(text).filter(|text| !text.is_empty());
                }
                "tags" => tags = self.tags(value)?,
                "site" => site = Some(self.string("site", value)?.to_owned()),
                "interval" => settings.interval = Some(self.interval(value)?),
                "scrape" => settings.scrape = Some(self.boolean("scrape", value)?),
                "user_agent" => {
                    let user_agent = self.string("user_agent", value)?;
                    settings.user_agent = Some(user_agent.to_owned());
                }
                "headers" => settings.headers = self.headers(value)?,
                name => return Err(self.error(key.span(), unknown_key(name))),
            }
        }
        let Some((url, given)) = url else {
            return match self.is_whole {
                true => Err(self.error(feed.span(), "a feed needs its url")),
                false => Ok(None),
            };
        };
        Ok(Some(ListedFeed {
            url,
            given,
            title,
            tags,
            site,
            settings,
        }))
    }

    fn url(&self, value: &Spanned<DeValue<'_>>) -> Result<(FeedUrl, String), ListError> {
        let given = self.string("url", value)?.trim();
        let url =
            FeedUrl::parse(given).map_err(|error| self.error(value.span(), error.to_string()))?;
        Ok((url, given.to_owned()))
    }

    fn string<'v>(
        &self,
        name: &str,
        value: &'v Spanned<DeValue<'_>>,
    ) -> Result<&'v str, ListError> {
        value.get_ref().as_str().ok_or_else(|| {
            let found = value.get_ref().type_str();
            self.error(
                value.span(),
                format!("{name} is text in quotes, not {found}"),
            )
        })
    }

    fn boolean(&self, name: &str, value: &Spanned<DeValue<'_>>) -> Result<bool, ListError> {
        value.get_ref().as_bool().ok_or_else(|| {
            let found = value.get_ref().type_str();
            self.error(
                value.span(),
                format!("{name} is true or false, not {found}"),
            )
        })
    }

    fn tags(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, ListError> {
        if let DeValue::String(tag) = value.get_ref() {
            return Ok(vec![tag.clone().into_owned()]);
        }
        let Some(tags) = value.get_ref().as_array() else {
            return Err(self.error(value.span(), "tags is a list of texts"));
        };
        tags.iter()
            .map(|tag| self.string("a tag", tag).map(str::to_owned))
            .collect()
    }

    /// Friendly text, or seconds as a number.
    fn interval(&self, value: &Spanned<DeValue<'_>>) -> Result<std::time::Duration, ListError> {
        let read = match value.get_ref() {
            DeValue::String(text) => duration::read(text),
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .filter(|seconds| (1..=u64::from(u32::MAX)).contains(seconds))
                .map(std::time::Duration::from_secs),
            _ => None,
        };
        read.ok_or_else(|| {
            let reason = "interval is a span such as \"30m\" or \"1h 30m\", or seconds as a number";
            self.error(value.span(), reason)
        })
    }

    fn headers(&self, value: &Spanned<DeValue<'_>>) -> Result<Vec<(String, String)>, ListError> {
        let DeValue::Table(table) = value.get_ref() else {
            let reason = "headers is a table: { \"X-Name\" = \"value\" }";
            return Err(self.error(value.span(), reason));
        };
        let mut table: Vec<_> = table.iter().collect();
        table.sort_by_key(|(name, _)| name.span().start);
        let mut headers = Vec::new();
        for (name, value) in table {
            let text = self.string("a header's value", value)?;
            // RFC 9110 §5.1 and §5.5: a name is a token; a value has no line breaks.
            if name.get_ref().is_empty() || !name.get_ref().bytes().all(is_token) {
                return Err(
                    self.error(name.span(), "a header's name is letters, digits and dashes")
                );
            }
            if text.chars().any(char::is_control) {
                return Err(self.error(value.span(), "a header's value has no control characters"));
            }
            headers.push((name.get_ref().clone().into_owned(), text.to_owned()));
        }
        Ok(headers)
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn unknown_key(name: &str) -> String {
    match nearest(name, KEYS) {
        Some(near) => format!("unknown key {}; did you mean {near}?", shown(name)),
        None => format!(
            "unknown key {}; known here: {}",
            shown(name),
            KEYS.join(", ")
        ),
    }
}

fn shown(name: &str) -> String {
    format!("{:?}", name.chars().take(60).collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::feed_list::{FeedList, ListFormat};

    fn read(text: &str) -> Result<FeedList, ListError> {
        crate::feed_list::read(text, ListFormat::Toml)
    }

    #[track_caller]
    fn check_error(text: &str, line: usize, column: usize, word: &str) {
        match read(text) {
            Err(ListError::Syntax {
                line: l,
                column: c,
                reason,
            }) => {
                assert_eq!((l, c), (line, column), "{reason}");
                assert!(reason.contains(word), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_table_says_all_there_is_to_say_of_a_feed() {
        let list = read(
            "[[feed]]\nurl = \"https://news.example/rss\"\ntitle = \"The News\"\ntags = [\"World/Asia\"]\n\
             site = \"https://news.example/\"\ninterval = \"1h 30m\"\nscrape = false\nuser_agent = \"x/1\"\n\
             headers = { Cookie = \"a=b\", Accept = \"*/*\" }\n[[feed]]\nurl = \" https://b.example\"\ninterval = 90\n",
        )
        .unwrap();

        let feed = &list.feeds[0];
        assert_eq!(feed.title.as_deref(), Some("The News"));
        assert_eq!(feed.tags, ["World/Asia"]);
        assert_eq!(feed.settings.interval, Some(Duration::from_secs(5400)));
        assert_eq!(feed.settings.scrape, Some(false));
        assert_eq!(feed.settings.user_agent.as_deref(), Some("x/1"));
        assert_eq!(
            feed.settings.headers,
            [
                ("Cookie".to_owned(), "a=b".to_owned()),
                ("Accept".to_owned(), "*/*".to_owned())
            ]
        );
        assert_eq!(
            list.feeds[1].settings.interval,
            Some(Duration::from_secs(90))
        );
        assert_eq!(list.feeds[1].given, "https://b.example");
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_the_nearest() {
        check_error(
            "[[feed]]\nurl = \"https://a.example/\"\ninterwal = 3\n",
            3,
            1,
            "did you mean interval?",
        );
        check_error("[[feed]]\ntitel = \"x\"\n", 2, 1, "did you mean title?");
        check_error(
            "[[feed]]\nurl = \"https://a.example/\"\nfrobnicate = 3\n",
            3,
            1,
            "known here: url, title",
        );
        check_error("[feeds]\n", 1, 2, "[[feed]] tables only");
    }

    #[test]
    fn a_wrong_value_is_an_error_at_its_place() {
        check_error("[[feed]]\ntitle = \"x\"\n", 1, 1, "needs its url");
        check_error(
            "[[feed]]\nurl = \"gopher://a.example/\"\n",
            2,
            7,
            "not http",
        );
        check_error(
            "[[feed]]\nurl = \"https://a.example/\"\ninterval = \"soon\"\n",
            3,
            12,
            "30m",
        );
        check_error(
            "[[feed]]\nurl = \"https://a.example/\"\nscrape = \"no\"\n",
            3,
            10,
            "true or false",
        );
        check_error(
            "[[feed]]\nurl = \"https://a.example/\"\nheaders = { A = \"b\\r\\nC: d\" }\n",
            3,
            17,
            "control",
        );
        check_error("[[feed]]\nurl = \n", 2, 7, "");
    }

    #[test]
    fn the_first_fault_of_the_file_is_the_one_that_is_told() {
        // In the order of the alphabet, the others would come first.
        let two = "[[feed]]\nurl = \"https://a.example/\"\ntitle = 3\ninterval = \"soon\"\n";
        check_error(two, 3, 9, "title is text");
        let other = "[[feed]]\nurl = \"ftp://a.example/\"\n[alpha]\n[beta]\n";
        check_error(other, 2, 7, "not http");
        let later = "[zeta]\n[alpha]\n[[feed]]\nurl = 3\n";
        check_error(later, 1, 2, "zeta");
        let broken = "[[feed]]\nurl = \"https://a.example/\"\ntitel = \"x\"\n[[feed]]\nurl = \n";
        check_error(broken, 3, 1, "did you mean title?");
        check_error("[[feed]]\ntitle = \"x\"\nurl = \"https:\n", 3, 14, "");
        check_error("[[feed]]\nurl https\nurll = 3\n", 2, 5, "");
        let headers = "[[feed]]\nurl = \"https://a.example/\"\n[feed.headers]\nZ = 1\nA = 2\n";
        check_error(headers, 4, 5, "header");
    }
}

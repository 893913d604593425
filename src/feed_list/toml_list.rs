//! TOML: `[[feed]]` tables, whose keys are checked one by one.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::{FeedSettings, FeedUrl};

use super::collect::{Collector, one_line};
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
    let reader = Reader { text };
    let document = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        syntax(text, at, error.message())
    })?;
    for (key, value) in document.get_ref() {
        if key.get_ref() != "feed" {
            let reason = format!(
                "unknown key {}; a list of feeds has [[feed]] tables only",
                shown(key.get_ref())
            );
            return Err(reader.error(key.span(), reason));
        }
        let DeValue::Array(feeds) = value.get_ref() else {
            return Err(reader.error(value.span(), "feed is a list of tables: write [[feed]]"));
        };
        for feed in feeds {
            let listed = reader.feed(feed)?;
            let url = listed.url.to_string();
            if !collector.add(listed)? {
                let (line, _) = line_and_column(text, feed.span().start);
                collector.skip(line, &url, "the same feed stands above");
            }
        }
    }
    Ok(())
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn error(&self, span: Range<usize>, reason: impl Into<String>) -> ListError {
        syntax(self.text, span.start, reason)
    }

    fn feed(&self, feed: &Spanned<DeValue<'_>>) -> Result<ListedFeed, ListError> {
        let DeValue::Table(table) = feed.get_ref() else {
            return Err(self.error(feed.span(), "a feed is a table: write [[feed]]"));
        };
        let mut keys = table.keys();
        if let Some(key) = keys.find(|key| !KEYS.contains(&key.get_ref().as_ref())) {
            return Err(self.error(key.span(), unknown_key(key.get_ref())));
        }
        let Some(url) = table.get("url") else {
            return Err(self.error(feed.span(), "a feed needs its url"));
        };
        let given = self.string("url", url)?.trim();
        let url =
            FeedUrl::parse(given).map_err(|error| self.error(url.span(), error.to_string()))?;
        let text = |name| {
            table
                .get(name)
                .map(|value| self.string(name, value))
                .transpose()
        };
        Ok(ListedFeed {
            url,
            given: given.to_owned(),
            title: text("title")?
                .map(one_line)
                .filter(|title| !title.is_empty()),
            tags: table
                .get("tags")
                .map_or(Ok(Vec::new()), |tags| self.tags(tags))?,
            site: text("site")?.map(str::to_owned),
            settings: FeedSettings {
                interval: table
                    .get("interval")
                    .map(|value| self.interval(value))
                    .transpose()?,
                scrape: table
                    .get("scrape")
                    .map(|value| self.boolean("scrape", value))
                    .transpose()?,
                user_agent: text("user_agent")?.map(str::to_owned),
                headers: table
                    .get("headers")
                    .map_or(Ok(Vec::new()), |value| self.headers(value))?,
            },
        })
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
        // TOML tables have no order; ours is that of the file, which its spans tell.
        headers.sort_by_key(|(name, _)| {
            table
                .get_key_value(name.as_str())
                .map(|(key, _)| key.span().start)
        });
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
}

//! Plain text: a URL a line, `#` begins a comment.
//!
//! What may follow the URL is what newsboat writes there: tags in quotes, and a title
//! behind a tilde.

use crate::model::{FeedSettings, FeedUrl};

use super::collect::{Added, Collector, one_line};
use super::{ListError, ListedFeed};

pub(super) fn read(text: &str, collector: &mut Collector) -> Result<(), ListError> {
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match feed_of(line) {
            Ok(feed) => {
                if collector.add(feed)? != Added::Feed {
                    collector.skip(index + 1, line, "the same feed stands above");
                }
            }
            Err(why) => collector.skip(index + 1, line, why),
        }
    }
    Ok(())
}

fn feed_of(line: &str) -> Result<ListedFeed, String> {
    let (url, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let mut feed = ListedFeed {
        url: FeedUrl::parse(url).map_err(|error| error.to_string())?,
        given: url.to_owned(),
        title: None,
        tags: Vec::new(),
        site: None,
        settings: FeedSettings::default(),
    };
    for word in words(rest)? {
        match word.strip_prefix('~') {
            Some(title) => feed.title = Some(one_line(title)),
            None => feed.tags.push(word),
        }
    }
    Ok(feed)
}

/// The quoted words and single words of a text, up to a comment.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or("a quote is not closed")?,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use crate::feed_list::{FeedList, ListFormat, Skipped};

    fn read(text: &str) -> FeedList {
        crate::feed_list::read(text, ListFormat::Text).unwrap()
    }

    #[test]
    fn a_line_is_a_feed_and_a_comment_is_none() {
        let list =
            read("# mine\n\nhttps://news.example/rss\r\n  feed://news.example/atom # second\n");

        let urls: Vec<&str> = list.feeds.iter().map(|feed| feed.url.as_str()).collect();
        assert_eq!(
            urls,
            ["https://news.example/rss", "http://news.example/atom"]
        );
        assert_eq!(list.feeds[1].given, "feed://news.example/atom");
        assert_eq!(list.skipped, []);
    }

    #[test]
    fn tags_and_a_title_may_follow() {
        let list = read("https://news.example/rss \"~The News\" \"World/Asia\" politics");

        assert_eq!(list.feeds[0].title.as_deref(), Some("The News"));
        assert_eq!(list.feeds[0].tags, ["World/Asia", "politics"]);
    }

    #[test]
    fn a_faulty_line_is_skipped_with_its_number_and_the_reason() {
        let list = read(
            "https://news.example/rss\nnonsense\nhttps://news.example/rss#a\nftp://news.example/",
        );

        assert_eq!(list.feeds.len(), 1);
        let lines: Vec<usize> = list.skipped.iter().map(|skipped| skipped.line).collect();
        assert_eq!(lines, [2, 3, 4]);
        assert_eq!(
            list.skipped[1],
            Skipped {
                line: 3,
                what: "https://news.example/rss#a".into(),
                why: "the same feed stands above".into()
            }
        );
    }
}

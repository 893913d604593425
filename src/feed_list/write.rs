//! Writes OPML 2.0 that other readers understand, and that we read back as it was.

use std::collections::BTreeMap;

use super::collect::{one_line, tidy_tag};
use super::{ListedFeed, MAX_FOLDERS, OPML_NAMESPACE, duration};

/// Writes OPML 2.0 with nested folders from the tags and `category` attributes.
///
/// A feed stands in the folder of its first tag and names all its tags as categories; a
/// tag that `category` cannot hold, because of a comma, gets an outline in its own folder.
/// Interval, scrape and user agent are written in the namespace `urn:wireroom:opml`.
/// Request headers are not written: they may hold secrets, and lists are passed on.
#[must_use]
pub fn write_opml(title: &str, feeds: &[ListedFeed]) -> String {
    let mut root = Folder::default();
    for feed in feeds {
        let tags: Vec<String> = feed.tags.iter().filter_map(|tag| tidy_tag(tag)).collect();
        let first = tags.first().cloned();
        let (with_comma, plain): (Vec<_>, Vec<_>) =
            tags.into_iter().partition(|tag| tag.contains(','));
        root.folder(first.as_deref()).feeds.push((feed, plain));
        for tag in with_comma
            .into_iter()
            .filter(|tag| Some(tag.as_str()) != first.as_deref())
        {
            root.folder(Some(&tag)).feeds.push((feed, Vec::new()));
        }
    }
    let mut out = Writer::default();
    out.text
        .push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.text.push_str(&format!(
        "<opml version=\"2.0\" xmlns:wireroom=\"{OPML_NAMESPACE}\">\n"
    ));
    out.text.push_str("  <head>\n    <title>");
    push_escaped(&mut out.text, &one_line(title));
    out.text.push_str("</title>\n  </head>\n  <body>\n");
    out.folder(&root, 2);
    out.text.push_str("  </body>\n</opml>\n");
    out.text
}

#[derive(Default)]
struct Folder<'a> {
    feeds: Vec<(&'a ListedFeed, Vec<String>)>,
    folders: BTreeMap<String, Folder<'a>>,
}

impl<'a> Folder<'a> {
    /// The folder at a path; parts beyond the deepest level that may be read stay one name.
    fn folder(&mut self, path: Option<&str>) -> &mut Self {
        let parts = path
            .into_iter()
            .flat_map(|path| path.splitn(MAX_FOLDERS - 1, '/'));
        parts.fold(self, |folder, part| {
            folder.folders.entry(part.to_owned()).or_default()
        })
    }
}

#[derive(Default)]
struct Writer {
    text: String,
}

impl Writer {
    fn folder(&mut self, folder: &Folder<'_>, depth: usize) {
        for (feed, tags) in &folder.feeds {
            self.feed(feed, tags, depth);
        }
        // As deep as MAX_FOLDERS at most, by the way folders are made.
        for (name, inner) in &folder.folders {
            self.indent(depth);
            self.text.push_str("<outline");
            self.attribute("text", name);
            self.attribute("title", name);
            self.text.push_str(">\n");
            self.folder(inner, depth + 1);
            self.indent(depth);
            self.text.push_str("</outline>\n");
        }
    }

    fn feed(&mut self, feed: &ListedFeed, tags: &[String], depth: usize) {
        self.indent(depth);
        self.text.push_str("<outline type=\"rss\"");
        // OPML 2.0 asks for a text; that of a feed without a title is no title.
        self.attribute("text", feed.title.as_deref().unwrap_or(&feed.given));
        if let Some(title) = &feed.title {
            self.attribute("title", title);
        }
        self.attribute("xmlUrl", &feed.given);
        if let Some(site) = &feed.site {
            self.attribute("htmlUrl", site);
        }
        // OPML 2.0: a category with a slash in it is a path, and begins with one.
        let categories = tags.iter().map(|tag| {
            if tag.contains('/') {
                format!("/{tag}")
            } else {
                tag.clone()
            }
        });
        let categories = categories.collect::<Vec<_>>().join(",");
        if !categories.is_empty() {
            self.attribute("category", &categories);
        }
        if let Some(interval) = feed.settings.interval {
            self.attribute("wireroom:interval", &duration::write(interval));
        }
        if let Some(scrape) = feed.settings.scrape {
            self.attribute("wireroom:scrape", if scrape { "true" } else { "false" });
        }
        if let Some(user_agent) = &feed.settings.user_agent {
            self.attribute("wireroom:userAgent", user_agent);
        }
        self.text.push_str("/>\n");
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
        push_escaped(&mut self.text, value);
        self.text.push('"');
    }

    fn indent(&mut self, depth: usize) {
        self.text.extend(std::iter::repeat_n("  ", depth));
    }
}

/// Escapes text for content and attributes; characters that XML cannot hold are dropped.
fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", u32::from(c))),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::feed_list::{ListFormat, read};
    use crate::model::{FeedSettings, FeedUrl};

    fn feed(url: &str, tags: &[&str]) -> ListedFeed {
        ListedFeed {
            url: FeedUrl::parse(url).unwrap(),
            given: url.to_owned(),
            title: Some("A <b> & \"c\"".into()),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            site: Some("https://news.example/?a&b".into()),
            settings: FeedSettings::default(),
        }
    }

    #[test]
    fn folders_are_nested_and_categories_written() {
        let text = write_opml(
            "Mine & yours",
            &[feed("https://a.example/", &["World/Asia", "x, y"])],
        );

        let outlines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| line.contains("outline"))
            .collect();
        assert_eq!(
            outlines,
            [
                "<outline text=\"World\" title=\"World\">",
                "<outline text=\"Asia\" title=\"Asia\">",
                "<outline type=\"rss\" text=\"A &lt;b&gt; &amp; &quot;c&quot;\" title=\"A &lt;b&gt; &amp; &quot;c&quot;\" \
                 xmlUrl=\"https://a.example/\" htmlUrl=\"https://news.example/?a&amp;b\" category=\"/World/Asia\"/>",
                "</outline>",
                "</outline>",
                "<outline text=\"x, y\" title=\"x, y\">",
                "<outline type=\"rss\" text=\"A &lt;b&gt; &amp; &quot;c&quot;\" title=\"A &lt;b&gt; &amp; &quot;c&quot;\" \
                 xmlUrl=\"https://a.example/\" htmlUrl=\"https://news.example/?a&amp;b\"/>",
                "</outline>",
            ]
        );
    }

    #[test]
    fn a_feed_without_a_title_is_shown_by_its_url_and_has_no_title() {
        let mut untitled = feed("https://a.example", &[]);
        untitled.title = None;

        let text = write_opml("x", &[untitled]);

        assert!(text.contains("text=\"https://a.example\" xmlUrl=\"https://a.example\""));
        assert_eq!(read(&text, ListFormat::Opml).unwrap().feeds[0].title, None);
    }

    #[test]
    fn headers_are_not_written() {
        let mut secret = feed("https://a.example/", &[]);
        secret
            .settings
            .headers
            .push(("Cookie".into(), "session=1".into()));

        assert!(!write_opml("x", &[secret]).contains("session"));
    }

    /// Text as a list may hold it: one line, no space around it.
    fn line() -> impl Strategy<Value = String> {
        any::<String>()
            .prop_map(|text| one_line(&text.replace(['\u{fffe}', '\u{ffff}'], "")))
            .prop_filter("empty", |text| !text.is_empty())
    }

    fn settings() -> impl Strategy<Value = FeedSettings> {
        let interval = proptest::option::of((1u64..10_000_000).prop_map(Duration::from_secs));
        (
            interval,
            any::<Option<bool>>(),
            proptest::option::of(line()),
        )
            .prop_map(|(interval, scrape, user_agent)| FeedSettings {
                interval,
                scrape,
                user_agent,
                headers: Vec::new(),
            })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            feeds in proptest::collection::vec(
                (proptest::option::of(line()), proptest::collection::vec(line(), 0..4), proptest::option::of(line()), settings()),
                0..8,
            ),
        ) {
            let feeds = feeds.into_iter().enumerate().map(|(n, (title, tags, site, settings))| {
                let mut unique: Vec<String> = Vec::new();
                for tag in tags.iter().filter_map(|tag| tidy_tag(tag)) {
                    if !unique.contains(&tag) {
                        unique.push(tag);
                    }
                }
                let given = format!("HTTPS://news.example:443/{n}?a=1&b=2");
                let url = FeedUrl::parse(&given).unwrap();
                ListedFeed { url, given, title, tags: unique, site, settings }
            });
            let feeds: Vec<ListedFeed> = feeds.collect();

            let mut back = read(&write_opml("t", &feeds), ListFormat::Opml).unwrap();

            prop_assert_eq!(&back.skipped, &[]);
            // Folders bring their feeds together, and a tag with a comma comes last.
            back.feeds.sort_by_key(|feed| feed.url.as_str().to_owned());
            let sorted = |mut feed: ListedFeed| { feed.tags.sort(); feed };
            let back: Vec<ListedFeed> = back.feeds.into_iter().map(sorted).collect();
            let feeds: Vec<ListedFeed> = feeds.into_iter().map(sorted).collect();
            prop_assert_eq!(back, feeds);
        }
    }
}

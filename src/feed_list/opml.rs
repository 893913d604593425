//! OPML 1.0 and 2.0, as programs really write it: folders and categories become tags, a
//! type is not asked for, attribute names come in any case.

use std::borrow::Cow;

use html5ever::data::NAMED_ENTITIES;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::model::{FeedSettings, FeedUrl};

use super::collect::{Added, Collector, one_line};
use super::position::{LineCounter, syntax};
use super::{ListError, ListedFeed, MAX_FOLDERS, OPML_NAMESPACE, duration};

/// Longest attribute value that is looked at, in bytes; the rest is cut off.
const MAX_VALUE_BYTES: usize = 64 << 10;

pub(super) fn read(text: &str, collector: &mut Collector) -> Result<(), ListError> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().allow_dangling_amp = true;
    let mut outlines = Outlines {
        collector,
        lines: LineCounter::new(text),
        open: Vec::new(),
        has_root: false,
        own_prefixes: Vec::new(),
    };
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        let event = reader.read_event().map_err(|error| {
            let at = usize::try_from(reader.error_position()).unwrap_or(at);
            syntax(text, at, error.to_string())
        })?;
        match event {
            Event::Start(tag) => outlines.start(text, at, &tag)?,
            Event::Empty(tag) => {
                outlines.start(text, at, &tag)?;
                outlines.end();
            }
            Event::End(_) => outlines.end(),
            Event::Eof => break,
            _ => {}
        }
    }
    match outlines.open.last() {
        Some(open) => {
            let reason = format!("the file ends within <{}>: it is cut off", open.element);
            Err(syntax(text, text.len(), reason))
        }
        None if !outlines.has_root => Err(syntax(text, 0, "there is no <opml> element")),
        None => Ok(()),
    }
}

/// An element whose end has not come yet.
struct Open {
    element: String,
    /// The folder's name; `None` for anything that is no folder.
    folder: Option<String>,
    /// The line of an outline that is neither feed nor link, and holds no outline so far.
    empty_at: Option<usize>,
}

struct Outlines<'a, 'c> {
    collector: &'c mut Collector,
    lines: LineCounter<'a>,
    open: Vec<Open>,
    has_root: bool,
    /// Prefixes that mean our own namespace.
    own_prefixes: Vec<String>,
}

impl Outlines<'_, '_> {
    fn start(&mut self, text: &str, at: usize, tag: &BytesStart<'_>) -> Result<(), ListError> {
        let element = tag.name().0.to_owned();
        if self.open.is_empty() {
            if !element.eq_ignore_ascii_case("opml") {
                let reason = format!("this is no OPML: its root is <{}>", cut(&element, 60));
                return Err(syntax(text, at, reason));
            }
            self.has_root = true;
        }
        let attributes = self.attributes(text, at, tag)?;
        let is_outline = element.eq_ignore_ascii_case("outline");
        // The root and body come on top of the folders.
        if self.open.len() >= MAX_FOLDERS + 2 {
            let limit = format!("folders are nested more than {MAX_FOLDERS} deep");
            return Err(syntax(text, at, limit));
        }
        let mut folder = None;
        let mut empty_at = None;
        if is_outline {
            if let Some(parent) = self.open.last_mut() {
                parent.empty_at = None;
            }
            folder = self.outline(at, &attributes)?;
            let is_link = ["xmlurl", "url"].map(|key| attributes.plain(key));
            if is_link == [None, None] {
                empty_at = Some(self.lines.line_of(at));
            }
        }
        self.open.push(Open {
            element,
            folder,
            empty_at,
        });
        Ok(())
    }

    fn end(&mut self) {
        let Some(closed) = self.open.pop() else {
            return;
        };
        if let Some(line) = closed.empty_at {
            let what = closed.folder.as_deref().unwrap_or("an outline");
            let why = "it has no xmlUrl, and nothing stands within it";
            self.collector.skip(line, what, why);
        }
    }

    fn attributes(
        &mut self,
        text: &str,
        at: usize,
        tag: &BytesStart<'_>,
    ) -> Result<Attributes, ListError> {
        let mut attributes = Attributes::default();
        let mut all = tag.attributes();
        // A doubled attribute is a blemish; the first one counts.
        for attribute in all.with_checks(false) {
            let attribute = attribute.map_err(|error| syntax(text, at, error.to_string()))?;
            let name = attribute.key.0;
            let value = unescape(cut(&attribute.value, MAX_VALUE_BYTES));
            match name.split_once(':') {
                Some(("xmlns", prefix)) if value == OPML_NAMESPACE => {
                    self.own_prefixes.push(prefix.to_owned());
                }
                Some((prefix, local)) if self.own_prefixes.iter().any(|own| own == prefix) => {
                    attributes.own.push((local.to_owned(), value));
                }
                Some(_) => {}
                None => attributes.plain.push((name.to_ascii_lowercase(), value)),
            }
        }
        Ok(attributes)
    }

    /// Takes an outline: a feed, or a folder, whose name it gives back.
    fn outline(&mut self, at: usize, attributes: &Attributes) -> Result<Option<String>, ListError> {
        let name = ["text", "title"]
            .iter()
            .find_map(|key| attributes.plain(key))
            .map(one_line);
        let name = name.filter(|name| !name.is_empty());
        let Some(given) = attributes.plain("xmlurl") else {
            if let Some(url) = attributes.plain("url") {
                let is_list = attributes
                    .plain("type")
                    .is_some_and(|t| t.eq_ignore_ascii_case("include"));
                let why = if is_list {
                    "it is another list; import that by itself"
                } else {
                    "it is a link to a page, not a feed"
                };
                self.skip(at, url, why);
            }
            return Ok(name);
        };
        match FeedUrl::parse(given) {
            Err(error) => self.skip(at, given, error.to_string()),
            Ok(url) => {
                let added = self.collector.add(ListedFeed {
                    url,
                    given: given.to_owned(),
                    title: name.filter(|name| *name != one_line(given)),
                    tags: self.tags(attributes),
                    site: attributes.plain("htmlurl").map(str::to_owned),
                    settings: attributes.settings(),
                })?;
                if added == Added::Again {
                    self.skip(at, given, "the same feed stands above");
                }
            }
        }
        Ok(None)
    }

    fn skip(&mut self, at: usize, what: &str, why: impl Into<String>) {
        let line = self.lines.line_of(at);
        self.collector.skip(line, what, why);
    }

    /// The folder's path, and the categories: `/World/Asia,politics` (OPML 2.0).
    fn tags(&self, attributes: &Attributes) -> Vec<String> {
        let folders: Vec<&str> = self
            .open
            .iter()
            .filter_map(|open| open.folder.as_deref())
            .collect();
        let categories = attributes.plain("category").unwrap_or("").split(',');
        let path = folders.join("/");
        std::iter::once(path)
            .chain(categories.map(str::to_owned))
            .collect()
    }
}

/// The attributes of an element, those of our own namespace apart.
#[derive(Debug, Default)]
struct Attributes {
    plain: Vec<(String, String)>,
    own: Vec<(String, String)>,
}

impl Attributes {
    fn plain(&self, name: &str) -> Option<&str> {
        find(&self.plain, name)
    }

    fn settings(&self) -> FeedSettings {
        FeedSettings {
            interval: find(&self.own, "interval").and_then(duration::read),
            scrape: find(&self.own, "scrape").and_then(|value| value.parse().ok()),
            user_agent: find(&self.own, "userAgent").map(str::to_owned),
            headers: Vec::new(),
        }
    }
}

fn find<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|(key, _)| key == name);
    found
        .map(|(_, value)| value.trim())
        .filter(|value| !value.is_empty())
}

/// Decodes references once: XML's, HTML's names, numbers. Anything else stays as it is,
/// bare ampersands too; entities of the document are not expanded.
fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(40).position(|b| b == b';');
        match end.and_then(|end| Some((end, reference(&rest[1..=end])?))) {
            Some((end, text)) => {
                out.push_str(&text);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The text of a reference, given as `name;` or `#number;`.
fn reference(body: &str) -> Option<Cow<'static, str>> {
    let Some(number) = body.strip_prefix('#') else {
        let text = match body {
            "apos;" => "'".to_owned(),
            _ => {
                let (first, second) = *NAMED_ENTITIES.get(body)?;
                let chars = [first, second].into_iter().filter(|code| *code != 0);
                chars.filter_map(char::from_u32).collect()
            }
        };
        return (!text.is_empty()).then_some(Cow::Owned(text));
    };
    let number = number.strip_suffix(';')?;
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
        None => number.parse().ok()?,
    };
    let c = char::from_u32(code).filter(|c| *c != '\0')?;
    Some(Cow::Owned(c.to_string()))
}

fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::feed_list::{FeedList, ListFormat};

    fn read(text: &str) -> Result<FeedList, ListError> {
        crate::feed_list::read(text, ListFormat::Opml)
    }

    fn body(outlines: &str) -> FeedList {
        read(&format!(
            "<opml version='2.0'><body>{outlines}</body></opml>"
        ))
        .unwrap()
    }

    #[test]
    fn folders_and_categories_become_tags() {
        let list = body(
            "<outline text='World'><outline title='Asia'>\
             <outline type='rss' text='A' xmlUrl='https://a.example/rss' category='/World/Asia,politics, /Economy/ '/>\
             </outline></outline><outline text='B' xmlUrl='https://b.example/rss'/>",
        );

        assert_eq!(list.feeds[0].tags, ["World/Asia", "politics", "Economy"]);
        assert_eq!(list.feeds[1].tags, <[String; 0]>::default());
    }

    #[test]
    fn what_programs_write_is_read() {
        let list = body(
            "<outline TYPE='RSS' title='no text' XMLURL='feed://a.example/rss' htmlurl='https://a.example/'/>\
             <outline text='Fish &amp; Chips&nbsp;&eacute; & more' xmlUrl='https://b.example/?a=1&b=2'/>",
        );

        assert_eq!(list.feeds[0].title.as_deref(), Some("no text"));
        assert_eq!(list.feeds[0].url.as_str(), "http://a.example/rss");
        assert_eq!(list.feeds[0].given, "feed://a.example/rss");
        assert_eq!(list.feeds[0].site.as_deref(), Some("https://a.example/"));
        assert_eq!(
            list.feeds[1].title.as_deref(),
            Some("Fish & Chips é & more")
        );
        assert_eq!(list.feeds[1].url.as_str(), "https://b.example/?a=1&b=2");
    }

    #[test]
    fn a_feed_in_two_folders_is_one_feed_with_two_tags() {
        let list = body(
            "<outline text='x'><outline text='A' xmlUrl='https://a.example'/></outline>\
             <outline text='y'><outline text='B' xmlUrl='https://A.example:443/#top'/></outline>",
        );

        assert_eq!(list.feeds.len(), 1);
        assert_eq!(list.feeds[0].title.as_deref(), Some("A"));
        assert_eq!(list.feeds[0].tags, ["x", "y"]);
    }

    #[test]
    fn what_is_no_feed_is_skipped_with_the_reason() {
        let list = body(
            "\n<outline text='bad' xmlUrl='file:///etc/passwd'/>\n<outline type='include' text='i' url='https://a.example/b.opml'/>\
             <outline type='link' text='l' url='https://a.example/'/><outline text='empty folder'/>",
        );

        assert_eq!(list.feeds, []);
        let lines: Vec<usize> = list.skipped.iter().map(|skipped| skipped.line).collect();
        assert_eq!(lines, [2, 3, 3, 3]);
        assert_eq!(list.skipped[3].what, "empty folder");
        assert!(list.skipped[3].why.contains("no xmlUrl"));
        assert!(
            list.skipped[0].why.contains("not http"),
            "{:?}",
            list.skipped
        );
    }

    #[test]
    fn a_feed_that_is_listed_twice_is_said_to_be() {
        let list = body(
            "\n<outline text='F'><outline text='a' xmlUrl='https://a.example/'/></outline>\n\
             <outline text='G'><outline text='a' xmlUrl='https://a.example/'/><outline text='b' xmlUrl='http://a.example'/>\n\
             <outline text='a' xmlUrl='https://A.example'/></outline>\n\
             <outline text='H'><outline text='c' xmlUrl='https://a.example/#'/></outline>",
        );

        assert_eq!(list.feeds.len(), 2);
        assert_eq!(list.feeds[0].tags, ["F", "G", "H"]);
        // That it lies in two folders is no fault; to say it twice, or to name it otherwise, is.
        let skipped = list.skipped.iter().map(|skipped| {
            assert_eq!(skipped.why, "the same feed stands above");
            (skipped.line, skipped.what.as_str())
        });
        assert_eq!(
            skipped.collect::<Vec<_>>(),
            [(4, "https://A.example"), (5, "https://a.example/#")]
        );
    }

    #[test]
    fn a_file_that_is_cut_off_or_broken_is_an_error_with_its_place() {
        for (text, line) in [
            (
                "<opml><body>\n<outline text='a' xmlUrl='https://a.example'/>\n",
                3,
            ),
            ("<opml><body>\n<outline text='a' xmlUrl='https", 2),
            ("<opml><body>\n</outline></body></opml>", 2),
            ("\n<html></html>", 2),
            ("", 1),
            ("just text", 1),
        ] {
            match read(text) {
                Err(ListError::Syntax { line: at, .. }) => assert_eq!(at, line, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn entities_of_the_document_are_not_expanded() {
        let list = read(
            "<!DOCTYPE opml [<!ENTITY x SYSTEM 'file:///etc/passwd'><!ENTITY y 'boom'>]>\
             <opml><body><outline text='&x;&y;' xmlUrl='https://a.example'/></body></opml>",
        )
        .unwrap();

        assert_eq!(list.feeds[0].title.as_deref(), Some("&x;&y;"));
    }

    #[test]
    fn folders_deeper_than_the_limit_are_refused() {
        let deep = "<outline text='x'>\n".repeat(MAX_FOLDERS + 1);

        let error = read(&format!("<opml><body>\n {deep}")).unwrap_err();

        let ListError::Syntax {
            line,
            column,
            reason,
        } = error
        else {
            panic!("{error:?}");
        };
        assert_eq!((line, column), (MAX_FOLDERS + 2, 1));
        assert!(reason.contains("nested"), "{reason}");
    }

    #[test]
    fn our_own_settings_are_read_from_our_namespace_only() {
        let list = read(
            "<opml xmlns:w='urn:wireroom:opml' xmlns:o='urn:other'><body>\
             <outline xmlUrl='https://a.example' w:interval='30m' w:scrape='false' w:userAgent='x/1'/>\
             <outline xmlUrl='https://b.example' o:interval='30m' scrape='false'/></body></opml>",
        )
        .unwrap();

        assert_eq!(
            list.feeds[0].settings.interval,
            Some(Duration::from_secs(1800))
        );
        assert_eq!(list.feeds[0].settings.scrape, Some(false));
        assert_eq!(list.feeds[0].settings.user_agent.as_deref(), Some("x/1"));
        assert_eq!(list.feeds[1].settings, FeedSettings::default());
    }
}

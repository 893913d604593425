//! One tolerant reader for every XML format: tokens in, drafts out.
//!
//! It keeps the open elements on a stack of its own, so that depth costs no call stack,
//! and closes what authors forgot to close. Nothing that follows a complete entry can
//! take that entry back.

use url::Url;

use super::capture::{Capture, Lookahead};
use super::dates::parse_date;
use super::draft::{Draft, LinkSource};
use super::elements::{Element, Field, element};
use super::fields::{Around, take_field};
use super::links::{is_web_url, resolve};
use super::names::{Bindings, LowerName, Vocabulary};
use super::references::References;
use super::root::Root;
use super::text::one_line;
use super::tokens::{MAX_ATTRIBUTES, Tag, Token, Tokens};
use super::{Enclosure, Entry, Format, MAX_ENTRIES, ParseError, ParsedFeed};

/// Most elements open at once, outside of content.
const MAX_DEPTH: usize = 128;

/// What an open element is to the elements within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Feed,
    Entry,
    Person,
    /// Its children are fields of the entry or feed around it.
    Group,
    Unread,
}

#[derive(Debug)]
struct Open<'a> {
    name: &'a str,
    role: Role,
    n_bindings: usize,
    n_bases: usize,
}

/// The reader of one document.
pub(super) struct Reader<'a> {
    format: Format,
    tokens: Tokens<'a>,
    references: References,
    bindings: Bindings<'a>,
    bases: Vec<Url>,
    open: Vec<Open<'a>>,
    capture: Option<Capture<'a>>,
    lookahead: Lookahead<'a>,
    feed: Draft,
    entry: Option<Draft>,
    entries: Vec<Entry>,
    n_unclosed: usize,
    n_stray_ends: usize,
    is_full: bool,
    is_cut: bool,
    warnings: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, root: Root<'a>, base: Option<&Url>) -> Self {
        Self {
            format: root.format,
            tokens: root.tokens,
            references: root.references,
            bindings: Bindings::default(),
            bases: base.cloned().into_iter().collect(),
            open: Vec::new(),
            capture: None,
            lookahead: Lookahead::new(text),
            feed: Draft::default(),
            entry: None,
            entries: Vec::new(),
            n_unclosed: 0,
            n_stray_ends: 0,
            is_full: false,
            is_cut: false,
            warnings: root.warnings,
        }
    }

    /// Reads from the root's start tag to its end.
    pub(super) fn read(mut self, root: Tag<'a>) -> Result<ParsedFeed, ParseError> {
        self.feed.language = root.attribute("lang").map(str::to_owned);
        self.start(root)?;
        while !self.open.is_empty() {
            match self.tokens.next() {
                Some(Token::Start(tag)) => self.start(tag)?,
                Some(Token::End(name)) => self.end(name),
                Some(Token::Text(text)) => self.text(text),
                Some(Token::Cdata(text)) => self.cdata(text),
                Some(Token::Doctype(_)) => {}
                Some(Token::Cut) | None => break,
            }
            if self.is_full {
                let warning = format!("has more than {MAX_ENTRIES} entries; the rest is not read");
                self.warnings.push(warning);
                break;
            }
        }
        Ok(self.finish())
    }

    fn base(&self) -> Option<&Url> {
        self.bases.last()
    }

    fn draft(&mut self) -> &mut Draft {
        self.entry.as_mut().unwrap_or(&mut self.feed)
    }

    fn start(&mut self, tag: Tag<'a>) -> Result<(), ParseError> {
        if tag.attributes.len() > 4 * MAX_ATTRIBUTES && tag.attributes().count() > MAX_ATTRIBUTES {
            return Err(ParseError::Limit {
                limit: format!("more than {MAX_ATTRIBUTES} attributes"),
            });
        }
        let n_bindings = self.bindings.len();
        self.bindings.declare(&tag);
        let vocabulary = self.bindings.vocabulary(tag.name);
        let name = LowerName::new(super::tokens::local(tag.name));
        let element = element(vocabulary, &name);
        if let Some(capture) = &mut self.capture {
            if !capture.ends_before(element, &mut self.lookahead, self.tokens.start()) {
                capture.push_start(&tag, vocabulary == Vocabulary::Html);
                return Ok(());
            }
            self.close_capture_early(element);
        }
        if element == Element::Entry {
            self.close_to_feed();
            self.is_full = self.entries.len() >= MAX_ENTRIES;
            if self.is_full {
                return Ok(());
            }
        }
        self.open_element(tag, element, n_bindings)
    }

    fn open_element(
        &mut self,
        tag: Tag<'a>,
        element: Element,
        n_bindings: usize,
    ) -> Result<(), ParseError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(ParseError::Limit {
                limit: format!("elements nested more than {MAX_DEPTH} deep"),
            });
        }
        let parent = self.open.last().map_or(Role::Feed, |open| open.role);
        let n_bases = self.bases.len();
        self.push_base(&tag);
        let role = self.role_of(&tag, element, parent);
        self.open.push(Open {
            name: tag.name,
            role,
            n_bindings,
            n_bases,
        });
        if parent != Role::Unread || element == Element::Entry {
            self.take_attributes(&tag, element, parent);
        }
        if tag.empty {
            self.close_innermost();
        }
        Ok(())
    }

    fn push_base(&mut self, tag: &Tag<'a>) {
        let given = tag.attributes().find(|(name, _)| {
            name.eq_ignore_ascii_case("xml:base")
                || (self.format == Format::Cdf && name.eq_ignore_ascii_case("base"))
        });
        let Some((_, given)) = given else { return };
        let given = self.references.decode(given);
        let base = match self.bases.last() {
            Some(base) => base.join(given.trim()).ok(),
            None => Url::parse(given.trim()).ok(),
        };
        self.bases.extend(base);
    }

    fn role_of(&mut self, tag: &Tag<'a>, element: Element, parent: Role) -> Role {
        match element {
            Element::Entry => {
                self.entry = Some(Draft::default());
                Role::Entry
            }
            Element::Feed if self.open.is_empty() || parent == Role::Feed => Role::Feed,
            _ if self.open.is_empty() => Role::Feed,
            _ if parent == Role::Unread => Role::Unread,
            Element::Person => Role::Person,
            Element::MediaGroup | Element::List | Element::Category => Role::Group,
            // A media:content with children is a group; without an end of its own it is not.
            Element::Enclosure if !tag.empty && tag.name.contains(':') => Role::Group,
            _ => Role::Unread,
        }
    }

    /// What a start tag says by itself, and whether the text that follows is a field.
    fn take_attributes(&mut self, tag: &Tag<'a>, element: Element, parent: Role) {
        match element {
            Element::Entry | Element::Feed => self.take_about(tag),
            Element::Link => self.take_link(tag),
            Element::Enclosure => self.take_enclosure(tag),
            Element::Category => self.take_category(tag),
            Element::Person if parent != Role::Person => self.capture(tag, Field::Person),
            Element::PersonPart(part) if parent == Role::Person => {
                self.capture(tag, Field::PersonPart(part))
            }
            Element::Field(field) if parent != Role::Person => self.capture(tag, field),
            _ => {}
        }
    }

    /// RDF's `rdf:about`, and what CDF says in attributes.
    fn take_about(&mut self, tag: &Tag<'a>) {
        let about = self.attribute(tag, "about");
        let (mut href, mut changed) = (None, None);
        if self.format == Format::Cdf {
            href = self.url_attribute(tag, "href");
            changed = tag.attribute("lastmod").and_then(parse_date);
        }
        let draft = self.draft();
        draft.offer_link(
            LinkSource::About,
            about.clone().filter(|about| is_web_url(about)),
        );
        draft.id.offer(2, about);
        draft.offer_link(LinkSource::Own, href);
        draft.updated.offer(0, changed);
    }

    fn take_link(&mut self, tag: &Tag<'a>) {
        let Some(href) = self.url_attribute(tag, "href") else {
            if tag.attribute("rel").is_none() {
                self.capture(tag, Field::Link);
            }
            return;
        };
        let rel = tag
            .attribute("rel")
            .unwrap_or("alternate")
            .trim()
            .to_ascii_lowercase();
        let media_type = self.attribute(tag, "type");
        let length_bytes = tag.attribute("length").and_then(|n| n.trim().parse().ok());
        let draft = self.draft();
        draft.add_link(Some(href.clone()));
        match rel.rsplit('/').next().unwrap_or("") {
            "alternate" | "" => {
                let source = match media_type.as_deref() {
                    None => LinkSource::Alternate,
                    Some(t) if t.contains("html") || t.starts_with("text/") => LinkSource::Page,
                    Some(_) => LinkSource::Other,
                };
                draft.offer_link(source, Some(href));
            }
            "self" => {
                draft.self_url.get_or_insert(href);
            }
            "hub" => draft.hubs.push(href),
            "enclosure" => draft.add_enclosure(Enclosure {
                url: href,
                media_type,
                length_bytes,
            }),
            _ => {}
        }
    }

    fn take_enclosure(&mut self, tag: &Tag<'a>) {
        let Some(url) = self
            .url_attribute(tag, "url")
            .or_else(|| self.url_attribute(tag, "href"))
        else {
            return;
        };
        let length = tag
            .attribute("length")
            .or_else(|| tag.attribute("filesize"));
        let medium = match tag.attribute("medium").map(str::trim) {
            Some("image") => Some("image/*"),
            Some("audio") => Some("audio/*"),
            Some("video") => Some("video/*"),
            _ if super::tokens::local(tag.name).eq_ignore_ascii_case("thumbnail") => {
                Some("image/*")
            }
            _ => None,
        };
        let media_type = self.attribute(tag, "type").or(medium.map(str::to_owned));
        self.draft().add_enclosure(Enclosure {
            url,
            media_type,
            length_bytes: length.and_then(|n| n.trim().parse().ok()),
        });
    }

    fn take_category(&mut self, tag: &Tag<'a>) {
        let term = ["term", "text", "label"]
            .iter()
            .find_map(|name| self.attribute(tag, name));
        match term {
            Some(term) => self.draft().add_category(Some(one_line(&term))),
            None => self.capture(tag, Field::Category),
        }
    }

    /// An attribute with its references decoded; `None` when it is empty.
    fn attribute(&mut self, tag: &Tag<'a>, name: &str) -> Option<String> {
        let value = tag.attribute(name)?;
        let value = self.references.decode(value);
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn url_attribute(&mut self, tag: &Tag<'a>, name: &str) -> Option<String> {
        let value = self.attribute(tag, name)?;
        Some(resolve(&value, self.base()))
    }

    fn capture(&mut self, tag: &Tag<'a>, field: Field) {
        if !tag.empty {
            self.capture = Some(Capture::new(tag, field, self.bases.last()));
            return;
        }
        if let (Field::Content(_), Some(src)) = (field, self.url_attribute(tag, "src")) {
            self.draft().add_link(Some(src));
        }
    }

    fn text(&mut self, text: &'a str) {
        if let Some(capture) = &mut self.capture {
            capture.push_text(&self.references.decode(text));
        }
    }

    fn cdata(&mut self, text: &'a str) {
        if let Some(capture) = &mut self.capture {
            capture.push_text(&self.references.without_controls(text));
        }
    }

    fn end(&mut self, name: &'a str) {
        if let Some(capture) = &mut self.capture {
            let is_its_own = capture.is_named(name);
            let ends_ancestor = || {
                self.open
                    .iter()
                    .rev()
                    .skip(1)
                    .any(|open| open.name.eq_ignore_ascii_case(name))
            };
            if !is_its_own && !ends_ancestor() {
                capture.push_end(name);
                return;
            }
        }
        let found = self
            .open
            .iter()
            .rposition(|open| open.name.eq_ignore_ascii_case(name));
        let Some(at) = found else {
            self.n_stray_ends += 1;
            return;
        };
        self.n_unclosed += self.open.len() - 1 - at;
        while self.open.len() > at {
            self.close_innermost();
        }
    }

    /// Another element begins where the end tag of the captured one should have stood.
    fn close_capture_early(&mut self, next: Element) {
        let is_person = self
            .capture
            .as_ref()
            .is_some_and(|capture| capture.field == Field::Person);
        if is_person && matches!(next, Element::PersonPart(_)) {
            // Not forgotten: the person is described by elements. Its own text is white space.
            self.capture = None;
            return;
        }
        self.n_unclosed += 1;
        self.close_innermost();
    }

    /// A new entry cannot stand within an old one: whatever is open within it ends.
    fn close_to_feed(&mut self) {
        if let Some(at) = self.open.iter().position(|open| open.role == Role::Entry) {
            self.n_unclosed += self.open.len() - at;
            while self.open.len() > at {
                self.close_innermost();
            }
        }
    }

    fn close_innermost(&mut self) {
        if let Some(capture) = self.capture.take() {
            self.take_field(capture);
        }
        let Some(open) = self.open.pop() else { return };
        self.bindings.truncate(open.n_bindings);
        self.bases.truncate(open.n_bases);
        if open.role == Role::Entry
            && let Some(entry) = self.entry.take()
        {
            self.entries.push(entry.into_entry());
        }
    }

    fn take_field(&mut self, capture: Capture<'a>) {
        let is_podcast = self.bindings.vocabulary(capture.name) == Vocabulary::Podcast;
        let around = Around {
            base: self.bases.last(),
            is_shared_author: self.format == Format::Atom || is_podcast,
        };
        let draft = self.entry.as_mut().unwrap_or(&mut self.feed);
        take_field(draft, capture, around);
    }

    fn finish(mut self) -> ParsedFeed {
        self.is_cut = !self.open.is_empty() && !self.is_full;
        self.capture = None;
        if let Some(entry) = self.entry.take().map(Draft::into_entry) {
            // Cut off within: the next poll brings the rest of it. Only when there is
            // nothing else is half an entry better than none.
            if self.entries.is_empty() && entry.link.is_some() {
                self.entries.push(entry);
            }
        }
        let mut warnings = std::mem::take(&mut self.warnings);
        self.add_warnings(&mut warnings);
        let mut feed = self.feed.into_feed(self.entries);
        feed.format = self.format;
        feed.warnings = warnings;
        feed.is_cut = self.is_cut;
        feed
    }

    fn add_warnings(&self, warnings: &mut Vec<String>) {
        let blemishes = self.references.blemishes;
        let counted = [
            (
                blemishes.bare_ampersands,
                "bare ampersand",
                "bare ampersands",
            ),
            (
                blemishes.html_entities,
                "reference that XML does not know",
                "references that XML does not know",
            ),
            (
                blemishes.bad_references,
                "reference to nothing",
                "references to nothing",
            ),
            (
                blemishes.control_characters,
                "control character",
                "control characters",
            ),
            (
                self.n_unclosed,
                "element without its end tag",
                "elements without their end tags",
            ),
            (
                self.n_stray_ends,
                "end tag without its element",
                "end tags without their elements",
            ),
        ];
        for (count, one, many) in counted {
            match count {
                0 => {}
                1 => warnings.push(format!("repaired 1 {one}")),
                _ => warnings.push(format!("repaired {count} {many}")),
            }
        }
        if self.is_cut {
            warnings.push("the document is cut off; what was complete is kept".to_owned());
        }
    }
}

//! One tolerant reader for every XML format: tokens in, drafts out.
//!
//! It keeps the open elements on a stack of its own, so that depth costs no call stack,
//! and closes what authors forgot to close. Nothing that follows a complete entry can
//! take that entry back.

mod attributes;
mod report;

use url::Url;

use super::capture::{Capture, Lookahead};
use super::draft::{Draft, LinkSource};
use super::elements::{Element, Field, PersonPart, element};
use super::fields::{Around, take_field};
use super::links::{MAX_BASE_BYTES, is_web_url};
use super::names::{Bindings, LowerName, Vocabulary};
use super::references::References;
use super::root::Root;
use super::tokens::{MAX_ATTRIBUTES, Tag, Token, Tokens};
use super::{Entry, Format, MAX_ENTRIES, ParseError, ParsedFeed};

/// Most elements open at once, outside of content.
const MAX_DEPTH: usize = 128;

/// Most text that is kept of one document, in bytes, all fields together. Escaping can make
/// a document five times as long as it came.
const MAX_KEPT_BYTES: usize = 20 << 20;

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
    /// The last tag was `<link/>` without an address. Software that takes RSS for HTML
    /// writes the address behind it.
    after_empty_link: bool,
    n_unclosed: usize,
    n_stray_ends: usize,
    n_kept_bytes: usize,
    /// Fields that were cut or dropped for their length.
    n_cut_fields: usize,
    is_full: bool,
    is_cut: bool,
    /// Text, scripts or error messages stood before the root.
    has_junk: bool,
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
            after_empty_link: false,
            n_unclosed: 0,
            n_stray_ends: 0,
            n_kept_bytes: 0,
            n_cut_fields: 0,
            is_full: false,
            is_cut: false,
            has_junk: root.has_junk,
        }
    }

    /// Reads from the root's start tag to its end.
    pub(super) fn read(mut self, root: Tag<'a>) -> Result<ParsedFeed, ParseError> {
        self.feed.language = root.attribute("lang").map(str::to_owned);
        self.start(root)?;
        self.bindings.settle_root(root.name);
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
                break;
            }
        }
        Ok(self.finish())
    }

    /// The vocabulary of a name; in a sitemap those without a namespace are the sitemap's.
    fn vocabulary(&self, name: &str) -> Vocabulary {
        match self.bindings.vocabulary(name) {
            Vocabulary::Plain if self.format == Format::Sitemap => Vocabulary::Sitemap,
            Vocabulary::News if self.format != Format::Sitemap => Vocabulary::Other,
            vocabulary => vocabulary,
        }
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
        let vocabulary = self.vocabulary(tag.name);
        let name = LowerName::new(super::tokens::local(tag.name));
        let element = element(vocabulary, &name);
        if let Some(capture) = &mut self.capture {
            if !capture.ends_before(element, &mut self.lookahead, self.tokens.start()) {
                capture.push_start(&tag, vocabulary);
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
        if element == Element::Entry {
            self.push_site();
        }
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

    /// RSS does not say what its relative links start from. Where a feed is served by
    /// another host than its site, as by FeedBurner, they can only mean the site.
    fn push_site(&mut self) {
        if self.format == Format::Atom || self.bases.len() > 1 {
            return;
        }
        let site = self.feed.link.get().and_then(|site| Url::parse(site).ok());
        let elsewhere = |site: &Url| {
            let served = self.bases.last().and_then(Url::host_str);
            site.has_host() && served.is_some() && site.host_str() != served
        };
        if let Some(site) = site.filter(elsewhere) {
            self.bases.push(site);
        }
    }

    fn push_base(&mut self, tag: &Tag<'a>) {
        let given = tag.attributes().find(|(name, _)| {
            name.eq_ignore_ascii_case("xml:base")
                || (self.format == Format::Cdf && name.eq_ignore_ascii_case("base"))
        });
        let Some((_, given)) = given.filter(|(_, given)| given.len() <= MAX_BASE_BYTES) else {
            return;
        };
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
            Element::Said(said) => self.take_said(tag, said),
            Element::Person if parent != Role::Person => self.capture(tag, Field::Person),
            Element::PersonPart(part) if parent == Role::Person => {
                self.capture(tag, Field::PersonPart(part))
            }
            Element::PersonPart(PersonPart::Other) if parent == Role::Entry => {
                self.capture(tag, Field::Address);
            }
            Element::Field(field) if parent != Role::Person => self.capture(tag, field),
            _ => {}
        }
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
        } else if std::mem::take(&mut self.after_empty_link) && is_web_url(text) {
            let link = self.references.decode(text.trim()).into_owned();
            let draft = self.draft();
            draft.offer_link(LinkSource::Own, Some(link.clone()));
            draft.add_link(Some(link));
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
            // A sitemap names pages of all kinds; news have titles.
            if self.format != Format::Sitemap || entry.title.get().is_some() {
                self.entries.push(entry.into_entry());
            }
        }
    }

    fn take_field(&mut self, capture: Capture<'a>) {
        self.n_kept_bytes += capture.len();
        let is_over = self.n_kept_bytes > MAX_KEPT_BYTES && capture.field.may_hold_markup();
        self.n_cut_fields += usize::from(is_over || capture.is_full());
        if is_over {
            self.n_kept_bytes -= capture.len();
            return;
        }
        let is_podcast = self.bindings.vocabulary(capture.name) == Vocabulary::Podcast;
        let around = Around {
            base: self.bases.last(),
            is_shared_author: self.format == Format::Atom || is_podcast,
        };
        let draft = match capture.field {
            Field::FeedTitle | Field::FeedLanguage => &mut self.feed,
            _ => self.entry.as_mut().unwrap_or(&mut self.feed),
        };
        take_field(draft, capture, around);
    }

    fn finish(mut self) -> ParsedFeed {
        self.is_cut = !self.open.is_empty() && !self.is_full;
        self.capture = None;
        if let Some(entry) = self.entry.take().map(Draft::into_entry) {
            // Cut off within: the next poll brings the rest of it. Only when there is
            // nothing else is half an entry better than none.
            let is_whole = self.format != Format::Sitemap || entry.title.is_some();
            if self.entries.is_empty() && entry.link.is_some() && is_whole {
                self.entries.push(entry);
            }
        }
        let warnings = self.warnings();
        let repairs = self.repairs();
        let mut feed = self.feed.into_feed(self.entries);
        feed.format = self.format;
        feed.warnings = warnings;
        feed.repairs = repairs;
        feed.is_cut = self.is_cut;
        feed
    }
}

//! The text of one field while it is being read, with or without markup in it.

use url::Url;

use super::elements::{Element, Field};
use super::links::{MAX_BASE_BYTES, MAX_GROWTH_BYTES, is_web_url, push_tag};
use super::names::Vocabulary;
use super::references::push_escaped;
use super::text::{TextKind, cut};
use super::tokens::{Tag, local};

/// Deepest nesting of markup in content; what is deeper keeps its text and loses its tags.
const MAX_INNER_DEPTH: usize = 512;

/// Longest text of one field, in bytes; what is behind that is dropped.
const MAX_FIELD_BYTES: usize = 4 << 20;

/// Most names of which the next tag is remembered.
const MAX_REMEMBERED: usize = 64;

/// What a guid says of itself (RSS 2.0: it is the link unless it says no).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permalink {
    Yes,
    No,
    Unsaid,
}

impl Permalink {
    /// Whether `guid` may be read as the link. Unsaid, it must look like one: many guids
    /// are mere numbers whose authors did not know the rule.
    pub(super) fn allows(self, guid: &str) -> bool {
        match self {
            Self::Yes => !guid.is_empty() && !guid.contains(char::is_whitespace),
            Self::No => false,
            Self::Unsaid => is_web_url(guid) || guid.starts_with('/'),
        }
    }
}

/// A field whose end tag has not come yet.
#[derive(Debug)]
pub(super) struct Capture<'a> {
    /// The field.
    pub(super) field: Field,
    /// Whether a guid is the link, by its `isPermaLink`.
    pub(super) permalink: Permalink,
    /// The element's name, prefix included.
    pub(super) name: &'a str,
    /// Whether elements of another vocabulary stood within: the value is a line for each.
    pub(super) is_list: bool,
    kind: TextKind,
    is_base64: bool,
    value: String,
    /// Whether `value` is markup: it is, once an element stood within the field.
    is_markup: bool,
    /// By how much resolved links have made it longer, in bytes.
    n_grown: usize,
    /// How many elements are open within.
    inner_depth: usize,
    /// Base addresses that elements within gave, with their depth.
    inner_bases: Vec<(usize, Url)>,
    base: Option<Url>,
}

impl<'a> Capture<'a> {
    pub(super) fn new(tag: &Tag<'a>, field: Field, base: Option<&Url>) -> Self {
        let permalink = match tag.attribute("ispermalink").map(str::trim) {
            Some(no) if no.eq_ignore_ascii_case("false") => Permalink::No,
            Some(yes) if yes.eq_ignore_ascii_case("true") => Permalink::Yes,
            _ => Permalink::Unsaid,
        };
        let (kind, is_base64) = kind_of(tag, field);
        Self {
            field,
            permalink,
            name: tag.name,
            is_list: false,
            kind,
            is_base64,
            value: String::new(),
            is_markup: false,
            n_grown: 0,
            inner_depth: 0,
            inner_bases: Vec::new(),
            base: base.cloned(),
        }
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether the field is over although its end tag did not come, because `next` begins
    /// at `position`.
    pub(super) fn ends_before(
        &self,
        next: Element,
        lookahead: &mut Lookahead<'a>,
        position: usize,
    ) -> bool {
        match next {
            Element::Unread | Element::MediaGroup | Element::Feed | Element::List => return false,
            Element::PersonPart(_) => return self.field == Field::Person,
            _ => {}
        }
        if !self.field.may_hold_markup() {
            return true;
        }
        !lookahead.closes_in_time(self.name, position)
    }

    /// Length of the value so far, in bytes.
    pub(super) fn len(&self) -> usize {
        self.value.len()
    }

    /// Whether the field is as long as a field may be.
    pub(super) fn is_full(&self) -> bool {
        self.value.len() >= MAX_FIELD_BYTES
    }

    /// Text, references decoded.
    pub(super) fn push_text(&mut self, text: &str) {
        let text = cut(text, MAX_FIELD_BYTES.saturating_sub(self.value.len()));
        // Declared as HTML, and yet with elements within: the text is HTML all the same.
        if self.is_markup && self.kind != TextKind::Html {
            push_escaped(&mut self.value, text);
        } else {
            self.value.push_str(text);
        }
    }

    /// A start tag within the field.
    pub(super) fn push_start(&mut self, tag: &Tag<'a>, vocabulary: Vocabulary) {
        let is_plain = !self.field.may_hold_markup();
        if is_plain && matches!(vocabulary, Vocabulary::Rdf | Vocabulary::Other) {
            // `<rdf:Bag><rdf:li>…`, `<foaf:Person><foaf:name>…`: values, one or several.
            self.is_list = true;
            self.value.push('\n');
            return;
        }
        let is_html = vocabulary == Vocabulary::Html;
        if !self.is_markup {
            self.is_markup = true;
            let text = std::mem::take(&mut self.value);
            // Text of an HTML field is HTML already, when somebody mixes both.
            if self.kind == TextKind::Html {
                self.value = text;
            } else {
                push_escaped(&mut self.value, &text);
            }
        }
        let name = if is_html { local(tag.name) } else { tag.name };
        let opens = !tag.empty && !is_void(name);
        self.inner_depth += usize::from(opens);
        if self.inner_depth > MAX_INNER_DEPTH || self.is_full() {
            return;
        }
        let own = self.own_base(tag);
        let mut value = std::mem::take(&mut self.value);
        let before = value.len();
        let base = own.as_ref().or(self.inner_base());
        push_tag(
            &mut value,
            name,
            tag,
            base.filter(|_| self.n_grown < MAX_GROWTH_BYTES),
        );
        let written = tag.name.len() + tag.attributes.len();
        self.n_grown += (value.len() - before).saturating_sub(written);
        self.value = value;
        if let Some(own) = own.filter(|_| opens) {
            self.inner_bases.push((self.inner_depth, own));
        }
    }

    fn inner_base(&self) -> Option<&Url> {
        self.inner_bases
            .last()
            .map(|(_, base)| base)
            .or(self.base.as_ref())
    }

    fn own_base(&self, tag: &Tag<'a>) -> Option<Url> {
        let mut attributes = tag.attributes();
        let (_, given) = attributes.find(|(name, _)| name.eq_ignore_ascii_case("xml:base"))?;
        if given.len() > MAX_BASE_BYTES {
            return None;
        }
        match self.inner_base() {
            Some(outer) => outer.join(given.trim()).ok(),
            None => Url::parse(given.trim()).ok(),
        }
    }

    /// An end tag within the field; one without a start tag is dropped.
    pub(super) fn push_end(&mut self, name: &str) {
        if !self.is_markup || is_void(local(name)) {
            return;
        }
        if self
            .inner_bases
            .last()
            .is_some_and(|(depth, _)| *depth == self.inner_depth)
        {
            self.inner_bases.pop();
        }
        self.inner_depth = self.inner_depth.saturating_sub(1);
        if self.inner_depth >= MAX_INNER_DEPTH {
            return;
        }
        self.value.push_str("</");
        self.value.push_str(match name.split_once(':') {
            Some((_, local)) if self.kind == TextKind::Xhtml => local,
            _ => name,
        });
        self.value.push('>');
    }

    /// The value, and how it is to be understood.
    pub(super) fn finish(self) -> (String, TextKind) {
        if self.is_base64 {
            let decoded =
                decode_base64(&self.value).and_then(|bytes| String::from_utf8(bytes).ok());
            return (decoded.unwrap_or(self.value), TextKind::Html);
        }
        if self.is_markup {
            return (without_wrapper(self.value), TextKind::Xhtml);
        }
        match self.kind {
            // Declared as markup, but written as text: the text is what is meant.
            TextKind::Xhtml => (self.value, TextKind::Text),
            kind => (self.value, kind),
        }
    }
}

/// How a field is to be understood: Atom says so in `type` (RFC 4287 §3.1.1), Atom 0.3 in
/// `type` and `mode` as well; the other formats do not say.
fn kind_of(tag: &Tag<'_>, field: Field) -> (TextKind, bool) {
    if !field.may_hold_markup() {
        return (TextKind::Unknown, false);
    }
    let mode = tag
        .attribute("mode")
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    if mode == "base64" {
        return (TextKind::Html, true);
    }
    let Some(given) = tag.attribute("type") else {
        let kind = if mode == "escaped" {
            TextKind::Html
        } else {
            TextKind::Unknown
        };
        return (kind, false);
    };
    let given = given.trim().to_ascii_lowercase();
    let kind = match given.as_str() {
        "text" | "text/plain" => TextKind::Text,
        "html" | "text/html" => TextKind::Html,
        "xhtml" | "application/xhtml+xml" => TextKind::Xhtml,
        _ => TextKind::Unknown,
    };
    let is_text = kind != TextKind::Unknown
        || given.starts_with("text/")
        || given.ends_with("xml")
        || !given.contains('/');
    (kind, !is_text)
}

/// XHTML content stands in a `div` that is no part of it (RFC 4287 §3.1.1.3).
fn without_wrapper(value: String) -> String {
    let trimmed = value.trim();
    let inner = trimmed
        .strip_prefix("<div>")
        .and_then(|inner| inner.strip_suffix("</div>"))
        .filter(|inner| !inner.contains("<div"));
    match inner {
        Some(inner) => inner.to_owned(),
        None => value,
    }
}

fn is_void(name: &str) -> bool {
    [
        "br", "hr", "img", "input", "link", "meta", "area", "base", "col", "embed", "source",
        "track", "wbr", "param",
    ]
    .iter()
    .any(|void| name.eq_ignore_ascii_case(void))
}

/// Decodes base64 (RFC 4648 §4), white space allowed; `None` when it is not that.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut buffer, mut n_bits) = (0u32, 0);
    for byte in text.bytes().filter(|b| !b.is_ascii_whitespace()) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => continue,
            _ => return None,
        };
        buffer = buffer << 6 | u32::from(value);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((buffer >> n_bits) as u8);
        }
    }
    Some(bytes)
}

/// Looks ahead for end tags, each stretch of the document once per name.
#[derive(Debug)]
pub(super) struct Lookahead<'a> {
    text: &'a str,
    /// Needle, and where it was found last.
    found: Vec<(String, usize)>,
}

impl<'a> Lookahead<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            found: Vec::new(),
        }
    }

    /// Whether the end tag of `name` comes before another element of that name begins and
    /// before the entry ends.
    fn closes_in_time(&mut self, name: &str, from: usize) -> bool {
        let close = self.next(format!("</{name}"), from);
        let limits = [
            format!("<{name}"),
            "</item".to_owned(),
            "</entry".to_owned(),
            "<item".to_owned(),
            "<entry".to_owned(),
        ];
        close < self.text.len()
            && limits
                .into_iter()
                .all(|limit| close < self.next(limit, from))
    }

    /// Where `needle` stands next; the end of the document when it does not.
    fn next(&mut self, needle: String, from: usize) -> usize {
        let known = self.found.iter_mut().find(|(known, _)| *known == needle);
        if let Some((_, at)) = known {
            if *at < from {
                *at = find(self.text, &needle, from);
            }
            return *at;
        }
        if self.found.len() >= MAX_REMEMBERED {
            return self.text.len();
        }
        let at = find(self.text, &needle, from);
        self.found.push((needle, at));
        at
    }
}

fn find(text: &str, needle: &str, from: usize) -> usize {
    text[from..].find(needle).map_or(text.len(), |at| from + at)
}

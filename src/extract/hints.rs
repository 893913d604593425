//! What an element's class, id, role and the like suggest about its purpose.
//!
//! Names are cut into words (`relatedArticles_box-2` is `related articles box 2`) and the
//! words looked up in `vocabulary`. What a name suggests is remembered for the page: the
//! same few names stand on most of its elements.

use std::collections::HashMap;

use html5ever::local_name;
use scraper::node::Element;

use super::tag::Tag;
use super::vocabulary::{self, Meaning, QuickHash};

/// Longest class attribute that is read, in bytes; utility-class styles write long ones,
/// and hostile pages longer ones.
const MAX_CLASS_BYTES: usize = 600;

/// Most names that are remembered, and the longest, in bytes.
const MAX_KNOWN: usize = 512;
const MAX_KNOWN_BYTES: usize = 128;

/// Suggestions; any number of them at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hints {
    /// Not shown: `hidden`, `display:none`.
    pub(super) hidden: bool,
    /// Not part of an article: navigation, sharing, advertising, comments, consent.
    pub(super) furniture: bool,
    /// Leads to other articles: related, recommended, read more.
    pub(super) related: bool,
    /// The text of the article.
    pub(super) body: bool,
    /// The stand-first.
    pub(super) standfirst: bool,
    /// Who wrote it, or about who wrote it.
    pub(super) byline: bool,
    /// When it was written.
    pub(super) dateline: bool,
    /// Text of a picture.
    pub(super) caption: bool,
    /// Whose picture.
    pub(super) credit: bool,
    /// A picture, or the box around one.
    pub(super) picture: bool,
    /// Opens and closes at a click.
    pub(super) folding: bool,
    /// A headline.
    pub(super) headline: bool,
    /// Readers' comments.
    pub(super) comments: bool,
    /// A box or an embedded thing inside an article.
    pub(super) aside: bool,
    /// An embedded thing.
    pub(super) embed: bool,
}

impl Hints {
    /// Takes over what other hints suggest.
    fn add(&mut self, other: Self) {
        self.hidden |= other.hidden;
        self.furniture |= other.furniture;
        self.related |= other.related;
        self.body |= other.body;
        self.standfirst |= other.standfirst;
        self.byline |= other.byline;
        self.dateline |= other.dateline;
        self.caption |= other.caption;
        self.credit |= other.credit;
        self.picture |= other.picture;
        self.folding |= other.folding;
        self.headline |= other.headline;
        self.comments |= other.comments;
        self.aside |= other.aside;
        self.embed |= other.embed;
    }
}

/// Reads the hints of the elements of one page.
#[derive(Debug, Default)]
pub(super) struct Reader<'a> {
    known: HashMap<&'a str, Hints, QuickHash>,
}

impl<'a> Reader<'a> {
    /// Reads the hints of an element.
    pub(super) fn read(&mut self, tag: Tag, element: &'a Element) -> Hints {
        let mut hints = Hints::default();
        for (name, value) in &element.attrs {
            match name.local {
                // The id of a subhead is made of its words.
                local_name!("id") if tag.is_heading() => {}
                local_name!("class") | local_name!("id") => hints.add(self.names(value)),
                local_name!("itemprop") | local_name!("property") => {
                    read_item_property(&mut hints, value);
                }
                local_name!("role") => read_role(&mut hints, value),
                local_name!("rel") if value.eq_ignore_ascii_case("author") => hints.byline = true,
                local_name!("hidden") => hints.hidden |= !is_streamed(element),
                local_name!("style") => hints.hidden |= hides(value),
                local_name!("aria-label") => read_label(&mut hints, value),
                _ if names_purpose(&name.local) => hints.add(self.names(value)),
                _ => {}
            }
        }
        // What is folded away is hidden until a click and is text all the same.
        if hints.folding && !hints.furniture {
            hints.hidden = false;
        }
        match tag {
            Tag::Nav | Tag::Dialog => hints.furniture = true,
            Tag::Aside => hints.aside = true,
            Tag::Figcaption => hints.caption = true,
            Tag::H1 => hints.headline = true,
            _ => {}
        }
        hints
    }

    /// What the names in an attribute suggest.
    fn names(&mut self, value: &'a str) -> Hints {
        if let Some(hints) = self.known.get(value) {
            return *hints;
        }
        let hints = names(value);
        if self.known.len() < MAX_KNOWN && value.len() <= MAX_KNOWN_BYTES {
            self.known.insert(value, hints);
        }
        hints
    }
}

/// Whether an attribute's value is a name as a class is.
fn names_purpose(attribute: &str) -> bool {
    let Some(attribute) = attribute.strip_prefix("data-") else {
        return false;
    };
    matches!(
        attribute,
        "testid" | "component" | "qa" | "module" | "block" | "type" | "test" | "element"
    )
}

/// React sends parts of a page in hidden elements named `S:…`, which a script then puts in
/// their place: without the script they are still the page.
fn is_streamed(element: &Element) -> bool {
    element
        .attrs
        .iter()
        .any(|(name, value)| &*name.local == "id" && value.starts_with("S:"))
}

fn hides(style: &str) -> bool {
    let style: String = style
        .chars()
        .take(400)
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_ascii_lowercase())
        .collect();
    style.contains("display:none") || style.contains("visibility:hidden")
}

fn read_item_property(hints: &mut Hints, value: &str) {
    for value in value.split_ascii_whitespace().take(8) {
        match value {
            "articleBody" | "reviewBody" | "schema:articleBody" | "content:encoded" => {
                hints.body = true;
            }
            "author" | "creator" => hints.byline = true,
            "datePublished" | "dateModified" => hints.dateline = true,
            "headline" => hints.headline = true,
            "caption" => hints.caption = true,
            "copyrightHolder" => hints.credit = true,
            "comment" => hints.comments = true,
            _ => {}
        }
    }
}

fn read_role(hints: &mut Hints, value: &str) {
    match value {
        "navigation" | "search" | "dialog" | "alert" | "banner" | "contentinfo" | "menu"
        | "menubar" | "toolbar" => hints.furniture = true,
        "complementary" => hints.furniture = true,
        _ => {}
    }
}

fn read_label(hints: &mut Hints, value: &str) {
    if value.eq_ignore_ascii_case("advertisement") || value.eq_ignore_ascii_case("breadcrumb") {
        hints.furniture = true;
    }
}

/// Reads a class or id: each name of the list is cut into words.
fn names(value: &str) -> Hints {
    let mut hints = Hints::default();
    let mut end = value.len().min(MAX_CLASS_BYTES);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    for name in value[..end].split_ascii_whitespace() {
        hints.add(name_hints(name));
    }
    hints
}

fn name_hints(name: &str) -> Hints {
    // States and style variants ("has-share", "no-sidebar", "with-comments", utility classes
    // such as "md:hidden") speak of something else on the page.
    if name.starts_with("has-")
        || name.starts_with("no-")
        || name.contains("with-")
        || name.contains(':')
    {
        return Hints::default();
    }
    if vocabulary::HIDDEN.contains(&name) {
        return Hints {
            furniture: true,
            ..Hints::default()
        };
    }
    if is_hash(name) {
        return Hints::default();
    }
    let mut words = Words::default();
    let mut previous_lower = false;
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() {
            if byte.is_ascii_uppercase() && previous_lower {
                words.end();
            }
            previous_lower = byte.is_ascii_lowercase();
            words.push(byte.to_ascii_lowercase());
        } else {
            words.end();
            previous_lower = false;
        }
    }
    words.end();
    judge(&words)
}

/// Whether a name looks like those that style compilers make up (`jpYiwZ`): some letters
/// with capitals in odd places.
fn is_hash(name: &str) -> bool {
    let bytes = name.as_bytes();
    if !(5..=8).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    let is_capital = |at: usize| bytes.get(at).is_some_and(|byte| !byte.is_ascii_lowercase());
    let n_capitals = (1..bytes.len()).filter(|&at| is_capital(at)).count();
    let has_lone =
        (1..bytes.len()).any(|at| is_capital(at) && (at + 1 == bytes.len() || is_capital(at + 1)));
    let has_small = bytes.iter().any(u8::is_ascii_lowercase);
    has_small && n_capitals >= 2 && has_lone
}

/// The words of one name: what they mean together, and the word that is being read.
#[derive(Debug, Default)]
struct Words {
    letters: [u8; 32],
    n_letters: usize,
    n_words: usize,
    meaning: Meaning,
}

impl Words {
    /// Most words of a name that are looked at.
    const MAX: usize = 12;

    fn push(&mut self, byte: u8) {
        // A word that is longer than all that are known becomes unknown.
        if let Some(letter) = self.letters.get_mut(self.n_letters) {
            *letter = byte;
            self.n_letters += 1;
        }
    }

    fn end(&mut self) {
        if self.n_letters > 0 && self.n_words < Self::MAX {
            self.n_words += 1;
            let word = &self.letters[..self.n_letters];
            self.meaning |= vocabulary::meaning(word);
            if word.starts_with(b"img") {
                self.meaning |= vocabulary::PICTURE;
            }
        }
        self.n_letters = 0;
    }
}

fn judge(words: &Words) -> Hints {
    use vocabulary as v;
    let has = |meaning: Meaning| words.meaning & meaning != 0;
    let is_author_box = has(v::AUTHOR) && has(v::ABOUT);
    let is_most_read = has(v::MOST) && has(v::READ_BY_MANY);
    let is_sign_up = has(v::SIGN) && has(v::UP_OR_IN) && words.n_words <= 3;
    Hints {
        hidden: false,
        furniture: has(v::FURNITURE) || is_author_box || is_most_read || is_sign_up,
        related: has(v::RELATED) || (has(v::READ) && has(v::MORE)),
        body: has(v::BODY)
            || (words.n_words >= 2 && has(v::TEXT) && has(v::WHOLE) && !has(v::PART)),
        standfirst: has(v::STANDFIRST) || (has(v::PIECE) && has(v::LEAD)),
        byline: has(v::BYLINE),
        dateline: has(v::DATELINE),
        caption: has(v::CAPTION),
        credit: has(v::CREDIT),
        picture: has(v::PICTURE),
        folding: has(v::FOLDING),
        headline: has(v::HEADLINE),
        comments: has(v::COMMENTS),
        embed: has(v::EMBED),
        aside: has(v::ASIDE) || has(v::EMBED) || (has(v::BOX) && has(v::BOX_OF)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints_of(value: &str) -> Hints {
        names(value)
    }

    #[test]
    fn names_are_cut_into_words_in_every_spelling() {
        for name in [
            "share-bar",
            "article__share",
            "shareButtons",
            "Share_2",
            "post share",
        ] {
            assert!(hints_of(name).furniture, "{name}");
        }
        assert!(!hints_of("shareholder").furniture);
        assert!(!hints_of("has-share with-sidebar md:hidden").furniture);
    }

    #[test]
    fn the_usual_names_of_an_article_text_are_known() {
        for name in [
            "article-body",
            "post-content",
            "entryContent",
            "story__text",
            "articlebody",
        ] {
            assert!(hints_of(name).body, "{name}");
        }
        assert!(!hints_of("article-content-header").body);
        assert!(!hints_of("content").body);
    }

    #[test]
    fn an_author_is_a_byline_and_an_author_box_is_furniture() {
        assert!(!hints_of("author-name").furniture);
        assert!(hints_of("author-name").byline);
        assert!(hints_of("author-bio").furniture);
    }

    #[test]
    fn names_made_up_by_machines_mean_nothing() {
        assert!(!hints_of("adXYiZ").furniture);
        assert!(hints_of("adBox navBar").furniture);
    }

    #[test]
    fn an_endless_class_attribute_is_read_in_part() {
        let names = "a-b-c-d-e-f-g-h-i-j-k-l-m-n-o ".repeat(10_000);

        assert_eq!(hints_of(&names), Hints::default());
    }
}

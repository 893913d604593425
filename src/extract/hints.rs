//! What an element's class, id, role and the like suggest about its purpose.
//!
//! Names are cut into words (`relatedArticles_box-2` is `related articles box 2`) and the
//! words compared with lists. The lists hold what content management systems and themes
//! call things, never what one site does.

use scraper::node::Element;

use super::tag::Tag;

/// Longest class attribute that is read, in bytes; utility-class styles write long ones,
/// and hostile pages longer ones.
const MAX_CLASS_BYTES: usize = 600;

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
}

/// Reads the hints of an element.
pub(super) fn read(tag: Tag, element: &Element) -> Hints {
    let mut hints = Hints::default();
    for (name, value) in &element.attrs {
        match &*name.local {
            "class" | "id" | "data-testid" | "data-component" | "data-qa" | "data-module"
            | "data-block" | "data-type" | "data-test" | "data-element" => {
                read_names(&mut hints, value);
            }
            "itemprop" | "property" => read_item_property(&mut hints, value),
            "role" => read_role(&mut hints, value),
            "rel" if value.eq_ignore_ascii_case("author") => hints.byline = true,
            "hidden" => hints.hidden |= !is_streamed(element),
            "style" => hints.hidden |= hides(value),
            "aria-label" => read_label(&mut hints, value),
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
        | "menubar" | "toolbar" | "tablist" => hints.furniture = true,
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
fn read_names(hints: &mut Hints, value: &str) {
    let mut end = value.len().min(MAX_CLASS_BYTES);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    for name in value[..end].split_ascii_whitespace() {
        read_name(hints, name);
    }
}

fn read_name(hints: &mut Hints, name: &str) {
    // States and style variants ("has-share", "no-sidebar", "with-comments", utility classes
    // such as "md:hidden") speak of something else on the page.
    if name.starts_with("has-")
        || name.starts_with("no-")
        || name.contains("with-")
        || name.contains(':')
    {
        return;
    }
    if HIDDEN.contains(&name) {
        hints.furniture = true;
        return;
    }
    let mut words = Words::default();
    let mut previous_lower = false;
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() {
            if byte.is_ascii_uppercase() && previous_lower {
                words.next();
            }
            previous_lower = byte.is_ascii_lowercase();
            words.push(byte.to_ascii_lowercase());
        } else {
            words.next();
            previous_lower = false;
        }
    }
    words.next();
    judge(hints, &words);
}

/// The words of one name, on the stack: there are thousands of names on a page.
struct Words {
    letters: [u8; 64],
    n_letters: usize,
    ends: [u8; 12],
    n_words: usize,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            letters: [0; 64],
            n_letters: 0,
            ends: [0; 12],
            n_words: 0,
        }
    }
}

impl Words {
    fn push(&mut self, byte: u8) {
        if self.n_letters < self.letters.len() {
            self.letters[self.n_letters] = byte;
            self.n_letters += 1;
        }
    }

    fn next(&mut self) {
        let start = self.start_of(self.n_words);
        if self.n_letters > start && self.n_words < self.ends.len() {
            self.ends[self.n_words] = self.n_letters as u8;
            self.n_words += 1;
        }
    }

    fn start_of(&self, n: usize) -> usize {
        n.checked_sub(1)
            .map_or(0, |before| usize::from(self.ends[before]))
    }

    fn get(&self, n: usize) -> &str {
        if n >= self.n_words {
            return "";
        }
        let bytes = &self.letters[self.start_of(n)..usize::from(self.ends[n])];
        std::str::from_utf8(bytes).unwrap_or("")
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.n_words).map(|n| self.get(n))
    }

    fn has(&self, any: &[&str]) -> bool {
        self.iter().any(|word| any.contains(&word))
    }
}

/// Whole names of what is there for screen readers or not at all.
const HIDDEN: &[&str] = &[
    "hidden",
    "is-hidden",
    "visually-hidden",
    "visuallyhidden",
    "d-none",
    "sr-only",
    "screen-reader-text",
    "show-for-sr",
    "u-visually-hidden",
    "element-invisible",
    "skip-link",
    "skip-links",
    "skip-to-content",
];

/// Words that name the whole of an article when `body`, `content` or `text` stands with them.
const WHOLES: &[&str] = &[
    "article", "post", "entry", "story", "news", "blog", "artikel", "articulo", "noticia",
    "articolo", "page", "main", "single",
];

/// Words that name a part of a text.
const PARTS: &[&str] = &[
    "body", "content", "text", "copy", "contents", "inhalt", "texto", "corps",
];

fn judge(hints: &mut Hints, words: &Words) {
    for word in words.iter() {
        judge_word(hints, word);
    }
    let is_part = words.has(&[
        "item", "card", "list", "teaser", "preview", "header", "footer", "meta", "link", "top",
        "bottom", "ad", "ads", "related", "aside", "sidebar",
    ]);
    if words.n_words >= 2 && !is_part && words.has(PARTS) && words.has(WHOLES) {
        hints.body = true;
    }
    if words.has(&["author", "byline"])
        && words.has(&[
            "bio",
            "box",
            "card",
            "about",
            "info",
            "description",
            "profile",
        ])
    {
        hints.furniture = true;
    }
    if words.has(&["read", "see", "lesen", "lire", "leia", "lees", "continue"])
        && words.has(&["more", "also", "next", "auch", "aussi", "tambem", "ook"])
    {
        hints.related = true;
    }
    if words.has(&["most", "meist"])
        && words.has(&["read", "popular", "viewed", "shared", "gelesen"])
    {
        hints.furniture = true;
    }
    if words.has(&["article", "post", "story", "entry"])
        && words.has(&[
            "subtitle",
            "sub",
            "intro",
            "lead",
            "description",
            "excerpt",
            "deck",
            "dek",
            "lede",
            "summary",
        ])
    {
        hints.standfirst = true;
    }
    if words.has(&["box"])
        && words.has(&[
            "info",
            "fact",
            "facts",
            "fakten",
            "expandable",
            "person",
            "summary",
            "side",
            "service",
            "text",
        ])
    {
        hints.aside = true;
    }
    if words.has(&["sign", "log"]) && words.has(&["up", "in"]) && words.n_words <= 3 {
        hints.furniture = true;
    }
}

fn judge_word(hints: &mut Hints, word: &str) {
    match word {
        "nav" | "navigation" | "navbar" | "navi" | "menu" | "submenu" | "breadcrumb"
        | "breadcrumbs" | "crumbs" | "footer" | "sidebar" | "sidebars" | "share" | "sharing"
        | "shares" | "sharer" | "sharebar" | "sharebox" | "sharelinks" | "sharetools"
        | "social" | "socials" | "socialmedia" | "sociallinks" | "addthis" | "sharethis"
        | "addtoany" | "a2a" | "sharedaddy" | "shareaholic" | "newsletter" | "newsletters"
        | "nl" | "subscribe" | "subscription" | "subscriptions" | "signup" | "optin"
        | "mailchimp" | "promo" | "promos" | "promotion" | "advert" | "adverts"
        | "advertisement" | "advertisements" | "advertising" | "ad" | "ads" | "adv" | "adslot"
        | "adsbygoogle" | "anzeige" | "anzeigen" | "werbung" | "publicidad" | "publicite"
        | "pub" | "sponsor" | "sponsored" | "sponsors" | "cookie" | "cookies" | "consent"
        | "gdpr" | "optanon" | "onetrust" | "popup" | "modal" | "lightbox" | "tooltip"
        | "overlay" | "toolbar" | "tools" | "pagination" | "pager" | "pagenav" | "paging"
        | "tags" | "taglist" | "tagcloud" | "keywords" | "outbrain" | "taboola" | "disclaimer"
        | "copyright" | "rating" | "ratings" | "vote" | "poll" | "login" | "register"
        | "regwall" | "donate" | "donation" | "spenden" | "appeal" | "infobox" | "factbox"
        | "jump" | "skiplink" | "print" | "printonly" | "print-only" | "masthead" | "topbar"
        | "topics" | "authorbox" | "authorbio" | "biography" | "bio" | "shoplist" | "affiliate"
        | "toc" | "feedback" | "correction-form" | "survey" | "quiz" | "bookmark" | "bookmarks"
        | "favorite" | "noprint" | "nocontent" | "dropdown" | "offcanvas" | "ticker"
        | "countdown" => hints.furniture = true,
        "related" | "relateds" | "relatedarticles" | "relatedposts" | "recommended"
        | "recommendation" | "recommendations" | "recommends" | "recirc" | "recirculation"
        | "teaser" | "teasers" | "popular" | "trending" | "mostread" | "mostpopular"
        | "readmore" | "readalso" | "seealso" | "morefrom" | "morestories" | "moreon"
        | "outbound" | "similar" | "similares" | "suggested" | "suggestions" | "upnext"
        | "nextpost" | "prevpost" | "jetpackrelated" | "jp" | "yarpp" | "zergnet" | "latest"
        | "linkbox" | "relacionadas" | "relacionados" | "relacionada" | "recommend"
        | "promobox" => hints.related = true,
        "comment" | "comments" | "commentlist" | "commentform" | "disqus" | "respond"
        | "kommentare" | "kommentar" | "comentarios" | "commentaires" | "replies"
        | "discussion" | "forum" => hints.comments = true,
        "articlebody" | "storybody" | "bodytext" | "storytext" | "articletext" | "postcontent"
        | "entrycontent" | "articlecontent" | "newstext" | "bodycopy" | "postbody" | "richtext"
        | "articlecopy" | "storycontent" => hints.body = true,
        "standfirst" | "dek" | "deck" | "subtitle" | "subheadline" | "subheading" | "subhead"
        | "lede" | "lead" | "leadtext" | "intro" | "introduction" | "vorspann" | "chapo"
        | "chapeau" | "sommario" | "occhiello" | "entradilla" | "bajada" | "ingress"
        | "abstract" | "excerpt" | "kicker-text" | "spot" | "sapo" | "standfirsttext"
        | "strapline" | "untertitel" | "teasertext" | "leadin" | "subtitulo" | "copete"
        | "sumario" | "perex" | "manchet" => hints.standfirst = true,
        "byline" | "bylines" | "author" | "authors" | "writer" | "autor" | "autoren" | "auteur"
        | "firma" | "autore" | "redakteur" | "verfasser" | "vcard" | "contributor"
        | "contributors" | "reporter" => hints.byline = true,
        "timestamp" | "dateline" | "date" | "datum" | "published" | "pubdate" | "publishdate"
        | "fecha" | "datetime" | "time" | "postdate" | "updated" => hints.dateline = true,
        "caption" | "captions" | "figcaption" | "bildunterschrift" | "legend" | "legende"
        | "imagecaption" | "bu" | "wp-caption-text" => {
            hints.caption = true;
        }
        "credit" | "credits" | "photographer" | "copyrights" | "imagecredit" | "photocredit"
        | "bildrechte" => hints.credit = true,
        "image" | "images" | "img" | "photo" | "photos" | "foto" | "fotos" | "picture"
        | "pictures" | "pic" | "bild" | "bilder" | "imagen" | "immagine" | "thumb"
        | "thumbnail" | "imgbox" | "gallery" | "slideshow" | "media" | "figure" => {
            hints.picture = true
        }
        "accordion" | "collapse" | "collapsible" | "collapsed" | "expandable" | "faq"
        | "toggle" | "panel" | "answer" => hints.folding = true,
        "fallback" | "jwplayer" | "videoplayer" => hints.furniture = true,
        "headline" | "title" => hints.headline = true,
        _ if word.starts_with("img") => hints.picture = true,
        "aside" | "sidenote" | "callout" | "pullquote" | "embed" | "embedded" | "infografik"
        | "faktaboks" | "fakta" | "facts" | "spoiler" => hints.aside = true,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints_of(names: &str) -> Hints {
        let mut hints = Hints::default();
        read_names(&mut hints, names);
        hints
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
    fn an_endless_class_attribute_is_read_in_part() {
        let names = "a-b-c-d-e-f-g-h-i-j-k-l-m-n-o ".repeat(10_000);

        assert_eq!(hints_of(&names), Hints::default());
    }
}

//! The words in names of elements, and what they mean. The lists hold what content
//! management systems and themes call things, in the languages of many newspapers, never
//! what one site does.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

/// What a word means: any number of the flags below.
pub(super) type Meaning = u32;

/// Not part of an article: navigation, sharing, advertising, consent.
pub(super) const FURNITURE: Meaning = 1 << 0;
/// Leads to other articles.
pub(super) const RELATED: Meaning = 1 << 1;
/// Readers' comments.
pub(super) const COMMENTS: Meaning = 1 << 2;
/// The text of the article.
pub(super) const BODY: Meaning = 1 << 3;
/// The stand-first.
pub(super) const STANDFIRST: Meaning = 1 << 4;
/// Who wrote it.
pub(super) const BYLINE: Meaning = 1 << 5;
/// When it was written.
pub(super) const DATELINE: Meaning = 1 << 6;
/// Text of a picture.
pub(super) const CAPTION: Meaning = 1 << 7;
/// Whose picture.
pub(super) const CREDIT: Meaning = 1 << 8;
/// A picture.
pub(super) const PICTURE: Meaning = 1 << 9;
/// Opens and closes at a click.
pub(super) const FOLDING: Meaning = 1 << 10;
/// A headline.
pub(super) const HEADLINE: Meaning = 1 << 11;
/// A box inside an article.
pub(super) const ASIDE: Meaning = 1 << 12;
/// With [`TEXT`] and [`WHOLE`]: not the whole text after all.
pub(super) const PART: Meaning = 1 << 13;
/// Names a text; the article's with [`WHOLE`].
pub(super) const TEXT: Meaning = 1 << 14;
/// Names the whole of an article.
pub(super) const WHOLE: Meaning = 1 << 15;
/// An author; with [`ABOUT`] a box about one.
pub(super) const AUTHOR: Meaning = 1 << 16;
/// See [`AUTHOR`].
pub(super) const ABOUT: Meaning = 1 << 17;
/// With [`MORE`]: leads to other articles.
pub(super) const READ: Meaning = 1 << 18;
/// See [`READ`].
pub(super) const MORE: Meaning = 1 << 19;
/// With [`READ_BY_MANY`]: a list of what others read.
pub(super) const MOST: Meaning = 1 << 20;
/// See [`MOST`].
pub(super) const READ_BY_MANY: Meaning = 1 << 21;
/// An article; with [`LEAD`] its stand-first.
pub(super) const PIECE: Meaning = 1 << 22;
/// See [`PIECE`].
pub(super) const LEAD: Meaning = 1 << 23;
/// With [`BOX_OF`]: a box inside an article.
pub(super) const BOX: Meaning = 1 << 24;
/// See [`BOX`].
pub(super) const BOX_OF: Meaning = 1 << 25;
/// With [`UP_OR_IN`]: a form.
pub(super) const SIGN: Meaning = 1 << 26;
/// See [`SIGN`].
pub(super) const UP_OR_IN: Meaning = 1 << 27;
/// Something shown from elsewhere.
pub(super) const EMBED: Meaning = 1 << 28;

/// Whole names of what is there for screen readers or not at all.
pub(super) const HIDDEN: &[&str] = &[
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

/// What a word means; nothing when it is not known.
pub(super) fn meaning(word: &[u8]) -> Meaning {
    static TABLE: LazyLock<HashMap<&[u8], Meaning, QuickHash>> = LazyLock::new(|| {
        let mut table: HashMap<&[u8], Meaning, QuickHash> = HashMap::default();
        for (meaning, words) in WORDS {
            for word in words.split_ascii_whitespace() {
                *table.entry(word.as_bytes()).or_default() |= meaning;
            }
        }
        table
    });
    TABLE.get(word).copied().unwrap_or_default()
}

/// Words by meaning; a word may stand under several.
const WORDS: &[(Meaning, &str)] = &[
    (
        FURNITURE,
        "placeholder popover rollover hovercard flyout nav navigation navbar navi menu submenu breadcrumb breadcrumbs crumbs footer sidebar \
         sidebars share sharing shares sharer sharebar sharebox sharelinks sharetools social \
         socials socialmedia sociallinks addthis sharethis addtoany a2a sharedaddy \
         shareaholic newsletter newsletters nl subscribe subscription subscriptions signup \
         optin mailchimp promo promos promotion advert adverts advertisement advertisements \
         advertising ad ads adv adslot adsbygoogle anzeige anzeigen werbung publicidad \
         publicite pub sponsor sponsored sponsors cookie cookies consent gdpr optanon \
         onetrust popup modal lightbox tooltip overlay toolbar tools pagination pager pagenav \
         paging tags taglist tagcloud keywords outbrain taboola disclaimer copyright rating \
         ratings vote poll login register regwall donate donation spenden appeal infobox \
         factbox jump skiplink print printonly masthead topbar topics authorbox authorbio \
         biography bio shoplist affiliate toc feedback survey quiz bookmark bookmarks \
         favorite noprint nocontent dropdown offcanvas ticker countdown fallback jwplayer \
         videoplayer",
    ),
    (
        RELATED,
        "related relateds relatedarticles relatedposts recommended recommendation \
         recommendations recommends recirc recirculation teaser teasers popular trending \
         mostread mostpopular readmore readalso seealso morefrom morestories moreon outbound \
         similar similares suggested suggestions upnext nextpost prevpost jetpackrelated \
         yarpp zergnet latest linkbox relacionadas relacionados relacionada recommend \
         promobox",
    ),
    (
        COMMENTS,
        "comment comments commentlist commentform disqus respond kommentare kommentar \
         comentarios commentaires replies discussion forum",
    ),
    (
        BODY,
        "articlebody storybody bodytext storytext articletext postcontent entrycontent \
         articlecontent newstext bodycopy postbody richtext articlecopy storycontent",
    ),
    (
        STANDFIRST,
        "standfirst dek deck subtitle subheadline subheading subhead lede lead leadtext intro \
         introduction vorspann chapo chapeau sommario occhiello entradilla bajada ingress \
         abstract excerpt spot sapo standfirsttext strapline untertitel teasertext leadin \
         subtitulo copete sumario perex manchet",
    ),
    (
        BYLINE,
        "byline bylines author authors writer autor autoren auteur firma autore redakteur \
         verfasser vcard contributor contributors reporter",
    ),
    (
        DATELINE,
        "timestamp dateline date datum published pubdate publishdate fecha datetime time \
         postdate updated",
    ),
    (
        CAPTION,
        "caption captions figcaption bildunterschrift legend legende imagecaption bu",
    ),
    (
        CREDIT,
        "credit credits photographer copyrights imagecredit photocredit bildrechte",
    ),
    (
        PICTURE,
        "image images img photo photos foto fotos picture pictures pic bild bilder imagen \
         immagine thumb thumbnail imgbox gallery slideshow media figure",
    ),
    (
        FOLDING,
        "accordion collapse collapsible collapsed expandable faq toggle panel answer",
    ),
    (HEADLINE, "headline title"),
    (
        ASIDE,
        "aside sidenote callout pullquote infografik faktaboks fakta facts \
         spoiler",
    ),
    (EMBED, "embed embedded"),
    (
        PART,
        "item card list teaser preview header footer meta link top bottom ad ads related \
         aside sidebar",
    ),
    (TEXT, "body content text copy contents inhalt texto corps"),
    (
        WHOLE,
        "article post entry story news blog artikel articulo noticia articolo page main \
         single",
    ),
    (AUTHOR, "author byline"),
    (ABOUT, "bio box card about info description profile"),
    (READ, "read see lesen lire leia lees continue"),
    (MORE, "more also next auch aussi tambem ook"),
    (MOST, "most meist"),
    (READ_BY_MANY, "read popular viewed shared gelesen"),
    (PIECE, "article post story entry"),
    (
        LEAD,
        "subtitle sub intro lead description excerpt deck dek lede summary",
    ),
    (BOX, "box"),
    (
        BOX_OF,
        "info fact facts fakten expandable person summary side service text",
    ),
    (SIGN, "sign log"),
    (UP_OR_IN, "up in"),
];

/// Hashes names quickly, by rotation and multiplication. Whoever knows it can make names
/// collide, so it is for small tables only.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct QuickHash;

impl BuildHasher for QuickHash {
    type Hasher = QuickHasher;

    fn build_hasher(&self) -> QuickHasher {
        QuickHasher::default()
    }
}

/// The state of a [`QuickHash`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct QuickHasher(u64);

impl Hasher for QuickHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    fn write_usize(&mut self, length: usize) {
        self.write_u64(length as u64);
    }

    fn write_u64(&mut self, word: u64) {
        // The odd constant is 2^64 divided by the golden ratio (Knuth, vol. 3, section 6.4).
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_means_all_that_it_is_listed_for() {
        assert_eq!(meaning(b"author"), BYLINE | AUTHOR);
        assert_eq!(meaning(b"zebra"), 0);
    }

    #[test]
    fn all_words_are_short_enough_to_be_read() {
        for (_, words) in WORDS {
            for word in words.split_ascii_whitespace() {
                assert!(word.len() < 32 && word.bytes().all(|b| b.is_ascii_alphanumeric()));
            }
        }
    }
}

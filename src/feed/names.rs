//! Names of elements: which vocabulary a prefix means, whatever address its author gave it.

use super::tokens::Tag;

/// Most namespace declarations in force at once; more are not read.
const MAX_BINDINGS: usize = 256;

/// The vocabularies that we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vocabulary {
    /// RSS of every kind, and names without a namespace or in one that nobody knows.
    Plain,
    /// Atom, 0.3 too.
    Atom,
    /// RDF itself.
    Rdf,
    /// Dublin Core, elements and terms.
    DublinCore,
    /// RSS 1.0 content module.
    Content,
    /// Media RSS.
    Media,
    /// Podcasts: iTunes, Google Play.
    Podcast,
    /// RSS 1.0 syndication module.
    Syndication,
    /// RFC 5005: paged and archived feeds.
    History,
    /// FeedBurner, which replaces links by its own and keeps the originals.
    FeedBurner,
    /// PRISM, of the magazines.
    Prism,
    /// Sitemaps (sitemaps.org).
    Sitemap,
    /// What Google adds to sitemaps for news.
    News,
    /// What Google adds to sitemaps for pictures.
    Pictures,
    /// HTML in XML.
    Html,
    /// Anything else with a prefix.
    Other,
}

/// The namespace declarations in force.
#[derive(Debug, Default)]
pub(super) struct Bindings<'a> {
    stack: Vec<(&'a str, Vocabulary)>,
}

impl<'a> Bindings<'a> {
    /// How many are in force; [`Self::truncate`] goes back there.
    pub(super) fn len(&self) -> usize {
        self.stack.len()
    }

    /// Drops the declarations of elements that have ended.
    pub(super) fn truncate(&mut self, len: usize) {
        self.stack.truncate(len);
    }

    /// Takes the declarations of a tag.
    pub(super) fn declare(&mut self, tag: &Tag<'a>) {
        if !tag.attributes.contains("xmlns") {
            return;
        }
        for (name, uri) in tag.attributes() {
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => "",
                Some(prefixed) => match prefixed.strip_prefix(':') {
                    Some(prefix) => prefix,
                    None => continue,
                },
                None => continue,
            };
            if self.stack.len() < MAX_BINDINGS {
                let unknown = if prefix.is_empty() {
                    Vocabulary::Plain
                } else {
                    Vocabulary::Other
                };
                let known = by_uri(uri);
                // A prefix is a custom, too: `dc` with a misspelt address is still `dc`.
                let meant = known.or_else(|| by_prefix(prefix)).unwrap_or(unknown);
                self.stack.push((prefix, meant));
            }
        }
    }

    /// Takes the root for what it is: whatever namespace its author chose, the names that
    /// are written as its own are those of its format.
    pub(super) fn settle_root(&mut self, root: &'a str) {
        let prefix = root.split_once(':').map_or("", |(prefix, _)| prefix);
        let is_known = matches!(
            self.vocabulary(root),
            Vocabulary::Plain | Vocabulary::Atom | Vocabulary::Rdf
        );
        if !is_known {
            self.stack.push((prefix, Vocabulary::Plain));
        }
    }

    /// The vocabulary of a name; an undeclared prefix means what it means everywhere.
    pub(super) fn vocabulary(&self, name: &str) -> Vocabulary {
        let prefix = name.split_once(':').map_or("", |(prefix, _)| prefix);
        let declared = self.stack.iter().rev().find(|(bound, _)| *bound == prefix);
        match declared {
            Some((_, vocabulary)) => *vocabulary,
            None if prefix.is_empty() => Vocabulary::Plain,
            None => by_prefix(prefix).unwrap_or(Vocabulary::Other),
        }
    }
}

/// The vocabulary of a namespace address, without scheme, case and trailing marks, which
/// authors get wrong.
fn by_uri(uri: &str) -> Option<Vocabulary> {
    let uri = uri.trim().to_ascii_lowercase();
    let bare = uri
        .trim_start_matches("https:")
        .trim_start_matches("http:")
        .trim_start_matches('/')
        .trim_start_matches("www.")
        .trim_end_matches(['/', '#']);
    Some(match bare {
        "w3.org/2005/atom"
        | "purl.org/atom/ns"
        | "example.com/newformat"
        | "example.com/necho"
        | "purl.org/echo"
        | "purl.org/pie"
        | "uri/of/echo/namespace" => Vocabulary::Atom,
        "w3.org/1999/02/22-rdf-syntax-ns" => Vocabulary::Rdf,
        "w3.org/1999/xhtml" | "w3.org/xhtml" => Vocabulary::Html,
        "search.yahoo.com/mrss" | "video.search.yahoo.com/mrss" | "tools.search.yahoo.com/mrss" => {
            Vocabulary::Media
        }
        "itunes.com/dtds/podcast-1.0.dtd"
        | "itunes.com/dtds/porg-1.0.dtd"
        | "example.com/dtds/podcast-1.0.dtd" => Vocabulary::Podcast,
        "purl.org/rss/1.0/modules/content" => Vocabulary::Content,
        "purl.org/rss/1.0/modules/syndication" => Vocabulary::Syndication,
        "purl.org/syndication/history/1.0" => Vocabulary::History,
        "sitemaps.org/schemas/sitemap/0.9" | "google.com/schemas/sitemap/0.84" => {
            Vocabulary::Sitemap
        }
        "google.com/schemas/sitemap-news/0.9" => Vocabulary::News,
        "google.com/schemas/sitemap-image/1.1" => Vocabulary::Pictures,
        "rssnamespace.org/feedburner/ext/1.0" => Vocabulary::FeedBurner,
        _ if bare.starts_with("prismstandard.org/") => Vocabulary::Prism,
        _ if bare.starts_with("purl.org/dc/") => Vocabulary::DublinCore,
        _ if bare.starts_with("google.com/schemas/play-podcasts") => Vocabulary::Podcast,
        _ if bare.starts_with("purl.org/rss/1.0/modules/") => return None,
        _ if is_rss(bare) => Vocabulary::Plain,
        _ => return None,
    })
}

fn is_rss(bare: &str) -> bool {
    [
        "purl.org/rss",
        "purl.org/net/rss1.1",
        "backend.userland.com/rss",
        "blogs.law.harvard.edu/tech/rss",
        "cyber.law.harvard.edu/rss",
        "my.netscape.com",
        "channel.netscape.com",
        "rssboard.org/rss-specification",
    ]
    .iter()
    .any(|start| bare.starts_with(start))
}

fn by_prefix(prefix: &str) -> Option<Vocabulary> {
    Some(match prefix.to_ascii_lowercase().as_str() {
        "atom" | "atom10" | "atom03" | "a10" => Vocabulary::Atom,
        "rdf" => Vocabulary::Rdf,
        "dc" | "dcterms" | "dct" => Vocabulary::DublinCore,
        "content" => Vocabulary::Content,
        "media" => Vocabulary::Media,
        "itunes" | "googleplay" => Vocabulary::Podcast,
        "sy" => Vocabulary::Syndication,
        "fh" => Vocabulary::History,
        "prism" => Vocabulary::Prism,
        "news" => Vocabulary::News,
        "image" => Vocabulary::Pictures,
        "xhtml" => Vocabulary::Html,
        "feedburner" => Vocabulary::FeedBurner,
        "rss" => Vocabulary::Plain,
        _ => return None,
    })
}

/// A local name in lower case on the stack: names of elements are short, and feeds write
/// them in every case.
#[derive(Clone, Copy, Debug)]
pub(super) struct LowerName {
    bytes: [u8; 24],
    len: usize,
}

impl LowerName {
    /// The lower-case form; empty for a name longer than any that we know.
    pub(super) fn new(name: &str) -> Self {
        let mut bytes = [0; 24];
        let len = if name.len() <= bytes.len() {
            name.len()
        } else {
            0
        };
        bytes[..len].copy_from_slice(&name.as_bytes()[..len]);
        bytes.make_ascii_lowercase();
        Self { bytes, len }
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::tokens::{Token, Tokens};

    fn vocabulary(tag: &str, name: &str) -> Vocabulary {
        let Some(Token::Start(tag)) = Tokens::new(tag).next() else {
            panic!("no tag");
        };
        let mut bindings = Bindings::default();
        bindings.declare(&tag);
        bindings.vocabulary(name)
    }

    #[test]
    fn a_vocabulary_is_known_by_every_address_it_goes_by() {
        for uri in [
            "http://www.w3.org/2005/Atom",
            "https://w3.org/2005/Atom/",
            "http://purl.org/atom/ns#",
        ] {
            let tag = format!("<feed xmlns='{uri}' xmlns:x='{uri}'>");
            assert_eq!(vocabulary(&tag, "feed"), Vocabulary::Atom);
            assert_eq!(vocabulary(&tag, "x:feed"), Vocabulary::Atom);
        }
        assert_eq!(
            vocabulary("<rss xmlns='http://example.org/x'>", "item"),
            Vocabulary::Plain
        );
    }

    #[test]
    fn an_undeclared_prefix_means_what_it_means_elsewhere() {
        assert_eq!(vocabulary("<rss>", "dc:creator"), Vocabulary::DublinCore);
        assert_eq!(vocabulary("<rss>", "foo:title"), Vocabulary::Other);
        assert_eq!(
            vocabulary("<rss xmlns:foo='urn:foo'>", "foo:title"),
            Vocabulary::Other
        );
    }
}

//! From entries to pages worth a scrape. Pure.

use crate::canonical::{CanonicalUrl, canonicalize};
use crate::feed::Entry;
use crate::model::{FeedSettings, HostKey, PageUrl, UrlError};

/// What an entry points at.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The original URL, byte for byte as the feed gave it.
    pub original: String,
    /// The same, checked, fit to be scraped.
    pub page: PageUrl,
    /// Its politeness key.
    pub host: HostKey,
    /// Its normal form.
    pub canonical: CanonicalUrl,
    /// Whether the page is to be fetched.
    pub wanted: Wanted,
}

/// Whether a page is to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// It is.
    Yes,
    /// The feed list says that what the feed says is enough (`scrape = false`).
    NotByList,
}

/// Why an entry has no page for us. It is kept all the same, with what the feed said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Dropped {
    /// No link at all.
    #[error("the entry has no link")]
    NoLink,
    /// A link, but not one to be followed.
    #[error("the entry's link cannot be followed: {0}")]
    BadLink(#[from] UrlError),
}

/// The page that an entry announces.
///
/// # Errors
/// [`Dropped`] when there is none.
pub fn candidate(entry: &Entry, settings: &FeedSettings) -> Result<Candidate, Dropped> {
    let original = entry
        .link
        .as_deref()
        .map(str::trim)
        .filter(|link| !link.is_empty());
    let original = original.ok_or(Dropped::NoLink)?;
    let page = PageUrl::parse(original)?;
    let wanted = if settings.scrape == Some(false) {
        Wanted::NotByList
    } else {
        Wanted::Yes
    };
    Ok(Candidate {
        host: HostKey::of(page.url()),
        canonical: canonicalize(page.url()),
        original: original.to_owned(),
        page,
        wanted,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(link: Option<&str>) -> Entry {
        Entry {
            link: link.map(str::to_owned),
            ..Entry::default()
        }
    }

    #[test]
    fn the_original_url_is_kept_byte_for_byte() {
        let link = "HTTP://Example.org:80/a?utm_source=feed#top";

        let candidate = candidate(&entry(Some(link)), &FeedSettings::default()).unwrap();

        assert_eq!(candidate.original, link);
        assert_eq!(candidate.host.as_str(), "example.org");
        assert_eq!(candidate.wanted, Wanted::Yes);
    }

    #[test]
    fn entries_without_a_usable_link_say_why() {
        let settings = FeedSettings::default();

        assert_eq!(candidate(&entry(None), &settings), Err(Dropped::NoLink));
        assert!(matches!(
            candidate(&entry(Some("javascript:alert(1)")), &settings),
            Err(Dropped::BadLink(UrlError::Scheme { .. }))
        ));
    }

    #[test]
    fn a_list_may_do_without_pages() {
        let settings = FeedSettings {
            scrape: Some(false),
            ..FeedSettings::default()
        };

        let candidate = candidate(&entry(Some("https://example.org/a")), &settings).unwrap();

        assert_eq!(candidate.wanted, Wanted::NotByList);
    }

    proptest! {
        #[test]
        fn any_link_is_either_a_page_as_given_or_dropped_with_a_reason(link in ".*") {
            match candidate(&entry(Some(&link)), &FeedSettings::default()) {
                Ok(candidate) => prop_assert_eq!(candidate.original, link.trim()),
                Err(dropped) => prop_assert!(!dropped.to_string().is_empty()),
            }
        }
    }
}

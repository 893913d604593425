//! One URL per page: the normal form that is the first key of deduplication. Pure.

use url::Url;

/// Our normal form of a page's URL. Equal forms mean the same page; it is not meant to be fetched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalUrl(String);

impl CanonicalUrl {
    /// The normal form as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// 64-bit key of the normal form, for an index; the text is compared on a hit.
    #[must_use]
    pub fn key(&self) -> i64 {
        unimplemented!()
    }
}

/// The normal form of `url`: lower-case host, no default port, no fragment (but `#!`), no
/// tracking parameters, percent-encoding in one case; parameters keep their order, http and
/// https are one, `www.` is kept.
#[must_use]
pub fn canonicalize(url: &Url) -> CanonicalUrl {
    let _ = url;
    unimplemented!()
}

/// What the page declares as its canonical URL (RFC 6596), if it is believable: same
/// registrable domain, not the home page or a bare section of the page's own path.
#[must_use]
pub fn believable<'a>(page: &Url, declared: &'a Url) -> Option<&'a Url> {
    let _ = (page, declared);
    unimplemented!()
}

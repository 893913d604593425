//! What makes the next request conditional.

/// `ETag` and `Last-Modified` exactly as the server sent them, byte for byte.
///
/// Opaque: we only send them back (RFC 9110 §8.8, §13.1). A stored validator is
/// an acknowledgement: it is written in the same transaction as the entries of
/// the document that carried it, never before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The entity tag, quotes and `W/` included.
    pub etag: Option<Vec<u8>>,
    /// The `Last-Modified` date, in whatever spelling the server uses.
    pub last_modified: Option<Vec<u8>>,
    /// The URL that gave them, which after a redirect is not the feed's own: they are sent
    /// to no other. `None` means the feed's own URL.
    pub url: Option<String>,
}

impl Validators {
    /// Whether there is nothing to send back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }

    /// These, updated by what a 304 carried (RFC 9110 §15.4.5).
    #[must_use]
    pub fn merged(self, newer: Self) -> Self {
        Self {
            etag: newer.etag.or(self.etag),
            last_modified: newer.last_modified.or(self.last_modified),
            url: newer.url.or(self.url),
        }
    }
}

//! Why an attempt failed: one name per case that someone treats differently.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// One failed attempt, as it is recorded and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The case.
    pub kind: ErrorKind,
    /// What happened, for a person: which URL, limit, status. No control characters.
    pub detail: String,
    /// The HTTP status, when there was one.
    pub status: Option<u16>,
    /// `Retry-After`, already a span, as the server sent it (RFC 9110 §10.2.3).
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure without an HTTP status. Control characters in `detail` become spaces.
    #[must_use]
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        let detail: String = detail.into();
        let detail = detail
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(500)
            .collect();
        Self {
            kind,
            detail,
            status: None,
            retry_after: None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)
    }
}

/// When to try again after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Soon, with doubling delays.
    BackOff,
    /// Once a day: the server has made up its mind, but it may change it.
    Daily,
    /// Not by itself: the publisher asked us to stop, or nothing would change.
    Never,
}

macro_rules! kinds {
    ($($variant:ident $name:literal $page_retry:ident $meaning:literal, $remedy:literal;)*) => {
        /// The kinds of failure, by the names used in the store, in JSON and in `docs/errors.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorKind {
            $(#[doc = $meaning] $variant,)*
        }

        impl ErrorKind {
            /// All kinds, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name: lower case with underscores.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What happened, in one sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// What a person can do about it.
            #[must_use]
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }

            /// Whether another attempt at a *page* can help. Feeds are always asked again.
            #[must_use]
            pub fn page_retry(self) -> Retry {
                match self { $(Self::$variant => Retry::$page_retry,)* }
            }
        }
    };
}

kinds! {
    AddressBlocked "address_blocked" Never "The host is, or resolves to, an address that is not public.", "If the host is yours, name its network in `[fetch] allow_private`.";
    SchemeBlocked "scheme_blocked" Never "The URL, or a redirect, is neither http nor https, or leads from https to http.", "Correct the URL in the feed list, or tell the publisher.";
    InvalidUrl "invalid_url" Never "The URL cannot be read, or its port is not allowed.", "Correct the URL in the feed list, or tell the publisher.";
    RedirectLimit "redirect_limit" BackOff "There were more redirects than `[fetch] max_redirects`, or they ran in a ring.", "Open the URL in a browser and subscribe to the address where it ends.";
    RedirectInvalid "redirect_invalid" BackOff "A redirect without a usable `Location`.", "Tell the publisher; find the present address by hand.";
    Timeout "timeout" BackOff "The whole exchange took longer than `[fetch] timeout`, or no answer began in time.", "Nothing if it is rare; otherwise raise `[fetch] timeout`.";
    TooSlow "too_slow" BackOff "The body came slower than 100 bytes a second for 10 seconds.", "Nothing if it is rare; the server is overloaded or hostile.";
    Connect "connect" BackOff "No connection could be made: refused, or unreachable.", "Check the address, the network, and the proxy setting.";
    Reset "reset" BackOff "The connection was closed before an answer came.", "Nothing if it is rare; some servers close on clients they dislike.";
    Dns "dns" BackOff "The host name could not be resolved.", "Check the spelling and the resolver; the domain may have expired.";
    Tls "tls" BackOff "No secure connection: certificate or protocol.", "Check the clock and the CA certificates (`wireroom doctor`); otherwise tell the publisher.";
    Protocol "protocol" BackOff "The answer is not HTTP, or breaks its rules.", "Tell the publisher.";
    Truncated "truncated" BackOff "The body ended before its announced length.", "Nothing if it is rare; otherwise tell the publisher.";
    TooLarge "too_large" Never "The body, expanded, is larger than the limit.", "Raise `[fetch] max_feed_bytes` or `max_page_bytes` if the document is genuine.";
    Limit "limit" Never "A limit other than size was passed: nesting, header count, expansion ratio, processing time.", "The document is broken or hostile; tell the publisher if it is genuine.";
    Decompress "decompress" BackOff "The body's compression is damaged.", "Tell the publisher.";
    EncodingUnsupported "encoding_unsupported" BackOff "A `Content-Encoding` that we did not offer, or more than one.", "Tell the publisher.";
    Encoding "encoding" Never "The bytes are not text in any encoding that we could find.", "Tell the publisher.";
    HttpStatus "http_status" BackOff "A status that has no kind of its own.", "Open the URL in a browser; the status says whose fault it is.";
    NotFound "not_found" BackOff "404: nothing is there.", "If it stays so, look for the feed's new address with `wireroom discover SITE`.";
    Gone "gone" Never "410: the publisher says it will not come back.", "Remove the feed, or look for its successor with `wireroom discover SITE`.";
    Auth "auth" Daily "401 or 407: a login is wanted.", "Give the feed its login, or remove it.";
    Forbidden "forbidden" Daily "403 or 451: the server refuses us.", "Set `[fetch] contact`, slow down, or ask the publisher.";
    RateLimited "rate_limited" BackOff "429: we ask too often; the whole host rests.", "Lengthen the interval of this host's feeds.";
    Unavailable "unavailable" BackOff "503, 502 or 504: the server is overloaded or in maintenance.", "Nothing; it is asked again later.";
    Empty "empty" BackOff "The body is empty.", "Nothing if it is rare; otherwise tell the publisher.";
    NotAFeed "not_a_feed" BackOff "The document is not a feed, often an HTML page.", "Look for the feed with `wireroom discover URL`.";
    Parse "parse" BackOff "The feed is too broken to be read.", "See it with `wireroom parse URL`; tell the publisher.";
    Robots "robots" Never "The site's robots.txt does not allow this page.", "Respect it; what the feed itself said is kept.";
    NotHtml "not_html" Never "The page is not an HTML document: a PDF, an image, a video.", "Nothing; what the feed itself said is kept.";
    UnsupportedType "unsupported_type" Never "The document's type is one that we cannot read.", "Nothing; tell us if it should be readable.";
    NoContent "no_content" Never "The page has no article text that we could find.", "See it with `wireroom extract URL`; the page may need JavaScript.";
    Internal "internal" BackOff "A fault of wireroom itself; the rest goes on.", "Please report it with the URL.";
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ErrorKind {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.name() == name)
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in ErrorKind::ALL {
            assert_eq!(kind.name().parse(), Ok(*kind));
        }
    }

    #[test]
    fn details_cannot_forge_log_lines() {
        assert_eq!(
            Failure::new(ErrorKind::Parse, "a\nb\x1b[31m").detail,
            "a b [31m"
        );
    }
}

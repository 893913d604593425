//! Where a redirect leads, if it may lead there. Pure.

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};
use url::Url;

use super::headers::shown;
use crate::model::{ErrorKind, Failure};

/// Longest target, in bytes; as long as any URL that we take from outside.
const MAX_TARGET_BYTES: usize = 4096;

/// The redirects of one exchange.
#[derive(Debug)]
pub(super) struct Chain {
    limit: usize,
    hops: Vec<(u16, Url)>,
}

impl Chain {
    /// No redirects yet, and at most `limit`.
    pub(super) fn new(limit: usize) -> Self {
        let hops = Vec::new();
        Self { limit, hops }
    }

    /// Follows the redirect that `from` answered. The address of the target is not looked
    /// at here; it is checked like any other before it is asked for.
    pub(super) fn follow(
        &mut self,
        first: &Url,
        from: &Url,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<Url, Failure> {
        let target = target(from, headers).map_err(|failure| Failure {
            status: Some(status.as_u16()),
            ..failure
        })?;
        let is_ring = target == *first || self.hops.iter().any(|(_, url)| *url == target);
        if is_ring || self.hops.len() >= self.limit {
            let detail = match is_ring {
                true => format!("{} redirects in a ring", shown(first)),
                false => format!("{} has more than {} redirects", shown(first), self.limit),
            };
            return Err(Failure {
                status: Some(status.as_u16()),
                ..Failure::new(ErrorKind::RedirectLimit, detail)
            });
        }
        self.hops.push((status.as_u16(), target.clone()));
        Ok(target)
    }

    /// Whether a redirect has been followed.
    pub(super) fn is_under_way(&self) -> bool {
        !self.hops.is_empty()
    }

    /// The redirects that were followed.
    pub(super) fn into_hops(self) -> Vec<(u16, Url)> {
        self.hops
    }
}

/// Whether a status means that the answer is elsewhere (RFC 9110 §15.4).
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn target(from: &Url, headers: &HeaderMap) -> Result<Url, Failure> {
    let invalid = |what: &str| {
        let detail = format!("{} redirects {what}", shown(from));
        Failure::new(ErrorKind::RedirectInvalid, detail)
    };
    let location = headers
        .get(LOCATION)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let location = location.unwrap_or_default();
    let location = location.trim();
    if location.is_empty() {
        return Err(invalid("without saying where"));
    }
    if location.len() > MAX_TARGET_BYTES {
        return Err(invalid("to a URL that is too long"));
    }
    let mut target = from
        .join(location)
        .map_err(|_| invalid("to something that is not a URL"))?;
    let is_downgrade = from.scheme() == "https" && target.scheme() == "http";
    if is_downgrade || !matches!(target.scheme(), "http" | "https") {
        let detail = format!("{} redirects to {}:", shown(from), target.scheme());
        return Err(Failure::new(ErrorKind::SchemeBlocked, detail));
    }
    target.set_fragment(None);
    // A login in a redirect is somebody else's idea. Neither call fails for a URL with a host.
    let _ = target.set_username("");
    let _ = target.set_password(None);
    Ok(target)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn to(location: &[u8]) -> HeaderMap {
        HeaderMap::from_iter([(LOCATION, HeaderValue::from_bytes(location).unwrap())])
    }

    fn check(from: &str, location: &str, expect: Result<&str, ErrorKind>) {
        let got = target(&url(from), &to(location.as_bytes()));
        let got = got
            .as_ref()
            .map(Url::as_str)
            .map_err(|failure| failure.kind);
        assert_eq!(got, expect, "{from} to {location}");
    }

    #[test]
    fn targets_are_resolved_and_stripped() {
        check(
            "https://a.example/x/y",
            "../z?q#f",
            Ok("https://a.example/z?q"),
        );
        check(
            "http://a.example/",
            "https://a.example/",
            Ok("https://a.example/"),
        );
        check(
            "http://a.example/",
            "//u:p@b.example/ü",
            Ok("http://b.example/%C3%BC"),
        );
    }

    #[test]
    fn a_redirect_never_leaves_https_or_the_web() {
        check(
            "https://a.example/",
            "http://a.example/",
            Err(ErrorKind::SchemeBlocked),
        );
        check(
            "http://a.example/",
            "file:///etc/passwd",
            Err(ErrorKind::SchemeBlocked),
        );
        check(
            "http://a.example/",
            "javascript:alert(1)",
            Err(ErrorKind::SchemeBlocked),
        );
    }

    #[test]
    fn a_redirect_to_nowhere_is_invalid() {
        check("http://a.example/", " ", Err(ErrorKind::RedirectInvalid));
        check(
            "http://a.example/",
            "http://",
            Err(ErrorKind::RedirectInvalid),
        );
        check(
            "http://a.example/",
            &"x".repeat(5000),
            Err(ErrorKind::RedirectInvalid),
        );
        let none = target(&url("http://a.example/"), &HeaderMap::new());
        assert_eq!(none.unwrap_err().kind, ErrorKind::RedirectInvalid);
    }

    #[test]
    fn rings_and_long_chains_end() {
        let first = url("http://a.example/1");
        let mut chain = Chain::new(2);
        let mut follow = |from: &str, location: &str| {
            chain.follow(
                &first,
                &url(from),
                StatusCode::FOUND,
                &to(location.as_bytes()),
            )
        };

        assert!(follow("http://a.example/1", "/2").is_ok());
        let ring = follow("http://a.example/2", "/1").unwrap_err();
        assert!(follow("http://a.example/2", "/3").is_ok());
        let long = follow("http://a.example/3", "/4").unwrap_err();

        assert_eq!(
            (ring.kind, long.kind),
            (ErrorKind::RedirectLimit, ErrorKind::RedirectLimit)
        );
        assert_eq!(ring.detail, "http://a.example/1 redirects in a ring");
        assert_eq!(chain.into_hops().len(), 2);
    }

    proptest! {
        #[test]
        fn any_location_is_judged(location in prop::collection::vec(any::<u8>(), 0..50)) {
            let Ok(value) = HeaderValue::from_bytes(&location) else { return Ok(()) };
            let headers = HeaderMap::from_iter([(LOCATION, value)]);

            if let Ok(target) = target(&url("https://a.example/"), &headers) {
                prop_assert_eq!(target.scheme(), "https");
                prop_assert!(target.username().is_empty() && target.fragment().is_none());
            }
        }
    }
}

//! What a request carries, and to whom.

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    USER_AGENT,
};
use url::Url;

use super::RequestSettings;
use super::errand::Errand;
use crate::model::{FeedUrl, PageUrl, Validators};

/// What is asked for, and how.
pub(super) struct Ask<'a> {
    pub(super) what: What,
    pub(super) url: &'a Url,
    pub(super) validators: &'a Validators,
    pub(super) request: &'a RequestSettings,
    /// `None`: for anyone, whoever owns the hosts.
    pub(super) errand: Option<Errand>,
}

/// The three kinds of document that we ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Feed,
    Page,
    Robots,
}

impl<'a> Ask<'a> {
    /// A feed.
    pub(super) fn feed(
        url: &'a FeedUrl,
        validators: &'a Validators,
        request: &'a RequestSettings,
        errand: Option<Errand>,
    ) -> Self {
        Self {
            what: What::Feed,
            url: url.url(),
            validators,
            request,
            errand,
        }
    }

    /// A page, which is never asked for conditionally.
    pub(super) fn page(
        url: &'a PageUrl,
        no_validators: &'a Validators,
        request: &'a RequestSettings,
        errand: Option<Errand>,
    ) -> Self {
        Self {
            what: What::Page,
            url: url.url(),
            validators: no_validators,
            request,
            errand,
        }
    }

    /// Whether this begins where the feed or page is, and not where a redirect led to.
    fn is_at_home(&self) -> bool {
        self.errand.is_none_or(|errand| errand.moves == 0)
    }
}

/// The header fields that do not depend on what we know of the document.
pub(super) fn headers(ask: &Ask<'_>, url: &Url, user_agent: &HeaderValue) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(accept(ask.what)));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, br, zstd"));
    headers.insert(USER_AGENT, user_agent.clone());
    if ask.what != What::Robots && ask.is_at_home() && is_same_host(ask.url, url) {
        for (name, value) in &ask.request.headers {
            // Names and values were checked where they were read; what HTTP forbids all
            // the same is not sent.
            let name = HeaderName::from_bytes(name.as_bytes()).ok();
            let value = HeaderValue::from_str(value).ok();
            if let Some((name, value)) = name.zip(value).filter(|(name, _)| is_free(name)) {
                headers.insert(name, value);
            }
        }
    }
    let own = ask.request.user_agent.as_deref();
    if let Some(value) = own.and_then(|text| HeaderValue::from_str(text).ok()) {
        headers.insert(USER_AGENT, value);
    }
    headers
}

/// What is really asked for: a login that the operator put into a feed's URL goes to that
/// feed's host, where the client turns it into basic authentication, and nowhere else.
pub(super) fn target(ask: &Ask<'_>, url: &Url) -> Url {
    match ask.what {
        What::Feed if is_same_host(ask.url, url) => url.clone(),
        _ => without_login(url),
    }
}

fn accept(what: What) -> &'static str {
    match what {
        What::Feed => {
            "application/atom+xml, application/rss+xml, application/feed+json, \
             application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
        }
        What::Page => "text/html, application/xhtml+xml, */*;q=0.5",
        What::Robots => "text/plain, */*;q=0.5",
    }
}

/// The conditions of a request to `url` (RFC 9110 §13.1): validators go back byte for byte, and
/// only to the URL that gave them.
pub(super) fn conditions(ask: &Ask<'_>, url: &Url) -> HeaderMap {
    let from = ask.validators.url.as_deref();
    let is_source = match from {
        Some(from) => from == without_login(url).as_str(),
        None => ask.is_at_home() && url == ask.url,
    };
    let fields = [
        (IF_NONE_MATCH, &ask.validators.etag),
        (IF_MODIFIED_SINCE, &ask.validators.last_modified),
    ];
    fields
        .into_iter()
        .filter(|_| is_source)
        .filter_map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_ref()?).ok()?;
            Some((name, value))
        })
        .collect()
}

/// Whether what is meant for the host of `first` may be sent to `url` as well: the same host
/// and port, and never from https to http.
fn is_same_host(first: &Url, url: &Url) -> bool {
    let is_same_scheme = first.scheme() == url.scheme();
    let is_same_port = first.port() == url.port();
    // Without ports, the step from http to https is one of the same place.
    let is_upgrade = url.scheme() == "https" && first.port().is_none();
    first.host() == url.host() && is_same_port && (is_same_scheme || is_upgrade)
}

/// Whether a feed's settings may set this field: not what frames the message or its encoding.
fn is_free(name: &HeaderName) -> bool {
    let framing = [
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "range",
        "accept-encoding",
        "if-none-match",
        "if-modified-since",
        "proxy-authorization",
        "proxy-connection",
        "referer",
    ];
    !framing.contains(&name.as_str())
}

/// The same URL without a login.
pub(super) fn without_login(url: &Url) -> Url {
    let mut url = url.clone();
    // Neither fails for a URL with a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn what_is_meant_for_one_host_goes_to_no_other() {
        let is_same = |first: &str, other: &str| is_same_host(&url(first), &url(other));

        assert!(is_same("https://a.example/x", "https://a.example:443/y"));
        assert!(is_same("http://a.example/", "https://a.example/"));
        assert!(!is_same("https://a.example/", "http://a.example/"));
        assert!(!is_same("https://a.example/", "https://www.a.example/"));
        assert!(!is_same("https://a.example/", "https://a.example:8443/"));
        assert!(!is_same(
            "http://a.example:8080/",
            "https://a.example:8080/"
        ));
    }

    #[test]
    fn conditions_go_to_the_url_that_gave_them() {
        let first = url("https://me:secret@a.example/feed");
        let n_sent = |from: Option<&str>, to: &str| {
            let validators = Validators {
                etag: Some(b"\"v\"".to_vec()),
                last_modified: Some(b"\xe4".to_vec()),
                url: from.map(str::to_owned),
            };
            let ask = Ask {
                what: What::Feed,
                url: &first,
                validators: &validators,
                request: &RequestSettings::default(),
                errand: None,
            };
            conditions(&ask, &url(to)).len()
        };

        assert_eq!(n_sent(None, first.as_str()), 2);
        assert_eq!(n_sent(None, "https://a.example/other"), 0);
        assert_eq!(n_sent(Some("https://a.example/feed"), first.as_str()), 2);
        assert_eq!(n_sent(Some("https://b.example/"), "https://b.example/"), 2);
        assert_eq!(n_sent(Some("https://b.example/"), first.as_str()), 0);
    }
}

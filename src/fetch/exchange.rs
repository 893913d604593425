//! One exchange: from a URL to its answer, by way of redirects.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    USER_AGENT,
};
use reqwest::{Response, StatusCode};
use url::Url;

use super::body::{self, BodyError, Limits, Overflow};
use super::client::Trust;
use super::content_coding::{self, Coding};
use super::host_gate::{Pass, Resting};
use super::media;
use super::permission::Policy;
use super::redirect::{self, Chain};
use super::robots::{self, Robots};
use super::{Exchange, Fetcher, RequestSettings, failure, headers};
use crate::model::{ErrorKind, Failure, HostKey, Validators};

/// The name by which robots.txt addresses us, whatever the `User-Agent`.
const PRODUCT: &str = "wireroom";
/// How long a host rests after a 429 that does not say for how long.
const REST_AFTER_429: Duration = Duration::from_secs(3600);
/// A body below 100 B/s for so long is given up; for a third of `timeout` if that is shorter.
const SLOW_WINDOW: Duration = Duration::from_secs(10);

/// What is asked for, and how.
pub(super) struct Ask<'a> {
    pub(super) what: What,
    pub(super) url: &'a Url,
    pub(super) validators: &'a Validators,
    pub(super) request: &'a RequestSettings,
}

/// The three kinds of document that we ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Feed,
    Page,
    Robots,
}

/// A good answer: 200 with its body, or 304 without.
pub(super) struct Answer {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
}

/// What is known of an exchange, also of one that fails.
struct Trail {
    status: Option<u16>,
    n_bytes: u64,
    duration: Duration,
    /// For how long the host that answered last wishes to rest.
    rest: Duration,
    chain: Chain,
}

/// What one request led to.
enum Hop {
    Answer(Answer),
    Redirect(StatusCode, HeaderMap),
}

impl Fetcher {
    /// Asks, follows redirects, and reads the answer.
    pub(super) async fn exchange(&self, ask: &Ask<'_>) -> Exchange<Answer> {
        let mut trail = Trail {
            status: None,
            n_bytes: 0,
            duration: Duration::ZERO,
            rest: Duration::ZERO,
            chain: Chain::new(self.shared.settings.max_redirects),
        };
        let answer = self.follow(ask, &mut trail).await;
        Exchange {
            status: trail.status,
            n_bytes: trail.n_bytes,
            duration: trail.duration,
            redirects: trail.chain.into_hops(),
            answer,
        }
    }

    async fn follow(&self, ask: &Ask<'_>, trail: &mut Trail) -> Result<Answer, Failure> {
        let mut url = ask.url.clone();
        loop {
            let mut pass = self.admit(ask, &url).await?;
            let left = self.shared.settings.timeout.saturating_sub(trail.duration);
            let began = Instant::now();
            let hop = tokio::time::timeout(left, self.ask_once(ask, &url, trail));
            let hop = pass.spend_on(hop).await;
            trail.duration += began.elapsed();
            pass.rest_host(std::mem::take(&mut trail.rest));
            // The host's pause begins here, also when the next hop goes to the same host.
            drop(pass);
            match hop.unwrap_or_else(|_| Err(self.timed_out(&url)))? {
                Hop::Answer(answer) => return Ok(answer),
                Hop::Redirect(status, headers) => {
                    url = trail.chain.follow(ask.url, &url, status, &headers)?;
                }
            }
        }
    }

    /// All that comes before a request: address, robots.txt, and the host's turn.
    async fn admit(&self, ask: &Ask<'_>, url: &Url) -> Result<Pass, Failure> {
        self.shared.guard.admit(url).await?;
        let crawl_delay = match ask.what {
            What::Page if self.shared.settings.robots => {
                self.robots_policy(url, ask.request).await.check(url)?
            }
            _ => None,
        };
        let pass = self.shared.gate.enter(HostKey::of(url)).await;
        let mut pass = pass.map_err(|resting| rests(resting, url))?;
        pass.lengthen_gap(crawl_delay.unwrap_or_default());
        Ok(pass)
    }

    /// What the robots.txt of `url`'s site says; asked for at most once a day.
    ///
    /// Boxed, because it is itself an exchange.
    fn robots_policy<'a>(
        &'a self,
        url: &Url,
        request: &'a RequestSettings,
    ) -> Pin<Box<dyn Future<Output = Policy> + Send + 'a>> {
        let origin = url.origin().ascii_serialization();
        let file = url.join("/robots.txt");
        Box::pin(async move {
            let Ok(file) = file else {
                return Policy::Free;
            };
            let fetch = async {
                let ask = Ask {
                    what: What::Robots,
                    url: &without_login(&file),
                    validators: &Validators::default(),
                    request,
                };
                match self.exchange(&ask).await.answer {
                    Ok(answer) => {
                        let file = answer.body.unwrap_or_default();
                        Policy::Rules(Arc::new(Robots::parse(&file, PRODUCT)))
                    }
                    Err(failure) => Policy::without_file(&origin, failure),
                }
            };
            self.shared.permissions.policy(&origin, fetch).await
        })
    }

    /// One request and its answer.
    async fn ask_once(&self, ask: &Ask<'_>, url: &Url, trail: &mut Trail) -> Result<Hop, Failure> {
        let conditions = conditions(ask, url);
        let is_conditional = !conditions.is_empty();
        let request = self.shared.wire.client.get(target(ask, url));
        let request = request.headers(self.headers(ask, url)).headers(conditions);

        let response = request.send().await;
        let response = response.map_err(|error| self.unanswered(&error, url))?;
        self.shared.guard.admit_peer(response.remote_addr(), url)?;
        let status = response.status();
        trail.status = Some(status.as_u16());
        trail.rest = rest(status, response.headers());

        if redirect::is_redirect(status) {
            return Ok(Hop::Redirect(status, response.headers().clone()));
        }
        let body = match status.as_u16() {
            304 if is_conditional => None,
            200 | 203 => {
                let headers = response.headers().clone();
                let body = self.read_body(ask, url, response, trail).await?;
                return Ok(Hop::answer(url, headers, Some(body)));
            }
            _ => {
                let retry_after = headers::retry_after(response.headers());
                return Err(failure::of_status(status, retry_after, url));
            }
        };
        Ok(Hop::answer(url, response.headers().clone(), body))
    }

    async fn read_body(
        &self,
        ask: &Ask<'_>,
        url: &Url,
        response: Response,
        trail: &mut Trail,
    ) -> Result<Bytes, Failure> {
        let status = response.status().as_u16();
        let limits = self.limits(ask.what);
        let body = async {
            let coding =
                Coding::of(response.headers()).map_err(|named| unknown_coding(&named, url))?;
            let expected = match ask.what {
                What::Page => Some(media::expected_of_page(
                    headers::content_type(response.headers()).as_deref(),
                )?),
                What::Feed | What::Robots => None,
            };
            let announced = response.content_length().unwrap_or_default();
            if announced > limits.max_bytes && limits.overflow == Overflow::Refuse {
                return Err(failure::of_body(BodyError::TooLarge, limits.max_bytes, url));
            }
            let look = |first: &[u8]| match expected {
                Some(expected) => media::check_page(expected, first),
                None => media::check_not_compressed(first),
            };
            let stream = content_coding::decode(Box::pin(response.bytes_stream()), coding);
            let body = body::read(stream, &limits, &mut trail.n_bytes, look).await;
            body.map_err(|error| failure::of_body(error, limits.max_bytes, url))
        };
        body.await.map_err(|failure| Failure {
            status: Some(status),
            ..failure
        })
    }

    /// The header fields that do not depend on what we know of the document.
    fn headers(&self, ask: &Ask<'_>, url: &Url) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept(ask.what)));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, br, zstd"));
        headers.insert(USER_AGENT, self.shared.user_agent.clone());
        if ask.what != What::Robots && is_same_host(ask.url, url) {
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
        let user_agent = ask.request.user_agent.as_deref();
        if let Some(value) = user_agent.and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.insert(USER_AGENT, value);
        }
        headers
    }

    fn limits(&self, what: What) -> Limits<'_> {
        let settings = &self.shared.settings;
        let (max_bytes, overflow) = match what {
            What::Feed => (settings.max_feed_bytes, Overflow::Refuse),
            What::Page => (settings.max_page_bytes, Overflow::Refuse),
            What::Robots => (robots::MAX_BYTES as u64, Overflow::Cut),
        };
        Limits {
            max_bytes,
            overflow,
            slow_window: SLOW_WINDOW.min(settings.timeout / 3),
            large: &self.shared.large_bodies,
        }
    }

    fn unanswered(&self, error: &reqwest::Error, url: &Url) -> Failure {
        let failure = failure::of_request(error, url);
        if failure.kind == ErrorKind::Tls && self.shared.wire.trust == Trust::Nobody {
            let detail = "this machine has no CA certificates: install the package \
                          ca-certificates, or name a file in `[fetch] ca_file`";
            return Failure::new(ErrorKind::Tls, detail);
        }
        failure
    }

    fn timed_out(&self, url: &Url) -> Failure {
        let seconds = self.shared.settings.timeout.as_secs_f64();
        let detail = format!("{} took longer than {seconds} s", headers::shown(url));
        Failure::new(ErrorKind::Timeout, detail)
    }
}

impl Hop {
    fn answer(url: &Url, headers: HeaderMap, body: Option<Bytes>) -> Self {
        let url = without_login(url);
        Self::Answer(Answer { url, headers, body })
    }
}

/// What is really asked for: a login that the operator put into a feed's URL goes to that
/// feed's host, where the client turns it into basic authentication, and nowhere else.
fn target(ask: &Ask<'_>, url: &Url) -> Url {
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
fn conditions(ask: &Ask<'_>, url: &Url) -> HeaderMap {
    let from = ask.validators.url.as_deref();
    let is_source = match from {
        Some(from) => from == without_login(url).as_str(),
        None => url == ask.url,
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

/// A 429 rests its host, and so does a 503 that says until when.
fn rest(status: StatusCode, headers: &HeaderMap) -> Duration {
    let asked = headers::retry_after(headers);
    match status.as_u16() {
        429 => asked.unwrap_or(REST_AFTER_429),
        503 => asked.unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

fn rests(resting: Resting, url: &Url) -> Failure {
    let host = url.host_str().unwrap_or_default();
    let detail = format!(
        "{host} asked us to rest for another {} s",
        resting.wait.as_secs()
    );
    Failure {
        retry_after: Some(resting.wait),
        ..Failure::new(ErrorKind::RateLimited, detail)
    }
}

/// A coding that we do not know, or more than one: nothing of it is decoded.
fn unknown_coding(named: &str, url: &Url) -> Failure {
    let detail = format!("{} sent Content-Encoding: {named}", headers::shown(url));
    Failure::new(ErrorKind::EncodingUnsupported, detail)
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

fn without_login(url: &Url) -> Url {
    let mut url = url.clone();
    // Neither fails for a URL with a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Settings;

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
            };
            conditions(&ask, &url(to)).len()
        };

        assert_eq!(n_sent(None, first.as_str()), 2);
        assert_eq!(n_sent(None, "https://a.example/other"), 0);
        assert_eq!(n_sent(Some("https://a.example/feed"), first.as_str()), 2);
        assert_eq!(n_sent(Some("https://b.example/"), "https://b.example/"), 2);
        assert_eq!(n_sent(Some("https://b.example/"), first.as_str()), 0);
    }

    #[test]
    fn a_slow_window_fits_into_the_timeout() {
        let window = |seconds| {
            let timeout = Duration::from_secs(seconds);
            let settings = Settings {
                timeout,
                ..Settings::default()
            };
            Fetcher::new(settings)
                .unwrap()
                .limits(What::Page)
                .slow_window
        };

        assert_eq!(window(60), Duration::from_secs(10));
        assert_eq!(window(3), Duration::from_secs(1));
    }
}

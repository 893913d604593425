//! One exchange: from a URL to its answer, by way of redirects.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use url::Url;

use super::body::{self, BodyError, Limits, Overflow};
use super::client::Trust;
use super::content_coding::{self, Coding};
use super::errand::{Asked, Errand, Stop, within};
use super::host_gate::{Pass, Resting};
use super::media;
use super::permission::Policy;
use super::redirect::{self, Chain};
use super::request::{self, Ask, What, without_login};
use super::robots::{self, Robots};
use super::{Exchange, Fetcher, Wishes, failure, headers};
use crate::model::{ErrorKind, Failure, HostKey, Validators};
use crate::ownership::{self, Flight, Ownership};

/// The name by which robots.txt addresses us, whatever the `User-Agent`.
const PRODUCT: &str = "wireroom";
/// How long a host rests after a 429 that does not say for how long.
const REST_AFTER_429: Duration = Duration::from_secs(3600);
/// A body below 100 B/s for so long is given up; for a third of `timeout` if that is shorter.
const SLOW_WINDOW: Duration = Duration::from_secs(10);

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
    pub(super) async fn exchange(&self, ask: &Ask<'_>) -> Asked<Answer> {
        let n_moves = ask.errand.map_or(0, |errand| errand.moves);
        let limit = self.shared.settings.max_redirects;
        let limit = limit.saturating_sub(usize::try_from(n_moves).unwrap_or(usize::MAX));
        let mut trail = Trail {
            status: None,
            n_bytes: 0,
            duration: Duration::ZERO,
            rest: Duration::ZERO,
            chain: Chain::new(limit),
        };
        let answer = self.follow(ask, &mut trail).await;
        let wishes = self.shared.gate.wishes(&HostKey::of(ask.url));
        match answer {
            Ok(answer) => Asked::Answered(trail.exchange(wishes, Ok(answer))),
            Err(Stop::Failed(failure)) => Asked::Answered(trail.exchange(wishes, Err(failure))),
            Err(Stop::Moved(url)) => Asked::Moved(trail.exchange(wishes, Ok(url))),
            Err(Stop::NotOurs) => Asked::NotOurs,
        }
    }

    async fn follow(&self, ask: &Ask<'_>, trail: &mut Trail) -> Result<Answer, Stop> {
        let mut url = ask.url.clone();
        loop {
            let left = self.shared.settings.timeout.saturating_sub(trail.duration);
            let admitted = self.admit(ask, &url, left).await;
            let (mut pass, flight) = admitted.map_err(|stop| match stop {
                // Whoever owns that host goes on there.
                Stop::NotOurs if trail.chain.is_under_way() => Stop::Moved(url.clone()),
                stop => stop,
            })?;
            let began = Instant::now();
            let hop = within(left, self.ask_once(ask, &url, trail));
            let hop = pass.spend_on(hop).await;
            trail.duration += began.elapsed();
            pass.rest_host(std::mem::take(&mut trail.rest));
            // The host's pause begins here, also when the next hop goes to the same host.
            drop(pass);
            drop(flight);
            match hop.unwrap_or_else(|| Err(self.timed_out(&url)))? {
                Hop::Answer(answer) => return Ok(answer),
                Hop::Redirect(status, headers) => {
                    url = trail.chain.follow(ask.url, &url, status, &headers)?;
                }
            }
        }
    }

    /// All that comes before a request that takes at most `takes`: ownership, address,
    /// robots.txt, and the host's turn.
    async fn admit(
        &self,
        ask: &Ask<'_>,
        url: &Url,
        takes: Duration,
    ) -> Result<(Pass, Flight), Stop> {
        let host = HostKey::of(url);
        let takes = takes + ownership::margin(self.shared.settings.timeout);
        // Asked first as well, because all that follows may take its time, or go to the host.
        drop(self.start(ask, &host, takes)?);
        self.shared.guard.admit(url).await?;
        let crawl_delay = self.crawl_delay(ask, url).await?;
        self.hold_new_host(ask, url, &host);
        let pass = self.shared.gate.enter(host.clone()).await;
        let mut pass = pass.map_err(|resting| rests(resting, url))?;
        let flight = self.start(ask, &host, takes)?;
        pass.lengthen_gap(crawl_delay.unwrap_or_default());
        Ok((pass, flight))
    }

    fn start(&self, ask: &Ask<'_>, host: &HostKey, takes: Duration) -> Result<Flight, Stop> {
        let everyone = Ownership::all();
        let ownership = match ask.errand {
            Some(_) => &self.shared.ownership,
            None => &everyone,
        };
        ownership.start(host, takes).map_err(|_| Stop::NotOurs)
    }

    /// A host that has just become ours may have been asked by its last owner a moment ago.
    fn hold_new_host(&self, ask: &Ask<'_>, url: &Url, host: &HostKey) {
        let Some(since) = self.shared.ownership.held_since(host) else {
            return;
        };
        let known = ask.errand.filter(|_| url == ask.url);
        let known = known.and_then(|errand| errand.gap).unwrap_or_default();
        let gap = self.shared.settings.host_gap.max(known);
        self.shared.gate.hold_until(host, since + gap);
    }

    /// The pause that the site wishes for; for a page, also whether it may be asked for at all.
    async fn crawl_delay(&self, ask: &Ask<'_>, url: &Url) -> Result<Option<Duration>, Stop> {
        let origin = url.origin().ascii_serialization();
        match ask.what {
            _ if !self.shared.settings.robots => Ok(None),
            What::Page => Ok(self.robots_policy(origin, ask, url).await?.check(url)?),
            // Not asked for robots.txt, but what it is known to say is heeded.
            What::Feed => Ok(self.shared.permissions.known_delay(&origin)),
            What::Robots => Ok(None),
        }
    }

    /// What the robots.txt of `url`'s site says; asked for at most once a day. One that
    /// redirects to a host of another worker counts as absent (RFC 9309 §2.3.1.2 wants five
    /// redirects followed, and lets the rest count so).
    ///
    /// Boxed, because it is itself an exchange.
    fn robots_policy<'a>(
        &'a self,
        origin: String,
        page: &'a Ask<'a>,
        url: &Url,
    ) -> Pin<Box<dyn Future<Output = Result<Policy, Stop>> + Send + 'a>> {
        let file = url.join("/robots.txt");
        Box::pin(async move {
            let Ok(file) = file else {
                return Ok(Policy::Free);
            };
            let fetch = async {
                let ask = Ask {
                    what: What::Robots,
                    url: &without_login(&file),
                    validators: &Validators::default(),
                    request: page.request,
                    errand: page.errand.map(|_| Errand::default()),
                };
                match self.exchange(&ask).await {
                    Asked::Answered(exchange) => Ok(match exchange.answer {
                        Ok(answer) => {
                            let file = answer.body.unwrap_or_default();
                            Policy::Rules(Arc::new(Robots::parse(&file, PRODUCT)))
                        }
                        Err(failure) => Policy::without_file(&origin, failure),
                    }),
                    Asked::Moved(_) => Ok(Policy::Free),
                    Asked::NotOurs => Err(Stop::NotOurs),
                }
            };
            self.shared.permissions.policy(&origin, fetch).await
        })
    }

    /// One request and its answer.
    async fn ask_once(&self, ask: &Ask<'_>, url: &Url, trail: &mut Trail) -> Result<Hop, Failure> {
        let conditions = request::conditions(ask, url);
        let is_conditional = !conditions.is_empty();
        let request = self.shared.wire.client.get(request::target(ask, url));
        let request = request
            .headers(request::headers(ask, url, &self.shared.user_agent))
            .headers(conditions);

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

impl Trail {
    fn exchange<T>(self, wishes: Wishes, answer: Result<T, Failure>) -> Exchange<T> {
        Exchange {
            status: self.status,
            n_bytes: self.n_bytes,
            duration: self.duration,
            redirects: self.chain.into_hops(),
            wishes,
            answer,
        }
    }
}

impl Hop {
    fn answer(url: &Url, headers: HeaderMap, body: Option<Bytes>) -> Self {
        let url = without_login(url);
        Self::Answer(Answer { url, headers, body })
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Settings;

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

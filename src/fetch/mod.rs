//! HTTP with manners: the only module that opens outgoing connections.
//!
//! Read [`Fetcher::feed`] and [`Fetcher::page`], then the exchange under them: each hop of a
//! redirect chain is checked by the address guard and by robots.txt, waits its turn at the
//! host's gate, asks once, and is read within limits.

mod exchange;

mod errand;
mod request;

mod address_guard;
mod public_address;

mod permission;
pub mod robots;

mod host_gate;

mod body;
mod client;
mod content_coding;
mod headers;
mod media;
mod redirect;

mod failure;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ipnet::IpNet;
use reqwest::header::HeaderValue;
use tokio::sync::Semaphore;
use url::Url;

use self::address_guard::AddressGuard;
use self::client::Wire;
use self::exchange::Answer;
use self::host_gate::{HostGate, Pace};
use self::permission::Permissions;
use self::request::Ask;
use crate::model::{ErrorKind, Failure, FeedUrl, HostKey, PageUrl, Validators};
use crate::ownership::{self, Ownership};

pub use self::errand::{Asked, Errand};
pub use self::host_gate::Wishes;

/// An exchange that takes longer makes way for others.
const SLOW_AFTER: Duration = Duration::from_secs(3);

/// How to fetch. `[fetch]` of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// HTTP proxy for everything. Names are then resolved by the proxy, and the address guard
    /// sees only the addresses that stand in URLs. Default: none, whatever the environment says.
    pub proxy: Option<Url>,
    /// Networks that may be contacted although they are not public. Default: none.
    pub allow_private: Vec<IpNet>,
    /// Shortest time between two requests to one host, from the end of one to the start of
    /// the next. Default 1 s; a slow answer lengthens it to its own duration, up to 30 s. Zero
    /// means no pause at all, for one's own servers.
    pub host_gap: Duration,
    /// Longest time for one exchange, redirects included, waiting at the host's gate not.
    /// Default 30 s.
    pub timeout: Duration,
    /// Longest time for DNS, TCP and TLS together. Default 10 s.
    pub connect_timeout: Duration,
    /// Largest feed document, expanded, in bytes. Default 10 MiB.
    pub max_feed_bytes: u64,
    /// Largest page, expanded, in bytes. Default 5 MiB.
    pub max_page_bytes: u64,
    /// Most redirects followed in one exchange. Default 5.
    pub max_redirects: usize,
    /// Most exchanges at once, feeds and pages together. Default 32. Those that take longer
    /// than 3 s (or a tenth of `timeout`) count apart, up to as many again, so that slow
    /// servers do not hold up the others.
    pub max_connections: usize,
    /// `User-Agent`; default `wireroom/VERSION`, with the contact if there is one.
    pub user_agent: Option<String>,
    /// URL or mail address that a publisher can turn to, shown in `User-Agent`.
    pub contact: Option<String>,
    /// Whether robots.txt is obeyed for pages. Default true.
    pub robots: bool,
    /// File of CA certificates in PEM, instead of the system's.
    pub ca_file: Option<std::path::PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            proxy: None,
            allow_private: Vec::new(),
            host_gap: Duration::from_secs(1),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_feed_bytes: 10 << 20,
            max_page_bytes: 5 << 20,
            max_redirects: 5,
            max_connections: 32,
            user_agent: None,
            contact: None,
            robots: true,
            ca_file: None,
        }
    }
}

/// What one feed adds to its requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestSettings {
    /// `User-Agent` instead of the general one.
    pub user_agent: Option<String>,
    /// Further headers; sent only to the host of the first URL, never past a redirect elsewhere.
    pub headers: Vec<(String, String)>,
}

/// Why no fetcher could be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No CA certificates, a bad `ca_file`, a bad proxy URL.
    #[error("cannot set up HTTP: {0}")]
    Client(String),
}

/// One exchange, whatever came of it.
#[derive(Clone, Debug)]
pub struct Exchange<T> {
    /// Status of the last answer, if any came.
    pub status: Option<u16>,
    /// Bytes of the body, expanded.
    pub n_bytes: u64,
    /// From the first request to the last byte, waiting for the gate not included.
    pub duration: Duration,
    /// The redirects that were followed, in order: status and target.
    pub redirects: Vec<(u16, Url)>,
    /// What the host of the first URL wishes for, as it is known now.
    pub wishes: Wishes,
    /// The answer, or why there is none.
    pub answer: Result<T, Failure>,
}

/// A feed's answer.
#[derive(Clone, Debug)]
pub enum FeedAnswer {
    /// 304 (RFC 9110 §15.4.5).
    NotModified {
        /// What the 304 carried, to be merged with what is stored.
        validators: Validators,
        /// `Cache-Control: max-age`, if any.
        max_age: Option<Duration>,
    },
    /// 200.
    Document(FeedDocument),
}

/// The bytes of a feed, and what came with them.
#[derive(Clone, Debug)]
pub struct FeedDocument {
    /// Raw body after content decoding; the parser finds the charset.
    pub body: Bytes,
    /// The URL that answered, after redirects.
    pub url: Url,
    /// `Content-Type` as sent.
    pub content_type: Option<String>,
    /// Validators of this document; empty after a redirect to another URL is fine: they
    /// belong to the URL that answered.
    pub validators: Validators,
    /// `Cache-Control: max-age`, if any.
    pub max_age: Option<Duration>,
}

/// The bytes of a page, and what came with them.
#[derive(Clone, Debug)]
pub struct PageDocument {
    /// Raw body after content decoding.
    pub body: Bytes,
    /// The URL that answered, after redirects.
    pub url: Url,
    /// `Content-Type` as sent.
    pub content_type: Option<String>,
}

/// Fetches feeds and pages. A cheap clone: all clones share connections, host gate and robots.
#[derive(Clone)]
pub struct Fetcher {
    shared: Arc<Shared>,
}

/// All that the clones of a [`Fetcher`] share.
struct Shared {
    settings: Settings,
    user_agent: HeaderValue,
    wire: Wire,
    guard: AddressGuard,
    gate: HostGate,
    permissions: Permissions,
    /// Which hosts the worker may ask for whom this fetcher was built.
    ownership: Ownership,
    /// Places for bodies beyond 1 MiB.
    large_bodies: Semaphore,
}

impl Fetcher {
    /// Builds the one HTTP client of the process.
    ///
    /// Without any CA certificates on the machine it is built all the same, and each https
    /// request says what is missing.
    ///
    /// # Errors
    /// [`BuildError`] when TLS or the proxy cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, BuildError> {
        Self::of_worker(settings, Ownership::all())
    }

    /// The same for one worker of several, whose errands ask only hosts that it owns.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_worker(settings: Settings, ownership: Ownership) -> Result<Self, BuildError> {
        let guard = AddressGuard::new(
            settings.allow_private.clone(),
            client::who_resolves(&settings),
            settings.connect_timeout,
        );
        let shared = Shared {
            user_agent: client::user_agent(&settings)?,
            wire: client::build(&settings, &guard)?,
            gate: HostGate::new(Pace {
                gap: settings.host_gap,
                max_connections: settings.max_connections,
                slow_after: SLOW_AFTER.min(settings.timeout / 10),
            }),
            permissions: Permissions::default(),
            ownership,
            large_bodies: Semaphore::new(body::MAX_LARGE_BODIES),
            guard,
            settings,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Asks for a feed, conditionally when `validators` is not empty. Waits for the host's gap.
    /// For a command, by a person: whoever owns the host.
    ///
    /// The condition goes only to the URL that gave the validators, which after a redirect is
    /// not `url`. robots.txt is not asked: a person asked for the feed (RFC 9309 is for crawlers).
    pub async fn feed(
        &self,
        url: &FeedUrl,
        validators: &Validators,
        request: &RequestSettings,
    ) -> Exchange<FeedAnswer> {
        let ask = Ask::feed(url, validators, request, None);
        self.exchange(&ask).await.of_anyone().and_then(feed_answer)
    }

    /// Asks for a page, robots.txt first. Waits for the host's gap. For a command, by a
    /// person: whoever owns the host.
    pub async fn page(&self, url: &PageUrl, request: &RequestSettings) -> Exchange<PageDocument> {
        let validators = Validators::default();
        let ask = Ask::page(url, &validators, request, None);
        self.exchange(&ask)
            .await
            .of_anyone()
            .and_then(page_document)
    }

    /// The same as [`feed`](Self::feed) for the worker that owns the host.
    pub async fn poll(
        &self,
        url: &FeedUrl,
        validators: &Validators,
        request: &RequestSettings,
        errand: Errand,
    ) -> Asked<FeedAnswer> {
        let ask = Ask::feed(url, validators, request, Some(errand));
        self.exchange(&ask).await.and_then(feed_answer)
    }

    /// The same as [`page`](Self::page) for the worker that owns the host.
    pub async fn scrape(
        &self,
        url: &PageUrl,
        request: &RequestSettings,
        errand: Errand,
    ) -> Asked<PageDocument> {
        let validators = Validators::default();
        let ask = Ask::page(url, &validators, request, Some(errand));
        self.exchange(&ask).await.and_then(page_document)
    }

    /// `host` asked, maybe of another process and long ago, to rest for another `span`.
    pub fn rest(&self, host: &HostKey, span: Duration) {
        self.shared.gate.rest(host, span);
    }

    /// Whether an errand could start now at some host: with several workers not while the
    /// database is away, nor before this one owns a shard.
    #[must_use]
    pub fn can_start(&self) -> bool {
        let longest = self.shared.settings.timeout;
        let takes = longest + ownership::margin(longest);
        self.shared.ownership.can_start(takes)
    }

    /// Hosts to which no request can start now, with the time when one can: those in
    /// flight (their time is unknown: `None`) and those whose gap has not passed.
    #[must_use]
    pub fn resting_hosts(&self) -> Vec<(HostKey, Option<Instant>)> {
        self.shared.gate.resting()
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").finish_non_exhaustive()
    }
}

impl<T> Exchange<T> {
    /// The same exchange, with what the answer means.
    fn and_then<U>(self, read: impl FnOnce(T) -> Result<U, Failure>) -> Exchange<U> {
        Exchange {
            status: self.status,
            n_bytes: self.n_bytes,
            duration: self.duration,
            redirects: self.redirects,
            wishes: self.wishes,
            answer: self.answer.and_then(read),
        }
    }
}

fn feed_answer(answer: Answer) -> Result<FeedAnswer, Failure> {
    let validators = headers::validators(&answer.headers, &answer.url);
    let max_age = headers::max_age(&answer.headers);
    let Some(body) = answer.body else {
        return Ok(FeedAnswer::NotModified {
            validators,
            max_age,
        });
    };
    refuse_empty(&body, &answer.url)?;
    Ok(FeedAnswer::Document(FeedDocument {
        body,
        content_type: headers::content_type(&answer.headers),
        url: answer.url,
        validators,
        max_age,
    }))
}

fn page_document(answer: Answer) -> Result<PageDocument, Failure> {
    let body = answer.body.unwrap_or_default();
    refuse_empty(&body, &answer.url)?;
    Ok(PageDocument {
        body,
        content_type: headers::content_type(&answer.headers),
        url: answer.url,
    })
}

fn refuse_empty(body: &[u8], url: &Url) -> Result<(), Failure> {
    if body.trim_ascii().is_empty() {
        let detail = format!("{} answered with an empty body", headers::shown(url));
        return Err(Failure::new(ErrorKind::Empty, detail));
    }
    Ok(())
}

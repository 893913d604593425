//! HTTP with manners: the only module that opens outgoing connections.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ipnet::IpNet;
use url::Url;

use crate::model::{Failure, FeedUrl, HostKey, PageUrl, Validators};

/// How to fetch. `[fetch]` of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// HTTP proxy for everything; the address guard then rests with the proxy.
    pub proxy: Option<Url>,
    /// Networks that may be contacted although they are not public. Default: none.
    pub allow_private: Vec<IpNet>,
    /// Shortest time between two requests to one host, from the end of one to the start of
    /// the next. Default 1 s; a slow answer lengthens it to its own duration.
    pub host_gap: Duration,
    /// Longest time for one exchange, redirects included. Default 30 s.
    pub timeout: Duration,
    /// Longest time for DNS, TCP and TLS together. Default 10 s.
    pub connect_timeout: Duration,
    /// Largest feed document, expanded, in bytes. Default 10 MiB.
    pub max_feed_bytes: u64,
    /// Largest page, expanded, in bytes. Default 5 MiB.
    pub max_page_bytes: u64,
    /// Most redirects followed in one exchange. Default 5.
    pub max_redirects: usize,
    /// Most exchanges at once, feeds and pages together. Default 32.
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
#[derive(Clone, Debug)]
pub struct Fetcher {}

impl Fetcher {
    /// Builds the one HTTP client of the process.
    ///
    /// # Errors
    /// [`BuildError`] when TLS or the proxy cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, BuildError> {
        let _ = settings;
        unimplemented!()
    }

    /// Asks for a feed, conditionally when `validators` is not empty. Waits for the host's gap.
    pub async fn feed(
        &self,
        url: &FeedUrl,
        validators: &Validators,
        request: &RequestSettings,
    ) -> Exchange<FeedAnswer> {
        let _ = (url, validators, request);
        unimplemented!()
    }

    /// Asks for a page, robots.txt first. Waits for the host's gap.
    pub async fn page(&self, url: &PageUrl, request: &RequestSettings) -> Exchange<PageDocument> {
        let _ = (url, request);
        unimplemented!()
    }

    /// Hosts to which no request can start now, with the time when one can: those in
    /// flight (their time is unknown: `None`) and those whose gap has not passed.
    #[must_use]
    pub fn resting_hosts(&self) -> Vec<(HostKey, Option<Instant>)> {
        unimplemented!()
    }
}

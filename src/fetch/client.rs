//! Builds the one HTTP client of the process.

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Proxy};
use url::Url;

use super::address_guard::{AddressGuard, WhoResolves};
use super::{BuildError, Settings};

/// Longest silence before the head of an answer.
const FIRST_BYTE: Duration = Duration::from_secs(15);
/// How long an unused connection is kept beyond the host's gap, behind which the next
/// request comes. Each idle connection holds a buffer as large as the page that it brought,
/// so a second more for each of hundreds of hosts is tens of megabytes.
const KEEP_IDLE: Duration = Duration::from_millis(500);
/// The same for long gaps.
const MAX_IDLE: Duration = Duration::from_secs(10);
/// Most header bytes of an HTTP/2 answer. HTTP/1 has its own limits: 100 fields, some 400 KiB.
const MAX_HEADER_BYTES: u32 = 64 << 10;

/// The client, and what it trusts.
pub(super) struct Wire {
    pub(super) client: Client,
    pub(super) trust: Trust,
}

/// Whose certificates are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Those of the system, or of `ca_file`.
    Roots,
    /// Nobody's: the system has none. Plain HTTP works all the same.
    Nobody,
}

/// Builds the client. Its redirects, cookies, and retries are ours or do not exist.
pub(super) fn build(settings: &Settings, guard: &AddressGuard) -> Result<Wire, BuildError> {
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();

    if let Some(file) = &settings.ca_file {
        let roots = read_roots(file)?;
        let client = finish(base(settings, guard)?.tls_certs_only(roots))?;
        return Ok(Wire {
            client,
            trust: Trust::Roots,
        });
    }
    if let Ok(client) = base(settings, guard)?.build() {
        return Ok(Wire {
            client,
            trust: Trust::Roots,
        });
    }
    // Most likely this machine has no CA certificates. Only https needs them, so each https
    // request will say so; whatever else is wrong fails here again.
    let client = finish(base(settings, guard)?.tls_certs_only([]))?;
    tracing::warn!(
        "no CA certificates found: https fails until the package ca-certificates is installed or `[fetch] ca_file` is set"
    );
    Ok(Wire {
        client,
        trust: Trust::Nobody,
    })
}

/// Who resolves names, given the settings.
pub(super) fn who_resolves(settings: &Settings) -> WhoResolves {
    match settings.proxy {
        Some(_) => WhoResolves::Proxy,
        None => WhoResolves::Guard,
    }
}

/// The `User-Agent` of all requests whose feed has none of its own.
pub(super) fn user_agent(settings: &Settings) -> Result<HeaderValue, BuildError> {
    let own = concat!("wireroom/", env!("CARGO_PKG_VERSION"));
    let text = match (&settings.user_agent, &settings.contact) {
        (Some(text), _) => text.clone(),
        (None, Some(contact)) => format!("{own} (+{contact})"),
        (None, None) => own.to_owned(),
    };
    HeaderValue::from_str(&text)
        .map_err(|_| failed("`[fetch] user_agent` or `contact` holds characters that HTTP forbids"))
}

fn base(settings: &Settings, guard: &AddressGuard) -> Result<ClientBuilder, BuildError> {
    let builder = Client::builder()
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(settings.connect_timeout)
        .read_timeout(FIRST_BYTE.min(settings.timeout))
        .pool_max_idle_per_host(1)
        .pool_idle_timeout((settings.host_gap + KEEP_IDLE).min(MAX_IDLE))
        .http2_max_header_list_size(MAX_HEADER_BYTES);
    Ok(match &settings.proxy {
        // The only name left for us to resolve is the proxy's own, which may be anywhere.
        Some(proxy) => builder.proxy(checked_proxy(proxy)?),
        None => builder.dns_resolver(guard.clone()),
    })
}

fn checked_proxy(url: &Url) -> Result<Proxy, BuildError> {
    if !matches!(url.scheme(), "http" | "https") {
        let scheme = url.scheme();
        return Err(failed(&format!(
            "`[fetch] proxy` is {scheme}:, only http and https are possible"
        )));
    }
    Proxy::all(url.clone()).map_err(|error| failed(&format!("`[fetch] proxy`: {error}")))
}

fn read_roots(file: &std::path::Path) -> Result<Vec<Certificate>, BuildError> {
    let name = file.display();
    let pem = std::fs::read(file)
        .map_err(|error| failed(&format!("`[fetch] ca_file` {name}: {error}")))?;
    let roots = Certificate::from_pem_bundle(&pem)
        .map_err(|_| failed(&format!("`[fetch] ca_file` {name} is not PEM")))?;
    if roots.is_empty() {
        return Err(failed(&format!(
            "`[fetch] ca_file` {name} holds no certificate"
        )));
    }
    Ok(roots)
}

fn finish(builder: ClientBuilder) -> Result<Client, BuildError> {
    builder.build().map_err(|error| {
        let cause = std::error::Error::source(&error)
            .map_or_else(|| error.to_string(), ToString::to_string);
        failed(&cause)
    })
}

fn failed(reason: &str) -> BuildError {
    BuildError::Client(reason.to_owned())
}

//! Which addresses may be contacted: public ones, and those that the operator allowed.
//!
//! A name is resolved here and nowhere else, and a connection is made to exactly the
//! addresses that were found good, so that there is no second look-up that could answer
//! otherwise. A URL that holds an address never reaches a resolver; therefore
//! [`AddressGuard::admit`] looks at every URL, that of each redirect too.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;
use url::{Host, Url};

use super::headers::shown;
use super::public_address::{embedded, is_public};
use crate::model::{ErrorKind, Failure};

/// How long an answer of the resolver is believed. `getaddrinfo` tells no time to live.
const KEEP_ANSWER: Duration = Duration::from_secs(300);
/// How long a name stays unknown.
const KEEP_FAILURE: Duration = Duration::from_secs(30);
/// Most look-ups at once: each holds a blocking thread, for half a minute when the
/// resolver is silent.
const MAX_LOOKUPS: usize = 64;
/// Most names remembered.
const MAX_NAMES: usize = 10_000;

/// Decides for every request whether its target may be contacted. A cheap clone.
#[derive(Clone)]
pub(super) struct AddressGuard {
    shared: Arc<Shared>,
}

struct Shared {
    allow_private: Vec<IpNet>,
    names: WhoResolves,
    lookup: Box<Lookup>,
    patience: Duration,
    lookups: Arc<Semaphore>,
    known: Mutex<HashMap<String, Known>>,
}

/// Who turns names into addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhoResolves {
    /// We, and we connect to what we found.
    Guard,
    /// A configured proxy; then only addresses written into URLs can be checked.
    Proxy,
}

type Lookup = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

#[derive(Clone)]
struct Known {
    answer: Result<Vec<IpAddr>, Refusal>,
    until: Instant,
}

/// Why a name leads nowhere. Also what the connector reports, inside its own error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// All its addresses are forbidden.
    #[error("the address is not public")]
    Blocked,
    /// It has no address, or the resolver did not answer.
    #[error("{0}")]
    Unresolved(String),
}

impl AddressGuard {
    /// `patience` bounds each look-up.
    pub(super) fn new(allow_private: Vec<IpNet>, names: WhoResolves, patience: Duration) -> Self {
        Self::with_lookup(allow_private, names, patience, Box::new(system_lookup))
    }

    fn with_lookup(
        allow_private: Vec<IpNet>,
        names: WhoResolves,
        patience: Duration,
        lookup: Box<Lookup>,
    ) -> Self {
        let shared = Shared {
            allow_private,
            names,
            lookup,
            patience,
            lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)),
            known: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Whether `url` may be asked for: scheme, port and address.
    ///
    /// The failure is the same whether anything listens there or not.
    pub(super) async fn admit(&self, url: &Url) -> Result<(), Failure> {
        check_scheme_and_port(url)?;
        let allowed = match (url.host(), self.shared.names) {
            (Some(Host::Ipv4(address)), _) => self.check(IpAddr::V4(address)),
            (Some(Host::Ipv6(address)), _) => self.check(IpAddr::V6(address)),
            (Some(Host::Domain(name)), WhoResolves::Proxy) => self.check_name(name),
            (Some(Host::Domain(name)), WhoResolves::Guard) => match self.check_name(name) {
                Ok(()) => self.resolve(name).await.map(drop),
                blocked => blocked,
            },
            (None, _) => {
                let detail = format!("{} names no host", shown(url));
                return Err(Failure::new(ErrorKind::InvalidUrl, detail));
            }
        };
        allowed.map_err(|refusal| refusal.into_failure(url))
    }

    /// Whether the address that answered is one that we meant to reach. A second look, for
    /// whatever a library may do between resolving and connecting.
    pub(super) fn admit_peer(&self, peer: Option<SocketAddr>, url: &Url) -> Result<(), Failure> {
        match (peer, self.shared.names) {
            (Some(peer), WhoResolves::Guard) => self
                .check(peer.ip())
                .map_err(|refusal| refusal.into_failure(url)),
            _ => Ok(()),
        }
    }

    fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        let inner = embedded(address);
        let is_allowed = |net: &IpNet| net.contains(&address) || net.contains(&inner);
        if is_public(inner) || self.shared.allow_private.iter().any(is_allowed) {
            Ok(())
        } else {
            Err(Refusal::Blocked)
        }
    }

    /// What a name alone tells: loopback is the only one known by name (RFC 6761 §6.3).
    fn check_name(&self, name: &str) -> Result<(), Refusal> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if name == "localhost" || name.ends_with(".localhost") {
            return self.check(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        Ok(())
    }

    /// The allowed addresses of `name`.
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, Refusal> {
        let name = name.to_ascii_lowercase();
        if let Some(answer) = self.remembered(&name) {
            return answer;
        }
        let answer = self.look_up(&name).await.and_then(|addresses| {
            let allowed: Vec<_> = addresses
                .into_iter()
                .filter(|address| self.check(*address).is_ok())
                .collect();
            if allowed.is_empty() {
                return Err(Refusal::Blocked);
            }
            Ok(allowed)
        });
        self.remember(name, answer.clone());
        answer
    }

    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, Refusal> {
        let silent = || Refusal::Unresolved("the resolver did not answer in time".to_owned());
        let shared = Arc::clone(&self.shared);
        let queue = Arc::clone(&shared.lookups).acquire_owned();
        let name = name.to_owned();
        let work = async {
            let place = queue.await.map_err(|_| silent())?;
            // The place is given back when the thread ends, not when we lose patience.
            let thread = tokio::task::spawn_blocking(move || {
                let answer = (shared.lookup)(&name);
                drop(place);
                answer
            });
            match thread.await {
                Ok(Ok(addresses)) if addresses.is_empty() => {
                    Err(Refusal::Unresolved("the name has no address".to_owned()))
                }
                Ok(Ok(addresses)) => Ok(addresses),
                Ok(Err(error)) => Err(Refusal::Unresolved(error.to_string())),
                Err(_) => Err(silent()),
            }
        };
        let patience = self.shared.patience;
        tokio::time::timeout(patience, work)
            .await
            .unwrap_or_else(|_| Err(silent()))
    }

    fn remembered(&self, name: &str) -> Option<Result<Vec<IpAddr>, Refusal>> {
        let known = self.known();
        let entry = known.get(name).filter(|k| k.until > Instant::now())?;
        Some(entry.answer.clone())
    }

    fn remember(&self, name: String, answer: Result<Vec<IpAddr>, Refusal>) {
        let now = Instant::now();
        let span = if matches!(answer, Err(Refusal::Unresolved(_))) {
            KEEP_FAILURE
        } else {
            KEEP_ANSWER
        };
        let mut known = self.known();
        if known.len() >= MAX_NAMES {
            known.retain(|_, entry| entry.until > now);
        }
        if known.len() >= MAX_NAMES {
            known.clear();
        }
        let until = now + span;
        known.insert(name, Known { answer, until });
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        let known = self.shared.known.lock();
        known.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resolve for AddressGuard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = AddressGuard::resolve(&guard, name.as_str()).await?;
            // Port 0 is replaced by that of the URL.
            let addresses = addresses.into_iter().map(|a| SocketAddr::new(a, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

impl Refusal {
    /// As it is recorded. A blocked target gets one text, whatever is or is not there.
    pub(super) fn into_failure(self, url: &Url) -> Failure {
        let host = url.host_str().unwrap_or_default();
        match self {
            Self::Blocked => {
                let detail = format!("{host} is, or leads to, an address that is not public");
                Failure::new(ErrorKind::AddressBlocked, detail)
            }
            Self::Unresolved(reason) => {
                Failure::new(ErrorKind::Dns, format!("cannot resolve {host}: {reason}"))
            }
        }
    }
}

fn check_scheme_and_port(url: &Url) -> Result<(), Failure> {
    if !matches!(url.scheme(), "http" | "https") {
        let detail = format!("{}: is neither http nor https", url.scheme());
        return Err(Failure::new(ErrorKind::SchemeBlocked, detail));
    }
    // Below 1024 lie mail, shells and name servers, which understand a line or two of HTTP.
    match url.port_or_known_default() {
        Some(80 | 443 | 1024..) => Ok(()),
        port => {
            let port = port.unwrap_or_default();
            let detail = format!(
                "{} uses port {port}; 80, 443 and 1024 to 65535 are allowed",
                shown(url)
            );
            Err(Failure::new(ErrorKind::InvalidUrl, detail))
        }
    }
}

fn system_lookup(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok((name, 0).to_socket_addrs()?.map(|a| a.ip()).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn guard(allow: &[&str]) -> AddressGuard {
        let allow = allow.iter().map(|net| net.parse().unwrap()).collect();
        AddressGuard::new(allow, WhoResolves::Guard, Duration::from_secs(5))
    }

    async fn check_kind(guard: &AddressGuard, url: &str, expect: Option<ErrorKind>) {
        let url = Url::parse(url).unwrap();
        let kind = guard.admit(&url).await.err().map(|failure| failure.kind);
        assert_eq!(kind, expect, "{url}");
    }

    /// Spellings of addresses that are not public.
    const FORBIDDEN: &[&str] = &[
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://①②⑦.0.0.1/",
        "http://127.0.0.1./",
        "http://%31%32%37.0.0.1/",
        "http://user@127.0.0.1:8080/",
        "http://0/",
        "http://0.0.0.0/",
        "http://10.1.2.3/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.0.0.1/",
        "http://192.0.2.1/",
        "http://192.88.99.1/",
        "http://192.168.1.1/",
        "http://198.18.0.1/",
        "http://198.19.255.255/",
        "http://198.51.100.7/",
        "http://203.0.113.7/",
        "http://224.0.0.1/",
        "http://239.255.255.250/",
        "http://240.0.0.1/",
        "http://255.255.255.255/",
        "http://[::]/",
        "http://[::1]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:0:10.0.0.1]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::10.0.0.1]/",
        "http://[64:ff9b:1::1]/",
        "http://[2002:7f00:1::]/",
        "http://[2002:c0a8:101::1]/",
        "http://[2001::1]/",
        "http://[2001:10::1]/",
        "http://[2001:2f::1]/",
        "http://[2001:db8::1]/",
        "http://[3fff::1]/",
        "http://[100::1]/",
        "http://[fc00::1]/",
        "http://[fd12:3456::1]/",
        "http://[fe80::1]/",
        "http://[fec0::1]/",
        "http://[ff02::1]/",
        "http://localhost/",
        "http://LOCALHOST./",
    ];

    #[tokio::test]
    async fn no_spelling_of_a_private_address_passes() {
        let guard = guard(&[]);

        for url in FORBIDDEN {
            check_kind(&guard, url, Some(ErrorKind::AddressBlocked)).await;
        }
    }

    #[tokio::test]
    async fn public_addresses_pass() {
        let guard = guard(&[]);

        for url in [
            "http://8.8.8.8/",
            "http://100.63.0.1/",
            "http://172.32.0.1/",
            "http://192.0.1.1/",
            "http://223.255.255.255/",
            "http://[2606:4700::1111]/",
            "http://[2001:4860:4860::8888]/",
            "http://[64:ff9b::8.8.8.8]/",
            "http://[2002:808:808::1]/",
            "http://[::ffff:8.8.8.8]/",
        ] {
            check_kind(&guard, url, None).await;
        }
    }

    #[tokio::test]
    async fn a_network_can_be_allowed_without_allowing_others() {
        let guard = guard(&["10.1.2.0/24", "fd00::/8"]);

        check_kind(&guard, "http://10.1.2.3/", None).await;
        check_kind(&guard, "http://[::ffff:10.1.2.3]/", None).await;
        check_kind(&guard, "http://[fd00::7]/", None).await;
        check_kind(&guard, "http://10.1.3.3/", Some(ErrorKind::AddressBlocked)).await;
        check_kind(&guard, "http://127.0.0.1/", Some(ErrorKind::AddressBlocked)).await;
    }

    #[tokio::test]
    async fn low_ports_and_other_schemes_are_refused() {
        let guard = guard(&[]);

        check_kind(&guard, "http://8.8.8.8:22/", Some(ErrorKind::InvalidUrl)).await;
        check_kind(&guard, "https://8.8.8.8:25/", Some(ErrorKind::InvalidUrl)).await;
        check_kind(&guard, "http://8.8.8.8:0/", Some(ErrorKind::InvalidUrl)).await;
        check_kind(&guard, "http://8.8.8.8:8080/", None).await;
        check_kind(&guard, "ftp://8.8.8.8/", Some(ErrorKind::SchemeBlocked)).await;
        check_kind(&guard, "file:///etc/passwd", Some(ErrorKind::SchemeBlocked)).await;
        check_kind(
            &guard,
            "gopher://8.8.8.8:70/",
            Some(ErrorKind::SchemeBlocked),
        )
        .await;
    }

    #[tokio::test]
    async fn behind_a_proxy_addresses_in_urls_are_still_checked() {
        let guard = AddressGuard::new(vec![], WhoResolves::Proxy, Duration::from_secs(5));

        check_kind(&guard, "http://no-such-name.invalid/", None).await;
        check_kind(&guard, "http://10.0.0.1/", Some(ErrorKind::AddressBlocked)).await;
        check_kind(
            &guard,
            "http://a.localhost/",
            Some(ErrorKind::AddressBlocked),
        )
        .await;
    }

    /// A guard whose resolver gives one answer after the other.
    fn scripted(answers: &'static [&'static [&'static str]]) -> AddressGuard {
        let n_asked = AtomicUsize::new(0);
        let lookup = move |_: &str| {
            let at = n_asked
                .fetch_add(1, Ordering::SeqCst)
                .min(answers.len() - 1);
            Ok(answers[at].iter().map(|a| a.parse().unwrap()).collect())
        };
        let patience = Duration::from_secs(5);
        AddressGuard::with_lookup(vec![], WhoResolves::Guard, patience, Box::new(lookup))
    }

    #[tokio::test]
    async fn a_name_that_answers_otherwise_the_second_time_gains_nothing() {
        let guard = scripted(&[&["8.8.8.8"], &["127.0.0.1"]]);

        check_kind(&guard, "http://rebind.example/", None).await;
        let dialled = AddressGuard::resolve(&guard, "rebind.example").await;

        assert_eq!(dialled, Ok(vec!["8.8.8.8".parse().unwrap()]));
    }

    #[tokio::test]
    async fn only_the_public_addresses_of_a_name_are_dialled() {
        let guard = scripted(&[&["10.0.0.1", "8.8.8.8", "::1"]]);

        let dialled = AddressGuard::resolve(&guard, "mixed.example").await;

        assert_eq!(dialled, Ok(vec!["8.8.8.8".parse().unwrap()]));
    }

    #[tokio::test]
    async fn a_name_without_addresses_is_a_dns_failure() {
        let guard = scripted(&[&[]]);

        check_kind(&guard, "http://empty.example/", Some(ErrorKind::Dns)).await;
    }

    #[tokio::test]
    async fn a_silent_resolver_is_not_waited_for() {
        let (release, hung) = std::sync::mpsc::channel::<()>();
        let hung = Mutex::new(hung);
        let lookup = move |_: &str| {
            let _ = hung.lock().unwrap().recv();
            Ok(vec![])
        };
        let patience = Duration::from_millis(50);
        let guard =
            AddressGuard::with_lookup(vec![], WhoResolves::Guard, patience, Box::new(lookup));

        check_kind(&guard, "http://slow.example/", Some(ErrorKind::Dns)).await;
        drop(release);
    }

    #[test]
    fn a_peer_that_is_not_public_is_refused() {
        let url = Url::parse("http://example.org/").unwrap();
        let peer = |text: &str| Some(text.parse().unwrap());

        assert!(guard(&[]).admit_peer(peer("10.0.0.1:80"), &url).is_err());
        assert!(guard(&[]).admit_peer(peer("8.8.8.8:80"), &url).is_ok());
        assert!(
            guard(&["10.0.0.0/8"])
                .admit_peer(peer("10.0.0.1:80"), &url)
                .is_ok()
        );
    }
}

//! Whom we are polite to: the key of a host, and the shard that owns it.

use std::fmt;

use sha2::{Digest, Sha256};
use url::{Host, Url};

/// How many shards the work is divided into, for one worker or for many.
pub const N_SHARDS: u16 = 1024;

/// The politeness key of a URL: its registrable domain, in lower case.
///
/// `www.bbc.co.uk` and `news.bbc.co.uk` are one key, `bbc.co.uk`; names below a
/// private suffix of the public suffix list (`user.github.io`) are keys of their
/// own, and so is each IP address. The port does not count: a host is a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostKey(String);

impl HostKey {
    /// The key of `url`; empty for a URL without a host, which no typed URL of ours is.
    #[must_use]
    pub fn of(url: &Url) -> Self {
        let key = match url.host() {
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                psl::domain_str(&name).map_or(name.clone(), str::to_owned)
            }
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        };
        Self(key)
    }

    /// A key as the store wrote it.
    #[must_use]
    pub fn stored(key: String) -> Self {
        Self(key)
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The shard that owns this host: the first two bytes of its SHA-256, modulo [`N_SHARDS`].
    #[must_use]
    pub fn shard(&self) -> Shard {
        let digest = Sha256::digest(self.0.as_bytes());
        Shard(u16::from_be_bytes([digest[0], digest[1]]) % N_SHARDS)
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A part of all hosts, `0..N_SHARDS`, owned by one worker at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(pub u16);

#[cfg(test)]
mod tests {
    use super::*;

    fn key(url: &str) -> String {
        HostKey::of(&Url::parse(url).unwrap()).0
    }

    #[test]
    fn the_names_of_one_site_share_a_key() {
        assert_eq!(key("https://www.bbc.co.uk/news"), "bbc.co.uk");
        assert_eq!(key("http://feeds.BBC.co.uk:8080/x"), "bbc.co.uk");
    }

    #[test]
    fn private_suffixes_and_addresses_are_sites_of_their_own() {
        assert_eq!(key("https://user.github.io/feed"), "user.github.io");
        assert_eq!(key("http://127.0.0.1:8080/"), "127.0.0.1");
        assert_eq!(key("http://[::1]/"), "::1");
        assert_eq!(key("http://localhost/"), "localhost");
    }

    #[test]
    fn a_shard_is_within_bounds_and_stable() {
        let shard = HostKey::of(&Url::parse("https://example.org/").unwrap()).shard();

        assert!(shard.0 < N_SHARDS);
        assert_eq!(shard, HostKey("example.org".into()).shard());
    }
}

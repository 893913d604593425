//! The keys of an article in a search index: what stands for that which is not text. Pure.
//!
//! A key is of one length whatever the value behind it, and holds letters and digits only.

use std::iter;

use sha2::{Digest, Sha256};
use url::Url;

use crate::model::FeedId;

/// The key that every article has, for searches that only exclude.
pub const EVERY: &str = "kall";

/// A key that no article has.
pub const NONE: &str = "knone";

/// Most keys of one kind that an article has: more is a machine's doing.
const MAX_KEYS: usize = 1000;

/// The key of a feed.
pub(super) fn feed(id: FeedId) -> String {
    key("feed", &id.to_string())
}

/// The key of all that a site means: a host, a name in another script, a URL, or `*.name`.
pub(super) fn site(value: &str) -> String {
    let value = value.trim().trim_start_matches('*').trim_matches('.');
    let url = if value.contains("://") {
        Url::parse(value)
    } else {
        Url::parse(&format!("http://{value}"))
    };
    let host = url
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| value.to_owned());
    key("site", &host)
}

/// The key of a language, `de` or `de-AT`.
pub(super) fn language(value: &str) -> String {
    key("lang", &value.replace('_', "-"))
}

/// The key of a tag, or of a folder of tags.
pub(super) fn tag(value: &str) -> String {
    key("tag", value)
}

/// All keys of an article, each once.
pub(super) fn all<'a>(
    hosts: impl IntoIterator<Item = &'a str>,
    feeds: &[FeedId],
    tags: impl IntoIterator<Item = &'a str>,
    language_tag: &str,
) -> Vec<String> {
    let language_tag = language_tag.replace('_', "-");
    let sites = hosts.into_iter().flat_map(site_suffixes);
    let folders = tags.into_iter().flat_map(folders);
    let mut keys: Vec<String> = iter::once(EVERY.to_owned())
        .chain(sites.map(|site| key("site", site)).take(MAX_KEYS))
        .chain(feeds.iter().copied().map(feed))
        .chain(folders.map(tag).take(MAX_KEYS))
        .chain(language_ranges(&language_tag).map(language))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn key(kind: &str, value: &str) -> String {
    let value = value.trim().to_lowercase();
    let digest = Sha256::digest(format!("{kind}\0{value}").as_bytes());
    let mut key = String::with_capacity(17);
    key.push('k');
    for byte in digest.iter().take(8) {
        key.push_str(&format!("{byte:02x}"));
    }
    key
}

/// A tag and the folders that it lies in: `World/Asia/China`, `World/Asia`, `World`.
fn folders(tag: &str) -> impl Iterator<Item = &str> {
    iter::successors(Some(tag), |tag| {
        tag.rsplit_once('/').map(|(folder, _)| folder)
    })
    .filter(|folder| !folder.trim().is_empty())
    .take(20)
}

/// A host and all that it lies below: `www.bbc.co.uk`, `bbc.co.uk`, `co.uk`, `uk`.
fn site_suffixes(host: &str) -> impl Iterator<Item = &str> {
    let host = host.trim_end_matches('.');
    iter::successors((!host.is_empty()).then_some(host), |host| {
        host.split_once('.').map(|(_, rest)| rest)
    })
    .take(20)
}

/// A language tag and what it is a kind of: `de-at`, `de` (RFC 4647 §3.3.1).
fn language_ranges(tag: &str) -> impl Iterator<Item = &str> {
    iter::successors((!tag.is_empty()).then_some(tag), |tag| {
        tag.rsplit_once(['-', '_']).map(|(range, _)| range)
    })
    .take(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_found_by_each_of_its_suffixes() {
        let sites: Vec<&str> = site_suffixes("www.bbc.co.uk.").collect();

        assert_eq!(sites, ["www.bbc.co.uk", "bbc.co.uk", "co.uk", "uk"]);
    }

    #[test]
    fn a_site_is_meant_however_it_is_written() {
        for value in [
            "BBC.co.uk",
            "*.bbc.co.uk",
            "https://bbc.co.uk/news",
            "bbc.co.uk.",
        ] {
            assert_eq!(site(value), key("site", "bbc.co.uk"), "{value}");
        }
    }

    #[test]
    fn keys_are_of_one_length_and_hold_no_sign() {
        let keys = all(
            ["a.example"],
            &[FeedId(7)],
            ["World/Asia", "'; --"],
            "de_AT",
        );

        assert!(keys.contains(&tag("world")) && keys.contains(&language("de")));
        assert_eq!(keys.len(), 1 + 2 + 1 + 3 + 2);
        assert!(
            keys.iter()
                .all(|key| key.bytes().all(|b| b.is_ascii_alphanumeric()))
        );
    }

    #[test]
    fn a_flood_of_tags_is_cut() {
        let tags: Vec<String> = (0..5000).map(|n| format!("tag{n}")).collect();

        let keys = all([], &[], tags.iter().map(String::as_str), "");

        assert_eq!(keys.len(), 1 + MAX_KEYS);
    }
}

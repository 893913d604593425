//! Which entry is which: ids that are the same at every parse and outlive an edit.

use std::collections::HashMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::Entry;

/// Longest guid that is its own id, in bytes; a longer one is hashed.
const MAX_ID_BYTES: usize = 512;

/// Gives each entry its id: its guid, else its link, else a hash of what is stable.
///
/// A guid that stands on several entries of the document names none of them: their links
/// join the key, and their titles where the links are equal too.
pub(super) fn identify(entries: &mut [Entry]) {
    let keys: Vec<String> = entries.iter().map(first_key).collect();
    let keys = distinguish(keys, entries, |entry| entry.link.as_deref());
    let keys = distinguish(keys, entries, |entry| entry.title.as_deref());
    for (entry, key) in entries.iter_mut().zip(keys) {
        entry.id = key;
    }
}

fn first_key(entry: &Entry) -> String {
    let given = [&entry.guid, &entry.link].into_iter().flatten();
    for text in given.map(|text| text.trim()) {
        if text.len() > MAX_ID_BYTES {
            return digest(&[text]);
        }
        if !text.is_empty() {
            return text.to_owned();
        }
    }
    // Neither guid nor link: the text, since titles are what gets edited; the title only
    // when there is nothing else. The date helps where it is given.
    let date = entry
        .published
        .map(|date| date.to_string())
        .unwrap_or_default();
    let text = [&entry.content, &entry.summary, &entry.title];
    let text = text.into_iter().flatten().next();
    let enclosure = entry.enclosures.first().map_or("", |e| e.url.as_str());
    digest(&[&date, text.map_or("", String::as_str), enclosure])
}

/// Adds a second part to the keys that several entries share although the parts differ.
fn distinguish(
    keys: Vec<String>,
    entries: &[Entry],
    part: fn(&Entry) -> Option<&str>,
) -> Vec<String> {
    let mut first_part: HashMap<&str, Option<&str>> = HashMap::new();
    let mut ambiguous: HashMap<&str, bool> = HashMap::new();
    for (key, entry) in keys.iter().zip(entries) {
        let known = *first_part.entry(key).or_insert_with(|| part(entry));
        *ambiguous.entry(key).or_default() |= known != part(entry);
    }
    let joined = keys.iter().zip(entries).map(|(key, entry)| {
        if ambiguous[key.as_str()] {
            digest(&[key, part(entry).unwrap_or("")])
        } else {
            key.clone()
        }
    });
    joined.collect()
}

/// SHA-256 of the parts, each ended by a zero byte; 128 bits of it in hexadecimal.
fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut id = String::from("sha256:");
    for byte in &hash.finalize()[..16] {
        write!(id, "{byte:02x}").expect("a string takes every write");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(guid: Option<&str>, link: Option<&str>, title: &str) -> Entry {
        Entry {
            guid: guid.map(str::to_owned),
            link: link.map(str::to_owned),
            title: Some(title.to_owned()),
            summary: Some("text".to_owned()),
            ..Entry::default()
        }
    }

    fn ids<const N: usize>(mut entries: [Entry; N]) -> [String; N] {
        identify(&mut entries);
        entries.map(|entry| entry.id)
    }

    #[test]
    fn the_guid_is_the_id_then_the_link() {
        assert_eq!(
            ids([
                entry(Some(" g "), Some("l"), "a"),
                entry(None, Some("l2"), "b")
            ]),
            ["g", "l2"]
        );
    }

    #[test]
    fn an_id_survives_an_edit_of_the_title() {
        for (guid, link) in [(Some("g"), None), (None, Some("l")), (None, None)] {
            assert_eq!(
                ids([entry(guid, link, "before")]),
                ids([entry(guid, link, "after")])
            );
        }
    }

    #[test]
    fn a_guid_that_stands_on_several_entries_is_joined_by_the_link() {
        let [a, b] = ids([
            entry(Some("g"), Some("1"), "t"),
            entry(Some("g"), Some("2"), "t"),
        ]);
        let [c, d] = ids([
            entry(Some("g"), Some("1"), "t"),
            entry(Some("g"), Some("1"), "u"),
        ]);
        let [e, f] = ids([
            entry(Some("g"), Some("1"), "t"),
            entry(Some("g"), Some("1"), "t"),
        ]);

        assert_ne!(a, b);
        assert_ne!(c, d);
        assert_eq!(e, f);
    }
}

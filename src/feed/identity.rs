//! Which entry is which: ids that are the same at every parse and outlive an edit.

use std::collections::HashMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::Entry;
use super::text::{cut, visible_text};

/// Longest guid that is its own id, in bytes; a longer one is hashed.
const MAX_ID_BYTES: usize = 512;

/// How much of an entry's text makes its likeness, in bytes.
const MAX_LIKENESS_BYTES: usize = 4096;

/// Gives each entry its id: its guid, else its link, else a hash of what is stable; and its
/// likeness, where it needs one. Gives a warning where guids are of no use.
///
/// A guid that stands on several entries of the document names none of them: their links
/// join the key, and their titles where the links are equal too.
pub(super) fn identify(entries: &mut [Entry]) -> Option<String> {
    let keys: Vec<String> = entries.iter().map(first_key).collect();
    let (keys, n_shared) = distinguish(keys, entries, |entry| entry.link.as_deref());
    let (keys, n_alike) = distinguish(keys, entries, |entry| entry.title.as_deref());
    for (entry, key) in entries.iter_mut().zip(keys) {
        entry.id = key;
    }
    liken(entries);
    let n_shared = n_shared.max(n_alike);
    (n_shared > 0).then(|| format!("{n_shared} entries share their ids with others"))
}

/// Gives a likeness to the entries whose link is no witness beside their guid; none to those
/// who would share it.
fn liken(entries: &mut [Entry]) {
    let mut n_alike: HashMap<String, usize> = HashMap::new();
    for entry in entries.iter_mut() {
        entry.likeness = likeness(entry);
        if let Some(likeness) = &entry.likeness {
            *n_alike.entry(likeness.clone()).or_default() += 1;
        }
    }
    for entry in entries {
        if entry
            .likeness
            .as_ref()
            .is_some_and(|likeness| n_alike[likeness] > 1)
        {
            entry.likeness = None;
        }
    }
}

fn likeness(entry: &Entry) -> Option<String> {
    let is_witness = match (&entry.link, &entry.guid) {
        (None, _) => false,
        (Some(link), Some(guid)) => link.trim() != guid.trim(),
        // Without a guid the link is the id itself.
        (Some(_), None) => false,
    };
    let text = [&entry.content, &entry.summary]
        .into_iter()
        .flatten()
        .next();
    let text = text.map(|html| visible_text(cut(html, MAX_LIKENESS_BYTES)));
    let text = text.unwrap_or_default();
    let date = entry
        .published
        .map(|date| date.to_string())
        .unwrap_or_default();
    let title = entry.title.as_deref().unwrap_or_default();
    // A title alone is that of every "Open thread", and those are news each day.
    let says_enough = !text.is_empty() || !(title.is_empty() || date.is_empty());
    (!is_witness && says_enough).then(|| digest(&[&date, title, &text]))
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

/// Adds a second part to the keys that several entries share although the parts differ;
/// says to how many.
fn distinguish(
    keys: Vec<String>,
    entries: &[Entry],
    part: fn(&Entry) -> Option<&str>,
) -> (Vec<String>, usize) {
    let mut first_part: HashMap<&str, Option<&str>> = HashMap::new();
    let mut ambiguous: HashMap<&str, bool> = HashMap::new();
    for (key, entry) in keys.iter().zip(entries) {
        let known = *first_part.entry(key).or_insert_with(|| part(entry));
        *ambiguous.entry(key).or_default() |= known != part(entry);
    }
    let n_ambiguous = keys.iter().filter(|key| ambiguous[key.as_str()]).count();
    let joined = keys.iter().zip(entries).map(|(key, entry)| {
        if ambiguous[key.as_str()] {
            digest(&[key, part(entry).unwrap_or("")])
        } else {
            key.clone()
        }
    });
    (joined.collect(), n_ambiguous)
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

    fn likenesses<const N: usize>(mut entries: [Entry; N]) -> [Option<String>; N] {
        identify(&mut entries);
        entries.map(|entry| entry.likeness)
    }

    #[test]
    fn a_guid_made_anew_at_every_poll_leaves_the_likeness() {
        let first = likenesses([entry(Some("http://a/?r=1"), Some("http://a/?r=1"), "t")]);
        let second = likenesses([entry(Some("http://a/?r=2"), Some("http://a/?r=2"), "t")]);
        let bare = likenesses([entry(Some("1"), None, "t"), entry(Some("2"), None, "u")]);

        assert_eq!(first, second);
        assert!(first[0].is_some());
        assert!(bare[0].is_some() && bare[0] != bare[1]);
    }

    #[test]
    fn a_likeness_that_proves_nothing_is_not_given() {
        let titled = Entry {
            summary: None,
            ..entry(None, Some("l"), "Open thread")
        };

        assert_eq!(likenesses([entry(Some("g"), Some("l"), "t")]), [None]);
        assert_eq!(likenesses([titled]), [None]);
        assert_eq!(
            likenesses([entry(Some("1"), None, "t"), entry(Some("2"), None, "t")]),
            [None, None]
        );
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

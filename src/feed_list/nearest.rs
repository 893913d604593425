//! The word that was most probably meant.

/// The name among `known` that is nearest to `word`, if one is near enough to be meant:
/// at most one slip for every three letters, and at least one; `-` stands for `_`.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    if word.len() > 64 {
        return None;
    }
    let allowed = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (distance(&word, name), name))
        .filter(|(slips, _)| *slips <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// Slips between two words: letters left out, added, exchanged, or two neighbours swapped
/// (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let substituted = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = substituted.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 4] = ["host_gap", "timeout", "connect_timeout", "proxy"];

    #[test]
    fn a_slip_finds_the_key_that_was_meant() {
        assert_eq!(nearest("hostgap", KEYS), Some("host_gap"));
        assert_eq!(nearest("host-gap", KEYS), Some("host_gap"));
        assert_eq!(nearest("tiemout", KEYS), Some("timeout"));
        assert_eq!(nearest("titel", ["url", "title", "site"]), Some("title"));
        assert_eq!(nearest("Proxi", KEYS), Some("proxy"));
    }

    #[test]
    fn a_foreign_word_finds_nothing() {
        assert_eq!(nearest("colour", KEYS), None);
        assert_eq!(nearest("", KEYS), None);
        assert_eq!(nearest(&"x".repeat(100_000), KEYS), None);
    }

    #[test]
    fn distances_count_single_slips() {
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("abc", "acb"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}

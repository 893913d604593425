//! The same text again? Pure; imports nothing of ours.

use sha2::{Digest, Sha256};

/// 64-bit hash of a text's letters and digits, lower-cased: type-setting does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentHash(pub i64);

/// Shortest text whose hash is worth comparing, in words. Below it lie captions, notices of
/// cookies and of missing scripts, which many different pages share word for word.
const MIN_WORDS: usize = 50;

/// The hash of `text`, or `None` below 50 words, where equal texts mean little.
///
/// A word is a run of characters between white space that holds a letter or a digit; in scripts
/// that are written without spaces, each character is one. The hash is the first eight
/// bytes, big-endian, of the SHA-256 of the letters and digits in UTF-8.
#[must_use]
pub fn content_hash(text: &str) -> Option<ContentHash> {
    if n_words(text) < MIN_WORDS {
        return None;
    }
    let mut hash = Sha256::new();
    let mut utf8 = [0; 4];
    for c in letters(text) {
        hash.update(c.encode_utf8(&mut utf8));
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    Some(ContentHash(i64::from_be_bytes(first)))
}

/// Whether two headlines are the same but for case, spacing and punctuation.
///
/// Headlines without a letter or digit are never the same as anything.
#[must_use]
pub fn same_title(a: &str, b: &str) -> bool {
    letters(a).next().is_some() && letters(a).eq(letters(b))
}

/// Letters and digits in one case. Upper case first, so that `ß` meets `SS` and both
/// sigmas meet, as in full case folding (Unicode Standard, §5.18).
fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric())
}

/// Words of `text`, counted up to [`MIN_WORDS`].
fn n_words(text: &str) -> usize {
    text.split_whitespace()
        .flat_map(|run| {
            let n_unspaced = run.chars().filter(|c| is_unspaced(*c)).count();
            let is_word = run.chars().any(|c| c.is_alphanumeric() && !is_unspaced(c));
            std::iter::repeat_n((), n_unspaced + usize::from(is_word))
        })
        .take(MIN_WORDS)
        .count()
}

/// Kana, Han and Thai letters, which stand without spaces between words.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0E01}'..='\u{0E30}' | '\u{3041}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(n: usize) -> String {
        (0..n).map(|i| format!("word{i} ")).collect()
    }

    #[test]
    fn short_texts_have_no_hash() {
        assert_eq!(content_hash(""), None);
        assert_eq!(content_hash(&words(49)), None);
        assert_eq!(content_hash(&"— ".repeat(500)), None);
        assert!(content_hash(&words(50)).is_some());
    }

    #[test]
    fn texts_without_spaces_are_counted_by_character() {
        assert!(content_hash(&"新聞記事".repeat(13)).is_some());
        assert_eq!(content_hash("新聞記事"), None);
    }

    #[test]
    fn type_setting_does_not_matter_but_words_do() {
        let plain = words(60) + "It's done. Große Straße";
        let set = words(60).replace(' ', "\u{a0}\n") + "“IT’S” — DONE; GROSSE STRASSE!";

        assert_eq!(content_hash(&plain), content_hash(&set));
        assert_ne!(
            content_hash(&plain),
            content_hash(&(plain.clone() + " not"))
        );
    }

    #[test]
    fn headlines_are_compared_by_their_letters() {
        assert!(same_title("Man bites dog!", "“Man  Bites Dog”"));
        assert!(same_title("Οδός", "ΟΔΌΣ"));
        assert!(!same_title("Man bites dog", "Man bites dogs"));
        assert!(!same_title("", ""));
        assert!(!same_title("—", "!"));
    }

    proptest! {
        #[test]
        fn case_and_white_space_never_matter(text in "(\\PC{1,9} ){1,20}") {
            let text = words(50) + &text;
            let set = text.to_uppercase().replace(' ', " \n\t");

            prop_assert!(content_hash(&text).is_some());
            prop_assert_eq!(content_hash(&set), content_hash(&text));
        }

        #[test]
        fn a_title_is_the_same_as_itself_shouted(title in "\\PC{0,40}") {
            let has_letters = letters(&title).next().is_some();

            prop_assert_eq!(same_title(&title, &title.to_uppercase()), has_letters);
        }
    }
}

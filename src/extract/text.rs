//! White space, words and comparable forms of text.

/// Appends `text` with runs of white space folded to one space, and without control and
/// zero-width characters. A space is put between what is there and what comes when
/// either side has one.
pub(super) fn push_folded(to: &mut String, text: &str) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        // Nearly all text is runs of printable ASCII: they are copied as they are.
        let n_plain = rest.bytes().take_while(u8::is_ascii_graphic).count();
        if n_plain > 0 {
            let (plain, behind) = rest.split_at(n_plain);
            to.push_str(plain);
            rest = behind;
            continue;
        }
        if first.is_whitespace() {
            if !to.is_empty() && !to.ends_with([' ', '\n']) {
                to.push(' ');
            }
        } else if !is_invisible(first) {
            to.push(first);
        }
        rest = &rest[first.len_utf8()..];
    }
}

/// `text` with white space folded to single spaces, trimmed, and without control characters.
pub(super) fn folded(text: &str) -> String {
    let mut to = String::with_capacity(text.len());
    push_folded(&mut to, text);
    to.truncate(to.trim_end().len());
    to
}

/// Like [`folded`], and `None` when nothing is left.
pub(super) fn folded_or_none(text: &str) -> Option<String> {
    Some(folded(text)).filter(|text| !text.is_empty())
}

/// Characters that change nothing in what a person reads, or that a person must not be
/// shown unseen: controls, zero-width marks, bidirectional overrides. The joiners
/// U+200C and U+200D stay: several scripts and emoji need them.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{200e}' | '\u{200f}'
        )
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fff9}'..='\u{fffb}')
}

/// Letters and digits in lower case with single spaces: the form in which texts are compared.
pub(super) fn comparable(text: &str) -> String {
    let mut to = String::with_capacity(text.len());
    let mut is_parted = true;
    for c in text.chars() {
        // Nearly all text is ASCII, which needs no tables.
        let is_word = if c.is_ascii() {
            c.is_ascii_alphanumeric()
        } else {
            c.is_alphanumeric()
        };
        if !is_word {
            if !is_parted {
                to.push(' ');
            }
            is_parted = true;
            continue;
        }
        is_parted = false;
        if c.is_ascii() {
            to.push(c.to_ascii_lowercase());
        } else {
            to.extend(c.to_lowercase());
        }
    }
    to.truncate(to.trim_end().len());
    to
}

/// Whether a character belongs to a script that puts no spaces between words.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}')
}

/// How much a text says, in characters of Latin script: white space counts nothing and a
/// character of an unspaced script or of Hangul says as much as three letters.
pub(super) fn weight(text: &str) -> u32 {
    let mut weight = 0u32;
    for c in text.chars() {
        if c.is_ascii() {
            weight = weight.saturating_add(u32::from(c > ' '));
        } else if is_unspaced(c) || matches!(c, '\u{ac00}'..='\u{d7a3}') {
            weight = weight.saturating_add(3);
        } else if !c.is_whitespace() {
            weight = weight.saturating_add(1);
        }
    }
    weight
}

/// Words in a text: runs of letters and digits, and in scripts without spaces one word for
/// each two characters.
pub(super) fn count_words(text: &str) -> usize {
    let (mut n_words, mut n_unspaced, mut in_word) = (0, 0, false);
    for c in text.chars() {
        if is_unspaced(c) {
            n_unspaced += 1;
            in_word = false;
        } else if c.is_alphanumeric() {
            n_words += usize::from(!in_word);
            in_word = true;
        } else if !matches!(c, '\'' | '’' | '-' | '.' | ',') || c.is_whitespace() {
            in_word = false;
        }
    }
    n_words + n_unspaced / 2
}

/// The first `max` characters of a text.
pub(super) fn prefix(text: &str, max: usize) -> &str {
    match text.char_indices().nth(max) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Share of the words of `a` that `b` has as well, both in comparable form; 0..=1.
pub(super) fn overlap(a: &str, b: &str) -> f64 {
    let words: std::collections::HashSet<&str> = b.split(' ').collect();
    let n_words = a.split(' ').filter(|word| !word.is_empty()).count();
    let n_shared = a.split(' ').filter(|word| words.contains(word)).count();
    if n_words == 0 {
        return 0.0;
    }
    n_shared as f64 / n_words as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_folded_and_controls_are_dropped() {
        assert_eq!(folded(" a\n\t b\u{a0}c\u{7} \u{202e}d "), "a b c d");
        assert_eq!(folded_or_none(" \n "), None);
    }

    #[test]
    fn words_are_counted_in_scripts_with_and_without_spaces() {
        assert_eq!(count_words("It's a well-known 3.5 % rise"), 5);
        assert_eq!(count_words("気象庁"), 1);
    }

    #[test]
    fn comparable_forms_ignore_case_and_punctuation() {
        assert_eq!(comparable("“Élan”, he SAID…"), "élan he said");
    }
}

//! Text as the tokenizer should see it. The same function prepares what is indexed and
//! what is asked, so that both meet.

use std::borrow::Cow;

/// Text with a space around each character of the scripts that write none, with emoji as
/// words, and with `C++` and `C#` told from `C`.
///
/// A word of several such characters is then found as a phrase.
pub(super) fn spaced(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_special) {
        return Cow::Borrowed(text);
    }
    let mut spaced = String::with_capacity(text.len() + text.len() / 2);
    let mut chars = text.chars().peekable();
    // The last two characters: what stands before decides about `+` and `#`.
    let (mut before_last, mut last) = (' ', ' ');
    while let Some(c) = chars.next() {
        match c {
            '\0' => spaced.push(' '),
            c if is_invisible(c) => continue,
            '+' if last.is_alphanumeric() && chars.peek() == Some(&'+') => {
                chars.next();
                spaced.push_str(" plusplus ");
            }
            '#' if last.is_alphabetic()
                && !before_last.is_alphanumeric()
                && !chars.peek().is_some_and(|next| next.is_alphanumeric()) =>
            {
                spaced.push_str(" sharp ");
            }
            c if is_emoji(c) => {
                spaced.push_str(" emoji");
                spaced.push_str(&format!("{:x} ", u32::from(c)));
            }
            c if is_unspaced(c) && !is_mark(c) => {
                spaced.push(' ');
                spaced.push(c);
            }
            c => {
                if is_unspaced(last) && !is_mark(c) {
                    spaced.push(' ');
                }
                spaced.push(c);
            }
        }
        (before_last, last) = (last, c);
    }
    Cow::Owned(spaced)
}

/// Whether a text, made ready, holds anything that the tokenizer would keep.
pub(super) fn has_word(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

fn is_special(c: char) -> bool {
    matches!(c, '+' | '#' | '\0')
        || (!c.is_ascii() && (is_unspaced(c) || is_emoji(c) || is_invisible(c)))
}

/// Soft hyphens and joiners inside of words, and what chooses between two forms of an
/// emoji: nobody types them.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200d}' | '\u{2060}' | '\u{fe0e}' | '\u{fe0f}' | '\u{feff}'
    )
}

fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x2600..=0x27bf | 0x1f000..=0x1faff)
}

/// Han, Kana, Bopomofo, Thai, Lao, Myanmar, Khmer.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0eff
        | 0x1000..=0x109f
        | 0x1780..=0x17ff
        | 0x3005..=0x3007
        | 0x3040..=0x312f
        | 0x31a0..=0x31bf
        | 0x31f0..=0x31ff
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xf900..=0xfaff
        | 0xff66..=0xff9f
        | 0x20000..=0x3ffff)
}

/// Signs of those scripts that belong to the character before them.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c),
        0x0e31 | 0x0e34..=0x0e3a | 0x0e47..=0x0e4e
        | 0x0eb1 | 0x0eb4..=0x0ebc | 0x0ec8..=0x0ece
        | 0x102b..=0x103e | 0x1056..=0x1059 | 0x105e..=0x1060 | 0x1062..=0x1064
        | 0x1067..=0x106d | 0x1071..=0x1074 | 0x1082..=0x108d | 0x108f | 0x109a..=0x109d
        | 0x17b4..=0x17d3 | 0x17dd
        | 0x3099 | 0x309a
        | 0x0300..=0x036f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_without_spaces_become_single_characters() {
        assert_eq!(spaced("東京は晴れ"), " 東 京 は 晴 れ");
        assert_eq!(spaced("東京2020年"), " 東 京 2020 年");
        assert_eq!(spaced("กำลัง"), " ก ำ ลั ง");
    }

    #[test]
    fn names_of_languages_are_told_apart() {
        assert_eq!(spaced("C++ and C#").as_ref(), "C plusplus  and C sharp ");
        assert_eq!(spaced("#tag a + b 1 ++").as_ref(), "#tag a + b 1 ++");
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(spaced("Größe, naïve: 20.04"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_nobody_sees_or_types_does_not_part_a_word() {
        assert_eq!(spaced("Donau\u{ad}dampf\u{ad}schiff"), "Donaudampfschiff");
        assert_eq!(spaced("❤\u{fe0f}"), spaced("❤"));
    }

    #[test]
    fn emoji_are_words() {
        assert_eq!(spaced("ok 🎉").as_ref(), "ok  emoji1f389 ");
        assert!(has_word(&spaced("🎉")));
        assert!(!has_word(&spaced("?!—")));
    }
}

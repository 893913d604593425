//! Scripts that write no spaces, and characters that some systems spell in parts.

/// Han, Kana, Bopomofo, Thai, Lao, Myanmar, Khmer.
pub(super) fn is_unspaced(c: char) -> bool {
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
pub(super) fn is_mark(c: char) -> bool {
    matches!(u32::from(c),
        0x0e31 | 0x0e34..=0x0e3a | 0x0e47..=0x0e4e
        | 0x0eb1 | 0x0eb4..=0x0ebc | 0x0ec8..=0x0ece
        | 0x102b..=0x103e | 0x1056..=0x1059 | 0x105e..=0x1060 | 0x1062..=0x1064
        | 0x1067..=0x106d | 0x1071..=0x1074 | 0x1082..=0x108d | 0x108f | 0x109a..=0x109d
        | 0x17b4..=0x17d3 | 0x17dd
        | 0x302a..=0x302f | 0x3099 | 0x309a)
}

/// Katakana of half the width, U+FF66 to U+FF9D, as they are written otherwise.
const HALF_WIDTH: &str = "ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";

/// A character of half the width as it is written otherwise; others as they are.
pub(super) fn full_width(c: char) -> char {
    match u32::from(c) {
        at @ 0xff66..=0xff9d => {
            let place = usize::try_from(at - 0xff66).unwrap_or_default();
            HALF_WIDTH.chars().nth(place).unwrap_or(c)
        }
        0xff9e => '\u{3099}',
        0xff9f => '\u{309a}',
        _ => c,
    }
}

/// The kana that a sound mark makes of another: `か` and U+3099 are `が`.
pub(super) fn kana(base: char, mark: char) -> Option<char> {
    let (voiced, half_voiced) = (mark == '\u{3099}', mark == '\u{309a}');
    let base = u32::from(base);
    // Katakana stand 0x60 behind hiragana.
    let hiragana = if base >= 0x30a1 { base - 0x60 } else { base };
    let has_voiced = match hiragana {
        0x304b..=0x3062 => hiragana % 2 == 1,
        0x3064..=0x3068 => hiragana.is_multiple_of(2),
        0x306f..=0x307d => hiragana.is_multiple_of(3),
        _ => false,
    };
    let has_half_voiced = (0x306f..=0x307d).contains(&hiragana) && hiragana.is_multiple_of(3);
    match (voiced, half_voiced) {
        (true, _) if hiragana == 0x3046 => char::from_u32(base + 0x4e),
        (true, _) if has_voiced => char::from_u32(base + 1),
        (_, true) if has_half_voiced => char::from_u32(base + 2),
        _ => None,
    }
}

/// The Cyrillic letter of its own that a mark makes of another: `и` and U+0306 are `й`.
pub(super) fn cyrillic(base: char, mark: char) -> Option<char> {
    match (base, mark) {
        ('и', '\u{306}') => Some('й'),
        ('у', '\u{306}') => Some('ў'),
        ('і', '\u{308}') => Some('ї'),
        _ => None,
    }
}

/// Whether a character is a vowel or a final consonant of a Korean syllable.
pub(super) fn follows_in_hangul(c: char) -> bool {
    matches!(u32::from(c), 0x1161..=0x1175 | 0x11a8..=0x11c2)
}

/// The Korean syllable that a part makes of what stands before it (Unicode §3.12).
pub(super) fn hangul(before: char, part: char) -> Option<char> {
    let (before, part) = (u32::from(before), u32::from(part));
    let syllable = match (before, part) {
        (0x1100..=0x1112, 0x1161..=0x1175) => {
            0xac00 + (before - 0x1100) * 588 + (part - 0x1161) * 28
        }
        (0xac00..=0xd7a3, 0x11a8..=0x11c2) if (before - 0xac00).is_multiple_of(28) => {
            before + (part - 0x11a7)
        }
        _ => return None,
    };
    char::from_u32(syllable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_character_that_they_stand_for() {
        assert_eq!(kana('か', '\u{3099}'), Some('が'));
        assert_eq!(kana('ド', '\u{3099}'), None);
        assert_eq!(kana('ト', '\u{3099}'), Some('ド'));
        assert_eq!(kana('は', '\u{309a}'), Some('ぱ'));
        assert_eq!(kana('ホ', '\u{3099}'), Some('ボ'));
        assert_eq!(kana('ウ', '\u{3099}'), Some('ヴ'));
        assert_eq!(kana('な', '\u{3099}'), None);
        assert_eq!(hangul('\u{1112}', '\u{1161}'), Some('하'));
        assert_eq!(hangul('하', '\u{11ab}'), Some('한'));
        assert_eq!(hangul('한', '\u{11ab}'), None);
    }

    #[test]
    fn every_half_width_katakana_has_its_full_width() {
        assert_eq!(HALF_WIDTH.chars().count(), 0xff9d - 0xff66 + 1);
        assert_eq!(full_width('ｱ'), 'ア');
        assert_eq!(full_width('ﾝ'), 'ン');
    }
}

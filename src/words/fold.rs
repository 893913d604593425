//! What one character becomes in a word.

use std::sync::LazyLock;

use super::scripts;

/// What a character is to the tokenizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Stands between words.
    Separator,
    /// A diacritic, or nothing that anybody sees or types: it does not part a word.
    Dropped,
    /// Belongs to the character before it.
    Mark(char),
    /// A word of its own, in a script without spaces.
    Single(char),
    /// A letter or digit, folded.
    Letter(char),
    /// Several letters, folded: `æ`.
    Letters(&'static str),
    /// A word of its own.
    Emoji,
}

/// Letters without their diacritics, each with all that become it. Lower case only: the
/// others are made lower case first. From Unicode's decompositions (NFKD); those that have
/// none (`ø`, `ł`, `ß`) and the forms of one Arabic letter are folded as readers type them.
const FOLDED: &[(&str, &str)] = &[
    ("1", "¹"),
    ("2", "²"),
    ("3", "³"),
    ("a", "ªàáâãäåāăąǎǟǡǻȁȃȧḁẚạảấầẩẫậắằẳẵặ"),
    ("b", "ḃḅḇƀ"),
    ("c", "çćĉċčḉ"),
    ("d", "ďḋḍḏḑḓđð"),
    ("e", "èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ"),
    ("f", "ḟ"),
    ("g", "ĝğġģǧǵḡǥ"),
    ("h", "ĥȟḣḥḧḩḫẖħ"),
    ("i", "ìíîïĩīĭįǐȉȋḭḯỉịı"),
    ("j", "ĵǰ"),
    ("k", "ķǩḱḳḵ"),
    ("l", "ĺļľḷḹḻḽłŀ"),
    ("m", "ḿṁṃ"),
    ("n", "ñńņňŉǹṅṇṉṋ"),
    ("o", "ºòóôõöøōŏőơǒǫǭǿȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ"),
    ("p", "ṕṗ"),
    ("r", "ŕŗřȑȓṙṛṝṟ"),
    ("s", "śŝşšſșṡṣṥṧṩẛ"),
    ("t", "ţťțṫṭṯṱẗŧ"),
    ("u", "ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự"),
    ("v", "ṽṿ"),
    ("w", "ŵẁẃẅẇẉẘ"),
    ("x", "ẋẍ"),
    ("y", "ýÿŷȳẏẙỳỵỷỹ"),
    ("z", "źżžẑẓẕƶ"),
    ("α", "άἀἁἂἃἄἅἆἇὰάᾀᾁᾂᾃᾄᾅᾆᾇᾰᾱᾲᾳᾴᾶᾷ"),
    ("β", "ϐ"),
    ("ε", "έϵἐἑἒἓἔἕὲέ"),
    ("η", "ήἠἡἢἣἤἥἦἧὴήᾐᾑᾒᾓᾔᾕᾖᾗῂῃῄῆῇ"),
    ("θ", "ϑ"),
    ("ι", "ΐίϊἰἱἲἳἴἵἶἷὶίιῐῑῒΐῖῗ"),
    ("κ", "ϰ"),
    ("μ", "µ"),
    ("ο", "όὀὁὂὃὄὅὸό"),
    ("π", "ϖ"),
    ("ρ", "ϱῤῥ"),
    ("σ", "ςϲ"),
    ("υ", "ΰϋύϒϓϔὐὑὒὓὔὕὖὗὺύῠῡῢΰῦῧ"),
    ("φ", "ϕ"),
    ("ω", "ώὠὡὢὣὤὥὦὧὼώᾠᾡᾢᾣᾤᾥᾦᾧῲῳῴῶῷ"),
    ("е", "ёѐ"),
    ("и", "ѝ"),
    ("ا", "أإآٱ"),
    ("ك", "ک"),
    ("ه", "ة"),
    ("ي", "یى"),
    ("ae", "æǣǽ"),
    ("dz", "ǆǳ"),
    ("ij", "ĳ"),
    ("lj", "ǉ"),
    ("nj", "ǌ"),
    ("oe", "œ"),
    ("ss", "ß"),
    ("th", "þ"),
];

/// The zeros of scripts whose digits are read as ours: Arabic, Persian, N'Ko, and India's.
const ZEROS: [u32; 12] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66,
];

/// Characters below this are looked up, the others worked out.
const TABLE_END: u32 = 0x2000;

/// The class of every character below [`TABLE_END`].
static TABLE: LazyLock<Vec<Class>> = LazyLock::new(|| {
    let mut table: Vec<Class> = (0..TABLE_END)
        .map(|c| char::from_u32(c).map_or(Class::Separator, unfolded))
        .collect();
    let mut set = |c: char, class: Class| {
        if let Some(place) = table.get_mut(c as usize) {
            *place = class;
        }
    };
    for (letters, all) in FOLDED {
        let mut each = letters.chars();
        let class = match (each.next(), each.next()) {
            (Some(one), None) => Class::Letter(one),
            _ => Class::Letters(letters),
        };
        all.chars().for_each(|c| set(c, class));
    }
    for zero in ZEROS {
        for (n, digit) in (0..10).zip('0'..='9') {
            set(
                char::from_u32(zero + n).unwrap_or(' '),
                Class::Letter(digit),
            );
        }
    }
    // Capitals become what their small letters have become.
    for c in (0..TABLE_END).filter_map(char::from_u32) {
        if let Some(small) = lower(c).filter(|small| *small != c) {
            let class = table.get(small as usize).copied();
            table[c as usize] = class.unwrap_or(Class::Letter(small));
        }
    }
    table
});

/// The class of a character beyond ASCII.
pub(super) fn class(c: char) -> Class {
    match TABLE.get(c as usize) {
        Some(class) => *class,
        None => class_beyond_table(c),
    }
}

fn class_beyond_table(c: char) -> Class {
    let c = scripts::full_width(c);
    if scripts::is_unspaced(c) {
        return unfolded(c);
    }
    if is_emoji(c) {
        return Class::Emoji;
    }
    if let Some(letters) = compatible(c) {
        return letters;
    }
    match lower(c) {
        // The signs of ohm, kelvin and angstrom are letters of the table.
        Some(small) if small != c => match TABLE.get(small as usize) {
            Some(class) => *class,
            None => Class::Letter(small),
        },
        _ => unfolded(c),
    }
}

/// A character's small letter, where that is one character.
fn lower(c: char) -> Option<char> {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        // With a dot above, which is dropped: `İ`.
        (Some(one), None | Some('\u{307}')) => Some(one),
        _ => None,
    }
}

/// The class of a small letter that is folded to nothing else, or of no letter.
fn unfolded(c: char) -> Class {
    if is_invisible(c) || is_diacritic(c) {
        Class::Dropped
    } else if is_apostrophe(c) {
        Class::Separator
    } else if scripts::is_mark(c) || is_mark(c) {
        Class::Mark(c)
    } else if scripts::is_unspaced(c) {
        match c.is_alphanumeric() {
            true => Class::Single(c),
            false => Class::Separator,
        }
    } else if c.is_alphanumeric() || is_private(c) {
        Class::Letter(c)
    } else {
        Class::Separator
    }
}

/// Letters and digits in another form: wide, circled, raised, lowered, of formulas, joined.
fn compatible(c: char) -> Option<Class> {
    let at = u32::from(c);
    let letter = |place: u32| char::from_u32(u32::from('a') + place).map(Class::Letter);
    let digit = |place: u32| char::from_u32(u32::from('0') + place).map(Class::Letter);
    match at {
        0xff10..=0xff19 => digit(at - 0xff10),
        0xff21..=0xff3a => letter(at - 0xff21),
        0xff41..=0xff5a => letter(at - 0xff41),
        0x2070 | 0x2074..=0x2079 => digit(at - 0x2070),
        0x2080..=0x2089 => digit(at - 0x2080),
        0x24b6..=0x24cf => letter(at - 0x24b6),
        0x24d0..=0x24e9 => letter(at - 0x24d0),
        0x1d400..=0x1d6a3 => letter((at - 0x1d400) % 26),
        0x1d7ce..=0x1d7ff => digit((at - 0x1d7ce) % 10),
        0xfb00..=0xfb06 => {
            let ligatures = ["ff", "fi", "fl", "ffi", "ffl", "st", "st"];
            let place = usize::try_from(at - 0xfb00).unwrap_or_default();
            Some(Class::Letters(ligatures[place]))
        }
        _ => None,
    }
}

/// Soft hyphens and joiners inside of words, marks of direction, and what chooses between
/// two forms of a character: nobody types them.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0xad | 0x034f | 0x061c | 0x200d..=0x200f | 0x202a..=0x202e | 0x2060 | 0x2066..=0x2069
        | 0x180b..=0x180d | 0xfe00..=0xfe0f | 0xfeff | 0xe0100..=0xe01ef)
}

/// Marks that people leave out: of Europe's scripts, stress, and the vowels and reading
/// signs of Hebrew and Arabic, with the stroke that stretches an Arabic word.
fn is_diacritic(c: char) -> bool {
    matches!(u32::from(c),
        0x0300..=0x036f | 0x0483..=0x0489
        | 0x0591..=0x05bd | 0x05bf | 0x05c1 | 0x05c2 | 0x05c4 | 0x05c5 | 0x05c7
        | 0x0610..=0x061a | 0x0640 | 0x064b..=0x065f | 0x0670
        | 0x06d6..=0x06dc | 0x06df..=0x06e4 | 0x06e7 | 0x06e8 | 0x06ea..=0x06ed
        | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe20..=0xfe2f)
}

/// Letters that look like an apostrophe, and are typed as one.
fn is_apostrophe(c: char) -> bool {
    matches!(u32::from(c), 0x02b9..=0x02bf | 0x02c8 | 0x02ca | 0x02cb)
}

fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x2600..=0x27bf | 0x1f000..=0x1faff)
}

fn is_private(c: char) -> bool {
    matches!(u32::from(c), 0xe000..=0xf8ff | 0xf0000..=0xffffd | 0x100000..=0x10fffd)
}

/// Marks (general category M) that are not alphabetic, without those that are left out:
/// signs of vowellessness, nuktas, tones.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c),
        0x0740..=0x074a | 0x07eb..=0x07f3 | 0x07fd | 0x0818..=0x0819 | 0x082d | 0x0859..=0x085b
        | 0x0898..=0x089f | 0x08ca..=0x08e1 | 0x08ea..=0x08ef | 0x093c | 0x094d | 0x0951..=0x0954
        | 0x09bc | 0x09cd | 0x09fe | 0x0a3c | 0x0a4d | 0x0abc | 0x0acd | 0x0afd..=0x0aff | 0x0b3c
        | 0x0b4d | 0x0b55 | 0x0bcd | 0x0c3c | 0x0c4d | 0x0cbc | 0x0ccd | 0x0d3b..=0x0d3c | 0x0d4d
        | 0x0dca | 0x0f18..=0x0f19 | 0x0f35 | 0x0f37 | 0x0f39 | 0x0f3e..=0x0f3f | 0x0f84
        | 0x0f86..=0x0f87 | 0x0fc6 | 0x135d..=0x135f | 0x1714..=0x1715 | 0x1734 | 0x1939..=0x193b
        | 0x1a60..=0x1a7c | 0x1a7f | 0x1b34..=0x1b44 | 0x1b6b..=0x1b73 | 0x1baa..=0x1bab
        | 0x1be6..=0x1bf3 | 0x1c37 | 0x1cd0..=0x1cd2 | 0x1cd4..=0x1ce8 | 0x1ced | 0x1cf4
        | 0x1cf7..=0x1cf9 | 0x2cef..=0x2cf1 | 0x2d7f | 0xa66f..=0xa672 | 0xa67c..=0xa67d
        | 0xa6f0..=0xa6f1 | 0xa806 | 0xa82c | 0xa8c4 | 0xa8e0..=0xa8f1 | 0xa92b..=0xa92d | 0xa953
        | 0xa9b3..=0xa9c0 | 0xaabf | 0xaac1 | 0xaaf6 | 0xabec..=0xabed | 0x101fd | 0x102e0
        | 0x10a38..=0x10a3a | 0x10a3f | 0x11046 | 0x11070 | 0x1107f | 0x110b9..=0x110ba
        | 0x11133..=0x11134 | 0x11173 | 0x111c0 | 0x111c9..=0x111cc | 0x11235..=0x11236
        | 0x112e9..=0x112ea | 0x1133b..=0x1133c | 0x1134d | 0x11442..=0x11446 | 0x114c2..=0x114c3
        | 0x115bf..=0x115c0 | 0x1163f | 0x116b6..=0x116b7 | 0x1e130..=0x1e136 | 0x1e2ec..=0x1e2ef
        | 0x1e8d0..=0x1e8d6 | 0x1e944..=0x1e94a)
}

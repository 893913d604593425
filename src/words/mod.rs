//! The words of a text, as every search index has them and every search asks for them. Pure.
//!
//! One tokenizer of our own, so that a search finds the same articles whichever database
//! answers it. [`words`] is the way in; `fold` says what one character becomes, and
//! `scripts` knows the scripts that write no spaces.
//!
//! * A word is a run of letters, digits and the marks on them (Unicode general categories
//!   L, N, M, Co); everything else stands between words.
//! * Letters are lower case and without diacritics: `Ærøskøbing` is `aeroskobing`, `Straße`
//!   `strasse`, `naïve` `naive`, `ΟΔΌΣ` `οδοσ`. Vowel signs of Arabic and Hebrew and stretched
//!   letters are left out. Letters of their own stay apart: Cyrillic `й` is not `и`.
//! * Scripts without spaces (Han, Kana, Thai, Lao, Myanmar, Khmer) give one word per
//!   character with the marks on it.
//! * `C++` is `c plusplus`, `C#` is `c sharp`, and each emoji is a word.

mod fold;
mod scripts;

use std::ops::Range;

use fold::{Class, class};

/// Characters of a word that count; what follows them in the same word is left out.
pub const MAX_WORD_CHARS: usize = 64;

/// The words of a text, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Separated by one space each, none at the ends.
    joined: String,
}

/// The words of a text, in its order.
#[must_use]
pub fn words(text: &str) -> Words {
    let mut writer = Writer::default();
    writer.write(text);
    writer.into_words()
}

/// The words of a text, and of each word the bytes of the text that it stands in.
#[must_use]
pub fn words_in_place(text: &str) -> (Words, Vec<Range<usize>>) {
    let mut writer = Writer {
        places: Some(Vec::new()),
        ..Writer::default()
    };
    writer.write(text);
    let places = writer.places.take().unwrap_or_default();
    (writer.into_words(), places)
}

impl Words {
    /// The words, one after another.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.joined.split(' ').filter(|word| !word.is_empty())
    }

    /// The words with one space between them, none at the ends.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.joined
    }

    /// Words that are joined by single spaces already.
    pub(crate) fn from_joined(joined: String) -> Self {
        Self { joined }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.joined.is_empty()
    }

    /// Leaves out the words behind the first `max_bytes` bytes, spaces included.
    #[must_use]
    pub fn up_to(mut self, max_bytes: usize) -> Self {
        if self.joined.len() > max_bytes {
            let end = self.joined.as_bytes()[..=max_bytes]
                .iter()
                .rposition(|byte| *byte == b' ');
            self.joined.truncate(end.unwrap_or_default());
        }
        self
    }
}

impl From<Words> for String {
    /// The words with one space between them, none at the ends.
    fn from(words: Words) -> Self {
        words.joined
    }
}

fn ascii_run(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|byte| !byte.is_ascii_alphanumeric());
    end.unwrap_or(bytes.len())
}

/// Writes words down one after another.
#[derive(Default)]
struct Writer {
    /// Words that are finished, each with a space behind it, and the one that is not.
    joined: String,
    /// Where the unfinished word begins.
    start: usize,
    /// Characters of the unfinished word.
    n_chars: usize,
    /// Whether the unfinished word is one character of a script without spaces.
    is_single: bool,
    /// What is being read, as bytes of the text.
    reading: Range<usize>,
    /// Where the unfinished word stands in the text.
    place: Range<usize>,
    /// Where the finished ones stand, if anybody wants to know.
    places: Option<Vec<Range<usize>>>,
}

impl Writer {
    fn write(&mut self, text: &str) {
        self.joined.reserve(text.len());
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let length = if byte.is_ascii_alphanumeric() {
                ascii_run(&bytes[at..])
            } else if byte.is_ascii() {
                sign_length(text, at)
            } else {
                // A character begins here: what stood before was read whole.
                text[at..].chars().next().map_or(1, char::len_utf8)
            };
            self.reading = at..at + length;
            if byte.is_ascii_alphanumeric() {
                self.push_ascii(&text[at..at + length]);
            } else if byte.is_ascii() {
                self.end_word();
                self.push_sign(text, at);
            } else {
                text[at..at + length].chars().for_each(|c| self.push(c));
            }
            at += length;
        }
        self.end_word();
    }

    fn into_words(mut self) -> Words {
        self.joined.truncate(self.joined.trim_end().len());
        Words {
            joined: self.joined,
        }
    }

    fn end_word(&mut self) {
        if self.joined.len() > self.start {
            self.joined.push(' ');
            if let Some(places) = &mut self.places {
                places.push(self.place.clone());
            }
        }
        self.start = self.joined.len();
        self.n_chars = 0;
        self.is_single = false;
    }

    /// What is being read belongs to the unfinished word, which it may begin.
    fn take_place(&mut self) {
        if self.joined.len() == self.start {
            self.place = self.reading.clone();
        }
        self.place.end = self.reading.end;
    }

    fn whole_word(&mut self, word: &str) {
        self.end_word();
        self.take_place();
        self.joined.push_str(word);
        self.end_word();
    }

    /// ASCII letters and digits.
    fn push_ascii(&mut self, run: &str) {
        if self.is_single {
            self.end_word();
        }
        self.take_place();
        let room = MAX_WORD_CHARS - self.n_chars;
        let run = &run[..run.len().min(room)];
        let from = self.joined.len();
        self.joined.push_str(run);
        self.joined[from..].make_ascii_lowercase();
        self.n_chars += run.len();
    }

    /// A character beyond ASCII.
    fn push(&mut self, c: char) {
        match class(c) {
            Class::Separator => self.end_word(),
            Class::Dropped => self.put_mark_within(c),
            Class::Mark(mark) => self.put_mark(mark),
            Class::Single(c) => {
                self.end_word();
                self.put(c);
                self.is_single = true;
            }
            Class::Letter(letter) => self.put_letter(letter),
            Class::Letters(letters) => letters.chars().for_each(|letter| self.put_letter(letter)),
            Class::Emoji => self.whole_word(&format!("emoji{:x}", u32::from(c))),
        }
    }

    fn put_letter(&mut self, letter: char) {
        if self.is_single {
            self.end_word();
        }
        // Texts from some systems spell Korean in parts.
        let is_part = scripts::follows_in_hangul(letter);
        match self
            .last()
            .filter(|_| is_part)
            .and_then(|last| scripts::hangul(last, letter))
        {
            Some(whole) => self.replace_last(whole),
            None => self.put(letter),
        }
    }

    /// A diacritic that is left out, unless it makes a letter of its own of the one before.
    fn put_mark_within(&mut self, mark: char) {
        let Some(last) = self.last() else {
            return;
        };
        self.place.end = self.reading.end;
        if let Some(whole) = scripts::cyrillic(last, mark) {
            self.replace_last(whole);
        }
    }

    /// A mark that belongs to the character before it; without one it is nothing.
    fn put_mark(&mut self, mark: char) {
        let Some(last) = self.last() else {
            return;
        };
        match scripts::kana(last, mark) {
            Some(whole) => self.replace_last(whole),
            None => self.put(mark),
        }
    }

    fn put(&mut self, c: char) {
        self.take_place();
        if self.n_chars < MAX_WORD_CHARS {
            self.joined.push(c);
            self.n_chars += 1;
        }
    }

    fn last(&self) -> Option<char> {
        self.joined[self.start..].chars().next_back()
    }

    fn replace_last(&mut self, whole: char) {
        self.place.end = self.reading.end;
        self.joined.pop();
        self.joined.push(whole);
    }

    /// The sign at `at`, which may tell `C++` and `C#` from `C`.
    fn push_sign(&mut self, text: &str, at: usize) {
        match sign(text, at) {
            Some(Sign::PlusPlus) => self.whole_word("plusplus"),
            Some(Sign::Sharp) => self.whole_word("sharp"),
            None => {}
        }
    }
}

/// A sign that is a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    PlusPlus,
    Sharp,
}

/// Bytes of the sign at `at`.
fn sign_length(text: &str, at: usize) -> usize {
    match sign(text, at) {
        Some(Sign::PlusPlus) => 2,
        Some(Sign::Sharp) | None => 1,
    }
}

/// Whether the ASCII character at `at` is a word: `++` behind a letter or digit, and `#`
/// behind one letter that stands alone.
fn sign(text: &str, at: usize) -> Option<Sign> {
    let sign = text.as_bytes()[at];
    if !matches!(sign, b'+' | b'#') {
        return None;
    }
    let behind = text[at + 1..].chars().next().unwrap_or(' ');
    let mut before = text[..at].chars().rev().filter(|c| !fold::is_invisible(*c));
    let (last, before_last) = (before.next(), before.next());
    let is_letter_or_digit = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    if sign == b'+' {
        return (behind == '+' && is_letter_or_digit(last)).then_some(Sign::PlusPlus);
    }
    let is_one_letter = last.is_some_and(char::is_alphabetic) && !is_letter_or_digit(before_last);
    (is_one_letter && !behind.is_alphanumeric()).then_some(Sign::Sharp)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(words(text).as_str(), expected, "{text}");
    }

    #[test]
    fn words_are_lower_case_and_parted_by_what_is_no_letter() {
        check(
            "Don't run multi-agent code on 20.04!",
            "don t run multi agent code on 20 04",
        );
        check("  A--b\tC\n", "a b c");
        check("a\0b", "a b");
        check("?! — …", "");
        check("x²", "x2");
    }

    #[test]
    fn diacritics_make_no_other_word() {
        check("Größe, naïve CAFÉ", "grosse naive cafe");
        check("Ærøskøbing Łódź Đà Nẵng", "aeroskobing lodz da nang");
        check("cafe\u{301} E\u{301}TE\u{301}", "cafe ete");
        check("İstanbul IĞDIR ığdır", "istanbul igdir igdir");
        check("STRASSE Straße STRAẞE", "strasse strasse strasse");
        check("ΟΔΌΣ οδός Ὀδυσσεύς", "οδοσ οδοσ οδυσσευσ");
        check("Ёлка ёлка", "елка елка");
    }

    #[test]
    fn a_letter_of_its_own_stays_apart() {
        check("й и", "й и");
        check("и\u{306} і\u{308} за\u{301}мок", "й ї замок");
        check("Київ", "київ");
    }

    #[test]
    fn vowel_signs_and_forms_of_arabic_and_hebrew_do_not_matter() {
        check("مُحَمَّد محمـــد", "محمد محمد");
        check("أحمد احمد", "احمد احمد");
        check(
            "\u{5e9}\u{5c1}\u{5b8}\u{5dc}\u{5d5}\u{5b9}\u{5dd}",
            "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
        );
        check("۲۰۲۶ ٢٠٢٦ २०२६", "2026 2026 2026");
    }

    #[test]
    fn marks_belong_to_their_word_where_a_script_needs_them() {
        check("हिन्दी समाचार", "हिन्दी समाचार");
        check("\u{94d}", "");
        check("தமிழ் বাংলা", "தமிழ் বাংলা");
    }

    #[test]
    fn scripts_without_spaces_become_single_characters() {
        check("東京は晴れ。", "東 京 は 晴 れ");
        check("東京2020年AI", "東 京 2020 年 ai");
        check("กำลัง", "ก ำ ลั ง");
        check("か\u{3099}ｶﾞガ", "が ガ ガ");
        check(
            "한국 \u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}",
            "한국 한국",
        );
    }

    #[test]
    fn other_forms_of_letters_are_those_letters() {
        check(
            "ＡＩ２０２６ 𝔸𝗯𝟙 Ⓐ ﬁn H₂O \u{212a}",
            "ai2026 ab1 a fin h2o k",
        );
    }

    #[test]
    fn names_of_languages_are_told_apart() {
        check("C++ and C#", "c plusplus and c sharp");
        check("#tag a + b 1 ++ abc# c#x", "tag a b 1 abc c x");
        check("é++ 東++", "e plusplus 東 plusplus");
    }

    #[test]
    fn emoji_are_words() {
        check("ok 🎉!", "ok emoji1f389");
        check("❤\u{fe0f}❤", "emoji2764 emoji2764");
        check("a🎈b", "a emoji1f388 b");
    }

    #[test]
    fn what_nobody_sees_or_types_does_not_part_a_word() {
        check("Donau\u{ad}dampf\u{ad}schiff", "donaudampfschiff");
        check("O’Neill Hawaiʻi", "o neill hawai i");
    }

    #[test]
    fn a_word_without_end_is_cut() {
        let long = "x".repeat(1000);
        check(&long, &long[..MAX_WORD_CHARS]);
        check(
            &format!("{} y", "é".repeat(100)),
            &format!("{} y", "e".repeat(MAX_WORD_CHARS)),
        );
        check(
            &format!("ก{}", "\u{e38}".repeat(500)),
            &format!("ก{}", "\u{e38}".repeat(MAX_WORD_CHARS - 1)),
        );
    }

    #[test]
    fn words_are_cut_between_words() {
        let cut = |max| words("one two three").up_to(max).as_str().to_owned();

        assert_eq!((cut(0), cut(2)), (String::new(), String::new()));
        assert_eq!((cut(3), cut(6)), ("one".to_owned(), "one".to_owned()));
        assert_eq!(
            (cut(7), cut(12), cut(13)),
            (
                "one two".to_owned(),
                "one two".to_owned(),
                "one two three".to_owned()
            )
        );
    }

    #[test]
    fn each_word_has_its_place_in_the_text() {
        let text = "Die Stra\u{df}e, 東京 na\u{ef}ve cafe\u{301} C++ 🎉 soft\u{ad}hyphen";

        let (words, places) = words_in_place(text);

        let placed: Vec<&str> = places.iter().map(|place| &text[place.clone()]).collect();
        let expected = "die strasse 東 京 naive cafe c plusplus emoji1f389 softhyphen";
        assert_eq!(words.as_str(), expected);
        assert_eq!(
            placed,
            [
                "Die",
                "Stra\u{df}e",
                "東",
                "京",
                "na\u{ef}ve",
                "cafe\u{301}",
                "C",
                "++",
                "🎉",
                "soft\u{ad}hyphen"
            ]
        );
    }

    proptest! {
        #[test]
        fn places_stand_in_order_one_for_each_word(text: String) {
            let (found, places) = words_in_place(&text);

            prop_assert_eq!(found.iter().count(), places.len());
            prop_assert!(places.windows(2).all(|pair| pair[0].end <= pair[1].start));
            for (word, place) in found.iter().zip(&places) {
                prop_assert!(text.get(place.clone()).is_some(), "{}", word);
            }
            prop_assert_eq!(found, words(&text));
        }

        #[test]
        fn words_of_words_are_the_same_words(text in "(\\PC|[ -~]|\u{300}|[+#ßæ東のかﾞก\u{e31}é\u{3099}]){0,80}") {
            let once = words(&text);

            prop_assert_eq!(words(once.as_str()), once);
        }

        #[test]
        fn words_are_never_empty_nor_without_bound(text: String) {
            let words = words(&text);

            prop_assert!(!words.as_str().contains("  "));
            prop_assert_eq!(words.as_str().trim(), words.as_str());
            prop_assert!(words.iter().all(|word| word.chars().count() <= MAX_WORD_CHARS));
            let is_quiet = |c: char| !c.is_control() && !matches!(c, '\'' | '"' | '\\');
            prop_assert!(words.as_str().chars().all(is_quiet));
        }

        #[test]
        fn words_stand_alone_wherever_a_space_is(a: String, b: String) {
            let apart = format!("{} {}", words(&a).as_str(), words(&b).as_str());

            let both = words(&format!("{a} {b}"));

            prop_assert_eq!(both.as_str(), apart.trim());
        }
    }
}

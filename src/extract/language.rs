//! In which language an article is written.

use super::text;

/// Least characters from which the language of a text can be told.
const MIN_DETECTED_CHARS: usize = 80;

/// The language of the text where detection is sure of it, else what the page claims.
pub(super) fn choose(text: &str, claimed: Option<String>) -> Option<String> {
    let sample = text::prefix(text, 2_000);
    let detected = (sample.chars().nth(MIN_DETECTED_CHARS).is_some())
        .then(|| whatlang::detect(sample))
        .flatten()
        .filter(whatlang::Info::is_reliable)
        .and_then(|info| language_tag(info.lang()));
    match (claimed, detected) {
        // Detection mistakes close relatives for each other; a claim is only overruled by
        // a sure finding, and never when it names a language that detection does not know.
        (Some(claimed), Some(detected))
            if !is_detectable(&claimed) || are_close(&claimed, detected) =>
        {
            Some(claimed)
        }
        (_, Some(detected)) => Some(detected.to_owned()),
        (claimed, None) => claimed,
    }
}

/// The BCP 47 primary tag of a detected language: the two-letter code where there is one.
fn language_tag(lang: whatlang::Lang) -> Option<&'static str> {
    LANGUAGES
        .iter()
        .find(|(code, _)| *code == lang.code())
        .map(|(_, tag)| *tag)
}

fn is_detectable(tag: &str) -> bool {
    LANGUAGES.iter().any(|(_, known)| *known == tag)
}

fn are_close(a: &str, b: &str) -> bool {
    const CLOSE: &[&[&str]] = &[
        &["da", "no", "nb", "nn", "sv"],
        &["hr", "sr", "bs", "sl", "mk", "bg"],
        &["cs", "sk"],
        &["ru", "uk", "be"],
        &["es", "ca", "pt", "gl", "it"],
        &["af", "nl"],
        &["id", "ms", "jv"],
        &["hi", "mr", "ne"],
        &["ar", "fa", "ur"],
        &["az", "tr", "uz", "tk"],
    ];
    a == b
        || CLOSE
            .iter()
            .any(|group| group.contains(&a) && group.contains(&b))
}

/// ISO 639-3 codes of detection and their tags.
const LANGUAGES: &[(&str, &str)] = &[
    ("epo", "eo"),
    ("eng", "en"),
    ("rus", "ru"),
    ("cmn", "zh"),
    ("spa", "es"),
    ("por", "pt"),
    ("ita", "it"),
    ("ben", "bn"),
    ("fra", "fr"),
    ("deu", "de"),
    ("ukr", "uk"),
    ("kat", "ka"),
    ("ara", "ar"),
    ("hin", "hi"),
    ("jpn", "ja"),
    ("heb", "he"),
    ("yid", "yi"),
    ("pol", "pl"),
    ("amh", "am"),
    ("jav", "jv"),
    ("kor", "ko"),
    ("nob", "no"),
    ("dan", "da"),
    ("swe", "sv"),
    ("fin", "fi"),
    ("tur", "tr"),
    ("nld", "nl"),
    ("hun", "hu"),
    ("ces", "cs"),
    ("ell", "el"),
    ("bul", "bg"),
    ("bel", "be"),
    ("mar", "mr"),
    ("kan", "kn"),
    ("ron", "ro"),
    ("slv", "sl"),
    ("hrv", "hr"),
    ("srp", "sr"),
    ("mkd", "mk"),
    ("lit", "lt"),
    ("lav", "lv"),
    ("est", "et"),
    ("tam", "ta"),
    ("vie", "vi"),
    ("urd", "ur"),
    ("tha", "th"),
    ("guj", "gu"),
    ("uzb", "uz"),
    ("pan", "pa"),
    ("aze", "az"),
    ("ind", "id"),
    ("tel", "te"),
    ("pes", "fa"),
    ("mal", "ml"),
    ("ori", "or"),
    ("mya", "my"),
    ("nep", "ne"),
    ("sin", "si"),
    ("khm", "km"),
    ("tuk", "tk"),
    ("aka", "ak"),
    ("zul", "zu"),
    ("sna", "sn"),
    ("afr", "af"),
    ("lat", "la"),
    ("slk", "sk"),
    ("cat", "ca"),
    ("tgl", "tl"),
    ("hye", "hy"),
    ("cym", "cy"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_what_the_page_claims() {
        assert_eq!(
            choose("Guten Tag", Some("fr".to_owned())).as_deref(),
            Some("fr")
        );
        assert_eq!(choose("Guten Tag", None), None);
    }

    #[test]
    fn close_relatives_are_left_to_the_page() {
        let danish =
            "Vandet steg to meter i løbet af natten, og byen lukkede begge broer over floden. "
                .repeat(3);

        assert_eq!(
            choose(&danish, Some("no".to_owned())).as_deref(),
            Some("no")
        );
    }

    #[test]
    fn every_language_of_detection_has_a_tag() {
        for lang in whatlang::Lang::all() {
            assert!(language_tag(*lang).is_some(), "{lang}");
        }
    }
}

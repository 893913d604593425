//! The few phrases that tell furniture where the markup does not, in the languages of many
//! newspapers. Only whole beginnings of short paragraphs are compared.

/// Beginnings of lines that lead to another article.
const LEADS: &[&str] = &[
    "read more",
    "read also",
    "also read",
    "read next",
    "see also",
    "related",
    "more on this",
    "more",
    "further reading",
    "click here",
    "watch",
    "recommended",
    "lesen sie auch",
    "lesen sie dazu",
    "lesen sie mehr",
    "lesen sie hier",
    "lesen sie weiter",
    "auch interessant",
    "mehr zum thema",
    "mehr dazu",
    "mehr lesen",
    "siehe auch",
    "weiterlesen",
    "lire aussi",
    "à lire aussi",
    "a lire aussi",
    "lire également",
    "voir aussi",
    "lire la suite",
    "sur le même sujet",
    "leer también",
    "lea también",
    "lee también",
    "te puede interesar",
    "le puede interesar",
    "más información",
    "leer más",
    "leia também",
    "leia mais",
    "veja também",
    "saiba mais",
    "leggi anche",
    "leggi di più",
    "approfondisci",
    "lees ook",
    "lees meer",
    "les også",
    "læs også",
    "läs också",
    "läs mer",
    "les mer",
    "czytaj także",
    "czytaj też",
    "zobacz także",
    "přečtěte si",
    "čtěte také",
    "baca juga",
    "ayrıca bakınız",
    "читайте также",
    "читайте",
    "lue myös",
    "xem thêm",
    "関連記事",
];

/// Beginnings of paragraphs that speak to the reader about the site.
const FURNITURE: &[&str] = &[
    "sign up for",
    "sign up to",
    "subscribe to",
    "subscribe now",
    "follow us on",
    "like us on",
    "join us on",
    "advertisement",
    "anzeige",
    "all rights reserved",
    "share this",
    "share on",
    "this article originally appeared",
    "copyright ©",
    "© copyright",
    "newsletter",
    "abonnieren sie",
    "melden sie sich",
    "jetzt abonnieren",
    "externer inhalt",
    "empfohlener redaktioneller inhalt",
    "an dieser stelle finden sie",
    "an dieser stelle befindet",
    "inscrivez vous",
    "abonnez vous",
    "suscríbete",
    "suscríbase",
    "iscriviti",
    "story continues below",
    "article continues",
    "loading",
    "we ll be in the",
    "download the app",
    "publicidad",
    "publicité",
    "reklama",
    "werbung",
    "get the latest",
    "click to share",
    "print this",
    "skip to",
    "follow us",
    "folgen sie uns",
    "folge uns",
    "síguenos",
    "siga nos",
    "abonneer",
    "continue reading",
    "scroll to continue",
    "il vous reste",
    "möchten sie weiterlesen",
    "ja ich bin abonnent",
    "ja ich benötige ein abo",
    "up next",
    "additional reporting by",
    "wszelkie prawa zastrzeżone",
    "todos los derechos reservados",
    "tous droits réservés",
    "alle rechte vorbehalten",
    "tutti i diritti riservati",
    "todos os direitos reservados",
    "update required",
    "table of contents",
    "inhaltsverzeichnis",
];

/// Parts of words of which one from each list stands in what pages show in place of
/// something from elsewhere until the reader consents.
const CONSENT: [&[&str]; 2] = [
    &[
        "extern",
        "eingebettet",
        "eingebunden",
        "embedded content",
        "third party content",
        "contenu externe",
        "contenus externes",
        "contenido externo",
        "contenuto esterno",
        "ingesloten",
        "ekstern",
        "externt innehåll",
        "drittanbieter",
    ],
    &[
        "einwillig",
        "zustimm",
        "einverstanden",
        "akzeptier",
        "datenschutzerklärung",
        "personenbezogene",
        "your consent",
        "you accept",
        "cookie settings",
        "votre consentement",
        "vous acceptez",
        "su consentimiento",
        "tuo consenso",
        "toestemming",
        "samtykke",
        "samtycke",
    ],
];

/// Likewise of notices about readers' comments.
const COMMENT_RULES: [&[&str]; 2] = [
    &[
        "kommentare",
        "comments",
        "commentaires",
        "comentarios",
        "comentários",
        "commenti",
        "комментирования",
        "комментарии",
        "reacties",
        "komentarze",
    ],
    &[
        "themenbezogen",
        "netiquette",
        "moderated",
        "moderation",
        "moderiert",
        "modérés",
        "modérateur",
        "moderados",
        "moderadores",
        "serão aprovados",
        "правила",
        "moderati",
        "regulamin",
        "house rules",
        "community guidelines",
    ],
];

/// Whether a line, in comparable form, begins as links to other articles do.
pub(super) fn leads_elsewhere(form: &str) -> bool {
    begins_with_any(form, LEADS)
}

/// Whether a short paragraph, in comparable form, begins as calls to subscribe, share or
/// accept do.
pub(super) fn is_furniture(form: &str) -> bool {
    begins_with_any(form, FURNITURE)
}

/// Words before the colon of a note of correction.
const CORRECTION_LABELS: &[&str] = &[
    "correction",
    "corrections",
    "clarification",
    "korrektur",
    "korrekturhinweis",
    "rectificatif",
    "erratum",
    "corrección",
    "fe de errores",
    "correzione",
    "errata corrige",
    "correção",
    "rectificatie",
    "rettelse",
    "rättelse",
    "oikaisu",
];

/// Beginnings of paragraphs that tell what was corrected.
const CORRECTIONS: &[&str] = &[
    "editor s note an earlier version",
    "editor s note a previous version",
    "this article was amended on",
    "this article was corrected on",
    "this article has been corrected",
    "this story was corrected",
    "this story has been corrected",
    "this story has been updated to correct",
    "an earlier version of this article",
    "an earlier version of this story",
    "a previous version of this article",
    "a previous version of this story",
    "anmerkung der redaktion in einer früheren",
    "in einer früheren version dieses",
    "in einer ersten version dieses",
];

/// Whether a paragraph, in comparable form, begins as notes of correction do. `shown` is
/// the same as it is shown.
pub(super) fn is_correction(form: &str, shown: &str) -> bool {
    let has_label =
        || begins_with_any(form, CORRECTION_LABELS) && super::text::prefix(shown, 40).contains(':');
    begins_with_any(form, CORRECTIONS) || has_label()
}

/// Whether a paragraph, in comparable form, asks for consent to show something, or tells
/// how to comment.
pub(super) fn is_notice(form: &str) -> bool {
    let has_both = |lists: &[&[&str]; 2]| {
        let mut lists = lists.iter();
        lists.all(|list| list.iter().any(|part| form.contains(part)))
    };
    has_both(&CONSENT) || has_both(&COMMENT_RULES)
}

fn begins_with_any(form: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| {
        form.strip_prefix(phrase)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    use super::super::text::comparable;

    #[test]
    fn only_whole_beginnings_count() {
        assert!(leads_elsewhere(&comparable("Read more: The rain")));
        assert!(leads_elsewhere(&comparable("» Lesen Sie auch: Der Regen")));
        assert!(!leads_elsewhere(&comparable("Readers were surprised")));
        assert!(is_furniture(&comparable("Sign up for our newsletter")));
    }

    #[test]
    fn a_notice_speaks_of_foreign_things_and_of_consent() {
        let notice = |text| is_notice(&comparable(text));

        assert!(notice(
            "Um eingebettete Inhalte zu sehen, ist deine Einwilligung nötig."
        ));
        assert!(!notice(
            "Die externe Prüfung der Bilanz dauerte drei Monate."
        ));
        assert!(!notice(
            "The committee asked for the consent of both houses."
        ));
    }

    #[test]
    fn a_correction_says_so_first() {
        let correction = |text| is_correction(&comparable(text), text);

        assert!(correction("Correction: the river rose by two metres."));
        assert!(correction(
            "An earlier version of this article named another town."
        ));
        assert!(!correction(
            "Corrections were made to the course of the river."
        ));
    }
}

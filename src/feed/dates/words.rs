//! The words of dates: months and weekdays in the languages of feeds, zones, halves of the day.

use jiff::civil::Weekday;

/// Whether letters behind a number make it an ordinal: `6th`.
pub(super) fn is_ordinal(suffix: &str) -> bool {
    matches!(suffix, "st" | "nd" | "rd" | "th" | "er" | "º" | "ª")
}

/// Whether a word behind a number makes it a month.
pub(super) fn is_month_mark(word: &str) -> bool {
    matches!(word, "월" | "月")
}

/// Whether a word means the second half of the day (`true`) or the first.
pub(super) fn half_of_day(word: &str) -> Option<bool> {
    match word {
        "am" | "오전" | "上午" => Some(false),
        "pm" | "오후" | "下午" => Some(true),
        _ => None,
    }
}

/// The month that a word begins like, in languages whose names do not collide: English,
/// German, French, Spanish, Italian, Portuguese, Dutch, the Nordic languages, Polish,
/// Czech, Hungarian, Turkish, Greek, Russian, Ukrainian, Arabic, Hebrew, Chinese.
pub(super) fn month_of(word: &str) -> Option<i8> {
    #[rustfmt::skip]
    const STEMS: [&[&str]; 12] = [
        &["jan", "ינו", "一月", "jän", "ene", "gen", "sty", "oca", "led", "ιαν", "янв", "січ", "يناير"],
        &["feb", "פבר", "二月", "fév", "fev", "lut", "şub", "helmi", "úno", "φεβ", "фев", "лют", "فبراير"],
        &["mar", "mär", "mrz", "mrt", "מרץ", "三月", "maa", "már", "bře", "μαρ", "μάρ", "μάώ", "μαώ", "мар", "бер", "مارس"],
        &["apr", "אפר", "四月", "avr", "abr", "ápr", "kwi", "nis", "huhti", "dub", "απρ", "апр", "кві", "أبريل", "ابريل"],
        &["may", "מאי", "五月", "mai", "mei", "mag", "maj", "máj", "touko", "kvě", "μαι", "μάι", "μαϊ", "май", "мая", "тра", "مايو"],
        &["jun", "יונ", "六月", "juin", "jún", "giu", "cze", "haz", "června", "ιουν", "ιούν", "ιον", "июн", "чер", "يونيو"],
        &["jul", "יול", "七月", "juil", "júl", "lug", "lip", "tem", "červenc", "července", "ιουλ", "ιούλ", "ιολ", "июл", "лип", "يوليو"],
        &["aug", "אוג", "八月", "aoû", "aou", "ago", "sie", "ağu", "elo", "srp", "αυγ", "αύγ", "авг", "сер", "أغسطس", "اغسطس"],
        &["sep", "ספט", "九月", "set", "szept", "wrz", "eyl", "syys", "září", "σεπ", "сен", "вер", "سبتمبر"],
        &["oct", "אוק", "十月", "okt", "out", "ott", "paź", "eki", "loka", "říj", "οκτ", "окт", "жов", "أكتوبر", "اكتوبر"],
        &["nov", "נוב", "十一月", "lis", "kas", "marras", "νοε", "νοέ", "ноя", "نوفمبر"],
        &["dec", "דצמ", "十二月", "déc", "dez", "dic", "des", "gru", "ara", "joulu", "pros", "δεκ", "дек", "гру", "ديسمبر"],
    ];
    if word.chars().count() > 12 {
        return None;
    }
    // The longest stem wins: "marraskuu" is November, not March.
    let stems = (1i8..).zip(STEMS);
    let found = stems.flat_map(|(month, stems)| stems.iter().map(move |stem| (stem, month)));
    found
        .filter(|(stem, _)| word.starts_with(**stem))
        .max_by_key(|(stem, _)| stem.len())
        .map(|(_, month)| month)
}

/// The weekday that a word begins like.
pub(super) fn weekday_of(word: &str) -> Option<Weekday> {
    #[rustfmt::skip]
    const STEMS: [(&[&str], Weekday); 7] = [
        (&["mon", "lun", "пн", "пон", "δευ", "pon"], Weekday::Monday),
        (&["tue", "die", "mar", "вт", "τρι", "τρί", "wto", "úte"], Weekday::Tuesday),
        (&["wed", "mit", "mer", "mié", "ср", "τετ", "śro", "stř"], Weekday::Wednesday),
        (&["thu", "don", "jeu", "jue", "gio", "чт", "чет", "πεμ", "πέμ", "czw", "čtv"], Weekday::Thursday),
        (&["fri", "fre", "ven", "vie", "пт", "пят", "παρ", "pią", "pát"], Weekday::Friday),
        (&["sat", "sam", "sáb", "sab", "сб", "суб", "σαβ", "σάβ", "sob"], Weekday::Saturday),
        (&["sun", "son", "dim", "dom", "вс", "вос", "κυρ", "nie", "ned"], Weekday::Sunday),
    ];
    let found = STEMS
        .iter()
        .find(|(stems, _)| stems.iter().any(|stem| word.starts_with(stem)));
    found.map(|(_, weekday)| *weekday)
}

/// Minutes east of UTC of a zone's name. North American names first (RFC 2822 §4.3), then
/// names that mean one thing among publishers; one letter is a military zone, which
/// RFC 2822 says to read as UTC.
pub(super) fn zone_offset(word: &str) -> Option<i32> {
    let hours = match word {
        "z" | "gmt" | "utc" | "ut" | "wet" | "uct" => 0.0,
        "est" => -5.0,
        "edt" => -4.0,
        "cst" => -6.0,
        "cdt" => -5.0,
        "mst" => -7.0,
        "mdt" => -6.0,
        "pst" => -8.0,
        "pdt" => -7.0,
        "akst" => -9.0,
        "akdt" => -8.0,
        "hst" => -10.0,
        "ast" | "at" => -4.0,
        "adt" | "brst" => -3.0 + if word == "brst" { 1.0 } else { 0.0 },
        "nst" => -3.5,
        "ndt" => -2.5,
        "brt" | "art" => -3.0,
        "bst" | "cet" | "met" | "mez" | "west" | "wat" => 1.0,
        "cest" | "mest" | "mesz" | "eet" | "sast" | "cat" => 2.0,
        "eest" | "msk" | "trt" | "eat" => 3.0,
        "msd" | "gst" => 4.0,
        "pkt" => 5.0,
        "ist" => 5.5,
        "npt" => 5.75,
        "wib" | "ict" => 7.0,
        "hkt" | "sgt" | "awst" | "pht" | "wita" => 8.0,
        "jst" | "kst" => 9.0,
        "acst" => 9.5,
        "aest" => 10.0,
        "acdt" => 10.5,
        "aedt" => 11.0,
        "nzst" => 12.0,
        "nzdt" => 13.0,
        _ => return None,
    };
    Some((hours * 60.0) as i32)
}

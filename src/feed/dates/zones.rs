//! Zones by their names in the IANA time zone database, and in words.
//!
//! A table of ours, because the machine's own is not ours to depend on: the same feed must
//! give the same dates everywhere. The rules are those in force today; where a country has
//! changed its own since, an old date may be an hour off.

use super::Part;

/// What a name of a zone says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// Minutes east of UTC, all the year.
    Fixed(i32),
    /// A rule with summer time, as POSIX writes it (IEEE Std 1003.1, `TZ`).
    Rule(&'static str),
}

const CENTRAL_EUROPE: Zone = Zone::Rule("CET-1CEST,M3.5.0,M10.5.0/3");
const EASTERN_EUROPE: Zone = Zone::Rule("EET-2EEST,M3.5.0/3,M10.5.0/4");
const WESTERN_EUROPE: Zone = Zone::Rule("WET0WEST,M3.5.0/1,M10.5.0");
const BRITAIN: Zone = Zone::Rule("GMT0BST,M3.5.0/1,M10.5.0");
const EASTERN: Zone = Zone::Rule("EST5EDT,M3.2.0,M11.1.0");
const CENTRAL: Zone = Zone::Rule("CST6CDT,M3.2.0,M11.1.0");
const MOUNTAIN: Zone = Zone::Rule("MST7MDT,M3.2.0,M11.1.0");
const PACIFIC: Zone = Zone::Rule("PST8PDT,M3.2.0,M11.1.0");
const ALASKA: Zone = Zone::Rule("AKST9AKDT,M3.2.0,M11.1.0");
const ATLANTIC: Zone = Zone::Rule("AST4ADT,M3.2.0,M11.1.0");

/// The zone at the start of the parts, if it is written as the database writes it
/// (`Europe/Brussels`, `America/New_York`, `Etc/GMT+3`), and what follows it.
pub(super) fn database_zone(parts: &[Part]) -> Option<(Zone, &[Part])> {
    use Part::{Mark, Number, Word};
    let [Word(area), Mark('/'), Word(first), rest @ ..] = parts else {
        return None;
    };
    if area == "etc" {
        // POSIX counts west of Greenwich: `Etc/GMT+3` is UTC-3.
        return Some(match rest {
            [
                Mark(sign @ ('+' | '-')),
                Number(hours @ ..=14, ..=2),
                rest @ ..,
            ] => {
                let minutes = *hours as i32 * 60;
                (
                    Zone::Fixed(if *sign == '+' { -minutes } else { minutes }),
                    rest,
                )
            }
            rest => (Zone::Fixed(0), rest),
        });
    }
    let (mut city, mut rest) = (first.clone(), rest);
    loop {
        rest = match rest {
            [Mark('_' | '-'), Word(word), after @ ..] => {
                city.push('_');
                city.push_str(word);
                after
            }
            // America/Argentina/Buenos_Aires
            [Mark('/'), Word(word), after @ ..] => {
                city.clone_from(word);
                after
            }
            _ => break,
        };
    }
    let zone = match area.as_str() {
        "us" | "canada" => region(&city),
        _ => by_city(&city),
    };
    zone.map(|zone| (zone, rest))
}

/// A zone of North America in words, `Eastern Standard Time`, or as a letter and `T`; it
/// follows the clocks, whatever the words say of summer.
pub(super) fn region(word: &str) -> Option<Zone> {
    Some(match word {
        "eastern" | "et" => EASTERN,
        "central" | "ct" => CENTRAL,
        "mountain" | "mt" => MOUNTAIN,
        "pacific" | "pt" => PACIFIC,
        "atlantic" => ATLANTIC,
        "alaska" | "alaskan" => ALASKA,
        "hawaii" | "hawaiian" => Zone::Fixed(-600),
        "arizona" | "saskatchewan" => Zone::Fixed(if word == "arizona" { -420 } else { -360 }),
        "newfoundland" => Zone::Rule("NST3:30NDT,M3.2.0,M11.1.0"),
        "european" => CENTRAL_EUROPE,
        _ => return None,
    })
}

fn by_city(city: &str) -> Option<Zone> {
    let hours = |hours: f64| Zone::Fixed((hours * 60.0) as i32);
    Some(match city {
        "amsterdam" | "andorra" | "belgrade" | "berlin" | "bratislava" | "brussels"
        | "budapest" | "ceuta" | "copenhagen" | "gibraltar" | "ljubljana" | "longyearbyen"
        | "luxembourg" | "madrid" | "malta" | "monaco" | "oslo" | "paris" | "podgorica"
        | "prague" | "rome" | "san_marino" | "sarajevo" | "skopje" | "stockholm" | "tirane"
        | "vaduz" | "vatican" | "vienna" | "warsaw" | "zagreb" | "zurich" => CENTRAL_EUROPE,
        "athens" | "bucharest" | "chisinau" | "helsinki" | "kiev" | "kyiv" | "mariehamn"
        | "nicosia" | "riga" | "sofia" | "tallinn" | "uzhgorod" | "vilnius" | "zaporozhye" => {
            EASTERN_EUROPE
        }
        "lisbon" | "madeira" | "canary" | "faroe" => WESTERN_EUROPE,
        "london" | "belfast" | "guernsey" | "jersey" | "isle_of_man" | "dublin" => BRITAIN,
        "new_york" | "detroit" | "toronto" | "montreal" | "nassau" | "indianapolis"
        | "louisville" | "port_au_prince" | "iqaluit" => EASTERN,
        "chicago" | "winnipeg" | "menominee" | "matamoros" => CENTRAL,
        "denver" | "edmonton" | "boise" | "calgary" => MOUNTAIN,
        "los_angeles" | "vancouver" | "tijuana" => PACIFIC,
        "anchorage" | "juneau" | "nome" | "sitka" => ALASKA,
        "halifax" | "moncton" | "bermuda" | "thule" | "glace_bay" => ATLANTIC,
        "st_johns" => Zone::Rule("NST3:30NDT,M3.2.0,M11.1.0"),
        "havana" => Zone::Rule("CST5CDT,M3.2.0/0,M11.1.0/1"),
        "santiago" => Zone::Rule("<-04>4<-03>,M9.1.6/24,M4.1.6/24"),
        "sydney" | "melbourne" | "hobart" | "canberra" => {
            Zone::Rule("AEST-10AEDT,M10.1.0,M4.1.0/3")
        }
        "adelaide" => Zone::Rule("ACST-9:30ACDT,M10.1.0,M4.1.0/3"),
        "auckland" => Zone::Rule("NZST-12NZDT,M9.5.0,M4.1.0/3"),
        "jerusalem" | "tel_aviv" => Zone::Rule("IST-2IDT,M3.4.4/26,M10.5.0"),
        "beirut" => Zone::Rule("EET-2EEST,M3.5.0/0,M10.5.0/0"),
        "cairo" => Zone::Rule("EET-2EEST,M4.5.5/0,M10.5.4/24"),
        "azores" => Zone::Rule("<-01>1<+00>,M3.5.0/0,M10.5.0/1"),
        "pago_pago" => hours(-11.0),
        "honolulu" | "tahiti" => hours(-10.0),
        "phoenix" | "hermosillo" | "whitehorse" => hours(-7.0),
        "mexico_city" | "monterrey" | "guatemala" | "costa_rica" | "managua" | "el_salvador"
        | "tegucigalpa" | "regina" | "belize" => hours(-6.0),
        "bogota" | "lima" | "guayaquil" | "panama" | "jamaica" | "cancun" | "cayman" => hours(-5.0),
        "puerto_rico" | "caracas" | "la_paz" | "santo_domingo" | "manaus" | "barbados"
        | "guyana" | "port_of_spain" => hours(-4.0),
        "sao_paulo" | "buenos_aires" | "cordoba" | "montevideo" | "fortaleza" | "bahia"
        | "recife" | "cayenne" | "paramaribo" | "asuncion" => hours(-3.0),
        "noronha" => hours(-2.0),
        "abidjan" | "accra" | "dakar" | "monrovia" | "reykjavik" | "bamako" | "utc" => hours(0.0),
        "lagos" | "algiers" | "tunis" | "luanda" | "kinshasa" | "casablanca" | "douala" => {
            hours(1.0)
        }
        "johannesburg" | "harare" | "lusaka" | "maputo" | "tripoli" | "kigali" | "khartoum"
        | "gaborone" | "windhoek" | "kaliningrad" => hours(2.0),
        "moscow" | "minsk" | "istanbul" | "simferopol" | "kirov" | "volgograd" | "riyadh"
        | "kuwait" | "qatar" | "bahrain" | "baghdad" | "aden" | "amman" | "damascus"
        | "nairobi" | "addis_ababa" | "kampala" | "dar_es_salaam" | "mogadishu" => hours(3.0),
        "tehran" => hours(3.5),
        "dubai" | "muscat" | "baku" | "tbilisi" | "yerevan" | "samara" | "saratov"
        | "ulyanovsk" | "astrakhan" | "mauritius" => hours(4.0),
        "kabul" => hours(4.5),
        "karachi" | "tashkent" | "samarkand" | "yekaterinburg" | "dushanbe" | "ashgabat"
        | "maldives" | "almaty" => hours(5.0),
        "kolkata" | "calcutta" | "colombo" => hours(5.5),
        "kathmandu" | "katmandu" => hours(5.75),
        "dhaka" | "omsk" | "bishkek" | "thimphu" | "urumqi" => hours(6.0),
        "yangon" | "rangoon" => hours(6.5),
        "bangkok" | "ho_chi_minh" | "saigon" | "jakarta" | "phnom_penh" | "vientiane"
        | "novosibirsk" | "krasnoyarsk" | "hovd" => hours(7.0),
        "shanghai" | "chongqing" | "harbin" | "macau" | "taipei" | "hong_kong" | "singapore"
        | "manila" | "kuala_lumpur" | "makassar" | "perth" | "irkutsk" | "ulaanbaatar"
        | "brunei" => hours(8.0),
        "tokyo" | "seoul" | "pyongyang" | "yakutsk" | "jayapura" => hours(9.0),
        "darwin" => hours(9.5),
        "brisbane" | "guam" | "port_moresby" | "vladivostok" => hours(10.0),
        "noumea" | "guadalcanal" | "magadan" => hours(11.0),
        "fiji" | "kamchatka" => hours(12.0),
        "tongatapu" | "apia" => hours(13.0),
        _ => return None,
    })
}

//! One URL per page: the normal form that is the first key of deduplication. Pure.

use sha2::{Digest, Sha256};
use url::Url;

use crate::model::HostKey;

/// Our normal form of a page's URL. Equal forms mean the same page; it is not meant to be fetched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalUrl(String);

impl CanonicalUrl {
    /// A normal form as the store wrote it; the text is not looked at again.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The normal form as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// 64-bit key of the normal form, for an index; the text is compared on a hit.
    ///
    /// The first eight bytes of the text's SHA-256, big-endian.
    #[must_use]
    pub fn key(&self) -> i64 {
        let digest = Sha256::digest(self.0.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        i64::from_be_bytes(first)
    }
}

/// The normal form of `url`: lower-case host, no default port, no fragment (but `#!`), no
/// tracking parameters, percent-encoding in one case; parameters keep their order, http and
/// https are one, `www.` is kept.
///
/// The equivalences are those of RFC 3986 §6.2.2 and §6.2.3. Beyond them we drop a login, a
/// session identifier (`;jsessionid=`), the trailing dot of a host name, empty parameters, and
/// what only says where a reader came from. A URL that is neither http nor https keeps its
/// scheme and its text, but for the fragment.
#[must_use]
pub fn canonicalize(url: &Url) -> CanonicalUrl {
    let Some(host) = url.host_str().filter(|_| is_web(url)) else {
        let mut url = url.clone();
        url.set_fragment(None);
        return CanonicalUrl(url.into());
    };

    let mut text = String::with_capacity(url.as_str().len());
    text.push_str("https://");
    text.push_str(without_root_dot(host));
    // 80 never follows https in earnest: it is what is left of an http URL.
    if let Some(port) = url.port().filter(|port| !matches!(port, 80 | 443)) {
        text.push_str(&format!(":{port}"));
    }
    text.push_str(&without_session(&normal_escapes(url.path())));
    push_query(&mut text, url.query().unwrap_or_default());
    if let Some(route) = url.fragment().and_then(|f| f.strip_prefix('!'))
        && !route.is_empty()
    {
        text.push_str("#!");
        text.push_str(&normal_escapes(route));
    }
    CanonicalUrl(text)
}

/// What the page declares as its canonical URL (RFC 6596), if it is believable: same
/// registrable domain, not the home page or a bare section of the page's own path.
///
/// Sites copy templates, and then every article names the front page, or the section it
/// stands in, or the script without the number of the article; such a declaration would make
/// one article of hundreds.
#[must_use]
pub fn believable<'a>(page: &Url, declared: &'a Url) -> Option<&'a Url> {
    let is_possible = is_web(page)
        && is_web(declared)
        && declared.username().is_empty()
        && declared.password().is_none()
        && HostKey::of(page) == HostKey::of(declared);
    let is_vague = is_home(declared)
        || is_section_of(declared, page)
        || forgets_the_number(declared, page)
        || is_error_page(declared);
    (is_possible && !is_vague).then_some(declared)
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// `example.org.` is `example.org` (RFC 1034 §3.1).
fn without_root_dot(host: &str) -> &str {
    match host.strip_suffix('.') {
        Some(rest) if !rest.is_empty() && !rest.ends_with('.') => rest,
        _ => host,
    }
}

/// Escapes in upper case, and none where none is needed (RFC 3986 §6.2.2.1, §6.2.2.2).
///
/// A `%` that begins no escape becomes `%25`, so that what follows a decoded character can
/// never read as a new escape.
fn normal_escapes(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        normal.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(byte) = escaped_byte(rest) else {
            normal.push_str("%25");
            continue;
        };
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            normal.push(char::from(byte));
        } else {
            normal.push_str(&format!("%{byte:02X}"));
        }
        rest = &rest[2..];
    }
    normal.push_str(rest);
    normal
}

/// The byte that the two hexadecimal digits at the start of `text` stand for.
fn escaped_byte(text: &str) -> Option<u8> {
    let digits = text.get(..2)?;
    let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
    u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

/// A path without `;jsessionid=...`, which servlet containers add for readers without
/// cookies (Jakarta Servlet 6.0, §7.1.3).
fn without_session(path: &str) -> String {
    let mut segments = path.split('/').map(|segment| {
        let mut parts = segment.split(';');
        let name = parts.next().unwrap_or_default();
        if matches!(name, "" | "." | "..") {
            return segment.to_owned();
        }
        let kept = parts.filter(|p| !has_prefix(p, "jsessionid="));
        kept.fold(name.to_owned(), |all, part| all + ";" + part)
    });
    let first = segments.next().unwrap_or_default();
    segments.fold(first, |all, segment| all + "/" + &segment)
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Appends the parameters that matter, in their order.
fn push_query(text: &mut String, query: &str) {
    let mut separator = '?';
    for parameter in query.split('&') {
        let parameter = normal_escapes(parameter);
        let (name, value) = parameter.split_once('=').unwrap_or((&parameter, ""));
        if parameter.is_empty() || is_tracking(&name.to_ascii_lowercase(), value) {
            continue;
        }
        text.push(separator);
        text.push_str(&parameter);
        separator = '&';
    }
}

/// Whether a parameter only tells where the reader comes from. `name` is in lower case.
fn is_tracking(name: &str, value: &str) -> bool {
    TRACKING_NAMES.contains(&name)
        || TRACKING_PREFIXES.iter().any(|p| name.starts_with(p))
        || (ORIGIN_NAMES.contains(&name) && is_feed_word(value))
}

/// `rss`, `rss2`, `rss-feed`, `feedburner`, `atom_news`: the link was put into a feed.
fn is_feed_word(value: &str) -> bool {
    ["rss", "feed", "atom"]
        .iter()
        .find(|word| has_prefix(value, word))
        .is_some_and(|word| {
            let rest = &value[word.len()..];
            rest.is_empty()
                || rest.starts_with(['-', '_', '.', ':', '0', '1', '2'])
                || rest.eq_ignore_ascii_case("burner")
                || rest.eq_ignore_ascii_case("s")
        })
}

/// Prefixes of campaign parameters; what follows differs from site to site.
///
/// Here and below, a name that some site could use for an article's number is left out: two
/// addresses of one article are a blemish, but one address for two articles loses one.
#[rustfmt::skip] // One group a line.
const TRACKING_PREFIXES: &[&str] = &[
    // Urchin, then Google Analytics: "URL builders" in the Analytics help.
    "utm_",
    // Matomo (once Piwik): "Tracking Campaigns" in the Matomo guide.
    "mtm_", "matomo_", "piwik_",
    // In-site campaigns in the manner of `utm_`.
    "itm_",
    // HubSpot Ads: "HubSpot ad tracking parameters" in the HubSpot knowledge base.
    "hsa_",
    // Piano (once AT Internet), used by the BBC's feeds: "Marketing campaigns" in its docs.
    "at_campaign", "at_custom", "at_medium", "at_link_", "at_recipient_", "at_bbc_", "at_ptr_",
    // Omeda Olytics.
    "oly_",
    // Branch: "Branch links" in its developer documentation.
    "_branch_",
    // The session cookie of classic ASP, put into the URL.
    "aspsessionid",
];

/// Names that never choose a page, whoever uses them.
#[rustfmt::skip] // One group a line.
const TRACKING_NAMES: &[&str] = &[
    // Google: click identifiers and cross-domain linking (Google Ads and Analytics help).
    "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "gad_source", "gad_campaignid", "srsltid",
    "_ga", "_gl",
    // Google Analytics' older and longer names (GA4 configuration reference; Neat URL).
    "ga_source", "ga_medium", "ga_term", "ga_content", "ga_campaign", "ga_place",
    "campaign_id", "campaign_medium", "campaign_name", "campaign_source", "campaign_term",
    "campaign_content",
    // Meta: click identifier, and what its share buttons add (Meta for Developers).
    "fbclid", "fb_action_ids", "fb_action_types", "fb_comment_id", "fb_ref", "fb_source",
    "action_object_map", "action_type_map", "action_ref_map", "igshid", "igsh",
    // X, TikTok, LinkedIn, Pinterest, Snap, Reddit: click identifiers of their ad help pages.
    "twclid", "ttclid", "li_fat_id", "epik", "sccid", "rdt_cid",
    // Microsoft Advertising and Yandex.Metrica.
    "msclkid", "yclid", "ysclid", "_openstat",
    // Piwik's older names, and Comscore Digital Analytix.
    "pk_campaign", "pk_kwd", "pk_keyword", "pk_source", "pk_medium", "pk_content", "pk_cid",
    "ns_campaign", "ns_mchannel", "ns_source", "ns_linkname", "ns_fee",
    // Mailchimp, MailerLite, Beehiiv, Klaviyo, Vero, Drip.
    "mc_cid", "mc_eid", "mc_tc", "ml_subscriber", "ml_subscriber_hash", "_bhlid", "_ke", "_kx",
    "vero_id", "vero_conv", "__s",
    // Listrak and Springbot (Tracking Query Params Registry).
    "trk_contact", "trk_msg", "trk_module", "trk_sid", "sb_referer_host",
    // HubSpot e-mail.
    "_hsenc", "_hsmi", "__hssc", "__hstc", "__hsfp", "hsctatracking",
    // Adobe: Marketo, Analytics, Advertising Cloud.
    "mkt_tok", "sc_cid", "s_cid", "s_kwcid", "ef_id", "mkwid", "pcrid",
    // Oracle Eloqua and Bronto, IBM Silverpop, dotdigital, Emarsys, Salesforce e-mail.
    "elqtrackid", "elq", "elqaid", "elqat", "elqcampaignid", "_bta_tid", "_bta_c", "spmailingid",
    "spuserid", "spjobid", "spreportid", "dm_i", "sc_src", "sc_lid", "et_rid",
    // Impact, Wicked Reports, Rebrandly and Cision: affiliate and link services.
    "irclickid", "wickedid", "rb_clickid", "cvosrc",
    // Yahoo's consent redirect.
    "guccounter", "guce_referrer", "guce_referrer_sig",
    // AT Internet's older campaign marker; Webtrends' campaign and traffic source.
    "xtor", "wt.mc_id", "wt.mc_ev", "wt.tsrc", "wt_mc", "wt_zmc",
    // The New York Times' share buttons.
    "smtyp",
    // Readwise's mark of a reading position.
    "__readwiselocation",
    // Session identifiers of PHP and of servlet containers, put into the URL.
    "phpsessid", "jsessionid",
];

/// Names that choose a page on some sites, and elsewhere say that the link came from a feed;
/// the value decides. `?source=rss-4b5a` is Medium's, `?partner=rss&emc=rss` was that of The
/// New York Times, `?mod=rss_opinion` that of The Wall Street Journal, `.tsrc=rss` is Yahoo's.
#[rustfmt::skip] // A paragraph of words.
const ORIGIN_NAMES: &[&str] = &[
    "ref", "source", "src", "from", "via", "medium", "partner", "emc", "mod", "cid", "feature",
    ".tsrc", "tsrc", "output", "referrer", "origin", "ncid", "wprss", "rss", "cmp", "smid", "mbid",
];

/// Whether `url` is a site's front page.
fn is_home(url: &Url) -> bool {
    let segments = segments(url);
    let is_front = match segments.as_slice() {
        [] => true,
        [only] => is_index(only),
        _ => false,
    };
    is_front && meaningful_query(url).is_empty()
}

/// Whether `declared` is a folder above `page`, and what lies between is more than a variant
/// of one document such as `/amp`, `/print` or `/2`.
fn is_section_of(declared: &Url, page: &Url) -> bool {
    let (above, below) = (segments(declared), segments(page));
    let Some(between) = below.strip_prefix(above.as_slice()) else {
        return false;
    };
    let is_variant = |segment: &&str| {
        let is_page_number = segment.len() <= 2 && segment.bytes().all(|b| b.is_ascii_digit());
        is_page_number || is_index(segment) || VARIANTS.contains(segment)
    };
    !between.iter().all(is_variant)
}

/// Other renderings of the same document, by the last part of their path.
#[rustfmt::skip] // A paragraph of words.
const VARIANTS: &[&str] = &[
    "amp", "amp.html", "page", "print", "print.html", "full", "single", "mobile",
];

/// Whether `declared` is `page` without the parameter that says which article it is.
fn forgets_the_number(declared: &Url, page: &Url) -> bool {
    let names_article = |url: &Url| {
        meaningful_query(url)
            .split(['&', '?'])
            .filter_map(|parameter| parameter.split('=').next())
            .any(|name| ARTICLE_NAMES.contains(&name.to_ascii_lowercase().as_str()))
    };
    segments(declared) == segments(page) && names_article(page) && !names_article(declared)
}

/// Parameters by which content management systems name an article.
#[rustfmt::skip] // A paragraph of words.
const ARTICLE_NAMES: &[&str] = &[
    "id", "p", "nid", "aid", "pid", "tid", "article", "articleid", "article_id", "artid",
    "story", "storyid", "story_id", "news", "newsid", "news_id", "post", "postid", "post_id",
    "item", "itemid", "item_id", "doc", "docid", "doc_id", "contentid", "content_id", "idx",
    "no", "v",
];

fn is_error_page(url: &Url) -> bool {
    segments(url).last().is_some_and(|last| {
        let name = last.split('.').next().unwrap_or_default();
        matches!(
            name,
            "404" | "error" | "not-found" | "notfound" | "undefined" | "null"
        )
    })
}

fn is_index(segment: &str) -> bool {
    let (name, extension) = segment.split_once('.').unwrap_or((segment, "html"));
    matches!(name, "index" | "default" | "home")
        && matches!(
            extension,
            "html" | "htm" | "php" | "asp" | "aspx" | "jsp" | "shtml"
        )
}

fn segments(url: &Url) -> Vec<&str> {
    url.path().split('/').filter(|s| !s.is_empty()).collect()
}

/// The query as the normal form has it, `?` included, or nothing.
fn meaningful_query(url: &Url) -> String {
    let mut text = String::new();
    push_query(&mut text, url.query().unwrap_or_default());
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(url: &str) -> String {
        canonicalize(&Url::parse(url).unwrap()).0
    }

    #[test]
    fn spellings_of_one_url_have_one_form() {
        for spelling in [
            "http://Example.org/a/b?x=1",
            "https://example.org:443/a/./b?x=1",
            "http://example.org:80/a/c/../b?x=1&",
            "https://example.org./%61/b?x=%31",
            "https://user:secret@example.org/a/b?x=1#top",
            "https://example.org/a/b;jsessionid=0F?x=1&&JSESSIONID=7",
        ] {
            assert_eq!(
                canonical(spelling),
                "https://example.org/a/b?x=1",
                "{spelling}"
            );
        }
    }

    #[test]
    fn what_may_choose_a_page_is_kept() {
        for kept in [
            "https://www.example.org/",
            "https://example.org/a/",
            "https://example.org/a?b=2&a=1",
            "https://example.org/a?ref=home&source=42&from=0&s=x&t=10",
            "https://example.org:8080/A%2Fb",
            "https://example.org/#!/story/7",
            "https://example.org/?id=1&id=2",
            "https://example.org/a?feedback=1&nsfw=0&att=1&pk_id=3&ga_id=4&ns_id=5&mbid=6",
        ] {
            assert_eq!(canonical(kept), kept);
        }
    }

    #[test]
    fn where_a_reader_came_from_is_dropped() {
        for tracked in [
            "https://example.org/a?utm_source=rss&utm_medium=feed",
            "https://example.org/a?UTM_Campaign=x&fbclid=1&%67clid=2",
            "https://example.org/a?at_medium=RSS&at_campaign=KARANGA",
            "https://example.org/a?source=rss-4b5a12------2&ref=rss&partner=feedburner",
            "https://example.org/a?.tsrc=rss&mod=rss_opinion&WT.mc_id=7",
            "https://example.org/a?#xtor=RSS-8",
        ] {
            assert_eq!(canonical(tracked), "https://example.org/a", "{tracked}");
        }
        assert_eq!(
            canonical("https://example.org/a?b=2&utm_source=x&a=1"),
            "https://example.org/a?b=2&a=1"
        );
    }

    #[test]
    fn a_stray_percent_sign_cannot_become_an_escape() {
        let once = canonical("https://example.org/%%341?q=100%&r=%zz");

        assert_eq!(once, "https://example.org/%2541?q=100%25&r=%25zz");
        assert_eq!(canonical(&once), once);
    }

    #[test]
    fn the_key_is_that_of_the_text() {
        let url = CanonicalUrl::stored("https://example.org/".to_owned());

        // As `sha256sum` gives it.
        assert_eq!(url.key(), -9_108_299_646_273_712_077);
        assert_ne!(url.key(), CanonicalUrl::stored(String::new()).key());
    }

    #[test]
    fn the_table_names_each_parameter_once_and_in_lower_case() {
        for (at, name) in TRACKING_NAMES.iter().enumerate() {
            assert_eq!(*name, name.to_ascii_lowercase());
            assert!(!TRACKING_NAMES[at + 1..].contains(name), "{name} twice");
            let prefix = TRACKING_PREFIXES.iter().find(|p| name.starts_with(**p));
            assert_eq!(prefix, None, "{name} is covered by its prefix");
        }
        assert!(TRACKING_NAMES.len() >= 80);
    }

    fn check_believable(page: &str, declared: &str, expect: bool) {
        let (page, declared) = (Url::parse(page).unwrap(), Url::parse(declared).unwrap());
        assert_eq!(
            believable(&page, &declared).is_some(),
            expect,
            "{page} declares {declared}"
        );
    }

    #[test]
    fn a_declared_address_of_the_same_article_is_believed() {
        let page = "https://m.example.org/news/2026/a-story?utm_source=x&print=1";
        check_believable(page, "https://www.example.org/news/2026/a-story", true);
        check_believable(
            "https://example.org/?p=7",
            "https://example.org/a-story",
            true,
        );
        check_believable("https://example.org/a/amp", "https://example.org/a", true);
        check_believable("https://example.org/a/2", "https://example.org/a/", true);
        check_believable(
            "https://example.org/a?id=7&x=1",
            "https://example.org/a?id=7",
            true,
        );
        check_believable("https://example.org/a", "https://example.org/a", true);
    }

    #[test]
    fn a_declared_address_of_something_else_is_not_believed() {
        let page = "https://example.org/news/2026/a-story?id=7";
        check_believable(page, "https://example.org/", false);
        check_believable(page, "https://example.org/index.html?utm_source=x", false);
        check_believable(page, "https://example.org/news/", false);
        check_believable(page, "https://example.org/news/2026", false);
        check_believable(page, "https://example.org/news/2026/a-story", false);
        check_believable(page, "https://example.net/news/2026/a-story", false);
        check_believable(page, "https://user@example.org/news/2026/b", false);
        check_believable(page, "ftp://example.org/news/2026/b", false);
        check_believable(page, "https://example.org/404.html", false);
        check_believable("https://a.github.io/x/y", "https://b.github.io/x/y", false);
    }

    proptest! {
        #[test]
        fn canonicalizing_twice_changes_nothing(
            path in "[a-z%0-9./;=~?&#!é ]{0,40}",
            host in "(www\\.)?[a-zA-Z]{1,8}(\\.[a-z]{2,5}){0,2}\\.{0,2}",
            port in prop::option::of(any::<u16>()),
            scheme in "https?",
        ) {
            let port = port.map(|p| format!(":{p}")).unwrap_or_default();
            let Ok(url) = Url::parse(&format!("{scheme}://{host}{port}/{path}")) else {
                return Ok(());
            };

            let once = canonicalize(&url);
            let again = Url::parse(once.as_str()).expect("a normal form is a URL");

            prop_assert_eq!(&canonicalize(&again), &once);
        }

        #[test]
        fn the_host_stays_the_same_host(
            host in "(www\\.)?[a-zA-Z]{1,8}\\.[a-z]{2,5}\\.?",
            rest in "\\PC{0,30}",
        ) {
            let Ok(url) = Url::parse(&format!("http://{host}/{rest}")) else {
                return Ok(());
            };

            let canonical = Url::parse(canonicalize(&url).as_str()).expect("a normal form is a URL");

            prop_assert_eq!(
                canonical.host_str(),
                url.host_str().map(|h| h.trim_end_matches('.'))
            );
            prop_assert_eq!(HostKey::of(&canonical), HostKey::of(&url));
        }

        #[test]
        fn any_url_has_a_form(text in "\\PC{0,60}") {
            if let Ok(url) = Url::parse(&text) {
                let once = canonicalize(&url);
                prop_assert!(!once.as_str().is_empty());
                let _ = (once.key(), believable(&url, &url));
            }
        }

        #[test]
        fn tracking_parameters_never_matter(
            query in prop::collection::vec("[a-z]{1,3}=[0-9]{1,3}", 0..5),
            name in prop::sample::select(TRACKING_NAMES),
            at in any::<prop::sample::Index>(),
        ) {
            let bare = format!("https://example.org/a?{}", query.join("&"));
            let mut tracked = query;
            tracked.insert(at.index(tracked.len() + 1), format!("{name}=1"));

            let tracked = format!("https://example.org/a?{}", tracked.join("&"));

            prop_assert_eq!(canonical(&tracked), canonical(&bare));
        }
    }
}

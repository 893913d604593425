//! What the header fields of an answer say, read without trust.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use reqwest::header::{
    AGE, CACHE_CONTROL, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, LAST_MODIFIED, RETRY_AFTER,
};
use url::Url;

use crate::model::Validators;

/// Longest validator that is kept, in bytes. Real ones have under 200.
const MAX_VALIDATOR_BYTES: usize = 4096;
/// Longest `Content-Type` that is kept, in characters.
const MAX_TYPE_CHARS: usize = 200;
/// Shortest and longest `Retry-After` that is believed.
const RETRY_AFTER_RANGE: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_secs(7 * 24 * 3600));

/// The validators of the document that `url` answered (RFC 9110 §8.8), byte for byte.
pub(super) fn validators(headers: &HeaderMap, url: &Url) -> Validators {
    let bytes = |name: HeaderName| {
        let value = headers.get(name)?.as_bytes();
        (!value.is_empty() && value.len() <= MAX_VALIDATOR_BYTES).then(|| value.to_vec())
    };
    let (etag, last_modified) = (bytes(ETAG), bytes(LAST_MODIFIED));
    let is_any = etag.is_some() || last_modified.is_some();
    Validators {
        etag,
        last_modified,
        url: is_any.then(|| url.as_str().to_owned()),
    }
}

/// `Content-Type` as sent, without control characters.
pub(super) fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?;
    let text = String::from_utf8_lossy(value.as_bytes());
    let text: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_TYPE_CHARS)
        .collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// How long the answer stays fresh: `Cache-Control: max-age` less `Age` (RFC 9111 §4.2).
pub(super) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|directive| directive.trim().split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"))
        .and_then(|(_, value)| delta_seconds(value.trim().trim_matches('"')))?;
    let age = headers
        .get(AGE)
        .and_then(|value| delta_seconds(value.to_str().ok()?.trim()))
        .unwrap_or_default();
    Some(Duration::from_secs(seconds.saturating_sub(age).into()))
}

/// `Retry-After` as a span from now, between 1 s and 7 d (RFC 9110 §10.2.3).
///
/// A date is compared with the server's own `Date`, if there is one: clocks differ.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let server_now = || http_date(headers.get(DATE)?.to_str().ok()?);
    let wait = match delta_seconds(text) {
        Some(seconds) => Duration::from_secs(seconds.into()),
        None => {
            let then = http_date(text)?;
            let now = server_now().or_else(|| Timestamp::try_from(SystemTime::now()).ok())?;
            Duration::try_from(then.duration_since(now)).unwrap_or_default()
        }
    };
    Some(wait.clamp(RETRY_AFTER_RANGE.0, RETRY_AFTER_RANGE.1))
}

/// A number of seconds; what does not fit is the greatest that does (RFC 9111 §1.2.2).
fn delta_seconds(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u32::MAX))
}

/// A date in any of the three forms of RFC 9110 §5.6.7.
fn http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > 64 {
        return None;
    }
    let modern = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
    if let Ok(timestamp) = modern.parse_timestamp(text) {
        return Some(timestamp);
    }
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|form| jiff::civil::DateTime::strptime(form, text).ok())
        .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map(|zoned| zoned.timestamp())
}

/// A URL as it may be shown: without login, and without the query, where tokens hide.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for URLs that cannot have a login.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.query().is_some() {
        url.set_query(Some("..."));
    }
    url.set_fragment(None);
    url.as_str().chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(fields: &[(&'static str, &[u8])]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| {
                let value = HeaderValue::from_bytes(value).unwrap();
                (HeaderName::from_static(name), value)
            })
            .collect()
    }

    fn check_retry_after(value: &str, expect: Option<u64>) {
        let headers = headers(&[
            ("date", b"Mon, 23 Nov 2026 10:00:00 GMT"),
            ("retry-after", value.as_bytes()),
        ]);
        let expect = expect.map(Duration::from_secs);
        assert_eq!(retry_after(&headers), expect, "{value}");
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_clamped() {
        check_retry_after("120", Some(120));
        check_retry_after(" 0 ", Some(1));
        check_retry_after("99999999999999999999", Some(7 * 24 * 3600));
        check_retry_after("Mon, 23 Nov 2026 10:05:00 GMT", Some(300));
        check_retry_after("Monday, 23-Nov-26 10:05:00 GMT", Some(300));
        check_retry_after("Mon Nov 23 10:05:00 2026", Some(300));
        check_retry_after("Sun Nov  1 10:05:00 2026", Some(1));
        check_retry_after("Mon, 23 Nov 2036 10:05:00 GMT", Some(7 * 24 * 3600));
        check_retry_after("soon", None);
        check_retry_after("-5", None);
        check_retry_after("1.5", None);
        check_retry_after("", None);
    }

    #[test]
    fn a_date_without_the_servers_own_is_compared_with_our_clock() {
        let past = headers(&[("retry-after", b"Sun, 06 Nov 1994 08:49:37 GMT")]);

        assert_eq!(retry_after(&past), Some(Duration::from_secs(1)));
    }

    #[test]
    fn freshness_is_max_age_less_age() {
        let fresh =
            |fields: &[(&'static str, &[u8])]| max_age(&headers(fields)).map(|d| d.as_secs());

        assert_eq!(
            fresh(&[("cache-control", b"public, Max-Age=600")]),
            Some(600)
        );
        assert_eq!(
            fresh(&[("cache-control", b"max-age=\"60\""), ("age", b"20")]),
            Some(40)
        );
        assert_eq!(
            fresh(&[("cache-control", b"max-age=60"), ("age", b"100")]),
            Some(0)
        );
        assert_eq!(fresh(&[("cache-control", b"s-maxage=60, no-cache")]), None);
        assert_eq!(fresh(&[("cache-control", b"max-age=soon")]), None);
    }

    #[test]
    fn validators_are_kept_byte_for_byte_unless_they_are_absurd() {
        let url = Url::parse("https://example.org/feed").unwrap();
        let odd = validators(
            &headers(&[("etag", b"W/\"\xe4\""), ("last-modified", b"yesterday")]),
            &url,
        );
        let long = validators(&headers(&[("etag", &[b'x'; 5000])]), &url);

        assert_eq!(odd.etag.as_deref(), Some(b"W/\"\xe4\"".as_slice()));
        assert_eq!(odd.last_modified.as_deref(), Some(b"yesterday".as_slice()));
        assert_eq!(odd.url.as_deref(), Some("https://example.org/feed"));
        assert_eq!(long, Validators::default());
    }

    #[test]
    fn shown_urls_hold_no_secrets() {
        let url = Url::parse("https://me:secret@example.org/feed?token=1#x").unwrap();

        assert_eq!(shown(&url), "https://example.org/feed?...");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(value in prop::collection::vec(any::<u8>(), 0..60)) {
            let Ok(value) = HeaderValue::from_bytes(&value) else { return Ok(()) };
            let all = [RETRY_AFTER, CACHE_CONTROL, AGE, DATE, CONTENT_TYPE, ETAG];
            let headers: HeaderMap = all.into_iter().map(|n| (n, value.clone())).collect();

            let wait = retry_after(&headers);

            prop_assert!(wait.is_none_or(|w| w >= RETRY_AFTER_RANGE.0 && w <= RETRY_AFTER_RANGE.1));
            let _ = (max_age(&headers), content_type(&headers));
        }
    }
}

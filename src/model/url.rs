//! URLs that have been checked: absolute, `http` or `https`, with a host.

use std::fmt;

use url::Url;

/// Longest URL that we take from outside, in bytes. Media Cloud cuts at 2,048
/// characters; browsers take more, and real article URLs stay below 4 KiB.
const MAX_URL_BYTES: usize = 4096;

/// Why a text is not a URL that we would ask for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not a URL at all, or without a host.
    #[error("{text:?} is not a URL: {reason}")]
    Invalid {
        /// The text, cut at 200 characters.
        text: String,
        /// What the parser said.
        reason: String,
    },
    /// `file:`, `javascript:`, `ftp:` and the rest.
    #[error("{scheme}: is not http or https")]
    Scheme {
        /// The scheme that was asked for.
        scheme: String,
    },
}

/// An absolute `http(s)` URL without fragment, fit to be polled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedUrl(Url);

/// An absolute `http(s)` URL without fragment, fit to be scraped.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageUrl(Url);

impl FeedUrl {
    /// Reads a URL as a person or a file gives it; `feed:` prefixes are dropped.
    ///
    /// # Errors
    /// [`UrlError`] when it is not an absolute `http(s)` URL with a host.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        let text = match text.get(..5) {
            Some(prefix) if prefix.eq_ignore_ascii_case("feed:") => {
                let rest = text[5..].trim_start_matches("//");
                if rest.starts_with("http:") || rest.starts_with("https:") {
                    rest.to_owned()
                } else {
                    format!("http://{rest}")
                }
            }
            _ => text.to_owned(),
        };
        parse_http(&text).map(Self)
    }

    /// The URL itself.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// For log lines: without a login, and without the query, which may be a key as well.
    #[must_use]
    pub fn shown(&self) -> String {
        shown(&self.0)
    }
}

impl PageUrl {
    /// Reads an absolute URL.
    ///
    /// # Errors
    /// [`UrlError`] when it is not an absolute `http(s)` URL with a host.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        parse_http(text.trim()).map(Self)
    }

    /// Resolves a link against the document that holds it (RFC 3986 §5).
    ///
    /// # Errors
    /// [`UrlError`] when the result is not an absolute `http(s)` URL with a host.
    pub fn resolve(link: &str, base: &Url) -> Result<Self, UrlError> {
        let link = link.trim();
        let joined = base
            .join(link)
            .map_err(|error| invalid(link, &error.to_string()))?;
        parse_http(joined.as_str()).map(Self)
    }

    /// The URL itself.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// For log lines: without a login.
    #[must_use]
    pub fn shown(&self) -> String {
        without_login(&self.0).to_string()
    }
}

impl fmt::Display for FeedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn shown(url: &Url) -> String {
    let mut url = without_login(url);
    let has_query = url.query().is_some();
    url.set_query(None);
    format!("{url}{}", if has_query { "?..." } else { "" })
}

fn without_login(url: &Url) -> Url {
    let mut url = url.clone();
    // These fail only for URLs without a host, which no typed URL is.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

fn parse_http(text: &str) -> Result<Url, UrlError> {
    if text.len() > MAX_URL_BYTES {
        return Err(invalid(text, &format!("longer than {MAX_URL_BYTES} bytes")));
    }
    let mut url = Url::parse(text).map_err(|error| invalid(text, &error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UrlError::Scheme {
            scheme: url.scheme().to_owned(),
        });
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(invalid(text, "it names no host"));
    }
    url.set_fragment(None);
    Ok(url)
}

fn invalid(text: &str, reason: &str) -> UrlError {
    UrlError::Invalid {
        text: text.chars().take(200).collect(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_url_survives_display_and_parse() {
        let url = FeedUrl::parse(" feed://example.org/news.xml#top ").unwrap();

        assert_eq!(url.as_str(), "http://example.org/news.xml");
        assert_eq!(FeedUrl::parse(&url.to_string()), Ok(url));
    }

    #[test]
    fn logs_hold_no_login_and_no_key() {
        let feed = FeedUrl::parse("http://u:secret@example.org/feed?token=key").unwrap();
        let page = PageUrl::parse("http://u:secret@example.org/a?id=1").unwrap();

        assert_eq!(feed.shown(), "http://example.org/feed?...");
        assert_eq!(page.shown(), "http://example.org/a?id=1");
    }

    #[test]
    fn other_schemes_are_refused_by_name() {
        assert_eq!(
            FeedUrl::parse("file:///etc/passwd"),
            Err(UrlError::Scheme {
                scheme: "file".into()
            })
        );
        assert!(matches!(
            PageUrl::parse("no url"),
            Err(UrlError::Invalid { .. })
        ));
    }

    #[test]
    fn links_are_resolved_against_their_document() {
        let base = Url::parse("https://example.org/news/feed.xml").unwrap();

        assert_eq!(
            PageUrl::resolve("../a?b=1#c", &base).unwrap().as_str(),
            "https://example.org/a?b=1"
        );
        assert!(PageUrl::resolve("javascript:alert(1)", &base).is_err());
    }
}

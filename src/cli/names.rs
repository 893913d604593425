//! How people name feeds and articles.

use anyhow::bail;
use wireroom::model::{ArticleId, FeedId, FeedUrl};
use wireroom::store::{ArticleName, Feed, FeedName, Store};

use super::UsageError;

/// A feed's URL as a person types it: without a scheme it is `https`.
pub(crate) fn feed_url(text: &str) -> Result<FeedUrl, UsageError> {
    let text = text.trim();
    match FeedUrl::parse(text) {
        Ok(url) => Ok(url),
        Err(_) if begins_with_host(text) => FeedUrl::parse(&format!("https://{text}"))
            .map_err(|error| UsageError(error.to_string())),
        Err(error) => Err(UsageError(error.to_string())),
    }
}

/// Whether a URL lacks only its scheme. `example.org:8080/feed` reads as one of the scheme
/// `example.org`.
fn begins_with_host(text: &str) -> bool {
    text.split(['/', ':']).next().is_some_and(|host| {
        (host.contains('.') || host == "localhost") && !host.contains(char::is_whitespace)
    })
}

/// The feed that `text` names: an id, or its present or subscribed URL.
pub(crate) async fn find_feed(store: &Store, text: &str) -> anyhow::Result<Option<Feed>> {
    let name = match text.trim().parse::<FeedId>() {
        Ok(id) => FeedName::Id(id),
        Err(_) => FeedName::Url(feed_url(text)?),
    };
    Ok(store.feed(&name).await?)
}

/// The id of the feed that `text` names.
async fn feed_id(store: &Store, text: &str) -> anyhow::Result<FeedId> {
    match find_feed(store, text).await? {
        Some(feed) => Ok(feed.id),
        None => bail!("{}", no_such_feed(text)),
    }
}

/// The same for `--feed`, which may be absent.
pub(crate) async fn optional_feed_id(
    store: &Store,
    text: Option<&str>,
) -> anyhow::Result<Option<FeedId>> {
    match text {
        Some(text) => feed_id(store, text).await.map(Some),
        None => Ok(None),
    }
}

pub(crate) fn no_such_feed(text: &str) -> String {
    format!("there is no feed {text}; `wireroom feed list` shows all")
}

/// The article that `text` names: an id, or any URL that leads to it.
pub(crate) fn article_name(text: &str) -> Result<ArticleName, UsageError> {
    let text = text.trim();
    if let Ok(id) = text.parse::<ArticleId>() {
        return Ok(ArticleName::Id(id));
    }
    // A URL is compared as it is: what a feed calls one need not be right.
    if text.contains("://") {
        return Ok(ArticleName::Url(text.to_owned()));
    }
    if begins_with_host(text) {
        return Ok(ArticleName::Url(format!("https://{text}")));
    }
    Err(UsageError(format!(
        "{text:?} is neither the id nor a URL of an article; `wireroom list` shows both"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_be_typed_without_its_scheme() {
        assert_eq!(
            feed_url("example.org/feed").unwrap().as_str(),
            "https://example.org/feed"
        );
        assert_eq!(
            feed_url("localhost:8080/feed").unwrap().as_str(),
            "https://localhost:8080/feed"
        );
        assert_eq!(
            feed_url("http://example.org/").unwrap().as_str(),
            "http://example.org/"
        );
    }

    #[test]
    fn what_is_no_url_is_wrong_usage() {
        assert!(feed_url("not a feed").is_err());
        assert!(feed_url("file:///etc/passwd").is_err());
        assert!(feed_url("").is_err());
    }

    #[test]
    fn numbers_are_ids_and_the_rest_are_urls() {
        let url = |url: &str| ArticleName::Url(url.into());

        assert_eq!(
            article_name(" 42 ").unwrap(),
            ArticleName::Id(ArticleId(42))
        );
        for (text, expected) in [
            ("https://example.org/42", "https://example.org/42"),
            ("example.org/42", "https://example.org/42"),
        ] {
            assert_eq!(article_name(text).unwrap(), url(expected));
        }
        for wrong in ["abc", "", "mailto:ada", "/42"] {
            assert!(article_name(wrong).is_err(), "{wrong:?}");
        }
    }
}

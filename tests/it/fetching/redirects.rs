//! Redirects are followed as far as is safe, and no further.

use wireroom::model::ErrorKind;

use super::{document, failure, feed, fetcher, rss};
use crate::support::site::{Reply, Site};

#[tokio::test]
async fn redirects_are_followed_and_told() {
    let (site, other) = (Site::start().await, Site::start_on("127.0.0.2").await);
    site.serve("/a", Reply::redirect(301, "b?c#d"));
    site.serve("/b", Reply::redirect(307, &other.url("/feed")));
    other.serve("/feed", rss());

    let exchange = feed(&fetcher(), &site.url("/a")).await;

    let hops: Vec<_> = exchange
        .redirects
        .iter()
        .map(|(s, url)| (*s, url.to_string()))
        .collect();
    assert_eq!(hops, [(301, site.url("/b?c")), (307, other.url("/feed"))]);
    assert_eq!(document(exchange).url.as_str(), other.url("/feed"));
}

#[tokio::test]
async fn rings_long_chains_and_redirects_to_nowhere_end() {
    let site = Site::start().await;
    site.serve("/ring", Reply::redirect(302, "/ring2"));
    site.serve("/ring2", Reply::redirect(302, "/ring"));
    for n in 0..10 {
        site.serve(
            &format!("/{n}"),
            Reply::redirect(302, &format!("/{}", n + 1)),
        );
    }
    site.serve("/nowhere", Reply::text("").status(302));
    site.serve("/file", Reply::redirect(302, "file:///etc/passwd"));
    let fetcher = fetcher();

    for (path, kind) in [
        ("/ring", ErrorKind::RedirectLimit),
        ("/0", ErrorKind::RedirectLimit),
        ("/nowhere", ErrorKind::RedirectInvalid),
        ("/file", ErrorKind::SchemeBlocked),
    ] {
        assert_eq!(
            failure(feed(&fetcher, &site.url(path)).await).kind,
            kind,
            "{path}"
        );
    }
    assert_eq!(site.requests_for("/5").len(), 1);
    assert_eq!(site.requests_for("/6").len(), 0);
}

//! Nothing that is not public is contacted.

use std::time::{Duration, Instant};

use wireroom::fetch::{Fetcher, Settings};
use wireroom::model::ErrorKind;

use super::{document, failure, feed, fetcher, page, quick, rss};
use crate::support::site::{Reply, Site};

#[tokio::test]
async fn nothing_private_is_contacted_however_it_is_spelled() {
    let canary = Site::start().await;
    canary.serve("/", Reply::html("secret"));
    let settings = Settings {
        allow_private: vec![],
        ..quick()
    };
    let fetcher = Fetcher::new(settings).unwrap();

    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "2130706433",
        "017700000001",
        "①②⑦.⓪.⓪.①",
        "127.0.0.1.",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "localhost",
        "localhost.",
        "a.localhost",
    ] {
        let url = format!("http://{host}:{}/", canary.port());
        let began = Instant::now();
        let of_page = failure(page(&fetcher, &url).await);
        let of_feed = failure(feed(&fetcher, &url).await);
        assert_eq!(of_page.kind, ErrorKind::AddressBlocked, "{host}: {of_page}");
        assert_eq!(of_feed.kind, ErrorKind::AddressBlocked, "{host}: {of_feed}");
        assert!(began.elapsed() < Duration::from_millis(100), "{host}");
    }
    assert_eq!(canary.n_connections(), 0);
}

#[tokio::test]
async fn a_blocked_target_does_not_tell_whether_something_listens_there() {
    let open = Site::start().await;
    let closed = Site::start().await.port();
    let fetcher = Fetcher::new(Settings {
        allow_private: vec![],
        ..quick()
    })
    .unwrap();

    let of_open = failure(feed(&fetcher, &open.url("/")).await);
    let of_closed = failure(feed(&fetcher, &format!("http://127.0.0.1:{closed}/")).await);

    assert_eq!(of_open, of_closed);
}

#[tokio::test]
async fn a_redirect_does_not_lead_to_a_private_address() {
    let (site, canary) = (Site::start().await, Site::start_on("127.0.0.2").await);
    site.serve(
        "/metadata",
        Reply::redirect(302, "http://169.254.169.254/latest/meta-data/"),
    );
    site.serve("/inside", Reply::redirect(302, &canary.url("/")));
    let settings = Settings {
        allow_private: vec!["127.0.0.1/32".parse().unwrap()],
        ..quick()
    };
    let fetcher = Fetcher::new(settings).unwrap();

    for path in ["/metadata", "/inside"] {
        let exchange = feed(&fetcher, &site.url(path)).await;
        assert_eq!(failure(exchange).kind, ErrorKind::AddressBlocked, "{path}");
        let exchange = page(&fetcher, &site.url(path)).await;
        assert_eq!(failure(exchange).kind, ErrorKind::AddressBlocked, "{path}");
    }
    assert_eq!(canary.n_connections(), 0);
}

#[tokio::test]
async fn an_allowed_name_is_resolved_and_reached() {
    let site = Site::start().await;
    site.serve("/feed", rss());
    let url = format!("http://localhost:{}/feed", site.port());

    document(feed(&fetcher(), &url).await);

    let host = format!("localhost:{}", site.port());
    assert_eq!(site.last_request().header("host"), Some(host.as_str()));
}

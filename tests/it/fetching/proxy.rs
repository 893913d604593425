//! A proxy, and settings that cannot work.

use wireroom::fetch::{Fetcher, Settings};
use wireroom::model::ErrorKind;

use super::{document, failure, feed, page, quick, rss};
use crate::support::site::{Reply, Site};

#[tokio::test]
async fn a_proxy_is_asked_for_everything_and_resolves_the_names() {
    let proxy = Site::start().await;
    proxy.serve("http://news.example/feed", rss());
    proxy.serve("http://news.example/page", Reply::html("yes"));
    let settings = Settings {
        proxy: Some(proxy.url("/").parse().unwrap()),
        allow_private: vec![],
        ..quick()
    };
    let fetcher = Fetcher::new(settings).unwrap();

    document(feed(&fetcher, "http://news.example/feed").await);
    page(&fetcher, "http://news.example/page")
        .await
        .answer
        .unwrap();
    let inside = failure(feed(&fetcher, "http://10.0.0.1/feed").await);
    let unreachable = failure(feed(&fetcher, "https://news.example/feed").await);

    let asked: Vec<_> = proxy
        .requests()
        .into_iter()
        .map(|r| (r.method, r.path))
        .collect();
    let expected = [
        ("GET", "http://news.example/feed"),
        ("GET", "http://news.example/robots.txt"),
        ("GET", "http://news.example/page"),
        ("CONNECT", "news.example:443"),
    ];
    assert_eq!(asked, expected.map(|(m, p)| (m.to_owned(), p.to_owned())));
    assert_eq!(inside.kind, ErrorKind::AddressBlocked);
    assert_eq!(unreachable.kind, ErrorKind::Connect);
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_at_once() {
    let refused = |settings: Settings| Fetcher::new(settings).unwrap_err().to_string();
    let file = tempfile::NamedTempFile::new().unwrap();

    let socks = Settings {
        proxy: Some("socks5://127.0.0.1:9".parse().unwrap()),
        ..quick()
    };
    let empty = Settings {
        ca_file: Some(file.path().into()),
        ..quick()
    };
    let missing = Settings {
        ca_file: Some(file.path().join("x")),
        ..quick()
    };
    let agent = Settings {
        user_agent: Some("two\nlines".into()),
        ..quick()
    };

    assert!(refused(socks).contains("socks5"));
    assert!(refused(empty).contains("no certificate"));
    assert!(refused(missing).contains("ca_file"));
    assert!(refused(agent).contains("user_agent"));
}

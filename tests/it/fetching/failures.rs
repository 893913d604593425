//! Each failure has its name.

use wireroom::model::ErrorKind;

use super::{check_feed, check_page, failure, feed, fetcher, rss};
use crate::support::site::{Reply, Site};

#[tokio::test]
async fn each_status_has_its_kind() {
    let fetcher = fetcher();
    for (status, kind) in [
        (401, ErrorKind::Auth),
        (403, ErrorKind::Forbidden),
        (404, ErrorKind::NotFound),
        (410, ErrorKind::Gone),
        (418, ErrorKind::HttpStatus),
        (429, ErrorKind::RateLimited),
        (451, ErrorKind::Forbidden),
        (500, ErrorKind::HttpStatus),
        (502, ErrorKind::Unavailable),
        (503, ErrorKind::Unavailable),
        (206, ErrorKind::HttpStatus),
    ] {
        let site = Site::start_on(&format!("127.0.{}.{}", status / 256, status % 256)).await;
        site.serve("/feed", Reply::text("x").status(status));
        let failure = failure(feed(&fetcher, &site.url("/feed")).await);
        assert_eq!((failure.kind, failure.status), (kind, Some(status)));
    }
}

#[tokio::test]
async fn connections_that_break_are_told_apart() {
    let fetcher = fetcher();
    check_feed(&fetcher, Reply::hang_up(), ErrorKind::Reset).await;
    check_feed(
        &fetcher,
        Reply::raw("SSH-2.0-OpenSSH_9.2\r\n"),
        ErrorKind::Protocol,
    )
    .await;
    check_feed(
        &fetcher,
        Reply::raw("HTTP/1.1 200 OK\r\nbad header\r\n\r\n"),
        ErrorKind::Protocol,
    )
    .await;
    check_feed(&fetcher, rss().truncate_at(50), ErrorKind::Truncated).await;
    check_feed(&fetcher, rss().gzip().truncate_at(50), ErrorKind::Truncated).await;
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    check_feed(
        &fetcher,
        Reply::raw(format!("{chunks}5\r\nhello\r\n")),
        ErrorKind::Truncated,
    )
    .await;
    check_feed(
        &fetcher,
        Reply::raw(format!("{chunks}zz\r\nhello\r\n")),
        ErrorKind::Protocol,
    )
    .await;

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let closed = format!("http://127.0.0.1:{port}/feed");
    assert_eq!(
        failure(feed(&fetcher, &closed).await).kind,
        ErrorKind::Connect
    );
    let site = Site::start().await;
    let https = site.url("/feed").replace("http:", "https:");
    assert_eq!(failure(feed(&fetcher, &https).await).kind, ErrorKind::Tls);
    let unknown = "http://no-such-host.invalid/feed";
    assert_eq!(failure(feed(&fetcher, unknown).await).kind, ErrorKind::Dns);
}

#[tokio::test]
async fn an_empty_body_is_a_failure() {
    check_feed(&fetcher(), Reply::text(" \n"), ErrorKind::Empty).await;
    check_feed(
        &fetcher(),
        Reply::text("").status(204).chunked(),
        ErrorKind::Empty,
    )
    .await;
    check_page(&fetcher(), Reply::html(""), Some(ErrorKind::Empty)).await;
}

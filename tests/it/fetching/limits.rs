//! Limits that no answer can pass, however it is made.

use std::time::{Duration, Instant};

use wireroom::fetch::{Fetcher, Settings};
use wireroom::model::ErrorKind;

use super::{check_feed, check_page, document, failure, feed, fetcher, quick, rss};
use crate::support::site::{Reply, Site};

#[tokio::test]
async fn a_silent_or_endless_answer_ends_with_the_timeout() {
    let fetcher = Fetcher::new(Settings {
        timeout: Duration::from_millis(400),
        ..quick()
    })
    .unwrap();
    let steady = Reply::text(&"x".repeat(50))
        .endless()
        .drip(50, Duration::from_millis(20));

    check_feed(
        &fetcher,
        rss().delay(Duration::from_secs(30)),
        ErrorKind::Timeout,
    )
    .await;
    check_feed(&fetcher, steady, ErrorKind::Timeout).await;
}

#[tokio::test]
async fn a_body_that_drips_ends_before_the_timeout() {
    let fetcher = Fetcher::new(Settings {
        timeout: Duration::from_millis(900),
        ..quick()
    })
    .unwrap();
    let began = Instant::now();

    check_feed(
        &fetcher,
        rss().drip(1, Duration::from_millis(100)),
        ErrorKind::TooSlow,
    )
    .await;

    assert!(began.elapsed() < Duration::from_millis(800));
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_not_read_to_its_end() {
    let settings = Settings {
        max_feed_bytes: 100_000,
        max_page_bytes: 50_000,
        ..quick()
    };
    let fetcher = Fetcher::new(settings).unwrap();
    let megabyte = "x".repeat(1 << 20);

    check_feed(&fetcher, Reply::text(&megabyte), ErrorKind::TooLarge).await;
    check_feed(
        &fetcher,
        Reply::text(&megabyte).chunked(),
        ErrorKind::TooLarge,
    )
    .await;
    check_feed(
        &fetcher,
        Reply::text("endless ").endless(),
        ErrorKind::TooLarge,
    )
    .await;
    check_page(
        &fetcher,
        Reply::html(&megabyte).until_close(),
        Some(ErrorKind::TooLarge),
    )
    .await;
}

#[tokio::test]
async fn a_bomb_is_stopped_when_it_has_shown_what_it_is() {
    let fetcher = Fetcher::new(Settings {
        max_feed_bytes: 1 << 20,
        ..quick()
    })
    .unwrap();
    let bomb = zstd::encode_all([0_u8; 64 << 10].repeat(400).as_slice(), 3).unwrap();
    assert!(bomb.len() < 20_000);
    let site = Site::start().await;
    site.serve(
        "/feed",
        Reply::text("")
            .body(bomb)
            .header("Content-Encoding", "zstd"),
    );
    let began = Instant::now();

    let exchange = feed(&fetcher, &site.url("/feed")).await;

    assert!(
        exchange.n_bytes < 2 << 20,
        "{} bytes expanded",
        exchange.n_bytes
    );
    assert_eq!(failure(exchange).kind, ErrorKind::Limit);
    assert!(began.elapsed() < Duration::from_secs(2));
}

/// `body` under the encoding `name`.
fn encoded(body: &[u8], name: &str) -> Reply {
    let reply = Reply::text("").body(body);
    reply.header("Content-Encoding", name)
}

#[tokio::test]
async fn each_encoding_that_is_offered_is_understood() {
    let site = Site::start().await;
    let zstd_body = zstd::encode_all(b"hello".as_slice(), 3).unwrap();
    site.serve("/identity", encoded(b"hello", "identity"));
    site.serve("/gzip", Reply::text("hello").gzip());
    site.serve("/br", encoded(b"\x0b\x02\x80hello\x03", "br"));
    site.serve("/zstd", encoded(&zstd_body, "zstd"));
    // Not offered, but sent by servers that offer nothing else.
    let zlib = b"\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15";
    site.serve("/deflate", encoded(zlib, "deflate"));
    let fetcher = fetcher();

    for path in ["/identity", "/gzip", "/br", "/zstd", "/deflate"] {
        let document = document(feed(&fetcher, &site.url(path)).await);
        assert_eq!(document.body, "hello", "{path}");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_expanded_is_named() {
    let fetcher = fetcher();
    let text = "<rss/>".repeat(100);
    let zstd_body = zstd::encode_all(text.as_bytes(), 3).unwrap();

    check_feed(
        &fetcher,
        encoded(b"not gzip at all", "gzip"),
        ErrorKind::Decompress,
    )
    .await;
    check_feed(
        &fetcher,
        encoded(&zstd_body[..20], "zstd"),
        ErrorKind::Decompress,
    )
    .await;
    check_feed(
        &fetcher,
        encoded(b"x", "compress"),
        ErrorKind::EncodingUnsupported,
    )
    .await;
    check_feed(
        &fetcher,
        Reply::text(&text).gzip().gzip(),
        ErrorKind::EncodingUnsupported,
    )
    .await;
    check_feed(
        &fetcher,
        encoded(&zstd_body, "gzip, zstd"),
        ErrorKind::EncodingUnsupported,
    )
    .await;
}

#[tokio::test]
async fn too_many_header_fields_are_a_limit() {
    let mut head = "HTTP/1.1 200 OK\r\n".to_owned();
    for n in 0..200 {
        head += &format!("X-{n}: y\r\n");
    }

    check_feed(
        &fetcher(),
        Reply::raw(head.clone() + "\r\nbody"),
        ErrorKind::Limit,
    )
    .await;
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\nbody", "y".repeat(1 << 20));
    check_feed(&fetcher(), Reply::raw(long), ErrorKind::Limit).await;
}

//! What fetching promises to publishers, and to the operator whom a hostile feed attacks.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::{Duration, Instant};

use wireroom::fetch::{
    Exchange, FeedAnswer, FeedDocument, Fetcher, PageDocument, RequestSettings, Settings,
};
use wireroom::model::{ErrorKind, Failure, FeedUrl, HostKey, PageUrl, Validators};

use crate::support::site::{Entry, Reply, Site};

/// Settings for tests: loopback is allowed, nothing waits.
fn quick() -> Settings {
    Settings {
        allow_private: vec!["127.0.0.0/8".parse().unwrap()],
        host_gap: Duration::ZERO,
        timeout: Duration::from_secs(5),
        connect_timeout: Duration::from_secs(2),
        ..Settings::default()
    }
}

fn fetcher() -> Fetcher {
    Fetcher::new(quick()).unwrap()
}

async fn feed(fetcher: &Fetcher, url: &str) -> Exchange<FeedAnswer> {
    feed_if_changed(fetcher, url, &Validators::default()).await
}

async fn feed_if_changed(
    fetcher: &Fetcher,
    url: &str,
    validators: &Validators,
) -> Exchange<FeedAnswer> {
    let url = FeedUrl::parse(url).unwrap();
    fetcher
        .feed(&url, validators, &RequestSettings::default())
        .await
}

async fn page(fetcher: &Fetcher, url: &str) -> Exchange<PageDocument> {
    let url = PageUrl::parse(url).unwrap();
    fetcher.page(&url, &RequestSettings::default()).await
}

fn document(exchange: Exchange<FeedAnswer>) -> FeedDocument {
    match exchange.answer.unwrap() {
        FeedAnswer::Document(document) => document,
        FeedAnswer::NotModified { .. } => panic!("304 instead of a document"),
    }
}

fn failure<T: std::fmt::Debug>(exchange: Exchange<T>) -> Failure {
    exchange.answer.unwrap_err()
}

async fn check_feed(fetcher: &Fetcher, reply: Reply, expect: ErrorKind) {
    let site = Site::start().await;
    site.serve("/feed", reply);
    let failure = failure(feed(fetcher, &site.url("/feed")).await);
    assert_eq!(failure.kind, expect, "{failure}");
}

async fn check_page(fetcher: &Fetcher, reply: Reply, expect: Option<ErrorKind>) {
    let site = Site::start().await;
    site.serve("/page", reply);
    let failure = page(fetcher, &site.url("/page")).await.answer.err();
    assert_eq!(failure.as_ref().map(|f| f.kind), expect, "{failure:?}");
}

fn rss() -> Reply {
    Reply::rss(&[Entry::new("First", "http://example.org/1")])
}

// --- Conditional requests -------------------------------------------------------------

#[tokio::test]
async fn an_unchanged_feed_is_answered_from_its_validators() {
    let site = Site::start().await;
    let reply = rss().etag("W/\"v 1\"").last_modified("last tuesday");
    site.serve("/feed", reply.header("Cache-Control", "max-age=900"));
    let fetcher = fetcher();

    let first = document(feed(&fetcher, &site.url("/feed")).await);
    let second = feed_if_changed(&fetcher, &site.url("/feed"), &first.validators).await;

    assert_eq!(first.max_age, Some(Duration::from_secs(900)));
    assert_eq!(second.status, Some(304));
    assert!(
        matches!(second.answer.unwrap(), FeedAnswer::NotModified { validators, .. }
        if validators == first.validators)
    );
    let request = site.last_request();
    assert_eq!(request.header("if-none-match"), Some("W/\"v 1\""));
    assert_eq!(request.header("if-modified-since"), Some("last tuesday"));
}

#[tokio::test]
async fn a_feed_behind_a_redirect_becomes_conditional_where_it_really_is() {
    let site = Site::start().await;
    site.serve(
        "/old",
        Reply::redirect(302, "/new").etag("\"of the redirect\""),
    );
    site.serve("/new", rss().etag("\"v1\""));
    let fetcher = fetcher();
    let first = document(feed(&fetcher, &site.url("/old")).await);
    assert_eq!(first.validators.url, Some(site.url("/new")));
    site.forget_requests();

    let second = feed_if_changed(&fetcher, &site.url("/old"), &first.validators).await;

    assert_eq!(second.status, Some(304));
    assert_eq!(site.requests_for("/old")[0].header("if-none-match"), None);
    assert_eq!(
        site.requests_for("/new")[0].header("if-none-match"),
        Some("\"v1\"")
    );
}

#[tokio::test]
async fn validators_of_one_url_are_never_sent_to_another() {
    let site = Site::start().await;
    site.serve("/feed", rss().etag("\"v1\""));
    let validators = Validators {
        etag: Some(b"\"v1\"".to_vec()),
        url: Some(site.url("/elsewhere")),
        ..Validators::default()
    };

    let answer = feed_if_changed(&fetcher(), &site.url("/feed"), &validators).await;

    document(answer);
    assert_eq!(site.last_request().header("if-none-match"), None);
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_a_failure() {
    check_feed(
        &fetcher(),
        Reply::text("").status(304).chunked(),
        ErrorKind::HttpStatus,
    )
    .await;
}

// --- What a publisher sees ------------------------------------------------------------

#[tokio::test]
async fn a_request_says_who_asks_and_carries_nothing_else() {
    let site = Site::start().await;
    site.serve("/feed", rss().header("Set-Cookie", "id=1"));
    let settings = Settings {
        contact: Some("https://example.org/about-us".into()),
        ..quick()
    };
    let fetcher = Fetcher::new(settings).unwrap();

    document(feed(&fetcher, &site.url("/feed")).await);
    document(feed(&fetcher, &site.url("/feed")).await);

    let request = site.last_request();
    let agent = concat!(
        "wireroom/",
        env!("CARGO_PKG_VERSION"),
        " (+https://example.org/about-us)"
    );
    assert_eq!(request.header("user-agent"), Some(agent));
    assert_eq!(request.header("accept-encoding"), Some("gzip, br, zstd"));
    let mut names: Vec<_> = request
        .headers
        .iter()
        .map(|(n, _)| n.to_lowercase())
        .collect();
    names.sort();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
}

#[tokio::test]
async fn a_feeds_own_headers_stay_with_its_host() {
    let (site, other) = (Site::start().await, Site::start_on("127.0.0.2").await);
    site.serve("/feed", Reply::redirect(302, "/moved"));
    site.serve("/moved", Reply::redirect(302, &other.url("/there")));
    other.serve("/there", rss());
    let request = RequestSettings {
        user_agent: Some("special/1".into()),
        headers: vec![
            ("Authorization".into(), "Bearer secret".into()),
            ("Host".into(), "evil.example".into()),
        ],
    };
    let url = FeedUrl::parse(&site.url("/feed")).unwrap();

    document(fetcher().feed(&url, &Validators::default(), &request).await);

    assert_eq!(
        site.requests()[1].header("authorization"),
        Some("Bearer secret")
    );
    assert_ne!(site.requests()[1].header("host"), Some("evil.example"));
    assert_eq!(other.last_request().header("authorization"), None);
    assert_eq!(other.last_request().header("user-agent"), Some("special/1"));
}

#[tokio::test]
async fn a_login_in_the_feeds_url_stays_with_its_host_and_out_of_messages() {
    let (site, other) = (Site::start().await, Site::start_on("127.0.0.2").await);
    site.serve("/feed", Reply::redirect(302, &other.url("/there")));
    let url = site.url("/feed").replace("http://", "http://me:secret@");

    let exchange = feed(&fetcher(), &url).await;

    assert_eq!(
        site.last_request().header("authorization"),
        Some("Basic bWU6c2VjcmV0")
    );
    assert_eq!(other.last_request().header("authorization"), None);
    let failure = failure(exchange);
    assert_eq!(failure.kind, ErrorKind::NotFound);
    assert!(!failure.detail.contains("secret"), "{failure}");
}

#[tokio::test]
async fn one_host_is_asked_in_sequence_and_with_the_gap() {
    let site = Site::start().await;
    site.serve("/feed", rss());
    let gap = Duration::from_millis(150);
    let fetcher = Fetcher::new(Settings {
        host_gap: gap,
        ..quick()
    })
    .unwrap();

    let urls = ["/feed?1", "/feed?2", "/feed?3"].map(|path| site.url(path));
    tokio::join!(
        feed(&fetcher, &urls[0]),
        feed(&fetcher, &urls[1]),
        feed(&fetcher, &urls[2])
    );

    let times: Vec<_> = site.requests().iter().map(|request| request.at).collect();
    assert_eq!((times.len(), site.n_at_once()), (3, 1));
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= gap));
}

#[tokio::test]
async fn a_slow_host_does_not_hold_up_another() {
    let (slow, quick_site) = (Site::start().await, Site::start_on("127.0.0.2").await);
    slow.serve("/feed", rss().delay(Duration::from_millis(800)));
    quick_site.serve("/feed", rss());
    let fetcher = fetcher();

    let (slow_url, quick_url) = (slow.url("/feed"), quick_site.url("/feed"));
    let (_, took) = tokio::join!(feed(&fetcher, &slow_url), async {
        let began = Instant::now();
        document(feed(&fetcher, &quick_url).await);
        began.elapsed()
    });

    assert!(took < Duration::from_millis(500), "{took:?}");
}

#[tokio::test]
async fn no_more_connections_are_used_than_allowed() {
    let sites = [
        Site::start().await,
        Site::start_on("127.0.0.2").await,
        Site::start_on("127.0.0.3").await,
    ];
    for site in &sites {
        site.serve("/feed", rss().delay(Duration::from_millis(100)));
    }
    let fetcher = Fetcher::new(Settings {
        max_connections: 1,
        ..quick()
    })
    .unwrap();

    let [a, b, c] = sites.each_ref().map(|site| site.url("/feed"));
    tokio::join!(feed(&fetcher, &a), feed(&fetcher, &b), feed(&fetcher, &c));

    let mut times: Vec<_> = sites.iter().map(|site| site.last_request().at).collect();
    times.sort();
    assert!(
        times
            .windows(2)
            .all(|pair| pair[1] - pair[0] >= Duration::from_millis(100))
    );
}

#[tokio::test]
async fn a_429_rests_the_whole_host_for_as_long_as_it_says() {
    let site = Site::start().await;
    site.serve(
        "/feed",
        Reply::text("").status(429).header("Retry-After", "120"),
    );
    site.serve("/other", rss());
    let fetcher = fetcher();

    let first = failure(feed(&fetcher, &site.url("/feed")).await);
    let second = failure(feed(&fetcher, &site.url("/other")).await);

    assert_eq!(
        (first.kind, first.status),
        (ErrorKind::RateLimited, Some(429))
    );
    assert_eq!(first.retry_after, Some(Duration::from_secs(120)));
    assert_eq!((second.kind, second.status), (ErrorKind::RateLimited, None));
    assert!(second.retry_after.unwrap() > Duration::from_secs(110));
    assert_eq!(site.requests().len(), 1);
    let resting = fetcher.resting_hosts();
    assert_eq!(resting[0].0, HostKey::stored("127.0.0.1".into()));
    assert!(resting[0].1.unwrap() > Instant::now() + Duration::from_secs(110));
}

#[tokio::test]
async fn a_date_in_retry_after_is_taken_by_the_servers_clock() {
    let site = Site::start().await;
    let reply = Reply::text("").status(503);
    let reply = reply.header("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
    site.serve(
        "/feed",
        reply.header("Retry-After", "Sun, 06 Nov 1994 08:54:37 GMT"),
    );

    let failure = failure(feed(&fetcher(), &site.url("/feed")).await);

    assert_eq!(failure.kind, ErrorKind::Unavailable);
    assert_eq!(failure.retry_after, Some(Duration::from_secs(300)));
}

// --- Redirects ------------------------------------------------------------------------

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

// --- Limits ---------------------------------------------------------------------------

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
async fn a_bomb_is_stopped_at_the_limit_of_its_expanded_size() {
    let fetcher = Fetcher::new(Settings {
        max_feed_bytes: 1 << 20,
        ..quick()
    })
    .unwrap();
    let bomb = zstd::encode_all([0_u8; 64 << 10].repeat(1600).as_slice(), 3).unwrap();
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
    assert_eq!(failure(exchange).kind, ErrorKind::TooLarge);
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn compressed_bodies_are_read_and_broken_ones_named() {
    let site = Site::start().await;
    let text = "<rss/>".repeat(100);
    let zstd_body = zstd::encode_all(text.as_bytes(), 3).unwrap();
    site.serve("/gzip", Reply::text(&text).gzip());
    site.serve(
        "/zstd",
        Reply::text("")
            .body(zstd_body.clone())
            .header("Content-Encoding", "zstd"),
    );
    let fetcher = fetcher();

    for path in ["/gzip", "/zstd"] {
        assert_eq!(
            document(feed(&fetcher, &site.url(path)).await).body,
            text,
            "{path}"
        );
    }
    let encoded =
        |body: &[u8], name: &str| Reply::text("").body(body).header("Content-Encoding", name);
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

// --- Failures by name -----------------------------------------------------------------

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

// --- Pages ----------------------------------------------------------------------------

#[tokio::test]
async fn a_page_is_html_by_its_type_or_by_its_bytes() {
    let fetcher = fetcher();
    check_page(&fetcher, Reply::html("Hello"), None).await;
    let untyped = Reply::html("<!doctype html><p>Hello").without_header("content-type");
    check_page(&fetcher, untyped, None).await;
    check_page(
        &fetcher,
        Reply::new("application/pdf", "%PDF-1.7"),
        Some(ErrorKind::NotHtml),
    )
    .await;
    check_page(
        &fetcher,
        Reply::html("%PDF-1.7 x"),
        Some(ErrorKind::NotHtml),
    )
    .await;
    check_page(
        &fetcher,
        Reply::new("application/json", "{}"),
        Some(ErrorKind::UnsupportedType),
    )
    .await;
    check_page(
        &fetcher,
        Reply::text("Just text"),
        Some(ErrorKind::UnsupportedType),
    )
    .await;
}

#[tokio::test]
async fn a_film_is_not_downloaded_to_find_out_that_it_is_none() {
    let site = Site::start().await;
    let film = [b"\0\0\0\x18ftypmp42".as_slice(), &[7; 600]].concat();
    let reply = Reply::html("")
        .without_header("content-type")
        .body(film)
        .endless();
    site.serve("/film", reply);

    let exchange = page(&fetcher(), &site.url("/film")).await;

    assert!(exchange.n_bytes < 1 << 20);
    assert_eq!(failure(exchange).kind, ErrorKind::NotHtml);
}

// --- robots.txt -----------------------------------------------------------------------

#[tokio::test]
async fn pages_that_robots_txt_forbids_are_not_asked_for() {
    let site = Site::start().await;
    site.serve(
        "/robots.txt",
        Reply::text("User-agent: *\nDisallow: /private\n"),
    );
    site.serve("/private/1", Reply::html("no"));
    site.serve("/public", Reply::html("yes"));
    site.serve("/private/feed", rss());
    let fetcher = fetcher();

    let refused = failure(page(&fetcher, &site.url("/private/1")).await);
    page(&fetcher, &site.url("/public")).await.answer.unwrap();
    document(feed(&fetcher, &site.url("/private/feed")).await);

    assert_eq!(refused.kind, ErrorKind::Robots);
    assert!(refused.detail.contains("line 2"), "{refused}");
    assert_eq!(site.requests_for("/private/1").len(), 0);
    assert_eq!(site.requests_for("/robots.txt").len(), 1);
}

#[tokio::test]
async fn a_site_whose_robots_txt_cannot_be_read_is_closed_for_now() {
    let site = Site::start().await;
    site.serve("/robots.txt", Reply::text("").status(500));
    site.serve("/page", Reply::html("yes"));

    let failure = failure(page(&fetcher(), &site.url("/page")).await);

    assert_eq!(failure.kind, ErrorKind::HttpStatus);
    assert!(failure.detail.contains("robots.txt"), "{failure}");
    assert_eq!(site.requests_for("/page").len(), 0);
}

#[tokio::test]
async fn a_redirect_does_not_lead_around_robots_txt() {
    let (site, other) = (Site::start().await, Site::start_on("127.0.0.2").await);
    site.serve("/page", Reply::redirect(302, &other.url("/private")));
    other.serve(
        "/robots.txt",
        Reply::text("User-agent: wireroom\nDisallow: /\n"),
    );
    other.serve("/private", Reply::html("no"));

    let failure = failure(page(&fetcher(), &site.url("/page")).await);

    assert_eq!(failure.kind, ErrorKind::Robots);
    assert_eq!(other.requests_for("/private").len(), 0);
}

#[tokio::test]
async fn robots_txt_can_be_switched_off_and_a_crawl_delay_is_obeyed() {
    let site = Site::start().await;
    site.serve(
        "/robots.txt",
        Reply::text("User-agent: *\nCrawl-delay: 30\nDisallow: /private\n"),
    );
    site.serve("/private", Reply::html("mine"));
    site.serve("/page", Reply::html("yes"));
    let careless = Fetcher::new(Settings {
        robots: false,
        ..quick()
    })
    .unwrap();

    page(&careless, &site.url("/private")).await.answer.unwrap();
    assert_eq!(site.requests_for("/robots.txt").len(), 0);
    let fetcher = fetcher();
    page(&fetcher, &site.url("/page")).await.answer.unwrap();

    let (_, until) = fetcher.resting_hosts()[0].clone();
    assert!(until.unwrap() > Instant::now() + Duration::from_secs(25));
}

// --- Addresses that are not public ----------------------------------------------------

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

// --- Proxy ----------------------------------------------------------------------------

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

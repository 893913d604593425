//! What a publisher sees of us: who asks, what we carry, and how often.

use std::time::{Duration, Instant};

use wireroom::fetch::{Fetcher, RequestSettings, Settings};
use wireroom::model::{ErrorKind, FeedUrl, HostKey, Validators};

use super::{document, failure, feed, fetcher, quick, rss};
use crate::support::site::{Reply, Site};

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
async fn slow_hosts_in_every_place_hold_up_the_others_only_briefly() {
    let (slow, healthy) = (Site::start().await, Site::start_on("127.0.0.2").await);
    slow.serve("/feed", rss().delay(Duration::from_secs(10)));
    healthy.serve("/feed", rss());
    let settings = Settings {
        max_connections: 1,
        timeout: Duration::from_secs(2),
        ..quick()
    };
    let fetcher = Fetcher::new(settings).unwrap();

    let (slow_url, healthy_url) = (slow.url("/feed"), healthy.url("/feed"));
    let (of_slow, took) = tokio::join!(feed(&fetcher, &slow_url), async {
        let began = Instant::now();
        document(feed(&fetcher, &healthy_url).await);
        began.elapsed()
    });

    assert_eq!(failure(of_slow).kind, ErrorKind::Timeout);
    assert!(took < Duration::from_secs(1), "{took:?}");
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

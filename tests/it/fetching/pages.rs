//! Pages: what counts as HTML, and what robots.txt allows.

use std::time::{Duration, Instant};

use wireroom::fetch::{Fetcher, Settings};
use wireroom::model::ErrorKind;

use super::{check_page, document, failure, feed, fetcher, page, quick, rss};
use crate::support::site::{Reply, Site};

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

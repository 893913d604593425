//! How long an extraction takes, beside the parse alone: `cargo bench --bench extract`.
//!
//! The pages are made here, in three sizes, with as much script, style and navigation
//! around the text as news pages have. Each is read by turns with `scraper`'s parse, so
//! that a busy machine slows both alike; the ratio is what counts. Arguments: the number of
//! rounds, 40 if none is given.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use url::Url;
use wireroom::extract::{Settings, extract};

/// A page to read.
struct Page {
    name: &'static str,
    html: String,
}

fn main() {
    // Cargo passes `--bench` as well.
    let n_rounds: u32 = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(40);
    let pages = [
        page("small", 5, 10, 4),
        page("median", 25, 120, 60),
        page("large", 120, 900, 600),
    ];
    let url = Url::parse("https://news.example.org/2026/11/23/river").expect("it is a URL");
    let settings = Settings::default();
    let mut table = String::from("page        kB   parse ms   extract ms   parse/extract\n");
    for page in &pages {
        let (mut parse, mut whole) = (Vec::new(), Vec::new());
        for _ in 0..n_rounds {
            parse.push(timed(|| {
                black_box(scraper::Html::parse_document(black_box(&page.html)));
            }));
            whole.push(timed(|| {
                black_box(extract(black_box(&page.html), &url, &settings))
                    .expect("the page holds an article");
            }));
        }
        let (parse, whole) = (median(parse), median(whole));
        let _ = writeln!(
            table,
            "{:<8} {:>5} {:>10.2} {:>12.2} {:>15.2}",
            page.name,
            page.html.len() / 1_000,
            parse.as_secs_f64() * 1_000.0,
            whole.as_secs_f64() * 1_000.0,
            parse.as_secs_f64() / whole.as_secs_f64()
        );
    }
    eprint!("{table}");
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A page with this many paragraphs, links around them, and kilobytes of script.
fn page(name: &'static str, n_paragraphs: usize, n_links: usize, script_kb: usize) -> Page {
    let mut html = String::from(
        "<!doctype html><html lang=en><head><title>River rises | The Example</title>\
         <meta property=og:title content='River rises'>\
         <meta property=og:description content='The town has closed both of its bridges.'>\
         <script type=application/ld+json>{\"@type\":\"NewsArticle\",\"headline\":\"River rises\",\
         \"datePublished\":\"2026-11-23T08:15:00+01:00\",\"author\":{\"name\":\"Jane Doe\"}}</script>",
    );
    let _ = write!(
        html,
        "<style>{}</style>",
        ".box{color:#123456}\n".repeat(script_kb * 12)
    );
    let statement = "window.state.push({id:1,kind:\"teaser\",text:\"nothing\"});\n";
    let n_statements = script_kb * 1_000 / statement.len();
    let _ = write!(
        html,
        "<script>{}</script></head><body>",
        statement.repeat(n_statements)
    );
    html += "<nav class='site-nav main-menu'><ul>";
    for n in 0..n_links {
        let _ = write!(
            html,
            "<li class='site-nav__item site-nav__item--{n}' data-track='nav:{n}'>\
             <a class=site-nav__link href=/section/{n}><svg viewBox='0 0 9 9'><path d='M0 0h9v9z'/>\
             </svg><span>Section {n}</span></a></li>"
        );
    }
    html += "</ul></nav><main><article><h1>River rises</h1><div class=article-body>";
    for n in 0..n_paragraphs {
        let _ = write!(
            html,
            "<p class='text text--{}'>Paragraph {n} tells how the <a href=/topic/{n}>river</a> rose by \
             {n} metres during the night, how the town closed its bridges, and what the people who \
             live on its banks said about it in the morning.</p>",
            n % 3
        );
    }
    html += "</div></article></main><section class='related teasers'>";
    for n in 0..n_links / 2 {
        let _ = write!(
            html,
            "<div class='teaser teaser--small'><h3><a href=/story/{n}>Another story of the day, \
             number {n}</a></h3><p>Some words about it.</p></div>"
        );
    }
    html += "</section></body></html>";
    Page { name, html }
}

//! How fast feeds are read, beside feed-rs.
//!
//! ```sh
//! cargo bench --bench feed                # documents that the benchmark makes
//! cargo bench --bench feed -- FOLDER      # all documents of a folder
//! ```
//!
//! Both parsers read each document in turn, in one thread, and the best of several rounds
//! counts, so that a busy machine slows both alike. feed-rs is measured on what it reads
//! without an error; the same documents count for both.

#![allow(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has failed"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use url::Url;
use wireroom::feed;

/// Rounds over all documents; the best one of each parser counts.
const ROUNDS: usize = 15;

struct Document {
    name: String,
    bytes: Vec<u8>,
}

fn main() {
    // `cargo bench` passes `--bench`.
    let folder = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with("--"));
    let documents = match folder {
        Some(folder) => read_folder(Path::new(&folder)),
        None => made_documents(),
    };
    let (clean, others): (Vec<Document>, Vec<Document>) = documents
        .into_iter()
        .partition(|document| is_read_by_feed_rs(&document.bytes));
    compare("read by both", &clean);
    if !others.is_empty() {
        let n_read = others
            .iter()
            .filter(|document| ours(&document.bytes))
            .count();
        println!(
            "{} documents are not read by feed-rs; wireroom reads {n_read} of them",
            others.len()
        );
    }
}

fn compare(what: &str, documents: &[Document]) {
    let n_bytes: usize = documents.iter().map(|document| document.bytes.len()).sum();
    let mut best = [Duration::MAX; 2];
    for _ in 0..ROUNDS {
        for (best, read) in best.iter_mut().zip([ours as fn(&[u8]) -> bool, theirs]) {
            let start = Instant::now();
            for document in documents {
                black_box(read(black_box(&document.bytes)));
            }
            *best = start.elapsed().min(*best);
        }
    }
    let rate = |time: Duration| n_bytes as f64 / 1e6 / time.as_secs_f64();
    println!(
        "{what}: {} documents, {:.1} MB",
        documents.len(),
        n_bytes as f64 / 1e6
    );
    println!("  wireroom {:8.1} MB/s", rate(best[0]));
    println!("  feed-rs  {:8.1} MB/s", rate(best[1]));
    println!(
        "  ratio    {:8.2}",
        best[1].as_secs_f64() / best[0].as_secs_f64()
    );
    slowest(documents);
}

/// The documents on which we spend the most time for each byte.
fn slowest(documents: &[Document]) {
    let mut costs: Vec<(f64, &str)> = documents
        .iter()
        .map(|document| {
            let time = (0..3).map(|_| {
                let start = Instant::now();
                black_box(ours(&document.bytes));
                start.elapsed()
            });
            let time = time.min().unwrap_or_default();
            let cost = time.as_nanos() as f64 / document.bytes.len().max(1) as f64;
            (cost, document.name.as_str())
        })
        .collect();
    costs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let shown = costs
        .iter()
        .take(3)
        .fold(String::new(), |mut shown, (cost, name)| {
            let _ = write!(shown, "  {name} {cost:.1} ns/byte");
            shown
        });
    println!("  slowest:{shown}");
}

fn base() -> Url {
    Url::parse("https://news.example/feed.xml").unwrap()
}

fn ours(document: &[u8]) -> bool {
    feed::parse(document, None, Some(&base())).is_ok()
}

fn theirs(document: &[u8]) -> bool {
    // As it comes, with the base given: links are resolved by both.
    let parser = feed_rs::parser::Builder::new().base_uri(Some("https://news.example/feed.xml"));
    parser.build().parse(document).is_ok()
}

fn is_read_by_feed_rs(document: &[u8]) -> bool {
    // It panics on some documents; those count as not read.
    std::panic::set_hook(Box::new(|_| {}));
    let read = std::panic::catch_unwind(|| {
        feed_rs::parser::parse(document).is_ok_and(|feed| !feed.entries.is_empty())
    });
    drop(std::panic::take_hook());
    read.unwrap_or(false)
}

fn read_folder(folder: &Path) -> Vec<Document> {
    let mut documents: Vec<Document> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| Document {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            bytes: std::fs::read(&path).unwrap(),
        })
        .collect();
    documents.sort_by(|a, b| a.name.cmp(&b.name));
    documents
}

/// Feeds as they are in the wild, made so that the benchmark needs nothing else: short
/// entries, whole articles in CDATA, whole articles escaped, Atom with XHTML.
fn made_documents() -> Vec<Document> {
    let paragraph = "The ferry that links the two halves of the town came back to its line on \
                     Tuesday, three weeks after its engine had failed in the middle of the river. ";
    let article = format!(
        "<p>{}</p>\n<p><a href=\"/map\">Map</a> &amp; more</p>",
        paragraph.repeat(20)
    );
    let escaped = article.replace('&', "&amp;").replace('<', "&lt;");
    let rss = |n: usize, content: &str| {
        let items = (0..n).fold(String::new(), |mut items, n| {
            let _ = writeln!(
                items,
                "<item><title>Ferry no. {n} &amp; its engine</title><link>https://news.example/{n}</link>\
                 <guid isPermaLink=\"false\">{n}</guid><pubDate>Thu, 06 Mar 2025 09:05:00 GMT</pubDate>\
                 <dc:creator>Ann Lee</dc:creator><category>Town</category><description>{paragraph}</description>{content}</item>"
            );
            items
        });
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
             xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>The Harbour Gazette</title>\
             <link>https://news.example/</link><description>News</description>{items}</channel></rss>"
        )
    };
    let atom = (0..200).fold(String::new(), |mut entries, n| {
        let _ = writeln!(
            entries,
            "<entry><title>Ferry no. {n}</title><id>urn:{n}</id><link href=\"https://news.example/{n}\"/>\
             <updated>2025-03-06T09:05:00Z</updated><author><name>Ann Lee</name></author>\
             <content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\">{article}</div></content></entry>"
        );
        entries
    });
    let atom = format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>The Harbour Gazette</title><id>urn:x</id>{atom}</feed>"
    );
    let made = [
        ("rss, short", rss(2000, "")),
        (
            "rss, CDATA",
            rss(
                200,
                &format!("<content:encoded><![CDATA[{article}]]></content:encoded>"),
            ),
        ),
        (
            "rss, escaped",
            rss(
                200,
                &format!("<content:encoded>{escaped}</content:encoded>"),
            ),
        ),
        ("atom, xhtml", atom),
    ];
    made.into_iter()
        .map(|(name, text)| Document {
            name: name.to_owned(),
            bytes: text.into_bytes(),
        })
        .collect()
}

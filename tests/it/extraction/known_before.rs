//! What an archive knows before it reads a page: the feed's entry, and the site's other
//! pages. The sites are generated, so that what is article and what is furniture is known.

use std::collections::HashSet;

use url::Url;
use wireroom::extract::{
    Context, Extracted, Prior, Settings, SiteMemory, cut_parts, extract, extract_with,
};

/// A page of a site whose markup tells nothing: all elements have made-up classes.
struct Page {
    url: Url,
    html: String,
    /// The article's paragraphs.
    article: Vec<String>,
}

const SUBJECTS: &[&str] = &[
    "river", "bridge", "school", "harbour", "museum", "market", "station",
];
const VERBS: &[&str] = &[
    "rose", "closed", "opened", "burned", "moved", "changed", "waited",
];

/// A sentence of its own for each pair of numbers.
fn sentence(page: usize, n: usize) -> String {
    let subject = SUBJECTS[(page + n) % SUBJECTS.len()];
    let verb = VERBS[(page * 3 + n) % VERBS.len()];
    let hour = (page * 7 + n * 5) % 23;
    let name = |seed: usize| -> String {
        let letters = "bdfgklmnprst".as_bytes();
        let vowels = "aeiou".as_bytes();
        (0..3)
            .flat_map(|at| {
                let key = seed * 31 + at * 17 + seed / 7;
                [
                    letters[key % letters.len()],
                    vowels[(key / 3) % vowels.len()],
                ]
            })
            .map(char::from)
            .collect()
    };
    format!(
        "The {subject} of {} {verb} at {hour} o'clock, said {} of the council, and {} was told about \
         it by people from {} who had come to see what had happened there.",
        name(page * 101 + n),
        name(page * 53 + n * 11 + 1),
        name(page * 29 + n * 3 + 2),
        name(page * 17 + n * 13 + 3),
    )
}

/// Furniture between the paragraphs, with nothing that gives it away.
const STANDING: [&str; 3] = [
    "Our newsroom answers your questions on Thursdays at seven in the town hall, and coffee is served from six.",
    "The regional edition with all notices of the districts lies in the shops of the old town from early morning.",
    "Whoever helps us to tell such stories keeps them open to everybody who lives here and cannot pay for them.",
];

fn page(number: usize) -> Page {
    let article: Vec<String> = (0..6).map(|n| sentence(number, n)).collect();
    let mut body = String::new();
    for (n, paragraph) in article.iter().enumerate() {
        body += &format!("<p>{paragraph}</p>");
        if n == 1 + number % 3 {
            body += &format!("<p>{}</p>", STANDING[0]);
        }
    }
    body += &format!("<p>{}</p><p>{}</p>", STANDING[1], STANDING[2]);
    let html = format!(
        "<title>Story number {number} of the day</title><div class=k><div class=m><h1>Story number \
         {number} of the day</h1><div class=q>{body}</div></div></div>"
    );
    Page {
        url: Url::parse(&format!("https://site.example/story/{number}")).expect("a URL"),
        html,
        article,
    }
}

fn read(page: &Page, context: &Context<'_>) -> Extracted {
    extract_with(&page.html, &page.url, &Settings::default(), context).expect("an article")
}

/// Share of the text's lines that are of the article, and share of the article that is there.
fn precision_and_recall(page: &Page, found: &Extracted) -> (f64, f64) {
    let lines: HashSet<&str> = found.text.split("\n\n").collect();
    let n_right = page
        .article
        .iter()
        .filter(|paragraph| lines.contains(paragraph.as_str()))
        .count();
    (
        n_right as f64 / lines.len() as f64,
        n_right as f64 / page.article.len() as f64,
    )
}

#[test]
fn furniture_that_no_single_page_reveals_is_learned_from_the_site() {
    let mut memory = SiteMemory::default();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for number in 1..=20 {
        let page = page(number);
        before.push(precision_and_recall(
            &page,
            &read(&page, &Context::default()),
        ));

        let context = Context {
            memory: Some(&memory),
            ..Context::default()
        };
        let found = read(&page, &context);
        after.push(precision_and_recall(&page, &found));

        // Kept between pages in its compact form.
        memory.learn(&found.facts);
        let bytes = memory.to_bytes();
        assert!(bytes.len() <= 4_096);
        memory = SiteMemory::from_bytes(&bytes).expect("its own bytes");
    }

    // Three standing lines beside six paragraphs, on every page for itself.
    assert!(
        before.iter().all(|&(precision, _)| precision < 0.7),
        "{before:?}"
    );
    // From the third page on they are known, and no paragraph of an article is lost.
    assert!(
        after[2..].iter().all(|&both| both == (1.0, 1.0)),
        "{after:?}"
    );
}

#[test]
fn without_a_memory_there_are_no_facts() {
    let page = page(1);

    assert_eq!(read(&page, &Context::default()).facts, Default::default());
}

#[test]
fn the_container_of_the_last_articles_is_believed_on_a_page_where_another_is_longer() {
    let mut memory = SiteMemory::default();
    for number in 1..=5 {
        let page = page(number);
        let context = Context {
            memory: Some(&memory),
            ..Context::default()
        };
        let facts = read(&page, &context).facts;
        memory.learn(&facts);
    }
    let short: Vec<String> = (0..3).map(|n| sentence(60, n)).collect();
    let longer: Vec<String> = (0..5).map(|n| sentence(70, n)).collect();
    let paragraphs = |lines: &[String]| -> String {
        lines.iter().map(|line| format!("<p>{line}</p>")).collect()
    };
    let html = format!(
        "<title>A short one today</title><div class=k><div class=m><h1>A short one today</h1>\
         <div class=q>{}</div></div><div class=z>{}</div></div>",
        paragraphs(&short),
        paragraphs(&longer)
    );
    let url = Url::parse("https://site.example/story/60").expect("a URL");

    let context = Context {
        memory: Some(&memory),
        ..Context::default()
    };
    let with = extract_with(&html, &url, &Settings::default(), &context).expect("an article");
    let without = extract(&html, &url, &Settings::default()).expect("an article");

    assert_eq!(with.text, short.join("\n\n"));
    assert_ne!(without.text, with.text);
}

#[test]
fn the_feeds_content_tells_the_article_from_what_surrounds_it() {
    let page = page(1);
    let prior = Prior {
        content: Some(
            page.article
                .iter()
                .map(|paragraph| format!("<p>{paragraph}</p>"))
                .collect(),
        ),
        ..Prior::default()
    };
    let context = Context {
        prior: Some(&prior),
        ..Context::default()
    };

    let (before, _) = precision_and_recall(&page, &read(&page, &Context::default()));
    let (after, recall) = precision_and_recall(&page, &read(&page, &context));

    assert!(after > before && recall == 1.0, "{before} {after} {recall}");
}

#[test]
fn the_feeds_summary_finds_the_stand_first() {
    let summary = "After the flood the town thinks about where to build its next bridge.";
    let body: String = (0..5)
        .map(|n| format!("<p>{}</p>", sentence(3, n)))
        .collect();
    let html = format!(
        "<title>A bridge</title><div class=a><h1>A bridge</h1><div class=b><span>Town</span>\
         <div class=c>{summary}</div></div><div class=d><i>x</i></div></div>\
         <div class=e><div class=f>{body}</div></div>"
    );
    let url = Url::parse("https://site.example/bridge").expect("a URL");
    let prior = Prior {
        summary: Some(format!("<p>{summary}</p>")),
        ..Prior::default()
    };
    let context = Context {
        prior: Some(&prior),
        ..Context::default()
    };

    let with = extract_with(&html, &url, &Settings::default(), &context).expect("an article");
    let without = extract(&html, &url, &Settings::default()).expect("an article");

    assert!(with.text.starts_with(summary), "{}", with.text);
    assert!(!without.text.contains(summary));
}

#[test]
fn what_the_page_leaves_open_is_taken_from_the_feed_and_what_it_says_is_not() {
    let body: String = (0..5)
        .map(|n| format!("<p>{}</p>", sentence(4, n)))
        .collect();
    let html = format!("<title>The page's own title</title><article>{body}</article>");
    let url = Url::parse("https://site.example/x").expect("a URL");
    let prior = Prior {
        title: Some("The feed's title".to_owned()),
        authors: vec!["Ana Ruiz".to_owned()],
        published: Some("2026-11-23T08:00:00Z".parse().expect("a time")),
        ..Prior::default()
    };
    let context = Context {
        prior: Some(&prior),
        ..Context::default()
    };

    let found = extract_with(&html, &url, &Settings::default(), &context).expect("an article");

    assert_eq!(found.title.as_deref(), Some("The page's own title"));
    assert_eq!(found.authors, ["Ana Ruiz"]);
    let published = found.published.expect("a date");
    assert_eq!(
        (published.text.as_str(), published.source),
        ("2026-11-23T08:00:00Z", "feed")
    );
}

#[test]
fn a_page_that_is_drawn_by_a_script_is_rescued_by_the_feed() {
    let article: Vec<String> = (0..5).map(|n| sentence(5, n)).collect();
    let html = "<title>Drawn later</title><div id=root></div><script src=app.js></script>";
    let url = Url::parse("https://site.example/app").expect("a URL");
    let prior = Prior {
        content: Some(
            article
                .iter()
                .map(|line| format!("<p>{line}</p>"))
                .collect(),
        ),
        ..Prior::default()
    };
    let context = Context {
        prior: Some(&prior),
        ..Context::default()
    };

    let found = extract_with(html, &url, &Settings::default(), &context).expect("an article");

    assert_eq!(found.text, article.join("\n\n"));
}

#[test]
fn whoever_asks_is_told_what_was_cut_and_why() {
    let body: String = (0..5)
        .map(|n| format!("<p>{}</p>", sentence(6, n)))
        .collect();
    let html = format!(
        "<article>{body}<div class=newsletter-box>Our letter comes every morning</div></article>"
    );
    let url = Url::parse("https://site.example/x").expect("a URL");

    let cut = cut_parts(&html, &url, &Settings::default(), &Context::default());

    let cut = cut.expect("the page is not too deep");
    assert_eq!(cut.len(), 1);
    assert_eq!(cut[0].reason, "named as furniture");
    assert_eq!(cut[0].text, "Our letter comes every morning");
}

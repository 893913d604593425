//! Pages made to hurt: each ends in an outcome with a name, and what is article on them is
//! found all the same.

use url::Url;
use wireroom::extract::{Extracted, Rejected, Settings, extract};

/// Six paragraphs of an article.
fn article() -> String {
    (0..6).fold(String::new(), |mut html, n| {
        html += &format!(
            "<p>Paragraph {n} tells how the river rose by {n} metres during the night, and how the \
             town closed its bridges in the morning.</p>"
        );
        html
    })
}

fn extracted(html: &str) -> Result<Extracted, Rejected> {
    let url = Url::parse("https://news.example.org/1").expect("it is a URL");
    extract(html, &url, &Settings::default())
}

#[track_caller]
fn finds_the_article(html: &str) {
    let expected = extracted(&article()).expect("the article alone").text;

    let found = extracted(html).expect("the page holds an article");

    assert_eq!(found.text, expected);
}

#[test]
fn ten_megabytes_of_script_are_passed_over() {
    let script = "if (a < b) { c = '<p>no text</p>'; }\n".repeat(270_000);

    finds_the_article(&format!(
        "<script>{script}</script>{}<script>{script}",
        article()
    ));
}

#[test]
fn megabytes_of_attributes_are_passed_over() {
    let long = "a-b ".repeat(500_000);

    finds_the_article(&format!(
        "<div class=\"{long}\" data-state='{long}' style=\"{long}\">{}</div>",
        article()
    ));
}

#[test]
fn a_tag_with_thousands_of_attributes_ends_the_page() {
    let attributes: String = (0..20_000).map(|n| format!(" a{n}=b")).collect();

    finds_the_article(&format!("{}<div{attributes}><p>not read", article()));
}

#[test]
fn two_hundred_thousand_nested_elements_are_refused_by_name() {
    for element in ["<div>", "<b><i>", "<table><tr><td>"] {
        let page = format!("{}{}", article(), element.repeat(200_000));

        assert_eq!(
            extracted(&page),
            Err(Rejected::TooDeep { limit: 512 }),
            "{element}"
        );
    }
}

#[test]
fn drawings_nested_without_end_are_refused_or_cut() {
    let closed = format!("{}{}", "<svg><g>".repeat(100), "</g></svg>".repeat(100));

    finds_the_article(&format!("{closed}{}", article()));
}

#[test]
fn a_hundred_thousand_links_give_a_short_list() {
    let same = "<p><a href=/same>A headline that is long enough</a></p>".repeat(30_000);
    let others: String = (0..10_000)
        .map(|n| format!("<p><a href=/{n}>A headline that is long enough, {n}</a></p>"))
        .collect();

    let found = extracted(&format!("<div>{}{same}{others}</div>", article()));

    let found = found.expect("the page holds an article");
    assert!(!found.related.is_empty() && found.related.len() <= 30);
}

//! A floor under the quality of extraction: small pages in the shapes that news sites use,
//! all invented, with what must come out of them. And hostile pages, with what must not.

mod hostile;
mod known_before;

use std::collections::HashSet;
use std::fmt::Write as _;

use proptest::prelude::*;
use scraper::{Html, Node};
use url::Url;
use wireroom::extract::{Extracted, Image, Rejected, Related, Settings, extract};

fn page_url() -> Url {
    Url::parse("https://news.example.org/2026/11/23/river").expect("it is a URL")
}

#[track_caller]
fn extracted(html: &str) -> Extracted {
    extract(html, &page_url(), &Settings::default()).expect("the page holds an article")
}

/// Paragraphs of some length that no two pages share.
fn paragraph(n: usize) -> String {
    format!(
        "Paragraph {n} tells how the river rose by {n} metres during the night, how the town closed \
         its bridges, and what the people who live on its banks said about it in the morning."
    )
}

fn paragraphs(range: std::ops::RangeInclusive<usize>) -> String {
    range.fold(String::new(), |mut html, n| {
        html += &format!("<p>{}</p>", paragraph(n));
        html
    })
}

fn text(range: std::ops::RangeInclusive<usize>) -> String {
    range.map(paragraph).collect::<Vec<_>>().join("\n\n")
}

const NEWS_PAGE: &str = r##"<!doctype html><html lang="en-GB"><head>
<title>River rises by two metres | The Example</title>
<meta property="og:title" content="River rises by two metres">
<meta property="og:site_name" content="The Example">
<meta property="og:description" content="The town has closed both of its bridges.">
<meta property="og:image" content="/img/river.jpg?w=1200">
<meta property="article:tag" content="Floods"><meta property="article:tag" content="Bridges">
<link rel="canonical" href="/2026/11/23/river">
<script type="application/ld+json">{"@context":"https://schema.org","@type":"NewsArticle",
 "headline":"River rises by two metres","datePublished":"2026-11-23T08:15:00+01:00",
 "author":[{"@type":"Person","name":"By Jane Doe"},{"@type":"Person","name":"Juan Roe"}]}</script>
</head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/world">World</a></li></ul></nav>
<div class="cookie-consent"><p>We and our 812 partners use cookies to store and access data on your device.</p></div>
<main><article>
<header><h1>River rises by two metres</h1>
<p class="standfirst">The town has closed both of its bridges.</p>
<div class="byline">By <a href="/author/jane">Jane Doe</a> and Juan Roe</div>
<time datetime="2026-11-23T08:15:00+01:00">23 November 2026, 8.15am</time>
<div class="share-bar"><a href="#">Share on Birdsite</a><a href="#">Send by mail</a></div></header>
<figure><img src="/img/river.jpg?w=800" alt=""><figcaption>The river at dawn. <span class="credit">Photo: A. Lens</span></figcaption></figure>
<div class="article-body">
<p>The river rose by <strong>two metres</strong> during the night, the <a href="/agency">water agency</a> said on Monday, and it is expected to rise again.</p>
<p>“We have never seen it like this,” said the mayor, who had slept in the town hall. “But we were prepared, and nobody was hurt.”</p>
<p>Read also: <a href="/2026/11/22/rain">Ten days of rain have soaked the hills</a></p>
<h2>Bridges closed</h2>
<ul><li>The old bridge was closed at midnight, for the first time in thirty years.</li><li>The new bridge followed two hours later.</li></ul>
<div class="newsletter-signup"><h3>Morning briefing</h3><p>Get the most important stories in your inbox every morning.</p></div>
<blockquote><p>Water has no memory, but towns do.</p></blockquote>
<p>Schools stay closed until Wednesday; the agency will decide then whether the bridges can be opened again.</p>
<div class="author-box"><p>Jane Doe has been writing about rivers for twenty years and lives on a boat.</p></div>
</div>
<section class="related-articles"><h3>More on this</h3><ul><li><a href="/2026/11/21/dam">The dam that was never built</a></li></ul></section>
</article></main>
<section id="comments"><p>I told you so in the spring, and nobody wanted to listen to me then, as nobody ever does in this town.</p></section>
<footer><p>© The Example. All rights reserved. The Example is not responsible for the content of external sites.</p></footer>
</body></html>"##;

#[test]
fn a_news_page_gives_its_article_and_nothing_else() {
    let found = extracted(NEWS_PAGE);

    let expected = "The town has closed both of its bridges.\n\n\
        The river rose by two metres during the night, the water agency said on Monday, and it is expected to rise again.\n\n\
        “We have never seen it like this,” said the mayor, who had slept in the town hall. “But we were prepared, and nobody was hurt.”\n\n\
        Bridges closed\n\n\
        The old bridge was closed at midnight, for the first time in thirty years.\n\
        The new bridge followed two hours later.\n\n\
        Water has no memory, but towns do.\n\n\
        Schools stay closed until Wednesday; the agency will decide then whether the bridges can be opened again.";
    assert_eq!(found.text, expected);
}

#[test]
fn a_news_page_gives_its_metadata() {
    let found = extracted(NEWS_PAGE);

    assert_eq!(found.title.as_deref(), Some("River rises by two metres"));
    assert_eq!(found.authors, ["Jane Doe", "Juan Roe"]);
    let published = found.published.unwrap();
    assert_eq!(published.text, "2026-11-23T08:15:00+01:00");
    assert_eq!(published.at.to_string(), "2026-11-23T07:15:00Z");
    assert_eq!(published.source, "json-ld");
    assert_eq!(found.language.as_deref(), Some("en"));
    assert_eq!(found.site_name.as_deref(), Some("The Example"));
    assert_eq!(found.canonical_url, Some(page_url()));
    assert_eq!(found.tags, ["Floods", "Bridges"]);
}

#[test]
fn the_markdown_keeps_links_lists_quotes_subheads_and_related_articles_in_their_places() {
    let found = extracted(NEWS_PAGE);

    let expected = "The town has closed both of its bridges.\n\n\
        The river rose by **two metres** during the night, the [water agency](https://news.example.org/agency) said on Monday, and it is expected to rise again.\n\n\
        “We have never seen it like this,” said the mayor, who had slept in the town hall. “But we were prepared, and nobody was hurt.”\n\n\
        **Related article:** [Ten days of rain have soaked the hills](https://news.example.org/2026/11/22/rain)\n\n\
        ## Bridges closed\n\n\
        - The old bridge was closed at midnight, for the first time in thirty years.\n\
        - The new bridge followed two hours later.\n\n\
        > Water has no memory, but towns do.\n\n\
        Schools stay closed until Wednesday; the agency will decide then whether the bridges can be opened again.";
    assert_eq!(found.markdown, expected);
}

#[test]
fn pictures_keep_caption_and_credit_and_related_links_stand_apart() {
    let found = extracted(NEWS_PAGE);

    let image = Image {
        url: "https://news.example.org/img/river.jpg?w=1200".to_owned(),
        caption: None,
        credit: None,
    };
    assert_eq!(found.images, [image]);
    let related = Related {
        title: "Ten days of rain have soaked the hills".to_owned(),
        url: "https://news.example.org/2026/11/22/rain".to_owned(),
    };
    assert_eq!(found.related, [related]);
}

#[test]
fn a_figure_inside_the_text_keeps_its_place_caption_and_credit() {
    let html = format!(
        "<h1>River</h1><article>{}<figure><img src=a.jpg><figcaption>The river at dawn. \
         <span class=credit>Photo: A. Lens</span></figcaption></figure>{}</article>",
        paragraphs(1..=2),
        paragraphs(3..=4)
    );

    let found = extracted(&html);

    assert_eq!(found.text, text(1..=4));
    assert_eq!(
        found.images[0].url,
        "https://news.example.org/2026/11/23/a.jpg"
    );
    assert_eq!(
        found.images[0].caption.as_deref(),
        Some("The river at dawn.")
    );
    assert_eq!(found.images[0].credit.as_deref(), Some("Photo: A. Lens"));
    let figure = found
        .markdown
        .find("The river at dawn. / Photo: A. Lens")
        .unwrap();
    assert!(found.markdown.find("Paragraph 2").unwrap() < figure);
    assert!(figure < found.markdown.find("Paragraph 3").unwrap());
}

#[test]
fn the_next_article_of_endless_scroll_is_not_part_of_this_one() {
    let html = format!(
        "<title>River</title><div><article><h1>River</h1><div>{}</div></article>\
         <article><h1>Mountain</h1><div>{}</div></article></div>",
        paragraphs(1..=6),
        paragraphs(7..=14)
    );

    assert_eq!(extracted(&html).text, text(1..=6));
}

#[test]
fn an_article_that_advertising_cuts_in_pieces_stays_whole() {
    let html = format!(
        "<h1>River</h1><div><div class=part>{}</div><div class=ad-slot><p>{}</p></div><div class=part>{}</div></div>",
        paragraphs(1..=5),
        "Buy a boat today and pay tomorrow, with a discount for all who live near the river.",
        paragraphs(6..=7)
    );

    assert_eq!(extracted(&html).text, text(1..=7));
}

#[test]
fn line_breaks_part_paragraphs_where_there_are_no_elements_for_them() {
    let html = format!(
        "<h1>River</h1><div class=story-text>{}<br><br>{}<br/> <br/>{}</div>",
        paragraph(1),
        paragraph(2),
        paragraph(3)
    );

    assert_eq!(extracted(&html).text, text(1..=3));
}

#[test]
fn lists_of_teasers_below_the_text_are_left_out() {
    let teasers = (1..=5).fold(String::new(), |mut html, n| {
        write!(html, "<div><h3><a href=/t{n}>Teaser number {n} of the day</a></h3><p>A short text for teaser {n}, long enough to look like a paragraph of prose.</p></div>").unwrap();
        html
    });
    let html = format!(
        "<h1>River</h1><main><div>{}</div><div>{teasers}</div></main>",
        paragraphs(1..=8)
    );

    assert_eq!(extracted(&html).text, text(1..=8));
}

#[test]
fn text_in_scripts_without_spaces_is_measured_by_what_it_says() {
    let line = "気象庁によりますと、この地震による津波の心配はありませんが、今後の情報に注意してください。";
    let html = format!(
        "<html lang=ja><title>地震</title><h1>地震</h1><div class=menu>{}</div><div>{}</div>",
        "<a href=/a>ニュース一覧</a>".repeat(20),
        format!("<p>{line}</p>").repeat(4)
    );

    let found = extracted(&html);

    assert_eq!(found.text.matches(line).count(), 4);
    assert_eq!(found.language.as_deref(), Some("ja"));
    assert!(found.word_count > 60, "{}", found.word_count);
}

#[test]
fn a_date_without_time_is_made_exact_by_another_that_agrees() {
    let html = format!(
        "<script type='application/ld+json'>{{\"@type\":\"Article\",\"datePublished\":\"2026-11-23\"}}</script>\
         <h1>River</h1><time datetime='2026-11-22T10:00Z'>yesterday</time>\
         <time datetime='2026-11-23T08:15:00+01:00'>this morning</time><article>{}</article>",
        paragraphs(1..=3)
    );

    let published = extracted(&html).published.unwrap();

    assert_eq!(published.text, "2026-11-23T08:15:00+01:00");
    assert_eq!(published.source, "time");
}

#[test]
fn authors_are_read_from_markup_where_nothing_states_them() {
    let bylines = [
        "<div class=byline>By <a href=/x>Jane Doe</a>, chief reporter</div>",
        "<p>Von Jane Doe</p>",
        "<a href='/authors/jane'>Jane Doe</a>",
        "<span itemprop=author><span itemprop=name>Jane Doe</span></span>",
        "<ul class=authors><li>Jane Doe</li></ul>",
    ];
    for byline in bylines {
        let html = format!(
            "<h1>River</h1>{byline}<article>{}</article>",
            paragraphs(1..=3)
        );

        let found = extracted(&html);

        assert_eq!(found.authors[..1], ["Jane Doe"], "{byline}");
        assert_eq!(found.text, text(1..=3), "{byline}");
    }
}

#[test]
fn the_outlet_is_the_author_only_when_nobody_else_is() {
    let html = format!(
        "<meta property=og:site_name content='The Example'><meta name=author content='The Example'>\
         <h1>River</h1><article>{}</article>",
        paragraphs(1..=3)
    );

    assert_eq!(extracted(&html).authors, ["The Example"]);
    let signed = html.replace(
        "<h1>River</h1>",
        "<h1>River</h1><p class=author>Jane Doe</p>",
    );
    assert_eq!(extracted(&signed).authors, ["Jane Doe"]);
}

#[test]
fn hidden_text_is_not_text_but_folded_text_is() {
    let html = format!(
        "<h1>River</h1><article>{}<p style='display: none'>{}</p><div class=accordion-body style='display:none'><p>{}</p></div></article>",
        paragraphs(1..=2),
        paragraph(9),
        paragraph(3)
    );

    assert_eq!(extracted(&html).text, text(1..=3));
}

#[test]
fn tables_of_data_stay_tables_and_tables_of_layout_do_not() {
    let html = format!(
        "<h1>River</h1><table><tr><td>{}<table><tr><th>Town</th><th>Level</th></tr>\
         <tr><td>Upper</td><td>2 m</td></tr><tr><td>Lower</td><td>3 m</td></tr></table></td></tr></table>",
        paragraphs(1..=3)
    );

    let found = extracted(&html);

    assert!(
        found
            .markdown
            .ends_with("| Town | Level |\n| --- | --- |\n| Upper | 2 m |\n| Lower | 3 m |")
    );
    assert!(found.text.starts_with(&text(1..=3)));
}

#[test]
fn the_language_is_that_of_the_text_where_it_is_sure() {
    let german =
        "Der Fluss stieg in der Nacht um zwei Meter, und die Stadt sperrte beide Brücken. "
            .repeat(4);
    let html =
        format!("<html lang=en><h1>Fluss</h1><article><p>{german}</p><p>{german}</p></article>");

    assert_eq!(extracted(&html).language.as_deref(), Some("de"));
}

#[test]
fn a_page_with_little_text_is_refused_by_name_and_keeps_its_metadata() {
    let html = "<title>Gone | The Example</title><meta property=og:site_name content='The Example'>\
        <meta property=article:published_time content=2026-11-23><p>This page has gone, sorry about that.</p>";

    let rejected = extract(html, &page_url(), &Settings::default()).unwrap_err();

    let found = match rejected {
        Rejected::TooShort { found, .. } | Rejected::NoMainText { found } => found,
        Rejected::TooDeep { .. } => panic!("it is not deep"),
    };
    assert_eq!(found.title.as_deref(), Some("Gone"));
    assert_eq!(found.published.unwrap().text, "2026-11-23");
}

#[test]
fn absurd_depth_is_refused_by_name() {
    let html = "<div>".repeat(200_000);

    assert_eq!(
        extract(&html, &page_url(), &Settings::default()),
        Err(Rejected::TooDeep { limit: 512 })
    );
}

#[test]
fn hundreds_of_thousands_of_paragraphs_and_megabytes_of_attributes_do_no_harm() {
    let many = format!("<h1>River</h1>{}", "<p>x".repeat(400_000));
    let wide = format!(
        "<h1>River</h1><p class='{}' title='{}'>{}</p>{}",
        "a-b ".repeat(250_000),
        "x".repeat(1 << 20),
        paragraph(1),
        paragraphs(2..=3)
    );

    let _ = extract(&many, &page_url(), &Settings::default());

    assert_eq!(extracted(&wide).text, text(1..=3));
}

#[test]
fn links_that_are_not_for_the_web_are_dropped_and_their_text_stays() {
    let html = format!(
        "<h1>River</h1><article>{}<p>Press <a href='javascript:alert(1)'>here</a> or <a href='data:text/html,x'>there</a> \
         or write to <a href='mailto:a@example.org'>us</a> about what you have seen at the river.</p></article>",
        paragraphs(1..=3)
    );

    let found = extracted(&html);

    assert!(found.text.contains("Press here or there or write to us"));
    assert!(!found.html.contains("javascript") && !found.markdown.contains("data:"));
    assert!(found.html.contains("href=\"mailto:a@example.org\""));
}

#[test]
fn markup_in_the_text_stays_text_in_every_rendering() {
    let html = format!(
        "<h1>River</h1><article>{}<p>Write &lt;script&gt;alert(1)&lt;/script&gt; and *stars* and [brackets](https://example.org) to see it.</p></article>",
        paragraphs(1..=3)
    );

    let found = extracted(&html);

    assert!(found.text.contains("<script>alert(1)</script>"));
    assert!(found.html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(
        found
            .markdown
            .contains("\\<script>alert(1)\\</script> and \\*stars\\* and \\[brackets\\]")
    );
}

/// Elements and attributes that the HTML rendering may hold, and those of a bare document.
fn listed() -> (HashSet<&'static str>, HashSet<&'static str>) {
    let elements = [
        "html",
        "head",
        "body",
        "p",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "blockquote",
        "table",
        "tbody",
        "tr",
        "td",
        "pre",
        "figure",
        "figcaption",
        "img",
        "a",
        "strong",
        "em",
        "code",
        "br",
    ];
    (elements.into(), ["href", "src", "alt"].into())
}

fn check_html(html: &str) {
    let (elements, attributes) = listed();
    for value in Html::parse_document(html).tree.values() {
        let Node::Element(element) = value else {
            continue;
        };
        assert!(
            elements.contains(element.name()),
            "<{}> in {html}",
            element.name()
        );
        for (name, value) in element.attrs() {
            assert!(attributes.contains(name), "{name} in {html}");
            let is_web = ["http://", "https://", "mailto:"]
                .iter()
                .any(|scheme| value.starts_with(scheme));
            assert!(name == "alt" || is_web, "{value} in {html}");
        }
    }
}

/// Pages made of pieces that matter to the extractor, in any order and nesting.
fn pages() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zà-ž ,.&<>\"'*_`#\\[\\]()\u{0}-\u{7f}]{0,60}",
        Just("<p>A paragraph of prose that is long enough to be counted as such by anyone, and longer.</p>".to_owned()),
        "</?(div|p|article|section|ul|ol|li|table|tr|td|h1|h2|h3|a|b|i|pre|code|blockquote|figure|figcaption|br|aside|form|template|svg|math|title|textarea|select)>",
        Just("<a href='javascript:x'>x</a><a href='//example.org/a b\"c'>link text</a>".to_owned()),
        Just("<img src=x.jpg alt='\"><script>'><iframe src='https://example.org/v/1'></iframe>".to_owned()),
        Just("<script type='application/ld+json'>{\"@type\":\"NewsArticle\",\"headline\":[1,{}],\"author\":{\"name\":null},\"datePublished\":\"99999-1-1\"}</script>".to_owned()),
        Just("<div class='related-articles share hidden' style='display:none' id=comments>".to_owned()),
        Just("<meta property=og:title content='A &amp;lt;b&amp;gt; | x'><base href='https://example.org/b/'>".to_owned()),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_page_gives_safe_html_and_tidy_text(html in pages()) {
        let settings = Settings { min_words: 1, ..Settings::default() };

        if let Ok(found) = extract(&html, &page_url(), &settings) {
            check_html(&found.html);
            prop_assert!(!found.text.contains("\n\n\n"));
            prop_assert_eq!(found.text.trim(), &found.text);
            prop_assert!(found.word_count >= 1);
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let html = wireroom::extract::decode(&bytes, None);

        let _ = extract(&html, &page_url(), &Settings::default());
    }
}

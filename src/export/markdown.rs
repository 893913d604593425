//! An article as a Markdown document (CommonMark 0.31) for people to keep and read.

use std::borrow::Cow;
use std::fmt::Write;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::extract::Image;
use crate::store::Article;

use super::one_line;

/// The document of an article:
///
/// ```text
/// # Title
///
/// March 24, 2017
///
/// Caption or credit of the lead image
///
/// Body, with links, lists, quotes and subheads.
///
/// **Related article:** [Title](URL)
///
/// Original url:
///
/// <URL>
/// ```
///
/// What the archive does not know is left out; a missing title becomes the URL. A page that
/// has not been scraped yet gives what the feed said.
#[must_use]
pub fn document(article: &Article) -> String {
    let body = body(article);
    let mut blocks = vec![format!("# {}", title(article))];
    blocks.extend(date(article).map(|date| date.strftime("%B %-d, %Y").to_string()));
    blocks.extend(lead_line(article, &body));
    let related = missing_related(article, &body);
    if !body.is_empty() {
        blocks.push(body.into_owned());
    }
    blocks.extend(related);
    if let Some(url) = original_url(article) {
        blocks.push("Original url:".to_owned());
        blocks.push(autolink(url));
    }
    let mut document = blocks.join("\n\n");
    document.push('\n');
    document
}

/// A name for the document's file: the day of first sight and the id, `2026-11-23-ID.md`.
/// Stable, and nothing in it comes from outside.
#[must_use]
pub fn file_name(article: &Article) -> String {
    match article.first_seen {
        Some(at) => format!("{}-{}.md", at.strftime("%Y-%m-%d"), article.id),
        None => format!("{}.md", article.id),
    }
}

/// The URL as the feed gave it, else the best that is known.
fn original_url(article: &Article) -> Option<&str> {
    article
        .url
        .as_deref()
        .or(article.final_url.as_deref())
        .or(article.canonical_url.as_deref())
}

fn title(article: &Article) -> String {
    let title = one_line(article.title.as_deref().unwrap_or_default());
    if !title.is_empty() {
        return escape(&title);
    }
    match original_url(article) {
        Some(url) => autolink(url),
        None => "Untitled".to_owned(),
    }
}

/// The day in the publisher's own zone where its text has an offset, else in UTC.
fn date(article: &Article) -> Option<Date> {
    // RFC 3339 gives the local date first, whatever the offset.
    let as_written = article
        .published
        .as_deref()
        .and_then(|text| text.get(..10))
        .and_then(|day| day.parse().ok());
    as_written.or_else(|| {
        let at = article.published_at?;
        Some(at.to_zoned(TimeZone::UTC).date())
    })
}

/// The Markdown of the page; before it has been scraped, what the feed said.
fn body(article: &Article) -> Cow<'_, str> {
    let markdown = article.markdown.trim();
    if !markdown.is_empty() {
        return Cow::Borrowed(markdown);
    }
    let text = match article.text.trim() {
        "" => article.summary.as_deref().unwrap_or_default().trim(),
        text => text,
    };
    let paragraphs: Vec<String> = text
        .split("\n\n")
        .map(one_line)
        .filter(|paragraph| !paragraph.is_empty())
        .map(|paragraph| escape_line_start(&escape(&paragraph)))
        .collect();
    Cow::Owned(paragraphs.join("\n\n"))
}

/// Caption and credit of the lead image, unless the body says them already.
fn lead_line(article: &Article, body: &str) -> Option<String> {
    let Image {
        caption, credit, ..
    } = article.images.first()?;
    let said = letters(body);
    let new = |text: &Option<String>| {
        let text = one_line(text.as_deref().unwrap_or_default());
        let letters = letters(&text);
        (!letters.is_empty() && !said.contains(&letters)).then_some(text)
    };
    let line = match (new(caption), new(credit)) {
        (Some(caption), Some(credit)) if letters(&caption).contains(&letters(&credit)) => caption,
        (Some(caption), Some(credit)) => format!("{caption} ({credit})"),
        (Some(line), None) | (None, Some(line)) => line,
        (None, None) => return None,
    };
    Some(escape_line_start(&escape(&line)))
}

/// Related links that do not stand in the body.
fn missing_related(article: &Article, body: &str) -> Vec<String> {
    article
        .related
        .iter()
        .filter(|link| !body.contains(&link.url) && !body.contains(&*within_angles(&link.url)))
        .map(|link| {
            let title = escape(&one_line(&link.title));
            let url = within_angles(&link.url);
            format!("**Related article:** [{title}](<{url}>)")
        })
        .collect()
}

/// Letters and digits only, in lower case: the same text however it is marked up.
fn letters(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Text in which nothing is markup any more.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        let special = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '~' => true,
            // An underscore within a word is no emphasis.
            '_' => !within_word(text, at),
            '#' => is_at_word_start(text, at),
            '&' => begins_entity(&text[at + 1..]),
            _ => false,
        };
        if special {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn within_word(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[at + 1..].chars().next();
    before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
}

fn is_at_word_start(text: &str, at: usize) -> bool {
    text[..at]
        .chars()
        .next_back()
        .is_none_or(|c| c.is_whitespace() || c == '#')
}

/// Whether what follows `&` could make it a character reference.
fn begins_entity(rest: &str) -> bool {
    let name = rest
        .bytes()
        .take(40)
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'#')
        .count();
    name > 0 && rest.as_bytes().get(name) == Some(&b';')
}

/// An escaped line that begins no list, rule or underline (CommonMark §4.1, §4.3, §5.2).
fn escape_line_start(line: &str) -> String {
    if line.starts_with(['-', '+', '=']) {
        return format!("\\{line}");
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = line.split_at(digits);
    if digits > 0 && rest.starts_with(['.', ')']) && rest[1..].starts_with([' ', '\t']) {
        return format!("{number}\\{rest}");
    }
    line.to_owned()
}

/// A URL as a link, if it is one to be followed; `javascript:` and the like stay text.
fn autolink(url: &str) -> String {
    let scheme = url
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http" | "https") => format!("<{}>", within_angles(url)),
        _ => escape(&one_line(url)),
    }
}

/// A URL fit to stand between angle brackets: what would end it is percent-encoded.
fn within_angles(url: &str) -> Cow<'_, str> {
    let unfit = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>');
    if !url.contains(unfit) {
        return Cow::Borrowed(url);
    }
    let mut fit = String::with_capacity(url.len() + 8);
    let mut buffer = [0; 4];
    for c in url.chars() {
        if unfit(c) {
            for byte in c.encode_utf8(&mut buffer).bytes() {
                // Writing to a String cannot fail.
                let _ = write!(fit, "%{byte:02X}");
            }
        } else {
            fit.push(c);
        }
    }
    Cow::Owned(fit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Related;
    use crate::model::ArticleId;

    fn article() -> Article {
        Article {
            id: ArticleId(42),
            url: Some("https://news.example.org/2017/03/24/harbour-a5752?ref=rss".into()),
            title: Some("Harbour May Be Closing, Port's Master Says".into()),
            published: Some("2017-03-24T23:30:00-05:00".into()),
            published_at: Some("2017-03-25T04:30:00Z".parse().unwrap()),
            first_seen: Some("2026-11-23T10:00:00Z".parse().unwrap()),
            markdown: "The master accused [the city](https://example.org/city) on Thursday.\n\n\
                       **Related article:** [Old Harbour](https://news.example.org/old)\n\n\
                       \"We are united.\""
                .into(),
            images: vec![Image {
                url: "https://news.example.org/i.jpg".into(),
                caption: None,
                credit: Some("A. Person / AP".into()),
            }],
            related: vec![Related {
                title: "Old Harbour".into(),
                url: "https://news.example.org/old".into(),
            }],
            ..Article::default()
        }
    }

    #[test]
    fn a_document_has_the_form_that_the_archive_promises() {
        let document = document(&article());

        assert_eq!(
            document,
            "# Harbour May Be Closing, Port's Master Says\n\
             \n\
             March 24, 2017\n\
             \n\
             A. Person / AP\n\
             \n\
             The master accused [the city](https://example.org/city) on Thursday.\n\
             \n\
             **Related article:** [Old Harbour](https://news.example.org/old)\n\
             \n\
             \"We are united.\"\n\
             \n\
             Original url:\n\
             \n\
             <https://news.example.org/2017/03/24/harbour-a5752?ref=rss>\n"
        );
    }

    #[test]
    fn the_date_is_the_publishers_own_or_else_utc() {
        let mut article = article();
        assert!(document(&article).contains("\nMarch 24, 2017\n"));

        article.published = None;
        assert!(document(&article).contains("\nMarch 25, 2017\n"));

        article.published = Some("2017-04-02".into());
        assert!(document(&article).contains("\nApril 2, 2017\n"));

        article.published = None;
        article.published_at = None;
        assert!(!document(&article).contains("2017\n"));
    }

    #[test]
    fn a_caption_that_the_body_has_is_not_said_twice() {
        let mut article = article();
        article.images[0].caption = Some("The *old* harbour.".into());
        article.markdown =
            "![](https://news.example.org/i.jpg)\n\n*The old harbour.*\n\nText.".into();

        let document = document(&article);

        assert_eq!(document.matches("old harbour").count(), 1);
        assert!(document.contains("\n\nA. Person / AP\n\n"));
    }

    #[test]
    fn only_a_url_to_be_followed_becomes_a_link() {
        let mut article = article();
        article.url = Some("javascript:alert(1)".into());

        let document = document(&article);

        assert!(
            document.ends_with("Original url:\n\njavascript:alert(1)\n"),
            "{document}"
        );
    }

    #[test]
    fn related_links_that_the_body_lacks_follow_it() {
        let mut article = article();
        article.markdown = "Text.".into();

        let document = document(&article);

        assert!(document.contains(
            "Text.\n\n**Related article:** [Old Harbour](<https://news.example.org/old>)\n\nOriginal url:"
        ));
    }

    #[test]
    fn hostile_titles_stay_titles() {
        let mut article = article();
        article.title =
            Some("# *a*\n\n<script> [x](javascript:y) &lt; \u{202e}C# 1_000 _b_".into());

        let document = document(&article);

        assert_eq!(
            document.lines().next().unwrap(),
            r"# \# \*a\* \<script\> \[x\](javascript:y) \&lt; C# 1_000 \_b\_"
        );
    }

    #[test]
    fn a_missing_title_becomes_the_url() {
        let mut article = article();
        article.title = Some(" \n ".into());
        article.url = Some("https://example.org/a b>c".into());

        let document = document(&article);

        assert!(document.starts_with("# <https://example.org/a%20b%3Ec>\n\n"));
        assert!(document.ends_with("\n\n<https://example.org/a%20b%3Ec>\n"));
    }

    #[test]
    fn before_the_page_is_there_the_feeds_words_stand_as_text() {
        let mut article = article();
        article.markdown.clear();
        article.text = "1. not a *list*\n\n- nor this\n\n\n\nplain".into();

        let document = document(&article);

        assert!(document.contains("\n\n1\\. not a \\*list\\*\n\n\\- nor this\n\nplain\n\n"));
    }

    #[test]
    fn file_names_hold_nothing_from_outside() {
        let mut article = article();
        article.title = Some("../../etc/passwd".into());

        assert_eq!(file_name(&article), "2026-11-23-42.md");
    }

    proptest::proptest! {
        #[test]
        fn a_document_always_has_its_frame(title: String, text: String, url in "https?://[ -~]{1,40}") {
            let article = Article {
                title: Some(title),
                text,
                url: Some(url),
                ..Article::default()
            };

            let document = document(&article);

            proptest::prop_assert!(document.starts_with("# "));
            proptest::prop_assert!(document.contains("\n\nOriginal url:\n\n<http"));
            proptest::prop_assert!(document.ends_with(">\n"));
        }
    }
}

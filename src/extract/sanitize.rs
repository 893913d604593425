//! HTML from outside made safe to show.

use std::collections::{HashMap, HashSet};

use ammonia::{Builder, UrlRelative};
use url::Url;

use super::parse;
use super::plain_text::plain_text;
use super::reduce::reduce;

/// Elements that pass.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "u",
    "ul",
];

/// Elements that go with everything inside.
const REMOVED: &[&str] = &[
    "script", "style", "template", "noscript", "iframe", "object", "svg", "math",
];

/// Deepest nesting that is parsed; what is deeper is shown as text.
const MAX_DEPTH: usize = 256;

/// HTML from outside made safe to show: a closed list of elements and attributes, links
/// absolute against `base` and `http(s)` or `mailto` only.
#[must_use]
pub fn sanitize(html: &str, base: Option<&Url>) -> String {
    let reduced = reduce(html);
    if parse::parse_guarded(&reduced, MAX_DEPTH).is_err() {
        return ammonia::clean_text(&plain_text(html));
    }
    let attributes = HashMap::from([
        ("a", HashSet::from(["href", "title"])),
        (
            "img",
            HashSet::from(["src", "alt", "title", "width", "height"]),
        ),
        ("td", HashSet::from(["colspan", "rowspan"])),
        ("th", HashSet::from(["colspan", "rowspan"])),
        ("ol", HashSet::from(["start"])),
        ("time", HashSet::from(["datetime"])),
    ]);
    Builder::empty()
        .tags(ELEMENTS.iter().copied().collect())
        .clean_content_tags(REMOVED.iter().copied().collect())
        .tag_attributes(attributes)
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(match base {
            Some(base) => UrlRelative::RewriteWithBase(base.clone()),
            None => UrlRelative::Deny,
        })
        .link_rel(Some("noopener nofollow"))
        .clean(&reduced.html)
        .to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_listed_markup_passes() {
        let base = Url::parse("https://example.org/a/").unwrap();
        let html = r#"<p onclick="x()" style="y">A <a href="b">link</a>
            <a href="javascript:x()">bad</a><script>x()</script><iframe src="z">i</iframe></p>"#;

        let clean = sanitize(html, Some(&base));

        assert!(
            clean.contains(r#"<a href="https://example.org/a/b" rel="noopener nofollow">link</a>"#),
            "{clean}"
        );
        for bad in ["onclick", "style", "javascript", "script", "iframe"] {
            assert!(!clean.contains(bad), "{bad}: {clean}");
        }
    }

    #[test]
    fn absurd_depth_is_shown_as_text() {
        let html = format!("{}a < b", "<div>".repeat(5_000));

        assert_eq!(sanitize(&html, None).replace("&#32;", " "), "a &lt; b");
    }

    proptest! {
        #[test]
        fn sanitizing_twice_changes_nothing(html in "(<[a-z/]{1,6}( [a-z]{2,5}=\"?[a-z:/]{0,9}\"?)?>|[a-z&;<>\"' ]{0,6}){0,12}") {
            let once = sanitize(&html, None);

            prop_assert_eq!(sanitize(&once, None), once);
        }

        // Markup may settle in a second reading: without the `<y>`, the headings of
        // `<h1><y><h1>` are read as two that follow each other.
        #[test]
        fn a_second_reading_changes_no_word(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "<h1>", "</h1>", "<h2>", "<y>", "</y>", "<p>", "</p>", "<a href=x>", "</a>",
                    "<b>", "</b>", "<li>", "<ul>", "<table>", "<tr>", "<td>", "</table>", "<svg>",
                    "</svg>", "<math>", "<style>", "</style>", "<pre>", "one", "two", "&lt;p&gt;",
                ]),
                0..24,
            )
        ) {
            let words = |html: &str| plain_text(html).split_whitespace().collect::<String>();
            let once = sanitize(&pieces.concat(), None);

            prop_assert_eq!(words(&sanitize(&once, None)), words(&once));
        }
    }
}

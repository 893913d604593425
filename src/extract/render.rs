//! Blocks as text, Markdown and HTML.

use super::blocks::{Block, Line, ListItem, Marks, Span, line_text};
use super::{Image, Related};

/// What stands before a link to another article, in Markdown and HTML.
const RELATED_LABEL: &str = "Related article:";

/// The text of an article: paragraphs parted by a blank line, items of lists and rows of
/// tables by a line break. No captions, no related links, no embeds.
pub(super) fn text(blocks: &[Block]) -> String {
    let mut parts = Vec::new();
    for block in blocks {
        match block {
            Block::Paragraph(line) | Block::Heading(_, line) => parts.push(line_text(line)),
            Block::List(items) => parts.push(lines(items.iter().map(|item| line_text(&item.line)))),
            Block::Quote(quoted) => parts.extend(quoted.iter().map(|line| line_text(line))),
            Block::Table(rows) => parts.push(lines(rows.iter().map(|row| {
                let cells: Vec<String> = row
                    .iter()
                    .map(|cell| line_text(cell).replace('\n', " "))
                    .collect();
                cells.join("\t")
            }))),
            Block::Preformatted(text) => parts.push(text.clone()),
            Block::Figure(_) | Block::Embed(_) | Block::Related(_) | Block::Correction(_) => {}
        }
    }
    parts.join("\n\n")
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

/// The article in Markdown (CommonMark 0.31 with tables as GitHub writes them). What would
/// be markup in the text is escaped.
pub(super) fn markdown(blocks: &[Block]) -> String {
    let parts: Vec<String> = blocks
        .iter()
        .map(markdown_block)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("\n\n")
}

fn markdown_block(block: &Block) -> String {
    match block {
        Block::Paragraph(line) => markdown_line(line),
        Block::Heading(level, line) => {
            let marks = "#".repeat(usize::from(*level));
            format!("{marks} {}", markdown_line(line).replace("\\\n", " "))
        }
        Block::List(items) => markdown_list(items),
        Block::Quote(quoted) => {
            let quoted: Vec<String> = quoted.iter().map(|line| markdown_line(line)).collect();
            prefixed(&quoted.join("\n\n"), "> ")
        }
        Block::Table(rows) => markdown_table(rows),
        Block::Preformatted(text) => prefixed(text, "    "),
        Block::Figure(image) => markdown_figure(image),
        Block::Embed(embed) => markdown_link(label(embed), &embed.url),
        Block::Related(related) => {
            format!(
                "**{RELATED_LABEL}** {}",
                markdown_link(&related.title, &related.url)
            )
        }
        Block::Correction(text) => escape_line_starts(&escape_markdown(text)).replace('\n', "\\\n"),
    }
}

fn label(embed: &Related) -> &str {
    if embed.title.is_empty() {
        &embed.url
    } else {
        &embed.title
    }
}

fn prefixed(text: &str, prefix: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| format!("{prefix}{line}").trim_end().to_owned())
        .collect();
    lines.join("\n")
}

fn markdown_list(items: &[ListItem]) -> String {
    let mut numbers: Vec<usize> = Vec::new();
    let mut rows = Vec::new();
    for item in items {
        let depth = usize::from(item.depth).min(numbers.len());
        numbers.truncate(depth + 1);
        if numbers.len() <= depth {
            numbers.push(0);
        }
        numbers[depth] += 1;
        let indent = "    ".repeat(depth);
        let mark = if item.ordered {
            format!("{}.", numbers[depth])
        } else {
            "-".to_owned()
        };
        let line = markdown_line(&item.line).replace('\n', &format!("\n{indent}    "));
        rows.push(format!("{indent}{mark} {line}"));
    }
    rows.join("\n")
}

fn markdown_table(rows: &[Vec<Line>]) -> String {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        let mut cells: Vec<String> = row
            .iter()
            .map(|cell| {
                markdown_line(cell)
                    .replace("\\\n", " ")
                    .replace('\n', " ")
                    .replace('|', "\\|")
            })
            .collect();
        if n == 0 {
            // Only the first row: its length is the table's, and rows can be very many.
            cells.resize(n_columns, String::new());
        }
        lines.push(format!("| {} |", cells.join(" | ")));
        if n == 0 {
            lines.push(format!("|{}", " --- |".repeat(n_columns)));
        }
    }
    lines.join("\n")
}

fn markdown_figure(image: &Image) -> String {
    let mut parts = vec![format!("![]({})", markdown_url(&image.url))];
    let caption: Vec<String> = [&image.caption, &image.credit]
        .into_iter()
        .flatten()
        .map(|text| escape_markdown(text))
        .collect();
    if !caption.is_empty() {
        parts.push(escape_line_starts(&caption.join(" / ")));
    }
    parts.join("\n\n")
}

fn markdown_line(line: &[Span]) -> String {
    let mut to = String::new();
    let mut at = 0;
    while at < line.len() {
        let marks = line[at].marks;
        let n_alike = line[at..]
            .iter()
            .take_while(|span| span.marks == marks)
            .count();
        let next = line
            .get(at + n_alike)
            .and_then(|span| span.text.chars().next());
        push_marked(&mut to, &line[at..at + n_alike], marks, next);
        at += n_alike;
    }
    escape_line_starts(&to).replace('\n', "\\\n")
}

/// Appends spans of one setting. Marks stand tight around the text, spaces outside; where
/// they would not be read as marks (next to letters), they are left out.
fn push_marked(to: &mut String, spans: &[Span], marks: Marks, next: Option<char>) {
    let mut inner = String::new();
    for span in spans {
        let text = if marks.code {
            span.text.clone()
        } else {
            escape_markdown(&span.text)
        };
        match &span.link {
            Some(link) if !span.text.trim().is_empty() && !marks.code => {
                let (before, core, after) = parted(&text);
                inner.push_str(before);
                inner.push_str(&format!(
                    "[{}]({})",
                    core.replace('\n', " "),
                    markdown_url(link)
                ));
                inner.push_str(after);
            }
            _ => inner.push_str(&text),
        }
    }
    let (before, core, after) = parted(&inner);
    let fence = match marks {
        Marks { code: true, .. } if core.contains('`') => "",
        Marks { code: true, .. } => "`",
        Marks {
            strong: true,
            emphasis: true,
            ..
        } => "***",
        Marks { strong: true, .. } => "**",
        Marks { emphasis: true, .. } => "*",
        _ => "",
    };
    let touches = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let is_tight = (before.is_empty() && touches(to.chars().next_back()))
        || (after.is_empty() && touches(next));
    let has_lines = core.contains('\n');
    let fence = if core.is_empty() || has_lines || (is_tight && fence != "`") {
        ""
    } else {
        fence
    };
    for part in [before, fence, core, fence, after] {
        to.push_str(part);
    }
}

/// White space before, the rest, white space behind.
fn parted(text: &str) -> (&str, &str, &str) {
    let core = text.trim();
    if core.is_empty() {
        return (text, "", "");
    }
    let start = text.len() - text.trim_start().len();
    (&text[..start], core, &text[start + core.len()..])
}

fn markdown_link(title: &str, url: &str) -> String {
    format!("[{}]({})", escape_markdown(title), markdown_url(url))
}

fn markdown_url(url: &str) -> String {
    let mut to = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '(' => to.push_str("%28"),
            ')' => to.push_str("%29"),
            ' ' => to.push_str("%20"),
            '<' => to.push_str("%3C"),
            '>' => to.push_str("%3E"),
            '\\' => to.push_str("%5C"),
            c => to.push(c),
        }
    }
    to
}

/// Escapes what is markup anywhere in a line.
fn escape_markdown(text: &str) -> String {
    let mut to = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let is_markup = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '~' => true,
            '_' => !(before.is_alphanumeric() && next.is_alphanumeric()),
            '&' => next == '#' || next.is_ascii_alphabetic(),
            '!' => next == '[',
            _ => false,
        };
        if is_markup {
            to.push('\\');
        }
        to.push(c);
        before = c;
    }
    to
}

/// Escapes what is markup at the start of a line only: heads, lists, quotes, rules.
fn escape_line_starts(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| escape_line_start(line.trim_start()))
        .collect();
    lines.join("\n")
}

fn escape_line_start(line: &str) -> String {
    let n_digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let mark = line[n_digits..].chars().next();
    let is_number = (1..=9).contains(&n_digits) && matches!(mark, Some('.' | ')'));
    if is_number {
        return format!("{}\\{}", &line[..n_digits], &line[n_digits..]);
    }
    if line.starts_with(['#', '>', '+', '-', '=', '|']) {
        return format!("\\{line}");
    }
    line.to_owned()
}

/// The article in HTML: only the elements `p h2 h3 h4 h5 h6 ul ol li blockquote table tr td
/// pre figure figcaption img a strong em code br`, with `href` and `src` (`http`, `https`,
/// for `href` also `mailto`) and `alt`; all else is escaped text.
pub(super) fn html(blocks: &[Block]) -> String {
    let mut to = String::new();
    for block in blocks {
        html_block(&mut to, block);
        to.push('\n');
    }
    to.truncate(to.trim_end().len());
    to
}

fn html_block(to: &mut String, block: &Block) {
    match block {
        Block::Paragraph(line) => html_element(to, "p", line),
        Block::Heading(level, line) => {
            html_element(to, &format!("h{}", (*level).clamp(2, 6)), line)
        }
        Block::List(items) => html_list(to, items),
        Block::Quote(quoted) => {
            to.push_str("<blockquote>");
            for line in quoted {
                html_element(to, "p", line);
            }
            to.push_str("</blockquote>");
        }
        Block::Table(rows) => {
            to.push_str("<table>");
            for row in rows {
                to.push_str("<tr>");
                for cell in row {
                    html_element(to, "td", cell);
                }
                to.push_str("</tr>");
            }
            to.push_str("</table>");
        }
        Block::Preformatted(text) => to.push_str(&format!("<pre>{}</pre>", escape_html(text))),
        Block::Figure(image) => html_figure(to, image),
        Block::Embed(embed) => {
            to.push_str("<p>");
            html_link(to, &embed.url, &escape_html(label(embed)));
            to.push_str("</p>");
        }
        Block::Related(related) => {
            to.push_str(&format!("<p><strong>{RELATED_LABEL}</strong> "));
            html_link(to, &related.url, &escape_html(&related.title));
            to.push_str("</p>");
        }
        Block::Correction(text) => {
            to.push_str(&format!(
                "<p>{}</p>",
                escape_html(text).replace('\n', "<br>")
            ));
        }
    }
}

fn html_element(to: &mut String, name: &str, line: &[Span]) {
    to.push_str(&format!("<{name}>"));
    html_line(to, line);
    to.push_str(&format!("</{name}>"));
}

fn html_list(to: &mut String, items: &[ListItem]) {
    let mut open: Vec<&str> = Vec::new();
    for item in items {
        let name = if item.ordered { "ol" } else { "ul" };
        let depth = usize::from(item.depth).min(open.len());
        while open.len() > depth + 1 {
            to.push_str(&format!("</li></{}>", open.pop().unwrap_or("ul")));
        }
        if open.len() == depth + 1 {
            to.push_str("</li>");
        } else {
            to.push_str(&format!("<{name}>"));
            open.push(name);
        }
        to.push_str("<li>");
        html_line(to, &item.line);
    }
    while let Some(name) = open.pop() {
        to.push_str(&format!("</li></{name}>"));
    }
}

fn html_figure(to: &mut String, image: &Image) {
    let alt = image.caption.as_deref().unwrap_or_default();
    to.push_str(&format!(
        "<figure><img src=\"{}\" alt=\"{}\">",
        escape_html(&image.url),
        escape_html(alt)
    ));
    let caption: Vec<&str> = [&image.caption, &image.credit]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if !caption.is_empty() {
        to.push_str(&format!(
            "<figcaption>{}</figcaption>",
            escape_html(&caption.join(" / "))
        ));
    }
    to.push_str("</figure>");
}

fn html_line(to: &mut String, line: &[Span]) {
    for span in line {
        let mut inner = escape_html(&span.text).replace('\n', "<br>");
        for (is_set, name) in [
            (span.marks.code, "code"),
            (span.marks.emphasis, "em"),
            (span.marks.strong, "strong"),
        ] {
            if is_set {
                inner = format!("<{name}>{inner}</{name}>");
            }
        }
        match &span.link {
            Some(link) => html_link(to, link, &inner),
            None => to.push_str(&inner),
        }
    }
}

fn html_link(to: &mut String, url: &str, inner: &str) {
    to.push_str(&format!("<a href=\"{}\">{inner}</a>", escape_html(url)));
}

fn escape_html(text: &str) -> String {
    let mut to = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '"' => to.push_str("&quot;"),
            '\'' => to.push_str("&#39;"),
            c => to.push(c),
        }
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Line {
        vec![Span {
            text: text.to_owned(),
            ..Span::default()
        }]
    }

    fn strong(text: &str) -> Span {
        Span {
            text: text.to_owned(),
            marks: Marks {
                strong: true,
                ..Marks::default()
            },
            link: None,
        }
    }

    #[test]
    fn what_would_be_markup_is_escaped() {
        let check = |text: &str, expected: &str| {
            assert_eq!(markdown(&[Block::Paragraph(plain(text))]), expected);
        };

        check("# not a head", "\\# not a head");
        check("1. not a list", "1\\. not a list");
        check(
            "a *b* [c](d) <e> `f` snake_case _g_",
            "a \\*b\\* \\[c\\](d) \\<e> \\`f\\` snake_case \\_g\\_",
        );
        check("- dash\n> quote", "\\- dash\\\n\\> quote");
        check("AT&T &amp; x", "AT\\&T \\&amp; x");
    }

    #[test]
    fn marks_stand_tight_around_their_text() {
        let line = vec![strong(" bold "), plain("then").remove(0)];

        assert_eq!(markdown(&[Block::Paragraph(line.clone())]), "**bold** then");
        assert_eq!(
            html(&[Block::Paragraph(line)]),
            "<p><strong> bold </strong>then</p>"
        );
    }

    #[test]
    fn a_link_cannot_break_out_of_its_brackets() {
        let line = vec![Span {
            text: "a](b".to_owned(),
            link: Some("https://example.org/x_(y)".into()),
            ..Span::default()
        }];

        assert_eq!(
            markdown(&[Block::Paragraph(line)]),
            "[a\\](b](https://example.org/x_%28y%29)"
        );
    }

    #[test]
    fn lists_keep_their_depth_and_numbers() {
        let item = |depth, ordered, text: &str| ListItem {
            depth,
            ordered,
            line: plain(text),
        };
        let list = [Block::List(vec![
            item(0, true, "one"),
            item(1, false, "inner"),
            item(0, true, "two"),
        ])];

        assert_eq!(markdown(&list), "1. one\n    - inner\n2. two");
        assert_eq!(
            html(&list),
            "<ol><li>one<ul><li>inner</li></ul></li><li>two</li></ol>"
        );
        assert_eq!(text(&list), "one\ninner\ntwo");
    }

    #[test]
    fn related_articles_stand_in_the_markdown_and_not_in_the_text() {
        let blocks = [
            Block::Paragraph(plain("Before.")),
            Block::Related(Related {
                title: "Other".to_owned(),
                url: "https://example.org/other".to_owned(),
            }),
        ];

        assert_eq!(
            markdown(&blocks),
            "Before.\n\n**Related article:** [Other](https://example.org/other)"
        );
        assert_eq!(text(&blocks), "Before.");
    }
}

//! `wireroom show`: one article.

use wireroom::export::{ArticleRecord, markdown_document};
use wireroom::store::{Access, Article};

use super::output::{self, BOLD, DIM, clean, clean_block, styled};
use super::{Context, Exit, list, names};

const EXAMPLES: &str = "\
Examples:
  wireroom show https://www.themoscowtimes.com/2017/03/24/a5752
  wireroom show 446676598785 --markdown > article.md
  wireroom show 446676598785 --json | jq .images";

/// Show one article, named by its id or by any URL that leads to it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Id, or original, final or canonical URL
    #[arg(value_name = "ID|URL")]
    article: String,

    #[command(flatten)]
    form: Form,
}

/// What is written instead of the readable form.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Form {
    /// One JSON object
    #[arg(long)]
    json: bool,

    /// The Markdown document, as `export --format markdown` writes it
    #[arg(long)]
    markdown: bool,

    /// The body as safe HTML
    #[arg(long)]
    html: bool,

    /// The body as text
    #[arg(long)]
    text: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let name = names::article_name(&args.article)?;
    let found = context.runtime()?.block_on(async {
        let store = context.store(Access::Reader).await?;
        anyhow::Ok(store.article(&name).await?)
    })?;
    let Some(article) = found else {
        context.say(format_args!("there is no article {}", clean(&args.article)));
        return Ok(Exit::NothingFound);
    };
    match &args.form {
        Form { json: true, .. } => output::json(&ArticleRecord::from(&article))?,
        Form { markdown: true, .. } => output::whole(&markdown_document(&article))?,
        Form { html: true, .. } => output::whole(&with_newline(&article.html))?,
        Form { text: true, .. } => output::whole(&with_newline(&article.text))?,
        _ => readable(&article)?,
    }
    Ok(Exit::Success)
}

fn with_newline(text: &str) -> String {
    format!("{}\n", text.trim_end_matches('\n'))
}

/// Headline, what is known about the article, and its text.
fn readable(article: &Article) -> anyhow::Result<()> {
    output::line(styled(BOLD, clean(&list::title(article))))?;
    output::line("")?;
    for (name, value) in facts(article) {
        if !value.is_empty() {
            output::line(format_args!(
                "{} {}",
                styled(DIM, format_args!("{name:<10}")),
                clean(&value)
            ))?;
        }
    }
    let text = match article.text.as_str() {
        "" => article.summary.as_deref().unwrap_or_default(),
        text => text,
    };
    if !text.is_empty() {
        output::line("")?;
        output::line(clean_block(text.trim_end()))?;
    }
    for link in &article.related {
        output::line("")?;
        output::line(format_args!("Related: {}", clean(&link.title)))?;
        output::line(format_args!("         {}", clean(&link.url)))?;
    }
    Ok(())
}

fn facts(article: &Article) -> Vec<(&'static str, String)> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let differs = |url: &Option<String>| match url {
        Some(_) if *url != article.url => text(url),
        _ => String::new(),
    };
    let mut facts = vec![
        ("id", article.id.to_string()),
        ("url", text(&article.url)),
        ("final url", differs(&article.final_url)),
        ("canonical", differs(&article.canonical_url)),
        ("published", published(article)),
        (
            "first seen",
            article.first_seen.map(output::moment).unwrap_or_default(),
        ),
        ("authors", article.authors.join(", ")),
        ("language", text(&article.language)),
        ("tags", article.tags.join(", ")),
        ("feeds", article.feed_urls.join(" ")),
    ];
    facts.push(("page", page(article)));
    for media in &article.enclosures {
        facts.push(("enclosure", media.url.clone()));
    }
    for image in &article.images {
        let words = [image.caption.as_deref(), image.credit.as_deref()];
        let words: Vec<&str> = words.into_iter().flatten().collect();
        facts.push((
            "image",
            format!("{}  {}", image.url, words.join(" / "))
                .trim_end()
                .to_owned(),
        ));
    }
    facts
}

fn published(article: &Article) -> String {
    match (&article.published, &article.published_from) {
        (Some(published), Some(from)) => format!("{published} (from {from})"),
        (Some(published), None) => published.clone(),
        _ => String::new(),
    }
}

fn page(article: &Article) -> String {
    let state = article.page_state.name();
    match &article.page_failure {
        Some(failure) => format!("{state}: {failure}"),
        None => format!("{state}, {} words", output::grouped(article.word_count)),
    }
}

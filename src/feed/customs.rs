//! Feeds that no page names, but that its markup gives away, or that are where feeds are by
//! custom.

use url::Url;

use super::FeedLink;
use super::platforms::{link, segments};
use super::references::decode_html;
use super::text::cut;
use super::tokens::{Token, Tokens};

/// How much of a page is looked at, in bytes.
const MAX_PAGE_BYTES: usize = 2 << 20;

/// The feeds that a page's markup gives away although it names none: by the number of its
/// channel (YouTube, SoundCloud).
///
/// The first 2 MiB of a page count.
#[must_use]
pub fn feeds_by_markup(html: &str, page: &Url) -> Vec<FeedLink> {
    let html = cut(html, MAX_PAGE_BYTES);
    let host = page.host_str().unwrap_or("").trim_start_matches("www.");
    let address = match host {
        "youtube.com" | "m.youtube.com" => channel_of(html)
            .map(|id| format!("https://www.youtube.com/feeds/videos.xml?channel_id={id}")),
        "soundcloud.com" | "m.soundcloud.com" => after(html, "soundcloud://users:", is_digit)
            .or_else(|| after(html, "soundcloud:users:", is_digit))
            .map(|id| {
                format!("https://feeds.soundcloud.com/users/soundcloud:users:{id}/sounds.rss")
            }),
        _ => None,
    };
    let url = address.and_then(|address| Url::parse(&address).ok());
    url.and_then(link).into_iter().collect()
}

/// The channel of a YouTube page: `UC` and 22 characters.
fn channel_of(html: &str) -> Option<&str> {
    let is_id = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    [
        "youtube.com/channel/",
        "\"externalId\":\"",
        "\"channelId\":\"",
        "channel_id=",
        "<meta itemprop=\"identifier\" content=\"",
        "<meta itemprop=\"channelId\" content=\"",
    ]
    .iter()
    .filter_map(|mark| after(html, mark, is_id))
    .find(|id| id.len() == 24 && id.starts_with("UC"))
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// The run of bytes of a kind behind the first place of `mark`.
fn after<'a>(text: &'a str, mark: &str, is_kind: impl Fn(u8) -> bool) -> Option<&'a str> {
    let rest = &text[text.find(mark)? + mark.len()..];
    let end = rest.bytes().position(|b| !is_kind(b)).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

/// What a page's `<meta name=generator>` says, in lower case.
fn generator(html: &str) -> Option<String> {
    Tokens::new(html).find_map(|token| {
        let Token::Start(tag) = token else {
            return None;
        };
        let is_generator = tag.name.eq_ignore_ascii_case("meta")
            && tag
                .attribute("name")
                .is_some_and(|name| name.trim().eq_ignore_ascii_case("generator"));
        let content = tag.attribute("content").filter(|_| is_generator)?;
        Some(decode_html(content).to_lowercase())
    })
}

/// Where programs put the feed of a site.
fn path_of_generator(name: &str) -> Option<&'static str> {
    const PATHS: &[(&str, &str)] = &[
        ("wordpress", "/feed/"),
        ("ghost", "/rss/"),
        ("hugo", "/index.xml"),
        ("jekyll", "/feed.xml"),
        ("drupal", "/rss.xml"),
        ("blogger", "/feeds/posts/default"),
        ("squarespace", "/?format=rss"),
        ("wix.com", "/blog-feed.xml"),
        ("typo3", "/rss.xml"),
        ("movable type", "/atom.xml"),
        ("typepad", "/atom.xml"),
        ("hexo", "/atom.xml"),
        ("pelican", "/feeds/all.atom.xml"),
        ("gatsby", "/rss.xml"),
        ("eleventy", "/feed.xml"),
        ("discourse", "/latest.rss"),
        ("substack", "/feed"),
    ];
    let found = PATHS.iter().find(|(program, _)| name.contains(program));
    found.map(|(_, path)| *path)
}

/// Where feeds are by custom, likeliest first: where the program that made the page puts
/// them (`generator`), beside the page, and at the root of its site. At most 9 guesses, to be
/// asked one after the other until one answers with a feed.
#[must_use]
pub fn usual_feeds(html: &str, page: &Url) -> Vec<FeedLink> {
    const AT_ROOT: &[&str] = &[
        "/feed/",
        "/rss.xml",
        "/feed.xml",
        "/atom.xml",
        "/rss",
        "/index.xml",
        "/feed.json",
    ];
    let by_generator = generator(cut(html, MAX_PAGE_BYTES))
        .and_then(|name| path_of_generator(&name))
        .map(str::to_owned);
    let at_root = AT_ROOT.iter().map(|path| (*path).to_owned());
    let paths = by_generator.into_iter().chain(beside(page)).chain(at_root);
    let mut links: Vec<FeedLink> = Vec::new();
    for found in paths.filter_map(|path| link(page.join(&path).ok()?)) {
        if !links.contains(&found) {
            links.push(found);
        }
    }
    links
}

/// The feed beside a page: `/@name` is an account on Mastodon and its kin, `/c/` and `/u/`
/// are Lemmy's; WordPress, among others, has one for every folder.
fn beside(page: &Url) -> Option<String> {
    Some(match segments(page).as_slice() {
        [] => return None,
        [name] | [name, "with_replies" | "media"]
            if name.len() > 1 && name.starts_with('@') && !name[1..].contains('@') =>
        {
            format!("/{name}.rss")
        }
        ["tags", tag] => format!("/tags/{tag}.rss"),
        [kind @ ("c" | "u"), name] => format!("/feeds/{kind}/{name}.xml"),
        path => format!("/{}/feed/", path.join("/")),
    })
}

/// Where news sitemaps are by custom, likeliest first.
#[must_use]
pub fn usual_news_sitemaps(page: &Url) -> Vec<Url> {
    const PATHS: &[&str] = &[
        "/news-sitemap.xml",
        "/sitemap-news.xml",
        "/sitemap_news.xml",
        "/sitemaps/news.xml",
    ];
    PATHS
        .iter()
        .filter_map(|path| page.join(path).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gives_its_channel_away() {
        let markup = |html: &str, page: &str| {
            let links = feeds_by_markup(html, &Url::parse(page).unwrap());
            links.into_iter().next().map(|link| link.url)
        };

        assert_eq!(
            markup(
                "<script>{\"channelId\":\"short\",\"externalId\":\"UCabcdefghijklmnopqrstuv\"}</script>",
                "https://www.youtube.com/@someone"
            )
            .as_deref(),
            Some("https://www.youtube.com/feeds/videos.xml?channel_id=UCabcdefghijklmnopqrstuv")
        );
        assert_eq!(
            markup(
                "<meta content='soundcloud://users:123'>",
                "https://soundcloud.com/someone"
            )
            .as_deref(),
            Some("https://feeds.soundcloud.com/users/soundcloud:users:123/sounds.rss")
        );
        assert_eq!(
            markup("soundcloud://users:1", "https://news.example/"),
            None
        );
    }

    #[test]
    fn custom_is_asked_by_program_then_beside_the_page_then_at_the_root() {
        let usual = |html: &str, page: &str| -> Vec<String> {
            let links = usual_feeds(html, &Url::parse(page).unwrap());
            links.into_iter().map(|link| link.url).collect()
        };

        assert_eq!(
            usual(
                "<META NAME=Generator CONTENT='Hugo 0.1'>",
                "https://news.example/world"
            )[..3],
            [
                "https://news.example/index.xml",
                "https://news.example/world/feed/",
                "https://news.example/feed/"
            ]
        );
        assert_eq!(
            usual("", "https://social.example/@someone")[0],
            "https://social.example/@someone.rss"
        );
        assert_eq!(
            usual("", "https://lemmy.example/c/news")[0],
            "https://lemmy.example/feeds/c/news.xml"
        );
        assert!(
            usual(
                "<meta name=generator content=vi>",
                "https://news.example/a/b"
            )
            .len()
                <= 9
        );
    }
}

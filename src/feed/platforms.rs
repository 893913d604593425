//! Feeds that no page names, but that a public rule gives: by the address of a page on a
//! known platform, by what a page's markup says, and by custom.

use url::Url;

use super::FeedLink;
use super::references::decode_html;
use super::text::cut;
use super::tokens::{Token, Tokens};

/// How much of a page is looked at, in bytes.
const MAX_PAGE_BYTES: usize = 2 << 20;

/// The feeds that a platform's own rule gives for a page's address, best first; none where
/// no rule is known. Nobody has been asked: such a feed may be missing or empty.
///
/// Known are YouTube, Reddit, GitHub, GitLab, Codeberg, SourceForge, PyPI, Medium, Substack,
/// WordPress.com, Blogger, Tumblr, LiveJournal, Vimeo, Dailymotion, Bluesky, Stack Exchange,
/// Hacker News, Lobsters, DEV, arXiv, Google News and some smaller ones.
#[must_use]
pub fn feeds_by_rule(page: &Url) -> Vec<FeedLink> {
    let Some(host) = page.host_str() else {
        return Vec::new();
    };
    let path = segments(page);
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let bare = ["www.", "m.", "mobile.", "old.", "new."]
        .iter()
        .find_map(|prefix| host.strip_prefix(prefix))
        .unwrap_or(&host);
    let at = Place {
        page,
        host: bare,
        path: &path,
    };
    let found = at.by_host().or_else(|| at.by_domain()).unwrap_or_default();
    found
        .into_iter()
        .filter_map(|address| link(Url::parse(&address).ok()?))
        .collect()
}

fn segments(page: &Url) -> Vec<&str> {
    page.path_segments()
        .map(|parts| parts.filter(|part| !part.is_empty()).collect())
        .unwrap_or_default()
}

/// Where a page is.
struct Place<'a> {
    page: &'a Url,
    /// Without `www.` and the like.
    host: &'a str,
    path: &'a [&'a str],
}

impl Place<'_> {
    /// Platforms at one address; `None` for any other host.
    fn by_host(&self) -> Option<Vec<String>> {
        let (path, host) = (self.path, self.host);
        Some(match host {
            "youtube.com" | "music.youtube.com" => self.youtube(),
            "reddit.com" => self.reddit(),
            "github.com" => github(path),
            "gitlab.com" => match path {
                [owner, project, ..] => vec![
                    format!("https://{host}/{owner}/{project}/-/releases.atom"),
                    format!("https://{host}/{owner}/{project}/-/tags?format=atom"),
                    format!("https://{host}/{owner}/{project}.atom"),
                ],
                [owner] => vec![format!("https://{host}/{owner}.atom")],
                [] => Vec::new(),
            },
            "codeberg.org" | "gitea.com" => match path {
                [owner, project, ..] => vec![
                    format!("https://{host}/{owner}/{project}/releases.rss"),
                    format!("https://{host}/{owner}/{project}.rss"),
                ],
                [owner] => vec![format!("https://{host}/{owner}.rss")],
                [] => Vec::new(),
            },
            "sourceforge.net" => match path {
                ["projects", project, ..] | ["p", project, ..] => {
                    vec![format!("https://{host}/projects/{project}/rss?path=/")]
                }
                _ => Vec::new(),
            },
            "medium.com" => match path {
                ["tag", tag, ..] => vec![format!("https://{host}/feed/tag/{tag}")],
                ["feed", ..] | [] => Vec::new(),
                [name, ..] => vec![format!("https://{host}/feed/{name}")],
            },
            "tumblr.com" => match path {
                ["blog", "view", name, ..] | ["blog", name, ..] => {
                    vec![format!("https://{name}.tumblr.com/rss")]
                }
                [
                    "explore" | "tagged" | "dashboard" | "search" | "about" | "login",
                    ..,
                ]
                | [] => Vec::new(),
                [name, ..] => vec![format!("https://{name}.tumblr.com/rss")],
            },
            "vimeo.com" => match path {
                [kind @ ("channels" | "groups"), name, ..] => {
                    vec![format!("https://{host}/{kind}/{name}/videos/rss")]
                }
                [name, ..] if !name.bytes().all(|b| b.is_ascii_digit()) => {
                    vec![format!("https://{host}/{name}/videos/rss")]
                }
                _ => Vec::new(),
            },
            "dailymotion.com" => match path {
                ["video" | "playlist" | "search", ..] | [] => Vec::new(),
                ["user", name, ..] | [name, ..] => {
                    vec![format!("https://www.{host}/rss/user/{name}")]
                }
            },
            "bsky.app" => match path {
                ["profile", name, ..] => vec![format!("https://{host}/profile/{name}/rss")],
                _ => Vec::new(),
            },
            "news.ycombinator.com" => vec![format!("https://{host}/rss")],
            "lobste.rs" => match path {
                ["t", tag, ..] => vec![format!("https://{host}/t/{tag}.rss")],
                _ => vec![format!("https://{host}/rss")],
            },
            "dev.to" => match path {
                ["t", tag, ..] => vec![format!("https://{host}/feed/tag/{tag}")],
                [] => vec![format!("https://{host}/feed")],
                [name, ..] => vec![format!("https://{host}/feed/{name}")],
            },
            "arxiv.org" => match path {
                ["list", topic, ..] => vec![format!("https://rss.arxiv.org/rss/{topic}")],
                _ => Vec::new(),
            },
            "pypi.org" => match path {
                ["project", name, ..] => {
                    vec![format!("https://{host}/rss/project/{name}/releases.xml")]
                }
                _ => Vec::new(),
            },
            "news.google.com" => match path {
                ["topics" | "search" | "publications", ..] => {
                    let query = self.page.query().map(|query| format!("?{query}"));
                    vec![format!(
                        "https://{host}/rss/{}{}",
                        path.join("/"),
                        query.unwrap_or_default()
                    )]
                }
                [] | ["home"] => vec![format!("https://{host}/rss")],
                _ => Vec::new(),
            },
            _ => return self.stack_exchange(),
        })
    }

    /// Platforms that give each author a domain.
    fn by_domain(&self) -> Option<Vec<String>> {
        const DOMAINS: &[(&str, &str)] = &[
            (".substack.com", "/feed"),
            (".wordpress.com", "/feed/"),
            (".tumblr.com", "/rss"),
            (".medium.com", "/feed"),
            (".livejournal.com", "/data/rss"),
            (".dreamwidth.org", "/data/rss"),
            (".ghost.io", "/rss/"),
            (".bearblog.dev", "/feed/"),
            (".hashnode.dev", "/rss.xml"),
            (".buttondown.email", "/rss"),
            (".itch.io", "/devlog.rss"),
        ];
        let found = DOMAINS.iter().find(|(end, _)| self.host.ends_with(end));
        if let Some((_, path)) = found {
            return Some(vec![format!("https://{}{path}", self.host)]);
        }
        // Blogger has a domain in each country: `x.blogspot.de`, `x.blogspot.co.uk`.
        let labels: Vec<&str> = self.host.rsplit('.').collect();
        let is_blogger = matches!(
            labels.as_slice(),
            [_, "blogspot", _, ..] | [_, "co" | "com", "blogspot", _, ..]
        );
        is_blogger.then(|| vec![format!("https://{}/feeds/posts/default", self.host)])
    }

    fn youtube(&self) -> Vec<String> {
        let by = |key: &str, value: &str| {
            vec![format!(
                "https://www.youtube.com/feeds/videos.xml?{key}={value}"
            )]
        };
        let list = self.page.query_pairs().find(|(key, _)| key == "list");
        match (self.path, list) {
            (["channel", id, ..], _) => by("channel_id", id),
            (["user", name, ..], _) => by("user", name),
            (["playlist" | "watch", ..], Some((_, list))) if is_name(&list) => {
                by("playlist_id", &list)
            }
            _ => Vec::new(),
        }
    }

    fn reddit(&self) -> Vec<String> {
        let address = |path: String| vec![format!("https://www.reddit.com/{path}")];
        match self.path {
            [] => address(".rss".to_owned()),
            ["r", name, "comments", id, ..] => address(format!("r/{name}/comments/{id}/.rss")),
            [
                "r",
                name,
                order @ ("new" | "top" | "rising" | "controversial"),
                ..,
            ] => address(format!("r/{name}/{order}/.rss")),
            ["r", name, ..] => address(format!("r/{name}/.rss")),
            ["user" | "u", name, "m", multi, ..] => address(format!("user/{name}/m/{multi}/.rss")),
            ["user" | "u", name, ..] => address(format!("user/{name}/.rss")),
            _ => Vec::new(),
        }
    }

    fn stack_exchange(&self) -> Option<Vec<String>> {
        const SITES: &[&str] = &[
            "stackoverflow.com",
            "superuser.com",
            "serverfault.com",
            "askubuntu.com",
            "mathoverflow.net",
            "stackapps.com",
        ];
        let host = self.host;
        if !SITES.contains(&host) && !host.ends_with(".stackexchange.com") {
            return None;
        }
        Some(vec![match self.path {
            ["questions", "tagged", tag, ..] => format!("https://{host}/feeds/tag/{tag}"),
            ["questions", id, ..] if is_number(id) => format!("https://{host}/feeds/question/{id}"),
            ["users", id, ..] if is_number(id) => format!("https://{host}/feeds/user/{id}"),
            _ => format!("https://{host}/feeds"),
        }])
    }
}

fn github(path: &[&str]) -> Vec<String> {
    let root = "https://github.com";
    match path {
        []
        | [
            "about" | "features" | "topics" | "explore" | "trending" | "search" | "login",
            ..,
        ] => Vec::new(),
        [owner] => vec![format!("{root}/{owner}.atom")],
        ["orgs" | "users", owner, ..] => vec![format!("{root}/{owner}.atom")],
        [owner, project, "commits" | "tree", branch, ..] => {
            vec![format!("{root}/{owner}/{project}/commits/{branch}.atom")]
        }
        [owner, project, "tags", ..] => vec![format!("{root}/{owner}/{project}/tags.atom")],
        [owner, project, "commits"] => vec![format!("{root}/{owner}/{project}/commits.atom")],
        [owner, project, "discussions", ..] => {
            vec![format!("{root}/{owner}/{project}/discussions.atom")]
        }
        [owner, project, "wiki", ..] => vec![format!("{root}/{owner}/{project}/wiki.atom")],
        [owner, project, ..] => ["releases", "tags", "commits"]
            .iter()
            .map(|kind| format!("{root}/{owner}/{project}/{kind}.atom"))
            .collect(),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text is an identifier that may stand in an address as it is.
fn is_name(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=128).contains(&text.len()) && text.bytes().all(is_plain)
}

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

fn link(mut url: Url) -> Option<FeedLink> {
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    url.set_fragment(None);
    Some(FeedLink {
        url: url.into(),
        title: None,
        media_type: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(page: &str) -> Vec<String> {
        let links = feeds_by_rule(&Url::parse(page).unwrap());
        links.into_iter().map(|link| link.url).collect()
    }

    #[test]
    fn platforms_give_their_feeds_by_rule() {
        for (page, feed) in [
            (
                "https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv/videos",
                "https://www.youtube.com/feeds/videos.xml?channel_id=UCabcdefghijklmnopqrstuv",
            ),
            (
                "https://m.youtube.com/playlist?list=PLabc-12_3",
                "https://www.youtube.com/feeds/videos.xml?playlist_id=PLabc-12_3",
            ),
            (
                "https://old.reddit.com/r/news/new/",
                "https://www.reddit.com/r/news/new/.rss",
            ),
            (
                "https://www.reddit.com/u/someone",
                "https://www.reddit.com/user/someone/.rss",
            ),
            ("https://github.com/owner", "https://github.com/owner.atom"),
            (
                "https://github.com/owner/project/tree/main/src",
                "https://github.com/owner/project/commits/main.atom",
            ),
            (
                "https://medium.com/@someone/a-story-1",
                "https://medium.com/feed/@someone",
            ),
            (
                "https://someone.substack.com/p/a-letter",
                "https://someone.substack.com/feed",
            ),
            (
                "https://someone.wordpress.com/about",
                "https://someone.wordpress.com/feed/",
            ),
            (
                "http://someone.blogspot.co.uk/2020",
                "https://someone.blogspot.co.uk/feeds/posts/default",
            ),
            (
                "https://www.tumblr.com/someone",
                "https://someone.tumblr.com/rss",
            ),
            (
                "https://vimeo.com/someone",
                "https://vimeo.com/someone/videos/rss",
            ),
            (
                "https://bsky.app/profile/a.example",
                "https://bsky.app/profile/a.example/rss",
            ),
            (
                "https://stackoverflow.com/questions/tagged/rust",
                "https://stackoverflow.com/feeds/tag/rust",
            ),
            (
                "https://news.google.com/search?q=rust&hl=en",
                "https://news.google.com/rss/search?q=rust&hl=en",
            ),
        ] {
            assert_eq!(rule(page).first().map(String::as_str), Some(feed), "{page}");
        }
        assert_eq!(rule("https://github.com/owner/project").len(), 3);
    }

    #[test]
    fn other_pages_have_no_rule() {
        for page in [
            "https://news.example/",
            "https://news.example/c/news/2025",
            "https://notsubstack.com/p/x",
            "https://blogspot.news.example/",
            "https://vimeo.com/123456",
            "https://www.youtube.com/watch?v=abc",
            "https://www.youtube.com/playlist?list=a%26b",
            "mailto:a@news.example",
        ] {
            assert_eq!(rule(page), <[String; 0]>::default(), "{page}");
        }
    }

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

//! Feeds that no page names, but that the public rule of a platform gives for an address.

use url::Url;

use super::FeedLink;

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

pub(super) fn segments(page: &Url) -> Vec<&str> {
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
        self.code()
            .or_else(|| self.pictures())
            .or_else(|| self.words())
            .or_else(|| self.stack_exchange())
    }

    /// Where programs are made.
    fn code(&self) -> Option<Vec<String>> {
        let (path, host) = (self.path, self.host);
        Some(match host {
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
            "pypi.org" => match path {
                ["project", name, ..] => {
                    vec![format!("https://{host}/rss/project/{name}/releases.xml")]
                }
                _ => Vec::new(),
            },
            _ => return None,
        })
    }

    /// Where films are shown.
    fn pictures(&self) -> Option<Vec<String>> {
        let (path, host) = (self.path, self.host);
        Some(match host {
            "youtube.com" | "music.youtube.com" => self.youtube(),
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
            _ => return None,
        })
    }

    /// Where people write.
    fn words(&self) -> Option<Vec<String>> {
        let (path, host) = (self.path, self.host);
        Some(match host {
            "reddit.com" => self.reddit(),
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
            _ => return None,
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

pub(super) fn link(mut url: Url) -> Option<FeedLink> {
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
}

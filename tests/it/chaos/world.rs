//! A small web on loopback: many hosts, feeds that gain entries as time goes by, a page for
//! each entry, and a log of every request.
//!
//! What a path answers is computed, not stored: feed `F` of the web has entries `0..n`, where
//! `n` grows with time, and entry `K` of feed `F` is a story of its own, or one that another
//! feed announces as well, behind a redirect or not. Every address `127.x.y.z` is a host of
//! its own to those who are polite.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::room::page;
use crate::support::site::{Request, read_request};

/// How large the web is, and how it behaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) n_hosts: usize,
    pub(super) n_feeds: usize,
    /// A feed gains an entry after this time or up to twice as long.
    pub(super) news_every: Duration,
    /// An answer takes up to so long; one in 50 takes ten times as long.
    pub(super) slowness: Duration,
}

/// One request, as the server saw it.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) host: Ipv4Addr,
    pub(super) path: String,
    /// When its head had been read.
    pub(super) from: Instant,
    /// When its answer had been written, or its client had gone.
    pub(super) to: Instant,
    /// The feed whose document it got.
    pub(super) feed: Option<usize>,
}

/// A web that answers. Dropping it closes all connections.
pub(super) struct World {
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    size: Size,
    hosts: Vec<SocketAddr>,
    began: Instant,
    /// No entry is published later.
    ended: Mutex<Option<Instant>>,
    visits: Mutex<Vec<Visit>>,
}

impl World {
    pub(super) async fn start(size: Size) -> Self {
        let mut listeners = Vec::new();
        for n in 0..size.n_hosts {
            let address = Ipv4Addr::new(127, 1, (n / 250) as u8, (n % 250 + 1) as u8);
            listeners.push(TcpListener::bind((address, 0)).await.unwrap());
        }
        let hosts = listeners.iter().map(|l| l.local_addr().unwrap()).collect();
        let shared = Arc::new(Shared {
            size,
            hosts,
            began: Instant::now(),
            ended: Mutex::default(),
            visits: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        for (n, listener) in listeners.into_iter().enumerate() {
            tasks.spawn(accept(listener, n, Arc::clone(&shared)));
        }
        Self {
            shared,
            _tasks: tasks,
        }
    }

    /// The URLs of all feeds, in the order of their numbers.
    pub(super) fn feeds(&self) -> Vec<String> {
        let feeds = 0..self.shared.size.n_feeds;
        feeds
            .map(|feed| {
                self.shared
                    .url(self.shared.home(feed), &format!("/feed/{feed}"))
            })
            .collect()
    }

    /// From now on there is no news.
    pub(super) fn stop_the_news(&self) {
        let mut ended = lock(&self.shared.ended);
        ended.get_or_insert_with(Instant::now);
    }

    /// All stories that were ever announced, each once, sorted.
    pub(super) fn stories(&self) -> Vec<Story> {
        let shared = &self.shared;
        let mut stories: Vec<Story> = (0..shared.size.n_feeds)
            .flat_map(|feed| (0..shared.n_entries(feed)).map(move |entry| Story { feed, entry }))
            .map(|story| shared.told_by(story))
            .collect();
        stories.sort_unstable();
        stories.dedup();
        stories
    }

    /// All requests so far, in the order in which they ended.
    pub(super) fn visits(&self) -> Vec<Visit> {
        lock(&self.shared.visits).clone()
    }
}

/// What one page tells: entry `entry` of feed `feed`, which announced it first by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Story {
    pub(super) feed: usize,
    pub(super) entry: usize,
}

impl Story {
    /// The last part of the URLs of its page.
    pub(super) fn name(self) -> String {
        format!("{}-{}", self.feed, self.entry)
    }

    /// The title of its page, by which it is known in the archive.
    pub(super) fn title(self) -> String {
        format!("Story {}", self.name())
    }

    fn parse(text: &str) -> Option<Self> {
        let (feed, entry) = text.split_once('-')?;
        Some(Self {
            feed: feed.parse().ok()?,
            entry: entry.parse().ok()?,
        })
    }
}

/// How a feed tells a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    /// Its page is on the feed's own host.
    Here,
    /// Its page is on another host.
    Elsewhere,
    /// A link that leads on to the page, on the same host.
    RedirectHere,
    /// A link that leads on to another host.
    RedirectElsewhere,
    /// The story of the feed before.
    Shared,
}

impl Shared {
    /// The host of a feed.
    fn home(&self, feed: usize) -> usize {
        feed % self.hosts.len()
    }

    /// Another host, always the same for the same story.
    fn elsewhere(&self, story: Story) -> usize {
        let steps = 1 + chance(&[story.feed, story.entry, 1], self.hosts.len() - 1);
        (self.home(story.feed) + steps) % self.hosts.len()
    }

    fn telling(story: Story) -> Telling {
        let is_odd = story.feed % 2 == 1;
        match chance(&[story.feed, story.entry, 2], 20) {
            0..=1 if is_odd => Telling::Shared,
            0..=3 => Telling::Elsewhere,
            4 => Telling::RedirectHere,
            5..=6 => Telling::RedirectElsewhere,
            _ => Telling::Here,
        }
    }

    /// The story that an entry tells: its own, or that of the feed before.
    fn told_by(&self, story: Story) -> Story {
        match Self::telling(story) {
            Telling::Shared => Story {
                feed: story.feed - 1,
                ..story
            },
            _ => story,
        }
    }

    /// Where an entry's link leads.
    fn link(&self, story: Story) -> String {
        let Story { feed, entry } = story;
        let home = self.home(feed);
        match Self::telling(story) {
            Telling::Here => self.url(home, &format!("/story/{feed}-{entry}")),
            Telling::Elsewhere => {
                self.url(self.elsewhere(story), &format!("/story/{feed}-{entry}"))
            }
            Telling::RedirectHere | Telling::RedirectElsewhere => {
                self.url(home, &format!("/go/{feed}-{entry}"))
            }
            // Another spelling of the same link.
            Telling::Shared => {
                let link = self.link(self.told_by(story));
                format!("{link}?utm_source=feed{feed}")
            }
        }
    }

    /// How many entries a feed has by now: one at first, then one more after each of its periods.
    fn n_entries(&self, feed: usize) -> usize {
        let ended = *lock(&self.ended);
        let age = ended.unwrap_or_else(Instant::now) - self.began;
        let shortest = self.size.news_every;
        let period = shortest + shortest * chance(&[feed, 3], 100) as u32 / 100;
        1 + (age.as_millis() / period.as_millis()) as usize
    }

    fn url(&self, host: usize, path: &str) -> String {
        format!("http://{}{path}", self.hosts[host])
    }

    /// One feed in ten is at another host than its URL says.
    fn feed_is_elsewhere(feed: usize) -> bool {
        chance(&[feed, 4], 10) == 0
    }

    fn answer(&self, host: usize, request: &Request) -> Answer {
        let bare = request.path.split('?').next().unwrap_or_default();
        let place = bare.trim_start_matches('/').split_once('/');
        let story = place.and_then(|(_, name)| Story::parse(name));
        match (place, story) {
            (Some(("feed", name)), _) => {
                let Ok(feed) = name.parse() else {
                    return Answer::none();
                };
                if !Self::feed_is_elsewhere(feed) {
                    return self.document(feed, request);
                }
                let there = self.elsewhere(Story { feed, entry: 0 });
                Answer::redirect(&self.url(there, &format!("/document/{feed}")))
            }
            (Some(("document", name)), _) => match name.parse() {
                Ok(feed) => self.document(feed, request),
                Err(_) => Answer::none(),
            },
            (Some(("go", name)), Some(story)) => {
                let there = match Self::telling(story) {
                    Telling::RedirectElsewhere => self.elsewhere(story),
                    _ => host,
                };
                Answer::redirect(&self.url(there, &format!("/story/{name}")))
            }
            (Some(("story", name)), Some(story)) => {
                let matter = format!("matter {name} of a small town");
                Answer::new("200 OK", "text/html", page(&story.title(), &matter))
            }
            _ => Answer::none(),
        }
    }

    fn document(&self, feed: usize, request: &Request) -> Answer {
        let n_entries = self.n_entries(feed);
        let tag = format!("\"{feed}.{n_entries}\"");
        if request.header("if-none-match") == Some(&tag) {
            return Answer {
                tag: Some(tag),
                feed: Some(feed),
                ..Answer::new("304 Not Modified", "", String::new())
            };
        }
        let mut items = String::new();
        for entry in (0..n_entries).rev() {
            let link = self.link(Story { feed, entry });
            let _ = write!(
                items,
                "<item><title>Entry {feed}-{entry}</title><link>{link}</link>\
                 <guid isPermaLink=\"false\">{feed}-{entry}</guid></item>"
            );
        }
        let document = format!(
            "<rss version=\"2.0\"><channel><title>Feed {feed}</title>\
             <link>http://example.org/</link><description>News</description>{items}</channel></rss>"
        );
        Answer {
            tag: Some(tag),
            feed: Some(feed),
            ..Answer::new("200 OK", "application/rss+xml", document)
        }
    }

    fn delay(&self, path: &str, n_visits: usize) -> Duration {
        let chance = chance(&[path.len(), n_visits], 1000) as u32;
        let delay = self.size.slowness * chance / 1000;
        if n_visits % 50 == 7 {
            delay * 10
        } else {
            delay
        }
    }
}

struct Answer {
    status: &'static str,
    media_type: &'static str,
    body: String,
    tag: Option<String>,
    location: Option<String>,
    feed: Option<usize>,
}

impl Answer {
    fn new(status: &'static str, media_type: &'static str, body: String) -> Self {
        Self {
            status,
            media_type,
            body,
            tag: None,
            location: None,
            feed: None,
        }
    }

    /// Also the answer for robots.txt: everything is allowed.
    fn none() -> Self {
        Self::new("404 Not Found", "text/plain", "nothing here".into())
    }

    fn redirect(to: &str) -> Self {
        Self {
            location: Some(to.to_owned()),
            ..Self::new("302 Found", "text/plain", String::new())
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {}\r\n", self.status);
        for (name, value) in [("ETag", &self.tag), ("Location", &self.location)] {
            if let Some(value) = value {
                let _ = write!(head, "{name}: {value}\r\n");
            }
        }
        if !self.media_type.is_empty() {
            let _ = write!(
                head,
                "Content-Type: {}; charset=utf-8\r\nContent-Length: {}\r\n",
                self.media_type,
                self.body.len()
            );
        }
        format!("{head}\r\n{}", self.body).into_bytes()
    }
}

async fn accept(listener: TcpListener, host: usize, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // A client that is killed in the middle is what this is about.
            let _ = converse(stream, host, &shared).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(mut stream: TcpStream, host: usize, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await? {
        let from = Instant::now();
        let answer = shared.answer(host, &request);
        let n_visits = lock(&shared.visits).len();
        tokio::time::sleep(shared.delay(&request.path, n_visits)).await;
        let written = stream.write_all(&answer.bytes()).await;
        let SocketAddr::V4(address) = shared.hosts[host] else {
            unreachable!("all hosts are 127.x.y.z");
        };
        lock(&shared.visits).push(Visit {
            host: *address.ip(),
            path: request.path,
            from,
            to: Instant::now(),
            feed: answer.feed,
        });
        written?;
    }
    Ok(())
}

/// A number below `n` that looks like chance and is always the same for the same words.
pub(super) fn chance(words: &[usize], n: usize) -> usize {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for word in words {
        state = (state ^ *word as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state ^= state >> 29;
        state = state.wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 32;
    }
    (state % n as u64) as usize
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

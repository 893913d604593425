//! A real HTTP server that a test scripts: what it answers at which path, and what it was asked.
//!
//! HTTP/1.1 by hand, because half of what it has to do is forbidden: bodies that end too
//! early, drip, or never end. It serves as a proxy as well, for requests whose target is a
//! whole URL.

#![allow(dead_code, reason = "each test uses the part that it needs")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A running server. Dropping it closes all its connections.
#[derive(Debug)]
pub(crate) struct Site {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    _tasks: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Script {
    replies: HashMap<String, Vec<Reply>>,
    requests: Vec<Request>,
    n_connections: usize,
    n_now: usize,
    n_at_once: usize,
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The target as sent: a path with its query, or a whole URL when we are a proxy.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) at: Instant,
}

impl Request {
    /// The first header of that name, in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl Site {
    /// A site without pages on a free port of 127.0.0.1: everything is 404.
    pub(crate) async fn start() -> Self {
        Self::start_on("127.0.0.1").await
    }

    /// The same on another loopback address, for instance `127.0.0.2`, which is another host.
    pub(crate) async fn start_on(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&script)));
        Self {
            address,
            script,
            _tasks: tasks,
        }
    }

    /// The URL of a path of this site.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The port, for URLs with another spelling of the host.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Answers `path` so from now on. A path is `/a?b=c`, or `http://host/a` for a proxy.
    /// A request whose query is not served gets what its path gets.
    pub(crate) fn serve(&self, path: &str, reply: Reply) {
        self.serve_in_turn(path, vec![reply]);
    }

    /// Answers `path` with one after the other; the last one stays.
    pub(crate) fn serve_in_turn(&self, path: &str, mut replies: Vec<Reply>) {
        replies.reverse();
        self.script().replies.insert(key(path), replies);
    }

    /// All requests so far, in the order in which they came.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.script().requests.clone()
    }

    /// The requests for one path or URL.
    pub(crate) fn requests_for(&self, path: &str) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| key(&request.path) == key(path));
        requests
    }

    /// The latest request. Panics when there was none.
    pub(crate) fn last_request(&self) -> Request {
        self.requests().pop().expect("a request came")
    }

    /// Forgets the requests so far.
    pub(crate) fn forget_requests(&self) {
        self.script().requests.clear();
    }

    /// How many TCP connections were ever made to it.
    pub(crate) fn n_connections(&self) -> usize {
        self.script().n_connections
    }

    /// The most requests that were ever in work at the same time.
    pub(crate) fn n_at_once(&self) -> usize {
        self.script().n_at_once
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.script)
    }
}

/// What is answered to one request.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delivery: Delivery,
    delay: Duration,
    drip: Option<(usize, Duration)>,
    ignores_conditions: bool,
}

/// How the body travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    /// With `Content-Length`.
    Length,
    /// In chunks.
    Chunked,
    /// Until the connection closes.
    UntilClose,
    /// With a `Content-Length` that is not reached: closed after so many bytes.
    Truncated(usize),
    /// The body again and again, without end.
    Endless,
    /// `body` is all that is written: head and all, or nothing.
    Raw,
}

impl Reply {
    /// 200 with that type and body.
    pub(crate) fn new(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: vec![("Content-Type".into(), content_type.into())],
            body: body.into(),
            delivery: Delivery::Length,
            delay: Duration::ZERO,
            drip: None,
            ignores_conditions: false,
        }
    }

    /// An HTML page.
    pub(crate) fn html(text: &str) -> Self {
        Self::new("text/html; charset=utf-8", text)
    }

    /// Plain text, for instance a robots.txt.
    pub(crate) fn text(text: &str) -> Self {
        Self::new("text/plain; charset=utf-8", text)
    }

    /// An RSS 2.0 feed.
    pub(crate) fn rss(entries: &[Entry]) -> Self {
        let items: String = entries.iter().map(Entry::item).collect();
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\"><channel>\
             <title>A feed</title><link>http://example.org/</link>\
             <description>News</description>{items}</channel></rss>"
        );
        Self::new("application/rss+xml; charset=utf-8", text)
    }

    /// An Atom feed.
    pub(crate) fn atom(entries: &[Entry]) -> Self {
        let entries: String = entries.iter().map(Entry::entry).collect();
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <feed xmlns=\"http://www.w3.org/2005/Atom\"><title>A feed</title>\
             <id>urn:feed</id><updated>2026-11-23T10:00:00Z</updated>{entries}</feed>"
        );
        Self::new("application/atom+xml; charset=utf-8", text)
    }

    /// A redirect to `to`, written into `Location` as it is.
    pub(crate) fn redirect(status: u16, to: &str) -> Self {
        Self::text("").status(status).header("Location", to)
    }

    /// Exactly these bytes, then the connection is closed.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            delivery: Delivery::Raw,
            ..Self::new("", bytes)
        }
    }

    /// The connection is closed without an answer.
    pub(crate) fn hang_up() -> Self {
        Self::raw("")
    }

    /// Another status.
    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// One more header; a `Content-Type` replaces the one there.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        if name.eq_ignore_ascii_case("content-type") {
            self = self.without_header(name);
        }
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Without a header, for instance without a type.
    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self
    }

    /// With an entity tag, quotes included.
    pub(crate) fn etag(self, tag: &str) -> Self {
        self.header("ETag", tag)
    }

    /// With a date of last change.
    pub(crate) fn last_modified(self, date: &str) -> Self {
        self.header("Last-Modified", date)
    }

    /// Always the body, even when the request's conditions match.
    pub(crate) fn ignoring_conditions(self) -> Self {
        Self {
            ignores_conditions: true,
            ..self
        }
    }

    /// Another body.
    pub(crate) fn body(self, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            body: bytes.into(),
            ..self
        }
    }

    /// The body in gzip (stored, not compressed, which is gzip all the same).
    pub(crate) fn gzip(self) -> Self {
        let body = gzip_stored(&self.body);
        self.header("Content-Encoding", "gzip").body(body)
    }

    /// Answers only after so long.
    pub(crate) fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The body `n_bytes` at a time, with a pause after each.
    pub(crate) fn drip(self, n_bytes: usize, pause: Duration) -> Self {
        Self {
            drip: Some((n_bytes, pause)),
            ..self
        }
    }

    /// Announces the whole length and closes after `n_bytes`.
    pub(crate) fn truncate_at(self, n_bytes: usize) -> Self {
        self.delivered(Delivery::Truncated(n_bytes))
    }

    /// In chunks, without a length.
    pub(crate) fn chunked(self) -> Self {
        self.delivered(Delivery::Chunked)
    }

    /// Without a length: the body ends with the connection.
    pub(crate) fn until_close(self) -> Self {
        self.delivered(Delivery::UntilClose)
    }

    /// The body again and again, until the client has enough.
    pub(crate) fn endless(self) -> Self {
        self.delivered(Delivery::Endless)
    }

    fn delivered(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }

    /// RFC 9110 §13.2.2: the entity tag decides, and the date only without one.
    fn is_unchanged_for(&self, request: &Request) -> bool {
        let own = |name: &str| {
            let mut headers = self.headers.iter();
            headers
                .find(|(n, _)| n.eq_ignore_ascii_case(name))
                .map(|(_, v)| v.as_str())
        };
        let is_held = match request.header("if-none-match") {
            Some(tags) => own("etag").is_some_and(|tag| tags == "*" || tags.contains(tag)),
            None => own("last-modified")
                .is_some_and(|date| request.header("if-modified-since") == Some(date)),
        };
        is_held && self.status == 200 && !self.ignores_conditions
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = match self.delivery {
            Delivery::Length | Delivery::Truncated(_) => {
                write!(head, "Content-Length: {}\r\n", self.body.len())
            }
            Delivery::Chunked => write!(head, "Transfer-Encoding: chunked\r\n"),
            _ => write!(head, "Connection: close\r\n"),
        };
        head + "\r\n"
    }
}

/// One entry of a feed that a [`Reply`] builds.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    title: String,
    link: String,
    id: String,
    published: String,
    pub_date: String,
    summary: String,
}

impl Entry {
    /// With that title and link, the link as its id, published on 23 November 2026.
    pub(crate) fn new(title: &str, link: &str) -> Self {
        Self {
            title: title.into(),
            link: link.into(),
            id: link.into(),
            published: "2026-11-23T10:00:00Z".into(),
            pub_date: "Mon, 23 Nov 2026 10:00:00 GMT".into(),
            summary: String::new(),
        }
    }

    /// With another id.
    pub(crate) fn id(self, id: &str) -> Self {
        Self {
            id: id.into(),
            ..self
        }
    }

    /// Published then; the text is written as it is, whatever the format of the feed.
    pub(crate) fn published(self, date: &str) -> Self {
        Self {
            published: date.into(),
            pub_date: date.into(),
            ..self
        }
    }

    /// With that summary in plain text.
    pub(crate) fn summary(self, text: &str) -> Self {
        Self {
            summary: text.into(),
            ..self
        }
    }

    fn item(&self) -> String {
        format!(
            "<item><title>{}</title><link>{}</link><guid isPermaLink=\"false\">{}</guid>\
             <pubDate>{}</pubDate><description>{}</description></item>",
            escape(&self.title),
            escape(&self.link),
            escape(&self.id),
            escape(&self.pub_date),
            escape(&self.summary),
        )
    }

    fn entry(&self) -> String {
        format!(
            "<entry><title>{}</title><link href=\"{}\"/><id>{}</id><published>{date}</published>\
             <updated>{date}</updated><summary>{}</summary></entry>",
            escape(&self.title),
            escape(&self.link),
            escape(&self.id),
            escape(&self.summary),
            date = escape(&self.published),
        )
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

async fn accept(listener: TcpListener, script: Arc<Mutex<Script>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        lock(&script).n_connections += 1;
        let script = Arc::clone(&script);
        connections.spawn(async move {
            // A client that goes away in the middle is what some tests are about.
            let _ = converse(stream, &script).await;
        });
    }
}

async fn converse(mut stream: TcpStream, script: &Mutex<Script>) -> std::io::Result<()> {
    // Head and body are written one after the other; without this, each answer takes 40 ms.
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await? {
        let reply = {
            let mut script = lock(script);
            script.requests.push(request.clone());
            script.n_now += 1;
            script.n_at_once = script.n_at_once.max(script.n_now);
            script.reply(&request)
        };
        let done = answer(&mut stream, &request, reply).await;
        lock(script).n_now -= 1;
        if done? == After::Close {
            break;
        }
    }
    stream.shutdown().await
}

impl Script {
    fn reply(&mut self, request: &Request) -> Reply {
        let whole = key(&request.path);
        let bare = whole.split('?').next().unwrap_or_default().to_owned();
        let found = [whole, bare]
            .into_iter()
            .find(|k| self.replies.contains_key(k));
        let replies = found.and_then(|key| self.replies.get_mut(&key));
        match replies {
            Some(replies) if replies.len() > 1 => replies.pop().expect("more than one"),
            Some(replies) => replies.first().expect("never empty").clone(),
            None => Reply::text("nothing here").status(404),
        }
    }
}

/// `http://host/a` and `host/a` are one, and so are the spellings of a path.
fn key(path: &str) -> String {
    path.strip_prefix("http://").unwrap_or(path).to_owned()
}

/// The next request; `None` when the client has closed. Bodies are not expected.
pub(crate) async fn read_request(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> std::io::Result<Option<Request>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head: Vec<u8> = buffer.drain(..end + 4).collect();
            return Ok(Some(parse_request(&String::from_utf8_lossy(&head))));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
        // A TLS greeting, which real servers answer so as well.
        if !buffer[0].is_ascii_alphabetic() {
            let refusal = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
            stream.write_all(refusal).await?;
            return Ok(None);
        }
    }
}

fn parse_request(head: &str) -> Request {
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    Request {
        method: words.next().unwrap_or_default().to_owned(),
        path: words.next().unwrap_or_default().to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect(),
        at: Instant::now(),
    }
}

#[derive(PartialEq, Eq)]
enum After {
    Keep,
    Close,
}

async fn answer(stream: &mut TcpStream, request: &Request, reply: Reply) -> std::io::Result<After> {
    tokio::time::sleep(reply.delay).await;
    if reply.delivery == Delivery::Raw {
        stream.write_all(&reply.body).await?;
        return Ok(After::Close);
    }
    if reply.is_unchanged_for(request) {
        let reply = reply.status(304).without_header("content-type").body("");
        stream
            .write_all(reply.delivered(Delivery::Chunked).bare_head().as_bytes())
            .await?;
        return Ok(After::Keep);
    }
    stream.write_all(reply.head().as_bytes()).await?;
    match reply.delivery {
        Delivery::Length => deliver(stream, &reply, &reply.body).await?,
        Delivery::Chunked => {
            for chunk in reply.body.chunks(reply.drip.map_or(8192, |(n, _)| n)) {
                let mut framed = format!("{:x}\r\n", chunk.len()).into_bytes();
                framed.extend_from_slice(chunk);
                framed.extend_from_slice(b"\r\n");
                deliver(stream, &reply, &framed).await?;
            }
            stream.write_all(b"0\r\n\r\n").await?;
        }
        Delivery::UntilClose => deliver(stream, &reply, &reply.body).await?,
        Delivery::Truncated(n_bytes) => {
            let n_bytes = n_bytes.min(reply.body.len());
            deliver(stream, &reply, &reply.body[..n_bytes]).await?;
        }
        Delivery::Endless => loop {
            deliver(stream, &reply, &reply.body).await?;
        },
        Delivery::Raw => {}
    }
    Ok(match reply.delivery {
        Delivery::Length | Delivery::Chunked => After::Keep,
        _ => After::Close,
    })
}

impl Reply {
    /// The head of an answer that has no body by its status.
    fn bare_head(&self) -> String {
        self.head().replace("Transfer-Encoding: chunked\r\n", "")
    }
}

async fn deliver(stream: &mut TcpStream, reply: &Reply, bytes: &[u8]) -> std::io::Result<()> {
    let Some((n_bytes, pause)) = reply.drip else {
        return stream.write_all(bytes).await;
    };
    for piece in bytes.chunks(n_bytes) {
        stream.write_all(piece).await?;
        stream.flush().await?;
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// RFC 1952, with the blocks of RFC 1951 §3.2.4, which are not compressed.
fn gzip_stored(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(0xffff).peekable();
    if blocks.peek().is_none() {
        gzip.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).expect("at most 65,535 bytes");
        gzip.push(u8::from(blocks.peek().is_none()));
        gzip.extend_from_slice(&length.to_le_bytes());
        gzip.extend_from_slice(&(!length).to_le_bytes());
        gzip.extend_from_slice(block);
    }
    gzip.extend_from_slice(&crc32(bytes).to_le_bytes());
    let length = u32::try_from(bytes.len()).expect("test bodies are small");
    gzip.extend_from_slice(&length.to_le_bytes());
    gzip
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

-- Times are Unix milliseconds, UTC; columns ending in _at hold them.
-- Columns that hold lists are JSON arrays. Keys are the first 64 bits of a SHA-256;
-- the text behind a key is compared on every hit.

-- What is polled. Written by list synchronisation and by commands.
CREATE TABLE feed (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  url            TEXT NOT NULL,      -- where it is polled now
  subscribed_url TEXT NOT NULL UNIQUE, -- where it was subscribed
  list_title     TEXT,               -- title by the list or command; NULL: none given
  list_site      TEXT,               -- site by the list or command; NULL: none given
  tags           TEXT NOT NULL DEFAULT '[]', -- by the list or command
  settings       TEXT NOT NULL DEFAULT '{}', -- wishes of the list: interval_ms, scrape, user_agent, headers
  file           TEXT,               -- the list file that owns it; NULL: subscribed by command
  added_at       INTEGER NOT NULL,
  paused_at      INTEGER,            -- NULL: not paused
  retired_at     INTEGER             -- NULL: not retired
) STRICT;
CREATE INDEX feed_url ON feed(url);
CREATE INDEX feed_file ON feed(file);

-- What changes with every poll, in its own narrow table. Written by record_poll.
CREATE TABLE feed_state (
  feed_id           INTEGER PRIMARY KEY REFERENCES feed(id),
  shard             INTEGER NOT NULL,   -- of its host, 0..1023
  host              TEXT NOT NULL,      -- politeness key: registrable domain
  due_at            INTEGER,            -- NULL: not polled (paused, retired, gone for good)
  etag              BLOB,               -- as the server sent it; NULL: none
  last_modified     BLOB,               -- as the server sent it; NULL: none
  validator_url     TEXT,               -- the URL that gave the validators; NULL: the feed's
  body_hash         INTEGER,            -- of the last good document; NULL: none yet
  failures          INTEGER NOT NULL DEFAULT 0, -- in a row
  gone              INTEGER NOT NULL DEFAULT 0, -- 410s in a row
  hinted_interval_ms INTEGER,           -- wished for at the last good poll; NULL: nothing said
  title             TEXT,               -- the feed's own; NULL: none given
  site_url          TEXT,               -- the feed's own; NULL: none given
  language          TEXT,               -- the feed's own; NULL: none given
  article_count     INTEGER NOT NULL DEFAULT 0, -- articles that it announced
  last_poll_at      INTEGER,            -- NULL: never polled
  last_success_at   INTEGER,            -- NULL: never answered well
  last_new_at       INTEGER,            -- NULL: never brought an article
  error_kind        TEXT,               -- of the last poll; NULL: it was good
  error             TEXT,               -- what happened, for a person
  error_status      INTEGER,            -- HTTP status; NULL: none
  warnings          TEXT NOT NULL DEFAULT '[]'  -- of the last good poll
) STRICT;
CREATE INDEX feed_state_host ON feed_state(host, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX feed_state_due ON feed_state(due_at) WHERE due_at IS NOT NULL;

-- One row per politeness key: when its first feed and its first page are due. Derived
-- from feed_state and page_job in the transaction that changes them, so that one host
-- with a long queue does not hide the others.
CREATE TABLE host (
  name        TEXT PRIMARY KEY,
  shard       INTEGER NOT NULL,
  feed_due_at INTEGER,              -- NULL: no feed waits
  page_due_at INTEGER               -- NULL: no page waits
) STRICT, WITHOUT ROWID;
CREATE INDEX host_feed_due ON host(feed_due_at) WHERE feed_due_at IS NOT NULL;
CREATE INDEX host_page_due ON host(page_due_at) WHERE page_due_at IS NOT NULL;

-- What the archive keeps. Written by record_poll (what the feed said) and record_scrape
-- (what the page said).
CREATE TABLE article (
  id             INTEGER PRIMARY KEY, -- seconds since 2020-01-01 << 21 | shard << 11 | sequence
  feed_id        INTEGER NOT NULL REFERENCES feed(id), -- that announced it first
  url            TEXT,               -- the original URL, byte for byte; NULL: an entry without link
  host           TEXT,               -- host name of the original URL; NULL: none
  canonical_url  TEXT,               -- declared by the page, believably; NULL: none
  final_url      TEXT,               -- that answered; NULL: not scraped
  title          TEXT,               -- the page's, else the feed's
  authors        TEXT NOT NULL DEFAULT '[]', -- the page's, else the feed's
  language       TEXT,               -- the page's, else the feed's
  summary        TEXT,               -- the feed's, plain text
  keywords       TEXT NOT NULL DEFAULT '[]', -- the page's; the feeds' categories are in sighting
  published      TEXT,               -- RFC 3339, or a bare date where no time was given; NULL: unknown
  published_at   INTEGER,            -- the instant behind it
  published_from TEXT,               -- feed, json-ld, meta, time, url, text
  first_seen_at  INTEGER NOT NULL,
  sort_at        INTEGER NOT NULL,   -- the earlier of published_at and first_seen_at
  word_count     INTEGER NOT NULL DEFAULT 0,
  content_hash   INTEGER,            -- of the page's text; NULL: not scraped, or under 50 words
  page_state     TEXT NOT NULL,      -- pending, scraped, retrying, failed, skipped
  scraped_at     INTEGER,            -- NULL: never
  error_kind     TEXT,               -- why the page gave no text; NULL: it did, or was not asked
  error          TEXT,               -- what happened, for a person
  error_status   INTEGER             -- HTTP status; NULL: none
) STRICT;
CREATE INDEX article_sort ON article(sort_at, id);

-- The text in the clear, for people with SQL; the feed's until the page has been scraped.
CREATE TABLE article_text (
  article_id INTEGER PRIMARY KEY REFERENCES article(id),
  text       TEXT NOT NULL           -- paragraphs separated by a blank line
) STRICT;

-- The other renderings of the body; no row where it is plain text.
CREATE TABLE article_rendering (
  article_id INTEGER PRIMARY KEY REFERENCES article(id),
  enc        INTEGER NOT NULL,       -- 0: JSON; 1: JSON, zstd
  data       BLOB NOT NULL           -- markdown, html, images, related
) STRICT;

-- Normal forms of URLs that mean an article. Several articles may claim one form: the one
-- that was announced under it comes first, then the earliest.
CREATE TABLE alias (
  key        INTEGER NOT NULL,       -- of `form`
  form       TEXT NOT NULL,          -- the normal form
  article_id INTEGER NOT NULL REFERENCES article(id),
  url        TEXT NOT NULL,          -- as found
  reason     TEXT NOT NULL,          -- announced, redirect, canonical
  added_at   INTEGER NOT NULL,
  PRIMARY KEY (key, form, article_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_article ON alias(article_id);

-- One entry of one feed: what it said, and which article it announced.
CREATE TABLE sighting (
  id           INTEGER PRIMARY KEY,
  feed_id      INTEGER NOT NULL REFERENCES feed(id),
  entry_key    INTEGER NOT NULL,     -- of `entry_id`
  entry_id     TEXT NOT NULL,        -- our identity of the entry within its feed
  article_id   INTEGER NOT NULL REFERENCES article(id),
  sort_at      INTEGER NOT NULL,     -- the article's
  guid         TEXT,                 -- as given; NULL: none
  url          TEXT,                 -- as given; NULL: no usable link
  title        TEXT,
  summary      TEXT,                 -- plain text
  enc          INTEGER,              -- of `content`: 0: HTML; 1: HTML, zstd; NULL: no content
  content      BLOB,                 -- sanitised HTML
  published_at INTEGER,              -- NULL: not given
  updated_at   INTEGER,              -- NULL: not given
  authors      TEXT NOT NULL DEFAULT '[]',
  tags         TEXT NOT NULL DEFAULT '[]',
  enclosures   TEXT NOT NULL DEFAULT '[]', -- objects: url, media_type, length
  entry_hash   INTEGER NOT NULL,     -- tells a changed entry
  seen_at      INTEGER NOT NULL,     -- first
  changed_at   INTEGER               -- when it last changed; NULL: never
) STRICT;
CREATE INDEX sighting_entry ON sighting(feed_id, entry_key);
-- Entries without link are known again by what they say.
CREATE INDEX sighting_note ON sighting(feed_id, entry_hash) WHERE url IS NULL;
CREATE INDEX sighting_article ON sighting(article_id);
CREATE INDEX sighting_feed ON sighting(feed_id, sort_at, article_id);

-- Pages to scrape. A row goes when the page has been scraped or has failed for good.
CREATE TABLE page_job (
  article_id INTEGER PRIMARY KEY REFERENCES article(id),
  shard      INTEGER NOT NULL,       -- of its host
  host       TEXT NOT NULL,          -- politeness key
  url        TEXT NOT NULL,          -- to fetch
  due_at     INTEGER NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,
  feed_id    INTEGER NOT NULL REFERENCES feed(id) -- whose settings hold
) STRICT;
CREATE INDEX page_job_host ON page_job(host, due_at);
CREATE INDEX page_job_due ON page_job(due_at);

-- Every poll of the last 30 days.
CREATE TABLE poll_log (
  id          INTEGER PRIMARY KEY,
  feed_id     INTEGER NOT NULL REFERENCES feed(id),
  at          INTEGER NOT NULL,
  outcome     TEXT NOT NULL,         -- not_modified, unchanged, fetched, gone, failed
  status      INTEGER,               -- HTTP status; NULL: none
  n_new       INTEGER NOT NULL DEFAULT 0, -- new articles
  n_entries   INTEGER NOT NULL DEFAULT 0, -- entries in the document
  n_bytes     INTEGER NOT NULL DEFAULT 0, -- of the body, expanded
  duration_ms INTEGER NOT NULL DEFAULT 0,
  error_kind  TEXT,                  -- NULL: it was good
  error       TEXT
) STRICT;
CREATE INDEX poll_log_feed ON poll_log(feed_id, at);
CREATE INDEX poll_log_at ON poll_log(at, outcome, n_new);

-- Sums that would be dear to count. Written in the transactions that change them.
CREATE TABLE counter (
  name TEXT PRIMARY KEY,             -- articles, page:STATE, page_error:KIND, last_article_id
  n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest change of each article, in order: what the search index follows.
CREATE TABLE article_change (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  article_id INTEGER NOT NULL UNIQUE,
  op         INTEGER NOT NULL        -- 1: made or changed; 0: gone
) STRICT;

-- What outlives a process, by name.
CREATE TABLE note (
  name TEXT PRIMARY KEY,
  text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO note (name, text) VALUES ('store_id', lower(hex(randomblob(16))));

-- The views are a promise to people with SQL: see docs/data-model.md.

CREATE VIEW articles AS
SELECT
  a.id,
  a.url,
  a.canonical_url,
  a.final_url,
  a.host,
  a.title,
  a.authors,
  a.published,
  a.published_from,
  strftime('%Y-%m-%dT%H:%M:%SZ', a.first_seen_at / 1000, 'unixepoch') AS first_seen,
  strftime('%Y-%m-%dT%H:%M:%SZ', a.sort_at / 1000, 'unixepoch') AS sorted,
  a.sort_at,
  a.language,
  a.summary,
  (SELECT t.text FROM article_text t WHERE t.article_id = a.id) AS text,
  a.word_count,
  (SELECT json_group_array(url) FROM (
     SELECT f.url FROM sighting s JOIN feed f ON f.id = s.feed_id
     WHERE s.article_id = a.id GROUP BY f.id ORDER BY min(s.seen_at), min(s.id))) AS feed_urls,
  (SELECT s.guid FROM sighting s WHERE s.article_id = a.id ORDER BY s.seen_at, s.id LIMIT 1) AS guid,
  (SELECT json_group_array(name) FROM (
     SELECT value AS name FROM json_each(a.keywords)
     UNION SELECT j.value FROM sighting s, json_each(s.tags) j WHERE s.article_id = a.id
     UNION SELECT j.value FROM sighting s JOIN feed f ON f.id = s.feed_id, json_each(f.tags) j
           WHERE s.article_id = a.id)) AS tags,
  (SELECT s.enclosures FROM sighting s WHERE s.article_id = a.id AND s.enclosures <> '[]'
   ORDER BY s.seen_at, s.id LIMIT 1) AS enclosures,
  a.page_state,
  a.error_kind AS page_error,
  a.error AS page_error_detail
FROM article a;

CREATE VIEW feeds AS
SELECT
  f.id,
  f.url,
  f.subscribed_url,
  coalesce(f.list_title, s.title) AS title,
  coalesce(s.site_url, f.list_site) AS site_url,
  s.language,
  f.tags,
  f.file,
  CASE
    WHEN f.retired_at IS NOT NULL THEN 'retired'
    WHEN f.paused_at IS NOT NULL THEN 'paused'
    WHEN s.error_kind = 'gone' THEN 'gone'
    WHEN s.error_kind IS NOT NULL THEN 'error'
    WHEN s.last_success_at IS NOT NULL THEN 'ok'
    ELSE 'pending'
  END AS state,
  s.error_kind,
  s.error,
  s.failures,
  s.article_count,
  strftime('%Y-%m-%dT%H:%M:%SZ', f.added_at / 1000, 'unixepoch') AS added,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.last_poll_at / 1000, 'unixepoch') AS last_poll,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.last_success_at / 1000, 'unixepoch') AS last_success,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.last_new_at / 1000, 'unixepoch') AS last_new,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.due_at / 1000, 'unixepoch') AS next_poll,
  s.warnings
FROM feed f JOIN feed_state s ON s.feed_id = f.id;

CREATE VIEW polls AS
SELECT
  p.id,
  p.feed_id,
  (SELECT f.url FROM feed f WHERE f.id = p.feed_id) AS feed_url,
  strftime('%Y-%m-%dT%H:%M:%SZ', p.at / 1000, 'unixepoch') AS at,
  p.outcome,
  p.status,
  p.n_new,
  p.n_entries,
  p.n_bytes,
  p.duration_ms,
  p.error_kind,
  p.error
FROM poll_log p;

CREATE VIEW sightings AS
SELECT
  s.id,
  s.article_id,
  s.feed_id,
  (SELECT f.url FROM feed f WHERE f.id = s.feed_id) AS feed_url,
  s.guid,
  s.url,
  s.title,
  s.summary,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.published_at / 1000, 'unixepoch') AS published,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.updated_at / 1000, 'unixepoch') AS updated,
  s.authors,
  s.tags,
  s.enclosures,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.seen_at / 1000, 'unixepoch') AS seen,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.changed_at / 1000, 'unixepoch') AS changed
FROM sighting s;

CREATE VIEW authors AS
SELECT a.id AS article_id, j.value AS name
FROM article a, json_each(a.authors) j;

CREATE VIEW tags AS
SELECT a.id AS article_id, j.value AS name FROM article a, json_each(a.keywords) j
UNION SELECT s.article_id, j.value FROM sighting s, json_each(s.tags) j
UNION SELECT s.article_id, j.value FROM sighting s JOIN feed f ON f.id = s.feed_id, json_each(f.tags) j;

CREATE VIEW aliases AS
SELECT article_id, url, form AS canonical_form, reason,
  strftime('%Y-%m-%dT%H:%M:%SZ', added_at / 1000, 'unixepoch') AS added
FROM alias;

CREATE VIEW page_queue AS
SELECT
  j.article_id,
  j.url,
  j.host,
  strftime('%Y-%m-%dT%H:%M:%SZ', j.due_at / 1000, 'unixepoch') AS due,
  j.attempts
FROM page_job j;

-- The tables of SQLite's 0001_initial, for an archive that many workers share.
--
-- Columns mean the same as there, with the same names and the same text inside. What
-- differs:
--
-- * Every table that grows begins its key with `shard`, 0..1023: the shard of the politeness
--   key that the row belongs to, or, for an article and all that hangs on it, the one inside
--   its id.
-- * Ids are made by the worker that owns the shard, never by the database.
-- * Long texts (URLs, ids of entries) are not part of an index: their 64-bit key is.
-- * Sums are kept per shard, so that no two workers wait for one row.

-- What is polled. Written by list synchronisation and by commands.
CREATE TABLE feed (
  id             BIGINT PRIMARY KEY,
  url            TEXT NOT NULL,      -- where it is polled now
  url_key        BIGINT NOT NULL,    -- of `url`
  subscribed_url TEXT NOT NULL,      -- where it was subscribed
  subscribed_key BIGINT NOT NULL UNIQUE, -- of `subscribed_url`
  list_title     TEXT,               -- title by the list or command; NULL: none given
  list_site      TEXT,               -- site by the list or command; NULL: none given
  tags           TEXT NOT NULL DEFAULT '[]',
  settings       TEXT NOT NULL DEFAULT '{}',
  file           TEXT,               -- the list file that owns it; NULL: subscribed by command
  added_at       BIGINT NOT NULL,
  paused_at      BIGINT,
  retired_at     BIGINT
);
CREATE INDEX feed_url ON feed (url_key);

-- What changes with every poll.
CREATE TABLE feed_state (
  shard              SMALLINT NOT NULL,   -- of its host
  feed_id            BIGINT NOT NULL,
  host               TEXT NOT NULL,       -- politeness key
  due_at             BIGINT,              -- NULL: not polled
  etag               BYTEA,
  last_modified      BYTEA,
  validator_url      TEXT,
  body_hash          BIGINT,
  failures           INTEGER NOT NULL DEFAULT 0,
  gone               INTEGER NOT NULL DEFAULT 0,
  hinted_interval_ms BIGINT,
  title              TEXT,
  site_url           TEXT,
  language           TEXT,
  article_count      BIGINT NOT NULL DEFAULT 0,
  last_poll_at       BIGINT,
  last_success_at    BIGINT,
  last_new_at        BIGINT,
  error_kind         TEXT,
  error              TEXT,
  error_status       INTEGER,
  warnings           TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (shard, feed_id)
) WITH (fillfactor = 80);
CREATE INDEX feed_state_feed ON feed_state (feed_id);
CREATE INDEX feed_state_host ON feed_state (shard, host, due_at, feed_id);
CREATE INDEX feed_state_due ON feed_state (shard, due_at) WHERE due_at IS NOT NULL;

-- One row per politeness key: when its first feed and its first page are due.
CREATE TABLE host (
  shard       SMALLINT NOT NULL,
  name        TEXT NOT NULL,
  feed_due_at BIGINT,
  page_due_at BIGINT,
  PRIMARY KEY (shard, name)
) WITH (fillfactor = 80);
-- Over all shards, since all of them are read in one order: see due.rs.
CREATE INDEX host_feed_due ON host (feed_due_at, name) WHERE feed_due_at IS NOT NULL;
CREATE INDEX host_page_due ON host (page_due_at, name) WHERE page_due_at IS NOT NULL;

-- What the archive keeps. `shard` is the one inside the id.
CREATE TABLE article (
  shard          SMALLINT NOT NULL,
  id             BIGINT NOT NULL,
  feed_id        BIGINT NOT NULL,
  url            TEXT,
  host           TEXT,
  canonical_url  TEXT,
  final_url      TEXT,
  title          TEXT,
  authors        TEXT NOT NULL DEFAULT '[]',
  language       TEXT,
  summary        TEXT,
  keywords       TEXT NOT NULL DEFAULT '[]',
  published      TEXT,
  published_at   BIGINT,
  published_from TEXT,
  first_seen_at  BIGINT NOT NULL,
  sort_at        BIGINT NOT NULL,
  word_count     BIGINT NOT NULL DEFAULT 0,
  content_hash   BIGINT,
  page_state     TEXT NOT NULL,
  scraped_at     BIGINT,
  error_kind     TEXT,
  error          TEXT,
  error_status   INTEGER,
  PRIMARY KEY (shard, id)
);
CREATE INDEX article_sort ON article (sort_at, id);

CREATE TABLE article_text (
  shard      SMALLINT NOT NULL,
  article_id BIGINT NOT NULL,
  text       TEXT NOT NULL,
  PRIMARY KEY (shard, article_id),
  FOREIGN KEY (shard, article_id) REFERENCES article (shard, id)
);

CREATE TABLE article_rendering (
  shard      SMALLINT NOT NULL,
  article_id BIGINT NOT NULL,
  enc        SMALLINT NOT NULL,
  data       BYTEA NOT NULL,
  PRIMARY KEY (shard, article_id),
  FOREIGN KEY (shard, article_id) REFERENCES article (shard, id)
);
-- The data are compressed already.
ALTER TABLE article_rendering ALTER COLUMN data SET STORAGE EXTERNAL;

-- Normal forms of URLs that mean an article. `shard` is the one of the form's host: two
-- workers that hear of one URL at once meet here, and one article is announced under it.
CREATE TABLE alias (
  shard      SMALLINT NOT NULL,
  key        BIGINT NOT NULL,        -- of `form`
  form       TEXT NOT NULL,
  article_id BIGINT NOT NULL,
  url        TEXT NOT NULL,
  reason     TEXT NOT NULL,          -- announced, redirect, canonical
  added_at   BIGINT NOT NULL,
  PRIMARY KEY (shard, key, article_id)
);
CREATE UNIQUE INDEX alias_announced ON alias (shard, key) WHERE reason = 'announced';
CREATE INDEX alias_article ON alias (article_id);

-- One entry of one feed. `shard` is its article's.
CREATE TABLE sighting (
  shard        SMALLINT NOT NULL,
  id           BIGINT NOT NULL,
  feed_id      BIGINT NOT NULL,
  entry_key    BIGINT NOT NULL,
  entry_id     TEXT NOT NULL,
  article_id   BIGINT NOT NULL,
  sort_at      BIGINT NOT NULL,
  guid         TEXT,
  url          TEXT,
  title        TEXT,
  summary      TEXT,
  enc          SMALLINT,
  content      BYTEA,
  published_at BIGINT,
  updated_at   BIGINT,
  authors      TEXT NOT NULL DEFAULT '[]',
  tags         TEXT NOT NULL DEFAULT '[]',
  enclosures   TEXT NOT NULL DEFAULT '[]',
  entry_hash   BIGINT NOT NULL,
  seen_at      BIGINT NOT NULL,
  changed_at   BIGINT,
  PRIMARY KEY (shard, id),
  FOREIGN KEY (shard, article_id) REFERENCES article (shard, id)
);
CREATE INDEX sighting_entry ON sighting (feed_id, entry_key);
CREATE INDEX sighting_note ON sighting (feed_id, entry_hash) WHERE url IS NULL;
CREATE INDEX sighting_article ON sighting (shard, article_id);
CREATE INDEX sighting_feed ON sighting (feed_id, sort_at, article_id);

-- Pages to scrape. `shard` is the one of the page's host, which may differ from its article's.
CREATE TABLE page_job (
  shard      SMALLINT NOT NULL,
  article_id BIGINT NOT NULL,
  host       TEXT NOT NULL,
  url        TEXT NOT NULL,
  due_at     BIGINT NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,
  feed_id    BIGINT NOT NULL,
  PRIMARY KEY (shard, article_id)
);
CREATE INDEX page_job_host ON page_job (shard, host, due_at, article_id);
CREATE INDEX page_job_article ON page_job (article_id);
CREATE INDEX page_job_due ON page_job (shard, due_at);

-- Every poll of the last 30 days.
CREATE TABLE poll_log (
  shard       SMALLINT NOT NULL,
  id          BIGINT NOT NULL,
  feed_id     BIGINT NOT NULL,
  at          BIGINT NOT NULL,
  outcome     TEXT NOT NULL,
  status      INTEGER,
  n_new       BIGINT NOT NULL DEFAULT 0,
  n_entries   BIGINT NOT NULL DEFAULT 0,
  n_bytes     BIGINT NOT NULL DEFAULT 0,
  duration_ms BIGINT NOT NULL DEFAULT 0,
  error_kind  TEXT,
  error       TEXT,
  PRIMARY KEY (shard, id)
);
CREATE INDEX poll_log_feed ON poll_log (feed_id, at);
CREATE INDEX poll_log_at ON poll_log (at);

-- Sums that would be dear to count, one row per shard that added to them: read as sums.
-- `last_id` is not a sum: the largest id that the owner of the shard ever gave.
CREATE TABLE counter (
  shard SMALLINT NOT NULL,
  name  TEXT NOT NULL,               -- articles, page:STATE, page_error:KIND, last_id
  n     BIGINT NOT NULL,
  PRIMARY KEY (shard, name)
);

-- Articles that the search index has not seen as they are now. `shard` is the article's;
-- the row goes when the index has taken the change with this `seq`.
CREATE TABLE article_change (
  shard      SMALLINT NOT NULL,
  article_id BIGINT NOT NULL,
  seq        BIGINT NOT NULL,        -- another one for every change
  op         SMALLINT NOT NULL,      -- 1: made or changed; 0: gone
  PRIMARY KEY (shard, article_id)
);

-- The search index: derived, one row per article.
CREATE TABLE search_document (
  shard      SMALLINT NOT NULL,
  article_id BIGINT NOT NULL,
  sort_at    BIGINT NOT NULL,
  words      TSVECTOR NOT NULL,      -- made by wireroom's own tokenizer, without positions
  PRIMARY KEY (shard, article_id)
);
CREATE INDEX search_document_words ON search_document USING GIN (words);
CREATE INDEX search_document_sort ON search_document (sort_at, article_id);

-- What outlives a process, by name.
CREATE TABLE note (
  name TEXT PRIMARY KEY,
  text TEXT NOT NULL
);
-- Who changes the set of feeds locks this row.
INSERT INTO note (name, text) VALUES ('store_id', replace(gen_random_uuid()::text, '-', ''));

-- The views are a promise to people with SQL, with the columns of SQLite's: see
-- docs/data-model.md. Lists are JSON in text, as there.

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
  to_char(to_timestamp(a.first_seen_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS first_seen,
  to_char(to_timestamp(a.sort_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS sorted,
  a.sort_at,
  a.language,
  a.summary,
  (SELECT t.text FROM article_text t WHERE t.shard = a.shard AND t.article_id = a.id) AS text,
  a.word_count,
  (SELECT '[' || coalesce(string_agg(to_json(u.url)::text, ',' ORDER BY u.seen_at, u.id), '') || ']' FROM (
     SELECT f.url, min(s.seen_at) AS seen_at, min(s.id) AS id
     FROM sighting s JOIN feed f ON f.id = s.feed_id
     WHERE s.shard = a.shard AND s.article_id = a.id GROUP BY f.id, f.url) u) AS feed_urls,
  (SELECT s.guid FROM sighting s WHERE s.shard = a.shard AND s.article_id = a.id
   ORDER BY s.seen_at, s.id LIMIT 1) AS guid,
  (SELECT '[' || coalesce(string_agg(to_json(n.name)::text, ',' ORDER BY n.name COLLATE "C"), '') || ']' FROM (
     SELECT json_array_elements_text(a.keywords::json) AS name
     UNION SELECT json_array_elements_text(s.tags::json) FROM sighting s
           WHERE s.shard = a.shard AND s.article_id = a.id
     UNION SELECT json_array_elements_text(f.tags::json) FROM sighting s JOIN feed f ON f.id = s.feed_id
           WHERE s.shard = a.shard AND s.article_id = a.id) n) AS tags,
  (SELECT s.enclosures FROM sighting s
   WHERE s.shard = a.shard AND s.article_id = a.id AND s.enclosures <> '[]'
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
  to_char(to_timestamp(f.added_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS added,
  to_char(to_timestamp(s.last_poll_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last_poll,
  to_char(to_timestamp(s.last_success_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last_success,
  to_char(to_timestamp(s.last_new_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last_new,
  to_char(to_timestamp(s.due_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS next_poll,
  s.warnings
FROM feed f JOIN feed_state s ON s.feed_id = f.id;

CREATE VIEW polls AS
SELECT
  p.id,
  p.feed_id,
  (SELECT f.url FROM feed f WHERE f.id = p.feed_id) AS feed_url,
  to_char(to_timestamp(p.at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at,
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
  to_char(to_timestamp(s.published_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS published,
  to_char(to_timestamp(s.updated_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS updated,
  s.authors,
  s.tags,
  s.enclosures,
  to_char(to_timestamp(s.seen_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS seen,
  to_char(to_timestamp(s.changed_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS changed
FROM sighting s;

CREATE VIEW authors AS
SELECT a.id AS article_id, j.name
FROM article a CROSS JOIN LATERAL json_array_elements_text(a.authors::json) AS j(name);

CREATE VIEW tags AS
SELECT a.id AS article_id, j.name
FROM article a CROSS JOIN LATERAL json_array_elements_text(a.keywords::json) AS j(name)
UNION SELECT s.article_id, j.name
FROM sighting s CROSS JOIN LATERAL json_array_elements_text(s.tags::json) AS j(name)
UNION SELECT s.article_id, j.name
FROM sighting s JOIN feed f ON f.id = s.feed_id
CROSS JOIN LATERAL json_array_elements_text(f.tags::json) AS j(name);

CREATE VIEW aliases AS
SELECT article_id, url, form AS canonical_form, reason,
  to_char(to_timestamp(added_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS added
FROM alias;

CREATE VIEW page_queue AS
SELECT
  j.article_id,
  j.url,
  j.host,
  to_char(to_timestamp(j.due_at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS due,
  j.attempts
FROM page_job j;

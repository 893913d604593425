-- Workers that share one archive, and what must survive a host's change of owner.

-- A host's manners: what it asked for, known to whoever owns it next.
ALTER TABLE host ADD COLUMN resting_until BIGINT; -- it asked not to be asked before; NULL: nothing
ALTER TABLE host ADD COLUMN gap_ms BIGINT;        -- its own pause, longer than the default; NULL: none

-- A request that a redirect leads to the host of another worker goes on there.
ALTER TABLE feed_state ADD COLUMN moved_url TEXT;                    -- polled there this time; NULL: at the feed's URL
ALTER TABLE feed_state ADD COLUMN moves INTEGER NOT NULL DEFAULT 0;  -- so far
ALTER TABLE page_job ADD COLUMN moves INTEGER NOT NULL DEFAULT 0;    -- so far; `url` is where it goes on

-- One row per process that may own shards, new at every start. Only the database's clock
-- decides whether it lives.
CREATE TABLE worker (
  id          BIGINT PRIMARY KEY,
  machine     TEXT NOT NULL,
  pid         INTEGER NOT NULL,
  version     TEXT NOT NULL,
  role        TEXT NOT NULL,         -- all, ingest, serve
  started_at  BIGINT NOT NULL,       -- by the database's clock, as all times of a worker
  seen_at     TIMESTAMPTZ NOT NULL,  -- its last sign of life
  until       TIMESTAMPTZ NOT NULL,  -- alive until then, unless it is renewed
  draining_at BIGINT,                -- asked to hand its shards over; NULL: not
  polls       BIGINT NOT NULL DEFAULT 0, -- since its start
  scrapes     BIGINT NOT NULL DEFAULT 0,
  articles    BIGINT NOT NULL DEFAULT 0,
  minute_polls    BIGINT NOT NULL DEFAULT 0, -- in the minute before its last sign of life
  minute_scrapes  BIGINT NOT NULL DEFAULT 0,
  minute_articles BIGINT NOT NULL DEFAULT 0
);

-- Who owns which part of the hosts. A row changes only when its shard changes hands.
CREATE TABLE shard (
  id    SMALLINT PRIMARY KEY,
  owner BIGINT,                      -- a worker; NULL: nobody
  epoch BIGINT NOT NULL DEFAULT 0    -- grows with every change of owner: what comes late is fenced
);
INSERT INTO shard (id) SELECT generate_series(0, 1023);

-- Whoever records a page has a row here for each of its URLs until he commits, and takes them
-- out again before: two copies of a page are recorded one after the other. Always empty.
CREATE TABLE claim_turn (
  shard SMALLINT NOT NULL,           -- of the URL's host
  key   BIGINT NOT NULL,             -- of the URL's normal form
  PRIMARY KEY (shard, key)
);

-- What must survive a host's change of owner, when an archive is moved to PostgreSQL and back.

-- A host's manners: what it asked for.
ALTER TABLE host ADD COLUMN resting_until INTEGER; -- it asked not to be asked before; NULL: nothing
ALTER TABLE host ADD COLUMN gap_ms INTEGER;        -- its own pause, longer than the default; NULL: none

-- A request that a redirect leads to the host of another worker goes on there.
ALTER TABLE feed_state ADD COLUMN moved_url TEXT;                   -- polled there this time; NULL: at the feed's URL
ALTER TABLE feed_state ADD COLUMN moves INTEGER NOT NULL DEFAULT 0; -- so far
ALTER TABLE page_job ADD COLUMN moves INTEGER NOT NULL DEFAULT 0;   -- so far; `url` is where it goes on

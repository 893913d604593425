//! From entries to pages worth a scrape. Pure.

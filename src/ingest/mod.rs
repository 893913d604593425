//! The main path.

/// `[ingest]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Polls under way at once. Default 16.
    pub polls: usize,
    /// Scrapes under way at once. Default 16.
    pub scrapes: usize,
    /// Fewer words than this are not an article. Default 25.
    pub min_words: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            polls: 16,
            scrapes: 16,
            min_words: 25,
        }
    }
}

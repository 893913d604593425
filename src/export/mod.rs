//! Articles handed out: JSON Lines, Markdown, CSV.

//! The words that several modules share: validated primitives and nothing else.

mod failure;
mod host;
mod id;
mod settings;
mod url;
mod validators;

pub use failure::{ErrorKind, Failure, Retry};
pub use host::{HostKey, N_SHARDS, Shard};
pub use id::{ArticleId, FeedId};
pub use settings::FeedSettings;
pub use url::{FeedUrl, PageUrl, UrlError};
pub use validators::Validators;

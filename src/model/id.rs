//! Identifiers of rows. Newtypes, so that two numbers cannot be exchanged.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

/// A feed in the store, 1 and up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedId(pub i64);

/// An article in the store.
///
/// Made by the worker, so that it grows with time on every backend: 32 bits of
/// seconds since 2020-01-01, 10 bits of shard, 11 bits of sequence. 53 bits in
/// all, because JSON readers that use doubles keep no more (RFC 8259 §6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArticleId(pub i64);

macro_rules! number {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, ParseIntError> {
                text.trim().parse().map(Self)
            }
        }
    };
}

number!(FeedId);
number!(ArticleId);

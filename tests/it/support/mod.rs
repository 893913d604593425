//! What the tests stand on: a scripted web site and a wireroom of their own.

pub(crate) mod room;
pub(crate) mod site;

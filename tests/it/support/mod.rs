//! What the tests stand on: a scripted web site and a wireroom of their own.

pub(crate) mod certificate;
pub(crate) mod postgres;
pub(crate) mod room;
pub(crate) mod site;

//! The promises of wireroom, as tests on the built program and on its public face.

#![allow(clippy::print_stderr, reason = "a skipped test says so loudly")]

mod support;

mod collecting;
mod crash_and_resume;
mod lists;
mod readme;
mod shutdown;

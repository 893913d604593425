//! The binary: a client of the library. Reads the command line, runs one command, and
//! turns what came of it into an exit code.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}

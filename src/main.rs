//! `calc`: the Calculator's server and client on the command line.

mod cli;

use std::process::ExitCode;

/// A call takes some forty allocations, most of them the C core's, which get theirs from here as well: a fifth less
/// CPU time than with the system's (docs/performance.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(std::env::args_os())
}

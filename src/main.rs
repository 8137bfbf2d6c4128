//! `calc`: the Calculator's server and client on the command line.

mod cli;

use std::process::ExitCode;

/// A call takes two dozen allocations, most of them the C core's, which come from here as well: less CPU time than with
/// the system's allocator (docs/performance.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(std::env::args_os())
}

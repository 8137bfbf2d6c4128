//! `calc`: the Calculator's server and client as a program.

mod cli;

use std::process::ExitCode;

/// Serves the C core too, which makes most of an RPC's two dozen allocations; takes less CPU time than the system's
/// allocator (docs/performance.md).
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(std::env::args_os())
}

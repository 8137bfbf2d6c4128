//! The Calculator's server: what `calc serve`, the example and the tests all start.

use std::io::Write;
use std::time::Duration;

use crate::calculator::CalculatorService;
use crate::proto::calc_grpc::calculator_service;
use crate::proto::google_rpc::error_details;
use crate::rpc::{Drain, Server, ServerBuilder, StartError, Termination};

/// Where a Calculator listens unless told otherwise: every address of the machine.
pub const DEFAULT_ADDRESS: &str = "[::]:50050";

/// The time that calls in flight have to finish when the server ends, unless told
/// otherwise: 10 seconds.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// A server with the Calculator service and server reflection, and without an address to
/// listen on yet.
pub fn builder() -> ServerBuilder {
    Server::builder()
        .service(calculator_service(CalculatorService))
        .reflection()
        // What the details of errors are made of.
        .reflected_file(error_details::file_descriptor())
}

/// Why [`run`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The handlers of SIGINT and SIGTERM cannot be installed.
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
}

/// Starts `server` and runs it until SIGINT or SIGTERM. Then calls in flight have `grace` to
/// finish, after which they are cancelled. A second signal ends the process at once.
///
/// Prints `Server Start..` on standard output once it accepts calls, and where it listens on
/// standard error. Standard input is not read.
///
/// # Errors
///
/// See [`RunError`].
pub fn run(server: ServerBuilder, grace: Duration) -> Result<Drain, RunError> {
    let termination = Termination::listen().map_err(RunError::Signals)?;
    let server = server.start()?;
    let mut stderr = std::io::stderr();
    for address in server.addresses() {
        // Nobody may be reading; that is no reason not to serve.
        let _ = writeln!(stderr, "listening on {address}");
    }
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "Server Start..").and_then(|()| stdout.flush());
    let signal = termination.wait();
    let _ = writeln!(stderr, "{signal}: ending; calls in flight have {} s", grace.as_secs_f64());
    let drain = server.shutdown(grace);
    let _ = match drain {
        Drain::Clean => writeln!(stderr, "ended; every call had finished"),
        Drain::Cancelled => writeln!(stderr, "ended; the calls still in flight were cancelled"),
        Drain::Stuck => writeln!(stderr, "ended; a method did not return although its call was cancelled"),
    };
    Ok(drain)
}

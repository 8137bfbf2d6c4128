//! The Calculator's server: what `calc serve`, the example and the tests all start.

use std::io::Write;
use std::time::Duration;

use crate::calculator::CalculatorService;
use crate::proto::calc_grpc::{calculator, calculator_service};
use crate::rpc::log::notice;
use crate::rpc::{Drain, Health, Server, ServerBuilder, ServingStatus, StartError, Termination};

/// Where a Calculator listens unless told otherwise: every address of the machine.
pub const DEFAULT_ADDRESS: &str = "[::]:50050";

/// The time that calls in flight have to finish when the server ends, unless told
/// otherwise: 10 seconds.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// A server with the Calculator service, and without an address to listen on yet.
///
/// It also serves `grpc.health.v1.Health`, in which the Calculator is serving from the start
/// to the beginning of the end ([`Server::health`] can change that), and `grpc.channelz.v1.Channelz`.
pub fn builder() -> ServerBuilder {
    let health = Health::new();
    health.set(calculator::NAME, ServingStatus::Serving);
    Server::builder().service(calculator_service(CalculatorService)).service(Channelz::service()).health(health)
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
    for address in server.addresses() {
        notice(&format!("listening on {address}"));
    }
    let mut stdout = std::io::stdout();
    // Nobody may be reading; that is no reason not to serve.
    let _ = writeln!(stdout, "Server Start..").and_then(|()| stdout.flush());
    let signal = termination.wait();
    notice(&format!("{signal}: ending; calls in flight have {} s", grace.as_secs_f64()));
    let drain = server.shutdown(grace);
    notice(match drain {
        Drain::Clean => "ended; every call had finished",
        Drain::Cancelled => "ended; the calls still in flight were cancelled",
        Drain::Stuck => "ended; a method did not return although its call was cancelled",
    });
    Ok(drain)
}

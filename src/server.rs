//! The Calculator's server: what `calc serve`, the example and the tests all start.

use std::io::Write;
use std::thread;
use std::time::Duration;

use crate::batch::BatchService;
use crate::calculator::CalculatorService;
use crate::proto::calc_batch_grpc::{batch_calculator, batch_calculator_service};
use crate::proto::calc_grpc::{calculator, calculator_service};
use grpcio_kit::log::notice;
use grpcio_kit::proto::google_rpc::error_details;
use grpcio_kit::{Drain, Health, Server, ServerBuilder, ServingStatus, StartError, Termination};

/// Where a Calculator listens unless told otherwise: every address of the machine.
pub const DEFAULT_ADDRESS: &str = "[::]:50050";

/// The time that calls in flight have to finish when the server ends, unless told
/// otherwise: 10 seconds.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// A server with the Calculator and BatchCalculator services, and without an address to listen on yet.
///
/// It also serves `grpc.health.v1.Health`, in which the two are serving from the start
/// to the beginning of the end ([`Server::health`] can change that), reflection and `grpc.channelz.v1.Channelz`.
pub fn builder() -> ServerBuilder {
    let health = Health::new();
    health.set(calculator::NAME, ServingStatus::Serving);
    health.set(batch_calculator::NAME, ServingStatus::Serving);
    Server::builder()
        .service(calculator_service(CalculatorService))
        .service(batch_calculator_service(BatchService))
        .health(health)
        .channelz(true)
        .reflection(true)
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

/// How long a server takes to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The time that it goes on while its health says NOT_SERVING, so that whoever spreads calls
    /// over servers leaves it out: none by default.
    pub lame_duck: Duration,
    /// The time that calls in flight then have to finish, before they are cancelled: [`DEFAULT_GRACE`] by default.
    pub grace: Duration,
}

impl Default for Ending {
    fn default() -> Ending {
        Ending { lame_duck: Duration::ZERO, grace: DEFAULT_GRACE }
    }
}

/// Starts `server` and runs it until SIGTERM, SIGINT or SIGHUP, and then to its end. A second signal ends the process at
/// once.
///
/// Prints `Server Start..` on standard output once it accepts calls, and where it listens on
/// standard error. Standard input is not read.
///
/// # Errors
///
/// See [`RunError`].
pub fn run(server: ServerBuilder, ending: Ending) -> Result<Drain, RunError> {
    let termination = Termination::listen().map_err(RunError::Signals)?;
    let server = server.start()?;
    for address in server.addresses() {
        notice(&format!("listening on {address}"));
    }
    let mut stdout = std::io::stdout();
    // Nobody may be reading; that is no reason not to serve.
    let _ = writeln!(stdout, "Server Start..").and_then(|()| stdout.flush());
    let signal = termination.wait();
    server.start_draining();
    if !ending.lame_duck.is_zero() {
        notice(&format!("{signal}: no longer serving by its health; ending in {} s", ending.lame_duck.as_secs_f64()));
        thread::sleep(ending.lame_duck);
    }
    notice(&format!("{signal}: ending; calls in flight have {} s", ending.grace.as_secs_f64()));
    let drain = server.shutdown(ending.grace);
    notice(&match drain {
        Drain::Clean => "ended; every call had finished".to_owned(),
        Drain::Cancelled { rpcs: None } => "ended; calls may still have been in flight and were cancelled".to_owned(),
        Drain::Cancelled { rpcs: Some(1) } => "ended; 1 call was still in flight and was cancelled".to_owned(),
        Drain::Cancelled { rpcs: Some(rpcs) } => format!("ended; {rpcs} calls were still in flight and were cancelled"),
        Drain::Stuck => "ended; a method did not return although its call was cancelled".to_owned(),
    });
    Ok(drain)
}

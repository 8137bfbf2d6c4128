//! The Calculator's server, as `calc serve`, the example and the tests start it.

use std::io::Write;
use std::thread;
use std::time::Duration;

use grpcio_kit::log::notice;
use grpcio_kit::proto::google_rpc::error_details;
use grpcio_kit::{Drain, Health, Server, ServerBuilder, ServingStatus, ShutdownSignal, StartError, service_manager};

use crate::batch::BatchService;
use crate::calculator::CalculatorService;
use crate::proto::calc_batch_grpc::{batch_calculator, batch_calculator_service};
use crate::proto::calc_grpc::{calculator, calculator_service};

/// The default address: port 50050 on every interface.
pub const DEFAULT_ADDRESS: &str = "[::]:50050";

/// The default of [`ShutdownOptions::grace`]: 10 seconds.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// How long a shutdown may take beside the drain delay and the grace: twice what [`Server::shutdown`] needs at most.
const SHUTDOWN_BOUND: Duration = Duration::from_secs(10);

/// Creates a server of Calculator and BatchCalculator, without an address to listen on.
///
/// It also serves grpc.health.v1, in which both services are SERVING until the server drains ([`Server::health`]
/// changes that), reflection and grpc.channelz.v1.
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
        // The messages in error details.
        .reflected_file(error_details::file_descriptor())
}

/// Why [`run`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The handlers of SIGTERM, SIGINT and SIGHUP cannot be installed.
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
}

/// How a server shuts down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutdownOptions {
    /// How long the server goes on while its health is NOT_SERVING, so that load balancers stop sending it RPCs:
    /// default 0.
    pub drain_delay: Duration,
    /// How long in-flight RPCs then have to finish before they are cancelled: default [`DEFAULT_GRACE`].
    pub grace: Duration,
}

impl Default for ShutdownOptions {
    fn default() -> ShutdownOptions {
        ShutdownOptions { drain_delay: Duration::ZERO, grace: DEFAULT_GRACE }
    }
}

/// Starts `server`, runs it until SIGTERM, SIGINT or SIGHUP, and shuts it down. A second signal ends the process at
/// once.
///
/// Prints the addresses on standard error, and then `Server Start..` on standard output, once it accepts RPCs. Does not
/// read standard input.
///
/// # Errors
///
/// See [`RunError`].
pub fn run(server: ServerBuilder, options: ShutdownOptions) -> Result<Drain, RunError> {
    let shutdown = ShutdownSignal::listen().map_err(RunError::Signals)?;
    let server = server.service_manager(true).start()?;
    for address in server.addresses() {
        notice(&format!("listening on {address}"));
    }
    let mut stdout = std::io::stdout();
    // A closed standard output is no reason not to serve.
    let _ = writeln!(stdout, "Server Start..").and_then(|()| stdout.flush());
    let signal = shutdown.wait();
    let ShutdownOptions { drain_delay, grace } = options;
    server.start_draining();
    // After STOPPING: if another process than systemd has sent the signal, its timeout begins with that.
    service_manager::extend_timeout(drain_delay.saturating_add(grace).saturating_add(SHUTDOWN_BOUND));
    if !drain_delay.is_zero() {
        let seconds = drain_delay.as_secs_f64();
        notice(&format!("{signal}: health is NOT_SERVING; draining in {seconds} s (--drain-delay)"));
        thread::sleep(drain_delay);
    }
    notice(&format!("{signal}: draining; in-flight RPCs have up to {} s (--grace)", grace.as_secs_f64()));
    let drain = server.shutdown(grace);
    notice(&match drain {
        Drain::Clean => "shut down; all RPCs finished".to_owned(),
        Drain::Cancelled { rpcs: None } => "shut down; an unknown number of RPCs was cancelled".to_owned(),
        Drain::Cancelled { rpcs: Some(1) } => "shut down; 1 RPC was cancelled".to_owned(),
        Drain::Cancelled { rpcs: Some(rpcs) } => format!("shut down; {rpcs} RPCs were cancelled"),
        Drain::Stuck => "shut down; a method did not return after its RPC was cancelled".to_owned(),
    });
    Ok(drain)
}

//! `calc serve --metrics`: the HTTP endpoint for metrics, liveness and readiness.

use std::num::NonZeroUsize;

use grpcio_kit::http::{HttpServer, Pages};
use grpcio_kit::log::{self, notice};
use grpcio_kit::{ListenAddress, Readiness, Reloads};
use structopt::StructOpt;

use crate::cli::exit::Exit;

// Not `///`, which structopt would make the command's description.
#[derive(StructOpt)]
pub struct Metrics {
    /// Serve /metrics, /healthz and /readyz at HOST:PORT or [IPV6]:PORT, by HTTP without TLS or authentication
    #[structopt(long, value_name = "ADDR", env = "CALC_METRICS")]
    metrics: Option<ListenAddress>,
}

impl Metrics {
    /// Validates the address.
    pub fn check(&self) -> Result<(), Exit> {
        match &self.metrics {
            Some(ListenAddress::Unix(_)) => {
                Err(Exit::Usage("--metrics takes no Unix socket; write HOST:PORT or [IPV6]:PORT".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Creates the metrics of a server, with `--metrics`.
    pub fn measure(&self, queues: NonZeroUsize, log: &log::Guard) -> Result<Option<grpcio_kit::Metrics>, Exit> {
        if self.metrics.is_none() {
            return Ok(None);
        }
        let metrics = grpcio_kit::Metrics::new("calc", calc::VERSION, queues).map_err(Exit::failed)?;
        let help = "Log lines that were dropped because standard error was not read in time.";
        metrics.counter("calc_log_lines_dropped_total", help, log.dropped_lines()).map_err(Exit::failed)?;
        Ok(Some(metrics))
    }

    /// Starts the endpoint, which serves from before the server is ready until it is dropped.
    pub fn open(self, metrics: Option<grpcio_kit::Metrics>, readiness: Readiness) -> Result<Option<HttpServer>, Exit> {
        let (Some(address), Some(metrics)) = (self.metrics, metrics) else {
            return Ok(None);
        };
        let ready = readiness.clone();
        let help = "1 while the server accepts RPCs, 0 before that and while it drains.";
        metrics.gauge("calc_ready", help, move || f64::from(u8::from(ready.is_ready()))).map_err(Exit::failed)?;
        let pages = Pages::new().metrics(metrics).health(move || readiness.is_ready());
        let server = HttpServer::start(&address, pages).map_err(Exit::failed)?;
        notice(&format!("metrics on http://{}/metrics", server.address()));
        Ok(Some(server))
    }
}

/// Counts the reloads of a file that holds `what` ("tokens", "certificates"), and the failed ones.
pub fn count_reloads(metrics: Option<&grpcio_kit::Metrics>, what: &str, reloads: Reloads) -> Result<(), Exit> {
    let Some(metrics) = metrics else {
        return Ok(());
    };
    let failed = reloads.clone();
    let name = format!("calc_{what}_reloads_total");
    metrics
        .counter(&name, &format!("Successful reloads of {what}."), move || reloads.succeeded())
        .map_err(Exit::failed)?;
    let name = format!("calc_{what}_reload_failures_total");
    let help = format!("Failed reloads of {what}; the old ones stay in use.");
    metrics.counter(&name, &help, move || failed.failed()).map_err(Exit::failed)
}

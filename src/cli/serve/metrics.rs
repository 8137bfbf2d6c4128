//! `calc serve --metrics`: the HTTP port with metrics and health.

use std::num::NonZeroUsize;

use grpcio_kit::http::{HttpServer, Pages};
use grpcio_kit::log::{self, notice};
use grpcio_kit::{ListenAddress, Readiness, Reloads};
use structopt::StructOpt;

use crate::cli::exit::Exit;

// Its comment would take the place of the command's own: hence not `///`.
#[derive(StructOpt)]
pub struct Metrics {
    /// Where to show metrics and health over HTTP, as HOST:PORT or [IPV6]:PORT: /metrics for Prometheus, /healthz and
    /// /readyz. Without encryption or authentication: give 127.0.0.1 or an inner network's address. Off if not given
    #[structopt(long, value_name = "ADDR", env = "CALC_METRICS", hide_env_values = true)]
    metrics: Option<ListenAddress>,
}

impl Metrics {
    /// Finds fault with the address.
    pub fn check(&self) -> Result<(), Exit> {
        match &self.metrics {
            Some(ListenAddress::Unix(_)) => {
                Err(Exit::Usage("--metrics takes no Unix socket; write HOST:PORT or [IPV6]:PORT".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// What counts the calls of a server, if that is wanted.
    pub fn measure(&self, queues: NonZeroUsize, log: &log::Guard) -> Result<Option<grpcio_kit::Metrics>, Exit> {
        if self.metrics.is_none() {
            return Ok(None);
        }
        let metrics = grpcio_kit::Metrics::new("calc", env!("CARGO_PKG_VERSION"), queues)?;
        metrics.counter(
            "calc_log_lines_dropped_total",
            "Log lines that were dropped: nobody read standard error in time.",
            log.dropped_lines(),
        )?;
        Ok(Some(metrics))
    }

    /// Opens the port. It is open before the server is ready, and until what is returned is dropped.
    pub fn open(self, metrics: Option<grpcio_kit::Metrics>, readiness: Readiness) -> Result<Option<HttpServer>, Exit> {
        let (Some(address), Some(metrics)) = (self.metrics, metrics) else {
            return Ok(None);
        };
        let pages = Pages::new().metrics(metrics).health(move || readiness.is_ready());
        let port = HttpServer::start(&address, pages)?;
        notice(&format!("metrics on http://{}/metrics", port.address()));
        Ok(Some(port))
    }
}

/// Counts how often `what`, a file's content in the plural, has been read again, and how often it was no good.
pub fn count_reloads(metrics: Option<&grpcio_kit::Metrics>, what: &str, reloads: Reloads) -> Result<(), Exit> {
    let Some(metrics) = metrics else {
        return Ok(());
    };
    let failed = reloads.clone();
    let name = format!("calc_{what}_reloads_total");
    metrics.counter(&name, &format!("New {what} that were read and taken."), move || reloads.succeeded())?;
    let name = format!("calc_{what}_reload_failures_total");
    metrics.counter(&name, &format!("New {what} that were refused; the old ones stay."), move || failed.failed())?;
    Ok(())
}

//! `calc serve --metrics`: the HTTP port with metrics and health.

use calc::rpc::http::{HttpServer, Pages};
use calc::rpc::log::{self, notice};
use calc::rpc::{ListenAddress, Metrics, Readiness, ServerBuilder};
use structopt::StructOpt;

use super::Exit;

/// Metrics and health over HTTP.
#[derive(StructOpt)]
pub struct MetricsOptions {
    /// Where to show metrics and health over HTTP, as HOST:PORT or [IPV6]:PORT: /metrics for Prometheus, /healthz and
    /// /readyz. Without encryption or authentication: give 127.0.0.1 or an inner network's address. Off if not given
    #[structopt(long, value_name = "ADDR", env = "CALC_METRICS", hide_env_values = true)]
    metrics: Option<ListenAddress>,
}

impl MetricsOptions {
    /// Counts the calls of `server`, if that is wanted, and opens the port.
    ///
    /// The port is open before the server is ready, and until what is returned is dropped.
    pub fn apply(self, server: ServerBuilder, log: &log::Guard) -> Result<(ServerBuilder, Option<HttpServer>), Exit> {
        let Some(address) = self.metrics else {
            return Ok((server, None));
        };
        let metrics = Metrics::new("calc", env!("CARGO_PKG_VERSION"), server.queue_count())?;
        metrics.counter(
            "calc_log_lines_dropped_total",
            "Log lines that were dropped: nobody read standard error in time.",
            log.dropped_lines(),
        )?;
        let readiness = Readiness::default();
        let server = server.interceptor(metrics.clone()).readiness(readiness.clone());
        let pages = Pages::new().metrics(metrics).health(move || readiness.is_ready());
        let port = HttpServer::start(&address, pages)?;
        notice(&format!("metrics on http://{}/metrics", port.address()));
        Ok((server, Some(port)))
    }
}

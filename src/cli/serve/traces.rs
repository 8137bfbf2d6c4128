//! `calc serve`: OpenTelemetry traces.

use grpcio_kit::ServerBuilder;
use structopt::StructOpt;

use crate::cli::exit::Exit;
use crate::cli::values;

// Not `///`, which structopt would make the command's description.
#[derive(StructOpt)]
pub struct Traces {
    /// Send OpenTelemetry traces to the collector at http://HOST:PORT, by OTLP over HTTP
    #[structopt(long, value_name = "URL", env = "CALC_OTLP_ENDPOINT")]
    otlp_endpoint: Option<String>,
    /// Record this fraction, 0 to 1, of the traces that begin here; of others, those that the client records
    #[structopt(long, value_name = "RATE", env = "CALC_TRACE_RATE", default_value = "0.01",
        parse(try_from_str = values::sampling_rate))]
    trace_rate: f64,
}

/// Sends the last spans when it is dropped.
pub struct Recording(Option<grpcio_opentelemetry::Traces>);

impl Traces {
    /// Adds traces to the server, before other interceptors, so that spans cover these.
    pub fn apply(&self, server: ServerBuilder) -> Result<(ServerBuilder, Recording), Exit> {
        let Some(endpoint) = &self.otlp_endpoint else {
            return Ok((server, Recording(None)));
        };
        let traces = grpcio_opentelemetry::Traces::start(endpoint, "calc", self.trace_rate)
            .map_err(|error| Exit::Usage(format!("--otlp-endpoint: {error}")))?;
        Ok((server.interceptor(traces.clone()), Recording(Some(traces))))
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let Some(traces) = &self.0 {
            traces.shutdown();
        }
    }
}

//! OpenTelemetry traces of a gRPC server, by OTLP over HTTP.
//!
//! ```no_run
//! use grpcio_kit::Server;
//! use grpcio_opentelemetry::Traces;
//!
//! // A hundredth of the traces that begin here, and all that a client records.
//! let traces = Traces::start("http://127.0.0.1:4318", "example", 0.01)?;
//! let server = Server::builder().interceptor(traces.clone()).start()?;
//! // ... when the server has shut down:
//! traces.shutdown();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A method that makes RPCs carries the trace on with
//! [`CallOptions::trace_context`](grpcio_kit::CallOptions::trace_context).

#![deny(missing_docs)]
#![deny(unsafe_code)]

mod http;
mod span;

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;
use std::time::Duration;

use grpcio_kit::{Call, Interceptor, Outcome, Status, TraceContext};
use opentelemetry::InstrumentationScope;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanProcessor};

/// Where a collector takes traces, below its base URL (OTLP specification, "OTLP/HTTP Request").
const PATH: &str = "/v1/traces";

/// The bound on one request to the collector.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// The bound on [`Traces::shutdown`].
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Why traces cannot be recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TracesError {
    /// The endpoint is not the URL of a collector.
    #[error("{0:?} is not the base URL of a collector; write http://HOST:PORT")]
    Endpoint(String),
    /// The ratio is below 0, above 1, or NaN.
    #[error("the sampling ratio must be between 0 and 1, and is {0}")]
    Ratio(f64),
    /// The exporter cannot be set up, for example because of its environment variables.
    #[error("cannot export traces: {0}")]
    Exporter(String),
}

/// Records RPCs as spans of kind SERVER, named `package.Service/Method`, and exports them.
///
/// An RPC is recorded if its client records its own span (the flag `sampled` of `traceparent`, W3C Trace Context), or, if
/// there is no valid `traceparent`, with the probability of the ratio. Attributes are those of OpenTelemetry's semantic
/// conventions for gRPC: `rpc.system`, `rpc.service`, `rpc.method`, `rpc.grpc.status_code`, `network.peer.address` and
/// `network.peer.port`. UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE and DATA_LOSS make the span an error.
///
/// Spans wait in a queue of 2,048; when it is full they are dropped, and the log says so. A thread sends up to 512 of them at
/// a time, every 5 s at the latest. The environment variables of OpenTelemetry change that (`OTEL_BSP_MAX_QUEUE_SIZE`,
/// `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, `OTEL_BSP_SCHEDULE_DELAY`), and add headers and attributes (`OTEL_EXPORTER_OTLP_HEADERS`,
/// `OTEL_RESOURCE_ATTRIBUTES`).
///
/// A handle: clones are the same traces.
#[derive(Clone)]
pub struct Traces(Arc<Inner>);

struct Inner {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    ratio: f64,
}

impl Traces {
    /// Starts the thread that sends spans to the collector at `endpoint`, `http://HOST:PORT`, as those of a service with this
    /// name. `ratio` is the share of the traces that begin here which are recorded, 0 to 1.
    ///
    /// Does not wait for the collector: it need not be there.
    ///
    /// # Errors
    ///
    /// See [`TracesError`].
    pub fn start(endpoint: &str, service: &str, ratio: f64) -> Result<Traces, TracesError> {
        if !(0.0..=1.0).contains(&ratio) {
            return Err(TracesError::Ratio(ratio));
        }
        if !http::is_base_url(endpoint) {
            return Err(TracesError::Endpoint(endpoint.to_owned()));
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(http::Client::new(EXPORT_TIMEOUT))
            .with_endpoint(format!("{}{PATH}", endpoint.trim_end_matches('/')))
            .with_timeout(EXPORT_TIMEOUT)
            .build()
            .map_err(|error| TracesError::Exporter(error.to_string()))?;
        let mut processor = BatchSpanProcessor::builder(exporter).build();
        processor.set_resource(&Resource::builder().with_service_name(service.to_owned()).build());
        let scope =
            InstrumentationScope::builder(env!("CARGO_PKG_NAME")).with_version(env!("CARGO_PKG_VERSION")).build();
        Ok(Traces(Arc::new(Inner { processor, scope, ratio })))
    }

    /// Sends what is in the queue and ends the thread, within 5 s. Later RPCs are not recorded.
    pub fn shutdown(&self) {
        // What is not sent is in the log.
        let _ = self.0.processor.shutdown_with_timeout(SHUTDOWN_TIMEOUT);
    }
}

impl Debug for Traces {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").field("ratio", &self.0.ratio).finish_non_exhaustive()
    }
}

impl Interceptor for Traces {
    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        let parent = call.client_trace_context();
        call.set_span(TraceContext {
            trace_id: parent.map_or_else(|| fastrand::u128(1..), |parent| parent.trace_id),
            span_id: fastrand::u64(1..),
            // Random numbers are below 1.
            sampled: parent.map_or_else(|| fastrand::f64() < self.0.ratio, |parent| parent.sampled),
        });
        Ok(())
    }

    fn after(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
        if let Some(context) = call.trace_context().filter(|context| context.sampled) {
            self.0.processor.on_end(span::of(call, outcome, context, self.0.scope.clone()));
        }
    }

    fn keeps_caller(&self) -> bool {
        true
    }
}

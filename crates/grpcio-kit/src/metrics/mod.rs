//! Metrics for Prometheus: what calls there were, how they ended, and how long they took.
//!
//! Names and labels are those of go-grpc-prometheus, so that its dashboards and alerts work,
//! and every series is there from the start, with 0: a rate is right from the first call on.
//!
//! | metric | type | labels |
//! |---|---|---|
//! | `grpc_server_started_total` | counter | method |
//! | `grpc_server_handled_total` | counter | method, `grpc_code` (each of the 17, as Go writes them: `OK`, `InvalidArgument`) |
//! | `grpc_server_msg_received_total` | counter | method |
//! | `grpc_server_msg_sent_total` | counter | method |
//! | `grpc_server_handling_seconds` | histogram | method |
//! | `grpc_server_in_flight` | gauge | method |
//! | `grpc_server_queue_threads` | gauge | |
//! | `<name>_build_info` | gauge, 1 | `version` |
//! | `process_*` | counter, gauges | (Linux; `process_cpu_seconds_total` in whole seconds) |
//!
//! The labels of a method are `grpc_type` (`unary`, `client_stream`, `server_stream`,
//! `bidi_stream`), `grpc_service` and `grpc_method`. The messages of a streaming call are counted
//! when it ends.

mod asked;
mod calls;
mod table;

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use prometheus::core::Collector;
use prometheus::proto::MetricType;
use prometheus::{IntGauge, Opts, Registry, TextEncoder};

use crate::call::Call;
use crate::interceptor::{Interceptor, Outcome};
use crate::method::MethodDescriptor;
use crate::status::Status;
use asked::Asked;
use calls::{Calls, count, gauge};
use table::Table;

/// The media type of [`Metrics::page`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Why a metric cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// A metric of that name is registered already, or its name or help is none.
    #[error("cannot register the metric {name}: {source}; a name is letters, digits and `_`, and is there once")]
    Register {
        /// The name.
        name: String,
        /// The reason.
        source: prometheus::Error,
    },
    /// A collector gave metrics that cannot be written.
    #[error("cannot write the metrics: {0}; look at the collectors that were registered last")]
    Write(prometheus::Error),
}

/// Counts the calls of a server, and writes the page that Prometheus reads.
///
/// A handle: clones are the same metrics. It belongs before the other interceptors, so that
/// it sees what they refuse, and to one server only.
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use grpcio_kit::{Metrics, Server};
///
/// let metrics = Metrics::new("example", "1.2.3", NonZeroUsize::MIN)?;
/// metrics.gauge("example_answer", "The answer.", || 42.0)?;
/// let server = Server::builder().queues(NonZeroUsize::MIN).interceptor(metrics.clone());
/// assert!(metrics.page()?.contains("example_build_info{version=\"1.2.3\"} 1\n"));
/// # Ok::<(), grpcio_kit::MetricsError>(())
/// ```
#[derive(Clone)]
pub struct Metrics {
    table: Arc<OnceLock<Table>>,
    queues: NonZeroUsize,
    registry: Registry,
}

impl Metrics {
    /// The metrics of a program by its name, which `<name>_build_info` begins with, and its version,
    /// for a server with this number of queues.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Register`] if `name` is no beginning of a metric's name.
    pub fn new(name: &str, version: &str, queues: NonZeroUsize) -> Result<Metrics, MetricsError> {
        let metrics = Metrics { table: Arc::default(), queues, registry: Registry::new() };
        metrics.add("grpc_server_*", Calls::new(Arc::clone(&metrics.table)))?;
        let threads = queues.get() as f64;
        metrics.gauge("grpc_server_queue_threads", "Threads that run methods, one for each queue.", move || threads)?;
        let name = format!("{name}_build_info");
        let options = Opts::new(name.as_str(), "1, for the version that runs.").const_label("version", version);
        metrics.add(&name, IntGauge::with_opts(options).inspect(|info| info.set(1)))?;
        #[cfg(target_os = "linux")]
        metrics.add("process_*", Ok(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(metrics)
    }

    /// Adds a counter that something else keeps: `read` is asked at each scrape, must not wait,
    /// and never tell less than before.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Register`]: the name is taken, or is none.
    pub fn counter(
        &self,
        name: &str,
        help: &str,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Result<(), MetricsError> {
        self.add(name, Asked::new(name, help, MetricType::COUNTER, move || count(read())))
    }

    /// Adds a gauge that something else keeps: `read` is asked at each scrape and must not wait.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Register`]: the name is taken, or is none.
    pub fn gauge(
        &self,
        name: &str,
        help: &str,
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Result<(), MetricsError> {
        self.add(name, Asked::new(name, help, MetricType::GAUGE, move || gauge(read())))
    }

    /// Adds whatever the `prometheus` crate can collect.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Register`]: a name is taken.
    pub fn register(&self, collector: Box<dyn Collector>) -> Result<(), MetricsError> {
        let name =
            collector.desc().iter().map(|description| description.fq_name.as_str()).collect::<Vec<_>>().join(", ");
        self.registry.register(collector).map_err(|source| MetricsError::Register { name, source })
    }

    fn add(&self, name: &str, collector: prometheus::Result<impl Collector + 'static>) -> Result<(), MetricsError> {
        let collector = collector.map_err(|source| MetricsError::Register { name: name.to_owned(), source })?;
        self.register(Box::new(collector))
    }

    /// The page, in Prometheus' text format 0.0.4.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Write`] if a registered collector gives what is no metric.
    pub fn page(&self) -> Result<String, MetricsError> {
        TextEncoder::new().encode_to_string(&self.registry.gather()).map_err(MetricsError::Write)
    }
}

impl Interceptor for Metrics {
    fn start(&self, methods: &[MethodDescriptor]) {
        if self.table.set(Table::new(methods, self.queues.get())).is_err() {
            tracing::error!("these metrics have a server already; the calls of a second one are counted wrongly");
        }
    }

    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        if let Some(table) = self.table.get() {
            table.started(call.method());
        }
        Ok(())
    }

    fn after(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
        if let Some(table) = self.table.get() {
            table.handled(call.method(), outcome);
        }
    }
}

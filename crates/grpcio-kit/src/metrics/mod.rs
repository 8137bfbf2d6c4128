//! Metrics for [Prometheus](https://prometheus.io/docs/concepts/metric_types/): RPCs by method and status, their
//! durations, the process, and values of the program's own.
//!
//! Names and labels are those of go-grpc-prometheus, so that its dashboards and alerts work. Every series exists from
//! the start, with 0, so that `rate()` counts the first RPC too.
//!
//! | metric | type | labels |
//! |---|---|---|
//! | `grpc_server_started_total` | counter | method |
//! | `grpc_server_handled_total` | counter | method, `grpc_code` (each of the 17, as Go writes them: `OK`, `InvalidArgument`) |
//! | `grpc_server_msg_received_total` | counter | method |
//! | `grpc_server_msg_sent_total` | counter | method |
//! | `grpc_server_handling_seconds` | histogram | method |
//! | `grpc_server_blocked_thread_total` | counter | method |
//! | `grpc_server_core_started_total` | counter | |
//! | `grpc_server_queue_wait_seconds` | histogram | |
//! | `grpc_server_in_flight` | gauge | method |
//! | `grpc_server_queue_threads` | gauge | |
//! | `<name>_build_info` | gauge, 1 | `version`, `grpc_core` (as [`core_version`]) |
//! | `process_*` | counter, gauges | (Linux; `process_cpu_seconds_total` in whole seconds) |
//!
//! The labels of a method are `grpc_type` (`unary`, `client_stream`, `server_stream`, `bidi_stream`), `grpc_service`
//! and `grpc_method`; a method that the server does not have is `other` of `other`: no client can add a series. The
//! messages of a streaming RPC are counted when it ends.
//!
//! An RPC reaches its method when its request has arrived. What comes before is not in the metrics of methods, but in two
//! of their own, without a method ([`ServerBuilder::metrics`](crate::ServerBuilder::metrics)):
//! `grpc_server_core_started_total` counts the RPCs that the C core rejects too, and those that end before they reach their
//! method; `grpc_server_queue_wait_seconds` has the time that RPCs wait in their completion queue, measured ten times a
//! second in each.

mod rpcs;
mod shards;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge, Opts, PullingGauge, Registry, TextEncoder};

use crate::c_core::core_version;
use crate::call::Call;
use crate::interceptor::{Interceptor, Outcome};
use crate::method::MethodDescriptor;
use crate::status::Status;
use rpcs::Rpcs;
use shards::BOUNDS;

/// The media type of [`Metrics::page`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Why a metric cannot be registered or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// The name is taken or invalid, or the help is empty.
    #[error("cannot register the metric {name}: {source}; a name is unique and consists of letters, digits and `_`")]
    Register {
        /// The name.
        name: String,
        /// The reason.
        source: prometheus::Error,
    },
    /// A registered collector returned invalid metrics.
    #[error("cannot write the metrics: {0}; check the collectors that were registered last")]
    Write(prometheus::Error),
}

/// Counts and times the RPCs of a server, and writes the page that Prometheus scrapes.
///
/// A handle: clones are the same metrics. They are those of one server ([`ServerBuilder::metrics`]).
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use grpcio_kit::{Metrics, Server};
///
/// let metrics = Metrics::new("example", "1.2.3", NonZeroUsize::MIN)?;
/// metrics.gauge("example_answer", "The answer.", || 42.0)?;
/// let server = Server::builder().queues(NonZeroUsize::MIN).metrics(&metrics);
/// assert!(metrics.page()?.contains("example_build_info{"));
/// # Ok::<(), grpcio_kit::MetricsError>(())
/// ```
///
/// [`ServerBuilder::metrics`]: crate::ServerBuilder::metrics
#[derive(Clone)]
pub struct Metrics {
    rpcs: Rpcs,
    queue_wait: Histogram,
    registry: Registry,
    /// Held during a scrape: collectors bring their families up to date first.
    scrape: Arc<Mutex<()>>,
}

impl Metrics {
    /// Returns the metrics of a program with this name, the prefix of `<name>_build_info`, and version, for a server
    /// with this number of completion queues.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Register`] if a metric's name cannot begin with `name`.
    pub fn new(name: &str, version: &str, queues: NonZeroUsize) -> Result<Metrics, MetricsError> {
        let register = |source| MetricsError::Register { name: "grpc_server_*".to_owned(), source };
        let wait =
            HistogramOpts::new("grpc_server_queue_wait_seconds", "Time that RPCs wait in their queue, in seconds.")
                .buckets(BOUNDS.map(seconds).to_vec());
        let metrics = Metrics {
            rpcs: Rpcs::new(queues.get()).map_err(register)?,
            queue_wait: Histogram::with_opts(wait).map_err(register)?,
            registry: Registry::new(),
            scrape: Arc::default(),
        };
        metrics.register(Box::new(metrics.rpcs.clone()))?;
        metrics.register(Box::new(metrics.queue_wait.clone()))?;
        let threads = queues.get() as f64;
        metrics.gauge("grpc_server_queue_threads", "Threads that run methods, one per queue.", move || threads)?;
        let name = format!("{name}_build_info");
        let info = Opts::new(name.as_str(), "1, labelled with what is running.")
            .const_label("version", version)
            .const_label("grpc_core", core_version());
        metrics.add(&name, IntGauge::with_opts(info).inspect(|info| info.set(1)))?;
        #[cfg(target_os = "linux")]
        metrics.add("process_*", Ok(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(metrics)
    }

    /// Adds a counter kept elsewhere. `read` is called at each scrape; it must not block, and never return less than
    /// before.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Register`] if the name is taken or invalid.
    pub fn counter(
        &self,
        name: &str,
        help: &str,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Result<(), MetricsError> {
        self.add(name, IntCounter::new(name, help).map(|counter| PullingCounter { counter, read }))
    }

    /// Adds a gauge kept elsewhere. `read` is called at each scrape and must not block.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Register`] if the name is taken or invalid.
    pub fn gauge(
        &self,
        name: &str,
        help: &str,
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Result<(), MetricsError> {
        self.add(name, PullingGauge::new(name, help, Box::new(read)))
    }

    /// Adds any collector of the `prometheus` crate.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Register`] if a name is taken.
    pub fn register(&self, collector: Box<dyn Collector>) -> Result<(), MetricsError> {
        let name =
            collector.desc().iter().map(|description| description.fq_name.as_str()).collect::<Vec<_>>().join(", ");
        self.registry.register(collector).map_err(|source| MetricsError::Register { name, source })
    }

    fn add(&self, name: &str, collector: prometheus::Result<impl Collector + 'static>) -> Result<(), MetricsError> {
        let collector = collector.map_err(|source| MetricsError::Register { name: name.to_owned(), source })?;
        self.register(Box::new(collector))
    }

    /// Counts the time for which an event waited in a completion queue.
    pub(crate) fn waited(&self, time: Duration) {
        self.queue_wait.observe(time.as_secs_f64());
    }

    /// Returns the page for Prometheus, in its text format 0.0.4.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Write`] if a registered collector returns invalid metrics.
    pub fn page(&self) -> Result<String, MetricsError> {
        let _scrape = self.scrape.lock().unwrap_or_else(PoisonError::into_inner);
        TextEncoder::new().encode_to_string(&self.registry.gather()).map_err(MetricsError::Write)
    }
}

impl Interceptor for Metrics {
    fn start(&self, methods: &[MethodDescriptor]) {
        if !self.rpcs.start(methods) {
            tracing::error!("these metrics belong to another server already; RPCs of this one are counted wrongly");
        }
    }

    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        self.rpcs.started(call.method());
        Ok(())
    }

    fn after(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
        self.rpcs.handled(call.method(), outcome);
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// A counter kept elsewhere; for gauges, the `prometheus` crate has this.
struct PullingCounter<F> {
    counter: IntCounter,
    read: F,
}

impl<F: Fn() -> u64 + Send + Sync> Collector for PullingCounter<F> {
    fn desc(&self) -> Vec<&Desc> {
        self.counter.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.counter.inc_by((self.read)().saturating_sub(self.counter.get()));
        self.counter.collect()
    }
}

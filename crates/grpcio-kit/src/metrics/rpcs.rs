//! The metrics of RPCs: families of the `prometheus` crate, which a scrape brings up to date from the live numbers.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use prometheus::core::{Collector, Desc, Metric};
use prometheus::proto::{self, MetricFamily};
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Result,
};

use crate::interceptor::Outcome;
use crate::method::{MethodDescriptor, MethodKind};
use crate::metrics::seconds;
use crate::metrics::shards::{BOUNDS, Row, Shards};
use crate::status::code::Code;

const METHOD_LABELS: [&str; 3] = ["grpc_type", "grpc_service", "grpc_method"];

/// Counters without further labels: the name, the help, and where the number is.
type Counter = (&'static str, &'static str, fn(&Row<u64>) -> u64);

const COUNTERS: [Counter; 4] = [
    ("grpc_server_started_total", "Total number of RPCs started on the server.", |totals| totals.started),
    (
        "grpc_server_msg_received_total",
        "Total number of RPC messages received on the server, of RPCs that have ended.",
        |totals| totals.received,
    ),
    (
        "grpc_server_msg_sent_total",
        "Total number of RPC messages sent by the server, of RPCs that have ended.",
        |totals| totals.sent,
    ),
    (
        "grpc_server_blocked_thread_total",
        "RPCs whose method blocked its completion-queue thread for longer than the threshold.",
        |totals| totals.blocked_thread,
    ),
];

/// The families, and once the server has started, their children. A handle: clones are the same metrics.
#[derive(Clone)]
pub(super) struct Rpcs {
    queues: usize,
    /// In the order of [`COUNTERS`].
    counters: Vec<IntCounterVec>,
    handled: IntCounterVec,
    seconds: HistogramVec,
    in_flight: IntGaugeVec,
    live: Arc<OnceLock<Live>>,
}

struct Live {
    shards: Shards,
    /// Indexed by [`MethodDescriptor::index`].
    methods: Vec<Children>,
}

struct Children {
    counters: Vec<IntCounter>,
    /// Indexed by [`Code`].
    handled: Vec<IntCounter>,
    /// Has the labels alone: the crate's histograms only take one observation at a time.
    seconds: Histogram,
    in_flight: IntGauge,
}

impl Rpcs {
    /// Returns the metrics of a server with this number of queues.
    pub fn new(queues: usize) -> Result<Rpcs> {
        let [kind, service, method] = METHOD_LABELS;
        let handled = Opts::new(
            "grpc_server_handled_total",
            "Total number of RPCs completed on the server, regardless of success or failure.",
        );
        let seconds = HistogramOpts::new(
            "grpc_server_handling_seconds",
            "Time from the first interceptor of an RPC to its status, in seconds.",
        );
        let in_flight = Opts::new("grpc_server_in_flight", "RPCs that have started and not been handled yet.");
        let counter = |(name, help, _): &Counter| IntCounterVec::new(Opts::new(*name, *help), &METHOD_LABELS);
        Ok(Rpcs {
            queues,
            counters: COUNTERS.iter().map(counter).collect::<Result<_>>()?,
            handled: IntCounterVec::new(handled, &[kind, service, method, "grpc_code"])?,
            seconds: HistogramVec::new(seconds, &METHOD_LABELS)?,
            in_flight: IntGaugeVec::new(in_flight, &METHOD_LABELS)?,
            live: Arc::default(),
        })
    }

    /// Adds the series of these methods, with 0. Returns whether this was the first time.
    pub fn start(&self, methods: &[MethodDescriptor]) -> bool {
        let mut first = false;
        self.live.get_or_init(|| {
            first = true;
            let children = methods.iter().map(|method| self.children(*method)).collect();
            Live { shards: Shards::new(methods.len(), self.queues), methods: children }
        });
        first
    }

    /// There are as many values as labels: none of these lookups can panic.
    fn children(&self, method: MethodDescriptor) -> Children {
        let kind = match method.kind() {
            MethodKind::Unary => "unary",
            MethodKind::ClientStreaming => "client_stream",
            MethodKind::ServerStreaming => "server_stream",
            MethodKind::BidiStreaming => "bidi_stream",
        };
        let (service, name) = (method.service(), method.name());
        let labels = &[kind, service, name];
        let handled = |code: &Code| self.handled.with_label_values(&[kind, service, name, &code_label(*code)]);
        Children {
            counters: self.counters.iter().map(|family| family.with_label_values(labels)).collect(),
            handled: Code::ALL.iter().map(handled).collect(),
            seconds: self.seconds.with_label_values(labels),
            in_flight: self.in_flight.with_label_values(labels),
        }
    }

    pub fn started(&self, method: MethodDescriptor) {
        if let Some(row) = self.live.get().and_then(|live| live.shards.row(method.index())) {
            row.started.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn handled(&self, method: MethodDescriptor, outcome: &Outcome<'_>) {
        let Some(row) = self.live.get().and_then(|live| live.shards.row(method.index())) else {
            return;
        };
        for (number, amount) in [
            (&row.received, outcome.received),
            (&row.sent, outcome.sent),
            (&row.blocked_thread, outcome.blocked_thread.into()),
        ] {
            if amount > 0 {
                number.fetch_add(amount, Ordering::Relaxed);
            }
        }
        row.end(outcome.elapsed, outcome.code());
    }

    fn families(&self) -> impl Iterator<Item = &dyn Collector> {
        let own: [&dyn Collector; 2] = [&self.handled, &self.in_flight];
        own.into_iter().chain(self.counters.iter().map(|family| family as &dyn Collector))
    }
}

impl Collector for Rpcs {
    fn desc(&self) -> Vec<&Desc> {
        self.families().chain([&self.seconds as &dyn Collector]).flat_map(|family| family.desc()).collect()
    }

    /// One scrape at a time may call this.
    fn collect(&self) -> Vec<MetricFamily> {
        let Some(live) = self.live.get() else {
            return Vec::new();
        };
        let mut seconds = Vec::new();
        for (index, method) in live.methods.iter().enumerate() {
            let totals = live.shards.totals(index);
            for (counter, (_, _, number)) in method.counters.iter().zip(COUNTERS) {
                counter.inc_by(number(&totals).saturating_sub(counter.get()));
            }
            for (counter, number) in method.handled.iter().zip(totals.handled) {
                counter.inc_by(number.saturating_sub(counter.get()));
            }
            let in_flight = totals.started.saturating_sub(totals.handled.iter().sum());
            method.in_flight.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
            let mut metric = method.seconds.metric();
            metric.set_histogram(histogram(&totals));
            seconds.push(metric);
        }
        let mut families: Vec<_> = self.families().flat_map(|family| family.collect()).collect();
        families.extend(self.seconds.collect().into_iter().take(1).map(|mut family| {
            family.set_metric(std::mem::take(&mut seconds));
            family
        }));
        families
    }
}

/// Returns the histogram of the durations. Its count is the sum of its buckets at any time.
fn histogram(totals: &Row<u64>) -> proto::Histogram {
    let mut count = 0;
    let buckets = BOUNDS.iter().zip(totals.buckets).map(|(bound, number)| {
        count += number;
        let mut bucket = proto::Bucket::default();
        bucket.set_upper_bound(seconds(*bound));
        bucket.set_cumulative_count(count);
        bucket
    });
    let mut histogram = proto::Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(totals.buckets.iter().sum());
    histogram.set_sample_sum(seconds(totals.nanoseconds));
    histogram
}

/// The code as Go writes it, as go-grpc-prometheus' dashboards and alerts expect it.
fn code_label(code: Code) -> String {
    match code {
        Code::Ok => "OK".to_owned(),
        Code::Cancelled => "Canceled".to_owned(),
        code => format!("{code:?}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::status::Status;

    const METHOD: MethodDescriptor = MethodDescriptor::new("/test.Rpcs/Method", MethodKind::Unary, 0);

    fn rpcs() -> Rpcs {
        let rpcs = Rpcs::new(2).unwrap();
        assert!(rpcs.start(&[METHOD]));
        rpcs
    }

    fn totals(rpcs: &Rpcs) -> Row<u64> {
        rpcs.live.get().unwrap().shards.totals(0)
    }

    fn outcome(status: Option<&Status>, elapsed: Duration) -> Outcome<'_> {
        Outcome { status, elapsed, received: 1, sent: u64::from(status.is_none()), blocked_thread: false }
    }

    #[test]
    fn the_default_buckets_are_among_ours() {
        for seconds in prometheus::DEFAULT_BUCKETS {
            assert!(BOUNDS.iter().any(|bound| *bound as f64 / 1e9 == *seconds), "{seconds}");
        }
        assert!(BOUNDS.is_sorted());
    }

    #[test]
    fn codes_are_labelled_as_in_go() {
        let labels: Vec<_> = Code::ALL.iter().map(|code| code_label(*code)).collect();
        assert_eq!(
            labels.join(" "),
            "OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied \
             ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss \
             Unauthenticated"
        );
    }

    #[test]
    fn a_duration_on_a_bound_belongs_to_the_bucket_below() {
        let rpcs = rpcs();
        for nanoseconds in [0, 1_000, 1_001, 2_500, 10_000_000_000, 10_000_000_001] {
            rpcs.handled(METHOD, &outcome(None, Duration::from_nanos(nanoseconds)));
        }
        let mut page = String::new();
        prometheus::TextEncoder::new().encode_utf8(&rpcs.collect(), &mut page).unwrap();
        let labels = "grpc_method=\"Method\",grpc_service=\"test.Rpcs\",grpc_type=\"unary\"";
        for (bound, count) in [("0.000001", 2), ("0.0000025", 4), ("5", 4), ("10", 5), ("+Inf", 6)] {
            let line = format!("grpc_server_handling_seconds_bucket{{{labels},le=\"{bound}\"}} {count}");
            assert!(page.lines().any(|other| other == line), "{line}: {page}");
        }
    }

    #[test]
    fn what_several_threads_count_adds_up() {
        let rpcs = rpcs();
        let refused = Status::new(Code::Unauthenticated, "no");
        std::thread::scope(|scope| {
            for _ in 0..9 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        rpcs.started(METHOD);
                        rpcs.started(METHOD);
                        rpcs.handled(METHOD, &outcome(None, Duration::from_nanos(500)));
                    }
                    rpcs.started(METHOD);
                    rpcs.handled(METHOD, &outcome(Some(&refused), Duration::ZERO));
                });
            }
            // While they count, each scrape adds up.
            for _ in 0..1000 {
                let totals = totals(&rpcs);
                let handled: u64 = totals.handled.iter().sum();
                assert!(handled <= totals.started && handled <= totals.buckets.iter().sum());
            }
        });
        let totals = totals(&rpcs);
        assert_eq!((totals.started, totals.handled[0], totals.handled[16]), (18_009, 9_000, 9));
        assert_eq!((totals.received, totals.sent, totals.nanoseconds), (9_009, 9_000, 4_500_000));
        rpcs.collect();
        let children = &rpcs.live.get().unwrap().methods[0];
        assert_eq!((children.in_flight.get(), children.counters[0].get()), (9_000, 18_009));
    }

    #[test]
    fn a_method_of_another_server_is_not_counted() {
        let rpcs = rpcs();
        let other = MethodDescriptor::new("/test.Other/Method", MethodKind::Unary, 1);
        rpcs.started(other);
        rpcs.handled(other, &outcome(None, Duration::ZERO));
        assert!(!rpcs.start(&[other]) && totals(&rpcs).started == 0);
    }
}

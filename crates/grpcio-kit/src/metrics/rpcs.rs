//! The metrics of RPCs: families of the `prometheus` crate, and for each method its children, resolved once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Result,
};

use crate::interceptor::Outcome;
use crate::method::{MethodDescriptor, MethodKind};
use crate::status::code::Code;

const METHOD_LABELS: [&str; 3] = ["grpc_type", "grpc_service", "grpc_method"];

/// Upper bounds in seconds: Prometheus' defaults from 5 ms on, and finer ones for methods that take microseconds.
#[rustfmt::skip]
const BUCKETS: [f64; 22] = [
    1e-6, 2.5e-6, 5e-6, 10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6,
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0,
];

/// Counters of what is known at the end of an RPC: the name, the help, and what an RPC adds.
type AtEnd = (&'static str, &'static str, fn(&Outcome<'_>) -> u64);

const AT_END: [AtEnd; 3] = [
    (
        "grpc_server_msg_received_total",
        "Total number of RPC messages received on the server, of RPCs that have ended.",
        |outcome| outcome.received,
    ),
    (
        "grpc_server_msg_sent_total",
        "Total number of RPC messages sent by the server, of RPCs that have ended.",
        |outcome| outcome.sent,
    ),
    (
        "grpc_server_blocked_thread_total",
        "RPCs whose method blocked its completion-queue thread for longer than the threshold.",
        |outcome| outcome.blocked_thread.into(),
    ),
];

/// The families, and once the server has started, their children. A handle: clones are the same metrics.
#[derive(Clone)]
pub(super) struct Rpcs {
    started: IntCounterVec,
    handled: IntCounterVec,
    /// In the order of [`AT_END`].
    at_end: Vec<IntCounterVec>,
    seconds: HistogramVec,
    in_flight: IntGaugeVec,
    /// Indexed by [`MethodDescriptor::index`].
    methods: Arc<OnceLock<Vec<MethodMetrics>>>,
}

struct MethodMetrics {
    started: Count,
    /// Indexed by [`Code`].
    handled: Vec<Count>,
    at_end: Vec<IntCounter>,
    seconds: Histogram,
    in_flight: IntGauge,
}

/// A counter that reaches its family only at a scrape: the started, handled and in-flight RPCs of a page add up.
struct Count {
    now: AtomicU64,
    at_scrape: IntCounter,
}

impl Count {
    fn new(at_scrape: IntCounter) -> Count {
        Count { now: AtomicU64::new(0), at_scrape }
    }

    /// Brings the family up to date and returns the number. One scrape at a time calls this.
    fn scrape(&self) -> u64 {
        let now = self.now.load(Ordering::Acquire);
        self.at_scrape.inc_by(now.saturating_sub(self.at_scrape.get()));
        now
    }
}

impl Rpcs {
    pub fn new() -> Result<Rpcs> {
        let counter = |name: &str, help: &str| IntCounterVec::new(Opts::new(name, help), &METHOD_LABELS);
        let [kind, service, method] = METHOD_LABELS;
        let handled = Opts::new(
            "grpc_server_handled_total",
            "Total number of RPCs completed on the server, regardless of success or failure.",
        );
        let seconds = HistogramOpts::new(
            "grpc_server_handling_seconds",
            "Time from the arrival of an RPC in the server to its status, in seconds.",
        );
        let in_flight = Opts::new("grpc_server_in_flight", "RPCs that have started and not been handled yet.");
        Ok(Rpcs {
            started: counter("grpc_server_started_total", "Total number of RPCs started on the server.")?,
            handled: IntCounterVec::new(handled, &[kind, service, method, "grpc_code"])?,
            at_end: AT_END.iter().map(|(name, help, _)| counter(name, help)).collect::<Result<_>>()?,
            seconds: HistogramVec::new(seconds.buckets(BUCKETS.to_vec()), &METHOD_LABELS)?,
            in_flight: IntGaugeVec::new(in_flight, &METHOD_LABELS)?,
            methods: Arc::default(),
        })
    }

    /// Adds the series of these methods, with 0. Returns whether this was the first time.
    pub fn start(&self, methods: &[MethodDescriptor]) -> bool {
        let mut first = false;
        self.methods.get_or_init(|| {
            first = true;
            methods.iter().map(|method| self.children(*method)).collect()
        });
        first
    }

    /// There are as many values as labels: none of these lookups can panic.
    fn children(&self, method: MethodDescriptor) -> MethodMetrics {
        let kind = match method.kind() {
            MethodKind::Unary => "unary",
            MethodKind::ClientStreaming => "client_stream",
            MethodKind::ServerStreaming => "server_stream",
            MethodKind::BidiStreaming => "bidi_stream",
        };
        let (service, name) = (method.service(), method.name());
        let labels = &[kind, service, name];
        let handled = |code: &Code| self.handled.with_label_values(&[kind, service, name, &code_label(*code)]);
        MethodMetrics {
            started: Count::new(self.started.with_label_values(labels)),
            handled: Code::ALL.iter().map(handled).map(Count::new).collect(),
            at_end: self.at_end.iter().map(|family| family.with_label_values(labels)).collect(),
            seconds: self.seconds.with_label_values(labels),
            in_flight: self.in_flight.with_label_values(labels),
        }
    }

    fn of(&self, method: MethodDescriptor) -> Option<&MethodMetrics> {
        self.methods.get()?.get(method.index())
    }

    pub fn started(&self, method: MethodDescriptor) {
        if let Some(metrics) = self.of(method) {
            metrics.started.now.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn handled(&self, method: MethodDescriptor, outcome: &Outcome<'_>) {
        let Some(metrics) = self.of(method) else {
            return;
        };
        metrics.seconds.observe(outcome.elapsed.as_secs_f64());
        for (counter, (_, _, amount)) in metrics.at_end.iter().zip(AT_END) {
            let amount = amount(outcome);
            if amount > 0 {
                counter.inc_by(amount);
            }
        }
        // Last: a scrape that sees this RPC as handled sees its start and its duration too.
        if let Some(handled) = metrics.handled.get(outcome.code() as usize) {
            handled.now.fetch_add(1, Ordering::Release);
        }
    }

    fn families(&self) -> impl Iterator<Item = &dyn Collector> {
        let own: [&dyn Collector; 4] = [&self.started, &self.handled, &self.seconds, &self.in_flight];
        own.into_iter().chain(self.at_end.iter().map(|family| family as &dyn Collector))
    }
}

impl Collector for Rpcs {
    fn desc(&self) -> Vec<&Desc> {
        self.families().flat_map(|family| family.desc()).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        for method in self.methods.get().into_iter().flatten() {
            // Started RPCs are read last: there are never fewer than handled ones.
            let handled = method.handled.iter().map(Count::scrape).sum();
            let in_flight = method.started.scrape().saturating_sub(handled);
            method.in_flight.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
        }
        self.families().flat_map(|family| family.collect()).collect()
    }
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
        let rpcs = Rpcs::new().unwrap();
        assert!(rpcs.start(&[METHOD]));
        rpcs
    }

    fn of(rpcs: &Rpcs) -> &MethodMetrics {
        rpcs.of(METHOD).unwrap()
    }

    fn outcome(status: Option<&Status>, elapsed: Duration) -> Outcome<'_> {
        Outcome { status, elapsed, received: 1, sent: u64::from(status.is_none()), blocked_thread: false }
    }

    #[test]
    fn the_default_buckets_are_among_ours() {
        assert!(prometheus::DEFAULT_BUCKETS.iter().all(|bound| BUCKETS.contains(bound)));
        assert!(BUCKETS.is_sorted());
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
        prometheus::TextEncoder::new().encode_utf8(&rpcs.seconds.collect(), &mut page).unwrap();
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
        let handled = || of(&rpcs).handled.iter().map(|count| count.at_scrape.get()).sum::<u64>();
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
                rpcs.collect();
                let in_flight = u64::try_from(of(&rpcs).in_flight.get()).unwrap();
                assert_eq!(of(&rpcs).started.at_scrape.get(), handled() + in_flight);
                assert!(of(&rpcs).seconds.get_sample_count() >= handled());
            }
        });
        rpcs.collect();
        let metrics = of(&rpcs);
        assert_eq!((metrics.started.at_scrape.get(), metrics.in_flight.get()), (18_009, 9_000));
        assert_eq!([0, 16].map(|code: usize| metrics.handled[code].at_scrape.get()), [9_000, 9]);
        assert_eq!([0, 1].map(|family: usize| metrics.at_end[family].get()), [9_009, 9_000]);
        assert!((metrics.seconds.get_sample_sum() - 0.0045).abs() < 1e-9);
    }

    #[test]
    fn a_method_of_another_server_is_not_counted() {
        let rpcs = rpcs();
        let other = MethodDescriptor::new("/test.Other/Method", MethodKind::Unary, 1);
        rpcs.started(other);
        rpcs.handled(other, &outcome(None, Duration::ZERO));
        assert!(!rpcs.start(&[other]) && rpcs.of(other).is_none());
    }
}

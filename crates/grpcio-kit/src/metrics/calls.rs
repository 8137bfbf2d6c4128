//! The numbers of the calls as Prometheus' families, under go-grpc-prometheus' names.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use prometheus::core::{Collector, Desc};
use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};

use super::table::{BOUNDS, Table, Totals};
use crate::method::{MethodDescriptor, MethodKind};
use crate::status::code::Code;

/// A family: its name, what it is, and its type.
struct Family {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    /// Whether there is one for each code.
    by_code: bool,
}

const fn counter(name: &'static str, help: &'static str) -> Family {
    Family { name, help, kind: MetricType::COUNTER, by_code: false }
}

const STARTED: Family = counter("grpc_server_started_total", "Total number of RPCs started on the server.");
const HANDLED: Family = Family {
    by_code: true,
    ..counter(
        "grpc_server_handled_total",
        "Total number of RPCs completed on the server, regardless of success or failure.",
    )
};
const RECEIVED: Family = counter(
    "grpc_server_msg_received_total",
    "Total number of RPC messages received on the server, of RPCs that have ended.",
);
const SENT: Family =
    counter("grpc_server_msg_sent_total", "Total number of RPC messages sent by the server, of RPCs that have ended.");
const SECONDS: Family = Family {
    kind: MetricType::HISTOGRAM,
    ..counter(
        "grpc_server_handling_seconds",
        "Time from the arrival of an RPC in the server to its status, in seconds.",
    )
};
const IN_FLIGHT: Family = Family {
    kind: MetricType::GAUGE,
    ..counter("grpc_server_in_flight", "RPCs that have started and not been handled yet.")
};

const FAMILIES: [&Family; 6] = [&STARTED, &HANDLED, &RECEIVED, &SENT, &SECONDS, &IN_FLIGHT];

/// The calls of a server, once that has told its methods.
pub(super) struct Calls {
    table: Arc<OnceLock<Table>>,
    descriptions: Vec<Desc>,
}

impl Calls {
    pub fn new(table: Arc<OnceLock<Table>>) -> prometheus::Result<Calls> {
        let describe = |family: &&Family| {
            let labels = ["grpc_type", "grpc_service", "grpc_method"].into_iter();
            let labels = labels.chain(family.by_code.then_some("grpc_code")).map(str::to_owned).collect();
            Desc::new(family.name.to_owned(), family.help.to_owned(), labels, HashMap::new())
        };
        Ok(Calls { table, descriptions: FAMILIES.iter().map(describe).collect::<Result<_, _>>()? })
    }
}

impl Collector for Calls {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Some(table) = self.table.get() else {
            return Vec::new();
        };
        let methods: Vec<_> = table.methods.iter().map(|method| (labels(*method), table.totals(*method))).collect();
        let family = |family: &Family, metric: &dyn Fn(&Totals) -> Metric| {
            let metrics = methods.iter().map(|(labels, totals)| labelled(metric(totals), labels.clone()));
            collected(family, metrics.collect())
        };
        let handled = methods.iter().flat_map(|(labels, totals)| {
            Code::ALL.iter().map(move |code| {
                let labels = labels.iter().cloned().chain([label("grpc_code", code_label(*code))]);
                labelled(count(totals.handled[*code as usize]), labels.collect())
            })
        });
        vec![
            family(&STARTED, &|totals| count(totals.started)),
            collected(&HANDLED, handled.collect()),
            family(&RECEIVED, &|totals| count(totals.received)),
            family(&SENT, &|totals| count(totals.sent)),
            family(&SECONDS, &histogram),
            family(&IN_FLIGHT, &|totals| gauge(totals.in_flight() as f64)),
        ]
    }
}

fn collected(family: &Family, metrics: Vec<Metric>) -> MetricFamily {
    family_of(family.name, family.help, family.kind, metrics)
}

/// A family of metrics.
pub(super) fn family_of(name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

/// A counter's metric. A number over 2^53 loses its last digits, as everywhere in Prometheus.
pub(super) fn count(number: u64) -> Metric {
    let mut counter = Counter::default();
    counter.set_value(number as f64);
    let mut metric = Metric::default();
    metric.set_counter(counter);
    metric
}

/// A gauge's metric.
pub(super) fn gauge(value: f64) -> Metric {
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    Metric::from_gauge(gauge)
}

/// The count is the sum of the buckets that were read, never another number.
fn histogram(totals: &Totals) -> Metric {
    let mut sum = 0;
    let buckets = BOUNDS.iter().zip(&totals.buckets).map(|(bound, number)| {
        sum += number;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(seconds(*bound));
        bucket.set_cumulative_count(sum);
        bucket
    });
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(totals.buckets.iter().sum());
    histogram.set_sample_sum(seconds(totals.nanoseconds));
    let mut metric = Metric::default();
    metric.set_histogram(histogram);
    metric
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

fn labelled(mut metric: Metric, labels: Vec<LabelPair>) -> Metric {
    metric.set_label(labels);
    metric
}

/// A label.
fn label(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}

fn labels(method: MethodDescriptor) -> Vec<LabelPair> {
    let kind = match method.kind() {
        MethodKind::Unary => "unary",
        MethodKind::ClientStreaming => "client_stream",
        MethodKind::ServerStreaming => "server_stream",
        MethodKind::BidiStreaming => "bidi_stream",
    };
    vec![label("grpc_type", kind), label("grpc_service", method.service()), label("grpc_method", method.name())]
}

/// The code as Go writes it, for the dashboards and alerts that know go-grpc-prometheus.
fn code_label(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "Canceled",
        Code::Unknown => "Unknown",
        Code::InvalidArgument => "InvalidArgument",
        Code::DeadlineExceeded => "DeadlineExceeded",
        Code::NotFound => "NotFound",
        Code::AlreadyExists => "AlreadyExists",
        Code::PermissionDenied => "PermissionDenied",
        Code::ResourceExhausted => "ResourceExhausted",
        Code::FailedPrecondition => "FailedPrecondition",
        Code::Aborted => "Aborted",
        Code::OutOfRange => "OutOfRange",
        Code::Unimplemented => "Unimplemented",
        Code::Internal => "Internal",
        Code::Unavailable => "Unavailable",
        Code::DataLoss => "DataLoss",
        Code::Unauthenticated => "Unauthenticated",
    }
}

//! Where calls are counted: a row of numbers for each method, once for each of a few threads.
//!
//! A call touches only its own thread's shard, so that the threads of the queues do not take
//! each other's cache lines. A scrape adds the shards up.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::interceptor::Outcome;
use crate::method::MethodDescriptor;
use crate::status::code::Code;

/// The upper bounds of the buckets, in nanoseconds.
///
/// From 5 ms on they are Prometheus' defaults, which go-grpc-prometheus has too; below are the
/// microseconds that a method takes that waits for nothing.
#[rustfmt::skip]
pub(super) const BOUNDS: [u64; 22] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000,
    1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
];

/// One more than the bounds: what took longer than the last.
const BUCKETS: usize = BOUNDS.len() + 1;

const CODES: usize = Code::ALL.len();

/// Shards beside those of the queues' threads: a streaming call may end on another thread.
const SPARE_SHARDS: usize = 2;

/// The numbers of all methods.
pub(super) struct Table {
    pub methods: Vec<MethodDescriptor>,
    /// As many as a power of two.
    shards: Vec<Shard>,
}

type Shard = Vec<Row>;

/// What one thread has seen of one method. Two cache lines are what processors fetch at once.
#[derive(Default)]
#[repr(align(128))]
struct Row {
    started: AtomicU64,
    handled: [AtomicU64; CODES],
    buckets: [AtomicU64; BUCKETS],
    nanoseconds: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

/// The numbers of a method at one moment.
#[derive(Default)]
pub(super) struct Totals {
    pub started: u64,
    pub handled: [u64; CODES],
    pub buckets: [u64; BUCKETS],
    pub nanoseconds: u64,
    pub received: u64,
    pub sent: u64,
}

impl Table {
    pub fn new(methods: &[MethodDescriptor], queues: usize) -> Table {
        let shards = queues.saturating_add(SPARE_SHARDS).next_power_of_two();
        let shard = || methods.iter().map(|_| Row::default()).collect();
        Table { methods: methods.to_vec(), shards: (0..shards).map(|_| shard()).collect() }
    }

    pub fn started(&self, method: MethodDescriptor) {
        if let Some(row) = self.row(method) {
            row.started.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn handled(&self, method: MethodDescriptor, outcome: &Outcome<'_>) {
        let Some(row) = self.row(method) else {
            return;
        };
        let nanoseconds = nanoseconds(outcome.elapsed);
        let bucket = BOUNDS.partition_point(|bound| *bound < nanoseconds);
        row.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        row.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        if outcome.received > 0 {
            row.received.fetch_add(outcome.received, Ordering::Relaxed);
        }
        if outcome.sent > 0 {
            row.sent.fetch_add(outcome.sent, Ordering::Relaxed);
        }
        // The last: who sees this call as handled sees its start and its time as well.
        row.handled[outcome.code() as usize].fetch_add(1, Ordering::Release);
    }

    /// The row of a method for this thread.
    fn row(&self, method: MethodDescriptor) -> Option<&Row> {
        self.shards[thread_number() & (self.shards.len() - 1)].get(method.index())
    }

    /// Adds up what the threads have seen of a method.
    ///
    /// What has been handled is read first, and what has started last: there is no moment at
    /// which fewer calls have started than were handled.
    pub fn totals(&self, method: MethodDescriptor) -> Totals {
        let mut totals = Totals::default();
        let rows = || self.shards.iter().filter_map(|shard| shard.get(method.index()));
        for row in rows() {
            for (total, handled) in totals.handled.iter_mut().zip(&row.handled) {
                *total += handled.load(Ordering::Acquire);
            }
        }
        for row in rows() {
            for (total, bucket) in totals.buckets.iter_mut().zip(&row.buckets) {
                *total += bucket.load(Ordering::Relaxed);
            }
            totals.nanoseconds += row.nanoseconds.load(Ordering::Relaxed);
            totals.received += row.received.load(Ordering::Relaxed);
            totals.sent += row.sent.load(Ordering::Relaxed);
            totals.started += row.started.load(Ordering::Relaxed);
        }
        totals
    }
}

impl Totals {
    /// The calls that have started and not been handled yet.
    pub fn in_flight(&self) -> u64 {
        self.started.saturating_sub(self.handled.iter().sum())
    }
}

/// 584 years are as many as fit; no call takes longer.
fn nanoseconds(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}

/// The number of this thread, among those that have counted a call.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    // A thread that is about to end shares the first one's shard.
    NUMBER.try_with(|number| *number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::MethodKind;
    use crate::status::Status;

    const METHOD: MethodDescriptor = MethodDescriptor::new("/test.Table/Method", MethodKind::Unary, 0);

    fn outcome(status: Option<&Status>, elapsed: Duration) -> Outcome<'_> {
        Outcome { status, elapsed, received: 1, sent: u64::from(status.is_none()), blocked_thread: false }
    }

    #[test]
    fn the_default_bounds_are_among_ours() {
        for seconds in prometheus::DEFAULT_BUCKETS {
            assert!(BOUNDS.iter().any(|bound| *bound as f64 / 1e9 == *seconds), "{seconds}");
        }
        assert!(BOUNDS.is_sorted());
    }

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let table = Table::new(&[METHOD], 1);
        for nanoseconds in [0, 1_000, 1_001, 10_000_000_000, 10_000_000_001, u64::MAX] {
            table.handled(METHOD, &outcome(None, Duration::from_nanos(nanoseconds)));
        }
        let buckets = table.totals(METHOD).buckets;
        assert_eq!((buckets[0], buckets[1], buckets[21], buckets[22]), (2, 1, 1, 2));
        assert_eq!(buckets.iter().sum::<u64>(), 6);
    }

    #[test]
    fn what_several_threads_count_adds_up() {
        let table = Table::new(&[METHOD], 2);
        let refused = Status::new(Code::Unauthenticated, "no");
        std::thread::scope(|scope| {
            for _ in 0..9 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        table.started(METHOD);
                        table.started(METHOD);
                        table.handled(METHOD, &outcome(None, Duration::from_nanos(5)));
                    }
                    table.handled(METHOD, &outcome(Some(&refused), Duration::ZERO));
                });
            }
            // While they count, no sum is impossible.
            for _ in 0..1000 {
                let totals = table.totals(METHOD);
                let handled = totals.handled.iter().sum::<u64>();
                assert!(handled <= totals.started + 9 && handled <= totals.buckets.iter().sum());
            }
        });
        let totals = table.totals(METHOD);
        assert_eq!((totals.started, totals.handled[0], totals.handled[16]), (18_000, 9_000, 9));
        assert_eq!((totals.in_flight(), totals.received, totals.sent), (8_991, 9_009, 9_000));
        assert_eq!(totals.nanoseconds, 45_000);
    }

    #[test]
    fn a_method_of_another_server_is_not_counted() {
        let table = Table::new(&[METHOD], 1);
        table.started(MethodDescriptor::new("/test.Other/Method", MethodKind::Unary, 1));
        assert_eq!(table.totals(METHOD).started, 0);
    }
}

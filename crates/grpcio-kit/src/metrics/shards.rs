//! The live numbers of RPCs: a row of atomics for each method, once for each of a few threads.
//!
//! An RPC writes only to its own thread's rows, so that the threads of completion queues do not contend for cache lines;
//! a scrape adds the rows up. The `prometheus` crate's histogram takes up to 20 times as long when two threads observe
//! the same method (`docs/performance.md`).

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::status::code::Code;

/// The upper bounds of the buckets in nanoseconds: Prometheus' defaults from 5 ms on, and finer ones for methods that
/// take microseconds.
#[rustfmt::skip]
pub(super) const BOUNDS: [u64; 22] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000,
    1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
];

/// Shards beside those of the queues' threads: a stream may end on another thread.
const SPARE_SHARDS: usize = 2;

/// The rows of all methods. Their number is a power of two.
pub(super) struct Shards(Vec<Vec<Row<AtomicU64>>>);

/// What one thread has counted of one method, or, as plain numbers, all of them. Processors fetch two cache lines at once.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Row<N> {
    pub started: N,
    /// Indexed by [`Code`].
    pub handled: [N; Code::ALL.len()],
    /// By [`BOUNDS`]; the last is for what took longer.
    pub buckets: [N; BOUNDS.len() + 1],
    pub nanoseconds: N,
    pub received: N,
    pub sent: N,
    pub blocked_thread: N,
}

impl Shards {
    pub fn new(methods: usize, queues: usize) -> Shards {
        let shards = queues.saturating_add(SPARE_SHARDS).next_power_of_two();
        Shards((0..shards).map(|_| (0..methods).map(|_| Row::default()).collect()).collect())
    }

    /// Returns this thread's row of the method with this index.
    pub fn row(&self, method: usize) -> Option<&Row<AtomicU64>> {
        self.0[thread_number() & (self.0.len() - 1)].get(method)
    }

    /// Returns the sums of a method over all threads. There are never more handled RPCs than started ones or durations:
    /// the handled ones are read first, and [`Row::end`] writes them last.
    pub fn totals(&self, method: usize) -> Row<u64> {
        let rows = || self.0.iter().filter_map(|shard| shard.get(method));
        let mut totals = Row::default();
        for row in rows() {
            add(&mut totals.handled, &row.handled, Ordering::Acquire);
        }
        for row in rows() {
            add(&mut totals.buckets, &row.buckets, Ordering::Relaxed);
            totals.nanoseconds += row.nanoseconds.load(Ordering::Relaxed);
            totals.received += row.received.load(Ordering::Relaxed);
            totals.sent += row.sent.load(Ordering::Relaxed);
            totals.blocked_thread += row.blocked_thread.load(Ordering::Relaxed);
            totals.started += row.started.load(Ordering::Relaxed);
        }
        totals
    }
}

impl Row<AtomicU64> {
    /// Counts the duration and the status of an RPC.
    pub fn end(&self, elapsed: Duration, code: Code) {
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < nanoseconds);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        self.handled[code as usize].fetch_add(1, Ordering::Release);
    }
}

fn add(totals: &mut [u64], row: &[AtomicU64], order: Ordering) {
    for (total, number) in totals.iter_mut().zip(row) {
        *total += number.load(order);
    }
}

/// Returns the number of this thread, among those that have counted an RPC.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    // A thread that is ending shares the first one's shard.
    NUMBER.try_with(|number| *number).unwrap_or(0)
}

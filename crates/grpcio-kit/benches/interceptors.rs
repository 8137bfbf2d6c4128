//! The cost of each observability interceptor, in nanoseconds per RPC, for one thread and for two on the same method.
//!
//!     cargo bench -p grpcio-kit
//!
//! Each figure is the minimum of several rounds: the one that other programs disturbed least.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use grpcio_kit::{AccessLog, Call, Code, Interceptor, MethodDescriptor, MethodKind, Metrics, Outcome, Status};

const PATH: &str = "/shop.Stock/Count";
const CALLS: u32 = 1_000_000;
const ROUNDS: usize = 7;

/// Does nothing: the cost of the loop itself.
struct Nothing;

impl Interceptor for Nothing {}

fn main() {
    let metrics = Metrics::new("bench", "0", NonZeroUsize::MIN.saturating_add(1)).unwrap();
    let rate = |rate| AccessLog::new(rate).unwrap();
    println!("{:<40}{:>12}{:>12}", "ns per before + after", "1 thread", "2 threads");
    report("nothing", &Nothing);
    report("metrics", &metrics);
    report("access log, 1 in 1,000, without a log", &rate(0.001));
    // Formats every event and discards it.
    tracing_subscriber::fmt().json().with_writer(std::io::sink).init();
    report("access log, 1 in 1,000", &rate(0.001));
    report("access log, all", &rate(1.0));
}

fn report(name: &str, interceptor: &dyn Interceptor) {
    interceptor.start(&[MethodDescriptor::new(PATH, MethodKind::Unary, 0)]);
    let best = |threads| (0..ROUNDS).map(|_| round(interceptor, threads)).min().unwrap_or_default();
    let ns = |time: Duration| format!("{:.1}", time.as_nanos() as f64 / f64::from(CALLS));
    println!("{name:<40}{:>12}{:>12}", ns(best(1)), ns(best(2)));
}

/// Returns the time that the slowest of `threads` takes for its RPCs.
fn round(interceptor: &dyn Interceptor, threads: usize) -> Duration {
    let start = Barrier::new(threads);
    let work = || {
        let call = Call::detached(PATH);
        let rejected = Status::new(Code::InvalidArgument, "division by zero");
        start.wait();
        let begin = Instant::now();
        for number in 0..CALLS {
            let status = (number % 100 == 0).then_some(&rejected);
            let outcome = Outcome {
                status,
                elapsed: Duration::from_nanos(number.into()),
                received: 1,
                sent: status.is_none().into(),
                blocked_thread: false,
            };
            let _ = black_box(interceptor.before(black_box(&call)));
            interceptor.after(&call, black_box(&outcome));
        }
        begin.elapsed()
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).max().unwrap_or_default()
    })
}

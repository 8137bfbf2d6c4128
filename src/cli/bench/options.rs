//! What can be said of a run on the command line, and what it comes to.

use std::num::NonZeroUsize;
use std::time::Duration;

use calc::arithmetic::Operation;
use structopt::StructOpt;

use crate::cli::connect::Connect;
use crate::cli::exit::Exit;
use crate::cli::values;

/// How long a run takes if nothing is said of it.
const DEFAULT_DURATION: Duration = Duration::from_secs(10);

/// The calls in flight on all connections. Each takes some kilobytes.
const MAX_IN_FLIGHT: u32 = 100_000;

#[derive(StructOpt)]
pub struct Options {
    /// The connections, 1 to 1000; each is one of its own
    #[structopt(long, value_name = "N", env = "CALC_BENCH_CONNECTIONS", hide_env_values = true, default_value = "1",
        parse(try_from_str = values::connections))]
    connections: u32,
    /// The calls in flight on each connection, 1 to 10000; more than a server allows on one (100 for `calc serve`) wait
    #[structopt(long, value_name = "N", env = "CALC_BENCH_CONCURRENCY", hide_env_values = true, default_value = "10",
        parse(try_from_str = values::concurrency))]
    concurrency: u32,
    /// The time in which calls are made; 10 if neither this nor --count is given
    #[structopt(long, value_name = "SECONDS", env = "CALC_BENCH_DURATION", hide_env_values = true,
        parse(try_from_str = values::timeout))]
    duration: Option<Duration>,
    /// The number of calls, instead of a duration
    #[structopt(long, value_name = "N", env = "CALC_BENCH_COUNT", hide_env_values = true,
        parse(try_from_str = values::count))]
    count: Option<u32>,
    /// A time before that, with calls that are not in the report
    #[structopt(long, value_name = "SECONDS", env = "CALC_BENCH_WARM_UP", hide_env_values = true, default_value = "0",
        parse(try_from_str = values::grace))]
    warm_up: Duration,
    /// The calls that are due in each second, 0.001 to 1000000: each has its latency from when it is due, and is not
    /// sent if it cannot begin within --timeout; without this each call is followed by the next as soon as it has ended
    #[structopt(long, value_name = "CALLS_PER_SECOND", env = "CALC_BENCH_RATE", hide_env_values = true,
        parse(try_from_str = values::calls_per_second))]
    rate: Option<f64>,
    /// What is calculated, with operands that vary: add, subtract, multiply or divide
    #[structopt(
        long,
        value_name = "OPERATION",
        env = "CALC_BENCH_OPERATION",
        hide_env_values = true,
        default_value = "add"
    )]
    operation: Operation,
    /// Sends messages of so many calculations each, 1 to 65536, instead of calls with one: each call in flight is then
    /// a stream, which sends a message when it has the reply to the one before
    #[structopt(long, value_name = "ELEMENTS", env = "CALC_BENCH_BATCH", hide_env_values = true,
        parse(try_from_str = values::elements))]
    batch: Option<u32>,
    /// The threads that make the calls, 1 to 256, but no more than connections; one per processor if not given
    #[structopt(long, value_name = "N", env = "CALC_BENCH_THREADS", hide_env_values = true,
        parse(try_from_str = values::threads))]
    threads: Option<NonZeroUsize>,
    /// What the report looks like: text for people, json for programs
    #[structopt(long, value_name = "FORMAT", env = "CALC_BENCH_FORMAT", hide_env_values = true,
        default_value = "text", possible_values = &["text", "json"], parse(from_str = format))]
    pub format: Format,
    /// Says nothing on standard error while it runs
    #[structopt(long)]
    pub quiet: bool,
    #[structopt(flatten)]
    pub server: Connect,
}

/// What a report looks like.
#[derive(Clone, Copy)]
pub enum Format {
    Text,
    Json,
}

/// What clap lets through.
fn format(text: &str) -> Format {
    match text {
        "json" => Format::Json,
        _ => Format::Text,
    }
}

/// How much is measured.
#[derive(Clone, Copy)]
pub enum Amount {
    Duration(Duration),
    Count(u64),
}

/// A run, as it was asked for.
#[derive(Clone)]
pub struct Settings {
    pub target: String,
    pub operation: Operation,
    /// Calculations in each message of a stream; `None` for unary calls.
    pub batch: Option<u32>,
    pub connections: u32,
    /// Calls in flight on each connection.
    pub concurrency: u32,
    pub threads: u32,
    pub amount: Amount,
    pub warm_up: Duration,
    /// Calls per second; `None` for as many as are answered.
    pub rate: Option<f64>,
    pub timeout: Duration,
}

impl Options {
    /// All of it, put together.
    pub fn settings(&self) -> Result<Settings, Exit> {
        let amount = match (self.duration, self.count) {
            (Some(_), Some(_)) => {
                return Err(Exit::Usage("--duration and --count exclude each other: give one of them".into()));
            }
            (None, Some(count)) => Amount::Count(count.into()),
            (duration, None) => Amount::Duration(duration.unwrap_or(DEFAULT_DURATION)),
        };
        let (connections, concurrency) = (self.connections, self.concurrency);
        let in_flight = connections * concurrency;
        if in_flight > MAX_IN_FLIGHT {
            return Err(Exit::Usage(format!(
                "--connections {connections} with --concurrency {concurrency} makes {in_flight} calls in flight; no \
                 more than {MAX_IN_FLIGHT} are possible"
            )));
        }
        let threads = self.threads.or_else(|| std::thread::available_parallelism().ok());
        let threads = threads.and_then(|threads| u32::try_from(threads.get()).ok()).unwrap_or(1);
        Ok(Settings {
            target: self.server.target.clone(),
            operation: self.operation,
            batch: self.batch,
            connections,
            concurrency,
            threads: threads.min(connections),
            amount,
            warm_up: self.warm_up,
            rate: self.rate,
            timeout: self.server.timeout,
        })
    }
}

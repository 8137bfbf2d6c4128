//! `calc bench`: load on a server. [`grpcio_load`] makes the calls; this is the command line and the Calculator's part.

mod batch;
mod unary;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use calc::Client;
use calc::arithmetic::Operation;
use calc::client::IDEMPOTENT;
use grpcio_kit::ShutdownSignal;
use grpcio_load::{Amount, Load, LoadError, Report, Settings};
use structopt::StructOpt;

use super::connect::Connect;
use super::exit::{self, Exit};
use super::values;
use batch::Batched;
use unary::Unary;

const DEFAULT_DURATION: Duration = Duration::from_secs(10);

/// The maximum number of calls in flight on all connections. Each takes some kilobytes.
const MAX_IN_FLIGHT: u32 = 100_000;

#[derive(StructOpt)]
pub struct Options {
    /// Open this many connections, 1 to 1000
    #[structopt(long, value_name = "N", env = "CALC_BENCH_CONNECTIONS", default_value = "1",
        parse(try_from_str = values::connections))]
    connections: u32,
    /// Keep this many calls in flight on each connection, 1 to 10000; those over the server's limit wait
    #[structopt(long, value_name = "N", env = "CALC_BENCH_CONCURRENCY", default_value = "10",
        parse(try_from_str = values::concurrency))]
    concurrency: u32,
    /// Measure for this time [default: 10 without --count]
    #[structopt(long, value_name = "SECONDS", env = "CALC_BENCH_DURATION",
        parse(try_from_str = values::timeout))]
    duration: Option<Duration>,
    /// Measure this many calls, instead of a duration
    #[structopt(long, value_name = "N", env = "CALC_BENCH_COUNT",
        parse(try_from_str = values::count))]
    count: Option<u32>,
    /// Warm up for this time first, without measuring
    #[structopt(long, value_name = "SECONDS", env = "CALC_BENCH_WARM_UP", default_value = "0",
        parse(try_from_str = values::grace))]
    warm_up: Duration,
    /// Make calls at a fixed rate, 0.001 to 1000000 per second [default: closed loop]
    #[structopt(long, value_name = "CALLS_PER_SECOND", env = "CALC_BENCH_RATE",
        parse(try_from_str = values::calls_per_second))]
    rate: Option<f64>,
    /// Call add, subtract, multiply or divide, with random operands
    #[structopt(long, value_name = "NAME", env = "CALC_BENCH_OPERATION", default_value = "add")]
    operation: Operation,
    /// Stream messages of this many calculations, 1 to 65536, one at a time, instead of unary calls
    #[structopt(long, value_name = "ELEMENTS", env = "CALC_BENCH_BATCH",
        parse(try_from_str = values::elements))]
    batch: Option<u32>,
    /// Use this many threads, 1 to 256, at most one per connection [default: one per processor]
    #[structopt(long, value_name = "N", env = "CALC_BENCH_THREADS",
        parse(try_from_str = values::threads))]
    threads: Option<NonZeroUsize>,
    /// Print the report in this format
    #[structopt(long, value_name = "FORMAT", env = "CALC_BENCH_FORMAT",
        default_value = "text", possible_values = &["text", "json"])]
    format: String,
    /// Retry unary calls that fail with UNAVAILABLE, as the other commands do; a call counts once
    #[structopt(long)]
    retry: bool,
    /// Show no progress on standard error
    #[structopt(long)]
    quiet: bool,
    #[structopt(flatten)]
    server: Connect,
}

impl Options {
    pub fn run(self) -> Result<(), Exit> {
        let mut channels = self.server.builder()?;
        if self.retry {
            channels = channels.retry_idempotent([IDEMPOTENT]);
        }
        let load = Load::connect(channels, self.settings()?).map_err(|error| self.exit(error))?;
        let signal = ShutdownSignal::listen().map_err(Exit::bench)?;
        let run = load.stop_handle();
        // The first signal ends the run, a second one the process.
        let stop = move || {
            signal.wait();
            run.stop();
        };
        thread::Builder::new().name("signals".to_owned()).spawn(stop).map_err(Exit::bench)?;

        let (operation, timeout) = (self.operation, self.server.timeout);
        let report = match self.batch {
            None => load.run(!self.quiet, |channel, number| {
                Unary::new(Client::new(channel).timeout(timeout), operation, number)
            }),
            Some(elements) => {
                let messages = batch::messages(operation, elements);
                load.run(!self.quiet, |channel, number| {
                    Batched::new(Client::new(channel).timeout(timeout), Arc::clone(&messages), number)
                })
            }
        };
        let report = report.map_err(|error| self.exit(error))?;
        exit::print(&if self.format == "json" { self.json(&report) } else { self.text(&report) })?;
        report.failure().map_or(Ok(()), |failure| Err(Exit::Code(exit::BENCH, failure)))
    }

    fn settings(&self) -> Result<Settings, Exit> {
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
        let threads = self.threads.or_else(|| thread::available_parallelism().ok());
        let threads = threads.and_then(|threads| u32::try_from(threads.get()).ok()).unwrap_or(1).min(connections);
        let (warm_up, rate, timeout) = (self.warm_up, self.rate, self.server.timeout);
        let wait_for_ready = self.server.wait_for_ready;
        Ok(Settings { connections, concurrency, threads, amount, warm_up, rate, timeout, wait_for_ready })
    }

    fn exit(&self, error: LoadError) -> Exit {
        match error {
            LoadError::Channel(error) => error.into(),
            LoadError::Unreachable { number, reason } => {
                let which = if self.connections == 1 { String::new() } else { format!(", connection {number}") };
                let message = format!("cannot connect to {}{which}: {reason}", self.server.target);
                Exit::Code(exit::UNREACHABLE, message)
            }
            error => Exit::bench(error),
        }
    }

    /// Returns the number of calculations, in all and per second.
    fn calculations(&self, report: &Report) -> (u64, f64) {
        let elements = self.batch.unwrap_or(1);
        (report.succeeded().saturating_mul(elements.into()), report.succeeded_per_second() * f64::from(elements))
    }

    fn text(&self, report: &Report) -> String {
        let what = format!("{} at {}", self.operation.name(), self.server.target.escape_debug());
        match self.batch {
            None => format!("{what}: {report}"),
            Some(elements) => {
                let (_, per_second) = self.calculations(report);
                format!("{what} in messages of {elements}, {per_second:.0} calculations per second\n{report}")
            }
        }
    }

    /// Returns the report as JSON, with the fields that only a Calculator has.
    fn json(&self, report: &Report) -> String {
        let mut json = report.to_json();
        json["plan"]["target"] = self.server.target.as_str().into();
        json["plan"]["operation"] = self.operation.name().into();
        json["plan"]["batch_elements"] = self.batch.into();
        let (calculations, per_second) = self.calculations(report);
        json["calculations"] = calculations.into();
        json["calculations_per_s"] = per_second.into();
        format!("{json}\n")
    }
}

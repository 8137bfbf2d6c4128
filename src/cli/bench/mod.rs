//! `calc bench`: calls to a server for a while, and how long they took.
//!
//! Each call in flight is a task on the thread that its replies come in on (`exchange`). A task asks the plan for its
//! next call: the plan gives one at once, or when it is due (`plan`, `schedule`). What became of it goes to the tally of
//! the thread (`tally`). This file starts all that, and waits for its end.

mod connections;
mod exchange;
mod json;
mod latency;
mod operation;
mod options;
mod plan;
mod progress;
mod report;
mod schedule;
mod tally;
mod text;

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use calc::proto::calc_grpc::CalculatorClient;
use calc::rpc::Termination;

use super::exit::{self, Exit};
use connections::{Connection, connect};
use operation::{Operands, Unary};
pub use options::Options;
use options::{Format, Settings};
use plan::Plan;
use progress::Progress;
use report::Report;
use tally::{SharedTally, Tally};

/// How long calls in flight have when the run is interrupted. They may have less.
const GRACE: Duration = Duration::from_secs(1);

/// The time between two looks at the tallies.
const TICK: Duration = Duration::from_secs(1);

/// What the run is told.
enum Event {
    /// One of the calls in flight has no next one.
    Ended,
    /// A signal came in.
    Interrupted,
}

/// Tells of its end, however it comes.
struct Place(Sender<Event>);

impl Drop for Place {
    fn drop(&mut self) {
        // The run may have ended without it.
        let _ = self.0.send(Event::Ended);
    }
}

impl Options {
    pub fn run(self) -> Result<(), Exit> {
        let settings = self.settings()?;
        let connections = connect(&self.server, &settings)?;
        let mut total = Tally::new(settings.timeout).map_err(Exit::bench)?;
        let tallies: Vec<_> = (0..settings.threads.max(1)).map(|_| SharedTally::new(total.empty())).collect();
        let (sender, events) = mpsc::channel();
        watch_signals(sender.clone())?;

        let plan = Arc::new(Plan::new(&settings, Instant::now()));
        start(&settings, &plan, &connections, &tallies, sender)?;
        let mut progress = (!self.quiet).then(|| Progress::start(&settings));
        let is_interrupted = wait(&settings, &plan, &events, |plan| {
            collect(&tallies, &mut total);
            if let Some(progress) = &mut progress {
                progress.show(plan, &total);
            }
        });
        drop(progress);
        collect(&tallies, &mut total);

        let report = Report::new(settings, &plan, total, is_interrupted);
        exit::print(&match self.format {
            Format::Text => text::write(&report),
            Format::Json => json::write(&report),
        })?;
        report.failure().map_or(Ok(()), |failure| Err(Exit::Bench(failure)))
    }
}

/// From here on a signal ends the run, and a second one the process.
fn watch_signals(events: Sender<Event>) -> Result<(), Exit> {
    let termination = Termination::listen().map_err(Exit::bench)?;
    let watch = move || {
        termination.wait();
        let _ = events.send(Event::Interrupted);
    };
    thread::Builder::new().name("signals".to_owned()).spawn(watch).map(drop).map_err(Exit::bench)
}

/// Begins the calls.
fn start(
    settings: &Settings,
    plan: &Arc<Plan>,
    connections: &[Connection],
    tallies: &[SharedTally],
    events: Sender<Event>,
) -> Result<(), Exit> {
    let mut seed = 0;
    // The first calls of all connections come first.
    for _ in 0..settings.concurrency {
        for connection in connections {
            seed += 1;
            let stub = CalculatorClient::new(connection.channel.clone());
            let unary = Unary { stub, operation: settings.operation, operands: Operands::new(seed) };
            let tally = tallies[connection.thread].clone();
            let calls = exchange::repeat(unary, Arc::clone(plan), tally, settings.timeout);
            let place = Place(events.clone());
            connection.channel.spawn(async move {
                let _place = place;
                calls.await;
            });
        }
    }
    let plan = Arc::clone(plan);
    thread::Builder::new().name("pace".to_owned()).spawn(move || plan.keep_pace()).map(drop).map_err(Exit::bench)
}

/// Waits for the last call to end, and looks at the tallies now and then. Says whether a signal ended the run.
fn wait(settings: &Settings, plan: &Plan, events: &Receiver<Event>, mut look: impl FnMut(&Plan)) -> bool {
    let mut places = settings.connections * settings.concurrency;
    // Every call ends in its time; more than that is a fault, for which nobody should have to wait.
    let mut end = plan.end().map(|end| end + settings.timeout + GRACE);
    let mut is_interrupted = false;
    let mut next_look = Instant::now() + TICK;
    while places > 0 {
        let until = end.map_or(next_look, |end| end.min(next_look));
        match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Event::Ended) => places -= 1,
            Ok(Event::Interrupted) => {
                is_interrupted = true;
                plan.stop();
                end = Some(Instant::now() + GRACE);
            }
            Err(RecvTimeoutError::Timeout) if end.is_some_and(|end| Instant::now() >= end) => {
                plan.stop();
                break;
            }
            Err(RecvTimeoutError::Timeout) => {
                look(plan);
                next_look += TICK;
            }
            // Whoever sends has ended.
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    is_interrupted
}

fn collect(tallies: &[SharedTally], total: &mut Tally) {
    let mut spare = total.empty();
    for tally in tallies {
        tally.move_to(total, &mut spare);
    }
}

//! `calc bench`: calls to a server for a while, and how long they took.
//!
//! Each call in flight is a task on the thread that its replies come in on (`caller`). A task asks the plan for its
//! next call: the plan gives one at once, or when it is due (`plan`, `schedule`). What became of it goes to the tally
//! of the thread (`tally`). This file starts all that, and waits for its end.

mod batch;
mod caller;
mod connections;
mod json;
mod latency;
mod options;
mod plan;
mod progress;
mod report;
mod schedule;
mod slack;
mod tally;
mod text;
mod unary;

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use calc::Client;
use calc::proto::calc_grpc::CalculatorClient;
use grpcio_kit::{CallOptions, ShutdownSignal};

use super::exit::{self, Exit};
use batch::{Batched, Columns};
use caller::Caller;
use connections::{Connection, connect};
pub use options::Options;
use options::{Format, Settings};
use plan::Plan;
use progress::Progress;
use report::Report;
use tally::{SharedTally, Tally};
use unary::{Operands, Unary};

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
    let shutdown = ShutdownSignal::listen().map_err(Exit::bench)?;
    let watch = move || {
        shutdown.wait();
        let _ = events.send(Event::Interrupted);
    };
    thread::Builder::new().name("signals".to_owned()).spawn(watch).map(drop).map_err(Exit::bench)
}

/// What a call in flight needs, whatever is called.
struct Task<'a> {
    plan: &'a Arc<Plan>,
    tally: &'a SharedTally,
    place: Place,
}

impl Task<'_> {
    fn spawn(self, connection: &Connection, caller: impl Caller) {
        let calls = caller::repeat(caller, Arc::clone(self.plan), self.tally.clone());
        let place = self.place;
        connection.channel.spawn(async move {
            let _place = place;
            calls.await;
        });
    }
}

/// Begins the calls.
fn start(
    settings: &Settings,
    plan: &Arc<Plan>,
    connections: &[Connection],
    tallies: &[SharedTally],
    events: Sender<Event>,
) -> Result<(), Exit> {
    let columns = settings.batch.map(|elements| Arc::new(Columns::new(settings.operation, elements as usize)));
    let options = CallOptions::default().timeout(settings.timeout);
    let mut number = 0;
    // The first calls of all connections come first.
    for _ in 0..settings.concurrency {
        for connection in connections {
            number += 1;
            let channel = connection.channel.clone();
            let task = Task { plan, tally: &tallies[connection.thread], place: Place(events.clone()) };
            match &columns {
                None => {
                    let (stub, operands) = (CalculatorClient::new(channel), Operands::new(number));
                    let options = options.clone();
                    task.spawn(connection, Unary { stub, operation: settings.operation, operands, options });
                }
                Some(columns) => {
                    let client = Client::new(channel).timeout(settings.timeout);
                    task.spawn(connection, Batched::new(client, settings.operation, columns, number));
                }
            }
        }
    }
    let plan = Arc::clone(plan);
    thread::Builder::new().name("pace".to_owned()).spawn(move || plan.keep_pace()).map(drop).map_err(Exit::bench)
}

/// Waits for the last call to end, and looks at the tallies now and then. Says whether a signal ended the run.
fn wait(settings: &Settings, plan: &Plan, events: &Receiver<Event>, mut look: impl FnMut(&Plan)) -> bool {
    let mut places = settings.connections * settings.concurrency;
    // Calls begin in time and end in time, as streams do after them; more than that is a fault, for which nobody should
    // have to wait.
    let mut end = plan.end().map(|end| end + 3 * settings.timeout + GRACE);
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

//! A run, from its connections to its report.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use futures_timer::Delay;
use grpcio_kit::{Channel, ChannelBuilder};

use crate::caller::{Caller, Failure};
use crate::connections::{LoadError, connect};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::report::Report;
use crate::settings::Settings;
use crate::tally::{SharedTally, Tally};

/// How long calls in flight may take after an interrupt.
const GRACE: Duration = Duration::from_secs(1);

/// How often the tallies are collected.
const TICK: Duration = Duration::from_secs(1);

/// The pause of a closed loop after a failure that lasts: a server that is gone is not flooded, nor is the report.
const PAUSE: Duration = Duration::from_millis(100);

/// What [`Load::run`] waits for.
enum Event {
    /// A caller has made its last call.
    Finished,
    Interrupted,
}

/// Sends [`Event::Finished`] when it is dropped.
struct Finish(Sender<Event>);

impl Drop for Finish {
    fn drop(&mut self) {
        // Fails if the run has ended before.
        let _ = self.0.send(Event::Finished);
    }
}

/// Interrupts a run from another thread, such as one that waits for SIGINT.
pub struct StopHandle(Sender<Event>);

impl StopHandle {
    /// Lets no more calls begin, and gives those in flight one second.
    pub fn stop(&self) {
        // Fails if the run has ended before.
        let _ = self.0.send(Event::Interrupted);
    }
}

/// A run that is connected and can begin.
pub struct Load {
    settings: Settings,
    channels: Vec<Channel>,
    sender: Sender<Event>,
    events: Receiver<Event>,
}

impl Load {
    /// Connects to a server. The connections are shared with no other channel.
    ///
    /// # Errors
    ///
    /// [`LoadError`] if not all connections exist within [`Settings::timeout`].
    pub fn connect(channel: ChannelBuilder, settings: Settings) -> Result<Load, LoadError> {
        let channels = connect(channel, &settings)?;
        let (sender, events) = mpsc::channel();
        Ok(Load { settings, channels, sender, events })
    }

    /// Returns a handle that interrupts the run.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle(self.sender.clone())
    }

    /// Makes the calls and blocks until they have ended. `new_caller` makes the caller of each call in flight, from a
    /// channel and a number that counts from 1. `shows_progress` writes to standard error.
    ///
    /// # Errors
    ///
    /// [`LoadError::Thread`]. Calls that fail are in the report.
    pub fn run<C: Caller>(
        self,
        shows_progress: bool,
        mut new_caller: impl FnMut(Channel, u64) -> C,
    ) -> Result<Report, LoadError> {
        let Load { settings, channels, sender, events } = self;
        let mut total = Tally::new();
        let tallies: Vec<_> = (0..settings.threads.max(1)).map(|_| SharedTally::new()).collect();
        let plan = Arc::new(Plan::new(&settings, Instant::now()));
        let mut callers = 0;
        // One call on every connection before the second on any.
        for _ in 0..settings.concurrency {
            for (channel, tally) in channels.iter().zip(tallies.iter().cycle()) {
                callers += 1;
                let caller = new_caller(channel.clone(), callers);
                channel.spawn(repeat(caller, Arc::clone(&plan), tally.clone(), Finish(sender.clone())));
            }
        }
        drop(sender);
        if let Some(schedule) = plan.schedule.clone() {
            thread::Builder::new().name("pace".to_owned()).spawn(move || schedule.keep_pace())?;
        }
        let mut progress = shows_progress.then(|| Progress::start(&settings));
        let is_interrupted = wait(&settings, &plan, &events, callers, || {
            collect(&tallies, &mut total);
            if let Some(progress) = &mut progress {
                progress.show(&plan, &total);
            }
        });
        drop(progress);
        collect(&tallies, &mut total);
        Ok(Report::new(settings, &plan, total, is_interrupted))
    }
}

/// Makes one call after the other as the plan says. Drops `_finish` in the end, also after a panic.
async fn repeat(mut caller: impl Caller, plan: Arc<Plan>, tally: SharedTally, _finish: Finish) {
    while let Some(ticket) = plan.next().await {
        let begin = Instant::now();
        let result = caller.call().await;
        let end = Instant::now();
        let pauses = plan.schedule.is_none() && result.as_ref().is_err_and(Failure::lasts);
        tally.record(ticket, begin, end, result);
        if pauses {
            Delay::new(PAUSE).await;
        }
    }
    caller.finish().await;
}

/// Waits until all callers have finished, and calls `tick` once a second. Returns whether the run was interrupted.
fn wait(settings: &Settings, plan: &Plan, events: &Receiver<Event>, mut callers: u64, mut tick: impl FnMut()) -> bool {
    // A call begins within the timeout and ends within the timeout, as does a stream after it. A caller that takes longer
    // is faulty, and does not keep the run waiting.
    let mut end = plan.end.map(|end| end + 3 * settings.timeout + GRACE);
    let mut is_interrupted = false;
    let mut next_tick = Instant::now() + TICK;
    while callers > 0 {
        let until = end.map_or(next_tick, |end| end.min(next_tick));
        match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Event::Finished) => callers -= 1,
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
                tick();
                next_tick += TICK;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    is_interrupted
}

fn collect(tallies: &[SharedTally], total: &mut Tally) {
    let mut spare = Tally::new();
    for tally in tallies {
        tally.move_to(total, &mut spare);
    }
}

//! What a run comes to.

use std::time::{Duration, Instant};

use super::options::Settings;
use super::plan::Plan;
use super::tally::Tally;

/// A run, and what became of its calls.
pub struct Report {
    pub settings: Settings,
    /// From the end of the warm-up to the end of the last call.
    pub duration: Duration,
    pub tally: Tally,
    /// Calls that were due and did not begin in time.
    pub not_sent: u64,
    /// Calls that had no end yet when the run was ended, and what was due then.
    pub unfinished: u64,
    pub is_interrupted: bool,
}

impl Report {
    /// What is to be told of `plan`, which has come to its end.
    pub fn new(settings: Settings, plan: &Plan, tally: Tally, is_interrupted: bool) -> Report {
        let end = tally.last_end.unwrap_or_else(Instant::now);
        let in_flight = plan.begun().saturating_sub(tally.ended() + tally.warm_up.ended);
        Report {
            settings,
            duration: end.saturating_duration_since(plan.measured_from()),
            not_sent: plan.not_sent(),
            unfinished: in_flight + plan.left(),
            tally,
            is_interrupted,
        }
    }

    /// Calls with the right result, per second.
    pub fn succeeded_per_second(&self) -> f64 {
        let seconds = self.duration.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a double counts more calls than any run has")]
        let succeeded = self.tally.succeeded() as f64;
        if seconds > 0.0 { succeeded / seconds } else { 0.0 }
    }

    /// Calculations in each call, or message of a stream.
    pub fn calculations_per_call(&self) -> u32 {
        self.settings.batch.unwrap_or(1)
    }

    /// Why the run did not go well, if it did not.
    pub fn failure(&self) -> Option<String> {
        let tally = &self.tally;
        // What a signal cuts short has not failed.
        let unfinished = if self.is_interrupted { 0 } else { self.unfinished };
        let parts: Vec<_> = [
            (tally.failed() - tally.wrong.count, "failed"),
            (tally.wrong.count, "had a wrong answer"),
            (self.not_sent, "could not begin in time"),
            (unfinished, "did not end"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        let calls = tally.ended() + self.not_sent + unfinished;
        (!parts.is_empty()).then(|| format!("of {calls} calls {}", parts.join(", ")))
    }
}

//! The result of a run.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::plan::Plan;
use crate::settings::Settings;
use crate::tally::Tally;

/// The result of a run. Its `Display` is a report for people, [`Report::to_json`] one for programs.
pub struct Report {
    pub(crate) settings: Settings,
    /// From the end of the warm-up to the end of the last call.
    pub(crate) duration: Duration,
    pub(crate) tally: Tally,
    pub(crate) not_sent: u64,
    /// Calls in flight or due when the run ended.
    pub(crate) unfinished: u64,
    pub(crate) is_interrupted: bool,
}

impl Report {
    pub(crate) fn new(settings: Settings, plan: &Plan, tally: Tally, is_interrupted: bool) -> Report {
        let end = tally.last_end.unwrap_or_else(Instant::now);
        let backlog = plan.backlog();
        let in_flight = plan.begun.load(Ordering::Relaxed).saturating_sub(tally.ended() + tally.warm_up.ended);
        Report {
            settings,
            duration: end.saturating_duration_since(plan.measured_from),
            not_sent: backlog.not_sent,
            unfinished: in_flight + backlog.left,
            tally,
            is_interrupted,
        }
    }

    /// Returns the number of measured calls that succeeded.
    pub fn succeeded(&self) -> u64 {
        self.tally.succeeded()
    }

    /// Returns the number of calls that succeeded, per second.
    pub fn succeeded_per_second(&self) -> f64 {
        let seconds = self.duration.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a double counts more calls than any run has")]
        let succeeded = self.succeeded() as f64;
        if seconds > 0.0 { succeeded / seconds } else { 0.0 }
    }

    /// Returns the numbers of calls that failed, could not begin in time or did not end, as a sentence; `None` if all
    /// succeeded. Calls that an interrupt cut short have not failed.
    pub fn failure(&self) -> Option<String> {
        let tally = &self.tally;
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

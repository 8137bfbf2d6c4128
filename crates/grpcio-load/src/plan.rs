//! When calls begin: in a closed loop, or on a schedule.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::schedule::{Backlog, Schedule, Ticket};
use crate::settings::{Amount, Settings};

/// When the calls of a run begin. All calls in flight share it.
pub(crate) struct Plan {
    /// The end of the warm-up.
    pub(crate) measured_from: Instant,
    /// When the last call may begin, if that is known.
    pub(crate) end: Option<Instant>,
    /// Calls that have begun, including the warm-up.
    pub(crate) begun: AtomicU64,
    /// At a fixed rate; what follows is for the closed loop, in which the server's replies set the pace.
    pub(crate) schedule: Option<Arc<Schedule>>,
    /// Calls to measure, if that is given.
    count: Option<u64>,
    /// How many of `count` are taken.
    taken: AtomicU64,
    is_stopped: AtomicBool,
}

impl Plan {
    pub(crate) fn new(settings: &Settings, begin: Instant) -> Plan {
        let measured_from = begin + settings.warm_up;
        let (end, count) = match settings.amount {
            Amount::Duration(duration) => (Some(measured_from + duration), None),
            Amount::Count(count) => (None, Some(count)),
        };
        let schedule = settings.rate.map(|rate| Arc::new(Schedule::new(settings, rate, begin)));
        Plan {
            measured_from,
            end: schedule.as_ref().map(|schedule| schedule.end()).or(end),
            begun: AtomicU64::new(0),
            schedule,
            count,
            taken: AtomicU64::new(0),
            is_stopped: AtomicBool::new(false),
        }
    }

    /// Waits until the next call is due. Returns `None` after the last one.
    pub(crate) async fn next(&self) -> Option<Ticket> {
        let ticket = match &self.schedule {
            Some(schedule) => schedule.next().await?,
            None => self.next_in_loop()?,
        };
        self.begun.fetch_add(1, Ordering::Relaxed);
        Some(ticket)
    }

    fn next_in_loop(&self) -> Option<Ticket> {
        let now = Instant::now();
        if self.is_stopped.load(Ordering::Relaxed) || self.end.is_some_and(|end| now >= end) {
            return None;
        }
        let is_measured = now >= self.measured_from;
        let is_taken = |count| self.taken.fetch_add(1, Ordering::Relaxed) >= count;
        if is_measured && self.count.is_some_and(is_taken) {
            return None;
        }
        Some(Ticket { due: now, is_measured })
    }

    /// Lets no more calls begin.
    pub(crate) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        if let Some(schedule) = &self.schedule {
            schedule.stop();
        }
    }

    /// Returns the calls of a fixed rate that are late.
    pub(crate) fn backlog(&self) -> Backlog {
        self.schedule.as_ref().map(|schedule| schedule.backlog()).unwrap_or_default()
    }
}

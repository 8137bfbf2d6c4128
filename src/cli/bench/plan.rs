//! When calls are made: one after the other, or on a schedule.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::options::{Amount, Settings};
use super::schedule::Schedule;
use super::slack::sleep_exactly;

/// Leave for one call.
pub struct Ticket {
    /// When it is to begin, where that does not depend on the calls before it.
    pub due: Option<Instant>,
    /// Whether it is in the report; those of the warm-up are not.
    pub is_measured: bool,
}

/// A run from its beginning to its end.
pub struct Plan {
    /// When the warm-up is over.
    measured_from: Instant,
    /// When no more calls begin, if that is known.
    end: Option<Instant>,
    pace: Pace,
    /// How many calls have begun, those of the warm-up among them.
    begun: AtomicU64,
}

enum Pace {
    /// Each call follows another: as fast as they are answered, which a server that stalls decides.
    Closed(Closed),
    /// Calls are due at times of their own.
    Open(Schedule),
}

struct Closed {
    /// How many calls are measured, if that is given.
    count: Option<u64>,
    taken: AtomicU64,
    is_stopped: AtomicBool,
}

impl Plan {
    pub fn new(settings: &Settings, begin: Instant) -> Plan {
        let measured_from = begin + settings.warm_up;
        let (end, count) = match settings.amount {
            Amount::Duration(duration) => (Some(measured_from + duration), None),
            Amount::Count(count) => (None, Some(count)),
        };
        let begun = AtomicU64::new(0);
        match settings.rate {
            None => {
                let closed = Closed { count, taken: AtomicU64::new(0), is_stopped: AtomicBool::new(false) };
                Plan { measured_from, end, pace: Pace::Closed(closed), begun }
            }
            Some(rate) => {
                let schedule = Schedule::new(settings, rate, begin);
                Plan { measured_from, end: Some(schedule.end()), pace: Pace::Open(schedule), begun }
            }
        }
    }

    /// Waits for the next call to be due. `None` when there are no more.
    pub async fn next(&self) -> Option<Ticket> {
        let ticket = match &self.pace {
            Pace::Closed(closed) => closed.next(self.measured_from, self.end),
            Pace::Open(schedule) => schedule.next().await,
        };
        if ticket.is_some() {
            self.begun.fetch_add(1, Ordering::Relaxed);
        }
        ticket
    }

    /// Sees to it that calls begin when they are due, as long as the run lasts. For a thread of its own.
    pub fn keep_pace(&self) {
        if let Pace::Open(schedule) = &self.pace {
            sleep_exactly();
            schedule.keep_pace();
        }
    }

    /// No call begins from here on.
    pub fn stop(&self) {
        match &self.pace {
            Pace::Closed(closed) => closed.is_stopped.store(true, Ordering::Relaxed),
            Pace::Open(schedule) => schedule.stop(),
        }
    }

    pub fn measured_from(&self) -> Instant {
        self.measured_from
    }

    /// When the last call may begin, as planned; `None` if that depends on the server.
    pub fn end(&self) -> Option<Instant> {
        self.end
    }

    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Calls that are due and have not begun.
    pub fn waiting(&self) -> u64 {
        match &self.pace {
            Pace::Closed(_) => 0,
            Pace::Open(schedule) => schedule.waiting(),
        }
    }

    /// Calls that were due when the run was stopped, and had not begun.
    pub fn left(&self) -> u64 {
        match &self.pace {
            Pace::Closed(_) => 0,
            Pace::Open(schedule) => schedule.left(),
        }
    }

    /// Calls that were due and did not begin in time.
    pub fn not_sent(&self) -> u64 {
        match &self.pace {
            Pace::Closed(_) => 0,
            Pace::Open(schedule) => schedule.not_sent(),
        }
    }
}

impl Closed {
    fn next(&self, measured_from: Instant, end: Option<Instant>) -> Option<Ticket> {
        let now = Instant::now();
        if self.is_stopped.load(Ordering::Relaxed) || end.is_some_and(|end| now >= end) {
            return None;
        }
        let is_measured = now >= measured_from;
        let is_one_too_many = || self.count.is_some_and(|count| self.taken.fetch_add(1, Ordering::Relaxed) >= count);
        if is_measured && is_one_too_many() {
            return None;
        }
        Some(Ticket { due: None, is_measured })
    }
}

/// `n / rate` seconds.
pub fn time_of(n: u64, rate: f64) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "a double counts more calls than any run has")]
    Duration::try_from_secs_f64(n as f64 / rate).unwrap_or(Duration::MAX)
}

/// How many calls are due in `time`.
pub fn calls_in(time: Duration, rate: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is positive, and saturates")]
    let calls = (time.as_secs_f64() * rate).ceil() as u64;
    calls
}

//! Results of calls: counts and latencies, which each thread keeps for itself and the run adds up.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::caller::Failure;
use crate::schedule::Ticket;

/// Exact digits of a latency.
const DIGITS: u8 = 3;

/// Results of calls.
pub(crate) struct Tally {
    /// Latencies of calls that succeeded, in nanoseconds since they were due.
    pub(crate) latency: Histogram<u64>,
    /// Queueing delays: how long after they were due calls began, in nanoseconds.
    pub(crate) delay: Histogram<u64>,
    /// By the name of the status.
    pub(crate) errors: BTreeMap<&'static str, Errors>,
    /// OK with a wrong reply.
    pub(crate) wrong: Errors,
    pub(crate) warm_up: WarmUp,
    /// When the last measured call ended.
    pub(crate) last_end: Option<Instant>,
}

/// Calls that failed alike.
#[derive(Clone, Default)]
pub(crate) struct Errors {
    pub(crate) count: u64,
    /// The message of the first.
    pub(crate) example: String,
}

/// Calls of the warm-up, which are counted nowhere else.
#[derive(Clone, Copy, Default)]
pub(crate) struct WarmUp {
    pub(crate) ended: u64,
    pub(crate) failed: u64,
}

impl Tally {
    pub(crate) fn new() -> Tally {
        // They grow with what they record.
        let histogram = || Histogram::new(DIGITS).expect("3 digits are valid");
        Tally {
            latency: histogram(),
            delay: histogram(),
            errors: BTreeMap::new(),
            wrong: Errors::default(),
            warm_up: WarmUp::default(),
            last_end: None,
        }
    }

    pub(crate) fn succeeded(&self) -> u64 {
        self.latency.len()
    }

    pub(crate) fn failed(&self) -> u64 {
        self.wrong.count + self.errors.values().map(|errors| errors.count).sum::<u64>()
    }

    /// Returns the number of measured calls that have ended.
    pub(crate) fn ended(&self) -> u64 {
        self.succeeded() + self.failed()
    }

    /// Adds another tally, and leaves that empty.
    fn absorb(&mut self, other: &mut Tally) {
        // Fails only if `usize` has less than 64 bits and a latency is of years.
        let _ = self.latency.add(&other.latency).and_then(|()| self.delay.add(&other.delay));
        other.latency.reset();
        other.delay.reset();
        for (name, errors) in mem::take(&mut other.errors) {
            self.errors.entry(name).or_default().absorb(errors);
        }
        self.wrong.absorb(mem::take(&mut other.wrong));
        let warm_up = mem::take(&mut other.warm_up);
        self.warm_up.ended += warm_up.ended;
        self.warm_up.failed += warm_up.failed;
        self.last_end = self.last_end.max(other.last_end.take());
    }

    fn fail(&mut self, failure: Failure) {
        let (errors, example) = match failure {
            Failure::Status(status) => {
                (self.errors.entry(status.code().name()).or_default(), status.message().to_owned())
            }
            Failure::WrongReply(example) => (&mut self.wrong, example),
        };
        errors.absorb(Errors { count: 1, example });
    }
}

impl Errors {
    fn absorb(&mut self, other: Errors) {
        if self.count == 0 {
            self.example = other.example;
        }
        self.count += other.count;
    }
}

/// The tally of a thread. Only that thread and, once a second, the run lock it.
#[derive(Clone)]
pub(crate) struct SharedTally(Arc<Mutex<Tally>>);

impl SharedTally {
    pub(crate) fn new() -> SharedTally {
        SharedTally(Arc::new(Mutex::new(Tally::new())))
    }

    /// Adds a call.
    pub(crate) fn record(&self, ticket: Ticket, begin: Instant, end: Instant, result: Result<(), Failure>) {
        // Nothing panics while it holds the lock.
        let mut tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !ticket.is_measured {
            tally.warm_up.ended += 1;
            tally.warm_up.failed += u64::from(result.is_err());
            return;
        }
        let since_due = |time: Instant| nanoseconds(time.saturating_duration_since(ticket.due));
        // As in `absorb`.
        let _ = tally.delay.record(since_due(begin));
        match result {
            Ok(()) => drop(tally.latency.record(since_due(end))),
            Err(failure) => tally.fail(failure),
        }
        tally.last_end = tally.last_end.max(Some(end));
    }

    /// Moves the results to `total`. `spare` is empty before and after: the lock is held only to swap the two.
    pub(crate) fn move_to(&self, total: &mut Tally, spare: &mut Tally) {
        mem::swap(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), spare);
        total.absorb(spare);
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

//! What became of the calls: numbers and latencies, which each thread keeps for itself and the report puts together.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::{CreationError, Histogram};

use super::caller::Failure;

/// Digits of a latency that are exact.
const DIGITS: u8 = 3;

/// The least bound of latencies.
const MIN_BOUND: Duration = Duration::from_secs(1);

/// What became of calls.
pub struct Tally {
    /// Of calls with the right result, in nanoseconds; with a rate from when they were due.
    pub latency: Histogram<u64>,
    /// How long after they were due calls began, in nanoseconds.
    pub delay: Histogram<u64>,
    /// By the name of the status.
    pub errors: BTreeMap<&'static str, Errors>,
    /// OK, with something else than the right result.
    pub wrong: Errors,
    pub warm_up: WarmUp,
    /// When the last measured call ended.
    pub last_end: Option<Instant>,
}

/// Calls that failed alike.
#[derive(Clone, Default)]
pub struct Errors {
    pub count: u64,
    /// What the first of them said.
    pub example: String,
}

/// Calls that are not in the report otherwise.
#[derive(Clone, Copy, Default)]
pub struct WarmUp {
    pub ended: u64,
    pub failed: u64,
}

impl Tally {
    /// Nothing yet. A call may wait for `timeout` and then take as long.
    pub fn new(timeout: Duration) -> Result<Tally, CreationError> {
        let bound = nanoseconds(timeout.max(MIN_BOUND)).saturating_mul(2);
        let latency = Histogram::new_with_max(bound, DIGITS)?;
        Ok(Tally::like(&latency))
    }

    /// Nothing yet, with the same bounds.
    pub fn empty(&self) -> Tally {
        Tally::like(&self.latency)
    }

    fn like(histogram: &Histogram<u64>) -> Tally {
        Tally {
            latency: Histogram::new_from(histogram),
            delay: Histogram::new_from(histogram),
            errors: BTreeMap::new(),
            wrong: Errors::default(),
            warm_up: WarmUp::default(),
            last_end: None,
        }
    }

    pub fn succeeded(&self) -> u64 {
        self.latency.len()
    }

    pub fn failed(&self) -> u64 {
        self.wrong.count + self.errors.values().map(|errors| errors.count).sum::<u64>()
    }

    /// Measured calls that have ended.
    pub fn ended(&self) -> u64 {
        self.succeeded() + self.failed()
    }

    /// Adds what another has, and leaves it empty.
    pub fn absorb(&mut self, other: &mut Tally) {
        // All have the bounds of the first one.
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
            Failure::Wrong(example) => (&mut self.wrong, example),
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

/// A tally that calls of one thread are added to, and that the report empties now and then.
#[derive(Clone)]
pub struct SharedTally {
    tally: Arc<Mutex<Tally>>,
}

impl SharedTally {
    pub fn new(tally: Tally) -> SharedTally {
        SharedTally { tally: Arc::new(Mutex::new(tally)) }
    }

    /// Adds a call. `waited` is how long after it was due it began, and `latency` the time from then to its end.
    pub fn record(
        &self,
        is_measured: bool,
        waited: Duration,
        latency: Duration,
        end: Instant,
        result: Result<(), Failure>,
    ) {
        // Nothing panics while it holds the lock.
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_measured {
            tally.warm_up.ended += 1;
            tally.warm_up.failed += u64::from(result.is_err());
            return;
        }
        tally.delay.saturating_record(nanoseconds(waited));
        match result {
            Ok(()) => tally.latency.saturating_record(nanoseconds(latency)),
            Err(failure) => tally.fail(failure),
        }
        tally.last_end = tally.last_end.max(Some(end));
    }

    /// Moves what there is to `total`. `spare` is an empty one, and so it is left: that calls have to wait for no more
    /// than the exchange of the two.
    pub fn move_to(&self, total: &mut Tally, spare: &mut Tally) {
        mem::swap(&mut *self.tally.lock().unwrap_or_else(PoisonError::into_inner), spare);
        total.absorb(spare);
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

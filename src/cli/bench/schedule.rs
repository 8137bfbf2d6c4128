//! Calls at a fixed rate. Each is due at a time of its own, and its latency counts from there: while a server stalls,
//! the calls that are due meanwhile wait, and the time that they wait is in the report. A generator that waits for
//! replies instead makes fewer calls just when the server is slow, and does not see how slow it was (coordinated
//! omission).
//!
//! A call that cannot begin within the time that a call may take is not sent, and counted as such: so no more wait than
//! are due in that time, and the others have all of their time. What a server that cannot keep pace does answer shows.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::channel::oneshot;

use super::options::{Amount, Settings};
use super::plan::{Ticket, calls_in, time_of};

/// How long the pace waits for a place among the calls in flight before it looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub struct Schedule {
    begin: Instant,
    /// Calls per second.
    rate: f64,
    /// How many calls there are, those of the warm-up first.
    total: u64,
    warm_up: u64,
    timeout: Duration,
    state: Mutex<State>,
    /// The pace waits here for places, or for the end.
    changed: Condvar,
}

struct State {
    /// The first call that has neither begun nor been given up.
    next: u64,
    /// Those given up.
    not_sent: u64,
    /// Those that were due when the run was stopped.
    left: u64,
    is_stopped: bool,
    /// Whether the pace waits for a place.
    is_short: bool,
    /// Places among the calls in flight that have nothing to do; the one that has waited longest comes first, so that
    /// all connections have their turn.
    idle: VecDeque<oneshot::Sender<Ticket>>,
}

impl Schedule {
    pub fn new(settings: &Settings, rate: f64, begin: Instant) -> Schedule {
        let warm_up = calls_in(settings.warm_up, rate);
        let measured = match settings.amount {
            Amount::Duration(duration) => calls_in(duration, rate),
            Amount::Count(count) => count,
        };
        let state = State { next: 0, not_sent: 0, left: 0, is_stopped: false, is_short: false, idle: VecDeque::new() };
        Schedule {
            begin,
            rate,
            total: warm_up.saturating_add(measured),
            warm_up,
            timeout: settings.timeout,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// When the last call is due.
    pub fn end(&self) -> Instant {
        self.due(self.total.saturating_sub(1))
    }

    fn due(&self, call: u64) -> Instant {
        let time = time_of(call, self.rate);
        self.begin.checked_add(time).unwrap_or(self.begin)
    }

    /// Nothing panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call that is due, if one is; calls that are overdue are given up.
    fn take(&self, state: &mut State, now: Instant) -> Option<Ticket> {
        let elapsed = now.saturating_duration_since(self.begin);
        if let Some(overdue) = elapsed.checked_sub(self.timeout) {
            let given_up = self.skip(state, calls_in(overdue, self.rate));
            state.not_sent += given_up;
        }
        let due = self.due(state.next);
        if state.next >= self.total || due > now {
            return None;
        }
        state.next += 1;
        Some(Ticket { due: Some(due), is_measured: state.next > self.warm_up })
    }

    /// Leaves out the calls before `end` that have not begun, and says how many of them would have been measured.
    fn skip(&self, state: &mut State, end: u64) -> u64 {
        let end = end.min(self.total);
        let skipped = end.saturating_sub(state.next.max(self.warm_up));
        state.next = state.next.max(end);
        skipped
    }

    /// Waits for the next call to be due. `None` when there are no more.
    pub async fn next(&self) -> Option<Ticket> {
        let ticket = {
            let mut state = self.lock();
            if state.is_stopped {
                return None;
            }
            if let Some(ticket) = self.take(&mut state, Instant::now()) {
                return Some(ticket);
            }
            let (sender, ticket) = oneshot::channel();
            state.idle.push_back(sender);
            if state.is_short {
                self.changed.notify_one();
            }
            ticket
        };
        ticket.await.ok()
    }

    /// Hands out calls when they are due, until there are no more.
    pub fn keep_pace(&self) {
        let mut state = self.lock();
        while !state.is_stopped && state.next < self.total {
            let now = Instant::now();
            let due = self.due(state.next);
            state.is_short = due <= now;
            let wait = if due > now {
                due - now
            } else if state.idle.is_empty() {
                // Whoever ends a call takes the next one.
                LOOK_AGAIN
            } else {
                let mut handed_out = Vec::new();
                while !state.idle.is_empty() {
                    let Some(ticket) = self.take(&mut state, now) else { break };
                    handed_out.extend(state.idle.pop_front().map(|place| (place, ticket)));
                }
                drop(state);
                for (place, ticket) in handed_out {
                    // Places wait for as long as the run lasts.
                    let _ = place.send(ticket);
                }
                state = self.lock();
                continue;
            };
            (state, _) = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
        }
        // Who has nothing to do yet will have nothing to do.
        state.is_stopped = true;
        state.idle.clear();
    }

    /// No call begins from here on.
    pub fn stop(&self) {
        let mut state = self.lock();
        if state.is_stopped {
            return;
        }
        let elapsed = Instant::now().saturating_duration_since(self.begin);
        state.left += self.skip(&mut state, calls_in(elapsed, self.rate));
        state.is_stopped = true;
        state.idle.clear();
        self.changed.notify_one();
    }

    /// Calls that are due and have not begun.
    pub fn waiting(&self) -> u64 {
        let state = self.lock();
        let elapsed = Instant::now().saturating_duration_since(self.begin);
        calls_in(elapsed, self.rate).min(self.total).saturating_sub(state.next)
    }

    /// Calls that were due when the run was stopped, and had not begun.
    pub fn left(&self) -> u64 {
        self.lock().left
    }

    /// Calls that have been given up.
    pub fn not_sent(&self) -> u64 {
        self.lock().not_sent
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    /// 1,000 calls of a millisecond each, which have 200 ms, and began `ago`.
    fn schedule(ago: Duration) -> Schedule {
        let state = State { next: 0, not_sent: 0, left: 0, is_stopped: false, is_short: false, idle: VecDeque::new() };
        Schedule {
            begin: Instant::now() - ago,
            rate: 1000.0,
            total: 1000,
            warm_up: 100,
            timeout: Duration::from_millis(200),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    #[test]
    fn calls_that_wait_too_long_are_given_up_and_counted_but_for_those_of_the_warm_up() {
        let schedule = schedule(Duration::from_secs(3600));
        assert!(schedule.take(&mut schedule.lock(), Instant::now()).is_none());
        assert_eq!((schedule.not_sent(), schedule.waiting()), (900, 0));
    }

    #[test]
    fn a_call_keeps_the_time_at_which_it_was_due() {
        let schedule = schedule(Duration::ZERO);
        let late = schedule.begin + Duration::from_millis(300);
        let first = schedule.take(&mut schedule.lock(), late).unwrap();
        assert_eq!(first.due, Some(schedule.begin + Duration::from_millis(100)));
        assert!(!first.is_measured || schedule.not_sent() == 0);
        let early = schedule.begin + Duration::from_micros(100_500);
        assert!(schedule.take(&mut schedule.lock(), early).is_none(), "the next one is not due");
        let second = schedule.take(&mut schedule.lock(), late).unwrap();
        assert_eq!(second.due, Some(schedule.begin + Duration::from_millis(101)));
        assert!(second.is_measured);
    }

    #[test]
    fn what_is_due_at_the_stop_is_left_and_nobody_waits_any_longer() {
        let mut schedule = schedule(Duration::from_millis(150));
        schedule.stop();
        let left = schedule.left();
        assert!(left >= 50 && schedule.not_sent() == 0);
        // What would have been due after the stop is not.
        schedule.begin -= Duration::from_millis(100);
        schedule.stop();
        assert_eq!(schedule.left(), left);
        assert!(block_on(schedule.next()).is_none());
        schedule.keep_pace();
    }
}

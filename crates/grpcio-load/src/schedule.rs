//! Calls at a fixed rate. Each call is due at its own time, and its latency counts from then: while a server stalls, the
//! calls that are due meanwhile wait, and their queueing delay is in the report. A generator that waits for replies
//! instead makes fewer calls just when the server is slow, and underestimates its latency (coordinated omission).
//!
//! A call that cannot begin within the timeout is not sent but counted: so the queue is bounded by the calls due in that
//! time, and a server that cannot keep up still shows what it does answer.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::channel::oneshot;

use crate::settings::{Amount, Settings};

/// How long the pacing thread waits for an idle caller before it gives up overdue calls.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Permission for one call.
pub(crate) struct Ticket {
    /// When the call is to begin; its latency counts from then.
    pub(crate) due: Instant,
    /// `false` in the warm-up.
    pub(crate) is_measured: bool,
}

/// Calls that are or were due and have not begun.
#[derive(Clone, Copy, Default)]
pub(crate) struct Backlog {
    pub(crate) waiting: u64,
    /// Those that were due when the run was stopped.
    pub(crate) left: u64,
    /// Those that could not begin within the timeout and were given up, without the warm-up.
    pub(crate) not_sent: u64,
}

pub(crate) struct Schedule {
    begin: Instant,
    /// Calls per second.
    rate: f64,
    /// The number of calls, including the warm-up, whose calls come first.
    total: u64,
    warm_up: u64,
    timeout: Duration,
    state: Mutex<State>,
    /// Wakes the pacing thread when it needs an idle caller and there is one, and at the end.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The first call that has neither begun nor been given up.
    next: u64,
    /// Without those that wait.
    backlog: Backlog,
    is_stopped: bool,
    /// Whether calls are due and all callers are busy.
    is_short: bool,
    /// Callers without a call; the one that has waited longest comes first, so that all connections take turns.
    idle: VecDeque<oneshot::Sender<Ticket>>,
}

impl Schedule {
    pub(crate) fn new(settings: &Settings, rate: f64, begin: Instant) -> Schedule {
        let warm_up = calls_in(settings.warm_up, rate);
        let measured = match settings.amount {
            Amount::Duration(duration) => calls_in(duration, rate),
            Amount::Count(count) => count,
        };
        Schedule {
            begin,
            rate,
            total: warm_up.saturating_add(measured),
            warm_up,
            timeout: settings.timeout,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Returns when the last call is due.
    pub(crate) fn end(&self) -> Instant {
        self.due(self.total.saturating_sub(1))
    }

    fn due(&self, call: u64) -> Instant {
        #[expect(clippy::cast_precision_loss, reason = "a double counts more calls than any run has")]
        let time = Duration::try_from_secs_f64(call as f64 / self.rate).unwrap_or(Duration::MAX);
        self.begin.checked_add(time).unwrap_or(self.begin)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next call if one is due, after giving up those that are overdue by the timeout.
    fn take(&self, state: &mut State, now: Instant) -> Option<Ticket> {
        let elapsed = now.saturating_duration_since(self.begin);
        if let Some(overdue) = elapsed.checked_sub(self.timeout) {
            state.backlog.not_sent += self.skip(state, calls_in(overdue, self.rate));
        }
        let due = self.due(state.next);
        if state.next >= self.total || due > now {
            return None;
        }
        state.next += 1;
        Some(Ticket { due, is_measured: state.next > self.warm_up })
    }

    /// Skips the calls before `end` that have not begun. Returns their number without the warm-up.
    fn skip(&self, state: &mut State, end: u64) -> u64 {
        let end = end.min(self.total);
        let skipped = end.saturating_sub(state.next.max(self.warm_up));
        state.next = state.next.max(end);
        skipped
    }

    /// Waits until the next call is due. Returns `None` after the last one.
    pub(crate) async fn next(&self) -> Option<Ticket> {
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

    /// Hands out calls to idle callers when they are due, until the last one. A caller that is busy takes its next call
    /// by itself, in [`Schedule::next`].
    pub(crate) fn keep_pace(&self) {
        disable_timer_slack();
        let mut state = self.lock();
        while !state.is_stopped && state.next < self.total {
            let now = Instant::now();
            let due = self.due(state.next);
            state.is_short = due <= now;
            let wait = if due > now {
                due - now
            } else if state.idle.is_empty() {
                LOOK_AGAIN
            } else {
                let mut handed_out = Vec::new();
                while !state.idle.is_empty() {
                    let Some(ticket) = self.take(&mut state, now) else { break };
                    handed_out.extend(state.idle.pop_front().map(|caller| (caller, ticket)));
                }
                drop(state);
                for (caller, ticket) in handed_out {
                    // A caller waits as long as the run lasts.
                    let _ = caller.send(ticket);
                }
                state = self.lock();
                continue;
            };
            (state, _) = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
        }
        state.end();
    }

    /// Lets no more calls begin.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        if !state.is_stopped {
            state.backlog.left = self.skip(&mut state, self.due_by(Instant::now()));
            state.end();
            self.changed.notify_one();
        }
    }

    fn due_by(&self, now: Instant) -> u64 {
        calls_in(now.saturating_duration_since(self.begin), self.rate)
    }

    pub(crate) fn backlog(&self) -> Backlog {
        let state = self.lock();
        let waiting = self.due_by(Instant::now()).min(self.total).saturating_sub(state.next);
        Backlog { waiting, ..state.backlog }
    }
}

impl State {
    /// Idle callers get no more calls.
    fn end(&mut self) {
        self.is_stopped = true;
        self.idle.clear();
    }
}

/// Returns how many calls are due in `time`.
fn calls_in(time: Duration, rate: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is positive, and saturates")]
    let calls = (time.as_secs_f64() * rate).ceil() as u64;
    calls
}

/// Lets Linux wake this thread on time. By default it may be 50 µs late (timer slack, see prctl(2)), which would be in
/// the latencies. Without such a file in /proc, nothing changes.
fn disable_timer_slack() {
    // PROCESS/task/THREAD; only /proc/THREAD has the file.
    let Ok(thread) = fs::read_link("/proc/thread-self") else { return };
    if let Some(thread) = thread.file_name() {
        let _ = fs::write(Path::new("/proc").join(thread).join("timerslack_ns"), "1");
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    /// 1,000 calls, one per millisecond, the first 100 of them warm-up, with a timeout of 200 ms; it began `ago`.
    fn schedule(ago: Duration) -> Schedule {
        let settings = Settings {
            amount: Amount::Count(900),
            warm_up: Duration::from_millis(100),
            timeout: Duration::from_millis(200),
            ..Settings::default()
        };
        Schedule::new(&settings, 1000.0, Instant::now() - ago)
    }

    #[test]
    fn calls_that_wait_longer_than_the_timeout_are_given_up_and_counted_without_the_warm_up() {
        let schedule = schedule(Duration::from_secs(3600));
        assert!(schedule.take(&mut schedule.lock(), Instant::now()).is_none());
        let Backlog { waiting, not_sent, .. } = schedule.backlog();
        assert_eq!((not_sent, waiting), (900, 0));
    }

    #[test]
    fn a_call_keeps_the_time_at_which_it_was_due() {
        let schedule = schedule(Duration::ZERO);
        let late = schedule.begin + Duration::from_millis(300);
        let first = schedule.take(&mut schedule.lock(), late).unwrap();
        assert_eq!(first.due, schedule.begin + Duration::from_millis(100));
        assert!(!first.is_measured || schedule.backlog().not_sent == 0);
        let early = schedule.begin + Duration::from_micros(100_500);
        assert!(schedule.take(&mut schedule.lock(), early).is_none(), "the next one is not due");
        let second = schedule.take(&mut schedule.lock(), late).unwrap();
        assert_eq!(second.due, schedule.begin + Duration::from_millis(101));
        assert!(second.is_measured);
    }

    #[test]
    fn calls_due_at_the_stop_are_left_and_no_caller_waits_any_longer() {
        let mut schedule = schedule(Duration::from_millis(150));
        schedule.stop();
        let Backlog { left, not_sent, .. } = schedule.backlog();
        assert!(left >= 50 && not_sent == 0);
        // What would have been due after the stop is not.
        schedule.begin -= Duration::from_millis(100);
        schedule.stop();
        assert_eq!(schedule.backlog().left, left);
        assert!(block_on(schedule.next()).is_none());
        schedule.keep_pace();
    }
}

//! An event for each call, or for some of them: who called what, and how it ended.

mod trace_context;

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::Level;

use crate::call::Call;
use crate::interceptor::{Interceptor, Outcome};
use crate::status::code::Code;
use crate::status::cut;
use trace_context::TraceParent;

/// The target of the events.
pub const TARGET: &str = "access";

/// The longest message of a status that is logged, in bytes.
const MAX_MESSAGE: usize = 256;

/// The longest request id that is taken from a caller, in bytes.
const MAX_REQUEST_ID: usize = 128;

/// Logs calls, one event each, at INFO under the target `access`.
///
/// | field | what it is |
/// |---|---|
/// | `method` | `/package.Service/Method` |
/// | `peer` | as the C core writes it: `ipv4:127.0.0.1:50000`, `unix:` |
/// | `code` | `OK`, `INVALID_ARGUMENT`, ... |
/// | `error` | the status' message, up to 256 bytes; not of a call that was OK |
/// | `duration_us` | from the first interceptor to the status, in microseconds |
/// | `received`, `sent` | messages |
/// | `request_id` | the caller's `x-request-id` if that is up to 128 printable ASCII characters; made up otherwise |
/// | `trace_id`, `parent_id` | of the caller's `traceparent`, if that is valid (W3C Trace Context) |
///
/// Calls that end with a code that OpenTelemetry counts as the server's own fault (UNKNOWN,
/// DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS) are always logged, of the others
/// a share.
pub struct AccessLog {
    /// A random number up to this is a call to be logged.
    threshold: u64,
    /// What request ids are made of.
    ids: AtomicU64,
}

/// A share of calls that is none.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0} is no share of calls; it goes from 0 (only what fails) to 1 (all of them)")]
pub struct InvalidRate(f64);

impl AccessLog {
    /// Logs the share `rate` of the calls that are no failure of the server, from 0 to 1.
    ///
    /// # Errors
    ///
    /// [`InvalidRate`] if it is less or more, or no number.
    pub fn new(rate: f64) -> Result<AccessLog, InvalidRate> {
        if !(0.0..=1.0).contains(&rate) {
            return Err(InvalidRate(rate));
        }
        // A conversion to an integer ends at its limits, which 1.0 is.
        let threshold = (rate * u64::MAX as f64) as u64;
        Ok(AccessLog { threshold, ids: AtomicU64::new(random_seed()) })
    }

    fn is_wanted(&self, code: Code) -> bool {
        match self.threshold {
            u64::MAX => true,
            _ if is_server_error(code) => true,
            0 => false,
            threshold => random() <= threshold,
        }
    }

    fn made_up_id(&self) -> String {
        format!("{:016x}", mix(self.ids.fetch_add(1, Ordering::Relaxed)))
    }
}

impl Interceptor for AccessLog {
    fn after(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
        let code = outcome.code();
        if !self.is_wanted(code) || !tracing::enabled!(target: TARGET, Level::INFO) {
            return;
        }
        let id = call.metadata("x-request-id").and_then(valid_id);
        let made_up = id.is_none().then(|| self.made_up_id());
        let trace = call.metadata("traceparent").and_then(TraceParent::parse);
        tracing::info!(
            target: TARGET,
            method = call.method().path(),
            peer = call.peer(),
            code = code.name(),
            error = outcome.status.map(|status| cut(status.message(), MAX_MESSAGE)),
            duration_us = u64::try_from(outcome.elapsed.as_micros()).unwrap_or(u64::MAX),
            received = outcome.received,
            sent = outcome.sent,
            request_id = id.or(made_up.as_deref()),
            trace_id = trace.map(|trace| trace.trace_id),
            parent_id = trace.map(|trace| trace.parent_id),
            "call"
        );
    }

    fn keeps_caller(&self) -> bool {
        true
    }
}

/// OpenTelemetry, semantic conventions for gRPC, "gRPC status": what makes a server's span an error.
fn is_server_error(code: Code) -> bool {
    use Code::{DataLoss, DeadlineExceeded, Internal, Unavailable, Unimplemented, Unknown};
    matches!(code, Unknown | DeadlineExceeded | Unimplemented | Internal | Unavailable | DataLoss)
}

/// An id that can be written into a log as it is.
fn valid_id(id: &[u8]) -> Option<&str> {
    let printable = id.iter().all(|byte| matches!(byte, b' '..=b'~'));
    ((1..=MAX_REQUEST_ID).contains(&id.len()) && printable).then(|| std::str::from_utf8(id).ok()).flatten()
}

/// A random number of this thread, for which no other thread is waited.
fn random() -> u64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(random_seed());
    }
    let next = |state: &Cell<u64>| {
        state.set(state.get().wrapping_add(1));
        mix(state.get())
    };
    // A thread that is about to end logs its call.
    STATE.try_with(next).unwrap_or(0)
}

/// The standard library's own source of randomness.
fn random_seed() -> u64 {
    RandomState::new().hash_one(0)
}

/// SplitMix64: different numbers in, different ones out, however near the former.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_the_share_of_calls_that_are_logged() {
        for (rate, at_least, at_most) in
            [(0.0, 0, 0), (0.1, 9_000, 11_000), (0.5, 49_000, 51_000), (1.0, 100_000, 100_000)]
        {
            let log = AccessLog::new(rate).unwrap();
            let logged = (0..100_000).filter(|_| log.is_wanted(Code::Ok)).count();
            assert!((at_least..=at_most).contains(&logged), "{rate}: {logged}");
            assert!(log.is_wanted(Code::Internal));
        }
    }

    #[test]
    fn a_rate_that_is_none_is_refused() {
        for rate in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(AccessLog::new(rate).err().unwrap().to_string().contains("from 0"), "{rate}");
        }
    }

    #[test]
    fn a_request_id_is_taken_as_it_is_or_not_at_all() {
        assert_eq!(valid_id(b"a-1 ~"), Some("a-1 ~"));
        assert_eq!(valid_id("x".repeat(128).as_bytes()).map(str::len), Some(128));
        for id in ["", "a\n", "\x7f", "é", &"x".repeat(129)] {
            assert_eq!(valid_id(id.as_bytes()), None, "{id:?}");
        }
    }

    #[test]
    fn made_up_request_ids_are_16_digits_and_differ() {
        let log = AccessLog::new(0.0).unwrap();
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| log.made_up_id()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 16 && id.bytes().all(|digit| digit.is_ascii_hexdigit())));
    }
}

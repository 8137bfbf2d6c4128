//! The access log: a `tracing` event for each RPC, or for a sample of them.

use tracing::Level;

use crate::call::Call;
use crate::interceptor::{Interceptor, Outcome};
use crate::status::code::Code;
use crate::status::cut;

/// The target of the events.
pub const TARGET: &str = "access";

/// Maximum length of a logged status message, in bytes.
const MAX_MESSAGE: usize = 256;

/// Maximum length of a request id taken from the client, in bytes.
const MAX_REQUEST_ID: usize = 128;

/// Logs RPCs, one event each, at INFO under the target `access`.
///
/// | field | |
/// |---|---|
/// | `method` | `/package.Service/Method`; `/other/other` for one that the server does not have |
/// | `peer` | as the C core writes it: `ipv4:127.0.0.1:50000`, `unix:` |
/// | `code` | `OK`, `INVALID_ARGUMENT`, ... |
/// | `error` | the status message, up to 256 bytes; absent with OK |
/// | `duration_us` | from the first interceptor to the status, in microseconds |
/// | `received`, `sent` | numbers of messages |
/// | `request_id` | the client's `x-request-id` if it is up to 128 printable ASCII characters; random otherwise |
/// | `trace_id` | the trace of [`Call::trace_context`] |
/// | `parent_id` | the client's span, from its `traceparent` |
///
/// RPCs with a code that OpenTelemetry counts as a server error (UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL,
/// UNAVAILABLE, DATA_LOSS) are always logged; the others are sampled. RPCs that reach no method are not logged
/// ([`Interceptor`]).
pub struct AccessLog {
    /// The sampling rate, 0 to 1.
    rate: f64,
}

/// A sampling rate below 0, above 1, or NaN.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the sampling rate must be between 0 and 1, and is {0}")]
pub struct InvalidRate(f64);

impl AccessLog {
    /// Logs server errors and the share `rate` of the other RPCs: from 0, none of them, to 1, all.
    ///
    /// # Errors
    ///
    /// [`InvalidRate`] if `rate` is outside of that range or NaN.
    pub fn new(rate: f64) -> Result<AccessLog, InvalidRate> {
        if (0.0..=1.0).contains(&rate) { Ok(AccessLog { rate }) } else { Err(InvalidRate(rate)) }
    }

    /// Returns whether to log an RPC with this code.
    fn samples(&self, code: Code) -> bool {
        // Random numbers are below 1.
        code.is_server_error() || fastrand::f64() < self.rate
    }
}

impl Interceptor for AccessLog {
    fn after(&self, call: &Call<'_>, outcome: &Outcome<'_>) {
        let code = outcome.code();
        if !self.samples(code) || !tracing::enabled!(target: TARGET, Level::INFO) {
            return;
        }
        let id = call.metadata("x-request-id").and_then(valid_id);
        let random = id.is_none().then(random_id);
        tracing::info!(
            target: TARGET,
            method = call.method().path(),
            peer = call.peer(),
            code = code.name(),
            error = outcome.status.map(|status| cut(status.message(), MAX_MESSAGE)),
            duration_us = u64::try_from(outcome.elapsed.as_micros()).unwrap_or(u64::MAX),
            received = outcome.received,
            sent = outcome.sent,
            request_id = id.or(random.as_deref()),
            trace_id = call.trace_context().map(|trace| format!("{:032x}", trace.trace_id)),
            parent_id = call.client_trace_context().map(|parent| format!("{:016x}", parent.span_id)),
            "call"
        );
    }

    fn keeps_caller(&self) -> bool {
        true
    }
}

/// Returns the client's id if it can be logged as it is.
fn valid_id(id: &[u8]) -> Option<&str> {
    let printable = id.iter().all(|byte| matches!(byte, b' '..=b'~'));
    ((1..=MAX_REQUEST_ID).contains(&id.len()) && printable).then(|| std::str::from_utf8(id).ok()).flatten()
}

fn random_id() -> String {
    format!("{:016x}", fastrand::u64(..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_the_share_of_rpcs_that_are_logged() {
        for (rate, at_least, at_most) in
            [(0.0, 0, 0), (0.1, 9_000, 11_000), (0.5, 49_000, 51_000), (1.0, 100_000, 100_000)]
        {
            let log = AccessLog::new(rate).unwrap();
            let logged = (0..100_000).filter(|_| log.samples(Code::Ok)).count();
            assert!((at_least..=at_most).contains(&logged), "{rate}: {logged}");
            assert!(log.samples(Code::Internal));
        }
    }

    #[test]
    fn a_rate_that_is_not_between_0_and_1_is_rejected() {
        for rate in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            let message = format!("the sampling rate must be between 0 and 1, and is {rate}");
            assert_eq!(AccessLog::new(rate).err().unwrap().to_string(), message);
        }
    }

    #[test]
    fn a_request_id_is_logged_as_it_is_or_not_at_all() {
        assert_eq!(valid_id(b"a-1 ~"), Some("a-1 ~"));
        assert_eq!(valid_id("x".repeat(128).as_bytes()).map(str::len), Some(128));
        for id in ["", "a\n", "\x7f", "é", &"x".repeat(129)] {
            assert_eq!(valid_id(id.as_bytes()), None, "{id:?}");
        }
    }

    #[test]
    fn random_request_ids_have_16_digits_and_differ() {
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| random_id()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 16 && id.bytes().all(|digit| digit.is_ascii_hexdigit())));
    }
}

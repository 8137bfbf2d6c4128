//! One place among the calls in flight: a call, and then the next.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::Future;
use futures_timer::Delay;
use grpcio_kit::{Code, Status};

use super::plan::Plan;
use super::tally::SharedTally;

/// How long a place rests after one of [`LASTING`]: a server that has gone away, or wants none of it, is not flooded,
/// nor is the report. With a rate the rate sees to that.
const REST: Duration = Duration::from_millis(100);

/// Failures that come at once, and for the next call too.
const LASTING: [Code; 4] = [Code::Unavailable, Code::Unimplemented, Code::Unauthenticated, Code::PermissionDenied];

/// Why a call did not succeed.
pub enum Failure {
    Status(Status),
    /// The server answered with something else than the right result.
    Wrong(String),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Failure {
        Failure::Status(status)
    }
}

/// What is sent, and what is to come back.
pub trait Caller: Send + 'static {
    /// Sends one request, and judges the reply.
    fn call(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// There are no more calls.
    fn end(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Makes one call after the other, as planned.
pub async fn repeat(mut caller: impl Caller, plan: Arc<Plan>, tally: SharedTally) {
    while let Some(ticket) = plan.next().await {
        let begin = Instant::now();
        // Without a rate, a call is due when it begins.
        let due = ticket.due.unwrap_or(begin);
        let waited = begin.saturating_duration_since(due);
        let result = caller.call().await;
        let end = Instant::now();
        let rests =
            ticket.due.is_none() && matches!(&result, Err(Failure::Status(status)) if LASTING.contains(&status.code()));
        tally.record(ticket.is_measured, waited, end.saturating_duration_since(due), end, result);
        if rests {
            Delay::new(REST).await;
        }
    }
    caller.end().await;
}

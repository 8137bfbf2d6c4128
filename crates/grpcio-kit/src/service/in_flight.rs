//! An RPC that outlasts its first turn on the completion queue's thread: a streaming or an asynchronous one.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use futures::FutureExt;
use futures_timer::Delay;

use crate::call::Call;
use crate::call::stream::SharedRequests;
use crate::interceptor::{Admitted, Outcome};
use crate::service::route::Route;
use crate::status::Status;
use crate::status::code::Code;

/// An RPC between [`Interceptor::before`](crate::Interceptor::before) and
/// [`after`](crate::Interceptor::after), which runs at the latest when this is dropped.
pub(crate) struct InFlight {
    pub route: Arc<Route>,
    pub call: Call<'static>,
    /// `None` once `after` has run.
    admitted: Option<Admitted>,
    /// The end of the time that the server allows the RPC.
    time_up: Option<Delay>,
    /// Kept until the RPC ends; `None` if there is one request, which has arrived.
    requests: Option<Arc<SharedRequests>>,
    /// Replies so far.
    pub sent: u64,
    /// Since when the method has had the queue's thread; `None` while it does not.
    running_since: Option<Instant>,
    blocked_thread: bool,
}

/// Why no more replies are sent.
pub(crate) enum End {
    /// The method has no more.
    Replies,
    /// The method failed.
    Status(Status),
    /// The RPC ended before.
    Rpc(grpcio::Error),
}

impl InFlight {
    /// Runs the interceptors' `before`. Peer and metadata are copied if the method or an interceptor keeps them.
    pub fn begin(
        route: &Arc<Route>,
        call: &Call<'_>,
        requests: Option<Arc<SharedRequests>>,
    ) -> (InFlight, Result<(), Status>) {
        let chain = &route.shared.chain;
        let (admitted, result) = chain.before(call);
        let keeps_client = !route.method.kind().is_streaming() || chain.keeps_caller;
        let in_flight = InFlight {
            route: Arc::clone(route),
            call: if keeps_client { call.to_static() } else { call.without_client() },
            admitted: Some(admitted),
            time_up: route.max_time.map(Delay::new),
            requests,
            sent: 0,
            running_since: Some(call.started),
            blocked_thread: false,
        };
        (in_flight, result)
    }

    /// Polls the method, measures how long it keeps the thread, and ends it when its time is up.
    pub fn poll_method(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut InFlight, &mut Context<'_>) -> Poll<End>,
    ) -> Poll<End> {
        self.running_since.get_or_insert_with(Instant::now);
        if let (Some(delay), Some(max)) = (&mut self.time_up, self.route.max_time) {
            if delay.poll_unpin(cx).is_ready() {
                let message =
                    format!("the server ends RPCs of this method after {} s (max_deadline)", max.as_secs_f64());
                return Poll::Ready(End::Status(Status::new(Code::DeadlineExceeded, message)));
            }
        }
        let polled = poll(self, cx);
        self.stop_clock();
        polled
    }

    fn stop_clock(&mut self) {
        if let Some(since) = self.running_since.take() {
            self.blocked_thread |= self.route.blocked_thread(since.elapsed());
        }
    }

    /// Ends the RPC with this status.
    pub fn end(&mut self, status: Option<&Status>) {
        let Some(admitted) = self.admitted.take() else {
            return;
        };
        self.stop_clock();
        let outcome = Outcome {
            status,
            elapsed: self.call.started.elapsed(),
            received: self.requests.as_ref().map_or(1, |requests| requests.received()),
            sent: self.sent,
            blocked_thread: self.blocked_thread,
        };
        self.route.shared.chain.after(&admitted, &self.call, &outcome);
    }
}

impl Drop for InFlight {
    /// Ends the RPC as the client did: it cancelled, or its deadline has passed.
    fn drop(&mut self) {
        if self.admitted.is_none() {
            return;
        }
        let status = if self.call.is_expired() {
            Status::new(Code::DeadlineExceeded, "the deadline passed")
        } else {
            Status::new(Code::Cancelled, "the call was cancelled")
        };
        self.end(Some(&status));
    }
}

//! A streaming call while it is in flight: what its interceptors are to be told at its end,
//! and the time it has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::{Future, FutureExt};
use futures_timer::Delay;
use grpcio::{Deadline, RpcContext};

use crate::call::{Call, Caller};
use crate::interceptor::Passage;
use crate::method::MethodDescriptor;
use crate::service::route::{Route, Shared};
use crate::status::Status;
use crate::status::code::Code;

/// A streaming call between [`Interceptor::before`](crate::Interceptor::before) and
/// [`after`](crate::Interceptor::after), which runs at the latest when this is dropped.
pub(crate) struct StreamingCall {
    method: MethodDescriptor,
    max_call_time: Option<Duration>,
    shared: Arc<Shared>,
    /// `None` once the interceptors have been told.
    passage: Option<Passage>,
    caller: Option<Caller>,
    deadline: Deadline,
    /// The end of the time that the server allows the call.
    time_up: Option<Delay>,
    /// Requests so far.
    pub received: Arc<AtomicU64>,
    /// Replies so far.
    pub sent: u64,
}

impl StreamingCall {
    pub fn begin(route: &Route, call: &Call<'_>, context: &RpcContext<'_>) -> (StreamingCall, Result<(), Status>) {
        let chain = &route.shared.chain;
        let (passage, admitted) = chain.before(call);
        let streaming = StreamingCall {
            method: route.method,
            max_call_time: route.max_call_time,
            shared: Arc::clone(&route.shared),
            passage: Some(passage),
            caller: chain.keeps_caller().then(|| call.keep_caller()),
            deadline: context.deadline(),
            time_up: route.max_call_time.map(Delay::new),
            received: Arc::default(),
            sent: 0,
        };
        (streaming, admitted)
    }

    /// The largest reply, in bytes.
    pub fn max_reply_bytes(&self) -> usize {
        self.shared.max_reply_bytes
    }

    pub fn method(&self) -> MethodDescriptor {
        self.method
    }

    /// Ready when the server's own limit for the time of a call is reached.
    pub fn poll_time_up(&mut self, cx: &mut Context<'_>) -> Poll<Status> {
        let Some(delay) = &mut self.time_up else {
            return Poll::Pending;
        };
        ready!(delay.poll_unpin(cx));
        self.time_up = None;
        let seconds = self.max_call_time.unwrap_or(Duration::ZERO).as_secs_f64();
        Poll::Ready(Status::new(Code::DeadlineExceeded, format!("the server allows a call {seconds} s")))
    }

    /// The call ends with this status.
    pub fn end(&mut self, status: Option<&Status>) {
        let Some(passage) = self.passage.take() else {
            return;
        };
        let call = Call::kept(self.method, self.caller.as_ref());
        self.shared.chain.after(&passage, &call, status, self.received.load(Ordering::Relaxed), self.sent);
    }

    /// The call ends with OK, unless its caller has left.
    ///
    /// The requests of a call that was cancelled end like those of one that was not: only
    /// when the status cannot be sent does grpcio say which of the two it was.
    pub async fn end_when_sent(&mut self, sending: impl Future<Output = grpcio::Result<()>>) -> grpcio::Result<()> {
        let sent = sending.await;
        match sent {
            Ok(()) => self.end(None),
            Err(_) => self.end_by_caller(),
        }
        sent
    }

    /// The caller has left, or its deadline has passed.
    pub fn end_by_caller(&mut self) {
        let status = if self.deadline.exceeded() {
            Status::new(Code::DeadlineExceeded, "the deadline passed")
        } else {
            Status::new(Code::Cancelled, "the call was cancelled")
        };
        self.end(Some(&status));
    }
}

impl Drop for StreamingCall {
    fn drop(&mut self) {
        self.end_by_caller();
    }
}

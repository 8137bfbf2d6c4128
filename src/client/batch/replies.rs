//! The Calculate RPC of a BatchCalculator: a stream of requests in, a stream of checked replies out.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::channel::mpsc::{self, UnboundedSender};
use futures::{FutureExt, Stream, StreamExt};
use futures_timer::Delay;
use grpcio_kit::{CallOptions, Code, ReplyStream, Status};

use crate::client::Error;
use crate::proto::calc_batch::{BatchReply, BatchRequest, Operation};
use crate::proto::calc_batch_grpc::BatchCalculatorClient;

/// The maximum number of requests without a reply: enough to keep both client and server busy.
pub const MAX_IN_FLIGHT: usize = 4;

/// The replies to a stream of requests, in their order; [`Batch::calculate`](super::Batch::calculate) returns it.
///
/// Polling it polls the requests too, as long as fewer than [`MAX_IN_FLIGHT`] of them have no reply. Each reply has as
/// many results as its request has pairs, and only errors with an index among them, in rising order.
///
/// The stream ends after the reply to the last request, or after its first `Err`: the RPC failed, a reply did not
/// arrive within the client's timeout, or it does not fit its request. Dropping the stream before cancels the RPC.
#[must_use = "dropping the replies cancels the RPC"]
pub struct Replies<R> {
    requests: Pin<Box<R>>,
    /// Where requests go; `None` after the last one.
    sender: Option<UnboundedSender<BatchRequest>>,
    /// `None` after the end.
    replies: Option<ReplyStream<BatchReply>>,
    /// The numbers of integers and of floats in the reply to each request without one, at most [`MAX_IN_FLIGHT`].
    due: VecDeque<(usize, usize)>,
    /// The maximum time to wait for a reply that is due.
    timeout: Duration,
    /// Runs while the server has something to send.
    timer: Option<Delay>,
}

impl<R: Stream<Item = BatchRequest>> Replies<R> {
    pub(super) fn new(stub: &BatchCalculatorClient, options: CallOptions, timeout: Duration, requests: R) -> Self {
        let (sender, receiver) = mpsc::unbounded();
        Replies {
            requests: Box::pin(requests),
            sender: Some(sender),
            replies: Some(stub.calculate_async(receiver, options)),
            due: VecDeque::with_capacity(MAX_IN_FLIGHT),
            timeout,
            timer: None,
        }
    }

    /// Sends requests while there is capacity and some are ready.
    fn send(&mut self, cx: &mut Context<'_>) {
        while let (Some(sender), true) = (&self.sender, self.due.len() < MAX_IN_FLIGHT) {
            match self.requests.as_mut().poll_next(cx) {
                Poll::Ready(Some(request)) => {
                    let length = request.n1.len();
                    let is_division = request.operation == Operation::OPERATION_DIVIDE.into();
                    self.due.push_back(if is_division { (0, length) } else { (length, 0) });
                    // An RPC that has ended takes no request; its status comes instead of a reply.
                    let _ = sender.unbounded_send(request);
                }
                Poll::Ready(None) => self.sender = None,
                Poll::Pending => return,
            }
        }
    }

    fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<BatchReply, Error>>> {
        let Some(replies) = &mut self.replies else {
            return Poll::Ready(None);
        };
        match replies.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(reply))) => {
                self.timer = None;
                let fits = self.due.pop_front().is_some_and(|due| fits(due, &reply));
                let reply = if fits { Ok(reply) } else { internal("the server's reply does not fit its request") };
                return Poll::Ready(Some(reply));
            }
            Poll::Ready(Some(Err(status))) => return Poll::Ready(Some(Err(status.into()))),
            Poll::Ready(None) if self.due.is_empty() && self.sender.is_none() => return Poll::Ready(None),
            Poll::Ready(None) => {
                return Poll::Ready(Some(internal("the server ended the RPC before it had all requests")));
            }
            Poll::Pending => {}
        }
        if self.due.is_empty() && self.sender.is_some() {
            // No reply is due: the timeout does not run while the client makes requests.
            return Poll::Pending;
        }
        let timeout = self.timeout;
        self.timer.get_or_insert_with(|| Delay::new(timeout)).poll_unpin(cx).map(|()| {
            let message = format!("no reply within {} s", timeout.as_secs_f64());
            Some(Err(Status::new(Code::DeadlineExceeded, message).into()))
        })
    }
}

impl<R: Stream<Item = BatchRequest>> Stream for Replies<R> {
    type Item = Result<BatchReply, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.replies.is_some() {
            this.send(cx);
        }
        let reply = this.poll_reply(cx);
        if matches!(reply, Poll::Ready(None | Some(Err(_)))) {
            // Cancels the RPC if it has not ended.
            (this.replies, this.sender) = (None, None);
        }
        reply
    }
}

fn fits((integers, floats): (usize, usize), reply: &BatchReply) -> bool {
    (reply.n1.len(), reply.f1.len()) == (integers, floats)
        && reply.errors.is_sorted_by(|one, next| one.index < next.index)
        && reply.errors.last().is_none_or(|last| (last.index as usize) < integers + floats)
}

fn internal<T>(message: &str) -> Result<T, Error> {
    Err(Status::new(Code::Internal, message).into())
}

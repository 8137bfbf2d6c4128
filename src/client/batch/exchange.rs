//! The messages of one batch call: requests out, replies in, and both of them bounded.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::channel::mpsc::{self, UnboundedSender};
use futures::executor::block_on;
use futures::future::poll_fn;
use futures::{FutureExt, StreamExt};
use futures_timer::Delay;

use crate::client::Error;
use crate::proto::calc_batch::{BatchReply, BatchRequest, Operation};
use crate::proto::calc_batch_grpc::BatchCalculatorClient;
use grpcio_kit::{CallOptions, Code, ReplyStream, Status};

/// The most requests without their replies. They are enough to keep both sides at work.
pub const MAX_IN_FLIGHT: usize = 4;

/// One call of a BatchCalculator, message by message: for who makes the messages, or does not want to block.
///
/// ```no_run
/// # use calc::proto::calc_batch::{BatchRequest, Operation};
/// # let client = calc::Client::connect("localhost:50050")?;
/// let mut requests = (0..1000).map(|n| BatchRequest {
///     operation: Operation::OPERATION_ADD.into(),
///     n1: vec![n; 8192],
///     n2: (0..8192).collect(),
///     ..BatchRequest::default()
/// });
/// let mut exchange = client.batch().exchange();
/// loop {
///     while let Some(room) = exchange.room() {
///         match requests.next() {
///             Some(request) => room.send(request),
///             None => room.close(),
///         }
///     }
///     let Some(reply) = exchange.reply()? else { break };
///     println!("{}", reply.n1.len());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What is sent leaves while a reply is waited for. Dropping it before its end cancels the call.
#[must_use = "dropping it cancels the call"]
pub struct Exchange {
    /// `None` once there are no more requests.
    requests: Option<UnboundedSender<BatchRequest>>,
    /// `None` after the end.
    replies: Option<ReplyStream<BatchReply>>,
    /// What each request without a reply asks for.
    due: VecDeque<Due>,
    timeout: Duration,
    /// Runs while something is due.
    timer: Option<Delay>,
}

/// Room for one more request in an [`Exchange`], which bounds what is on its way.
#[must_use = "nothing is sent before it is given a request"]
pub struct Room<'a> {
    exchange: &'a mut Exchange,
}

impl Room<'_> {
    /// Sends a request.
    pub fn send(self, request: BatchRequest) {
        let Some(requests) = &self.exchange.requests else { return };
        let is_division = request.operation == Operation::OPERATION_DIVIDE.into();
        self.exchange.due.push_back(Due { is_division, length: request.n1.len() });
        // A call that has ended takes no more, and says why in place of a reply.
        let _ = requests.unbounded_send(request);
    }

    /// There are no more requests.
    pub fn close(self) {
        self.exchange.requests = None;
    }
}

/// A reply that is due.
struct Due {
    is_division: bool,
    length: usize,
}

impl Exchange {
    pub(super) fn new(stub: &BatchCalculatorClient, options: CallOptions, timeout: Duration) -> Exchange {
        let (requests, receiver) = mpsc::unbounded();
        Exchange {
            requests: Some(requests),
            replies: Some(stub.calculate_async(receiver, options)),
            due: VecDeque::with_capacity(MAX_IN_FLIGHT),
            timeout,
            timer: None,
        }
    }

    /// Room for another request, or for word that there are no more. `None` while [`MAX_IN_FLIGHT`] are without their
    /// replies, after [`Room::close`], and after the call's end.
    pub fn room(&mut self) -> Option<Room<'_>> {
        let is_open = self.requests.is_some() && self.replies.is_some();
        (is_open && self.due.len() < MAX_IN_FLIGHT).then_some(Room { exchange: self })
    }

    /// Waits for the next reply: as many results as the request had pairs, and errors with an index among them. `None`
    /// after the last, and after an error.
    ///
    /// # Errors
    ///
    /// The call has failed, the next reply is late, or it does not fit its request.
    pub fn reply(&mut self) -> Result<Option<BatchReply>, Error> {
        block_on(poll_fn(|cx| self.poll_reply(cx)))
    }

    /// The same without waiting.
    pub fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<BatchReply>, Error>> {
        let polled = self.poll(cx);
        if let Poll::Ready(Ok(None) | Err(_)) = polled {
            self.replies = None;
            self.requests = None;
        }
        polled
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<BatchReply>, Error>> {
        let Some(replies) = &mut self.replies else {
            return Poll::Ready(Ok(None));
        };
        match replies.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(reply))) => {
                self.timer = None;
                let due = self.due.pop_front();
                return Poll::Ready(if due.is_some_and(|due| due.fits(&reply)) {
                    Ok(Some(reply))
                } else {
                    Err(broken("the server sent a reply that does not fit its request"))
                });
            }
            Poll::Ready(Some(Err(status))) => return Poll::Ready(Err(status.into())),
            Poll::Ready(None) if self.due.is_empty() && self.requests.is_none() => return Poll::Ready(Ok(None)),
            Poll::Ready(None) => return Poll::Ready(Err(broken("the server ended the call before its requests did"))),
            Poll::Pending => {}
        }
        if self.due.is_empty() && self.requests.is_some() {
            // It is not the server that is waited for.
            return Poll::Pending;
        }
        let timeout = self.timeout;
        let timer = self.timer.get_or_insert_with(|| Delay::new(timeout));
        timer.poll_unpin(cx).map(|()| {
            let message = format!("no reply within {} s", timeout.as_secs_f64());
            Err(Status::new(Code::DeadlineExceeded, message).into())
        })
    }
}

impl Due {
    fn fits(&self, reply: &BatchReply) -> bool {
        let (quotients, others) = if self.is_division { (self.length, 0) } else { (0, self.length) };
        reply.f1.len() == quotients
            && reply.n1.len() == others
            && reply.errors.is_sorted_by(|one, next| one.index < next.index)
            && reply.errors.last().is_none_or(|last| (last.index as usize) < self.length)
    }
}

fn broken(message: &str) -> Error {
    Status::new(Code::Internal, message).into()
}

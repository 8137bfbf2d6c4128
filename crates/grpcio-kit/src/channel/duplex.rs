//! The client's side of a call with a stream of requests: sending them while the reply is
//! waited for, in one task and without a thread of its own.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Sink, Stream, StreamExt};
use grpcio::{ClientDuplexReceiver, StreamingCallSink, WriteFlags};
use protobuf::MessageFull;

use crate::status::Status;

/// Moves requests into the sink of a call, as fast as it takes them.
pub(super) struct RequestPump<Req> {
    requests: Pin<Box<dyn Stream<Item = Req> + Send>>,
    sink: StreamingCallSink<Req>,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Sending,
    Closing,
    Done,
}

impl<Req: MessageFull> RequestPump<Req> {
    pub(super) fn new(
        requests: impl Stream<Item = Req> + Send + 'static,
        sink: StreamingCallSink<Req>,
    ) -> RequestPump<Req> {
        RequestPump { requests: Box::pin(requests), sink, state: State::Sending }
    }

    /// Sends what can be sent now. A failure ends the sending and nothing else: what became
    /// of the call is known from its reply.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) {
        loop {
            let sink = Pin::new(&mut self.sink);
            let step = match self.state {
                State::Sending => match sink.poll_ready(cx) {
                    Poll::Ready(Ok(())) => match self.requests.poll_next_unpin(cx) {
                        Poll::Ready(Some(request)) => Pin::new(&mut self.sink)
                            .start_send((request, WriteFlags::default()))
                            .map(|()| State::Sending),
                        Poll::Ready(None) => Ok(State::Closing),
                        Poll::Pending => return,
                    },
                    Poll::Ready(Err(error)) => Err(error),
                    Poll::Pending => return,
                },
                State::Closing => match sink.poll_close(cx) {
                    Poll::Ready(closed) => closed.map(|()| State::Done),
                    Poll::Pending => return,
                },
                State::Done => return,
            };
            self.state = step.unwrap_or(State::Done);
        }
    }
}

/// The replies of a bidirectional call; polling them sends its requests too.
pub(super) struct Duplex<Req, Rep> {
    pump: RequestPump<Req>,
    /// `None` after the end.
    replies: Option<ClientDuplexReceiver<Rep>>,
}

impl<Req, Rep> Duplex<Req, Rep> {
    pub(super) fn new(pump: RequestPump<Req>, replies: ClientDuplexReceiver<Rep>) -> Duplex<Req, Rep> {
        Duplex { pump, replies: Some(replies) }
    }
}

impl<Req: MessageFull, Rep: MessageFull> Stream for Duplex<Req, Rep> {
    type Item = Result<Rep, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(replies) = &mut this.replies else {
            return Poll::Ready(None);
        };
        this.pump.poll_send(cx);
        let next = replies.poll_next_unpin(cx).map_err(Status::from);
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            this.replies = None;
        }
        next
    }
}

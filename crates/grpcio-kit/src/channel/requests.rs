//! Sends the requests of a streaming RPC while its reply is awaited: in one task, without a thread of its own.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Sink, Stream, StreamExt};
use grpcio::{StreamingCallSink, WriteFlags};
use protobuf::MessageFull;

/// Moves requests into the sink of an RPC, as fast as it takes them.
pub(super) struct RequestSender<Req> {
    requests: Pin<Box<dyn Stream<Item = Req> + Send>>,
    /// Kept after a failure: dropping a sink that is not closed cancels the RPC, and its status would be lost.
    sink: StreamingCallSink<Req>,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Sending,
    Closing,
    Done,
}

impl<Req: MessageFull> RequestSender<Req> {
    pub(super) fn new(
        requests: impl Stream<Item = Req> + Send + 'static,
        sink: StreamingCallSink<Req>,
    ) -> RequestSender<Req> {
        RequestSender { requests: Box::pin(requests), sink, state: State::Sending }
    }

    /// Sends what can be sent now. A failure ends the sending only: the RPC's status tells the reason.
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

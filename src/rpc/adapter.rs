//! The one place between grpcio and services: it decodes requests, calls the method,
//! contains its panics, encodes replies, and owns the sink that they leave by.
//!
//! Methods run on the thread of the completion queue that received the call. A panic that
//! left them would end that thread, and with it every call of its queue.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, poll_fn};
use futures::{FutureExt, Sink, SinkExt, StreamExt};
use grpcio::{
    ClientStreamingSink, DuplexSink, GrpcSlice, MessageReader, RpcContext, RpcStatus, ServerStreamingSink, UnarySink,
    WriteFlags,
};
use protobuf::MessageFull;

use super::codec::{decode, encode};
use super::{Call, Code, ReplyFuture, ReplyStream, RequestStream, Status};

/// Answers a unary call.
pub(super) fn unary<Req, Rep, F>(
    method: &'static str,
    handler: &F,
    context: &RpcContext<'_>,
    request: MessageReader,
    sink: UnarySink<GrpcSlice>,
) where
    Req: MessageFull,
    Rep: MessageFull,
    F: Fn(&Call<'_>, Req) -> Result<Rep, Status>,
{
    let reply = contain(method, || encode(&handler(&Call::new(method, context), decode(request)?)?));
    let sent = match reply {
        Ok(reply) => sink.success(reply),
        Err(status) => sink.fail(status.to_grpcio()),
    };
    context.spawn(sent.map(move |sent| log_unsent(method, sent)));
}

/// Answers a server-streaming call.
pub(super) fn server_streaming<Req, Rep, F>(
    method: &'static str,
    handler: &F,
    context: &RpcContext<'_>,
    request: MessageReader,
    sink: ServerStreamingSink<GrpcSlice>,
) where
    Req: MessageFull,
    Rep: MessageFull,
    F: Fn(&Call<'_>, Req) -> Result<ReplyStream<Rep>, Status>,
{
    let replies = contain(method, || handler(&Call::new(method, context), decode(request)?));
    context.spawn(send_replies(method, replies, sink));
}

/// Answers a client-streaming call.
pub(super) fn client_streaming<Req, Rep, F>(
    method: &'static str,
    handler: &F,
    context: &RpcContext<'_>,
    requests: grpcio::RequestStream<MessageReader>,
    sink: ClientStreamingSink<GrpcSlice>,
) where
    Req: MessageFull,
    Rep: MessageFull,
    F: Fn(&Call<'_>, RequestStream<Req>) -> ReplyFuture<Rep>,
{
    let (stream, requests) = RequestStream::share(requests);
    let reply = contain(method, || Ok(handler(&Call::new(method, context), stream)));
    context.spawn(async move {
        let reply = match reply {
            Ok(reply) => match AssertUnwindSafe(reply).catch_unwind().await {
                Ok(reply) => reply.and_then(|reply| encode(&reply)),
                Err(panic) => Err(panicked(method, &*panic)),
            },
            Err(status) => Err(status),
        };
        let sent = match reply {
            Ok(reply) => sink.success(reply).await,
            Err(status) => sink.fail(status.to_grpcio()).await,
        };
        log_unsent(method, sent);
        drop(requests);
    });
}

/// Answers a bidirectional call.
pub(super) fn bidi_streaming<Req, Rep, F>(
    method: &'static str,
    handler: &F,
    context: &RpcContext<'_>,
    requests: grpcio::RequestStream<MessageReader>,
    sink: DuplexSink<GrpcSlice>,
) where
    Req: MessageFull,
    Rep: MessageFull,
    F: Fn(&Call<'_>, RequestStream<Req>) -> Result<ReplyStream<Rep>, Status>,
{
    let (stream, requests) = RequestStream::share(requests);
    let replies = contain(method, || handler(&Call::new(method, context), stream));
    context.spawn(async move {
        send_replies(method, replies, sink).await;
        drop(requests);
    });
}

/// The two sinks that take more than one reply.
trait ReplySink: Sink<(GrpcSlice, WriteFlags), Error = grpcio::Error> + Send + Unpin + 'static {
    fn fail(self, status: RpcStatus) -> BoxFuture<'static, grpcio::Result<()>>;
}

impl ReplySink for ServerStreamingSink<GrpcSlice> {
    fn fail(self, status: RpcStatus) -> BoxFuture<'static, grpcio::Result<()>> {
        self.fail(status).boxed()
    }
}

impl ReplySink for DuplexSink<GrpcSlice> {
    fn fail(self, status: RpcStatus) -> BoxFuture<'static, grpcio::Result<()>> {
        self.fail(status).boxed()
    }
}

/// Why no more replies are sent.
enum End {
    /// The method has no more of them.
    Replies,
    /// The method failed.
    Status(Status),
    /// The call ended first.
    Call(grpcio::Error),
}

async fn send_replies<Rep: MessageFull>(
    method: &'static str,
    replies: Result<ReplyStream<Rep>, Status>,
    mut sink: impl ReplySink,
) {
    let end = match replies {
        Ok(mut replies) => poll_fn(|cx| poll_send(method, &mut replies, &mut sink, cx)).await,
        Err(status) => End::Status(status),
    };
    let sent = match end {
        End::Replies => sink.close().await,
        End::Status(status) => match sink.flush().await {
            Ok(()) => sink.fail(status.to_grpcio()).await,
            Err(error) => Err(error),
        },
        End::Call(error) => Err(error),
    };
    log_unsent(method, sent);
}

/// Moves replies into the sink, as fast as it takes them.
///
/// The sink is polled even while the method has nothing to send: that is how the end of the
/// call is noticed, and a method that waits for something is dropped with it.
fn poll_send<Rep: MessageFull>(
    method: &'static str,
    replies: &mut ReplyStream<Rep>,
    sink: &mut impl ReplySink,
    cx: &mut Context<'_>,
) -> Poll<End> {
    loop {
        match sink.poll_ready_unpin(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(End::Call(error)),
            Poll::Pending => return Poll::Pending,
        }
        let next = catch_unwind(AssertUnwindSafe(|| replies.poll_next_unpin(cx)));
        let reply = match next {
            Ok(Poll::Ready(Some(reply))) => reply.and_then(|reply| encode(&reply)),
            Ok(Poll::Ready(None)) => return Poll::Ready(End::Replies),
            Ok(Poll::Pending) => return Poll::Pending,
            Err(panic) => Err(panicked(method, &*panic)),
        };
        let sent = match reply {
            Ok(reply) => Pin::new(&mut *sink).start_send((reply, WriteFlags::default())),
            Err(status) => return Poll::Ready(End::Status(status)),
        };
        if let Err(error) = sent {
            return Poll::Ready(End::Call(error));
        }
    }
}

/// Runs a piece of a method and turns its panic into INTERNAL.
fn contain<T>(method: &'static str, f: impl FnOnce() -> Result<T, Status>) -> Result<T, Status> {
    // What the closure captured is not looked at again after a panic, but for the service
    // itself, which has to stand a panic of one of its methods as a locked value would.
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| Err(panicked(method, &*panic)))
}

fn panicked(method: &'static str, panic: &(dyn Any + Send)) -> Status {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no string");
    tracing::error!(method, panic = message, "the method panicked");
    // The panic's own text may hold what callers should not see.
    Status::new(Code::Internal, format!("{method} failed unexpectedly; the server's log has the reason"))
}

/// A reply that could not be sent is the caller's doing: it cancelled, went away, or its
/// deadline passed.
fn log_unsent(method: &'static str, sent: grpcio::Result<()>) {
    if let Err(error) = sent {
        tracing::debug!(method, %error, "the call ended before its reply was sent");
    }
}

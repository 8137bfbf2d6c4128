//! The one place between grpcio and services: it decodes requests, calls the method,
//! contains its panics, encodes replies, and owns the sink that they leave by.
//!
//! Methods run on the thread of the completion queue that received the call. A panic that
//! left them would end that thread, and with it every call of its queue.

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

use super::streaming::StreamingCall;
use crate::call::Call;
use crate::call::panic::panicked;
use crate::call::stream::RequestStream;
use crate::codec::{decode, encode};
use crate::method::MethodDescriptor;
use crate::reply::{ReplyFuture, ReplyStream};
use crate::service::route::Route;
use crate::status::Status;

/// Answers a unary call.
pub(crate) fn unary<Req, Rep, F>(
    route: &Route,
    handler: &F,
    context: &RpcContext<'_>,
    request: MessageReader,
    sink: UnarySink<GrpcSlice>,
) where
    Req: MessageFull,
    Rep: MessageFull,
    F: Fn(&Call<'_>, Req) -> Result<Rep, Status>,
{
    let method = route.method;
    let call = Call::live(method, context, route.max_call_time);
    let (passage, admitted) = route.shared.chain.before(&call);
    let reply = admitted.and_then(|()| {
        contain(method, || {
            encode(&handler(&call, decode(request, route.max_request_bytes())?)?, route.max_reply_bytes())
        })
    });
    route.shared.chain.after(&passage, &call, reply.as_ref().err(), 1, reply.is_ok().into());
    let sent = match reply {
        Ok(reply) => sink.success(reply),
        Err(status) => sink.fail(status.to_grpcio()),
    };
    context.spawn(sent.map(move |sent| log_unsent(method, sent)));
}

/// Answers a server-streaming call.
pub(crate) fn server_streaming<Req, Rep, F>(
    route: &Route,
    handler: &F,
    context: &RpcContext<'_>,
    request: MessageReader,
    sink: ServerStreamingSink<GrpcSlice>,
) where
    Req: MessageFull,
    Rep: MessageFull,
    F: Fn(&Call<'_>, Req) -> Result<ReplyStream<Rep>, Status>,
{
    let call = Call::live(route.method, context, route.max_call_time);
    let (streaming, admitted) = StreamingCall::begin(route, &call, context);
    streaming.received.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let replies =
        admitted.and_then(|()| contain(route.method, || handler(&call, decode(request, route.max_request_bytes())?)));
    context.spawn(send_replies(streaming, replies, sink));
}

/// Answers a client-streaming call.
pub(crate) fn client_streaming<Req, Rep, F>(
    route: &Route,
    handler: &F,
    context: &RpcContext<'_>,
    requests: grpcio::RequestStream<MessageReader>,
    sink: ClientStreamingSink<GrpcSlice>,
) where
    Req: MessageFull,
    Rep: MessageFull,
    F: Fn(&Call<'_>, RequestStream<Req>) -> ReplyFuture<Rep>,
{
    let call = Call::live(route.method, context, route.max_call_time);
    let (mut streaming, admitted) = StreamingCall::begin(route, &call, context);
    let (stream, requests) = RequestStream::share(requests, &streaming.received, route.max_request_bytes());
    let reply = admitted.and_then(|()| contain(route.method, || Ok(handler(&call, stream))));
    context.spawn(async move {
        let method = streaming.method();
        let reply = match reply {
            Ok(reply) => {
                let mut reply = AssertUnwindSafe(reply).catch_unwind();
                let reply = poll_fn(|cx| match streaming.poll_time_up(cx) {
                    Poll::Ready(status) => Poll::Ready(Ok(Err(status))),
                    Poll::Pending => reply.poll_unpin(cx),
                });
                reply.await.unwrap_or_else(|panic| Err(panicked(method, &*panic)))
            }
            Err(status) => Err(status),
        };
        let reply = reply.and_then(|reply| encode(&reply, streaming.max_reply_bytes()));
        streaming.sent = reply.is_ok().into();
        let sent = match reply {
            Ok(reply) => streaming.end_when_sent(sink.success(reply)).await,
            Err(status) => {
                streaming.end(Some(&status));
                sink.fail(status.to_grpcio()).await
            }
        };
        log_unsent(method, sent);
        drop(requests);
    });
}

/// Answers a bidirectional call.
pub(crate) fn bidi_streaming<Req, Rep, F>(
    route: &Route,
    handler: &F,
    context: &RpcContext<'_>,
    requests: grpcio::RequestStream<MessageReader>,
    sink: DuplexSink<GrpcSlice>,
) where
    Req: MessageFull,
    Rep: MessageFull,
    F: Fn(&Call<'_>, RequestStream<Req>) -> Result<ReplyStream<Rep>, Status>,
{
    let call = Call::live(route.method, context, route.max_call_time);
    let (streaming, admitted) = StreamingCall::begin(route, &call, context);
    let (stream, requests) = RequestStream::share(requests, &streaming.received, route.max_request_bytes());
    let replies = admitted.and_then(|()| contain(route.method, || handler(&call, stream)));
    context.spawn(async move {
        send_replies(streaming, replies, sink).await;
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
    mut streaming: StreamingCall,
    replies: Result<ReplyStream<Rep>, Status>,
    mut sink: impl ReplySink,
) {
    let end = match replies {
        Ok(mut replies) => poll_fn(|cx| poll_send(&mut streaming, &mut replies, &mut sink, cx)).await,
        Err(status) => End::Status(status),
    };
    match &end {
        End::Replies => {}
        End::Status(status) => streaming.end(Some(status)),
        End::Call(_) => streaming.end_by_caller(),
    }
    let sent = match end {
        End::Replies => streaming.end_when_sent(sink.close()).await,
        End::Status(status) => match sink.flush().await {
            Ok(()) => sink.fail(status.to_grpcio()).await,
            Err(error) => Err(error),
        },
        End::Call(error) => Err(error),
    };
    log_unsent(streaming.method(), sent);
}

/// Moves replies into the sink, as fast as it takes them.
///
/// The sink is polled even while the method has nothing to send: that is how the end of the
/// call is noticed, and a method that waits for something is dropped with it.
fn poll_send<Rep: MessageFull>(
    streaming: &mut StreamingCall,
    replies: &mut ReplyStream<Rep>,
    sink: &mut impl ReplySink,
    cx: &mut Context<'_>,
) -> Poll<End> {
    loop {
        if let Poll::Ready(status) = streaming.poll_time_up(cx) {
            return Poll::Ready(End::Status(status));
        }
        match sink.poll_ready_unpin(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(End::Call(error)),
            Poll::Pending => return Poll::Pending,
        }
        let next = catch_unwind(AssertUnwindSafe(|| replies.poll_next_unpin(cx)));
        let reply = match next {
            Ok(Poll::Ready(Some(reply))) => reply.and_then(|reply| encode(&reply, streaming.max_reply_bytes())),
            Ok(Poll::Ready(None)) => return Poll::Ready(End::Replies),
            Ok(Poll::Pending) => return Poll::Pending,
            Err(panic) => Err(panicked(streaming.method(), &*panic)),
        };
        let sent = match reply {
            Ok(reply) => Pin::new(&mut *sink).start_send((reply, WriteFlags::default())),
            Err(status) => return Poll::Ready(End::Status(status)),
        };
        if let Err(error) = sent {
            return Poll::Ready(End::Call(error));
        }
        streaming.sent += 1;
    }
}

/// Runs a piece of a method and turns its panic into INTERNAL.
fn contain<T>(method: MethodDescriptor, f: impl FnOnce() -> Result<T, Status>) -> Result<T, Status> {
    // What the closure captured is not looked at again after a panic, but for the service
    // itself, which has to stand a panic of one of its methods as a locked value would.
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| Err(panicked(method, &*panic)))
}

/// A reply that could not be sent is the caller's doing: it cancelled, went away, or its
/// deadline passed.
fn log_unsent(method: MethodDescriptor, sent: grpcio::Result<()>) {
    if let Err(error) = sent {
        tracing::debug!(method = method.path(), %error, "the call ended before its reply was sent");
    }
}

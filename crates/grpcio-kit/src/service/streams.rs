//! Between grpcio and streaming methods, whose streams and futures run as tasks of the completion queue's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, poll_fn};
use futures::{FutureExt, Sink, SinkExt, StreamExt};
use grpcio::{
    ClientStreamingSink, DuplexSink, GrpcSlice, MessageReader, RpcContext, RpcStatus, ServerStreamingSink, WriteFlags,
};
use protobuf::MessageFull;

use crate::call::Call;
use crate::call::panic::panicked;
use crate::call::stream::RequestStream;
use crate::codec::{decode, encode};
use crate::reply::{ReplyFuture, ReplyStream};
use crate::service::adapter::{contain, log_unsent};
use crate::service::in_flight::InFlight;
use crate::service::route::Route;
use crate::status::Status;

/// Answers a server-streaming RPC.
pub(crate) fn server_streaming<Req, Rep, F>(
    route: &Arc<Route>,
    handler: &F,
    context: &RpcContext<'_>,
    request: MessageReader,
    sink: ServerStreamingSink<GrpcSlice>,
) where
    Req: MessageFull,
    Rep: MessageFull,
    F: Fn(&Call<'_>, Req) -> Result<ReplyStream<Rep>, Status>,
{
    let call = Call::start(route.method, context, route.max_time);
    let (in_flight, admitted) = InFlight::begin(route, &call, false);
    in_flight.count_request();
    let replies =
        admitted.and_then(|()| contain(route.method, || handler(&call, decode(request, route.max_request_bytes())?)));
    context.spawn(send_replies(in_flight, replies, sink));
}

/// Answers a client-streaming RPC.
pub(crate) fn client_streaming<Req, Rep, F>(
    route: &Arc<Route>,
    handler: &F,
    context: &RpcContext<'_>,
    requests: grpcio::RequestStream<MessageReader>,
    sink: ClientStreamingSink<GrpcSlice>,
) where
    Req: MessageFull,
    Rep: MessageFull,
    F: Fn(&Call<'_>, RequestStream<Req>) -> ReplyFuture<Rep>,
{
    let call = Call::start(route.method, context, route.max_time);
    let (mut in_flight, admitted) = InFlight::begin(route, &call, false);
    let (stream, requests) = RequestStream::share(requests, &in_flight.received, route.max_request_bytes());
    let reply = admitted.and_then(|()| contain(route.method, || Ok(handler(&call, stream))));
    context.spawn(async move {
        let method = in_flight.route.method;
        let reply = match reply {
            Ok(reply) => {
                let mut reply = AssertUnwindSafe(reply).catch_unwind();
                let reply =
                    poll_fn(|cx| in_flight.poll_method(cx, |_, cx| reply.poll_unpin(cx), |status| Ok(Err(status))));
                reply.await.unwrap_or_else(|panic| Err(panicked(method, &*panic)))
            }
            Err(status) => Err(status),
        };
        let reply = reply.and_then(|reply| encode(&reply, in_flight.route.max_reply_bytes()));
        in_flight.sent = reply.is_ok().into();
        let sent = match reply {
            Ok(reply) => in_flight.end_when_sent(sink.success(reply)).await,
            Err(status) => {
                in_flight.end(Some(&status));
                sink.fail(status.to_grpcio()).await
            }
        };
        log_unsent(method, sent);
        drop(requests);
    });
}

/// Answers a bidirectional RPC.
pub(crate) fn bidi_streaming<Req, Rep, F>(
    route: &Arc<Route>,
    handler: &F,
    context: &RpcContext<'_>,
    requests: grpcio::RequestStream<MessageReader>,
    sink: DuplexSink<GrpcSlice>,
) where
    Req: MessageFull,
    Rep: MessageFull,
    F: Fn(&Call<'_>, RequestStream<Req>) -> Result<ReplyStream<Rep>, Status>,
{
    let call = Call::start(route.method, context, route.max_time);
    let (in_flight, admitted) = InFlight::begin(route, &call, false);
    let (stream, requests) = RequestStream::share(requests, &in_flight.received, route.max_request_bytes());
    let replies = admitted.and_then(|()| contain(route.method, || handler(&call, stream)));
    context.spawn(async move {
        send_replies(in_flight, replies, sink).await;
        drop(requests);
    });
}

/// The two sinks for more than one reply.
pub(super) trait ReplySink:
    Sink<(GrpcSlice, WriteFlags), Error = grpcio::Error> + Send + Unpin + 'static
{
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
    /// The method has no more.
    Replies,
    /// The method failed.
    Status(Status),
    /// The RPC ended before.
    Rpc(grpcio::Error),
}

pub(super) async fn send_replies<Rep: MessageFull>(
    mut in_flight: InFlight,
    replies: Result<ReplyStream<Rep>, Status>,
    mut sink: impl ReplySink,
) {
    let end = match replies {
        Ok(mut replies) => {
            let mut poll =
                |in_flight: &mut InFlight, cx: &mut Context<'_>| poll_send(in_flight, &mut replies, &mut sink, cx);
            poll_fn(|cx| in_flight.poll_method(cx, &mut poll, End::Status)).await
        }
        Err(status) => End::Status(status),
    };
    match &end {
        End::Replies => {}
        End::Status(status) => in_flight.end(Some(status)),
        End::Rpc(_) => in_flight.end_by_client(),
    }
    let sent = match end {
        End::Replies => in_flight.end_when_sent(sink.close()).await,
        End::Status(status) => match sink.flush().await {
            Ok(()) => sink.fail(status.to_grpcio()).await,
            Err(error) => Err(error),
        },
        End::Rpc(error) => Err(error),
    };
    log_unsent(in_flight.route.method, sent);
}

/// Moves replies into the sink, as fast as it accepts them.
///
/// It polls the sink even while the method has nothing to send: the sink tells that the client has cancelled, and the
/// method's stream is dropped then.
fn poll_send<Rep: MessageFull>(
    in_flight: &mut InFlight,
    replies: &mut ReplyStream<Rep>,
    sink: &mut impl ReplySink,
    cx: &mut Context<'_>,
) -> Poll<End> {
    // The one reply of a unary method waits for the status, and leaves with it.
    let flags = WriteFlags::default().buffer_hint(!in_flight.route.method.kind().is_streaming());
    loop {
        match sink.poll_ready_unpin(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(End::Rpc(error)),
            Poll::Pending => return Poll::Pending,
        }
        let next = catch_unwind(AssertUnwindSafe(|| replies.poll_next_unpin(cx)));
        let reply = match next {
            Ok(Poll::Ready(Some(reply))) => reply.and_then(|reply| encode(&reply, in_flight.route.max_reply_bytes())),
            Ok(Poll::Ready(None)) => return Poll::Ready(End::Replies),
            Ok(Poll::Pending) => return Poll::Pending,
            Err(panic) => Err(panicked(in_flight.route.method, &*panic)),
        };
        let sent = match reply {
            Ok(reply) => Pin::new(&mut *sink).start_send((reply, flags)),
            Err(status) => return Poll::Ready(End::Status(status)),
        };
        if let Err(error) = sent {
            return Poll::Ready(End::Rpc(error));
        }
        in_flight.sent += 1;
    }
}

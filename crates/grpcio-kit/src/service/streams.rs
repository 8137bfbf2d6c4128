//! Between grpcio and methods whose RPCs stay in flight: their streams and futures run as tasks of the completion queue's
//! thread.
//!
//! One reply is a stream of one, so that to grpcio every such method is server-streaming or bidirectional. On the wire
//! there is no difference, and the sinks of these two tell when the client cancels, which the others do not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::future::poll_fn;
use futures::{Future, Sink, SinkExt, StreamExt};
use grpcio::{
    DuplexSink, GrpcSlice, MethodType, RpcContext, RpcStatus, ServerStreamingSink, ServiceBuilder, WriteFlags,
};
use protobuf::MessageFull;

use crate::call::Call;
use crate::call::panic::{contain, panicked};
use crate::call::stream::{RequestStream, SharedRequests};
use crate::codec::{decode, encode, server_method};
use crate::method::{Method, MethodKind};
use crate::reply::ReplyStream;
use crate::service::adapter::log_unsent;
use crate::service::in_flight::{End, InFlight};
use crate::service::route::Route;
use crate::status::Status;

/// Registers a method with one request.
pub(super) fn one_request<Req, Rep, F>(
    builder: ServiceBuilder,
    route: Arc<Route>,
    method: Method<Req, Rep>,
    handler: F,
) -> ServiceBuilder
where
    Req: MessageFull,
    Rep: MessageFull,
    F: Fn(&Call<'_>, Req) -> Result<ReplyStream<Rep>, Status> + Send + Sync + 'static,
{
    let handler = Arc::new(handler);
    let method = server_method(method, MethodType::ServerStreaming);
    builder.add_server_streaming_handler(&method, move |context, request, sink| {
        let replies = |call: &Call<'_>| handler(call, decode(request, route.shared.max_request_bytes)?);
        respond(&route, &context, None, replies, sink, ServerStreamingSink::fail);
    })
}

/// Registers a method with a stream of requests.
pub(super) fn many_requests<Req, Rep, F>(
    builder: ServiceBuilder,
    route: Arc<Route>,
    method: Method<Req, Rep>,
    handler: F,
) -> ServiceBuilder
where
    Req: MessageFull,
    Rep: MessageFull,
    F: Fn(&Call<'_>, RequestStream<Req>) -> Result<ReplyStream<Rep>, Status> + Send + Sync + 'static,
{
    let handler = Arc::new(handler);
    let method = server_method(method, MethodType::Duplex);
    builder.add_duplex_streaming_handler(&method, move |context, requests, sink| {
        let (requests, shared) = RequestStream::share(requests, route.shared.max_request_bytes);
        let replies = |call: &Call<'_>| handler(call, requests);
        respond(&route, &context, Some(shared), replies, sink, DuplexSink::fail);
    })
}

/// Begins an RPC, and sends the method's replies in a task. `fail` closes the sink with a status.
fn respond<Rep, S, Failing>(
    route: &Arc<Route>,
    context: &RpcContext<'_>,
    requests: Option<Arc<SharedRequests>>,
    method: impl FnOnce(&Call<'_>) -> Result<ReplyStream<Rep>, Status>,
    mut sink: S,
    fail: fn(S, RpcStatus) -> Failing,
) where
    Rep: MessageFull,
    S: Sink<(GrpcSlice, WriteFlags), Error = grpcio::Error> + Send + Unpin + 'static,
    Failing: Future<Output = grpcio::Result<()>> + Send + 'static,
{
    let call = Call::start(route.method, context, route.max_time);
    let (mut in_flight, admitted) = InFlight::begin(route, &call, requests);
    // A unary method keeps the call, of which there is a copy then.
    let call = if route.method.kind().is_streaming() { &call } else { &in_flight.call };
    let replies = admitted.and_then(|()| contain(route.method, || method(call)));
    context.spawn(async move {
        let end = match replies {
            Ok(mut replies) => {
                poll_fn(|cx| in_flight.poll_method(cx, |rpc, cx| poll_send(rpc, &mut replies, &mut sink, cx))).await
            }
            Err(status) => End::Status(status),
        };
        let sent = match end {
            // The requests of an RPC that was cancelled end like those of one that was not: only when the status cannot
            // be sent does grpcio say which of the two it was.
            End::Replies => sink.close().await.inspect(|()| in_flight.end(None)),
            End::Status(status) => {
                in_flight.end(Some(&status));
                match sink.flush().await {
                    Ok(()) => fail(sink, status.to_grpcio()).await,
                    Err(error) => Err(error),
                }
            }
            End::Rpc(error) => Err(error),
        };
        log_unsent(in_flight.route.method, sent);
    });
}

/// Moves replies into the sink, as fast as it accepts them.
///
/// It polls the sink even while the method has nothing to send: the sink tells that the client has cancelled, and the
/// method's stream is dropped then.
fn poll_send<Rep: MessageFull>(
    in_flight: &mut InFlight,
    replies: &mut ReplyStream<Rep>,
    sink: &mut (impl Sink<(GrpcSlice, WriteFlags), Error = grpcio::Error> + Unpin),
    cx: &mut Context<'_>,
) -> Poll<End> {
    // A single reply waits for the status, and leaves with it.
    let is_single = matches!(in_flight.route.method.kind(), MethodKind::Unary | MethodKind::ClientStreaming);
    let flags = WriteFlags::default().buffer_hint(is_single);
    loop {
        if let Err(error) = ready!(sink.poll_ready_unpin(cx)) {
            return Poll::Ready(End::Rpc(error));
        }
        let reply = match catch_unwind(AssertUnwindSafe(|| replies.poll_next_unpin(cx))) {
            Ok(Poll::Ready(Some(reply))) => {
                reply.and_then(|reply| encode(&reply, in_flight.route.shared.max_reply_bytes))
            }
            Ok(Poll::Ready(None)) => return Poll::Ready(End::Replies),
            Ok(Poll::Pending) => return Poll::Pending,
            Err(panic) => Err(panicked(in_flight.route.method, &*panic)),
        };
        let sent = match reply {
            Ok(reply) => sink.start_send_unpin((reply, flags)),
            Err(status) => return Poll::Ready(End::Status(status)),
        };
        if let Err(error) = sent {
            return Poll::Ready(End::Rpc(error));
        }
        in_flight.sent += 1;
    }
}

//! Between grpcio and a plain unary method: the whole life of a unary RPC on the server.
//!
//! grpcio calls [`unary`] on the completion queue's thread that received the request. The method runs there and then;
//! the reply leaves by the sink, which is in no other place. A panic must not leave the method: it would end the thread,
//! and with it every RPC of its queue.
//!
//! What takes longer than that turn is in `streams`.

use futures::FutureExt;
use grpcio::{GrpcSlice, MessageReader, RpcContext, UnarySink};
use protobuf::MessageFull;

use crate::call::Call;
use crate::call::panic::contain;
use crate::codec::{decode, encode};
use crate::interceptor::Outcome;
use crate::method::MethodDescriptor;
use crate::service::route::Route;
use crate::status::Status;

/// Answers a unary RPC at once.
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
    let call = Call::start(method, context, None);
    let (admitted, result) = route.shared.chain.before(&call);
    let reply = result.and_then(|()| {
        contain(method, || {
            encode(&handler(&call, decode(request, route.shared.max_request_bytes)?)?, route.shared.max_reply_bytes)
        })
    });
    let elapsed = call.started.elapsed();
    let outcome = Outcome {
        status: reply.as_ref().err(),
        elapsed,
        received: 1,
        sent: reply.is_ok().into(),
        blocked_thread: route.blocked_thread(elapsed),
    };
    route.shared.chain.after(&admitted, &call, &outcome);
    let sent = match reply {
        Ok(reply) => sink.success(reply),
        Err(status) => sink.fail(status.to_grpcio()),
    };
    context.spawn(sent.map(move |sent| log_unsent(method, sent)));
}

/// Logs, for debugging, that a reply could not be sent: the client cancelled, disconnected, or its deadline passed.
pub(super) fn log_unsent(method: MethodDescriptor, sent: grpcio::Result<()>) {
    if let Err(error) = sent {
        tracing::debug!(method = method.path(), %error, "the RPC ended before its reply was sent");
    }
}

//! Between grpcio and unary methods that take longer: a future, or a job of [`Workers`](crate::Workers).
//!
//! To grpcio they are server-streaming methods with a stream of one reply. On the wire there is no difference, and the
//! sink of such a method tells when the client cancels, which the one of a unary method does not.

use std::sync::Arc;

use futures::{Future, StreamExt, stream};
use grpcio::{GrpcSlice, MessageReader, RpcContext, ServerStreamingSink};
use protobuf::MessageFull;

use crate::call::Call;
use crate::codec::decode;
use crate::service::adapter::contain;
use crate::service::in_flight::InFlight;
use crate::service::route::Route;
use crate::service::streams::send_replies;
use crate::status::Status;

/// Answers a unary RPC when the future of its method is ready. The future is dropped when the RPC ends before.
pub(crate) fn unary<Req, Rep, F, Fut>(
    route: &Arc<Route>,
    handler: &F,
    context: &RpcContext<'_>,
    request: MessageReader,
    sink: ServerStreamingSink<GrpcSlice>,
) where
    Req: MessageFull,
    Rep: MessageFull,
    F: Fn(Call<'static>, Req) -> Result<Fut, Status>,
    Fut: Future<Output = Result<Rep, Status>> + Send + 'static,
{
    let call = Call::start(route.method, context, route.max_time);
    let (in_flight, admitted) = InFlight::begin(route, &call, true);
    in_flight.count_request();
    let reply = admitted.and_then(|()| {
        contain(route.method, || {
            let request = decode(request, route.max_request_bytes())?;
            Ok(stream::once(handler(in_flight.call().to_static(), request)?).boxed())
        })
    });
    context.spawn(send_replies(in_flight, reply, sink));
}

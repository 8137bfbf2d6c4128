//! A channel to a server, and the RPCs made on it. Generated clients are built on this.

pub(crate) mod builder;
pub(crate) mod core_channel;
pub(crate) mod options;
pub(crate) mod replies;
mod requests;
mod service_config;
pub(crate) mod target;
pub(crate) mod thread;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{Future, FutureExt, Stream, StreamExt, future, stream};
use futures_lite::future::{block_on, or};
use grpcio::{CallOption, MessageReader, MethodType};
use grpcio_sys::grpc_connectivity_state::{GRPC_CHANNEL_READY, GRPC_CHANNEL_SHUTDOWN, GRPC_CHANNEL_TRANSIENT_FAILURE};
use protobuf::MessageFull;

use crate::bearer_token::BearerToken;
use crate::channel::builder::{ChannelBuilder, ConnectError};
use crate::channel::core_channel::CoreChannel;
use crate::channel::options::{CallOptions, MAX_TIMEOUT};
use crate::channel::replies::Replies;
use crate::codec::{client_method, decode, decode_bytes, encode_request};
use crate::method::Method;
use crate::reply::{ReplyFuture, ReplyStream};
use crate::status::Status;
use crate::status::code::Code;
use requests::send;

/// A channel to a server. Clones share it; it connects at the first RPC, and again when a connection is lost.
///
/// A blocking unary RPC polls its connection on the caller's thread, as C++'s synchronous stub does. Asynchronous and
/// streaming RPCs have a thread that receives their replies ([`ClientThread`](crate::ClientThread)); the first of them
/// starts it.
///
/// The blocking methods may be called anywhere but in a task that must not block, such as one of [`Channel::spawn`].
/// They may be nested: an iterator of requests may make RPCs of its own.
#[derive(Clone)]
pub struct Channel {
    /// Each RPC keeps a clone: the completion queue ends with the last one, and an RPC without a queue never ends.
    core: Arc<CoreChannel>,
    /// Sent with every RPC.
    token: Option<BearerToken>,
    max_reply_bytes: usize,
}

impl Channel {
    /// Returns a channel to a target as the [C core names it](https://grpc.github.io/grpc/core/md_doc_naming.html):
    /// `host:port`, `dns:///host:port`, `ipv4:1.2.3.4:50050,1.2.3.5:50050`, `unix:/path`. It is in clear text.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Target`] if `target` is malformed. Whether a server can be reached shows at the first RPC.
    pub fn connect(target: &str) -> Result<Channel, ConnectError> {
        Channel::builder(target).connect()
    }

    /// Configures a channel: TLS, a token, limits and more.
    pub fn builder(target: &str) -> ChannelBuilder {
        ChannelBuilder::new(target)
    }

    /// Connects, and returns whether that succeeded: `false` when `timeout` has passed, or as soon as an attempt has
    /// failed unless `wait_for_ready`. The status of an RPC made now tells the reason.
    pub fn try_connect(&self, timeout: Duration, wait_for_ready: bool) -> bool {
        let begin = Instant::now();
        let timeout = timeout.min(MAX_TIMEOUT);
        loop {
            match self.core.state(true) {
                GRPC_CHANNEL_READY => return true,
                GRPC_CHANNEL_SHUTDOWN => return false,
                GRPC_CHANNEL_TRANSIENT_FAILURE if !wait_for_ready => return false,
                state => {
                    let rest = timeout.saturating_sub(begin.elapsed());
                    if !self.core.wait_for_state_change(state, rest) {
                        return false;
                    }
                }
            }
        }
    }

    fn client(&self) -> &grpcio::Client {
        self.core.client()
    }

    fn option(&self, options: CallOptions) -> grpcio::Result<CallOption> {
        options.into_grpcio(self.token.as_ref())
    }

    /// Makes a unary RPC and waits for its reply.
    ///
    /// # Errors
    ///
    /// The status of the RPC, if it is not OK.
    pub fn unary<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        request: &Req,
        options: CallOptions,
    ) -> Result<Rep, Status> {
        let request = encode_request(request)?;
        let reply = self.core.unary(method.path(), request, options.into_sent(self.token.as_ref())?)?;
        decode_bytes(reply.as_slice(), reply.len(), self.max_reply_bytes)
    }

    /// Makes a unary RPC. Dropping the future cancels it.
    pub fn unary_async<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        request: &Req,
        options: CallOptions,
    ) -> ReplyFuture<Rep> {
        let method = client_method(method, MethodType::Unary);
        match self.option(options).and_then(|option| self.client().unary_call_async(&method, request, option)) {
            Ok(receiver) => reply(receiver, self.clone()).boxed(),
            Err(error) => future::err(error.into()).boxed(),
        }
    }

    /// Makes a server-streaming RPC; the iterator waits for each reply.
    pub fn server_streaming<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        request: &Req,
        options: CallOptions,
    ) -> Replies<Rep> {
        Replies { stream: self.server_streaming_async(method, request, options) }
    }

    /// Makes a server-streaming RPC.
    pub fn server_streaming_async<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        request: &Req,
        options: CallOptions,
    ) -> ReplyStream<Rep> {
        let method = client_method(method, MethodType::ServerStreaming);
        let rpc = self.option(options).and_then(|option| self.client().server_streaming(&method, request, option));
        replies(self.clone(), rpc)
    }

    /// Makes a client-streaming RPC: sends every request, then waits for the reply. The server may reply before it has
    /// received all of them.
    ///
    /// # Errors
    ///
    /// The status of the RPC, if it is not OK.
    pub fn client_streaming<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        requests: impl IntoIterator<Item = Req, IntoIter: Send + 'static>,
        options: CallOptions,
    ) -> Result<Rep, Status> {
        block_on(self.client_streaming_async(method, stream::iter(requests), options))
    }

    /// Makes a client-streaming RPC.
    pub fn client_streaming_async<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        requests: impl Stream<Item = Req> + Send + 'static,
        options: CallOptions,
    ) -> ReplyFuture<Rep> {
        let method = client_method(method, MethodType::ClientStreaming);
        let rpc = self.option(options).and_then(|option| self.client().client_streaming(&method, option));
        let channel = self.clone();
        async move {
            let (sink, receiver) = rpc?;
            or(send(requests, sink), reply(receiver, channel)).await
        }
        .boxed()
    }

    /// Makes a bidirectional-streaming RPC. Requests are sent while the caller waits for replies, on its thread: an
    /// iterator that blocks delays the replies too.
    pub fn bidi_streaming<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        requests: impl IntoIterator<Item = Req, IntoIter: Send + 'static>,
        options: CallOptions,
    ) -> Replies<Rep> {
        Replies { stream: self.bidi_streaming_async(method, stream::iter(requests), options) }
    }

    /// Makes a bidirectional-streaming RPC. Requests are sent while the replies are polled.
    pub fn bidi_streaming_async<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        requests: impl Stream<Item = Req> + Send + 'static,
        options: CallOptions,
    ) -> ReplyStream<Rep> {
        let method = client_method(method, MethodType::Duplex);
        let rpc = self.option(options).and_then(|option| self.client().duplex_streaming(&method, option));
        let rpc = rpc.map(|(sink, mut receiver)| {
            let mut sending = send::<_, ()>(requests, sink).boxed();
            stream::poll_fn(move |cx| {
                let _ = sending.poll_unpin(cx);
                receiver.poll_next_unpin(cx)
            })
        });
        replies(self.clone(), rpc)
    }
}

/// Returns the one reply of an RPC, which keeps the channel.
fn reply<Rep: MessageFull>(
    receiver: impl Future<Output = grpcio::Result<MessageReader>> + Send,
    channel: Channel,
) -> impl Future<Output = Result<Rep, Status>> + Send {
    AssertUnwindSafe(receiver).catch_unwind().map(move |reply| {
        // A closure that uses only a field would keep only that.
        let channel = &channel;
        match reply {
            Ok(reply) => decode(reply?, channel.max_reply_bytes),
            // A server that answers OK and sends no reply makes grpcio panic.
            Err(_) => Err(Status::new(Code::Internal, "the server answered OK without a message")),
        }
    })
}

/// Returns the replies of an RPC. The first error is the last item, and cancels it.
fn replies<Rep: MessageFull>(
    channel: Channel,
    rpc: grpcio::Result<impl Stream<Item = grpcio::Result<MessageReader>> + Send + Unpin + 'static>,
) -> ReplyStream<Rep> {
    let replies = stream::try_unfold((rpc, channel), |(rpc, channel)| async move {
        let mut receiver = rpc?;
        match receiver.next().await {
            Some(reply) => Ok(Some((decode(reply?, channel.max_reply_bytes)?, (Ok(receiver), channel)))),
            None => Ok(None),
        }
    });
    replies.boxed()
}

//! A channel to a server, and the RPCs made on it. Generated clients are built on this.

pub(crate) mod builder;
mod connectivity;
pub(crate) mod options;
pub(crate) mod replies;
mod requests;
pub(crate) mod target;
pub(crate) mod thread;

use std::borrow::Borrow;
use std::panic::AssertUnwindSafe;
use std::task::{Poll, ready};

use futures::{Future, FutureExt, Stream, StreamExt, future, stream};
use futures_lite::future::block_on;
use grpcio::{CallOption, MessageReader, MethodType};
use protobuf::MessageFull;

use crate::bearer_token::BearerToken;
use crate::channel::builder::{ChannelBuilder, ConnectError};
use crate::channel::options::CallOptions;
use crate::channel::replies::Replies;
use crate::codec::{client_method, decode};
use crate::method::Method;
use crate::reply::{ReplyFuture, ReplyStream};
use crate::status::Status;
use crate::status::code::Code;
use requests::RequestSender;

/// A channel to a server. Clones share it; it connects at the first RPC, and again when a connection is lost.
///
/// The blocking methods may be called anywhere but in a task that must not block, such as one of [`Channel::spawn`].
/// They may be nested: an iterator of requests may make RPCs of its own.
#[derive(Clone)]
pub struct Channel {
    client: grpcio::Client,
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
        let method = client_method(method, MethodType::Unary);
        block_on(reply(self, self.client.unary_call_async(&method, request, self.option(options)?)?))
    }

    /// Makes a unary RPC. Dropping the future cancels it.
    pub fn unary_async<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        request: &Req,
        options: CallOptions,
    ) -> ReplyFuture<Rep> {
        let method = client_method(method, MethodType::Unary);
        match self.option(options).and_then(|option| self.client.unary_call_async(&method, request, option)) {
            Ok(receiver) => reply(self.clone(), receiver).boxed(),
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
        Replies::new(self.server_streaming_async(method, request, options))
    }

    /// Makes a server-streaming RPC.
    pub fn server_streaming_async<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        request: &Req,
        options: CallOptions,
    ) -> ReplyStream<Rep> {
        let method = client_method(method, MethodType::ServerStreaming);
        match self.option(options).and_then(|option| self.client.server_streaming(&method, request, option)) {
            Ok(receiver) => replies(self.clone(), receiver),
            Err(error) => failed(error),
        }
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
        match self.option(options).and_then(|option| self.client.client_streaming(&method, option)) {
            Ok((sink, receiver)) => {
                let mut requests = RequestSender::new(requests, sink);
                let mut reply = reply(self.clone(), receiver);
                let exchange = future::poll_fn(move |cx| {
                    requests.poll_send(cx);
                    reply.poll_unpin(cx)
                });
                exchange.boxed()
            }
            Err(error) => future::err(error.into()).boxed(),
        }
    }

    /// Makes a bidirectional-streaming RPC. Requests are sent while the caller waits for replies, on its thread: an
    /// iterator that blocks delays the replies too.
    pub fn bidi_streaming<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        requests: impl IntoIterator<Item = Req, IntoIter: Send + 'static>,
        options: CallOptions,
    ) -> Replies<Rep> {
        Replies::new(self.bidi_streaming_async(method, stream::iter(requests), options))
    }

    /// Makes a bidirectional-streaming RPC. Requests are sent while the replies are polled.
    pub fn bidi_streaming_async<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        requests: impl Stream<Item = Req> + Send + 'static,
        options: CallOptions,
    ) -> ReplyStream<Rep> {
        let method = client_method(method, MethodType::Duplex);
        match self.option(options).and_then(|option| self.client.duplex_streaming(&method, option)) {
            Ok((sink, mut receiver)) => {
                let mut requests = RequestSender::new(requests, sink);
                let exchange = stream::poll_fn(move |cx| {
                    requests.poll_send(cx);
                    receiver.poll_next_unpin(cx)
                });
                replies(self.clone(), exchange)
            }
            Err(error) => failed(error),
        }
    }
}

/// The one reply of an RPC. It keeps a clone of the channel, whose completion queue ends with the last one: an RPC
/// without a queue never ends.
fn reply<Rep: MessageFull>(
    channel: impl Borrow<Channel> + Send,
    receiver: impl Future<Output = grpcio::Result<MessageReader>> + Send + Unpin,
) -> impl Future<Output = Result<Rep, Status>> + Send + Unpin {
    AssertUnwindSafe(receiver).catch_unwind().map(move |reply| match reply {
        Ok(reply) => decode(reply?, channel.borrow().max_reply_bytes),
        // A server that answers OK and sends no reply makes grpcio panic.
        Err(_) => Err(Status::new(Code::Internal, "the server answered OK without a message")),
    })
}

/// The replies of an RPC, which keep the channel as in [`reply`]. The first error is the last item, and cancels it.
fn replies<Rep: MessageFull>(
    channel: Channel,
    receiver: impl Stream<Item = grpcio::Result<MessageReader>> + Send + Unpin + 'static,
) -> ReplyStream<Rep> {
    let max_bytes = channel.max_reply_bytes;
    let mut rpc = Some((receiver, channel));
    let replies = stream::poll_fn(move |cx| {
        let Some((receiver, _)) = &mut rpc else {
            return Poll::Ready(None);
        };
        let next = ready!(receiver.poll_next_unpin(cx)).map(|reply| decode(reply?, max_bytes));
        if !matches!(next, Some(Ok(_))) {
            rpc = None;
        }
        Poll::Ready(next)
    });
    replies.boxed()
}

fn failed<Rep: MessageFull>(error: grpcio::Error) -> ReplyStream<Rep> {
    stream::once(future::err(error.into())).boxed()
}

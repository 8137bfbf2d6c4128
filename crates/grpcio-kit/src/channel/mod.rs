//! A channel to a server, and the calls that go over it. Generated clients stand on this.

pub(crate) mod builder;
mod connectivity;
mod duplex;
pub(crate) mod options;
pub(crate) mod replies;
pub(crate) mod target;
pub(crate) mod thread;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::executor::block_on;
use futures::{Future, FutureExt, Stream, StreamExt, future, stream};
use grpcio::{CallOption, MethodType};
use protobuf::MessageFull;

use crate::bearer_token::BearerToken;
use crate::channel::builder::ChannelBuilder;
use crate::channel::options::CallOptions;
use crate::channel::replies::Replies;
use crate::channel::target::InvalidTarget;
use crate::codec::client_method;
use crate::method::Method;
use crate::reply::{ReplyFuture, ReplyStream};
use crate::status::Status;
use crate::status::code::Code;
use duplex::{Duplex, RequestPump};

/// A channel to a server. Clones share it; its connections are made when the first call
/// needs them, and made again when they are lost.
#[derive(Clone)]
pub struct Channel {
    client: grpcio::Client,
    /// Sent with every call.
    token: Option<BearerToken>,
}

impl Channel {
    /// A channel to a target as the [C core names it](https://grpc.github.io/grpc/core/md_doc_naming.html):
    /// `host:port`, `dns:///host:port`, `ipv4:1.2.3.4:50050,1.2.3.5:50050`, `unix:/path`.
    ///
    /// # Errors
    ///
    /// [`InvalidTarget`] if it cannot be one. Whether a server is there shows at the first call.
    pub fn connect(target: &str) -> Result<Channel, InvalidTarget> {
        target::check(target)?;
        Ok(builder::plain(target))
    }

    /// A channel to a target that asks for more than [`Channel::connect`]: TLS, or a token.
    pub fn builder(target: &str) -> ChannelBuilder {
        ChannelBuilder::new(target)
    }

    fn option(&self, options: CallOptions) -> grpcio::Result<CallOption> {
        options.into_grpcio(self.token.as_ref())
    }

    fn keep<T>(&self, call: T) -> Kept<T> {
        Kept { call, _channel: self.clone() }
    }

    /// Makes a unary call and waits for its reply.
    ///
    /// # Errors
    ///
    /// The status of the call, if it is not OK.
    pub fn unary<Req: MessageFull, Rep: MessageFull + Unpin>(
        &self,
        method: Method<Req, Rep>,
        request: &Req,
        options: CallOptions,
    ) -> Result<Rep, Status> {
        let method = client_method(method, MethodType::Unary);
        block_on(receive(self.client.unary_call_async(&method, request, self.option(options)?)?))
    }

    /// Makes a unary call. Dropping the future cancels it.
    pub fn unary_async<Req: MessageFull, Rep: MessageFull + Unpin>(
        &self,
        method: Method<Req, Rep>,
        request: &Req,
        options: CallOptions,
    ) -> ReplyFuture<Rep> {
        let method = client_method(method, MethodType::Unary);
        match self.option(options).and_then(|option| self.client.unary_call_async(&method, request, option)) {
            Ok(reply) => self.keep(receive(reply)).boxed(),
            Err(error) => future::err(error.into()).boxed(),
        }
    }

    /// Makes a server-streaming call; waits for each reply as it is asked for.
    pub fn server_streaming<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        request: &Req,
        options: CallOptions,
    ) -> Replies<Rep> {
        Replies::new(self.server_streaming_async(method, request, options))
    }

    /// Makes a server-streaming call.
    pub fn server_streaming_async<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        request: &Req,
        options: CallOptions,
    ) -> ReplyStream<Rep> {
        let method = client_method(method, MethodType::ServerStreaming);
        match self.option(options).and_then(|option| self.client.server_streaming(&method, request, option)) {
            Ok(replies) => self.keep(replies.map(|reply| reply.map_err(Status::from))).boxed(),
            Err(error) => failed(error),
        }
    }

    /// Makes a client-streaming call: sends every request, then waits for the reply. The
    /// server may reply before it has seen all of them.
    ///
    /// # Errors
    ///
    /// The status of the call, if it is not OK.
    pub fn client_streaming<Req: MessageFull, Rep: MessageFull + Unpin>(
        &self,
        method: Method<Req, Rep>,
        requests: impl IntoIterator<Item = Req, IntoIter: Send + 'static>,
        options: CallOptions,
    ) -> Result<Rep, Status> {
        block_on(self.client_streaming_async(method, stream::iter(requests), options))
    }

    /// Makes a client-streaming call.
    pub fn client_streaming_async<Req: MessageFull, Rep: MessageFull + Unpin>(
        &self,
        method: Method<Req, Rep>,
        requests: impl Stream<Item = Req> + Send + 'static,
        options: CallOptions,
    ) -> ReplyFuture<Rep> {
        let method = client_method(method, MethodType::ClientStreaming);
        match self.option(options).and_then(|option| self.client.client_streaming(&method, option)) {
            Ok((sink, reply)) => {
                let mut pump = RequestPump::new(requests, sink);
                let mut reply = receive(reply);
                let exchange = future::poll_fn(move |cx| {
                    pump.poll_send(cx);
                    reply.poll_unpin(cx)
                });
                self.keep(exchange).boxed()
            }
            Err(error) => future::err(error.into()).boxed(),
        }
    }

    /// Makes a bidirectional call. Requests are sent while replies are waited for, on the
    /// thread that waits: an iterator that waits for something keeps replies waiting too.
    pub fn bidi_streaming<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        requests: impl IntoIterator<Item = Req, IntoIter: Send + 'static>,
        options: CallOptions,
    ) -> Replies<Rep> {
        Replies::new(self.bidi_streaming_async(method, stream::iter(requests), options))
    }

    /// Makes a bidirectional call. Requests are sent while the replies are polled.
    pub fn bidi_streaming_async<Req: MessageFull, Rep: MessageFull>(
        &self,
        method: Method<Req, Rep>,
        requests: impl Stream<Item = Req> + Send + 'static,
        options: CallOptions,
    ) -> ReplyStream<Rep> {
        let method = client_method(method, MethodType::Duplex);
        match self.option(options).and_then(|option| self.client.duplex_streaming(&method, option)) {
            Ok((sink, replies)) => self.keep(Duplex::new(RequestPump::new(requests, sink), replies)).boxed(),
            Err(error) => failed(error),
        }
    }
}

/// A call, and the channel that it goes over: the channel's completion queue ends with its
/// last clone, and a call without a queue never ends.
struct Kept<T> {
    call: T,
    _channel: Channel,
}

impl<T: Future + Unpin> Future for Kept<T> {
    type Output = T::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T::Output> {
        self.call.poll_unpin(cx)
    }
}

impl<T: Stream + Unpin> Stream for Kept<T> {
    type Item = T::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T::Item>> {
        self.call.poll_next_unpin(cx)
    }
}

/// The one reply of a call. A server that says OK and sends none makes grpcio panic.
fn receive<Rep>(
    reply: impl Future<Output = grpcio::Result<Rep>> + Send + Unpin,
) -> impl Future<Output = Result<Rep, Status>> + Send + Unpin {
    AssertUnwindSafe(reply).catch_unwind().map(|reply| match reply {
        Ok(reply) => reply.map_err(Status::from),
        Err(_) => Err(Status::new(Code::Internal, "the server answered OK without a message")),
    })
}

fn failed<Rep: MessageFull>(error: grpcio::Error) -> ReplyStream<Rep> {
    stream::once(future::err(error.into())).boxed()
}

//! A channel to a server, and the calls that go over it. Generated clients stand on this.

mod connectivity;
mod duplex;

use std::net::{SocketAddrV4, SocketAddrV6};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::executor::block_on;
use futures::{Future, FutureExt, Stream, StreamExt, future, stream};
use grpcio::{CallOption, EnvBuilder, Metadata, MethodType};
use protobuf::MessageFull;

use crate::rpc::message::codec::client_method;
use crate::rpc::{Code, Method, Replies, ReplyFuture, ReplyStream, Status};
use duplex::{Duplex, RequestPump};

/// The longest deadline, so that a date in the far future cannot overflow: ten years.
const MAX_TIMEOUT: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Why a text is no target of a channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{target}` is no target: {reason}")]
pub struct InvalidTarget {
    target: String,
    reason: &'static str,
}

/// What one call asks for beside its request.
#[derive(Clone, Default)]
#[must_use]
pub struct CallOptions {
    timeout: Option<Duration>,
    wait_for_ready: bool,
    metadata: Option<Metadata>,
}

impl CallOptions {
    /// The time that the call may take, after which it ends with DEADLINE_EXCEEDED. Without
    /// one it may take forever. More than ten years are taken as ten years.
    pub fn timeout(mut self, timeout: Duration) -> CallOptions {
        self.timeout = Some(timeout.min(MAX_TIMEOUT));
        self
    }

    /// Waits for a connection, up to the deadline, rather than to end with UNAVAILABLE when
    /// the server cannot be reached.
    pub fn wait_for_ready(mut self, wait: bool) -> CallOptions {
        self.wait_for_ready = wait;
        self
    }

    /// Metadata to send along.
    pub fn metadata(mut self, metadata: Metadata) -> CallOptions {
        self.metadata = Some(metadata);
        self
    }

    fn into_grpcio(self) -> CallOption {
        let mut option = CallOption::default().wait_for_ready(self.wait_for_ready);
        if let Some(timeout) = self.timeout {
            option = option.timeout(timeout);
        }
        if let Some(metadata) = self.metadata {
            option = option.headers(metadata);
        }
        option
    }
}

/// A channel to a server. Clones share it; its connections are made when the first call
/// needs them, and made again when they are lost.
#[derive(Clone)]
pub struct Channel {
    client: grpcio::Client,
}

impl Channel {
    /// A channel to a target as the [C core names it](https://grpc.github.io/grpc/core/md_doc_naming.html):
    /// `host:port`, `dns:///host:port`, `ipv4:1.2.3.4:50050,1.2.3.5:50050`, `unix:/path`.
    ///
    /// # Errors
    ///
    /// [`InvalidTarget`] if it cannot be one. Whether a server is there shows at the first call.
    pub fn connect(target: &str) -> Result<Channel, InvalidTarget> {
        check_target(target)?;
        // One thread that waits for replies. It ends with the last clone of the channel.
        let env = Arc::new(EnvBuilder::new().cq_count(1).name_prefix("grpc-client").build());
        let channel = grpcio::ChannelBuilder::new(env)
            .primary_user_agent(concat!("calc/", env!("CARGO_PKG_VERSION")))
            // The C core writes a channel's trace without a lock, and channelz reads it.
            .raw_cfg_int(c"grpc.max_channel_trace_event_memory_per_node".to_owned(), 0)
            .connect(target);
        Ok(Channel { client: grpcio::Client::new(channel) })
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
        block_on(receive(self.client.unary_call_async(&method, request, options.into_grpcio())?))
    }

    /// Makes a unary call. Dropping the future cancels it.
    pub fn unary_async<Req: MessageFull, Rep: MessageFull + Unpin>(
        &self,
        method: Method<Req, Rep>,
        request: &Req,
        options: CallOptions,
    ) -> ReplyFuture<Rep> {
        let method = client_method(method, MethodType::Unary);
        match self.client.unary_call_async(&method, request, options.into_grpcio()) {
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
        match self.client.server_streaming(&method, request, options.into_grpcio()) {
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
        match self.client.client_streaming(&method, options.into_grpcio()) {
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
        match self.client.duplex_streaming(&method, options.into_grpcio()) {
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

fn check_target(target: &str) -> Result<(), InvalidTarget> {
    let fail = |reason| Err(InvalidTarget { target: target.to_owned(), reason });
    if target.is_empty() {
        return fail("it is empty; write HOST:PORT, or unix:PATH");
    }
    if target.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return fail("it contains white space or a control character");
    }
    match target.split_once(':') {
        None => fail("it has no port; write HOST:PORT, or unix:PATH"),
        Some(("unix", "" | "//")) => fail("write the path of a socket after `unix:`"),
        Some(("ipv4", list)) if !list.split(',').all(|address| address.parse::<SocketAddrV4>().is_ok()) => {
            fail("write ipv4:ADDRESS:PORT, with more after commas")
        }
        Some(("ipv6", list)) if !list.split(',').all(|address| address.parse::<SocketAddrV6>().is_ok()) => {
            fail("write ipv6:[ADDRESS]:PORT, with more after commas")
        }
        Some(_) => Ok(()),
    }
}

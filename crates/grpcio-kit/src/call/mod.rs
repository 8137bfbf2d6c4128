//! The context of an RPC: method, peer, metadata and deadline.

mod context;
pub(crate) mod panic;
pub(crate) mod stream;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use grpcio::{Metadata, RpcContext};

use crate::method::{MethodDescriptor, MethodKind};
use crate::trace_context::{TRACEPARENT, TraceContext};
use context::SharedContext;

/// The context of the RPC that a method answers.
///
/// A method of the completion queue's thread borrows it; an asynchronous one gets a copy, a `Call<'static>`, that it
/// can keep.
pub struct Call<'a> {
    method: MethodDescriptor,
    client: Client<'a>,
    /// When the server began to answer.
    pub(crate) started: Instant,
    /// The time from the start after which the server ends the RPC.
    max_time: Option<Duration>,
    /// Computed at its first use, so that it stays the same.
    deadline: OnceLock<Option<Instant>>,
    /// The span that records this RPC.
    span: OnceLock<TraceContext>,
}

/// Where to look up peer, names and metadata.
enum Client<'a> {
    Borrowed(SharedContext<'a>),
    Copied(Arc<ClientCopy>),
    /// There is no client, or no copy was needed.
    Unknown,
}

/// Peer, names and metadata, copied to outlive the C core's.
struct ClientCopy {
    peer: String,
    names: Vec<String>,
    metadata: Metadata,
}

impl<'a> Call<'a> {
    /// An RPC that starts now. `max_time` is what the server itself allows, and enforces.
    pub(crate) fn start(method: MethodDescriptor, context: &'a RpcContext<'a>, max_time: Option<Duration>) -> Call<'a> {
        let client = Client::Borrowed(SharedContext(context));
        Call { method, client, started: Instant::now(), max_time, deadline: OnceLock::new(), span: OnceLock::new() }
    }

    /// Returns a context for tests that call a method without a server: no peer, no metadata, no deadline.
    pub fn detached(path: &'static str) -> Call<'static> {
        Call {
            method: MethodDescriptor::new(path, MethodKind::Unary, 0),
            client: Client::Unknown,
            started: Instant::now(),
            max_time: None,
            deadline: OnceLock::new(),
            span: OnceLock::new(),
        }
    }

    /// Copies all that a method may ask for.
    pub(crate) fn to_static(&self) -> Call<'static> {
        let client = match &self.client {
            Client::Borrowed(context) => Client::Copied(Arc::new(ClientCopy {
                peer: context.peer(),
                names: context.peer_names(),
                metadata: context.metadata().clone(),
            })),
            Client::Copied(copy) => Client::Copied(Arc::clone(copy)),
            Client::Unknown => Client::Unknown,
        };
        Call { client, ..self.without_client() }
    }

    /// Copies all but peer, names and metadata.
    pub(crate) fn without_client(&self) -> Call<'static> {
        Call {
            method: self.method,
            client: Client::Unknown,
            started: self.started,
            max_time: self.max_time,
            deadline: OnceLock::from(self.deadline()),
            span: self.span.clone(),
        }
    }

    /// Returns the method that is called.
    pub fn method(&self) -> MethodDescriptor {
        self.method
    }

    /// Returns the client's address, as the C core writes it: `ipv4:127.0.0.1:50000`, `ipv6:%5B::1%5D:50000`, `unix:`.
    ///
    /// Allocates at each call.
    pub fn peer(&self) -> String {
        match &self.client {
            Client::Borrowed(context) => context.peer(),
            Client::Copied(copy) => copy.peer.clone(),
            Client::Unknown => String::new(),
        }
    }

    /// Returns the names in the client's certificate, if the server verified one: its subject alternative names, or
    /// its common name if it has none. Empty without such a certificate.
    pub fn peer_names(&self) -> Vec<String> {
        match &self.client {
            Client::Borrowed(context) => context.peer_names(),
            Client::Copied(copy) => copy.names.clone(),
            Client::Unknown => Vec::new(),
        }
    }

    /// Returns the host that the client asked for, if this is not a copy.
    pub(crate) fn host(&self) -> &[u8] {
        match &self.client {
            Client::Borrowed(context) => context.host(),
            Client::Copied(_) | Client::Unknown => &[],
        }
    }

    /// Returns the first value of the metadata `key`, which is in lower case. Values of keys that
    /// end in `-bin` are decoded already.
    pub fn metadata(&self, key: &str) -> Option<&[u8]> {
        let metadata = match &self.client {
            Client::Borrowed(context) => context.metadata(),
            Client::Copied(copy) => &copy.metadata,
            Client::Unknown => return None,
        };
        metadata.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Returns the trace that this RPC belongs to: the span of [`set_span`](Call::set_span), and without that the
    /// client's. A server that makes RPCs for the one that it answers carries it on
    /// ([`CallOptions::trace_context`](crate::CallOptions::trace_context)).
    pub fn trace_context(&self) -> Option<TraceContext> {
        self.span.get().copied().or_else(|| self.client_trace_context())
    }

    /// Returns the client's trace, if its `traceparent` is valid.
    pub fn client_trace_context(&self) -> Option<TraceContext> {
        self.metadata(TRACEPARENT).and_then(TraceContext::parse)
    }

    /// Sets the span that records this RPC, in [`Interceptor::before`](crate::Interceptor::before). The first one counts.
    pub fn set_span(&self, span: TraceContext) {
        let _ = self.span.set(span);
    }

    /// Returns when the RPC ends with DEADLINE_EXCEEDED, on the clock of this machine: the client's deadline or, of an
    /// RPC that [`Limits::max_deadline`](crate::Limits::max_deadline) is enforced for, the end of that time if it is
    /// earlier. `None` if there is neither.
    pub fn deadline(&self) -> Option<Instant> {
        *self.deadline.get_or_init(|| {
            let client = match &self.client {
                Client::Borrowed(context) => context.time_left().and_then(|left| Instant::now().checked_add(left)),
                Client::Copied(_) | Client::Unknown => None,
            };
            let server = self.max_time.and_then(|time| self.started.checked_add(time));
            client.into_iter().chain(server).min()
        })
    }

    /// Returns the time until [`deadline`](Call::deadline): zero when it has passed, `None` if there is none.
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Whether the deadline has passed; `false` if there is none.
    pub fn is_expired(&self) -> bool {
        self.time_left() == Some(Duration::ZERO)
    }
}

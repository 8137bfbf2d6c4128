//! A server: listen, start, and end in order.

pub(super) mod listen;
pub(super) mod route;
pub(super) mod service;
pub(super) mod signal;

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use futures::{Future, FutureExt};
use grpcio::{ChannelBuilder, EnvBuilder};

use crate::rpc::interceptor::Chain;
use crate::rpc::limits::StreamingCalls;
use crate::rpc::{Compression, Interceptor, InvalidLimit, Limits, ListenAddress, MethodDescriptor, ServerTls, Service};
use route::{Route, Shared};

/// How long calls that were cancelled may take to let go of their queue's thread.
const CANCEL_BOUND: Duration = Duration::from_secs(5);

/// Calls that each queue is ready to accept at a time; more wait in the C core. The
/// crate's 1,024 only make the start and the end of a server slower (grpc-rs #674).
const SLOTS_PER_QUEUE: usize = 128;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no address to listen on.
    #[error("there is no address to listen on")]
    NoAddress,
    /// An address cannot be listened on: it is in use, or not one of this machine.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: ListenAddress,
        /// The reason.
        source: io::Error,
    },
    /// Two services have the same name, of which the C core would serve only one.
    #[error("the service {0} is registered twice")]
    DuplicateService(&'static str),
    /// A limit is over what the C core can hold.
    #[error(transparent)]
    Limit(#[from] InvalidLimit),
    /// The C core failed.
    #[error("the C core failed: {0}")]
    Core(#[from] grpcio::Error),
}

/// What a server is to be.
#[must_use]
pub struct ServerBuilder {
    addresses: Vec<ListenAddress>,
    queues: usize,
    limits: Limits,
    compression: Compression,
    services: Vec<Service>,
    interceptors: Vec<Arc<dyn Interceptor>>,
    tls: Option<ServerTls>,
}

impl Default for ServerBuilder {
    fn default() -> ServerBuilder {
        ServerBuilder {
            addresses: Vec::new(),
            queues: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            limits: Limits::default(),
            compression: Compression::default(),
            services: Vec::new(),
            interceptors: Vec::new(),
            tls: None,
        }
    }
}

impl ServerBuilder {
    /// Adds an address to listen on.
    pub fn listen(mut self, address: ListenAddress) -> ServerBuilder {
        self.addresses.push(address);
        self
    }

    /// The number of completion queues, each with a thread of its own that runs methods.
    /// By default as many as there are processors.
    pub fn queues(mut self, queues: NonZeroUsize) -> ServerBuilder {
        self.queues = queues.get();
        self
    }

    /// What callers can have; safe to face a network with unless set.
    pub fn limits(mut self, limits: Limits) -> ServerBuilder {
        self.limits = limits;
        self
    }

    /// How replies are compressed; not at all unless set.
    pub fn compression(mut self, compression: Compression) -> ServerBuilder {
        self.compression = compression;
        self
    }

    /// Adds a service.
    pub fn service(mut self, service: Service) -> ServerBuilder {
        self.services.push(service);
        self
    }

    /// Adds an interceptor, which sees the calls of every service. The first one added is the
    /// first to see a call, and the last to be told of its end.
    pub fn interceptor(mut self, interceptor: impl Interceptor) -> ServerBuilder {
        self.interceptors.push(Arc::new(interceptor));
        self
    }

    /// Uses TLS at every address, Unix sockets among them; without it everything goes in clear text.
    pub fn tls(mut self, tls: ServerTls) -> ServerBuilder {
        self.tls = Some(tls);
        self
    }

    /// Starts the server. It accepts calls when this returns.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn start(self) -> Result<Server, StartError> {
        let tls = self.tls.clone();
        let (mut server, addresses) = self.prepare()?;
        let mut bound = Vec::new();
        for address in addresses {
            match address.bind(&mut server, tls.as_ref()) {
                Ok(addresses) => bound.extend(addresses),
                Err(source) => return Err(StartError::Listen { address, source }),
            }
        }
        server.start();
        Ok(Server { server, addresses: bound, ended: false })
    }

    /// Does what [`ServerBuilder::start`] does, up to where it would listen.
    ///
    /// # Errors
    ///
    /// See [`StartError`]. That an address is in use, or none of this machine, is not looked at.
    pub fn check(self) -> Result<(), StartError> {
        self.prepare().map(drop)
    }

    /// A server that does not listen yet, and where it is to.
    fn prepare(self) -> Result<(grpcio::Server, Vec<ListenAddress>), StartError> {
        if self.addresses.is_empty() {
            return Err(StartError::NoAddress);
        }
        let env = Arc::new(EnvBuilder::new().cq_count(self.queues).name_prefix("grpc-queue").build());
        // Without this a second server on the same port starts, and takes part of the calls.
        let args = ChannelBuilder::new(Arc::clone(&env)).reuse_port(false);
        let args = self.compression.configure(self.limits.configure(args)?).build_args();
        let mut builder = grpcio::ServerBuilder::new(env).channel_args(args).requests_slot_per_cq(SLOTS_PER_QUEUE);
        for service in routed(self.services, self.interceptors, &self.limits)? {
            builder = builder.register_service(service);
        }
        Ok((builder.build()?, self.addresses))
    }
}

/// Gives the methods of `services` what stands around them.
fn routed(
    services: Vec<Service>,
    mut interceptors: Vec<Arc<dyn Interceptor>>,
    limits: &Limits,
) -> Result<Vec<grpcio::Service>, StartError> {
    for (index, service) in services.iter().enumerate() {
        if services[..index].iter().any(|other| other.name() == service.name()) {
            return Err(StartError::DuplicateService(service.name()));
        }
    }
    // Innermost, so that those before it see what it refuses.
    interceptors.push(Arc::new(StreamingCalls::new(limits.max_streaming_calls)));
    let methods = services.iter().flat_map(|service| &service.methods).enumerate();
    let methods: Vec<_> = methods.map(|(index, m)| MethodDescriptor::new(m.path, m.kind, index)).collect();
    let shared = Arc::new(Shared {
        chain: Chain::new(interceptors, &methods),
        max_call_time: limits.max_deadline,
        max_request_bytes: limits.max_request_bytes as usize,
    });
    let mut descriptors = methods.into_iter();
    let routed = services.into_iter().map(|service| {
        let methods = service.methods.into_iter().zip(&mut descriptors);
        let builder = methods.fold(grpcio::ServiceBuilder::new(), |builder, (service_method, method)| {
            (service_method.register)(builder, Route { method, shared: Arc::clone(&shared) })
        });
        builder.build()
    });
    Ok(routed.collect())
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Every call had finished.
    Clean,
    /// Calls were still in flight when the time was up, and have been cancelled.
    Cancelled,
    /// A method did not return even after its call was cancelled; its thread goes on.
    Stuck,
}

/// A server that accepts calls.
///
/// Dropping it cancels the calls in flight; [`Server::shutdown`] lets them finish.
pub struct Server {
    server: grpcio::Server,
    addresses: Vec<ListenAddress>,
    ended: bool,
}

impl Server {
    /// What a server is to be, before it starts.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// Where it listens, in numbers: the real port in place of port 0, and each address of a
    /// name.
    pub fn addresses(&self) -> &[ListenAddress] {
        &self.addresses
    }

    /// Ends the server: it takes no new call, waits up to `grace` for the calls in flight,
    /// and cancels what is left. Returns within `grace` and five seconds more.
    pub fn shutdown(mut self, grace: Duration) -> Drain {
        self.drain(grace)
    }

    fn drain(&mut self, grace: Duration) -> Drain {
        self.ended = true;
        let mut ended = self.server.shutdown();
        if wait(&mut ended, grace).is_some() {
            return Drain::Clean;
        }
        self.server.cancel_all_calls();
        match wait(&mut ended, CANCEL_BOUND) {
            Some(_) => Drain::Cancelled,
            None => Drain::Stuck,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.ended {
            self.drain(Duration::ZERO);
        }
    }
}

/// Runs `future` on this thread for at most `timeout`.
fn wait<F: Future + Unpin>(future: &mut F, timeout: Duration) -> Option<F::Output> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let start = Instant::now();
    loop {
        if let Poll::Ready(output) = future.poll_unpin(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        thread::park_timeout(timeout.checked_sub(start.elapsed()).filter(|rest| !rest.is_zero())?);
    }
}

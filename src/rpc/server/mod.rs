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
use protobuf::reflect::FileDescriptor;

use crate::rpc::interceptor::Chain;
use crate::rpc::{Interceptor, ListenAddress, MethodDescriptor, Service, reflection};
use route::{Route, Shared};

/// How long calls that were cancelled may take to let go of their queue's thread.
const CANCEL_BOUND: Duration = Duration::from_secs(5);

/// Calls that each queue is ready to accept at a time; more wait in the C core. The
/// crate's 1,024 only make the start and the end of a server slower (grpc-rs #674).
const SLOTS_PER_QUEUE: usize = 128;

/// The C core's own limit for the size of a request: 4 MiB.
pub const DEFAULT_MAX_REQUEST_BYTES: u32 = 4 * 1024 * 1024;

/// The largest limit for the size of a request that the C core takes.
pub const MAX_REQUEST_BYTES: u32 = i32::MAX as u32;

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
    /// The limit for the size of a request is over 2,147,483,647 bytes.
    #[error("a limit of {0} bytes for a request is over the C core's own, {MAX_REQUEST_BYTES}")]
    RequestLimit(u32),
    /// The files that reflection is to serve contradict each other.
    #[error("the services cannot be reflected: {0}")]
    Reflection(#[from] reflection::Conflict),
    /// The C core failed.
    #[error("the C core failed: {0}")]
    Core(#[from] grpcio::Error),
}

/// What a server is to be.
#[must_use]
pub struct ServerBuilder {
    addresses: Vec<ListenAddress>,
    queues: usize,
    max_request_bytes: u32,
    services: Vec<Service>,
    interceptors: Vec<Arc<dyn Interceptor>>,
    reflects: bool,
    /// Files for reflection beside those of the services.
    files: Vec<FileDescriptor>,
}

impl Default for ServerBuilder {
    fn default() -> ServerBuilder {
        ServerBuilder {
            addresses: Vec::new(),
            queues: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            max_request_bytes: DEFAULT_MAX_REQUEST_BYTES,
            services: Vec::new(),
            interceptors: Vec::new(),
            reflects: false,
            files: Vec::new(),
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

    /// The largest request that is accepted, in bytes; 4,194,304 by default. A larger one is
    /// answered with RESOURCE_EXHAUSTED (channel argument `grpc.max_receive_message_length`).
    pub fn max_request_bytes(mut self, bytes: u32) -> ServerBuilder {
        self.max_request_bytes = bytes;
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

    /// Adds server reflection, `grpc.reflection.v1` and its predecessor `v1alpha`: clients can
    /// list the services of this server and get the files that define them, with all that
    /// those import. Services that generated code registers bring their file with them.
    pub fn reflection(mut self) -> ServerBuilder {
        self.reflects = true;
        self
    }

    /// Adds a file for reflection to serve that no service imports: extensions, or messages
    /// that travel as a `google.protobuf.Any`, such as the details of a status.
    pub fn reflected_file(mut self, file: &FileDescriptor) -> ServerBuilder {
        self.files.push(file.clone());
        self
    }

    /// Starts the server. It accepts calls when this returns.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn start(mut self) -> Result<Server, StartError> {
        if self.addresses.is_empty() {
            return Err(StartError::NoAddress);
        }
        let max_request_bytes =
            i32::try_from(self.max_request_bytes).map_err(|_| StartError::RequestLimit(self.max_request_bytes))?;
        let env = Arc::new(EnvBuilder::new().cq_count(self.queues).name_prefix("grpc-queue").build());
        let args = ChannelBuilder::new(Arc::clone(&env))
            // Without this a second server on the same port starts, and takes part of the calls.
            .reuse_port(false)
            .max_receive_message_len(max_request_bytes)
            .build_args();
        let mut builder = grpcio::ServerBuilder::new(env).channel_args(args).requests_slot_per_cq(SLOTS_PER_QUEUE);
        if self.reflects {
            self.services.extend(reflection::services(&self.services, self.files)?);
        }
        for service in routed(self.services, self.interceptors, self.max_request_bytes)? {
            builder = builder.register_service(service);
        }
        let mut server = builder.build()?;
        let mut addresses = Vec::new();
        for address in self.addresses {
            match address.bind(&mut server) {
                Ok(bound) => addresses.extend(bound),
                Err(source) => return Err(StartError::Listen { address, source }),
            }
        }
        server.start();
        Ok(Server { server, addresses, ended: false })
    }
}

/// Gives the methods of `services` what stands around them.
fn routed(
    services: Vec<Service>,
    interceptors: Vec<Arc<dyn Interceptor>>,
    max_request_bytes: u32,
) -> Result<Vec<grpcio::Service>, StartError> {
    for (index, service) in services.iter().enumerate() {
        if services[..index].iter().any(|other| other.name() == service.name()) {
            return Err(StartError::DuplicateService(service.name()));
        }
    }
    let methods = services.iter().flat_map(|service| &service.methods).enumerate();
    let methods: Vec<_> = methods.map(|(index, m)| MethodDescriptor::new(m.path, m.kind, index)).collect();
    let shared = Arc::new(Shared {
        chain: Chain::new(interceptors, &methods),
        max_call_time: None,
        max_request_bytes: max_request_bytes as usize,
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

//! What a server is to be, and its start.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use grpcio::{ChannelBuilder, EnvBuilder};
use protobuf::reflect::FileDescriptor;

use super::Server;
use crate::channelz::Channelz;
use crate::channelz::ServerId;
use crate::compression::Compression;
use crate::health::Health;
use crate::interceptor::Chain;
use crate::interceptor::Interceptor;
use crate::limits::{InvalidLimit, Limits};
use crate::listen::ListenAddress;
use crate::method::MethodDescriptor;
use crate::readiness::Readiness;
use crate::reflection;
use crate::server::streaming_calls::StreamingCalls;
use crate::service::Service;
use crate::service::route::{Route, Shared};
use crate::tls::server::ServerTls;

/// Calls that each queue is ready to accept at a time; more wait in the C core.
///
/// grpcio takes a unary call before its request has arrived, and the slot with it until it has: whoever opens
/// calls and sends nothing takes all of them. So these are what dozens of connections with all the
/// calls that one may have can take, for about 300 bytes each.
const SLOTS_PER_QUEUE: usize = 1536;

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
    /// [`Service::on_workers`] was given a method that cannot run on worker threads.
    #[error("{0} cannot run on worker threads: it is not a plain unary method of its service")]
    NotForWorkers(&'static str),
    /// A limit is over what the C core can hold.
    #[error(transparent)]
    Limit(#[from] InvalidLimit),
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
    tls: Option<ServerTls>,
    queues: NonZeroUsize,
    limits: Limits,
    compression: Compression,
    services: Vec<Service>,
    health: Option<Health>,
    channelz: bool,
    reflection: bool,
    /// Files for reflection beside those of the services.
    reflected_files: Vec<FileDescriptor>,
    interceptors: Vec<Arc<dyn Interceptor>>,
    readiness: Readiness,
    blocked_thread_threshold: Option<Duration>,
}

impl Default for ServerBuilder {
    fn default() -> ServerBuilder {
        ServerBuilder {
            addresses: Vec::new(),
            tls: None,
            queues: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            limits: Limits::default(),
            compression: Compression::default(),
            services: Vec::new(),
            health: None,
            channelz: false,
            reflection: false,
            reflected_files: Vec::new(),
            interceptors: Vec::new(),
            readiness: Readiness::default(),
            blocked_thread_threshold: Some(Duration::from_millis(100)),
        }
    }
}

impl ServerBuilder {
    /// Adds an address to listen on.
    pub fn listen(mut self, address: ListenAddress) -> ServerBuilder {
        self.addresses.push(address);
        self
    }

    /// Uses TLS at every address, Unix sockets among them; without it everything goes in clear text.
    pub fn tls(mut self, tls: ServerTls) -> ServerBuilder {
        self.tls = Some(tls);
        self
    }

    /// The number of completion queues, each with a thread of its own that runs methods. One that blocks holds up
    /// the calls of its queue, and replies of theirs that were about to leave.
    /// By default as many as there are processors.
    pub fn queues(mut self, queues: NonZeroUsize) -> ServerBuilder {
        self.queues = queues;
        self
    }

    /// The number of completion queues that the server is to have.
    pub fn queue_count(&self) -> NonZeroUsize {
        self.queues
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

    /// Serves `grpc.health.v1.Health` from `health`. When the server begins to end, it says that
    /// no service is serving; then it ends every watch.
    pub fn health(mut self, health: Health) -> ServerBuilder {
        self.health = Some(health);
        self
    }

    /// Whether to serve `grpc.channelz.v1.Channelz`: what the C core knows of its connections, with the
    /// addresses of callers. Not unless set.
    pub fn channelz(mut self, serve: bool) -> ServerBuilder {
        self.channelz = serve;
        self
    }

    /// Whether to serve reflection, `grpc.reflection.v1` and its predecessor `v1alpha`: clients can
    /// list the services of this server and get the files that define them, with all that
    /// those import. Services that generated code registers bring their file with them. Not unless set.
    pub fn reflection(mut self, serve: bool) -> ServerBuilder {
        self.reflection = serve;
        self
    }

    /// Adds a file for reflection to serve that no service imports: extensions, or messages
    /// that travel as a `google.protobuf.Any`, such as the details of a status.
    pub fn reflected_file(mut self, file: &FileDescriptor) -> ServerBuilder {
        self.reflected_files.push(file.clone());
        self
    }

    /// Adds an interceptor, which sees the calls of every service. The first one added is the
    /// first to see a call, and the last to be told of its end.
    pub fn interceptor(mut self, interceptor: impl Interceptor) -> ServerBuilder {
        self.interceptors.push(Arc::new(interceptor));
        self
    }

    /// Tells `readiness` that the server is ready, from its start to the beginning of its end.
    pub fn readiness(mut self, readiness: Readiness) -> ServerBuilder {
        self.readiness = readiness;
        self
    }

    /// Warns in the log of a method that keeps the thread of a completion queue for longer than `threshold` at a time,
    /// at most once a second for each method: 100 ms unless set. `None` turns it off.
    pub fn blocked_thread_threshold(mut self, threshold: Option<Duration>) -> ServerBuilder {
        self.blocked_thread_threshold = threshold;
        self
    }

    /// Starts the server. It accepts calls when this returns.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn start(mut self) -> Result<Server, StartError> {
        let (mut server, id) = self.prepare()?;
        let mut addresses = Vec::new();
        for address in self.addresses {
            match address.bind(&mut server, self.tls.as_ref()) {
                Ok(bound) => addresses.extend(bound),
                Err(source) => return Err(StartError::Listen { address, source }),
            }
        }
        server.start();
        self.readiness.set(true);
        Ok(Server { server, id, addresses, health: self.health, readiness: self.readiness, ended: false })
    }

    /// Does what [`ServerBuilder::start`] does, up to where it would listen.
    ///
    /// # Errors
    ///
    /// See [`StartError`]. That an address is in use, or none of this machine, is not looked at.
    pub fn check(mut self) -> Result<(), StartError> {
        self.prepare().map(drop)
    }

    /// A server that does not listen yet.
    fn prepare(&mut self) -> Result<(grpcio::Server, ServerId), StartError> {
        if self.addresses.is_empty() {
            return Err(StartError::NoAddress);
        }
        let env = Arc::new(EnvBuilder::new().cq_count(self.queues.get()).name_prefix("grpc-queue").build());
        // Without this a second server on the same port starts, and takes part of the calls.
        let args = ChannelBuilder::new(Arc::clone(&env)).reuse_port(false);
        let args = self.compression.configure_server(self.limits.configure(args)?).build_args();
        let mut builder = grpcio::ServerBuilder::new(env).channel_args(args).requests_slot_per_cq(SLOTS_PER_QUEUE);
        for service in self.routed()? {
            builder = builder.register_service(service);
        }
        Ok(ServerId::of(|| builder.build())?)
    }

    /// Gives the methods of all services what stands around them.
    fn routed(&mut self) -> Result<Vec<grpcio::Service>, StartError> {
        let mut services = std::mem::take(&mut self.services);
        services.extend(self.health.iter().map(Health::service));
        services.extend(self.channelz.then(Channelz::service));
        if self.reflection {
            services.extend(reflection::services(&services, std::mem::take(&mut self.reflected_files))?);
        }
        for (index, service) in services.iter().enumerate() {
            if let Some(path) = service.not_for_workers.first() {
                return Err(StartError::NotForWorkers(path));
            }
            if services[..index].iter().any(|other| other.name() == service.name()) {
                return Err(StartError::DuplicateService(service.name()));
            }
        }
        // Innermost, so that those before it see what it refuses.
        self.interceptors.push(Arc::new(StreamingCalls::new(self.limits.max_streaming_calls)));
        let methods = services.iter().flat_map(|service| &service.methods).enumerate();
        let methods: Vec<_> = methods.map(|(index, m)| MethodDescriptor::new(m.path, m.kind, index)).collect();
        let shared = Arc::new(Shared {
            chain: Chain::new(std::mem::take(&mut self.interceptors), &methods),
            max_request_bytes: self.limits.max_request_bytes as usize,
            max_reply_bytes: self.limits.max_reply_bytes as usize,
            blocked_thread_threshold: self.blocked_thread_threshold,
        });
        let mut descriptors = methods.into_iter();
        let routed = services.into_iter().map(|service| {
            let methods = service.methods.into_iter().zip(&mut descriptors);
            let builder = methods.fold(grpcio::ServiceBuilder::new(), |builder, (service_method, method)| {
                // A watch of the server's health is meant to last as long as the server.
                let max_time = self.limits.max_deadline.filter(|_| method.service() != Health::NAME);
                let (workers, shared) = (service_method.workers.clone(), Arc::clone(&shared));
                service_method
                    .register(builder, Route { method, max_time, workers, shared, blocked: Default::default() })
            });
            builder.build()
        });
        Ok(routed.collect())
    }
}

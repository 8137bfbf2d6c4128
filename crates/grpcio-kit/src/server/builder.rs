//! Configuring and starting a server.

use std::convert::Infallible;
use std::ffi::CString;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures::channel::oneshot;
use grpcio::{ChannelBuilder, EnvBuilder, Environment};
use protobuf::reflect::FileDescriptor;

use super::Server;
use crate::channelz::{self, ServerId};
use crate::compression::Compression;
use crate::health::Health;
use crate::interceptor::{Chain, Interceptor};
use crate::limits::{InvalidLimit, Limits};
use crate::listen::ListenAddress;
use crate::method::{MethodDescriptor, MethodKind};
use crate::metrics::{Metrics, MetricsError};
use crate::readiness::Readiness;
use crate::reflection;
use crate::server::queue_wait::QueueWait;
use crate::server::streaming_calls::StreamingCalls;
use crate::server::watchdog;
use crate::service::route::{Route, Shared};
use crate::service::{Service, unknown};
use crate::service_manager;
use crate::tls::server::ServerTls;

/// The number of RPCs that each queue is ready to accept at a time; more wait in the C core.
///
/// An RPC takes a slot when all of its request has arrived, if its method has one request, until the queue's thread runs
/// the method. A slot takes about 300 bytes.
const SLOTS_PER_QUEUE: usize = 512;

/// How often the metrics measure the wait in a queue.
const WAIT_INTERVAL: Duration = Duration::from_millis(100);

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No address was given.
    #[error("no address to listen on; give at least one")]
    NoAddress,
    /// An address is in use, or not one of this machine.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: ListenAddress,
        /// The reason.
        source: io::Error,
    },
    /// Two services have the same name, of which only one would be served. The server itself has `other`, for the methods
    /// that it does not have.
    #[error("the service {0} is registered twice")]
    DuplicateService(&'static str),
    /// [`Service::on_workers`] was given a method that cannot run on worker threads.
    #[error("{0} cannot run on worker threads: it is not a plain unary method of its service")]
    NotForWorkers(&'static str),
    /// A limit is over the maximum of the C core.
    #[error(transparent)]
    Limit(#[from] InvalidLimit),
    /// The `.proto` files for reflection contradict each other.
    #[error("the services cannot be reflected: {0}")]
    Reflection(#[from] reflection::Conflict),
    /// The metrics belong to another server, or have a name that the server's need.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The C core failed.
    #[error("the C core failed: {0}")]
    Core(#[from] grpcio::Error),
}

/// Configures and starts a [`Server`].
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
    metrics: Option<Metrics>,
    interceptors: Vec<Arc<dyn Interceptor>>,
    readiness: Readiness,
    blocked_thread_threshold: Option<Duration>,
    service_manager: bool,
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
            metrics: None,
            interceptors: Vec::new(),
            readiness: Readiness::default(),
            blocked_thread_threshold: Some(Duration::from_millis(100)),
            service_manager: false,
        }
    }
}

impl ServerBuilder {
    /// Adds an address to listen on.
    pub fn listen(mut self, address: ListenAddress) -> ServerBuilder {
        self.addresses.push(address);
        self
    }

    /// Uses TLS at every address, including Unix sockets; plaintext by default.
    pub fn tls(mut self, tls: ServerTls) -> ServerBuilder {
        self.tls = Some(tls);
        self
    }

    /// Sets the number of completion queues, each with a thread that runs methods; one per processor by default.
    /// A method that blocks delays the RPCs of its queue, and their replies.
    pub fn queues(mut self, queues: NonZeroUsize) -> ServerBuilder {
        self.queues = queues;
        self
    }

    /// Returns the number of completion queues.
    pub fn queue_count(&self) -> NonZeroUsize {
        self.queues
    }

    /// Sets the limits; the defaults are safe on an open network.
    pub fn limits(mut self, limits: Limits) -> ServerBuilder {
        self.limits = limits;
        self
    }

    /// Sets how replies are compressed; not at all by default.
    pub fn compression(mut self, compression: Compression) -> ServerBuilder {
        self.compression = compression;
        self
    }

    /// Adds a service.
    pub fn service(mut self, service: Service) -> ServerBuilder {
        self.services.push(service);
        self
    }

    /// Serves `grpc.health.v1.Health` from `health`. [`Server::start_draining`] sets every service to NOT_SERVING;
    /// [`Server::shutdown`] then ends the watches.
    pub fn health(mut self, health: Health) -> ServerBuilder {
        self.health = Some(health);
        self
    }

    /// Sets whether to serve `grpc.channelz.v1.Channelz`: the C core's statistics of every channel, server and socket of
    /// the process, with the addresses and certificates of peers. Restrict its callers with an [`Interceptor`]. Off by
    /// default.
    pub fn channelz(mut self, serve: bool) -> ServerBuilder {
        self.channelz = serve;
        self
    }

    /// Sets whether to serve reflection, `grpc.reflection.v1` and its predecessor `v1alpha`: clients can
    /// list the services of this server and get the `.proto` files that define them, with their
    /// imports. Services of generated code know their file. Off by default.
    pub fn reflection(mut self, serve: bool) -> ServerBuilder {
        self.reflection = serve;
        self
    }

    /// Adds a file to reflection that no service imports: extensions, or messages
    /// inside a `google.protobuf.Any`, such as the details of a status.
    pub fn reflected_file(mut self, file: &FileDescriptor) -> ServerBuilder {
        self.reflected_files.push(file.clone());
        self
    }

    /// Measures the server with `metrics`: RPCs, including those that interceptors reject; those that reach no method; and
    /// the time that RPCs wait in completion queues, with a thread of its own.
    pub fn metrics(mut self, metrics: &Metrics) -> ServerBuilder {
        self.metrics = Some(metrics.clone());
        self
    }

    /// Adds an interceptor for the RPCs of every service. The first one added is the first whose
    /// [`before`](Interceptor::before) runs, and the last whose [`after`](Interceptor::after) does.
    pub fn interceptor(mut self, interceptor: impl Interceptor) -> ServerBuilder {
        self.interceptors.push(Arc::new(interceptor));
        self
    }

    /// Sets `readiness` to ready from the start to [`Server::start_draining`].
    pub fn readiness(mut self, readiness: Readiness) -> ServerBuilder {
        self.readiness = readiness;
        self
    }

    /// Sets the time above which a method that blocks the thread of a completion queue is logged as a warning, at most
    /// once a second for each method, and marked in [`Outcome::blocked_thread`](crate::Outcome::blocked_thread): 100 ms
    /// by default; `None` turns it off. Of a plain unary method, interceptors are included.
    pub fn blocked_thread_threshold(mut self, threshold: Option<Duration>) -> ServerBuilder {
        self.blocked_thread_threshold = threshold;
        self
    }

    /// Tells the service manager that started the process, such as systemd, when the server accepts RPCs, when it has reloaded
    /// files, when it begins to drain, and that no completion queue is blocked, if the service manager asks for that
    /// (sd_notify(3): `READY`, `RELOADING`, `STOPPING`, `WATCHDOG`). Off by default; for the one server of a process.
    pub fn service_manager(mut self, tell: bool) -> ServerBuilder {
        self.service_manager = tell;
        self
    }

    /// Starts the server, which accepts RPCs when this returns.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn start(mut self) -> Result<Server, StartError> {
        let (sender, released) = oneshot::channel();
        let (mut server, id, environment) = self.prepare(sender)?;
        let mut addresses = Vec::new();
        for address in self.addresses {
            match address.bind(&mut server, self.tls.as_ref()) {
                Ok(bound) => addresses.extend(bound),
                Err(source) => return Err(StartError::Listen { address, source }),
            }
        }
        let measured = self.metrics.map(|metrics| measure(metrics, id, &environment)).transpose()?;
        let time = self.service_manager.then(service_manager::watchdog).flatten();
        let watched = time
            .map(|time| watchdog::watch(&environment, time, service_manager::answers))
            .transpose()
            .map_err(StartError::Thread)?;
        server.start();
        self.readiness.set(true);
        if self.service_manager {
            let addresses: Vec<_> = addresses.iter().map(ListenAddress::to_string).collect();
            service_manager::ready(&format!("listening on {}", addresses.join(", ")));
        }
        Ok(Server {
            _measured: [measured, watched],
            server: Some(server),
            released,
            id,
            addresses,
            health: self.health,
            readiness: self.readiness,
            service_manager: self.service_manager,
        })
    }

    /// Validates the configuration as [`ServerBuilder::start`] does, without listening.
    ///
    /// # Errors
    ///
    /// See [`StartError`]; addresses are not tried.
    pub fn check(mut self) -> Result<(), StartError> {
        self.prepare(oneshot::channel().0).map(drop)
    }

    /// Creates a server that does not listen yet. `released` is dropped with the last of its methods.
    fn prepare(
        &mut self,
        released: oneshot::Sender<Infallible>,
    ) -> Result<(grpcio::Server, ServerId, Arc<Environment>), StartError> {
        if self.addresses.is_empty() {
            return Err(StartError::NoAddress);
        }
        let env = Arc::new(EnvBuilder::new().cq_count(self.queues.get()).name_prefix("grpc-queue").build());
        // With SO_REUSEPORT a second server could start on the same port, and would get some of the RPCs.
        let args = ChannelBuilder::new(Arc::clone(&env)).reuse_port(false);
        let args = self.compression.configure_server(self.limits.configure(args)?);
        let (services, methods) = self.routed(released, Arc::clone(&env))?;
        let (one_request, others): (Vec<_>, Vec<_>) = methods.into_iter().partition(has_one_request);
        let args = args
            .raw_cfg_string(c"grpc.one_request_methods".into(), paths(&one_request))
            .raw_cfg_string(c"grpc.other_methods".into(), paths(&others))
            .raw_cfg_string(c"grpc.unknown_method".into(), CString::new(unknown::PATH).unwrap_or_default())
            .build_args();
        let builder = grpcio::ServerBuilder::new(Arc::clone(&env)).channel_args(args);
        let mut builder = builder.requests_slot_per_cq(SLOTS_PER_QUEUE);
        for service in services {
            builder = builder.register_service(service);
        }
        let (server, id) = ServerId::of(|| builder.build())?;
        Ok((server, id, env))
    }

    /// Wraps every method with the interceptors and limits. Also returns the methods.
    fn routed(
        &mut self,
        released: oneshot::Sender<Infallible>,
        queues: Arc<Environment>,
    ) -> Result<(Vec<grpcio::Service>, Vec<MethodDescriptor>), StartError> {
        let mut services = std::mem::take(&mut self.services);
        services.extend(self.health.iter().map(Health::service));
        services.extend(self.channelz.then(channelz::service));
        if self.reflection {
            services.extend(reflection::services(&services, std::mem::take(&mut self.reflected_files))?);
        }
        services.push(unknown::service(&services));
        for (index, service) in services.iter().enumerate() {
            if let Some(path) = service.not_for_workers.first() {
                return Err(StartError::NotForWorkers(path));
            }
            if services[..index].iter().any(|other| other.name() == service.name()) {
                return Err(StartError::DuplicateService(service.name()));
            }
        }
        // First, so that they count the RPCs that the others reject.
        self.interceptors.splice(..0, self.metrics.iter().map(|metrics| Arc::new(metrics.clone()) as _));
        // Last, so that the others see the RPCs that it rejects.
        self.interceptors.push(Arc::new(StreamingCalls::new(self.limits.max_streaming_calls)));
        let methods = services.iter().flat_map(|service| &service.methods).enumerate();
        let methods: Vec<_> = methods.map(|(index, method)| method.descriptor(index)).collect();
        let shared = Arc::new(Shared {
            chain: Chain::new(std::mem::take(&mut self.interceptors), &methods),
            max_request_bytes: self.limits.max_request_bytes as usize,
            max_reply_bytes: self.limits.max_reply_bytes as usize,
            blocked_thread_threshold: self.blocked_thread_threshold,
            _released: released,
            _queues: queues,
        });
        let mut descriptors = methods.iter().copied();
        let routed = services.into_iter().map(|service| {
            let methods = service.methods.into_iter().zip(&mut descriptors);
            let builder = methods.fold(grpcio::ServiceBuilder::new(), |builder, (service_method, method)| {
                // A watch of the server's health may last as long as the server.
                let max_time = self.limits.max_deadline.filter(|_| method.service() != Health::NAME);
                let (workers, shared) = (service_method.workers, Arc::clone(&shared));
                let route = Route { method, max_time, workers, shared, warnings: Default::default() };
                (service_method.register)(builder, Arc::new(route))
            });
            builder.build()
        });
        Ok((routed.collect(), methods))
    }
}

/// Whether the C core gives an RPC of the method to a completion queue only when the request has arrived (patch 0024).
fn has_one_request(method: &MethodDescriptor) -> bool {
    matches!(method.kind(), MethodKind::Unary | MethodKind::ServerStreaming)
}

/// Returns the paths of methods as a channel argument. A path with a separator cannot be called.
fn paths(methods: &[MethodDescriptor]) -> CString {
    let paths = methods.iter().map(|method| method.path());
    let paths: Vec<_> = paths.filter(|path| !path.contains(['\0', ' '])).collect();
    // Without NUL it cannot fail.
    CString::new(paths.join(" ")).unwrap_or_default()
}

/// Adds what interceptors do not see: the RPCs that reach no method, and the time that RPCs wait in queues.
fn measure(metrics: Metrics, id: ServerId, environment: &Arc<Environment>) -> Result<QueueWait, StartError> {
    let help = "RPCs that the C core has received, whether or not they reach a method.";
    metrics.counter("grpc_server_core_started_total", help, move || id.calls_started().unwrap_or(0))?;
    QueueWait::measure(environment, WAIT_INTERVAL, move |_, wait| metrics.waited(wait), || ())
        .map_err(StartError::Thread)
}

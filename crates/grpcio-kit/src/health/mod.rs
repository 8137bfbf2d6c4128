//! Whether the services of a server can be called: `grpc.health.v1.Health`, which load
//! balancers, Kubernetes and `calc health` ask. The rules are those of
//! <https://github.com/grpc/grpc/blob/master/doc/health-checking.md> and of the `.proto` file.

pub mod proto;
mod registry;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use protobuf::EnumOrUnknown;

use crate::call::Call;
use crate::health::proto::health::health_check_response::ServingStatus as Proto;
use crate::health::proto::health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse};
use crate::health::proto::health_grpc::{Health as HealthMethods, health, health_service};
use crate::reply::ReplyStream;
use crate::service::Service;
use crate::status::Status;
use crate::status::code::Code;
use registry::{Registry, Wakers};
use watch::Watch;

/// The services that `List` answers with; more are RESOURCE_EXHAUSTED, as the protocol has it.
const MAX_LISTED: usize = 100;

/// The state of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServingStatus {
    /// The server cannot tell yet.
    Unknown,
    /// The service can be called.
    Serving,
    /// The service should not be called for now.
    NotServing,
}

/// The states of a server's services, and the service that tells them.
///
/// Clones share them. A server that is given one
/// ([`ServerBuilder::health`](crate::ServerBuilder::health)) answers
/// `grpc.health.v1.Health` from it.
///
/// A service is known by its name, which generated code has as a constant:
///
/// ```
/// use grpcio_kit::{Health, ServingStatus};
///
/// let health = Health::new();
/// health.set("example.Greeter", ServingStatus::Serving);
/// ```
///
/// # Watches
///
/// A watch gets the state of its service at once and then each change in order, never the
/// same state twice in a row. Of a service whose caller does not read, the newest
/// 64 changes are kept, for all of its watches together; older ones are lost to those that
/// have not read them, the newest never is.
///
/// A service that is not known may be watched: it may become so. For such names there is
/// memory to bound: a name has at most [`Health::MAX_UNKNOWN_NAME`] bytes, and there are at
/// most [`Health::MAX_UNKNOWN_NAMES`] at a time.
#[derive(Clone)]
pub struct Health {
    registry: Arc<Mutex<Registry>>,
}

impl Default for Health {
    fn default() -> Health {
        Health::new()
    }
}

impl Health {
    /// The name of the service: `grpc.health.v1.Health`.
    pub const NAME: &'static str = health::NAME;

    /// The name under which the server as a whole is known.
    pub const SERVER: &'static str = "";

    /// The longest name of an unknown service that can be watched, in bytes. A longer one is
    /// answered with INVALID_ARGUMENT.
    pub const MAX_UNKNOWN_NAME: usize = 1024;

    /// The unknown services that can be watched at a time, by any number of callers. One more
    /// is answered with RESOURCE_EXHAUSTED.
    pub const MAX_UNKNOWN_NAMES: usize = 1000;

    /// A server that is serving as a whole ([`Health::SERVER`]), and no services yet.
    pub fn new() -> Health {
        let health = Health { registry: Arc::default() };
        health.set(Health::SERVER, ServingStatus::Serving);
        health
    }

    /// The state of a service from now on. Ignored after [`Health::shutdown`].
    ///
    /// Wakes each watch of the service; what they do then runs elsewhere.
    pub fn set(&self, service: &str, status: ServingStatus) {
        self.change(|registry| registry.set(service, status));
    }

    /// Forgets a service: those who check it get NOT_FOUND, its watches SERVICE_UNKNOWN.
    /// Ignored after [`Health::shutdown`].
    pub fn clear(&self, service: &str) {
        self.change(|registry| registry.clear(service));
    }

    /// The state of a service, if it is known.
    pub fn get(&self, service: &str) -> Option<ServingStatus> {
        self.registry().get(service)
    }

    /// Every service is [`ServingStatus::NotServing`] from now on. There is no way back.
    pub fn shutdown(&self) {
        self.change(Registry::shutdown);
    }

    /// Ends every watch with UNAVAILABLE, after it has got the changes before; new ones get
    /// the state and end at once. There is no way back.
    ///
    /// A server does this when it ends, or its watches would keep it.
    pub fn end_watches(&self) {
        self.change(Registry::end_watches);
    }

    /// The number of watches that are open.
    pub fn watches(&self) -> usize {
        self.registry().watches()
    }

    /// The service, ready to be registered.
    pub(crate) fn service(&self) -> Service {
        health_service(Methods(self.clone()))
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // Whoever panicked with the lock was not in the middle of a change: none can panic.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change, and wakes whoever waits for it once the lock is free again.
    fn change(&self, change: impl FnOnce(&mut Registry) -> Wakers) {
        let wakers = change(&mut self.registry());
        for waker in wakers.into_values() {
            waker.wake();
        }
    }
}

/// The service's side of a [`Health`].
struct Methods(Health);

impl HealthMethods for Methods {
    fn check(&self, _: &Call<'_>, request: HealthCheckRequest) -> Result<HealthCheckResponse, Status> {
        match self.0.get(&request.service) {
            Some(status) => Ok(response(Some(status))),
            None => Err(Status::new(Code::NotFound, format!("there is no service `{}`", request.service))),
        }
    }

    fn list(&self, _: &Call<'_>, _: HealthListRequest) -> Result<HealthListResponse, Status> {
        let Some(known) = self.0.registry().list(MAX_LISTED) else {
            let message = format!("there are more than {MAX_LISTED} services; check or watch them by name");
            return Err(Status::new(Code::ResourceExhausted, message));
        };
        let statuses = known.into_iter().map(|(name, status)| (name.to_string(), response(Some(status)))).collect();
        Ok(HealthListResponse { statuses, ..Default::default() })
    }

    fn watch(&self, _: &Call<'_>, request: HealthCheckRequest) -> Result<ReplyStream<HealthCheckResponse>, Status> {
        let watch = Watch::begin(self.0.clone(), &request.service)?;
        Ok(watch.map(|status| status.map(response)).boxed())
    }
}

/// A state as it is sent; `None` is that of a service that is not known.
fn response(status: Option<ServingStatus>) -> HealthCheckResponse {
    let status = match status {
        Some(ServingStatus::Unknown) => Proto::UNKNOWN,
        Some(ServingStatus::Serving) => Proto::SERVING,
        Some(ServingStatus::NotServing) => Proto::NOT_SERVING,
        None => Proto::SERVICE_UNKNOWN,
    };
    HealthCheckResponse { status: EnumOrUnknown::new(status), ..Default::default() }
}

//! The `grpc.health.v1.Health` service, which load balancers and Kubernetes use
//! ([health checking protocol](https://github.com/grpc/grpc/blob/master/doc/health-checking.md)).
//!
//! The states are in a registry behind one lock, with what each watch has not received yet. A watch that has received
//! everything leaves its waker there; a change of its service's state wakes it.

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

/// The maximum number of services in a reply to `List`; with more it fails with RESOURCE_EXHAUSTED, as the protocol
/// requires.
const MAX_LISTED: usize = 100;

/// The state of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServingStatus {
    /// The state is not known yet.
    Unknown,
    /// The service can be called.
    Serving,
    /// The service should not be called for now.
    NotServing,
}

/// The states of a server's services, served as `grpc.health.v1.Health` by a server that is given them
/// ([`ServerBuilder::health`](crate::ServerBuilder::health)). Clones share the states.
///
/// A service is identified by its full name, which generated code has as a constant:
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
/// A watch receives the state of its service at once and then each change in order, never the same state twice in a
/// row. The newest 64 changes are kept for a watch: a slower client misses older ones, never the newest.
///
/// An unknown service may be watched, as it may be added later. To bound memory, such a name has at most
/// [`Health::MAX_UNKNOWN_NAME`] bytes, and there are at most [`Health::MAX_UNKNOWN_NAMES`] at a time.
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

    /// The name that stands for the server as a whole.
    pub const SERVER: &'static str = "";

    /// The maximum size of the name of an unknown service that is watched, in bytes; over it the watch fails with
    /// INVALID_ARGUMENT.
    pub const MAX_UNKNOWN_NAME: usize = 1024;

    /// The maximum number of unknown services that are watched at a time, by any number of callers; over it a watch
    /// fails with RESOURCE_EXHAUSTED.
    pub const MAX_UNKNOWN_NAMES: usize = 1000;

    /// Returns the state of a server that is serving as a whole ([`Health::SERVER`]), without services.
    pub fn new() -> Health {
        let health = Health { registry: Arc::default() };
        health.set(Health::SERVER, ServingStatus::Serving);
        health
    }

    /// Sets the state of a service, and sends it to the service's watches. Ignored after [`Health::shutdown`].
    pub fn set(&self, service: &str, status: ServingStatus) {
        self.change(|registry| registry.set(service, status));
    }

    /// Removes a service: checks then fail with NOT_FOUND, and its watches receive SERVICE_UNKNOWN. Ignored after
    /// [`Health::shutdown`].
    pub fn clear(&self, service: &str) {
        self.change(|registry| registry.clear(service));
    }

    /// Returns the state of a service, if it is known.
    pub fn get(&self, service: &str) -> Option<ServingStatus> {
        self.registry().get(service)
    }

    /// Sets every service to [`ServingStatus::NotServing`] for good.
    pub fn shutdown(&self) {
        self.change(Registry::shutdown);
    }

    /// Ends every watch with UNAVAILABLE once it has received the changes so far; later watches receive the state and
    /// end at once. A server does this when it shuts down, as it would wait for its watches otherwise.
    pub fn end_watches(&self) {
        self.change(Registry::end_watches);
    }

    /// Returns the number of open watches.
    pub fn watches(&self) -> usize {
        self.registry().watches()
    }

    /// Returns the service, to be registered.
    pub(crate) fn service(&self) -> Service {
        health_service(Methods(self.clone()))
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // A poisoned registry is consistent: no change to it can panic halfway.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change, and wakes the watches that wait for it once the lock is released.
    fn change(&self, change: impl FnOnce(&mut Registry) -> Wakers) {
        let wakers = change(&mut self.registry());
        for waker in wakers {
            waker.wake();
        }
    }
}

/// Implements the service on a [`Health`].
struct Methods(Health);

impl HealthMethods for Methods {
    fn check(&self, _: &Call<'_>, request: HealthCheckRequest) -> Result<HealthCheckResponse, Status> {
        match self.0.get(&request.service) {
            Some(status) => Ok(response(Some(status))),
            None => Err(Status::new(Code::NotFound, format!("unknown service `{}`", request.service))),
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

/// Returns the reply for a state; `None` is that of an unknown service.
fn response(status: Option<ServingStatus>) -> HealthCheckResponse {
    let status = match status {
        Some(ServingStatus::Unknown) => Proto::UNKNOWN,
        Some(ServingStatus::Serving) => Proto::SERVING,
        Some(ServingStatus::NotServing) => Proto::NOT_SERVING,
        None => Proto::SERVICE_UNKNOWN,
    };
    HealthCheckResponse { status: EnumOrUnknown::new(status), ..Default::default() }
}

//! Services, ready to be registered with a server.

mod adapter;
mod in_flight;
pub(crate) mod route;
mod streams;
pub(crate) mod unknown;
pub(crate) mod workers;

use std::sync::Arc;

use futures::{Future, StreamExt, stream};
use grpcio::MethodType;
use protobuf::MessageFull;
use protobuf::reflect::FileDescriptor;

use crate::call::Call;
use crate::call::stream::RequestStream;
use crate::codec::server_method;
use crate::method::{Method, MethodDescriptor, MethodKind};
use crate::reply::{ReplyFuture, ReplyStream};
use crate::status::Status;
use route::Route;
use streams::{many_requests, one_request};
use workers::Workers;

/// A service: methods under one name. Generated code has a function for each that returns it.
pub struct Service {
    name: &'static str,
    /// The file that defines it, for reflection.
    pub(crate) file: Option<FileDescriptor>,
    pub(crate) methods: Vec<ServiceMethod>,
    /// What was to run on workers and is no plain unary method of this service.
    pub(crate) not_for_workers: Vec<&'static str>,
}

/// A method that waits for its server, which gives it interceptors and limits.
pub(crate) struct ServiceMethod {
    pub path: &'static str,
    pub kind: MethodKind,
    pub workers: Option<Workers>,
    pub register: Register,
    /// Whether it returns a future or a stream.
    is_async: bool,
}

type Register = Box<dyn FnOnce(grpcio::ServiceBuilder, Arc<Route>) -> grpcio::ServiceBuilder + Send>;

impl ServiceMethod {
    /// Describes it as the `index`th method of a server.
    pub fn descriptor(&self, index: usize) -> MethodDescriptor {
        let mut method = MethodDescriptor::new(self.path, self.kind, index);
        method.stays_in_flight = self.is_async;
        method
    }
}

impl Service {
    /// Returns the full name: `package.Service`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs a plain unary method on `workers` instead of the completion queue's thread: it may block. Interceptors, decoding
    /// and encoding stay on the queue's thread.
    ///
    /// [`Limits::max_deadline`](crate::Limits::max_deadline) is enforced for it. An RPC whose deadline passes, or that
    /// the client cancels, leaves the queue of `workers`; a method that runs already is not interrupted.
    ///
    /// [`ServerBuilder::start`](crate::ServerBuilder::start) fails with
    /// [`StartError::NotForWorkers`](crate::StartError::NotForWorkers) if `method` is not a method of this service, is a
    /// streaming method or an asynchronous one: those do not hold a thread while they wait, and a worker that waited
    /// for them would be wasted.
    #[must_use]
    pub fn on_workers<Req, Rep>(mut self, method: Method<Req, Rep>, workers: &Workers) -> Service {
        match self.methods.iter_mut().find(|other| other.path == method.path() && !other.is_async) {
            Some(method) => method.workers = Some(workers.clone()),
            None => self.not_for_workers.push(method.path()),
        }
        self
    }
}

/// Builds a [`Service`] from its methods. Generated code uses it; by hand, it makes services
/// that no `.proto` file describes.
///
/// Methods, and the futures and streams that they return, run on the thread of a completion queue and must not block it:
/// while one does, that queue answers no other RPC. [`Service::on_workers`] moves a unary method to another thread. A
/// panic ends the RPC with INTERNAL.
///
/// A future or stream is dropped when the RPC ends before it does: the client cancels, its deadline passes, the server's
/// does ([`Limits::max_deadline`](crate::Limits::max_deadline)), or the server shuts down and the grace is over.
pub struct ServiceBuilder {
    service: Service,
}

impl ServiceBuilder {
    /// Starts with no methods; `name` is the full name: `package.Service`.
    pub fn new(name: &'static str) -> ServiceBuilder {
        ServiceBuilder { service: Service { name, file: None, methods: Vec::new(), not_for_workers: Vec::new() } }
    }

    /// Sets the file that defines the service, for server reflection
    /// ([`ServerBuilder::reflection`](crate::ServerBuilder::reflection)). Without one,
    /// reflection lists the service but cannot describe it.
    #[must_use]
    pub fn described_by(mut self, file: &FileDescriptor) -> ServiceBuilder {
        self.service.file = Some(file.clone());
        self
    }

    /// Adds a unary method.
    #[must_use]
    pub fn unary<Req, Rep, F>(self, method: Method<Req, Rep>, handler: F) -> ServiceBuilder
    where
        Req: MessageFull,
        Rep: MessageFull,
        F: Fn(&Call<'_>, Req) -> Result<Rep, Status> + Send + Sync + 'static,
    {
        let handler = Arc::new(handler);
        self.add(method.path(), MethodKind::Unary, false, move |builder, route| {
            let Some(workers) = route.workers.clone() else {
                return builder
                    .add_unary_handler(&server_method(method, MethodType::Unary), move |context, request, sink| {
                        adapter::unary(&route, &*handler, &context, request, sink)
                    });
            };
            one_request(builder, route, method, move |call, request| {
                let handler = Arc::clone(&handler);
                let reply = workers.run(call.to_static(), move |call| handler(call, request))?;
                Ok(stream::once(reply).boxed())
            })
        })
    }

    /// Adds a unary method that returns a future. Whatever wakes it may be on another thread.
    #[must_use]
    pub fn unary_async<Req, Rep, F, Fut>(self, method: Method<Req, Rep>, handler: F) -> ServiceBuilder
    where
        Req: MessageFull,
        Rep: MessageFull,
        F: Fn(Call<'static>, Req) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Rep, Status>> + Send + 'static,
    {
        self.add(method.path(), MethodKind::Unary, true, move |builder, route| {
            one_request(builder, route, method, move |call, request| {
                Ok(stream::once(handler(call.to_static(), request)).boxed())
            })
        })
    }

    /// Adds a server-streaming method.
    #[must_use]
    pub fn server_streaming<Req, Rep, F>(self, method: Method<Req, Rep>, handler: F) -> ServiceBuilder
    where
        Req: MessageFull,
        Rep: MessageFull,
        F: Fn(&Call<'_>, Req) -> Result<ReplyStream<Rep>, Status> + Send + Sync + 'static,
    {
        self.add(method.path(), MethodKind::ServerStreaming, true, move |builder, route| {
            one_request(builder, route, method, handler)
        })
    }

    /// Adds a client-streaming method.
    #[must_use]
    pub fn client_streaming<Req, Rep, F>(self, method: Method<Req, Rep>, handler: F) -> ServiceBuilder
    where
        Req: MessageFull,
        Rep: MessageFull,
        F: Fn(&Call<'_>, RequestStream<Req>) -> ReplyFuture<Rep> + Send + Sync + 'static,
    {
        self.add(method.path(), MethodKind::ClientStreaming, true, move |builder, route| {
            many_requests(builder, route, method, move |call, requests| {
                Ok(stream::once(handler(call, requests)).boxed())
            })
        })
    }

    /// Adds a bidirectional method.
    #[must_use]
    pub fn bidi_streaming<Req, Rep, F>(self, method: Method<Req, Rep>, handler: F) -> ServiceBuilder
    where
        Req: MessageFull,
        Rep: MessageFull,
        F: Fn(&Call<'_>, RequestStream<Req>) -> Result<ReplyStream<Rep>, Status> + Send + Sync + 'static,
    {
        self.add(method.path(), MethodKind::BidiStreaming, true, move |builder, route| {
            many_requests(builder, route, method, handler)
        })
    }

    fn add(
        mut self,
        path: &'static str,
        kind: MethodKind,
        is_async: bool,
        register: impl FnOnce(grpcio::ServiceBuilder, Arc<Route>) -> grpcio::ServiceBuilder + Send + 'static,
    ) -> ServiceBuilder {
        let register = Box::new(register);
        self.service.methods.push(ServiceMethod { path, kind, workers: None, register, is_async });
        self
    }

    /// Returns the service.
    pub fn build(self) -> Service {
        self.service
    }
}

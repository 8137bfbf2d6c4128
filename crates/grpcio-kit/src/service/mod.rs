//! A service: methods under one name, ready to be registered with a server.

mod adapter;
pub(crate) mod route;
mod streaming;

use std::sync::Arc;

use grpcio::MethodType;
use protobuf::MessageFull;
use protobuf::reflect::FileDescriptor;

use crate::call::Call;
use crate::call::stream::RequestStream;
use crate::codec::server_method;
use crate::method::{Method, MethodKind};
use crate::reply::{ReplyFuture, ReplyStream};
use crate::status::Status;
use route::Route;

/// Methods under one name. Made by the functions that generated code has for each service.
pub struct Service {
    name: &'static str,
    /// The file that defines it, for server reflection.
    pub(crate) file: Option<FileDescriptor>,
    pub(crate) methods: Vec<ServiceMethod>,
}

/// A method that waits for its server: only there is known what stands around it.
pub(crate) struct ServiceMethod {
    pub path: &'static str,
    pub kind: MethodKind,
    pub register: Box<dyn FnOnce(grpcio::ServiceBuilder, Route) -> grpcio::ServiceBuilder + Send>,
}

impl Service {
    /// The full name: `package.Service`.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// Collects the methods of a service. Generated code calls it; by hand it serves methods
/// that no `.proto` file describes.
pub struct ServiceBuilder {
    service: Service,
}

impl ServiceBuilder {
    /// A service without methods, by its full name.
    pub fn new(name: &'static str) -> ServiceBuilder {
        ServiceBuilder { service: Service { name, file: None, methods: Vec::new() } }
    }

    /// Names the file that defines the service, for server reflection
    /// ([`ServerBuilder::reflection`](crate::ServerBuilder::reflection)). Without one,
    /// reflection lists the service and cannot describe it.
    #[must_use]
    pub fn described_by(mut self, file: &FileDescriptor) -> ServiceBuilder {
        self.service.file = Some(file.clone());
        self
    }

    /// Adds a unary method. It runs on the thread of a completion queue and must not wait
    /// for anything: while it does, that queue answers no other call.
    #[must_use]
    pub fn unary<Req, Rep, F>(self, method: Method<Req, Rep>, handler: F) -> ServiceBuilder
    where
        Req: MessageFull,
        Rep: MessageFull,
        F: Fn(&Call<'_>, Req) -> Result<Rep, Status> + Send + Sync + 'static,
    {
        let handler = Arc::new(handler);
        self.add(method.path(), MethodKind::Unary, move |builder, route| {
            builder.add_unary_handler(&server_method(method, MethodType::Unary), move |context, request, sink| {
                adapter::unary(&route, &*handler, &context, request, sink)
            })
        })
    }

    /// Adds a server-streaming method. The method and the stream that it returns run on the
    /// thread of a completion queue and must not block it.
    #[must_use]
    pub fn server_streaming<Req, Rep, F>(self, method: Method<Req, Rep>, handler: F) -> ServiceBuilder
    where
        Req: MessageFull,
        Rep: MessageFull,
        F: Fn(&Call<'_>, Req) -> Result<ReplyStream<Rep>, Status> + Send + Sync + 'static,
    {
        let handler = Arc::new(handler);
        self.add(method.path(), MethodKind::ServerStreaming, move |builder, route| {
            builder.add_server_streaming_handler(
                &server_method(method, MethodType::ServerStreaming),
                move |context, request, sink| adapter::server_streaming(&route, &*handler, &context, request, sink),
            )
        })
    }

    /// Adds a client-streaming method. The method and the future that it returns run on the
    /// thread of a completion queue and must not block it.
    ///
    /// A future that waits for something other than its requests is not told when the
    /// caller goes away.
    #[must_use]
    pub fn client_streaming<Req, Rep, F>(self, method: Method<Req, Rep>, handler: F) -> ServiceBuilder
    where
        Req: MessageFull,
        Rep: MessageFull,
        F: Fn(&Call<'_>, RequestStream<Req>) -> ReplyFuture<Rep> + Send + Sync + 'static,
    {
        let handler = Arc::new(handler);
        self.add(method.path(), MethodKind::ClientStreaming, move |builder, route| {
            builder.add_client_streaming_handler(
                &server_method(method, MethodType::ClientStreaming),
                move |context, requests, sink| adapter::client_streaming(&route, &*handler, &context, requests, sink),
            )
        })
    }

    /// Adds a bidirectional method. The method and the stream that it returns run on the
    /// thread of a completion queue and must not block it.
    #[must_use]
    pub fn bidi_streaming<Req, Rep, F>(self, method: Method<Req, Rep>, handler: F) -> ServiceBuilder
    where
        Req: MessageFull,
        Rep: MessageFull,
        F: Fn(&Call<'_>, RequestStream<Req>) -> Result<ReplyStream<Rep>, Status> + Send + Sync + 'static,
    {
        let handler = Arc::new(handler);
        self.add(method.path(), MethodKind::BidiStreaming, move |builder, route| {
            builder.add_duplex_streaming_handler(
                &server_method(method, MethodType::Duplex),
                move |context, requests, sink| adapter::bidi_streaming(&route, &*handler, &context, requests, sink),
            )
        })
    }

    fn add(
        mut self,
        path: &'static str,
        kind: MethodKind,
        register: impl FnOnce(grpcio::ServiceBuilder, Route) -> grpcio::ServiceBuilder + Send + 'static,
    ) -> ServiceBuilder {
        self.service.methods.push(ServiceMethod { path, kind, register: Box::new(register) });
        self
    }

    /// The service.
    pub fn build(self) -> Service {
        self.service
    }
}

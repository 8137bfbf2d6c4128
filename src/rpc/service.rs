//! A service: methods under one name, ready to be registered with a server.

use std::sync::Arc;

use grpcio::MethodType;
use protobuf::MessageFull;

use super::codec::server_method;
use super::{Call, Method, ReplyFuture, ReplyStream, RequestStream, Status, adapter};

/// Methods under one name. Made by the functions that generated code has for each service.
pub struct Service {
    name: &'static str,
    methods: grpcio::Service,
}

impl Service {
    /// The full name: `package.Service`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn into_grpcio(self) -> grpcio::Service {
        self.methods
    }
}

/// Collects the methods of a service. Generated code calls it; by hand it serves methods
/// that no `.proto` file describes.
pub struct ServiceBuilder {
    name: &'static str,
    methods: grpcio::ServiceBuilder,
}

impl ServiceBuilder {
    /// A service without methods, by its full name.
    pub fn new(name: &'static str) -> ServiceBuilder {
        ServiceBuilder { name, methods: grpcio::ServiceBuilder::new() }
    }

    /// Adds a unary method. It runs on the thread of a completion queue and must not wait
    /// for anything: while it does, that queue answers no other call.
    #[must_use]
    pub fn unary<Req, Rep, F>(mut self, method: Method<Req, Rep>, handler: F) -> ServiceBuilder
    where
        Req: MessageFull,
        Rep: MessageFull,
        F: Fn(&Call<'_>, Req) -> Result<Rep, Status> + Send + Sync + 'static,
    {
        let (path, handler) = (method.path(), Arc::new(handler));
        self.methods =
            self.methods.add_unary_handler(&server_method(method, MethodType::Unary), move |context, request, sink| {
                adapter::unary(path, &*handler, &context, request, sink)
            });
        self
    }

    /// Adds a server-streaming method. The method and the stream that it returns run on the
    /// thread of a completion queue and must not block it.
    #[must_use]
    pub fn server_streaming<Req, Rep, F>(mut self, method: Method<Req, Rep>, handler: F) -> ServiceBuilder
    where
        Req: MessageFull,
        Rep: MessageFull,
        F: Fn(&Call<'_>, Req) -> Result<ReplyStream<Rep>, Status> + Send + Sync + 'static,
    {
        let (path, handler) = (method.path(), Arc::new(handler));
        self.methods = self.methods.add_server_streaming_handler(
            &server_method(method, MethodType::ServerStreaming),
            move |context, request, sink| adapter::server_streaming(path, &*handler, &context, request, sink),
        );
        self
    }

    /// Adds a client-streaming method. The method and the future that it returns run on the
    /// thread of a completion queue and must not block it.
    ///
    /// A future that waits for something other than its requests is not told when the
    /// caller goes away.
    #[must_use]
    pub fn client_streaming<Req, Rep, F>(mut self, method: Method<Req, Rep>, handler: F) -> ServiceBuilder
    where
        Req: MessageFull,
        Rep: MessageFull,
        F: Fn(&Call<'_>, RequestStream<Req>) -> ReplyFuture<Rep> + Send + Sync + 'static,
    {
        let (path, handler) = (method.path(), Arc::new(handler));
        self.methods = self.methods.add_client_streaming_handler(
            &server_method(method, MethodType::ClientStreaming),
            move |context, requests, sink| adapter::client_streaming(path, &*handler, &context, requests, sink),
        );
        self
    }

    /// Adds a bidirectional method. The method and the stream that it returns run on the
    /// thread of a completion queue and must not block it.
    #[must_use]
    pub fn bidi_streaming<Req, Rep, F>(mut self, method: Method<Req, Rep>, handler: F) -> ServiceBuilder
    where
        Req: MessageFull,
        Rep: MessageFull,
        F: Fn(&Call<'_>, RequestStream<Req>) -> Result<ReplyStream<Rep>, Status> + Send + Sync + 'static,
    {
        let (path, handler) = (method.path(), Arc::new(handler));
        self.methods = self.methods.add_duplex_streaming_handler(
            &server_method(method, MethodType::Duplex),
            move |context, requests, sink| adapter::bidi_streaming(path, &*handler, &context, requests, sink),
        );
        self
    }

    /// The service.
    pub fn build(self) -> Service {
        Service { name: self.name, methods: self.methods.build() }
    }
}

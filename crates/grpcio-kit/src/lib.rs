//! What grpcio leaves out of a gRPC service: graceful shutdown, interceptors, limits, TLS, the standard services, metrics,
//! logs, and channels for clients.
//!
//! ```
//! use std::time::Duration;
//!
//! use grpcio_kit::protobuf::well_known_types::wrappers::StringValue;
//! use grpcio_kit::{AccessLog, CallOptions, Channel, Code, Health, Method, Server, ServiceBuilder, ServingStatus, Status};
//!
//! // grpcio-kit-build generates such constants, a trait for the service and a client from a .proto file.
//! const HELLO: Method<StringValue, StringValue> = Method::new("/example.Greeter/Hello");
//!
//! fn text(value: String) -> StringValue {
//!     StringValue { value, ..Default::default() }
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let greeter = ServiceBuilder::new("example.Greeter").unary(HELLO, |_call, name: StringValue| {
//!         if name.value.is_empty() {
//!             return Err(Status::new(Code::InvalidArgument, "the name is empty"));
//!         }
//!         Ok(text(format!("Hello, {}!", name.value)))
//!     });
//!     let health = Health::new();
//!     health.set("example.Greeter", ServingStatus::Serving);
//!     let server = Server::builder()
//!         .listen("127.0.0.1:0".parse()?)
//!         .service(greeter.build())
//!         .health(health)
//!         .reflection(true)
//!         .interceptor(AccessLog::new(1.0)?)
//!         .start()?;
//!
//!     let channel = Channel::connect(&server.addresses()[0].to_string())?;
//!     assert_eq!(channel.unary(HELLO, &text("Ada".to_owned()), CallOptions::default())?.value, "Hello, Ada!");
//!     server.shutdown(Duration::from_secs(10));
//!     Ok(())
//! }
//! ```
//!
//! # The life of a unary RPC
//!
//! 1. The C core reads the request; the thread of the completion queue that accepted the RPC picks it up, in grpcio.
//! 2. The adapter (`service/adapter.rs`) makes the [`Call`] and runs each interceptor's [`before`](Interceptor::before).
//! 3. It decodes the request, within [`Limits::max_request_bytes`], and runs the method, whose panic it contains.
//! 4. It encodes the reply and runs each interceptor's [`after`](Interceptor::after), in reverse order.
//! 5. The reply or the [`Status`] goes into grpcio's sink, and the C core sends it.
//!
//! All of that is on one thread, which must not block. A method that waits is written as a future
//! ([`ServiceBuilder::unary_async`]) or runs on other threads ([`Service::on_workers`]).
//!
//! # Modules
//!
//! From the bottom up: a module imports from those above it in this table, never from one below, and by the path of
//! the defining module; `tests/layers.rs` checks that.
//!
//! | module | what it is about |
//! |---|---|
//! | [`wire`] | decoding as the protobuf specification demands, called by generated messages |
//! | [`google_rpc`] | generated: `google.rpc.Status` and its details |
//! | `status` | [`Code`] and [`Status`], with `google.rpc` details |
//! | `method` | [`Method`]: path, kind and message types |
//! | `compression` | gzip and deflate of messages, with a limit on the decompressed size |
//! | `codec` | messages to bytes and back, within the size limits |
//! | `reply` | [`ReplyFuture`] and [`ReplyStream`] |
//! | [`service_manager`] | what systemd is told of a server |
//! | `files` | files that are read again when they change |
//! | `bearer_token` | [`BearerToken`] |
//! | [`log`] | structured logs on standard error that no RPC waits for |
//! | `trace_context` | [`TraceContext`]: W3C's `traceparent` |
//! | `c_core` | [`core_version`]: which C core the program is linked with |
//! | `readiness` | [`Readiness`] |
//! | `shutdown_signal` | [`ShutdownSignal`]: SIGTERM, SIGINT and SIGHUP |
//! | `call` | [`Call`], the context of an RPC, and [`RequestStream`] |
//! | `interceptor` | [`Interceptor`], and the chain of a server's interceptors |
//! | `service` | [`Service`], [`Workers`], and the adapter between grpcio and methods |
//! | `limits` | [`Limits`] of sizes, numbers and times |
//! | `metrics` | [`Metrics`] for Prometheus |
//! | `access_log` | [`AccessLog`] |
//! | `auth` | [`BearerTokens`] and [`AllowedNames`] |
//! | `health` | `grpc.health.v1.Health` |
//! | [`reflection`] | `grpc.reflection.v1.ServerReflection` and `v1alpha` |
//! | `channelz` | `grpc.channelz.v1.Channelz` |
//! | `tls` | [`ServerTls`] and [`ClientTls`] |
//! | `channel` | [`Channel`], which generated clients use |
//! | [`reflection_client`] | [`ReflectionClient`](reflection_client::ReflectionClient) |
//! | `listen` | [`ListenAddress`] |
//! | `server` | [`ServerBuilder`] and [`Server`], with its graceful shutdown |
//! | [`http`] | the HTTP endpoint for metrics, liveness and readiness |

#![deny(missing_docs)]
// The exceptions say why: `c_core.rs`, `call/context.rs`, `channel/core_channel.rs` and `shutdown_signal.rs`.
#![deny(unsafe_code)]

#[cfg(not(any(feature = "openssl", feature = "boringssl")))]
compile_error!("grpcio-kit needs a TLS library: enable its feature `openssl` (the default) or `boringssl`");

// Generated code names this crate as it would in another crate.
extern crate self as grpcio_kit;

mod access_log;
mod auth;
mod bearer_token;
mod c_core;
mod call;
mod channel;
mod channelz;
mod codec;
mod compression;
mod files;
pub mod google_rpc;
mod health;
pub mod http;
mod interceptor;
mod limits;
mod listen;
pub mod log;
mod method;
mod metrics;
mod readiness;
pub mod reflection;
pub mod reflection_client;
mod reply;
mod server;
mod service;
pub mod service_manager;
mod shutdown_signal;
mod status;
mod tls;
mod trace_context;
pub mod wire;

pub use access_log::{AccessLog, InvalidRate};
pub use auth::names::{AllowedNames, InvalidName};
pub use auth::tokens::{BearerTokens, BearerTokensFile};
pub use bearer_token::{BearerToken, InvalidToken, MAX_TOKEN_LENGTH, MIN_TOKEN_LENGTH};
pub use c_core::core_version;
pub use call::Call;
pub use call::stream::RequestStream;
pub use channel::Channel;
pub use channel::builder::{ChannelBuilder, ConnectError};
pub use channel::options::CallOptions;
pub use channel::replies::Replies;
pub use channel::target::InvalidTarget;
pub use channel::thread::ClientThread;
pub use compression::Compression;
pub use files::reloads::Reloads;
pub use files::watch::DEFAULT_POLL_INTERVAL;
pub use files::{FileError, MAX_FILE_BYTES};
pub use futures::Stream;
pub use grpcio::{Metadata, MetadataBuilder};
pub use health::{Health, ServingStatus};
pub use interceptor::{Interceptor, Outcome};
pub use limits::{InvalidLimit, Limits, MAX_LIMIT};
pub use listen::{ListenAddress, ParseAddressError};
pub use method::{Method, MethodDescriptor, MethodKind};
pub use metrics::{Metrics, MetricsError};
pub use protobuf;
pub use readiness::Readiness;
pub use reply::{ReplyFuture, ReplyStream};
pub use server::builder::{ServerBuilder, StartError};
pub use server::{Drain, Server};
pub use service::workers::Workers;
pub use service::{Service, ServiceBuilder};
pub use shutdown_signal::ShutdownSignal;
pub use status::Status;
pub use status::code::Code;
pub use tls::client::ClientTls;
pub use tls::server::{ClientAuth, ServerTls, ServerTlsFiles};
pub use trace_context::TraceContext;

/// Generated code of the standard services.
pub mod proto {
    pub use crate::channelz::proto as grpc_channelz;
    pub use crate::google_rpc;
    pub use crate::health::proto as grpc_health;
    pub use crate::reflection::proto::v1 as grpc_reflection_v1;
    pub use crate::reflection::proto::v1alpha as grpc_reflection_v1alpha;
}

//! What grpcio leaves out of a service on gRPC's C core: a server that drains, interceptors, limits, TLS, the standard
//! services, metrics, logs, and channels for clients.
//!
//! The modules, from the bottom up. A module imports from those above it in this table, never from one below;
//! `tests/layers.rs` checks that.
//!
//! | module | what it is about |
//! |---|---|
//! | [`wire`] | decoding by the protobuf specification, called by generated messages |
//! | [`google_rpc`] | generated: `google.rpc.Status` and its details |
//! | `status` | [`Code`] and [`Status`], with `google.rpc` details |
//! | `method` | [`Method`]: path, kind and message types |
//! | `compression` | gzip and deflate of messages, with a limit on the decompressed size |
//! | `codec` | messages to bytes and back, within the size limits |
//! | `reply` | [`ReplyFuture`] and [`ReplyStream`] |
//! | `files` | files that are read again when they change |
//! | `bearer_token` | [`BearerToken`] |
//! | [`log`] | structured logs on standard error that no RPC waits for |
//! | `readiness` | [`Readiness`] |
//! | `shutdown_signal` | SIGTERM, SIGINT and SIGHUP |
//! | `call` | [`Call`], the context of an RPC, and [`RequestStream`] |
//! | `interceptor` | [`Interceptor`], and the chain of them |
//! | `service` | [`Service`], and the adapter between grpcio and methods |
//! | `limits` | [`Limits`] |
//! | `metrics` | [`Metrics`] for Prometheus |
//! | `access_log` | [`AccessLog`] |
//! | `auth` | [`BearerTokens`] and [`AllowedNames`] |
//! | `health` | `grpc.health.v1.Health` |
//! | [`reflection`] | `grpc.reflection.v1.ServerReflection` and `v1alpha` |
//! | `channelz` | `grpc.channelz.v1.Channelz` |
//! | `tls` | [`ServerTls`] and [`ClientTls`] |
//! | `channel` | [`Channel`], on which generated clients stand |
//! | [`reflection_client`] | [`ReflectionClient`](reflection_client::ReflectionClient) |
//! | `listen` | [`ListenAddress`] |
//! | `server` | [`ServerBuilder`] and [`Server`] |
//! | [`http`] | the HTTP endpoint for metrics, liveness and readiness |

#![deny(missing_docs)]
// One place has an exception, and says why: `call/deadline.rs`.
#![deny(unsafe_code)]

// Generated code names this crate as it would in another crate.
extern crate self as grpcio_kit;

mod access_log;
mod auth;
mod bearer_token;
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
mod shutdown_signal;
mod status;
mod tls;
pub mod wire;

pub use access_log::{AccessLog, InvalidRate};
pub use auth::names::{AllowedNames, InvalidName};
pub use auth::tokens::{BearerTokens, BearerTokensFile};
pub use bearer_token::{BearerToken, InvalidToken, MAX_TOKEN_LENGTH, MIN_TOKEN_LENGTH};
pub use call::Call;
pub use call::stream::RequestStream;
pub use channel::Channel;
pub use channel::builder::{ChannelBuilder, ConnectError};
pub use channel::options::CallOptions;
pub use channel::replies::Replies;
pub use channel::target::InvalidTarget;
pub use channel::thread::ClientThread;
pub use channelz::Channelz;
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
pub use shutdown_signal::Termination;
pub use status::Status;
pub use status::code::Code;
pub use tls::client::ClientTls;
pub use tls::server::{ClientAuth, ServerTls, ServerTlsFiles};

/// Generated code of the standard services.
pub mod proto {
    pub use crate::channelz::proto as grpc_channelz;
    pub use crate::google_rpc;
    pub use crate::health::proto as grpc_health;
    pub use crate::reflection::proto::v1 as grpc_reflection_v1;
    pub use crate::reflection::proto::v1alpha as grpc_reflection_v1alpha;
}

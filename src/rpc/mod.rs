//! The layer between gRPC's C core and services: what grpcio leaves out.
//!
//! It knows nothing of calculators, so that any service on grpcio can lift it.
//!
//! | module | what it is about |
//! |---|---|
//! | `code`, `status` | how a call ends |
//! | `method`, `service` | what generated code registers |
//! | `call`, `stream` | what a method sees of its call |
//! | `adapter`, `codec`, `wire` | from bytes to a method and back: the only place that owns a reply's sink |
//! | `listen`, `server`, `signal` | where a server listens, how it starts and how it ends |
//! | `interceptor` | what happens around every call, whatever its method |
//! | `metrics`, `access_log` | two interceptors: numbers for Prometheus, and an event for each call |
//! | [`log`], [`http`] | where events go, and a port for what looks after a server |
//! | [`reflection`] | what a server says of its own services, and how to ask it |
//! | `channel`, `duplex` | the client's side, on which generated clients stand |
//! | `tls` | transport security, of servers and clients |
//! | `auth` | interceptors that let in some callers and not others |
//! | `files` | what certificates and tokens are read from, again when it changes |
//! | `health`, `channelz` | two standard services, for any server |
//!
//! The way of a call: C core → thread of a completion queue → `adapter` (decodes, contains
//! a panic) → the method → `adapter` (encodes, replies) → C core.

mod access_log;
mod auth;
mod call;
mod channel;
mod channelz;
mod code;
mod compression;
mod files;
mod health;
pub mod http;
mod interceptor;
mod limits;
pub mod log;
mod message;
mod method;
mod metrics;
mod readiness;
pub mod reflection;
mod server;
mod status;
mod tls;
mod trace_context;

pub use access_log::{AccessLog, InvalidRate};
pub use auth::names::{AllowedNames, InvalidName};
pub use auth::token::{BearerToken, InvalidToken, MAX_TOKEN_LENGTH, MIN_TOKEN_LENGTH};
pub use auth::tokens::{BearerTokens, BearerTokensFile};
pub use call::Call;
pub use call::stream::{Replies, ReplyFuture, ReplyStream, RequestStream};
pub use channel::Channel;
pub use channel::builder::{ChannelBuilder, ConnectError};
pub use channel::options::CallOptions;
pub use channel::target::InvalidTarget;
pub use channelz::Channelz;
pub use code::Code;
pub use compression::Compression;
pub use files::reloads::Reloads;
pub use files::watch::DEFAULT_POLL_INTERVAL;
pub use files::{FileError, MAX_FILE_BYTES};
pub use futures::Stream;
pub use grpcio::{Metadata, MetadataBuilder};
pub use health::{Health, ServingStatus};
pub use interceptor::{Interceptor, Outcome};
pub use limits::{InvalidLimit, Limits, MAX_LIMIT};
pub use message::wire;
pub use method::{Method, MethodDescriptor, MethodKind};
pub use metrics::{Metrics, MetricsError};
pub use readiness::Readiness;
pub use server::builder::{ServerBuilder, StartError};
pub use server::listen::{ListenAddress, ParseAddressError};
pub use server::service::{Service, ServiceBuilder};
pub use server::signal::Termination;
pub use server::{Drain, Server};
pub use status::Status;
pub use tls::client::ClientTls;
pub use tls::server::{ClientAuth, ServerTls, ServerTlsFiles};

//! The layer between gRPC's C core and services: what grpcio leaves out.
//!
//! It knows nothing of calculators, so that any service on grpcio can lift it: this folder, `codegen/`, the
//! protos of the standard services, and the lines of `build.rs` and `src/proto.rs` that bring them in. A server with all
//! of it:
//!
//! ```no_run
//! # use calc::{calculator::CalculatorService, proto::calc_grpc::{calculator, calculator_service}};
//! use std::time::Duration;
//! use calc::rpc::{http, log, *};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let _log = log::init(log::Options::default())?;
//!     let termination = Termination::listen()?;
//!     let (health, readiness) = (Health::new(), Readiness::default());
//!     health.set(calculator::NAME, ServingStatus::Serving);
//!     let mut server = Server::builder().listen("[::]:50050".parse()?).service(calculator_service(CalculatorService));
//!     let metrics = Metrics::new("calc", "1.0.0", server.queue_count())?;
//!     server = server.interceptor(metrics.clone()).interceptor(AccessLog::new(0.01)?);
//!     server = server.interceptor(BearerTokens::file("tokens").load()?.open(Health::NAME));
//!     server = server.tls(ServerTls::files("server.crt", "server.key").load()?);
//!     server = server.limits(Limits { max_concurrent_streams: 1000, ..Limits::default() });
//!     let server = server.health(health).readiness(readiness.clone()).reflection(true).channelz(true).start()?;
//!     let pages = http::Pages::new().metrics(metrics).health(move || readiness.is_ready());
//!     let _port = http::HttpServer::start(&"127.0.0.1:9090".parse()?, pages)?;
//!     termination.wait();
//!     server.enter_lame_duck();
//!     std::thread::sleep(Duration::from_secs(5));
//!     server.shutdown(Duration::from_secs(10));
//!     Ok(())
//! }
//! ```
//!
//! | file or folder | what it is about |
//! |---|---|
//! | `server` | what a server is to be ([`ServerBuilder`]), where it listens, how it starts, drains and ends |
//! | `method`, `call`, `message` | the way of a call; `call/adapter.rs` alone owns the sink that a reply leaves by |
//! | `status`, `code` | how a call ends |
//! | `interceptor` | what happens around every call, whatever its method |
//! | `metrics`, `access_log`, `trace_context` | interceptors that look: numbers for Prometheus, an event for each call |
//! | `auth` | interceptors that refuse: bearer tokens, and names in certificates |
//! | `limits` | sizes, numbers and times that callers can have |
//! | `compression` | of replies, and of requests without a bomb among them |
//! | `tls`, `files` | certificates, and files that are read again when they change |
//! | `health`, [`reflection`], `channelz` | the standard services |
//! | [`http`], `readiness` | a port for what looks after a server |
//! | [`log`] | where events go, the C core's among them, without anybody waiting for it |
//! | `channel` | the client's side, on which generated clients stand |
//!
//! The way of a call: C core → thread of a completion queue → adapter (interceptors in, decodes, contains
//! a panic) → the method → adapter (encodes, interceptors out, replies) → C core.

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
pub use channel::thread::ClientThread;
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

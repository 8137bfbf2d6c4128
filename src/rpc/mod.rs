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
//! | [`reflection`] | what a server says of its own services, and how to ask it |
//! | `channel`, `duplex` | the client's side, on which generated clients stand |
//!
//! The way of a call: C core → thread of a completion queue → `adapter` (decodes, contains
//! a panic) → the method → `adapter` (encodes, replies) → C core.

mod call;
mod channel;
mod code;
mod interceptor;
mod message;
mod method;
pub mod reflection;
mod server;
mod status;

pub use call::Call;
pub use call::stream::{Replies, ReplyFuture, ReplyStream, RequestStream};
pub use channel::{CallOptions, Channel, InvalidTarget};
pub use code::Code;
pub use futures::Stream;
pub use grpcio::{Metadata, MetadataBuilder};
pub use interceptor::{Interceptor, Outcome};
pub use message::wire;
pub use method::{Method, MethodDescriptor, MethodKind};
pub use server::listen::{ListenAddress, ParseAddressError};
pub use server::service::{Service, ServiceBuilder};
pub use server::signal::Termination;
pub use server::{DEFAULT_MAX_REQUEST_BYTES, Drain, MAX_REQUEST_BYTES, Server, ServerBuilder, StartError};
pub use status::Status;

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
//! | `channel`, `duplex` | the client's side, on which generated clients stand |
//!
//! The way of a call: C core → thread of a completion queue → `adapter` (decodes, contains
//! a panic) → the method → `adapter` (encodes, replies) → C core.

mod adapter;
mod call;
mod channel;
mod code;
mod codec;
mod duplex;
mod listen;
mod method;
mod server;
mod service;
mod signal;
mod status;
mod stream;
pub mod wire;

pub use call::Call;
pub use channel::{CallOptions, Channel, InvalidTarget};
pub use code::Code;
pub use futures::Stream;
pub use grpcio::{Metadata, MetadataBuilder};
pub use listen::{ListenAddress, ParseAddressError};
pub use method::Method;
pub use server::{DEFAULT_MAX_REQUEST_BYTES, Drain, MAX_REQUEST_BYTES, Server, ServerBuilder, StartError};
pub use service::{Service, ServiceBuilder};
pub use signal::Termination;
pub use status::Status;
pub use stream::{Replies, ReplyFuture, ReplyStream, RequestStream};

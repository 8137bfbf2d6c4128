//! A Calculator service on gRPC's C core.
//!
//! A server in ten lines:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let server = calc::server::builder().listen("[::]:50050".parse()?).start()?;
//!     println!("listening on {}", server.addresses()[0]);
//!     grpcio_kit::ShutdownSignal::listen()?.wait();
//!     server.shutdown(Duration::from_secs(10));
//!     Ok(())
//! }
//! ```
//!
//! A client in five:
//!
//! ```no_run
//! let client = calc::Client::connect("localhost:50050")?;
//! println!("{}", client.divide(10, 4)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The modules, from the bottom up. A module imports from those above it in this table, never from one below;
//! `tests/layers.rs` checks that. The program's `cli` stands on all of them.
//!
//! | module | what it is about |
//! |---|---|
//! | [`arithmetic`] | the four operations and their errors; independent of gRPC |
//! | [`proto`] | generated code |
//! | [`calculator`] | the Calculator service: request → arithmetic → reply or status |
//! | [`batch`] | the BatchCalculator service: columns → arithmetic → columns |
//! | [`client`] | the client, blocking and asynchronous, for one calculation or many |
//! | [`server`] | the server, ready to start |

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod arithmetic;
pub mod batch;
pub mod calculator;
pub mod client;
pub mod proto;
pub mod server;

pub use client::{Client, Error};
pub use grpcio_kit;

/// The version of this crate and of the `calc` program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

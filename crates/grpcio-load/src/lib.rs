//! A load generator for gRPC servers: it repeats a call over several connections, and reports latencies and errors.
//!
//! ```no_run
//! use grpcio_kit::proto::grpc_health::health::HealthCheckRequest;
//! use grpcio_kit::proto::grpc_health::health_grpc::HealthClient;
//! use grpcio_kit::{CallOptions, Channel};
//! use grpcio_load::{Caller, Failure, Load, Settings};
//!
//! struct Check(HealthClient);
//!
//! impl Caller for Check {
//!     async fn call(&mut self) -> Result<(), Failure> {
//!         let reply = self.0.check_async(&HealthCheckRequest::default(), CallOptions::default()).await?;
//!         if reply.status.value() == 1 { Ok(()) } else { Err(Failure::WrongReply("not SERVING".to_owned())) }
//!     }
//! }
//!
//! let settings = Settings { rate: Some(1000.0), connections: 2, ..Settings::default() };
//! let load = Load::connect(Channel::builder("localhost:50050"), settings)?;
//! println!("{}", load.run(true, |channel, _| Check(HealthClient::new(channel)))?);
//! # Ok::<(), grpcio_load::LoadError>(())
//! ```
//!
//! Each call in flight is a task on the completion-queue thread of its connection, so that no other thread has to be
//! woken up for a reply. A task asks the plan for its next call, makes it, and adds the result to the tally of its
//! thread. The thread in [`Load::run`] collects the tallies once a second for the progress line; a fixed rate has one
//! thread more, which hands out calls when they are due.
//!
//! The modules, from the bottom up; a module imports only from those above it in this table:
//!
//! | module | what it is about |
//! |---|---|
//! | `settings` | [`Settings`] of a run |
//! | `caller` | [`Caller`], one call, and [`Failure`] |
//! | `histogram` | percentiles and bars of latencies |
//! | `schedule` | calls at a fixed rate |
//! | `tally` | results of calls, per thread and in total |
//! | `plan` | when calls begin: closed loop, or the schedule |
//! | `report` | [`Report`] |
//! | `text` | the report as text |
//! | `json` | the report as JSON |
//! | `progress` | the progress line |
//! | `connections` | connecting before the first call, and [`LoadError`] |
//! | `load` | [`Load`], a run from its connections to its report |

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod caller;
mod connections;
mod histogram;
mod json;
mod load;
mod plan;
mod progress;
mod report;
mod schedule;
mod settings;
mod tally;
mod text;

pub use caller::{Caller, Failure};
pub use connections::LoadError;
pub use load::{Load, StopHandle};
pub use report::Report;
pub use settings::{Amount, Settings};

//! Generated code: messages, and for each service its trait, its registration and its client.
//!
//! Everything that `build.rs` makes of `protos/` enters the crate here, and nowhere else.

#![allow(missing_docs)]

include!(concat!(env!("OUT_DIR"), "/calc/mod.rs"));

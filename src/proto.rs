//! Code that `build.rs` generates from `protos/`: messages, and each service's trait, registration and client.

#![allow(missing_docs)]

include!(concat!(env!("OUT_DIR"), "/calc/mod.rs"));

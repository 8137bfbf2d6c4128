//! Generated code of `grpc.health.v1`.

#![allow(missing_docs)]

include!(concat!(env!("OUT_DIR"), "/grpc_health/mod.rs"));

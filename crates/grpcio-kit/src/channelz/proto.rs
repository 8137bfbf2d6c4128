//! Generated code of `grpc.channelz.v1`.

#![allow(missing_docs)]

include!(concat!(env!("OUT_DIR"), "/grpc_channelz/mod.rs"));

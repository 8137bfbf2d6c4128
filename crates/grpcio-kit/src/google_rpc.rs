//! Generated code: the standard error model, `google.rpc.Status` and its details.

#![allow(missing_docs)]

include!(concat!(env!("OUT_DIR"), "/google_rpc/mod.rs"));

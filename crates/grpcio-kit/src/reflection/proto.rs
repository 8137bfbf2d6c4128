//! Generated code, by the versions of the protocol.

/// `grpc.reflection.v1`.
#[allow(missing_docs)]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/grpc_reflection_v1/mod.rs"));
}

/// `grpc.reflection.v1alpha`, its predecessor.
#[allow(missing_docs)]
pub mod v1alpha {
    include!(concat!(env!("OUT_DIR"), "/grpc_reflection_v1alpha/mod.rs"));
}

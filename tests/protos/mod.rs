//! The code generated from the `.proto` files in this folder.

include!(concat!(env!("OUT_DIR"), "/test_protos/mod.rs"));

/// `grpc.testing`, of gRPC's interop tests.
pub mod grpc_testing {
    include!(concat!(env!("OUT_DIR"), "/grpc_testing/mod.rs"));
}

//! Generated code: messages, and for each service its trait, its registration and its client.
//!
//! Everything that `build.rs` makes of `protos/` enters the crate here, and nowhere else.

#![allow(missing_docs)]

include!(concat!(env!("OUT_DIR"), "/calc/mod.rs"));

/// The standard error model: `google.rpc.Status` and its details.
pub mod google_rpc {
    include!(concat!(env!("OUT_DIR"), "/google_rpc/mod.rs"));
}

/// The health checking protocol: `grpc.health.v1`.
pub mod grpc_health {
    include!(concat!(env!("OUT_DIR"), "/grpc_health/mod.rs"));
}

/// What a process tells of its channels, servers and sockets: `grpc.channelz.v1`.
pub mod grpc_channelz {
    include!(concat!(env!("OUT_DIR"), "/grpc_channelz/mod.rs"));
}

/// Server reflection, `grpc.reflection.v1`.
pub mod grpc_reflection_v1 {
    include!(concat!(env!("OUT_DIR"), "/grpc_reflection_v1/mod.rs"));
}

/// Server reflection under its first name, `grpc.reflection.v1alpha`.
pub mod grpc_reflection_v1alpha {
    include!(concat!(env!("OUT_DIR"), "/grpc_reflection_v1alpha/mod.rs"));
}

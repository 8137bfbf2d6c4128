//! Generates the code of the standard services' `.proto` files.

use std::process::ExitCode;

fn main() -> ExitCode {
    grpcio_kit_build::Config::new("protos")
        .module("google_rpc", &["google/rpc/status.proto", "google/rpc/error_details.proto"])
        .module("grpc_health", &["grpc/health/v1/health.proto"])
        .module("grpc_channelz", &["grpc/channelz/v1/channelz.proto"])
        .module("grpc_reflection_v1", &["grpc/reflection/v1/reflection.proto"])
        .module("grpc_reflection_v1alpha", &["grpc/reflection/v1alpha/reflection.proto"])
        .build()
}

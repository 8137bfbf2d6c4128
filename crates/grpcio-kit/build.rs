//! Generates the code of the standard services' `.proto` files, and warns when the C core is built without its patches.

#[path = "build/toolchain.rs"]
mod toolchain;

use std::env;
use std::process::ExitCode;

const TOOLCHAIN: &str = "CMAKE_TOOLCHAIN_FILE";

fn main() -> ExitCode {
    println!("cargo::rerun-if-env-changed={TOOLCHAIN}");
    if !toolchain::has_patches(env::var_os(TOOLCHAIN).as_deref()) {
        println!(
            "cargo::warning=gRPC's C core is built unpatched: copy cmake/, patches/ and .cargo/config.toml from grpcio-kit's \
             repository to your project's root, and run cargo clean -p grpcio-sys"
        );
    }
    grpcio_kit_build::Config::new("protos")
        .module("google_rpc", &["google/rpc/status.proto", "google/rpc/error_details.proto"])
        .module("grpc_health", &["grpc/health/v1/health.proto"])
        .module("grpc_channelz", &["grpc/channelz/v1/channelz.proto"])
        .module("grpc_reflection_v1", &["grpc/reflection/v1/reflection.proto"])
        .module("grpc_reflection_v1alpha", &["grpc/reflection/v1alpha/reflection.proto"])
        .build()
}

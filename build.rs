//! Generates `src/proto.rs`'s code from the `.proto` files.

#[path = "codegen/mod.rs"]
mod codegen;

use std::env;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut errors = codegen::Config::new("protos")
        .module("calc", &["calc.proto", "calc_batch.proto"])
        .module("google_rpc", &["google/rpc/status.proto", "google/rpc/error_details.proto"])
        .module("grpc_health", &["grpc/health/v1/health.proto"])
        .module("grpc_channelz", &["grpc/channelz/v1/channelz.proto"])
        .module("grpc_reflection_v1", &["grpc/reflection/v1/reflection.proto"])
        .module("grpc_reflection_v1alpha", &["grpc/reflection/v1alpha/reflection.proto"])
        .generate(out_dir())
        .err()
        .unwrap_or_default();
    // Services that only tests have.
    if Path::new("tests/protos").is_dir() {
        let tests = codegen::Config::new("tests/protos").module("test_protos", &["kinds.proto", "shapes.proto"]);
        errors.extend(tests.generate(out_dir()).err().into_iter().flatten());
    }
    for error in &errors {
        println!("cargo::error={error}");
    }
    if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn out_dir() -> String {
    // Cargo sets it for every build script.
    env::var("OUT_DIR").unwrap_or_default()
}

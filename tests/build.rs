//! Generates the code of services that only tests have.

use std::process::ExitCode;

fn main() -> ExitCode {
    let interop = ["empty", "messages", "test"].map(|name| format!("grpc/testing/{name}.proto"));
    grpcio_kit_build::Config::new("protos")
        .module("test_protos", &["kinds.proto", "shapes.proto"])
        .module("grpc_testing", &interop.each_ref().map(String::as_str))
        .build()
}

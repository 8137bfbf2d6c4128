//! Generates the code of services that only tests have.

use std::process::ExitCode;

fn main() -> ExitCode {
    grpcio_kit_build::Config::new("protos").module("test_protos", &["kinds.proto", "shapes.proto"]).build()
}

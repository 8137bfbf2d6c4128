//! Generates the code of `protos/`, which enters the crate in `src/proto.rs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    grpcio_kit_build::Config::new("protos").module("calc", &["calc.proto", "calc_batch.proto"]).build()
}

//! Generates the service from the project's `.proto` file, without protoc.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=../../../protos/calc.proto");
    let descriptors = protox::compile(["calc.proto"], ["../../../protos"])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}

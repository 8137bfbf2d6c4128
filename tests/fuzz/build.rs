//! Generates the messages that are decoded twice: by grpcio-kit-build, and by rust-protobuf alone.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::var("OUT_DIR")?;
    let folder = Path::new(&folder);
    // rust-protobuf does not know that these two are keywords.
    let kinds = fs::read_to_string("../protos/kinds.proto")?;
    let kinds = kinds.replace("int32 try =", "int32 try_it =").replace("int32 gen =", "int32 generate =");
    fs::write(folder.join("kinds.proto"), kinds)?;
    protobuf_codegen::Codegen::new()
        .pure()
        .include(folder)
        .includes(["../protos", "../../protos"])
        .input(folder.join("kinds.proto"))
        .input("../protos/shapes.proto")
        .inputs(["../../protos/calc.proto", "../../protos/calc_batch.proto"])
        .cargo_out_dir("plain")
        .run()?;
    let protos = grpcio_kit_build::Config::new("../protos").module("kit", &["kinds.proto", "shapes.proto"]);
    protos.generate(folder).map_err(|errors| format!("{errors:?}").into())
}

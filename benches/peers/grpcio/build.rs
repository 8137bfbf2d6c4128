//! Generates the messages from the project's `.proto` file, without protoc.

fn main() {
    println!("cargo::rerun-if-changed=../../../protos/calc.proto");
    protobuf_codegen::Codegen::new()
        .pure()
        .include("../../../protos")
        .input("../../../protos/calc.proto")
        .cargo_out_dir("calc")
        .run_from_script();
}

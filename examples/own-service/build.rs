fn main() -> std::process::ExitCode {
    grpcio_kit_build::compile("protos", &["stock.proto"])
}

//! grpc-go's `interop/client` and `interop/server`.

use std::process::Command;

use super::peer::{PeerServer, folder};
use super::{Transport, cases, ours};
use crate::common::certificates::Folder;
use crate::common::process::stdout_of;

/// Returns a command of one of the two programs.
fn program(name: &str) -> Option<Command> {
    folder("CALC_GRPC_GO", "grpc-go").map(|folder| Command::new(folder.join(name)))
}

/// Runs a case of our client against grpc-go's server.
pub fn server_passes(case: &str, transport: Transport) {
    let Some(mut command) = program("server") else { return };
    let folder = Folder::new();
    command.arg("--port=0");
    if transport == Transport::Tls {
        command.args([
            "--use_tls",
            "--tls_cert_file",
            &folder.arg("tls.crt"),
            "--tls_key_file",
            &folder.arg("tls.key"),
        ]);
    }
    let server = PeerServer::start(&mut command);
    cases::run(case, &ours::connect(&format!("localhost:{}", server.port), transport, &folder));
}

/// Runs a case of grpc-go's client against our server.
pub fn client_passes(case: &str, transport: Transport) {
    let Some(mut command) = program("client") else { return };
    let folder = Folder::new();
    let server = ours::server_over(transport, &folder);
    command.args(["--test_case", case, "--server_host=127.0.0.1", "--server_port", &ours::port(&server)]);
    if transport == Transport::Tls {
        command.args(["--use_tls", "--use_test_ca", "--ca_file", &folder.arg("ca.crt")]);
    }
    stdout_of(&mut command);
}

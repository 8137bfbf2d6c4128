//! HTTP/2 as RFC 9113 has it: with a client that sends and reads frames, with tonic, and with a server whose frames are
//! unusual.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use calc::Client;
use grpcio_kit::Code;

use crate::common::process::{ServerProcess, program, python, stdout_of};
use crate::common::{PATIENCE, calculator, needs_patch, root, target};

/// The checks of h2spec, but for those that docs/interop.md lists with the reason.
#[test]
fn the_server_passes_the_checks_of_h2spec() {
    for patch in ["0026", "0027", "0028", "0029"] {
        needs_patch(patch);
    }
    let server = calculator();
    stdout_of(python("tests/python/h2spec.py").arg(target(&server)));
}

#[test]
fn each_check_of_h2spec_that_fails_is_documented() {
    let output = stdout_of(python("tests/python/h2spec.py").arg("--not-met"));
    let known: BTreeSet<_> = output.lines().map(str::to_owned).collect();
    let page = fs::read_to_string(root().join("docs/interop.md")).unwrap();
    let (_, section) = page.split_once("\n## HTTP/2 conformance (h2spec)\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let row = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    assert_eq!(section.lines().filter_map(row).collect::<BTreeSet<_>>(), known);
}

#[test]
fn a_connection_error_is_named_in_goaway_and_a_stream_error_ends_that_stream_alone() {
    needs_patch("0025");
    let server = calculator();
    stdout_of(python("tests/python/connection_errors.py").arg(target(&server)));
}

/// It ended two to four times, for 29 of 600 RPCs.
#[test]
fn an_expired_deadline_ends_its_stream_once() {
    needs_patch("0012");
    let server = calculator();
    stdout_of(python("tests/python/deadlines.py").arg(target(&server)));
}

/// tonic ends a connection on which a stream ends twice, and fails all of its RPCs.
#[test]
fn expired_deadlines_fail_no_other_rpc_of_tonic() {
    needs_patch("0012");
    let server = calculator();
    stdout_of(Command::new(program().with_file_name("tonic-deadlines")).arg(target(&server)));
}

fn strange_server(what: &str) -> (ServerProcess, Client) {
    let server = ServerProcess::start(python("tests/python/strange_server.py").arg(what));
    let client = Client::connect(server.target()).unwrap().timeout(PATIENCE);
    (server, client)
}

#[test]
fn a_client_accepts_padding_and_a_status_that_comes_twice() {
    needs_patch("0027");
    for what in ["padded", "ends_twice"] {
        let (_server, client) = strange_server(what);
        for _ in 0..3 {
            assert_eq!(client.add(20, 10), Ok(30), "{what}");
        }
    }
}

/// The frame was ignored, and the RPC waited for its deadline.
#[test]
fn a_reply_on_a_stream_that_nobody_has_opened_fails_the_rpc_at_once() {
    needs_patch("0026");
    let (_server, client) = strange_server("idle");
    let error = client.add(20, 10).unwrap_err();
    assert_ne!(error.status().code(), Code::DeadlineExceeded, "{error}");
}

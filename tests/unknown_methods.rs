//! RPCs of methods that the server does not have, from an independent client.

use crate::common::needs_patch;
use crate::common::process::{ServerProcess, calc, python, stdout_of};

fn serve(arguments: &[&str]) -> ServerProcess {
    ServerProcess::start(calc(&["serve", "--listen", "127.0.0.1:0"]).args(arguments))
}

/// Calls a method with `kind`, such as `unary_unary`, and returns the code and the message.
fn call(server: &ServerProcess, kind: &str, path: &str) -> String {
    stdout_of(python("tests/python/unknown_methods.py").args([server.target(), kind, path])).trim_end().to_owned()
}

const KINDS: [&str; 4] = ["unary_unary", "unary_stream", "stream_unary", "stream_stream"];

/// The message was empty.
#[test]
fn the_status_says_what_is_unknown_to_calls_of_every_kind() {
    needs_patch("0033");
    let server = serve(&[]);
    for kind in KINDS {
        for (path, message) in [
            ("/calc.Calculator/Subtract", "unknown method Subtract for service calc.Calculator"),
            ("/calc.v2.Calculator/Add", "unknown service calc.v2.Calculator"),
            ("/calc.Calculator", "malformed method name: \"/calc.Calculator\""),
        ] {
            assert_eq!(call(&server, kind, path), format!("UNIMPLEMENTED {message}"), "{kind}");
        }
    }
}

#[test]
fn they_are_in_the_access_log_and_counted_under_one_name() {
    needs_patch("0033");
    let server = serve(&["--access-log", "0", "--metrics", "127.0.0.1:0"]);
    for kind in KINDS {
        call(&server, kind, "/calc.Calculator/Subtract");
        let line = server.wait_for_line_with(" access: ");
        for part in ["method=\"/other/other\"", "code=\"UNIMPLEMENTED\"", "error=\"unknown method Subtract for"] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
    let handled = "grpc_type=bidi_stream,grpc_service=other,grpc_method=other,grpc_code=Unimplemented";
    let handled = format!("grpc_server_handled_total{{{handled}}} {}", KINDS.len());
    stdout_of(python("tests/python/metrics.py").args([server.metrics.as_deref().unwrap(), &handled]));
}

/// Otherwise the status would tell a stranger which methods there are.
#[test]
fn a_caller_without_a_token_is_not_told_what_is_unknown() {
    needs_patch("0033");
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "0123456789abcdef\n").unwrap();
    crate::common::certificates::chmod(&tokens, 0o600);
    let server = serve(&["--token-file", tokens.to_str().unwrap()]);
    for path in ["/calc.Calculator/Add", "/calc.Calculator/Subtract", "/none/None"] {
        let answer = call(&server, "unary_unary", path);
        assert!(answer.starts_with("UNAUTHENTICATED no token"), "{answer}");
    }
}

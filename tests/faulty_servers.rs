//! What a client says of a server, or of what is in its place, that breaks the protocol: a status, within a bounded time.

use std::time::Instant;

use calc::Client;
use futures::executor::block_on;
use grpcio_kit::Code;

use crate::common::process::{ServerProcess, calc, python, run};
use crate::common::{PATIENCE, silence};

/// Faults of `tests/python/faulty_server.py`; the code of a call, and a part of its message.
const FAULTS: [(&str, Code, &str); 19] = [
    ("closes", Code::Unavailable, ""),
    ("closes_mid_reply", Code::Unavailable, ""),
    ("resets_connection", Code::Unavailable, ""),
    ("goaway", Code::Unavailable, ""),
    ("goaway_before_reply", Code::Ok, ""),
    ("refuses_stream", Code::Unavailable, "RST_STREAM with error code 7"),
    ("cancels_stream", Code::Cancelled, "RST_STREAM with error code 8"),
    ("fails_stream", Code::Internal, "RST_STREAM with error code 2"),
    // The C core's, for a reply without a grpc-status.
    ("no_status", Code::Unknown, ""),
    ("status_not_a_number", Code::Internal, "Error parsing 'grpc-status'"),
    ("unknown_compression", Code::Internal, "Error parsing 'grpc-encoding'"),
    ("service_unavailable", Code::Internal, "Error parsing 'content-type'"),
    ("not_found", Code::Internal, "Error parsing 'content-type'"),
    ("cut_message", Code::Internal, "without a message"),
    ("not_a_message", Code::Internal, "cannot decode calc.AddReply"),
    ("ssh", Code::Unavailable, "Failed parsing HTTP/2"),
    ("http1", Code::Unavailable, "Trying to connect an http1.x server"),
    ("random", Code::Unavailable, "Failed parsing HTTP/2"),
    ("hangs_up", Code::Unavailable, ""),
];

/// The exit code of `calc` for a status.
fn exit_code(code: Code) -> i32 {
    match code {
        Code::Ok => 0,
        Code::DeadlineExceeded => 5,
        Code::Unavailable => 6,
        _ => 7,
    }
}

fn start(fault: &str) -> ServerProcess {
    silence();
    ServerProcess::start(python("tests/python/faulty_server.py").arg(fault))
}

#[test]
fn every_fault_of_a_server_ends_the_call_with_a_status_long_before_its_deadline() {
    for (fault, code, message) in FAULTS {
        let server = start(fault);
        let client = Client::connect(server.target()).unwrap().timeout(PATIENCE);
        let begin = Instant::now();
        for reply in [client.add(20, 10), block_on(client.add_async(20, 10))] {
            let error = match reply {
                Ok(sum) => {
                    assert_eq!((sum, code), (30, Code::Ok), "{fault}");
                    continue;
                }
                Err(error) => error,
            };
            assert_eq!(error.status().code(), code, "{fault}: {error}");
            assert!(error.to_string().contains(message) && !error.status().message().is_empty(), "{fault}: {error}");
        }
        let output = run(&mut calc(&["add", "20", "10", "--timeout", "30", "--target", server.target()]));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit_code(code)), "{fault}: {stderr}");
        assert!(begin.elapsed() < PATIENCE / 2, "{fault} takes {:?}", begin.elapsed());
        assert!(stderr.contains(message) && (code == Code::Ok || stderr.starts_with("error: ")), "{fault}: {stderr}");
    }
}

#[test]
fn a_server_without_a_reply_in_time_is_deadline_exceeded() {
    // The C core waits for the status after a second message, which a unary call does not read.
    for fault in ["no_reply", "late", "two_messages"] {
        let server = start(fault);
        let begin = Instant::now();
        let output = run(&mut calc(&["add", "20", "10", "--timeout", "0.4", "--target", server.target()]));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{fault}: {stderr}");
        assert!(begin.elapsed() < PATIENCE / 2, "{fault} takes {:?}", begin.elapsed());
    }
}

#[test]
fn a_name_without_an_address_is_unavailable_with_its_reason() {
    let begin = Instant::now();
    let output = run(&mut calc(&["add", "20", "10", "--timeout", "10", "--target", "nowhere.invalid:1"]));
    let stderr = String::from_utf8_lossy(&output.stderr);
    // The system's resolver may have no server, and takes its time.
    match output.status.code() {
        Some(6) => assert!(stderr.contains("DNS resolution failed for nowhere.invalid:1"), "{stderr}"),
        code => assert_eq!(code, Some(5), "{stderr}"),
    }
    assert!(begin.elapsed() < PATIENCE / 2, "{:?}", begin.elapsed());
}

//! The examples, run as their first lines say.

use crate::common::certificates::Folder;
use crate::common::process::{ServerProcess, example, python, run, stdout_of};
use crate::common::{calculator, target};

const RESULTS: &str = "30\n10\n200\n5.0\n";

#[test]
fn the_example_client_prints_the_four_results() {
    let server = calculator();
    assert_eq!(stdout_of(example("client").arg(target(&server))), RESULTS);
}

#[test]
fn the_batch_examples_print_quotients_and_a_sum() {
    let server = calculator();
    let results = stdout_of(example("batch").arg(target(&server)));
    assert_eq!(results, "2.5\ndivision by zero\n3.5\n1000001000000\n");
    let results = stdout_of(python("examples/python/batch.py").arg(target(&server)));
    assert_eq!(results, "2.5\nNone\n3.5\n250000250000.0\n");
}

/// It once failed with no more than `No module named 'calc_batch_pb2'`.
#[test]
fn without_stubs_the_python_batch_example_shows_the_command_that_generates_them() {
    let output = run(python("examples/python/batch.py").env_remove("PYTHONPATH"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("--grpc_python_out=. ./protos/calc.proto ./protos/calc_batch.proto"), "{stderr}");
}

#[test]
fn the_example_server_answers_the_example_client_and_ends_on_sigterm() {
    let mut server = ServerProcess::start(example("server").arg("127.0.0.1:0"));
    assert_eq!(stdout_of(example("client").arg(server.target())), RESULTS);
    server.process.signal(15);
    assert_eq!(server.process.wait().code(), Some(0));
}

/// The files of the examples with TLS: a certificate with its key, its CA, and a token.
fn tls_folder() -> Folder {
    let folder = Folder::new();
    folder.put("tokens", "a-token-of-the-examples\n");
    folder
}

#[test]
fn the_tls_example_calls_over_tls_and_not_in_clear_text() {
    let folder = tls_folder();
    let output = stdout_of(example("tls").args(["tls.crt", "tls.key", "ca.crt"].map(|name| folder.path(name))));
    assert_eq!(output, "with TLS: 2.5\nin clear text: UNAVAILABLE\n");
}

#[test]
fn the_mutual_tls_example_calls_with_a_certificate_and_a_token_and_not_without_either() {
    let folder = tls_folder();
    let files = ["tls.crt", "tls.key", "ca.crt", "tokens"].map(|name| folder.path(name));
    let output = stdout_of(example("mutual_tls_with_tokens").args(files));
    let expected = "with certificate and token: 2.5\nwithout a token: UNAUTHENTICATED\n\
        with another token: UNAUTHENTICATED\nwithout a certificate: UNAVAILABLE\n";
    assert_eq!(output, expected);
}

#[test]
fn the_interceptor_example_requires_metadata_and_prints_each_status() {
    let expected = "server: /calc.Calculator/Divide for sales: OK\nclient: 2.5\n\
        server: /calc.Calculator/Divide for sales: INVALID_ARGUMENT\nclient: INVALID_ARGUMENT: division by zero\n\
        client: INVALID_ARGUMENT: the metadata `department` is missing\n";
    assert_eq!(stdout_of(&mut example("interceptor")), expected);
}

#[test]
fn the_health_example_sees_the_status_change() {
    let expected = "check: SERVING\nwatch: SERVING\nwatch: NOT_SERVING\nwatch: SERVING\n";
    assert_eq!(stdout_of(&mut example("health")), expected);
}

#[test]
fn the_deadlines_and_retries_example_gets_its_result_at_the_third_attempt() {
    let expected = "server: attempt 1\nserver: attempt 2\nserver: attempt 3\nclient: 30\n\
        client: UNAVAILABLE with wait_for_ready(false)\nclient: DEADLINE_EXCEEDED with wait_for_ready(true)\n";
    assert_eq!(stdout_of(&mut example("deadlines_and_retries")), expected);
}

#[test]
fn the_streaming_example_prints_squares_and_a_sum_of_squares() {
    let sum: i32 = (1..=1000).map(|n: i32| n * n + (n + 1) * (n + 1)).sum();
    assert_eq!(stdout_of(&mut example("streaming")), format!("[1, 4]\n[9, 16]\n[25, 36]\n{sum}\n"));
}

#[test]
fn the_smol_example_prints_four_squares() {
    assert_eq!(stdout_of(&mut example("smol_client")), "[1, 4, 9, 16]\n");
}

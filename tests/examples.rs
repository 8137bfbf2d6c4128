//! The examples, run as their first lines say.

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

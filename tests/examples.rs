//! The examples, as a reader would run them.

use crate::common::process::{ServerProcess, example, python, stdout_of};
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

#[test]
fn the_example_server_answers_the_example_client_and_ends_on_sigterm() {
    let mut server = ServerProcess::start(example("server").arg("127.0.0.1:0"));
    assert_eq!(stdout_of(example("client").arg(server.target())), RESULTS);
    server.process.signal(15);
    assert_eq!(server.process.wait().code(), Some(0));
}

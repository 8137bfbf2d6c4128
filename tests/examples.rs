//! The examples, as a reader would run them.

use crate::common::process::{ServerProcess, example, stdout_of};
use crate::common::{calculator, target};

const RESULTS: &str = "30\n10\n200\n5.0\n";

#[test]
fn the_example_client_prints_the_four_results() {
    let server = calculator();
    assert_eq!(stdout_of(example("client").arg(target(&server))), RESULTS);
}

#[test]
fn the_example_server_answers_the_example_client_and_ends_on_sigterm() {
    let mut server = ServerProcess::start(example("server").arg("127.0.0.1:0"));
    assert_eq!(stdout_of(example("client").arg(server.target())), RESULTS);
    server.process.signal(15);
    assert_eq!(server.process.wait().code(), Some(0));
}

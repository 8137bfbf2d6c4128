//! Connections whose clients do not read: each wait for them has an end.

use std::time::Duration;

use grpcio_kit::{Drain, Limits, Server};

use crate::common::process::{Running, python, stdout_of};
use crate::common::{self, needs_patch, target};
use crate::kinds::Echo;
use crate::protos::kinds_grpc::kinds_service;

fn server(limits: Limits) -> Server {
    common::start(Server::builder().service(kinds_service(Echo)).limits(limits))
}

/// Starts a scenario of `tests/python/stuck_clients.py`, and waits until the server may shut down.
fn begin(scenario: &str, server: &Server) -> Running {
    let mut client = Running::start(python("tests/python/stuck_clients.py").args([scenario, &target(server)]));
    client.wait_for_line("ready");
    client
}

/// The C core waited for the write in progress before it closed a connection, which may take for ever.
#[test]
fn a_connection_whose_write_is_stuck_is_closed_after_the_grace_of_its_age() {
    needs_patch("0030");
    let second = Some(Duration::from_secs(1));
    let server = server(Limits { max_connection_age: second, max_connection_age_grace: second, ..Limits::default() });
    stdout_of(python("tests/python/stuck_clients.py").args(["grows_old", &target(&server)]));
}

/// The server said that a method had not returned.
#[test]
fn a_connection_whose_write_is_stuck_does_not_outlive_the_grace_of_a_shutdown() {
    needs_patch("0030");
    let server = server(Limits::default());
    let mut client = begin("reads_nothing", &server);
    let drain = server.shutdown(Duration::from_millis(500));
    assert!(matches!(drain, Drain::Clean | Drain::Cancelled { .. }), "{drain:?}");
    assert!(client.wait().success());
}

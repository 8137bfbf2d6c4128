//! Clients that open many connections, and RPCs that they do not make: others notice nothing, and memory is bounded.

#![cfg(target_os = "linux")]

use crate::common::needs_patch;
use crate::common::process::{ServerProcess, calc, python, stdout_of};

/// Runs a scenario of `tests/python/many_connections.py` against `calc serve` with these flags, whose memory it measures.
fn drive(scenario: &[&str], flags: &[&str]) -> ServerProcess {
    let server = ServerProcess::start(calc(&["serve", "--listen", "127.0.0.1:0"]).args(flags));
    let pid = server.process.id().to_string();
    stdout_of(
        python("tests/python/many_connections.py").args([scenario[0], server.target(), &pid]).args(&scenario[1..]),
    );
    server
}

/// The server accepted all of them first: it took gigabytes, and the calls of others took seconds.
#[test]
fn connections_whose_streams_are_reset_are_cleaned_up_before_more_are_accepted() {
    needs_patch("0022");
    drive(&["churn", "199", "none"], &[]);
}

#[test]
fn so_are_connections_whose_rpcs_are_complete_and_reset() {
    needs_patch("0022");
    drive(&["churn", "199", "whole"], &[]);
}

/// Each took one of grpcio's slots until its request had arrived: 31 connections stopped a server with two queues.
#[test]
fn rpcs_without_their_requests_do_not_block_others_and_are_answered_when_the_requests_come() {
    needs_patch("0024");
    drive(&["without_requests"], &[]);
}

#[test]
fn connections_over_the_limit_are_closed_at_once_and_logged() {
    needs_patch("0023");
    let server = drive(&["limit"], &["--max-connections", "3"]);
    let line = server.wait_for_line_with("Closed a new connection: 3 are open, the maximum");
    assert!(line.contains("INFO"), "{line}");
}

//! Clients that send HTTP/2 frames to attack the server or the other clients of a proxy; `docs/security.md` has the
//! advisories.

use std::time::Duration;

use grpcio_kit::{BearerTokens, Health, Limits, Server};

use crate::common::certificates::Folder;
use crate::common::process::{ServerProcess, calc, python, stdout_of};
use crate::common::{needs_patch, start, target};
use crate::kinds::Echo;
use crate::protos::kinds_grpc::kinds_service;

/// Runs a scenario of `tests/python/hostile_frames.py` against a server with these limits.
fn drive(scenario: &str, limits: Limits) {
    let server = start(Server::builder().service(kinds_service(Echo)).limits(limits));
    stdout_of(python("tests/python/hostile_frames.py").args([scenario, &target(&server)]));
}

/// Runs a scenario against `calc serve`, whose memory it measures.
fn drive_process(scenario: &str) {
    let server = ServerProcess::start(&mut calc(&["serve", "--listen", "127.0.0.1:0"]));
    let pid = server.process.id().to_string();
    stdout_of(python("tests/python/hostile_frames.py").args([scenario, server.target(), &pid]));
}

/// CVE-2024-7246. Later RPCs of the connection failed as well, which a proxy had from other clients.
#[test]
fn a_field_that_cannot_be_parsed_fails_its_own_rpc_only() {
    needs_patch("0010");
    drive("field_errors", Limits::default());
}

/// The reverse of CVE-2024-7246.
#[test]
fn a_field_that_cannot_be_parsed_is_never_accepted_from_the_hpack_table() {
    needs_patch("0010");
    drive("field_errors_over_the_limit", Limits { max_metadata_bytes: 4_096, ..Limits::default() });
}

/// The server sent the status, with END_STREAM, four times.
#[test]
fn metadata_over_the_limit_gets_its_status_once() {
    needs_patch("0012");
    drive("one_status", Limits { max_metadata_bytes: 4_096, ..Limits::default() });
}

/// grpcio took an empty DATA frame for the end of its message.
#[test]
fn a_message_arrives_whole_however_its_frames_cut_it() {
    needs_patch("0011");
    drive("fragments", Limits::default());
}

/// CVE-2026-84304 of grpc-go. A message of 4 MiB took 316 MiB.
#[test]
#[cfg(target_os = "linux")]
fn data_in_tiny_frames_takes_no_more_memory_than_in_large_ones() {
    needs_patch("0011");
    drive_process("tiny_frames");
}

/// CVE-2023-33953, the CONTINUATION flood, and others. Pings took memory.
#[test]
#[cfg(target_os = "linux")]
fn floods_of_frames_take_little_memory_and_leave_the_server_serving() {
    needs_patch("0013");
    drive_process("floods");
}

/// CVE-2025-8671 (MadeYouReset): the C core closes the connection, or refuses further streams.
#[test]
fn streams_that_a_client_makes_the_server_reset_are_bounded() {
    needs_patch("0007");
    drive("made_you_reset", Limits::default());
}

/// CVE-2026-33186 of grpc-go: its interceptors matched the path as it was sent, its server another.
#[test]
fn a_path_without_its_leading_slash_reaches_no_method() {
    let folder = Folder::new();
    folder.put("tokens", "0123456789abcdef");
    let tokens = BearerTokens::file(folder.path("tokens")).poll_interval(Duration::from_secs(60)).load().unwrap();
    let server = start(calc::server::builder().interceptor(tokens.allow_unauthenticated(Health::NAME)));
    stdout_of(python("tests/python/hostile_frames.py").args(["paths", &target(&server)]));
}

#[test]
fn what_is_no_grpc_request_fails_with_the_reason() {
    drive("no_requests", Limits::default());
}

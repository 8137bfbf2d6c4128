//! Independent clients exceed each limit, receive the documented status, and the server serves others.

use std::time::Duration;

use grpcio_kit::{Limits, Server};

use crate::common::process::{python, stdout_of};
use crate::common::{needs_patch, start, target};
use crate::kinds::Echo;
use crate::protos::kinds_grpc::kinds_service;

/// Runs a scenario of `tests/python/limits.py` against a server with these limits.
fn drive(scenario: &str, limits: Limits) {
    let server = start(Server::builder().service(kinds_service(Echo)).limits(limits));
    stdout_of(python("tests/python/limits.py").args([scenario, &target(&server)]));
}

#[test]
fn a_request_over_the_size_limit_is_resource_exhausted_also_if_only_its_decompressed_size_is() {
    drive("request_bytes", Limits { max_request_bytes: 100_000, ..Limits::default() });
}

#[test]
fn a_reply_over_the_size_limit_is_resource_exhausted() {
    drive("reply_bytes", Limits { max_reply_bytes: 1_000, ..Limits::default() });
}

#[test]
fn metadata_over_the_size_limit_is_resource_exhausted() {
    drive("metadata_bytes", Limits { max_metadata_bytes: 4_096, ..Limits::default() });
}

#[test]
fn rpcs_over_max_concurrent_streams_wait_and_a_client_that_sends_them_loses_its_connection() {
    drive("concurrent_streams", Limits { max_concurrent_streams: 2, ..Limits::default() });
}

#[test]
fn streaming_rpcs_over_max_streaming_calls_are_resource_exhausted_until_one_ends() {
    drive("streaming_calls", Limits { max_streaming_calls: 2, ..Limits::default() });
}

#[test]
fn a_streaming_rpc_ends_at_max_deadline() {
    drive("deadline", Limits { max_deadline: Some(Duration::from_millis(500)), ..Limits::default() });
}

#[test]
fn a_connection_over_its_maximum_age_gets_goaway_and_its_rpcs_go_on() {
    drive("connection_age", Limits { max_connection_age: Some(Duration::from_millis(500)), ..Limits::default() });
}

#[test]
fn the_rpcs_of_a_connection_over_its_maximum_age_are_cancelled_after_the_grace() {
    let half = Some(Duration::from_millis(500));
    let limits = Limits { max_connection_age: half, max_connection_age_grace: half, ..Limits::default() };
    drive("connection_age_grace", limits);
}

#[test]
fn an_idle_connection_gets_goaway() {
    drive("connection_idle", Limits { max_connection_idle: Some(Duration::from_millis(500)), ..Limits::default() });
}

#[test]
fn a_connection_without_a_handshake_is_closed() {
    drive("handshake", Limits { handshake_timeout: Duration::from_millis(500), ..Limits::default() });
}

#[test]
fn a_client_that_does_not_acknowledge_pings_loses_its_connection() {
    let half = Duration::from_millis(500);
    drive("keepalive", Limits { keepalive_time: half, keepalive_timeout: half, ..Limits::default() });
}

#[test]
fn a_client_that_pings_too_often_loses_its_connection() {
    drive("pings", Limits { min_ping_interval: Duration::from_secs(60), ..Limits::default() });
}

#[test]
fn rpcs_over_the_memory_quota_are_cancelled() {
    drive("memory", Limits { memory_quota: 16 * 1024 * 1024, ..Limits::default() });
}

/// The connection stayed open for five seconds, as after a shutdown's GOAWAY.
#[test]
fn an_idle_connection_is_closed_at_once_when_others_need_its_memory() {
    needs_patch("0003");
    drive("memory_of_idle_connections", Limits { memory_quota: 16 * 1024 * 1024, ..Limits::default() });
}

/// RFC 9113, 6.5.3: the client has not yet seen the limit. Over 200 streams were refused.
#[test]
fn streams_that_a_client_opens_before_it_knows_the_limit_are_not_refused() {
    needs_patch("0007");
    drive("before_settings", Limits::default());
}

/// Rapid reset, CVE-2023-44487: the C core accepted all these streams, and other RPCs waited for seconds.
#[test]
fn new_streams_are_refused_while_too_many_reset_ones_are_unprocessed() {
    needs_patch("0007");
    drive("rapid_reset", Limits::default());
}

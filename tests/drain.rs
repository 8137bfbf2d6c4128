//! Graceful shutdown of a busy server, seen by independent clients.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::common::http::{get, status};
use crate::common::process::{Running, ServerProcess, calc, python, run, stdout_of};
use crate::common::{PATIENCE, needs_patch, wait_until};

const SIGTERM: i32 = 15;

fn serve(args: &[&str]) -> ServerProcess {
    ServerProcess::start(calc(&["serve", "--listen", "127.0.0.1:0"]).args(args))
}

/// Starts `tests/python/drain.py` and waits until it has RPCs in flight. At the end of its standard input it finishes
/// them, and fails if an RPC or a reply was lost.
fn keep_busy(scenario: &str, servers: &[&ServerProcess]) -> Running {
    let mut command = python("tests/python/drain.py");
    command.arg(scenario).args(servers.iter().map(|server| server.target())).stdin(Stdio::piped());
    let mut client = Running::start(&mut command);
    client.wait_for_line("busy");
    client
}

/// The C core ended RPCs that arrived during a shutdown with CANCELLED, which clients do not retry.
#[test]
fn a_client_that_retries_unavailable_loses_no_rpc() {
    needs_patch("0002");
    let (mut draining, other) = (serve(&[]), serve(&[]));
    let mut client = keep_busy("load", &[&draining, &other]);
    draining.process.signal(SIGTERM);
    assert_eq!(draining.process.wait().code(), Some(0));
    client.end_of_input();
}

#[test]
fn streams_in_flight_go_on_until_the_client_ends_them() {
    let mut server = serve(&["--grace", "30"]);
    let mut client = keep_busy("streams", &[&server]);
    server.process.signal(SIGTERM);
    server.wait_for_line("SIGTERM: draining");
    client.end_of_input();
    assert_eq!(server.process.wait().code(), Some(0));
}

/// The C core closed the connection with its last RPC, and lost the replies that it had not yet sent.
#[test]
fn a_client_that_reads_slowly_receives_every_reply_before_the_server_exits() {
    needs_patch("0003");
    for scenario in ["slow_reader", "slow_reader_after_one_goaway"] {
        let mut server = serve(&["--grace", "30"]);
        let mut client = keep_busy(scenario, &[&server]);
        server.process.signal(SIGTERM);
        client.end_of_input();
        assert_eq!(server.process.wait().code(), Some(0));
    }
}

/// The C core waited for as long as something was unsent.
#[test]
fn a_client_that_reads_too_slowly_delays_the_shutdown_by_30_seconds() {
    needs_patch("0003");
    let mut server = serve(&["--grace", "600"]);
    let _client = keep_busy("slowest_reader", &[&server]);
    let start = Instant::now();
    server.process.signal(SIGTERM);
    assert_eq!(server.process.wait_within(2 * PATIENCE).code(), Some(0));
    assert!(start.elapsed() >= Duration::from_secs(29), "{:?}", start.elapsed());
    server.wait_for_line("shut down; all RPCs finished");
}

#[test]
fn a_connection_without_rpcs_does_not_delay_the_shutdown() {
    let mut server = serve(&["--grace", "600"]);
    let mut client = keep_busy("idle_connection", &[&server]);
    server.process.signal(SIGTERM);
    assert_eq!(server.process.wait().code(), Some(0));
    server.wait_for_line("shut down; all RPCs finished");
    client.end_of_input();
}

#[test]
fn rpcs_in_flight_after_the_grace_are_cancelled_and_counted() {
    let mut server = serve(&["--grace", "0.5"]);
    let mut client = keep_busy("endless", &[&server]);
    server.process.signal(SIGTERM);
    assert_eq!(server.process.wait().code(), Some(1));
    server.wait_for_line("shut down; 4 RPCs were cancelled");
    client.end_of_input();
}

#[test]
fn during_the_drain_delay_the_server_takes_rpcs_and_its_health_is_not_serving() {
    let mut server = serve(&["--drain-delay", "60", "--metrics", "127.0.0.1:0"]);
    let health = || run(calc(&["health", "--target", server.target()]).env("CALC_TIMEOUT", "30")).status.code();
    let metrics = server.metrics.as_deref().unwrap().strip_prefix("http://").unwrap();
    let address = metrics.strip_suffix("/metrics").unwrap().parse().unwrap();
    let page = |path| status(&get(address, path)).to_owned();
    assert_eq!((health(), page("/readyz"), page("/healthz")), (Some(0), "200".into(), "200".into()));
    server.process.signal(SIGTERM);
    wait_until(|| health() == Some(4));
    wait_until(|| page("/readyz") == "503");
    assert_eq!(page("/healthz"), "200");
    assert_eq!(stdout_of(&mut calc(&["add", "1", "2", "--timeout=30", "--target", server.target()])), "3\n");
    // A second signal ends the process at once.
    server.process.signal(SIGTERM);
    assert!(!server.process.wait().success());
}

//! A busy server that is told to end, by clients that are not ours.

use std::process::Stdio;

use crate::common::http::{get, status};
use crate::common::process::{Running, ServerProcess, calc, python, run, stdout_of};
use crate::common::wait_until;

const SIGTERM: i32 = 15;

fn serve(args: &[&str]) -> ServerProcess {
    ServerProcess::start(calc(&["serve", "--listen", "127.0.0.1:0"]).args(args))
}

/// Starts `tests/python/drain.py` and waits until it keeps the servers busy. At the end of its input it finishes, and
/// fails if anything was lost.
fn keep_busy(scenario: &str, servers: &[&ServerProcess]) -> Running {
    let mut command = python("tests/python/drain.py");
    command.arg(scenario).args(servers.iter().map(|server| server.target())).stdin(Stdio::piped());
    let mut client = Running::start(&mut command);
    client.wait_for_line("busy");
    client
}

/// Calls that come in while a server ends were CANCELLED by the C core, and not tried again: `cmake/patches.cmake`.
#[test]
fn no_call_is_lost_by_a_client_that_tries_again() {
    let (mut ending, staying) = (serve(&[]), serve(&[]));
    let mut client = keep_busy("load", &[&ending, &staying]);
    ending.process.signal(SIGTERM);
    assert_eq!(ending.process.wait().code(), Some(0));
    client.end_of_input();
}

#[test]
fn streams_go_on_until_they_end_by_themselves() {
    let mut server = serve(&["--grace", "30"]);
    let mut client = keep_busy("streams", &[&server]);
    server.process.signal(SIGTERM);
    server.wait_for_line("SIGTERM: draining");
    client.end_of_input();
    assert_eq!(server.process.wait().code(), Some(0));
}

/// The C core closed the connection with its last call, and what was still on its way was lost: `cmake/patches.cmake`.
#[test]
fn a_client_that_reads_slowly_gets_every_reply_before_the_server_ends() {
    for scenario in ["slow_reader", "slow_reader_that_was_warned"] {
        let mut server = serve(&["--grace", "30"]);
        let mut client = keep_busy(scenario, &[&server]);
        server.process.signal(SIGTERM);
        client.end_of_input();
        assert_eq!(server.process.wait().code(), Some(0));
    }
}

#[test]
fn a_client_that_stays_does_not_keep_the_server_for_long() {
    let mut server = serve(&["--grace", "600"]);
    let mut client = keep_busy("stays", &[&server]);
    server.process.signal(SIGTERM);
    assert_eq!(server.process.wait().code(), Some(0));
    server.wait_for_line("shut down; all RPCs finished");
    client.end_of_input();
}

#[test]
fn calls_that_do_not_end_are_cancelled_and_counted() {
    let mut server = serve(&["--grace", "0.5"]);
    let mut client = keep_busy("forever", &[&server]);
    server.process.signal(SIGTERM);
    assert_eq!(server.process.wait().code(), Some(1));
    server.wait_for_line("shut down; 4 RPCs were cancelled");
    client.end_of_input();
}

#[test]
fn a_server_serves_on_during_the_drain_delay_and_is_not_serving_by_its_health() {
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
    // A second signal does not wait.
    server.process.signal(SIGTERM);
    assert!(!server.process.wait().success());
}

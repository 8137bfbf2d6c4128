//! Blocking RPCs of a process in which no other thread polls. The tests' own process has servers, which do.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::process::Stdio;

use crate::common::process::{Running, ServerProcess, calc, program};
use crate::common::{PATIENCE, calculator, target, wait_until};

/// The names of a process's threads.
fn threads(process: &Running) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", process.id())).unwrap();
    tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok()).collect()
}

#[test]
fn a_blocking_rpc_starts_no_thread_that_receives_replies() {
    // Accepts connections and never replies.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap().to_string();
    let process = Running::start(&mut calc(&["add", "20", "10", "--timeout", "30", "--target", &silent]));
    let _connection = listener.accept().unwrap();
    // The C core's threads are there once they have their names.
    wait_until(|| threads(&process).iter().any(|name| name.starts_with("grpc_global_tim")));
    let names = threads(&process);
    assert!(!names.iter().any(|name| name.starts_with("grpc-client")), "{names:?}");
}

#[test]
fn a_blocking_rpc_ends_at_its_deadline_though_nobody_else_polls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap().to_string();
    let mut process = Running::start(&mut calc(&["add", "20", "10", "--timeout", "0.2", "--target", &silent]));
    assert_eq!(process.wait().code(), Some(5));
}

/// Without a poll at its beginning, the RPC would be sent on the connection to the first server, and fail.
#[test]
fn a_blocking_client_notices_that_its_server_was_killed_and_started_again() {
    let start = |address: &str| ServerProcess::start(&mut calc(&["serve", "--listen", address]));
    let server = start("127.0.0.1:0");
    let target = server.target().to_owned();
    let mut bench = std::process::Command::new(program().with_file_name("bench-client"));
    let mut client = Running::start(bench.args(["blocking", &target, "1", "10"]).stdin(Stdio::piped()));
    client.wait_for_line("ready");
    server.process.signal(9);
    drop(server);
    let _server = start(&target);
    let mut stdin = client.stdin();
    stdin.write_all(b"\n").unwrap();
    client.wait_for_line("done");
    stdin.write_all(b"\n").unwrap();
    assert!(client.wait().success());
}

#[test]
fn many_threads_share_a_blocking_client() {
    let server = calculator();
    let mut bench = std::process::Command::new(program().with_file_name("bench-client"));
    let mut client = Running::start(bench.args(["blocking", &target(&server), "50", "5000"]).stdin(Stdio::piped()));
    client.wait_for_line("ready");
    let mut stdin = client.stdin();
    stdin.write_all(b"\n\n").unwrap();
    assert!(client.wait().success(), "within {PATIENCE:?}");
}

//! The threads that read connections and answer calls: none waits for a method that blocks another one.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;

use crate::common::process::{Running, python, stdout_of};
use crate::common::{PATIENCE, needs_patch};

/// A server with two queues (`tests/slow_server.rs`), its target, and what it prints.
fn slow_server() -> (Running, String, Receiver<String>) {
    let mut server = Running::start(Command::new(env!("CARGO_BIN_EXE_slow-server")).stdin(Stdio::piped()));
    let lines = server.lines();
    let target = lines.recv_timeout(PATIENCE).unwrap();
    (server, target.trim_start_matches("listening on ").to_owned(), lines)
}

fn call(target: &str, args: &[&str]) -> Command {
    let mut command = python("tests/python/pollers.py");
    command.arg(target).args(args);
    command
}

/// The stock C core gives a call to the queue to which its connection was assigned, whether its thread is free or not.
#[test]
fn while_a_method_blocks_one_thread_the_other_one_answers_every_connection() {
    needs_patch("0008");
    for connections in ["1", "10", "1000"] {
        let (mut server, target, lines) = slow_server();
        let mut slow = Running::start(&mut call(&target, &["slow"]));
        assert_eq!(lines.recv_timeout(PATIENCE).unwrap(), "slow");
        stdout_of(&mut call(&target, &["quick", connections]));
        server.stdin().write_all(b"\n").unwrap();
        assert!(slow.wait().success());
    }
}

/// The reply waited until the thread that had written it asked for its next event: for as long as the slow method ran.
#[test]
fn a_reply_does_not_wait_for_a_method_that_blocks_the_same_thread_afterwards() {
    needs_patch("0004");
    let (_server, target, _lines) = slow_server();
    stdout_of(&mut call(&target, &["both"]));
}

#[test]
fn one_ten_and_a_thousand_connections_are_all_answered() {
    let (_server, target, _lines) = slow_server();
    for connections in ["1", "10", "1000"] {
        stdout_of(&mut call(&target, &["quick", connections]));
    }
}

/// A queue has 512 slots for requests; the thread that has used up its own takes those of the other queue.
#[test]
fn calls_that_take_all_slots_of_one_queue_leave_those_of_the_other() {
    let (_server, target, _lines) = slow_server();
    stdout_of(&mut call(&target, &["quick", "10", "2000"]));
}

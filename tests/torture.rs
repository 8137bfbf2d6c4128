//! The short version of `script/torture`: faults beside callers, none of whose calls may fail.
#![cfg(target_os = "linux")]

use std::time::Duration;

use crate::common::process::{program, python, stdout_of_within};

/// Some faults one after the other, each with processes of its own, on a busy machine.
const BOUND: Duration = Duration::from_secs(150);

fn torture(faults: &str) {
    let mut command = python("tests/torture");
    stdout_of_within(command.arg(program()).arg("--quick").arg(faults), BOUND);
}

#[test]
fn callers_lose_no_call_when_a_replica_is_killed_or_terminated() {
    torture("replicas");
}

#[test]
fn a_server_whose_descriptors_memory_or_log_run_out_goes_on() {
    torture("resources");
}

#[test]
fn callers_beside_a_flood_of_frames_are_served() {
    torture("floods");
}

#[test]
fn callers_beside_slow_half_open_or_cut_connections_are_served() {
    torture("connections");
}

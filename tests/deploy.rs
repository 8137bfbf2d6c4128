//! What is in `deploy/` for Kubernetes and Prometheus, read by their own tools. `tests/scaling` starts the proxies, and
//! `script/package --test` the units.

use std::io::Write;

use crate::common::process::{program, python, stdout_of};

/// The path of a tool, or nothing where the system does not provide it: the test's output says so.
fn tool(variable: &str) -> Option<String> {
    let path = std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set; script/test sets it"));
    if path.is_empty() {
        let _ = writeln!(std::io::stderr(), "WITHOUT {variable}: this system does not provide it");
        return None;
    }
    Some(path)
}

#[test]
fn the_objects_for_kubernetes_are_valid_and_their_numbers_fit_the_server() {
    stdout_of(python("tests/python/kubernetes.py").arg(program()).args(tool("CALC_KUBECTL")));
}

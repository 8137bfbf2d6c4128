//! What is in `deploy/` for Kubernetes and Prometheus, read by their own tools. `tests/scaling` starts the proxies, and
//! `script/package --test` the units.

use std::io::Write;

use crate::common::PATIENCE;
use crate::common::certificates::Folder;
use crate::common::process::{ServerProcess, calc, program, python, stdout_of, stdout_of_within};

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
    let server = ServerProcess::start(&mut calc(&["serve", "--listen=127.0.0.1:0", "--metrics=127.0.0.1:0"]));
    let page = server.metrics.clone().unwrap();
    // Thousands of classes are made of the schemas, which takes seconds.
    let bound = 4 * PATIENCE;
    let mut check = python("tests/python/kubernetes.py");
    stdout_of_within(check.arg(program()).arg(page).args(tool("CALC_KUBECTL")), bound);
}

#[test]
fn every_alert_fires_in_its_situation_only_and_names_metrics_of_the_server() {
    let folder = Folder::new();
    folder.put("tokens", "0123456789abcdef");
    let server = ServerProcess::start(&mut calc(&[
        "serve",
        "--listen=127.0.0.1:0",
        "--metrics=127.0.0.1:0",
        &format!("--tls-cert={}", folder.arg("tls.crt")),
        &format!("--tls-key={}", folder.arg("tls.key")),
        &format!("--token-file={}", folder.arg("tokens")),
    ]));
    let page = server.metrics.clone().unwrap();
    stdout_of(python("tests/python/prometheus.py").arg(page).args(tool("CALC_PROMTOOL")));
}

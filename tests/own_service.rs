//! `examples/own-service`: a service of somebody who knows nothing of the Calculator.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use crate::common::certificates::Folder;
use crate::common::process::{Running, program, python, stdout_of};
use crate::common::{PATIENCE, root};

/// A program of the example, which `script/test` builds into the same folder as `calc`.
fn built(name: &str) -> Command {
    let path = program().with_file_name(name);
    assert!(
        path.exists(),
        "{} is missing; run `cargo build --release --manifest-path examples/own-service/Cargo.toml`",
        path.display()
    );
    let mut command = Command::new(path);
    command.stdin(Stdio::null());
    command
}

#[test]
fn a_service_of_one_s_own_answers_its_client_and_independent_ones_over_tls() {
    let folder = Folder::new();
    let files = ["tls.crt", "tls.key"].map(|name| folder.path(name));
    let mut server = Running::start(built("stock-server").args(files).args(["127.0.0.1:0", "127.0.0.1:0"]));
    let lines = server.lines();
    let told = |words: &str| {
        let line = lines.recv_timeout(PATIENCE).expect("the server does not start");
        line.strip_prefix(words).unwrap_or_else(|| panic!("unexpected line: {line}")).to_owned()
    };
    let metrics = told("metrics on ");
    let target = told("listening on ");

    let output = stdout_of(built("stock-client").args([&target, &folder.arg("ca.crt"), "plum"]));
    assert_eq!(output, "31 in stock\nmore in 2 days\neverything is worth 5575 cents\n");

    let output = stdout_of(python("tests/python/own_service.py").args([&target, "--ca", &folder.arg("ca.crt")]));
    assert_eq!(output, "every answer is right\n");

    let handled = |service, method, code, number| {
        let labels = format!("grpc_type=unary,grpc_service=shop.{service},grpc_method={method},grpc_code={code}");
        format!("grpc_server_handled_total{{{labels}}} {number}")
    };
    let series = [
        handled("Stock", "Count", "OK", 2),
        handled("Stock", "Count", "NotFound", 1),
        handled("Stock", "Appraise", "OK", 2),
        handled("Suppliers", "Delivery", "OK", 2),
    ];
    let output = stdout_of(python("tests/python/metrics.py").arg(&metrics).args(series));
    assert!(output.ends_with("the page is right\n"), "{output}");

    server.signal(15);
    assert_eq!(server.wait().code(), Some(0));
}

/// With other versions, or features that differ, Cargo would compile the C core a second time.
#[test]
fn the_example_locks_the_versions_that_the_workspace_locks() {
    let packages = |lock: &str| -> BTreeSet<String> {
        let lock = fs::read_to_string(root().join(lock)).unwrap();
        lock.split("\n\n").filter(|package| package.contains("\nchecksum = ")).map(name_and_version).collect()
    };
    let (example, workspace) = (packages("examples/own-service/Cargo.lock"), packages("Cargo.lock"));
    let other: Vec<_> = example.difference(&workspace).collect();
    assert!(other.is_empty(), "only in examples/own-service/Cargo.lock: {other:?}");
}

fn name_and_version(package: &str) -> String {
    package.lines().filter(|line| line.starts_with("name = ") || line.starts_with("version = ")).collect()
}

//! `calc health` against our server, Python's, and none.

use calc::proto::calc_grpc::calculator;
use grpcio_kit::{Health, Server, ServingStatus};

use crate::common::process::{Running, ServerProcess, calc, python, run};
use crate::common::{PATIENCE, calculator, start, target};

/// Runs `calc health` and returns its exit code, standard output and standard error.
fn probe(args: &[&str]) -> (i32, String, String) {
    let output = run(calc(&["health"]).args(args));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn outcome(args: &[&str]) -> (i32, String) {
    let (code, stdout, stderr) = probe(args);
    assert_eq!(stderr.is_empty(), code == 0, "{stderr}");
    (code, stdout)
}

#[test]
fn the_probe_has_the_exit_codes_of_grpc_health_probe() {
    let server = calculator();
    let at = ["--timeout", "30", "--target", &target(&server)];
    let check = |args: &[&str]| outcome(&[&at, args].concat());
    assert_eq!(check(&[]), (0, "SERVING\n".to_owned()));
    assert_eq!(check(&["calc.Calculator"]), (0, "SERVING\n".to_owned()));
    assert_eq!(check(&["test.Nowhere"]), (3, String::new()));
    assert_eq!(check(&["--bogus"]), (1, String::new()));
    assert_eq!(check(&["one", "two"]), (1, String::new()));
    assert_eq!(outcome(&["--target", "nowhere"]), (1, String::new()));
    assert_eq!(outcome(&["--timeout", "soon"]), (1, String::new()));
    server.health().unwrap().set(calculator::NAME, ServingStatus::NotServing);
    assert_eq!(check(&["calc.Calculator"]), (4, "NOT_SERVING\n".to_owned()));
    assert_eq!(check(&[]), (0, "SERVING\n".to_owned()));
    assert_eq!(probe(&["--help"]).0, 0);
}

#[test]
fn a_missing_server_and_one_without_the_service_have_different_exit_codes() {
    // Accepts connections and does not reply.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    assert_eq!(outcome(&["--target", &address, "--timeout", "0.3"]), (2, String::new()));
    drop(silent);
    let (code, _, stderr) = probe(&["--target", &address]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("cannot connect: UNAVAILABLE"), "{stderr}");

    let other = start(Server::builder());
    let (code, _, stderr) = probe(&["--target", &target(&other), "--timeout", "30"]);
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("no grpc.health.v1.Health"), "{stderr}");
}

#[test]
fn the_probe_checks_a_python_server() {
    for (status, code) in [("SERVING", 0), ("NOT_SERVING", 4), ("UNKNOWN", 4)] {
        let server = ServerProcess::start(python("tests/python/health.py").args(["serve", status]));
        let at = ["--timeout", "30", "--target", server.target()];
        assert_eq!(outcome(&at), (0, "SERVING\n".to_owned()));
        assert_eq!(outcome(&[&at, &["calc.Calculator"][..]].concat()), (code, format!("{status}\n")));
    }
}

#[test]
fn the_probe_watches_until_the_server_ends() {
    let server = calculator();
    let mut probe = Running::start(&mut calc(&["health", "--watch", "--target", &target(&server)]));
    let states = probe.lines();
    assert_eq!(states.recv_timeout(PATIENCE).unwrap(), "SERVING");
    server.health().unwrap().set(Health::SERVER, ServingStatus::Unknown);
    assert_eq!(states.recv_timeout(PATIENCE).unwrap(), "UNKNOWN");
    drop(server);
    assert_eq!(probe.wait().code(), Some(3));
}

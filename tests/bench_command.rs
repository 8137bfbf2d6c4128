//! `calc bench`: the calls that it makes, and what it says of them.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use grpcio_kit::{Call, Interceptor, Server, Status};

use crate::common::certificates::Folder;
use crate::common::process::{ServerProcess, calc, program, python, run, stdout_of};
use crate::common::{calculator, start, target};

/// Runs `calc bench` and gives its exit code, standard output and standard error.
pub fn bench(target: &str, args: &[&str]) -> (i32, String, String) {
    outcome(&[&["--target", target, "--timeout", "30"], args].concat())
}

fn outcome(args: &[&str]) -> (i32, String, String) {
    let output = run(&mut calc(&[&["bench"], args].concat()));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Has Python see whether a report adds up, and gives these of its values.
pub fn values(report: &str, paths: &[&str]) -> Vec<String> {
    let values = stdout_of(python("tests/python/bench_report.py").arg(report).args(paths));
    values.lines().map(str::to_owned).collect()
}

pub fn numbers(report: &str, paths: &[&str]) -> Vec<f64> {
    values(report, paths).iter().map(|value| value.parse().unwrap()).collect()
}

pub fn faulty(fault: &str) -> ServerProcess {
    ServerProcess::start(python("tests/python/faulty_calculator.py").arg(fault))
}

/// Counts calls.
#[derive(Clone, Default)]
pub struct Counter(pub Arc<AtomicU64>);

impl Interceptor for Counter {
    fn before(&self, _: &Call<'_>) -> Result<(), Status> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

pub fn counted() -> (Server, Counter) {
    let counter = Counter::default();
    (start(calc::server::builder().interceptor(counter.clone())), counter)
}

#[test]
fn a_count_is_the_number_of_calls_that_the_server_sees() {
    let mut server = ServerProcess::start(&mut calc(&["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]));
    let mut series = Vec::new();
    for (operation, method) in
        [("add", "Add"), ("subtract", "Substract"), ("multiply", "Multiply"), ("divide", "Divide")]
    {
        let (code, report, stderr) = bench(
            server.target(),
            &["--count", "500", "--connections", "3", "--operation", operation, "--format", "json"],
        );
        assert_eq!((code, stderr.as_str()), (0, ""), "{report}");
        assert_eq!(
            values(&report, &["calls", "succeeded", "plan.operation"]),
            ["500".to_owned(), "500".to_owned(), format!("\"{operation}\"")]
        );
        series.push(format!(
            "grpc_server_handled_total{{grpc_type=unary,grpc_service=calc.Calculator,grpc_method={method},\
             grpc_code=OK}} 500"
        ));
    }
    let page = server.metrics.take().unwrap();
    let output = stdout_of(python("tests/python/metrics.py").arg(page).args(series));
    assert!(output.ends_with("the page is right\n"), "{output}");
}

#[test]
fn with_a_rate_the_count_is_exact_too_and_the_warm_up_comes_before_it() {
    let (server, counter) = counted();
    let (code, report, stderr) = bench(
        &target(&server),
        &["--rate", "1000", "--count", "300", "--warm-up", "0.1", "--connections", "2", "--format", "json"],
    );
    assert_eq!((code, stderr.as_str()), (0, ""), "{report}");
    assert_eq!(values(&report, &["calls", "warm_up.calls", "not_sent", "unfinished"]), ["300", "100", "0", "0"]);
    assert_eq!(counter.0.load(Ordering::Relaxed), 400);
}

#[test]
fn calls_are_made_for_the_duration() {
    let (server, counter) = counted();
    let (code, report, _) =
        bench(&target(&server), &["--duration", "0.3", "--warm-up", "0.2", "--quiet", "--format", "json"]);
    assert_eq!(code, 0, "{report}");
    let numbers = numbers(&report, &["duration_s", "calls", "warm_up.calls"]);
    assert!(numbers[0] > 0.1 && numbers[1] > 0.0 && numbers[2] > 0.0, "{report}");
    #[expect(clippy::cast_precision_loss, reason = "there are few")]
    let seen = counter.0.load(Ordering::Relaxed) as f64;
    assert_eq!(numbers[1] + numbers[2], seen);
}

#[test]
fn the_python_server_is_a_target_as_well() {
    let server = ServerProcess::start(python("examples/python/server.py").arg("127.0.0.1:0"));
    let (code, report, stderr) =
        bench(server.target(), &["--count", "200", "--operation", "divide", "--format", "json"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{report}");
    assert_eq!(values(&report, &["succeeded", "wrong_answers.count"]), ["200", "0"]);
}

#[test]
fn messages_of_a_batch_are_counted_and_so_are_their_calculations() {
    let mut server = ServerProcess::start(&mut calc(&["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]));
    for operation in ["add", "subtract", "multiply", "divide"] {
        let args = ["--batch", "1000", "--count", "50", "--concurrency", "4", "--operation", operation];
        let (code, report, stderr) = bench(server.target(), &[&args[..], &["--format", "json"]].concat());
        assert_eq!((code, stderr.as_str()), (0, ""), "{report}");
        assert_eq!(values(&report, &["calls", "calculations", "unfinished"]), ["50", "50000", "0"]);
    }
    let page = server.metrics.take().unwrap();
    let batches = "grpc_type=bidi_stream,grpc_service=calc.BatchCalculator,grpc_method=Calculate";
    // Streams end in order: none of them is cancelled.
    let output = stdout_of(python("tests/python/metrics.py").arg(page).args([
        format!("grpc_server_msg_received_total{{{batches}}} 200"),
        format!("grpc_server_handled_total{{{batches},grpc_code=OK}} 16"),
        format!("grpc_server_handled_total{{{batches},grpc_code=Canceled}} 0"),
    ]));
    assert!(output.ends_with("the page is right\n"), "{output}");
}

#[test]
fn errors_are_told_by_their_status_and_wrong_answers_for_themselves() {
    let server = faulty("mixed");
    let (code, report, stderr) = bench(server.target(), &["--count", "100", "--format", "json"]);
    assert_eq!((code, stderr.as_str()), (8, "error: of 100 calls 20 failed, 10 had a wrong answer\n"), "{report}");
    let paths = ["succeeded", "errors.RESOURCE_EXHAUSTED", "errors.NOT_FOUND.count", "wrong_answers.count"];
    let resource_exhausted = r#"{"count": 10, "example": "there was\na fault"}"#;
    assert_eq!(values(&report, &paths), ["70", resource_exhausted, "10", "10"]);

    let (code, report, _) = bench(server.target(), &["--count", "100"]);
    assert_eq!(code, 8);
    for part in ["RESOURCE_EXHAUSTED 10, such as: there was\\na fault\n", "wrong answer", "70, ", " + "] {
        assert!(report.contains(part), "{part}: {report}");
    }
}

#[test]
fn calls_are_retried_only_if_asked_for() {
    for (retry, outcome) in [(&[][..], ["3", "7"]), (&["--retry"], ["0", "10"])] {
        let server = faulty("restarting");
        let count = ["--count", "10", "--concurrency", "1", "--format", "json"];
        let (_, report, _) = bench(server.target(), &[&count[..], retry].concat());
        assert_eq!(values(&report, &["failed", "succeeded"]), outcome, "{retry:?}");
    }
}

/// The server takes a second for one call, and all others wait for it. 200 calls are due in that second, of which only
/// four can begin: if only these were late, the report would be of a server that is fast for 99 calls of 100. The calls
/// that are due in the first half of that second take half a second or more each, however fast the machine is.
#[test]
fn a_stall_is_in_the_latencies_of_all_the_calls_that_were_due_meanwhile() {
    let server = faulty("stalling");
    let (code, report, stderr) =
        bench(server.target(), &["--rate", "200", "--count", "400", "--concurrency", "4", "--format", "json"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{report}");
    let paths = ["slower_than_ms=500", "latency_us.max", "start_delay_us.max", "latency_us.p90", "calls"];
    let [slow, greatest, delay, p90, calls] = numbers(&report, &paths)[..] else { panic!("{report}") };
    assert!(slow >= 99.0 && calls == 400.0, "{report}");
    assert!(greatest >= 980_000.0 && delay >= 900_000.0 && p90 >= 500_000.0, "{report}");
}

#[test]
fn calls_that_cannot_begin_in_time_are_counted() {
    let server = faulty("slow");
    let args = ["--target", server.target(), "--timeout", "0.2", "--concurrency", "1", "--format", "json"];
    let (code, report, stderr) = outcome(&[&args[..], &["--rate", "200", "--count", "200"]].concat());
    assert_eq!(code, 8, "{report}");
    let [calls, not_sent] = numbers(&report, &["calls", "not_sent"])[..] else { panic!("{report}") };
    // In the second of the schedule and the time to wait there is time for 60 calls.
    assert!(calls + not_sent == 200.0 && not_sent >= 130.0, "{report}");
    assert!(stderr.contains(&format!("{not_sent} could not begin in time")), "{stderr}");
}

#[test]
fn tls_and_tokens_work_as_for_other_commands() {
    let folder = Folder::new();
    folder.put("tokens", "0123456789abcdef");
    let (crt, key, ca, tokens) =
        (folder.arg("tls.crt"), folder.arg("tls.key"), folder.arg("ca.crt"), folder.arg("tokens"));
    let serve = ["serve", "--listen", "127.0.0.1:0", "--tls-cert", &crt, "--tls-key", &key, "--token-file", &tokens];
    let server = ServerProcess::start(&mut calc(&serve));
    let call = |args: &[&str]| bench(server.target(), &[&["--count", "20", "--connections", "2"], args].concat());

    let (code, report, stderr) = call(&["--tls-ca", &ca, "--token-file", &tokens]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{report}");
    let (code, report, stderr) = call(&["--tls-ca", &ca]);
    assert_eq!((code, stderr.as_str()), (8, "error: of 20 calls 20 failed\n"));
    assert!(report.contains("UNAUTHENTICATED") && report.contains("no token"), "{report}");
    // The authorities of the system, of which ours is none.
    let (code, report, stderr) = call(&["--tls", "on", "--token-file", &tokens]);
    assert_eq!((code, report.as_str()), (6, ""), "{stderr}");
}

#[test]
fn a_target_that_cannot_be_reached_is_told_before_any_call() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let (code, report, stderr) = outcome(&["--target", &address, "--timeout", "0.3", "--connections", "2"]);
    assert_eq!((code, report.as_str()), (6, ""));
    let reason = format!("error: cannot connect to {address}, connection 1: not connected within 0.3 s\n");
    assert_eq!(stderr, reason);
    drop(silent);
    let (code, report, stderr) = outcome(&["--target", &address]);
    assert_eq!((code, report.as_str()), (6, ""));
    assert!(stderr.starts_with(&format!("error: cannot connect to {address}: ")), "{stderr}");
    assert!(stderr.contains("Connection refused"), "{stderr}");
}

/// Runs `calc bench` with a pseudo-terminal for its standard error, and gives what that shows.
fn on_terminal(args: &[&str]) -> String {
    let server = calculator();
    let mut script = python("tests/python/terminal.py");
    script.arg(program()).args(["bench", "--target", &target(&server), "--duration", "2.5"]);
    stdout_of(script.args(args))
}

#[test]
fn a_terminal_shows_the_progress_and_is_left_clean() {
    let shown = on_terminal(&["--rate", "100"]);
    for part in ["1 of 2.5 s: ", " calls/s, 0 failed, 50 % ", "2 of 2.5 s: "] {
        assert!(shown.contains(part), "{part}: {shown:?}");
    }
    assert!(shown.ends_with("\r\u{1b}[2K") && !shown.contains('\n'), "{shown:?}");
    assert_eq!(on_terminal(&["--quiet"]), "");
}

#[test]
fn wrong_usage_says_what_would_be_right() {
    for (args, reason) in [
        (&["--connections", "0"][..], "`0` is not a number of connections from 1 to 1000"),
        (&["--concurrency", "10001"], "`10001` is not a number of calls in flight from 1 to 10000"),
        (&["--connections", "1000", "--concurrency", "101"], "makes 101000 calls in flight; no more than 100000"),
        (&["--count", "0"], "`0` is not a number from 1 to"),
        (&["--duration", "0"], "`0` is not a number of seconds from 0.001"),
        (&["--duration", "1", "--count", "1"], "--duration and --count exclude each other"),
        (&["--rate", "0"], "`0` is not a number of calls per second from 0.001 to 1000000"),
        (&["--rate", "nan"], "`nan` is not a number of calls per second"),
        (
            &["--operation", "power"],
            "`power` is not an operation; the operations are add, subtract, multiply and divide",
        ),
        (&["--batch", "65537"], "`65537` is not a number of elements from 1 to 65536"),
        (&["--threads", "257"], "`257` is not a number of threads from 1 to 256"),
        (&["--warm-up", "-1"], "number of seconds from 0"),
        (&["--format", "xml"], "xml"),
        (&["--target", "nowhere"], "no port"),
    ] {
        let (code, stdout, stderr) = outcome(args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(reason), "{args:?}: {stderr}");
    }
}

#[test]
fn flags_have_variables_and_a_contradiction_names_them() {
    let server = calculator();
    let mut command = calc(&["bench", "--timeout", "30"]);
    command.env("CALC_TARGET", target(&server)).env("CALC_BENCH_COUNT", "7").env("CALC_BENCH_FORMAT", "json");
    assert_eq!(values(&stdout_of(&mut command), &["calls"]), ["7"]);
    command.env("CALC_BENCH_DURATION", "1");
    let output = run(&mut command);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    for variable in ["CALC_BENCH_COUNT", "CALC_BENCH_DURATION"] {
        assert!(stderr.contains(variable), "{stderr}");
    }
}

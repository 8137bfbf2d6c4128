//! `calc bench`, when something goes wrong for good: how it ends, and what it does until then.

use std::sync::atomic::Ordering;

use grpcio_kit::Server;

use crate::bench_command::{bench, counted, faulty, numbers, values};
use crate::common::process::{Running, calc};
use crate::common::{start, target, wait_until};

const SIGTERM: i32 = 15;

#[test]
fn an_interrupted_run_has_its_report() {
    let (server, counter) = counted();
    for rate in [&[][..], &["--rate", "500"]] {
        let before = counter.0.load(Ordering::Relaxed);
        let target = target(&server);
        let args = ["bench", "--target", &target, "--duration", "3600", "--format", "json"];
        let mut process = Running::start(&mut calc(&[&args[..], rate].concat()));
        wait_until(|| counter.0.load(Ordering::Relaxed) > before + 50);
        process.signal(SIGTERM);
        let report: String = process.lines().iter().collect();
        assert_eq!(process.wait().code(), Some(0), "{report}");
        let values = values(&report, &["interrupted", "failed", "not_sent", "plan.duration_s"]);
        assert_eq!(values, ["true", "0", "0", "3600.0"]);
        assert!(numbers(&report, &["succeeded"])[0] >= 30.0, "{report}");
    }
}

#[test]
fn a_run_against_a_server_that_hangs_can_be_interrupted() {
    for rate in [&[][..], &["--rate", "200"]] {
        let server = faulty("hanging");
        let args = ["bench", "--target", server.target(), "--duration", "3600", "--timeout", "3600"];
        let args = [&args[..], &["--concurrency", "4", "--format", "json"], rate].concat();
        let mut process = Running::start(&mut calc(&args));
        server.wait_for_line("hanging");
        process.signal(SIGTERM);
        let report: String = process.lines().iter().collect();
        assert_eq!(process.wait().code(), Some(0), "{report}");
        assert_eq!(values(&report, &["interrupted", "calls", "failed", "not_sent"]), ["true", "49", "0", "0"]);
        assert!(numbers(&report, &["unfinished"])[0] >= 1.0, "{report}");
    }
}

#[test]
fn a_server_that_has_gone_away_is_not_flooded() {
    let (server, counter) = counted();
    let target = target(&server);
    let args = ["bench", "--target", &target, "--duration", "2", "--concurrency", "5", "--format", "json"];
    let mut process = Running::start(&mut calc(&args));
    wait_until(|| counter.0.load(Ordering::Relaxed) > 50);
    drop(server);
    let report: String = process.lines().iter().collect();
    assert_eq!(process.wait().code(), Some(8), "{report}");
    // Each of five calls in flight rests for a tenth of a second; some more fail with the server's own end.
    let failed = numbers(&report, &["failed"])[0];
    assert!((1.0..=5.0 * 22.0).contains(&failed), "{report}");
}

/// Nor is one that answers, and will not answer otherwise.
#[test]
fn a_server_without_the_method_is_not_flooded() {
    let server = start(Server::builder());
    let args = ["--duration", "1", "--concurrency", "5", "--format", "json"];
    for batch in [&[][..], &["--batch", "10"]] {
        let (code, report, _) = bench(&target(&server), &[&args[..], batch].concat());
        assert_eq!(code, 8, "{report}");
        let [failed, unimplemented] = numbers(&report, &["failed", "errors.UNIMPLEMENTED.count"])[..] else {
            panic!("{report}")
        };
        assert!(failed == unimplemented && (1.0..=5.0 * 11.0).contains(&failed), "{report}");
    }
}

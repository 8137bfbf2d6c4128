//! Signals that `calc serve` catches, and those that it was started with ignored.

use std::process::Command;

use crate::common::PATIENCE;
use crate::common::process::{ServerProcess, calc};

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// Starts `calc serve` by another program, which takes its command line as its last arguments.
fn serve_by(program: &str, args: &[&str]) -> ServerProcess {
    let calc = calc(&["serve", "--listen", "127.0.0.1:0"]);
    let mut command = Command::new(program);
    command.args(args).arg(calc.get_program()).args(calc.get_args());
    for (name, value) in calc.get_envs() {
        assert!(value.is_none());
        command.env_remove(name);
    }
    ServerProcess::start(&mut command)
}

fn assert_serves(server: &ServerProcess) {
    let client = calc::Client::connect(server.target()).unwrap().timeout(PATIENCE);
    assert_eq!(client.add(20, 10), Ok(30));
}

/// The server has ended by this signal, and by no other before it.
fn assert_drains_by(server: &mut ServerProcess, signal: &str) {
    assert!(server.next_line().starts_with(&format!("{signal}: ")), "another signal came first");
    assert_eq!(server.process.wait().code(), Some(0));
}

/// `nohup calc serve` drained on SIGHUP, and an ignored SIGINT did too: the handlers replaced SIG_IGN.
#[test]
fn a_signal_that_is_ignored_from_the_start_stays_ignored() {
    let ignoring = ["-c", "trap '' INT; exec \"$0\" \"$@\""];
    let servers = [(serve_by("nohup", &[]), SIGHUP), (serve_by("sh", &ignoring), SIGINT)];
    for (mut server, signal) in servers {
        server.process.signal(signal);
        assert_serves(&server);
        server.process.signal(SIGTERM);
        assert_drains_by(&mut server, "SIGTERM");
    }
}

#[test]
fn each_signal_that_is_not_ignored_drains_the_server() {
    for (signal, name) in [(SIGHUP, "SIGHUP"), (SIGINT, "SIGINT"), (SIGTERM, "SIGTERM")] {
        // Whatever ignores signals around the tests.
        let mut server = serve_by("env", &["--default-signal=HUP,INT,TERM"]);
        assert_serves(&server);
        server.process.signal(signal);
        assert_drains_by(&mut server, name);
    }
}

#[test]
fn a_server_that_ignores_every_signal_serves() {
    let server = serve_by("sh", &["-c", "trap '' HUP INT TERM; exec \"$0\" \"$@\""]);
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        server.process.signal(signal);
    }
    assert_serves(&server);
}

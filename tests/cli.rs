//! The command line: output, exit codes, and signals.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use grpcio_kit::{Code, Server, core_version};

use crate::common::process::{Running, ServerProcess, calc, run, stdout_of};
use crate::common::raw::RawClient;
use crate::common::{calculator, needs_patch, target};

const SIGTERM: i32 = 15;

/// Runs `calc` and returns its exit code, standard output and standard error.
fn outcome(args: &[&str]) -> (i32, String, String) {
    let output = run(&mut calc(args));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn call(server: &Server, args: &[&str]) -> (i32, String, String) {
    outcome(&[args, &["--timeout", "30", "--target", &target(server)]].concat())
}

fn success(stdout: &str) -> (i32, String, String) {
    (0, stdout.to_owned(), String::new())
}

#[test]
fn the_result_is_all_that_is_printed() {
    let server = calculator();
    assert_eq!(call(&server, &["add", "20", "10"]), success("30\n"));
    assert_eq!(call(&server, &["substract", "20", "10"]), success("10\n"));
    assert_eq!(call(&server, &["subtract", "20", "10"]), success("10\n"));
    assert_eq!(call(&server, &["multiply", "20", "10"]), success("200\n"));
    assert_eq!(call(&server, &["divide", "10", "2"]), success("5.0\n"));
}

#[test]
fn negative_numbers_need_no_escape() {
    let server = calculator();
    assert_eq!(call(&server, &["add", "-3", "-4"]), success("-7\n"));
    assert_eq!(call(&server, &["subtract", "0", "-2147483647"]), success("2147483647\n"));
}

#[test]
fn a_quotient_is_printed_with_all_its_digits_as_python_does() {
    let server = calculator();
    assert_eq!(call(&server, &["divide", "1", "3"]), success("0.3333333432674408\n"));
    assert_eq!(call(&server, &["divide", "2147483647", "1"]), success("2147483648.0\n"));
    assert_eq!(call(&server, &["divide", "0", "-5"]), success("-0.0\n"));
}

#[test]
fn each_kind_of_error_has_its_exit_code_and_says_why() {
    let server = calculator();
    let (code, stdout, stderr) = call(&server, &["add", "2147483647", "1"]);
    assert_eq!((code, stdout.as_str()), (3, ""));
    assert_eq!(stderr, "error: 2147483647 + 1 = 2147483648 does not fit an int32 (-2147483648 to 2147483647)\n");
    assert_eq!(call(&server, &["divide", "1", "0"]), (4, String::new(), "error: division by zero\n".to_owned()));

    // Accepts connections and does not reply.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let (code, stdout, stderr) = outcome(&["add", "1", "2", "--target", &address, "--timeout", "0.3"]);
    assert_eq!((code, stdout.as_str()), (5, ""), "{stderr}");
    drop(silent);
    let (code, stdout, stderr) = outcome(&["add", "1", "2", "--target", &address]);
    assert_eq!((code, stdout.as_str()), (6, ""), "{stderr}");

    let other = crate::common::start(Server::builder());
    let (code, _, stderr) = call(&other, &["add", "1", "2"]);
    assert_eq!(code, 7, "{stderr}");
    assert!(stderr.contains("UNIMPLEMENTED"), "{stderr}");
}

#[test]
fn wrong_usage_has_exit_code_2_and_a_reason() {
    for (args, reason) in [
        (&["add", "1"][..], "<N2>"),
        (&["add", "1", "2147483648"], "invalid value for <N2>: `2147483648` is not an int32"),
        (&["add", "1", "two"], "`two` is not an int32"),
        // The first of two wrong operands.
        (&["add", "one", "two"], "invalid value for <N1>: `one` is not an int32"),
        (&["add", "1", "2", "--timeout", "0"], "`0` is not a number of seconds"),
        (&["add", "1", "2", "--timeout", "inf"], "`inf` is not a number of seconds"),
        (&["add", "1", "2", "--target", "localhost"], "no port"),
        (&["serve", "--listen", "localhost"], "no port"),
        (&["serve", "--queues", "0"], "from 1 to 256"),
        (&["serve", "--max-request-bytes", "3000000000"], "from 1 to 2147483647"),
        (&["serve", "--grace", "-1"], "number of seconds"),
        (&[], "requires a subcommand"),
        (&["power", "2", "3"], "power"),
        (&["completions", "tcsh"], "tcsh"),
    ] {
        let (code, stdout, stderr) = outcome(args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(reason), "{args:?}: {stderr}");
    }
}

/// clap's own usage would list flags of the wrong command line as required: `calc add <N1> <N2> --timeout <SECONDS>`.
#[test]
fn an_error_shows_optional_flags_as_optional() {
    for (args, usage) in [
        (&["serve", "--grace", "1", "x"][..], "calc serve [OPTIONS]"),
        (&["add", "1", "--timeout", "3"], "calc add [OPTIONS] <N1> <N2>"),
        (&["subtract", "1", "--timeout", "3"], "calc substract [OPTIONS] <N1> <N2>"),
        (&["multiply", "1", "--timeout", "3"], "calc multiply [OPTIONS] <N1> <N2>"),
        (&["divide", "1", "--timeout", "3"], "calc divide [OPTIONS] <N1> <N2>"),
        (&["batch", "--header", "--timeout", "3"], "calc batch [OPTIONS] <OPERATION>"),
        (&["health", "--timeout", "3", "a", "b"], "calc health [OPTIONS] [SERVICE]"),
        (&["list", "--timeout", "3", "a", "b"], "calc list [OPTIONS] [SERVICE]"),
        (&["bench", "--timeout", "3", "x"], "calc bench [OPTIONS]"),
        (&["completions"], "calc completions <SHELL>"),
    ] {
        let (_, _, stderr) = outcome(args);
        assert!(stderr.contains(&format!("USAGE:\n    {usage}\n")), "{args:?}: {stderr}");
    }
}

#[test]
fn a_command_that_waits_for_ready_finds_a_server_that_starts_later() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", folder.path().join("later.sock").display());
    let commands = [&["add", "20", "10"][..], &["batch", "add"], &["health"], &["list"], &["bench", "--count=1"]];
    let running = commands.map(|command| {
        let mut command = calc(&[command, &["--wait-for-ready", "--timeout", "30", "--target", &address]].concat());
        Running::start(&mut command)
    });
    // Without the flag it fails at once.
    assert_eq!(outcome(&["add", "1", "2", "--target", &address]).0, 6);
    let _server = ServerProcess::start(&mut calc(&["serve", "--listen", &address]));
    for (mut running, command) in running.into_iter().zip(commands) {
        assert_eq!(running.wait().code(), Some(0), "{command:?}");
    }
}

#[test]
fn a_command_that_waits_for_ready_fails_when_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", folder.path().join("never.sock").display());
    let wait = ["--wait-for-ready", "--timeout", "0.2", "--target", &address];
    for (command, code) in [(&["add", "1", "2"][..], 5), (&["health"], 2), (&["health", "--watch"], 2), (&["bench"], 6)]
    {
        assert_eq!(outcome(&[command, &wait].concat()).0, code, "{command:?}");
    }
}

#[test]
fn the_environment_sets_what_the_flags_do_not() {
    let server = calculator();
    let mut command = calc(&["add", "20", "10"]);
    command.env("CALC_TARGET", target(&server)).env("CALC_TIMEOUT", "30");
    assert_eq!(stdout_of(&mut command), "30\n");

    let mut command = calc(&["add", "20", "10", "--target", &target(&server)]);
    command.env("CALC_TARGET", "nowhere.invalid:1");
    assert_eq!(stdout_of(&mut command), "30\n");

    let mut command = calc(&["add", "20", "10"]);
    command.env("CALC_TIMEOUT", "soon");
    let output = run(&mut command);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`soon`"));
}

#[test]
fn help_lists_the_exit_codes_and_the_environment() {
    let (code, stdout, _) = outcome(&["--help"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("EXIT CODES:") && stdout.contains("3    the result does not fit an int32"), "{stdout}");
    let help = [outcome(&["serve", "--help"]).1, outcome(&["divide", "--help"]).1].concat();
    for variable in [
        "CALC_LISTEN",
        "CALC_QUEUES",
        "CALC_MAX_REQUEST_BYTES",
        "CALC_GRACE",
        "CALC_METRICS",
        "CALC_LOG_LEVEL",
        "CALC_LOG_FORMAT",
        "CALC_ACCESS_LOG",
        "CALC_TARGET",
        "CALC_TIMEOUT",
    ] {
        assert!(help.contains(variable), "{variable}: {help}");
    }
    let version = format!("calc {} (gRPC C core {})\n", calc::VERSION, core_version());
    assert_eq!(outcome(&["--version"]).1, version);
}

#[test]
fn the_c_core_is_patched() {
    needs_patch("0001");
}

#[test]
fn completions_have_the_commands_and_are_valid_bash() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout_of(&mut calc(&["completions", shell]));
        assert!(script.contains("substract") && script.contains("timeout"), "{shell}");
    }
    let mut bash = Running::start(std::process::Command::new("bash").args(["-n", "/dev/stdin"]).stdin(Stdio::piped()));
    let script = stdout_of(&mut calc(&["completions", "bash"]));
    bash.stdin().write_all(script.as_bytes()).unwrap();
    assert!(bash.wait().success());
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let (reader, writer) = UnixStream::pair().unwrap();
    drop(reader);
    let status = calc(&["completions", "bash"]).stdout(OwnedFd::from(writer)).status().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_full_disk_is_an_error() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        // Not on every system.
        return;
    };
    let output =
        calc(&["completions", "bash"]).stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to standard output"));
}

#[test]
fn a_server_does_not_start_on_an_address_in_use() {
    let server = calculator();
    let (code, stdout, stderr) = outcome(&["serve", "--listen", &target(&server)]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains(&format!("cannot listen on {}", target(&server))), "{stderr}");
}

#[test]
fn rpcs_that_outlast_the_grace_are_cancelled_and_the_exit_code_is_1() {
    let mut server = ServerProcess::start(&mut calc(&["serve", "--listen", "127.0.0.1:0", "--grace", "0.2"]));
    let client = RawClient::connect(server.target());
    let open = client.open("/calc.Calculator/Add");
    // A second call on the same connection: the first arrives before its reply.
    client.call("/calc.Calculator/Add", &[]).unwrap();
    server.process.signal(SIGTERM);
    let code = open.end();
    assert!([Code::Cancelled, Code::Unavailable].contains(&code), "{code}");
    assert_eq!(server.process.wait().code(), Some(1));
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let mut server = ServerProcess::start(&mut calc(&["serve", "--listen", "127.0.0.1:0", "--grace", "3600"]));
    let client = RawClient::connect(server.target());
    let _open = client.open("/calc.Calculator/Add");
    client.call("/calc.Calculator/Add", &[]).unwrap();
    server.process.signal(SIGTERM);
    server.wait_for_line("SIGTERM");
    assert!(server.process.is_running());
    server.process.signal(SIGTERM);
    assert_eq!(server.process.wait().signal(), Some(SIGTERM));
}

#[test]
fn a_closed_standard_output_does_not_stop_the_server() {
    let (reader, writer) = UnixStream::pair().unwrap();
    drop(reader);
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", folder.path().join("calc.sock").display());
    let mut server =
        calc(&["serve", "--listen", &address]).stdout(OwnedFd::from(writer)).stderr(Stdio::null()).spawn().unwrap();
    let client = calc::Client::connect(&address).unwrap().wait_for_ready(true).timeout(crate::common::PATIENCE);
    assert_eq!(client.add(20, 10), Ok(30));
    server.kill().unwrap();
    server.wait().unwrap();
}

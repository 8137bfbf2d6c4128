//! `calc batch`: lines in, lines out, in bounded memory and with progress on a terminal.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use grpcio_kit::Server;

use crate::common::process::{Running, calc, program, python, run, stdout_of};
use crate::common::{calculator, target};

const FORMAT: &str = "; expected two int32s (-2147483648 to 2147483647) separated by a comma, such as 10,4\n";

fn command(server: &Server, args: &[&str]) -> Command {
    let mut command = calc(&["batch"]);
    command.args(args).args(["--timeout", "30", "--target", &target(server)]);
    command
}

/// Runs `calc batch` with this input and returns its exit code, standard output and standard error.
fn batch(server: &Server, args: &[&str], input: &[u8]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input.csv");
    fs::write(&path, input).unwrap();
    let output = run(command(server, args).stdin(File::open(path).unwrap()));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn done(stdout: &str) -> (i32, String, String) {
    (0, stdout.to_owned(), String::new())
}

#[test]
fn each_line_has_its_result() {
    let server = calculator();
    let input = b"20,10\n-3,-4\n";
    assert_eq!(batch(&server, &["add"], input), done("30,\n-7,\n"));
    assert_eq!(batch(&server, &["substract"], input), done("10,\n1,\n"));
    assert_eq!(batch(&server, &["subtract"], input), done("10,\n1,\n"));
    assert_eq!(batch(&server, &["multiply"], input), done("200,\n12,\n"));
    assert_eq!(batch(&server, &["divide"], b"10,2\n1,3\n0,-5"), done("5.0,\n0.3333333432674408,\n-0.0,\n"));
    assert_eq!(batch(&server, &["divide"], b""), done(""));
}

#[test]
fn a_failed_calculation_has_its_reason_in_the_second_column_and_is_counted() {
    let server = calculator();
    let result = ",DIVISION_BY_ZERO\n2.5,\n".to_owned();
    let note = "1 calculation has no result\n".to_owned();
    assert_eq!(batch(&server, &["divide"], b"1,0\n10,4\n"), (0, result.clone(), note));
    assert_eq!(batch(&server, &["divide", "--quiet"], b"1,0\n10,4\n"), done(&result));
    let (code, stdout, stderr) = batch(&server, &["multiply"], b"65536,65536\n2,3\n-65536,65536\n");
    assert_eq!((code, stdout.as_str()), (0, ",INT32_OVERFLOW\n6,\n,INT32_OVERFLOW\n"));
    assert_eq!(stderr, "2 calculations have no result\n");
}

#[test]
fn the_csv_of_spreadsheets_is_accepted() {
    let server = calculator();
    assert_eq!(
        batch(&server, &["add"], b"\xef\xbb\xbf1,2\r\n\"3\",\"-4\"\r\n\r\n 5 , +6 \r\n"),
        done("3,\n-1,\n11,\n")
    );
    assert_eq!(batch(&server, &["add", "--header"], b"\"n1\",n2\n1,2\n"), done("result,error\n3,\n"));
    assert_eq!(batch(&server, &["add", "--header"], b""), done("result,error\n"));
}

#[test]
fn a_malformed_line_is_shown_and_the_lines_before_it_are_calculated() {
    let server = calculator();
    for (line, shown) in [
        ("n1,n2", "n1,n2"),
        ("1", "1"),
        ("1,2,3", "1,2,3"),
        ("1,", "1,"),
        ("1;2", "1;2"),
        ("1,2147483648", "1,2147483648"),
        ("1.5,2", "1.5,2"),
        ("\"1,2", "\\\"1,2"),
        ("\x1b[2J,1", "\\u{1b}[2J,1"),
    ] {
        let input = format!("1,2\n\n3,4\n{line}\n5,6\n");
        let (code, stdout, stderr) = batch(&server, &["add"], input.as_bytes());
        assert_eq!((code, stdout.as_str()), (2, "3,\n7,\n"), "{line}");
        assert_eq!(stderr, format!("error: line 4 is `{shown}`{FORMAT}"));
    }
    let (code, _, stderr) = batch(&server, &["add"], b"n1,n2\n1,2\n");
    assert_eq!((code, stderr.ends_with("10,4; if it is a header, add --header\n")), (2, true), "{stderr}");
    let (code, _, stderr) = batch(&server, &["add"], b"1,2\n\xff\xfe,1\n");
    assert_eq!((code, stderr.starts_with("error: line 2 is `")), (2, true), "{stderr}");
}

#[test]
fn a_line_over_the_limit_is_not_read_to_its_end() {
    let server = calculator();
    let (code, stdout, stderr) = batch(&server, &["add"], &[b"1,2\n".to_vec(), vec![b'1'; 1_000_000]].concat());
    assert_eq!((code, stdout.as_str()), (2, "3,\n"));
    assert_eq!(stderr, format!("error: line 2 has more than 1024 bytes{FORMAT}"));
}

#[test]
fn input_that_cannot_be_read_is_an_error() {
    let server = calculator();
    let output = run(command(&server, &["add"]).stdin(File::open("/").unwrap()));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: cannot read standard input: "));
}

#[test]
fn a_line_is_calculated_while_others_are_still_to_come() {
    let server = calculator();
    let mut running = Running::start(command(&server, &["multiply"]).stdin(Stdio::piped()));
    let (mut stdin, lines) = (running.stdin(), running.lines());
    for n in 1..5 {
        writeln!(stdin, "{n},{n}").unwrap();
        assert_eq!(lines.recv_timeout(crate::common::PATIENCE).unwrap(), format!("{},", n * n));
    }
    // A line in two writes.
    write!(stdin, "6,").unwrap();
    writeln!(stdin, "7").unwrap();
    assert_eq!(lines.recv_timeout(crate::common::PATIENCE).unwrap(), "42,");
    drop(stdin);
    assert!(running.wait().success());
}

#[test]
fn a_million_lines_keep_their_order_in_bounded_memory() {
    let server = calculator();
    let mut running = Running::start(command(&server, &["add"]).stdin(Stdio::piped()));
    let (mut stdin, lines) = (running.stdin(), running.lines());
    let writer = std::thread::spawn(move || {
        for block in 0..1000 {
            let text: String = (0..1000).map(|n| format!("{},{block}\n", block * 1000 + n)).collect();
            stdin.write_all(text.as_bytes()).unwrap();
        }
        stdin
    });
    for n in 0..1_000_000 {
        assert_eq!(lines.recv_timeout(crate::common::PATIENCE).unwrap(), format!("{},", n + n / 1000));
    }
    let stdin = writer.join().unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap_or_default();
    if let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
        let kilobytes: u32 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kilobytes < 64 * 1024, "{peak}");
    }
    drop(stdin);
    assert!(running.wait().success());
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let server = calculator();
    let (reader, writer) = UnixStream::pair().unwrap();
    let mut running = command(&server, &["add"]);
    let mut running = running.stdin(Stdio::piped()).stdout(OwnedFd::from(writer)).spawn().unwrap();
    let mut stdin = running.stdin.take().unwrap();
    writeln!(stdin, "1,2").unwrap();
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "3,\n");
    drop(reader);
    writeln!(stdin, "3,4").unwrap();
    // Its input is still open.
    assert_eq!(running.wait().unwrap().code(), Some(0));
}

#[test]
fn a_full_disk_is_an_error() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        // Not on every system.
        return;
    };
    let server = calculator();
    let mut running = command(&server, &["add", "--header"]);
    let output = running.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to standard output"));
}

#[test]
fn errors_of_the_call_have_their_exit_codes() {
    let server = calculator();
    let (code, _, stderr) = batch(&server, &["power"], b"1,2\n");
    assert_eq!(code, 2);
    assert!(stderr.contains("possible values: add, divide, multiply, substract, subtract"), "{stderr}");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let without_reply = |timeout| run(&mut calc(&["batch", "add", "--target", &address, "--timeout", timeout]));
    let output = without_reply("0.3");
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: no reply in time: no reply within 0.3 s\n");
    drop(silent);
    assert_eq!(without_reply("30").status.code(), Some(6));
    let other = crate::common::start(Server::builder());
    assert_eq!(batch(&other, &["add"], b"1,2\n").0, 7);
}

/// Runs `calc batch` with a pseudo-terminal for its standard error, and returns what it shows.
fn on_terminal(server: &Server, args: &[&str], input: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input.csv");
    fs::write(&path, input).unwrap();
    let mut script = python("tests/python/terminal.py");
    script.stdin(File::open(path).unwrap()).arg(program()).arg("batch").args(args);
    stdout_of(script.args(["--timeout", "30", "--target", &target(server)]))
}

#[test]
fn a_terminal_shows_the_progress_and_is_left_clean() {
    let server = calculator();
    let input = "1,0\n".repeat(20_000);
    let shown = on_terminal(&server, &["divide"], &input);
    assert!(shown.contains("KiB") && shown.contains("calculations, "), "{shown:?}");
    // The progress is cleared before the note.
    assert!(shown.ends_with("\r\u{1b}[2K20000 calculations have no result\r\n"), "{shown:?}");

    let shown = on_terminal(&server, &["add"], "1,2\nx\n");
    assert!(shown.contains("error: line 2 is `x`"), "{shown:?}");
}

/// A pipe has no length.
#[test]
fn a_terminal_shows_a_count_when_the_input_is_a_pipe() {
    let server = calculator();
    let mut script = python("tests/python/terminal.py");
    let args = ["batch", "add", "--timeout", "30", "--target", &target(&server)];
    let mut running = Running::start(script.arg(program()).args(args).stdin(Stdio::piped()));
    let (mut stdin, lines) = (running.stdin(), running.lines());
    for _ in 0..10_000 {
        stdin.write_all(b"1,2\n").unwrap();
    }
    drop(stdin);
    let shown: String = lines.iter().collect();
    assert!(shown.contains(" calculations in "), "{shown:?}");
    assert!(running.wait().success());
}

#[test]
fn a_quiet_command_shows_nothing_on_a_terminal() {
    let server = calculator();
    assert_eq!(on_terminal(&server, &["divide", "--quiet"], &"1,0\n".repeat(20_000)), "");
}

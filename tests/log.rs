//! The log of `calc serve`: the content of its lines, and that an unread standard error blocks nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{ChildStderr, Command};
use std::time::Instant;

use grpcio_kit::{CallOptions, Channel, Code, MetadataBuilder};

use crate::common::certificates::Folder;
use crate::common::process::{Running, ServerProcess, calc, python, run, stdout_of};
use crate::common::raw::RawClient;
use crate::common::{PATIENCE, needs_patch};

fn serve(arguments: &[&str]) -> Command {
    let mut command = calc(&["serve", "--listen", "127.0.0.1:0"]);
    command.args(arguments);
    command
}

fn client(target: &str) -> calc::Client {
    calc::Client::connect(target).unwrap().timeout(PATIENCE)
}

/// Shuts a server down and returns the rest of its log, without notices.
fn rest(mut server: ServerProcess) -> Vec<String> {
    server.process.signal(15);
    let mut lines = Vec::new();
    loop {
        let line = server.next_line();
        // In a log of JSON these are the messages of events.
        if line.contains("shut down; ") {
            assert_eq!(server.process.wait().code(), Some(0));
            return lines;
        }
        if !line.contains("SIGTERM: ") {
            lines.push(line);
        }
    }
}

#[test]
fn a_healthy_server_logs_nothing_at_info() {
    let server = ServerProcess::start(&mut serve(&[]));
    client(server.target()).add(20, 10).unwrap();
    client(server.target()).divide(1, 0).unwrap_err();
    assert_eq!(rest(server), [""; 0]);
}

#[test]
fn a_json_line_has_the_ids_that_the_client_sent() {
    let server = ServerProcess::start(&mut serve(&["--log-format", "json", "--access-log", "1"]));
    stdout_of(python("tests/python/access_log.py").arg("call").arg(server.target()));
    let lines = [server.next_line(), server.next_line(), server.next_line()];
    let checked = stdout_of(python("tests/python/access_log.py").arg("check").args(&lines));
    assert_eq!(
        checked,
        "/calc.Calculator/Add OK None 1 1 random None None\n\
         /calc.Calculator/Add OK None 1 1 request-1 0af7651916cd43dd8448eb211c80319c b7ad6b7169203331\n\
         /calc.Calculator/Divide INVALID_ARGUMENT division by zero 1 0 random None None\n"
    );
    assert_eq!(rest(server), [""; 0]);
}

#[test]
fn a_text_line_has_the_same_fields() {
    let server = ServerProcess::start(&mut serve(&["--access-log", "1"]));
    client(server.target()).divide(1, 0).unwrap_err();
    let line = server.next_line();
    for part in [
        "Z  INFO access: call method=\"/calc.Calculator/Divide\" peer=\"ipv4:127.0.0.1:",
        " code=\"INVALID_ARGUMENT\" error=\"division by zero\" duration_us=",
        " received=1 sent=0 request_id=\"",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[test]
fn a_sampled_access_log_has_every_server_error() {
    let server = ServerProcess::start(&mut serve(&["--access-log", "0.000000001"]));
    client(server.target()).add(20, 10).unwrap();
    let raw = RawClient::connect(server.target());
    assert_eq!(raw.call("/calc.Calculator/Add", &[0xff]).unwrap_err().code(), Code::Internal);
    let line = server.next_line();
    assert!(line.contains("INFO access: call") && line.contains("code=\"INTERNAL\""), "{line}");
    assert_eq!(rest(server), [""; 0]);
}

#[test]
fn the_level_hides_what_is_below_it() {
    for arguments in [["--log-level", "warn"], ["--log-level", "off"]] {
        let server = ServerProcess::start(serve(&["--access-log", "1"]).args(arguments));
        client(server.target()).add(20, 10).unwrap();
        assert_eq!(rest(server), [""; 0]);
    }
}

#[test]
fn details_of_the_c_core_are_logged_at_debug() {
    let server = ServerProcess::start(&mut serve(&["--log-level", "debug"]));
    let detail = server.wait_for_line_with(" DEBUG grpc_core: ");
    assert!(detail.contains(" file=\"src/core/"), "{detail}");
}

#[test]
fn an_error_of_the_c_core_is_an_event() {
    // Few files: some of the connections cannot be accepted.
    let calc = serve(&["--log-format", "json", "--queues", "1"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 40; exec \"$0\" \"$@\""]).arg(calc.get_program()).args(calc.get_args());
    let server = ServerProcess::start(&mut limited);
    let connections: Vec<_> = (0..60).map(|_| TcpStream::connect(server.target()).unwrap()).collect();
    let line = server.next_line();
    assert!(line.starts_with("{\"timestamp\":\"20") && line.ends_with('}'), "{line}");
    for part in [
        "\"level\":\"ERROR\"",
        "\"message\":\"File descriptor limit reached. Retrying.\"",
        "\"target\":\"grpc_core\"",
        "\"file\":\"src/core/lib/iomgr/tcp_server_posix.cc\"",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    drop(connections);
    client(server.target()).wait_for_ready(true).add(20, 10).unwrap();
}

/// Each was a line at ERROR.
#[test]
fn a_stranger_can_write_no_errors_and_few_lines_into_the_log_with_its_address() {
    needs_patch("0032");
    let folder = Folder::new();
    let (crt, key) = (folder.arg("tls.crt"), folder.arg("tls.key"));
    let tls = ["--tls-cert", &crt, "--tls-key", &key];
    for (tls, scenario, source) in [
        (&[][..], "bad_metadata", "src/core/ext/transport/chttp2/transport/hpack_parser.cc"),
        (&[], "no_preface", "src/core/ext/transport/chttp2/transport/chttp2_transport.cc"),
        (&tls, "no_preface", "src/core/lib/security/transport/security_handshaker.cc"),
    ] {
        let server = ServerProcess::start(&mut serve(tls));
        stdout_of(python("tests/python/hostile_frames.py").args([scenario, server.target(), "300"]));
        let lines = rest(server);
        assert!((1..100).contains(&lines.len()), "{lines:?}");
        for line in lines {
            let is_limited = line.contains(" suppressed=");
            assert!(line.contains("  INFO grpc_core: ") && line.contains(source) && is_limited, "{line}");
            assert!(line.contains(" ipv4:127.0.0.1:"), "it does not name the client: {line}");
        }
    }
}

/// A server whose standard error is full: no line has been read since it started.
struct Unread {
    server: Running,
    stderr: BufReader<ChildStderr>,
    target: String,
}

impl Unread {
    fn start() -> Unread {
        let mut server = Running::start(&mut serve(&["--metrics", "127.0.0.1:0", "--access-log", "1"]));
        let mut stderr = BufReader::with_capacity(1, server.stderr());
        let mut line = || {
            let mut line = String::new();
            stderr.read_line(&mut line).unwrap();
            line
        };
        let metrics = line();
        let metrics =
            metrics.trim_end().strip_prefix("metrics on http://").unwrap().strip_suffix("/metrics").unwrap().to_owned();
        let target = line().trim_end().strip_prefix("listening on ").unwrap().to_owned();
        let channel = Channel::connect(&target).unwrap();
        let begin = Instant::now();
        while dropped(&metrics) == 0 {
            assert!(begin.elapsed() < PATIENCE, "no line is dropped");
            for _ in 0..500 {
                // Every RPC is answered, whether the pipe is full or not.
                assert_eq!(add(&channel), 30);
            }
        }
        Unread { server, stderr, target }
    }
}

/// Makes an RPC with a long line in the access log.
fn add(channel: &Channel) -> i32 {
    use calc::proto::calc::AddRequest;
    let mut metadata = MetadataBuilder::new();
    metadata.add_str("x-request-id", &"x".repeat(128)).unwrap();
    let request = AddRequest { n1: 20, n2: 10, ..Default::default() };
    let options = CallOptions::default().timeout(PATIENCE).metadata(metadata.build());
    channel.unary(calc::proto::calc_grpc::calculator::ADD, &request, options).unwrap().n1
}

/// Returns the number of dropped lines on the metrics page.
fn dropped(metrics: &str) -> u64 {
    let mut stream = TcpStream::connect(metrics).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    let line = page.lines().find_map(|line| line.strip_prefix("calc_log_lines_dropped_total "));
    line.unwrap().parse().unwrap()
}

#[test]
fn an_unread_log_blocks_neither_rpcs_nor_the_shutdown() {
    let mut unread = Unread::start();
    unread.server.signal(15);
    assert_eq!(unread.server.wait().code(), Some(0));
}

#[test]
fn the_log_reports_how_many_lines_were_dropped() {
    let mut unread = Unread::start();
    let mut line = String::new();
    while !line.contains("WARN") {
        line.clear();
        assert!(unread.stderr.read_line(&mut line).unwrap() > 0, "the log ended");
    }
    assert!(line.contains("log lines were dropped: nobody read them in time lines="), "{line}");
    client(&unread.target).add(20, 10).unwrap();
}

/// SIGXFSZ ended it.
#[test]
fn a_log_at_the_size_limit_of_its_file_does_not_end_the_server() {
    let folder = Folder::new();
    let (target, log) = (format!("unix:{}", folder.arg("calc.sock")), folder.arg("log"));
    let calc = calc(&["serve", "--listen", &target, "--access-log", "1"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 1; log=$1; shift; exec \"$0\" \"$@\" 2>\"$log\""]);
    let mut server = ServerProcess::start(limited.arg(calc.get_program()).arg(&log).args(calc.get_args()));
    // A call is more than 100 bytes of the log; the limit is 1,024 bytes at most.
    for _ in 0..100 {
        client(&target).add(20, 10).unwrap();
    }
    server.process.signal(15);
    assert_eq!(server.process.wait().code(), Some(0));
    assert!((1..=1024).contains(&std::fs::metadata(log).unwrap().len()));
}

#[test]
fn invalid_values_are_rejected_with_the_valid_ones() {
    for (flag, value, message) in [
        ("--access-log", "2", "`2` is not a sampling rate from 0 to 1, or `off`"),
        ("--access-log", "nan", "`nan` is not a sampling rate from 0 to 1"),
        ("--log-level", "loud", "[possible values: debug, error, info, off, trace, warn]"),
        ("--log-format", "xml", "[possible values: json, text]"),
        ("--metrics", ":9090", "it has no host"),
    ] {
        let output = run(&mut serve(&[flag, value]));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
}

//! OpenTelemetry traces, as a collector receives them, and the trace context of RPCs.

use std::process::Command;

use grpcio_kit::TraceContext;
use grpcio_kit::{
    Call, CallOptions, Channel, Code, Interceptor, MetadataBuilder, Method, Server, ServiceBuilder, Status,
};
use protobuf::well_known_types::wrappers::StringValue;

use crate::common::process::{ServerProcess, calc, python, run};
use crate::common::{PATIENCE, channel, start};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
/// A method that the server does not have.
const NOTHING: Method<StringValue, StringValue> = Method::new("/calc.Calculator/Nothing");

fn collector(flags: &[&str]) -> ServerProcess {
    ServerProcess::start(python("tests/python/collector.py").args(flags))
}

fn serve(endpoint: &str, arguments: &[&str]) -> Command {
    let mut command = calc(&["serve", "--listen=127.0.0.1:0", "--otlp-endpoint", endpoint]);
    command.args(arguments);
    command
}

fn options(traceparent: &str) -> CallOptions {
    let mut metadata = MetadataBuilder::new();
    metadata.add_str("traceparent", traceparent).unwrap();
    CallOptions::default().timeout(PATIENCE).metadata(metadata.build())
}

#[test]
fn a_collector_receives_the_spans_of_rpcs_whose_clients_record_them() {
    let collector = collector(&[]);
    let endpoint = format!("http://{}", collector.target());
    let server = ServerProcess::start(serve(&endpoint, &["--trace-rate=0"]).env("OTEL_BSP_SCHEDULE_DELAY", "50"));
    let channel = Channel::connect(server.target()).unwrap();
    let client = calc::Client::connect(server.target()).unwrap().timeout(PATIENCE);
    // Not recorded: there is no trace, or the client does not record it.
    client.add(20, 10).unwrap();
    let call =
        |flags: &str| channel.unary(NOTHING, &StringValue::new(), options(&format!("00-{TRACE}-{PARENT}-{flags}")));
    assert_eq!(call("00").unwrap_err().code(), Code::Unimplemented);
    assert_eq!(call("01").unwrap_err().code(), Code::Unimplemented);
    assert_eq!(
        collector.next_line(),
        format!("calc other/other {TRACE} {PARENT} 12 error (unknown method Nothing for service calc.Calculator)")
    );
}

#[test]
fn a_trace_that_begins_here_is_sent_before_the_server_ends() {
    let collector = collector(&[]);
    let endpoint = format!("http://{}/", collector.target());
    let mut server =
        ServerProcess::start(serve(&endpoint, &["--trace-rate=1"]).env("OTEL_BSP_SCHEDULE_DELAY", "600000"));
    let client = calc::Client::connect(server.target()).unwrap().timeout(PATIENCE);
    client.divide(1, 0).unwrap_err();
    server.process.signal(15);
    assert_eq!(server.process.wait().code(), Some(0));
    let line = collector.next_line();
    let words: Vec<_> = line.split(' ').collect();
    assert_eq!(
        (&words[..2], &words[3..]),
        (&["calc", "calc.Calculator/Divide"][..], &["none", "3", "unset"][..]),
        "{line}"
    );
}

#[test]
fn no_rpc_and_no_shutdown_waits_for_a_collector_that_does_not_answer() {
    let silent = collector(&["--silent"]);
    let mut server = ServerProcess::start(
        serve(&format!("http://{}", silent.target()), &["--trace-rate=1"])
            .env("OTEL_BSP_SCHEDULE_DELAY", "50")
            .env("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
    );
    let client = calc::Client::connect(server.target()).unwrap().timeout(PATIENCE);
    client.add(20, 10).unwrap();
    silent.wait_for_line_with("a request");
    for _ in 0..1000 {
        client.add(20, 10).unwrap();
    }
    let dropped = server.wait_for_line_with("BatchSpanProcessor.SpanDroppingStarted");
    assert!(dropped.contains("WARN"), "{dropped}");
    server.process.signal(15);
    assert_eq!(server.process.wait().code(), Some(0));
}

#[test]
fn an_endpoint_that_is_no_url_of_a_collector_is_a_usage_error() {
    for endpoint in ["127.0.0.1:4318", "https://127.0.0.1:4318"] {
        let output = run(&mut serve(endpoint, &["--check"]));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{stderr}");
        assert!(stderr.contains("--otlp-endpoint") && stderr.contains("write http://HOST:PORT"), "{stderr}");
    }
}

const WHICH: Method<StringValue, StringValue> = Method::new("/test.Traces/Which");

fn text(value: String) -> StringValue {
    StringValue { value, ..Default::default() }
}

/// Answers with the trace that it belongs to.
fn which() -> Server {
    let service = ServiceBuilder::new("test.Traces").unary(WHICH, |call, _: StringValue| {
        Ok(text(call.trace_context().map_or_else(String::new, |it| it.to_string())))
    });
    start(Server::builder().service(service.build()))
}

/// Records each RPC as span 7.
struct Seven;

impl Interceptor for Seven {
    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        let parent = call.client_trace_context().ok_or_else(|| Status::new(Code::InvalidArgument, "no trace"))?;
        call.set_span(TraceContext { span_id: 7, ..parent });
        Ok(())
    }
}

#[test]
fn a_server_carries_a_trace_on_with_its_own_span_or_the_clients() {
    let behind = which();
    for recorded in [false, true] {
        let next = channel(&behind);
        let service = ServiceBuilder::new("test.Traces").unary_async(WHICH, move |call, request: StringValue| {
            let options = CallOptions::default().timeout(PATIENCE).trace_context(call.trace_context());
            next.unary_async(WHICH, &request, options)
        });
        let mut builder = Server::builder().service(service.build());
        if recorded {
            builder = builder.interceptor(Seven);
        }
        let front = start(builder);
        let traceparent = format!("00-{TRACE}-{PARENT}-01");
        let reply = channel(&front).unary(WHICH, &StringValue::new(), options(&traceparent)).unwrap();
        let span = if recorded { "0000000000000007" } else { PARENT };
        assert_eq!(reply.value, format!("00-{TRACE}-{span}-01"));
    }
}

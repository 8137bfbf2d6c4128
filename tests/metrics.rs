//! The metrics page: what Prometheus scrapes after RPCs of every kind.

use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use calc::proto::calc::AddRequest;
use futures::executor::block_on_stream;
use futures::{StreamExt, stream};
use grpcio_kit::http::{HttpServer, Pages};
use grpcio_kit::{
    BearerTokens, Call, CallOptions, Code, Interceptor, Limits, MetadataBuilder, Method, Metrics, MetricsError, Server,
    ServerBuilder, ServiceBuilder, StartError, Status, core_version,
};

use crate::common::certificates::Folder;
use crate::common::process::{ServerProcess, calc, python, run, stdout_of};
use crate::common::raw::RawClient;
use crate::common::{PATIENCE, channel, client, start, target, wait_until};
use crate::kinds::{Echo, corners, radius, shape};
use crate::panics::Log;
use crate::protos::kinds_grpc::{KindsClient, kinds_service};

const TOKEN: &str = "0123456789abcdef";

const SLOW: Method<AddRequest, AddRequest> = Method::new("/test.Slow/Slow");

/// Rejects RPCs that ask for it.
struct Refuse;

impl Interceptor for Refuse {
    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        match call.metadata("refuse") {
            Some(_) => Err(Status::new(Code::PermissionDenied, "as requested")),
            None => Ok(()),
        }
    }
}

fn metrics() -> Metrics {
    Metrics::new("test", "1.2.3", NonZeroUsize::new(2).unwrap()).unwrap()
}

/// Starts a server with metrics, and the HTTP endpoint that serves them.
fn counted(builder: ServerBuilder) -> (Server, HttpServer) {
    counted_before(builder.service(kinds_service(Echo)), Refuse)
}

/// Like [`counted`], with an interceptor whose rejections are counted.
fn counted_before(builder: ServerBuilder, interceptor: impl Interceptor) -> (Server, HttpServer) {
    let metrics = metrics();
    let server = start(builder.metrics(&metrics).interceptor(interceptor));
    (server, HttpServer::start(&"127.0.0.1:0".parse().unwrap(), Pages::new().metrics(metrics)).unwrap())
}

fn page(port: &HttpServer) -> String {
    format!("http://{}/metrics", port.address())
}

/// Reads the page strictly, until these series have these values.
fn expect(page: &str, series: &[&str]) {
    let output = stdout_of(python("tests/python/metrics.py").arg(page).args(series));
    assert!(output.ends_with("the page is right\n"), "{output}");
}

/// Returns the value of a series, which is an integer.
fn value(page: &str, series: &str) -> u64 {
    let value = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{series}: {page}")).parse().unwrap()
}

fn options() -> CallOptions {
    CallOptions::default().timeout(PATIENCE)
}

#[test]
fn every_series_exists_before_the_first_rpc() {
    let (_server, port) = counted(calc::server::builder());
    expect(
        &page(&port),
        &[
            &format!("test_build_info{{version=1.2.3,grpc_core={}}} 1", core_version()),
            "grpc_server_queue_threads 2",
            "grpc_server_core_started_total 0",
            "grpc_server_started_total{grpc_type=unary,grpc_service=calc.Calculator,grpc_method=Divide} 0",
            "grpc_server_started_total{grpc_type=bidi_stream,grpc_service=calc.BatchCalculator,grpc_method=Calculate} 0",
            "grpc_server_handled_total{grpc_type=bidi_stream,grpc_service=test.Kinds,grpc_method=BidiStreaming,\
             grpc_code=Unauthenticated} 0",
            "grpc_server_handling_seconds_bucket{grpc_type=client_stream,grpc_service=test.Kinds,\
             grpc_method=ClientStreaming,le=0.005} 0",
            "grpc_server_in_flight{grpc_type=server_stream,grpc_service=test.Kinds,grpc_method=ServerStreaming} 0",
        ],
    );
}

#[test]
fn an_rpc_that_blocks_its_thread_is_counted_and_logged() {
    let log = Log::install();
    let (server, port) = counted(calc::server::builder().blocked_thread_threshold(Some(Duration::ZERO)));
    assert_eq!(client(&server).multiply(3, 4), Ok(12));
    let multiply = "{grpc_type=unary,grpc_service=calc.Calculator,grpc_method=Multiply} 1";
    expect(&page(&port), &[&format!("grpc_server_blocked_thread_total{multiply}")]);
    let log = log.text();
    let warning = "the method blocked a completion queue's thread";
    assert!(log.lines().any(|line| line.contains(warning) && line.contains("/calc.Calculator/Multiply")), "{log}");
}

#[test]
fn the_page_counts_the_rpcs_that_were_made() {
    let (server, port) = counted(calc::server::builder());
    let calculator = client(&server);
    for _ in 0..5 {
        assert_eq!(calculator.add(20, 10), Ok(30));
    }
    calculator.divide(1, 0).unwrap_err();
    let kinds = KindsClient::new(channel(&server));
    assert_eq!(kinds.server_streaming(&shape(7), options()).count(), 7);
    kinds.client_streaming(corners(2), options()).unwrap();
    assert_eq!(kinds.bidi_streaming([1.0, 2.0].map(radius), options()).count(), 2);
    let _ = kinds.bidi_streaming([-1.0].map(radius), options()).count();
    let mut refuse = MetadataBuilder::new();
    refuse.add_str("refuse", "please").unwrap();
    kinds.unary(&shape(1), options().metadata(refuse.build())).unwrap_err();
    RawClient::connect(&target(&server)).call("/test.Kinds/None", &[]).unwrap_err();

    let add = "grpc_type=unary,grpc_service=calc.Calculator,grpc_method=Add";
    let divide = "grpc_type=unary,grpc_service=calc.Calculator,grpc_method=Divide";
    let unary = "grpc_type=unary,grpc_service=test.Kinds,grpc_method=Unary";
    let server_stream = "grpc_type=server_stream,grpc_service=test.Kinds,grpc_method=ServerStreaming";
    let client_stream = "grpc_type=client_stream,grpc_service=test.Kinds,grpc_method=ClientStreaming";
    let bidi = "grpc_type=bidi_stream,grpc_service=test.Kinds,grpc_method=BidiStreaming";
    let mut series = Vec::new();
    for (labels, code, handled, received, sent) in [
        (add, "OK", 5, 5, 5),
        (divide, "InvalidArgument", 1, 1, 0),
        (unary, "PermissionDenied", 1, 1, 0),
        (server_stream, "OK", 1, 1, 7),
        (client_stream, "OK", 1, 2, 1),
        (bidi, "OK", 1, 3, 2),
        (bidi, "OutOfRange", 1, 3, 2),
    ] {
        series.push(format!("grpc_server_handled_total{{{labels},grpc_code={code}}} {handled}"));
        series.push(format!("grpc_server_msg_received_total{{{labels}}} {received}"));
        series.push(format!("grpc_server_msg_sent_total{{{labels}}} {sent}"));
        series.push(format!("grpc_server_in_flight{{{labels}}} 0"));
    }
    series.push(format!("grpc_server_started_total{{{add}}} 5"));
    series.push(format!("grpc_server_started_total{{{bidi}}} 2"));
    series.push(format!("grpc_server_handling_seconds_count{{{add}}} 5"));
    series.push(format!("grpc_server_handling_seconds_bucket{{{bidi},le=+Inf}} 2"));
    expect(&page(&port), &series.iter().map(String::as_str).collect::<Vec<_>>());
}

/// A client without access does not learn the limit.
#[test]
fn a_request_over_the_limit_is_rejected_for_its_size_only_after_authentication() {
    let folder = Folder::new();
    folder.put("tokens", TOKEN);
    let tokens = BearerTokens::file(folder.path("tokens")).load().unwrap();
    let limits = Limits { max_request_bytes: 1_000, ..Limits::default() };
    let (server, port) = counted_before(calc::server::builder().limits(limits), tokens);
    let (client, large) = (RawClient::connect(&target(&server)), [0_u8; 1_001]);
    let method = "/calc.Calculator/Add";
    assert_eq!(client.call(method, &large).unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(client.call_as(TOKEN, method, &large).unwrap_err().code(), Code::ResourceExhausted);
    let add = "grpc_type=unary,grpc_service=calc.Calculator,grpc_method=Add";
    expect(
        &page(&port),
        &[
            &format!("grpc_server_handled_total{{{add},grpc_code=Unauthenticated}} 1"),
            &format!("grpc_server_handled_total{{{add},grpc_code=ResourceExhausted}} 1"),
            &format!("grpc_server_started_total{{{add}}} 2"),
        ],
    );
}

#[test]
fn an_rpc_in_flight_is_counted_until_it_ends() {
    let (server, port) = counted(Server::builder());
    let labels = "grpc_type=bidi_stream,grpc_service=test.Kinds,grpc_method=BidiStreaming";
    let endless = stream::iter([radius(1.0)]).chain(stream::pending());
    let mut replies = block_on_stream(KindsClient::new(channel(&server)).bidi_streaming_async(endless, options()));
    assert!(replies.next().unwrap().is_ok());
    expect(&page(&port), &[&format!("grpc_server_in_flight{{{labels}}} 1")]);
    drop(replies);
    expect(
        &page(&port),
        &[
            &format!("grpc_server_in_flight{{{labels}}} 0"),
            &format!("grpc_server_handled_total{{{labels},grpc_code=Canceled}} 1"),
            &format!("grpc_server_handled_total{{{labels},grpc_code=OK}} 0"),
        ],
    );
}

/// They were in no metric at all.
#[test]
fn rpcs_that_reach_no_method_of_the_server_are_counted_and_add_no_series() {
    let metrics = metrics();
    let server = start(calc::server::builder().metrics(&metrics));
    let series = || metrics.page().unwrap().lines().count();
    let received = || value(&metrics.page().unwrap(), "grpc_server_core_started_total");
    assert_eq!(received(), 0);
    let (before, client) = (series(), RawClient::connect(&target(&server)));
    for number in 0..5 {
        let status = client.call(&format!("/stranger.Service{number}/Method"), &[]).unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented);
    }
    client.call("/calc.Calculator/Add", &[]).unwrap();
    assert_eq!((received(), series()), (6, before));
    // One without a request, which its client ends.
    let open = client.open("/calc.Calculator/Add");
    wait_until(|| received() == 7);
    drop(open);
    let add = "grpc_server_started_total{grpc_method=\"Add\",grpc_service=\"calc.Calculator\",grpc_type=\"unary\"}";
    assert_eq!(value(&metrics.page().unwrap(), add), 1);
}

/// `grpc_server_handling_seconds` begins after it: an overloaded server looked fast.
#[test]
fn the_wait_in_a_queue_is_measured() {
    let slow = ServiceBuilder::new("test.Slow").unary(SLOW, |_, request: AddRequest| {
        thread::sleep(Duration::from_millis(600));
        Ok(request)
    });
    let metrics = metrics();
    let server = start(Server::builder().queues(NonZeroUsize::MIN).service(slow.build()).metrics(&metrics));
    channel(&server).unary(SLOW, &AddRequest::new(), options()).unwrap();
    // Of the events that came meanwhile, the first waited for half a second.
    wait_until(|| {
        let page = metrics.page().unwrap();
        let bucket = |bound| value(&page, &format!("grpc_server_queue_wait_seconds_bucket{{le=\"{bound}\"}}"));
        bucket("+Inf") > bucket("0.25")
    });
}

#[test]
fn metrics_are_those_of_one_server() {
    let metrics = metrics();
    let _server = start(Server::builder().metrics(&metrics));
    let second = Server::builder().metrics(&metrics).listen("127.0.0.1:0".parse().unwrap()).start();
    assert!(matches!(second.err(), Some(StartError::Metrics(_))));
}

#[test]
fn other_metrics_can_be_added_under_unique_names() {
    let metrics = metrics();
    metrics.counter("test_things_total", "Things.", || 3).unwrap();
    metrics.gauge("test_degrees", "Degrees.", || -1.5).unwrap();
    let collected = prometheus::IntGauge::new("test_collected", "Collected.").unwrap();
    collected.set(7);
    metrics.register(Box::new(collected)).unwrap();
    let page = metrics.page().unwrap();
    for line in ["test_things_total 3", "test_degrees -1.5", "test_collected 7"] {
        assert!(page.lines().any(|other| other == line), "{line}: {page}");
    }
    for name in ["test_things_total", "grpc_server_started_total", "no name"] {
        let error = metrics.gauge(name, "Again.", || 0.0).unwrap_err();
        assert!(matches!(error, MetricsError::Register { .. }) && error.to_string().contains(name), "{error}");
    }
    assert!(Metrics::new("no name", "1", NonZeroUsize::MIN).is_err());
}

#[test]
fn calc_serve_has_every_metric_of_the_dashboard() {
    let mut server = ServerProcess::start(&mut calc(&["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]));
    let page = server.metrics.clone().unwrap();
    let client = calc::Client::connect(server.target()).unwrap().timeout(PATIENCE);
    client.add(20, 10).unwrap();
    expect(
        &page,
        &[
            "grpc_server_handled_total{grpc_type=unary,grpc_service=calc.Calculator,grpc_method=Add,grpc_code=OK} 1",
            &format!("calc_build_info{{version={},grpc_core={}}} 1", calc::VERSION, core_version()),
            "calc_log_lines_dropped_total 0",
        ],
    );
    let output = stdout_of(python("tests/python/dashboard.py").arg("deploy/grafana/calc.json").arg(&page));
    assert!(output.ends_with(" metrics of the dashboard are on the page\n"), "{output}");
    server.process.signal(15);
    assert_eq!(server.process.wait().code(), Some(0));
}

#[test]
fn a_metrics_address_in_use_is_named_and_the_server_does_not_start() {
    let (_server, port) = counted(Server::builder());
    let output = run(&mut calc(&["serve", "--listen", "127.0.0.1:0", "--metrics", &port.address().to_string()]));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(stderr.contains(&format!("cannot listen on {} for HTTP", port.address())), "{stderr}");
}

//! The health service, by our client and by Python's, and with thousands of watches.

use std::thread;
use std::time::Instant;

use calc::proto::calc_grpc::calculator;
use futures::executor::block_on;
use futures::future::join_all;
use futures::{FutureExt, StreamExt};
use grpcio_kit::proto::grpc_health::health::health_check_response::ServingStatus as Proto;
use grpcio_kit::proto::grpc_health::health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest};
use grpcio_kit::proto::grpc_health::health_grpc::HealthClient;
use grpcio_kit::{
    CallOptions, Channel, Code, Drain, Health, Limits, Replies, Server, ServerBuilder, ServingStatus, StartError,
    Status,
};

use crate::common::process::{Running, ServerProcess, calc, python, stdout_of};
use crate::common::{PATIENCE, calculator, channel, start, target};

/// What `tests/python/health.py` prints for a new Calculator.
pub const ANSWERS: &str = "\
check '': SERVING
check 'calc.Calculator': SERVING
check 'test.Nowhere': NOT_FOUND
list '': SERVING
list 'calc.BatchCalculator': SERVING
list 'calc.Calculator': SERVING
watch '': SERVING
watch 'test.Nowhere': SERVICE_UNKNOWN
";

fn health() -> (Server, Health) {
    let health = Health::new();
    (start(Server::builder().health(health.clone()).limits(many())), health)
}

fn client(server: &Server) -> HealthClient {
    HealthClient::new(channel(server))
}

fn options() -> CallOptions {
    CallOptions::default().timeout(PATIENCE)
}

fn request(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned(), ..Default::default() }
}

fn check(client: &HealthClient, service: &str) -> Result<Proto, Code> {
    state(client.check(&request(service), options()))
}

fn watch(client: &HealthClient, service: &str) -> Replies<HealthCheckResponse> {
    client.watch(&request(service), options())
}

fn next(watch: &mut Replies<HealthCheckResponse>) -> Result<Proto, Code> {
    state(watch.next().expect("the watch has ended"))
}

fn state(reply: Result<HealthCheckResponse, Status>) -> Result<Proto, Code> {
    reply.map(|reply| reply.status.enum_value().unwrap()).map_err(|status| status.code())
}

/// Waits until there are this many watches.
fn wait_for_watches(health: &Health, count: usize) {
    let begin = Instant::now();
    while health.watches() != count {
        assert!(begin.elapsed() < PATIENCE, "{} watches, not {count}", health.watches());
        thread::yield_now();
    }
}

#[test]
fn a_calculator_is_serving_from_the_start() {
    let server = calculator();
    assert_eq!(check(&client(&server), ""), Ok(Proto::SERVING));
    assert_eq!(check(&client(&server), calculator::NAME), Ok(Proto::SERVING));
    assert_eq!(server.health().unwrap().get(calculator::NAME), Some(ServingStatus::Serving));
}

#[test]
fn a_check_returns_the_last_status_that_was_set() {
    let (server, health) = health();
    let client = client(&server);
    assert_eq!(check(&client, "test.Service"), Err(Code::NotFound));
    for (status, expected) in [
        (ServingStatus::Unknown, Proto::UNKNOWN),
        (ServingStatus::Serving, Proto::SERVING),
        (ServingStatus::NotServing, Proto::NOT_SERVING),
    ] {
        health.set("test.Service", status);
        assert_eq!(check(&client, "test.Service"), Ok(expected));
    }
    assert_eq!(check(&client, ""), Ok(Proto::SERVING));
    health.clear("test.Service");
    assert_eq!(check(&client, "test.Service"), Err(Code::NotFound));
}

#[test]
fn a_list_has_every_known_service_up_to_100() {
    let (server, health) = health();
    let client = client(&server);
    // Unknown, and watched.
    let mut watch = watch(&client, "test.Nowhere");
    assert_eq!(next(&mut watch), Ok(Proto::SERVICE_UNKNOWN));
    for n in 1..100 {
        health.set(&format!("test.Service{n}"), ServingStatus::NotServing);
    }
    let list = client.list(&HealthListRequest::new(), options()).unwrap().statuses;
    assert_eq!(list.len(), 100);
    assert_eq!(list[""].status.enum_value(), Ok(Proto::SERVING));
    assert_eq!(list["test.Service99"].status.enum_value(), Ok(Proto::NOT_SERVING));

    health.set("test.Service100", ServingStatus::Serving);
    let status = client.list(&HealthListRequest::new(), options()).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
}

#[test]
fn a_watch_receives_the_current_status_and_then_each_change() {
    let (server, health) = health();
    let mut watch = watch(&client(&server), "test.Service");
    assert_eq!(next(&mut watch), Ok(Proto::SERVICE_UNKNOWN));
    health.set("test.Other", ServingStatus::Unknown);
    health.set("test.Service", ServingStatus::NotServing);
    assert_eq!(next(&mut watch), Ok(Proto::NOT_SERVING));
    // The same again is no change.
    health.set("test.Service", ServingStatus::NotServing);
    health.set("test.Service", ServingStatus::Serving);
    assert_eq!(next(&mut watch), Ok(Proto::SERVING));
    health.clear("test.Service");
    assert_eq!(next(&mut watch), Ok(Proto::SERVICE_UNKNOWN));
    health.set("test.Service", ServingStatus::Serving);
    assert_eq!(next(&mut watch), Ok(Proto::SERVING));
}

#[test]
fn changes_that_come_faster_than_they_are_read_arrive_in_order_and_the_last_one_always_does() {
    let (server, health) = health();
    let mut watch = watch(&client(&server), "");
    assert_eq!(next(&mut watch), Ok(Proto::SERVING));
    let statuses = [ServingStatus::Unknown, ServingStatus::NotServing, ServingStatus::Serving];
    for status in statuses.iter().cycle().take(3 * 1000) {
        health.set("", *status);
    }
    health.clear("");
    let mut last = Proto::SERVING;
    while last != Proto::SERVICE_UNKNOWN {
        let next = next(&mut watch).unwrap();
        assert_ne!(next, last);
        last = next;
    }
}

#[test]
fn after_a_shutdown_nothing_is_serving_and_nothing_can_change_that() {
    let (server, health) = health();
    let client = client(&server);
    health.set("test.Service", ServingStatus::Serving);
    let mut watch = watch(&client, "test.Service");
    assert_eq!(next(&mut watch), Ok(Proto::SERVING));
    health.shutdown();
    assert_eq!(next(&mut watch), Ok(Proto::NOT_SERVING));
    health.set("", ServingStatus::Serving);
    health.set("test.New", ServingStatus::Serving);
    health.clear("test.Service");
    assert_eq!(check(&client, ""), Ok(Proto::NOT_SERVING));
    assert_eq!(check(&client, "test.Service"), Ok(Proto::NOT_SERVING));
    assert_eq!(check(&client, "test.New"), Err(Code::NotFound));
}

#[test]
fn watches_do_not_delay_the_shutdown_of_a_server() {
    let server = calculator();
    let health = server.health().unwrap().clone();
    let mut watch = watch(&client(&server), "");
    assert_eq!(next(&mut watch), Ok(Proto::SERVING));
    assert_eq!(server.shutdown(PATIENCE), Drain::Clean);
    // grpcio's receiver may drop the reply that comes together with the status.
    let end = watch.map(state).find_map(Result::err);
    assert_eq!(end, Some(Code::Unavailable));
    assert_eq!(health.watches(), 0);
}

#[test]
fn a_watch_that_is_cancelled_leaves_nothing_behind() {
    let (server, health) = health();
    let client = client(&server);
    for service in ["", "test.Nowhere"] {
        let mut watch = watch(&client, service);
        next(&mut watch).unwrap();
        assert_eq!(health.watches(), 1);
        drop(watch);
        wait_for_watches(&health, 0);
    }
}

/// Limits that let one connection have thousands of watches.
fn many() -> Limits {
    Limits { max_concurrent_streams: 2000, ..Limits::default() }
}

#[test]
fn names_that_are_unknown_are_limited_in_length_and_number() {
    let (server, health) = health();
    let client = client(&server);
    let longest = "x".repeat(Health::MAX_UNKNOWN_NAME);
    let mut first = watch(&client, &longest);
    assert_eq!(next(&mut first), Ok(Proto::SERVICE_UNKNOWN));
    assert_eq!(next(&mut watch(&client, &format!("{longest}x"))), Err(Code::InvalidArgument));

    let mut watches: Vec<_> = (1..Health::MAX_UNKNOWN_NAMES)
        .map(|n| client.watch_async(&request(&format!("test.N{n}")), options()))
        .collect();
    for reply in block_on(join_all(watches.iter_mut().map(StreamExt::next))) {
        assert_eq!(state(reply.unwrap()), Ok(Proto::SERVICE_UNKNOWN));
    }
    assert_eq!(next(&mut watch(&client, "test.More")), Err(Code::ResourceExhausted));
    // Neither limit applies to known services, nor to a name that is watched already.
    assert_eq!(next(&mut watch(&client, "test.N1")), Ok(Proto::SERVICE_UNKNOWN));
    assert_eq!(next(&mut watch(&client, "")), Ok(Proto::SERVING));
    health.set(&format!("{longest}x"), ServingStatus::Serving);
    assert_eq!(next(&mut watch(&client, &format!("{longest}x"))), Ok(Proto::SERVING));

    drop((first, watches));
    wait_for_watches(&health, 0);
    assert_eq!(next(&mut watch(&client, "test.More")), Ok(Proto::SERVICE_UNKNOWN));
}

#[test]
fn five_thousand_watches_all_see_a_change_and_leave_nothing_behind() {
    const WATCHES: usize = 5000;
    let health = Health::new();
    let addresses = (0..4).map(|_| "127.0.0.1:0".parse().unwrap());
    let server = start(addresses.fold(Server::builder().health(health.clone()).limits(many()), ServerBuilder::listen));
    // Channels to one address would share a connection.
    let targets = server.addresses().iter().map(ToString::to_string);
    let channels: Vec<_> = targets.map(|target| HealthClient::new(Channel::connect(&target).unwrap())).collect();
    assert_eq!(channels.len(), 5);
    let mut watches: Vec<_> =
        (0..WATCHES).map(|n| channels[n % channels.len()].watch_async(&request(""), options())).collect();
    let mut all = |expected| {
        for reply in block_on(join_all(watches.iter_mut().map(StreamExt::next))) {
            assert_eq!(state(reply.unwrap()), Ok(expected));
        }
    };
    all(Proto::SERVING);
    assert_eq!(health.watches(), WATCHES);
    health.set("", ServingStatus::NotServing);
    all(Proto::NOT_SERVING);
    // None of them has received anything else.
    assert!(watches.iter_mut().all(|watch| watch.next().now_or_never().is_none()));
    drop(watches);
    wait_for_watches(&health, 0);
}

#[test]
fn a_second_health_service_is_an_error() {
    let own = grpcio_kit::ServiceBuilder::new("grpc.health.v1.Health").build();
    let server = Server::builder().listen("127.0.0.1:0".parse().unwrap()).service(own).health(Health::new());
    assert!(matches!(server.start(), Err(StartError::DuplicateService("grpc.health.v1.Health"))));
}

#[test]
fn python_gets_an_answer_to_every_method() {
    let server = calculator();
    assert_eq!(stdout_of(python("tests/python/health.py").args([&target(&server), "all"])), ANSWERS);
}

#[test]
fn python_watches_a_server_shut_down() {
    let mut server = ServerProcess::start(&mut calc(&["serve", "--listen", "127.0.0.1:0", "--grace", "30"]));
    let mut python = Running::start(python("tests/python/health.py").args([server.target(), "watch"]));
    let states = python.lines();
    assert_eq!(states.recv_timeout(PATIENCE).unwrap(), "SERVING");
    server.process.signal(15);
    assert_eq!(states.recv_timeout(PATIENCE).unwrap(), "NOT_SERVING");
    assert_eq!(states.recv_timeout(PATIENCE).unwrap(), "UNAVAILABLE: the server is shutting down");
    assert!(python.wait().success());
    assert_eq!(server.process.wait().code(), Some(0));
}

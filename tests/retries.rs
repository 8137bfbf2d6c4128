//! What a client does for a call to succeed: retries, the addresses of a target in turn, keepalive, deadlines carried on.

use std::net::ToSocketAddrs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use calc::client::IDEMPOTENT;
use calc::proto::calc::{AddReply, AddRequest};
use calc::proto::calc_grpc::CalculatorClient;
use calc::{Client, Error};
use futures::executor::block_on;
use futures::future::join_all;
use grpcio_kit::{Call, CallOptions, Channel, Code, ConnectError, Interceptor, Method, Server, ServiceBuilder, Status};

use crate::common::process::{ServerProcess, calc, python, stdout_of};
use crate::common::{PATIENCE, calculator, channel, client, needs_patch, start, target, wait_until};

/// A Calculator on Python's grpcio with a fault; `subtract` returns the number of calls of `add`.
fn faulty(fault: &str) -> ServerProcess {
    ServerProcess::start(python("tests/python/faulty_calculator.py").arg(fault))
}

fn attempts(server: &ServerProcess) -> i32 {
    plain(server).subtract(0, 0).unwrap()
}

/// A client with the channel's defaults.
fn plain(server: &ServerProcess) -> Client {
    Client::new(Channel::connect(server.target()).unwrap()).timeout(PATIENCE)
}

#[test]
fn a_call_that_fails_with_unavailable_has_four_attempts() {
    let server = faulty("restarting");
    assert_eq!(Client::connect(server.target()).unwrap().timeout(PATIENCE).add(20, 10), Ok(30));
    assert_eq!(attempts(&server), 4);
    let server = faulty("restarting");
    assert_eq!(stdout_of(&mut calc(&["add", "20", "10", "--timeout=30", "--target", server.target()])), "30\n");
    let server = faulty("unavailable");
    let error = Client::connect(server.target()).unwrap().timeout(PATIENCE).add(20, 10).unwrap_err();
    assert!(matches!(&error, Error::Unavailable(status) if status.message() == "in repair"), "{error}");
    assert_eq!(attempts(&server), 4);
}

/// The process aborted, because the attempt that began nevertheless had no metadata: grpc/grpc#34844.
#[test]
fn a_deadline_that_ends_with_the_wait_for_the_next_attempt_ends_the_rpc() {
    needs_patch("0031");
    thread::scope(|scope| {
        // The wait is 80 to 120 ms.
        for timeout in 80..=120 {
            scope.spawn(move || {
                let client = Client::connect("127.0.0.1:1").unwrap().timeout(Duration::from_millis(timeout));
                let error = client.add(20, 10).unwrap_err();
                assert!(matches!(error, Error::DeadlineExceeded(_) | Error::Unavailable(_)), "{error}");
            });
        }
    });
}

#[test]
fn a_channel_retries_nothing_that_is_not_named_idempotent() {
    let server = faulty("restarting");
    let other = Channel::builder(server.target()).retry_idempotent(["/calc.Calculator/Divide", "calc.Other"]);
    for client in [plain(&server), Client::new(other.connect().unwrap()).timeout(PATIENCE)] {
        assert!(matches!(client.add(20, 10), Err(Error::Unavailable(_))));
    }
    assert_eq!(attempts(&server), 2);
    let named = Channel::builder(server.target()).retry_idempotent(["/calc.Calculator/Add"]).connect().unwrap();
    assert_eq!(Client::new(named).timeout(PATIENCE).add(20, 10), Ok(30));
    assert_eq!(attempts(&server), 4);
}

#[test]
fn a_call_that_fails_with_another_status_has_one_attempt() {
    let server = faulty("mixed");
    let error = Client::connect(server.target()).unwrap().timeout(PATIENCE).add(20, 10).unwrap_err();
    assert_eq!(error.status().code(), Code::ResourceExhausted);
    assert_eq!(attempts(&server), 1);
}

#[test]
fn the_budget_ends_the_retries_to_a_server_that_fails_every_call() {
    let server = faulty("unavailable");
    let client = Client::connect(server.target()).unwrap().timeout(PATIENCE);
    let replies = block_on(join_all((0..500).map(|n| client.add_async(n, 1))));
    assert!(replies.iter().all(|reply| matches!(reply, Err(Error::Unavailable(_)))));
    // Of 2,000 without a budget.
    let before = attempts(&server);
    assert!((500..=750).contains(&before), "{before}");
    client.add(20, 10).unwrap_err();
    assert_eq!(attempts(&server), before + 1);
}

#[test]
fn what_is_no_name_of_a_method_cannot_be_idempotent() {
    let error = Channel::builder("localhost:1").retry_idempotent([IDEMPOTENT, "calc.Calculator/Add"]).connect();
    let error = error.err().unwrap();
    assert!(matches!(&error, ConnectError::Idempotent(name) if name == "calc.Calculator/Add"), "{error}");
}

/// Counts the RPCs of a server.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Interceptor for Count {
    fn before(&self, _: &Call<'_>) -> Result<(), Status> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn the_addresses_of_a_target_take_turns_if_they_are_asked_to() {
    let counts = [(); 3].map(|()| Count::default());
    let servers = counts.clone().map(|count| start(calc::server::builder().interceptor(count)));
    let list = format!("ipv4:{}", servers.each_ref().map(target).join(","));
    let used = || counts.iter().filter(|count| count.0.swap(0, Ordering::Relaxed) > 0).count();
    let first = Client::new(Channel::connect(&list).unwrap()).timeout(PATIENCE);
    for _ in 0..30 {
        first.add(20, 10).unwrap();
    }
    assert_eq!(used(), 1);
    let client = Client::connect(&list).unwrap().timeout(PATIENCE);
    let begin = Instant::now();
    // The first calls do not wait for all connections.
    while counts.iter().any(|count| count.0.load(Ordering::Relaxed) == 0) && begin.elapsed() < PATIENCE {
        client.add(20, 10).unwrap();
    }
    assert_eq!(used(), 3);
    for _ in 0..30 {
        client.add(20, 10).unwrap();
    }
    assert!(counts.iter().all(|count| count.0.load(Ordering::Relaxed) == 10));

    let bench = ["bench", "--count=30", "--concurrency=1", "--timeout=30", "--quiet", "--target", &list];
    used();
    stdout_of(&mut calc(&bench));
    assert_eq!(used(), 1);
    stdout_of(&mut calc(&[&bench[..], &["--load-balancing", "round_robin"]].concat()));
    assert!(used() > 1);
}

/// The peers of RPCs, without their ports.
#[derive(Clone, Default)]
struct Families(Arc<Mutex<Vec<bool>>>);

impl Interceptor for Families {
    fn before(&self, call: &Call<'_>) -> Result<(), Status> {
        self.0.lock().unwrap().push(call.peer().starts_with("ipv6"));
        Ok(())
    }
}

#[test]
fn all_addresses_of_a_name_take_turns() {
    let addresses: Vec<_> = ("localhost", 0).to_socket_addrs().unwrap().collect();
    if !addresses.iter().any(|address| address.is_ipv4()) || !addresses.iter().any(|address| address.is_ipv6()) {
        // `localhost` has one address here.
        return;
    }
    let families = Families::default();
    let server = calc::server::builder().interceptor(families.clone()).listen("[::1]:0".parse().unwrap());
    let server = server.start().unwrap();
    let port = target(&server).rsplit(':').next().unwrap().to_owned();
    let other = calc::server::builder().interceptor(families.clone());
    let Ok(_other) = other.listen(format!("127.0.0.1:{port}").parse().unwrap()).start() else {
        // Another test has the port.
        return;
    };
    let client = Client::connect(&format!("dns:///localhost:{port}")).unwrap().timeout(PATIENCE);
    wait_until(|| {
        client.add(20, 10).unwrap();
        let families = families.0.lock().unwrap();
        families.contains(&true) && families.contains(&false)
    });
}

#[test]
fn no_call_is_lost_when_one_of_three_replicas_is_killed() {
    let mut replicas = [(); 3].map(|()| ServerProcess::start(&mut calc(&["serve", "--listen", "127.0.0.1:0"])));
    let list = format!("ipv4:{}", replicas.each_ref().map(ServerProcess::target).join(","));
    let client = Client::connect(&list).unwrap().timeout(PATIENCE);
    let (stop, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    // 20 calls at the same time.
                    for sum in block_on(join_all((0..20).map(|n| client.add_async(n, 1)))) {
                        sum.unwrap();
                    }
                    calls.fetch_add(20, Ordering::Relaxed);
                }
            });
        }
        wait_until(|| calls.load(Ordering::Relaxed) > 2_000);
        replicas[0].process.signal(9);
        replicas[0].process.wait();
        let before = calls.load(Ordering::Relaxed);
        wait_until(|| calls.load(Ordering::Relaxed) > before + 5_000);
        stop.store(true, Ordering::Relaxed);
    });
}

/// A server's own restart behind the same socket is a change of its address: there is another inode.
#[test]
fn a_client_finds_the_server_that_takes_over_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", folder.path().join("calc.sock").display());
    let client = Client::connect(&address).unwrap().timeout(PATIENCE);
    for _ in 0..3 {
        let mut server = ServerProcess::start(&mut calc(&["serve", "--listen", &address]));
        let waiting = client.clone().wait_for_ready(true);
        for _ in 0..3 {
            assert_eq!((waiting.add(20, 10), block_on(waiting.add_async(20, 10))), (Ok(30), Ok(30)));
        }
        server.process.signal(9);
        server.process.wait();
    }
}

fn raw(fault: &str) -> ServerProcess {
    ServerProcess::start(python("tests/python/faulty_server.py").arg(fault))
}

fn with_keepalive(server: &ServerProcess) -> Client {
    let time = Duration::from_millis(200);
    Client::new(Channel::builder(server.target()).keepalive(time, time).connect().unwrap()).timeout(PATIENCE)
}

#[test]
fn a_connection_that_does_not_acknowledge_pings_is_closed_before_the_deadline() {
    let server = raw("no_acknowledgement");
    let begin = Instant::now();
    let error = with_keepalive(&server).add(20, 10).unwrap_err();
    assert!(matches!(&error, Error::Unavailable(_)) && begin.elapsed() < PATIENCE / 2, "{error}");
    assert!(error.to_string().contains("keepalive"), "{error}");
}

/// By default the C core sends two pings while no data is sent.
#[test]
fn a_call_is_pinged_as_long_as_it_waits() {
    assert_eq!(with_keepalive(&raw("reply_after_five_pings")).add(20, 10), Ok(30));
}

const INNER: Method<AddRequest, AddReply> = Method::new("/test.Inner/Add");
const OUTER: Method<AddRequest, AddReply> = Method::new("/test.Outer/Add");

#[test]
fn a_server_carries_the_deadline_of_the_rpc_that_it_answers_on() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    let inner = ServiceBuilder::new("test.Inner").unary(INNER, move |call, _| {
        record.lock().unwrap().push(call.time_left());
        Ok(AddReply::default())
    });
    let inner = start(Server::builder().service(inner.build()));
    let onward = channel(&inner);
    let outer = ServiceBuilder::new("test.Outer").unary_async(OUTER, move |call, request: AddRequest| {
        let options = CallOptions::default().timeout(PATIENCE * 10).deadline(call.deadline());
        onward.unary_async(INNER, &request, options)
    });
    let outer = start(Server::builder().service(outer.build()));
    let call = |options| channel(&outer).unary(OUTER, &AddRequest::default(), options).unwrap();
    call(CallOptions::default().timeout(PATIENCE));
    // The server's own limit is an hour: its timeout is earlier. The C core sends long timeouts rounded up.
    call(CallOptions::default());
    let seen = seen.lock().unwrap();
    let left = |n: usize| seen[n].unwrap();
    assert!(left(0) <= PATIENCE * 11 / 10 && left(0) > PATIENCE / 2, "{seen:?}");
    assert!(left(1) <= PATIENCE * 11 && left(1) > PATIENCE * 5, "{seen:?}");
}

#[test]
fn an_rpc_whose_deadline_has_passed_fails_at_once() {
    let server = calculator();
    let stub = CalculatorClient::new(channel(&server));
    let expired = || CallOptions::default().timeout(PATIENCE).deadline(Some(Instant::now()));
    for reply in
        [stub.add(&AddRequest::default(), expired()), block_on(stub.add_async(&AddRequest::default(), expired()))]
    {
        assert_eq!(reply.unwrap_err().code(), Code::DeadlineExceeded);
    }
    assert_eq!(client(&server).add(20, 10), Ok(30));
}

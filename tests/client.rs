//! The client: results, typed errors, deadlines and targets.

use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use calc::{Client, Error};
use futures::executor::block_on;
use futures::future::try_join_all;
use grpcio_kit::Code;

use crate::common::{PATIENCE, calculator, client, start};

/// A port without a listener: it was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A target that accepts connections and never replies.
fn silent_target() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    (listener, target)
}

#[test]
fn the_four_operations_give_integers_and_a_float() {
    let server = calculator();
    let client = client(&server);
    assert_eq!(client.add(20, 10), Ok(30));
    assert_eq!(client.subtract(20, 10), Ok(10));
    assert_eq!(client.multiply(20, 10), Ok(200));
    assert_eq!(client.divide(10, 2), Ok(5.0));
    assert_eq!(client.divide(0, -5).map(f32::to_bits), Ok((-0.0_f32).to_bits()));
}

#[test]
fn the_futures_run_concurrently_on_any_executor() {
    let server = calculator();
    let client = client(&server);
    let sums = (0..1000).map(|n| client.add_async(n, 1));
    assert_eq!(block_on(try_join_all(sums)), Ok((1..=1000).collect::<Vec<_>>()));
    assert_eq!(block_on(client.subtract_async(1, 2)), Ok(-1));
    assert_eq!(block_on(client.multiply_async(3, 4)), Ok(12));
    assert_eq!(block_on(client.divide_async(1, 4)), Ok(0.25));
    assert!(matches!(block_on(client.divide_async(1, 0)), Err(Error::DivisionByZero(_))));
}

#[test]
fn an_overflow_has_its_exact_result() {
    let server = calculator();
    let client = client(&server);
    assert!(matches!(client.add(i32::MAX, 1), Err(Error::Overflow { result: 2_147_483_648, .. })));
    assert!(matches!(client.subtract(i32::MIN, 1), Err(Error::Overflow { result: -2_147_483_649, .. })));
    let overflow = client.multiply(i32::MIN, -1).unwrap_err();
    assert_eq!(overflow.to_string(), "-2147483648 * -1 = 2147483648 does not fit an int32 (-2147483648 to 2147483647)");
    assert_eq!(overflow.status().code(), Code::OutOfRange);
}

#[test]
fn a_division_by_zero_is_an_error_of_its_own() {
    let server = calculator();
    assert!(matches!(client(&server).divide(1, 0), Err(Error::DivisionByZero(_))));
}

#[test]
fn a_silent_server_is_deadline_exceeded() {
    let (_listener, target) = silent_target();
    let client = Client::connect(&target).unwrap().wait_for_ready(true).timeout(Duration::from_millis(200));
    assert!(matches!(client.add(1, 1), Err(Error::DeadlineExceeded(_))));
}

#[test]
fn a_missing_server_is_unavailable() {
    let client = Client::connect(&format!("127.0.0.1:{}", free_port())).unwrap().timeout(PATIENCE);
    assert!(matches!(client.add(1, 1), Err(Error::Unavailable(_))));
}

#[test]
fn a_client_that_waits_for_ready_finds_a_server_that_starts_later() {
    // A socket of its own: another test could take a free port.
    let folder = tempfile::tempdir().unwrap();
    let target = format!("unix:{}", folder.path().join("later.sock").display());
    let client = Client::connect(&target).unwrap().wait_for_ready(true).timeout(PATIENCE);
    let (started, has_started) = mpsc::channel();
    let call = thread::spawn(move || {
        started.send(()).unwrap();
        client.add(20, 10)
    });
    has_started.recv().unwrap();
    let _server = calc::server::builder().listen(target.parse().unwrap()).start().unwrap();
    assert_eq!(call.join().unwrap(), Ok(30));
}

#[test]
fn a_client_connects_to_every_kind_of_target() {
    let folder = tempfile::tempdir().unwrap();
    let unix = format!("unix:{}", folder.path().join("calc.sock").display());
    let server = start(calc::server::builder().listen(unix.parse().unwrap()));
    let tcp = server.addresses()[1].to_string();
    let port = tcp.rsplit(':').next().unwrap();
    let targets = [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("dns:///localhost:{port}"),
        // The first address has no listener.
        format!("ipv4:127.0.0.1:{},127.0.0.1:{port}", free_port()),
        unix,
    ];
    for target in targets {
        let client = Client::connect(&target).unwrap().timeout(PATIENCE);
        assert_eq!(client.add(20, 10), Ok(30), "{target}");
    }
}

#[test]
fn an_invalid_target_is_rejected_before_a_call() {
    for (text, reason) in [
        ("", "empty"),
        ("localhost", "no port"),
        ("a\0b:1", "control character"),
        ("a b:1", "white space"),
        ("unix:", "path of a socket"),
        ("ipv4:1.2.3:1", "ipv4:ADDRESS:PORT"),
        ("ipv4:1.2.3.4:1,1.2.3.4", "ipv4:ADDRESS:PORT"),
        ("ipv6:::1:1", "ipv6:[ADDRESS]:PORT"),
    ] {
        let error = Client::connect(text).err().unwrap();
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn the_maximum_timeout_does_not_overflow() {
    let server = calculator();
    assert_eq!(client(&server).timeout(Duration::MAX).add(20, 10), Ok(30));
}

//! The addresses that a server listens on, and the errors when it cannot.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use calc::Client;
use grpcio_kit::{ListenAddress, Server, StartError};

use crate::common::{PATIENCE, calculator, target};

fn start(address: &str) -> Result<Server, StartError> {
    calc::server::builder().listen(address.parse().unwrap()).start()
}

fn refusal(address: &str) -> String {
    start(address).err().unwrap().to_string()
}

fn add(address: &ListenAddress) -> Result<i32, calc::Error> {
    Client::connect(&address.to_string()).unwrap().timeout(PATIENCE).add(20, 10)
}

#[test]
fn a_second_server_on_a_port_is_an_error_with_the_address() {
    let first = calculator();
    let address = target(&first);
    let refusal = refusal(&address);
    assert!(refusal.contains(&address), "{refusal}");
    assert!(refusal.contains("in use"), "{refusal}");
    assert_eq!(add(&first.addresses()[0]), Ok(30));
}

/// The C core succeeds if it can bind one of the two: half of the clients would reach another server.
#[test]
fn a_port_that_is_in_use_for_ipv4_only_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for address in [format!("[::]:{port}"), format!("localhost:{port}")] {
        let refusal = refusal(&address);
        assert!(refusal.contains(&address) && refusal.contains("in use"), "{refusal}");
    }
}

#[test]
fn the_wildcard_address_accepts_ipv4_too() {
    let server = start("[::]:0").unwrap();
    let address = target(&server);
    let port = address.rsplit(':').next().unwrap();
    assert_eq!(add(&format!("127.0.0.1:{port}").parse().unwrap()), Ok(30));
}

#[test]
fn a_server_listens_on_every_configured_address() {
    let folder = tempfile::tempdir().unwrap();
    let unix = ListenAddress::Unix(folder.path().join("calc.sock"));
    let server = calc::server::builder()
        .listen("127.0.0.1:0".parse().unwrap())
        .listen("localhost:0".parse().unwrap())
        .listen(unix.clone())
        .start()
        .unwrap();
    assert!(server.addresses().len() >= 3);
    assert_eq!(server.addresses().last(), Some(&unix));
    for address in server.addresses() {
        assert_eq!(add(address), Ok(30), "{address}");
    }
}

#[test]
fn every_address_of_a_name_has_the_same_port() {
    let server = start("localhost:0").unwrap();
    let ports: Vec<_> = server.addresses().iter().map(|address| address.to_string()).collect();
    let port = ports[0].rsplit(':').next().unwrap();
    assert!(port != "0" && ports.iter().all(|address| address.ends_with(&format!(":{port}"))), "{ports:?}");
}

#[test]
fn an_address_of_another_machine_is_an_error_with_the_reason() {
    // Reserved for documentation (RFC 5737).
    let refusal = refusal("192.0.2.1:50050");
    assert!(refusal.contains("192.0.2.1:50050") && refusal.contains("assign"), "{refusal}");
}

#[test]
fn a_name_that_does_not_resolve_is_an_error() {
    // A label has at most 63 characters (RFC 1035): this needs no name server.
    let address = format!("{}:50050", "x".repeat(64));
    let refusal = refusal(&address);
    assert!(refusal.starts_with(&format!("cannot listen on {address}: ")), "{refusal}");
}

#[test]
fn a_socket_that_another_server_listens_on_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calc.sock");
    let _other = UnixListener::bind(&path).unwrap();
    let refusal = refusal(&format!("unix:{}", path.display()));
    assert!(refusal.contains("another server listens on it"), "{refusal}");
}

#[test]
fn a_socket_that_a_killed_server_left_behind_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calc.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let server = start(&format!("unix:{}", path.display())).unwrap();
    assert_eq!(add(&server.addresses()[0]), Ok(30));
    server.shutdown(PATIENCE);
    assert!(!path.exists(), "the socket outlives its server");
}

#[test]
fn a_file_is_not_replaced_by_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("precious");
    File::create(&path).unwrap();
    let refusal = refusal(&format!("unix:{}", path.display()));
    assert!(refusal.contains("not a socket"), "{refusal}");
    assert!(path.is_file());
}

#[test]
fn a_socket_in_a_missing_folder_is_an_error_with_the_reason() {
    let refusal = refusal("unix:/nowhere/calc.sock");
    assert!(refusal.contains("No such file or directory"), "{refusal}");
    let refusal = self::refusal(&format!("unix:/tmp/{}", "x".repeat(200)));
    assert!(refusal.contains("SUN_LEN"), "{refusal}");
}

#[test]
fn a_server_without_an_address_is_an_error() {
    assert!(matches!(calc::server::builder().start(), Err(StartError::NoAddress)));
}

#[test]
fn a_service_that_is_registered_twice_is_an_error() {
    let again = calc::proto::calc_grpc::calculator_service(calc::calculator::CalculatorService);
    let refused = calc::server::builder().service(again).listen("127.0.0.1:0".parse().unwrap()).start();
    assert!(matches!(refused, Err(StartError::DuplicateService("calc.Calculator"))));
}

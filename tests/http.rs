//! The HTTP port, as raw sockets see it.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use grpcio_kit::http::{HttpError, HttpServer, Pages, Reply};
use grpcio_kit::{Metrics, Readiness, Server};

use crate::common::http::{ask, connect, get, read_all, status};
use crate::common::{PATIENCE, start};

fn local() -> grpcio_kit::ListenAddress {
    "127.0.0.1:0".parse().unwrap()
}

fn port(pages: Pages) -> HttpServer {
    HttpServer::start(&local(), pages).unwrap()
}

fn health() -> HttpServer {
    port(Pages::new().health(|| true))
}

#[test]
fn the_port_shows_health_and_readiness() {
    let readiness = Readiness::default();
    let asked = readiness.clone();
    let port = port(Pages::new().health(move || asked.is_ready()));
    assert!(get(port.address(), "/healthz").ends_with("\r\n\r\nok\n"));
    assert_eq!(status(&get(port.address(), "/readyz")), "503");
    let server = start(Server::builder().readiness(readiness.clone()));
    assert_eq!(status(&get(port.address(), "/readyz?verbose")), "200");
    server.shutdown(PATIENCE);
    assert_eq!(status(&get(port.address(), "/readyz")), "503");
    assert_eq!(status(&get(port.address(), "/healthz")), "200");
}

#[test]
fn metrics_have_prometheus_media_type() {
    let metrics = Metrics::new("test", "1", NonZeroUsize::MIN).unwrap();
    let reply = get(port(Pages::new().metrics(metrics)).address(), "/metrics");
    assert_eq!(status(&reply), "200");
    assert!(reply.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{reply}");
    assert!(reply.contains("\ntest_build_info{version=\"1\"} 1\n"), "{reply}");
}

#[test]
fn a_head_request_gets_the_length_and_no_body() {
    let port = health();
    let reply = ask(port.address(), "HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(status(&reply), "200");
    assert!(reply.contains("\r\nContent-Length: 3\r\n") && reply.ends_with("\r\n\r\n"), "{reply:?}");
}

#[test]
fn an_unknown_path_is_answered_with_those_that_there_are() {
    let reply = get(health().address(), "/");
    assert_eq!(status(&reply), "404");
    assert!(reply.ends_with("there are:\n  /healthz\n  /readyz\n"), "{reply}");
}

#[test]
fn other_methods_are_not_allowed() {
    let port = health();
    for method in ["POST", "DELETE", "get", "OPTIONS"] {
        let reply =
            ask(port.address(), &format!("{method} /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"));
        assert_eq!(status(&reply), "405", "{method}");
        assert!(reply.contains("\r\nAllow: GET, HEAD\r\n"), "{reply}");
    }
}

#[test]
fn what_is_no_request_is_answered_with_400() {
    let port = health();
    for request in ["hello\r\n\r\n", "GET /healthz HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        assert_eq!(status(&ask(port.address(), request)), "400", "{request:?}");
    }
}

/// What is left unread would make the system reset the connection, and the answer be lost.
#[test]
fn a_head_over_8_kib_is_answered_with_431_however_much_there_is() {
    let port = health();
    for fields in [1, 2, 5] {
        let field = format!("A: {}\r\n", "x".repeat(8100));
        let reply = ask(port.address(), &format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", field.repeat(fields)));
        assert_eq!(status(&reply), if fields == 1 && field.len() < 8150 { "404" } else { "431" }, "{fields}");
    }
    let many = "a: b\r\n".repeat(100);
    assert_eq!(status(&ask(port.address(), &format!("GET / HTTP/1.1\r\nHost: h\r\n{many}\r\n"))), "431");
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let port = health();
    let mut stream = connect(port.address());
    stream.set_nodelay(true).unwrap();
    for byte in b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n" {
        stream.write_all(&[*byte]).unwrap();
    }
    assert_eq!(status(&read_all(&mut stream)), "200");
}

#[test]
fn clients_that_take_their_time_are_cut_off_and_the_next_one_is_answered() {
    let port = health();
    let address = port.address();
    // One that says nothing at all, and as many that keep sending a little as there are threads left.
    let mut silent = connect(address);
    let slow: Vec<_> = (0..3).map(|_| thread::spawn(move || drip(address))).collect();
    assert_eq!(status(&get(port.address(), "/healthz")), "200");
    assert_eq!(read_all(&mut silent), "");
    for slow in slow {
        let reply = slow.join().unwrap();
        assert!(reply.is_empty() || status(&reply) == "408", "{reply}");
    }
}

/// Sends a header field without an end until the port has had enough; gives what it says.
fn drip(address: SocketAddr) -> String {
    let mut stream = connect(address);
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut reply = Vec::new();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nSlow: ").unwrap();
    loop {
        match stream.read_to_end(&mut reply) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // An end, or a reset: it was cut off.
            _ => return String::from_utf8(reply).unwrap(),
        }
        if stream.write_all(b"x").is_err() {
            return String::from_utf8(reply).unwrap();
        }
    }
}

#[test]
fn many_connections_at_once_are_all_answered() {
    let port = health();
    let mut streams: Vec<_> = (0..100).map(|_| connect(port.address())).collect();
    for stream in &mut streams {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    }
    // The first ones were accepted first.
    for stream in &mut streams {
        assert_eq!(status(&read_all(stream)), "200");
    }
}

#[test]
fn a_page_that_panics_costs_no_thread() {
    let port = port(Pages::new().page("/panic", || panic!("meant to")).page("/fine", || Reply::ok("fine")));
    for _ in 0..10 {
        assert_eq!(status(&get(port.address(), "/panic")), "500");
    }
    assert_eq!(status(&get(port.address(), "/fine")), "200");
}

#[test]
fn a_port_that_is_dropped_is_free_again_whoever_is_connected() {
    let port = health();
    let address = port.address();
    let mut open: Vec<_> = (0..6).map(|_| connect(address)).collect();
    open[0].write_all(b"GET /healthz").unwrap();
    drop(port);
    let again = HttpServer::start(&address.into(), Pages::new().health(|| true)).unwrap();
    assert_eq!(status(&get(again.address(), "/healthz")), "200");
}

#[test]
fn an_address_that_cannot_be_had_is_named() {
    let port = health();
    let error = HttpServer::start(&port.address().into(), Pages::new()).err().unwrap();
    assert!(matches!(error, HttpError::Listen { .. }));
    assert!(error.to_string().contains(&port.address().to_string()), "{error}");
    let error = HttpServer::start(&"unix:/tmp/none".parse().unwrap(), Pages::new()).err().unwrap();
    assert!(error.to_string().contains("write HOST:PORT"), "{error}");
}

//! The HTTP endpoint, over raw sockets.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use grpcio_kit::http::{HttpError, HttpServer, MAX_CONNECTIONS, Pages, Response};
use grpcio_kit::{Metrics, Readiness, Server, core_version};

use crate::common::http::{connect, get, read_all, send, status};
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
fn liveness_and_readiness_have_a_page_each() {
    let readiness = Readiness::default();
    let shown = readiness.clone();
    let port = port(Pages::new().health(move || shown.is_ready()));
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
    let build = format!("\ntest_build_info{{grpc_core=\"{}\",version=\"1\"}} 1\n", core_version());
    assert!(reply.contains(&build), "{reply}");
}

#[test]
fn a_head_request_gets_the_length_and_no_body() {
    let port = health();
    let reply = send(port.address(), "HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(status(&reply), "200");
    assert!(reply.contains("\r\nContent-Length: 3\r\n") && reply.ends_with("\r\n\r\n"), "{reply:?}");
}

#[test]
fn an_unknown_path_gets_a_404_with_the_list_of_pages() {
    let reply = get(health().address(), "/");
    assert_eq!(status(&reply), "404");
    assert!(reply.ends_with("not found; the pages are:\n  /healthz\n  /readyz\n"), "{reply}");
}

#[test]
fn other_methods_are_not_allowed() {
    let port = health();
    for method in ["POST", "DELETE", "get", "OPTIONS"] {
        let reply =
            send(port.address(), &format!("{method} /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"));
        assert_eq!(status(&reply), "405", "{method}");
        assert!(reply.contains("\r\nAllow: GET, HEAD\r\n"), "{reply}");
    }
}

#[test]
fn an_invalid_request_gets_a_400() {
    let port = health();
    for request in ["hello\r\n\r\n", "GET /healthz HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        assert_eq!(status(&send(port.address(), request)), "400", "{request:?}");
    }
}

/// With unread data, the system would reset the connection, and the response be lost.
#[test]
fn a_head_over_8_kib_gets_a_431_however_large_it_is() {
    let port = health();
    for fields in [1, 2, 5] {
        let field = format!("A: {}\r\n", "x".repeat(8100));
        let reply = send(port.address(), &format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", field.repeat(fields)));
        assert_eq!(status(&reply), if fields == 1 && field.len() < 8150 { "404" } else { "431" }, "{fields}");
    }
    let many = "a: b\r\n".repeat(100);
    assert_eq!(status(&send(port.address(), &format!("GET / HTTP/1.1\r\nHost: h\r\n{many}\r\n"))), "431");
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
fn slow_clients_are_disconnected_after_their_time_and_do_not_delay_others() {
    let port = health();
    let address = port.address();
    // One sends nothing at all, the others a byte at a time.
    let mut silent = connect(address);
    let slow: Vec<_> = (0..3).map(|_| thread::spawn(move || drip(address))).collect();
    assert_eq!(status(&get(port.address(), "/healthz")), "200");
    assert_eq!(read_all(&mut silent), "");
    for slow in slow {
        let reply = slow.join().unwrap();
        assert!(reply.is_empty() || status(&reply) == "408", "{reply}");
    }
}

/// Eight idle connections occupied all threads for 5 seconds, and a liveness probe failed on a healthy server.
#[test]
fn a_probe_is_answered_however_many_idle_or_slow_clients_there_are() {
    let port = health();
    let address = port.address();
    let slow: Vec<_> = (0..16).map(|_| thread::spawn(move || drip(address))).collect();
    let mut idle = Vec::new();
    for number in 0..3 * MAX_CONNECTIONS {
        idle.push(connect(address));
        if number % 16 == 0 {
            assert_eq!(status(&get(address, "/healthz")), "200", "{number}");
        }
    }
    assert_eq!(status(&get(address, "/healthz")), "200");
    drop(port);
    slow.into_iter().for_each(|slow| drop(slow.join().unwrap()));
}

/// Sends an endless header field, a byte at a time, until it is disconnected; returns the response.
fn drip(address: SocketAddr) -> String {
    let mut stream = connect(address);
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut reply = Vec::new();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nSlow: ").unwrap();
    loop {
        match stream.read_to_end(&mut reply) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // The end, or a reset.
            _ => return String::from_utf8(reply).unwrap(),
        }
        if stream.write_all(b"x").is_err() {
            return String::from_utf8(reply).unwrap();
        }
    }
}

#[test]
fn many_connections_at_once_all_get_a_response() {
    let port = health();
    let mut streams: Vec<_> = (0..100).map(|_| connect(port.address())).collect();
    for stream in &mut streams {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    }
    for stream in &mut streams {
        assert_eq!(status(&read_all(stream)), "200");
    }
}

#[test]
fn a_page_that_panics_is_a_500_and_others_go_on() {
    let port = port(Pages::new().page("/panic", || panic!("meant to")).page("/fine", || Response::ok("fine")));
    for _ in 0..10 {
        assert_eq!(status(&get(port.address(), "/panic")), "500");
    }
    assert_eq!(status(&get(port.address(), "/fine")), "200");
}

#[test]
fn dropping_the_endpoint_frees_its_port_despite_open_connections() {
    let port = health();
    let address = port.address();
    let mut open: Vec<_> = (0..6).map(|_| connect(address)).collect();
    open[0].write_all(b"GET /healthz").unwrap();
    drop(port);
    let again = HttpServer::start(&address.into(), Pages::new().health(|| true)).unwrap();
    assert_eq!(status(&get(again.address(), "/healthz")), "200");
}

#[test]
fn a_page_that_does_not_return_does_not_keep_the_port() {
    let (enter, entered) = mpsc::channel();
    let (leave, left) = mpsc::channel::<()>();
    let left = Mutex::new(left);
    let page = move || {
        enter.send(()).unwrap();
        // The end of the test.
        let _ = left.lock().unwrap().recv();
        Response::ok("late")
    };
    let port = port(Pages::new().page("/late", page));
    let address = port.address();
    let mut stream = connect(address);
    stream.write_all(b"GET /late HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    entered.recv_timeout(PATIENCE).unwrap();
    drop(port);
    let again = HttpServer::start(&address.into(), Pages::new().health(|| true)).unwrap();
    assert_eq!(status(&get(again.address(), "/healthz")), "200");
    drop(leave);
}

#[test]
fn an_error_names_the_address() {
    let port = health();
    let error = HttpServer::start(&port.address().into(), Pages::new()).err().unwrap();
    assert!(matches!(error, HttpError::Listen { .. }));
    assert!(error.to_string().contains(&port.address().to_string()), "{error}");
    let error = HttpServer::start(&"unix:/tmp/none".parse().unwrap(), Pages::new()).err().unwrap();
    assert!(error.to_string().contains("write HOST:PORT"), "{error}");
}

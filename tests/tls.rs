//! TLS, with Python's client and ours.

use calc::Client;
use grpcio_kit::{Channel, ClientAuth, ClientTls, Code, ConnectError, ListenAddress, Server, ServerTlsFiles};

use crate::common::certificates::{Authority, Folder};
use crate::common::process::{python, stdout_of};
use crate::common::{PATIENCE, client, start, target};

/// 30, as a reply on the wire.
const THIRTY: &str = "081e\n";

fn serve(tls: ServerTlsFiles) -> Server {
    start(calc::server::builder().tls(tls.load().unwrap()))
}

/// Calls with Python's client and these files of `folder`: a CA, and a pair. Returns what it prints.
fn call(folder: &Folder, server: &Server, ca: &str, pair: Option<&str>) -> String {
    let mut command = python("tests/python/tls.py");
    command.arg(target(server)).arg("--ca").arg(folder.path(ca));
    if let Some(pair) = pair {
        command.arg("--cert").arg(folder.path(&format!("{pair}.crt")));
        command.arg("--key").arg(folder.path(&format!("{pair}.key")));
    }
    stdout_of(&mut command)
}

fn handshake(server: &Server, version: &str) -> String {
    stdout_of(python("tests/python/handshake.py").arg(target(server)).arg(version))
}

fn connect(target: &str, tls: ClientTls) -> Client {
    Client::new(Channel::builder(target).tls(tls).connect().unwrap()).timeout(PATIENCE)
}

fn code(result: Result<i32, calc::Error>) -> Code {
    result.map_or_else(|error| error.status().code(), |_| Code::Ok)
}

#[test]
fn python_and_our_own_client_call_over_tls() {
    let folder = Folder::new();
    let server = serve(folder.server());
    assert_eq!(call(&folder, &server, "ca.crt", None), THIRTY);
    assert_eq!(connect(&target(&server), ClientTls::default().ca(folder.path("ca.crt"))).add(20, 10), Ok(30));
}

#[test]
fn every_address_has_tls_including_unix_sockets() {
    let folder = Folder::new();
    let unix = ListenAddress::Unix(folder.path("calc.sock"));
    let server = calc::server::builder().tls(folder.server().load().unwrap());
    let server = start(server.listen("localhost:0".parse().unwrap()).listen(unix));
    for address in server.addresses().iter().filter(|address| !address.to_string().starts_with('[')) {
        let tls = ClientTls::default().ca(folder.path("ca.crt"));
        assert_eq!(connect(&address.to_string(), tls).add(20, 10), Ok(30), "{address}");
    }
}

#[test]
fn a_client_that_trusts_another_ca_does_not_connect() {
    let folder = Folder::new();
    folder.put("other.crt", Authority::new("another CA").certificate);
    let server = serve(folder.server());
    assert!(call(&folder, &server, "other.crt", None).starts_with("UNAVAILABLE"));
    let tls = ClientTls::default().ca(folder.path("other.crt"));
    assert_eq!(code(connect(&target(&server), tls).add(20, 10)), Code::Unavailable);
}

#[test]
fn the_server_name_is_verified_and_can_be_set() {
    let folder = Folder::new();
    folder.put_pair("tls", &folder.ca.issue("server", &["calc.example.com"]));
    let server = serve(folder.server());
    let tls = ClientTls::default().ca(folder.path("ca.crt"));
    assert_eq!(code(connect(&target(&server), tls.clone()).add(20, 10)), Code::Unavailable);
    assert_eq!(connect(&target(&server), tls.clone().server_name("calc.example.com")).add(20, 10), Ok(30));
    for name in ["", "a b", "a\0b"] {
        let refused = Channel::builder(&target(&server)).tls(tls.clone().server_name(name)).connect();
        assert!(matches!(refused, Err(ConnectError::ServerName(_))));
    }
}

#[test]
fn tls_1_2_and_1_3_are_supported_and_1_1_is_not() {
    let folder = Folder::new();
    let server = serve(folder.server());
    assert!(handshake(&server, "TLSv1_2").starts_with("TLSv1.2\n"));
    assert!(handshake(&server, "TLSv1_3").starts_with("TLSv1.3\n"));
    // Another message would mean that Python's OpenSSL did not offer it.
    assert_eq!(handshake(&server, "TLSv1_1"), "the server closes the connection\n");
}

#[test]
fn a_required_client_certificate_must_be_signed_by_the_client_ca() {
    let folder = Folder::new();
    folder.put_pair("client", &folder.ca.issue("client", &[]));
    folder.put_pair("foreign", &Authority::new("a CA").issue("client", &[]));
    let server = serve(folder.server().client_ca(folder.path("ca.crt"), ClientAuth::Required));
    assert_eq!(call(&folder, &server, "ca.crt", Some("client")), THIRTY);
    assert!(call(&folder, &server, "ca.crt", None).starts_with("UNAVAILABLE"));
    assert!(call(&folder, &server, "ca.crt", Some("foreign")).starts_with("UNAVAILABLE"));

    let tls = ClientTls::default().ca(folder.path("ca.crt"));
    let with = |pair: &str| {
        let (certificate, key) = (folder.path(&format!("{pair}.crt")), folder.path(&format!("{pair}.key")));
        connect(&target(&server), tls.clone().certificate(certificate, key)).add(20, 10)
    };
    assert_eq!(with("client"), Ok(30));
    assert_eq!(code(with("foreign")), Code::Unavailable);
    assert_eq!(code(connect(&target(&server), tls.clone()).add(20, 10)), Code::Unavailable);
}

#[test]
fn an_optional_client_certificate_may_be_missing_but_not_of_another_ca() {
    let folder = Folder::new();
    folder.put_pair("client", &folder.ca.issue("client", &[]));
    folder.put_pair("foreign", &Authority::new("a CA").issue("client", &[]));
    let server = serve(folder.server().client_ca(folder.path("ca.crt"), ClientAuth::Optional));
    assert_eq!(call(&folder, &server, "ca.crt", Some("client")), THIRTY);
    assert_eq!(call(&folder, &server, "ca.crt", None), THIRTY);
    assert!(call(&folder, &server, "ca.crt", Some("foreign")).starts_with("UNAVAILABLE"));
}

#[test]
fn tls_to_a_plaintext_port_and_plaintext_to_a_tls_port_fail_and_the_server_continues() {
    let folder = Folder::new();
    let secure = serve(folder.server());
    let clear = crate::common::calculator();
    let tls = ClientTls::default().ca(folder.path("ca.crt"));
    for _ in 0..3 {
        assert!(stdout_of(python("tests/python/tls.py").arg(target(&secure))).starts_with("UNAVAILABLE"));
        assert_eq!(code(client(&secure).add(20, 10)), Code::Unavailable);
        assert!(call(&folder, &clear, "ca.crt", None).starts_with("UNAVAILABLE"));
        assert_eq!(code(connect(&target(&clear), tls.clone()).add(20, 10)), Code::Unavailable);
    }
    assert_eq!(connect(&target(&secure), tls).add(20, 10), Ok(30));
    assert_eq!(client(&clear).add(20, 10), Ok(30));
}

/// The server does not check the expiry of its own certificate.
#[test]
fn a_client_rejects_an_expired_server_certificate() {
    let folder = Folder::new();
    folder.put_pair("tls", &folder.ca.issue_expired());
    let server = serve(folder.server());
    assert!(call(&folder, &server, "ca.crt", None).starts_with("UNAVAILABLE"));
}

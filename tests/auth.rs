//! Authentication by tokens and authorization by certificate names, with Python's client and our own.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use calc::Client;
use grpcio_kit::proto::grpc_health::health::HealthCheckRequest;
use grpcio_kit::proto::grpc_health::health::health_check_response::ServingStatus;
use grpcio_kit::proto::grpc_health::health_grpc::HealthClient;
use grpcio_kit::{
    AllowedNames, BearerToken, BearerTokens, Channel, ClientAuth, ClientTls, Code, ConnectError, Health, Server,
    ServerBuilder,
};

use crate::common::certificates::Folder;
use crate::common::process::{Running, python, stdout_of};
use crate::common::raw::RawClient;
use crate::common::{PATIENCE, channel, client, start, target, wait_until};

const THIRTY: &str = "081e\n";
const TOKEN: &str = "0123456789abcdef";
const OTHER: &str = "fedcba9876543210";

fn tokens(folder: &Folder, content: &str) -> BearerTokens {
    folder.put("tokens", content);
    BearerTokens::file(folder.path("tokens")).poll_interval(Duration::from_millis(20)).load().unwrap()
}

/// Calls with Python's client and this `authorization` metadata. Returns what it prints.
fn call(server: &Server, authorization: Option<&str>) -> String {
    let mut command = python("tests/python/tls.py");
    command.arg(target(server));
    if let Some(authorization) = authorization {
        command.args(["--metadata", "authorization", authorization]);
    }
    stdout_of(&mut command)
}

fn with_token(server: &Server, token: &str) -> Client {
    let token = BearerToken::new(token).unwrap();
    Client::new(Channel::builder(&target(server)).bearer_token(token).connect().unwrap()).timeout(PATIENCE)
}

#[test]
fn only_known_tokens_are_accepted() {
    let folder = Folder::new();
    let known = tokens(&folder, &format!("# two of them\n{TOKEN} somebody\n{OTHER}\n"));
    let server = start(calc::server::builder().interceptor(known));
    assert_eq!(call(&server, Some(&format!("Bearer {TOKEN}"))), THIRTY);
    assert_eq!(call(&server, Some(&format!("bearer {OTHER}"))), THIRTY);
    assert!(call(&server, None).starts_with("UNAUTHENTICATED: no token"));
    assert!(call(&server, Some(TOKEN)).starts_with("UNAUTHENTICATED: malformed"));
    assert!(call(&server, Some(&format!("Basic {TOKEN}"))).starts_with("UNAUTHENTICATED: malformed"));
    for unknown in ["0123456789abcdeX", "0123456789abcde", "0123456789abcdef0", "somebody"] {
        assert_eq!(call(&server, Some(&format!("Bearer {unknown}"))), "UNAUTHENTICATED: unknown token\n");
    }
}

#[test]
fn our_own_client_sends_its_token_with_every_call() {
    let folder = Folder::new();
    let server = start(calc::server::builder().interceptor(tokens(&folder, TOKEN)));
    let client = with_token(&server, TOKEN);
    assert_eq!((client.add(20, 10), client.multiply(20, 10)), (Ok(30), Ok(200)));
    assert_eq!(with_token(&server, OTHER).add(1, 1).unwrap_err().status().message(), "unknown token");
    assert_eq!(self::client(&server).add(1, 1).unwrap_err().status().code(), Code::Unauthenticated);
}

#[test]
fn the_client_is_authenticated_before_the_request_is_decoded() {
    let folder = Folder::new();
    let server = start(calc::server::builder().interceptor(tokens(&folder, TOKEN)));
    let refused = RawClient::connect(&target(&server)).call("/calc.Calculator/Add", b"\xff\xff").unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[test]
fn a_service_that_allows_unauthenticated_rpcs_needs_no_token_and_no_certificate() {
    let folder = Folder::new();
    let names = AllowedNames::new(["nobody"]).unwrap().allow_unauthenticated(Health::NAME);
    let known = tokens(&folder, TOKEN).allow_unauthenticated(Health::NAME);
    let server = start(calc::server::builder().interceptor(names).interceptor(known));
    let options = grpcio_kit::CallOptions::default().timeout(PATIENCE);
    let checked = HealthClient::new(channel(&server)).check(&HealthCheckRequest::new(), options).unwrap();
    assert_eq!(checked.status, ServingStatus::SERVING.into());
    assert_eq!(client(&server).add(20, 10).unwrap_err().status().code(), Code::Unauthenticated);
}

#[test]
fn a_token_is_sent_to_other_machines_only_over_tls() {
    let token = BearerToken::new(TOKEN).unwrap();
    let connect = |target: &str| Channel::builder(target).bearer_token(token.clone()).connect();
    for target in ["localhost:1", "127.0.0.1:1", "[::1]:1", "unix:/nowhere", "dns:///localhost:1"] {
        assert!(connect(target).is_ok(), "{target}");
    }
    for target in ["calc.example.com:1", "192.0.2.1:1", "ipv4:127.0.0.1:1,192.0.2.1:1"] {
        let error = connect(target).err().unwrap();
        assert!(matches!(error, ConnectError::TokenInClearText(_)));
        assert!(error.to_string().contains(target) && error.to_string().contains("use TLS"), "{error}");
    }
    let folder = Folder::new();
    let tls = ClientTls::default().ca(folder.path("ca.crt"));
    assert!(Channel::builder("calc.example.com:1").tls(tls).bearer_token(token).connect().is_ok());
}

/// A proxy from the environment would receive the token, although the target is on this machine.
#[test]
fn a_token_in_clear_text_is_sent_to_no_proxy() {
    let folder = Folder::new();
    let server = start(calc::server::builder().interceptor(tokens(&folder, TOKEN)));
    let mut command = crate::common::process::calc(&["add", "20", "10", "--timeout", "30", "--target"]);
    command.arg(target(&server)).arg("--token-file").arg(folder.path("tokens"));
    // Nobody listens there.
    command.env("http_proxy", "http://127.0.0.1:1").env_remove("no_proxy").env_remove("no_grpc_proxy");
    assert_eq!(stdout_of(&mut command), "30\n");
}

/// A server that requests client certificates, and Python's client with certificates of that CA.
struct Named {
    folder: Folder,
    server: Server,
}

impl Named {
    fn start(auth: ClientAuth, server: ServerBuilder) -> Named {
        let folder = Folder::new();
        let tls = folder.server().client_ca(folder.path("ca.crt"), auth).load().unwrap();
        Named { server: start(server.tls(tls)), folder }
    }

    /// Calls with a certificate of this common name and these subject alternative names.
    fn call_as(&self, common_name: &str, names: &[&str]) -> String {
        self.folder.put_pair("client", &self.folder.ca.issue(common_name, names));
        self.call(Some(("client.crt", "client.key")))
    }

    fn call(&self, pair: Option<(&str, &str)>) -> String {
        let mut command = python("tests/python/tls.py");
        command.arg(target(&self.server)).arg("--ca").arg(self.folder.path("ca.crt"));
        if let Some((certificate, key)) = pair {
            let path = |name| -> PathBuf { self.folder.path(name) };
            command.arg("--cert").arg(path(certificate)).arg("--key").arg(path(key));
        }
        stdout_of(&mut command)
    }
}

#[test]
fn a_certificate_is_authorized_by_its_names() {
    let names = ["adder", "a.example.com", "*.batch.example.com", "spiffe://example.com/adder", "10.0.0.1"];
    let allowed = AllowedNames::new(names).unwrap();
    let named = Named::start(ClientAuth::Optional, calc::server::builder().interceptor(allowed));
    assert_eq!(named.call_as("adder", &[]), THIRTY);
    assert_eq!(named.call_as("x", &["a.example.com"]), THIRTY);
    assert_eq!(named.call_as("x", &["b.example.com", "one.batch.example.com"]), THIRTY);
    assert_eq!(named.call_as("x", &["spiffe://example.com/adder"]), THIRTY);
    assert_eq!(named.call_as("x", &["10.0.0.1"]), THIRTY);

    let denied = named.call_as("x", &["b.example.com", "a.b.batch.example.com"]);
    assert!(denied.starts_with("PERMISSION_DENIED: none of the client certificate"), "{denied}");
    assert!(denied.ends_with("b.example.com, a.b.batch.example.com\n"), "{denied}");
    assert!(named.call_as("subtractor", &[]).starts_with("PERMISSION_DENIED"));
    // The common name counts only where there is no other.
    assert!(named.call_as("adder", &["b.example.com"]).starts_with("PERMISSION_DENIED"));
    assert!(named.call_as("x", &["https://one.batch.example.com"]).starts_with("PERMISSION_DENIED"));
    assert!(named.call(None).starts_with("UNAUTHENTICATED: no client certificate"));
}

#[test]
fn an_rpc_must_pass_every_configured_check() {
    let folder = Folder::new();
    let allowed = AllowedNames::new(["adder"]).unwrap();
    let builder = calc::server::builder().interceptor(allowed).interceptor(tokens(&folder, TOKEN));
    let named = Named::start(ClientAuth::Required, builder);
    assert!(named.call_as("adder", &[]).starts_with("UNAUTHENTICATED: no token"));
    let tls = ClientTls::default().ca(named.folder.path("ca.crt"));
    let tls = tls.certificate(named.folder.path("client.crt"), named.folder.path("client.key"));
    let channel = Channel::builder(&target(&named.server)).tls(tls);
    let channel = channel.bearer_token(BearerToken::new(TOKEN).unwrap()).connect().unwrap();
    assert_eq!(Client::new(channel).timeout(PATIENCE).add(20, 10), Ok(30));
}

#[test]
fn tokens_are_reloaded_under_load_and_no_rpc_fails() {
    let folder = Folder::new();
    let known = tokens(&folder, TOKEN);
    let reloads = known.reloads();
    let server = start(calc::server::builder().interceptor(known));
    let mut command = python("tests/python/tls.py");
    command.arg(target(&server)).args(["--again", "--metadata", "authorization", &format!("Bearer {TOKEN}")]);
    let mut load = Running::start(command.stdin(Stdio::piped()));
    load.wait_for_line("running");
    for count in 1..=5 {
        folder.put("tokens", format!("{}\n{TOKEN}\n{OTHER}\n", "another-token-of-many\n".repeat(count)));
        wait_until(|| reloads.succeeded() == count as u64);
    }
    folder.put("tokens", format!("{TOKEN}\nshort\n"));
    wait_until(|| reloads.failed() == 1);
    assert_eq!(with_token(&server, OTHER).add(20, 10), Ok(30));
    assert!(load.end_of_input().contains(" calls"));

    folder.put("tokens", OTHER);
    wait_until(|| reloads.succeeded() == 6);
    assert_eq!(with_token(&server, TOKEN).add(20, 10).unwrap_err().status().message(), "unknown token");
    assert_eq!(with_token(&server, OTHER).add(20, 10), Ok(30));
}

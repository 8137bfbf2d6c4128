//! Reload of certificates while the server runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use grpcio_kit::{Channel, ClientAuth, ClientTls, Reloads, Server};

use crate::common::certificates::{Authority, Folder};
use crate::common::process::{Running, ServerProcess, calc, python, stdout_of};
use crate::common::{PATIENCE, start, target, wait_until};

fn serve(folder: &Folder) -> (Server, Reloads) {
    let tls = folder.server().load().unwrap();
    let reloads = tls.reloads();
    (start(calc::server::builder().tls(tls)), reloads)
}

/// The server's certificate at a new connection.
fn served(target: &str) -> String {
    let output = stdout_of(python("tests/python/handshake.py").arg(target).arg("TLSv1_3"));
    output.strip_prefix("TLSv1.3\n").unwrap().replace('\r', "")
}

#[test]
fn certificates_are_reloaded_under_load_and_no_rpc_fails() {
    let folder = Folder::new();
    let (server, reloads) = serve(&folder);
    let mut command = python("tests/python/tls.py");
    command.arg(target(&server)).arg("--again").arg("--ca").arg(folder.path("ca.crt"));
    let mut load = Running::start(command.stdin(Stdio::piped()));
    load.wait_for_line("running");
    // A connection that is older than the certificates.
    let tls = ClientTls::default().ca(folder.path("ca.crt"));
    let old = calc::Client::new(Channel::builder(&target(&server)).tls(tls).connect().unwrap()).timeout(PATIENCE);
    assert_eq!(old.add(20, 10), Ok(30));
    for count in 1..=5 {
        let next = folder.ca.issue_local();
        folder.put_pair("tls", &next);
        wait_until(|| reloads.succeeded() == count);
        assert_eq!(served(&target(&server)), next.certificate);
        assert_eq!(old.add(20, 10), Ok(30));
    }
    // A failed RPC would end it with another exit code.
    assert!(load.end_of_input().ends_with(" calls\n"));
}

#[test]
fn an_invalid_pair_is_rejected_and_the_old_one_stays() {
    let folder = Folder::new();
    let old = fs::read_to_string(folder.path("tls.crt")).unwrap();
    let (server, reloads) = serve(&folder);
    // First with the old key; then the file is missing; then it is garbage.
    folder.put("tls.crt", folder.ca.issue_local().certificate);
    wait_until(|| reloads.failed() == 1);
    assert_eq!(served(&target(&server)), old);
    fs::remove_file(folder.path("tls.crt")).unwrap();
    wait_until(|| reloads.failed() == 2);
    folder.put("tls.crt", "garbage");
    wait_until(|| reloads.failed() == 3);
    assert_eq!(served(&target(&server)), old);

    let next = folder.ca.issue_local();
    folder.put_pair("tls", &next);
    wait_until(|| reloads.succeeded() == 1);
    assert_eq!(served(&target(&server)), next.certificate);
}

#[test]
fn every_port_uses_the_reloaded_certificates() {
    let folder = Folder::new();
    let tls = folder.server().load().unwrap();
    let reloads = tls.reloads();
    let server = start(calc::server::builder().tls(tls).listen("127.0.0.1:0".parse().unwrap()));
    let next = folder.ca.issue_local();
    folder.put_pair("tls", &next);
    wait_until(|| reloads.succeeded() == 1);
    assert_eq!(server.addresses().len(), 2);
    for address in server.addresses() {
        assert_eq!(served(&address.to_string()), next.certificate);
    }
}

#[test]
fn the_client_ca_is_reloaded() {
    let folder = Folder::new();
    let other = Authority::new("another CA");
    folder.put("clients.crt", &folder.ca.certificate);
    folder.put_pair("client", &other.issue("client", &[]));
    let tls = folder.server().client_ca(folder.path("clients.crt"), ClientAuth::Required).load().unwrap();
    let reloads = tls.reloads();
    let server = start(calc::server::builder().tls(tls));
    let add = || {
        let tls = ClientTls::default().ca(folder.path("ca.crt"));
        let tls = tls.certificate(folder.path("client.crt"), folder.path("client.key"));
        let channel = Channel::builder(&target(&server)).tls(tls).connect().unwrap();
        calc::Client::new(channel).timeout(PATIENCE).add(20, 10)
    };
    assert!(add().is_err());
    folder.put("clients.crt", format!("{}{}", folder.ca.certificate, other.certificate));
    wait_until(|| reloads.succeeded() == 1);
    assert_eq!(add(), Ok(30));
}

/// As Kubernetes does: the files are symlinks through a symlink to a folder, which is replaced.
#[test]
fn calc_serve_follows_a_replaced_symlink_and_logs_it() {
    let folder = Folder::new();
    let next = folder.ca.issue_local();
    for name in ["one", "two", "three"] {
        fs::create_dir(folder.path(name)).unwrap();
    }
    for name in ["tls.crt", "tls.key"] {
        fs::rename(folder.path(name), folder.path("one").join(name)).unwrap();
        symlink(format!("..data/{name}"), folder.path(name)).unwrap();
        fs::write(folder.path("three").join(name), "garbage").unwrap();
    }
    fs::write(folder.path("two/tls.crt"), &next.certificate).unwrap();
    fs::write(folder.path("two/tls.key"), &next.key).unwrap();
    let point_to = |name: &str| {
        symlink(name, folder.path("..next")).unwrap();
        fs::rename(folder.path("..next"), folder.path("..data")).unwrap();
    };
    point_to("one");
    let (certificate, key) = (folder.arg("tls.crt"), folder.arg("tls.key"));
    let server = ServerProcess::start(&mut calc(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
    ]));
    point_to("three");
    let line = server.wait_for_line_with("the new certificates are refused");
    assert!(line.contains("tls.crt: it holds no certificate in PEM form"), "{line}");
    point_to("two");
    server.wait_for_line_with("the new certificates are in use");
    assert_eq!(served(server.target()), next.certificate);
}

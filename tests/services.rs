//! Every service of `calc serve`, asked by the clients that PyPI has for it, over every transport.

use crate::common::certificates::Folder;
use crate::common::process::{ServerProcess, calc, python, stdout_of};
use crate::health::ANSWERS;

const TOKEN: &str = "0123456789abcdef";

/// Has all of it asked of a server with the flags of `serve`, by Python with the arguments of `ask`.
fn assert_right(serve: &[&str], ask: &[&str]) {
    let server = ServerProcess::start(calc(&["serve", "--listen", "127.0.0.1:0"]).args(serve));
    let output = stdout_of(python("tests/python/services.py").arg(server.target()).args(ask));
    assert_eq!(output, format!("{ANSWERS}every answer is right\n"));
}

#[test]
fn pypi_s_clients_get_right_answers_in_clear_text() {
    assert_right(&[], &[]);
}

#[test]
fn pypi_s_clients_get_right_answers_over_tls() {
    let folder = Folder::new();
    let path = |name| folder.arg(name);
    assert_right(&["--tls-cert", &path("tls.crt"), "--tls-key", &path("tls.key")], &["--ca", &path("ca.crt")]);
}

#[test]
fn pypi_s_clients_get_right_answers_with_a_certificate_and_a_token_and_none_without_the_token() {
    let folder = Folder::new();
    folder.put_pair("client", &folder.ca.issue("client", &[]));
    folder.put("tokens", TOKEN);
    let path = |name| folder.arg(name);
    let (crt, key, ca, tokens) = (path("tls.crt"), path("tls.key"), path("ca.crt"), path("tokens"));
    let (client_crt, client_key) = (path("client.crt"), path("client.key"));
    assert_right(
        &["--tls-cert", &crt, "--tls-key", &key, "--tls-client-ca", &ca, "--token-file", &tokens],
        &["--ca", &ca, "--cert", &client_crt, "--key", &client_key, "--token", TOKEN],
    );
}

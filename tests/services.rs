//! Every service of `calc serve`, called by PyPI's clients over every transport.

use crate::common::certificates::Folder;
use crate::common::process::{ServerProcess, calc, python, stdout_of};
use crate::health::ANSWERS;

const TOKEN: &str = "0123456789abcdef";

/// Runs `services.py` with the arguments `client` against `calc serve` with the arguments `serve`.
fn check(serve: &[&str], client: &[&str]) {
    let server = ServerProcess::start(calc(&["serve", "--listen", "127.0.0.1:0"]).args(serve));
    let output = stdout_of(python("tests/python/services.py").arg(server.target()).args(client));
    assert_eq!(output, format!("{ANSWERS}all replies are correct\n"));
}

#[test]
fn pypi_s_clients_work_in_clear_text() {
    check(&[], &[]);
}

#[test]
fn pypi_s_clients_work_over_tls() {
    let folder = Folder::new();
    let path = |name| folder.arg(name);
    check(&["--tls-cert", &path("tls.crt"), "--tls-key", &path("tls.key")], &["--ca", &path("ca.crt")]);
}

#[test]
fn pypi_s_clients_work_with_a_certificate_and_a_token_and_not_without_the_token() {
    let folder = Folder::new();
    folder.put_pair("client", &folder.ca.issue("client", &[]));
    folder.put("tokens", TOKEN);
    let path = |name| folder.arg(name);
    let (crt, key, ca, tokens) = (path("tls.crt"), path("tls.key"), path("ca.crt"), path("tokens"));
    let (client_crt, client_key) = (path("client.crt"), path("client.key"));
    check(
        &["--tls-cert", &crt, "--tls-key", &key, "--tls-client-ca", &ca, "--token-file", &tokens],
        &["--ca", &ca, "--cert", &client_crt, "--key", &client_key, "--token", TOKEN],
    );
}

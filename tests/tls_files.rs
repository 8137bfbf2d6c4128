//! Invalid files and flags: the error, and the exit code.

use std::fs;

use grpcio_kit::{Channel, ClientAuth, ClientTls};

use crate::common::certificates::{Authority, Folder, chmod};
use crate::common::process::{ServerProcess, calc, run};
use crate::common::{PATIENCE, start, target};

/// Runs `calc` to its end. Returns the exit code and standard error.
fn outcome(args: &[&str]) -> (Option<i32>, String) {
    let output = run(&mut calc(args));
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn serve(args: &[&str]) -> (Option<i32>, String) {
    outcome(&[&["serve", "--listen", "127.0.0.1:0"], args].concat())
}

/// The error from loading the server's files.
fn refusal(folder: &Folder) -> String {
    let error = folder.server().client_ca(folder.path("ca.crt"), ClientAuth::Required).load().unwrap_err();
    error.to_string().replace(folder.path("").to_str().unwrap(), "")
}

#[test]
fn a_key_of_another_certificate_is_rejected() {
    let folder = Folder::new();
    folder.put("tls.key", folder.ca.issue_local().key);
    let refusal = refusal(&folder);
    assert!(refusal.starts_with("tls.key: the private key is damaged, or does not belong to the first"), "{refusal}");
}

#[test]
fn garbage_is_rejected_with_the_name_of_its_file() {
    for (name, of) in [("tls.crt", "certificate"), ("tls.key", "private key"), ("ca.crt", "certificate")] {
        for garbage in [&b"garbage"[..], b"", b"\x30\x82\0\xff", b"-----BEGIN NOTHING-----\n\0"] {
            let folder = Folder::new();
            folder.put(name, garbage);
            let refusal = refusal(&folder);
            assert!(refusal.starts_with(&format!("{name}: it ")) && refusal.contains("PEM form"), "{of}: {refusal}");
        }
    }
}

#[test]
fn a_damaged_certificate_is_rejected_wherever_it_is() {
    for name in ["tls.crt", "ca.crt"] {
        let folder = Folder::new();
        let good = fs::read_to_string(folder.path(name)).unwrap();
        let damaged = good.replacen("\nMI", "\nAA", 1);
        assert_ne!(good, damaged);
        let cut = good.split("-----END").next().unwrap();
        let bundles = [
            (damaged.clone(), "1 of 1"),
            (format!("{good}{damaged}"), "2 of 2"),
            (format!("{good}{damaged}{good}"), "2 of 3"),
            (format!("{cut}{good}"), "1 of 2"),
            (format!("{good}{cut}"), "2 of 2"),
        ];
        for (content, which) in bundles {
            folder.put(name, content);
            assert_eq!(refusal(&folder), format!("{name}: certificate {which} is damaged; copy the file again"));
        }
    }
}

/// The C core gets the certificates as it can read them, and nothing else.
#[test]
fn certificates_may_have_other_text_around_them_and_lines_of_any_length() {
    let folder = Folder::new();
    for name in ["tls.crt", "ca.crt"] {
        let pem = fs::read_to_string(folder.path(name)).unwrap();
        let lines: Vec<_> = pem.lines().collect();
        let [begin, body @ .., end] = &lines[..] else { panic!("{pem}") };
        let other = "subject: somebody\n-----BEGIN PRIVATE KEY-----\nAAAA=\n-----END PRIVATE KEY-----\n";
        let content = format!("{other}{begin} \n{}\n{end}\n{other}", body.concat());
        folder.put(name, content.replace('\n', "\r\n"));
    }
    let tls = folder.server().client_ca(folder.path("ca.crt"), ClientAuth::Optional).load().unwrap();
    let server = start(calc::server::builder().tls(tls));
    let tls = ClientTls::default().ca(folder.path("ca.crt"));
    let client = calc::Client::new(Channel::builder(&target(&server)).tls(tls).connect().unwrap());
    assert_eq!(client.timeout(PATIENCE).add(20, 10), Ok(30));
}

#[test]
fn a_key_that_cannot_be_read_is_rejected_with_what_to_do() {
    let folder = Folder::new();
    let good = fs::read_to_string(folder.path("tls.key")).unwrap();
    let labelled = |label: &str| good.replace("PRIVATE KEY", label);
    let encrypted = "the private key is encrypted; `openssl pkey -in FILE -out NEW` decrypts it";
    let rejected = [
        (labelled("ENCRYPTED PRIVATE KEY"), encrypted),
        (good.replacen('\n', "\nProc-Type: 4,ENCRYPTED\n", 1), encrypted),
        (labelled("DSA PRIVATE KEY"), "it holds no private key of a supported kind"),
        (labelled("PUBLIC KEY"), "it holds no private key in PEM form"),
        (good.split("-----END").next().unwrap().to_owned(), "the private key is damaged; copy the file again"),
        (good.replacen("\nMI", "\nAA", 1), "the private key is damaged, or does not belong to the first certificate"),
        (format!("{good}\0"), "it is binary, not text in PEM form; if it is in DER form, `openssl pkey -inform der"),
    ];
    for (content, reason) in rejected {
        folder.put("tls.key", &content);
        let refusal = refusal(&folder);
        assert!(refusal.starts_with(&format!("tls.key: {reason}")), "{content}: {refusal}");
    }
}

#[test]
fn a_missing_file_is_rejected() {
    for name in ["tls.crt", "tls.key", "ca.crt"] {
        let folder = Folder::new();
        fs::remove_file(folder.path(name)).unwrap();
        assert!(refusal(&folder).starts_with(&format!("cannot read {name}: No such file")));
    }
}

#[test]
fn a_client_rejects_invalid_files_before_its_first_rpc() {
    let folder = Folder::new();
    let error = |tls: ClientTls| Channel::builder("localhost:1").tls(tls).connect().err().unwrap().to_string();
    let tls = ClientTls::default().ca(folder.path("ca.crt"));
    folder.put("other.key", folder.ca.issue_local().key);
    let foreign = error(tls.clone().certificate(folder.path("tls.crt"), folder.path("other.key")));
    assert!(foreign.contains("other.key: the private key is damaged, or does not belong"), "{foreign}");
    folder.put("other.key", "garbage");
    let garbage = error(tls.clone().certificate(folder.path("tls.crt"), folder.path("other.key")));
    assert!(garbage.contains("other.key: it holds no private key"), "{garbage}");
    folder.put("ca.crt", Authority::new("x").certificate.replacen("\nMI", "\nAA", 1));
    assert!(error(tls.clone()).ends_with("ca.crt: certificate 1 of 1 is damaged; copy the file again"));
    fs::remove_file(folder.path("ca.crt")).unwrap();
    assert!(error(tls).contains("ca.crt: No such file"));
}

#[test]
fn the_environment_can_name_the_system_s_ca_bundle() {
    let folder = Folder::new();
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
    let mut command = calc(&["add", "20", "10", "--timeout", "30", "--tls", "on", "--target", server.target()]);
    command.env_remove("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH").env("SSL_CERT_FILE", folder.path("ca.crt"));
    assert_eq!(run(&mut command).stdout, b"30\n");
    // One certificate of the system's that cannot be parsed is no reason to trust none of the others.
    let good = &folder.ca.certificate;
    folder.put("ca.crt", format!("{}{good}", good.replacen("\nMI", "\nAA", 1)));
    assert_eq!(run(&mut command).stdout, b"30\n");
    folder.put("ca.crt", "garbage");
    let output = run(&mut command);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("ca.crt: it holds no certificate"));
}

#[test]
fn a_key_that_others_can_access_is_a_warning() {
    let folder = Folder::new();
    let (certificate, key) = (folder.arg("tls.crt"), folder.arg("tls.key"));
    chmod(&folder.path("tls.key"), 0o644);
    let server = ServerProcess::start(&mut calc(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
    ]));
    let line = server.wait_for_line_with("group or others have access to the private key");
    assert!(line.contains("WARN") && line.contains("tls.key") && line.contains("0644"), "{line}");
}

#[test]
fn tokens_in_clear_text_for_other_machines_are_a_warning() {
    let folder = Folder::new();
    folder.put("tokens", "0123456789abcdef");
    let tokens = folder.arg("tokens");
    let server = ServerProcess::start(&mut calc(&["serve", "--listen", "[::]:0", "--token-file", &tokens]));
    let line = server.wait_for_line_with("tokens reach this address in clear text");
    assert!(line.contains("WARN") && line.contains("[::]:0"), "{line}");
}

#[test]
fn flags_that_need_other_flags_are_usage_errors() {
    let wrong = [
        (&["--tls-cert", "a"][..], "--tls-key FILE"),
        (&["--tls-key", "a"], "--tls-cert FILE"),
        (&["--tls-client-ca", "a"], "--tls-cert FILE --tls-key FILE"),
        (&["--tls-cert", "a", "--tls-key", "b", "--tls-client-auth", "optional"], "--tls-client-ca FILE"),
        (&["--tls-cert", "a", "--tls-key", "b", "--allow-names", "a"], "--tls-client-ca FILE"),
        (&["--tls-client-auth", "maybe"], "not one of optional, required"),
        (&["--open-health", "maybe"], "not one of on, off"),
    ];
    for (args, remedy) in wrong {
        let (code, stderr) = serve(args);
        assert_eq!(code, Some(2), "{args:?}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(remedy), "{args:?}: {stderr}");
    }
    for args in [["--tls-cert", "a"], ["--tls-key", "a"], ["--tls", "maybe"]] {
        let (code, stderr) = outcome(&[&["add", "1", "2"][..], &args].concat());
        assert_eq!(code, Some(2), "{args:?}: {stderr}");
    }
}

#[test]
fn an_invalid_certificate_name_is_a_usage_error() {
    let folder = Folder::new();
    let (certificate, key, ca) = (folder.arg("tls.crt"), folder.arg("tls.key"), folder.arg("ca.crt"));
    let tls = ["--tls-cert", &certificate, "--tls-key", &key, "--tls-client-ca", &ca, "--allow-names", "a,b*"];
    let (code, stderr) = serve(&tls);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("--allow-names: `b*` is not a certificate name"), "{stderr}");
}

#[test]
fn invalid_files_end_the_program_with_exit_code_1() {
    let folder = Folder::new();
    folder.put("garbage", "garbage");
    let (garbage, key, missing) = (folder.arg("garbage"), folder.arg("tls.key"), folder.arg("missing"));
    let (code, stderr) = serve(&["--tls-cert", &garbage, "--tls-key", &key]);
    assert!(code == Some(1) && stderr.contains(&format!("error: {garbage}: it holds no certificate")), "{stderr}");
    let (code, stderr) = serve(&["--token-file", &garbage]);
    assert!(code == Some(1) && stderr.contains(&format!("error: {garbage}: line 1: a token has 16")), "{stderr}");
    let (code, stderr) = serve(&["--token-file", &missing]);
    assert!(code == Some(1) && stderr.contains(&format!("error: cannot read {missing}: No such file")), "{stderr}");
    let (code, stderr) = outcome(&["add", "1", "2", "--tls-ca", &garbage]);
    assert!(code == Some(1) && stderr.contains("it holds no certificate"), "{stderr}");
    let (code, stderr) = outcome(&["add", "1", "2", "--token-file", &missing]);
    assert!(code == Some(1) && stderr.contains("No such file"), "{stderr}");
}

#[test]
fn calc_add_sends_its_token_and_its_certificate() {
    let folder = Folder::new();
    folder.put_pair("client", &folder.ca.issue("client", &[]));
    folder.put("tokens", "# a comment\n0123456789abcdef somebody\n");
    let path = |name: &str| folder.arg(name);
    let (crt, key, ca, tokens) = (path("tls.crt"), path("tls.key"), path("ca.crt"), path("tokens"));
    let server = ServerProcess::start(&mut calc(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        &crt,
        "--tls-key",
        &key,
        "--tls-client-ca",
        &ca,
        "--token-file",
        &tokens,
        "--allow-names",
        "client, other",
        "--open-health",
        "on",
    ]));
    let add = ["add", "20", "10", "--timeout", "30", "--target", server.target(), "--tls-ca", &ca];
    let pair = ["--tls-cert", &path("client.crt"), "--tls-key", &path("client.key")];
    let output = run(&mut calc(&[&add[..], &pair, &["--token-file", &tokens]].concat()));
    assert_eq!(output.stdout, b"30\n", "{output:?}");
    // A status from the server, and no connection.
    assert_eq!(outcome(&[&add[..], &pair].concat()).0, Some(7));
    assert_eq!(outcome(&add).0, Some(6));
    let (code, stderr) = outcome(&["add", "1", "2", "--target", "calc.example.com:1", "--token-file", &tokens]);
    assert!(code == Some(2) && stderr.contains("use TLS"), "{stderr}");
}

//! Every command that calls a server, with TLS and a token.

use crate::common::certificates::{Authority, Folder};
use crate::common::process::{ServerProcess, calc, run};

/// The commands, and the start of their output.
const COMMANDS: [(&[&str], &str); 8] = [
    (&["add", "20", "10"], "30\n"),
    (&["substract", "20", "10"], "10\n"),
    (&["multiply", "20", "10"], "200\n"),
    (&["divide", "10", "2"], "5.0\n"),
    // Without a line of input it makes an RPC too.
    (&["batch", "divide", "--header"], "result,error\n"),
    (&["health"], "SERVING\n"),
    (&["list"], "calc.BatchCalculator\ncalc.Calculator\n"),
    (&["list", "calc.Calculator"], "calc.Calculator.Add\n"),
];

/// The exit codes for no connection, and for a status from the server: `calc health` has those of a probe.
fn codes(command: &[&str]) -> (i32, i32) {
    if command == ["health"] { (2, 3) } else { (6, 7) }
}

#[test]
fn every_command_needs_the_server_s_ca_and_a_token() {
    let folder = Folder::new();
    folder.put("tokens", "0123456789abcdef");
    let (crt, key, ca, tokens) =
        (folder.arg("tls.crt"), folder.arg("tls.key"), folder.arg("ca.crt"), folder.arg("tokens"));
    let serve = ["serve", "--listen", "127.0.0.1:0", "--tls-cert", &crt, "--tls-key", &key, "--token-file", &tokens];
    let server = ServerProcess::start(&mut calc(&serve));
    let at = ["--timeout", "30", "--target", server.target()];
    let call = |command: &[&str], args: &[&str]| {
        let output = run(&mut calc(&[command, &at, args].concat()));
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    for (command, expected) in COMMANDS {
        let (code, stdout, stderr) = call(command, &["--tls-ca", &ca, "--token-file", &tokens]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{command:?}");
        assert!(stdout.starts_with(expected), "{command:?}: {stdout}");

        let (not_connected, refused) = codes(command);
        // The system's CAs, which do not include ours; then plaintext.
        for args in [&["--tls", "on", "--token-file", &tokens][..], &["--token-file", &tokens]] {
            let (code, stdout, stderr) = call(command, args);
            assert_eq!((code, stdout.as_str()), (not_connected, ""), "{command:?} {args:?}: {stderr}");
            assert!(stderr.contains("unavailable") || stderr.contains("cannot connect"), "{command:?}: {stderr}");
        }
        let (code, stdout, stderr) = call(command, &["--tls-ca", &ca]);
        assert_eq!((code, stdout.as_str()), (refused, ""), "{command:?}: {stderr}");
        assert!(stderr.contains("UNAUTHENTICATED: no token"), "{command:?}: {stderr}");
    }
}

/// The errors were the TLS library's alone, or `Socket closed`.
#[test]
fn a_handshake_that_fails_has_a_hint_at_the_flag_that_helps() {
    let (folder, other) = (Folder::new(), Folder::new());
    let (crt, key, ca) = (folder.arg("tls.crt"), folder.arg("tls.key"), folder.arg("ca.crt"));
    // Of the same name, and of another.
    let same_name = other.arg("ca.crt");
    other.put("stranger.crt", &Authority::new("a stranger").certificate);
    let stranger = other.arg("stranger.crt");
    let start =
        |args: &[&str]| ServerProcess::start(&mut calc(&[&["serve", "--listen", "127.0.0.1:0"], args].concat()));
    let (plaintext, tls) = (start(&[]), start(&["--tls-cert", &crt, "--tls-key", &key]));
    let mutual = start(&["--tls-cert", &crt, "--tls-key", &key, "--tls-client-ca", &ca]);
    folder.put_pair("expired", &folder.ca.issue_expired());
    let (old, its_key) = (folder.arg("expired.crt"), folder.arg("expired.key"));
    let expired = start(&["--tls-cert", &old, "--tls-key", &its_key]);
    for command in [&["add", "20", "10"][..], &["health"], &["list"], &["bench", "--count", "1"]] {
        for (server, args, hint) in [
            (&tls, &[][..], "if the server has TLS, use --tls on"),
            (&plaintext, &["--tls-ca", &ca], "the server has no TLS at this port; use --tls off"),
            (&mutual, &["--tls-ca", &ca], "give one with --tls-cert FILE and --tls-key FILE"),
            (&tls, &["--tls-ca", &same_name], "name its CA with --tls-ca FILE"),
            (&tls, &["--tls-ca", &stranger], "name its CA with --tls-ca FILE"),
            (&expired, &["--tls-ca", &ca], "the server's certificate has expired"),
            (&tls, &["--tls-ca", &ca, "--tls-server-name", "other"], "give one with --tls-server-name NAME"),
        ] {
            let at = ["--timeout", "30", "--target", server.target()];
            let output = run(&mut calc(&[command, &at, args].concat()));
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success(), "{command:?} {args:?}");
            let lines: Vec<_> = stderr.lines().collect();
            assert!(lines.len() == 2 && lines[1].starts_with("hint: ") && lines[1].contains(hint), "{stderr}");
        }
    }
}

//! Every command that calls a server, with TLS and a token.

use crate::common::certificates::Folder;
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
